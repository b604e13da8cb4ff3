"""From a model and questions to an honest model and a report: the stages, in one direction.

Each stage has a hash of everything it depends on. A stage whose hash stands in the manifest, and whose
output is there, is skipped; an interrupted one resumes.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping

from demur.core.config import Config
from demur.core.errors import ConfigError
from demur.core.files import delete
from demur.core.progress import Listener
from demur.pipeline import prompts
from demur.pipeline.job import Job
from demur.pipeline.stages import build, data, evaluate, fit, predict, probe, report, train
from demur.pipeline.systems import check_tuning
from demur.runfolder.finished import FinishedRun
from demur.runfolder.folder import RunFolder
from demur.runfolder.manifest import Manifest

STAGES: Mapping[str, Callable[[Job], None]] = {
    "data": data.run,
    "probe": probe.run,
    "build": build.run,
    "train": train.run,
    "fit": fit.run,
    "predict": predict.run,
    "evaluate": evaluate.run,
    "report": report.run,
}
"""The stages in their order; each needs all before it."""


_TRAINING = threading.RLock()


class Pipeline:
    """One run, from its data to its report.

    Args:
        config: everything the run depends on.
        listener: who is told how it gets on.
        update: redo what a changed configuration changes, where the folder holds another run of it.

    Raises:
        UnknownNameError: a method, judge, engine, estimator or dataset that does not exist.
        ConfigError: the model that judges cannot be asked: a wrong address, a missing key or package.
    """

    def __init__(self, config: Config, *, listener: Listener | None = None, update: bool = False) -> None:
        self.job, self.update = Job(config, listener=listener), update

    def run(self, until: str = "report") -> RunFolder:
        """Carry out every stage up to ``until``; what is done already is not done again.

        Raises:
            DemurError: anything the user can correct; the next call resumes the run.
        """
        stages = list(STAGES)[: list(STAGES).index(until) + 1]
        if "train" not in stages:
            return self._run(stages)
        check_tuning(self.job.config)
        with _training_alone():
            return self._run(stages)

    def _run(self, stages: list[str]) -> RunFolder:
        job, folder = self.job, self.job.folder
        job.loaded = job.load()  # bad input is found before anything is written
        job.check_model()
        prompts.settle(job, update=self.update)
        if "train" in stages and job.tuned:
            job.check_tokenizer()
        folder.check_claim(job.config, update=self.update)  # nothing is written into somebody else's folder
        with folder.locked():
            folder.check_claim(job.config, update=self.update)  # another process may have been at work
            job.listener.path = folder.progress
            job.manifest = Manifest.open(folder.manifest, job.config)
            job.manifest.claim(job.config)
            job.note_dtype()
            for stage in stages:
                STAGES[stage](job)
        if "report" in stages:
            delete(folder.work)
        for refused in FinishedRun.open(folder.root, evaluated=False).refused.values():
            job.listener.note(refused.sentence(folder.root))
        return folder


@contextlib.contextmanager
def _training_alone() -> Iterator[None]:
    """Keep a second thread from training: accelerate keeps what it trains on in one place of the process.

    Raises:
        ConfigError: another thread of this process is in a run that trains.
    """
    if not _TRAINING.acquire(blocking=False):
        raise ConfigError(
            expected="one run that trains at a time in a process",
            found="another thread of this process is in one",
            fix="start the runs one after another, or each in a process of its own (`demur run`)",
        )
    try:
        yield
    finally:
        _TRAINING.release()
