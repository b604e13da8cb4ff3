"""Exports: the training data of a run in the forms that other trainers read, with a card."""

from demur.exports.base import Format, Material
from demur.exports.targets import EXPORTS
from demur.exports.work import export_run

__all__ = ["EXPORTS", "Format", "Material", "export_run"]
