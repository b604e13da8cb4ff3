"""The cluster that the Ray engine works in: its options, joining or starting it, its room for workers."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import secrets
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pydantic

from demur.core.config import Positive, Section, explain
from demur.core.errors import ConfigError
from demur.engines.printing import printing_into

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


def checked_options(options: Mapping[str, Any]) -> RayOptions:
    """The options, if all of them are known and fit.

    Raises:
        ConfigError: naming all that do not.
    """
    try:
        return RayOptions.model_validate(dict(options))
    except pydantic.ValidationError as error:
        raise explain(error, "model.options", known=RayOptions.model_fields) from error


def require_ray() -> None:
    """Raise where the package is not there."""
    if importlib.util.find_spec("ray") is None:
        raise ConfigError(
            expected="Ray in this Python environment, since model.engine is ray",
            found="no package ray",
            where="model.engine",
            fix="`pip install 'demur[ray]'`, on every machine of the cluster; or set model.engine to hf",
        )


def connect(options: RayOptions) -> None:
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
def quietly() -> Iterator[None]:
    """Send Ray's messages to its log files only, and whatever it prints to the error stream."""
    for handler in logging.getLogger("ray.data").handlers:
        # Only its own: other libraries attach theirs, since this logger does not propagate.
        if isinstance(handler, logging.StreamHandler) and type(handler).__module__.startswith("ray."):
            handler.setLevel(logging.CRITICAL)
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        # That the number of retries is to become something else in Ray 2.64; pyproject.toml stays below.
        warnings.filterwarnings("ignore", message=r"`ray_remote_args`")
        warnings.filterwarnings("ignore", message="The minimum number of concurrent actors")
        yield


def room_for_workers(options: RayOptions) -> tuple[float, int]:
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
