"""From training rows to a saved model: tokenise as inference does, count, train, save."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from demur.core.config import TrainingSettings
from demur.core.files import atomic_folder, write_json
from demur.core.records import Example
from demur.core.signing import sign
from demur.training.plan import TokenisedRow, TrainingPlan, plan_training

if TYPE_CHECKING:
    from demur.engines import Opening
    from demur.engines.hf import HFEngine
    from demur.training.strategies import Strategy

Advance = Callable[[int], None]
Bar = Callable[[str, int, str], AbstractContextManager[Advance]]
"""Opens a progress bar from title, total and unit, and gives the function that moves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What was done, by stage; from the second round on under ``roundN-STAGE``."""

    plans: dict[str, TrainingPlan]
    ran: dict[str, dict[str, Any]]
    """What really ran in several processes, see `strategies.what_ran`; empty where one trained."""


class Tuner(Protocol):
    """Who tunes the model, stage after stage."""

    def tune(
        self,
        rows: Sequence[TokenisedRow],
        settings: TrainingSettings,
        work: Path,
        advance: Advance,
    ) -> dict[str, Any] | None:
        """Carry out one stage; say what ran, None in one process."""
        ...

    def put_into(self, engine: HFEngine) -> None:
        """Let the engine answer as the tuned model does."""
        ...

    def save(self, folder: Path) -> None:
        """Write the tuned weights."""
        ...


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
    tuner: Tuner,
    count: int,
    settings: Callable[[str], TrainingSettings],
    work: Path,
    out: Path,
    card: Mapping[str, Any],
    note: Callable[[str], None],
    bar: Bar,
    title: str,
) -> Trained:
    """Tune the engine's model on every stage of every round and save it to ``out``, atomically.

    Args:
        engine: the base model; its weights are changed.
        rounds: the rows of each round by stage. A round is asked for when the one before it is trained,
            so its rows may depend on what the engine then says.
        tuner: in this process (`InThisProcess`), or in several (`InProcesses`).
        count: how many rounds there are.
        settings: by stage.
        work: folder for checkpoints, of this job only.
        card: what asking the tuned model needs; saved as ``demur.json``.

    Raises:
        TrainingDataError: nothing would be trained.
        TrainingError: one of several processes failed.
    """
    plans: dict[str, TrainingPlan] = {}
    ran: dict[str, dict[str, Any]] = {}
    for number, stages in enumerate(rounds, start=1):
        rows = {stage: tokenise(engine, examples) for stage, examples in stages.items()}
        planned = {
            stage: plan_training(part, settings(stage), where=f"{title}, stage {stage}")
            for stage, part in rows.items()
        }
        heading = title if number == 1 else f"{title}, round {number}"
        for stage, plan in planned.items():
            note(f"{heading}, {stage}: {plan.sentence()}")
        with bar(heading, sum(plan.steps for plan in planned.values()), "steps") as advance:
            for stage, part in rows.items():
                name = stage if number == 1 else f"round{number}-{stage}"
                plans[name] = planned[stage]
                found = tuner.tune(part, settings(stage), work / f"round{number}" / stage, advance)
                if found is not None:
                    ran[name] = found
        if number < count:
            tuner.put_into(engine)
    with atomic_folder(out) as partial:
        tuner.save(partial)
        engine.tokenizer.save_pretrained(partial)
        write_json(partial / "demur.json", card)
        sign(partial)
    return Trained(plans=plans, ran=ran)


class InThisProcess:
    """Tunes the engine's own model, in this process."""

    def __init__(self, engine: HFEngine, *, seed: int) -> None:
        self._model, self._tokenizer, self._seed = engine.model, engine.tokenizer, seed

    def tune(
        self,
        rows: Sequence[TokenisedRow],
        settings: TrainingSettings,
        work: Path,
        advance: Advance,
    ) -> None:
        """Train one stage here; returns None, since no other process ran."""
        from demur.training.checkpoints import Report, StopWhenAsked
        from demur.training.sft import arguments, dataset, fit, prepare

        trainer = prepare(
            self._model,
            self._tokenizer,
            dataset(rows),
            settings=settings,
            arguments=arguments(
                settings, seed=self._seed, output=work, on_cpu=self._model.device.type == "cpu"
            ),
            callbacks=[StopWhenAsked(), Report(advance)],
        )
        fit(trainer)
        self._model = trainer.model

    def put_into(self, engine: HFEngine) -> None:
        """Nothing to do: it is the engine's model that was tuned."""

    def save(self, folder: Path) -> None:
        """Write the adapter or the weights of the engine's model."""
        self._model.save_pretrained(folder)


class InProcesses:
    """Tunes in several processes of their own, each stage from what the one before it saved.

    Args:
        engine: its model's place on the device is given up for as long as nobody asks it.
        opening: how its base model is opened.
    """

    def __init__(self, engine: HFEngine, opening: Opening, strategy: Strategy, *, seed: int) -> None:
        self._opening, self._strategy, self._seed = opening, strategy, seed
        self._device = engine.model.device
        self._start: Path | None = None
        self._adapted: Any = None
        _place(engine.model, "cpu")

    def tune(
        self,
        rows: Sequence[TokenisedRow],
        settings: TrainingSettings,
        work: Path,
        advance: Advance,
    ) -> dict[str, Any]:
        """Train one stage in processes of their own; returns what ran."""
        from demur.training.processes import MODEL, Job, train_in_processes

        job = Job(
            opening=self._opening,
            start=self._start,
            settings=settings,
            seed=self._seed,
            strategy=self._strategy,
        )
        on_cpu = self._device.type == "cpu"
        found = train_in_processes(job, rows, work, on_cpu=on_cpu, progress=advance)
        self._start = work / MODEL
        return found

    def put_into(self, engine: HFEngine) -> None:
        """Put the adapter on the engine's model; whole weights take the place of its own."""
        if self._start is None:
            return
        if (self._start / "adapter_config.json").exists():
            from peft import PeftModel

            if self._adapted is not None:
                self._adapted.unload()
            self._adapted = PeftModel.from_pretrained(engine.model, str(self._start))
        else:
            _read_weights(engine.model, self._start)
        _place(engine.model, self._device)

    def save(self, folder: Path) -> None:
        """Copy the adapter or the weights of the last stage."""
        if self._start is not None:
            shutil.copytree(self._start, folder, dirs_exist_ok=True)


def _read_weights(model: Any, folder: Path) -> None:
    """Replace all weights of a model by those of a folder."""
    from safetensors.torch import load_file

    found = {
        name: value for file in folder.glob("*.safetensors") for name, value in load_file(file).items()
    }
    missing, unexpected = model.load_state_dict(found, strict=False)
    # What is tied to another weight is saved once, under one of their names.
    assert not unexpected, unexpected
    assert set(missing) <= set(model.all_tied_weights_keys), missing


def _place(model: Any, device: Any) -> None:
    """Move a model; the memory that it leaves is free for other processes."""
    import torch

    model.to(device)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
