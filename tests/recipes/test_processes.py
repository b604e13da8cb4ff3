"""Two real processes on the CPU train as one does, are killed, stopped, and go on."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
import torch
from safetensors.torch import load_file

from demur.config import TrainingSettings
from demur.engines.hf import HFEngine
from demur.errors import TrainingError
from demur.pocket import bundled_model
from demur.training.checkpoints import MARK
from demur.training.launch import Here, InProcesses
from demur.training.plan import TokenisedRow, count_steps
from demur.training.processes import Job, Source, train_in_processes
from demur.training.strategies import FOLDER, Strategy

pytestmark = pytest.mark.slow

SOURCE = Source(
    path=str(bundled_model()), revision=None, dtype="float32", device="cpu", trust_remote_code=False
)
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


ROWS = rows_of(26)  # 26 = 4 x 6 + 2: the last update of a pass has two rows, and three places in each process


def engine():
    return HFEngine.open(SOURCE.path, device="cpu", dtype="float32")


def in_one(folder, *, rows=ROWS, **changes):
    tuner = Here(engine(), seed=SEED)
    tuner.tune(rows, TrainingSettings(**{**SETTINGS, **changes}), folder / "work", lambda _: None)
    tuner.save(folder / "model")
    return weights(folder / "model")


def job(strategy=DDP, **changes):
    settings = TrainingSettings(**{**SETTINGS, **changes})
    return Job(source=SOURCE, start=None, settings=settings, seed=SEED, strategy=strategy)


def in_two(folder, *, rows=ROWS, progress=lambda _: None, **options):
    ran = train_in_processes(job(**options), rows, folder, on_cpu=True, progress=progress)
    return weights(folder / "model"), ran


def weights(folder):
    return {n: v for file in folder.glob("*.safetensors") for n, v in load_file(file).items()}


def difference(first, second):
    assert first.keys() == second.keys()
    return max((first[name] - second[name]).abs().max().item() for name in first)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder, steps = tmp_path_factory.mktemp("two") / "sft", []
    tuned, ran = in_two(folder, progress=steps.append)
    return tuned, ran, steps


def test_an_adapter_is_the_one_that_one_process_tunes(undisturbed, tmp_path):
    tuned, ran, steps = undisturbed
    alone = in_one(tmp_path)
    assert difference(alone, tuned) < TOLERANCE
    moved = max(v.abs().max().item() for n, v in alone.items() if "lora_B" in n)
    assert moved > 1000 * TOLERANCE, "lora_B begins at zero: it was trained, far beyond the tolerance"
    assert sum(steps) == count_steps(26, TrainingSettings(**SETTINGS)) == 10
    assert ran == {
        "kind": "ddp",
        "distributed_type": "MULTI_CPU",
        "wrapped_by": "DistributedDataParallel",
        "zero_stage": None,
        "processes": 2,
        "backend": "gloo",
        "device": "cpu",
    }


def test_so_are_all_weights(tmp_path):
    """batch_size 3 alone does not divide: each process reads 3 of an update's 6 rows at once, once."""
    options = {"lora": False, "batch_size": 3, "accumulate": 2, "learning_rate": 1e-4, "epochs": 1}
    alone = in_one(tmp_path / "one", **options)
    tuned, ran = in_two(tmp_path / "two", **options)
    assert difference(alone, tuned) < TOLERANCE
    assert difference(alone, weights(bundled_model())) > 10 * TOLERANCE
    assert ran["kind"] == "ddp"


def test_a_killed_process_ends_with_an_error_and_training_goes_on(undisturbed, tmp_path):
    """Killed in the second pass (steps 6 to 10), whose order differs from that of the first."""
    folder = tmp_path / "sft"
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
    steps = []
    tuned, _ = in_two(folder, progress=steps.append)
    assert steps[0] >= 7, "the first report holds the steps of the checkpoint"
    assert (folder / "log.txt").stat().st_size >= log, "what failed before can still be read"
    assert difference(tuned, undisturbed[0]) == 0, "the same additions in the same order"


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


def test_stages_go_on_from_each_other_and_the_engine_answers_as_tuned(tmp_path):
    here, there = engine(), engine()
    settings = TrainingSettings(**{**SETTINGS, "epochs": 1, "save_steps": 100})
    one, two = Here(here, seed=SEED), InProcesses(there, SOURCE, DDP, seed=SEED)
    prompts, options = ["Where does"], [[" the", " a"]]
    untuned = there.score(prompts, options)[0][0]
    for number in (1, 2):
        for name, tuner, asked in (("one", one, here), ("two", two, there)):
            tuner.tune(rows_of(12, seed=number), settings, tmp_path / name / str(number), lambda _: None)
            tuner.put_into(asked)
        scores = [each.score(prompts, options)[0][0] for each in (here, there)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-3)
        assert abs(scores[0] - untuned) > 0.1
        untuned = scores[0]
    one.save(tmp_path / "one/model")
    two.save(tmp_path / "two/model")
    assert difference(weights(tmp_path / "one/model"), weights(tmp_path / "two/model")) < TOLERANCE


def test_the_command_stops_when_asked_and_goes_on(tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "demur", "train", "--out", out, "--limit", "60", "--baselines", "[]"]
    command += ["--launch", "ddp", "--processes", "2", "--training.epochs", "12", "--training.save_steps", "5"]
    log = (tmp_path / "log").open("w+")
    process = subprocess.Popen(command, stdout=log, stderr=log, text=True)
    while process.poll() is None and not list(out.glob("work/training/*/*/round1/sft/checkpoint-*/complete")):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait() == 143, log.seek(0) or log.read()
    (stage,) = out.glob("work/training/*/*/round1/sft")
    whole = [int(mark.parent.name.rpartition("-")[2]) for mark in stage.glob("checkpoint-*/complete")]
    assert max(whole) < 180, "stopped before the last step"
    assert not (stage / "model").exists()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    notes = json.loads((out / "manifest.json").read_text())["stages"]["train/r-tuning"]
    assert notes["plan"]["sft"]["steps"] == 180  # 60 rows, 4 an update, 12 passes
    assert notes["processes"]["sft"]["kind"] == "ddp"
    assert notes["processes"]["sft"]["processes"] == 2
    model = out / "systems/r-tuning/model"
    assert {"adapter_model.safetensors", "demur.json"} <= {path.name for path in model.iterdir()}
    assert not list(model.glob("*.bin")), "no pickle"
    assert torch.isfinite(torch.cat([value.flatten() for value in weights(model).values()])).all()
