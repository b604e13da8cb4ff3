"""The bridge to lm-evaluation-harness: its tasks measure what tuning cost, and our questions run in it."""

from demur.harness.export import export_tasks
from demur.harness.tax import measure_tax

__all__ = ["export_tasks", "measure_tax"]
