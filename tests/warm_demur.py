"""`demur` for many commands in a row: the heavy libraries are read once, and each command is a fork.

`python warm_demur.py ADDRESS` listens on a Unix socket. `SHIM`, put on the PATH as `demur`, hands its
arguments, folder, environment and streams to it, passes signals on, and ends as the command ended. What is
run is `demur.cli.main.main`, as in a process of its own but for some seconds of imports. When the shim is
killed, so is the command; when standard input is closed, no more commands are taken.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback

HEAVY = (
    "torch",
    "transformers.models.llama.modeling_llama",
    "trl",
    "trl.trainer.sft_trainer",
    "peft",
    "datasets",
    "scipy.stats",
    "sklearn.linear_model",
    "sklearn.isotonic",
    "openai",
    "lm_eval.evaluator",
    "lm_eval.models.huggingface",
    "demur.cli.main",
    "demur.pipeline.pipeline",
    "demur.report",
    "demur.ask",
    "demur.engines.hf",
    "demur.training.sft",
)
SHIM = """#!{python} -SE
import json, os, signal, socket, sys

with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({address!r})
    socket.send_fds(connection, [b"!"], [0, 1, 2])
    replies = connection.makefile("r")
    request = {{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}
    connection.sendall(json.dumps(request).encode() + b"\\n")
    process = int(replies.readline())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _: os.kill(process, got))
    sys.exit(int(replies.readline() or 1))
"""


def listen(address):
    for name in HEAVY:
        with contextlib.suppress(ImportError):  # an extra that is not installed; who needs it will say so
            importlib.import_module(name)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        signal.signal(signal.SIGCHLD, clear_away)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    carry_out(connection)


def clear_away(*_):
    """Wait for the commands that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def carry_out(connection):
    """Be the command that the connection asks for, and tell it how that ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    with connection.makefile("r") as asked:
        request = json.loads(asked.readline())
    connection.sendall(f"{os.getpid()}\n".encode())
    threading.Thread(target=end_with, args=(connection,), daemon=True).start()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["demur", *request["arguments"]]
    code = run()
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(f"{code}\n".encode())
    os._exit(code)


def end_with(connection):
    """Be killed when the shim was."""
    connection.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def run():
    from demur.cli.main import main

    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    listen(sys.argv[1])
