"""The manifest of a run: versions, stages with their inputs, and the digest of every finished file."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
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
        self.forget(path)
        write_text(path, text)
        self.record(path)

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
def peak_memory(interval_seconds: float = 0.05) -> Iterator[list[int]]:
    """Watch the process's resident memory; the first item of the list is its peak in bytes."""
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
