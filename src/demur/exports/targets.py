"""The registry of export formats."""

from demur.exports.base import Format
from demur.registry import Registry

EXPORTS: Registry[Format] = Registry(
    "export format",
    {
        "trl": "demur.exports.trl:TRL",
        "llama-factory": "demur.exports.llama_factory:LLAMA_FACTORY",
        "axolotl": "demur.exports.axolotl:AXOLOTL",
        "openai": "demur.exports.openai:OPENAI",
        "sharegpt": "demur.exports.sharegpt:SHAREGPT",
        "lmflow": "demur.exports.lmflow:LMFLOW",
        "alignment-for-honesty": "demur.exports.alignment_for_honesty:ALIGNMENT_FOR_HONESTY",
    },
)
