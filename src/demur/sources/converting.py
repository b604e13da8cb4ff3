"""A GGUF file as an ordinary model folder: transformers reads it, and the weights are saved as float32.

Only the one file is read. It lies alone in a temporary folder while transformers looks at it, so no other
file in its folder (code, pickles, another tokenizer) has an effect. The new folder is written only when the
weights are complete and the tokenizer decodes test texts to what was encoded.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.errors import ConfigError, ModelError
from demur.core.files import atomic_folder, write_json
from demur.sources.header import Header, read_header

STAMP = "source.json"
"""In a converted folder: what it was made from, and with which versions."""
CONVERSION = 1
"""Counts changes of what is written here; a folder of another number is converted again."""
TEXTS = (
    "Question: Who wrote Hamlet?\nAnswer: William Shakespeare",
    "In 1984, 3.5% of 12,000 people (about 420) said: “I don't know.”",
    "Füße, café, Ελλάδα, Москва, 東京, عربي",
    "def f(x):\n    return {'a': [1, 2]}  # two  spaces",
)
"""A tokenizer must give these back as they are, where it has no unknown token among them."""
ASKED = "Who wrote The Hobbit? 7 words, please."
INSTALL = "pip install 'demur[gguf]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A folder that was made of a GGUF file."""

    folder: Path
    architecture: str
    parameters: int
    chat: bool
    """Whether it has a chat template."""
    warnings: tuple[str, ...] = ()
    """What the conversion left out."""


def convert(file: Path, out: Path, *, digest: str) -> Converted:
    """Write a GGUF file as a Hugging Face folder: safetensors in float32, tokenizer, chat template.

    Needs memory and disk for four bytes a parameter.

    Args:
        out: the folder to write; replaced as a whole when everything is done, and only then.
        digest: SHA-256 of the file, which the folder records.

    Raises:
        ConfigError: a package is missing.
        ModelError: a damaged or incomplete file, one part of several, an architecture or a type of numbers
            that is not read, tensors that are missing, or a tokenizer that does not give a text back.
    """
    _require_packages()
    header = read_header(file)
    _check(file, header)
    with _alone(file) as source, _explained(file, header), _quiet():
        tokenizer, model = _read(source)
        _check_template(tokenizer, header)
        with atomic_folder(out) as folder:
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            _check_tokenizer(tokenizer, folder)
            found = Converted(
                folder=out,
                architecture=header.architecture,
                parameters=model.num_parameters(),
                chat=bool(tokenizer.chat_template),
                warnings=tuple(_left_out(header)),
            )
            write_json(folder / STAMP, _stamp(file, digest, found, folder))
    return found


def _require_packages() -> None:
    missing = [
        name for name in ("gguf", "transformers", "accelerate") if not importlib.util.find_spec(name)
    ]
    if missing:
        raise ConfigError(
            expected="the packages that read GGUF files",
            found=f"no {', no '.join(missing)}",
            where="a model in a .gguf file",
            fix=INSTALL,
        )


def _check(file: Path, header: Header) -> None:
    """Look at what the header says before anything is loaded.

    Raises:
        ModelError: the file does not hold one whole language model that transformers reads.
    """
    from gguf import GGML_QUANT_SIZES
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

    parts = header.fields.get("split.count", 1)
    if parts != 1:
        raise ModelError(
            expected="a model in one GGUF file",
            found=f"one of {parts} parts",
            where=str(file),
            fix=f"join them with llama.cpp: llama-gguf-split --merge {file.name} whole.gguf",
        )
    need = header.need({int(kind): sizes for kind, sizes in GGML_QUANT_SIZES.items()})
    if header.size < need:
        raise ModelError(
            expected=f"a GGUF file of {need:,} bytes, as its header says",
            found=f"{header.size:,} bytes",
            where=str(file),
            fix="download the file again",
        )
    known = {name.replace("_", "").replace("-", "") for name in GGUF_SUPPORTED_ARCHITECTURES}
    if header.architecture.replace("_", "").replace("-", "") not in known:
        raise ModelError(
            expected=f"an architecture that transformers reads from GGUF: {', '.join(sorted(known))}",
            found=repr(header.architecture) if header.architecture else "a file that names none",
            where=str(file),
            fix="give the model's Hugging Face folder or its name on the Hub instead",
        )


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[Path]:
    """The file in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="demur-gguf-") as parent:
        link = Path(parent) / "model.gguf"
        link.symlink_to(file.resolve())
        yield link


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' bar, which it draws in log files too."""
    from transformers import modeling_gguf_pytorch_utils as reading

    usual = reading.tqdm
    reading.tqdm = lambda items, **_: items
    try:
        yield
    finally:
        reading.tqdm = usual


@contextlib.contextmanager
def _explained(file: Path, header: Header) -> Iterator[None]:
    """Any library's error as one about the file."""
    try:
        yield
    except (ModelError, ConfigError, MemoryError):
        raise
    except OSError as error:
        if error.errno is not None:  # the disk, not the file's contents
            raise
        raise _unreadable(file, header, error) from error
    except Exception as error:
        raise _unreadable(file, header, error) from error


def _unreadable(file: Path, header: Header, error: Exception) -> ModelError:
    lines = str(error).strip().splitlines() or [""]
    return ModelError(
        expected=f"a model of the architecture {header.architecture!r} that transformers can load",
        found=f"{type(error).__name__}: {lines[0]}",
        where=str(file),
        fix="download the file again, choose one of another type (Q8_0, F16), or give the model's "
        "Hugging Face folder",
    )


def _read(source: Path) -> tuple[Any, Any]:
    """Tokenizer and model of a GGUF file that lies alone in its folder.

    Raises:
        ModelError: tensors of the model are missing, which transformers would fill with random numbers.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    given = {"gguf_file": source.name, "local_files_only": True, "trust_remote_code": False}
    tokenizer = AutoTokenizer.from_pretrained(str(source.parent), **given)
    read, loading = AutoModelForCausalLM.from_pretrained(
        str(source.parent), **given, dtype=torch.float32, output_loading_info=True
    )
    missing = sorted(loading["missing_keys"]) + sorted(str(key) for key in loading["mismatched_keys"])
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise ModelError(
            expected="a GGUF file with every tensor of its model",
            found=f"none for {', '.join(missing[:3])}{more}",
            where=str(source.resolve()),
            fix="download the file again, or give the model's Hugging Face folder",
        )
    # The model that was read counts as quantized although its weights are not, and refuses to be saved.
    config = read.config
    for name in ("quantization_config", "_model_name_or_path"):
        if hasattr(config, name):
            delattr(config, name)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(read.state_dict(), assign=True)
    model.tie_weights()
    return tokenizer, model


def _check_template(tokenizer: Any, header: Header) -> None:
    """The chat template is the file's, and holds what the user says."""
    given = header.fields.get("tokenizer.chat_template")
    if given is not None and not tokenizer.chat_template:
        raise ValueError("the file has a chat template, the tokenizer read from it has none")
    if not tokenizer.chat_template:
        return
    messages = [{"role": "user", "content": ASKED}]
    shown = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    if ASKED not in shown:
        raise ValueError("a chat template that leaves out what the user says")


def _check_tokenizer(before: Any, folder: Path) -> None:
    """The saved tokenizer reads as the one from the file, and gives texts back."""
    from transformers import AutoTokenizer

    after = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    if after.chat_template != before.chat_template:
        raise ValueError("a chat template that changes when it is saved")
    for text in TEXTS:
        tokens = after(text)["input_ids"]
        if tokens != before(text)["input_ids"]:
            raise ValueError(f"a tokenizer that reads {text!r} otherwise when it was saved")
        if text != TEXTS[0] and after.unk_token_id in _content(after, text):
            continue
        again = after.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        if again != text:
            raise ValueError(f"a tokenizer that turns {text!r} into {again!r}")


def _content(tokenizer: Any, text: str) -> Sequence[int]:
    found: Sequence[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


def _left_out(header: Header) -> Iterator[str]:
    """What transformers passes over without a word."""
    if any(tensor.name.startswith("rope_freqs") for tensor in header.tensors):
        yield (
            "the file scales its rotary positions (rope_freqs), which transformers does not read from "
            "GGUF: answers can differ from the original model's"
        )


def _stamp(file: Path, digest: str, found: Converted, folder: Path) -> dict[str, Any]:
    return {
        "conversion": CONVERSION,
        "sha256": digest,
        "file": file.name,
        "architecture": found.architecture,
        "parameters": found.parameters,
        "chat": found.chat,
        "warnings": list(found.warnings),
        "versions": {name: importlib.metadata.version(name) for name in ("gguf", "transformers")},
        "files": {path.name: path.stat().st_size for path in sorted(folder.iterdir())},
    }
