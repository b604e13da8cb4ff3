"""What a run would do, and how long and how much memory it would take, without doing it.

Counts are exact. Where the model is here, `trial` measures a few real batches and training steps, and
`stages` scales them to the run; otherwise `shapes` and `formulas` stand for what was not measured.
"""

from demur.pipeline.dryrun.estimate import estimate
from demur.pipeline.dryrun.render import render

__all__ = ["estimate", "render"]
