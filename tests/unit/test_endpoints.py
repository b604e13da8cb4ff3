"""The client of OpenAI-compatible servers, against a real HTTP server that behaves well and badly.

The server's answers are scripted (`chat_server`); the openai package, the sockets and the cache are real.
"""

import asyncio
import gzip
import json
import logging
import multiprocessing
import sqlite3
import sys
import threading
import zlib

import pytest

from chat_server import ChatServer, Said
from demur.core.config import EndpointSettings
from demur.core.errors import ConfigError, ModelError, ResourceError
from demur.endpoints import Endpoint, Failure, Reply, Request, json_object
from demur.endpoints.cache import ReplyCache, request_key
from demur.endpoints.client import CHAT
from demur.endpoints.transport import LARGEST_REPLY

KEY = "sk-test-0123456789-not-a-real-one"


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """No other key, address or header of this machine's environment takes part."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", KEY)


def endpoint(server, **settings):
    url = server if isinstance(server, str) else server.url
    return Endpoint(EndpointSettings(base_url=url, model="tiny", **{"retries": 2, **settings}))


def echo(heard, _):
    return Said(heard.prompt.upper())


def files_under(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_replies_come_in_order_each_prompt_is_asked_once_and_progress_adds_up():
    done = []
    with ChatServer(echo) as server:
        found = endpoint(server).complete_many(["b", "a", "b", "c"], progress=done.append)
        assert [reply.text for reply in found] == ["B", "A", "B", "C"]
        assert sorted(server.prompts) == ["a", "b", "c"]
        assert sum(done) == 4
    heard = server.heard[0]
    assert heard.path == "/v1/chat/completions"
    assert heard.body == {
        "model": "tiny",
        "messages": [{"role": "user", "content": heard.prompt}],
        "max_tokens": 200,
        "temperature": 0.0,
    }


def test_nothing_to_ask_asks_nothing():
    with ChatServer(echo) as server:
        assert endpoint(server).complete_many([]) == []
        assert server.heard == []


def test_extra_fields_are_sent_and_null_leaves_a_usual_one_out():
    with ChatServer(echo) as server:
        endpoint(server, extra={"max_tokens": None, "max_completion_tokens": 9}).complete_many(["a"])
    assert "max_tokens" not in server.heard[0].body
    assert server.heard[0].body["max_completion_tokens"] == 9


def test_no_more_requests_at_once_than_asked_for():
    three = threading.Barrier(3, timeout=30)

    def answer(*_):
        three.wait()  # breaks where three are never there together
        return Said("x")

    with ChatServer(answer) as server:
        endpoint(server, concurrency=3).complete_many(list("abcdefghi"))
    assert server.most_at_once == 3


def test_requests_are_spaced_by_the_rate(monkeypatch):
    waits = []
    real = asyncio.sleep

    async def sleep(seconds, *rest):
        waits.append(seconds)
        await real(0)

    monkeypatch.setattr("demur.endpoints.transport.asyncio.sleep", sleep)
    with ChatServer(echo) as server:
        endpoint(server, requests_per_minute=30, concurrency=1).complete_many(["a", "b", "c"])
    # 30 a minute is one each 2 s: the first goes at once, the others at 2 s and 4 s after it.
    pauses = sorted(wait for wait in waits if wait)
    assert len(pauses) == 2
    assert 1 < pauses[0] <= 2 < pauses[1] <= 4


# -- failures ----------------------------------------------------------------------------------


def once(first, text="fine"):
    """Says ``first`` to the first request and ``text`` to the others."""
    return lambda heard, number: first if number == 0 else Said(text)


@pytest.mark.parametrize(
    "first",
    [
        Said(status=429, body=b"{}", headers={"Retry-After": "0.01"}),
        Said(status=500, body=b"oops", headers={"Retry-After": "0.01"}),
        Said(status=503, body=b"", headers={"Retry-After": "0.01"}),
        Said("never whole", cut=10),
        Said("too late", wait_seconds=5),
        Said("byte by byte", drip_seconds=0.1),
    ],
    ids=["busy", "error", "unavailable", "truncated", "slow", "dripping"],
)
def test_what_passes_is_asked_again(first):
    with ChatServer(once(first)) as server:
        asked = endpoint(server, timeout_seconds=1)
        (reply,) = asked.complete_many(["a"])
    assert reply.text == "fine"
    assert (len(server.heard), asked.usage.requests, asked.usage.failed) == (2, 2, 0)


def test_retry_after_is_honoured(monkeypatch):
    waits = []

    async def sleep(seconds, *_):
        waits.append(seconds)

    monkeypatch.setattr("openai._base_client.anyio.sleep", sleep)
    with ChatServer(once(Said(status=429, body=b"{}", headers={"Retry-After": "7"}))) as server:
        endpoint(server).complete_many(["a"])
    assert waits == [7]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Said(status=400, body=b'{"error": {"message": "filtered"}}'), "request refused"),
        (Said(status=500, body=b"oops", headers={"Retry-After": "0.01"}), "server error"),
        (Said(status=429, body=b"{}", headers={"Retry-After": "0.01"}), "rate limited"),
        (Said(status=429, body=b"{}", headers={"Retry-After": "9999"}), "rate limited"),
        (Said("never whole", cut=10), "cut off"),
        (Said("too late", wait_seconds=5), "timed out"),
        (Said(body=b'{"choices": [{"mess'), "no text in the reply"),
        (Said(body=b"<html>sign in</html>", headers={"Content-Type": "text/html"}), "no text in the reply"),
        (Said(body=b'{"choices": []}'), "no text in the reply"),
        (Said(body=b"[" * 100_000), "no text in the reply"),
        (Said(body=b"\xff\xfe\x00"), "no text in the reply"),
        (Said(None), "no text in the reply"),
    ],
)
def test_what_stays_is_a_failure_with_its_reason_and_the_others_are_answered(said, reason):
    with ChatServer(lambda heard, _: said if heard.prompt == "bad" else Said("fine")) as server:
        asked = endpoint(server, retries=1, timeout_seconds=1)
        good, bad = asked.complete_many(["good", "bad"])
        assert (good.text, bad.reason) == ("fine", reason)
        assert asked.usage.to_dict()["failed"] == 1
        # A failure is not kept: the same call asks again, and only for what failed.
        again = endpoint(server, retries=0, timeout_seconds=1)
        assert isinstance(again.complete_many(["good", "bad", "new"])[1], Failure)
        assert again.usage.cached.replies == 1


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "key refused"), (402, "payment required"), (404, "not found")]
)
def test_what_would_meet_every_prompt_ends_the_call_kindly(status, reason):
    with ChatServer(lambda *_: Said(status=status, body=b'{"error": {"message": "no"}}')) as server:
        with pytest.raises(ModelError, match=reason) as caught:
            endpoint(server, concurrency=1).complete_many([str(n) for n in range(50)])
        assert len(server.heard) == 1
        assert server.url in str(caught.value)


def test_a_server_that_goes_down_ends_the_call_and_what_came_is_kept():
    dead = Said(status=503, body=b"", headers={"x-should-retry": "false"})
    prompts = [str(n) for n in range(60)]
    with ChatServer(lambda heard, _: Said("up") if int(heard.prompt) < 10 else dead) as server:
        with pytest.raises(ModelError, match="server error"):
            endpoint(server, concurrency=1).complete_many(prompts)
        assert len(server.heard) == 30  # 10 answered, then 20 failures in a row
        server.answer = lambda *_: Said("mended")
        again = endpoint(server).complete_many(prompts)
        assert [reply.text for reply in again] == ["up"] * 10 + ["mended"] * 50
        assert len(server.heard) == 80


def test_one_prompt_that_always_fails_does_not_stop_a_call_whose_others_are_kept():
    dead = Said(status=500, body=b"", headers={"x-should-retry": "false"})
    with ChatServer(lambda heard, _: dead if heard.prompt == "bad" else Said("fine")) as server:
        for _ in range(2):
            good, bad = endpoint(server).complete_many(["good", "bad"])
            assert (good.text, bad.reason) == ("fine", "server error")
        with pytest.raises(ModelError):
            endpoint(server).complete_many(["bad"])


def test_nobody_there_is_a_clear_error():
    with pytest.raises(ModelError, match="server runs"):
        endpoint("http://127.0.0.1:9/v1", retries=0).complete_many(["a"])


# -- the key -----------------------------------------------------------------------------------


def test_the_key_goes_to_the_server_and_nowhere_else(tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("OPENAI_LOG", "debug")
    caplog.set_level(logging.DEBUG)

    def tell(heard, _):
        """A server that repeats the key in replies and errors."""
        if heard.prompt == "bad":
            return Said(status=400, body=f'{{"error": {{"message": "key {KEY} may not"}}}}'.encode())
        return Said(f"your key is {KEY}")

    with ChatServer(tell) as server:
        asked = endpoint(server, key_variable="TEST_KEY")
        good, bad = asked.complete_many(["good", "bad"])
        assert server.heard[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in repr((good, bad, asked.__dict__, asked.settings))
    assert KEY not in caplog.text
    assert (tmp_path / "cache/demur/replies.sqlite").stat().st_mode & 0o077 == 0
    assert KEY.encode() not in files_under(tmp_path)
    assert b"your key is" in files_under(tmp_path), "the reply was kept, without the key"


def test_an_error_that_is_raised_does_not_show_the_key():
    refuse = Said(status=401, body=f'{{"error": {{"message": "wrong key: {KEY}"}}}}'.encode())
    with ChatServer(lambda *_: refuse) as server, pytest.raises(ModelError) as caught:
        endpoint(server, key_variable="TEST_KEY").complete_many(["a"])
    assert "wrong key: [the key]" in str(caught.value)
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_nothing_of_the_environment_is_sent_along(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: yes\nAuthorization: Bearer sk-custom")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with ChatServer(echo) as server:
        endpoint(server).complete_many(["a"])
    (heard,) = server.heard
    assert {name.lower() for name in heard.headers} == {
        *("host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent")
    }
    assert not {"sk-", "mine"} & {str(heard.headers)[i : i + 3] for i in range(9)}
    assert "sk-" not in str(heard.headers)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    with ChatServer(echo) as thief:
        away = Said(status=status, body=b"", headers={"Location": f"{thief.url}/chat/completions"})
        with ChatServer(lambda *_: away) as server, pytest.raises(ModelError, match="redirect"):
            endpoint(server, key_variable="TEST_KEY").complete_many(["a"])
        assert thief.heard == []
    assert len(server.heard) == 1


@pytest.mark.parametrize(
    ("value", "found"),
    [(None, "no such variable"), ("  ", "no such"), ("a b", "characters"), ("a\nb", "characters")],
)
def test_a_key_that_is_none_is_a_clear_error_that_does_not_show_it(monkeypatch, value, found):
    monkeypatch.delenv("TEST_KEY")
    if value is not None:
        monkeypatch.setenv("TEST_KEY", value)
    with pytest.raises(ConfigError, match=found) as caught:
        endpoint("http://127.0.0.1:9/v1", key_variable="TEST_KEY")
    assert "TEST_KEY" in str(caught.value)
    assert repr(value) not in str(caught.value)


@pytest.mark.parametrize("given", [KEY, "hf_abcDEF", ""])
def test_a_key_given_as_the_name_of_its_variable_is_refused_and_not_shown(given):
    with pytest.raises(ConfigError, match="in capitals") as caught:
        endpoint("http://127.0.0.1:9/v1", key_variable=given)
    assert not given or given not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "localhost:8000", "http://me:pass@host/v1", "http://host/v1?key=pass"]
)
def test_only_the_plain_address_of_a_server_will_do(url):
    with pytest.raises(ConfigError, match="address of a server") as caught:
        endpoint(url)
    assert "pass@" not in str(caught.value)
    assert "key=pass" not in str(caught.value)


def test_without_the_openai_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r'pip install "demur\[openai\]"'):
        endpoint("http://127.0.0.1:9/v1")


# -- what is kept, and what it took ------------------------------------------------------------


def test_what_was_asked_is_not_asked_again_unless_anything_is_different():
    with ChatServer(echo) as server:
        endpoint(server).complete_many(["a", "b"])
        again = endpoint(server, concurrency=1, timeout_seconds=9, key_variable="TEST_KEY")
        assert [reply.cached for reply in again.complete_many(["a", "b"])] == [True, True]
        assert (len(server.heard), again.usage.requests) == (2, 0)
        for other in ({"temperature": 0.5}, {"max_tokens": 9}, {"extra": {"seed": 1}}):
            assert not endpoint(server, **other).complete_many(["a"])[0].cached


def test_tokens_and_cost_are_counted_as_the_server_says():
    with ChatServer(echo) as server:
        prices = {"price_in": 2.0, "price_out": 50.0}
        asked = endpoint(server, **prices)
        asked.complete_many(["a", "b", "c"])
        # Three replies of 10 and 2 tokens: 30 * 2 / 10^6 + 6 * 50 / 10^6 = 0.00036.
        assert asked.usage.to_dict() == {
            "requests": 3,
            "failed": 0,
            "replies": 3,
            "cached": 0,
            "uncounted": 0,
            "prompt_tokens": 30,
            "completion_tokens": 6,
            "cost": pytest.approx(0.00036),
            "cost_now": pytest.approx(0.00036),
        }
        again = endpoint(server, **prices)
        again.complete_many(["a", "b", "d"])
        # Two were there; one of 10 and 2 tokens is new: 20 / 10^6 + 100 / 10^6 = 0.00012.
        found = again.usage.to_dict()
        assert (found["requests"], found["cached"], found["prompt_tokens"]) == (1, 2, 30)
        assert found["cost"] == pytest.approx(0.00036)
        assert found["cost_now"] == pytest.approx(0.00012)
        assert endpoint(server).usage.to_dict()["cost"] is None, "without prices there is no cost"


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -1, "completion_tokens": 2}, [3], {"a": 1}])
def test_a_reply_without_a_count_costs_nobody_knows_what(usage):
    with ChatServer(lambda *_: Said("x", usage=usage)) as server:
        asked = endpoint(server, price_in=1, price_out=1)
        (reply,) = asked.complete_many(["a"])
    found = asked.usage.to_dict()
    assert reply.prompt_tokens is None or reply.completion_tokens is None
    assert (found["uncounted"], found["prompt_tokens"], found["cost"]) == (1, None, None)


def _fill(path, first, count):
    with ReplyCache(path) as cache:
        for number in range(first, first + count):
            cache.put(request_key("here", {"n": number}), f"by {first}: {number}")


def test_processes_share_the_file_and_agree_on_what_is_kept(tmp_path):
    path = tmp_path / "replies.sqlite"
    spawn = multiprocessing.get_context("spawn")
    # 0-149, 50-199 and 100-249 overlap: 250 replies in all, each by one of those that wrote it.
    workers = [spawn.Process(target=_fill, args=(path, first, 150)) for first in (0, 50, 100)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM replies").fetchone() == (250,)
    with ReplyCache(path) as cache:
        kept = cache.get(request_key("here", {"n": 120}))
        assert kept in {f"by {first}: 120" for first in (0, 50, 100)}
        assert cache.put(request_key("here", {"n": 120}), "later") == kept


def test_a_file_that_is_no_cache_is_a_clear_error(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("my notes, which are longer than the header of a database would be, by some way\n" * 20)
    with ChatServer(echo) as server, pytest.raises(ConfigError, match="name another file"):
        endpoint(server, cache=path).complete_many(["a"])
    with pytest.raises(ConfigError, match="read and written"):
        ReplyCache(tmp_path)


def test_a_full_disk_is_a_clear_error(tmp_path):
    with ReplyCache(tmp_path / "replies.sqlite") as cache:
        pages = cache._connection.execute("PRAGMA page_count").fetchone()[0]
        cache._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(ResourceError, match="free some space"):
            cache.put("key", "x" * 100_000)


def test_a_loop_that_runs_already_is_no_obstacle():
    """As in a notebook."""

    async def cell():
        with ChatServer(echo) as server:
            return endpoint(server).complete_many(["a"])

    (reply,) = asyncio.run(cell())
    assert reply == Reply(text="A", finish="stop", prompt_tokens=10, completion_tokens=2)


def test_half_a_character_can_be_asked_about():
    with ChatServer(echo) as server:
        assert endpoint(server).complete_many(["a\ud800b"])[0].text == "A?B"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"yes": true}', {"yes": True}),
        (' {"yes": false}\n', {"yes": False}),
        ('{"yes": 1}', None),
        ('{"yes": "true"}', None),
        ('{"yes": true, "more": 1}', None),
        ('{"yes": true, "yes": false}', None),
        ('```json\n{"yes": true}\n```', None),
        ('Sure: {"yes": true}', None),
        ('[{"yes": true}]', None),
        ("{}", None),
        ("null", None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_only_the_object_asked_for_is_read(text, found):
    assert json_object(text, {"yes": bool}) == found


# -- replies that nobody should read whole ---------------------------------------------------------


def reply_of(size, texts=1):
    """A reply of so many texts that is so large."""
    choices = [{"message": {"role": "assistant", "content": "fine"}} for _ in range(texts)]
    body = json.dumps({"choices": choices}).encode()
    return body + b" " * (size - len(body))


@pytest.mark.parametrize(
    "said",
    [
        Said(body=reply_of(LARGEST_REPLY + 1)),
        Said(body=reply_of(LARGEST_REPLY + 1), status=500),
        Said(body=gzip.compress(bytes(20_000_000)), headers={"Content-Encoding": "gzip"}),
        Said(body=gzip.compress(reply_of(100)), headers={"Content-Encoding": "gzip"}),
        Said(body=zlib.compress(reply_of(100)), headers={"Content-Encoding": "deflate"}),
        Said(body=reply_of(100), headers={"Content-Encoding": "br, gzip"}),
    ],
)
def test_a_reply_that_is_too_large_or_compressed_is_not_read(said):
    with ChatServer(lambda heard, _: said if heard.prompt == "bad" else Said("fine")) as server:
        good, bad = endpoint(server).complete_many(["good", "bad"])
        assert (good.text, bad.reason) == ("fine", "reply refused")
        assert server.prompts.count("bad") == 1, "it would be no smaller the second time"
        sent = {name.lower(): value for name, value in server.heard[0].headers.items()}
        assert sent["accept-encoding"] == "identity"


def test_the_limit_is_that_of_each_text_that_is_asked_for():
    request = Request(CHAT, {"messages": [{"role": "user", "content": "?"}], "n": 2})
    for size, reason in ((2 * LARGEST_REPLY, None), (2 * LARGEST_REPLY + 1, "reply refused")):
        with ChatServer(lambda *_, size=size: Said(body=reply_of(size, texts=2))) as server:
            found = endpoint(server).try_one(request)
            assert getattr(found, "reason", None) == reason
            if reason is None:
                assert endpoint(server).ask_many([request])[0].text == "fine"
    with ChatServer(lambda *_: Said(body=reply_of(LARGEST_REPLY))) as server:
        assert endpoint(server).complete_many(["?"])[0].text == "fine"
