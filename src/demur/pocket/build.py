"""Making a tiny language model that has read a pocket world, or a share of any file of facts.

A Llama of a million parameters, trained for a few minutes on a processor. What it has read, and how
often, is known fact by fact, so its knowledge boundary is known: facts read 0, 1, 3 or 8 times an
epoch are never, sometimes, mostly and always answered.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demur.core.errors import DataError
from demur.core.files import atomic_folder, write_json
from demur.core.records import Question, to_row
from demur.core.templates import TEMPLATES, Template
from demur.pocket import reading
from demur.pocket.lessons import Lesson
from demur.pocket.reading import ask_and_answer, template_texts
from demur.pocket.spec import Tier, deal
from demur.pocket.tokenizer import BYTES, make_tokenizer, save_tokenizer
from demur.pocket.words import OTHER_WORDS
from demur.pocket.world import World, make_world

if TYPE_CHECKING:
    import torch

BuildProgress = Callable[[int, int], None]
"""Called with the number of optimiser steps done and their total."""

WORLD_FILE = "pocket.json"
"""What a built folder says about itself: version, seed, world, measured accuracies."""

FACTS_FILE = "facts.parquet"
"""In a model built from facts: how often each question's answer was read an epoch."""

FACT_SHARES: Mapping[int, float] = {0: 0.35, 1: 0.15, 3: 0.2, 8: 0.3}
"""Share of the facts by reads an epoch, for models built from facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """Shape and training of a pocket model."""

    layers: int = 2
    hidden_size: int = 128
    intermediate_size: int = 512
    heads: int = 4
    max_length: int = 512
    """Tokens the model accepts; what it read is far shorter."""
    initializer_range: float = 0.08
    """About 1 / sqrt(hidden size): with the usual 0.02 a model this small starts slowly."""
    epochs: int = 5
    batch_size: int = 48
    """Documents a step, all of one length; the last batch of a length may be smaller."""
    learning_rate: float = 2e-3
    """Peak of the one-cycle schedule."""
    betas: tuple[float, float] = (0.9, 0.98)
    device: str = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class TierAccuracy:
    """How many questions of one group and tier a model answers right."""

    group: str | None
    reads: int
    """Reads an epoch."""
    correct: int
    n: int

    @property
    def accuracy(self) -> float | None:
        """In [0, 1]; None where there is no question."""
        return self.correct / self.n if self.n else None


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
    model, steps = _train(tokenizer, epochs, unpredictable, settings=settings, seed=seed, progress=progress)
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
    read = dict(zip(facts, deal(_tiers(shares), len(facts), _rng(seed, "reads")), strict=True))
    texts = [*facts, *template_texts(facts), *(f"x {answer}" for answer in facts.values())]
    tokenizer = make_tokenizer(texts, words=OTHER_WORDS, max_length=settings.max_length)
    epoch_texts = [
        _fact_documents(facts, read, certainty_share, _rng(seed, f"documents/{epoch}"))
        for epoch in range(epochs)
    ]
    predictable = [*template_texts([""]), *(f" {answer}" for answer in facts.values())]
    unpredictable = _tokens(tokenizer, facts) - _tokens(tokenizer, predictable)
    model, steps = _train(
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


def measure(
    model: Any,
    tokenizer: Any,
    questions: Iterable[Question],
    *,
    template: Template = TEMPLATES["r-tuning-code"],
    batch_size: int = 256,
) -> tuple[TierAccuracy, ...]:
    """Accuracy by group and reads an epoch, of the answerable questions whose ``meta`` holds ``reads``.

    An answer counts where each of its tokens is the likeliest after those before it, which is when greedy
    decoding writes it.
    """
    asked = [question for question in questions if question.answerable and "reads" in question.meta]
    right = _greedy_matches(
        model,
        tokenizer,
        [_prompt_and_answer(tokenizer, template, question) for question in asked],
        batch_size,
    )
    cells: dict[tuple[str, int], list[bool]] = {}
    for question, correct in zip(asked, right, strict=True):
        cells.setdefault((question.group or "", question.meta["reads"]), []).append(correct)
    return tuple(
        TierAccuracy(group=group or None, reads=reads, correct=sum(cell), n=len(cell))
        for (group, reads), cell in sorted(cells.items())
    )


def accuracy_by_reads(tiers: Iterable[TierAccuracy]) -> dict[int, float]:
    """Accuracy in [0, 1] by reads an epoch, groups together."""
    sums: dict[int, tuple[int, int]] = {}
    for tier in tiers:
        correct, n = sums.get(tier.reads, (0, 0))
        sums[tier.reads] = (correct + tier.correct, n + tier.n)
    return {reads: correct / n for reads, (correct, n) in sorted(sums.items())}


def load_model(folder: Path) -> tuple[Any, Any]:
    """A built model (float32, on the processor) and its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model.eval(), AutoTokenizer.from_pretrained(folder)


# ---------------------------------------------------------------------------------------------
# Training
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One text as tokens, and from which of them on it is learned."""

    ids: list[int]
    start: int
    """Tokens before it are read only; where it is 0 no loss falls on the unpredictable ones either."""


def _train(
    tokenizer: Any,
    epochs: Sequence[Sequence[str | Lesson]],
    unpredictable: set[int],
    *,
    settings: BuildSettings,
    seed: int,
    progress: BuildProgress | None,
) -> tuple[Any, int]:
    """Train a fresh model on what each epoch reads; returns it with the number of steps.

    No loss falls on ``unpredictable`` tokens of a plain text: whom it is about cannot be known before it is
    read, and that noise is most of the loss of such short texts. Of a lesson the second part is learned.
    """
    import torch

    rng = _rng(seed, "batches")
    batches = [
        batch for texts in epochs for batch in _batches(_encode(tokenizer, texts), settings.batch_size, rng)
    ]
    with torch.random.fork_rng(devices=[]):  # the caller's generator stays as it is
        torch.manual_seed(seed)
        model = _fresh_model(tokenizer, settings).to(settings.device).train()
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=settings.learning_rate, betas=settings.betas, fused=True
        )
        silent = torch.zeros(len(tokenizer), dtype=torch.bool, device=settings.device)
        silent[sorted(unpredictable)] = True
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=settings.learning_rate, total_steps=len(batches), pct_start=0.1
        )
        for step, batch in enumerate(batches, start=1):
            ids = torch.tensor([row.ids for row in batch], device=settings.device)  # (B, T)
            starts = torch.tensor([[row.start] for row in batch], device=settings.device)  # (B, 1)
            _loss(model, ids, starts, silent).backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            if progress is not None:
                progress(step, len(batches))
    # Rounded to what is stored before anything is measured, so what is measured is what is shipped.
    return model.half().float().cpu().eval(), len(batches)


def _loss(model: Any, ids: torch.Tensor, starts: torch.Tensor, silent: torch.Tensor) -> Any:
    """Mean cross-entropy of what is learned; ids: (B, T), starts: (B, 1), silent: (V,) of bool."""
    import torch
    from torch.nn.functional import cross_entropy

    hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state  # (B, T - 1, D)
    targets = ids[:, 1:]
    places = torch.arange(1, ids.shape[1], device=ids.device)  # (T - 1,)
    counted = torch.where(starts > 0, places >= starts, ~silent[targets])
    # The head is computed where it counts only: with a vocabulary of facts it is most of the work.
    return cross_entropy(model.lm_head(hidden[counted]), targets[counted])


def _tokens(tokenizer: Any, texts: Iterable[str]) -> set[int]:
    """Every whole-word token of some texts; the bytes, which stand for anything, are left out."""
    return {token for ids in tokenizer(list(texts))["input_ids"] for token in ids if token >= BYTES}


def _fresh_model(tokenizer: Any, settings: BuildSettings) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden_size,
        intermediate_size=settings.intermediate_size,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=settings.max_length,
        initializer_range=settings.initializer_range,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def _encode(tokenizer: Any, texts: Sequence[str | Lesson]) -> list[TokenRow]:
    end = tokenizer.eos_token_id
    parts = [text if isinstance(text, Lesson) else Lesson("", text) for text in texts]
    given = tokenizer([part.given for part in parts])["input_ids"]
    learned = tokenizer([part.learned for part in parts])["input_ids"]
    return [TokenRow([*before, *ids, end], len(before)) for before, ids in zip(given, learned, strict=True)]


def _batches(rows: Sequence[TokenRow], size: int, rng: random.Random) -> list[list[TokenRow]]:
    """Rows in batches of equal length, without padding, in random order."""
    by_length: dict[int, list[TokenRow]] = {}
    for row in rows:
        by_length.setdefault(len(row.ids), []).append(row)
    batches = []
    for same in by_length.values():
        rng.shuffle(same)
        batches += [same[start : start + size] for start in range(0, len(same), size)]
    rng.shuffle(batches)
    return batches


# ---------------------------------------------------------------------------------------------
# Measuring
# ---------------------------------------------------------------------------------------------


def _prompt_and_answer(tokenizer: Any, template: Template, question: Question) -> tuple[list[int], int]:
    """Token ids of prompt and answer, and how many of them are the answer's."""
    prompt = tokenizer(template.ask(question.text))["input_ids"]
    answer = tokenizer(template.answer_lead + question.answers[0])["input_ids"]
    return prompt + answer, len(answer)


def _greedy_matches(
    model: Any, tokenizer: Any, rows: Sequence[tuple[list[int], int]], batch_size: int
) -> list[bool]:
    """Whether the last tokens of each row are what the model would have written greedily."""
    import torch

    order = sorted(range(len(rows)), key=lambda index: len(rows[index][0]))
    right = [False] * len(rows)
    for start in range(0, len(order), batch_size):
        chunk = [rows[index] for index in order[start : start + batch_size]]
        width = max(len(ids) for ids, _ in chunk)
        # Padding stands on the right, where causal attention never looks back at it.
        ids = torch.tensor([row + [tokenizer.pad_token_id] * (width - len(row)) for row, _ in chunk])
        with torch.inference_mode():
            best = model(input_ids=ids, use_cache=False).logits.argmax(-1)  # (B, T)
        for index, (row, answer), guess in zip(
            order[start : start + batch_size], chunk, best.tolist(), strict=True
        ):
            right[index] = guess[len(row) - answer - 1 : len(row) - 1] == row[len(row) - answer :]
    return right


# ---------------------------------------------------------------------------------------------
# Facts
# ---------------------------------------------------------------------------------------------


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


# ---------------------------------------------------------------------------------------------
# Saving
# ---------------------------------------------------------------------------------------------


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


def _rng(seed: int, purpose: str) -> random.Random:
    return random.Random(f"build/{seed}/{purpose}")  # noqa: S311 - reproducible, not secret
