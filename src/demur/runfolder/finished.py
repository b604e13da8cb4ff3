"""A run folder that holds results: the one place where its files are opened.

What is opened is read when it is first asked for. Rows stay on disk: a sequence of them reads a part at a
time, whenever it is gone through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from demur.core import layout
from demur.core.config import Config, load_config
from demur.core.errors import RunFolderError, UnknownNameError
from demur.core.files import read_object
from demur.core.names import require_name
from demur.core.records import (
    AnsweredQuestion,
    Example,
    Prediction,
    Probe,
    Question,
    read_jsonl,
)
from demur.core.stored import StoredRows, checked, row_groups
from demur.core.trust import NOTHING, settings_of
from demur.runfolder import digests, provenance, shapes
from demur.runfolder.card import read_card
from demur.runfolder.digests import unfit
from demur.runfolder.folder import RunFolder
from demur.runfolder.manifest import as_computed
from demur.runfolder.provenance import Finding, Refused

R = TypeVar("R", Question, Prediction, Probe)
JsonObject = dict[str, Any]


def open_run(path: Path | str) -> FinishedRun:
    """Open the folder of a finished run: its questions, predictions, metrics and what was found of them.

    Each file is read when it is first used, and no model is loaded; `demur.load` opens a model to ask.

    Args:
        path: the run folder, as `demur run --out` wrote it. Those of version 0.1.0 can be opened too.

    Raises:
        RunFolderError: it was not evaluated, or links lead out of it.

    Example:
        >>> run = demur.open_run("runs/mine")
        >>> run.metrics["metrics"].keys()
    """
    return FinishedRun.open(path)


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """What a finished run has on disk, without its models.

    JSON files are read once, when they are first used. Every property raises a `RunFolderError` where
    its file is missing or cannot be read.
    """

    folder: RunFolder
    """The paths inside it."""
    in_memory: bool = False
    """Whether questions, predictions and probes are read once as lists."""
    _looked: dict[str, Finding] = field(default_factory=dict, init=False, repr=False)
    _whole: set[Path] = field(default_factory=set, init=False, repr=False)
    """What was compared with its record."""

    @classmethod
    def open(cls, path: Path | str, *, evaluated: bool = True, in_memory: bool = False) -> FinishedRun:
        """Open a run folder.

        Args:
            path: the run folder.
            evaluated: require the run's metrics; without, a run that ended earlier can be opened too.
            in_memory: read the rows once, as lists, and check that each prediction is of a question: for
                code that iterates over all rows several times.

        Raises:
            RunFolderError: it has no metrics, links lead out of it, or the rows do not belong together.
        """
        run = cls(RunFolder(Path(path)), in_memory=in_memory)
        if in_memory:
            run._check_rows()
        elif evaluated:
            run._existing(run.folder.metrics, made_by="demur evaluate")
        return run

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.root

    # -- how it was made ------------------------------------------------------------------------

    @cached_property
    def manifest(self) -> JsonObject:
        """``manifest.json``: versions, seed, stages with their seconds and memory, what systems are."""
        path = self._there(self.folder.manifest, made_by="demur run")
        return digests.read_manifest(path, systems=dict)

    @cached_property
    def config(self) -> Config:
        """The resolved configuration, for reading: of somebody else's run without settings that act."""
        return self.settings()

    def settings(
        self, *, acting_on: tuple[str, ...] = NOTHING, given: Mapping[str, Any] | None = None
    ) -> Config:
        """The resolved configuration, as a command may act on it; see `demur.core.trust.settings_of`.

        Raises:
            TrustError: the run is not signed by this user, and a setting that the command acts on is not
                harmless.
            ConfigError: the configuration cannot be read, or a value is wrong.
        """
        self._existing(self.folder.config, made_by="demur run")
        return as_computed(self.path, settings_of(self.path, acting_on=acting_on, given=given))

    @property
    def written_config(self) -> Config:
        """The configuration with every setting as it is written: to compare runs by, never to act on."""
        return load_config(self._existing(self.folder.config, made_by="demur run"))

    @cached_property
    def config_text(self) -> str:
        """The configuration as YAML text."""
        path = self._existing(self.folder.config, made_by="demur run")
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise unfit(path, "YAML in UTF-8", str(error)) from error

    @cached_property
    def systems(self) -> Mapping[str, JsonObject]:
        """What the manifest knows of each system, by name, such as its ``primary_signal``.

        Raises:
            RunFolderError: a name that no run of Demur has.
        """
        found: JsonObject = self.manifest.get("systems", {})
        for name in found:
            require_name("system", name, self.path)
        return found

    def system(self, name: str) -> JsonObject:
        """What the manifest knows of a system.

        Raises:
            UnknownNameError: the run has none of this name.
        """
        if name not in self.systems:
            raise UnknownNameError("system", name, self.systems, "--system")
        found: JsonObject = self.systems[name]
        return found

    def has_card(self, system: str) -> bool:
        """Whether a system has a tuned model of its own."""
        return self.has(self.folder.card(system))

    def has(self, path: Path) -> bool:
        """Whether a file is there, or should be: reading one that was recorded and is gone is an error."""
        return path.exists() or path.relative_to(self.path).as_posix() in self._records

    def card(self, system: str, *needs: str) -> JsonObject:
        """``demur.json`` of a system's tuned model: its method, template, thresholds.

        Args:
            needs: what it must hold, by name.

        Raises:
            ModelError: it has none, or none that can be read.
        """
        card = self.folder.card(system)
        if self.has(card):
            self._existing(card, made_by="demur train")
        return read_card(card.parent, *needs)

    # -- its rows -------------------------------------------------------------------------------

    @cached_property
    def questions(self) -> Sequence[Question]:
        """The questions of every split, in order."""
        return self._rows(self.folder.questions, Question, made_by="demur run")

    @cached_property
    def probes(self) -> Sequence[Probe]:
        """What the base model did with each question that it was asked."""
        return self._rows(self.folder.probe, Probe, made_by="demur probe")

    @cached_property
    def predictions(self) -> Mapping[str, Sequence[Prediction]]:
        """What each system answered, by its name, in the manifest's order; empty where none was asked."""
        folder = self.path / layout.PREDICTIONS
        recorded = (self.path / name for name in self._records if name.startswith(f"{layout.PREDICTIONS}/"))
        files = {file.stem: file for file in sorted({*folder.glob("*.parquet"), *recorded})}
        known = self.systems if self.folder.manifest.exists() else {}
        order = dict.fromkeys([*(name for name in known if name in files), *files])
        return _Predictions(self, {name: files[name] for name in order})

    def answered(self, system: str, *, split: str | None = None) -> list[AnsweredQuestion]:
        """Questions with a system's answers, in the order of the answers.

        Args:
            split: read those of one split only.

        Raises:
            RunFolderError: an answer to a question that the run does not have; with a split, no answers.
            UnknownNameError: the system has no answers.
        """
        import pyarrow.parquet as pq

        if split is None:
            questions, rows = self.questions, self.predictions[system]
        else:
            path = self._existing(self.folder.questions, made_by="demur run")
            row_groups(path, Question)  # its columns are what they should be
            questions = checked(pq.read_table(path, filters=[("split", "=", split)]), Question, path)
            wanted = [("question_id", "in", [question.id for question in questions])]
            path = self._existing(self.folder.predictions(system), made_by="demur predict")
            row_groups(path, Prediction)
            rows = checked(pq.read_table(path, filters=wanted), Prediction, path)
        known = {question.id: question for question in questions}
        return [(known[row.question_id], row) for row in self._known(system, rows, known)]

    def training(self, system: str, stage: str) -> Iterator[Example]:
        """The rows that a stage of a system's training was given, in order."""
        return read_jsonl(self._existing(self.folder.rows(system, stage), made_by="demur build"), Example)

    # -- what was found -------------------------------------------------------------------------

    @cached_property
    def metrics(self) -> JsonObject:
        """``metrics.json``; ``metrics`` in it by system, split and metric.

        Raises:
            RunFolderError: also for a system's name that no run of Demur has.
        """
        found = self._json(self.folder.metrics, made_by="demur evaluate", metrics=dict)
        if wrong := shapes.problem(shapes.Metrics, found):
            raise unfit(self.folder.metrics, "metrics as `demur evaluate` writes them", f"no valid {wrong}")
        for name in found.get("metrics", {}):
            require_name("system", name, self.path)
        return found

    @property
    def guarantee(self) -> JsonObject | None:
        """What `demur calibrate` found; None where it was not run, or files have changed since."""
        return self._finding(layout.GUARANTEE).value

    @property
    def analysis(self) -> JsonObject | None:
        """What `demur analyse` found, likewise."""
        return self._finding(layout.ANALYSIS).value

    @property
    def tax(self) -> JsonObject | None:
        """What `demur tax` found, likewise."""
        return self._finding(layout.TAX).value

    @property
    def refused(self) -> dict[str, Refused]:
        """Why a file of findings is not used, by its name."""
        looked = {file: self._finding(file).refused for file in provenance.SHAPES}
        return {file: refused for file, refused in looked.items() if refused is not None}

    def look(self, file: str, *, base: Path | None) -> Finding:
        """A file of findings, looked at anew beside a base model, which may be another than the run's.

        Args:
            file: a name of `demur.runfolder.provenance.SHAPES`.
            base: where that model lies; None: it is not compared.
        """
        return provenance.look(self.path, file, base=base)

    def _finding(self, file: str) -> Finding:
        if file not in self._looked:
            self._looked[file] = self.look(file, base=self._base)
        return self._looked[file]

    @cached_property
    def _base(self) -> Path | None:
        """Where the base model lies; None where that is unknown."""
        return provenance.base_of_run(self.path)

    # -- reading --------------------------------------------------------------------------------

    def _rows(self, path: Path, kind: type[R], *, made_by: str) -> Sequence[R]:
        found = self._existing(path, made_by=made_by)
        rows = StoredRows.of(found, kind)
        return list(rows) if self.in_memory else rows

    def _json(self, path: Path, *, made_by: str, **shape: type) -> JsonObject:
        return read_object(self._existing(path, made_by=made_by), **shape)

    def _existing(self, path: Path, *, made_by: str) -> Path:
        """A file or folder that is there, and holds what was recorded of it; looked at once."""
        self._there(path, made_by=made_by)
        if self._whole.isdisjoint((path, *path.parents)):
            if wrong := digests.changed(self.path, self._records, [path]):
                raise digests.changed_error(self.path, wrong)
            self._whole.add(path)
        return path

    @cached_property
    def _records(self) -> dict[str, digests.Record]:
        """What each file was when it was written; empty for a run of Demur 0.1."""
        if not self.folder.manifest.is_file():
            return {}
        found: dict[str, digests.Record] = digests.read_manifest(self.folder.manifest).get(
            digests.FILES, {}
        )
        return found

    def model_folder(self, system: str) -> Path:
        """The folder of a system's tuned model, to open it.

        Raises:
            RunFolderError: it is missing, or a file in it is not what training wrote.
        """
        folder = self.folder.model(system)
        if not folder.is_dir():
            self._there(folder / layout.CARD, made_by="demur train")
        return self._existing(folder, made_by="demur train")

    def _model_at(self, path: Path) -> Path | None:
        """The path where a model folder is; None elsewhere."""
        return path if path.name == layout.MODEL_FOLDER and path.is_dir() else None

    def _there(self, path: Path, *, made_by: str) -> Path:
        if not (path.is_file() or path == self._model_at(path)):
            raise RunFolderError(
                expected="a finished run folder",
                found=f"no {path.relative_to(self.path)}",
                where=str(self.path),
                fix=f"run `{made_by}` first, or check the folder's name",
            )
        return path

    def _check_rows(self) -> None:
        """Raise unless the files that are not rows can be read, and each prediction is of a question."""
        _ = self.systems, self.metrics
        known = {question.id for question in self.questions}
        if not self.predictions:
            some = self.path / layout.PREDICTIONS / "SYSTEM.parquet"
            self._existing(some, made_by="demur predict")
        for system, rows in self.predictions.items():
            for _ in self._known(system, rows, known):
                pass

    def _known(
        self, system: str, rows: Sequence[Prediction], known: Mapping[str, Question] | set[str]
    ) -> Iterator[Prediction]:
        seen: set[str] = set()
        for row in rows:
            if row.question_id in seen:
                path = self.path / layout.PREDICTIONS / f"{system}.parquet"
                raise unfit(path, "one prediction for a question", f"several for {row.question_id!r}")
            seen.add(row.question_id)
            if row.question_id not in known:
                raise RunFolderError(
                    expected=f"predictions of the questions in {layout.QUESTIONS}",
                    found=f"a prediction for the unknown question {row.question_id!r}",
                    where=str(self.path / layout.PREDICTIONS / f"{system}.parquet"),
                    fix="run `demur predict` again: questions and predictions come from different runs",
                )
            yield row


class _Predictions(Mapping[str, Sequence[Prediction]]):
    """The rows of each system; a file is opened when its system is asked for."""

    def __init__(self, run: FinishedRun, files: Mapping[str, Path]) -> None:
        self._run, self._files = run, files
        self._read: dict[str, Sequence[Prediction]] = {}

    def __getitem__(self, system: str) -> Sequence[Prediction]:
        if system not in self._files:
            raise UnknownNameError("system with predictions", system, self._files, str(self._run.path))
        if system not in self._read:
            self._read[system] = self._run._rows(self._files[system], Prediction, made_by="demur predict")
        return self._read[system]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, system: object) -> bool:
        return system in self._files
