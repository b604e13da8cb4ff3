"""One `Opening` for every engine: which fields each uses, ignores or refuses, and who fills it in."""

import ast
import dataclasses
from pathlib import Path

import pytest

import demur
from demur.core.config import ModelSettings, ServerSettings
from demur.core.errors import ConfigError, DemurError
from demur.engines import ENGINES, Opening
from demur.engines.checks import check_opening
from demur.engines.opening import opening_of

FIELDS = {field.name for field in dataclasses.fields(Opening)}
OTHER = {
    "path": "other",
    "adapter": Path("adapter"),
    "dtype": "float16",
    "device": "cpu",
    "format": "plain",
    "batch_size": 3,
    "revision": "v1",
    "trust_remote_code": True,
    "endpoint": ServerSettings(base_url="http://localhost:1/v1"),
    "options": {"some": 1},
    "chat_options": {},
    "quantize": "4bit",
}
"""A value for each field that is not its default."""
REFUSED = [(name, field) for name in ENGINES.names() for field in ENGINES.get(name).refuses]
SOURCE = Path(demur.__file__).parent


def attributes_read(path, name):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return sum(isinstance(node, ast.Attribute) and node.attr == name for node in ast.walk(tree))


@pytest.mark.parametrize("name", ENGINES.names())
def test_an_engine_names_fields_that_exist_and_each_once(name):
    engine = ENGINES.get(name)
    assert OTHER.keys() == FIELDS
    assert engine.ignores <= FIELDS
    assert engine.refuses.keys() <= FIELDS
    assert not engine.ignores & engine.refuses.keys()
    assert "path" not in engine.ignores | engine.refuses.keys()


@pytest.mark.parametrize("name", ENGINES.names())
def test_what_an_engine_does_not_refuse_is_let_through(name):
    engine = ENGINES.get(name)
    check_opening(engine, Opening("model"))
    check_opening(engine, Opening(**{k: v for k, v in OTHER.items() if k not in engine.refuses}))


@pytest.mark.parametrize("how", ["open", "check"])
@pytest.mark.parametrize(("name", "field"), REFUSED)
def test_a_refused_field_is_an_error_before_anything_is_opened(name, field, how):
    opening = Opening("nowhere/at-all", **{field: OTHER[field]})
    with pytest.raises(DemurError) as found:
        getattr(ENGINES.get(name), how)(opening)
    assert found.value.found
    assert found.value.fix


def test_the_settings_of_a_run_fill_in_every_field_that_they_have(tmp_path):
    settings = ModelSettings(
        path="a/b",
        engine="vllm",
        **{name: OTHER[name] for name in ("dtype", "device", "format", "batch_size", "revision")},
        **{name: OTHER[name] for name in ("trust_remote_code", "endpoint", "options")},
    )
    opening = opening_of(settings, base="a/b", quantize="4bit")
    filled = {field for field in FIELDS if opening.sets(field)}
    assert filled == FIELDS - {"path", "adapter", "chat_options"}
    assert opening_of(settings, base="a/b", engine="hf").options == {}, "they are vLLM's"
    (tmp_path / "config.json").write_text("{}")
    whole = opening_of(settings, base="a/b", tuned=tmp_path)
    assert (whole.path, whole.adapter, whole.revision) == (str(tmp_path), None, None)
    (tmp_path / "adapter_config.json").write_text("{}")
    adapted = opening_of(settings, base="a/b", tuned=tmp_path)
    assert (adapted.path, adapted.adapter, adapted.revision) == ("a/b", tmp_path, "v1")
    asked = opening_of(settings, base="name", tuned=tmp_path, engine="openai")
    assert (asked.path, asked.adapter) == ("name", None)


def test_the_permission_to_run_a_models_code_is_given_in_one_place():
    """`opening_of` reads the setting; what opens a model or a part of one reads its `Opening`."""
    read = {
        path.relative_to(SOURCE).as_posix(): count
        for path in SOURCE.rglob("*.py")
        if (count := attributes_read(path, "trust_remote_code"))
    }
    assert read == {
        "engines/opening.py": 1,
        "engines/base.py": 1,  # what transformers is told
        "pipeline/dryrun/model.py": 1,  # the shapes of a model without its weights
        "core/trust.py": 2,  # what a folder would do, and whether an unsigned one may be resumed
    }


def test_an_opening_says_which_fields_are_set_and_never_changes():
    opening = Opening("model", chat_options={})
    assert opening.sets("chat_options")
    assert not opening.sets("options")
    with pytest.raises(dataclasses.FrozenInstanceError):
        opening.trust_remote_code = True


def test_a_batch_size_that_is_none_is_still_the_engines_to_refuse(tmp_path):
    from demur.pocket import bundled_model

    with pytest.raises(ConfigError, match="batch_size"):
        ENGINES.get("hf").open(Opening(bundled_model(), device="cpu", batch_size=0))
