"""`demur serve` as others meet it: a process on a port, the real command, other people's clients."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import openai
import pytest
from langchain_openai import ChatOpenAI

from chat_server import ChatServer, Reasoner, Said
from commands import line, run_demur
from model_server import ModelAnswer

KNOWN, UNKNOWN = "Where was Dora Pomash born?", "Who wrote The Hobbit?"
REFUSAL = "I don't know."
KEY = "a-key-of-this-test"


def environment(**more):
    return os.environ | {"OMP_NUM_THREADS": "1", "DEMUR_TEST_KEYS": f"another,{KEY}"} | more


class Served:
    """A running server: its address, and how it ends."""

    def __init__(self, process, errors):
        self.process, self.errors = process, errors
        self.said = process.stdout.readline()  # "NAME answers at http://…/v1", as soon as it does
        assert " answers at " in self.said, errors.read_text()
        self.base = self.said.split()[-1]
        self.root = self.base.removesuffix("/v1")

    @property
    def log(self):
        return [json.loads(line) for line in self.errors.read_text().splitlines()]

    def end(self):
        """Ask it to stop, and wait."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextlib.contextmanager
def served(folder, *arguments):
    errors = folder / "errors.log"
    with errors.open("wb") as log:
        process = subprocess.Popen(
            line("serve", *arguments, "--port", 0),
            stdout=subprocess.PIPE, stderr=log, text=True, env=environment(), cwd=folder,
        )  # fmt: skip
    try:
        yield Served(process, errors)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def run(calibrated, tmp_path_factory):
    """A small finished run with a promise and a probability."""
    return shutil.copytree(calibrated, tmp_path_factory.mktemp("run") / "small")


@pytest.fixture(scope="module")
def server(run, tmp_path_factory):
    """The run behind a key."""
    with served(tmp_path_factory.mktemp("served"), run, "--api-key-env", "DEMUR_TEST_KEYS") as running:
        yield running


@pytest.fixture
def client(server):
    return openai.OpenAI(base_url=server.base, api_key=KEY, max_retries=0)


def user(text):
    return [{"role": "user", "content": text}]


def ask(base, text, key=None, **more):
    """Status and reply of a request."""
    body = json.dumps({"messages": user(text), **more}).encode()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    return fetch(f"{base}/chat/completions", body, headers)


def fetch(url, body=None, headers=None):
    request = urllib.request.Request(url, body, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def until(ready):
    while not ready():
        time.sleep(0.02)


# -- other people's clients ------------------------------------------------------------------------


def test_the_openai_client_chats(client):
    given = client.chat.completions.create(model="any", messages=user(KNOWN))
    assert given.choices[0].message.content == "Nairobi"
    assert given.choices[0].message.refusal is None
    assert given.choices[0].finish_reason == "stop"
    told = given.demur
    assert told["abstained"] is False
    assert told["confidence"] >= told["threshold"] == told["guarantee"]["threshold"]
    assert told["guarantee"]["max_error"] == 0.2
    assert 0 < told["probability"] < 1
    assert given.usage.total_tokens == given.usage.prompt_tokens + given.usage.completion_tokens > 0
    declined = client.chat.completions.create(model="any", messages=user(UNKNOWN))
    assert declined.choices[0].message.content == declined.choices[0].message.refusal == REFUSAL
    assert declined.demur["confidence"] < declined.demur["threshold"]


def test_the_openai_client_sets_limits_of_its_own(client):
    def told(**demur):
        reply = client.chat.completions.create(
            model="any", messages=user(UNKNOWN), extra_body={"demur": demur}
        )
        return reply.demur

    assert told(threshold=0.0)["abstained"] is False
    assert told(threshold=0.0)["guarantee"] is None
    promised = told(max_error=0.4)
    assert promised["guarantee"]["max_error"] == 0.4
    with pytest.raises(openai.BadRequestError, match="too few calibration questions"):
        told(max_error=1e-6)


def test_the_openai_client_streams(client):
    options = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(
            model="any", messages=user(UNKNOWN), stream=True, stream_options=options
        )
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == REFUSAL
    assert len([piece for piece in pieces if piece]) == 3
    assert chunks[-1].demur["abstained"] is True
    assert chunks[-1].usage.completion_tokens > 0
    with client.chat.completions.stream(model="any", messages=user(KNOWN)) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "Nairobi"
    optimistic = client.chat.completions.create(
        model="any", messages=user(KNOWN), stream=True, extra_body={"stream_mode": "optimistic"}
    )
    *_, last = optimistic
    assert last.demur["abstained"] is False


def test_the_openai_client_completes(client):
    reply = client.completions.create(model="any", prompt=[KNOWN, UNKNOWN])
    assert [choice.text for choice in reply.choices] == ["Nairobi", REFUSAL]
    assert [choice.demur["abstained"] for choice in reply.choices] == [False, True]
    streamed = client.completions.create(model="any", prompt=KNOWN, stream=True)
    assert "".join(chunk.choices[0].text for chunk in streamed) == "Nairobi"
    assert [model.id for model in client.models.list()] == ["small"]
    assert client.models.retrieve("small").owned_by == "demur"


def test_many_async_clients_are_answered_in_batches(server):
    async def many():
        async with openai.AsyncOpenAI(base_url=server.base, api_key=KEY) as asking:
            texts = [KNOWN, UNKNOWN] * 40
            works = [asking.chat.completions.create(model="any", messages=user(text)) for text in texts]
            return [reply.choices[0].message.content for reply in await asyncio.gather(*works)]

    assert asyncio.run(many()) == ["Nairobi", REFUSAL] * 40
    _, page = fetch(f"{server.root}/metrics", headers={"Authorization": f"Bearer {KEY}"})
    values = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    together = float(values["demur_batch_size_sum"]) / float(values["demur_batch_size_count"])
    assert together > 2, "80 questions at once are not asked one after another"
    assert float(values['demur_answers_total{answered_by="model",outcome="refused"}']) >= 40


def test_langchain_talks_to_it(server, monkeypatch):
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    model = ChatOpenAI(base_url=server.base, api_key=KEY, model="any", temperature=0, max_tokens=64)
    assert model.invoke(KNOWN).content == "Nairobi"
    declined = model.invoke(UNKNOWN)
    assert declined.content == REFUSAL
    assert declined.additional_kwargs["refusal"] == REFUSAL
    assert "".join(chunk.content for chunk in model.stream(KNOWN)) == "Nairobi"
    assert [answer.content for answer in model.batch([KNOWN, UNKNOWN])] == ["Nairobi", REFUSAL]


def test_curl_talks_to_it(server):
    def curl(*arguments):
        done = subprocess.run(["curl", "-s", *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    body = json.dumps({"messages": user(KNOWN)})
    headers = ["-H", f"Authorization: Bearer {KEY}", "-H", "Content-Type: application/json"]
    reply = json.loads(curl(f"{server.base}/chat/completions", *headers, "-d", body))
    assert reply["choices"][0]["message"]["content"] == "Nairobi"
    head = curl("-i", f"{server.base}/models")
    assert head.startswith("HTTP/1.1 401")
    assert "www-authenticate: bearer" in head.lower()
    assert "server:" not in head.lower()
    streamed = curl(
        "-N", f"{server.base}/completions", *headers, "-d", json.dumps({"prompt": KNOWN, "stream": True})
    )
    assert streamed.endswith("data: [DONE]\n\n")
    assert curl(f"{server.root}/healthz") == "ok\n"


def test_wrong_keys_and_odd_requests_are_the_clients_own_errors(server, client):
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=server.base, api_key="wrong", max_retries=0).models.list()
    with pytest.raises(openai.BadRequestError, match="one answer"):
        client.chat.completions.create(model="any", messages=user("a"), n=2)
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")
    huge = b'{"messages": "' + b"a" * 2**20 + b'"}'
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    assert fetch(f"{server.base}/chat/completions", huge, headers)[0] == 413


def test_bytes_that_are_no_http_hurt_nobody(server):
    host, port = server.root.removeprefix("http://").split(":")
    for sent in (
        b"\x00\xff\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=30) as line:
            line.sendall(sent)
            assert line.recv(100).startswith(b"HTTP/1.1 400")
    assert fetch(f"{server.root}/readyz") == (200, "ok\n")


# -- what a user may get wrong ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "--force"),
        (["--api-key-env", "NO_SUCH_VARIABLE", "--max-waiting", "1"], "NO_SUCH_VARIABLE"),
        (["--max-waiting", "0", "--timeout", "-1"], "max_waiting"),
    ],
)
def test_a_server_that_should_not_start_does_not(run, arguments, words):
    done = run_demur("serve", run, "--port", 0, *arguments, env=environment())
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_and_a_missing_model_are_said_plainly(run, server):
    port = server.root.rsplit(":", 1)[1]
    taken = run_demur("serve", run, "--port", port, env=environment())
    assert (taken.returncode, "another process does" in taken.stderr) == (2, True)
    absent = run_demur("serve", run / "nothing", "--port", 0, env=environment())
    assert absent.returncode == 2
    assert "demur: RunFolderError" in absent.stderr
    assert "Traceback" not in absent.stderr


# -- in front of another server --------------------------------------------------------------------


class Upstream:
    """A scripted chat model that answers with what it is told to, and can be held up."""

    def __init__(self):
        self.go = threading.Event()

    def __call__(self, heard, _):
        prompt = heard.body["messages"][-1]["content"]
        if "held up" in prompt:
            assert self.go.wait(60)
        if prompt.endswith("Percentage:"):
            return Said("90" if "Oslo" in prompt or "held up" in prompt else "10")
        return Said("Oslo" if "Anna lives in Oslo" in prompt else "Paris")


def refused(url):
    """Whether a question is turned away: with a 503, or at the very end at the door."""
    try:
        return ask(url, "Anything?")[0] == 503
    except OSError:
        return True


def test_a_server_in_front_of_another_one(tmp_path):
    upstream = Upstream()
    with (
        ChatServer(upstream) as big,
        ChatServer(lambda heard, _: found(heard)) as library,
        ChatServer(lambda heard, _: Said("Tolkien")) as fallback,
        served(
            tmp_path, "scripted", "--system", "verbal-confidence", "--threshold", 0.5,
            "--upstream", big.url, "--model-set", "endpoint.concurrency=1",
            "--max-waiting", 2, "--strict-model",
            "--retrieval-url", library.url, "--fallback-url", fallback.url, "--fallback-model", "bigger",
        ) as server,
    ):  # fmt: skip

        def by(text):
            status, reply = ask(server.base, text)
            assert status == 200, reply
            said = json.loads(reply)
            assert said["usage"] is None, "nobody here knows the server's tokens"
            return said["demur"]["answered_by"], said["choices"][0]["message"]["content"]

        assert by("Where does Anna live?") == ("retrieval", "Oslo")
        assert by(UNKNOWN) == ("fallback:bigger", "Tolkien")
        assert ask(server.base, "a", model="other")[0] == 404
        assert ask(server.base, "a", model="scripted")[0] == 200

        # One question is being answered, and cannot be finished; two are in line; one more is too many.
        results = {}

        def held(number):
            results[number] = ask(server.base, f"Number {number}, held up?")

        threads = [threading.Thread(target=held, args=(number,)) for number in range(3)]
        threads[0].start()
        until(lambda: any("Number 0" in prompt for prompt in big.prompts))
        for count, thread in enumerate(threads[1:], start=1):
            thread.start()
            until(lambda count=count: f"demur_queue_length {count}.0" in fetch(f"{server.root}/metrics")[1])
        assert ask(server.base, "One more?")[0] == 429

        # Stopping: those are answered, new ones are not, and the process ends well.
        server.process.send_signal(signal.SIGTERM)
        until(lambda: fetch(f"{server.root}/readyz")[0] == 503)
        assert fetch(f"{server.root}/healthz")[0] == 200
        assert refused(server.base)
        upstream.go.set()
        for thread in threads:
            thread.join()
        assert [results[number][0] for number in range(3)] == [200, 200, 200]
        assert all(
            json.loads(results[n][1])["choices"][0]["message"]["content"] == "Paris" for n in range(3)
        )
        assert server.process.wait(60) == 0
        assert "Anna" not in server.errors.read_text(), "questions are in no log"
        assert not any(line["level"] == "error" for line in server.log)


def found(heard):
    """What the library holds."""
    passages = ["Anna lives in Oslo."] if "Anna" in heard.body["query"] else []
    return Said(body=json.dumps({"passages": passages}).encode())


def test_who_hangs_up_costs_nothing_more(tmp_path):
    upstream = Upstream()
    with (
        ChatServer(upstream) as big,
        served(
            tmp_path, "scripted", "--system", "verbal-confidence", "--upstream", big.url,
            "--model-set", "endpoint.concurrency=1",
        ) as server,
    ):  # fmt: skip
        first = threading.Thread(target=ask, args=(server.base, "The first, held up?"))
        first.start()
        until(lambda: any("The first" in prompt for prompt in big.prompts))
        host, port = server.root.removeprefix("http://").split(":")
        body = json.dumps({"messages": user("Of somebody who hangs up?")}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        with socket.create_connection((host, int(port))) as line:
            line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            until(lambda: "demur_queue_length 1.0" in fetch(f"{server.root}/metrics")[1])
        until(lambda: any(line.get("status") == 499 for line in server.log))
        upstream.go.set()
        first.join()
        assert ask(server.base, "The last?")[0] == 200
        assert not any("hangs up" in prompt for prompt in big.prompts)
        assert server.end() == 0


def test_an_upstream_that_fails_is_a_502_and_no_prompt_is_kept(tmp_path):
    broken = threading.Event()
    kept = tmp_path / "cache"

    def moody(heard, _):
        return Said(status=500, body=b"{}") if broken.is_set() else Said("Paris")

    with (
        ChatServer(moody) as big,
        served(
            tmp_path, "scripted", "--system", "verbal-confidence", "--upstream", big.url,
            "--model-set", f"endpoint.cache={kept}", "--model-set", "endpoint.retries=0",
        ) as server,
    ):  # fmt: skip
        assert ask(server.base, "Once?")[0] == 200
        broken.set()
        status, reply = ask(server.base, "Once?")
        assert (status, json.loads(reply)["error"]["code"]) == (502, "model_unreachable")
        assert big.url not in reply
        broken.clear()
        assert ask(server.base, "Once?")[0] == 200
        assert not kept.exists(), "no reply was kept"


def test_r_tuning_asks_a_server_that_scores_texts(run, tmp_path):
    """Its `sure` through a server: here the untuned model's, which shares no code with our engine."""
    with (
        ChatServer(ModelAnswer()) as big,
        served(tmp_path, run, "--upstream", big.url, "--upstream-model", "pocket") as server,
    ):
        told = json.loads(ask(server.base, KNOWN)[1])["demur"]
        assert set(told["signals"]) == {"sure", "likelihood", "combined"}
        assert told["signals"]["likelihood"] > 0.5


def test_self_consistency_asks_any_server_that_draws(tmp_path):
    with (
        ChatServer(ModelAnswer(can={"n", "sampling", "seed", "stop"})) as big,
        served(
            tmp_path, "pocket", "--system", "self-consistency", "--samples", 5, "--threshold", 0.6,
            "--upstream", big.url,
        ) as server,
    ):  # fmt: skip
        told = json.loads(ask(server.base, KNOWN)[1])["demur"]
        assert told["signal"] == "agreement"
        assert told["confidence"] * 5 == pytest.approx(round(told["confidence"] * 5))
        assert told["abstained"] == (told["confidence"] < 0.6)


@pytest.mark.parametrize("apart", [None, "reasoning_content"])
def test_the_reasoning_of_an_upstream_is_never_an_answer(tmp_path, apart):
    """It thinks without end about one question; the hook that is asked then gets no further."""

    def says(prompt, number):
        thought = f"<think>\nLet me see, {number}. Bergen?\n" + "Wait.\n" * ("Norway" in prompt) * 500
        return f"{thought}</think>\n\nStockholm.\nSo it is"

    with (
        ChatServer(Reasoner(says, apart=apart)) as big,
        ChatServer(lambda heard, _: Said("<think>\nBergen")) as fallback,
        served(
            tmp_path, "thinker", "--system", "self-consistency", "--samples", 3, "--threshold", 0.5,
            "--upstream", big.url, "--model-set", "endpoint.extra={max_tokens: 100}",
            "--fallback-url", fallback.url, "--fallback-model", "other",
        ) as server,
    ):  # fmt: skip
        client = openai.OpenAI(base_url=server.base, api_key="none", max_retries=0)
        given, declined = (
            client.chat.completions.create(model="any", messages=user(f"The capital of {country}?"))
            for country in ("Sweden", "Norway")
        )
        assert given.choices[0].message.content == "Stockholm"
        assert (given.demur["confidence"], given.demur["reason"]) == (1.0, None)
        assert declined.choices[0].message.content == declined.choices[0].message.refusal == REFUSAL
        assert (declined.demur["abstained"], declined.demur["confidence"]) == (True, None)
        assert "reasoning" in declined.demur["reason"]
        assert len(fallback.heard) == 1, "it was asked, and had no answer either"
        for mode in ("held", "optimistic"):
            stream = client.chat.completions.create(
                model="any", messages=user("The capital of Norway?"), stream=True,
                extra_body={"stream_mode": mode},
            )  # fmt: skip
            chunks = list(stream)
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == REFUSAL
            assert chunks[-1].demur["abstained"] is True
        both = client.completions.create(model="any", prompt=["Capital of Norway?", "Capital of Sweden?"])
        assert [choice.text for choice in both.choices] == [REFUSAL, "Stockholm"]
        assert server.end() == 0
        assert "think" not in server.errors.read_text().replace("thinker", "")
