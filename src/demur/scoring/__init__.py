"""Scoring anybody's outputs: rows of questions, accepted answers and responses, without any model."""

from demur.scoring.judged import judged
from demur.scoring.outputs import Outputs
from demur.scoring.reading import read_outputs
from demur.scoring.rows import require_new, write_rows
from demur.scoring.score import score

__all__ = ["Outputs", "judged", "read_outputs", "require_new", "score", "write_rows"]
