"""What US-Tuning claims (arXiv 2406.10099), as effects; every system is asked with the same prompt."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from demur.claims.base import Claim
from demur.claims.lab import Figure, Lab, accuracy, over, refused
from demur.claims.places import BOTH
from demur.metrics.base import divide

PAPER = "US-Tuning"


def answered_right(lab: Lab, system: str) -> Figure:
    """Accuracy on passages that hold the answer."""
    return accuracy(lab.run("contextual"), system, lambda q: q.split == "test" and q.answerable)


def recognised(lab: Lab, system: str) -> Figure:
    """Share of the passages without the answer on which it says so."""
    return refused(lab.run("contextual"), system, lambda q: q.split == "test" and not q.answerable)


def f1(lab: Lab, system: str) -> Figure:
    """Harmonic mean of the two (the paper's F1); 0 where both are."""
    known, unknown = answered_right(lab, system), recognised(lab, system)
    found = divide(2 * known * unknown, known + unknown)
    found[known + unknown == 0] = 0.0
    return found


def _both(lab: Lab) -> Figure:
    others = over([f1(lab, system) for system in ("base", "us-tuning-stage1", "us-tuning-plain-qa")])
    return f1(lab, "us-tuning") - others


PUBLISHED = {
    "base": (79.3, 58.3, 67.2),
    "us-tuning-stage1": (52.4, 84.4, 64.6),
    "us-tuning-plain-qa": (77.0, 20.9, 32.8),
    "us-tuning-stage2": (84.8, 59.0, 69.6),
    "us-tuning": (79.7, 93.0, 85.8),
}
"""Answerable accuracy, unanswerable accuracy and F1 of Llama-2-7B-chat, in percent, as released with the
paper; there the tuned models are asked with a longer prompt than the untuned one."""


Figures = Mapping[str, Mapping[str, float | None]]


def figures(lab: Lab) -> dict[str, dict[str, float]]:
    """The three figures of every system in one seed."""
    return {
        system: {
            "answerable right": float(answered_right(lab, system)[0]),
            "unanswerable declined": float(recognised(lab, system)[0]),
            "F1": float(f1(lab, system)[0]),
        }
        for system in PUBLISHED
    }


def table(seeds: Sequence[Figures]) -> list[str]:
    """Every ablation beside the paper's, in Markdown: means over seeds in percent."""
    lines = [
        "| system | answerable right | unanswerable declined | F1 | the paper's (Llama-2-7B-chat) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for system, published in PUBLISHED.items():
        names = ("answerable right", "unanswerable declined", "F1")
        means = [_mean([found[system].get(name) for found in seeds if system in found]) for name in names]
        theirs = " / ".join(f"{value:.1f}" for value in published)
        lines.append(f"| {system} | {means[0]} | {means[1]} | {means[2]} | {theirs} |")
    return lines


def _mean(values: Sequence[float | None]) -> str:
    found = [100 * value for value in values if value is not None]
    return f"{statistics.mean(found):.1f}" if found else "–"


CLAIMS = (
    Claim(
        name="stage1-recognises",
        text="Stage 1 alone raises the recognition of insufficient passages.",
        source=f"{PAPER}, table 3",
        effect=lambda lab: recognised(lab, "us-tuning-stage1") - recognised(lab, "base"),
        unit="share recognised (stage 1 − base)",
        margin=0.02,
        labs=BOTH,
        contextual=True,
        why="This reader hardly learns stage 1 itself: asked whether a passage suffices it is right on "
        "59-64 % after it (51-53 % before, three seeds; half is chance), so there is little for plain "
        "QA to destroy or for stage 2 to recover.",
    ),
    Claim(
        name="stage1-loses-qa",
        text="Stage 1 alone loses question answering.",
        source=f"{PAPER}, table 3",
        effect=lambda lab: answered_right(lab, "base") - answered_right(lab, "us-tuning-stage1"),
        unit="accuracy on sufficient passages (base − stage 1)",
        margin=0.02,
        labs=BOTH,
        contextual=True,
        why="See above: stage 1 is hardly learned, and changes little for better or worse.",
    ),
    Claim(
        name="plain-qa-destroys",
        text="Plain question answering after stage 1 destroys recognition.",
        source=f"{PAPER}, table 3",
        effect=lambda lab: recognised(lab, "us-tuning-stage1") - recognised(lab, "us-tuning-plain-qa"),
        unit="share recognised (stage 1 − stage 1, then plain QA)",
        margin=0.02,
        labs=BOTH,
        contextual=True,
    ),
    Claim(
        name="stage2-keeps-recognition",
        text="Stage 2 keeps recognition better than plain question answering does.",
        source=f"{PAPER}, table 3",
        effect=lambda lab: recognised(lab, "us-tuning") - recognised(lab, "us-tuning-plain-qa"),
        unit="share recognised (stage 2 − plain QA)",
        margin=0.02,
        labs=BOTH,
        contextual=True,
    ),
    Claim(
        name="stage2-keeps-both",
        primary=True,
        text="Both stages together have the best F1.",
        source=f"{PAPER}, table 3",
        effect=_both,
        unit="F1 (US-Tuning − best of base, stage 1, plain QA)",
        margin=0.02,
        labs=BOTH,
        contextual=True,
        why="Its three hundred rows in ten epochs cost answers, and stage 1 had given nothing to keep.",
    ),
)
