"""One reader for every command: the same file is the same questions, and advice can be typed as given."""

import io
import json
import os
import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import demur
from demur.cli.main import app
from demur.core.errors import DataError
from demur.core.records import question_id
from demur.datasets import DataSettings, load_questions
from demur.datasets.asked import read_asked
from demur.datasets.files import Content
from demur.datasets.leaks import normalise
from demur.datasets.sizes import calibration_needed, fewest_for_promise
from demur.metrics.base import CORRECT
from demur.scoring import read_outputs

CASES = Path(os.environ.get("DEMUR_SHARED_CASES") or Path(__file__).parents[3] / "shared/cases/files")
MODEL = Path(demur.__file__).parent / "pocket" / "model"


def command(*arguments, input=None):
    """Exit code and what was said: the output, or the message of an error."""
    done = CliRunner().invoke(app, list(map(str, arguments)), input=input)
    if done.exception and not isinstance(done.exception, SystemExit):
        assert hasattr(done.exception, "exit_code"), done.exception
        return done.exception.exit_code, str(done.exception)
    return done.exit_code, done.output if done.exit_code else done.stdout


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def question_rows(n=60, **names):
    rows = [{"question": f"Which river is number {i}?", "answer": f"River {i}"} for i in range(n)]
    return [{names.get(key, key): value for key, value in row.items()} for row in rows]


def as_read(path, tmp_path, *options):
    """The questions by each command: check's count, show's rows, and what init's configuration loads."""
    code, checked = command("data", "check", path, "--json", *options)
    assert code == 0, checked
    _, shown = command("data", "show", path, "--json", *options)
    out = tmp_path / "demur.yaml"
    code, told = command("init", path, "--out", out, "--force", *options)
    assert code == 0, told
    settings = yaml.safe_load(out.read_text(encoding="utf-8"))["data"]
    loaded = load_questions(
        DataSettings.model_validate({**settings, "test": 0, "calibration": 0, "leaks": "keep"})
    )
    return json.loads(checked), json.loads(shown), loaded


@pytest.mark.parametrize(
    "names", [{}, {"question": "prompt", "answer": "response"}, {"question": "q", "answer": "label"}]
)
@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv"])
def test_every_command_reads_the_same_questions(names, suffix, tmp_path):
    rows = question_rows(**names)
    path = tmp_path / f"x.{suffix}"
    if suffix == "csv":
        header = list(rows[0])
        path.write_text(
            "\n".join([",".join(header), *(",".join(row.values()) for row in rows)]), encoding="utf-8"
        )
    else:
        path.write_text(
            json.dumps(rows) if suffix == "json" else "\n".join(map(json.dumps, rows)), encoding="utf-8"
        )
    checked, shown, loaded = as_read(path, tmp_path)
    assert (checked["dataset"], checked["rows"], loaded.report.dataset) == ("file", 60, "file")
    assert checked["fields"] == dict(loaded.report.fields)
    assert [row["text"] for row in shown] == [question.text for question in loaded.questions]


ROLES = ("question", "answers", "id", "choices", "context", "group", "answerable", "split", "domain")


@pytest.mark.parametrize("spelling", ["--{}-field", "--data.{}_field"])
def test_every_command_takes_every_field_s_name(spelling, tmp_path):
    values = {
        "question": "Q?", "answers": "b", "id": "7", "choices": ["a", "b"], "context": "C.", "group": "g",
        "answerable": "yes", "split": "test", "domain": "ood",
    }  # fmt: skip
    rows = [
        {
            f"my {role}": f"Q{n}?" if role == "question" else n if role == "id" else v
            for role, v in values.items()
        }
        for n in range(3)
    ]
    path = write(tmp_path / "x.jsonl", rows)
    options = [part for role in ROLES for part in (spelling.format(role), f"my {role}")]
    checked, shown, loaded = as_read(path, tmp_path, *options)
    assert checked["fields"] == {role: f"my {role}" for role in ROLES} == dict(loaded.report.fields)
    assert (shown[1]["id"], shown[1]["answers"], shown[1]["context"]) == ("1", ["B"], "C.")
    outputs = write(tmp_path / "out.jsonl", [{**row, "my response": "b"} for row in rows])
    taken = ("question", "answers", "id", "choices", "group", "answerable")
    options = [part for role in (*taken, "response") for part in (spelling.format(role), f"my {role}")]
    code, found = command("score", outputs, "--json", "--resamples", "0", *options)
    assert code == 0, found
    assert json.loads(found)["metrics"]["accuracy"]["value"] == 1.0


def followed(message):
    """The options that a message advises, as they would be typed."""
    advice = message.partition("to do:")[2]
    return shlex.split(re.findall(r"(--[\w.-]+ (?:'[^']*'|\S+))", advice)[0].rstrip(";"))


@pytest.mark.parametrize("verb", [("data", "check"), ("data", "show"), ("init",)])
@pytest.mark.parametrize(
    ("rows", "first"),
    [
        (question_rows(answer="Answer that I like"), "--answers-field"),
        (question_rows(question="The Question"), "--question-field"),
        ([{**row, "id": 1} for row in question_rows()], "--id-field"),
        ([{**row, "domain": "medicine"} for row in question_rows()], "--domain-field"),
        ([{**row, "context": {"x": 1}} for row in question_rows()], "--context-field"),
        ([{**row, "group": ["x"]} for row in question_rows()], "--group-field"),
    ],
)
def test_advice_can_be_typed_in_the_command_that_gives_it(verb, rows, first, tmp_path):
    path, more = (
        write(tmp_path / "x.jsonl", rows),
        ("--out", tmp_path / "x.yaml") if verb == ("init",) else (),
    )
    code, message = command(*verb, path, *more)
    assert code == 2
    option = followed(message)
    assert option[0] == first
    code, said = command(*verb, path, *more, *option)
    assert code == 0, said


@pytest.mark.parametrize("verb", [("data", "check"), ("data", "show"), ("init",), ("score",)])
def test_a_field_that_is_not_there_suggests_the_nearest(verb, tmp_path):
    path = write(
        tmp_path / "x.jsonl", [{**row, "response": "x"} for row in question_rows(answer="gold text")]
    )
    code, message = command(*verb, path, "--answers-field", "gold txt")
    assert code == 2
    assert "no field is called 'gold txt'" in message
    assert "--answers-field 'gold text'" in message


@pytest.mark.parametrize("verb", [("data", "check"), ("data", "show"), ("init",), ("score",), ("run",)])
def test_an_option_that_is_not_there_suggests_the_nearest(verb, tmp_path):
    path = write(tmp_path / "x.jsonl", question_rows())
    source = ("--data", path) if verb == ("run",) else (path,)
    code, message = command(*verb, *source, "--answer-field", "x")
    assert code == 2
    assert re.search(r"answers[-_]field", message)


def test_the_encoding_and_the_data_settings_can_be_named_everywhere(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(
        "\n".join(["question,answer", *(f"Où est {n} ?,là {n}" for n in range(40))]).encode("cp1252")
    )
    for verb in (("data", "check"), ("data", "show")):
        code, message = command(*verb, path)
        assert (code, followed(message)) == (2, ["--encoding", "cp1252"])
        assert command(*verb, path, "--encoding", "cp1252")[0] == 0
    out = tmp_path / "demur.yaml"
    assert (
        command("init", path, "--encoding", "cp1252", "--out", out, "--data.test", "10", "--seed", "3")[0]
        == 0
    )
    written = yaml.safe_load(out.read_text(encoding="utf-8"))
    assert (written["data"]["encoding"], written["data"]["test"], written["seed"]) == ("cp1252", 10, 3)


def test_init_says_how_its_file_is_read_as_the_run_will(tmp_path):
    triples = [[f"Where is Ann {n} from?", f"Town {n}", "P19(place of birth)"] for n in range(60)]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(triples), encoding="utf-8")
    assert (
        command("init", path, "--out", tmp_path / "x.yaml", "--data.calibration", "0", "--data.test", "0")[
            0
        ]
        == 0
    )
    assert yaml.safe_load((tmp_path / "x.yaml").read_text(encoding="utf-8"))["data"]["name"] == "pararel"


# -- small files -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("max_error", "confidence", "n"),
    [
        (0.05, 0.95, 59),  # .95^58 = .0510, .95^59 = .0485
        (0.1, 0.9, 22),  # .9^21 = .1094, .9^22 = .0985
        (0.5, 0.5, 1),
        (0.5, 0.75, 2),  # .5^2 = .25 exactly
        (0.01, 0.95, 299),
        (0.9, 0.1, 1),
    ],
)
def test_answers_without_an_error_that_a_promise_takes(max_error, confidence, n):
    assert fewest_for_promise(max_error, confidence) == n


def test_a_fifth_of_the_calibration_questions_chooses_thresholds():
    assert calibration_needed(0.05, 0.95) == 74  # a fifth of 74 is 15, which leaves 59
    assert calibration_needed(0.5, 0.5) == 1


@pytest.mark.parametrize("n", [12, 100, 400, 1000])
def test_small_parts_are_looked_for_after_the_division(n, tmp_path):
    path = write(tmp_path / "x.jsonl", question_rows(n))
    found = json.loads(command("data", "check", path, "--json")[1])
    parts = {"train": n - round(0.2 * n) - max(1, round(0.1 * n)), "calibration": max(1, round(0.1 * n))}
    parts["test/id"] = round(0.2 * n)
    assert found["run_parts"] == parts
    small = [part for part, count in parts.items() if count < 30]
    (finding,) = (item for item in found["findings"] if item["name"] == "small-parts")
    assert finding["count"] == len(small)
    for text in (
        command("data", "check", path)[1],
        command("init", path, "--out", tmp_path / "o", "--force")[1],
    ):
        assert ("fewer than 30" in text) or not small
        assert ("takes 59 answers" in text) == (parts["calibration"] < 74)
    assert found["promise_needs"] == 59


def test_a_file_too_small_to_divide_is_still_checked(tmp_path):
    code, text = command("data", "check", write(tmp_path / "x.jsonl", question_rows(2)))
    assert code == 0
    assert "a run cannot use this as it stands" in text


# -- leaks across typography -------------------------------------------------------------------

PLAIN = "What's the capital of São Tomé?"


@pytest.mark.parametrize(
    "other",
    [
        "What\u2019s the capital of São Tomé?",
        "What\u02bcs the capital of São Tomé?",
        "What\u00b4s the capital of São Tomé?",
        "What\uff07s the capital of São Tomé?",
        "What's the capital of Sa\u0303o Tome\u0301?",
        "WHAT'S THE CAPITAL OF SÃO TOMÉ?",
        "  What's   the\tcapital of\u00a0São Tomé ?",
        "What's the capital of São Tomé",
        "What's the capital of São Tomé ？",
        "\u200bWhat's the cap\u200bital of São Tomé?",
        "\ufeffWhat's the capital of São Tomé?",
        "What's the capi\u00adtal of São Tomé?",
        "Ｗｈａｔ's the ｃａｐｉｔａｌ of São Tomé?",
        "“What’s the capital of SÃO TOMÉ?”",
    ],
)
def test_a_leak_is_found_whatever_its_typography(other, tmp_path):
    assert normalise(other) == normalise(PLAIN)
    write(tmp_path / "train.jsonl", [{"question": PLAIN, "answer": "x"}, *question_rows(40)])
    write(
        tmp_path / "test.jsonl", [{"question": other, "answer": "x"}, {"question": "Else?", "answer": "y"}]
    )
    loaded = load_questions(DataSettings(path=tmp_path, calibration=0))
    assert (loaded.report.leaks.rows, loaded.report.counts["test/id"]) == (1, 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is C++?", "What is C?"),
        ("Is x-1 odd?", "Is x1 odd?"),
        ("Is -1 odd?", "Is 1 odd?"),
        ("Who is O'Neil?", "Who is ONeil?"),
        ("Qui a pêché ?", "Qui a péché ?"),
        ("Was ist ein Maß?", "Was ist ein Mas?"),
    ],
)
def test_other_questions_stay_others(one, other):
    assert normalise(one) != normalise(other)


# -- questions to be asked now -----------------------------------------------------------------

FORMS = {
    "lines": ("Who, or what?\n\n Where? \r\n", [("Who, or what?", None, ()), ("Where?", None, ())]),
    "json lines": ('{"question": "Who?", "context": "C."}\n{"query": "Where?"}\n', None),
    "json list": ('["Who?", {"question": "Where?"}]', [("Who?", None, ()), ("Where?", None, ())]),
    "choices": (
        "question;choices\nWho?;a | b\nWhere?;",
        [("Who?", None, ("a", "b")), ("Where?", None, ())],
    ),
    "list cells": ('Prompt,Options\nWho?,"[""a"", ""b""]"', [("Who?", None, ("a", "b"))]),
    "blank rows": ('question,note\n"One ""1""?",n\n,empty\n', [('One "1"?', None, ())]),
    "excel": ("sep=;\nquestion;context\nWho?;C.", [("Who?", "C.", ())]),
    "squad": (
        json.dumps({"data": [{"paragraphs": [{"context": "C.", "qas": [{"question": "Who?"}]}]}]}),
        None,
    ),
    "chat": (json.dumps([{"messages": [{"role": "user", "content": "Who?"}]}]), [("Who?", None, ())]),
    "columns": (
        json.dumps({"question": ["Who?", "Where?"], "id": [1, 2]}),
        [("Who?", None, ()), ("Where?", None, ())],
    ),
    "nothing": ("", []),
    "blanks": (" \n\n", []),
}


@pytest.mark.parametrize("name", FORMS)
def test_questions_to_be_asked_come_in_every_form(name):
    text, expected = FORMS[name]
    if name == "json lines":
        with pytest.raises(DataError, match="line 2: the question"):  # the first row settled the field
            read_asked(Content(Path("text"), b'{"question": "Who?"}\n{"question": 5}\n'))
        return
    if name == "squad":
        expected = [("Who?", "C.", ())]
    found = read_asked(Content(Path("text"), text.encode()))
    assert [(q.text, q.context, q.choices) for q in found] == expected
    assert [q.id for q in found] == [
        question_id(q.text, context=q.context, choices=q.choices) for q in found
    ]


@pytest.mark.parametrize(
    "text", ['{"question": "One?"}\n{"question": ', '{"question": 7}', '{"a": 1}', "\x00\x01"]
)
def test_what_cannot_be_asked_is_said(text):
    with pytest.raises(DataError):
        read_asked(Content(Path("text"), text.encode()))


def test_ask_reads_a_file_from_standard_input(monkeypatch):
    given = "frage;choices\nWhere was Dora Pomash born?;\nWho?;a|b\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
    code, text = command("ask", MODEL, "-", "--question-field", "frage", "--json", input=given)
    assert code == 0, text
    assert [json.loads(line)["question"] for line in text.splitlines()] == [
        "Where was Dora Pomash born?",
        "Who?",
    ]
    assert command("ask", MODEL, "-", input="")[0] == 2


# -- the shared cases --------------------------------------------------------------------------


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the shared cases (DEMUR_SHARED_CASES)")
def test_the_shared_cases_come_out_right(tmp_path):
    def parts(name):
        return json.loads(command("data", "check", CASES / name, "--json")[1])

    def shown(name, *options):
        code, text = command("data", "show", CASES / name, "--json", *options)
        assert code == 0, text
        return json.loads(text)

    right = ("04-choice-gold-index/in.jsonl", "19-score-csv-lists/in.csv", "21-score-answer-field/in.jsonl")
    for name in (*right, "29-gsm8k/out.jsonl"):
        assert set(read_outputs(CASES / name).verdict.tolist()) == {CORRECT}, name
    table = read_outputs(CASES / "20-score-csv-numbers/in.csv")
    assert (table.abstained.sum(), table.signals["confidence"][1]) == (6, 0.1)
    twice = CASES / "22-score-duplicate-ids"
    found = demur.score(twice / "after.jsonl", twice / "before.jsonl", resamples=0)["metrics"]
    assert [found[m]["value"] for m in ("prudence", "over_conservativeness", "honesty")] == [1.0, 1.0, 0.5]
    own = ("25-check-says-predictions/it.jsonl", "25-check-says-predictions/pr.jsonl")
    for name in (*own, "26-check-guesses-dataset/QA.jsonl", "26-check-guesses-dataset/pl01.jsonl"):
        checked, rows, loaded = as_read(CASES / name, tmp_path)
        assert (checked["dataset"], loaded.report.dataset, len(rows)) == ("file", "file", 12), name
    code, checked = command("data", "check", CASES / "27-check-field-option/t.csv", "--json")
    assert (code, json.loads(checked)["fields"]["answers"]) == (0, "Correct Answers")
    assert len({row["text"] for row in shown("28-alpaca-input/a.jsonl")}) == 12
    assert [row["answers"] for row in shown("29-gsm8k/g.jsonl")] == [["32"], ["2,400"]]
    for name in ("30-squad-layouts/squad2.json", "30-squad-layouts/hub.jsonl"):
        assert [row["answerable"] for row in shown(name)] == [True, False, True]
    assert {tuple(row["answers"]) for row in shown("31-choice-layouts/arc.jsonl")} == {("B",)}
    assert [row["answers"][0] for row in shown("32-boolean-answers/b.csv")] == ["yes", "no", "yes", "no"]
    assert [row["answers"][0] for row in shown("32-boolean-answers/b.jsonl")] == ["yes", "no"]
    assert [row["answers"] for row in shown("33-chat-rows/m.jsonl")] == [["Oslo"], ["Stockholm"]]
    assert shown("34-table-cells/d.csv")[0]["answers"] == ["Oslo"]
    assert any("--answers-separator ';'" in note for note in parts("34-table-cells/s.csv")["notes"])
    assert shown("34-table-cells/s.csv", "--answers-separator", ";")[0]["answers"] == [
        "Oslo",
        "the city of Oslo",
    ]
    for name in (
        "36-excel-sep/sep.csv",
        "37-json-containers/columns.json",
        "37-json-containers/rows_api.json",
    ):
        assert [row["answers"] for row in shown(name)][-1] == ["Accra"], name
    assert parts("37-json-containers/splits.json")["parts"] == {"train": 8, "test/id": 4}
    (leaks,) = (item for item in parts("38-leaks-typography/leak")["findings"] if item["name"] == "leaks")
    assert leaks["count"] == 7
    assert parts("39-folder-eval/f")["parts"] == {"train": 12, "test/id": 12}
