"""FSDP2, and DeepSpeed where it is installed, in two processes on a CPU, beside one process.

    python benchmarks/sharded_cpu.py

accelerate carries these out on accelerators only; on a CPU it quietly takes DDP, which Demur refuses. Here
its check for a device is lifted, in the training processes of this script alone, so that everything else of
the path can be seen at work without an accelerator: what is divided, trained, checkpointed, ended on the
way, gone on with, put together and saved. Nothing is said of speed, or of NCCL.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIFTED = '''
"""Lets accelerate carry out on a CPU what it knows on accelerators."""
import importlib.abc, importlib.util, sys

SWAPS = [
    ("                DistributedType.MULTI_GPU,\\n                DistributedType.MULTI_MLU",
     "                DistributedType.MULTI_CPU,\\n                DistributedType.MULTI_GPU,\\n"
     "                DistributedType.MULTI_MLU"),
    ('if not cpu and self.backend != "xla":', 'if self.backend != "xla":'),
    ('"false").lower() == "true" and not cpu:', '"false").lower() == "true":'),
    ('device = str(self.distributed_type)',
     'self.device = torch.device("cpu"); return\\n        device = str()'),
]

class Lift(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name == "accelerate.state":
            sys.meta_path.remove(self)
            self.path = importlib.util.find_spec(name).origin
            return importlib.util.spec_from_loader(name, self, origin=self.path)

    def exec_module(self, module):
        text = open(self.path).read()
        for old, new in SWAPS:
            assert old in text, old
            text = text.replace(old, new)
        exec(compile(text, self.path, "exec"), module.__dict__)

sys.meta_path.insert(0, Lift())
'''
OPTIONS = {
    "an adapter": {"learning_rate": 5e-3, "epochs": 2, "batch_size": 6, "save_steps": 2},
    "every weight": {"lora": False, "learning_rate": 1e-4, "epochs": 2, "batch_size": 6, "save_steps": 2},
}
STRATEGIES = ("fsdp", "deepspeed", "deepspeed-zero3")


def rows_of(count: int) -> list[Any]:
    """Rows of unequal length, with unequal shares of supervised tokens."""
    from demur.training.plan import TokenisedRow

    draw = random.Random(0)
    rows = []
    for _ in range(count):
        length = draw.randint(4, 24)
        supervised = draw.randint(1, length - 1)
        mask = [0] * (length - supervised) + [1] * supervised
        ids = [draw.randrange(5, 200) for _ in range(length)]
        rows.append(TokenisedRow(input_ids=ids, completion_mask=mask))
    return rows


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return {name: v for file in folder.glob("*.safetensors") for name, v in load_file(file).items()}


def compare(strategy: str, options: dict[str, Any], folder: Path) -> str:
    """One line: what ran, and the largest difference of a weight."""
    from demur.core.config import TrainingSettings
    from demur.core.errors import DemurError
    from demur.engines import Opening
    from demur.engines.hf import HFEngine
    from demur.pocket import bundled_model
    from demur.training.launch import InThisProcess
    from demur.training.processes import Job, train_in_processes
    from demur.training.strategies import FOLDER, KINDS, Strategy, read_accelerate

    config = FOLDER / f"{strategy}.yaml"
    kind = KINDS[read_accelerate(config).distributed_type.value]
    settings, rows, model = TrainingSettings(**options), rows_of(26), str(bundled_model())
    opening = Opening(model, dtype="float32", device="cpu")
    chosen = Strategy(kind=kind, config=config, processes=2)
    job = Job(opening=opening, start=None, settings=settings, seed=3, strategy=chosen)
    try:
        with contextlib.suppress(EndedError):
            train_in_processes(job, rows, folder / "two", on_cpu=True, progress=interrupt(after=4))
        done: list[int] = []
        ran = train_in_processes(job, rows, folder / "two", on_cpu=True, progress=done.append)
    except DemurError as error:
        return f"failed: {error.found}"
    alone = InThisProcess(HFEngine.open(opening), seed=3)
    alone.tune(rows, settings, folder / "work", lambda _: None)
    alone.save(folder / "one")
    one, two = weights(folder / "one"), weights(folder / "two/model")
    missing = sorted(one.keys() - two.keys())
    largest = max((one[name] - two[name]).abs().max().item() for name in one.keys() & two.keys())
    return (
        f"{ran['wrapped_by']}, {ran['processes']} processes, {ran['backend']}, from step {done[0] - 1} of "
        f"{sum(done)} on: largest difference {largest:.1e}; missing: {', '.join(missing) or 'nothing'}"
    )


class EndedError(Exception):
    """The first attempt ends here."""


def interrupt(*, after: int) -> Callable[[int], None]:
    """Progress that ends the processes after so many steps."""
    seen = 0

    def count(steps: int) -> None:
        nonlocal seen
        seen += steps
        if seen > after:
            raise EndedError

    return count


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        lifted = Path(name) / "lifted"
        lifted.mkdir()
        (lifted / "sitecustomize.py").write_text(LIFTED)
        os.environ["PYTHONPATH"] = os.pathsep.join([str(lifted), os.environ.get("PYTHONPATH", "")])
        os.environ |= {"OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}
        for strategy in STRATEGIES:
            if strategy.startswith("deepspeed") and importlib.util.find_spec("deepspeed") is None:
                print(f"{strategy}: DeepSpeed is not installed")
                continue
            for what, options in OPTIONS.items():
                line = compare(strategy, options, Path(name) / f"{strategy} {what}")
                print(f"{strategy}, {what}: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
