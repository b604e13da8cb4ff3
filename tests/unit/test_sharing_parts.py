"""Sharing: what may become markup, what may leave the machine, and a converter that is the user's own."""

import json

import pytest
from markdown_it import MarkdownIt

from demur.core.errors import ConfigError, ModelError, RunFolderError
from demur.core.markdown import Markdown, code, fenced, one_line, plain
from demur.share.contents import brings_code, check, files_of, mend
from demur.share.gguf import SCRIPT, _convert, find_converter
from demur.share.markdown import without_places
from demur.share.subject import Base, repository_problem

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) ![x](http://host/x.png)",
    "`code` ``more`` ```three",
    "a | b | c",
    "*bold* _italic_ ~~gone~~ &lt;b&gt; $x$",
    "# heading",
    "1. list",
    "- list",
    "line one\n\n# line two\n---\n<b>",
    "https://host/path www.host.org",
    "back\\slash \\` \\|",
    "{{ 7 * 7 }} {% raw %}",
    "\u202egnp.exe\u200b",
    "`",
    "",
)


def tokens_of(text):
    return [child for token in MARKDOWN.parse(text) for child in (token, *(token.children or ()))]


@pytest.mark.parametrize("text", HOSTILE)
def test_plain_text_stays_the_text_that_it_is(text):
    tokens = tokens_of(plain(text))
    assert {token.type for token in tokens} <= {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
    }
    assert "".join(t.content for t in tokens if t.type in ("text", "text_special")) == one_line(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_span_holds_everything(text):
    [span] = [token for token in tokens_of(code(text)) if token.type == "code_inline"] or [None]
    if one_line(text):
        assert span.content.strip() == one_line(text)
    assert not any(token.type in ("html_inline", "link_open", "image") for token in tokens_of(code(text)))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_table_keeps_its_cells(text):
    table = f"| a | b |\n| --- | --- |\n| {plain(text)} | {plain(text)} |\n"
    cells = [token for token in tokens_of(table) if token.type == "td_open"]
    assert len(cells) == 2
    assert not any(token.type in ("html_inline", "html_block") for token in tokens_of(table))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_block_ends_where_it_should(text):
    tokens = MARKDOWN.parse(f"{fenced(text, 'text')}\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content == text + "\n"


def test_markdown_is_made_here_only():
    assert isinstance(code("x"), Markdown)
    assert not isinstance(plain("x"), Markdown)
    assert one_line("a\tb\r\n c\x00\u202e") == "a b c"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("demur run --out /home/me/runs/x --seed 1", "demur run --out x --seed 1"),
        ("demur run --out=/home/me/runs/x", "demur run --out=x"),
        ("demur run ~/secret/c.yaml --model Qwen/Qwen3-4B", "demur run c.yaml --model Qwen/Qwen3-4B"),
        ("demur run ../../home/me/c.yaml", "demur run c.yaml"),
        ("demur run runs/mine.yaml", "demur run runs/mine.yaml"),
        (r"demur run C:\Users\me\c.yaml", "demur run c.yaml"),
        (
            "demur run --judge.llm.base_url http://10.0.0.7:8000/v1",
            "demur run --judge.llm.base_url ADDRESS",
        ),
        (
            "demur run --data.mixture [{path: /home/me/a.jsonl}]",
            "demur run --data.mixture [{path: a.jsonl}]",
        ),
        ("demur run --data.path hub:openai/gsm8k", "demur run --data.path hub:openai/gsm8k"),
    ],
)
def test_no_folder_of_the_machine_stays_in_a_command(said, left):
    assert without_places(said) == left


def test_known_places_are_named_first_even_with_spaces():
    said = without_places("demur run --out /home/me/my runs/x", [("/home/me/my runs/x", "x")])
    assert said == "demur run --out x"


def test_a_base_model_is_public_only_where_the_hub_could_have_it(tmp_path):
    folder = tmp_path / "gpt2"
    folder.mkdir()
    local = Base.of(str(folder), str(folder))
    assert (local.name, local.public, local.on_hub) == ("gpt2", "./gpt2", False)
    hub = Base.of("Qwen/Qwen3-4B", "Qwen/Qwen3-4B")
    assert (hub.public, hub.on_hub) == ("Qwen/Qwen3-4B", True)
    pocket = Base.of(str(folder), "pocket")
    assert (pocket.name, pocket.pocket, pocket.on_hub) == ("pocket", True, False)
    assert repository_problem(local.public) is not None, "no repository can have the name of a local one"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    made.mkdir()
    (made / "adapter_model.safetensors").write_bytes(b"x")
    (made / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "/home/me/base", "r": 8})
    )
    (made / "tokenizer.json").write_text("{}")
    (made / "tokenizer_config.json").write_text('{"name_or_path": "/home/me/base"}')
    (made / "demur.json").write_text(json.dumps({"base_model": "/home/me/base", "stop": ["."]}))
    return made


def test_where_the_base_model_lay_is_taken_out(folder):
    base = Base(path="/home/me/base", name="base", on_hub=False, pocket=False)
    assert mend(folder, base) == [
        "adapter_config.json: base_model_name_or_path",
        "tokenizer_config.json: name_or_path",
        "demur.json: base_model",
    ]
    assert json.loads((folder / "adapter_config.json").read_text()) == {
        "base_model_name_or_path": "./base",
        "r": 8,
    }
    assert mend(folder, base) == [], "a second time there is nothing to do"
    check(folder)


def test_a_folder_that_is_not_fit_names_everything(folder):
    (folder / "training_args.bin").write_bytes(b"x")
    (folder / "modeling.py").write_text("")
    (folder / "checkpoint-1").mkdir()
    (folder / "tokenizer.json").unlink()
    with pytest.raises(RunFolderError) as error:
        check(folder)
    for part in (
        "no tokenizer",
        "a folder: checkpoint-1",
        "neither safetensors nor JSON: modeling.py",
        "neither safetensors nor JSON: training_args.bin",
        "a path of this machine: adapter_config.json: base_model_name_or_path",
    ):
        assert part in str(error.value)
    assert "training_args.bin" not in {path.name for path in files_of(folder)}


def test_code_that_a_model_brings_is_found_wherever_it_stands(folder):
    assert brings_code(folder) == []
    (folder / "tokenizer_config.json").write_text('{"a": [{"auto_map": {"AutoTokenizer": "x--y.Z"}}]}')
    assert brings_code(folder) == ["tokenizer_config.json"]
    (folder / "tokenizer_config.json").write_text('{"auto\\u005fmap": {"AutoTokenizer": "x--y.Z"}}')
    assert brings_code(folder) == ["tokenizer_config.json"], "as a reader of JSON reads it"


def test_the_converter_is_found_in_a_checkout_or_named(tmp_path, monkeypatch):
    monkeypatch.delenv("LLAMA_CPP_DIR", raising=False)
    with pytest.raises(ConfigError, match="git clone"):
        find_converter()
    with pytest.raises(ConfigError, match="no file"):
        find_converter(tmp_path)
    (tmp_path / SCRIPT).write_text("")
    assert find_converter(tmp_path) == find_converter(tmp_path / SCRIPT) == (tmp_path / SCRIPT).resolve()
    monkeypatch.setenv("LLAMA_CPP_DIR", str(tmp_path))
    assert find_converter() == (tmp_path / SCRIPT).resolve()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("raise NotImplementedError('BPE pre-tokenizer was not recognized - update')", "does not know"),
        ("import no_such_package", "pip install no_such_package"),
        ("import sys; sys.exit('Model X is not supported')", "exit code 1: Model X is not supported"),
        ("pass", "exit code 0: nothing"),
    ],
)
def test_what_a_converter_says_is_passed_on(tmp_path, script, said):
    file = tmp_path / "convert.py"
    file.write_text(script)
    with pytest.raises(ModelError, match=said):
        _convert(file, tmp_path, tmp_path / "out.gguf", "f16")
