"""The systems of a run: whether their names are known, what is known of them, what their model is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from demur.core.config import Config
from demur.core.errors import ConfigError
from demur.core.files import digest, file_digest
from demur.core.names import FIXED, reserved
from demur.endpoints import Endpoint
from demur.engines import ENGINES
from demur.judging import find_judge
from demur.knowledge import estimators
from demur.methods import METHODS, MethodInfo, baselines, learned, thresholds


def check_names(config: Config) -> None:
    """Refuse names that no registry knows, before any work starts.

    Raises:
        UnknownNameError: with the nearest known name.
        ConfigError: a system by a name that stands for something else.
    """
    for system in dict.fromkeys((*config.systems, *config.overrides)):
        _check_free(system, config)
    for system in config.systems:
        METHODS.check(config.method_of(system), "method" if system == config.method else "baselines")
    for system in config.overrides:
        METHODS.check(config.method_of(system), f"overrides.{system}")
        estimator = config.for_system(system).knowledge.estimator
        estimators.parse(estimator or "greedy")
    ENGINES.check(config.model.engine, "model.engine")
    find_judge(config.judge.rule)
    if config.judge.llm.base_url is not None:
        Endpoint(config.judge.llm)  # a wrong address or a missing key shows now, not after hours
    estimators.parse(config.knowledge.estimator or "greedy")


def _check_free(system: str, config: Config) -> None:
    """Refuse a system by a name that a run gives to another one, or that is another method's."""
    taken, method = reserved(system), config.method_of(system)
    if taken is None and system in METHODS and method != system:
        taken = f"the method {system!r}, where this would be {method!r}"
    if taken is not None:
        raise ConfigError(
            expected="a name of its own for every system",
            found=f"{system!r}, which is kept for {taken}",
            where=f"overrides.{system}" if system in config.overrides else "method, baselines",
            fix=f"rename it, for instance to '{method}-variant'"
            if system in config.overrides
            else "choose the method itself; such a system is reported by every run without being named",
        )


def system_info(system: str, config: Config) -> MethodInfo:
    """What is known of a system, trained or not, under its own name."""
    if system in baselines.BASELINES:
        return baselines.BASELINES[system]
    for ending, read in ((learned.SUFFIX, learned.learned_info), (FIXED, thresholds.fixed_info)):
        if system.endswith(ending):
            return read(system_info(system.removesuffix(ending), config))
    return dataclasses.replace(METHODS.get(config.method_of(system)).info, name=system)


def model_fingerprint(path: str) -> str:
    """What a model's outputs depend on: its files where it is a folder, else its name.

    Large files count by size and time of change, since hashing them would take longer than it is worth.
    """
    folder = Path(path)
    if not folder.is_dir():
        return path
    return digest(
        [
            [file.name, file_digest(file) if file.stat().st_size < LARGE_BYTES else _stamp(file)]
            for file in sorted(folder.iterdir())
            if file.is_file()
        ]
    )


LARGE_BYTES = 64 * 2**20


def _stamp(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]
