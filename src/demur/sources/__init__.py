"""Where a model comes from: a folder, the Hub, a GGUF file, a known name, or the pocket world."""

from demur.sources.address import base_model
from demur.sources.known import KNOWN_MODELS

__all__ = ["KNOWN_MODELS", "base_model"]
