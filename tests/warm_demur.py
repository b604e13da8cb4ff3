"""`demur` for many commands in a row: the heavy libraries are read once, and each command is a fork.

`python warm_demur.py ADDRESS` listens on a Unix socket. `SHIM`, put on the PATH as `demur` or `python`,
hands its arguments, folder, environment and streams to it, passes signals on, and ends as the command
ended. What is run is the module's own main program, as in a process of its own but for some seconds of
imports. When the shim is killed, the kernel kills the command; when standard input is closed, no more
commands are taken.
"""

import contextlib
import fcntl
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
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
MODULES = ("demur", "lm_eval")
"""Whose main programs are run here; another one is run by `python` itself."""
SHIM = """#!{python} -SE
import json, os, signal, socket, sys

words = sys.argv
if os.path.basename(words[0]) == "demur":
    words = [words[0], "-m", "demur", *words[1:]]
if words[1:2] != ["-m"] or words[2] not in {modules!r}:
    os.execv({python!r}, [{python!r}, *words[1:]])
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({address!r})
    socket.send_fds(connection, [b"!"], [0, 1, 2])
    replies = connection.makefile("r")
    request = {{"module": words[2], "arguments": words[3:]}}
    request |= {{"folder": os.getcwd(), "environment": dict(os.environ)}}
    request["python"] = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "python")
    connection.sendall(json.dumps(request).encode() + b"\\n")
    process = int(replies.readline())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
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
    end_with(connection)
    connection.sendall(f"{os.getpid()}\n".encode())
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.executable = request["python"]  # what a command starts is a fork, too
    sys.argv = ["demur", *request["arguments"]]
    code = run(request["module"])
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(f"{code}\n".encode())
    os._exit(code)


def end_with(connection):
    """Have the kernel kill this process as soon as the other end of the connection is closed."""
    fcntl.fcntl(connection, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(connection, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(connection, fcntl.F_SETFL, fcntl.fcntl(connection, fcntl.F_GETFL) | os.O_ASYNC)


def run(module):
    try:
        if module == "demur":
            from demur.cli.main import main

            main()
        else:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    listen(sys.argv[1])
