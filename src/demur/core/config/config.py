"""Everything that a run depends on, in one model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import Field

from demur.core.config.data import DataSettings
from demur.core.config.methods import (
    FitSettings,
    JudgeSettings,
    KnowledgeSettings,
    ProbeSettings,
    RTuningSettings,
    USTuningSettings,
)
from demur.core.config.model import ModelSettings, TemplateSettings
from demur.core.config.section import Positive, Section, StageName, SystemName, SystemNames
from demur.core.config.training import TrainingSettings
from demur.core.names import problem


class EvaluationSettings(Section):
    """How results are measured."""

    resamples: Positive = Field(1000, description="bootstrap resamples behind each interval")
    level: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.95, description="confidence level of the intervals"
    )
    ece_bins: Positive = Field(15, description="bins of the calibration error")
    training_questions: bool = Field(
        False, description="ask every system the training questions too, and measure it on them"
    )


OVERRIDABLE = {"fit", "knowledge", "r_tuning", "us_tuning", "training", "stages", "rounds"}
"""What systems of one run may differ in; everything else they share, the probe above all."""


class Config(Section):
    """Everything that a run depends on."""

    out: Path = Field(Path("runs/demur"), description="the run folder")
    seed: int = Field(0, description="every random choice derives from it")
    method: SystemName = Field("r-tuning", description="the method that makes the model honest")
    baselines: SystemNames = Field(("vanilla",), description="other methods to train, for comparison")
    model: ModelSettings = ModelSettings()
    data: DataSettings = DataSettings()
    template: TemplateSettings = TemplateSettings()
    probe: ProbeSettings = ProbeSettings()
    judge: JudgeSettings = JudgeSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    fit: FitSettings = FitSettings()
    r_tuning: RTuningSettings = RTuningSettings()
    us_tuning: USTuningSettings = USTuningSettings()
    training: TrainingSettings = TrainingSettings()
    stages: dict[StageName, dict[str, Any]] = Field(
        default_factory=dict, description="training settings of single stages, by stage and field"
    )
    rounds: Positive | None = Field(
        None,
        description="align, ask again what is known, align again, so often; left out: the method's own",
    )
    overrides: dict[SystemName, dict[str, Any]] = Field(
        default_factory=dict,
        description="settings of single systems, by system: training, stages, rounds, knowledge, fit, "
        "r_tuning, us_tuning; with `method` the system is a variant of that method under its own name",
    )
    evaluation: EvaluationSettings = EvaluationSettings()

    @pydantic.model_validator(mode="after")
    def _overrides_fit(self) -> Config:
        for system in self.overrides:
            for stage in ("", *self.for_system(system).stages):
                if stage and (found := problem("stage", stage)) is not None:
                    raise ValueError(f"overrides.{system}: {found}")
                self.training_for(system, stage)
        return self

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that are tuned or asked, baselines first, none twice: methods and their variants."""
        return tuple(dict.fromkeys((*self.baselines, self.method)))

    def method_of(self, system: str) -> str:
        """The method that a system is: its own name, unless it is a variant."""
        return str(self.overrides.get(system, {}).get("method", system))

    def for_system(self, system: str) -> Config:
        """The configuration as one system sees it: the common settings with its own on top.

        Raises:
            ValueError: an override of something that all systems of a run share.
        """
        changes = {key: value for key, value in self.overrides.get(system, {}).items() if key != "method"}
        wrong = sorted(changes.keys() - OVERRIDABLE)
        if wrong:
            raise ValueError(
                f"overrides.{system}: {', '.join(wrong)} cannot differ between systems; only "
                f"{', '.join(sorted(OVERRIDABLE))} can"
            )
        values = self.model_dump(include=OVERRIDABLE)
        for name, change in changes.items():
            values[name] = {**values[name], **change} if isinstance(change, Mapping) else change
        kinds: dict[str, type[Section]] = {
            "fit": FitSettings,
            "knowledge": KnowledgeSettings,
            "r_tuning": RTuningSettings,
            "us_tuning": USTuningSettings,
            "training": TrainingSettings,
        }
        return self.model_copy(
            update={
                name: kinds[name].model_validate(value) if name in kinds else value
                for name, value in values.items()
            }
        )

    def training_for(self, system: str, stage: str = "") -> TrainingSettings:
        """The training settings of one stage of one system."""
        own = self.for_system(system)
        return TrainingSettings.model_validate({**own.training.model_dump(), **own.stages.get(stage, {})})
