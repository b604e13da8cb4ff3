"""Numbers, systems and splits in words: the page and the terminal say the same thing the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from demur.core.names import FIXED, LEARNED

UNDEFINED = "undefined"

TITLES = {
    "base": "Base model",
    "vanilla": "Vanilla fine-tuning",
    "r-tuning": "R-Tuning",
    "probe": "Probe",
    "p-ik": "Probe before answering",
    "base-likelihood": "Base, by likelihood",
    "pretrain-w": "Base, on R-Tuning’s choice",
    "familiarity-only": "Familiarity only",
}

DESCRIPTIONS = {
    "base": "the model before tuning",
    "vanilla": "tuned on the same questions and answers, without a word about certainty",
    "base-likelihood": "the base model, as often as the tuned one, where its own likelihood is highest",
    "pretrain-w": "the base model on exactly the questions that the tuned model is willing to answer",
    "familiarity-only": "the base model, trusting itself where its subject is well known",
}

READINGS = {LEARNED: "signals weighed", FIXED: "fixed rule"}
"""Endings of systems that read a method's answers in another way, in words."""

REFERENCES = frozenset({*DESCRIPTIONS, "pretrain-t", "unaligned"})
"""Systems that a method is compared with; every other system is a method."""

UNTUNED = frozenset({"probe", "p-ik"})
"""Methods that leave the model and its answers as they are."""

MAIN_SPLITS = {"id": "In domain", "ood": "Out of domain"}

POLICIES = {
    "always-answer": "Always answer",
    "always-refuse": "Always refuse",
    "random-refusal": "Refuse at random, as often as {system}",
}

Estimate = Mapping[str, Any]


def title(system: str) -> str:
    """A system's name for people; a name without an entry stands for itself."""
    for ending, said in READINGS.items():
        if system.endswith(ending):
            return f"{title(system.removesuffix(ending))}, {said}"
    return TITLES.get(system, system)


def methods(systems: Sequence[str], chosen: str = "") -> list[str]:
    """The systems that were made to refuse, in the order given; by the rule that they use.

    Args:
        chosen: the method of the run; where it is among them, only it and its learned reading.
    """
    found = [system for system in systems if system not in REFERENCES and not system.endswith(FIXED)]
    return [s for s in found if s in (chosen, chosen + LEARNED)] if chosen in found else found


def split_title(split: str) -> str:
    """A split's name for people: ``id/mixed`` becomes ``In domain, mixed``."""
    head, _, group = split.partition("/")
    if head not in MAIN_SPLITS and head != "calibration":
        return split
    words = MAIN_SPLITS.get(head, "Calibration")
    return f"{words}, {group}" if group else words


def is_group(split: str) -> bool:
    """Whether a split is a part of ``id``, ``ood`` or ``calibration``."""
    head, _, group = split.partition("/")
    return bool(group) and (head in MAIN_SPLITS or head == "calibration")


def whole(split: str) -> str:
    """The split that a group belongs to; any other split itself."""
    return split.partition("/")[0] if is_group(split) else split


def group_title(split: str) -> str:
    """A group's own name where it stands below its split; any other split's full name."""
    return split.partition("/")[2] if is_group(split) else split_title(split)


def ordered(splits: Iterable[str]) -> list[str]:
    """Splits as a reader wants them: in domain, out of domain, other parts, calibration; groups below."""
    heads = {"id": 0, "ood": 1, "calibration": 3}
    return sorted(splits, key=lambda split: (heads.get(split.partition("/")[0], 2), split))


def main_splits(splits: Sequence[str]) -> list[str]:
    """The splits a headline speaks of: ``id`` and ``ood``, or where a run has neither, all whole ones."""
    found = [split for split in MAIN_SPLITS if split in splits]
    return found or [split for split in splits if not is_group(split) and split != "calibration"]


def percent(value: float | None) -> str:
    """``57%``; one digit more where rounding would claim all or nothing; a word where undefined."""
    if value is None:
        return UNDEFINED
    near_an_end = 0 < value < 0.01 or 0.99 < value < 1
    digits = 1 if near_an_end else 0
    text = f"{100 * value:.{digits}f}"
    if near_an_end and text in ("0.0", "100.0"):
        return "under 0.1%" if value < 0.5 else "over 99.9%"
    return text + "%"


def percent_range(estimate: Estimate) -> str:
    """``88% [85–91]``, without the brackets where no interval is known."""
    value, low, high = estimate.get("value"), estimate.get("low"), estimate.get("high")
    if value is None or low is None or high is None:
        return percent(value)
    return f"{percent(value)} [{100 * low:.0f}–{100 * high:.0f}]"


def points(value: float) -> str:
    """A difference of shares in percentage points, without its sign."""
    size = f"{abs(100 * value):.1f}"
    return f"{size} point" if size == "1.0" else f"{size} points"


def signed(value: float) -> str:
    """``+1.2`` or ``−1.2``, one decimal, with a true minus sign."""
    return f"{value:+.1f}".replace("-", "−")


def tone(difference: Estimate, *, lower_is_better: bool = False) -> str:
    """``better``, ``worse``, ``even`` (the interval holds zero) or ``undefined``."""
    value, low, high = (difference.get(key) for key in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return "undefined"
    if lower_is_better:
        low, high = -high, -low
    return "better" if low > 0 else "worse" if high < 0 else "even"


def compare(difference: Estimate, *, lower_is_better: bool = False, brief: bool = False) -> str:
    """A paired difference in words, with its interval in points; ``brief`` for a table cell.

    The interval of a ``worse`` is given without signs, like its size: both ends lie on that side.
    """
    kind = tone(difference, lower_is_better=lower_is_better)
    if difference.get("value") is None:
        return "no comparison possible (undefined)"
    if kind == "undefined":
        return f"{signed(100 * difference['value'])} points, without an interval"
    value, low, high = (100 * difference[key] for key in ("value", "low", "high"))
    if kind == "even":
        figures = f"{signed(value)} points [{signed(low)}, {signed(high)}]"
        return (
            f"not told apart: {figures}"
            if brief
            else f"no difference that this run could detect ({figures})"
        )
    near, far = sorted((abs(low), abs(high)))
    return f"{kind} by {points(value / 100)} [{near:.1f}, {far:.1f}]"


def share(value: float | None) -> str:
    """``47.2%`` for a table cell, a dash where undefined."""
    return "–" if value is None else f"{100 * value:.1f}%"


def duration(seconds: float | None) -> str:
    """``48 s``, ``3 min 20 s``, ``1 h 05 min``."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    hours, minutes_rest = divmod(minutes, 60)
    return f"{hours} h {minutes_rest:02d} min" if hours else f"{minutes} min {rest:02d} s"
