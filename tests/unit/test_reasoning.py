"""What a reasoning model writes before its answer is never taken for one.

The servers are real (`chat_server.Reasoner`); they end their replies at the stop strings and the token
limit that they are sent, as real ones do, which is what cuts a reply within its reasoning.
"""

import json

import pytest
from starlette.testclient import TestClient

import demur
from chat_server import ChatServer, Reasoner, Said
from demur.core.config import ServerSettings
from demur.core.reasoning import without_reasoning
from demur.core.records import Question, Response, Verdict
from demur.core.templates import TEMPLATES
from demur.endpoints import Choice, Token, answer_of
from demur.endpoints.replies import parse
from demur.engines import Opening, Sampling
from demur.engines.openai import OpenAIEngine
from demur.engines.openai_replies import response_of
from demur.judging.extraction import answer_names
from demur.knowledge.estimators import estimate
from demur.knowledge.probing import Probing
from demur.methods import Elicited
from demur.methods.vanilla_c import majority
from demur.serve import ServeSettings, create_app

QUESTION = "What is the capital of Norway?"
THOUGHT = "<think>\nOkay. The capital of Norway.\nIt is not Bergen.\n</think>\n\n"
ENDLESS = "<think>\n" + "Or is it Bergen. Wait.\n" * 400


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


# -- one text ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Paris", "Paris"),
        (" Paris. ", " Paris. "),
        ("<think>a</think>Paris", "Paris"),
        ("<think>\n\n</think>\n\nParis", "Paris"),
        ("<thinking>Lyon? </thinking> Paris", "Paris"),
        ("<THINK>a</THINK>Paris", "Paris"),
        ("<seed:think>a</seed:think>Paris", "Paris"),
        ("[THINK]a[/THINK]Paris", "Paris"),
        ("<reasoning>a</reasoning>Paris", "Paris"),
        ("Okay, Lyon?\n</think>\n\nParis", "Paris"),  # the chat template opened it
        ("<think>a<think>b</think>c</think>Paris", "Paris"),
        ("<think>a</think>Par<think>b</think>is", "Paris"),
        ("<think>in `</think>` tags</think>Paris", "Paris"),
        ("It writes `<think>` first", "It writes `<think>` first"),
        ("a < b and I think so", "a < b and I think so"),
        ("<think>", None),
        ("<think>Paris", None),
        ("  <thinking>\nParis.", None),
        ("<think>Paris</think>", None),
        ("<think>Paris</think>\n\n", None),
        ("Paris</think>", None),
        ("<think>a</think><think>Paris", None),
        ("Paris <think>no, Lyon", None),
        ("<thi", None),
    ],
)
def test_the_answer_in_a_text(text, answer):
    found = answer_of(Choice(text=text, finish="stop"))
    assert (found and found.text) == answer
    response = response_of(Choice(text=text, finish="stop"), ())
    assert "think" not in response.text or answer == text
    assert (response.finish == "thinking") == (answer is None)


def test_a_long_text_of_tags_takes_no_time():
    assert without_reasoning("<think>" * 50_000 + "x") is None
    assert without_reasoning("</think>" * 50_000 + "x") == "x"


def test_tokens_and_their_probabilities_are_the_answers_own():
    pieces = ("<think>", "Paris", "</think>", "\n\n", "Par", "is", ".", "<|end|>")
    tokens = tuple(Token(piece.encode(), -float(place)) for place, piece in enumerate(pieces, 1))
    whole = Choice(text="".join(pieces[:-1]), tokens=tokens)
    apart = Choice(text="Paris.", tokens=tokens, reasoning="Paris")
    for choice in (whole, apart):
        assert response_of(choice, (".", "\n")) == Response(text="Paris", token_logprobs=(-5.0, -6.0))
    unknown = Choice(text="<think>a</think>Paris", tokens=(Token(b"?", -1.0),))
    assert response_of(unknown, ()).token_logprobs == ()
    one = Choice(
        text="<think>a</think>\nParis", tokens=(Token(b"<think>a</think>\nPar", -1.0), Token(b"is", -2.0))
    )
    assert response_of(one, ()).token_logprobs == (-1.0, -2.0)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "Paris", "reasoning_content": "Lyon?"}, "Paris"),
        ({"content": "\n\nParis", "reasoning": "Lyon?"}, "Paris"),
        ({"content": None, "reasoning_content": "Paris"}, None),
        ({"content": "", "reasoning": "Paris"}, None),
        ({"content": "  ", "thinking": "Paris"}, None),
        ({"reasoning_content": "Paris"}, None),
        ({"content": None, "reasoning_content": ""}, None),  # cut at once
        ({"content": None, "reasoning_content": None}, None),
        ({"content": "Paris", "reasoning_content": None}, "Paris"),
        ({"content": "Paris", "reasoning_content": ""}, "Paris"),
        ({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Paris"}]}, "Paris"),
        ({"content": [{"type": "thinking", "thinking": []}]}, None),
    ],
)
def test_reasoning_that_the_server_gives_apart(message, text):
    reply = parse(json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}))
    found = answer_of(reply)
    assert (found and found.text) == text


@pytest.mark.parametrize(
    "message", [{"content": None}, {}, {"content": None, "refusal": "no"}, {"content": 5}]
)
def test_neither_text_nor_reasoning_is_no_reply(message):
    assert parse(json.dumps({"choices": [{"message": message}]})) is None


# -- many samples, many questions --------------------------------------------------------------


def test_unfinished_thoughts_agree_with_nothing():
    cut, oslo, rome = Response(text="", finish="thinking"), Response(text="Oslo"), Response(text="Rome")
    assert majority([cut] * 10) == Elicited(answer="", response="", finish="thinking", declines=True)
    some = majority([cut] * 7 + [rome, oslo, oslo])
    assert (some.answer, some.signals["agreement"]) == ("Oslo", 0.2)
    assert some.signals["consistency"] < 0.3
    assert len(set(answer_names([cut, cut, oslo, oslo]))) == 3


def test_whatever_a_method_makes_of_no_answer_there_is_no_confidence():
    said = Elicited(answer="", response="", signals={"sure": 0.9}, finish="thinking")
    assert (said.declines, said.signals) == (True, {})


@pytest.mark.parametrize("apart", [None, "reasoning_content", "reasoning"])
def test_a_probe_counts_no_answer_as_unscored(apart):
    """The replies are cut at 15 tokens: what a model does not get to say, it may know all the same."""
    questions = [Question(id=f"{n}", text=f"What is capital {n}?", answers=("Bergen",)) for n in range(3)]
    with ChatServer(Reasoner(lambda *_: ENDLESS, apart=apart)) as server:
        work = Probing(
            template=TEMPLATES["r-tuning-code"],
            sampling=Sampling(),
            rule="contains-words",
            score_answers=False,
        )
        rows = work(opened(server), questions)
    assert [row.greedy_verdict for row in rows] == [Verdict.UNSCORED] * 3
    assert all(row.greedy == Response(text="", finish="thinking") for row in rows)
    assert [item.known for item in estimate(questions, rows, "greedy")] == [None] * 3


def opened(server, **settings):
    endpoint = ServerSettings(base_url=server.url, retries=0, **settings)
    return OpenAIEngine.open(Opening("thinker", format="chat", endpoint=endpoint))


@pytest.mark.parametrize("apart", [None, "reasoning_content", "reasoning"])
def test_stop_strings_end_the_answer_and_not_the_reasoning(apart):
    """A server that reads them itself would end at the first line of the thought."""
    with ChatServer(Reasoner(lambda *_: f"{THOUGHT}Oslo. It is.\nMore", apart=apart)) as server:
        there, before = opened(server), len(server.heard)
        sampling = Sampling(max_new_tokens=60, samples=0)
        found = [there.generate([QUESTION + " " * n], keys=["a"], sampling=sampling)[0] for n in range(3)]
        bodies = [heard.body for heard in server.heard[before:]]
    assert [item.greedy.text for item in found] == ["Oslo"] * 3
    assert ["stop" in body for body in bodies] == [True, False, False, False], "seen once, remembered"


def test_other_servers_are_sent_stop_strings_and_asked_once():
    with ChatServer(lambda *_: Said("Oslo")) as server:
        there, before = opened(server), len(server.heard)
        there.generate([QUESTION], keys=["a"], sampling=Sampling())
        assert [heard.body["stop"] for heard in server.heard[before:]] == [[".", "\n"]]


# -- what a client of the server reads ---------------------------------------------------------

SYSTEMS = ("base", "self-consistency", "verbal-confidence", "honesty-prompt")
REASONS = {
    "tags": Reasoner(lambda _, n: ENDLESS.replace("Or", f"Or, {n}")),
    "apart": Reasoner(lambda _, n: ENDLESS.replace("Or", f"Or, {n}"), apart="reasoning_content"),
    "closed": Reasoner(lambda _, n: f"<think>{n}</think>"),
    "nothing": lambda heard, n: Said("" if QUESTION in heard.prompt else f"{n}"),
}


def loaded(server, system, **extra):
    model = {
        "engine": "openai",
        "endpoint": {"base_url": server.url, "retries": 0, "remember": False, **extra},
    }
    return demur.load("thinker", system=system, samples=3, model=model)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("kind", REASONS)
def test_no_answer_is_a_refusal_with_a_reason_and_without_a_confidence(system, kind):
    with ChatServer(REASONS[kind]) as server, loaded(server, system) as answerer:
        answer = answerer.ask(QUESTION)
        client = TestClient(create_app(answerer, ServeSettings()), base_url="http://localhost")
        asked = {"messages": [{"role": "user", "content": QUESTION}]}
        reply = client.post("/v1/chat/completions", json=asked).json()
        streams = [
            client.post("/v1/chat/completions", json={**asked, "stream": True, "stream_mode": mode}).text
            for mode in ("held", "optimistic")
        ]
    assert (answer.text, answer.abstained, answer.confidence) == ("I don't know.", True, None)
    assert ("reasoning" in answer.reason) == (kind != "nothing")
    message, told = reply["choices"][0]["message"], reply["demur"]
    assert message["content"] == message["refusal"] == "I don't know."
    assert (told["abstained"], told["confidence"], told["signals"]) == (True, None, {})
    assert told["reason"] == answer.reason
    assert reply["choices"][0]["finish_reason"] == "stop"
    for stream in streams:
        chunks = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: {")]
        said = "".join(chunk["choices"][0]["delta"]["content"] or "" for chunk in chunks)
        assert said == "I don't know."
        assert chunks[-1]["demur"]["reason"] == answer.reason


@pytest.mark.parametrize("apart", [None, "reasoning_content"])
@pytest.mark.parametrize("system", ["base", "self-consistency"])
def test_room_for_the_reasoning_brings_the_answer(system, apart):
    says = Reasoner(lambda _, n: THOUGHT.replace("Okay", f"Okay, {n}") + "Oslo.", apart=apart)
    with ChatServer(says) as server, loaded(server, system, extra={"max_tokens": 200}) as answerer:
        answer = answerer.ask(QUESTION)
    assert (answer.text, answer.abstained, answer.reason) == ("Oslo", False, None)
    assert answer.confidence == (1.0 if system == "self-consistency" else None)


def test_the_terminal_says_why(monkeypatch):
    from typer.testing import CliRunner

    from demur.cli.main import app

    with ChatServer(REASONS["tags"]) as server:
        settings = ["engine=openai", f"endpoint.base_url={server.url}", "endpoint.remember=false"]
        options = [part for pair in settings for part in ("--model-set", pair)]
        shown = CliRunner().invoke(app, ["ask", "thinker", QUESTION, *options]).stdout
    assert "I don't know." in shown
    assert "ended within its reasoning" in shown
    assert "<think>" not in shown
