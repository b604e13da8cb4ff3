"""Using an honest model: questions in; answers, refusals and how sure each one is out."""

from demur.ask.answer import Answer, Expected
from demur.ask.answerer import Answerer
from demur.ask.batching import BusyError
from demur.ask.decision import Decision
from demur.ask.loading import load
from demur.ask.query import Query

__all__ = ["Answer", "Answerer", "BusyError", "Decision", "Expected", "Query", "load"]
