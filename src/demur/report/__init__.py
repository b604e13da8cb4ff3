"""What a run says to people: the HTML report, the headline in plain words, tables for the terminal."""

from demur.report.controlled import controlled
from demur.report.headline import headline
from demur.report.report import write_csv, write_report
from demur.report.terminal import summary_table

__all__ = ["controlled", "headline", "summary_table", "write_csv", "write_report"]
