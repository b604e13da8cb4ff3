"""How many facts a built model answers, by how often it read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.records import Question
from demur.core.templates import TEMPLATES, Template


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
