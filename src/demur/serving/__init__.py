"""Serving an honest model: the OpenAI-compatible server and its playground."""
