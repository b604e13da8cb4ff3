"""The Ray engine: another engine's model in many workers, on one machine or on many, through Ray Data.

What is to be done is numbered. Ray Data hands the numbers to a pool of actors, each of which opens the
model once. Whole units of a run (`spread`) are read, answered, judged and stored by the workers themselves,
so that only numbers pass through this process. `generate`, `score` and `ask` cut their prompts into pieces
for such a pool, and wait for the answers; each call opens the models anew: they are meant for long lists.

A worker that dies is started again by Ray, and the number it was at is handed out again in the next round;
where its machine is gone, the others do the work. Repeating is left to the rounds, since Ray itself would
wait for as long as there is no room for the worker that had begun.

What goes between the processes is pickled by Ray, as everything in Ray is; nothing of it is kept in files.
"""

from __future__ import annotations

import dataclasses
import json
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from demur.core import errors
from demur.core.errors import DemurError, ResourceError
from demur.engines import ENGINES
from demur.engines.base import (
    Asked,
    Capabilities,
    Engine,
    Generated,
    Message,
    Opening,
    Progress,
    Refusal,
    Sampling,
)
from demur.engines.checks import check_opening, check_sampling, checked_batch_size, not_quantized
from demur.engines.encoding import Encoder
from demur.engines.loading import find_source, load_config, pick_device
from demur.engines.ray_cluster import (
    RayOptions,
    checked_options,
    connect,
    quietly,
    require_ray,
    room_for_workers,
)

T = TypeVar("T")

PIECE = 256
"""Prompts of a call that a worker is given at a time."""
MOST_BLOCKS = 1024
"""Blocks of a data set: Ray looks after each, so that of more numbers some share a block."""
ROUNDS = 3
"""So often nothing may have been finished before the work counts as what kills the workers."""


class RayEngine:
    """A model in the workers of a Ray cluster as an `Engine`; `open` makes one.

    Args:
        opening: opens the model in a worker.
        encoder: its tokenizer, and how prompts are sent.
        options: of the cluster and the workers.
    """

    name = "ray"
    local: ClassVar[bool] = True
    capabilities = Capabilities(token_logprobs=True, scores_continuations=True)
    ignores: ClassVar[frozenset[str]] = frozenset({"endpoint"})
    refuses: ClassVar[Mapping[str, Refusal]] = {"quantize": not_quantized}

    def __init__(self, opening: Callable[[], Engine], encoder: Encoder, options: RayOptions) -> None:
        self.encoder, self.options = encoder, options
        self.chat = encoder.format == "chat"
        self._opening = opening

    @classmethod
    def open(cls, opening: Opening) -> Self:
        """Look the model up, and its tokenizer; its weights are read by the workers, when there is work.

        A folder, of a model or an adapter, must be there under the same path on every machine. The fields
        mean what they mean to the engine in the workers, except for ``options``: see `RayOptions`.

        Raises:
            ModelError: the model cannot be loaded; says why and what to do.
            ConfigError: no Ray, or an option that does not exist or fit.
        """
        check_opening(cls, opening)
        require_ray()
        wanted = checked_options(opening.options)
        checked_batch_size(opening.batch_size)
        source = find_source(opening)
        path = opening.path
        theirs = dataclasses.replace(
            opening,
            path=str(Path(path).resolve()) if Path(path).is_dir() else str(path),
            adapter=opening.adapter and opening.adapter.resolve(),
            endpoint=None,
            options=wanted.options,
        )
        encoder = Encoder(source.tokenizer, format=opening.format, chat_options=opening.chat_options)
        return cls(partial(_open, wanted.engine, theirs), encoder, wanted)

    @classmethod
    def check(cls, opening: Opening) -> None:
        """Raise what `open` would, as far as that is known without starting anything."""
        check_opening(cls, opening)
        require_ray()
        load_config(opening)

    def render(self, prompt: str) -> str:
        """The text that the model really reads; see `Encoder.render`."""
        return self.encoder.render(prompt)

    def encode(self, prompt: str, continuation: str = "") -> list[int]:
        """The tokens that the model really reads for a prompt and what continues it."""
        return self.encoder.encode(prompt, continuation)

    def generate(
        self,
        prompts: Sequence[str],
        *,
        keys: Sequence[str],
        sampling: Sampling,
        progress: Progress | None = None,
    ) -> list[Generated]:
        """Generate for each prompt, in the order given; see `Engine.generate` and the workers' engine."""
        check_sampling(sampling, prompts, keys)
        sampling = _sendable(sampling)

        def task(engine: Engine, part: slice) -> list[Generated]:
            return engine.generate(prompts[part], keys=keys[part], sampling=sampling)

        return self._in_pieces(task, len(prompts), progress)

    def score(
        self,
        prompts: Sequence[str],
        continuations: Sequence[Sequence[str]],
        *,
        leads: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> list[tuple[float, ...]]:
        """Log-probability of whole continuations; see `Engine.score` and the workers' engine."""

        def task(engine: Engine, part: slice) -> list[tuple[float, ...]]:
            return engine.score(prompts[part], continuations[part], leads=leads and leads[part])

        return self._in_pieces(task, len(prompts), progress)

    def ask(
        self,
        prompts: Sequence[str],
        *,
        sampling: Sampling,
        follow_up: Callable[[int, str], str],
        options: Sequence[str],
        progress: Progress | None = None,
    ) -> list[Asked]:
        """Answer greedily, then score options; see `Engine.ask`. ``follow_up`` is sent to the workers."""
        sampling = _sendable(sampling)

        def task(engine: Engine, part: slice) -> list[Asked]:
            return engine.ask(
                prompts[part],
                sampling=sampling,
                follow_up=lambda place, text: follow_up(part.start + place, text),
                options=options,
            )

        return self._in_pieces(task, len(prompts), progress)

    def after(self, history: Sequence[Message]) -> Self:
        """The same engine within a conversation; see `Engine.after`."""
        encoder = self.encoder.after(history)  # refuses what the workers' engines would
        return type(self)(partial(_open_after, self._opening, history), encoder, self.options)

    def spread(self, task: Callable[[Engine, int], T], numbers: Sequence[int]) -> Iterator[tuple[int, T]]:
        """Carry out a task for each number, on any worker, in any order; see `Spreads.spread`.

        Raises:
            ConfigError: there is no such cluster, or no room in it for a worker.
            ResourceError: workers die of the work again and again.
        """
        left, idle = list(numbers), 0
        while left:
            done = set()
            for number, value in self._round(task, left):
                done.add(number)
                yield number, value
            left = [number for number in left if number not in done]
            idle = 0 if done else idle + 1
            if idle == ROUNDS:
                raise ResourceError(
                    expected="workers that live to finish their work",
                    found=f"{ROUNDS} rounds in which every worker died before it had finished any of "
                    f"{len(left)} pieces",
                    where="the workers of Ray",
                    fix="give each worker more memory, that is fewer workers on a machine, or set "
                    "model.batch_size lower; Ray's logs say how a worker ended "
                    "(/tmp/ray/session_latest/logs/ray-data)",
                )

    def _in_pieces(
        self, task: Callable[[Engine, slice], list[T]], size: int, progress: Progress | None
    ) -> list[T]:
        """What a task returns for each part of a list, joined in order."""
        found: dict[int, list[T]] = {}

        def piece(engine: Engine, number: int) -> list[T]:
            return task(engine, slice(number * PIECE, (number + 1) * PIECE))

        for number, values in self.spread(piece, range(-(-size // PIECE))):
            found[number] = values
            if progress is not None:
                progress(len(values))
        return [value for number in sorted(found) for value in found[number]]

    def _round(self, task: Callable[[Engine, int], T], numbers: Sequence[int]) -> Iterator[tuple[int, T]]:
        """One go through the numbers; those whose worker died are left out."""
        connect(self.options)
        import ray.data

        gpus, workers = room_for_workers(self.options)
        given = ray.data.from_items(
            [{"number": number} for number in numbers], override_num_blocks=min(len(numbers), MOST_BLOCKS)
        )
        given.context.enable_progress_bars = False
        given.context.max_errored_blocks = -1  # only the death of a worker is an error: see `_Worker`
        with quietly():
            finished = given.map_batches(
                _Worker,
                fn_constructor_args=(self._opening, task),
                batch_size=1,
                compute=ray.data.ActorPoolStrategy(size=min(workers, len(numbers))),
                num_cpus=self.options.cpus,
                num_gpus=gpus,
                max_task_retries=0,
            )
            for row in finished.iter_rows():
                result: _Result = row["result"]
                if result.failure is not None:
                    raise _failed(result.failure)
                yield int(row["number"]), result.value


class _Worker:
    """An actor of the pool. It opens the model when its first work comes, and keeps it."""

    def __init__(self, opening: Callable[[], Engine], task: Callable[[Engine, int], Any]) -> None:
        self._opening, self._task = opening, task

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Carry out the task for one number; what it raises is a result too, so that it is not retried."""
        import numpy as np

        result = np.empty(1, dtype=object)
        try:
            result[0] = _Result(self._task(self._engine, int(batch["number"][0])))
        except Exception as error:
            result[0] = _Result(None, _failure(error))
        return {"number": batch["number"], "result": result}

    @cached_property
    def _engine(self) -> Engine:
        return self._opening()


class _Result:
    """What came of a task. A class of its own, so that Ray Data leaves the value as it is."""

    def __init__(self, value: Any, failure: str | None = None) -> None:
        self.value, self.failure = value, failure


def _open(engine: str, opening: Opening) -> Engine:
    """A worker's engine; on CPUs all compute in float32, lest a trial of each decides differently."""
    if engine == "hf" and opening.dtype == "auto" and pick_device(opening.device).type == "cpu":
        opening = dataclasses.replace(opening, dtype="float32")
    return ENGINES.get(engine).open(opening)


def _open_after(opening: Callable[[], Engine], history: Sequence[Message]) -> Engine:
    return opening().after(history)


def _sendable(sampling: Sampling) -> Sampling:
    """Without who watches the responses grow or gates them: nobody is called from another process."""
    return dataclasses.replace(sampling, watch=None, gate=None)


def _failure(error: Exception) -> str:
    """What a task raised, as JSON."""
    if isinstance(error, DemurError):
        return json.dumps({"kind": type(error).__name__, **vars(error)})
    return json.dumps({"traceback": traceback.format_exc()})


def _failed(failure: str) -> Exception:
    """The same as an error again; what is no mistake of the user's with the worker's traceback."""
    fields = json.loads(failure)
    if "traceback" in fields:
        return RuntimeError(f"a worker failed:\n{fields['traceback']}")
    kind = getattr(errors, fields.pop("kind"))
    error: DemurError = kind.__new__(kind)
    DemurError.__init__(error, **fields)
    return error
