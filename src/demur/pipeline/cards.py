"""demur.json, beside the weights of a tuned system: all that asking it needs, its threshold above all."""

from __future__ import annotations

import dataclasses
from typing import Any

from demur.confidence.combination import Combination
from demur.core.config import PAPER_THRESHOLD
from demur.core.files import write_json
from demur.core.names import FIXED, unread
from demur.core.signing import kept_signed
from demur.core.version import __version__
from demur.engines import Engine
from demur.methods import thresholds
from demur.pipeline.job import Job
from demur.runfolder.card import read_card


def make_card(job: Job, system: str, engine: Engine) -> dict[str, Any]:
    """demur.json: everything that asking the tuned model needs."""
    config, setup = job.config, job.setup(engine, system)
    info = job.info(system)
    return {
        "schema_version": 1,
        "demur": __version__,
        "method": info.name,
        "base_model": job.model_path,
        "revision": config.model.revision,
        "format": "chat" if engine.chat else "plain",
        "template": dataclasses.asdict(setup.template),
        "stop": list(config.probe.stop),
        "max_new_tokens": config.probe.max_new_tokens,
        "primary_signal": info.primary_signal,
        "quantize": job.config.training_for(system).quantize,
        "threshold": {"signal": "sure", "value": setup.config.r_tuning.fixed},
    }


def add_to_card(job: Job, owner: str, system: str, combination: Combination, **more: float) -> None:
    """Keep how a system weighs its signals beside the weights that it asks."""
    card = read_card(job.folder.model(owner))
    own = {"combination": dataclasses.asdict(combination), **more}
    _write(job, owner, card | {"learned": {**card.get("learned", {}), system: own}})


def rule_to_card(job: Job, system: str) -> None:
    """Keep the threshold of a tuned system beside its weights, as it is by now."""
    found = rule(job, system)
    card = read_card(job.folder.model(system))
    if found is not None and card.get("threshold") != found:
        _write(job, system, card | {"threshold": found})


def _write(job: Job, owner: str, card: dict[str, Any]) -> None:
    path = job.folder.card(owner)
    job.manifest.forget(path)
    with kept_signed(path.parent):
        write_json(path, card)
    job.manifest.record(path)


def rule(job: Job, system: str) -> dict[str, Any] | None:
    """The threshold by which a system declines, see `thresholds.rule`; None where it has none.

    One that is calibrated is chosen when the system is asked; until then the paper's stands.
    """
    info, settings = job.info(system), job.config.for_system(system).r_tuning
    if info.rule is None:
        return None
    stage = f"predict/{system}"
    if settings.calibrated and job.manifest.is_done(stage, job.predict_inputs(system)):
        found: dict[str, Any] | None = job.manifest.values["stages"][stage].get("threshold")
        return found
    return thresholds.not_chosen(info.rule, settings)


def reported_rule(job: Job, system: str) -> dict[str, Any] | None:
    """The threshold of any system that is reported, see `rule`."""
    if system in job.config.systems:
        return rule(job, system)
    own = rule(job, unread(system)) if system.endswith(FIXED) else None
    return own and {
        "signal": own["signal"],
        "value": PAPER_THRESHOLD,
        "how": thresholds.GIVEN,
        "chosen_on": None,
        "n": None,
        "reason": "the paper's rule",
    }
