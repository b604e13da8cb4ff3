"""Exports: the training data of a run in the forms that other trainers read, with a card."""

from demur.export.base import Format, Material
from demur.export.export import export_run
from demur.export.targets import EXPORTS

__all__ = ["EXPORTS", "Format", "Material", "export_run"]
