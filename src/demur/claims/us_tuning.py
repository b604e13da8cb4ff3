"""What US-Tuning claims (arXiv 2406.10099), as effects; every system is asked with the same prompt."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from demur.claims.base import Claim
from demur.claims.lab import Lab, NotMadeError, accuracy, minus, refused

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


PUBLISHED = {
    "base": (79.3, 58.3, 67.2),
    "us-tuning-stage1": (52.4, 84.4, 64.6),
    "us-tuning-plain-qa": (77.0, 20.9, 32.8),
    "us-tuning-stage2": (84.8, 59.0, 69.6),
    "us-tuning": (79.7, 93.0, 85.8),
}
"""Answerable accuracy, unanswerable accuracy and F1 of Llama-2-7B-chat, in percent, as released with the
paper; there the tuned models are asked with a longer prompt than the untuned one."""


def table(labs: Sequence[Lab]) -> list[str]:
    """Every ablation beside the paper's, in Markdown: means over seeds in percent."""
    lines = [
        "| system | answerable right | unanswerable declined | F1 | the paper's (Llama-2-7B-chat) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for system, published in PUBLISHED.items():
        rows = [_figures(lab, system) for lab in labs]
        means = [_mean([row[column] for row in rows]) for column in range(3)]
        theirs = " / ".join(f"{value:.1f}" for value in published)
        lines.append(f"| {system} | {means[0]} | {means[1]} | {means[2]} | {theirs} |")
    return lines


def _figures(lab: Lab, system: str) -> tuple[float | None, ...]:
    try:
        return answered_right(lab, system), recognised(lab, system), f1(lab, system)
    except NotMadeError:
        return None, None, None


def _mean(values: Sequence[float | None]) -> str:
    found = [100 * value for value in values if value is not None]
    return f"{statistics.mean(found):.1f}" if found else "–"


CLAIMS = (
    Claim(
        name="stage1-recognises",
        text="Stage 1 alone raises the recognition of insufficient passages.",
        source=f"{PAPER}, table 3",
        effect=lambda lab: minus(recognised(lab, "us-tuning-stage1"), recognised(lab, "base")),
        unit="share recognised (stage 1 − base)",
        margin=0.02,
        why="This reader hardly learns stage 1 itself: asked whether a passage suffices it is right on "
        "59-64 % after it (51-53 % before, three seeds; half is chance), so there is little for plain "
        "QA to destroy or for stage 2 to recover.",
    ),
    Claim(
        name="stage1-loses-qa",
        text="Stage 1 alone loses question answering.",
        source=f"{PAPER}, table 3",
        effect=lambda lab: minus(answered_right(lab, "base"), answered_right(lab, "us-tuning-stage1")),
        unit="accuracy on sufficient passages (base − stage 1)",
        margin=0.02,
        why="See above: stage 1 is hardly learned, and changes little for better or worse.",
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
        why="Its three hundred rows in ten epochs cost answers, and stage 1 had given nothing to keep.",
    ),
)
