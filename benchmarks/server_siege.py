"""Besiege a server: clients that do not read, idle and cancelled floods, greedy clients, bad upstreams.

    python benchmarks/server_siege.py --page docs/results/server.md

A real `demur serve` for each siege, over raw sockets. In each of them a modest client goes on, and the
server is stopped at the end: it must be gone within its deadline, with every accepted request answered.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from demur import open_run
from serving import Reply, Served, chat, circumstances, demur, finish, pocket_run, post, read_reply

CHATS, COMPLETIONS, HEALTH = "/v1/chat/completions", "/v1/completions", post("/healthz", b"", method="GET")
DRAIN = 6
"""Seconds that the server may take to stop."""
SLACK_SECONDS = 2.0
"""For a busy machine to notice that the process is gone."""
MODEST_SHARE = 0.8
FILES = 400
"""Open files of the server under an idle flood."""
HEALTH_SECONDS = 5.0
LOG_BYTES = 200_000
GROWTH_MEGABYTES = 100
PATIENCE_SECONDS = 60


# -- the server behind the server --------------------------------------------------------------------


@dataclass
class Upstream:
    """A scripted OpenAI-compatible server: slow, or with replies that nobody should read whole."""

    wait_seconds: float = 0.0
    bomb: bytes = b""
    """In place of a reply."""
    headers: dict[str, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Its address, while the context lasts."""
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if "held up" in json.dumps(asked):
                    time.sleep(upstream.wait_seconds)
                said = {"message": {"role": "assistant", "content": "90"}, "finish_reason": "stop"}
                body, headers = json.dumps({"choices": [said]}).encode(), {}
                if upstream.bomb and "bomb" in json.dumps(asked):
                    body, headers = upstream.bomb, upstream.headers
                with contextlib.suppress(OSError):  # the other end reads no further
                    self.send_response(200)
                    for name, value in ({"Content-Length": str(len(body))} | headers).items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Silent."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True

        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            server.server_close()


UPSTREAM = ("--system", "verbal-confidence", "--threshold", "0.5")


# -- clients -----------------------------------------------------------------------------------------


async def request(port: int, sent: bytes) -> Reply:
    """The reply to a request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await asyncio.wait_for(read_reply(reader), PATIENCE_SECONDS)
    finally:
        writer.close()


async def hold(port: int, sent: bytes, *, many: int) -> list[asyncio.StreamWriter]:
    """Connections that send something and never read; those that are refused are left out."""
    kept = []
    for _ in range(many):
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
            reader._transport.pause_reading()  # type: ignore[attr-defined] # nothing is read in the background
            writer.write(sent)
            kept.append(writer)
    return kept


async def drop(writers: list[asyncio.StreamWriter]) -> None:
    """Close connections at once."""
    for writer in writers:
        writer.transport.abort()


async def health(port: int) -> float:
    """Seconds until the server says that it lives; infinite where it does not."""
    start = time.monotonic()
    try:
        reply = await asyncio.wait_for(request(port, HEALTH), PATIENCE_SECONDS)
    except (OSError, TimeoutError):
        return float("inf")
    return time.monotonic() - start if reply.status == 200 else float("inf")


def stopped(server: Served, number: int = signal.SIGTERM) -> tuple[float, int]:
    """Seconds that the server takes to stop, and its exit code."""
    start = time.monotonic()
    server.process.send_signal(number)
    code = server.process.wait(10 * DRAIN)
    return time.monotonic() - start, code


@dataclass
class Found:
    """What a siege showed."""

    said: str
    failures: list[str] = field(default_factory=list)

    def require(self, holds: bool, otherwise: str) -> None:
        """Note a failure unless something holds."""
        if not holds:
            self.failures.append(otherwise)

    def ended(self, name: str, seconds: float, code: int) -> None:
        """Note how the server stopped."""
        self.require(seconds <= DRAIN + SLACK_SECONDS, f"{name}: it took {seconds:.1f} s to stop")
        self.require(code == 0, f"{name}: exit code {code}")


@dataclass(frozen=True)
class Options:
    """What all sieges need."""

    run: Path
    logs: Path
    seed: int
    small: bool

    def serve(self, name: str, source: str | Path, *arguments: str, files: int | None = None) -> Served:
        """A server with a short time to stop."""
        with _open_files(files):
            return Served(source, self.logs / f"{name}.log", "--drain", str(DRAIN), *arguments)


@contextlib.contextmanager
def _open_files(limit: int | None) -> Iterator[None]:
    """Let processes that are started meanwhile open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit or soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# -- sieges ------------------------------------------------------------------------------------------


def slow_readers(options: Options) -> Found:
    """Clients that never read and bodies that never end, while the server is stopped with work in hand."""
    found, number = Found(""), 5 if options.small else 50
    with Upstream(wait_seconds=1.5).running() as upstream, options.serve(
        "slow", "scripted", "--upstream", upstream, *UPSTREAM
    ) as server:  # fmt: skip
        pipelined = post("/v1/models", b"", method="GET") * 4000
        files = post("/page.css", b"", method="GET") * 200
        unfinished = post(CHATS, chat("Never whole?"))[:-5]

        async def siege() -> tuple[list[Reply], tuple[float, int]]:
            held = [await hold(server.port, sent, many=number) for sent in (pipelined, files, unfinished)]
            owed = [
                asyncio.create_task(request(server.port, post(CHATS, chat(f"{at} held up?"))))
                for at in range(4)
            ]
            await asyncio.sleep(0.7)
            ended = await asyncio.to_thread(stopped, server)
            replies = await asyncio.gather(*owed)
            for writers in held:
                await drop(writers)
            return replies, ended

        replies, (seconds, code) = asyncio.run(siege())
    whole = sum(reply.status == 200 and reply.whole for reply in replies)
    found.said = (
        f"{number} clients that never read pipelined replies, {number} that never read files, {number} "
        f"with bodies that never end, 4 questions in hand: SIGTERM ended the server after {seconds:.1f} s "
        f"(`--drain {DRAIN}`), {whole} of 4 questions answered."
    )
    found.ended("slow readers", seconds, code)
    found.require(whole == 4, f"slow readers: {whole} of 4 accepted requests answered")
    return found


def too_long(options: Options) -> Found:
    """Questions that take longer than the server has: it says so to each, and ends in time."""
    with Upstream(wait_seconds=4 * DRAIN).running() as upstream, options.serve(
        "long", "scripted", "--upstream", upstream, *UPSTREAM
    ) as server:  # fmt: skip

        async def siege() -> tuple[list[Reply], tuple[float, int]]:
            bodies = [chat("held up?"), chat("held up?", stream=True), chat("held up?", stream=True)]
            bodies[2] = chat("held up?", stream=True, stream_mode="optimistic")
            owed = [asyncio.create_task(request(server.port, post(CHATS, body))) for body in bodies]
            await asyncio.sleep(0.7)
            ended = await asyncio.to_thread(stopped, server)
            return await asyncio.gather(*owed), ended

        replies, (seconds, code) = asyncio.run(siege())
    told = sum(reply.status == 503 and reply.whole for reply in replies)
    found = Found(
        f"Questions that take {4 * DRAIN} s: SIGTERM ended the server after {seconds:.1f} s, {told} of 3 "
        "were told with a 503."
    )
    found.ended("too long", seconds, code)
    found.require(told == 3, f"too long: {[reply.status for reply in replies]}")
    return found


def idle_flood(options: Options) -> Found:
    """More idle connections than the server may open files."""
    many = 2 * FILES if options.small else 5 * FILES
    with options.serve("idle", "pocket", files=FILES) as server:

        async def siege() -> tuple[list[float], Reply]:
            held = await hold(server.port, b"", many=many)
            waits = [await health(server.port) for _ in range(5)]
            reply = await request(server.port, post(CHATS, chat("Who?")))
            await drop(held)
            return waits, reply

        waits, reply = asyncio.run(siege())
        size = server.log_file.stat().st_size
        seconds, code = stopped(server)
    found = Found(
        f"{many:,} idle connections at a server that may open {FILES} files: `/healthz` answered within "
        f"{max(waits):.2f} s, a question with {reply.status}; {size:,} bytes of log."
    )
    found.require(max(waits) < HEALTH_SECONDS, f"idle flood: /healthz took {max(waits):.1f} s")
    found.require(reply.status == 200, f"idle flood: a question got {reply.status}")
    found.require(size < LOG_BYTES, f"idle flood: {size:,} bytes of log")
    found.ended("idle flood", seconds, code)
    return found


def cancelled_flood(options: Options) -> Found:
    """Clients that fill the line and hang up."""
    many = 60 if options.small else 600
    with Upstream(wait_seconds=3).running() as upstream, options.serve(
        "cancelled", "scripted", "--upstream", upstream, *UPSTREAM, "--max-waiting", "32",
        "--model-set", "endpoint.concurrency=1",
    ) as server:  # fmt: skip

        async def siege() -> tuple[Reply, Reply]:
            first = asyncio.create_task(request(server.port, post(CHATS, chat("held up?"))))
            await asyncio.sleep(0.3)
            for _ in range(many // 30):
                gone = await hold(server.port, post(CHATS, chat("Gone?")), many=30)
                await asyncio.sleep(0.1)
                await drop(gone)
                await asyncio.sleep(0.1)
            return await request(server.port, post(CHATS, chat("Still there?"))), await first

        modest, first = asyncio.run(siege())
        seconds, code = stopped(server)
    found = Found(
        f"{many} requests that were cancelled in a line of 32 places: the next got {modest.status}."
    )
    found.require(modest.status == 200, f"cancelled flood: the next question got {modest.status}")
    found.require(first.status == 200, f"cancelled flood: the question in hand got {first.status}")
    found.ended("cancelled flood", seconds, code)
    return found


def greedy(options: Options) -> Found:
    """Eight clients with 64 prompts a request each, and one with single questions."""
    wanted, rng = 10 if options.small else 100, random.Random(options.seed)
    with options.serve("greedy", "pocket") as server:

        async def much(statuses: list[int], over: asyncio.Event) -> None:
            while not over.is_set():
                prompts = [f"Who is {rng.random()}?" for _ in range(64)]
                body = json.dumps({"prompt": prompts}).encode()
                statuses.append((await request(server.port, post(COMPLETIONS, body))).status)
                await asyncio.sleep(0.05 if statuses[-1] == 429 else 0)

        async def siege() -> tuple[list[int], list[int], float]:
            over, many = asyncio.Event(), list[int]()
            crowd = [asyncio.create_task(much(many, over)) for _ in range(8)]
            await asyncio.sleep(1)
            modest, slowest = [], 0.0
            for at in range(wanted):
                start = time.monotonic()
                modest.append((await request(server.port, post(CHATS, chat(f"Who is {at}?")))).status)
                slowest = max(slowest, time.monotonic() - start)
            over.set()
            await asyncio.gather(*crowd)
            return many, modest, slowest

        many, modest, slowest = asyncio.run(siege())
        seconds, code = stopped(server)
    kept = modest.count(200)
    found = Found(
        f"8 clients with 64 prompts a request ({many.count(200)} answered, {many.count(429)} turned away): "
        f"a modest client got {kept} of {wanted} answers, each within {slowest:.1f} s."
    )
    found.require(kept >= MODEST_SHARE * wanted, f"greedy: {kept} of {wanted} modest requests answered")
    found.ended("greedy", seconds, code)
    return found


def bad_upstream(options: Options) -> Found:
    """Replies that unpack to gigabytes, or are as large as they say."""
    size = 100_000_000 if options.small else 1_200_000_000
    packed = _packed_zeros(size)
    plain = json.dumps({"choices": [{"message": {"content": "x" * 28_000_000}}]}).encode()
    bombs = {"gzip": (packed, {"Content-Encoding": "gzip"}), "plain": (plain, {})}
    parts, found = [], Found("")
    for name, (bomb, headers) in bombs.items():
        upstream = Upstream(bomb=bomb, headers=headers)
        with upstream.running() as url, options.serve(
            f"bomb-{name}", "scripted", "--upstream", url, *UPSTREAM
        ) as server:  # fmt: skip

            async def siege(server: Served = server) -> tuple[Reply, list[float]]:
                asked = asyncio.create_task(request(server.port, post(CHATS, chat("A bomb?"))))
                waits = []
                while not asked.done():
                    waits.append(await health(server.port))
                    await asyncio.sleep(0.05)
                return await asked, waits

            before = server.megabytes
            reply, waits = asyncio.run(siege())
            grown = server.megabytes - before
            seconds, code = stopped(server)
        parts.append(
            f"{len(bomb) / 1e6:.1f} MB of {name}: {reply.status}, memory {grown:+.0f} MB, `/healthz` "
            f"within {max(waits):.2f} s"
        )
        found.require(reply.status == 502, f"bad upstream, {name}: {reply.status}")
        found.require(grown < GROWTH_MEGABYTES, f"bad upstream, {name}: memory grew by {grown:.0f} MB")
        found.require(max(waits) < HEALTH_SECONDS, f"bad upstream, {name}: /healthz {max(waits):.1f} s")
        found.ended(f"bad upstream, {name}", seconds, code)
    found.said = "Replies from upstream: " + "; ".join(parts) + "."
    return found


def _packed_zeros(size: int, step: int = 10_000_000) -> bytes:
    """So many zeros as one gzip member, never whole in memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join([*(packer.compress(bytes(step)) for _ in range(size // step)), packer.flush()])


def many_promises(options: Options) -> Found:
    """Requests that each want another error promised."""
    many = 100 if options.small else 1000
    with options.serve("promises", options.run) as server:

        async def one(at: int, free: asyncio.Semaphore) -> int:
            async with free:
                body = chat("Who?", demur={"max_error": 0.1 + 0.8 * at / many})
                return (await request(server.port, post(CHATS, body))).status

        async def siege() -> tuple[list[int], list[float]]:
            free = asyncio.Semaphore(64)
            asked = asyncio.gather(*(one(at, free) for at in range(many)))
            waits = []
            while not asked.done():
                waits.append(await health(server.port))
                await asyncio.sleep(0.1)
            return await asked, waits

        statuses, waits = asyncio.run(siege())
        seconds, code = stopped(server)
    errors = sum(status >= 500 for status in statuses)
    known = sum(question.split == "calibration" for question in open_run(options.run).questions)
    found = Found(
        f"{many:,} values of `max_error`, {known} calibration questions: {statuses.count(200)} answered, "
        f"{statuses.count(400)} cannot be promised (400), {errors} of them a 5xx; `/healthz` within "
        f"{max(waits):.2f} s."
    )
    found.require(errors == 0, f"promises: {errors} 5xx")
    found.require(max(waits) < HEALTH_SECONDS, f"promises: /healthz took {max(waits):.1f} s")
    found.ended("promises", seconds, code)
    return found


def unread_log(options: Options) -> Found:
    """A pipe for the log that nobody reads, and a hang-up at the end."""
    many = 400 if options.small else 2000
    line = demur("serve", "pocket", "--port", "0", "--drain", str(DRAIN))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().split(":")[-1].removesuffix("/v1\n"))

        async def siege() -> int:
            sent = post("/v1/models", b"", "X-Request-ID: " + "x" * 64, method="GET")
            return sum([(await request(port, sent)).status == 200 for _ in range(many)])

        answered = asyncio.run(siege())
        start = time.monotonic()
        process.send_signal(signal.SIGHUP)
        code = process.wait(10 * DRAIN)
        seconds = time.monotonic() - start
    finally:
        process.kill()
        process.communicate()
    found = Found(
        f"{many:,} requests while nobody reads the log: {answered:,} answered; SIGHUP ended the server "
        f"after {seconds:.1f} s with exit code {code}."
    )
    found.require(answered == many, f"unread log: {answered} of {many} answered")
    found.ended("unread log", seconds, code)
    return found


SIEGES: tuple[Callable[[Options], Found], ...] = (
    slow_readers,
    too_long,
    idle_flood,
    cancelled_flood,
    greedy,
    bad_upstream,
    many_promises,
    unread_log,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="few clients, and a run of few questions")
    parser.add_argument("--only", nargs="*", choices=[siege.__name__ for siege in SIEGES], default=None)
    parser.add_argument("--run", type=Path, default=Path("runs/server"))
    parser.add_argument("--page", type=Path, default=None)
    given = parser.parse_args()
    told, run = circumstances(given.seed), pocket_run(given.run, small=given.small)
    lines, failures = (
        [f"```bash\npython benchmarks/server_siege.py --seed {given.seed}\n```", "", told, ""],
        [],
    )
    with tempfile.TemporaryDirectory() as folder:
        options = Options(run=run, logs=Path(folder), seed=given.seed, small=given.small)
        for siege in SIEGES:
            if given.only is None or siege.__name__ in given.only:
                found = siege(options)
                lines.append(f"- {found.said}")
                failures += found.failures
    finish("siege", [*lines, ""], failures, given.page)


if __name__ == "__main__":
    main()
