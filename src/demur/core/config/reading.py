"""A configuration from and to its file, its settings by name, and every problem in one message."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic
import yaml
from pydantic import BaseModel

from demur.core.config.config import Config
from demur.core.config.section import Section, unknown
from demur.core.errors import ConfigError
from demur.core.files import write_text

MOST_CHARACTERS, MOST_VALUES = 500_000, 100_000
"""Of a configuration file; one from elsewhere could fill the memory."""


def load_config(path: str | Path | None = None, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read a configuration: flags over file over defaults.

    Args:
        path: a YAML file; None for defaults.
        overrides: values by dotted name, such as ``{"training.epochs": "2"}``. Text stands as it is,
            spaces included; lists and mappings are written as in YAML.

    Raises:
        ConfigError: the file cannot be read, or values are wrong; every problem is listed.
    """
    values = _read_yaml(Path(path)) if path else {}
    for name, value in (overrides or {}).items():
        _put(values, name.split("."), _from_flag(name, value))
    try:
        return Config.model_validate(values)
    except pydantic.ValidationError as error:
        raise explain(error, str(path) if path else "the command line") from error


def save_config(config: Config, path: Path) -> None:
    """Write the resolved configuration as YAML, atomically."""
    write_text(path, config_text(config))


def config_text(config: Config) -> str:
    """The resolved configuration as YAML."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def leaves(
    kind: type[BaseModel] = Config, prefix: str = ""
) -> Iterator[tuple[str, pydantic.fields.FieldInfo]]:
    """Every setting by its dotted name, in the order of the file."""
    for name, info in kind.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            yield from leaves(info.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, info


def differences(old: Config, new: Config) -> list[str]:
    """The settings in which two configurations differ, one line each; the folder's own name is none."""
    before, after = (_flat(config.model_dump(mode="json", exclude={"out"})) for config in (old, new))
    return [
        f"{name}: {before.get(name)!r} there, {after.get(name)!r} here"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = _from_yaml(path)
    except OSError as error:
        raise ConfigError(
            expected="a readable YAML file",
            found=error.strerror or type(error).__name__,
            where=str(path),
            fix="check the path; `demur init DATA` writes a configuration to start from",
        ) from error
    except (
        yaml.YAMLError,
        ValueError,
        RecursionError,
    ) as error:  # ValueError: a number or date that is none
        raise ConfigError(
            expected="YAML in UTF-8",
            found=" ".join(str(error).split()),
            where=str(path),
            fix="correct the line; values with a colon or a leading special character need quotes",
        ) from error
    if not isinstance(values, dict | None):
        raise ConfigError(
            expected="`name: value` lines",
            found=f"a {type(values).__name__}",
            where=str(path),
            fix="see examples/ for whole configurations",
        )
    return values or {}


def _from_yaml(path: Path) -> Any:
    """The values of a YAML file.

    Raises:
        yaml.YAMLError: it is none, or far larger than a configuration, with what its aliases stand for.
    """
    with path.open(encoding="utf-8") as file:
        text = file.read(MOST_CHARACTERS + 1)
    if len(text) > MOST_CHARACTERS:
        raise yaml.YAMLError(f"more than {MOST_CHARACTERS:,} characters")
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _count(node, {}) > MOST_VALUES:
            raise yaml.YAMLError(f"more than {MOST_VALUES:,} values, with those that aliases stand for")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _count(node: yaml.Node, known: dict[int, float]) -> float:
    """The values of a node, those that aliases repeat among them; infinite for one that holds itself."""
    if isinstance(node, yaml.ScalarNode) and "\0" in node.value:
        raise yaml.YAMLError("a text with a zero byte")
    if id(node) not in known:
        known[id(node)] = math.inf
        parts = [] if isinstance(node, yaml.ScalarNode) else node.value
        each = (part for item in parts for part in (item if isinstance(item, tuple) else (item,)))
        known[id(node)] = 1 + sum(_count(part, known) for part in each)
    return known[id(node)]


def _from_flag(name: str, value: Any) -> Any:
    """A flag's text as a value: pydantic turns plain text into numbers and truth values by itself.

    Args:
        name: of the setting. One that holds a text takes any text as it is.

    Raises:
        ConfigError: a list or mapping that is no YAML.
    """
    if not isinstance(value, str) or (value[:1] not in ("[", "{") and value not in ("null", "None")):
        return value
    kind = _kind_of(name)
    if kind is str or (kind in (str | None, Path, Path | None) and value[:1] in ("[", "{")):
        return value
    try:
        return None if value == "None" else yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if kind is None:  # an open name, such as one of model.options, may hold a text
            return value
        raise ConfigError(
            expected="a list or mapping as in YAML, such as '[a, b]' or '{a: 1}'",
            found=f"{value!r}: {' '.join(str(error).split())}",
            where=f"--{name}",
            fix="correct it; quote it for the shell as a whole",
        ) from error


def _kind_of(name: str) -> Any:
    """What a setting holds; None for an open name, which no field declares."""
    parts = name.split(".")
    name = ".".join(parts[2:]) if parts[0] == "overrides" else name
    found = dict(leaves()).get(name)
    return None if found is None else found.annotation


def _put(values: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
    values[keys[-1]] = value


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


ALL_SETTINGS = "correct these; `demur run --help` lists every setting with its meaning"


def explain(
    error: pydantic.ValidationError,
    where: str,
    *,
    known: Iterable[str] | None = None,
    fix: str = ALL_SETTINGS,
) -> ConfigError:
    """All problems of a configuration in one message, with the nearest name for unknown fields.

    Args:
        known: the names that there are; by default every setting's.
        fix: what to do.
    """
    names = [name for name, _ in leaves()] if known is None else list(known)
    problems = []
    for item in error.errors():
        name = ".".join(str(part) for part in item["loc"] if part != "[key]")
        if item["type"] == "extra_forbidden":
            problems.append(unknown("setting", name, names))
        else:
            problems.append(f"{name}: {item['msg']} (found {item['input']!r})")
    return ConfigError(
        expected="a configuration in which every setting is known and every value fits",
        found="\n          ".join(problems),
        where=where,
        fix=fix,
    )
