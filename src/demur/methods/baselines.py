"""Systems that need no training: the base model, read in different ways.

`base` is the untuned model (Pretrain-T in R-Tuning's tables). The others give its answers again but
decline differently, so that a tuned model is compared with what a user gets for free:

* `pretrain-w`: answers exactly the questions that the tuned model is willing to answer
  (R-Tuning, arXiv 2311.09677, section 3.3).
* `base-likelihood`: answers where its own likelihood is highest, as many questions of each split as
  the tuned model answers there. Only confidences decide, never verdicts.
* `familiarity-only`: the same with the number of times that the *other* facts about the question's
  subject were read; known for a world whose texts are known. On the data set ``atlas`` it is the
  logarithm of the population. It shows what can be had by knowing names alone.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import overload

from demur.core.records import Prediction, Probe, Question
from demur.methods.base import MethodInfo
from demur.methods.elicitation import from_response

BASELINES: dict[str, MethodInfo] = {
    info.name: info
    for info in (
        MethodInfo(
            name="base",
            summary="the model before tuning; always answers (Pretrain-T)",
            paper="R-Tuning (NAACL 2024, arXiv 2311.09677)",
            needs=(),
            loss="none",
            cost="one greedy answer",
            signals=("likelihood",),
            primary_signal="likelihood",
            weights="base",
        ),
        MethodInfo(
            name="pretrain-w",
            summary="the base model on the questions that the tuned model is willing to answer",
            paper="R-Tuning (NAACL 2024, arXiv 2311.09677)",
            needs=(),
            loss="none",
            cost="none beyond base",
            signals=("likelihood",),
            primary_signal="likelihood",
            weights="base",
        ),
        MethodInfo(
            name="base-likelihood",
            summary="the base model where its own likelihood is highest, at the tuned model's coverage",
            paper="selective prediction by likelihood",
            needs=(),
            loss="none",
            cost="none beyond base",
            signals=("likelihood",),
            primary_signal="likelihood",
            weights="base",
        ),
        MethodInfo(
            name="familiarity-only",
            summary="the base model where the subject's other facts were read most, or its population is "
            "largest, at the same coverage",
            paper="control of the pocket world and of atlas",
            needs=(),
            loss="none",
            cost="none beyond base",
            signals=("familiarity",),
            primary_signal="familiarity",
            weights="base",
        ),
    )
}


def derived(
    base_rows: Sequence[Prediction], tuned_rows: Sequence[Prediction], questions: Sequence[Question]
) -> dict[str, Sequence[Prediction]]:
    """Every system that is made of the base model's answers and the tuned model's willingness."""
    systems = {
        "pretrain-w": pretrain_w(base_rows, tuned_rows),
        "base-likelihood": at_same_coverage(
            "base-likelihood",
            "likelihood",
            base_rows,
            tuned_rows,
            questions,
            confidence=lambda row, _: row.signals.get("likelihood"),
        ),
    }
    if any("familiarity" in question.meta for question in questions):
        systems["familiarity-only"] = at_same_coverage(
            "familiarity-only",
            "familiarity",
            base_rows,
            tuned_rows,
            questions,
            confidence=lambda _, question: question.meta.get("familiarity"),
        )
    return systems


def base(probes: Iterable[Probe]) -> Iterator[Prediction]:
    """The base model's own answers, none declined but in words or by giving none."""
    for probe in probes:
        said = from_response(probe.greedy)
        yield Prediction(
            question_id=probe.question_id,
            system="base",
            answer=said.answer if probe.greedy.answer is None else probe.greedy.answer,
            response=said.response,
            verdict=probe.greedy_verdict,
            abstained=probe.greedy_verdict == "refused" or probe.greedy.silent,
            signals=said.signals,
        )


def pretrain_w(base_rows: Sequence[Prediction], tuned_rows: Iterable[Prediction]) -> Sequence[Prediction]:
    """The base model, declining exactly where the tuned model declines."""
    declined = {row.question_id for row in tuned_rows if row.abstained}

    def read(_: int, row: Prediction) -> Prediction:
        abstained = row.abstained or row.question_id in declined
        return dataclasses.replace(row, system="pretrain-w", abstained=abstained)

    return Reading(base_rows, read)


def at_same_coverage(
    system: str,
    signal: str,
    base_rows: Sequence[Prediction],
    tuned_rows: Iterable[Prediction],
    questions: Iterable[Question],
    *,
    confidence: Callable[[Prediction, Question], float | None],
) -> Sequence[Prediction]:
    """The base model, answering the most confident questions of each part, as many as the tuned model.

    A part is a split, domain and group, so that the coverage agrees in every part that is reported.
    Ties at the border are broken by question id, which no verdict can influence.

    Args:
        base_rows: one for each question, in the same order.
    """
    answered = {row.question_id for row in tuned_rows if not row.abstained}
    scores, ids = array("d"), list[str]()
    parts: dict[Hashable, array[int]] = defaultdict(lambda: array("q"))
    for place, (row, question) in enumerate(zip(base_rows, questions, strict=True)):
        value = None if row.silent else confidence(row, question)
        scores.append(math.nan if value is None else value)
        ids.append(row.question_id)
        parts[question.split, question.domain, question.group].append(place)
    willing = bytearray(len(ids))
    for places in parts.values():
        known = [place for place in places if not math.isnan(scores[place])]
        known.sort(key=lambda place: (-scores[place], ids[place]))
        for place in known[: sum(ids[place] in answered for place in places)]:
            willing[place] = True

    def read(place: int, row: Prediction) -> Prediction:
        signals = {} if math.isnan(scores[place]) else {signal: scores[place]}
        return dataclasses.replace(row, system=system, abstained=not willing[place], signals=signals)

    return Reading(base_rows, read)


@dataclasses.dataclass(frozen=True, slots=True)
class Reading(Sequence[Prediction]):
    """Predictions read in another way, each made when it is looked at."""

    rows: Sequence[Prediction]
    read: Callable[[int, Prediction], Prediction]
    """From a row's place and the row to what it becomes."""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Prediction]:
        return itertools.starmap(self.read, enumerate(self.rows))

    @overload
    def __getitem__(self, place: int) -> Prediction: ...

    @overload
    def __getitem__(self, place: slice) -> list[Prediction]: ...

    def __getitem__(self, place: int | slice) -> Prediction | list[Prediction]:
        if isinstance(place, slice):
            return [self[at] for at in range(len(self))[place]]
        return self.read(range(len(self))[place], self.rows[place])
