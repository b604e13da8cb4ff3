"""The routes behind the playground, on an untuned pocket model: what they take, refuse and give away."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import demur
from demur.ask import Answer, BusyError, Expected
from demur.core.errors import DataError, ModelError
from demur.core.records import SIGNALS
from demur.serve import ServeSettings, create_app
from demur.serve.app import PAGE
from demur.serve.page_api import MEANINGS, counted, point, public_name, row_of

MODEL = Path(demur.__file__).parent / "pocket" / "model"


@pytest.fixture(scope="module")
def answerer():
    with demur.load(MODEL) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(answerer):
    return client_of(answerer)


def client_of(answerer):
    return TestClient(create_app(answerer, ServeSettings()), base_url="http://127.0.0.1")


def test_every_signal_is_explained():
    assert MEANINGS.keys() == set(SIGNALS)


def test_a_system_says_what_it_is_and_no_path(client):
    said = client.get("/api/system").json()
    assert (said["name"], said["title"], said["base"]) == ("base", "Base model", "model")
    assert (said["signal"], said["threshold"], said["guarantee"]) == ("likelihood", None, None)
    assert said["can"] == {"context": True, "choices": True, "samples": True, "base": False}
    assert str(MODEL.parent) not in json.dumps(said)


def test_a_model_is_named_without_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    assert public_name(str(tmp_path / "models" / "mine")) == "mine"
    assert public_name("models/mine") == "mine"
    assert public_name("/models/at-a-server") == "at-a-server"
    assert public_name("Qwen/Qwen3-0.6B") == "Qwen/Qwen3-0.6B"


def test_without_a_run_no_threshold_is_known(client):
    said = client.get("/api/calibration").json()
    assert said["available"] is False
    assert said["reason"].startswith("The model was opened without the run")
    assert client.get("/api/expected?threshold=0.5").status_code == 404


def test_an_answer_with_samples(client, answerer):
    said = client.post("/api/ask", json={"question": "Where was Dora Pomash born?", "samples": 5}).json()
    alone = answerer.ask("Where was Dora Pomash born?").to_json()
    assert (said["text"], said["abstained"], said["signal"]) == (alone["text"], False, "likelihood")
    assert said["confidence"] == pytest.approx(alone["confidence"], abs=1e-5)
    assert sum(item["count"] for item in said["samples"]) == 5
    assert said["base"] is None
    higher = client.post("/api/ask", json={"question": "Where was Dora Pomash born?", "threshold": 1.5})
    assert higher.json()["abstained"] is True


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": ""},
        {"question": " \n"},
        {"question": 7},
        {"question": "x" * 8_001},
        {"question": "?", "context": ""},
        {"question": "?", "choices": [""]},
        {"question": "?", "choices": ["a"] * 27},
        {"question": "?", "samples": -1},
        {"question": "?", "samples": 33},
        {"question": "?", "threshold": "high"},
        {"question": "?", "base": True},  # this system is the base model
        {"question": "?", "extra": 1},
        {"question": "word " * 1_500},  # longer than the model reads
        [],
    ],
)
def test_what_is_no_question_is_refused_and_no_path_told(client, body):
    reply = client.post("/api/ask", json=body)
    assert reply.status_code == 400
    assert str(MODEL.parent) not in reply.text


@pytest.mark.parametrize(
    "body",
    [
        '{"question": "?", "threshold": NaN}',
        '{"question": "\\ud800"}',
        '{"question": "?", "\\ud800": 1}',
        "{",
        "",
    ],
)
def test_what_cannot_be_sent_back_is_refused_all_the_same(client, body):
    reply = client.post("/api/ask", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400
    assert isinstance(reply.json()["error"]["message"], str)


def test_nan_is_no_threshold(client):
    assert client.get("/api/expected?threshold=nan").status_code == 400


def test_a_row_that_does_not_fit_leaves_the_others_alone(client, answerer):
    rows = [{"question": "Where was Dora Pomash born?"}, {"question": " "}, {"question": "word " * 1_500}]
    first, blank, long = client.post("/api/batch", json={"questions": rows}).json()["answers"]
    assert first["text"] == answerer.ask("Where was Dora Pomash born?").text
    assert blank == {"error": "expected a question; found nothing; to do: ask something"}
    assert "512 tokens" in long["error"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("One?\n\n Two? \r\n", [{"question": "One?"}, {"question": "Two?"}]),
        (
            "Prompt;choices;passage\nOne?;a | b;C.",
            [{"question": "One?", "context": "C.", "choices": ["a", "b"]}],
        ),
        ('[{"input": "One?"}, "Two?"]', [{"question": "One?"}, {"question": "Two?"}]),
        ('{"question": ["One?", "Two?"], "id": [1, 2]}', [{"question": "One?"}, {"question": "Two?"}]),
    ],
)
def test_a_pasted_text_is_read_like_any_question_file(client, text, expected):
    reply = client.post("/api/questions", json={"text": text})
    assert reply.json() == {"questions": expected}


@pytest.mark.parametrize(
    "body", [{"text": '{"question": "One?"}\n{"question": '}, {"text": 5}, {}, {"text": "", "x": 1}]
)
def test_a_text_that_holds_no_questions_is_refused_with_its_line(client, body):
    reply = client.post("/api/questions", json=body)
    assert reply.status_code == 400
    if "x" not in body and isinstance(body.get("text"), str):
        assert "line 2: no JSON" in reply.json()["error"]["message"]


@pytest.mark.parametrize("rows", [[], [{"question": "?"}] * 65, [{"text": "?"}], "?"])
def test_a_batch_is_bounded(client, rows):
    assert client.post("/api/batch", json={"questions": rows}).status_code == 400


@pytest.mark.parametrize("path", ["ask", "batch"])
def test_a_full_line_is_said_and_when_to_come_again(path):
    with demur.load(MODEL, waiting=0) as busy:
        body = {"question": "?"} if path == "ask" else {"questions": [{"question": "?"}]}
        reply = client_of(busy).post(f"/api/{path}", json=body)
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "1")


def test_a_row_stands_for_itself_and_a_failing_model_for_all():
    error = DataError(expected="a", found="b", where="/secret", fix="c")
    assert row_of(error) == {"error": "expected a; found b; to do: c"}
    for failure in (BusyError(), ModelError(expected="", found="", fix="")):
        with pytest.raises(type(failure)):
            row_of(failure)
    answer = Answer(
        question="?", text="x", abstained=False, said="x", confidence=None, signal="sure", threshold=None
    )
    assert row_of(answer) == answer.to_json()


def test_drawn_answers_are_counted_whatever_their_case():
    drawn = ["Rome", "Paris", "paris.", "Paris", "", "rome"]
    assert counted(drawn) == [
        {"text": "Paris", "count": 3},
        {"text": "Rome", "count": 2},
        {"text": "", "count": 1},
    ]
    assert counted([]) == []


def test_a_point_has_intervals_and_nothing_where_nothing_is_answered():
    # Wilson at 95 %, n = 10, one of ten: (.1 + .19207 -+ 1.95996 sqrt(.009 + .0096037)) / 1.38415
    some = point(0.5, Expected(n=20, answered=10, coverage=0.5, error=0.1))
    assert some["error_interval"] == pytest.approx((0.01788, 0.40415), abs=1e-4)
    # Half of 20: (.5 + .096036 -+ 1.95996 sqrt(.0125 + .0024009)) / 1.192073
    assert some["coverage_interval"] == pytest.approx((0.29930, 0.70070), abs=1e-4)
    none = point(2.0, Expected(n=20, answered=0, coverage=0.0, error=None))
    assert (none["error"], none["error_interval"]) == (None, None)


def test_the_page_needs_nothing_from_elsewhere():
    for file in PAGE.iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text, file.name
        assert "https://" not in text, file.name
        for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert forbidden not in text, file.name
    markup = (PAGE / "index.html").read_text(encoding="utf-8")
    assert " style=" not in markup
    assert " on" + "click=" not in markup
