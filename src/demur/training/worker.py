"""One of several processes that train together; `demur.training.processes` has them started.

accelerate launch … --module demur.training.worker JOB.json
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import select
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import psutil

from demur.core.console import quiet_libraries
from demur.core.errors import DemurError, ResourceError
from demur.core.files import atomic_folder, open_own, write_json
from demur.core.stopping import Stopped, asked_to_stop, stop_on_signals
from demur.training.processes import MODEL, RAN, STEPS, STOP, Job, read_rows

OWNER_SECONDS = 1.0
"""How often a process looks whether it is still watched, where the system does not wake it up."""


def main() -> None:
    """Carry out this process's part of the job; what went wrong is left as ``error-RANK.json``."""
    quiet_libraries()
    stop_on_signals()
    path = Path(sys.argv[1])
    job, folder = Job.read(path), path.parent
    threading.Thread(target=_end_with, args=job.owner, daemon=True).start()
    try:
        work(job, folder)
    except Stopped:
        raise
    except Exception as error:
        traceback.print_exc()
        write_json(folder / f"error-{os.environ.get('RANK', '0')}.json", _described(error))
        sys.exit(1)


def work(job: Job, folder: Path) -> None:
    """Train, with the other processes, and save where nobody asked to stop.

    Raises:
        TrainingError: another strategy ran than was asked for.
        TrainingDataError: the loss became no number.
    """
    from accelerate import PartialState

    from demur.engines.loading import pick_device, pick_dtype
    from demur.training.checkpoints import Report, StopWhenAsked
    from demur.training.sft import arguments, fit, prepare

    device = pick_device(job.opening.device)
    dtype = str(pick_dtype(job.opening.dtype, device)).removeprefix("torch.")
    chosen = arguments(
        job.settings,
        seed=job.seed,
        output=folder,
        on_cpu=device.type == "cpu",
        processes=job.strategy.processes,
        # DeepSpeed takes every weight to float32 unless it is told otherwise
        bf16=job.strategy.kind == "deepspeed" and dtype == "bfloat16",
    )
    first = chosen.process_index == 0
    model, tokenizer = _open(job, dtype, chosen.device)
    stop = StopWhenAsked(lambda: asked_to_stop() or (first and (folder / STOP).exists()))
    trainer = prepare(
        model,
        tokenizer,
        read_rows(folder),
        settings=job.settings,
        arguments=chosen,
        callbacks=[stop, *([Report(_counter(folder / STEPS))] if first else [])],
    )
    trainer.add_callback(_strategy_check(trainer, job, folder))
    fit(trainer)
    if not stop.stopped:
        _save(trainer, folder / MODEL)
    PartialState().wait_for_everyone()
    PartialState().destroy_process_group()


def _open(job: Job, dtype: str, device: Any) -> tuple[Any, Any]:
    """The model to tune, with the adapter or weights that training goes on from."""
    from demur.engines.loading import load

    start = job.start
    adapter = start is not None and (start / "adapter_config.json").exists()
    # What divides the weights takes them from the processor's memory and places them itself.
    place = str(device) if job.strategy.kind == "ddp" else "cpu"
    base = {} if start is None or adapter else {"path": start, "revision": None}
    changes: dict[str, Any] = {**base, "dtype": dtype, "device": place, "quantize": job.settings.quantize}
    model, tokenizer = load(dataclasses.replace(job.opening, **changes))
    if adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(start), is_trainable=True)
    return model, tokenizer


def _strategy_check(trainer: Any, job: Job, folder: Path) -> Any:
    """A callback that looks, as training begins, at what really runs."""
    from transformers import TrainerCallback

    from demur.training.strategies import require_ran, what_ran

    class Check(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            found = what_ran(trainer)
            require_ran(job.strategy, found)
            if state.is_world_process_zero:
                write_json(folder / RAN, found)

    return Check()


def _save(trainer: Any, path: Path) -> None:
    """Put the tuned weights together and write them, in safetensors form only."""
    fsdp = getattr(trainer.accelerator.state, "fsdp_plugin", None)
    if trainer.is_fsdp_enabled and fsdp is not None:
        fsdp.set_state_dict_type("FULL_STATE_DICT")  # whatever form the checkpoints have
    writes = trainer.is_world_process_zero()
    with atomic_folder(path) if writes else contextlib.nullcontext(path) as partial:
        trainer.save_model(str(partial))
        if writes:
            (partial / "training_args.bin").unlink(missing_ok=True)  # a pickle


def _counter(path: Path) -> Any:
    def count(steps: int) -> None:
        with open_own(path, "ab") as handle:
            handle.write(b"." * steps)

    return count


def _described(error: Exception) -> dict[str, Any]:
    """An error as the process that watches will raise it."""
    import torch

    if isinstance(error, torch.OutOfMemoryError):
        error = ResourceError(
            expected="room for the model, its gradients and a batch on each device",
            found="a device whose memory ran out",
            where="training.batch_size",
            fix="use a smaller training.batch_size with a larger training.accumulate, training.quantize, "
            "training.gradient_checkpointing, or fsdp, which divides the weights",
        )
    if not isinstance(error, DemurError):
        first = (str(error).strip().splitlines() or [""])[0]
        return {"type": "TrainingError", "found": f"{type(error).__name__}: {first}", "fix": None}
    values = {name: getattr(error, name) for name in ("expected", "found", "where", "fix")}
    return {"type": type(error).__name__, **values}


def _end_with(pid: int, started: float) -> None:
    """End this process when the one that watches it is gone, however that came."""
    with contextlib.suppress(AttributeError, OSError):  # neither Windows nor macOS has it
        handle = os.pidfd_open(pid)
        if _is_alive(pid, started):  # and so the handle is its own
            select.select([handle], [], [])  # wakes up once, when it ends
    while _is_alive(pid, started):
        time.sleep(OWNER_SECONDS)
    os._exit(1)


def _is_alive(pid: int, started: float) -> bool:
    """Whether the process of that id is the one that began then, and still runs."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        began_then = abs(process.create_time() - started) < 1
        return began_then and process.status() != psutil.STATUS_ZOMBIE
    return False


if __name__ == "__main__":
    main()
