"""One table for many runs: every system, every seed, with what anyone gets for free beside them."""

from demur.comparison.collect import RunCells, collect, find_runs
from demur.comparison.markdown import markdown
from demur.comparison.page import write_page
from demur.comparison.sheets import write_csv
from demur.comparison.summary import summarise
from demur.comparison.terminal import tables

__all__ = ["RunCells", "collect", "find_runs", "markdown", "summarise", "tables", "write_csv", "write_page"]
