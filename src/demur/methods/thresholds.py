"""The threshold of a method that declines by one signal: chosen on calibration questions, or fixed.

R-Tuning's rule is fixed: answer where *sure* is at least as likely as *unsure*. A model that is rarely
right is rarely sure, so this rule declines nearly everything, however well *sure* ranks the answers. By
default the threshold is therefore the one with the highest honesty on the calibration questions; method
`demur` chooses its own in the same way. The same answers by the paper's rule are a second system,
``METHOD-fixed``. Nothing is chosen on test.

Source of the criterion: honesty as in Alignment for Honesty (arXiv 2312.07000). Not part of R-Tuning.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from demur.confidence.combination import MIN_OF_EACH, choose
from demur.core.config import PAPER_THRESHOLD, RTuningSettings
from demur.core.names import FIXED
from demur.core.records import Prediction, Question, Verdict
from demur.methods.base import MethodInfo
from demur.methods.learned import calibration_rows

CALIBRATED, GIVEN, FALLBACK = "calibrated", "given", "fallback"
"""How a threshold came about: chosen on calibration questions, set in the configuration, or the paper's
because nothing could be chosen."""


def rule(
    info: MethodInfo, settings: RTuningSettings, rows: Iterable[Prediction], questions: Iterable[Question]
) -> dict[str, Any] | None:
    """The rule by which a system declines, as it stands in the manifest and in ``demur.json``.

    Args:
        info: of its method.
        rows: its predictions; read once, and only where the threshold is to be chosen.

    Returns:
        ``signal``, ``value`` (answers from it up), ``how``, ``chosen_on`` (``calibration``, or None where
        nothing was chosen) and ``n``, the answers that it was chosen on; where chosen also how many of them
        were ``right`` and the ``honesty`` reached there, else the ``reason``. None for a method without a
        threshold of its own.
    """
    if info.rule is None:
        return None
    if not settings.calibrated:
        return not_chosen(info.rule, settings)
    signal = info.rule
    calibration = [(signals.get(signal), verdict) for signals, verdict in calibration_rows(rows, questions)]
    chosen = choose(calibration)
    if chosen is None:
        right, wrong = (
            sum(verdict is side for _, verdict in calibration) for side in (Verdict.CORRECT, Verdict.WRONG)
        )
        enough = min(right, wrong) >= MIN_OF_EACH
        found = f"{right:,} right and {wrong:,} wrong calibration answers"
        more = "all with the same confidence" if enough else f"and choosing needs {MIN_OF_EACH} of each"
        return not_chosen(signal, settings, n=right + wrong, reason=f"{found}, {more}")
    return {"signal": signal, "how": CALIBRATED, "chosen_on": "calibration", **dataclasses.asdict(chosen)}


def not_chosen(
    signal: str, settings: RTuningSettings, *, n: int = 0, reason: str = "no calibration answers yet"
) -> dict[str, Any]:
    """The rule where nothing is chosen: the threshold that the configuration sets, else the paper's."""
    found: dict[str, Any] = {"signal": signal, "value": settings.fixed, "chosen_on": None}
    if not settings.calibrated:
        return found | {"how": GIVEN, "n": None, "reason": "set in the configuration"}
    return found | {"how": FALLBACK, "n": n, "reason": reason}


def sentence(found: Mapping[str, Any]) -> str:
    """A rule in words; also one of version 0.1.0, which says nothing of how it was found."""
    said = f"answers where {found['signal']} is at least {found['value']:.4g}"
    how = found.get("how")
    if how == CALIBRATED:
        return (
            f"{said}, the threshold with the highest honesty ({found['honesty']:.1%}) on "
            f"{found['n']:,} calibration answers"
        )
    return f"{said}, the paper's rule ({found['reason']})" if how == FALLBACK else f"{said}, a fixed rule"


def chosen(found: Mapping[str, Any] | None) -> bool:
    """Whether a rule was chosen on calibration questions, so that the paper's is another one."""
    return found is not None and found.get("how") == CALIBRATED


def decided(rows: Iterable[Prediction], signal: str, value: float) -> Iterator[Prediction]:
    """Predictions declined by a threshold on a signal, and where they refuse in words."""
    for row in rows:
        confidence = row.signals.get(signal)
        unsure = confidence is None or not confidence >= value
        declines = unsure or row.silent or row.verdict is Verdict.REFUSED
        yield dataclasses.replace(row, abstained=declines)


def fixed(rows: Iterable[Prediction], signal: str) -> Iterator[Prediction]:
    """A method's predictions by the paper's rule, as another system's."""
    for row in decided(rows, signal, PAPER_THRESHOLD):
        yield dataclasses.replace(row, system=row.system + FIXED)


def fixed_info(method: MethodInfo) -> MethodInfo:
    """What is said of a method's answers by the paper's rule."""
    return dataclasses.replace(
        method,
        name=method.name + FIXED,
        summary=f"{method.name} by the fixed rule of its paper: answers where {method.rule} is at least "
        f"{PAPER_THRESHOLD}",
        cost="none beyond the method's",
        weights=method.owner(method.name),
    )
