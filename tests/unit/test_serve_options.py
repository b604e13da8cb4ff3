"""`demur serve`: what the command line gives reaches the server's settings and the model's."""

import dataclasses

import pytest
from typer.testing import CliRunner

from demur.cli import serve as command
from demur.cli.main import app
from demur.cli.serve import ServeOptions
from demur.core.errors import ConfigError
from demur.serve import ServeSettings

GIVEN = {
    "--host": "::1",
    "--port": "0",
    "--api-key-env": "KEYS",
    "--max-body": "10",
    "--max-prompt": "11",
    "--max-batch": "12",
    "--max-waiting": "13",
    "--timeout": "1.5",
    "--drain": "3.5",
    "--max-connections": "14",
    "--retrieval-url": "http://localhost:1",
    "--retrieval-key-env": "R",
    "--fallback-url": "http://localhost:2/v1",
    "--fallback-model": "m",
    "--fallback-key-env": "F",
    "--hook-timeout": "2.5",
}
FIELDS = {
    "host": "::1",
    "port": 0,
    "key_variable": "KEYS",
    "max_body_bytes": 10,
    "max_prompt_characters": 11,
    "max_batch": 12,
    "max_waiting": 13,
    "timeout_seconds": 1.5,
    "drain_seconds": 3.5,
    "max_connections": 14,
    "retrieval_url": "http://localhost:1",
    "retrieval_key_variable": "R",
    "fallback_url": "http://localhost:2/v1",
    "fallback_model": "m",
    "fallback_key_variable": "F",
    "hook_timeout_seconds": 2.5,
}


def test_every_option_of_the_command_line_reaches_the_settings(monkeypatch):
    seen = []
    monkeypatch.setattr("demur.serve.serve", lambda opening, settings, announce: seen.append(settings) or 0)
    flags = [
        "--strict-model",
        "--log-prompts",
        "--force",
        "--cors",
        "https://a.org",
        "--cors",
        "https://b.org",
        "--allowed-hosts",
        "a.org",
    ]
    done = CliRunner().invoke(
        app, ["serve", "pocket", *flags, *(x for pair in GIVEN.items() for x in pair)]
    )
    assert done.exit_code == 0, done.output
    switched = dict.fromkeys(("strict_model", "log_prompts", "force"), True)
    assert seen == [
        ServeSettings(
            **FIELDS,
            **switched,
            cors=("https://a.org", "https://b.org"),
            allowed_hosts=("a.org",),
            name="pocket",
        )
    ]


def test_without_options_the_settings_are_their_defaults():
    assert ServeOptions(source="pocket").settings() == ServeSettings(name="pocket")


def test_every_setting_but_the_number_of_prompts_is_an_option():
    options = {field.name for field in dataclasses.fields(ServeOptions)}
    assert ServeSettings.model_fields.keys() - options == {"max_prompts"}


def test_the_name_is_the_folders_own_unless_given(tmp_path):
    assert ServeOptions(source=str(tmp_path)).settings().name == tmp_path.name
    assert ServeOptions(source=str(tmp_path), name="mine").settings().name == "mine"
    assert ServeOptions(source="a/b", name="").settings().name == "a/b"


def test_an_upstream_server_is_the_models(monkeypatch):
    assert ServeOptions(source="x").model() == {"endpoint.remember": False}
    options = ServeOptions(source="x", upstream="http://localhost:1/v1", model_set=["endpoint.retries=4"])
    assert options.model() == {
        "engine": "openai",
        "endpoint.base_url": "http://localhost:1/v1",
        "endpoint.retries": "4",
        "endpoint.timeout_seconds": 60.0,
        "endpoint.concurrency": command.AT_ONCE,
        "endpoint.remember": False,
    }


def test_settings_that_do_not_fit_are_named_together():
    with pytest.raises(ConfigError) as found:
        ServeOptions(source="x", port=-1, max_batch=0).settings()
    assert "port" in found.value.found
    assert "max_batch" in found.value.found
