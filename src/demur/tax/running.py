"""lm-evaluation-harness at work: finding tasks by name, and running them on an open model."""

from __future__ import annotations

import contextlib
import difflib
import importlib.util
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.errors import ConfigError, DataError, ModelError
from demur.engines.base import DIRECT

FEWSHOT_SEED = 1234
"""lm-eval's own: the worked examples are those that its command line shows."""
PROCESSOR_BATCH = 32
"""Documents a batch on a processor, where a search for the largest batch costs more than it saves."""
MEANWHILE = "measure offline with questions of your own: `--tasks my_qa.jsonl`"

Sample = Mapping[str, Any]
"""What lm-eval logs of one document; its metrics stand under their names."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """Tasks that are ready to run."""

    loaded: dict[str, Any]
    """lm-eval's tasks by name."""
    rows: dict[str, tuple[str, ...]]
    """What was asked for, and which tasks each of it stands for: a group's are reported together."""

    def settle(self) -> None:
        """Give every task the same worked examples again, as they were before another model was asked."""
        for task in self.loaded.values():
            if task.get_config("num_fewshot") is None:
                task.set_config(key="num_fewshot", value=0)
            task.set_fewshot_seed(seed=FEWSHOT_SEED)


def require_lm_eval() -> None:
    """Raise unless lm-evaluation-harness is installed.

    Raises:
        ConfigError: it is not.
    """
    if importlib.util.find_spec("lm_eval") is None:
        raise ConfigError(
            expected="lm-evaluation-harness, which measures what tuning cost elsewhere",
            found="no package lm_eval",
            fix="pip install 'demur[tax]'",
        )
    logging.getLogger("lm_eval").setLevel(logging.ERROR)


def load_tasks(names: Sequence[str], *, own: Path, own_names: Sequence[str]) -> Tasks:
    """Load tasks by name: our own from a folder, all others from lm-eval and the hub.

    Raises:
        ConfigError: there is no such task, or it runs code or needs a package that is not there.
        DataError: its data cannot be had, such as without a network.
    """
    from lm_eval.tasks import TaskManager

    foreign = [name for name in names if name not in own_names]
    # lm-eval's own index holds some fifteen thousand names and takes seconds to read.
    manager = TaskManager(include_path=[str(own)], include_defaults=bool(foreign))
    for name in foreign:
        _check_name(name, manager.all_tasks)
    loaded: dict[str, Any] = {}
    rows: dict[str, tuple[str, ...]] = {}
    for name in names:
        found = _load(manager, name)
        loaded |= found["tasks"]
        whole = name in found.get("groups", {})
        rows |= {name: tuple(found["tasks"])} if whole else {task: (task,) for task in found["tasks"]}
    return Tasks(loaded, rows)


def run_tasks(
    tasks: Tasks, model: Any, tokenizer: Any, *, chat: bool, batch_size: int | str, limit: int | None
) -> dict[str, list[Sample]]:
    """Every document of every task, asked of one model; what lm-eval logs, by task.

    Args:
        model: a causal LM of transformers; an adapter is merged into it.
        chat: send prompts through the chat template, thinking off, as Demur does.
        limit: so many documents of each task, the first ones.

    Raises:
        ModelError: a prompt does not fit, or the model cannot be run.
    """
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM

    tasks.settle()
    if batch_size == "auto" and model.device.type == "cpu":
        batch_size = PROCESSOR_BATCH
    with contextlib.redirect_stdout(sys.stderr):  # lm-eval prints; our output stays clean
        asked = HFLM(
            pretrained=model,
            tokenizer=tokenizer,
            batch_size=batch_size,
            trust_remote_code=False,
            chat_template_args=dict(DIRECT) if chat else None,
        )
        try:
            results = evaluate(
                lm=asked,
                task_dict={"tasks": tasks.loaded},
                limit=limit,
                bootstrap_iters=0,
                log_samples=True,
                apply_chat_template=chat,
                fewshot_as_multiturn=chat,
            )
        except AssertionError as error:  # how lm-eval says that nothing is left of the context
            raise ModelError(
                expected="a model whose context holds the prompts of every task",
                found=str(error).splitlines()[0] if str(error) else "a prompt that does not fit",
                fix="choose tasks with shorter prompts or answers",
            ) from error
    assert results is not None, "only other ranks of a distributed run get nothing"
    samples: dict[str, list[Sample]] = results["samples"]
    return samples


def _check_name(name: str, known: Sequence[str]) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    raise ConfigError(
        expected=f"one of lm-evaluation-harness's {len(known):,} tasks, `pocket` for a pocket model, or a "
        "question file",
        found=repr(name),
        where="--tasks",
        fix=f"did you mean {', '.join(near)}?" if near else "`lm-eval ls tasks` lists the names",
    )


def _load(manager: Any, name: str) -> Any:
    try:
        found = manager.load([name])
    except ModuleNotFoundError as error:
        raise ConfigError(
            expected=f"what the task {name} needs",
            found=f"no package {error.name}",
            where="--tasks",
            fix=f"pip install {error.name}, or choose another task",
        ) from error
    except Exception as error:  # whatever a dataset's host or file answers
        raise _no_data(name, error) from error
    unsafe = [task for task, item in found["tasks"].items() if getattr(item, "UNSAFE_CODE", False)]
    if unsafe:
        raise ConfigError(
            expected="tasks that run nothing that a model wrote",
            found=f"{unsafe[0]}, which executes generated code",
            where="--tasks",
            fix="choose another task, or run this one with lm-eval itself where that is safe",
        )
    return found


def _no_data(name: str, error: Exception) -> DataError:
    from demur.engines.loading import is_unreachable

    lines = str(error).strip().splitlines() or [type(error).__name__]
    return DataError(
        expected=f"the data of the task {name}",
        found="a hub that cannot be reached" if is_unreachable(error) else lines[0],
        where="--tasks",
        fix=f"try again with a network, or {MEANWHILE}",
    )
