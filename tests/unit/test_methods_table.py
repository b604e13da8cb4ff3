"""What is said of every method."""

import json
import subprocess
import sys

from demur.methods.table import entries, markdown

PAPERS = {
    *(
        "r-tuning",
        "r-tuning-r",
        "r-tuning-u",
        "r-tuning-min-loss",
        "pretrain",
        "vanilla",
        "vanilla-c",
        "vanilla-u",
    ),
    *(
        "unaligned",
        "honesty-prompt",
        "fine-tuned",
        "absolute",
        "confidence-num",
        "confidence-verb",
        "multisample",
    ),
    *(
        "us-tuning",
        "us-tuning-stage1",
        "us-tuning-plain-qa",
        "us-tuning-stage2",
        "pretrain-t",
        "pretrain-w",
    ),
}


def test_the_command_lists_every_method_of_the_papers_as_json():
    done = subprocess.run(
        [sys.executable, "-m", "demur", "methods", "--json"], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert {entry["name"] for entry in found} >= PAPERS
    for entry in found:
        assert {"paper", "needs", "loss", "cost", "summary", "deviations"} <= entry.keys()
        assert set(entry["needs"]) <= {"labels", "samples", "context"}
        assert entry["primary_signal"] in entry["signals"]


def test_names_are_said_once_and_stand_in_the_table():
    names = [entry["name"] for entry in entries()]
    assert len(names) == len(set(names))
    assert all(f"| `{name}` |" in markdown() for name in names)


def test_a_reading_of_ones_own_is_marked_as_such():
    (vanilla_u,) = [entry for entry in entries() if entry["name"] == "vanilla-u"]
    assert any("could not be read" in text for text in vanilla_u["deviations"])
