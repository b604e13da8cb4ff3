"""The registry of export formats."""

from demur.core.registry import Registry
from demur.export.base import Format

EXPORTS: Registry[Format] = Registry(
    "export format",
    {
        "trl": "demur.export.trl:TRL",
        "llama-factory": "demur.export.llama_factory:LLAMA_FACTORY",
        "axolotl": "demur.export.axolotl:AXOLOTL",
        "openai": "demur.export.openai:OPENAI",
        "sharegpt": "demur.export.sharegpt:SHAREGPT",
        "lmflow": "demur.export.lmflow:LMFLOW",
        "alignment-for-honesty": "demur.export.alignment_for_honesty:ALIGNMENT_FOR_HONESTY",
    },
)
