"""What a server never does, whatever its clients do: wait or grow for ever, or answer by another rule.

Where sockets matter, a real server listens in a thread; `benchmarks/server_siege.py` has processes.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import threading
import time

import numpy as np
import pytest
import torch
from engine_models import byte_tokenizer, llama_for
from scipy import stats
from starlette.testclient import TestClient

import demur
from chat_server import ChatServer, Said
from demur.ask import Query
from demur.ask.calibration import Calibration
from demur.ask.query import as_question
from demur.cli.ask import as_line
from demur.confidence.threshold import find_threshold
from demur.core.errors import DataError, ModelError
from demur.serve import ServeSettings, connections, create_app
from demur.serve.connections import most_connections
from demur.serve.gate import Gate
from demur.serve.lines import LineWriter, Repeats
from demur.serve.server import Server

KNOWN, UNKNOWN = "Where was Dora Pomash born?", "Who wrote The Hobbit?"


@pytest.fixture(scope="module")
def answerer():
    with demur.load("pocket", threshold=0.7, model={"device": "cpu"}, most=1, waiting=2) as opened:
        yield opened


def client(answerer, **settings):
    return TestClient(create_app(answerer, ServeSettings(**settings)), base_url="http://localhost")


def until(ready):
    while not ready():
        time.sleep(0.01)


def body_of(door, text, **more):
    """Path and body of a question at one of the doors."""
    if door == "chat":
        return "/v1/chat/completions", {"messages": [{"role": "user", "content": text}], **more}
    if door == "ask":
        return "/api/ask", {"question": text, **more}
    return "/api/batch", {"questions": [{"question": text}], **more}


DOORS = pytest.mark.parametrize("door", ["chat", "ask", "batch"])


# -- both doors, one way -------------------------------------------------------------------------


@DOORS
def test_a_question_has_a_time_limit_at_every_door(answerer, door):
    path, body = body_of(door, KNOWN)
    reply = client(answerer, timeout_seconds=1e-6).post(path, json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (504, "timeout")


@DOORS
def test_a_question_has_a_largest_length_at_every_door(answerer, door):
    path, body = body_of(door, KNOWN)
    reply = client(answerer, max_prompt_characters=20).post(path, json=body)
    said = reply.json()["answers"][0]["error"] if door == "batch" else reply.json()["error"]["message"]
    assert (reply.status_code, "may have 20 characters" in said) == (200 if door == "batch" else 400, True)


@DOORS
def test_who_declines_asks_the_hooks_at_every_door_and_is_counted(answerer, door):
    with ChatServer(lambda *_: Said("Tolkien")) as big:
        asking = client(answerer, fallback_url=big.url, fallback_model="big")
        path, body = body_of(door, UNKNOWN)
        reply = asking.post(path, json=body).json()
        page = asking.get("/metrics").text
    told = reply["demur"] if door == "chat" else reply["answers"][0] if door == "batch" else reply
    assert (told["answered_by"], told["abstained"], told["confidence"]) == ("fallback:big", False, None)
    assert 'demur_answers_total{answered_by="fallback:big",outcome="answered"} 1.0' in page


@pytest.mark.parametrize("more", [{}, {"samples": 3}])
@DOORS
def test_who_hangs_up_leaves_the_line_at_every_door(answerer, door, more):
    path, body = body_of(door, KNOWN, **(more if door == "ask" else {}))
    app, sent = create_app(answerer, ServeSettings()), []

    async def hung_up():
        messages = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]

        async def receive():
            if messages:
                return messages.pop()
            while answerer.waiting == 0:
                await asyncio.sleep(0.01)
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
        await app({**scope, "client": ("c", 1), "http_version": "1.1", "scheme": "http"}, receive, send)

    with answerer._own:  # the model is busy
        first = answerer.submit(Query(question=as_question(KNOWN)))
        until(first.running)
        asyncio.run(hung_up())
        assert answerer.waiting == 0
    assert sent[0]["status"] == 499
    first.result(60)


@pytest.mark.parametrize("path", ["/v1/completions", "/api/batch"])
def test_the_questions_of_a_request_are_asked_together_or_not_at_all(answerer, path):
    """One question waits in a line of two places: a request of two is turned away whole."""
    texts = [KNOWN, UNKNOWN]
    body = {"prompt": texts} if path.startswith("/v1") else {"questions": [{"question": t} for t in texts]}
    with answerer._own:
        waiting = [answerer.submit(Query(question=as_question(KNOWN)))]
        until(waiting[0].running)
        waiting.append(answerer.submit(Query(question=as_question(KNOWN))))
        reply = client(answerer, max_prompts=2, max_waiting=2).post(path, json=body)
        assert (reply.status_code, reply.headers["retry-after"], answerer.waiting) == (429, "1", 1)
    for future in waiting:
        future.result(60)


def test_samples_wait_in_line_like_questions(answerer):
    """The line is full after the question was answered: a client that wants samples is turned away."""
    with answerer._own:
        first = [answerer.submit(Query(question=as_question(KNOWN)))]
        until(first[0].running)
        first += [answerer.submit(Query(question=as_question(KNOWN))) for _ in range(2)]
        with pytest.raises(demur.ask.BusyError):
            asyncio.run(answerer.samples_async(KNOWN, 3))
    assert all(future.result(60) for future in first)
    assert len(asyncio.run(answerer.samples_async(KNOWN, 3))) == 3


# -- numbers that are none -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A model that says "aaa", as its numbers have overflowed: that logit is NaN, and all probabilities."""
    folder, tokenizer = tmp_path_factory.mktemp("broken"), byte_tokenizer()
    model = llama_for(tokenizer)
    with torch.no_grad():
        (token,) = tokenizer("a", add_special_tokens=False)["input_ids"]
        model.lm_head.weight[token] = float("nan")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    with demur.load(folder, model={"device": "cpu"}) as opened:
        yield opened


@DOORS
def test_a_model_whose_numbers_are_none_declines_at_every_door(broken, door):
    path, body = body_of(door, KNOWN)
    reply = client(broken).post(path, json=body)
    assert reply.status_code == 200
    told = reply.json()["demur"] if door == "chat" else reply.json()
    told = told["answers"][0] if door == "batch" else told
    assert (told["abstained"], told["confidence"]) == (True, None)


def test_nothing_is_drawn_from_numbers_that_are_none(broken):
    with pytest.raises(ModelError, match="overflowed"):
        broken.samples(KNOWN, 3)
    reply = client(broken).post("/api/ask", json={"question": KNOWN, "samples": 3})
    assert (reply.status_code, reply.json()["error"]["code"]) == (502, "model_unreachable")


def test_no_number_is_null_in_json(broken):
    answer = broken.ask(KNOWN)
    assert answer.said.startswith("aaa")
    assert (answer.abstained, answer.threshold) == (True, None)
    told = json.loads(as_line(answer), parse_constant=pytest.fail)
    assert told["confidence"] is None
    assert set(told["signals"].values()) <= {None}
    assert told["reason"]


# -- promises ------------------------------------------------------------------------------------


def test_a_promise_is_looked_up_and_the_same_as_computed_anew(monkeypatch):
    rng = np.random.default_rng(3)
    confidences = rng.random(600).round(3)
    wrong = rng.random(600) > 0.6 + 0.4 * confidences
    known, cdf, calls = Calibration("sure", confidences, wrong, None, seed=4), stats.binom.cdf, []
    made = []
    with monkeypatch.context() as counting:
        counting.setattr(stats.binom, "cdf", lambda *given: calls.append(1) or cdf(*given))
        for number, max_error in enumerate((0.25, 0.3, 0.4), start=1):
            made.append(known.decision(max_error, 0.95).guarantee)
            assert len(calls) == 2 * number, "one look at all thresholds of the pilot, one at the others"
        with pytest.raises(DataError, match="none: "):
            known.decision(0.01, 0.95)
        assert len(calls) <= 8
    for guarantee in made:
        fresh = find_threshold(confidences, wrong, max_error=guarantee.max_error, seed=4)
        assert guarantee == fresh


# -- connections ---------------------------------------------------------------------------------


class Running:
    """A server on a port, in a thread."""

    def __init__(self, answerer, **settings):
        self.settings = ServeSettings(**{"drain_seconds": 2.0} | settings)
        gate, self.listener = Gate(), socket.create_server(("127.0.0.1", 0))
        self.server = Server(create_app(answerer, self.settings, gate=gate), gate, self.settings)
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],), daemon=True)
        self.port = self.listener.getsockname()[1]
        self.open = []

    def connect(self, sent=b""):
        """A connection, on which something is sent as far as the server takes it."""
        line = socket.socket()
        line.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, 4096
        )  # so that who does not read is noticed soon
        line.settimeout(60)
        line.connect(("127.0.0.1", self.port))
        self.open.append(line)
        line.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            line.sendall(sent)
        line.setblocking(True)
        line.settimeout(60)
        return line

    def stop(self):
        """Ask it to stop, as a signal would, and wait."""
        self.server.handle_exit(signal.SIGTERM, None)
        self.thread.join(60)
        assert not self.thread.is_alive()


@contextlib.contextmanager
def running(answerer, **settings):
    found = Running(answerer, **settings)
    found.thread.start()
    until(lambda: found.server.started)
    yield found
    found.server.should_exit = found.server.force_exit = True
    found.thread.join(60)
    for line in found.open:
        line.close()


def request(path, body=b"", *headers, method="GET"):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    if not any("Content-Length" in line for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def question(text, **more):
    _, body = body_of("chat", text, **more)
    return request("/v1/chat/completions", json.dumps(body).encode(), method="POST")


def read_all(line):
    """All that comes until the server closes the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := line.recv(65536):
            parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("path", ["/v1/models", "/page.css", "/nowhere", "/openapi.json"])
def test_nobody_who_does_not_read_keeps_a_server_from_stopping(answerer, path):
    with running(answerer) as server:
        server.connect(request(path) * 20_000)
        until(lambda: any(each.flow.write_paused for each in server.server.server_state.connections))
        server.stop()


@pytest.mark.parametrize(
    "sent",
    [question("Never whole?")[:-3], request("/v1/models", b"", "X-Half: ")[:-4], b""],
    ids=["body", "head", "idle"],
)
def test_nobody_who_does_not_write_keeps_a_server_from_stopping(answerer, sent):
    with running(answerer) as server:
        server.connect(sent)
        until(lambda: server.server.server_state.connections)
        time.sleep(0.2)  # so that what was sent has been read
        server.stop()
        assert server.server.gate.late == 0


def test_who_does_not_read_is_given_up(answerer, monkeypatch):
    monkeypatch.setattr(connections, "WRITE_SECONDS", 0.1)
    with running(answerer) as server:
        server.connect(request("/page.css") * 5000)
        until(lambda: server.server.door.open)
        until(lambda: not server.server.door.open)
        assert b"200 OK" in read_all(server.connect(request("/healthz", b"", "Connection: close")))


@pytest.mark.parametrize("more", [{}, {"stream": True}, {"stream": True, "stream_mode": "optimistic"}])
def test_what_was_let_in_is_answered_before_the_server_stops(answerer, more):
    with running(answerer, drain_seconds=60.0) as server:
        with answerer._own:  # the model is busy
            line = server.connect(question(KNOWN, **more))
            until(lambda: server.server.gate.inside == 1)
            server.server.handle_exit(signal.SIGTERM, None)
            late = read_all(server.connect(question(KNOWN)[:-1] + b"}"))
        answer = read_all(line)
        server.thread.join(60)
    assert b"503" in late.splitlines()[0]
    assert b"200 OK" in answer
    assert b"Nairobi" in answer
    assert answer.endswith(b"}" if not more else b"data: [DONE]\n\n\r\n0\r\n\r\n")


@pytest.mark.parametrize("more", [{}, {"stream": True}, {"stream": True, "stream_mode": "optimistic"}])
def test_what_cannot_be_answered_in_time_is_told_so(answerer, more):
    with answerer._own, running(answerer) as server:  # the model is busy for longer than the server has
        line = server.connect(question(KNOWN, **more))
        until(lambda: server.server.gate.inside == 1)
        server.stop()
        answer = read_all(line)
    assert b"503" in answer.splitlines()[0]
    assert b'"code":"draining"' in answer
    assert server.server.gate.late == 1


def test_a_body_that_is_complete_after_the_signal_was_not_let_in(answerer):
    sent = question(KNOWN)
    with running(answerer, drain_seconds=60.0) as server, answerer._own:
        first, second = server.connect(question(UNKNOWN)), server.connect(sent[:-5])
        until(lambda: server.server.gate.inside == 1)
        server.server.handle_exit(signal.SIGTERM, None)
        second.sendall(sent[-5:])
        assert b"503" in second.recv(100)
        assert server.server.gate.inside == 1
        first.close()


def test_connections_have_a_limit_and_the_idle_make_room(answerer):
    with running(answerer, max_connections=2) as server:
        idle = [server.connect() for _ in range(2)]
        until(lambda: len(server.server.door.open) == 2)
        assert b"200 OK" in read_all(server.connect(request("/healthz", b"", "Connection: close")))
        assert read_all(idle[0]) == b"", "the one that asked nothing for the longest was closed"
        with answerer._own:
            asking = [server.connect(question(KNOWN)) for _ in range(2)]
            until(lambda: server.server.gate.inside == 2)
            assert read_all(server.connect(request("/healthz"))) == b"", "all wait for an answer"
        assert all(b"200 OK" in line.recv(100) for line in asking)


def test_the_limit_of_connections_is_below_that_of_open_files(monkeypatch):
    for files, most in ((1024, 512), (600, 408), (400, 208), (256, 128), (2, 1)):
        monkeypatch.setattr(connections.resource, "getrlimit", lambda _, files=files: (files, files))
        assert most_connections(512) == most
    monkeypatch.setattr(
        connections.resource, "getrlimit", lambda _: (connections.resource.RLIM_INFINITY,) * 2
    )
    assert most_connections(512) == 512


def test_a_body_with_two_lengths_is_refused_and_the_connection_closed(answerer):
    body = json.dumps(body_of("chat", KNOWN)[1]).encode()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    both = ("Transfer-Encoding: chunked", f"Content-Length: {len(chunked)}")
    head = request("/v1/chat/completions", b"", *both, method="POST")
    with running(answerer) as server:
        said = read_all(server.connect(head + chunked + request("/v1/models")))
    assert b"400" in said.splitlines()[0]
    assert said.count(b"HTTP/1.1") == 1, "what follows is not read as a request"


def test_the_second_signal_ends_at_once_but_for_a_hang_up(answerer):
    with running(answerer) as server:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGHUP):
            server.server.handle_exit(number, None)
            assert (server.server.gate.phase, server.server.force_exit) == ("draining", False)
        server.server.handle_exit(signal.SIGINT, None)
        assert server.server.force_exit


# -- the log -------------------------------------------------------------------------------------


def record(message, level=logging.INFO, name="demur.serve"):
    return logging.LogRecord(name, level, "", 0, message, None, None)


def test_a_log_that_nobody_reads_holds_nobody_up_and_says_what_is_missing():
    reading, writing = os.pipe()
    writer = LineWriter(writing, most_bytes=10_000)
    writer.setFormatter(logging.Formatter("%(message)s %(dropped)s", defaults={"dropped": ""}))
    for number in range(20_000):  # far more than a pipe holds
        writer.emit(record(f"{number:09}"))
    assert writer.dropped > 0
    ended = threading.Thread(target=lambda: (writer.end(60), os.close(writing)))
    ended.start()
    with os.fdopen(reading) as pipe:
        lines = pipe.read().splitlines()
    ended.join()
    kept = [int(line) for line in lines if not line.startswith("lines dropped")]
    told = [int(line.split()[-1]) for line in lines if line.startswith("lines dropped")]
    assert sum(told) == writer.dropped == 20_000 - len(kept)
    assert kept == sorted(kept)


def test_a_log_whose_reader_is_gone_holds_nobody_up():
    reading, writing = os.pipe()
    os.close(reading)
    writer = LineWriter(writing)
    writer.emit(record("nobody reads this"))
    assert writer.end(60)
    os.close(writing)


def test_a_warning_that_repeats_is_counted_and_requests_are_all_written():
    held = Repeats(most=2, seconds=0.2)
    warning = [held.filter(record("out of files", logging.ERROR, "asyncio")) for _ in range(5)]
    assert warning == [True, True, False, False, False]
    assert held.filter(record("another", logging.ERROR, "asyncio")), "other kinds are counted apart"
    assert all(held.filter(record("request")) for _ in range(100))
    time.sleep(0.3)
    later = record("out of files", logging.ERROR, "asyncio")
    assert held.filter(later)
    assert later.suppressed == 3
