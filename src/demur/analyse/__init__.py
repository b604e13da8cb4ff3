"""R-Tuning's analyses of a run: certain and uncertain data, signals side by side, thresholds."""

from demur.analyse.analyse import analyse_run

__all__ = ["analyse_run"]
