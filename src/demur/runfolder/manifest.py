"""The manifest of a run: versions, stages with their inputs, and the digest of every finished file."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import re
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from demur.core import registry, signing
from demur.core.config import Config, config_text
from demur.core.errors import RunFolderError
from demur.core.files import check_links, write_json, write_text
from demur.core.layout import CONFIG, MANIFEST
from demur.core.version import __version__
from demur.runfolder import digests
from demur.runfolder.folder import command_line

TRACKED = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "bitsandbytes",
    "deepspeed",
    "datasets",
    "numpy",
    "scikit-learn",
    "pyarrow",
)
"""Packages whose versions a result depends on."""
RESET, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
"""Where Linux forgets and tells a process's peak of resident memory."""
FORMATS = ("float32", "bfloat16", "float16")
"""Number formats that ``model.dtype: auto`` can mean."""
COMPUTED = "computed"
"""In the manifest: the model, the number format that its answers are computed in, and what was tried."""


@dataclass(slots=True)
class Manifest:
    """How a run was made; saved after every stage, so that an interrupted run knows what it has."""

    path: Path
    values: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, config: Config) -> Manifest:
        """Read the manifest of a run, or begin one; one that cannot be used is begun anew."""
        try:
            found = digests.read_manifest(path, stages=dict)
        except (OSError, RunFolderError):
            found = {}
        return cls(
            path,
            {
                "schema_version": digests.SCHEMA_VERSION,
                "demur": __version__,
                "versions": _versions(),
                "command": command_line(),
                "seed": config.seed,
                "method": config.method,
                **({COMPUTED: found[COMPUTED]} if COMPUTED in found else {}),
                "systems": found.get("systems", {}),
                "stages": found.get("stages", {}),
                digests.FILES: found.get(digests.FILES, {}),
            },
        )

    def claim(self, config: Config) -> None:
        """Write and record the configuration, and sign the run: its settings are the user's own."""
        path, text = self.path.with_name(CONFIG), config_text(config)
        if path.is_file() and path.read_bytes() == text.encode() and not self.changed(path):
            signing.sign(path.parent)
            return
        if path.exists():  # a folder with a manifest alone would be nobody's, were the run killed here
            self.forget(path)
        write_text(path, text)
        self.record(path)

    def dtype_of(self, model: str) -> str | None:
        """The number format that the answers of a model are computed in; None where none is noted."""
        noted = self.values.get(COMPUTED)
        return str(noted["dtype"]) if noted is not None and noted["model"] == model else None

    @property
    def answered_unnoted(self) -> bool:
        """Whether a version that did not note the number format has asked the base model."""
        return COMPUTED not in self.values and "probe" in self.values["stages"]

    def note_dtype(self, model: str, dtype: str, gain: float | None) -> None:
        """Note what ``model.dtype: auto`` was found to mean for a model, and save.

        Args:
            gain: how many times as fast as float32 a trial found bfloat16; None where nothing was tried.
        """
        tried = {} if gain is None else {"bfloat16_gain": round(gain, 2)}
        self.values[COMPUTED] = {"model": model, "dtype": dtype, **tried}
        self.save()

    @property
    def files(self) -> dict[str, digests.Record]:
        """What each finished file was when it was written, by its path."""
        found: dict[str, digests.Record] = self.values[digests.FILES]
        return found

    def is_done(self, stage: str, inputs: str) -> bool:
        """Whether a stage was finished with these inputs."""
        return bool(self._noted(stage).get("inputs") == inputs)

    def _noted(self, stage: str) -> dict[str, Any]:
        noted = self.values["stages"].get(stage)
        return noted if isinstance(noted, dict) else {}

    def changed(self, *outputs: Path) -> list[str]:
        """The files among or below some outputs that are not what was written, by name."""
        return digests.changed(self.path.parent, self.files, outputs)

    @contextlib.contextmanager
    def stage(self, stage: str, inputs: str, *outputs: Path) -> Iterator[dict[str, Any]]:
        """Time a stage and note its peak memory; recorded as done only if the block succeeds.

        The stage and its outputs are forgotten on disk before the block begins: whatever stops it, no other
        stage's output counts as this one's.

        Args:
            outputs: the files and folders that the stage writes; what they hold afterwards is recorded.

        Yields:
            A dict for whatever else is worth noting.
        """
        self.values["stages"].pop(stage, None)
        self.forget(*outputs)
        notes: dict[str, Any] = {}
        start = time.perf_counter()
        with peak_memory() as peak:
            yield notes
        self.values["stages"][stage] = {
            "inputs": inputs,
            "seconds": round(time.perf_counter() - start, 3),
            "peak_memory_mb": round(peak[0] / 2**20, 1),
            **notes,
        }
        self.record(*outputs)

    def forget(self, *outputs: Path) -> None:
        """Forget on disk what files and folders held: they are about to change."""
        self._drop(outputs)
        self.save()

    def record(self, *outputs: Path) -> None:
        """Record what files and folders hold, and save."""
        self._drop(outputs)
        self._add(outputs)
        self.save()

    def _add(self, outputs: Iterable[Path]) -> None:
        root = self.path.parent
        for output in outputs:
            for file in digests.files_below(output):
                self.files[file.relative_to(root).as_posix()] = digests.record_of(file)

    def _drop(self, outputs: Iterable[Path]) -> None:
        for output in outputs:
            own = output.relative_to(self.path.parent).as_posix()
            for name in [name for name in self.files if name == own or name.startswith(f"{own}/")]:
                del self.files[name]

    def save(self) -> None:
        """Write the manifest atomically, and sign the run."""
        write_json(self.path, digests.sealed(self.values))
        signing.sign(self.path.parent)


def as_computed(root: Path, config: Config) -> Config:
    """A run's configuration with the number format that ``auto`` was found to mean when it was made."""
    model, path = config.model, root / MANIFEST
    if model.dtype != "auto" or not path.is_file():
        return config
    try:
        noted = Manifest(path, digests.read_manifest(path)).dtype_of(model.path)
    except RunFolderError:
        return config  # who needs the manifest says what is wrong with it
    if noted not in FORMATS:
        return config
    return config.model_copy(update={"model": model.model_copy(update={"dtype": noted})})


@contextlib.contextmanager
def rewritten(root: Path, *outputs: Path) -> Iterator[None]:
    """Change finished files of a run within; what they hold afterwards is recorded.

    Where the block fails, the files that it left alone keep their records. A run without a manifest, or
    with one of version 1, has no digests: nothing is recorded.
    """
    path = root / MANIFEST
    if not path.is_file() or digests.FILES not in digests.read_manifest(path):
        yield
        return
    before = digests.read_manifest(path)[digests.FILES]
    with signing.kept_signed(root):
        _keep(path, outputs, record=False)
    try:
        yield
    except BaseException:
        below = [root / name for name in before if _is_below(root / name, outputs)]
        unchanged = [file for file in below if not digests.changed(root, before, [file])]
        with signing.kept_signed(root):
            _keep(path, unchanged, record=True)
        raise
    with signing.kept_signed(root):
        _keep(path, outputs, record=True)


def accept(root: Path) -> None:
    """Record every finished file of a run as it is now.

    Raises:
        RunFolderError: the manifest says something else than was written, or links lead out of the folder.
    """
    check_links(root)
    values = digests.read_manifest(root / MANIFEST)
    with signing.kept_signed(root):
        manifest = Manifest(root / MANIFEST, {**values, "schema_version": digests.SCHEMA_VERSION})
        manifest.values[digests.FILES] = {}
        manifest._add(digests.finished_files(root))
        write_json(manifest.path, digests.sealed(manifest.values))


def _is_below(file: Path, outputs: Iterable[Path]) -> bool:
    return any(file == output or output in file.parents for output in outputs)


def _keep(path: Path, outputs: Sequence[Path], *, record: bool) -> None:
    """Save a manifest with or without the records of some outputs; whoever calls signs."""
    manifest = Manifest(path, digests.read_manifest(path))
    manifest._drop(outputs)
    if record:
        manifest._add(outputs)
    write_json(path, digests.sealed(manifest.values))


@contextlib.contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Note the process's resident memory; the first item of the list is its peak in bytes afterwards."""
    try:
        RESET.write_text("5")  # forget the peak so far, see proc(5)
    except OSError:  # another system than Linux, or one that does not let us
        with _watched_memory() as peak:
            yield peak
        return
    peak = [_kernels_peak()]
    try:
        yield peak
    finally:
        peak[0] = _kernels_peak()


def _kernels_peak() -> int:
    """The most memory that was resident since the peak was forgotten, in bytes; the kernel keeps it."""
    found = re.search(r"^VmHWM:\s*(\d+) kB", STATUS.read_text(), re.MULTILINE)
    return 1024 * int(found[1]) if found else int(psutil.Process().memory_info().rss)


@contextlib.contextmanager
def _watched_memory(interval_seconds: float = 0.05) -> Iterator[list[int]]:
    """As `peak_memory`, by a thread that looks again and again: what lasts for less may be missed."""
    process, stop = psutil.Process(), threading.Event()
    peak = [process.memory_info().rss]

    def watch() -> None:
        while not stop.wait(interval_seconds):
            peak[0] = max(peak[0], process.memory_info().rss)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in TRACKED:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions | registry.packages()
