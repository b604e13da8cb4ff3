"""The systems of a run, from its configuration alone: their names, methods, samples and training."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from demur.core.config import Config, TrainingSettings
from demur.core.errors import ConfigError
from demur.core.files import digest, file_digest
from demur.core.names import FIXED, reserved
from demur.endpoints import Endpoint
from demur.engines import ENGINES, Engine, Sampling
from demur.judging import find_judge
from demur.knowledge import estimators
from demur.methods import METHODS, MethodInfo, baselines, learned, thresholds
from demur.methods.base import SAMPLES

if TYPE_CHECKING:
    from demur.training.strategies import Strategy

LARGE_BYTES = 64 * 2**20
"""Files from this size on are known by size and time of change."""


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


def method_info(system: str, config: Config) -> MethodInfo:
    """What is known of the method that a system is."""
    return METHODS.get(config.method_of(system)).info


def tuned_systems(config: Config) -> tuple[str, ...]:
    """The systems that are trained: those of the run, and whose weights they borrow."""
    owners = {method_info(system, config).owner(system): None for system in config.systems}
    return tuple(owner for owner in owners if owner != "base" and method_info(owner, config).trained)


def fitted_systems(config: Config) -> tuple[str, ...]:
    """The systems that are fitted to the base model's labelled answers."""
    return tuple(system for system in config.systems if method_info(system, config).fits)


def check_states(config: Config, engine: Engine) -> None:
    """Look whether an engine gives the hidden states that a system of the run cannot do without.

    Raises:
        ConfigError: it does not.
    """
    needed = [system for system in fitted_systems(config) if method_info(system, config).before]
    if needed and not engine.capabilities.layers:
        raise ConfigError(
            expected=f"an engine that gives hidden states: {needed[0]} declines by them before it answers",
            found=f"{engine.name}, which gives none",
            where="model.engine",
            fix="choose --model.engine hf, or --method probe, which needs none",
        )


def samples_of(config: Config) -> int:
    """Samples per question: as configured, else 10 where a method or estimator lives on them."""
    if config.probe.samples is not None:
        return config.probe.samples
    needed = any(
        "samples" in method_info(system, config).needs
        or estimators.parse(estimator_of(system, config))[0] in estimators.NEEDS_SAMPLES
        for system in (*config.systems, *tuned_systems(config))
    )
    return SAMPLES if needed else 0


def estimator_of(system: str, config: Config) -> str:
    """Who says what the model knows: as configured, else the method's own."""
    own = method_info(system, config).estimator or "greedy"
    return config.for_system(system).knowledge.estimator or own


def sampling_of(config: Config) -> Sampling:
    """How every system of the run generates its answers."""
    probe_settings = config.probe
    return Sampling(
        max_new_tokens=probe_settings.max_new_tokens,
        stop=probe_settings.stop,
        samples=samples_of(config),
        temperature=probe_settings.temperature,
        top_p=probe_settings.top_p,
        seed=config.seed,
    )


def round_count(system: str, config: Config) -> int:
    """Rounds of aligning: as configured, else the method's own."""
    return config.for_system(system).rounds or method_info(system, config).rounds


def check_tuning(config: Config) -> None:
    """Look whether the weights that the run's systems tune are here, and can be tuned as it says.

    Raises:
        ConfigError: they are not, or cannot.
    """
    settings, tuned = config.model, tuned_systems(config)
    if tuned and not ENGINES.get(settings.engine).local:
        raise ConfigError(
            expected=f"an engine with the weights of the model, to tune {', '.join(tuned)}",
            found=f"{settings.engine!r}, which only asks a server",
            where="model.engine",
            fix="tune with model.engine hf from the weights, or choose systems that tune nothing, such "
            "as --method honesty-prompt --baselines pretrain-t; `demur probe` needs no weights",
        )
    for system in tuned:
        strategy_of(system, config)


def strategy_of(system: str, config: Config) -> Strategy | None:
    """How a system's training is divided among processes, None for one process.

    Raises:
        ConfigError: it cannot be done as the settings say.
    """
    settings = {stage: config.training_for(system, stage) for stage in method_info(system, config).stages}
    plain = TrainingSettings()
    if all(s.launch == plain.launch and s.quantize == plain.quantize for s in settings.values()):
        return None
    from demur.engines.loading import pick_device
    from demur.training.strategies import check

    return check(settings, pick_device(config.model.device))


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


def _stamp(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]
