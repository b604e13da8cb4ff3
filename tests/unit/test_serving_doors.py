"""Ways into the server that must be shut: routes without a key, paths that lead out, smuggled headers."""

import re

import pytest
from starlette.testclient import TestClient

import demur
from demur.serve import ServeSettings, create_app
from demur.serve.app import PAGE

KEY = "a-key-of-this-test"
OPEN = {"/healthz", "/readyz", "/"}
QUESTION = {"messages": [{"role": "user", "content": "Where was Dora Pomash born?"}]}


@pytest.fixture(scope="module")
def app():
    with pytest.MonkeyPatch.context() as patched, demur.load("pocket", model={"device": "cpu"}) as answerer:
        patched.setenv("DEMUR_TEST_KEYS", KEY)
        yield create_app(answerer, ServeSettings(key_variable="DEMUR_TEST_KEYS"))


@pytest.fixture
def client(app):
    return TestClient(app, base_url="http://localhost")


def doors(routes):
    """Path and methods of every route, also of those in routers within."""
    for route in routes:
        within = getattr(route, "original_router", route)
        if hasattr(within, "routes"):
            yield from doors(within.routes)
        else:
            yield route.path, route.methods


def test_no_route_was_forgotten(app, client):
    """Of all routes that the app has, and not of a list, only probes and the page's files need no key."""
    page = {f"/{file.relative_to(PAGE).as_posix()}" for file in PAGE.rglob("*") if file.is_file()}
    found = dict(doors(app.routes))
    assert {
        "/v1/chat/completions",
        "/v1/models/{name:path}",
        "/metrics",
        "/api/ask",
        "/openapi.json",
    } <= set(found)
    opened = set()
    for path, methods in found.items():
        answers = {client.request(m, re.sub(r"{.*}", "a/b", path)).status_code for m in methods}
        if answers != {401}:
            assert 401 not in answers, path
            opened.add(path)
    assert opened == OPEN | page


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/v1", "/api", "/page/../app.py", "/nothing"])
def test_what_is_not_there_is_not_told_without_the_key(client, path):
    assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        *("/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "/%2e%2e%2f%2e%2e%2fetc/passwd", "/..\\app.py"),
        *(
            "/page.js/../../app.py",
            "/%5c..%5capp.py",
            "//etc/passwd",
            "/page.js%00.html",
            "/%252e%252e/app.py",
        ),
    ],
)
def test_no_path_leads_out_of_the_page(client, path):
    reply = client.get(path, headers={"Authorization": f"Bearer {KEY}"})
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"


def test_a_line_break_in_a_value_makes_no_header(client):
    headers = {"Authorization": f"Bearer {KEY}", "X-Request-ID": "a b"}
    evil = "m\r\nX-Evil: 1\r\n\r\n<script>"
    reply = client.post("/v1/chat/completions", json=QUESTION | {"model": evil}, headers=headers)
    assert reply.status_code == 200
    assert reply.json()["model"] == evil
    assert "x-evil" not in reply.headers
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert re.fullmatch("[0-9a-f]{32}", reply.headers["x-request-id"])  # its own, not the odd one


@pytest.mark.parametrize(("field", "value"), [("echo", 0), ("n", True), ("best_of", True), ("stream", 0)])
def test_a_number_is_no_truth_value(client, field, value):
    """Python has 0 == False and 1 == True; JSON has not."""
    headers = {"Authorization": f"Bearer {KEY}"}
    reply = client.post("/v1/completions", json={"prompt": "Why?", field: value}, headers=headers)
    assert reply.status_code == 400
    assert reply.json()["error"]["param"].split(".")[0] == field
