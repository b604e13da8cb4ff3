"""From training rows to a saved model: tokenise as inference does, count, train, save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
        completion = [*completion, *([engine.tokenizer.eos_token_id] if example.ends else [])]
        mask = [0] * len(prompt) + [1] * len(completion)
        rows.append(TokenisedRow(input_ids=prompt + completion, completion_mask=mask))
    return rows


def launch(
    engine: HFEngine,
    rounds: Iterable[Mapping[str, Sequence[Example]]],
    *,
    settings: Callable[[str], TrainingSettings],
    seed: int,
    work: Path,
    out: Path,
    card: Mapping[str, Any],
    note: Callable[[str], None],
    bar: Bar,
    title: str,
) -> dict[str, TrainingPlan]:
    """Tune the engine's model on every stage of every round and save it to ``out``, atomically.

    Args:
        engine: the base model; its weights are changed.
        rounds: the rows of each round by stage. A round is asked for when the one before it is trained,
            so its rows may depend on what the engine then says.
        settings: by stage.
        work: folder for checkpoints, of this job only.
        card: what asking the tuned model needs; saved as ``demur.json``.

    Raises:
        TrainingDataError: nothing would be trained.
    """
    from demur.training.sft import train

    model, plans = engine.model, {}
    for number, stages in enumerate(rounds, start=1):
        rows = {stage: tokenise(engine, examples) for stage, examples in stages.items()}
        chosen = {stage: settings(stage) for stage in stages}
        planned = {
            stage: plan_training(part, chosen[stage], where=f"{title}, stage {stage}")
            for stage, part in rows.items()
        }
        heading = title if number == 1 else f"{title}, round {number}"
        for stage, plan in planned.items():
            note(f"{heading}, {stage}: {plan.sentence()}")
            plans[stage if number == 1 else f"round{number}-{stage}"] = plan
        with bar(heading, sum(plan.steps for plan in planned.values()), "steps") as advance:
            model = train(
                model,
                engine.tokenizer,
                rows,
                settings=chosen,
                seed=seed,
                work=work / f"round{number}",
                progress=advance,
            )
    with atomic_folder(out) as partial:
        model.save_pretrained(partial)
        engine.tokenizer.save_pretrained(partial)
        write_json(partial / "demur.json", card)
    return plans
