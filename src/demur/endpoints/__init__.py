"""Models behind OpenAI-compatible servers: many prompts in, a reply or a failure for each out."""

from demur.endpoints.client import Complete, Endpoint, Request
from demur.endpoints.replies import Choice, Failure, Reply, Token, answer_of, json_object

__all__ = [
    "Choice",
    "Complete",
    "Endpoint",
    "Failure",
    "Reply",
    "Request",
    "Token",
    "answer_of",
    "json_object",
]
