"""Opening a model and its tokenizer from a folder or the Hugging Face hub, with errors that can be mended.

Weights are read from safetensors only, and code that comes with a model runs only where the user says so.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
from transformers import AutoConfig, AutoModelForCausalLM

from demur.core.errors import ConfigError, ModelError
from demur.engines.base import Opening
from demur.engines.encoding import load_tokenizer
from demur.engines.precision import automatic, count_parameters, merging_dtype, rounded

# peft imports bitsandbytes, which warns that a faster kernel of its own is not installed; it works without.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def load(opening: Opening) -> tuple[Any, Any]:
    """Load model and tokenizer; an adapter is merged into the weights in memory.

    Merging costs one addition per weight once; left as it is, an adapter costs two more products per layer
    and token. It is merged in the numbers that the base model is stored in, and rounded once afterwards: a
    weight that was rounded to bfloat16 before swallows every change of less than half its last place.

    Raises:
        ModelError: anything that cannot be loaded, and why.
        ConfigError: a device or dtype that does not exist here, or no bitsandbytes to quantize with.
    """
    check_quantize(opening.quantize)
    source = find_source(opening)
    place = pick_device(opening.device)
    kind = _dtype(opening, source.config, place)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            source.path,
            config=source.config,
            dtype=merging_dtype(source.config.dtype, kind) if source.adapter else kind,
            use_safetensors=True,
            **opening.hub_options,
            **_quantized(opening.quantize, place),
        )
    except Exception as error:
        raise _explained(error, source.path) from error
    if opening.quantize != "none":
        return model, source.tokenizer  # placed as it was read, and not to be moved
    if source.adapter is not None:
        model = rounded(_merged(model, source.adapter), kind)
    return model.to(place), source.tokenizer


def _dtype(opening: Opening, config: Any, place: torch.device) -> torch.dtype:
    """The dtype that weights are read in."""
    if opening.dtype != "auto" or place.type != "cpu":
        return pick_dtype(opening.dtype, place)
    parameters = count_parameters(config, opening)
    return automatic(place, parameters=parameters).dtype


def check_quantize(quantize: str) -> None:
    """Look whether weights can be quantized here.

    Raises:
        ConfigError: they cannot.
    """
    if quantize != "none" and importlib.util.find_spec("bitsandbytes") is None:
        raise ConfigError(
            expected="the package bitsandbytes, to hold weights in few bits",
            found="it is not installed",
            where="training.quantize",
            fix="pip install 'demur[qlora]', or leave out training.quantize",
        )


def _quantized(quantize: str, place: torch.device) -> dict[str, Any]:
    """How transformers is told to quantize: QLoRA's 4 bits (Dettmers et al. 2023, section 3), or 8 bits."""
    if quantize == "none":
        return {}
    from transformers import BitsAndBytesConfig

    four = {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": torch.bfloat16,
    }
    config = BitsAndBytesConfig(**(four if quantize == "4bit" else {"load_in_8bit": True}))
    return {"quantization_config": config, "device_map": {"": place}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a model lies, with everything but its weights."""

    path: str
    """Folder or hub name of the model."""
    adapter: Path | None
    """Folder of the adapter to put on it."""
    config: Any
    tokenizer: Any
    tokenizer_path: str
    """Folder or hub name that the tokenizer came from: the adapter's where that has one."""


def find_source(opening: Opening) -> Source:
    """Find a model and read its configuration and tokenizer; an adapter's folder names its base model.

    Raises:
        ModelError: as `load`.
    """
    base, adapter = _base_and_adapter(Path(opening.path).expanduser(), opening.adapter)
    found = _checked_source(opening.path if base is None else base)
    with_tokenizer = str(adapter) if adapter is not None and _has_tokenizer(adapter) else found
    try:
        _reach(found, opening.revision)
        return Source(
            path=found,
            adapter=adapter,
            config=_without_kernels(AutoConfig.from_pretrained(found, **opening.hub_options)),
            tokenizer=load_tokenizer(dataclasses.replace(opening, path=with_tokenizer)),
            tokenizer_path=with_tokenizer,
        )
    except Exception as error:
        raise _explained(error, found) from error


def load_config(opening: Opening) -> Any:
    """Read a model's configuration only.

    Raises:
        ModelError: as `load`.
    """
    base, _ = _base_and_adapter(Path(opening.path).expanduser(), None)
    source = _checked_source(opening.path if base is None else base)
    try:
        _reach(source, opening.revision)
        return _without_kernels(AutoConfig.from_pretrained(source, **opening.hub_options))
    except Exception as error:
        raise _explained(error, source) from error


def _without_kernels(config: Any) -> Any:
    """A model's configuration without compiled code of the Hub, which transformers would fetch and run."""
    for part in (config, *(getattr(config, name, None) for name in getattr(config, "sub_configs", {}))):
        for name in ("_attn_implementation", "_experts_implementation"):
            if "/" in str(getattr(part, name, None)):
                setattr(part, name, None)
    return config


def pick_device(device: str) -> torch.device:
    """``auto``: CUDA, else MPS, else CPU; any other name is taken as it is."""
    if device == "auto":
        device = (
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            expected="a device of this machine: auto, cpu, cuda, cuda:1, mps, …",
            found=repr(device),
            where="device",
            fix="use 'auto', or see what `demur doctor` finds",
        ) from error


def pick_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """A dtype by its name; ``auto`` is what weights are tuned in: float32 on a CPU, else as `automatic`."""
    if dtype == "auto":
        return automatic(device, parameters=0).dtype
    found = getattr(torch, dtype, None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise ConfigError(
            expected="auto, float32, bfloat16 or float16",
            found=repr(dtype),
            where="dtype",
            fix="use 'auto'",
        )
    return found


def _base_and_adapter(folder: Path, adapter: Path | None) -> tuple[str | None, Path | None]:
    """A folder that holds only a PEFT adapter names its base model itself."""
    alone = (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file()
    if adapter is None and alone:
        base = json.loads((folder / "adapter_config.json").read_text("utf-8")).get(
            "base_model_name_or_path"
        )
        if base:
            _check_adapter(folder)
            return str(base), folder
        raise ModelError(
            expected="an adapter that names its base model",
            found="adapter_config.json without base_model_name_or_path",
            where=str(folder),
            fix="open the base model and give this folder as its adapter",
        )
    if adapter is not None and (adapter / "adapter_config.json").is_file():
        _check_adapter(adapter)
    if adapter is not None and not (adapter / "adapter_config.json").is_file():
        raise ModelError(
            expected="a folder with a PEFT adapter",
            found="no adapter_config.json" if adapter.is_dir() else "no such folder",
            where=str(adapter),
            fix="give the folder that training wrote, the one with adapter_model.safetensors",
        )
    return None, adapter


def _check_adapter(folder: Path) -> None:
    """Refuse an adapter whose weights PEFT would read from a pickle, or look for on the Hub."""
    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelError(
            expected="an adapter's weights in safetensors form",
            found="no adapter_model.safetensors",
            where=str(folder),
            fix="copy it from where the adapter came from, or save the adapter anew with save_pretrained",
        )


def _checked_source(path: str | Path) -> str:
    """A usable folder, or a name on the hub."""
    folder = Path(path).expanduser()
    if folder.is_dir():
        _check_folder(folder)
        return str(folder)
    text = str(path)
    if isinstance(path, Path) or text.count("/") > 1 or text.startswith((".", "/", "~")) or "\\" in text:
        raise ModelError(
            expected="a folder with a model, or a name on the Hugging Face hub such as Qwen/Qwen3-4B",
            found="a file" if folder.is_file() else "no such folder",
            where=text,
            fix="check the path",
        )
    return text


def _reach(source: str, revision: str | None) -> None:
    """Ask the hub once for a model that is not on this machine; a download would first retry for long."""
    if Path(source).is_dir():
        return
    cached = try_to_load_from_cache(source, "config.json", revision=revision)
    if not isinstance(cached, str):
        get_hf_file_metadata(hf_hub_url(source, "config.json", revision=revision))


def _check_folder(folder: Path) -> None:
    """Name everything that a model folder lacks, before any library stumbles over it."""
    weights, missing = _weight_files(folder), []
    if not (folder / "config.json").is_file():
        missing.append("config.json")
    if not weights:
        missing.append("weights (model.safetensors)")
    missing += [name for name in weights if not (folder / name).is_file()]
    if not _has_tokenizer(folder):
        missing.append("a tokenizer (tokenizer.json)")
    pickled = sorted(file.name for pattern in PICKLES for file in folder.glob(pattern))
    if pickled and not weights:
        raise ModelError(
            expected="weights in safetensors form",
            found=f"only pickled weights, which can run code when loaded: {', '.join(pickled[:3])}",
            where=str(folder),
            fix="convert them where you trust them: load the folder with AutoModelForCausalLM, then "
            "save_pretrained(NEW_FOLDER)",
        )
    if missing:
        raise ModelError(
            expected="a model folder with config.json, safetensors weights and a tokenizer",
            found=f"no {', no '.join(missing)}",
            where=str(folder),
            fix="copy what is missing from where the model came from, or give another folder",
        )


def _weight_files(folder: Path) -> list[str]:
    """The safetensors files that a folder has or, by its index, should have."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        return sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    return sorted(file.name for file in folder.glob("*.safetensors"))


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / name).is_file() for name in TOKENIZER_FILES)


def _merged(model: Any, adapter: Path) -> Any:
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    except Exception as error:
        raise ModelError(
            expected="an adapter that fits the model",
            found=_first_line(error),
            where=str(adapter),
            fix="give the adapter that was trained on this very base model",
        ) from error


def _explained(error: Exception, source: str) -> ModelError:
    """What a library's error means to the user."""
    names = {type(cause).__name__ for cause in _causes(error)}
    text = " ".join(str(cause) for cause in _causes(error))
    if "trust_remote_code" in text:
        expected, fix = (
            "a model that needs no code of its own",
            "pass trust_remote_code if you have read that code",
        )
        found = "a model that brings Python code to run"
    elif "GatedRepoError" in names:
        expected, found = "a model that you may download", "a gated model"
        fix = "accept its licence on its hub page, then log in with `hf auth login`"
    elif (
        names & {"RepositoryNotFoundError", "RevisionNotFoundError", "HFValidationError"}
        or "not a valid model identifier" in text
    ):
        expected, found = (
            "a model on the Hugging Face hub",
            "no folder and no model (or revision) of this name that you may see",
        )
        fix = "check the name; for a private model log in with `hf auth login`"
    elif is_unreachable(error):
        expected, found = (
            "a folder, or a model on a hub that can be reached",
            "no folder of this name, and no hub",
        )
        fix = "check path and network, or download the model elsewhere and give its folder"
    elif "safetensors" in text and ("no file named" in text or "does not appear to have" in text):
        expected, found = "weights in safetensors form", _first_line(error)
        fix = "choose a model or revision that has safetensors weights, or convert it"
    else:
        expected, found = "a causal language model that transformers can load", _first_line(error)
        fix = "check that the files are whole and that your transformers version knows this architecture"
    return ModelError(expected=expected, found=found, where=source, fix=fix)


_UNREACHABLE = {
    "ConnectError",
    "ConnectionError",
    "ConnectTimeout",
    "HTTPError",
    "LocalEntryNotFoundError",
    "MaxRetryError",
    "OfflineModeIsEnabled",
    "ProxyError",
    "ReadTimeout",
    "Timeout",
}


def is_unreachable(error: BaseException) -> bool:
    """Whether a library's error says that the hub could not be reached."""
    causes = list(_causes(error))
    text = " ".join(str(cause) for cause in causes).lower()
    named = any(type(cause).__name__ in _UNREACHABLE for cause in causes)
    return named or "couldn't connect" in text or "offline" in text


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and everything it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
