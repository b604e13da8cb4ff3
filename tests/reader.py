"""A reader who follows a page of the documentation to the letter, in a folder of their own."""

import ast
import contextlib
import re
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from demur.core.config import load_config
from demur.pipeline.study import load_study

READY_SECONDS = 120
PROMISED = re.compile(r"# → (?P<value>.+?)(;.*)?$")
"""A remark behind an expression: what it gives, and perhaps a word on that."""
BACKGROUND = re.compile(r"^demur serve\b|&\s*$")
"""A block that is a command to keep running."""
PORT = re.compile(r"--port[ =](\d+)")
USUAL_PORT = "8000"
REMARK = re.compile(r"\s+#.*")


@dataclass
class Reader:
    """Carries blocks out; leaving stops what was started in the background."""

    folder: Path
    environment: dict
    """Of the commands; python blocks run in this process."""
    names: dict = field(default_factory=lambda: {"__name__": "page"})
    """What the python blocks of a page share."""
    started: list = field(default_factory=list)
    ports: dict = field(default_factory=dict)
    """Free ports in place of those that the page names."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.started:
            process.send_signal(signal.SIGTERM)
        for process in self.started:
            process.wait(READY_SECONDS)

    def follow(self, block, text):
        """Do what a block says, in the words of ``text``."""
        for port, free in self.ports.items():
            text = text.replace(f":{port}", f":{free}")
        if block.language == "python":
            carry_out(text, block, self.names)
        elif block.language == "yaml":
            load(text, self.folder / "block.yaml")
        elif BACKGROUND.search(text.strip()):
            self.start(text.strip().removesuffix("&"))
        else:
            finished(text, self.folder, self.environment)

    def start(self, text):
        """A server, at a free port, until the page ends."""
        named = PORT.search(text)
        free = free_port()
        self.ports[named[1] if named else USUAL_PORT] = free
        command = f"exec {PORT.sub('', REMARK.sub('', text)).strip()} --port {free}"
        with (self.folder / "background.log").open("a") as log:
            process = subprocess.Popen(
                ["bash", "-c", command], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        self.started.append(process)
        until(lambda: answers(free), process)


def finished(commands, folder, environment):
    """Carry commands out, each of which must succeed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}"


def carry_out(text, block, names):
    """Run python statements; what a remark promises of an expression must be so."""
    lines = text.splitlines()
    for statement in ast.parse(text).body:
        promised = PROMISED.search(lines[statement.end_lineno - 1])
        ast.increment_lineno(statement, block.line)  # tracebacks name the line of the page
        if promised is None:
            exec(compile(ast.Module([statement], []), block.page, "exec"), names)
        else:
            value = eval(compile(ast.Expression(statement.value), block.page, "eval"), names)
            assert promised["value"] in (str(value), repr(value)), f"{block.place}: {value!r}"


def load(text, path):
    """Load a configuration, or a study, which says what to `run`."""
    path.write_text(text, encoding="utf-8")
    (load_study if "run" in yaml.safe_load(text) else load_config)(path)


def until(ready, process):
    """Wait for what a process makes ready."""
    for _ in range(READY_SECONDS * 20):
        if ready():
            return
        assert process.poll() is None, "it ended before it was ready"
        time.sleep(0.05)
    raise AssertionError(f"not ready after {READY_SECONDS} seconds")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answers(port):
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
        return True
    return False
