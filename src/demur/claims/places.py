"""Where the claims are put to the test: models and questions of two labs, and the runs made there.

In the lab ``pocket`` a seed redraws world, base model and tuning. In the lab ``real`` the model is a given;
a seed draws the questions and the tuning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from demur.claims.settings import training_of
from demur.core.config import PAPER_THRESHOLD, Config, load_config

LabName = Literal["pocket", "real"]
BOTH: tuple[LabName, ...] = ("pocket", "real")
Data = Mapping[str, Path]
"""Where the published questions lie, by dataset."""

DEVELOPMENT = 0
"""The seed that settings are chosen on. No claim is tested on it."""
FIRST_SEED = 101
"""Claims are tested on this seed and those after it, which nothing was chosen on."""

TAUS = (0.5, 0.9)
"""Thresholds of ABSOLUTE beside the paper's own, 0.1."""
FULL = "-full"
"""Ending of a system of which every weight is tuned, not LoRA matrices."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A model and the questions it is asked; its runs share nothing with those of other places."""

    name: str
    title: str
    lab: LabName
    model: str
    """Whose settings are used; a name of `demur.claims.settings`."""
    dataset: str
    """Whose test questions count."""
    runs: Mapping[str, Mapping[str, Any]]
    """By name; a run is a configuration without seed and folder."""
    needs: str | None = None
    """The dataset whose files are not made by Demur, or built by `demur atlas build`."""
    seeds: int
    """How many are planned."""
    once: tuple[str, ...] = ()
    """Runs that are made of the first seed only: what they show is explored, not judged."""

    @cached_property
    def contextual(self) -> bool:
        """Whether its questions come with a passage."""
        return "contextual" in self.runs

    def runs_of(self, seed: int) -> tuple[str, ...]:
        """The runs of a seed."""
        return tuple(name for name in self.runs if seed == FIRST_SEED or name not in self.once)

    def config(self, run: str, seed: int, folder: Path, data: Data) -> Config:
        """The configuration of a run.

        Args:
            folder: of the runs of this place and seed.
        """
        settings = {**self.runs[run], "seed": seed, "out": str(folder / run)}
        if self.needs is not None:
            settings["data"] = {**settings["data"], "path": str(data[self.needs])}
        return load_config(None, settings)


def _run(
    chosen_for: str,
    systems: tuple[str, ...],
    variants: Mapping[str, Mapping[str, Any]] | None = None,
    **rest: Any,
) -> dict[str, Any]:
    """A run of several systems, each with its method's own training settings.

    Args:
        variants: settings of systems beside those of their method.
    """
    overrides = {}
    for system in systems:
        given = dict((variants or {}).get(system, {}))
        chosen = training_of(chosen_for, given.pop("settings", system))
        if chosen or given:
            overrides[system] = given | ({"training": chosen} if chosen else {})
    return {
        "method": systems[-1],
        "baselines": list(systems[:-1]),
        "r_tuning": {"threshold": PAPER_THRESHOLD},  # the claims are of the papers' rules
        "evaluation": {"resamples": 1},  # intervals are over seeds and over runs, made here
        "overrides": overrides,
        **rest,
    }


_TAU = {
    f"absolute-{tau}": {
        "method": "absolute",
        "settings": "absolute",
        "knowledge": {"estimator": f"expected-accuracy({tau})"},
    }
    for tau in TAUS
}
_DOSES = {
    f"vanilla-{side}": {"method": "vanilla", "settings": "dose", "knowledge": {"train_on": side}}
    for side in ("known", "unknown")
}
_FULL = {
    f"{name}{FULL}": {"method": name, "settings": f"{name}{FULL}"} for name in ("r-tuning", "absolute")
}

_CHOICES = {"name": "pocket-2-choice"}
"""No text with options was read, so choices are guessed: a task at which the model knows nothing."""

_POCKET_SYSTEMS = (
    *("vanilla", "vanilla-c", "vanilla-u", "honesty-prompt", "fine-tuned", "absolute", "confidence-num"),
    *("confidence-verb", "multisample", "r-tuning-r", "r-tuning-u", "r-tuning-min-loss", "probe", "demur"),
    *_TAU,
    *_DOSES,
    "r-tuning",
)
_POCKET: dict[str, Any] = {"probe": {"samples": 10}}
_US_STAGES = {"stage1": {"epochs": 1}, "qa": {"epochs": 3}, "stage2": {"epochs": 10}}
"""As published."""

_CORE = (
    *("honesty-prompt", "vanilla", "r-tuning-r", "absolute", "multisample", "probe", "demur"),
    *_FULL,
    "r-tuning",
)
_MORE = (
    *("vanilla-c", "vanilla-u", "fine-tuned", "confidence-num", "confidence-verb", "r-tuning-min-loss"),
    *("self-consistency", "verbal-confidence", "p-ik", "r-tuning-u"),
)
"""The other methods, explored with one seed; tuned as those of the core that they are built like."""


def _real(name: str, title: str, model: str, data: str) -> Place:
    asked: dict[str, Any] = {
        "model": {"path": model, "format": "plain"},
        "data": {"name": data, "limit": 300, "labels": 300},
        "template": {"examples": 3},
        "probe": {"samples": 10},
    }
    return Place(
        name=name,
        title=title,
        lab="real",
        model=model,
        dataset=data,
        needs=data,
        seeds=3,
        runs={"open": _run(model, _CORE, _FULL, **asked), "more": _run(model, _MORE, **asked)},
        once=("more",),
    )


PLACES: dict[str, Place] = {
    place.name: place
    for place in (
        Place(
            name="pocket",
            title="pocket world",
            lab="pocket",
            model="pocket-2",
            dataset="pocket-2",
            seeds=8,
            runs={
                # It also asks every system choices, a task that it was never tuned on.
                "open": _run(
                    "pocket-2",
                    _POCKET_SYSTEMS,
                    {**_TAU, **_DOSES},
                    model={"path": "pocket-2"},
                    data={"mixture": [{"name": "pocket-2"}, {**_CHOICES, "use": "test", "limit": 400}]},
                    **_POCKET,
                )
                | {"evaluation": {"resamples": 1, "training_questions": True}},
                "mixed": _run(
                    "pocket-2",
                    ("vanilla", "absolute", "r-tuning"),
                    model={"path": "pocket-2"},
                    data={"mixture": [{"name": "pocket-2"}, {**_CHOICES, "limit": 284}]},
                    **_POCKET,
                ),
                "small": _run(
                    "pocket-2",
                    ("vanilla", "r-tuning"),
                    model={"path": "pocket-2-small"},
                    data={"name": "pocket-2"},
                    **_POCKET,
                ),
            },
        ),
        Place(
            name="pocket-reader",
            title="pocket reader",
            lab="pocket",
            model="pocket-reader",
            dataset="pocket-reader",
            seeds=5,
            runs={
                "contextual": _run(
                    "pocket-reader",
                    ("us-tuning-stage1", "us-tuning-plain-qa", "us-tuning-stage2", "us-tuning"),
                    model={"path": "pocket-reader"},
                    data={"name": "pocket-reader"},
                    probe={"samples": 0},
                    stages=_US_STAGES,
                )
            },
        ),
        _real("smollm2-pararel", "SmolLM2, ParaRel", "smollm2", "pararel"),
        _real("smollm2-atlas", "SmolLM2, Atlas", "smollm2", "atlas"),
        _real("gemma-atlas", "Gemma 3, Atlas", "gemma3-270m", "atlas"),
    )
}
"""By name, in the order of the page."""
