"""Using an honest model: questions in; answers, refusals and how sure each one is out."""

from demur.answering.answer import Answer, Expected
from demur.answering.answerer import Answerer, Query
from demur.answering.batching import BusyError
from demur.answering.decision import Decision
from demur.answering.loading import load

__all__ = ["Answer", "Answerer", "BusyError", "Decision", "Expected", "Query", "load"]
