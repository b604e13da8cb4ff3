"""The run folder: where everything of a run lies, and what is known of how it was made.

Its layout is a contract that tools outside rely on; `docs/architecture.md` shows it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from demur.core import layout, trust
from demur.core.config import Config, differences, load_config
from demur.core.errors import DemurError, RunFolderError
from demur.core.files import (
    ASIDE_SUFFIX,
    PARTIAL_SUFFIX,
    check_links,
    explain_disk,
    open_own,
    parse_json,
)
from demur.core.names import require_name
from demur.runfolder import digests


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths inside a run folder.

    Raises:
        RunFolderError: a link in it leads out of it, or a name is no name of a file.
    """

    root: Path

    def __post_init__(self) -> None:
        check_links(self.root)

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.root / layout.CONFIG

    @property
    def manifest(self) -> Path:
        """Versions, seeds, input hashes, time and memory."""
        return self.root / layout.MANIFEST

    @property
    def questions(self) -> Path:
        """Question rows."""
        return self.root / layout.QUESTIONS

    @property
    def probe(self) -> Path:
        """Probe rows of the base model."""
        return self.root / layout.PROBE

    @property
    def metrics(self) -> Path:
        """Every metric with its interval."""
        return self.root / layout.METRICS

    @property
    def report(self) -> Path:
        """The page to look at."""
        return self.root / layout.REPORT

    @property
    def guarantee(self) -> Path:
        """What `demur calibrate` found."""
        return self.root / layout.GUARANTEE

    @property
    def analysis(self) -> Path:
        """What `demur analyse` found; a Markdown page of the same name has the same content."""
        return self.root / layout.ANALYSIS

    @property
    def tax(self) -> Path:
        """What `demur tax` found."""
        return self.root / layout.TAX

    @property
    def work(self) -> Path:
        """Leftovers of a run in progress; deleted on success."""
        return self.root / layout.WORK

    @property
    def lock(self) -> Path:
        """Held by the process at work; says which."""
        return self.work / layout.LOCK

    @property
    def progress(self) -> Path:
        """How far the process at work is."""
        return self.work / layout.PROGRESS

    def training(self, system: str) -> Path:
        """Folder of a system's training rows, one JSONL file per stage; see `rows`."""
        return self._system(system) / layout.TRAINING_FOLDER

    def rows(self, system: str, stage: str) -> Path:
        """The training rows of one stage of a system.

        Raises:
            RunFolderError: a name that would lead to somewhere else, as a manifest from elsewhere may hold.
        """
        return self.training(system) / f"{self._named('stage', stage)}.jsonl"

    def model(self, system: str) -> Path:
        """Folder of a system's tuned model."""
        return self._system(system) / layout.MODEL_FOLDER

    def tuned(self, system: str) -> Path:
        """Folder of what was tuned for a system that keeps it in its model only where it adds something."""
        return self._system(system) / layout.TUNED_FOLDER

    def labelled(self, system: str) -> Path:
        """The answers that a system's confidence was fitted to, as probe rows."""
        return self._system(system) / layout.LABELLED

    def predictions(self, system: str) -> Path:
        """A system's predictions of every split."""
        return self.root / layout.PREDICTIONS / f"{self._named('system', system)}.parquet"

    def card(self, system: str) -> Path:
        """What asking a system's tuned model needs, in its folder."""
        return self.model(system) / layout.CARD

    def exports(self, format: str) -> Path:
        """Folder of an export that was given no other."""
        return self.root / layout.EXPORTS / format

    def _system(self, name: str) -> Path:
        return self.root / layout.SYSTEMS / self._named("system", name)

    def _named(self, kind: str, name: str) -> str:
        require_name(kind, name, self.root)
        return name

    def check_claim(self, config: Config, *, update: bool) -> None:
        """Check that this is the folder of ``config``, or may become it; nothing is written.

        Args:
            update: allow a configuration that differs; only what it changes is redone.

        Raises:
            RunFolderError: the folder holds something else, or a run made by another configuration.
            TrustError: something in the folder could run code, and this user did not sign it.
        """
        if not self.config.exists():
            self._require_empty()
        elif not update:
            self._require_same(config)
        trust.check_resumable(self.root, config)

    def _require_empty(self) -> None:
        try:
            names = sorted(path.name for path in self.root.iterdir())
        except FileNotFoundError:
            return
        except OSError as error:
            raise RunFolderError(
                expected="a folder to write the run to",
                found=error.strerror or type(error).__name__,
                where=str(self.root),
                fix="choose another folder with --out",
            ) from error
        # What a run killed in its first write leaves behind is nobody's.
        own = (PARTIAL_SUFFIX, ASIDE_SUFFIX)
        foreign = [name for name in names if name != layout.WORK and not name.endswith(own)]
        if foreign:
            raise RunFolderError(
                expected="an empty folder or the folder of a run",
                found=", ".join(foreign[:5]),
                where=str(self.root),
                fix="choose another folder with --out; nothing was changed here",
            )

    def _require_same(self, config: Config) -> None:
        try:
            changed = differences(load_config(self.config), config)
            if not changed and self._config_changed():
                changed = [f"{layout.CONFIG} was changed after the run began"]
        except DemurError as error:
            changed = [f"its configuration cannot be read by this version: {error.found}"]
        if changed:
            raise RunFolderError(
                expected="the configuration this run folder was made with",
                found="\n          ".join(changed),
                where=str(self.config),
                fix="choose another folder with --out, or add --update to redo what these settings change",
            )

    def _config_changed(self) -> bool:
        try:
            records = digests.read_manifest(self.manifest).get(digests.FILES, {})
        except (OSError, RunFolderError):
            return False
        return bool(digests.changed(self.root, records, [self.config]))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of the folder while a run is at work in it.

        Raises:
            RunFolderError: another process is at work in it.
            ResourceError: it cannot be written to.
        """
        with explain_disk(self.work):
            self.work.mkdir(parents=True, exist_ok=True)
            lock = open_own(self.lock, "a")
        with lock as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = Holder.read(self.lock)
                raise RunFolderError(
                    expected="a run folder that nobody is working in",
                    found="another demur process at work" + (f": {holder}" if holder else ""),
                    where=str(self.root),
                    fix="wait for it to end, or choose another folder with --out",
                ) from error
            handle.truncate(0)
            handle.write(json.dumps(dataclasses.asdict(Holder.myself())))
            handle.flush()
            yield


def find_runs(paths: Sequence[Path]) -> list[Path]:
    """The run folders among some folders and below them, in order, none twice.

    Raises:
        RunFolderError: a folder in which no finished run lies.
    """
    found: list[Path] = []
    for path in paths:
        here = [file.parent for file in sorted(path.rglob(layout.METRICS))] if path.is_dir() else []
        if not here:
            raise RunFolderError(
                expected="a finished run, or a folder of runs",
                found=f"no {layout.METRICS} in it or below it" if path.is_dir() else "no such folder",
                where=str(path),
                fix="give the --out folder of `demur run` or `demur study`",
            )
        found += here
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that works, or worked last, in a run folder."""

    pid: int
    host: str
    started: float
    """When the process began, in seconds since 1970: the same number is given to others later."""
    command: str

    @classmethod
    def myself(cls) -> Holder:
        """This process."""
        process = psutil.Process()
        return cls(process.pid, platform.node(), process.create_time(), command_line())

    @classmethod
    def read(cls, lock: Path) -> Holder | None:
        """Who wrote a lock file; None where nobody did."""
        try:
            return cls(**parse_json(lock.read_bytes()))
        except (OSError, ValueError, TypeError, RecursionError):
            return None

    @property
    def alive(self) -> bool | None:
        """Whether the process still runs; None where it is another machine's. Nothing is locked to see."""
        if self.host != platform.node():
            return None
        try:
            return abs(psutil.Process(self.pid).create_time() - self.started) < 1
        except psutil.Error:
            return False

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, `{self.command}`"


def command_line() -> str:
    """What was typed to start this process."""
    return " ".join(["demur", *sys.argv[1:]])
