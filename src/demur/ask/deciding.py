"""When an answer is given: by what was asked for, what was calibrated, or the system's own rule."""

from __future__ import annotations

import math

from demur.ask.answer import NO_NUMBER, REASONED, SILENT, UNASKED, Answer
from demur.ask.calibration import Calibration
from demur.ask.decision import Decision
from demur.ask.system import System
from demur.core.errors import ConfigError, DemurError
from demur.core.names import group_key
from demur.core.records import Question
from demur.core.templates import TEMPLATES, Template
from demur.judging import declines, extract
from demur.methods import Elicited

CONFIDENCE = 0.95
"""Of a promise that is made for a single question."""


class Decisions:
    """The decisions of one system.

    All that a promise needs is read when this is made: a run that is made anew later changes none.

    Args:
        system: whose answers they are about.
        given: what was decided for everybody; by default what was calibrated, else the system's own rule.
    """

    def __init__(self, system: System, given: Decision | None = None) -> None:
        self._system, self._given = system, given
        self._calibration = self._read_calibration()

    def of(
        self,
        question: Question | None = None,
        threshold: float | None = None,
        max_error: float | None = None,
    ) -> Decision:
        """The decision on a question, see `Answerer.decision`.

        Raises:
            ConfigError: both are given, or a promise without a run.
            DataError: a promise that cannot be made.
        """
        if threshold is not None and max_error is not None:
            raise ConfigError(
                expected="a threshold or an error to keep below",
                found="both",
                where="threshold, max_error",
                fix="give one of them",
            )
        if max_error is not None:
            return self.calibration.decision(max_error, CONFIDENCE)
        usual = self.usual(question)
        return usual if threshold is None else usual.at(threshold)

    def usual(self, question: Question | None = None) -> Decision:
        """What was asked for, else what was calibrated, else the system's own rule."""
        if self._given is not None:
            return self._given
        promised, group = self._system.promised, question.group if question else None
        return promised.get("all") or promised.get(group_key(group)) or self._system.rule

    @property
    def calibration(self) -> Calibration:
        """See `Answerer.calibration`; raises why there is none."""
        if isinstance(self._calibration, DemurError):
            raise self._calibration
        return self._calibration

    @property
    def uncalibrated(self) -> DemurError | None:
        """Why there is no `calibration`; None where there is one."""
        return self._calibration if isinstance(self._calibration, DemurError) else None

    def _read_calibration(self) -> Calibration | DemurError:
        try:
            return self._calibration_of_run()
        except DemurError as error:
            return error

    def _calibration_of_run(self) -> Calibration:
        system = self._system
        if system.run is None:
            raise ConfigError(
                expected="a run's folder, which has the calibration questions",
                found="a model's own folder or an untuned model",
                where="max_error",
                fix="load the run, or give a threshold",
            )
        usual = self.usual()
        found = Calibration.of_run(system.run, system.name, usual.signal, seed=system.config.seed)
        if usual.combination is None or usual.combination == found.combination:
            return found
        # These weights answer; a promise is made of others, which were found apart from its questions
        return found.answering(system.run, system.name)


def decided(
    system: System, template: Template, question: Question, said: Elicited, decision: Decision
) -> Answer:
    """The answer that a user gets of what a model said; where it said nothing, a refusal.

    It is declined too where a signal is not a number: a model whose numbers overflowed may say anything.

    Args:
        template: the words around a question, as the system asks it.
    """
    plain = TEMPLATES[system.config.template.family].refusal
    phrases = (plain, template.refusal, *system.info.refusals)
    found = extract(said.response, question=question.text, choices=question.choices)
    shown = found.raw if found.raw and found.raw in said.answer else said.answer
    unasked = said.finish == "declined"
    silent = not unasked and (not said.answer.strip() or found.answer is None)
    signals = {} if silent else decision.signals(said)
    broken = any(not math.isfinite(value) for value in signals.values())
    confidence = None if broken else signals.get(decision.signal)
    in_words = declines(said.response, question=question.text, phrases=phrases)
    abstained = silent or unasked or broken or in_words or decision.declines(confidence)
    withheld = silent or unasked or (abstained and not in_words)
    if in_words and found.statement and found.answer:
        shown = found.answer  # what stands around a stated refusal answers nothing
    mapped = system.recalibration if system.recalibrated == decision.signal else None
    return Answer(
        question=question.text,
        text=template.refusal if withheld else shown,
        abstained=abstained,
        said=shown,
        confidence=confidence,
        signal=decision.signal,
        threshold=decision.threshold,
        probability=None if mapped is None or confidence is None else mapped(confidence),
        signals=signals,
        guarantee=decision.guarantee,
        finish="length" if said.finish == "length" and not withheld else "stop",
        answer=found.answer if found.statement and not silent else None,
        reason=NO_NUMBER if broken else _reason(said) if silent or unasked else None,
    )


def _reason(said: Elicited) -> str:
    """Why a model said nothing."""
    return {"thinking": REASONED, "declined": UNASKED}.get(said.finish, SILENT)
