"""A run's questions, or any questions, as tasks of lm-evaluation-harness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from demur.core.config import Config
from demur.core.errors import DataError, RunFolderError, UnknownNameError
from demur.core.records import Question, Verdict
from demur.core.signing import is_run
from demur.core.trust import MODEL
from demur.datasets import DATASETS
from demur.datasets.inspection import read_raw
from demur.methods.asking import Asking, by_default
from demur.metrics import splits_of
from demur.pipeline.asking import as_system, plainly
from demur.pipeline.job import Job
from demur.pocket import POCKET_MODELS
from demur.runfolder.finished import FinishedRun
from demur.tax.folder import HarnessTask, write_tasks
from demur.tax.pocket import pocket_tasks
from demur.tax.questions import judged_task, task_name

TAG = "demur"
"""All tasks that ask about refusal."""
KEPT_BACK = ("train", "calibration")
"""Parts that are not exported: what a model was tuned or calibrated on tests nothing."""


def export_tasks(
    source: str, out: Path | None = None, *, path: Path | None = None, system: str | None = None
) -> list[Path]:
    """Write a task for each test part: of a run, asked as one of its systems is, or of a dataset.

    Args:
        source: a run folder, a question file, or a dataset's name.
        out: the folder to write; by default ``exports/lm-eval`` in the run, or ``lm-eval-tasks`` here.
        path: where the dataset lies.
        system: of a run, by default its method: whose prompts and stops.

    Returns:
        The files, the card last.

    Raises:
        RunFolderError: the run has no predictions of the untuned model yet.
        TrustError: the run is not signed by this user, and its model's settings act.
        UnknownNameError: there is no such system or dataset.
        DataError: there are no questions.
    """
    if Path(source).is_dir() and (is_run(Path(source)) or source not in DATASETS):
        run = FinishedRun.open(source, evaluated=False)
        return _of_run(run, out or run.folder.exports("lm-eval"), system)
    asking = by_default()
    tasks = _by_part(read_questions(source, path), asking)
    about = f"From `{path or source}`, asked with Demur's default prompt."
    return write_tasks(tasks, out or Path("lm-eval-tasks"), about=about)


def _of_run(run: FinishedRun, out: Path, system: str | None) -> list[Path]:
    if "base" not in run.predictions:
        raise RunFolderError(
            expected="a run folder with the answers of the untuned model",
            found="no predictions/base.parquet",
            where=str(run.path),
            fix="name the folder that `demur run --out` wrote",
        )
    config = run.settings(acting_on=MODEL).model_copy(update={"out": run.path})
    system = system or config.method
    if system not in (*config.systems, "base"):
        raise UnknownNameError("system", system, (*config.systems, "base"), "--system")
    questions = list(run.questions)
    job = Job(config)
    asking = plainly(job) if system == "base" else as_system(job, system, questions[0])
    before = {row.question_id: row.outcome for row in run.predictions["base"]}
    tasks = _by_part(questions, asking, before)
    tasks += _pocket(config, plainly(job))
    about = f"From a Demur run on `{config.model.path}`, asked as its system `{system}` is."
    return write_tasks(tasks, out, about=about, chat=asking.chat)


def _pocket(config: Config, asking: Asking) -> list[HarnessTask]:
    name = config.model.path
    return pocket_tasks(name, config.seed, asking) if name in POCKET_MODELS else []


def read_questions(source: str, path: Path | None = None) -> list[Question]:
    """Every question of a dataset or of a file.

    Raises:
        DataError: they cannot be read, or there are none.
        UnknownNameError: there is no such dataset.
    """
    file = Path(source)
    found = read_raw("file", file).questions if file.is_file() else read_raw(source, path).questions
    if not found:
        raise DataError(expected="questions", found="none", where=source, fix="check the file's name")
    return list(found)


def tested(questions: Sequence[Question]) -> list[Question]:
    """The questions of parts that are tested on; all, where there are no such parts."""
    return [question for question in questions if question.split not in KEPT_BACK] or list(questions)


def _by_part(
    questions: Sequence[Question], asking: Asking, before: Mapping[str, Verdict] | None = None
) -> list[HarnessTask]:
    """A task for each part that is tested on."""
    parts: dict[str, list[Question]] = {}
    for question in tested(questions):
        parts.setdefault(splits_of(question)[0], []).append(question)
    return [
        judged_task(
            task_name(TAG, part), members, asking, tag=TAG, before=before, about=f"Questions of `{part}`."
        )
        for part, members in parts.items()
    ]
