"""Making a tiny language model that has read a pocket world, or a share of any file of facts.

A Llama of a million parameters, trained for a few minutes on a processor. What it has read, and how
often, is known fact by fact, so its knowledge boundary is known: facts read 0, 1, 3 or 8 times an
epoch are never, sometimes, mostly and always answered.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.errors import DataError
from demur.core.files import atomic_folder, write_json
from demur.core.records import Question, to_row
from demur.pocket import reading
from demur.pocket.lessons import Lesson
from demur.pocket.measuring import TierAccuracy, accuracy_by_reads, measure
from demur.pocket.reading import ask_and_answer, template_texts
from demur.pocket.spec import Tier, deal
from demur.pocket.tokenizer import BYTES, make_tokenizer, save_tokenizer
from demur.pocket.training import BuildProgress, BuildSettings, random_for, train
from demur.pocket.words import OTHER_WORDS
from demur.pocket.world import World, make_world

WORLD_FILE = "pocket.json"
"""What a built folder says about itself: version, seed, world, measured accuracies."""

FACTS_FILE = "facts.parquet"
"""In a model built from facts: how often each question's answer was read an epoch."""

FACT_SHARES: Mapping[int, float] = {0: 0.35, 1: 0.15, 3: 0.2, 8: 0.3}
"""Share of the facts by reads an epoch, for models built from facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What was built."""

    folder: Path
    parameters: int
    steps: int
    seconds: float
    accuracy: tuple[TierAccuracy, ...]
    """By group and reads an epoch, over all questions with an answer."""
    contradictions: int = 0
    """Questions given more than once with different answers; the first answer was read."""

    @property
    def accuracy_by_reads(self) -> dict[int, float]:
        """Accuracy by reads an epoch, groups together."""
        return accuracy_by_reads(self.accuracy)


def build_model(
    out: Path,
    *,
    seed: int = 0,
    world: World | None = None,
    settings: BuildSettings | None = None,
    progress: BuildProgress | None = None,
) -> BuildReport:
    """Train a model that has read a pocket world, and save it as a Hugging Face folder.

    The same seed and thread count give the same weights on the same machine.

    Args:
        out: the folder to write; replaced as a whole when the model is finished, and only then.
        seed: of the world, of the reading order and of the first weights.
        world: another world than ``make_world(seed)``; its own seed counts for what it holds.
        settings: another shape or training.
        progress: told of every step.
    """
    started = time.monotonic()
    settings = settings or BuildSettings()
    world = world or make_world(seed)
    epochs = [list(reading.documents(world, epoch)) for epoch in range(settings.epochs)]
    taught = {part for text in epochs[0] if isinstance(text, Lesson) for part in text}
    tokenizer = make_tokenizer(
        [*reading.texts(world), *sorted(taught)],
        words=OTHER_WORDS,
        max_length=settings.max_length,
        whole_contractions=world.spec.whole_contractions,
    )
    unpredictable = _tokens(tokenizer, (form for name in world.names() for form in (name, f" {name}")))
    model, steps = train(tokenizer, epochs, unpredictable, settings=settings, seed=seed, progress=progress)
    accuracy = measure(model, tokenizer, world.questions())
    about = {
        "version": world.spec.version,
        "seed": world.seed,
        "spec": to_row(world.spec),
        **_training_facts(settings, seed, steps, accuracy),
    }
    with atomic_folder(out) as folder:
        _save(model, tokenizer, folder, about)
    return _report(out, model, steps, started, accuracy)


def build_from_facts(
    questions: Sequence[Question],
    out: Path,
    *,
    seed: int = 0,
    shares: Mapping[int, float] = FACT_SHARES,
    epochs: int = 5,
    certainty_share: float = 0.1,
    settings: BuildSettings | None = None,
    progress: BuildProgress | None = None,
) -> BuildReport:
    """Train a model that has read a known share of any facts, as questions with their answers.

    A fact is a question's text; where the same text has several answers the first one is read. Its reads
    an epoch are drawn by the seed in the proportion of ``shares`` and written to `FACTS_FILE`. Questions
    of facts that are never read are met once an epoch without an answer, so their words are not new.

    Raises:
        DataError: where no question has an answer, or the shares do not sum to 1.
    """
    started = time.monotonic()
    settings = settings or BuildSettings(layers=2)
    settings = dataclasses.replace(settings, epochs=epochs)
    facts, contradictions = _facts(questions)
    read = dict(zip(facts, deal(_tiers(shares), len(facts), random_for(seed, "reads")), strict=True))
    texts = [*facts, *template_texts(facts), *(f"x {answer}" for answer in facts.values())]
    tokenizer = make_tokenizer(texts, words=OTHER_WORDS, max_length=settings.max_length)
    epoch_texts = [
        _fact_documents(facts, read, certainty_share, random_for(seed, f"documents/{epoch}"))
        for epoch in range(epochs)
    ]
    predictable = [*template_texts([""]), *(f" {answer}" for answer in facts.values())]
    unpredictable = _tokens(tokenizer, facts) - _tokens(tokenizer, predictable)
    model, steps = train(
        tokenizer, epoch_texts, unpredictable, settings=settings, seed=seed, progress=progress
    )
    asked = [
        Question(id=text, text=text, answers=(answer,), meta={"reads": read[text]})
        for text, answer in facts.items()
    ]
    accuracy = measure(model, tokenizer, asked)
    about = {
        "version": "facts-1",
        "facts": len(facts),
        "contradictions": contradictions,
        "shares": {str(reads): share for reads, share in shares.items()},
        "certainty_share": certainty_share,
        **_training_facts(settings, seed, steps, accuracy),
    }
    with atomic_folder(out) as folder:
        _save(model, tokenizer, folder, about)
        _write_facts(folder / FACTS_FILE, facts, read)
    return dataclasses.replace(_report(out, model, steps, started, accuracy), contradictions=contradictions)


def _tokens(tokenizer: Any, texts: Iterable[str]) -> set[int]:
    """Every whole-word token of some texts; the bytes, which stand for anything, are left out."""
    return {token for ids in tokenizer(list(texts))["input_ids"] for token in ids if token >= BYTES}


def _facts(questions: Iterable[Question]) -> tuple[dict[str, str], int]:
    """The first answer of each question text, and how many texts came with another one later."""
    facts: dict[str, str] = {}
    contradicted: set[str] = set()
    for question in questions:
        if not question.answers:
            continue
        answer = question.answers[0].strip()
        if facts.setdefault(question.text, answer) != answer:
            contradicted.add(question.text)
    if not facts:
        raise DataError(
            expected="questions with answers to read",
            found="no question with an answer",
            fix="give a file of facts whose rows hold a question and its answer",
        )
    return facts, len(contradicted)


def _fact_documents(
    facts: Mapping[str, str], reads: Mapping[str, int], certainty_share: float, rng: random.Random
) -> list[str]:
    """What one epoch reads of some facts."""
    texts = [
        ask_and_answer(question, answer, rng=rng, certainty_share=certainty_share)
        for question, answer in facts.items()
        for _ in range(reads[question])
    ]
    return texts + [question for question in facts if reads[question] == 0]


def _tiers(shares: Mapping[int, float]) -> list[Tier]:
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise DataError(
            expected="shares of the facts that sum to 1",
            found=f"a sum of {sum(shares.values()):g}",
            fix="change the shares so that they cover every fact once",
        )
    return [Tier(reads=reads, share=share) for reads, share in sorted(shares.items())]


def _write_facts(path: Path, facts: Mapping[str, str], reads: Mapping[str, int]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "question": list(facts),
            "answer": list(facts.values()),
            "reads": pa.array([reads[question] for question in facts], pa.int64()),
        }
    )
    pq.write_table(table, path, compression="zstd")


def _save(model: Any, tokenizer: Any, folder: Path, about: Mapping[str, Any]) -> None:
    """An ordinary Hugging Face folder: weights stored as float16 and declared float32.

    Who opens the folder without naming a dtype thus computes in float32, as a processor likes it.
    """
    import torch

    model.generation_config.do_sample = False
    model.half().save_pretrained(folder)
    model.float()
    model.config.dtype = torch.float32
    model.config.save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    write_json(folder / WORLD_FILE, dict(about))


def _training_facts(
    settings: BuildSettings, seed: int, steps: int, accuracy: Sequence[TierAccuracy]
) -> dict[str, Any]:
    return {
        "build_seed": seed,
        "settings": dataclasses.asdict(settings),
        "steps": steps,
        "accuracy": [{**dataclasses.asdict(tier), "accuracy": tier.accuracy} for tier in accuracy],
    }


def _report(
    out: Path, model: Any, steps: int, started: float, accuracy: tuple[TierAccuracy, ...]
) -> BuildReport:
    return BuildReport(
        folder=out,
        parameters=model.num_parameters(),
        steps=steps,
        seconds=time.monotonic() - started,
        accuracy=accuracy,
    )
