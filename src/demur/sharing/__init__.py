"""Sharing a tuned model: its card, its weights as one model, and the form that llama.cpp reads."""

from demur.sharing.card import Shared, write_card
from demur.sharing.gguf import convert_run
from demur.sharing.merge import merge_run

__all__ = ["Shared", "convert_run", "merge_run", "write_card"]
