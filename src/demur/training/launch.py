"""From training rows to a saved model: tokenise as inference does, count, train, save."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demur.config import TrainingSettings
from demur.files import atomic_folder, write_json
from demur.records import Example
from demur.training.plan import TokenisedRow, TrainingPlan, plan_training

if TYPE_CHECKING:
    from demur.engines.hf import HFEngine

Bar = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]
"""Opens a progress bar from title, total and unit, and gives the function that moves it."""


def tokenise(engine: HFEngine, examples: Sequence[Example]) -> list[TokenisedRow]:
    """The rows as token ids, with the loss on the completion, exactly as the engine reads texts."""
    rows = []
    for example in examples:
        prompt, completion = engine.encode_pair(example.prompt, example.completion)
        mask = [0] * len(prompt) + [1] * len(completion)
        rows.append(TokenisedRow(input_ids=prompt + completion, completion_mask=mask))
    return rows


def launch(
    engine: HFEngine,
    stages: Mapping[str, Sequence[Example]],
    *,
    settings: TrainingSettings,
    seed: int,
    work: Path,
    out: Path,
    card: Mapping[str, Any],
    note: Callable[[str], None],
    bar: Bar,
    title: str,
) -> dict[str, TrainingPlan]:
    """Tune the engine's model on every stage and save it to ``out``, atomically.

    Args:
        engine: the base model; its weights are changed.
        work: folder for checkpoints, of this job only.
        card: what asking the tuned model needs; saved as ``demur.json``.

    Raises:
        TrainingDataError: nothing would be trained.
    """
    rows = {stage: tokenise(engine, examples) for stage, examples in stages.items()}
    plans = {
        stage: plan_training(part, settings, where=f"{title}, stage {stage}")
        for stage, part in rows.items()
    }
    for stage, plan in plans.items():
        note(f"{title}, {stage}: {plan.sentence()}")
    from demur.training.sft import train

    with bar(title, sum(plan.steps for plan in plans.values()), "steps") as advance:
        model = train(
            engine.model,
            engine.tokenizer,
            rows,
            settings=settings,
            seed=seed,
            work=work,
            progress=advance,
        )
    with atomic_folder(out) as partial:
        model.save_pretrained(partial)
        engine.tokenizer.save_pretrained(partial)
        write_json(partial / "demur.json", card)
    return plans
