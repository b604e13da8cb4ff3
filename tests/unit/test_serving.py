"""The server's app around a real model of the pocket world and a tiny chat model; no process, no port.

`tests/recipes/test_server.py` has the command, the network and other people's clients.
"""

import asyncio
import copy
import gzip
import json
import logging
import socket
import threading
import time

import pytest
from engine_models import byte_tokenizer, llama_for
from starlette.testclient import TestClient

import demur
from chat_server import ChatServer, Said
from demur.ask import Answer, Decision, Query
from demur.ask.batching import Batcher
from demur.ask.counting import TokenCounter
from demur.ask.query import as_question
from demur.core.errors import ConfigError
from demur.endpoints.pace import Pace
from demur.engines import Message
from demur.serve import ServeSettings, create_app
from demur.serve.gate import Gate
from demur.serve.guard import Guard, read_keys
from demur.serve.observe import JsonLines, log
from demur.serve.replies import sureness
from demur.serve.streams import _rest

KNOWN, UNKNOWN = "Where was Dora Pomash born?", "Who wrote The Hobbit?"
LIMIT = 0.7
"""A likelihood between those of the untuned pocket model's answers to the two."""
TEMPLATE = (
    "{% for m in messages %}"
    "{% if m.role not in ['user', 'assistant', 'system'] %}{{ raise_exception('no ' + m.role) }}{% endif %}"
    "[{{ m.role }}]{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)


@pytest.fixture(scope="module")
def answerer():
    with demur.load("pocket", threshold=LIMIT, model={"device": "cpu"}) as opened:
        yield opened


@pytest.fixture(scope="module")
def talker(tmp_path_factory):
    """A random model with a chat template."""
    folder = tmp_path_factory.mktemp("talker")
    tokenizer = copy.deepcopy(byte_tokenizer())
    tokenizer.chat_template = TEMPLATE
    llama_for(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    with demur.load(folder, model={"device": "cpu"}) as opened:
        yield opened


def client(answerer, gate=None, **settings):
    app = create_app(answerer, ServeSettings(**settings), gate=gate)
    return TestClient(app, base_url="http://localhost")


def chat(*turns, **more):
    roles = ["user"] if len(turns) == 1 else None
    messages = [
        {"role": role, "content": text} for role, text in (turns if not roles else [("user", *turns)])
    ]
    return {"messages": messages, **more}


def asked(answerer, body, path="/v1/chat/completions", headers=None, **settings):
    return client(answerer, **settings).post(path, json=body, headers=headers)


def events(response):
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def problem(response, status, code):
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    return error


# -- answers and refusals ------------------------------------------------------------------------


def test_above_the_threshold_the_answer_below_it_the_refusal(answerer):
    given, declined = (asked(answerer, chat(text)).json() for text in (KNOWN, UNKNOWN))
    assert given["choices"][0]["message"] == {"role": "assistant", "content": "Nairobi", "refusal": None}
    assert given["demur"]["confidence"] >= LIMIT > declined["demur"]["confidence"]
    message = declined["choices"][0]["message"]
    assert message["content"] == message["refusal"] == "I don't know."
    assert (given["demur"]["abstained"], declined["demur"]["abstained"]) == (False, True)
    assert set(given["demur"]) == {
        *("confidence", "abstained", "threshold", "guarantee", "signals", "signal", "probability"),
        *("answered_by", "answer", "reason"),
    }
    assert given["demur"]["answered_by"] == "model"
    assert given["object"] == "chat.completion"


def test_usage_is_what_the_tokenizer_counts(answerer):
    usage = asked(answerer, chat(KNOWN)).json()["usage"]
    tokenizer = answerer.engine.tokenizer
    prompt = len(answerer.engine.encode(f"Question: {KNOWN} Answer:"))
    said = len(tokenizer("Nairobi", add_special_tokens=False)["input_ids"])
    assert usage == {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}


def test_a_caller_may_ask_for_another_threshold_only_for_itself(answerer):
    bold = asked(answerer, chat(UNKNOWN, demur={"threshold": 0.0})).json()["demur"]
    assert (bold["abstained"], bold["threshold"], bold["guarantee"]) == (False, 0.0, None)
    assert asked(answerer, chat(UNKNOWN)).json()["demur"]["threshold"] == LIMIT


def test_context_and_choices_reach_the_model(answerer):
    passage = {"context": "Anna lives in Oslo.", "threshold": 0.0}
    reply = asked(answerer, chat("Where does Anna live?", demur=passage)).json()
    text = answerer.ask("Where does Anna live?", context="Anna lives in Oslo.", threshold=0.0).text
    assert reply["choices"][0]["message"]["content"] == text
    chosen = asked(answerer, chat("Which?", demur={"choices": ["Oslo", "Rome"], "threshold": 0.0})).json()
    expected = answerer.ask("Which?", choices=["Oslo", "Rome"], threshold=0.0)
    assert chosen["choices"][0]["message"]["content"] == expected.text


def test_several_prompts_are_answered_in_order(answerer):
    reply = asked(answerer, {"prompt": [UNKNOWN, KNOWN]}, "/v1/completions").json()
    assert [(item["index"], item["text"]) for item in reply["choices"]] == [
        (0, "I don't know."),
        (1, "Nairobi"),
    ]
    assert [item["demur"]["abstained"] for item in reply["choices"]] == [True, False]
    assert reply["demur"] is None, "it would be one of two"
    alone = asked(answerer, {"prompt": KNOWN}, "/v1/completions").json()
    assert alone["demur"] == alone["choices"][0]["demur"]


def test_text_parts_are_one_text(answerer):
    parts = [{"type": "text", "text": "Where was Dora "}, {"type": "text", "text": "Pomash born?"}]
    assert asked(answerer, chat(parts)).json()["choices"][0]["message"]["content"] == "Nairobi"


@pytest.mark.parametrize("stream_mode", [None, "optimistic"])
@pytest.mark.parametrize("text", [KNOWN, UNKNOWN])
def test_a_stream_adds_up_to_the_answer(answerer, text, stream_mode):
    whole = asked(answerer, chat(text)).json()
    body = chat(text, stream=True, stream_mode=stream_mode, stream_options={"include_usage": True})
    response = asked(answerer, body)
    assert response.headers["content-type"].startswith("text/event-stream")
    first, *middle, last, counted = events(response)
    assert first["choices"][0]["delta"]["role"] == "assistant"
    said = "".join(item["choices"][0]["delta"]["content"] for item in middle)
    told = whole["demur"]
    if told["abstained"] and stream_mode:
        assert said == answerer.ask(text).said, "it was shown before it was declined"
    else:
        assert said == whole["choices"][0]["message"]["content"]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["choices"][0]["delta"]["refusal"] == whole["choices"][0]["message"]["refusal"]
    assert last["demur"] == counted["demur"] == told
    assert counted["usage"] == whole["usage"]
    assert counted["choices"] == []
    assert {item["id"] for item in (first, *middle, last, counted)} == {first["id"]}


def test_nothing_is_streamed_of_what_is_declined(answerer):
    said = answerer.ask(UNKNOWN).said
    response = asked(answerer, chat(UNKNOWN, stream=True))
    assert said
    assert said not in response.text


def test_a_completion_streams_every_prompt(answerer):
    chunks = events(asked(answerer, {"prompt": [KNOWN, UNKNOWN], "stream": True}, "/v1/completions"))
    texts = ["", ""]
    for chunk in chunks:
        texts[chunk["choices"][0]["index"]] += chunk["choices"][0]["text"]
    assert texts == ["Nairobi", "I don't know."]
    ends = [chunk["choices"][0] for chunk in chunks if chunk["choices"][0]["finish_reason"]]
    assert [(end["index"], end["demur"]["abstained"]) for end in ends] == [(0, False), (1, True)]


# -- conversations -------------------------------------------------------------------------------


def test_turns_go_through_the_chat_template(talker):
    turns = [("developer", "Be brief."), ("user", "Hi"), ("assistant", "Yes?"), ("user", "The cat sat on")]
    reply = asked(talker, chat(*turns)).json()
    history = [Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Yes?")]
    expected = talker.ask("The cat sat on", history=history)
    assert reply["choices"][0]["message"]["content"] == expected.text.encode(errors="replace").decode()
    assert reply["demur"]["confidence"] == pytest.approx(expected.confidence, abs=1e-4)
    read = len(talker.engine.after(history).encode(talker.template.ask("The cat sat on")))
    assert reply["usage"]["prompt_tokens"] == read


def test_an_answer_cut_by_the_token_limit_says_so(talker):
    # The random model's answer to this has neither a stop string nor an end among its first 15 tokens
    answer = talker.ask("The cat sat on")
    assert answer.finish == "length"
    assert asked(talker, chat("The cat sat on")).json()["choices"][0]["finish_reason"] == "length"


def test_a_base_model_takes_one_turn(answerer):
    error = problem(asked(answerer, chat(("system", "Be brief."), ("user", "Who?"))), 400, "invalid_value")
    assert "no chat template" in error["message"]


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (chat("a", n=2), "unsupported_value", "one answer"),
        (chat("a", n=True), "unsupported_value", "one answer"),
        (chat("a", tools=[{"type": "function"}]), "unsupported_value", "tools"),
        (chat("a", response_format={"type": "json_object"}), "unsupported_value", "'text'"),
        (chat([{"type": "image_url", "image_url": {"url": "x"}}]), "invalid_value", "content.0.type"),
        (chat(("user", "a"), ("assistant", "b")), "invalid_value", "last message"),
        (chat(("tool", "a"), ("user", "b")), "invalid_value", "messages.0.role"),
        (chat("  "), "invalid_value", "expected a question"),
        (chat(None), "invalid_value", "messages.0.content"),
        (chat("a", demur={"treshold": 0.5}), "invalid_value", "demur.treshold"),
        (chat("a", demur={"threshold": 0.1, "max_error": 0.1}), "invalid_value", "found both"),
        (chat("a", demur={"max_error": 0.1}), "invalid_value", "calibration questions"),
        (chat("a", demur={"choices": ["x"] * 27}), "invalid_value", "at most 26"),
        (chat("a", demur={"context": " \n"}), "invalid_value", "demur.context"),
        (chat("a", demur={"context": "b", "choices": ["c"]}), "unsupported_value", "no room for context"),
        (chat("a", stream="yes"), "invalid_value", "stream"),
        (chat("a", temperature=3), "invalid_value", "temperature"),
        (chat("word " * 7000), "context_length_exceeded", "32,768 characters"),
        (chat("word " * 600), "invalid_value", "512 tokens"),
        ({}, "invalid_value", "messages: Field required"),
        ([], "invalid_value", "dictionary"),
        ("x", "invalid_value", "dictionary"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_a_clear_400(answerer, body, code, words):
    assert words in problem(asked(answerer, body), 400, code)["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"prompt": [1, 2, 3]}, "prompt.0: Input should be a valid string"),
        ({"prompt": []}, "at least 1 item"),
        ({"prompt": ["a"] * 65}, "64 prompts"),
        ({"prompt": "a", "echo": True}, "not repeated"),
        ({"prompt": "a", "echo": 0}, "not repeated"),
        ({"prompt": "\x85"}, "prompt: String should match"),
        ({"prompt": "a", "best_of": 2}, "one answer"),
        ({"prompt": ["a", "b"], "stream": True, "stream_mode": "optimistic"}, "one prompt"),
    ],
)
def test_what_cannot_be_completed_is_a_clear_400(answerer, body, words):
    response = asked(answerer, body, "/v1/completions")
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]


NESTED = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        *[b"{", b"", b"null", b"\xff\xfe", b'{"messages":NaN}', b'{"messages":' + NESTED + b"}"],
        b'{"messages":[{"role":"user","content":"\\ud800"}]}',
        b'{"messages":[{"role":"user","content":"a"}],"temperature":1e999}',
        b'{"messages":[{"role":"user","content":"a"}],"seed":' + b"9" * 6000 + b"}",
        '{"messages":[{"role":"user","content":"a"}]}'.encode("utf-16"),
    ],
)
def test_no_body_is_too_odd_for_a_400(answerer, body):
    asking = client(answerer)
    headers = {"Content-Type": "application/json"}
    assert asking.post("/v1/chat/completions", content=body, headers=headers).status_code == 400


def test_harmless_fields_are_read_and_not_followed(answerer):
    harmless = {
        "model": "whatever", "temperature": 2.0, "top_p": 0.1, "seed": 9, "user": "u", "max_tokens": 1,
        "stop": ["a"], "logprobs": True, "top_logprobs": 2, "response_format": {"type": "text"}, "n": 1,
        "tools": [], "logit_bias": {"5": -100}, "presence_penalty": 1, "unheard_of": {"x": 1},
    }  # fmt: skip
    reply = asked(answerer, chat(KNOWN, **harmless)).json()
    assert reply["choices"][0]["message"]["content"] == "Nairobi"
    assert reply["model"] == "whatever"


def test_a_strict_server_knows_its_own_name_only(answerer):
    strict = {"name": "mine", "strict_model": True}
    assert asked(answerer, chat(KNOWN, model="mine"), **strict).status_code == 200
    assert asked(answerer, chat(KNOWN), **strict).json()["model"] == "mine"
    problem(asked(answerer, chat(KNOWN, model="other"), **strict), 404, "model_not_found")
    asking = client(answerer, **strict)
    assert [item["id"] for item in asking.get("/v1/models").json()["data"]] == ["mine"]
    assert asking.get("/v1/models/mine").json()["object"] == "model"
    problem(asking.get("/v1/models/other"), 404, "model_not_found")


# -- the guard -----------------------------------------------------------------------------------


def test_every_route_but_probes_and_page_needs_a_key(answerer, monkeypatch):
    monkeypatch.setenv("DEMUR_KEYS", "first-key, second-key")
    asking = client(answerer, key_variable="DEMUR_KEYS", host="0.0.0.0")
    for path in ("/healthz", "/readyz", "/"):
        assert asking.get(path).status_code == 200
    for path in ("/v1/models", "/metrics", "/openapi.json", "/nowhere", "/v1/chat/completions"):
        response = asking.get(path)
        problem(response, 401, "invalid_api_key")
        assert response.headers["www-authenticate"] == "Bearer"
    for wrong in (
        "first-key",
        "Bearer first",
        "Bearer first-key,second-key",
        "Basic first-key",
        "Bearer \xe9",
    ):
        header = {"Authorization": wrong.encode("latin-1")}
        assert asking.get("/v1/models", headers=header).status_code == 401, wrong
    for key in ("first-key", "second-key"):
        found = asking.get("/v1/models", headers={"Authorization": f"Bearer {key}"})
        assert found.status_code == 200
    assert (
        "first-key" not in asking.get("/openapi.json", headers={"Authorization": "Bearer first-key"}).text
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_others_are_let_in_with_a_key_or_by_force(host, monkeypatch):
    with pytest.raises(ConfigError, match="--api-key-env"):
        read_keys(ServeSettings(host=host))
    assert read_keys(ServeSettings(host=host, force=True)) == ()
    monkeypatch.setenv("DEMUR_KEYS", "a,,b")
    assert read_keys(ServeSettings(host=host, key_variable="DEMUR_KEYS")) == (b"a", b"b")


def test_a_key_that_is_not_there_is_no_open_door(monkeypatch):
    monkeypatch.setenv("DEMUR_KEYS", " ")
    with pytest.raises(ConfigError, match="DEMUR_KEYS"):
        read_keys(ServeSettings(key_variable="DEMUR_KEYS"))
    monkeypatch.setenv("DEMUR_KEYS", ",,")
    with pytest.raises(ConfigError, match="DEMUR_KEYS"):
        read_keys(ServeSettings(key_variable="DEMUR_KEYS"))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *[("localhost", 200), ("127.0.0.1:8000", 200), ("[::1]:8000", 200), ("LocalHost", 200)],
        *[("evil.example", 421), ("", 421), ("localhost:evil.example", 421), ("[::1]evil.example", 421)],
        *[("localhost.evil.example", 421), ("localhost@evil.example", 421), ("[::1]:a", 421)],
    ],
)
def test_a_page_elsewhere_cannot_pass_for_this_machine(answerer, host, status):
    assert client(answerer).get("/v1/models", headers={"Host": host}).status_code == status
    assert client(answerer, force=True).get("/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        ({}, "localhost", 200),
        ({}, "evil.example", 421),
        ({}, "192.0.2.1", 421),
        ({"host": "0.0.0.0"}, "evil.example", 421),
        ({"host": "0.0.0.0"}, "192.0.2.1:8000", 200),  # an address cannot be turned to another machine
        ({"host": "0.0.0.0"}, "[2001:db8::1]:8000", 200),
        ({"host": "0.0.0.0"}, socket.gethostname(), 200),
        ({"host": "0.0.0.0"}, "192.0.2.1.evil.example", 421),
        ({"allowed_hosts": ("Mine.example",)}, "mine.example:443", 200),
        ({"allowed_hosts": ("mine.example",)}, "evil.example", 421),
        ({"allowed_hosts": ("*",)}, "evil.example", 200),
    ],
)
def test_a_key_does_not_open_the_server_to_other_names(answerer, monkeypatch, settings, host, status):
    monkeypatch.setenv("DEMUR_KEYS", "k")
    asking = client(answerer, key_variable="DEMUR_KEYS", **settings)
    headers = {"Host": host, "Authorization": "Bearer k"}
    assert asking.get("/v1/models", headers=headers).status_code == status


WORK = (
    "/v1/models",
    "/metrics",
    "/openapi.json",
    "/api/system",
    "/api/calibration",
    "/api/expected?threshold=1",
)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site", "unheard-of"])
def test_pages_of_other_sites_start_no_work(answerer, site):
    asking, chosen = client(answerer), client(answerer, cors=("https://a.org",))
    headers = {"Sec-Fetch-Site": site}
    for path in WORK:
        problem(asking.get(path, headers=headers), 403, "cross_site")
    problem(asking.post("/v1/chat/completions", json=chat(KNOWN), headers=headers), 403, "cross_site")
    for path in ("/", "/page.js", "/healthz"):  # a link to the page is fine, and starts nothing
        assert asking.get(path, headers=headers).status_code == 200
    allowed = headers | {"Origin": "https://a.org"}
    assert chosen.get("/v1/models", headers=allowed).status_code == 200
    assert chosen.get("/v1/models", headers=headers | {"Origin": "https://b.org"}).status_code == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_the_page_itself_and_its_user_may_ask(answerer, site):
    for path in WORK[:4]:
        assert client(answerer).get(path, headers={"Sec-Fetch-Site": site}).status_code == 200


def test_bodies_have_a_limit(answerer):
    body = json.dumps(chat("a" * 300)).encode()
    headers = {"Content-Type": "application/json"}
    small = client(answerer, max_body_bytes=len(body) - 1)
    problem(small.post("/v1/chat/completions", content=body, headers=headers), 413, "body_too_large")
    parts = iter([body[:100], body[100:]])  # without a Content-Length
    problem(small.post("/v1/chat/completions", content=parts, headers=headers), 413, "body_too_large")
    exact = client(answerer, max_body_bytes=len(body))
    assert exact.post("/v1/chat/completions", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "", ";;;", "application/x-www-form-urlencoded"])
def test_only_json_is_read(answerer, kind):
    body = json.dumps(chat("a")).encode()
    response = client(answerer).post("/v1/chat/completions", content=body, headers={"Content-Type": kind})
    problem(response, 415, "unsupported_media_type")


def test_a_refusal_waits_for_the_rest_of_a_body_and_for_nothing_else():
    sent, parts = [], [(b"a", True), (b"b", True), (b"c", False)]

    async def receive():
        body, more = parts.pop(0)  # an error where more is asked for than there is
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"text/plain"), (b"content-length", b"3")]
    scope = {"type": "http", "method": "POST", "path": "/v1/completions", "headers": headers}
    gate = Gate()
    for settings, status in ((ServeSettings(), 415), (ServeSettings(max_body_bytes=1), 413)):
        parts[:] = [(b"a", True), (b"b", True), (b"c", False)]
        guard = Guard(None, settings=settings, gate=gate, keys=(), files=frozenset())
        asyncio.run(guard(scope, receive, send))
        assert parts == []
        assert sent.pop(0)["status"] == status
        sent.clear()
    assert gate.inside == 0


def test_who_waits_too_long_hears_so(answerer):
    problem(asked(answerer, chat(KNOWN), timeout_seconds=1e-6), 504, "timeout")
    optimistic = chat(KNOWN, stream=True, stream_mode="optimistic")
    problem(asked(answerer, optimistic, timeout_seconds=1e-6), 504, "timeout")


@pytest.mark.parametrize("phase", ["loading", "draining"])
def test_questions_wait_for_an_open_gate(answerer, phase):
    gate = Gate(phase=phase)
    asking = client(answerer, gate)
    response = asking.post("/v1/chat/completions", json=chat(KNOWN))
    problem(response, 503, phase)
    assert response.headers["retry-after"] == "1"
    assert asking.get("/readyz").status_code == 503
    assert asking.get("/healthz").status_code == 200
    gate.phase = "open"
    assert asking.get("/readyz").status_code == 200
    assert asking.post("/v1/chat/completions", json=chat(KNOWN)).status_code == 200
    assert gate.inside == 0


def test_a_full_line_is_a_429(answerer):
    with demur.load("pocket", model={"device": "cpu"}, waiting=1, most=1) as narrow:
        asking, found = client(narrow, max_waiting=1), {}

        def ask(number):
            found[number] = asking.post("/v1/chat/completions", json=chat(KNOWN))

        with narrow._own:  # the model is busy
            first = narrow.submit(Query(question=as_question(KNOWN)))
            until(first.running)  # it has left the line
            second = threading.Thread(target=ask, args=(2,))
            second.start()
            until(lambda: narrow.waiting == 1)
            response = asking.post("/v1/chat/completions", json=chat(KNOWN))
            problem(response, 429, "queue_full")
            assert response.headers["retry-after"] == "1"
            several = asking.post("/v1/completions", json={"prompt": [KNOWN, KNOWN]})
            assert "may have 1 prompts" in problem(several, 400, "invalid_value")["message"]
        second.join()
        assert first.result().answer is not None
        assert found[2].status_code == 200


def until(ready):
    while not ready():
        time.sleep(0.01)


def test_every_response_has_its_headers(answerer):
    asking = client(answerer)
    for path in ("/", "/v1/models", "/nowhere"):
        headers = asking.get(path, headers={"X-Request-ID": "my-id.1"}).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-request-id"] == "my-id.1"
        assert "access-control-allow-origin" not in headers
    made = asking.get("/healthz", headers={"X-Request-ID": "<script>"}).headers["x-request-id"]
    assert len(made) == 32


def test_web_pages_of_chosen_origins_may_ask(answerer, monkeypatch):
    monkeypatch.setenv("DEMUR_KEYS", "k")
    asking = client(answerer, cors=("https://a.org",), key_variable="DEMUR_KEYS")
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    allowed = asking.options("/v1/chat/completions", headers={"Origin": "https://a.org", **asks})
    assert allowed.headers["access-control-allow-origin"] == "https://a.org"
    refused = asking.options("/v1/chat/completions", headers={"Origin": "https://b.org", **asks})
    assert "access-control-allow-origin" not in refused.headers
    without_key = asking.get("/v1/models", headers={"Origin": "https://a.org"})
    assert without_key.status_code == 401
    assert without_key.headers["access-control-allow-origin"] == "https://a.org", "the page may read why"


# -- what operators see --------------------------------------------------------------------------


def test_metrics_count_requests_refusals_and_batches(answerer):
    asking = client(answerer)
    for text in (KNOWN, UNKNOWN, UNKNOWN):
        asking.post("/v1/chat/completions", json=chat(text))
    asking.get("/v1/models/nobody")
    asking.request("FOO", "/nowhere")
    page = asking.get("/metrics").text
    assert 'demur_requests_total{method="POST",route="/v1/chat/completions",status="200"} 3.0' in page
    assert 'demur_requests_total{method="GET",route="/v1/models/{name:path}",status="404"} 1.0' in page
    assert 'demur_requests_total{method="other",route="other",status="404"} 1.0' in page
    assert 'demur_answers_total{answered_by="model",outcome="refused"} 2.0' in page
    assert 'demur_answers_total{answered_by="model",outcome="answered"} 1.0' in page
    assert "demur_confidence_count 3.0" in page.replace('"', "'")
    assert "demur_batch_size_count 3.0" in page
    assert "demur_queue_length 0.0" in page


@pytest.fixture
def lines():
    """What is logged, as JSON."""
    found, formatter = [], JsonLines()

    class Keep(logging.Handler):
        def emit(self, record):
            found.append(json.loads(formatter.format(record)))

    handler, level = Keep(), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield found
    log.removeHandler(handler)
    log.setLevel(level)


def test_a_request_is_one_line_of_json_without_its_text(answerer, lines):
    asking = client(answerer)
    said = asking.post("/v1/chat/completions", json=chat(KNOWN), headers={"X-Request-ID": "abc"}).json()
    asking.get("/healthz")
    (line,) = lines
    assert line["event"] == "request"
    assert (line["request_id"], line["route"], line["status"]) == ("abc", "/v1/chat/completions", 200)
    confidence = said["demur"]["confidence"]
    assert line["answers"] == [{"abstained": False, "confidence": confidence, "answered_by": "model"}]
    assert line["seconds"] > 0
    assert "Dora" not in json.dumps(line)
    assert "Nairobi" not in json.dumps(line)


def test_a_reply_logs_the_id_that_it_carries_and_not_the_odd_one(answerer, lines):
    sent = (
        client(answerer)
        .get("/v1/models", headers={"X-Request-ID": "a\tb"})
        .headers.get_list("x-request-id")
    )
    assert [line["request_id"] for line in lines] == sent


def test_other_libraries_add_no_fields_to_the_log():
    """Theirs could hold a question; ours stand at the top of the line."""
    made = {"msg": "careful", "levelname": "WARNING", "question": "Who?", "taskName": None}
    theirs, ours = (
        json.loads(JsonLines().format(logging.makeLogRecord(made | {"name": name})))
        for name in ("elsewhere", log.name)
    )
    assert set(theirs) == {"time", "level", "event", "logger"}
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("careful", "warning", "elsewhere")
    assert set(ours) == {"time", "level", "event", "question"}


@pytest.mark.parametrize("log_prompts", [True, False])
def test_an_error_is_told_by_kind_and_place(log_prompts):
    try:
        raise ZeroDivisionError(KNOWN)
    except ZeroDivisionError as error:
        made = {"msg": "defect", "name": "elsewhere", "exc_info": (type(error), error, error.__traceback__)}
    line = json.loads(JsonLines(log_prompts=log_prompts).format(logging.makeLogRecord(made)))
    assert line["error"]["kind"] == "ZeroDivisionError"
    assert "test_an_error_is_told_by_kind_and_place" in line["error"]["where"][0]
    assert line["error"].get("message") == (KNOWN if log_prompts else None)


def test_prompts_are_logged_only_on_request(answerer, lines):
    asked(answerer, chat(KNOWN), log_prompts=True)
    assert lines[0]["answers"][0]["question"] == KNOWN
    assert lines[0]["answers"][0]["answer"] == "Nairobi"


def test_a_defect_is_a_plain_500_and_tells_the_log_its_place_only(answerer, lines, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError(KNOWN)

    monkeypatch.setattr(answerer, "decided", broken)
    error = problem(asked(answerer, chat(KNOWN)), 500, "internal_error")
    assert "Dora" not in error["message"]
    defect = next(line for line in lines if line["event"] == "defect")
    assert defect["error"]["kind"] == "ZeroDivisionError"
    assert "Dora" not in json.dumps(lines)
    assert lines[-1]["status"] == 500


def test_the_schema_says_what_is_answered(answerer, monkeypatch):
    schema = client(answerer).get("/openapi.json").json()
    route = schema["paths"]["/v1/chat/completions"]["post"]
    assert {"200", "400", "401", "413", "415", "429", "503", "504", "default"} <= set(route["responses"])
    assert "422" not in route["responses"]
    assert set(route["responses"]["200"]["content"]) == {"application/json", "text/event-stream"}
    ready = schema["paths"]["/readyz"]["get"]["responses"]
    assert (set(ready["200"]["content"]), set(ready["503"]["content"])) == (
        {"text/plain"},
        {"application/json"},
    )
    assert "security" not in route
    monkeypatch.setenv("DEMUR_KEYS", "k")
    keyed = client(answerer, key_variable="DEMUR_KEYS")
    schema = keyed.get("/openapi.json", headers={"Authorization": "Bearer k"}).json()
    assert schema["paths"]["/v1/chat/completions"]["post"]["security"] == [{"HTTPBearer": []}]
    assert "security" not in schema["paths"]["/healthz"]["get"]


# -- hooks ---------------------------------------------------------------------------------------


def test_another_model_answers_what_was_declined(answerer):
    with ChatServer(lambda heard, _: Said("J. R. R. Tolkien wrote it.")) as big:
        settings = {"fallback_url": big.url, "fallback_model": "big"}
        reply = asked(answerer, chat(UNKNOWN), **settings).json()
        assert asked(answerer, chat(KNOWN), **settings).json()["demur"]["answered_by"] == "model"
        assert len(big.heard) == 1, "only what was declined is asked"
        assert big.heard[0].body == {"model": "big", "messages": [{"role": "user", "content": UNKNOWN}]}
    assert reply["choices"][0]["message"] == {
        "role": "assistant",
        "content": "J. R. R. Tolkien wrote it.",
        "refusal": None,
    }
    told = reply["demur"]
    assert (told["answered_by"], told["abstained"]) == ("fallback:big", False)
    assert (told["confidence"], told["probability"], told["guarantee"], told["signals"]) == (
        *(None, None, None),
        {},
    )


@pytest.mark.parametrize(
    "said",
    [
        Said("I don't know."),
        Said(""),
        Said("Tolkien", status=500),
        Said(body=b"{}"),
        Said(body=b"[" * 100_000),
        Said("Tolkien", status=302, headers={"Location": "http://localhost:1/"}),
        Said("Tolkien", cut=5),
        Said("Tolkien", wait_seconds=30),
        Said("x" * 2_000_000),
        Said(body=gzip.compress(bytes(9_000_000)), headers={"Content-Encoding": "gzip"}),
    ],
)
def test_a_fallback_that_brings_nothing_leaves_the_refusal(answerer, said):
    with ChatServer(lambda *_: said) as big:
        settings = {"fallback_url": big.url, "fallback_model": "big", "hook_timeout_seconds": 1.0}
        reply = asked(answerer, chat(UNKNOWN), **settings).json()
    assert reply["choices"][0]["message"]["content"] == "I don't know."
    assert (reply["demur"]["answered_by"], reply["demur"]["abstained"]) == ("model", True)


@pytest.mark.parametrize(
    "found", [{"context": "Nairobi. " + KNOWN}, {"passages": ["Nairobi.", {"text": KNOWN}]}]
)
def test_the_model_answers_with_passages_that_were_found(answerer, found):
    with ChatServer(lambda *_: Said(body=json.dumps(found).encode())) as library:
        bold = client(answerer, retrieval_url=library.url)
        # At 0 nothing is declined, so nobody is asked; above every confidence the passages do not help
        assert bold.post("/v1/chat/completions", json=chat(KNOWN)).json()["demur"]["answered_by"] == "model"
        strict = chat(KNOWN, demur={"threshold": 1.5})
        assert bold.post("/v1/chat/completions", json=strict).json()["demur"]["abstained"]
        assert [heard.body for heard in library.heard] == [{"query": KNOWN}]


@pytest.mark.parametrize("body", [b"[]", b"{}", b"3", b'{"passages": 3}', b'{"passages": [4]}', b"no JSON"])
def test_a_search_that_brings_nothing_leaves_the_refusal(answerer, body):
    with ChatServer(lambda *_: Said(body=body)) as library:
        reply = asked(answerer, chat(UNKNOWN), retrieval_url=library.url).json()
    assert (reply["demur"]["answered_by"], reply["demur"]["abstained"]) == ("model", True)


def test_a_hook_is_named_whole():
    with pytest.raises(ConfigError, match="fallback_model belong together"):
        ServeSettings.of(fallback_url="http://localhost:1/v1")
    with pytest.raises(ConfigError, match="http://"):
        ServeSettings.of(retrieval_url="ftp://a")


# -- parts ---------------------------------------------------------------------------------------


def answer(**changes):
    values = {
        "question": "q", "text": "Paris", "abstained": False, "said": "Paris", "confidence": 0.5,
        "signal": "sure", "threshold": 0.4,
    }  # fmt: skip
    return Answer(**values | changes)


def test_no_number_is_null():
    told = sureness(
        answer(confidence=float("nan"), threshold=float("-inf"), signals={"sure": float("nan")})
    )
    assert (told.confidence, told.threshold, told.signals) == (None, None, {"sure": None})


def test_no_number_reaches_no_threshold():
    assert Decision(signal="sure", threshold=0.5).declines(float("nan"))


@pytest.mark.parametrize(
    ("changes", "sent", "rest"),
    [
        ({}, "", "Paris"),
        ({}, "Par", "is"),
        ({}, "Paris", ""),
        ({}, "I think Paris", ""),  # what was shown cannot be taken back
        ({"abstained": True, "text": "I don't know."}, "", "I don't know."),
        ({"abstained": True, "text": "I don't know."}, "Par", ""),
        ({"abstained": True, "text": "I don't know."}, "I", ""),
    ],
)
def test_what_is_left_to_send(changes, sent, rest):
    assert _rest(answer(**changes), sent) == rest


def test_a_counter_reads_what_the_engine_reads(talker):
    counter = TokenCounter.of(talker.engine)
    history = [Message("system", "Be brief.")]
    assert counter.prompt("Who?", history) == len(talker.engine.after(history).encode("Who?"))
    assert counter.text("") == 0


def test_several_threads_work_where_the_work_is_waiting():
    both = threading.Barrier(2, timeout=30)  # passed only by two batches at once
    batcher = Batcher(lambda batch: [both.wait() or item for item in batch], most=1, waiting=9, workers=2)
    futures = [batcher.submit("a"), batcher.submit("b")]
    assert all(future.result(30) is not None for future in futures)
    batcher.close()


def test_turns_are_evenly_spaced_for_all_threads():
    assert [Pace().turn() for _ in range(3)] == [0.0, 0.0, 0.0]
    pace = Pace(60)  # one a second: the second and third wait about one and two
    first, second, third = (pace.turn() for _ in range(3))
    assert first == 0.0
    assert third - second == pytest.approx(1.0, abs=0.1)


def test_who_watches_never_hears_of_anothers_question():
    from demur.ask.query import follow
    from demur.core.templates import TEMPLATES

    template, heard = TEMPLATES["r-tuning-code"], []
    curious = Query(question=as_question("Question:"), watch=heard.append)  # stands in every prompt
    other = Query(question=as_question("Who?"))
    watch = follow([curious, other], template)
    watch(template.ask(other.question), "secret")
    watch("a prompt of its own", "secret")
    assert heard == []
    watch(template.ask(curious.question), "mine")
    assert heard == ["mine"]
