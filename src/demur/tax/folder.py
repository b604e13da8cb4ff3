"""A folder of tasks for lm-evaluation-harness: YAML and documents of each, one ``utils.py``, a card."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from demur.core.files import atomic_path, write_json_lines, write_text
from demur.core.layout import README
from demur.core.version import __version__
from demur.metrics import METRICS

UTILS = Path(__file__).parent / "exported_utils.py"
VERSION = 1
"""Of the tasks: raised whenever the same documents would be asked or judged in another way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessTask:
    """One task: how lm-eval asks and measures, and what it asks."""

    name: str
    tag: str
    """Names several tasks at once: `--tasks TAG`."""
    about: str
    """What it asks, in a sentence."""
    settings: Mapping[str, Any]
    """lm-eval's own: output type, prompt, metrics."""
    documents: Sequence[Mapping[str, Any]]
    """JSON values; all with the same keys, of the same types."""


class Function(str):
    """A name in ``utils.py``, which YAML for lm-eval writes as ``!function utils.NAME``."""


class _Dumper(yaml.SafeDumper):
    """YAML as lm-eval reads it."""


_Dumper.add_representer(
    Function, lambda dumper, name: dumper.represent_scalar("!function", f"utils.{name}")
)


def metrics_of(names: Sequence[str]) -> list[dict[str, Any]]:
    """Demur's metrics as a ``metric_list``, with their directions, and the count of what was not judged."""
    better = {"higher": True, "lower": False, "neither": None}
    found: list[dict[str, Any]] = [
        {
            "metric": name,
            "aggregation": Function(name),
            "higher_is_better": better[METRICS.get(name).better],
        }
        for name in names
    ]
    return [*found, {"metric": "unscored", "aggregation": Function("unscored"), "higher_is_better": False}]


def write_tasks(tasks: Sequence[HarnessTask], out: Path, *, about: str, chat: bool = False) -> list[Path]:
    """Write tasks into a folder; files of the same names are replaced, each as a whole.

    Args:
        about: where the questions come from, in Markdown, for the card.
        chat: the prompts are for a model that is asked through its chat template.

    Returns:
        The files, the card last.
    """
    files = [path for task in tasks for path in _write_task(task, out)]
    with atomic_path(out / "utils.py") as partial:
        shutil.copyfile(UTILS, partial)
    write_text(out / README, "\n".join(_card(tasks, about, chat=chat)) + "\n")
    return [*files, out / "utils.py", out / README]


def _write_task(task: HarnessTask, out: Path) -> tuple[Path, Path]:
    config, data = out / f"{task.name}.yaml", out / f"{task.name}.jsonl"
    settings = {
        "task": task.name,
        "tag": task.tag,
        "custom_dataset": Function("documents"),
        "dataset_kwargs": {"file": data.name},
        "test_split": "test",
        **task.settings,
        "metadata": {"version": VERSION},
    }
    write_json_lines(data, task.documents)
    text = yaml.dump(settings, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    write_text(config, f"# {task.about}\n{text}")
    return config, data


def _card(tasks: Sequence[HarnessTask], about: str, *, chat: bool) -> Iterator[str]:
    tags = list(dict.fromkeys(task.tag for task in tasks))
    yield from ("# Tasks for lm-evaluation-harness", "", f"{about} Written by Demur {__version__}.")
    yield from ("", "| task | documents | what it asks |", "| --- | --- | --- |")
    yield from (f"| `{task.name}` | {len(task.documents):,} | {task.about} |" for task in tasks)
    template = " --apply_chat_template" if chat else ""
    yield from ("", "## How to run them", "", "```")
    yield "lm-eval run --model hf --model_args pretrained=MODEL --include_path . \\"
    yield f"  --tasks {','.join(tags)} --log_samples --output_path results{template}"
    yield from ("```", "", CODE, "", "## What is measured", "", MEASURED)


CODE = """\
An adapter is added with `peft=ADAPTER` in `--model_args`.

**`utils.py` in this folder is Python code, and lm-eval runs it.** Read it before you run tasks that
somebody gave you: it should do no more than read the documents and call `demur`. It needs
`pip install demur`, without extras, beside lm-eval (tested with 0.4.13)."""

MEASURED = """\
Answers are generated greedily and judged by Demur: right, wrong, refused in words, or not to be judged
(`unscored`: in no share). Documents name the rule, the accepted answers and, where the tasks come from a
run, what became of the question before tuning (`before`). A refusal that is decided by a threshold on a
confidence, such as R-Tuning's, needs a second question that lm-eval does not ask: such a system shows its
plain answers here. An empty value is undefined, which is not zero; lm-eval gives these metrics no standard
error."""
