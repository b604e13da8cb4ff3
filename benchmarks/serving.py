"""What the proofs of the server share: a real `demur serve` on the pocket run, and clients of it."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from demur import open_run
from demur.runfolder.folder import RunFolder

PATIENCE_SECONDS = 120
KNOWN = "Where was Dora Pomash born?"
UNKNOWN = "Who wrote The Hobbit?"


def pocket_run(folder: Path, *, small: bool) -> Path:
    """A finished run of the demo with a promised threshold; made where it is not there yet.

    Args:
        small: of few questions, in seconds.
    """
    if not RunFolder(folder).guarantee.exists():
        fewer = ["--data.limit", "96", "--evaluation.resamples", "50"] if small else []
        promise = ["--max-error", "0.2" if small else "0.1", "--recalibrate", "platt"]
        for arguments in (["demo", "--out", str(folder), *fewer], ["calibrate", str(folder), *promise]):
            done = subprocess.run(demur(*arguments), check=False, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    return folder


def demur(*arguments: str) -> list[str]:
    """A command line."""
    return [sys.executable, "-m", "demur", *arguments]


class Served:
    """A server in a process of its own, while the context lasts.

    Args:
        log: file for its log, one JSON line for each request.
        arguments: of `demur serve`.
    """

    def __init__(self, run: Path | str, log: Path, *arguments: str, keys: str | None = None) -> None:
        self.log_file = log
        log.parent.mkdir(parents=True, exist_ok=True)
        more = [] if keys is None else ["--api-key-env", "DEMUR_PROOF_KEYS"]
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                demur("serve", str(run), "--port", "0", *more, *arguments),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | {"OMP_NUM_THREADS": "1", "DEMUR_PROOF_KEYS": keys or ""},
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()  # "NAME answers at http://127.0.0.1:PORT/v1"
        assert " answers at " in said, log.read_text()
        self.root = said.split()[-1].removesuffix("/v1")
        self.port = int(self.root.rpartition(":")[2])
        self._process = psutil.Process(self.process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        return float(self._process.memory_info().rss) / 1e6

    @property
    def seconds(self) -> float:
        """Processor time so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        """Ask it to stop."""
        self.process.send_signal(signal.SIGTERM)

    def log(self) -> list[dict[str, Any]]:
        """Its log so far; a line that is no JSON is an event of its own."""
        return [_line(line) for line in self.log_file.read_text(errors="replace").splitlines()]


def _line(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"event": "no json", "line": line}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back on a connection."""

    status: int
    """0 where nothing came at all."""
    head: bytes
    body: bytes
    whole: bool
    """Whether as much came as was announced."""

    def header(self, name: str) -> str | None:
        """A header of the response."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.encode():
                return value.strip().decode("latin-1")
        return None


NOTHING = Reply(0, b"", b"", whole=False)


async def read_reply(reader: asyncio.StreamReader, *, headless: bool = False) -> Reply:
    """The next response on a connection, as far as it comes; `headless`: one to HEAD, which has no body."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        return NOTHING if not error.partial else Reply(0, error.partial, b"", whole=False)
    except ConnectionError:
        return NOTHING
    reply = Reply(int(head[9:12]), head, b"", whole=True)
    if headless:
        return reply
    body, whole = await _body(reader, reply)
    return Reply(reply.status, head, body, whole)


async def _body(reader: asyncio.StreamReader, reply: Reply) -> tuple[bytes, bool]:
    length = reply.header("content-length")
    parts = bytearray()
    try:
        if length is not None:
            return await reader.readexactly(int(length)), True
        if reply.header("transfer-encoding") is None:
            return await reader.read(), True
        while size := int(await reader.readline() or b"?", 16):
            parts += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        return bytes(parts), False
    return bytes(parts), True


def post(path: str, body: bytes, *headers: str, method: str = "POST") -> bytes:
    """A request as its bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def chat(text: str, **more: Any) -> bytes:
    """The body of a chat."""
    return json.dumps({"messages": [{"role": "user", "content": text}], **more}).encode()


def questions(run: Path) -> list[str]:
    """The questions of a run, but for those of calibration.

    The threshold is the confidence of one of these: which side of it that question is on is decided by the
    rounding of the batch that it comes in.
    """
    return [question.text for question in open_run(run).questions if question.split != "calibration"]


def circumstances(seed: int) -> str:
    """When and where something was measured."""
    one, five, _ = os.getloadavg()
    return (
        f"{datetime.date.today().isoformat()}, {_processor()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, seed {seed}; load of the machine before: {one:.1f} over one minute, "
        f"{five:.1f} over five."
    )


def _processor() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return names[0] if names else platform.machine()


START, END = "<!-- {} -->", "<!-- end of {} -->"


def write_part(page: Path, name: str, text: str) -> None:
    """Put a part into a page, in place of what stood there under its name.

    Raises:
        ValueError: the page has no place for it.
    """
    start, end = START.format(name), END.format(name)
    before, found, rest = page.read_text(encoding="utf-8").partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} has no lines {start!r} and {end!r}")
    page.write_text(f"{before}{start}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def finish(name: str, lines: Sequence[str], failures: Iterable[str], page: Path | None) -> None:
    """Print what was found, write it into the page, and fail where something did not hold."""
    failed = [f"- DOES NOT HOLD: {failure}" for failure in failures]
    text = "\n".join([*lines, *failed])
    print(text)
    if page is not None:
        write_part(page, name, text)
    if failed:
        sys.exit(1)
