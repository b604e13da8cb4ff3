"""Many clients at once: is everybody answered, how fast, in how much memory, also when it is stopped?

    python benchmarks/server_load.py --page docs/results/server.md

A real `demur serve` on the pocket run, asked from other processes over sockets. In turns: a server that
answers one question at a time, one that answers in batches, one with a short line, which turns clients
away, and one that is stopped with SIGTERM in the middle. Every request has a number that the server writes
into its log, so that what was taken in can be compared with what was answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from serving import Served, chat, circumstances, finish, pocket_run, post, questions, read_reply

GROWTH = 1.05
TIMES = 3
"""How many times as much processor time an answer must take without batches.

Answers per second say less: on few cores the clients and other work take their share of both."""


@dataclass(slots=True)
class Found:
    """What some clients met."""

    seconds: list[float] = field(default_factory=list)
    """Of the answered requests, without the time that a busy server was waited for."""
    statuses: Counter[int] = field(default_factory=Counter)
    answered: set[str] = field(default_factory=set)
    """Numbers of the requests that were answered whole."""
    torn: list[str] = field(default_factory=list)
    """Numbers of the requests whose response broke off."""
    refused: int = 0
    """Requests without one byte of a response: the connection was refused or closed."""
    said: dict[str, set[str]] = field(default_factory=dict)
    """What was answered to each question."""
    from_to: tuple[float, float] = (math.inf, -math.inf)

    def __iadd__(self, other: Found) -> Found:
        self.seconds += other.seconds
        self.statuses += other.statuses
        self.answered |= other.answered
        self.torn += other.torn
        self.refused += other.refused
        for question, texts in other.said.items():
            self.said.setdefault(question, set()).update(texts)
        self.from_to = min(self.from_to[0], other.from_to[0]), max(self.from_to[1], other.from_to[1])
        return self

    @property
    def rate(self) -> float:
        """Answers per second, from the first request to the last answer."""
        return len(self.answered) / (self.from_to[1] - self.from_to[0])

    def quantile(self, share: float) -> float:
        """Of the latency, in milliseconds."""
        return 1000 * sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the clients of one process do."""

    port: int
    clients: int
    requests: int
    """Of all these clients together."""
    texts: Sequence[str]
    name: str
    seed: int


def ask_much(load: Load) -> Found:
    """The clients of one process."""
    return asyncio.run(_all_clients(load))


async def _all_clients(load: Load) -> Found:
    found, numbers = Found(), iter(range(load.requests))
    rng = random.Random(f"{load.seed} {load.name}")
    found.from_to = time.time(), -math.inf
    await asyncio.gather(*(_client(load, found, numbers, rng) for _ in range(load.clients)))
    found.from_to = found.from_to[0], time.time()
    return found


async def _client(load: Load, found: Found, numbers: object, rng: random.Random) -> None:
    """Ask on one connection until there is nothing more to ask, or nobody to be asked."""
    reader = writer = None
    for number in numbers:  # type: ignore[attr-defined] # shared by all clients
        text, name = rng.choice(load.texts), f"{load.name}-{number}"
        body = post("/v1/chat/completions", chat(text), f"X-Request-ID: {name}")
        while True:
            try:
                if writer is None or reader is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
                start = time.perf_counter()
                writer.write(body)
                reply = await read_reply(reader)
            except OSError:
                found.refused += 1
                return
            if reply.status == 0:
                found.refused += not reply.head
                found.torn += [name] if reply.head else []
                return
            found.statuses[reply.status] += 1
            if not reply.whole:
                found.torn.append(name)
                return
            if reply.header("connection") == "close":
                writer.close()
                reader = writer = None
            if reply.status == 429:
                await asyncio.sleep(float(reply.header("retry-after") or "nan"))
                continue
            break
        if reply.status == 503:
            return
        if reply.status == 200:
            found.seconds.append(time.perf_counter() - start)
            found.answered.add(name)
            said = json.loads(reply.body)["choices"][0]["message"]["content"]
            found.said.setdefault(text, set()).add(said)
    if writer is not None:
        writer.close()


class Crowd:
    """Clients in several processes, so that they are not what is measured."""

    def __init__(self, options: argparse.Namespace, texts: Sequence[str]) -> None:
        self.options, self.texts = options, texts
        self.pool = ProcessPoolExecutor(options.processes, mp_context=get_context("spawn"))
        list(self.pool.map(len, [""] * options.processes))  # started before anything is measured

    def ask(self, server: Served, requests: int, name: str, *, stop_after: float | None = None) -> Found:
        """What all clients met.

        Args:
            stop_after: seconds until the server is asked to stop.
        """
        count, options = self.options.processes, self.options
        loads = [
            Load(
                port=server.port,
                clients=options.clients // count,
                requests=requests // count,
                texts=self.texts,
                name=f"{name}-{at}",
                seed=options.seed,
            )
            for at in range(count)
        ]
        under_way = [self.pool.submit(ask_much, load) for load in loads]
        if stop_after is not None:
            time.sleep(stop_after)
            server.stop()
        found = Found()
        for future in under_way:
            found += future.result()
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=2, help="that the clients are spread over")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="a run of few questions")
    parser.add_argument("--compare", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--run", type=Path, default=Path("runs/server"))
    parser.add_argument("--page", type=Path, default=None)
    options = parser.parse_args()
    told = circumstances(options.seed)
    run = pocket_run(options.run, small=options.small)
    crowd = Crowd(options, questions(run))
    command = f"python benchmarks/server_load.py --clients {options.clients} --requests {options.requests}"
    lines = [f"```bash\n{command}\n```", "", told, ""]
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder)
        rate = measured(options, crowd, run, logs, lines, failures)
        turned_away(options, crowd, run, logs, lines, failures)
        stopped(options, crowd, run, logs, rate, lines, failures)
    finish("load", lines, failures, options.page)


def measured(
    options: argparse.Namespace,
    crowd: Crowd,
    run: Path,
    logs: Path,
    lines: list[str],
    failures: list[str],
) -> float:
    """Speed and memory, beside a server that answers one question at a time; answers per second."""
    rows, rates, costs = [], {}, {}
    first = options.requests // 10
    for name, most in (("one at a time", 1), ("in batches", None))[not options.compare :]:
        with Served(run, logs / f"{most}.log", *(["--max-batch", "1"] if most else [])) as server:
            total = first if most else options.requests
            warm = crowd.ask(server, first, f"warm{most}")
            before, used = server.megabytes, server.seconds
            found = crowd.ask(server, total - first if not most else total, f"full{most}")
            after, used = server.megabytes, server.seconds - used
            processor = 1000 * used / len(found.answered)
            rates[name], costs[name] = found.rate, processor
            quantiles = " | ".join(f"{found.quantile(share):,.0f}" for share in (0.5, 0.95, 0.99))
            rows.append(
                f"| {name} | {len(found.answered):,} | {found.rate:,.0f} | {quantiles} | {processor:.2f} |"
            )
            found += warm
            failures += _faults(name, found, 2 * first if most else options.requests)
            if not most:
                memory = (
                    f"Memory after {first:,} requests {before:.0f} MB, after {options.requests:,} "
                    f"{after:.0f} MB: "
                    f"{(after / before - 1):+.1%}."
                )
                failures += [memory] if after > GROWTH * before else []
    lines += [
        f"{options.clients} clients at once, each on its own connection, in {options.processes} processes:",
        "",
        "| questions are answered | requests | per second | p50, ms | p95, ms | p99, ms | CPU, ms each |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *rows,
        "",
    ]
    if options.compare:
        times, saved = (
            rates["in batches"] / rates["one at a time"],
            costs["one at a time"] / costs["in batches"],
        )
        lines += [
            f"Batches answer ×{times:.1f} as many questions per second; "
            f"an answer without them takes ×{saved:.1f} "
            "the server's processor time.",
            "",
        ]
        failures += [f"×{saved:.1f} is less than ×{TIMES}"] if saved < TIMES else []
    lines += [memory, ""]
    return rates["in batches"]


def _faults(name: str, found: Found, expected: int) -> list[str]:
    """What went wrong where nothing may."""
    odd = {status: count for status, count in found.statuses.items() if status not in (200, 429)}
    faults = [f"{name}: statuses {odd}"] if odd else []
    if len(found.answered) != expected:
        faults.append(f"{name}: {len(found.answered)} of {expected} answered")
    if found.torn or found.refused:
        faults.append(f"{name}: {len(found.torn)} broken off, {found.refused} refused")
    differing = {question: texts for question, texts in found.said.items() if len(texts) > 1}
    shown = "; ".join(f"{question!r}: {sorted(texts)}" for question, texts in list(differing.items())[:3])
    return faults + ([f"{name}: {len(differing)} questions with two answers: {shown}"] if differing else [])


def turned_away(
    options: argparse.Namespace,
    crowd: Crowd,
    run: Path,
    logs: Path,
    lines: list[str],
    failures: list[str],
) -> None:
    """A line shorter than the crowd: clients wait as long as they are told, and all are answered."""
    places = max(1, options.clients // 10)
    with Served(run, logs / "short.log", "--max-waiting", str(places)) as server:
        found = crowd.ask(server, options.requests // 10, "short")
    failures += _faults("a short line", found, options.requests // 10)
    away = found.statuses[429]
    failures += [] if away else ["a short line: nobody was turned away"]
    lines += [
        f"With a line of {places} places (`--max-waiting {places}`) {away:,} times somebody was turned "
        f"away with a 429; all {len(found.answered):,} requests were answered in the end, by clients that "
        "waited as `Retry-After` said.",
        "",
    ]


def stopped(
    options: argparse.Namespace,
    crowd: Crowd,
    run: Path,
    logs: Path,
    rate: float,
    lines: list[str],
    failures: list[str],
) -> None:
    """SIGTERM in the middle: what was taken in is answered."""
    requests = options.requests // 4
    with Served(run, logs / "stopped.log") as server:
        crowd.ask(server, options.clients, "before")
        found = crowd.ask(server, requests, "stopped", stop_after=0.5 * requests / rate)
        code = server.process.wait(60)
        log = [line for line in server.log() if line.get("request_id", "").startswith("stopped-")]
    taken = {line["request_id"] for line in log if line["status"] != 503}
    lost = taken - found.answered
    away = found.statuses[503] + found.refused
    failures += [f"{len(lost)} requests taken in and not answered: {sorted(lost)[:5]}"] if lost else []
    failures += [f"responses broken off: {found.torn[:5]}"] if found.torn else []
    failures += [f"exit code {code} after SIGTERM"] if code else []
    odd = set(found.statuses) - {200, 503}
    failures += [f"statuses {odd} while it stopped"] if odd else []
    failures += [] if found.answered and away else ["the signal did not come in the middle"]
    lines += [
        f"Stopped with SIGTERM under the load of {options.clients} clients: {len(taken):,} requests taken "
        f"in, {len(taken - lost):,} of them answered whole, {len(lost)} lost; of the requests that came "
        f"later {found.statuses[503]} got a 503 and {found.refused} a closed connection without a byte. "
        f"Exit code {code}.",
        "",
    ]


if __name__ == "__main__":
    main()
