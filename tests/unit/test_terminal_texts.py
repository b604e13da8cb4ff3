"""Texts of users, models and files in the terminal and in Markdown: shown, never obeyed."""

import dataclasses
import io
import json

import pytest
from markdown_it import MarkdownIt
from reporting_run import make_small_run
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

from demur.analyse.page import markdown as analysis_page
from demur.ask.answer import Answer
from demur.cli.ask import shown
from demur.cli.main import app
from demur.cli.output import json_text, say
from demur.compare import collect, markdown, summarise
from demur.core.console import Shown, Terminal, print_wide, rate, safe
from demur.core.errors import plain
from demur.core.records import Probe, Question, read_parquet, write_parquet

ATTACKS = [
    "\x1b[2J",  # clears the screen
    "\x1b]0;title\x07",  # names the window
    "\x1b]8;;https://evil.example\x1b\\\\click\x1b]8;;\x1b\\\\",  # a link under another text
    "\x9b31m",  # the same in one byte
    "right\rwrong",  # writes over the line
    "a\x08\x08b",  # deletes what stands before
    "\u202egnorw",  # turns the direction of reading
    "\u2066x\u2069",
    "a[/x]b",  # rich's markup, wrong
    "[red]a[/red]",
    "[link=https://evil.example]a[/link]",
    ":skull:",
    "\ud800",  # half of a pair
]
HARMLESS = ["Zürich", "東京", "नमस्ते", "a\nb", "👩\u200d🚀", "50 % [1, 2]"]


def is_safe(text):
    return all(mark == "\n" or ord(mark) >= 32 for mark in text) and not set(text) & set(
        "\x7f\x80\x9b\u202e\u2066\u2069\u200e\ud800"
    )


@pytest.mark.parametrize("text", ATTACKS)
def test_one_escaper_shows_what_would_act(text):
    assert is_safe(plain(text))
    assert is_safe(json_text({text: [text]}))
    assert json.loads(json_text({text: [text]})) == {text: [text]}


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_stay_as_they_are(text):
    assert plain(text) == text


@pytest.mark.parametrize("text", ATTACKS)
def test_tables_panels_and_notes_show_texts_as_they_are(text, capsys):
    table = Table(text, title=text)
    table.add_row(text)
    table.add_row(Text(text))
    table.add_row(safe(text))
    print_wide(table, Panel(Text(text), title=Text(text)), text)
    say(text)
    Terminal().note(text)
    printed = capsys.readouterr()
    for stream in (printed.out, printed.err):
        assert is_safe(stream)
    if plain(text) == text:  # markup: it stands there as it was written
        assert printed.out.count(text) >= 5
        assert text in printed.err


def test_styles_of_our_own_stay():
    """Only texts are escaped: colours that a table asks for reach a terminal."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", markup=False)
    console.print(Shown(Text("a\x1b[2Jb", style="red")))
    assert out.getvalue() == "\x1b[31ma\\x1b[2Jb\x1b[0m\n"


@pytest.mark.parametrize("text", ATTACKS[:-1])
def test_an_answer_is_shown_and_not_obeyed(text, capsys):
    answer = Answer(
        question=text, text=text, abstained=False, said=text, confidence=0.5, signal="sure", threshold=0.4,
        probability=None, signals={"sure": 0.5}, guarantee=None, finish="stop", reason=None,
    )  # fmt: skip
    say(shown(answer))
    say(json_text(answer.to_json()))
    assert is_safe(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("confidence", "threshold", "told"),
    [
        (0.5, 0.4, "sure 0.50, answers from 0.40"),
        (0.7712, 0.7734, "sure 0.771, answers from 0.773"),
        (0.38, 0.38, "sure 0.38, answers from 0.38"),
        (0.123456789, 0.123456780, "sure 0.12345679, answers from 0.12345678"),
        (0.5, None, "sure 0.50"),
    ],
)
def test_a_confidence_beside_its_threshold_tells_which_side_it_fell_on(confidence, threshold, told):
    answer = Answer(
        question="Q?", text="A", abstained=False, said="A", confidence=confidence, signal="sure",
        threshold=threshold, probability=None, signals={}, guarantee=None, finish="stop", reason=None,
    )  # fmt: skip
    assert shown(answer).endswith(f" {told}")


def hostile_run(folder, text):
    """A run whose data has a hostile name."""
    run = make_small_run(folder)
    questions = [dataclasses.replace(question, dataset=text) for question in read(run)]
    write_parquet(run / "questions.parquet", questions, Question)
    (run / "config.yaml").write_text(json.dumps({"data": {"name": text}}), "utf-8")
    write_parquet(run / "probe.parquet", [], Probe)
    return run


def read(run):
    return read_parquet(run / "questions.parquet", Question)


@pytest.mark.parametrize("text", [text for text in ATTACKS if text != "\ud800"])
def test_comparing_runs_shows_names_and_never_fails(text, tmp_path):
    run = hostile_run(tmp_path / "run", text)
    ended = CliRunner().invoke(app, ["compare", str(run), "--page", str(tmp_path / "page.md")])
    assert ended.exit_code == 0, ended.output
    assert is_safe(ended.output)


MARKUP = [
    "<script>alert(1)</script>",
    "<img src=https://evil.example/x.png>",
    "![x](https://evil.example/x.png)",
    "[x](https://evil.example)",
    "a|b",
    "a\n\n# b",
    "`<b>`",
    "https://evil.example",
    "&#60;b&#62;",
    "**b** _i_ ~~s~~",
]


def tags_in(text):
    """Everything in a Markdown text that a browser would act on."""
    found = []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(text):
        for part in (token, *(token.children or ())):
            if part.type in ("html_block", "html_inline", "image", "link_open", "strong_open", "s_open"):
                found.append(part.content or part.type)
    return [tag for tag in found if tag not in ("<br>", "<small>", "</small>")]


@pytest.mark.parametrize("text", MARKUP)
def test_a_page_in_markdown_holds_no_markup_of_others(text, tmp_path):
    run = collect(hostile_run(tmp_path / "run", "small"))
    summary = summarise([run])
    group = next(iter(summary["datasets"].values()))
    group["splits"] = {
        f"id/{text}": dict.fromkeys([text], cells) for cells in group["splits"]["id"].values()
    }
    for item in group["differences"]:
        item.update(split=f"id/{text}", system=text, against=text)
    page = markdown(summary | {"datasets": {text: group}}, title=text, command=f"demur compare {text}")
    assert tags_in(page) == []
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert rows
    analysed = analysis_page(
        {
            "system": text,
            "settings": {"level": 0.95},
            "certain_against_uncertain": {
                "certain": 0, "uncertain": 0, "question_log_perplexity": None,
                "answer_log_perplexity": None, "answer_entropy": None,
            },
            "signals": {text: {"n": 0, "left_out": 0}},
            "sweep": {text: {text: []}},
        },
        text,
    )  # fmt: skip
    assert [tag for tag in tags_in(analysed) if tag != "strong_open"] == []


@pytest.mark.parametrize(
    ("speed", "text"),
    [
        (1240.4, "1,240 steps/s"),
        (10, "10 steps/s"),
        (2.54, "2.5 steps/s"),
        (0.4, "0.4 steps/s"),
        (0.0618, "0.062 steps/s"),
    ],
)
def test_a_rate_is_never_shown_as_nothing(speed, text):
    assert rate(speed, "steps") == text
