"""What US-Tuning claims (arXiv 2406.10099), as effects; every system is asked with the same prompt."""

from __future__ import annotations

from demur.claims.base import Claim
from demur.claims.lab import Lab, accuracy, minus, refused

PAPER = "US-Tuning"


def answered_right(lab: Lab, system: str) -> float | None:
    """Accuracy on passages that hold the answer."""
    run = lab.run("contextual")
    return accuracy(run.rows(system, lambda q: q.split == "test" and q.answerable))


def recognised(lab: Lab, system: str) -> float | None:
    """Share of the passages without the answer on which it says so."""
    run = lab.run("contextual")
    return refused(run.rows(system, lambda q: q.split == "test" and not q.answerable))


def f1(lab: Lab, system: str) -> float | None:
    """Harmonic mean of the two (the paper's F1)."""
    known, unknown = answered_right(lab, system), recognised(lab, system)
    if known is None or unknown is None:
        return None
    return 2 * known * unknown / (known + unknown) if known + unknown else 0.0


def _both(lab: Lab) -> float | None:
    others = [f1(lab, system) for system in ("base", "us-tuning-stage1", "us-tuning-plain-qa")]
    found = [value for value in others if value is not None]
    return minus(f1(lab, "us-tuning"), max(found)) if len(found) == 3 else None


CLAIMS = (
    Claim(
        name="stage1-recognises",
        text="Stage 1 alone raises the recognition of insufficient passages.",
        source=f"{PAPER}, table 3",
        effect=lambda lab: minus(recognised(lab, "us-tuning-stage1"), recognised(lab, "base")),
        unit="share recognised (stage 1 − base)",
        margin=0.02,
    ),
    Claim(
        name="stage1-loses-qa",
        text="Stage 1 alone loses question answering.",
        source=f"{PAPER}, table 3",
        effect=lambda lab: minus(answered_right(lab, "base"), answered_right(lab, "us-tuning-stage1")),
        unit="accuracy on sufficient passages (base − stage 1)",
        margin=0.02,
    ),
    Claim(
        name="plain-qa-destroys",
        text="Plain question answering after stage 1 destroys recognition.",
        source=f"{PAPER}, table 3",
        effect=lambda lab: minus(
            recognised(lab, "us-tuning-stage1"), recognised(lab, "us-tuning-plain-qa")
        ),
        unit="share recognised (stage 1 − stage 1, then plain QA)",
        margin=0.02,
    ),
    Claim(
        name="stage2-keeps-recognition",
        text="Stage 2 keeps recognition better than plain question answering does.",
        source=f"{PAPER}, table 3",
        effect=lambda lab: minus(recognised(lab, "us-tuning"), recognised(lab, "us-tuning-plain-qa")),
        unit="share recognised (stage 2 − plain QA)",
        margin=0.02,
    ),
    Claim(
        name="stage2-keeps-both",
        text="Both stages together have the best F1.",
        source=f"{PAPER}, table 3",
        effect=_both,
        unit="F1 (US-Tuning − best of base, stage 1, plain QA)",
        margin=0.02,
    ),
)
