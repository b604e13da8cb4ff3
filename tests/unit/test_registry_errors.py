"""Unknown names get the nearest known one; errors say what, where and what to do."""

import json
import os
import re
import subprocess
import sys
from functools import partial

import pytest

import demur
from demur.core.errors import ConfigError, DataError, DemurError, PluginError, UnknownNameError
from demur.core.names import reserved
from demur.core.registry import Registry, installed, packages
from demur.methods import METHODS
from demur.metrics import METRICS

SHELVES = Registry(
    "method", {"r-tuning": "demur.methods.r_tuning:RTuning", "vanilla": "demur.none:Nothing"}
)


def test_names_are_listed_without_importing():
    assert SHELVES.names() == ["r-tuning", "vanilla"]
    assert "vanilla" in SHELVES
    assert "vanila" not in SHELVES


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'r-tuning'") as caught:
        SHELVES.get("rtuning")
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, DemurError)
    assert "'rtuning'" in str(caught.value)


def test_an_outlandish_name_lists_what_there_is():
    with pytest.raises(UnknownNameError, match="choose one of: r-tuning, vanilla"):
        SHELVES.check("zzz")


def test_an_error_reads_in_the_order_of_need():
    error = DataError(expected="an answer", found="none", where="qa.jsonl, line 3", fix="add one")
    assert [line.split(":")[0] for line in str(error).splitlines()] == [
        "where",
        "expected",
        "found",
        "to do",
    ]
    assert isinstance(error, ValueError)


class Shelf:
    """What a registry of these tests holds."""

    def __init__(self, name):
        self.name = name


def shelves(**settings):
    form = {"form": "a Shelf", "fits": lambda name, found: isinstance(found, Shelf) and found.name == name}
    return Registry("method", {"ours": "demur.methods.r_tuning:RTuning"}, **form, **settings)


def test_an_entry_is_registered_as_an_object_or_as_text():
    registry, shelf = shelves(), Shelf("mine")
    registry.register("mine", shelf)
    registry.register("core", "demur.core.version:__version__")
    assert registry.names() == ["ours", "mine", "core"]
    assert registry.get("mine") is shelf
    assert registry.get("core") == demur.__version__


@pytest.mark.parametrize(
    ("name", "target", "found"),
    [
        ("ours", "module:thing", "'ours' is taken"),
        ("theirs", Shelf("another"), "is not a Shelf called 'theirs'"),
        ("theirs", "module.thing", "names no attribute of a module"),
        ("Their Shelf", "module:thing", "write 'their-shelf'"),
        ("../up", "module:thing", "cannot name a method"),
    ],
)
def test_an_entry_that_cannot_be_registered_changes_nothing(name, target, found):
    registry = shelves()
    with pytest.raises(ConfigError, match=found):
        registry.register(name, target)
    assert registry.names() == ["ours"]


@pytest.mark.parametrize("name", ["base", "mine-learned", "mine-fixed"])
def test_no_method_takes_the_name_of_a_system_that_every_run_derives(name):
    with pytest.raises(ConfigError, match="is kept for"):
        METHODS.register(name, "module:thing")


def test_no_metric_takes_the_name_of_another_by_a_signal():
    with pytest.raises(ConfigError, match="is kept for a metric by the signal sure"):
        METRICS.register("ap_sure", "module:thing")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes installed packages with entry points of these registries."""
    monkeypatch.syspath_prepend(str(tmp_path))
    installed.cache_clear()
    yield partial(install, tmp_path)
    installed.cache_clear()


def install(folder, name, entries, code="", group="demur.methods"):
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{entry} = {name}_code:{entry.upper()}" for entry in entries]
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]))
    (folder / f"{name}_code.py").write_text(code)


def test_installed_packages_add_entries_that_are_imported_when_they_are_used(package):
    package("theirs", ["mine"], "from types import SimpleNamespace\nMINE = SimpleNamespace(name='mine')")
    registry = Registry("method", {}, group="demur.methods")
    assert registry.names() == ["mine"]
    assert "mine" in registry
    assert "theirs_code" not in sys.modules
    assert registry.get("mine").name == "mine"
    assert packages()["theirs"] == "1.0"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import there_is_no_such_module", "No module named 'there_is_no_such_module'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("", "has no attribute 'BROKEN'"),
        ("BROKEN = 7", "7 is not a Shelf called 'broken'"),
    ],
)
def test_a_broken_package_is_named_and_the_others_go_on(package, caplog, code, found):
    package("faulty", ["broken"], code)
    registry = shelves(group="demur.methods")
    with pytest.raises(PluginError, match=re.escape(found)) as caught:
        registry.get("broken")
    assert "faulty 1.0" in str(caught.value)
    assert "pip uninstall faulty" in str(caught.value)
    assert [name for name, _ in registry.items()] == ["ours"]
    assert "faulty 1.0" in caplog.text
    sys.modules.pop("faulty_code", None)


def test_a_package_cannot_take_a_name_of_ours_nor_one_that_is_none(package, caplog):
    package("greedy", ["ours", "mine-learned"])
    registry = shelves(group="demur.methods", kept=reserved)
    assert registry.names() == ["ours"]
    assert registry.get("ours").info.name == "r-tuning"
    assert "Demur has a method of this name" in caplog.text
    with pytest.raises(PluginError, match="is kept for systems"):
        registry.get("mine-learned")


def test_a_name_that_two_packages_add_is_nobodys(package):
    package("first", ["mine"])
    package("second", ["mine"])
    registry = shelves(group="demur.methods")
    assert registry.names() == ["ours"]
    with pytest.raises(PluginError, match=r"first 1\.0, second 1\.0"):
        registry.check("mine")


def test_commands_work_beside_a_broken_package(tmp_path):
    install(tmp_path, "faulty", ["broken"], "print('imported')\nimport there_is_no_such_module")
    install(tmp_path, "wrong", ["bad"], "raise OSError('no')", group="demur.metrics")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    ask = partial(
        subprocess.run, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    command = (sys.executable, "-m", "demur")
    helped = ask([*command, "--help"])
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "imported" not in helped.stdout
    listed = ask([*command, "metrics", "--json"])
    assert listed.returncode == 0
    assert "bad" not in [entry["name"] for entry in json.loads(listed.stdout)]
    assert "wrong 1.0" in listed.stderr
    tried = ask(
        [*command, "run", "--model", "pocket", "--method", "broken", "--out", str(tmp_path / "run")]
    )
    assert tried.returncode == 2
    assert "faulty 1.0" in tried.stderr
    assert "Traceback" not in tried.stderr
