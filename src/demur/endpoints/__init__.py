"""Models behind OpenAI-compatible servers: many prompts in, a reply or a failure for each out."""

from demur.endpoints.client import Complete, Endpoint
from demur.endpoints.replies import Failure, Reply, json_object

__all__ = ["Complete", "Endpoint", "Failure", "Reply", "json_object"]
