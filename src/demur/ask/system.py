"""A system as it is asked: its method, its weights, its words, and when it declines.

It comes from a run's folder, from a tuned model's own folder (`demur.json`), or from an untuned model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demur.ask.decision import Decision
from demur.confidence.combination import Combination
from demur.confidence.probability import Recalibration
from demur.confidence.threshold import Guarantee
from demur.core import layout
from demur.core.config import PAPER_THRESHOLD, Config, load_config
from demur.core.errors import ConfigError, ModelError, UnknownNameError
from demur.core.files import check_plain
from demur.core.names import FIXED, unread
from demur.core.templates import Template
from demur.core.trust import MODEL
from demur.methods import METHODS, Method, MethodInfo, thresholds
from demur.methods.base import SAMPLES
from demur.methods.baselines import BASELINES
from demur.pocket import POCKET_MODELS
from demur.runfolder import provenance
from demur.runfolder.card import MODEL_KEYS, holds_weights, read_card
from demur.runfolder.finished import FinishedRun
from demur.runfolder.folder import RunFolder
from demur.runfolder.provenance import Refused
from demur.sources import base_model


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Everything that asking a system needs but the models themselves."""

    name: str
    info: MethodInfo
    """Of its method."""
    config: Config
    base: str
    """The base model's folder, hub name, or name at its server."""
    weights: Path | None = None
    """Folder of the adapter or weights that it asks, or of what was fitted; None for the base model."""
    template: Template | None = None
    """As it was tuned; None for the configuration's."""
    rule: Decision
    """Its own rule."""
    promised: Mapping[str, Decision] = field(default_factory=dict)
    """What was calibrated, by group of questions; ``all`` for every group."""
    recalibration: Recalibration | None = None
    recalibrated: str | None = None
    """The signal that is recalibrated."""
    refused: Refused | None = None
    """Why what was calibrated is not used; None where it is, or where nothing was."""
    run: Path | None = None
    """The run it comes from, with its calibration questions."""

    @property
    def method(self) -> Method:
        """The method that asks it."""
        return METHODS.get("pretrain-t" if self.info.name == "base" else self.info.name)()

    @property
    def tuned(self) -> Path | None:
        """Folder of the adapter or weights that it asks; None for the base model."""
        kept = self.weights is not None and (not self.info.fits or holds_weights(self.weights))
        return self.weights if kept else None

    @property
    def fitted(self) -> Path | None:
        """Folder of what was fitted, for a method that fits."""
        return self.weights if self.info.fits else None

    @property
    def before(self) -> str | None:
        """The signal by which it can decline before it answers; None where it cannot."""
        return self.info.primary_signal if self.info.before else None

    @property
    def samples(self) -> int:
        """Samples that it draws of each question."""
        return (self.config.probe.samples or SAMPLES) if self.info.samples else 0


def from_run(root: Path, name: str | None, overrides: Mapping[str, Any]) -> System:
    """A system of a finished run.

    Args:
        name: by default the run's method.
        overrides: settings of the model, over those of the run.

    Raises:
        RunFolderError: no finished run.
        UnknownNameError: the run has no such system.
        ConfigError: one that cannot be asked by itself.
        TrustError: the run is not signed by this user, and its model's settings act, see `demur.core.trust`
    """
    run = FinishedRun.open(root)
    config = run.settings(acting_on=MODEL, given=overrides)
    name = name or config.method
    run.system(name)
    if name in BASELINES and name != "base":
        raise ConfigError(
            expected="a system that can be asked one question",
            found=f"{name!r}, which answers as many questions of a test as another system does",
            where="--system",
            fix="ask 'base' with a threshold of its likelihood",
        )
    plain = name if name in config.systems or name == "base" else unread(name)
    own = config.for_system(plain)
    info = BASELINES["base"] if name == "base" else METHODS.get(config.method_of(plain)).info
    owner = provenance.owner_of(config, name)
    weights = None if owner is None else run.model_folder(owner)
    card = run.card(owner) if owner is not None else {}
    return System(
        name=name,
        info=info,
        config=own,
        base=base_model(own, run=root),
        weights=weights,
        template=_template(card),
        rule=_own_rule(name, info, own, card),
        run=root,
        **_guarantee_of(run, name, own),
    )


def from_model(folder: Path, name: str | None, overrides: Mapping[str, Any]) -> System:
    """A tuned model by its own folder; see `from_run`."""
    check_plain(folder)
    card = read_card(folder, *MODEL_KEYS)
    card["base_model"] = _base_of(card["base_model"], folder)
    _check_whole(folder)
    readings = card.get("learned", {})
    name = name or card["method"]
    known = [card["method"], *readings]
    if thresholds.chosen(card["threshold"]):
        known.append(card["method"] + FIXED)
    if name not in known:
        raise UnknownNameError("system of this model", name, known, "--system")
    plain = name if name in METHODS else unread(name)
    settings = {
        "model.path": card["base_model"],
        "model.revision": card.get("revision"),
        "model.format": card["format"],
        "probe.stop": card["stop"],
        "probe.max_new_tokens": card["max_new_tokens"],
        "r_tuning.threshold": card["threshold"]["value"],
        "method": plain,
    }
    own = load_config(None, settings)
    changed = _with_model(own, overrides)
    info = METHODS.get(plain).info
    return System(
        name=name,
        info=info,
        config=changed,
        base=base_model(changed),
        weights=folder,
        template=_template(card),
        rule=_own_rule(name, info, own, card),
        **(_guarantee_in(card, folder, changed) if name == card["method"] else {}),
    )


def _base_of(written: str, folder: Path) -> str:
    """Where the base model of a model folder lies.

    `demur card` leaves only the name of a local one, as ``./NAME``: in its own run the run knows the place,
    and a pocket model is made from its name anywhere.
    """
    if not written.startswith("./") or Path(written).exists():
        return written
    run = _run_around(folder)
    if run is not None:
        return base_model(load_config(run / layout.CONFIG))
    name = written.removeprefix("./")
    return name if name in POCKET_MODELS else written


def is_in_run(folder: Path) -> bool:
    """Whether a folder is, by its place, that of a run's tuned model."""
    return _run_around(folder) is not None


def _run_around(folder: Path) -> Path | None:
    """The run that a model folder lies in, by its place; None where there is none."""
    system, root = folder.resolve().parent, folder.resolve().parents[2:3]
    inside = folder.resolve().name == layout.MODEL_FOLDER and system.parent.name == layout.SYSTEMS
    return root[0] if inside and root and (root[0] / layout.CONFIG).is_file() else None


def _check_whole(folder: Path) -> None:
    """Compare a model folder that lies in its run with what was recorded of it.

    Raises:
        RunFolderError: a file of it is not what was written.
    """
    run = _run_around(folder)
    if run is not None and (run / layout.MANIFEST).is_file():
        FinishedRun(RunFolder(run)).model_folder(folder.resolve().parent.name)


def untuned(path: str, name: str | None, overrides: Mapping[str, Any]) -> System:
    """A model as it is, asked by a method that tunes nothing.

    Raises:
        ConfigError: a method that needs its own tuned weights.
    """
    name = name or "base"
    info = BASELINES["base"] if name == "base" else METHODS.get(name).info
    if info.weights != "base":
        free = [name for name in METHODS.names() if METHODS.get(name).info.weights == "base"]
        raise ConfigError(
            expected=f"a method that asks a model before tuning: base, {', '.join(free)}",
            found=f"{name!r}, which asks the model that it tuned",
            where="--system",
            fix="give the folder of its run in place of the model, or choose one of these",
        )
    config = load_config(None, {"model.path": path, "method": "pretrain-t" if name == "base" else name})
    changed = _with_model(config, overrides)
    rule = Decision(signal=info.primary_signal, threshold=None)
    return System(name=name, info=info, config=changed, base=base_model(changed), rule=rule)


def _with_model(config: Config, overrides: Mapping[str, Any]) -> Config:
    return load_config(None, config.model_dump() | dict(overrides)) if overrides else config


def _template(card: Mapping[str, Any]) -> Template | None:
    try:
        return Template(**card["template"]) if "template" in card else None
    except (TypeError, ValueError) as error:
        raise ModelError(
            expected=f"the words of a prompt as 'template' in {layout.CARD}",
            found=str(error),
            where=layout.CARD,
            fix="give the run's folder, or a model folder as `demur run` wrote it",
        ) from error


def _own_rule(name: str, info: MethodInfo, config: Config, card: Mapping[str, Any]) -> Decision:
    """How a system declines where nothing was calibrated."""
    reading = card.get("learned", {}).get(name)
    if reading is not None:
        combination = Combination(**reading["combination"])
        threshold = reading.get("threshold", 0.5)
        return Decision(signal="learned", threshold=threshold, combination=combination)
    if info.rule is None:
        return Decision(signal=info.primary_signal, threshold=None)
    if name.endswith(FIXED):
        return Decision(signal=info.rule, threshold=PAPER_THRESHOLD)
    own = config.r_tuning
    kept = card.get("threshold", {}).get("value", own.fixed) if own.calibrated else own.fixed
    return Decision(signal=info.rule, threshold=float(kept))


def _guarantee_of(run: FinishedRun, name: str, config: Config) -> dict[str, Any]:
    """What `demur calibrate` found for a system of a run; nothing where it was another's."""
    looked = run.look(layout.GUARANTEE, base=provenance.base_folder(config, run=run.path))
    if looked.refused is not None and looked.refused.concerns(name):
        return {"refused": looked.refused}
    found = looked.value
    if found is None or found["system"] != name:
        return {}
    groups = {"signal": found["signal"], "groups": found["guarantees"]}
    more = {key: found[key] for key in ("recalibration",) if key in found}
    if "combination" in found:
        groups["combination"] = found["combination"]
    return _calibrated({"guarantee": groups, **more})


def _guarantee_in(card: Mapping[str, Any], folder: Path, config: Config) -> dict[str, Any]:
    """The guarantee in a model's own folder, which must belong to its weights."""
    if "guarantee" not in card:
        return {}
    refused = provenance.refused_card(card, folder, base=provenance.base_folder(config))
    return _calibrated(card) if refused is None else {"refused": refused}


def _calibrated(card: Mapping[str, Any]) -> dict[str, Any]:
    """The decisions and the map that a calibration left in a card."""
    fields: dict[str, Any] = {}
    if (found := card.get("guarantee")) is not None:
        combination = Combination(**found["combination"]) if "combination" in found else None
        guarantees = {group: Guarantee(**item) for group, item in found["groups"].items()}
        fields["promised"] = {
            group: Decision(
                signal=found["signal"],
                threshold=item.threshold,
                guarantee=item,
                combination=combination,
            )
            for group, item in guarantees.items()
            if item.threshold is not None
        }
    if (found := card.get("recalibration")) is not None and found["map"] is not None:
        fields |= {
            "recalibration": Recalibration.from_json(found["map"]),
            "recalibrated": found["signal"],
        }
    return fields
