"""Thin launchers over TRL and PEFT; no training loop of our own."""
