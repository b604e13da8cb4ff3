"""A guarantee in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demur.core.names import group_of_key


def sentences(found: Mapping[str, Any]) -> Iterator[str]:
    """What `calibrate_run` found, to read."""
    for group, item in found["guarantees"].items():
        said = promised(item)
        yield f"{said[0].upper()}{said[1:]}" if group == "all" else f"{group_of_key(group)}: {said}"
    yield from _drawn(found["drawn"])
    if "combination" in found:
        weights = ", ".join(
            f"{name} {weight:.2f}" for name, weight in found["combination"]["weights"].items()
        )
        yield (
            f"The signals were weighed anew on the other half of the calibration questions ({weights}, "
            f"bias {found['combination']['bias']:.2f}); the promise is of that weighing."
        )
    yield from _selection(found["selection"], found["signal"])
    yield ""
    if all(item["threshold"] is None for item in found["guarantees"].values()):
        yield f"No threshold was set. {found['system']} keeps its own rule, without a promise."
        return
    yield f"On the test splits, {found['system']} with this threshold on {found['signal']}:"
    for split, cell in found["test"].items():
        yield f"  {split}: {_seen(cell)}"
    yield ""
    yield (
        "The promise is for independent questions, drawn like the calibration ones. Out of domain, on "
        "unanswerable questions or after a change of model or prompt it need not hold: calibrate on such "
        "ones instead."
    )


def _drawn(drawn: Mapping[str, Any]) -> Iterator[str]:
    """Which calibration questions were used where several share a group, and what that promises."""
    asked = f"{drawn['questions']:,} calibration questions in {drawn['groups']:,} groups"
    if drawn["rule"] == "one":
        yield (
            f"{asked}: one question of each group, {drawn['used']:,} in all, was used, since questions of "
            "one group share their errors. The promise is for a random question of a new group."
        )
    elif drawn["rule"] == "kinds":
        yield (
            f"{asked}: all were used. So few groups are taken for kinds of questions, and the promise is "
            "for new questions of these. If they are entities or documents, use --groups one."
        )
    elif drawn["rule"] == "all":
        yield (
            f"{asked}: all were used (--groups all). The promise is for new questions of these groups, and "
            "does not hold for new groups."
        )
    if drawn["rule"] == "one" and drawn["trained"]:
        yield (
            f"{drawn['trained']:,} of these groups have training questions too, so the promise is for "
            "groups that the model was trained on. To calibrate on new groups, set data.divide_by group."
        )


def _selection(chosen: Mapping[str, Any], signal: str) -> Iterator[str]:
    """How the signal was chosen, and a warning where that may weaken the promise."""
    if chosen["correction"]:
        rates = ", ".join(f"{name} answers {rate:.1%}" for name, rate in chosen["tried"].items())
        yield (
            f"Chosen among {len(chosen['tried'])} signals ({rates}). Each was tested with a confidence of "
            f"{chosen['confidence_each']:.2%}, so that the promise holds for the chosen one (Bonferroni)."
        )
    elif chosen["by_hand"] and len(chosen["offered"]) > 1:
        others = ",".join(chosen["offered"])
        yield (
            f"Warning: {signal} is not the system's own signal. If it was chosen after looking at this "
            f"run's report, the promise is too strong. To choose by the data, use --signals {others}"
        )


def promised(item: Mapping[str, Any]) -> str:
    """One guarantee as a sentence, without its capital letter and with its full stop."""
    what = "of the answers are" if item["risk"] == "selective" else "of all questions are answered"
    limit = f"at most {item['max_error']:.1%} {what} wrong, with a confidence of {item['confidence']:.0%}"
    if item["threshold"] is None:
        more = _more(item)
        return f"no threshold can promise that {limit}: {item['reason']}{more}"
    one = "" if item.get("questions") is None else ", one of each group"
    return (
        f"answering from a confidence of {item['threshold']:.4f} up, {limit}. "
        f"Found on {item['n']:,} calibration questions{one}: answers {item['coverage']:.1%}, "
        f"{item['error']:.1%} wrong where it was tested."
    )


def _more(item: Mapping[str, Any]) -> str:
    if item["needed"] is None:
        return ""
    if item["needed"] <= item["n"]:
        return f" ({item['n']:,}; the tested part fell short by a few errors, which more would even out)"
    if item.get("questions") is not None:
        return (
            f" ({item['n']:,}, one of each group; questions of about {item['needed'] - item['n']:,} more "
            "groups would be needed)"
        )
    return f" ({item['n']:,}; about {item['needed'] - item['n']:,} more would be needed)"


def _seen(cell: Mapping[str, Any]) -> str:
    if cell["error"] is None:
        return f"answers none of {cell['n']:,}"
    return (
        f"answers {cell['coverage']:.1%} of {cell['n']:,}, {cell['error']:.1%} wrong "
        f"[{cell['low']:.1%}, {cell['high']:.1%}]"
    )
