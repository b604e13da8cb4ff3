"""Sharing a tuned model: its card, its weights as one model, and the form that llama.cpp reads."""

from demur.share.card import Shared, write_card
from demur.share.gguf import convert_run
from demur.share.merge import merge_run

__all__ = ["Shared", "convert_run", "merge_run", "write_card"]
