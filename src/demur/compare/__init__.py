"""One table for many runs: every system, every seed, with what anyone gets for free beside them."""

from demur.compare.collect import RunCells, collect
from demur.compare.markdown import markdown
from demur.compare.page import write_page
from demur.compare.sheets import write_csv
from demur.compare.summary import summarise
from demur.compare.terminal import tables

__all__ = ["RunCells", "collect", "markdown", "summarise", "tables", "write_csv", "write_page"]
