"""The tree as a whole: public names and rooms do not hide one another, and the command line stays light."""

import pkgutil
import subprocess
import sys

import pytest

import demur

ROOMS = [module.name for module in pkgutil.iter_modules(demur.__path__)]


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_no_public_name_is_a_room():
    """An import below a room sets it as an attribute of the package, over a function of that name."""
    assert set(demur.__all__) & set(ROOMS) == set()


@pytest.mark.parametrize("room_first", [True, False])
def test_functions_stay_functions_whatever_is_imported_first(room_first):
    rooms = "import demur.pipeline.pipeline, demur.scoring.score, demur.ask, demur.api"
    lines = [rooms, "import demur; demur.run"] if room_first else ["import demur; demur.run", rooms]
    shown = "print(*(callable(getattr(demur, name)) for name in 'run probe tune score load'.split()))"
    assert python("; ".join([*lines, shown])) == "True True True True True"


def test_the_help_page_loads_no_heavy_package():
    heavy = "{'torch', 'transformers', 'numpy', 'scipy', 'pyarrow', 'pydantic', 'yaml'}"
    assert python(f"import sys, demur.cli.main; print(*{heavy} & set(sys.modules))") == ""
