"""Engines: who generates the text. One file per engine, all behind `base.Engine`."""

from demur.core.registry import Registry
from demur.engines.base import (
    Asked,
    Capabilities,
    Engine,
    Generated,
    Message,
    Opening,
    Progress,
    Reformats,
    Sampling,
    Spreads,
)

ENGINES: Registry[type[Engine]] = Registry(
    "engine",
    {
        "hf": "demur.engines.hf:HFEngine",
        "vllm": "demur.engines.vllm:VLLMEngine",
        "openai": "demur.engines.openai:OpenAIEngine",
        "ray": "demur.engines.ray:RayEngine",
    },
    group="demur.engines",
    form="a class with what demur.engines.Engine has",
    fits=lambda _name, found: (
        isinstance(found.local, bool) and callable(found.open) and callable(found.check)
    ),
)

__all__ = [
    "ENGINES",
    "Asked",
    "Capabilities",
    "Engine",
    "Generated",
    "Message",
    "Opening",
    "Progress",
    "Reformats",
    "Sampling",
    "Spreads",
]
