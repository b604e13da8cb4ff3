"""One pydantic model = the YAML file = the command line's options.

Every field is a line in a configuration file and a flag of `demur run` (``--training.epochs 2``).
Unknown names are refused with the nearest known one, and all problems are reported at once.
"""

from demur.core.config.config import OVERRIDABLE, Config, EvaluationSettings
from demur.core.config.data import NO_FIELD, DataSettings, Portion
from demur.core.config.methods import (
    PAPER_THRESHOLD,
    FitSettings,
    JudgeSettings,
    KnowledgeSettings,
    ProbeSettings,
    RTuningSettings,
    USTuningSettings,
)
from demur.core.config.model import (
    EndpointSettings,
    ModelSettings,
    ServerSettings,
    ShownExample,
    TemplateSettings,
)
from demur.core.config.reading import config_text, differences, explain, leaves, load_config, save_config
from demur.core.config.section import Names, Positive, Section, Share, SystemName, SystemNames
from demur.core.config.training import STRATEGIES, LaunchSettings, TrainingSettings

__all__ = [
    "NO_FIELD",
    "OVERRIDABLE",
    "PAPER_THRESHOLD",
    "STRATEGIES",
    "Config",
    "DataSettings",
    "EndpointSettings",
    "EvaluationSettings",
    "FitSettings",
    "JudgeSettings",
    "KnowledgeSettings",
    "LaunchSettings",
    "ModelSettings",
    "Names",
    "Portion",
    "Positive",
    "ProbeSettings",
    "RTuningSettings",
    "Section",
    "ServerSettings",
    "Share",
    "ShownExample",
    "SystemName",
    "SystemNames",
    "TemplateSettings",
    "TrainingSettings",
    "USTuningSettings",
    "config_text",
    "differences",
    "explain",
    "leaves",
    "load_config",
    "save_config",
]
