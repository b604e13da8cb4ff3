"""Two real processes on the CPU train as one does, are killed, stopped, and go on."""

import contextlib
import json
import os
import random
import signal
import threading
import time

import psutil
import pytest
from safetensors.torch import load_file

from demur.core import stopping
from demur.core.config import TrainingSettings
from demur.core.errors import TrainingError
from demur.core.stopping import Stopped
from demur.engines import Opening
from demur.engines.hf import HFEngine
from demur.pocket import bundled_model
from demur.training.checkpoints import MARK
from demur.training.launch import InThisProcess
from demur.training.plan import TokenisedRow, count_steps
from demur.training.processes import Job, train_in_processes
from demur.training.strategies import FOLDER, Strategy

pytestmark = pytest.mark.slow

OPENING = Opening(str(bundled_model()), dtype="float32", device="cpu")
DDP = Strategy(kind="ddp", config=FOLDER / "ddp.yaml", processes=2)
SETTINGS = {"learning_rate": 5e-3, "epochs": 2, "batch_size": 6, "accumulate": 1, "save_steps": 1}
SEED = 3
TOLERANCE = 1e-5
"""Largest difference of a weight; they are up to 0.3 and move by some 0.05. Sums in another order differ by
about 1e-7 of a gradient, which AdamW's division by its size passes on."""


def rows_of(count, seed=0):
    """Rows of 4 to 24 tokens, of which 1 to all but one are supervised: unequal shares in each process."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        length = draw.randint(4, 24)
        supervised = draw.randint(1, length - 1)
        rows.append(
            TokenisedRow(
                input_ids=[draw.randrange(5, 200) for _ in range(length)],
                completion_mask=[0] * (length - supervised) + [1] * supervised,
            )
        )
    return rows


ROWS = rows_of(
    26
)  # 26 = 4 x 6 + 2: the last update of a pass has two rows, and three places in each process


def engine():
    return HFEngine.open(OPENING)


def in_one(folder, *, rows=ROWS, **changes):
    tuner = InThisProcess(engine(), seed=SEED)
    tuner.tune(rows, TrainingSettings(**{**SETTINGS, **changes}), folder / "work", lambda _: None)
    tuner.save(folder / "model")
    return weights(folder / "model")


def job(strategy=DDP, **changes):
    settings = TrainingSettings(**{**SETTINGS, **changes})
    return Job(opening=OPENING, start=None, settings=settings, seed=SEED, strategy=strategy)


def in_two(folder, *, rows=ROWS, progress=lambda _: None, **options):
    ran = train_in_processes(job(**options), rows, folder, on_cpu=True, progress=progress)
    return weights(folder / "model"), ran


def weights(folder):
    return {n: v for file in folder.glob("*.safetensors") for n, v in load_file(file).items()}


def difference(first, second):
    assert first.keys() == second.keys()
    return max((first[name] - second[name]).abs().max().item() for name in first)


def test_a_killed_process_ends_with_an_error_and_the_rest_is_as_in_one_process(tmp_path):
    """Killed in the second pass (steps 6 to 10), whose order is not that of the first."""
    folder, steps = tmp_path / "sft", []
    killer = threading.Thread(target=kill_one_process_after, args=(folder / "checkpoint-7" / MARK,))
    killer.start()
    with pytest.raises(TrainingError) as failed:
        in_two(folder)
    killer.join()
    assert "was ended by SIGKILL" in failed.value.found
    assert failed.value.where == str(folder / "log.txt")
    assert not (folder / "model").exists()
    assert not workers(), "the other process was ended, too"
    log = (folder / "log.txt").stat().st_size
    tuned, ran = in_two(folder, progress=steps.append)
    assert steps[0] >= 7, "the first report holds the steps of the checkpoint"
    assert sum(steps) == count_steps(26, TrainingSettings(**SETTINGS)) == 10
    assert (folder / "log.txt").stat().st_size >= log, "what failed before can still be read"
    alone = in_one(tmp_path)
    assert difference(alone, tuned) < TOLERANCE
    moved = max(value.abs().max().item() for name, value in alone.items() if "lora_B" in name)
    assert moved > 1000 * TOLERANCE, "lora_B begins at zero: it was trained, far beyond the tolerance"
    assert ran == {
        "kind": "ddp",
        "distributed_type": "MULTI_CPU",
        "wrapped_by": "DistributedDataParallel",
        "zero_stage": None,
        "processes": 2,
        "backend": "gloo",
        "device": "cpu",
    }


def kill_one_process_after(mark):
    while not mark.exists():
        time.sleep(0.002)
    workers()[-1].kill()


def workers():
    """The training processes that this one has started."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            line = process.cmdline()
            if "demur.training.worker" in line and "accelerate.commands.launch" not in line:
                found.append(process)
    return found


def test_what_runs_instead_of_the_strategy_is_refused(tmp_path):
    """On a CPU accelerate makes DDP of FSDP without a word."""
    fsdp = Strategy(kind="fsdp", config=FOLDER / "fsdp.yaml", processes=2)
    with pytest.raises(TrainingError) as failed:
        in_two(tmp_path / "sft", strategy=fsdp)
    assert "training by fsdp in 2 processes" in failed.value.expected
    assert "ddp in 2 processes (MULTI_CPU, the model is a DistributedDataParallel)" in failed.value.found
    assert not (tmp_path / "sft/model").exists()


def test_a_run_stops_when_asked_and_goes_on_through_its_rounds(tmp_path, signals):
    """In the second round the rows depend on what the model of the first one says."""
    from demur.core.config import load_config
    from demur.pipeline.pipeline import Pipeline

    def run(name, **more):
        given = {"out": tmp_path / name, "baselines": "", "rounds": 2, "data.limit": 60, **CUT, **more}
        return Pipeline(load_config(None, given)).run(until="train").root

    alone, out = run("one"), tmp_path / "two"
    together = {"training.launch.strategy": "ddp", "training.launch.processes": 2}
    stopper = threading.Thread(target=stop_after, args=(out, "checkpoint-5"))
    stopper.start()
    with pytest.raises(Stopped) as stopped:
        run("two", **together)
    stopper.join()
    signals()
    assert stopped.value.code == 143
    (stage,) = out.glob("work/training/*/*/round1/sft")
    whole = [int(mark.parent.name.rpartition("-")[2]) for mark in stage.glob(f"checkpoint-*/{MARK}")]
    assert 5 <= max(whole) < 50, "60 rows, 6 an update, 5 passes: stopped before the last step"
    assert not (stage / "model").exists()
    assert not workers()
    run("two", **together)
    assert (out / "systems/r-tuning/training/round2-sft.jsonl").read_bytes() == (
        alone / "systems/r-tuning/training/round2-sft.jsonl"
    ).read_bytes()
    tuned = out / "systems/r-tuning/model"
    assert difference(weights(alone / "systems/r-tuning/model"), weights(tuned)) < TOLERANCE
    assert difference(weights(bundled_model()), weights(tuned)) > 100 * TOLERANCE
    notes, plain = (
        json.loads((folder / "manifest.json").read_text())["stages"]["train/r-tuning"]
        for folder in (out, alone)
    )
    assert notes["plan"] == plain["plan"]
    assert notes["drift"] == plain["drift"]
    assert notes["plan"]["sft"]["steps"] == 50
    assert {name: ran["kind"] for name, ran in notes["processes"].items()} == {
        "sft": "ddp",
        "round2-sft": "ddp",
    }
    assert "processes" not in plain
    assert {"model.safetensors", "demur.json"} <= {path.name for path in tuned.iterdir()}
    assert not list(tuned.glob("*.bin")), "no pickle"


CUT = {
    "training.lora": "false",
    "training.learning_rate": 1e-4,
    "training.batch_size": 3,
    "training.accumulate": 2,
    "training.epochs": 5,
    "training.save_steps": 5,
    "r_tuning.loss": "all",
}
"""Every weight is tuned. Three rows do not divide; each process reads 3 of an update's 6 rows at once."""


def stop_after(out, checkpoint):
    while not list(out.glob(f"work/training/*/*/round1/sft/{checkpoint}/{MARK}")):
        time.sleep(0.002)
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def signals():
    """Signals as the command line has them, put back afterwards; a call forgets the last one."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def forget():
        stopping._asked, stopping._depth = None, 0

    stopping.stop_on_signals()
    yield forget
    forget()
    for number, handler in before.items():
        signal.signal(number, handler)
