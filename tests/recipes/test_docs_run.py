"""Every block of the README and of the documentation is run, page by page, as a reader would.

`bash` and `python` blocks are run in order, in one workspace for each page; the python blocks of a page
share their names, and a remark `# → VALUE` behind an expression is what it must give. `yaml` blocks are
loaded as configurations or studies. `text` and `json` are only shown. What cannot be run here says why in a
comment on the line before, `<!-- not run: REASON -->`, and is skipped with that reason.
"""

import json
import os
import random
import re
import shutil
import sys
from pathlib import Path

import pytest

import commands
from chat_server import ChatServer, Said
from demur.core.errors import ConfigError
from demur.datasets import DataSettings, load_questions
from documents import PAGES, ROOT, Block, blocks_of
from model_server import ModelAnswer
from reader import Reader, finished

pytestmark = pytest.mark.slow

RUN, SHOWN = {"bash", "python", "yaml"}, {"text", "json", "toml"}
ONLY_SHOWN = {"docs/results/": "the command that made the page: minutes to hours"}
"""Pages of which no block is run, and why."""
TUTORIALS = "docs/tutorials/"
SERVED = ("docs/openai-engine.md", "docs/tutorials/scaling-out.md")
SMALL = "--data.limit 96 --data.calibration 80 --evaluation.resamples 20"
REPLACED = (
    ("", r"Qwen/Qwen3-[\w.-]+", "pocket", "a model that is here"),
    ("", r"(?m)^pip install .*$", "", "it is installed"),
    ("", r"(?m)^hf upload .*$", "", "nothing leaves this machine"),
    ("", r" --open\b", "", "nobody looks at it"),
    (
        "",
        r"(?m)^demur tax runs/mine( --limit \d+)?",
        "demur tax runs/mine --limit 4",
        "few documents will do",
    ),
    ("README.md", r"(?m)^demur (study|claims)\b.*$", "", "half an hour, and hours"),
    (TUTORIALS, r"(?m)^demur run ", f"demur run {SMALL} ", "a tenth of the questions will do"),
    (TUTORIALS, r"(max.error[ =])0\.\d+", r"\g<1>0.5", "and of so few no more can be promised"),
    (SERVED, r"(?m)^vllm serve .*$", "", "a server of the tests answers with the pocket model"),
    (SERVED, r"http://localhost:8000", "{model}", "that server"),
    (SERVED, r"--model.engine openai", "--model.engine openai --data.limit 8", "it is slow"),
    (
        "docs/judging.md",
        r"http://localhost:8000",
        "{judge}",
        "a judge of the tests, who likes every answer",
    ),
)
"""What is run otherwise than it stands: beginning of the page's path, pattern, what is put there, why."""

BLOCKS = {page: blocks_of(page) for page in PAGES}


def reason(block):
    """Why a block is not run; None where it is."""
    by_page = (why for start, why in ONLY_SHOWN.items() if block.page.startswith(start))
    return block.reason if block.reason is not None else next(by_page, None)


def replaced(block, servers):
    text = block.text
    for page, pattern, put, _ in REPLACED:
        if block.page.startswith(page):
            text = re.sub(pattern, put.format(**servers), text)
    return text


TO_RUN = {page: [b for b in BLOCKS[page] if b.language in RUN and reason(b) is None] for page in PAGES}
LEFT_OUT = [b for page in PAGES for b in BLOCKS[page] if b.language in RUN and reason(b) is not None]


def test_every_block_says_what_it_is():
    assert [b.place for page in PAGES for b in BLOCKS[page] if b.language not in RUN | SHOWN] == []


def test_what_is_not_run_says_why():
    assert [b.place for page in PAGES for b in BLOCKS[page] if b.reason == ""] == []


@pytest.mark.parametrize("block", LEFT_OUT, ids=lambda block: block.place)
def test_left_out(block):
    pytest.skip(f"{block.place}: {reason(block)}")


@pytest.mark.parametrize(("page", "pattern"), [row[:2] for row in REPLACED])
def test_what_is_replaced_is_there(page, pattern):
    texts = [block.text for name in TO_RUN if name.startswith(page) for block in TO_RUN[name]]
    assert any(re.search(pattern, text) for text in texts)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The environment of the commands: `demur` on the PATH, at home in a folder of its own."""
    folder = tmp_path_factory.mktemp("commands")
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    (folder / ".curlrc").write_text("fail\n")  # what a server refuses is an error of the page
    home = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    given = os.environ | home | {"PATH": path, "OMP_NUM_THREADS": "1"}
    commands.start(folder, given)
    return given


@pytest.fixture(scope="module")
def servers():
    """Addresses by the names that the table uses."""
    with ChatServer(ModelAnswer()) as model, ChatServer(agreeable) as judge:
        yield {"model": model.url.removesuffix("/v1"), "judge": judge.url.removesuffix("/v1")}


def agreeable(heard, _):
    stance = {"stance": "answered"}
    return Said(json.dumps(stance | ({"correct": True} if "accepted_answers" in heard.prompt else {})))


@pytest.fixture(scope="module")
def made(tmp_path_factory, environment):
    """What the pages take for granted: questions, outputs, finished runs that were calibrated."""
    root, drawn = tmp_path_factory.mktemp("made"), random.Random(0)
    world = load_questions(DataSettings(name="pocket")).questions
    asked = drawn.sample([q for q in world if q.answerable and q.domain == "id"], 240)
    rows = [
        {"question": question.text, "answer": question.answers[0], "group": question.group}
        for question in asked
    ]
    write_lines(root / "my_qa.jsonl", rows)
    write_lines(root / "my.jsonl", [{"question": row["question"], "gold": row["answer"]} for row in rows])
    base = [{**row, "response": drawn.choice([row["answer"], "Atlantis"])} for row in rows]
    tuned = [{**row, "response": drawn.choice([row["response"], "I don't know."])} for row in base]
    for name, said in (("base", base), ("answers", tuned)):
        write_lines(root / f"{name}.jsonl", [{**row, "confidence": drawn.random()} for row in said])
    (root / "examples").symlink_to(ROOT / "examples")
    settings = "--training.learning_rate 1e-3 --data.calibration 80"
    finished(f"demur run --model pocket --data my_qa.jsonl --out runs/mine {settings}", root, environment)
    promise = "--max-error 0.5 --confidence 0.6 --recalibrate platt"
    finished(f"demur calibrate runs/mine {promise}", root, environment)
    for name in ("demo", "one", "other"):
        shutil.copytree(root / "runs/mine", root / "runs" / name)
    return root


def test_a_reader_notices_what_fails(environment, tmp_path):
    def block(language, text):
        return Block(page="page.md", line=1, language=language, text=text, reason=None)

    wrong = [("bash", "false\ntrue"), ("bash", "demur ask"), ("python", "1 + 1  # → 3"), ("yaml", "sed: 1")]
    with Reader(folder=tmp_path, environment=environment) as reader:
        for language, text in wrong:
            with pytest.raises((AssertionError, ConfigError)):
                reader.follow(block(language, text), text)
        reader.follow(block("python", ""), "two = 1 + 1\ntwo  # → 2; as it must be")


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.mark.parametrize("page", [page for page in PAGES if TO_RUN[page]])
def test_the_page_works(page, made, environment, servers, tmp_path, monkeypatch):
    folder = tmp_path / "reader"
    shutil.copytree(made, folder, symlinks=True)
    for own in re.findall(r"(?:--out |out=\")(runs/\w+)", "".join(block.text for block in TO_RUN[page])):
        shutil.rmtree(folder / own, ignore_errors=True)  # the page makes it itself
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", environment["HOME"])
    monkeypatch.setenv("XDG_CACHE_HOME", environment["XDG_CACHE_HOME"])
    with Reader(folder=folder, environment=environment) as reader:
        for block in TO_RUN[page]:
            reader.follow(block, replaced(block, servers))
