"""The notebook of the quick start, run from its first cell to its last."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "examples/quickstart.ipynb"


@pytest.mark.slow
def test_every_cell_runs_and_the_last_says_what_it_was_worth(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "what it prints is not kept"
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    refused, worth = [cell for cell in notebook.cells if cell.cell_type == "code"][-2:]
    assert "I don't know." in refused.outputs[-1].data["text/plain"]
    words = worth.outputs[-1].text.split()
    # answers G of N, R of them right; answering all: A right
    given, asked, right, always = (int(word.rstrip(",")) for word in words if word.rstrip(",").isdigit())
    assert 0 < given < asked == 200
    assert right / given > always / asked
