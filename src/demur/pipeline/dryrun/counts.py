"""What a run would do, counted: questions, generations, tokens and training steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from demur.core.config import Config
from demur.core.errors import DemurError
from demur.core.questions import QuestionTable
from demur.core.records import Question
from demur.engines.encoding import common_prefix, load_tokenizer
from demur.knowledge.imported import read_probes
from demur.methods.base import SAMPLES
from demur.pipeline.dryrun.shapes import Size, published_size
from demur.pipeline.job import Job
from demur.pipeline.prompts import with_examples
from demur.pipeline.systems import fitted_systems, round_count
from demur.training.plan import count_steps

SAMPLE = 200
"""Questions whose tokens are counted, of those for training and of the others."""
CERTAINTY_TOKENS = 25
"""Tokens of the certainty question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is to do."""

    size: Size
    """Training questions, all others, and the tokens of a prompt, on average."""
    train_tokens: float
    """Tokens of a training question's prompt, on average."""
    mean_tokens: float
    """Tokens of any question's prompt, on average."""
    shared: int = 0
    """Tokens that all prompts begin with, such as worked examples: a batch reads them once."""
    parts: int = 4
    """Parts of the data, each of which is evaluated: train, calibration, test/id, …"""
    table: QuestionTable | None = None
    """The questions, where their files are at hand."""
    rows: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Training rows per training question, by system and stage, where that was seen."""

    @property
    def questions(self) -> int:
        """All questions."""
        return self.size.train + self.size.rest

    def weight(self, generated: int) -> float:
        """How much longer a question takes than a training question, on average.

        Args:
            generated: tokens that follow each prompt.
        """
        mean, train = (max(0.0, tokens - self.shared) for tokens in (self.mean_tokens, self.train_tokens))
        return (mean + generated) / (train + generated)


def count(job: Job, assumed: list[str]) -> Counts:
    """The run's questions where its files are at hand, else the datasets' published sizes.

    Raises:
        DemurError: the data cannot be used.
    """
    try:
        loaded = job.load()
    except DemurError:
        size = published_size(job.config.data)
        if size is None:
            raise
        assumed.append("the datasets' published sizes: their files are not at hand")
        return Counts(size=size, train_tokens=size.tokens, mean_tokens=size.tokens)
    job.config, loaded = with_examples(job.config, loaded)
    if job.config.template.trial:
        assumed.append("the prompt without examples: a run tries several")
    table = loaded.questions
    parts = table.counts()
    train = parts.get("train", 0)
    is_train = [split == "train" for (split,) in table.values("split")]
    places = [[i for i, own in enumerate(is_train) if own is side] for side in (True, False)]
    encoded = [_encoded(job, list(table.take(_spread(some))), assumed) for some in places]
    own, others = (sum(map(len, found)) / max(1, len(found)) for found in encoded)
    mean = (own * train + others * (len(table) - train)) / max(1, len(table))
    every = [*encoded[0], *encoded[1]]
    return Counts(
        size=Size(train, len(table) - train, math.ceil(mean)),
        train_tokens=own,
        mean_tokens=mean,
        shared=min((common_prefix(every[0], other) for other in every[1:]), default=0),
        parts=len(parts),
        table=table,
    )


def _spread(places: list[int]) -> list[int]:
    """At most `SAMPLE` of some places, evenly spread."""
    return places[:: max(1, len(places) // SAMPLE)][:SAMPLE]


def steps_of(job: Job, system: str, counts: Counts) -> dict[str, int]:
    """Optimiser steps by stage, of all rounds together."""
    config, info = job.config, job.info(system)
    own, rounds = config.for_system(system), round_count(system, config)
    found = {}
    for stage in info.stages:
        seen = counts.rows.get(system, {}).get(stage, job.samples if info.row_per_sample else 1)
        rows = round(counts.size.train * seen)
        if stage == "stage2":
            rows = min(rows, own.us_tuning.review_rows)
        found[stage] = rounds * count_steps(rows, config.training_for(system, stage))
    return found


def rows_per_step(config: Config, system: str, stage: str) -> int:
    """Rows of an update."""
    settings = config.training_for(system, stage)
    return settings.batch_size * settings.accumulate


def responses(job: Job, system: str) -> int:
    """Responses to each question that a system is asked: greedy, samples, and how sure the model is."""
    info, drawn, stated = job.info(system), 0, 0
    if info.samples:
        drawn = job.samples
    elif info.fits:
        wanted = job.config.for_system(system).fit.signals or ()
        drawn, stated = (job.samples or SAMPLES) * ("agreement" in wanted), "verbal" in wanted
    return 1 + drawn + stated


def predicted(job: Job, counts: Counts) -> int:
    """Questions that each system is asked in its predict stage."""
    return counts.questions if job.asks_training else counts.size.rest


def probed(job: Job, counts: Counts) -> int:
    """Questions that the base model is asked: those whose answers were not made elsewhere."""
    path = job.config.probe.path
    if path is None or counts.table is None:
        return counts.questions
    return counts.questions - len(read_probes(path, counts.table, samples=job.samples))


def generations(job: Job, counts: Counts) -> int:
    """Responses of the whole run."""
    base = probed(job, counts) * (1 + job.samples)
    base += counts.size.train * sum(responses(job, system) for system in fitted_systems(job.config))
    return base + predicted(job, counts) * sum(responses(job, s) for s in job.config.systems)


def tokens_at_most(job: Job, counts: Counts) -> int:
    """Tokens of all prompts, and of responses if each were as long as it may be."""
    prompts = probed(job, counts) + predicted(job, counts) * len(job.config.systems)
    return generations(job, counts) * job.sampling.max_new_tokens + prompts * counts.size.tokens


def _encoded(job: Job, questions: list[Question], assumed: list[str]) -> list[list[int]]:
    """The tokens of some prompts; without the model's tokenizer four numbers for three words."""
    if not questions:
        return []
    template = job.config.template.template(chat=False)
    prompts = [template.ask(question) for question in questions]
    try:
        tokenizer = load_tokenizer(job.opening)
    except (DemurError, OSError, ValueError):
        note = "four tokens for three words: the tokenizer is not at hand"
        assumed += [] if note in assumed else [note]
        return [_stand_ins(prompt) for prompt in prompts]
    return [list(ids) for ids in tokenizer(prompts)["input_ids"]]


def _stand_ins(prompt: str) -> list[int]:
    """Four numbers for three words; equal beginnings give equal numbers."""
    words = [hash(word) for word in prompt.split()]
    return [number for place, word in enumerate(words) for number in [word] * (2 if place % 3 == 2 else 1)]
