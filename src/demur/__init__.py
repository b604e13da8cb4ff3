"""Demur teaches a language model to say "I don't know" when it doesn't, and proves that it does."""

__version__ = "0.1.0"
