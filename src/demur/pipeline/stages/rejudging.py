"""The last word on what is right: the rule's verdict, or that of a model that judges."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from demur.core.records import Prediction, Probe, Question, Verdict
from demur.pipeline.job import Job


def rejudged(
    job: Job, questions: Iterable[Question], probes: Iterable[Probe]
) -> tuple[list[Verdict] | None, dict[str, Any]]:
    """The last verdicts of all responses, greedy and sampled, as `by_model`."""
    pairs = (
        (question, response.text)
        for question, item in zip(questions, probes, strict=True)
        for response in (item.greedy, *item.samples)
    )
    by_rule = (verdict for item in probes for verdict in (item.greedy_verdict, *item.sample_verdicts))
    return by_model(job, pairs, by_rule)


def by_model(
    job: Job, pairs: Iterable[tuple[Question, str]], by_rule: Iterable[Verdict]
) -> tuple[list[Verdict] | None, dict[str, Any]]:
    """The verdicts of the model that judges, None where a rule does, and a note of what came of it."""
    settings = job.config.judge.llm
    if settings.base_url is None:
        return None, {}
    from demur.judging.llm_judge import rejudge, sentences

    before = list(by_rule)
    with job.listener.bar(f"{settings.model} judges", len(before), "responses") as advance:
        verdicts, report = rejudge(
            pairs,
            before,
            settings,
            resamples=job.config.evaluation.resamples,
            seed=job.config.seed,
            progress=advance,
        )
    for sentence in sentences(report):
        job.listener.note(sentence)
    return verdicts, {"judge": report}


def with_verdicts(probes: Iterable[Probe], verdicts: Iterable[Verdict] | None) -> Iterator[Probe]:
    """Probes with these verdicts of their responses, in order; with their own where there are none."""
    given = None if verdicts is None else iter(verdicts)
    for item in probes:
        if given is None:
            yield item
        else:
            greedy, *samples = itertools.islice(given, 1 + len(item.samples))
            yield dataclasses.replace(item, greedy_verdict=greedy, sample_verdicts=tuple(samples))


@dataclasses.dataclass(frozen=True, slots=True)
class Decided:
    """Predictions with their last verdict, declined where that is a refusal; may be read again."""

    rows: Iterable[Prediction]
    verdicts: Iterable[Verdict] | None
    """None: those that the rows have."""

    def __iter__(self) -> Iterator[Prediction]:
        given = None if self.verdicts is None else iter(self.verdicts)
        for row in self.rows:
            verdict = row.verdict if given is None else next(given)
            decided = dataclasses.replace(row, verdict=verdict)
            declined = row.abstained or decided.silent or verdict is Verdict.REFUSED
            yield dataclasses.replace(decided, abstained=declined)
