"""What ``guarantee.json`` promises, for the page: the limit, how it fared on test questions, its terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demur.report import words

TERMS = (
    "The promise holds for new questions only if they are exchangeable with the calibration questions: "
    "drawn from the same source, each independently of the others. Other domains, questions without an "
    "answer, another prompt or model, or questions chosen after seeing answers break it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The promised threshold on one test split; texts, and ``error`` as drawn."""

    title: str
    n: int
    coverage: str
    error: str
    interval: str
    said: str
    """How the error lies to the limit, by its interval."""
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One guarantee, or one for each group."""

    system: str
    signal: str
    promised: tuple[str, ...]
    """A sentence for each group, or one for all."""
    error_title: str
    seen: tuple[Seen, ...]
    drawn: bool
    """Whether the risk figure shows it: one threshold for all, on errors among the answered."""


def promise(guarantee: Mapping[str, Any] | None) -> Promise | None:
    """The guarantee of a run; None where none was asked for."""
    if guarantee is None:
        return None
    first = next(iter(guarantee["guarantees"].values()))
    sentences = guarantee["sentences"]
    return Promise(
        system=words.title(guarantee["system"]),
        signal=guarantee["signal"],
        promised=tuple(sentences[: sentences.index("")] if "" in sentences else sentences),
        error_title="Wrong among the answered"
        if first["risk"] == "selective"
        else "Answered wrongly, of all",
        seen=tuple(
            _seen(split, cell, first["max_error"], promised=_any_threshold(guarantee))
            for split, cell in guarantee["test"].items()
        ),
        drawn=drawn(guarantee) is not None,
    )


def drawn(guarantee: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the risk figure shows of a guarantee; None where there is none for all questions together."""
    whole = (guarantee or {}).get("guarantees", {}).get("all")
    if guarantee is None or whole is None or whole["risk"] != "selective" or whole["threshold"] is None:
        return None
    return {"limit": whole["max_error"], "system": guarantee["system"], "test": guarantee["test"]}


def _any_threshold(guarantee: Mapping[str, Any]) -> bool:
    return any(item["threshold"] is not None for item in guarantee["guarantees"].values())


def _seen(split: str, cell: Mapping[str, Any], limit: float, *, promised: bool) -> Seen:
    error, low, high = cell["error"], cell["low"], cell["high"]
    said, tone = "nothing answered", "undefined"
    if not promised:
        said = "nothing promised"
    elif error is not None:
        said, tone = "not told apart from the limit", "even"
        if high <= limit:
            said, tone = "below the limit", "better"
        elif low > limit:
            said, tone = "above the limit: not covered", "worse"
    return Seen(
        title=words.split_title(split),
        n=cell["n"],
        coverage=words.share(cell["coverage"]),
        error=words.share(error),
        interval="" if error is None else f"{100 * low:.1f}–{100 * high:.1f}",
        said=said,
        tone=tone,
    )
