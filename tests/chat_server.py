"""A real HTTP server that speaks as much of the OpenAI API as a test needs, good manners and bad.

What it says is scripted: the client on the other end of the socket, the real openai package, is under test.
"""

import contextlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Said:
    """One answer of the server."""

    text: str | None = None
    """Said as a chat completion."""
    more: dict = field(default_factory=dict)
    """Further fields of the message, such as ``reasoning_content``."""
    finish: str = "stop"
    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes | None = None
    """Instead of a chat completion, byte for byte."""
    cut: int = 0
    """Bytes of the body that are promised and never sent."""
    drip_seconds: float = 0
    """Between single bytes of the body."""
    wait_seconds: float = 0
    """Before anything is sent."""
    usage: dict | None = field(default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 2})


@dataclass
class Heard:
    """One request."""

    path: str
    headers: dict
    body: dict

    @property
    def prompt(self):
        return self.body["prompt"] if "prompt" in self.body else self.body["messages"][0]["content"]


class ChatServer:
    """``answer`` maps a request and its number (from 0) to what is said."""

    def __init__(self, answer, port=0):
        self.answer, self.heard = answer, []
        self.at_once = self.most_at_once = 0
        self.stop = threading.Event()
        lock, server = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    number = len(server.heard)
                    heard = Heard(self.path, dict(self.headers), body)
                    server.heard.append(heard)
                    server.at_once += 1
                    server.most_at_once = max(server.most_at_once, server.at_once)
                try:
                    with contextlib.suppress(OSError):  # the client may be gone
                        self.say(server.answer(heard, number))
                finally:
                    with lock:
                        server.at_once -= 1

            def say(self, said):
                server.stop.wait(said.wait_seconds)
                content = said.body
                if content is None:
                    message = {"role": "assistant", "content": said.text} | said.more
                    choice = {"index": 0, "message": message, "finish_reason": said.finish}
                    content = json.dumps({"choices": [choice], "usage": said.usage}).encode()
                self.send_response(said.status)
                headers = {"Content-Type": "application/json"} | said.headers
                for name, value in {"Content-Length": len(content) + said.cut, **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.close_connection = bool(said.cut)
                if not said.drip_seconds:
                    self.wfile.write(content)
                    return
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    if server.stop.wait(said.drip_seconds):
                        return

            def log_message(self, *_):
                """Nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128  # clients that connect at once wait; by default only five may

        self.http = Server(("127.0.0.1", port), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.http.shutdown()
        self.http.server_close()

    @property
    def prompts(self):
        return [heard.prompt for heard in self.heard]


class Reasoner:
    """Answers as a server with a reasoning model: it ends where it is told to, at stop strings or a limit.

    Args:
        says: the whole reply to a prompt, with its ``<think>`` block; drawn anew for each request.
        apart: the field that the server gives the reasoning in, as with a reasoning parser; None: none.
    """

    def __init__(self, says, *, apart=None):
        self.says, self.apart = says, apart

    def __call__(self, heard, number):
        body = heard.body
        text, finish = self.says(body["messages"][-1]["content"], number), "stop"
        if stops := [place for stop in body.get("stop", ()) if (place := text.find(stop)) >= 0]:
            text = text[: min(stops)]
        tokens = re.findall(r"</?\w+>|\s*[^\s<]+|\s+|<", text)
        if len(tokens) > body["max_tokens"]:
            text, finish = "".join(tokens[: body["max_tokens"]]), "length"
        if self.apart is None:
            return Said(text, finish=finish)
        thought, closed, answer = text.removeprefix("<think>").partition("</think>")
        return Said(answer.strip() if closed else None, more={self.apart: thought}, finish=finish)
