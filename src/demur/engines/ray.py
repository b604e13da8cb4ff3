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

import contextlib
import dataclasses
import importlib.util
import json
import logging
import os
import secrets
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

import pydantic

from demur.core import errors
from demur.core.config import Positive, Section, explain
from demur.core.errors import ConfigError, DemurError, ResourceError
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
from demur.engines.loading import find_source, load_config
from demur.engines.printing import printing_into

T = TypeVar("T")

PIECE = 256
"""Prompts of a call that a worker is given at a time."""
MOST_BLOCKS = 1024
"""Blocks of a data set: Ray looks after each, so that of more numbers some share a block."""
ROUNDS = 3
"""So often nothing may have been finished before the work counts as what kills the workers."""
STORE_BYTES = 100 * 2**20
"""Ray's store of objects, in a cluster of our own: nothing but numbers and answers goes through it."""
CLOSED = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
}
"""For a cluster of our own: nothing is reported, nothing listens beyond loopback (Ray's own switch for
that is named after the systems where it is the default), and who has no token is turned away."""
QUIET = {"RAY_BACKEND_LOG_LEVEL": "fatal"}
"""Ray's native part would print what Ray Data deals with; why a worker died stands in its log as well."""


class RayOptions(Section):
    """What ``model.options`` may hold for this engine."""

    engine: Literal["hf", "vllm"] = "hf"
    """The engine that each worker opens."""
    workers: Positive | None = None
    """None: as many as there is room for when the work begins."""
    address: str | None = None
    """Of a running cluster; ``auto`` finds the one on this machine. None: one of our own, here, that ends
    with this process."""
    cpus: Annotated[float, pydantic.Field(gt=0)] = 1.0
    """What each worker takes of a machine's processors, in Ray's accounts."""
    gpus: Annotated[float, pydantic.Field(ge=0)] | None = None
    """The same of its GPUs, a part of one if below 1; None: one where the cluster has any."""
    options: dict[str, Any] = pydantic.Field(default_factory=dict)
    """Options of the workers' own engine."""


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
        _require_ray()
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
        _require_ray()
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
        _connect(self.options)
        import ray.data

        gpus, workers = _room(self.options)
        given = ray.data.from_items(
            [{"number": number} for number in numbers], override_num_blocks=min(len(numbers), MOST_BLOCKS)
        )
        given.context.enable_progress_bars = False
        given.context.max_errored_blocks = -1  # only the death of a worker is an error: see `_Worker`
        with _quietly():
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


def checked_options(options: Mapping[str, Any]) -> RayOptions:
    """The options, if all of them are known and fit.

    Raises:
        ConfigError: naming all that do not.
    """
    try:
        return RayOptions.model_validate(dict(options))
    except pydantic.ValidationError as error:
        raise explain(error, "model.options", known=RayOptions.model_fields) from error


def _open(engine: str, opening: Opening) -> Engine:
    return ENGINES.get(engine).open(opening)


def _open_after(opening: Callable[[], Engine], history: Sequence[Message]) -> Engine:
    return opening().after(history)


def _sendable(sampling: Sampling) -> Sampling:
    """Without who watches the responses grow: nobody is called from another process."""
    return dataclasses.replace(sampling, watch=None)


def _require_ray() -> None:
    """Raise where the package is not there."""
    if importlib.util.find_spec("ray") is None:
        raise ConfigError(
            expected="Ray in this Python environment, since model.engine is ray",
            found="no package ray",
            where="model.engine",
            fix="`pip install 'demur[ray]'`, on every machine of the cluster; or set model.engine to hf",
        )


def _connect(options: RayOptions) -> None:
    """Join the cluster, or start one of our own; what this process has joined already is kept.

    A cluster that was started here ends with this process, whatever ends it.

    Raises:
        ConfigError: there is no such cluster, or none that is closed to others can be started here.
    """
    if _already_joined():
        return
    if options.address is None:
        _require_not_imported()
    closed = {**CLOSED, "RAY_AUTH_TOKEN": secrets.token_hex(32)} if options.address is None else {}
    for name, value in {**QUIET, **closed}.items():
        os.environ.setdefault(name, value)  # read when Ray is imported
    import ray

    settings: dict[str, Any] = {"address": options.address}
    if options.address is None:
        settings = {
            "address": "local",
            "include_dashboard": False,
            "object_store_memory": STORE_BYTES,
            "num_cpus": options.workers and max(1, int(-(-options.workers * options.cpus // 1))),
        }
    with _own_signals(), tempfile.TemporaryFile() as printed, printing_into(printed):
        try:
            ray.init(**settings, log_to_driver=False, logging_level=logging.CRITICAL)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ConfigError(
                expected="a Ray cluster that can be joined"
                if options.address
                else "a Ray cluster to start on this machine",
                found=" ".join(str(error).split())[:300],
                where="model.options.address",
                fix="start one with `ray start --head`, and `ray start --address HOST:6379` on the other "
                "machines, or leave the address out for one of our own on this machine",
            ) from error


def _already_joined() -> bool:
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def _require_not_imported() -> None:
    """Raise where Ray has read its settings already, without those of a closed cluster."""
    if "ray" in sys.modules and not CLOSED.keys() <= os.environ.keys():
        raise ConfigError(
            expected="to start a Ray cluster that nobody else can reach, as Ray does if told when imported",
            found="ray imported already by this program",
            where="model.options.address",
            fix="call ray.init() in the program first, as it suits you: that cluster is used then",
        )


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what this process does on Ctrl-C and SIGTERM: Ray would exit at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep Ray's talk in its log files, and what it prints all the same out of our output."""
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL)
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        # That the number of retries is to become something else in Ray 2.64; pyproject.toml stays below.
        warnings.filterwarnings("ignore", message=r"`ray_remote_args`")
        warnings.filterwarnings("ignore", message="The minimum number of concurrent actors")
        yield


def _room(options: RayOptions) -> tuple[float, int]:
    """GPUs of each worker, and how many workers to ask for.

    Raises:
        ConfigError: no machine of the cluster has room for a worker, and their number is left to us.
    """
    import ray

    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = options.gpus
    if gpus is None:
        gpus = 1.0 if any(machine.get("GPU") for machine in machines) else 0.0
    if options.workers is not None:
        return gpus, options.workers
    room = sum(
        int(min(machine.get("CPU", 0) // options.cpus, machine.get("GPU", 0) // gpus if gpus else 2**31))
        for machine in machines
    )
    if not room:
        raise ConfigError(
            expected=f"a machine in the cluster with {options.cpus:g} CPUs and {gpus:g} GPUs for a worker",
            found="; ".join(f"{m.get('CPU', 0):g} CPUs, {m.get('GPU', 0):g} GPUs" for m in machines),
            where="model.options",
            fix="set cpus and gpus lower; or set workers, where machines are to join when they are needed",
        )
    return gpus, room


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
