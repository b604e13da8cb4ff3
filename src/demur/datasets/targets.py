"""The registry of datasets: a name here is a name in the command line, the docs and the report."""

from demur.core.registry import Registry
from demur.datasets.base import Dataset

DATASETS: Registry[Dataset] = Registry(
    "dataset",
    {
        "pararel": "demur.datasets.pararel:PARAREL",
        "mmlu": "demur.datasets.mmlu:MMLU",
        "wice": "demur.datasets.wice:WICE",
        "hotpotqa": "demur.datasets.hotpotqa:HOTPOTQA",
        "fever": "demur.datasets.fever:FEVER",
        "selfaware": "demur.datasets.selfaware:SELFAWARE",
        "halueval": "demur.datasets.halueval:HALUEVAL",
        "asqa": "demur.datasets.asqa:ASQA",
        "falseqa": "demur.datasets.falseqa:FALSEQA",
        "nec": "demur.datasets.unknownbench:NEC",
        "refunq": "demur.datasets.unknownbench:REFUNQ",
        "triviaqa": "demur.datasets.triviaqa:TRIVIAQA",
        "nq-open": "demur.datasets.nq_open:NQ_OPEN",
        "nonambigqa": "demur.datasets.honesty:NONAMBIGQA",
        "puqa": "demur.datasets.honesty:PUQA",
        "pkqa": "demur.datasets.honesty:PKQA",
        "atlas": "demur.datasets.atlas:ATLAS",
        "file": "demur.datasets.user_file:FILE",
        # The pocket world stands on a higher floor: it is reached by name only, when it is asked for.
        "pocket": "demur.pocket.dataset:DATASET",
        "pocket-2": "demur.pocket.dataset:POCKET_2_OPEN",
        "pocket-2-choice": "demur.pocket.dataset:POCKET_2_CHOICE",
        "pocket-reader": "demur.pocket.dataset:POCKET_READER_PASSAGES",
    },
    group="demur.datasets",
    form="a demur.datasets.Dataset",
    fits=lambda name, found: isinstance(found, Dataset) and found.name == name,
)
