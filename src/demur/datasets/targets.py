"""The registry of datasets: a name here is a name in the command line, the docs and the report."""

from demur.datasets.base import Dataset
from demur.registry import Registry

DATASETS: Registry[Dataset] = Registry(
    "dataset",
    {
        "pararel": "demur.datasets.pararel:PARAREL",
        "file": "demur.datasets.user_file:FILE",
        # The pocket world stands on a higher floor: it is reached by name only, when it is asked for.
        "pocket": "demur.pocket.dataset:DATASET",
    },
)
