"""What the page asks beyond OpenAI's API."""

from __future__ import annotations

from fastapi import APIRouter

from demur.answering import Answerer


def router(answerer: Answerer) -> APIRouter:  # noqa: ARG001
    """The page's routes."""
    return APIRouter(prefix="/api")
