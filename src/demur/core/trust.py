"""What a folder may do: only one that its user signed may act by its settings.

A run folder that somebody sends is data: weights, questions, answers. But its configuration can also name
servers, environment variables, files and code. A folder without a valid signature (`demur.core.signing`)
is opened for its weights and data only, and a setting that acts is refused by name, unless the user gives
it in the command or has signed the folder with `demur trust`.

The settings of `demur run CONFIG` are the user's own and need no signature.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from demur.core.config import STRATEGIES, Config, EndpointSettings, load_config
from demur.core.errors import TrustError
from demur.core.files import check_links
from demur.core.layout import (
    CONFIG,
    MANIFEST,
    METRICS,
    PREDICTIONS,
    QUESTIONS,
    SIGNATURE,
    SYSTEMS,
    WORK,
)
from demur.core.signing import is_signed, model_folders

RUN_PARTS = (MANIFEST, SIGNATURE, METRICS, QUESTIONS, SYSTEMS, PREDICTIONS, WORK)
"""Beside a ``config.yaml``, any of these makes it that of a run folder."""

EVERYTHING = ("",)
"""As a scope: every setting, for a command that carries out a whole run."""
MODEL = ("model.",)
"""As a scope: the settings by which a model is opened and asked."""
NOTHING: tuple[str, ...] = ()
"""As a scope, for a command that only reads."""

HARMLESS_OPTIONS = frozenset(
    {
        "block_size",
        "cpu_offload_gb",
        "disable_custom_all_reduce",
        "enable_chunked_prefill",
        "enable_prefix_caching",
        "enforce_eager",
        "gpu_memory_utilization",
        "kv_cache_dtype",
        "max_model_len",
        "max_num_batched_tokens",
        "pipeline_parallel_size",
        "quantization",
        "seed",
        "swap_space",
        "tensor_parallel_size",
    }
)
"""vLLM's arguments that only divide and size the work. Others name files, classes, hosts and models."""
RAY_OPTIONS = frozenset({"engine", "workers", "cpus", "gpus"})
"""The same of the engine ray; its ``address`` reaches out."""

_SERVER = re.compile(r"(model\.endpoint|judge\.llm)\.(base_url|key_variable|cache|extra\..*)")
_STRATEGY = re.compile(r"(.*\.)?launch\.strategy")
_TRACKERS = re.compile(r"(.*\.)?report_to")
_OPTION = re.compile(r"model\.options\.(options\.)?(.*)")


def acting(config: Config) -> dict[str, Any]:
    """The settings, by dotted name, that do more than read weights and data.

    They connect to an address, send an environment variable, write a file elsewhere, or run code.
    """
    return {name: value for name, value in _leaves(config.model_dump(mode="json")) if _acts(name, value)}


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values by dotted name. Not as a mapping: keys with dots in them could hide one another."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _acts(name: str, value: Any) -> bool:
    if value in (None, False, "", []):
        return False
    if _STRATEGY.fullmatch(name):
        return value not in STRATEGIES  # the path of an accelerate configuration
    if option := _OPTION.fullmatch(name):
        known = HARMLESS_OPTIONS if option[1] else HARMLESS_OPTIONS | RAY_OPTIONS
        return option[2] not in known
    server, tracker = _SERVER.fullmatch(name), _TRACKERS.fullmatch(name)
    return name == "model.trust_remote_code" or server is not None or tracker is not None


def settings_of(
    run: Path, *, acting_on: tuple[str, ...] = NOTHING, given: Mapping[str, Any] | None = None
) -> Config:
    """The configuration of a run, as a command may act on it.

    Every command that opens a run takes its settings from here.

    Args:
        run: the run folder.
        acting_on: the settings that the command acts on, by the beginnings of their names: `MODEL` for
            one that opens the model, `NOTHING` for one that only reads.
        given: settings of the user's own over those of the run, by dotted name; they are never refused.

    Raises:
        TrustError: the run is not signed, and a setting that the command acts on is not harmless.
        ConfigError: the configuration cannot be read, or a value is wrong.
    """
    config = load_config(run / CONFIG)
    if given:
        config = load_config(None, config.model_dump() | dict(given))
    if is_signed(run):
        return config
    found = _not_given(acting(config), given or {})
    refuse(run, {name: value for name, value in found.items() if name.startswith(acting_on)})
    return _without(config, found)


def load_own_config(path: Path | None, given: Mapping[str, Any]) -> Config:
    """The configuration that a user names for a run of their own; see `demur.core.config.load_config`.

    One that lies in a run folder may be somebody else's, and counts as that run's.

    Raises:
        TrustError: it is the configuration of an unsigned run, and a setting is not harmless.
        ConfigError: as `load_config`.
    """
    folder = path.resolve().parent if path is not None else Path()
    named = path is not None and path.resolve().name == CONFIG
    stored = named and any((folder / name).exists() for name in RUN_PARTS)
    if stored:
        check_links(folder)
    config = load_config(path, given)
    if stored and not is_signed(folder):
        refuse(folder, _not_given(acting(config) | _elsewhere(config, folder), given))
    return config


def _elsewhere(config: Config, run: Path) -> dict[str, Any]:
    """The run folder that a configuration names, where that is not the folder that it lies in."""
    return {} if config.out.resolve() == run.resolve() else {"out": str(config.out)}


def what_it_does(folder: Path) -> dict[str, Any]:
    """The settings of a run or model folder that act, with their values, and the Python files in it.

    Raises:
        ConfigError: a run's configuration cannot be read.
    """
    found: dict[str, Any] = {}
    if (folder / CONFIG).exists():
        config = load_config(folder / CONFIG)
        found = acting(config) | _elsewhere(config, folder)
        if config.model.trust_remote_code:
            found["model.path"] = config.model.path  # whose code that is
    if code := code_in(folder):
        found["code in the folder"] = code
    return found


def refuse(folder: Path, settings: Mapping[str, Any]) -> None:
    """Raise where a folder that is not signed holds settings that act.

    Raises:
        TrustError: naming them.
    """
    if settings:
        raise TrustError(
            expected="a folder that you made or trust, or one whose settings only read weights and data",
            found="not signed by you, with settings that act:\n          "
            + "\n          ".join(shown(settings)),
            where=str(folder / CONFIG),
            fix="give these settings yourself in the command (such as --model-set NAME=VALUE; null turns "
            f"one off), or allow what the folder says: demur trust {shlex.quote(str(folder))}",
        )


def check_resumable(run: Path, config: Config) -> None:
    """Refuse to go on in a run folder that this user did not sign, where its leftovers could run code.

    The settings are the user's own here, but a permission to run code is meant for the base model, and
    checkpoints of FSDP and DeepSpeed are pickles. Anything else in the folder is read as data.

    Raises:
        TrustError: naming what lies there.
    """
    if is_signed(run):
        return
    found: dict[str, Any] = {}
    own = [folder for folder in model_folders(run) if is_signed(folder)]
    left = [f"{part}/{file}" for part in ("systems", "work") for file in code_in(run / part)]
    code = [file for file in left if not any((run / file).is_relative_to(f) for f in own)]
    if config.model.trust_remote_code and code:
        found = {"model.trust_remote_code": True, "code in the folder": code}
    pickled = [
        path.relative_to(run).as_posix() for path in sorted(run.glob("work/training/**/checkpoint-*"))
    ]
    strategies = {name: v for name, v in _leaves(config.model_dump()) if _STRATEGY.fullmatch(name) and v}
    divided = {name: strategy for name, strategy in strategies.items() if strategy != "ddp"}
    if divided and pickled:
        found |= divided | {"checkpoints in the folder": pickled}
    refuse(run, found)


def code_in(folder: Path) -> list[str]:
    """Python files in a folder and below, and JSON files that name code (``auto_map``), sorted."""
    python = (file for file in folder.rglob("*.py"))
    named = (file for file in folder.rglob("*config.json") if file.is_file() and names_code(file))
    return sorted(file.relative_to(folder).as_posix() for file in (*python, *named))


def names_code(file: Path) -> bool:
    """Whether a JSON file sends a library to code (``auto_map``), however its text is escaped."""
    try:
        return _has_key(json.loads(file.read_text(encoding="utf-8")), "auto_map")
    except (ValueError, RecursionError):  # no JSON: nobody knows what another reader makes of it
        return True


def _has_key(value: Any, key: str) -> bool:
    if isinstance(value, dict):
        return key in value or any(_has_key(item, key) for item in value.values())
    return isinstance(value, list) and any(_has_key(item, key) for item in value)


def shown(settings: Mapping[str, Any]) -> list[str]:
    """Settings as lines for a terminal: nothing in them can move its cursor or hide a line."""
    return [f"{ascii(name)[1:-1]}: {json.dumps(value)}" for name, value in settings.items()]


def _not_given(found: Mapping[str, Any], given: Iterable[str]) -> dict[str, Any]:
    """Without the settings that the user gives, alone or with their whole section."""
    names = tuple(given)
    return {
        name: value
        for name, value in found.items()
        if not any(name == own or name.startswith(f"{own}.") for own in names)
    }


def _without(config: Config, names: Mapping[str, Any]) -> Config:
    """A configuration that does nothing by these settings: they are as if they were not there."""
    if not names:
        return config
    values = config.model_dump()
    if any(name.startswith("judge.llm.") for name in names):  # an address and a name go together
        values["judge"]["llm"] = EndpointSettings().model_dump()
    for name in names:
        _drop(values, name)
    return load_config(None, values)


def _drop(values: Any, name: str) -> None:
    """Delete a setting by its dotted name; keys of free mappings may hold dots themselves."""
    if not isinstance(values, dict):
        return
    values.pop(name, None)
    for key in [key for key in values if name.startswith(f"{key}.")]:
        _drop(values[key], name.removeprefix(f"{key}."))
