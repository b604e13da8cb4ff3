"""Attack a server: malformed requests among good ones, slow and broken connections, and every way in.

    python benchmarks/server_fuzz.py --page docs/results/server.md

A real `demur serve` on the pocket run, behind a key, over raw sockets. No request may end in a 5xx or
without an answer, a malformed one is refused with a 4xx, a good one between them is answered with a 200,
memory stays where it was, and afterwards the server answers and stops as if nothing had been.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from serving import (
    KNOWN,
    NOTHING,
    Reply,
    Served,
    chat,
    circumstances,
    finish,
    pocket_run,
    post,
    questions,
    read_reply,
)

KEY = "a-key-of-this-proof"
GROWTH = 1.05
WARM = 5_000
"""Requests after which memory has its size; less than that says nothing of it."""
AT_ONCE = 32
WAIT_SECONDS, GIVE_UP_SECONDS = 60, 5
SLOW_SECONDS = 45
"""Within which a connection that sends no whole request is closed."""
CHATS, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
POSTS = (CHATS, COMPLETIONS, "/api/ask", "/api/batch")
OPEN = {"/healthz", "/readyz"}
"""Paths that need no key, beside the page's files."""
SAFE = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer"}
FORBIDDEN = (b"root:x:", b"class ServeSettings", b"Traceback", KEY.encode())
"""In no reply."""

Expected = Literal["good", "bad", "any"]
"""A 200; a 4xx or a closed connection; anything but a 5xx."""


@dataclass(frozen=True, slots=True)
class Case:
    """A request, and what is to come of it."""

    kind: str
    sent: bytes
    expected: Expected
    headless: bool = False


@dataclass(slots=True)
class Found:
    """What came of the requests."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    """By kind of request; 0 where the connection was closed without a response."""
    failures: list[str] = field(default_factory=list)

    def note(self, case: Case, reply: Reply) -> None:
        """Take note of a reply, and judge it."""
        self.statuses.setdefault(case.kind, Counter())[reply.status] += 1
        wrong = judged(case, reply)
        if wrong:
            self.failures.append(
                f"{case.kind}: {wrong}; sent {case.sent[:300]!r}, got {reply.body[:200]!r}"
            )


def judged(case: Case, reply: Reply) -> str | None:
    """What is wrong with a reply; None for nothing."""
    if reply.status >= 500:
        return f"status {reply.status}"
    if case.expected == "good" and reply.status != 200:
        return f"status {reply.status} for a good request"
    if case.expected == "bad" and reply.status and not 400 <= reply.status < 500:
        return f"status {reply.status} for a malformed request"
    told = [word for word in FORBIDDEN if word in reply.body]
    if told:
        return f"a reply with {told}"
    own = reply.header("x-request-id") is not None  # else the parser of HTTP refused it: plain text
    if own and not reply.whole:  # the parser closes at once, which may cut its word of refusal
        return "the response broke off"
    if own and any(reply.header(name) != value for name, value in SAFE.items()):
        return "a response without its safety headers"
    if own and reply.status >= 400 and reply.body and "error" not in json.loads(reply.body):
        return "an error without its shape"
    if own and reply.body and b'"error"' in reply.body[:10] and reply.header("content-type") != JSON:
        return "an error that is not sent as JSON"
    return None


JSON = "application/json"


# -- malformed requests ------------------------------------------------------------------------------


class Attacks:
    """Draws requests, from a seed."""

    def __init__(self, rng: random.Random, texts: list[str]) -> None:
        self.rng, self.texts = rng, texts
        self.key = f"Authorization: Bearer {KEY}"
        kinds: dict[Callable[[], Case], int] = {
            self.good: 30,
            self.reads: 6,
            self.no_json: 12,
            self.wrong_types: 16,
            self.odd_numbers: 10,
            self.odd_text: 8,
            self.deep: 3,
            self.huge: 1,
            self.headers: 10,
            self.framing: 8,
            self.keys: 6,
            self.paths: 8,
            self.methods: 5,
            self.noise: 4,
        }
        self.kinds, self.weights = list(kinds), list(kinds.values())

    def draw(self) -> Case:
        """The next request."""
        return self.rng.choices(self.kinds, self.weights)[0]()

    def _post(self, kind: str, body: bytes, expected: Expected, path: str | None = None) -> Case:
        return Case(kind, post(path or self.rng.choice(POSTS), body, self.key), expected)

    def good(self) -> Case:
        """What a client would send."""
        text, rng = self.rng.choice(self.texts), self.rng
        path, body = rng.choice(
            [
                (CHATS, chat(text)),
                (CHATS, chat(text, stream=True, stream_options={"include_usage": True})),
                (CHATS, chat(text, model="x" * rng.randint(1, 256), demur={"threshold": rng.random()})),
                (COMPLETIONS, json.dumps({"prompt": [text, KNOWN]}).encode()),
                (COMPLETIONS, json.dumps({"prompt": text, "stream": True}).encode()),
                ("/api/ask", json.dumps({"question": text}).encode()),
                ("/api/batch", json.dumps({"questions": [{"question": text}] * 3}).encode()),
            ]
        )
        return self._post("good questions", body, "good", path)

    def reads(self) -> Case:
        """What is read by GET or HEAD."""
        path = self.rng.choice(
            ["/", "/page.js", "/v1/models", "/metrics", "/api/system", "/api/calibration", "/openapi.json"]
        )
        headless = path in ("/", "/page.js") and self.rng.random() < 0.3
        method = "HEAD" if headless else "GET"
        return Case("good reads", post(path, b"", self.key, method=method), "good", headless)

    def no_json(self) -> Case:
        """A good body cut, or with bytes changed, until it is no JSON."""
        body = bytearray(chat(self.rng.choice(self.texts), temperature=0.5))
        for _ in range(self.rng.randint(1, 6)):
            place = self.rng.randrange(len(body))
            body[place : place + self.rng.randint(0, 4)] = self.rng.randbytes(self.rng.randint(0, 4))
            if not body:
                break
        if self.rng.random() < 0.3:
            del body[self.rng.randrange(len(body) + 1) :]
        broken = bytes(body)
        return self._post("damaged JSON", broken, "any" if _is_json(broken) else "bad")

    def wrong_types(self) -> Case:
        """Fields of another type, in a body that is JSON."""
        field, values = self.rng.choice(
            [
                ("messages", [None, 1, "text", {}, [], [1], [[]], [{}], [{"role": "user"}]]),
                ("messages", [[{"role": role, "content": KNOWN}] for role in (None, 3, "", "robot", [])]),
                ("messages", [[{"role": "user", "content": odd}] for odd in (None, 3, {}, [], [{}], True)]),
                ("model", [1, [], {}, True, "m" * 257]),
                ("stream", [1, "true", [], {}]),
                ("stream_mode", [1, "sideways", []]),
                ("stream_options", [1, "x", [], {"include_usage": 3}]),
                ("demur", [1, "x", [], {"other": 1}, {"threshold": "0.5"}, {"choices": "ABC"}]),
                ("demur", [{"context": 5}, {"choices": [1]}, {"max_error": 2}, {"max_error": 0}]),
                ("n", [0, 2, -1, "1", [1]]),
                ("temperature", ["hot", [], {}, True]),
                ("max_tokens", [0, -1, 1.5, "9"]),
                ("stop", [1, {}, [1], [None]]),
                ("logit_bias", [1, [], {"a": "b"}]),
                ("response_format", [1, {}, {"type": "json_object"}]),
                ("tools", [1, [{}], "x"]),
                ("top_logprobs", [-1, 21, 2.5, "2"]),
            ]
        )
        known = {"messages": [{"role": "user", "content": KNOWN}]}
        return self._post(
            "wrong types", json.dumps(known | {field: self.rng.choice(values)}).encode(), "bad", CHATS
        )

    def odd_numbers(self) -> Case:
        """Numbers that are none, or too large."""
        number = self.rng.choice(
            ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400, "-" + "9" * 5000, "1" * 30_000]
        )
        name = self.rng.choice(["temperature", "top_p", "presence_penalty", "max_tokens", "threshold"])
        start = chat(KNOWN)[:-1].decode()
        if name == "threshold":
            body = f'{start}, "demur": {{"threshold": {number}}}}}'
        else:
            body = f'{start}, "{name}": {number}}}'
        # A whole number of any size is a threshold, and more tokens than anybody wants
        whole = number.strip("-").isdigit() and name in ("max_tokens", "threshold")
        return self._post("odd numbers", body.encode(), "any" if whole else "bad", CHATS)

    def odd_text(self) -> Case:
        """Text that is none: lone surrogates, bytes that are no UTF-8; and text that only looks odd."""
        bad = [b'"\\ud800"', b'"\\udfff\\ud800"', b'"\xff\xfe"', b'"\xc3"', b'"\xed\xa0\x80"', b'"\x01"']
        fine = [b'"\\u0000"', b'"\\u202e\\ufeff"', '"𝕏 中文 🦜"'.encode(), b'"<script>alert(1)</script>"']
        good = self.rng.random() < 0.4
        text = self.rng.choice(fine if good else bad)
        body = b'{"messages": [{"role": "user", "content": %s}], "model": %s}' % (text, text)
        return self._post("odd text", body, "good" if good else "bad", CHATS)

    def deep(self) -> Case:
        """Towers of brackets."""
        depth = self.rng.choice([300, 5_000, 100_000])
        opened, closed = self.rng.choice([(b"[", b"]"), (b'{"a":', b"1" + b"}")])
        tower = opened * depth + closed * (depth if self.rng.random() < 0.5 else 0)
        if self.rng.random() < 0.5:
            tower = chat(KNOWN)[:-1] + b', "logit_bias": ' + tower + b"}"
        return self._post("deep bodies", tower, "bad")

    def huge(self) -> Case:
        """More than fits: bodies, questions, lists."""
        long = self.rng.randint(40_000, 200_000)
        body, path = self.rng.choice(
            [
                (chat("x" * 2_000_000), CHATS),
                (chat("why " * (long // 4)), CHATS),
                (json.dumps({"prompt": [KNOWN] * long}).encode(), COMPLETIONS),
                (json.dumps({"question": "y" * long}).encode(), "/api/ask"),
                (json.dumps({"questions": [{"question": KNOWN}] * 65}).encode(), "/api/batch"),
                (chat("a b " * 2_000), CHATS),  # few enough letters, too many tokens
            ]
        )
        return self._post("huge bodies", body, "bad", path)

    def headers(self) -> Case:
        """Headers: too long, too many, twice, with odd bytes; a line break must stay a line break."""
        rng, body = self.rng, chat(KNOWN)
        odd: tuple[str, Expected] = rng.choice(
            [
                ("X-Long: " + "a" * rng.randint(70_000, 300_000), "any"),
                ("\r\n".join(f"X-{at}: {at}" for at in range(6_000)), "any"),
                ("Content-Type: text/plain", "any"),
                ("Content-Type: application/json; charset=utf-16", "any"),
                ("X-Request-ID: a b", "good"),
                ("X-Request-ID: " + "a" * 5000, "good"),
                ("X-Request-ID: é\x80", "any"),
                ("X-Request-ID: one\r\nX-Request-ID: two", "good"),
                ("Host: localhost", "bad"),
                ("Bad Name: 1", "bad"),
                (": nothing", "bad"),
                ("X-Null: a\x00b", "bad"),
                ("X-Fold: a\r\n b", "any"),
                ("Upgrade: websocket\r\nConnection: Upgrade", "good"),
                ("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings", "good"),
                ("Expect: 100-continue", "good"),
                ("X-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1", "good"),
            ]
        )
        return Case("odd headers", post(CHATS, body, odd[0], self.key), odd[1])

    def framing(self) -> Case:
        """Lengths that are none, or two: what request smuggling lives on."""
        body = chat(KNOWN)
        lines: tuple[str, Expected] = self.rng.choice(
            [
                ("Content-Length: -1", "bad"),
                ("Content-Length: +5", "bad"),
                ("Content-Length: 1e3", "bad"),
                ("Content-Length: " + "9" * 40, "bad"),
                ("Content-Length: 0x10", "bad"),
                ("Content-Length: \u00b2", "bad"),
                (f"Content-Length: {len(body)}\r\nContent-Length: {len(body) + 1}", "bad"),
                (f"Content-Length: {len(body)}, {len(body) + 1}", "bad"),
                ("Transfer-Encoding: gzip", "bad"),
                ("Transfer-Encoding: chunked, gzip", "bad"),
                ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "bad"),
                ("Transfer-Encoding: xchunked", "bad"),
                (f"Content-Length: {len(body)}\r\nTransfer-Encoding: chunked", "bad"),
                ("Transfer-Encoding: chunked", "bad"),  # and then no chunks
                ("Content-Length: 0", "bad"),
                ("X-No-Length: 1", "bad"),
            ]
        )
        head = f"POST {CHATS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n{self.key}\r\n"
        return Case("odd framing", f"{head}{lines[0]}\r\n\r\n".encode("latin-1") + body, lines[1])

    def keys(self) -> Case:
        """Keys that are none."""
        given = self.rng.choice(
            [
                *("", "Bearer", "Bearer ", f"Basic {KEY}", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", KEY),
                *(f"Bearer {KEY.upper()}", f"Bearer {KEY},{KEY}", f"Bearer\u00a0{KEY}", "Bearer é\xff"),
                *("Bearer " + "k" * 50_000, f"bearer '{KEY}'", "Bearer null", "Bearer *", "Bearer ,"),
            ]
        )
        header = f"Authorization: {given}\r\nX-Api-Key: {KEY}\r\nCookie: key={KEY}"
        sent = f"GET {self.rng.choice(['/metrics', '/v1/models', '/api/system', '/openapi.json'])}"
        text = f"{sent}?key={KEY}&api_key={KEY} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n"
        return Case("wrong keys", text.encode("latin-1"), "bad")

    def paths(self) -> Case:
        """Paths that lead out, or nowhere."""
        rng = self.rng
        step = rng.choice(["..", "%2e%2e", "%2E.", "..;", "%252e%252e", "..%00", "%c0%ae%c0%ae", "....//"])
        slash = rng.choice(["/", "%2f", "\\", "%5c", "//", "%252f"])
        file = rng.choice(["etc/passwd", "app.py", "settings.py", "serve/guard.py", "proc/self/environ"])
        start = rng.choice(
            ["/", "/page/", "/page.js/", "//", "/v1/models/", "http://localhost/", "/static/"]
        )
        odd = [
            "/%00",
            "/%ff%fe",
            "/%",
            "/%zz",
            "/\x01",
            "/é",
            "*",
            "",
            "/" + "a" * 70_000,
            "/docs",
            "/redoc",
        ]
        out = start + slash.join([step] * rng.randint(1, 8)) + slash + file
        path = out if rng.random() < 0.8 else rng.choice(odd)
        method = rng.choice(["GET", "GET", "HEAD", "POST"])
        sent = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{self.key}\r\nContent-Length: 0\r\n\r\n"
        return Case("odd paths", sent.encode("latin-1", "replace"), "bad", method == "HEAD")

    def methods(self) -> Case:
        """Methods that no route has, or that are none."""
        method = self.rng.choice(
            [
                "PUT",
                "DELETE",
                "PATCH",
                "TRACE",
                "OPTIONS",
                "CONNECT",
                "PRI",
                "get",
                "G E T",
                "POST\x00",
                "X" * 99,
            ]
        )
        target = self.rng.choice(["/", CHATS, "/v1/models", "*", "localhost:80"])
        sent = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{self.key}\r\n\r\n"
        return Case("odd methods", sent.encode("latin-1"), "bad")

    def noise(self) -> Case:
        """Bytes of another protocol, or of none."""
        rng = self.rng
        made = rng.choice(
            [
                rng.randbytes(rng.randint(1, 3000)) + b"\r\n\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(200),
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"GET /\r\n\r\n",
                b"GET / HTTP/1.1\r\n\r\n",
                b"\r\n" * 500 + b"x",
                b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
            ]
        )
        return Case("noise", made, "bad")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


# -- sending -----------------------------------------------------------------------------------------


async def answered(port: int, sent: bytes, *, headless: bool = False, patient: bool = True) -> Reply:
    """The reply to some bytes on a connection of their own.

    Args:
        patient: else the connection is given up when nothing comes for a while: the bytes may be only the
            beginning of a request.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    try:
        writer.write(sent)
        with contextlib.suppress(ConnectionError):  # refused while we write: what it said can be read
            await writer.drain()
        reading = asyncio.ensure_future(read_reply(reader, headless=headless))
        await asyncio.wait([reading], timeout=WAIT_SECONDS if patient else GIVE_UP_SECONDS)
        if not reading.done() and not patient:
            with contextlib.suppress(OSError):
                writer.write_eof()
        return await asyncio.wait_for(reading, WAIT_SECONDS)
    except ConnectionError:
        return NOTHING
    finally:
        writer.close()


async def abandoned(port: int, rng: random.Random) -> None:
    """A good question, left in the middle: of sending it, of waiting, or of reading."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = post(CHATS, chat(KNOWN, stream=rng.random() < 0.5), f"Authorization: Bearer {KEY}")
    writer.write(sent[: rng.randint(1, len(sent))] if rng.random() < 0.6 else sent)
    await asyncio.sleep(rng.random() * 0.05)
    if rng.random() < 0.5:
        writer.transport.abort()
    writer.close()


async def slowly(port: int, rng: random.Random) -> float:
    """A request that never ends, byte by byte; seconds until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    start = time.monotonic()
    sent = post("/v1/models", b"", f"Authorization: Bearer {KEY}", "X-Slow: " + "x" * 200, method="GET")
    sent = sent[: rng.choice([0, 1, 30, 120])]
    writer.write(sent)
    ended = asyncio.ensure_future(reader.read())
    while not ended.done() and time.monotonic() - start < SLOW_SECONDS:
        await asyncio.wait([ended], timeout=1)
        if sent:
            writer.write(b"x")
    closed = ended.done()
    ended.cancel()
    writer.close()
    return time.monotonic() - start if closed else float("inf")


async def attacked(
    server: Served, options: argparse.Namespace, texts: list[str]
) -> tuple[Found, list[float]]:
    """All requests, some of them abandoned; memory at the warm-up and at the end."""
    rng, found, memory = random.Random(options.seed), Found(), []
    attacks, warm = Attacks(rng, texts), min(WARM, options.requests // 2)
    free = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> None:
        async with free:
            try:
                patient = case.expected == "good"
                reply = await answered(server.port, case.sent, headless=case.headless, patient=patient)
                found.note(case, reply)
            except TimeoutError:
                found.failures.append(f"{case.kind}: no answer to {case.sent[:200]!r}")

    for part in (warm, options.requests - warm):
        under_way = set()
        for number in range(part):
            task = asyncio.create_task(one(attacks.draw()))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            if number % 50 == 0:
                await abandoned(server.port, rng)
            while len(under_way) > 4 * AT_ONCE:
                await asyncio.sleep(0.001)
        await asyncio.gather(*under_way)
        memory.append(server.megabytes)
    return found, memory


async def besieged(server: Served, options: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Seconds until slow connections are closed, and those of good questions meanwhile."""
    rng = random.Random(options.seed)
    slow = [asyncio.create_task(slowly(server.port, rng)) for _ in range(options.slow)]
    await asyncio.sleep(1)
    waits = []
    for _ in range(20):
        start = time.monotonic()
        reply = await answered(server.port, post(CHATS, chat(KNOWN), f"Authorization: Bearer {KEY}"))
        assert reply.status == 200, reply
        waits.append(time.monotonic() - start)
    return list(await asyncio.gather(*slow)), waits


# -- ways in -----------------------------------------------------------------------------------------


def ways_in(server: Served) -> tuple[int, list[str]]:
    """How many doors were tried, and those that stood open."""
    request = urllib.request.Request(
        f"{server.root}/openapi.json", headers={"Authorization": f"Bearer {KEY}"}
    )
    with urllib.request.urlopen(request) as response:
        paths: dict[str, dict[str, Any]] = json.load(response)["paths"]
    doors = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    doors += [
        ("GET", path) for path in ("/openapi.json", "/docs", "/redoc", "/v1", "/api", "/admin", "/nothing")
    ]
    doors += [(method, "/v1/models") for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "TRACE")]
    found = []
    for method, path in doors:
        if path in OPEN:
            continue
        sent = post(path.replace("{name}", quote("a/b")), b"{}" if method == "POST" else b"", method=method)
        reply = asyncio.run(answered(server.port, sent, headless=method == "HEAD"))
        if reply.status != 401:
            found.append(f"{method} {path} without a key: {reply.status}")
    return len(doors) - len(OPEN), found


# -- the schema --------------------------------------------------------------------------------------


def schema_tests(server: Served, options: argparse.Namespace, folder: Path) -> tuple[str, list[str]]:
    """What schemathesis says of the server's OpenAPI schema, and its failures."""
    line = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.root}/openapi.json"),
        *("--header", f"Authorization: Bearer {KEY}", "--seed", str(options.seed)),
        *(
            "--phases",
            options.phases,
            "--max-examples",
            str(options.examples),
            "--generation-database",
            "none",
            "--no-color",
        ),
        *("--mode", "all", "--suppress-health-check", "all", "--request-timeout", str(WAIT_SECONDS)),
        *("--exclude-checks", "unsupported_method,positive_data_acceptance"),
    ]
    done = subprocess.run(line, check=False, capture_output=True, text=True, cwd=folder)
    said = done.stdout[-6000:] + done.stderr[-2000:]
    cases = re.search(r"(\d+) generated.*", done.stdout)
    return cases[0] if cases else "nothing", [f"schemathesis:\n{said}"] if done.returncode else []


# -- all of it ---------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--slow", type=int, default=200, help="connections that never finish a request")
    parser.add_argument("--examples", type=int, default=100, help="of schemathesis, for each operation")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful", help="of schemathesis")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="a run of few questions")
    parser.add_argument("--run", type=Path, default=Path("runs/server"))
    parser.add_argument("--page", type=Path, default=None)
    options = parser.parse_args()
    told, run = circumstances(options.seed), pocket_run(options.run, small=options.small)
    command = f"python benchmarks/server_fuzz.py --requests {options.requests} --seed {options.seed}"
    lines = [f"```bash\n{command}\n```", "", told, ""]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with Served(run, place / "server.log", keys=f"another,{KEY}") as server:
            failures = proved(server, options, questions(run), lines, place)
    finish("fuzz", lines, failures, options.page)


def proved(
    server: Served, options: argparse.Namespace, texts: list[str], lines: list[str], place: Path
) -> list[str]:
    """Every attack in turn; what did not hold."""
    found, (before, after) = asyncio.run(attacked(server, options, texts))
    failures = found.failures[:20]
    total = sum(count for statuses in found.statuses.values() for count in statuses.values())
    lines += ["| requests | number | statuses |", "| --- | ---: | --- |"]
    for kind, statuses in sorted(found.statuses.items()):
        said = ", ".join(f"{status or 'closed'} {count:,}" for status, count in sorted(statuses.items()))
        lines.append(f"| {kind} | {statuses.total():,} | {said} |")
    errors = sum(n for each in found.statuses.values() for status, n in each.items() if status >= 500)
    lines += [
        "",
        f"{total:,} requests, {errors} of them a 5xx; {len(found.failures)} not as they should be.",
    ]
    growth = after / before - 1
    warm = min(WARM, options.requests // 2)
    lines += [
        f"Memory after {warm:,} of them {before:.0f} MB, at the end {after:.0f} MB: {growth:+.1%}.",
    ]
    failures += [f"memory grew by {growth:.1%}"] if warm == WARM and after > GROWTH * before else []

    closed, waits = asyncio.run(besieged(server, options))
    kept = sum(seconds == float("inf") for seconds in closed)
    failures += [f"{kept} slow connections were kept for {SLOW_SECONDS} s"] if kept else []
    lines += [
        f"{options.slow} connections that send a request byte by byte, or nothing at all: the last was "
        f"closed after {max(closed):.0f} s; 20 questions meanwhile took {max(waits):.2f} s or less.",
    ]
    doors, open_doors = ways_in(server)
    failures += open_doors
    lines += [f"Without the key {doors - len(open_doors)} of {doors} routes and paths answer 401."]
    said, wrong = schema_tests(server, options, place)
    failures += wrong
    lines += [f"schemathesis, up to {options.examples} examples of each operation and phase: {said}."]

    reply = asyncio.run(answered(server.port, post(CHATS, chat(KNOWN), f"Authorization: Bearer {KEY}")))
    failures += [f"at the end: {reply}"] if b"Nairobi" not in reply.body else []
    server.stop()
    code = server.process.wait(60)
    failures += [f"exit code {code}"] if code else []
    log = server.log()
    defects = [
        line for line in log if line["event"] in ("defect", "no json") or line.get("level") == "error"
    ]
    failures += [f"in the log: {line}" for line in defects[:5]]
    leaked = KEY in server.log_file.read_text(errors="replace")
    failures += ["the key is in the log"] if leaked else []
    lines += [
        f"Afterwards it answers, stops with exit code {code}, and its {len(log):,} lines of log are JSON, "
        f"with {len(defects)} defects and without the key.",
        "",
    ]
    return failures


if __name__ == "__main__":
    main()
