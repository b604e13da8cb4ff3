"""A run or model folder that was made to hang, to fill memory or to move the cursor."""

import json
import os
import subprocess
import sys

import pytest
from rich.console import Console
from transformers import LlamaConfig

from demur.ask.system import from_model
from demur.core.config import load_config
from demur.core.errors import ConfigError, ModelError, RunFolderError, plain
from demur.core.files import check_links
from demur.core.records import Prediction, Question, Verdict
from demur.core.signing import is_signed, sign
from demur.core.trust import load_own_config
from demur.engines import Opening, loading
from demur.metrics import evaluate
from demur.pipeline.status import render
from demur.runfolder.finished import FinishedRun
from demur.runfolder.folder import RunFolder
from demur.runfolder.shapes import Metrics

OTHER_WORDS = {
    "method": "r-tuning",
    "base_model": "pocket",
    "format": "plain",
    "stop": [],
    "max_new_tokens": 8,
    "threshold": {"value": 0.5},
    "template": {"other": 1},
}
LAST = "method: honesty-prompt\nbaselines: []\n"


def doubled(times, item):
    """YAML whose every line holds the one before ten times."""
    rows = (f"    a{i}: &a{i} {item.format(','.join([f'*a{i - 1}'] * 10))}\n" for i in range(1, times))
    return "model:\n  options:\n    a0: &a0 {k: 1}\n" + "".join(rows) + LAST


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (doubled(9, "[{}]"), "aliases stand for"),
        (doubled(9, "{{<<: [{}]}}"), "aliases stand for"),
        ("model:\n  options: &o\n    x: *o\n" + LAST, "aliases stand for"),
        ("x: " + "[" * 100_000 + "]" * 100_000, "recursion"),
        ("x: [" + "1," * 300_000 + "]", "more than"),
        ("seed: " + "9" * 5000, "digits"),
        ('out: "a\\0b"\n', "zero byte"),
        ("out: 2020-13-45\n", "month"),
    ],
)
def test_a_configuration_that_would_fill_the_memory_is_refused(tmp_path, text, found):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_config(tmp_path / "config.yaml")
    assert found in error.value.found


def test_ordinary_aliases_are_read(tmp_path):
    text = "model:\n  options:\n    a: &a {k: 1}\n    b: {<<: *a}\n" + LAST
    (tmp_path / "config.yaml").write_text(text)
    assert load_config(tmp_path / "config.yaml").model.options["b"] == {"k": 1}


@pytest.mark.parametrize("name", ["config.yaml", "metrics.json", "systems/r-tuning/model/demur.json"])
def test_a_pipe_in_the_place_of_a_file_is_refused_unread(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(RunFolderError, match="pipes"):
        RunFolder(tmp_path)


def test_a_pipe_is_not_read_as_a_configuration_or_a_model(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    os.mkfifo(tmp_path / "config.yaml")
    with pytest.raises(RunFolderError, match="pipes"):
        load_own_config(tmp_path / "config.yaml", {})
    with pytest.raises(RunFolderError, match="pipes"):
        from_model(tmp_path, None, {})


def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(RunFolderError, match="links"):
        check_links(tmp_path)


@pytest.mark.parametrize("text", ["[]", "5", "{}", '{"metrics": 5}', "[" * 100_000 + "]" * 100_000, "\xff"])
def test_json_of_another_kind_is_a_message(tmp_path, text):
    (tmp_path / "metrics.json").write_text(text, encoding="latin-1")
    with pytest.raises(RunFolderError, match=r"metrics\.json"):
        _ = FinishedRun.open(tmp_path).metrics
    (tmp_path / "manifest.json").write_text(text.replace("metrics", "systems"), encoding="latin-1")
    with pytest.raises(RunFolderError, match=r"manifest\.json"):
        FinishedRun.open(tmp_path).system("base")


@pytest.mark.parametrize(
    "name",
    [
        "metrics",
        "tables",
        "policies",
        "differences",
        "settings",
        "no_answer",
        "groups",
        "first_answers",
        "unread_languages",
    ],
)
def test_a_part_of_metrics_of_another_type_is_a_message(tmp_path, name):
    values = {"metrics": {}, name: "a\x1b[2J[/b]"}
    (tmp_path / "metrics.json").write_text(json.dumps(values))
    with pytest.raises(RunFolderError, match=name):
        _ = FinishedRun.open(tmp_path).metrics


def test_every_part_of_metrics_that_is_written_has_a_shape():
    question = Question(id="a", text="Who?", answers=("Ann",), split="test")
    said = Prediction(
        question_id="a",
        system="base",
        answer="Ann",
        response="Ann",
        verdict=Verdict.CORRECT,
        abstained=False,
    )
    measured = evaluate([question], {"base": [said]}, primary={"base": "likelihood"}, reference="base")
    assert {*measured} - {"schema_version"} <= {*Metrics.model_fields}


@pytest.mark.parametrize(
    "card", [[], {}, {"method": 5}, {"method": "r-tuning", "threshold": 0.5}, OTHER_WORDS]
)
def test_a_card_of_another_kind_is_a_message(tmp_path, card):
    (tmp_path / "demur.json").write_text(json.dumps(card))
    with pytest.raises(ModelError):
        from_model(tmp_path, None, {})


def test_an_adapter_is_read_from_safetensors_only(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "pocket"}))
    (tmp_path / "adapter_model.bin").write_bytes(b"a pickle")
    for path, adapter in ((tmp_path, None), ("pocket", tmp_path)):
        with pytest.raises(ModelError, match=r"adapter_model\.safetensors"):
            loading.find_source(Opening(str(path), adapter=adapter))


@pytest.mark.parametrize("name", ["attn_implementation", "_attn_implementation"])
def test_no_configuration_names_compiled_code_of_the_hub(tmp_path, name):
    config = LlamaConfig(vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict() | {name: "somebody/kernels"}))
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "tokenizer.json").write_text("{}")
    assert "/" not in str(loading.load_config(Opening(str(tmp_path)))._attn_implementation)


ESCAPES = "\x1b[2J\x1b]0;title\x07"


def test_no_text_of_a_folder_moves_the_cursor(capsys):
    assert "\x1b" not in plain(ESCAPES)
    assert plain("Zürich\n中") == "Zürich\n中"
    holder = {"pid": 1, "host": ESCAPES, "command": ESCAPES}
    found = {
        "run": "r",
        "state": "stopped",
        "holder": holder,
        "stages": [{"name": f"probe/{ESCAPES}[/b]", "state": "done", "seconds": 1.0}],
        "current": None,
        "first_answers": None,
    }
    Console().print(render(found))
    assert "\x1b" not in capsys.readouterr().out


def test_an_error_moves_no_cursor(tmp_path):
    command = [sys.executable, "-m", "demur", "trust", str(tmp_path / "a\x1b[2Jb")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "a\\x1b[2Jb" in done.stderr


def test_a_signature_that_nests_deeply_is_none(tmp_path):
    (tmp_path / "demur.json").write_text("{}")
    assert sign(tmp_path)
    (tmp_path / "signature.json").write_text("[" * 4000)
    assert not is_signed(tmp_path)
