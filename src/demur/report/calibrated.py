"""What a system does since `demur calibrate`, in sentences: threshold, guarantee, coverage and error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demur.core.names import group_of_key
from demur.report import words


def is_calibrated(guarantee: Mapping[str, Any] | None, system: str) -> bool:
    """Whether a system answers by a calibrated threshold and no longer by its own rule."""
    return guarantee is not None and guarantee["system"] == system and _any(guarantee)


def rule(guarantee: Mapping[str, Any]) -> str:
    """By which threshold a calibrated system declines, and what is guaranteed of it; no full stop."""
    found = _thresholds(guarantee)
    signal = guarantee["signal"]
    if not _any(guarantee):
        return f"no threshold on {signal} could be guaranteed ({_why(guarantee)}), so its own rule decides"
    if "all" in found:
        return f"threshold {found['all']:.4f} on {signal}: {_limit(guarantee)}"
    own = [group_of_key(group) for group, threshold in found.items() if threshold is None]
    rest = f"; in {', '.join(own)} its own rule decides, without a guarantee" if own else ""
    shown = ", ".join(
        f"{group_of_key(group)} {value:.4f}" for group, value in found.items() if value is not None
    )
    return f"threshold on {signal} by group ({shown}): {_limit(guarantee)}{rest}"


def on_split(guarantee: Mapping[str, Any], split: str) -> str | None:
    """What the calibrated system does on a test split, a sentence; None where it was not tested there."""
    cell = guarantee["test"].get(split)
    if cell is None or not _any(guarantee):
        return None
    system = words.title(guarantee["system"])
    if cell["error"] is None or not cell["answered"]:
        return f"{system} as calibrated answers none of {cell['n']:,} questions"
    of = "of those" if _first(guarantee)["risk"] == "selective" else "of all questions"
    interval = f"[{100 * cell['low']:.1f}–{100 * cell['high']:.1f}]"
    return (
        f"{system} as calibrated answers {words.percent(cell['coverage'])} of {cell['n']:,} questions and "
        f"is wrong on {words.share(cell['error'])} {interval} {of}"
    )


def sentences(guarantee: Mapping[str, Any]) -> Iterator[str]:
    """The rule, and what it did on each test split; each without its full stop."""
    yield f"{words.title(guarantee['system'])} as calibrated, {rule(guarantee)}"
    for split in guarantee["test"]:
        said = on_split(guarantee, split)
        if said is not None:
            yield f"{words.split_title(split)}, {said}"


def _thresholds(guarantee: Mapping[str, Any]) -> dict[str, float | None]:
    return {group: item["threshold"] for group, item in guarantee["guarantees"].items()}


def _first(guarantee: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(iter(guarantee["guarantees"].values()))
    return found


def _limit(guarantee: Mapping[str, Any]) -> str:
    first = _first(guarantee)
    what = "answers are wrong" if first["risk"] == "selective" else "questions are answered wrongly"
    return f"at most {100 * first['max_error']:g}% of {what} ({100 * first['confidence']:g}% guarantee)"


def _why(guarantee: Mapping[str, Any]) -> str:
    return str(_first(guarantee).get("reason") or "none holds")


def _any(guarantee: Mapping[str, Any]) -> bool:
    return any(threshold is not None for threshold in _thresholds(guarantee).values())
