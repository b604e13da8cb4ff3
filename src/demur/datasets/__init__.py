"""Datasets: one file each, the published format in, Questions out, with their splits and hygiene."""

from demur.core.config import DataSettings
from demur.datasets.base import Dataset, RawData
from demur.datasets.loading import LoadedData, load_questions
from demur.datasets.report import DataReport
from demur.datasets.targets import DATASETS

__all__ = [
    "DATASETS",
    "DataReport",
    "DataSettings",
    "Dataset",
    "LoadedData",
    "RawData",
    "load_questions",
]
