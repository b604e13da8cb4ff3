"""The bridge to lm-evaluation-harness: its tasks measure what tuning cost, and our questions run in it."""

from demur.tax.export import export_tasks
from demur.tax.tax import measure_tax

__all__ = ["export_tasks", "measure_tax"]
