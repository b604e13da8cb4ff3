"""The Ray engine beside the Hugging Face engine: the same bytes, whoever is killed on the way.

A cluster of two machines stands on this one, made of real processes. Everything that a test starts inherits
a mark in its environment, by which it is found and ended even where the test fails.
"""

import contextlib
import importlib.util
import json
import logging
import os
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from demur.core.config import Config
from demur.core.errors import AnswersError, ConfigError, ModelError, UnknownNameError
from demur.engines import Opening, Sampling, Spreads
from demur.engines.hf import HFEngine
from demur.engines.ray import PIECE, RayEngine, _failed, _Worker
from demur.engines.ray_cluster import checked_options, quietly
from demur.pipeline.pipeline import Pipeline
from demur.pipeline.status import status
from demur.pocket import bundled_model

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs Ray: pip install 'demur[ray]'"
)
MARK = f"DEMUR_TEST_{uuid.uuid4().hex}"
UNITS = 24
PROBE = {"data": {"limit": 64}, "probe": {"unit": 16, "samples": 40, "max_new_tokens": 15, "stop": ["@"]}}
"""Of 384 questions; each unit takes long enough to be killed in."""
STORE = 100 * 2**20
PATIENCE_SECONDS = 120


def until(condition):
    """Wait for something to come true; give up after a long while only."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found


def started(names):
    """Living processes that descend from these tests, by what their titles begin with."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if (
                process.pid != os.getpid()
                and MARK in process.environ()
                and process.status() != psutil.STATUS_ZOMBIE
                and any(name in " ".join(process.cmdline()) for name in names)
            ):
                found.append(process)
    return found


def workers():
    return started(["ray::MapWorker"])


@pytest.fixture(scope="module", autouse=True)
def no_process_stays():
    os.environ[MARK] = "1"
    yield
    del os.environ[MARK]
    for process in started([""]):
        with contextlib.suppress(psutil.Error):
            process.kill()


@pytest.fixture(scope="module")
def cluster():
    """A machine with room for one worker, to which others may be added."""
    import ray
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE},
    )
    yield made
    ray.shutdown()
    made.shutdown()


def settings(**options):
    """Of a probe, by two workers where there are options of a cluster."""
    own = {"model": {"engine": "ray", "options": {"workers": 2, **options}}} if options else {}
    return {**PROBE, **own}


def config(out, **options):
    return Config.model_validate({**settings(**options), "out": str(out)})


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """The probe as the Hugging Face engine makes it in this process."""
    out = tmp_path_factory.mktemp("calm") / "run"
    Pipeline(config(out)).run("probe")
    return (out / "probe.parquet").read_bytes()


def stored(out):
    """How many units are stored, as anybody may look."""
    found = status(out)["current"] if (out / "config.yaml").exists() else None
    return (found["stored"] or 0) // PROBE["probe"]["unit"] if found else 0


def run_command(out, *more, **options):
    """The probe as a command of its own, begun."""
    file = out.parent / "settings.json"  # JSON is YAML
    file.write_text(json.dumps(settings(**options)))
    line = [sys.executable, "-m", "demur", "probe", str(file), "--out", str(out), *more]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@needs_ray
@pytest.mark.slow
def test_a_killed_worker_and_a_lost_machine_lose_nothing(tmp_path, cluster, calm):
    """There is no room elsewhere for the lost machine's worker: the other one does all that is left."""
    machine, out = cluster.add_node(num_cpus=1, object_store_memory=STORE), tmp_path / "run"
    with ThreadPoolExecutor(1) as aside:
        run = aside.submit(Pipeline(config(out, address=cluster.address)).run, "probe")
        until(lambda: run.done() or (len(workers()) == 2 and stored(out) >= 3))
        raylet = machine.all_processes["raylet"][0].process.pid  # of the machine that is to be lost
        killed = next(worker for worker in workers() if worker.ppid() != raylet)
        killed.kill()
        first = stored(out)
        until(lambda: run.done() or (len(workers()) == 2 and stored(out) >= first + 3))
        cluster.remove_node(machine)
        second = stored(out)
        run.result()
    assert not killed.is_running()
    assert 3 <= first < second < UNITS - 1, "both were at work"
    assert (out / "probe.parquet").read_bytes() == calm
    assert json.loads((out / "manifest.json").read_text())["stages"]["probe"]["generations"] == 384 * 41


@needs_ray
@pytest.mark.slow
def test_a_stopped_and_a_killed_command_lose_nothing(tmp_path, cluster, calm):
    """Stopped in a cluster of its own, which ends with it; killed in another, and taken up from here."""
    out = tmp_path / "run"
    run = run_command(out, cpus=0.5)
    until(lambda: run.poll() is not None or stored(out) >= 3)
    own = psutil.Process(run.pid).children(recursive=True)
    heard = {c.laddr.ip for process in own for c in connections(process) if c.status == "LISTEN"}
    run.send_signal(signal.SIGTERM)
    said, _ = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 143, said
    assert "finishing what is in hand" in said
    assert heard
    assert all(ip_address(ip.removeprefix("::ffff:")).is_loopback for ip in heard), heard
    until(lambda: not any(process.is_running() for process in own))
    stopped = stored(out)
    assert 3 <= stopped < UNITS

    run = run_command(out, "--update", address=cluster.address)
    until(lambda: run.poll() is not None or stored(out) >= stopped + 3)
    run.kill()
    run.communicate()
    killed = stored(out)
    assert stopped < killed < UNITS
    Pipeline(config(out, address=cluster.address)).run("probe")
    assert (out / "probe.parquet").read_bytes() == calm


@needs_ray
@pytest.mark.slow
def test_empty_first_answers_stop_the_workers_and_keep_what_they_stored(tmp_path, cluster):
    """Every answer of the pocket model begins with a space, which ends it here."""
    empty = {"probe": {"unit": 16, "samples": 0, "stop": [" "]}}
    values = {**settings(address=cluster.address), **empty, "out": str(tmp_path / "run")}
    for _ in range(2):
        with pytest.raises(AnswersError, match=r"16 \(100.0%\) are empty"):
            Pipeline(Config.model_validate(values)).run("probe")
        assert 1 <= stored(tmp_path / "run") < UNITS


def connections(process):
    with contextlib.suppress(psutil.Error):
        return process.net_connections()
    return []


@needs_ray
@pytest.mark.slow
def test_lists_are_asked_in_pieces(cluster):
    """What follows an answer depends on its place in the whole list."""
    prompts = [f"Question: Where was number {number} born? Answer:" for number in range(PIECE + 4)]
    ray = RayEngine.open(Opening(bundled_model(), options={"address": cluster.address}))
    hf, seen = HFEngine.open(Opening(bundled_model())), []
    asked = {"sampling": Sampling(), "options": [" sure.", " unsure."]}

    def follow_up(place, text):
        return f"{text}. Number {place}. Are you sure? I am"

    there = ray.ask(prompts, follow_up=follow_up, progress=seen.append, **asked)
    here = hf.ask(prompts, follow_up=follow_up, **asked)
    assert [item.response.text for item in there] == [item.response.text for item in here]
    np.testing.assert_allclose(
        [item.option_logprobs for item in there], [item.option_logprobs for item in here], atol=1e-4
    )
    assert sorted(seen) == [4, PIECE]
    leads = [f" {number}" for number in range(len(prompts))]
    scored = [
        engine.score(prompts, [[" Oslo", " Rome"]] * len(prompts), leads=leads) for engine in (ray, hf)
    ]
    np.testing.assert_allclose(*scored, atol=1e-4)
    assert ray.render("Why?") == hf.render("Why?")
    assert ray.encode("Why?") == hf.encode("Why?")


def outcome(task, opening=object):
    """What a worker makes of a task."""
    return _Worker(opening, task)({"number": np.array([7])})["result"][0]


def test_what_a_task_raises_reaches_the_user_as_it_was():
    def fail(engine, number):
        raise UnknownNameError("rule", "exakt", ["exact"], "judge.rule")

    error = _failed(outcome(fail).failure)
    assert isinstance(error, UnknownNameError)
    assert str(error) == str(UnknownNameError("rule", "exakt", ["exact"], "judge.rule"))
    assert outcome(lambda engine, number: number + 1).value == 8

    defect = _failed(outcome(lambda engine, number: 1 / 0).failure)
    assert isinstance(defect, RuntimeError)
    assert "ZeroDivisionError" in str(defect)


def test_a_model_that_cannot_be_opened_is_said_by_the_worker():
    def nothing():
        raise ModelError(expected="a model", found="none", fix="train one")

    assert isinstance(_failed(outcome(lambda engine, number: 0, nothing).failure), ModelError)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"worker": 2}, "'worker' is no known setting; did you mean 'workers'"),
        ({"engine": "openai"}, "engine: Input should be 'hf' or 'vllm'"),
        ({"workers": 0, "cpus": 0}, r"(?s)workers: .*cpus: "),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message) as caught:
        checked_options(options)
    assert "model.options" in str(caught.value)


def test_only_what_the_workers_engine_is_told_changes_answers():
    """So a probe that was begun in one process may be taken up by many."""

    def identity(**model):
        return Config.model_validate({"model": model}).model.identity()

    assert identity(engine="ray", options={"workers": 3, "address": "auto"}) == identity()
    assert identity(engine="ray", options={"engine": "vllm", "options": {"seed": 1}}) == identity(
        engine="vllm", options={"seed": 1}
    )


@needs_ray
def test_the_engine_starts_nothing_before_there_is_work():
    engine = RayEngine.open(Opening(bundled_model(), options={"address": "127.0.0.1:1"}))
    assert isinstance(engine, Spreads)
    assert engine.generate([], keys=[], sampling=Sampling()) == []
    assert not engine.capabilities.trains


@needs_ray
def test_a_cluster_of_our_own_is_closed_or_not_started(monkeypatch):
    """Ray reads when it is imported who may reach a cluster."""
    engine = RayEngine.open(Opening(bundled_model()))
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False))
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with pytest.raises(ConfigError, match=r"(?s)imported already.*call ray.init\(\)"):
        engine.generate(["Why?"], keys=["a"], sampling=Sampling())


def test_without_ray_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'demur\[ray\]'"):
        RayEngine.open(Opening(bundled_model()))
    with pytest.raises(ConfigError, match="on every machine"):
        RayEngine.check(Opening(str(bundled_model())))


def test_only_rays_own_handlers_are_silenced():
    def handler_of(module):
        return type("Handler", (logging.StreamHandler,), {"__module__": module})()

    theirs, other = handler_of("ray._private.log"), handler_of("somebody.logging")
    logger = logging.getLogger("ray.data")
    before = list(logger.handlers)
    logger.handlers = [theirs, other]
    try:
        with quietly():
            assert (theirs.level, other.level) == (logging.CRITICAL, logging.NOTSET)
    finally:
        logger.handlers = before
