"""Every configuration that ships is loaded."""

from pathlib import Path

import pytest

from demur.config import load_config
from demur.pipeline import check_names
from demur.pocket import DEMO_CONFIG

ROOT = Path(__file__).parents[2]
SHIPPED = [*sorted((ROOT / "examples").rglob("*.yaml")), DEMO_CONFIG]


def test_there_are_examples():
    assert len(SHIPPED) >= 3


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_it_loads_and_names_only_what_exists(path):
    check_names(load_config(path))
