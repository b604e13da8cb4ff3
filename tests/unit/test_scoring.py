"""Anybody's outputs: rows in, every metric that they allow out, and why the others are missing."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import demur
from demur.cli.main import app
from demur.core.errors import ConfigError, DataError, UnknownNameError
from demur.metrics import METRICS
from demur.metrics.base import CORRECT, WRONG
from demur.scoring import read_outputs, score
from demur.scoring import reading as scoring_reading


def row(response, *, answers=("Oslo",), number=0, **more):
    return {"question": f"Where is it, {number}?", "answers": list(answers), "response": response, **more}


ROWS = [
    row("Oslo", number=1, confidence=0.9),
    row("Rome", number=2, confidence=0.8),
    row("I don't know.", number=3, confidence=0.1),
    row("Rome", answers=(), number=4, answerable=False, confidence=0.4),
    row("I don't know", answers=(), number=5, answerable=False, confidence=0.2),
    row("Oslo", number=6, abstained=True, confidence=0.3),
]


def write(path, rows):
    path.write_text("".join(json.dumps(item) + "\n" for item in rows), encoding="utf-8")
    return path


def measure(tmp_path, rows, before=None, **settings):
    outputs = read_outputs(write(tmp_path / "now.jsonl", rows))
    untuned = read_outputs(write(tmp_path / "before.jsonl", before)) if before else None
    return score(outputs, untuned, **{"resamples": 20, **settings})


def test_counts_and_values_by_hand(tmp_path):
    found = measure(tmp_path, ROWS)
    assert found["tables"] == {
        "answerable": {"correct": 1, "wrong": 1, "refused": 2, "unscored": 0},
        "unanswerable": {"correct": 0, "wrong": 1, "refused": 1, "unscored": 0},
    }
    value = {name: cell["value"] for name, cell in found["metrics"].items()}
    # Answered: rows 1, 2 and 4, of which one is right; declined: 3, 5 and, by its own word, 6.
    assert value["accuracy_willing"] == pytest.approx(1 / 3)
    assert value["coverage"] == pytest.approx(3 / 6)
    # Answerable by falling confidence: right .9, wrong .8, right .3 (declined all the same), refused .1.
    assert value["ap"] == pytest.approx((1 + 2 / 3) / 2)
    assert value["abstention_recall"] == pytest.approx(1 / 2)
    assert value["abstention_precision"] == pytest.approx(1 / 3)
    assert set(found["metrics"]) == set(METRICS.names())
    assert found["not_computed"]["honesty"] == "needs the untuned system's outputs (--before)"
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_before_is_matched_by_question_or_id(tmp_path):
    before = [row("Oslo", number=number) for number in range(1, 7)]
    found = measure(tmp_path, ROWS, before)
    # All six were right before; of these rows 2 and 4 are answered wrongly now, and 3, 5 and 6 declined.
    assert found["metrics"]["newly_wrong"]["value"] == pytest.approx(2 / 6)
    assert found["metrics"]["over_conservativeness"]["value"] == pytest.approx(3 / 6)
    assert found["not_computed"]["prudence"] == "every question was right before or is right now"
    ids = [{**item, "id": number} for number, item in enumerate(ROWS)]
    again = [{**row("Rome", number=9), "id": number} for number in range(6)]
    # Nothing was right before; 3, 5 and 6 are declined now, and only the first is right.
    assert measure(tmp_path, ids, again)["metrics"]["prudence"]["value"] == pytest.approx(3 / 5)
    with pytest.raises(DataError, match="no row of one file has a counterpart"):
        measure(tmp_path, ROWS, [row("Oslo", number=77)])
    assert "5 of 6 rows have no counterpart" in measure(tmp_path, ROWS, before[:1])["notes"][0]


def test_named_confidences_are_signals_of_their_own(tmp_path):
    rows = [row("Oslo", confidence={"sure": 0.9, "logit": 3.0}), row("Rome", confidence={"sure": 0.2})]
    found = measure(tmp_path, rows)
    assert found["metrics"]["ap"] == found["metrics"]["ap_sure"]
    assert found["metrics"]["ap_logit"]["n"] == 1
    assert found["metrics"]["ece_logit"]["value"] is None  # 3 is no probability


def test_what_rows_do_not_hold_is_named(tmp_path):
    found = measure(tmp_path, [row("Oslo")])
    assert found["not_computed"]["ap"] == "no row has a confidence"
    assert found["not_computed"]["accuracy_unknown"] == "no question is unanswerable"
    assert "accuracy" not in found["not_computed"]
    no_answers = measure(
        tmp_path,
        [{"question": "Why?", "answers": None, "response": "So."}, row("I don't know", answers=())],
    )
    assert no_answers["tables"]["answerable"]["unscored"] == 1
    assert no_answers["metrics"]["accuracy"]["unscored"] == 1
    assert no_answers["metrics"]["coverage"]["value"] == 0.5
    only = measure(tmp_path, ROWS, metrics=["accuracy", "ap"])
    assert set(only["metrics"]) == {"accuracy", "ap"}
    with pytest.raises(UnknownNameError, match="auroc"):
        measure(tmp_path, ROWS, metrics=["aurock"])


def test_whole_groups_are_drawn_where_there_are_enough(tmp_path):
    # Each group is all right or all wrong, so between groups there is far more spread than within.
    rows = [
        row("Oslo" if group % 2 else "Rome", number=100 * group + i, group=f"g{group}")
        for group in range(30)
        for i in range(20)
    ]
    width = {}
    for name, given in (("rows", [{**r, "group": None} for r in rows]), ("groups", rows)):
        found = measure(tmp_path, given, resamples=300)
        cell = found["metrics"]["accuracy"]
        width[name] = cell["high"] - cell["low"]
    # Standard errors: sqrt(.25 / 600) of single rows, sqrt(.25 / 30) of groups: 4.5 times as much.
    assert width["groups"] / width["rows"] == pytest.approx(20**0.5, rel=0.4)
    assert found["notes"] == ["intervals are over 30 groups, drawn as wholes"]
    assert "too few" in measure(tmp_path, rows[:100])["notes"][0]
    some = [{**r, "group": r["group"] if i < 20 else None} for i, r in enumerate(rows)]
    assert measure(tmp_path, some, resamples=2)["notes"] == [
        "intervals are over 581 groups, drawn as wholes"
    ]


@pytest.mark.parametrize(
    ("cell", "value"), [("90%", 0.9), ('"0,9"', 0.9), ('"87,5 %"', 0.875), (".9", 0.9)]
)
def test_confidences_of_a_table_in_per_cent_and_with_a_comma(tmp_path, cell, value):
    path = tmp_path / "x.csv"
    path.write_text(f"question,answers,response,confidence\nWho?,Ann,Ann,{cell}\n", encoding="utf-8")
    assert read_outputs(path).signals["confidence"].tolist() == [value]


@pytest.mark.parametrize("cell", ["about 90", '"1,234,5"', "90%%"])
def test_what_is_no_number_in_a_table_is_an_error(tmp_path, cell):
    path = tmp_path / "x.csv"
    path.write_text(f"question,answers,response,confidence\nWho?,Ann,Ann,{cell}\n", encoding="utf-8")
    with pytest.raises(DataError, match="not a number"):
        read_outputs(path)


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (5, "the number 5, not an object"),
        ({"question": "Q?", "answers": ["a"]}, "response is missing, not a text"),
        (row("x", answers=["a"], confidence="high"), "confidence is 'high', not a number"),
        ({**row("x"), "answers": [{}]}, "the answer (answers) is an object, not a text"),
        ({**row("x"), "answerable": "perhaps"}, "answerable (answerable) is 'perhaps'"),
        ({**row("x"), "abstained": 2}, "abstained (abstained) is the number 2"),
        ({**row("x"), "confidence": "0.9"}, "confidence is '0.9', not a number"),
        ({**row("x"), "question": " "}, "the question (question) is empty"),
    ],
)
@pytest.mark.parametrize("parallel", [False, True])
def test_every_wrong_row_is_listed_with_its_line(bad, found, parallel, tmp_path, monkeypatch):
    if parallel:
        monkeypatch.setattr(scoring_reading, "SHARE_BYTES", 1)
    with pytest.raises(DataError) as caught:
        read_outputs(write(tmp_path / "rows.jsonl", [ROWS[0], bad, ROWS[1], bad]))
    assert f"line 2: {found}" in caught.value.found
    assert f"line 4: {found}" in caught.value.found


def test_reading_in_parallel_gives_the_same(tmp_path, monkeypatch):
    path = write(tmp_path / "rows.jsonl", [{**r, "group": "ü"} for r in ROWS * 40])
    whole = read_outputs(path)
    monkeypatch.setattr(scoring_reading, "SHARE_BYTES", 500)
    shared = read_outputs(path)
    for name in ("verdict", "refused", "answerable"):
        assert np.array_equal(getattr(whole, name), getattr(shared, name))
    assert (whole.keys, whole.groups) == (shared.keys, shared.groups)
    assert np.array_equal(whole.signals["confidence"], shared.signals["confidence"])


def test_nothing_to_score(tmp_path):
    with pytest.raises(DataError, match="at least one row"):
        measure(tmp_path, [])


def test_degenerate_outputs_get_no_flattering_figures(tmp_path):
    """Always refusing and always answering: what they score, free policies score too."""
    before = [row("Oslo" if n % 2 else "Rome", number=n) for n in range(20)]
    for response in ("I don't know.", "Rome"):
        found = measure(tmp_path, [row(response, number=n) for n in range(20)], before)
        assert found["metrics"]["honesty"]["value"] == pytest.approx(0.5)
        assert found["metrics"]["ths"]["value"] <= 0
        assert found["policies"]["always-refuse"]["honesty"]["value"] == pytest.approx(0.5)


def test_the_command(tmp_path):
    path = write(tmp_path / "rows.jsonl", ROWS)
    run = CliRunner().invoke
    text = run(app, ["score", str(path), "--resamples", "20"]).stdout
    assert "accuracy_willing" in text
    (line,) = (line for line in text.splitlines() if "the untuned system's outputs (--before)" in line)
    assert line.startswith("not computed, needs")
    assert " honesty," in line
    found = json.loads(run(app, ["score", str(path), "--before", str(path), "--json"]).stdout)
    assert found["schema_version"] == 1
    assert set(found["metrics"]["accuracy"]) == {"value", "low", "high", "n", "unscored", "small"}
    listed = json.loads(run(app, ["metrics", "--json"]).stdout)
    assert [entry["name"] for entry in listed] == METRICS.names()
    assert "newly_wrong" in run(app, ["metrics"]).stdout


# -- files as they come ------------------------------------------------------------------------

CITIES = [("Norway", "Oslo"), ("Sweden", "Stockholm"), ("Chile", "Santiago"), ("Egypt", "Cairo")]
ASKED = [f"What is the capital of {country}?" for country, _ in CITIES]


def table(path, header, *columns):
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writerows([header, *zip(*columns, strict=True)])
    return path


def scored(*arguments):
    """Exit code, and the JSON or the message, of the command."""
    done = CliRunner().invoke(app, ["score", *map(str, arguments), "--json", "--resamples", "0"])
    if done.exception and not isinstance(done.exception, SystemExit):
        return done.exception.exit_code, str(done.exception)
    return done.exit_code, json.loads(done.stdout)


def accuracy(found):
    return found[1]["metrics"]["accuracy"]["value"]


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
@pytest.mark.parametrize("write_list", [json.dumps, repr, lambda names: names[0]])
def test_list_cells_of_a_table_are_lists_of_answers(suffix, write_list, tmp_path):
    golds = [write_list([city, f"the city of {city}", 'it\'s "x"']) for _, city in CITIES]
    path = table(
        tmp_path / f"t.{suffix}",
        ["question", "answers", "response"],
        ASKED,
        golds,
        [city for _, city in CITIES],
    )
    assert accuracy(scored(path)) == 1.0


def test_a_list_cell_that_cannot_be_read_is_named_with_its_line(tmp_path):
    header = ["question", "answers", "response"]
    path = table(tmp_path / "t.csv", header, ["A?", "B?"], ["x", "['a' b]"], ["x", "y"])
    code, message = scored(path)
    assert code == 2
    assert "line 3" in message
    assert "looks like a list" in message


TRUE, FALSE = ("true", "TRUE", "yes", "1"), ("false", "False", "no", "0")


@pytest.mark.parametrize("place", range(4))
def test_cells_are_numbers_and_truth_values(place, tmp_path):
    header = ["question", "answers", "response", "confidence", "abstained", "answerable"]
    true, false = TRUE[place], FALSE[place]
    columns = [
        ["A?", "B?", "C?", "D?"],
        ["a", "b", "c", ""],
        ["a", "b", "x", "I don't know"],
        ["0.9", "8e-1", " .7 ", ""],
        [false, true, "", false],
        [true, "", true, false],
    ]
    code, found = scored(table(tmp_path / "t.csv", header, *columns))
    assert code == 0
    assert found["tables"] == {
        "answerable": {"correct": 1, "wrong": 1, "refused": 1, "unscored": 0},
        "unanswerable": {"correct": 0, "wrong": 0, "refused": 1, "unscored": 0},
    }
    assert found["metrics"]["auroc"]["n"] == 3


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        *[("confidence", cell) for cell in ("high", "85%%", "1,234", "1_0", "inf", "[0.5]", '{"a": "b"}')],
        *[("abstained", cell) for cell in ("perhaps", "2", "answerable")],
        *[("answerable", cell) for cell in ("perhaps", "2", "abstained")],
    ],
)
def test_other_cells_are_an_error_with_their_line(column, cell, tmp_path):
    header = ["question", "answers", "response", column]
    good = "0.5" if column == "confidence" else "no"
    path = table(tmp_path / "t.csv", header, ["A?", "B?"], ["a", "b"], ["a", "b"], [good, cell])
    code, message = scored(path)
    assert code == 2
    assert f"line 3: {column}" in message
    assert f"{cell!r}" in message or "'b'" in message


def test_named_confidences_fit_in_a_cell(tmp_path):
    header, cells = ["question", "answers", "response", "confidence"], ['{"sure": 0.9}', "{'sure': 0.2}"]
    path = table(tmp_path / "t.csv", header, ["A?", "B?"], ["a", "b"], ["a", "x"], cells)
    assert read_outputs(path).signals["sure"].tolist() == [0.9, 0.2]


@pytest.mark.parametrize("said", ["response", "output", "prediction", "generated", "Model-Output"])
@pytest.mark.parametrize(
    ("asked", "gold"),
    [
        *[("question", gold) for gold in ("answers", "answer", "gold", "target", "label", "reference")],
        *[(asked, "Gold Answer") for asked in ("prompt", "Query", "input", "problem")],
    ],
)
def test_field_names_are_guessed(asked, gold, said, tmp_path):
    rows = [{said: city, gold: city, asked: text} for text, (_, city) in zip(ASKED, CITIES, strict=True)]
    rows[3][said] = "Rome"
    path = write(tmp_path / "rows.jsonl", rows)
    outputs = read_outputs(path)
    assert outputs.verdict.tolist() == [CORRECT] * 3 + [WRONG]
    given = dict(zip(("question", "answers", "response"), (asked, gold, said), strict=True))
    told = [f"{role} from {name!r}" for role, name in given.items() if role != name.casefold()]
    assert outputs.notes == ([f"read {', '.join(told)}"] if told else [])


@pytest.mark.parametrize("parallel", [False, True])
def test_fields_that_nobody_can_guess_are_named_by_the_user(parallel, tmp_path, monkeypatch):
    if parallel:
        monkeypatch.setattr(scoring_reading, "SHARE_BYTES", 1)
    rows = [
        {"q1": text, "truth": city, "llama": city, "p": 0.5, "key": number}
        for number, (text, (_, city)) in enumerate(zip(ASKED, CITIES, strict=True))
    ]
    path = write(tmp_path / "rows.jsonl", rows)
    names = {"question": "q1", "answers": "truth", "response": "llama", "confidence": "p", "id": "key"}
    options = [part for role, name in names.items() for part in (f"--{role}-field", name)]
    code, found = scored(path, *options)
    assert (code, accuracy((code, found))) == (0, 1.0)
    assert found["metrics"]["brier"]["value"] == 0.25
    assert demur.score(path, fields=names, resamples=0)["metrics"] == found["metrics"]
    assert read_outputs(path, fields=names).keys == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("row", "option"),
    [
        ({"question": "Q?", "response": "a"}, "--answers-field"),
        ({"question": "Q?", "answer": "a"}, "--response-field"),
        ({"text": "Q?", "answer": "a", "response": "a"}, "--question-field"),
        ({"question": "Q?", "answrs": "a", "response": "a"}, "--answers-field 'answrs'"),
        ({"question": "Q?", "answers": "a", "respons": "a"}, "--response-field 'respons'"),
    ],
)
@pytest.mark.parametrize("parallel", [False, True])
def test_a_missing_field_is_an_error_that_says_what_to_type(row, option, parallel, tmp_path, monkeypatch):
    if parallel:
        monkeypatch.setattr(scoring_reading, "SHARE_BYTES", 1)
    code, message = scored(write(tmp_path / "rows.jsonl", [row] * 3))
    assert code == 2
    assert option in message
    assert all(repr(name) in message for name in row)
    if "'" in option:  # it can be typed as it is said
        assert scored(tmp_path / "rows.jsonl", *option.replace("'", "").split())[0] == 0


def test_unknown_roles_and_fields_are_errors(tmp_path):
    path = write(tmp_path / "rows.jsonl", ROWS)
    assert "no field is called 'x'" in scored(path, "--confidence-field", "x")[1]
    with pytest.raises(ConfigError, match="gold"):
        read_outputs(path, fields={"gold": "answers"})


def test_rows_without_gold_are_unscored_and_all_of_them_an_error(tmp_path):
    rows = [row("Oslo", number=1), *(row("x", number=number, answers=()) for number in (2, 3))]
    rows[2]["answers"] = None
    assert measure(tmp_path, rows)["tables"]["answerable"]["unscored"] == 2
    code, message = scored(write(tmp_path / "none.jsonl", rows[1:]))
    assert code == 2
    assert "2 rows, none of them" in message
    assert "--answers-field" in message
    with pytest.raises(DataError, match="none of them"):
        measure(tmp_path, rows, before=rows[1:])
    declined = [{**item, "abstained": True} for item in rows[1:]]
    assert measure(tmp_path, declined)["metrics"]["coverage"]["value"] == 0.0


# -- options -----------------------------------------------------------------------------------


@pytest.mark.parametrize("gold", [1, "1", "B", "b", "Oslo", "oslo", "(B)", ["1"], ["B", "Oslo"], [1]])
@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_the_gold_of_options_is_read_as_in_question_files(gold, suffix, tmp_path):
    options, said = ["Paris", "Oslo", "Bonn"], ["B", "Oslo", "A"]
    if suffix == "jsonl":
        rows = [{"question": "Q?", "choices": options, "answer": gold, "response": text} for text in said]
        path = write(tmp_path / "t.jsonl", rows)
    else:
        cell = json.dumps(gold) if isinstance(gold, list) else str(gold)
        columns = (["1?", "2?", "3?"], [json.dumps(options)] * 3, [cell] * 3, said)
        path = table(tmp_path / "t.csv", ["question", "choices", "answer", "response"], *columns)
    assert read_outputs(path).verdict.tolist() == [CORRECT, CORRECT, WRONG]


@pytest.mark.parametrize("gold", [3, "7", "D", "Rome", ["Rome"]])
def test_a_gold_that_is_no_option_is_an_error(gold, tmp_path):
    rows = [{"question": "Q?", "choices": ["Paris", "Oslo", "Bonn"], "answers": gold, "response": "B"}]
    code, message = scored(write(tmp_path / "t.jsonl", rows * 2))
    assert code == 2
    assert "line 2" in message
    assert "none of the 3 options" in message


# -- ids that occur several times --------------------------------------------------------------

TWICE = [str(number // 2) for number in range(12)]


def pairs_of(ids, response, questions=None):
    numbers = questions or range(len(ids))
    return [row(response(at), number=numbers[at], id=key) for at, key in enumerate(ids)]


def half_right(number):
    return "Oslo" if number % 2 else "Rome"


def test_repeated_ids_are_matched_by_occurrence(tmp_path):
    """Of twelve questions six were right before, and all are declined now."""
    now, before = pairs_of(TWICE, lambda _: "I don't know"), pairs_of(TWICE, half_right)
    value = {name: cell["value"] for name, cell in measure(tmp_path, now, before)["metrics"].items()}
    expected = {"prudence": 1.0, "over_conservativeness": 1.0, "honesty": 0.5}
    assert {name: value[name] for name in expected} == expected
    write(tmp_path / "now.jsonl", now)
    found = demur.score(tmp_path / "now.jsonl", tmp_path / "before.jsonl", resamples=0)
    assert {name: found["metrics"][name]["value"] for name in expected} == expected


def test_the_same_question_asked_twice_is_matched_by_occurrence(tmp_path):
    questions = [number // 2 for number in range(12)]
    now = [row("I don't know", number=number) for number in questions]
    before = [row(half_right(place), number=number) for place, number in enumerate(questions)]
    assert measure(tmp_path, now, before)["metrics"]["honesty"]["value"] == 0.5


@pytest.mark.parametrize(
    ("ids", "questions"),
    [
        (TWICE[:-1], range(11)),  # one is missing
        ([*TWICE, "5"], range(13)),  # one too many
        ([*TWICE[2:4], *TWICE[:2], *TWICE[4:]], (2, 3, 0, 1, *range(4, 12))),  # another order of ids
        (TWICE, (1, 0, *range(2, 12))),  # another order within an id
        ([str(number) for number in range(12)], range(12)),  # repeated in one file only
    ],
)
def test_repeated_ids_that_do_not_match_are_an_error_with_ids_and_lines(ids, questions, tmp_path):
    now, before = pairs_of(TWICE, lambda _: "I don't know"), pairs_of(ids, half_right, questions)
    for first, second in ((now, before), (before, now)):
        with pytest.raises(DataError, match=r"id '\d+' \(line \d+\)") as caught:
            measure(tmp_path, first, second)
        assert "--id-field none" in caught.value.fix
    one, other = tmp_path / "now.jsonl", tmp_path / "before.jsonl"
    code, _ = scored(one, "--before", other)
    assert code == 2
    same_questions = sorted(questions) == list(range(12))
    assert (scored(one, "--before", other, "--id-field", "none")[0] == 0) or not same_questions


def test_rows_without_a_counterpart_are_named(tmp_path):
    before = [{**row("Oslo", number=1), "id": "x"}]
    with pytest.raises(DataError, match=r"id '0' \(record 1\) now, id 'x' \(record 1\) before"):
        measure(tmp_path, [{**row("Oslo", number=1), "id": 0}], before)
    notes = measure(tmp_path, ROWS, [row("Oslo", number=1)])["notes"]
    assert "the first: id" in notes[0]
    assert "(line 2)" in notes[0]


def greek(tmp_path):
    return [
        row("Δεν ξέρω την απάντηση.", number=1),
        row("Δεν το γνωρίζω.", number=2),
        row("Oslo", number=3),
    ]


def test_answers_in_a_language_without_signs_are_said_to_be_unread(tmp_path):
    found = measure(tmp_path, greek(tmp_path))
    assert found["unread_languages"] == {"el": 2}
    sentence = "2 of 3 answers are in a language (el) whose refusals are not recognised"
    assert sentence in found["notes"]
    told = CliRunner().invoke(app, ["score", str(tmp_path / "now.jsonl"), "--resamples", "0"])
    assert sentence in " ".join(told.stdout.split())


def test_languages_that_are_read_need_no_note(tmp_path):
    found = measure(
        tmp_path, [row("Ich weiß es leider nicht.", number=1), row("Αθήνα", number=2), *ROWS[:1]]
    )
    assert found["unread_languages"] == {}
    assert not any("recognised" in note for note in found["notes"])


def test_shares_of_a_large_file_are_counted_together(tmp_path, monkeypatch):
    monkeypatch.setattr(scoring_reading, "SHARE_BYTES", 60)
    assert measure(tmp_path, greek(tmp_path))["unread_languages"] == {"el": 2}
