"""A tuned model in the form that llama.cpp reads, made by llama.cpp's own converter.

None of it is part of Demur, and neither `gguf` nor `llama-cpp-python` installs it: the user has a checkout
of llama.cpp. Its script runs in a process of its own, offline, on a merged folder that Demur has just
written: safetensors and JSON, no pickles and no code. That matters, because the script opens tokenizers
with ``trust_remote_code``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from demur.core.errors import ConfigError, ModelError
from demur.core.files import atomic_path, write_json
from demur.core.layout import CARD
from demur.core.markdown import one_line
from demur.runfolder.card import read_card
from demur.share.contents import brings_code
from demur.share.merge import merge_run

SCRIPT = "convert_hf_to_gguf.py"
VARIABLE = "LLAMA_CPP_DIR"
TYPES = ("f16", "f32", "q8_0")
GET_IT = (
    "git clone --depth 1 https://github.com/ggml-org/llama.cpp && pip install sentencepiece, then "
    "--converter llama.cpp"
)
_UNKNOWN_TOKENIZER = "BPE pre-tokenizer was not recognized"


def convert_run(
    root: Path,
    out: Path,
    *,
    system: str | None = None,
    type: str = "f16",
    converter: Path | None = None,
) -> list[Path]:
    """Write the weights of a system as a GGUF file, and beside it its ``demur.json``.

    A GGUF file holds weights and tokenizer, not how Demur asks: prompts and threshold stand beside it.

    Args:
        root: the run folder.
        out: the file to write; one that is there is replaced, as a whole.
        system: by default the run's method.
        type: of the numbers, one of `TYPES`.
        converter: a checkout of llama.cpp, or its script; by default what ``LLAMA_CPP_DIR`` names.

    Returns:
        The GGUF file and its settings.

    Raises:
        ConfigError: no converter, no such type, a name that is no GGUF file's, or a model that brings code
            of its own.
        ModelError: the converter failed; what it said.
        RunFolderError: as `merge_run`.
        UnknownNameError: the run has no such system.
    """
    if type not in TYPES:
        raise ConfigError(
            expected=f"one of: {', '.join(TYPES)}",
            found=repr(type),
            where="--type",
            fix="smaller types are made from f16 by llama.cpp's own llama-quantize",
        )
    if out.suffix != ".gguf" or out.is_dir():
        raise ConfigError(
            expected="the name of a .gguf file",
            found=str(out),
            where="--out",
            fix="such as --out model.gguf",
        )
    script = find_converter(converter)
    out.parent.mkdir(parents=True, exist_ok=True)
    settings = out.with_suffix(f".{CARD}")
    with tempfile.TemporaryDirectory(prefix=f"{out.stem}-", dir=out.parent) as parent:
        merged = Path(parent) / out.stem  # the converter names the model after its folder
        merge_run(root, merged, system=system)
        _require_no_code(merged)
        with atomic_path(out) as partial:
            _convert(script, merged, partial, type)
        kept = read_card(merged)
        # Computed with other numbers, on another engine
        write_json(settings, {key: kept[key] for key in kept if key not in ("guarantee", "recalibration")})
    return [out, settings]


def find_converter(given: Path | None = None) -> Path:
    """llama.cpp's script: in the checkout that was given, or that the environment names.

    Raises:
        ConfigError: there is none; how to get it.
    """
    named = given or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    script = named / SCRIPT if named is not None and named.is_dir() else named
    if script is None or not script.is_file():
        raise ConfigError(
            expected=f"llama.cpp's converter, {SCRIPT}, which neither gguf nor llama-cpp-python installs",
            found=f"neither --converter nor {VARIABLE}" if script is None else f"no file {script}",
            where="--converter" if given or named is None else VARIABLE,
            fix=GET_IT,
        )
    return script.resolve()


def _require_no_code(folder: Path) -> None:
    files = brings_code(folder)
    if files:
        raise ConfigError(
            expected="a model that needs no code of its own: the converter would run it",
            found=f"auto_map in {', '.join(files)}",
            where="the merged model",
            fix="merge it with `demur merge`, read that code, and call the converter yourself",
        )


def _convert(script: Path, folder: Path, out: Path, type: str) -> None:
    command = [sys.executable, str(script), str(folder), "--outfile", str(out), "--outtype", type]
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    done = subprocess.run(  # noqa: S603 - the user's own script, on files that Demur has written
        command,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, **offline},
    )
    if done.returncode != 0 or not out.is_file() or not out.stat().st_size:
        raise _failed(script, done.stderr or done.stdout, done.returncode)


def _failed(script: Path, said: str, status: int) -> ModelError:
    last = one_line(next((line for line in reversed(said.splitlines()) if line.strip()), "nothing"))
    found, fix = f"exit code {status}: {last}", "see what it says; a newer llama.cpp may know the model"
    if _UNKNOWN_TOKENIZER in said:
        found = "a tokenizer that it does not know: it recognises them by a fingerprint of their own"
        fix = (
            "update llama.cpp; where the tokenizer is your own (the pocket models' is), llama.cpp cannot "
            "read it: ask the model of `demur merge` with transformers or vLLM instead"
        )
    elif "No module named" in last:
        module = last.rpartition("'")[0].rpartition("'")[2]
        found, fix = f"no Python package {module}, which it needs", f"pip install {module}"
    return ModelError(
        expected="a model that llama.cpp's converter takes", found=found, where=str(script), fix=fix
    )
