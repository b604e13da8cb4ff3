"""A server's keys: read from environment variables, and kept out of what is stored and shown."""

from __future__ import annotations

import os
import re

from demur.core.errors import ConfigError

HIDDEN = "[the key]"

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def read_key(variable: str) -> str:
    """The key in an environment variable, as it may stand in a header.

    Raises:
        ConfigError: there is none, or it is no key.
    """
    return read_keys(variable, several=False)[0]


def read_keys(variable: str, *, several: bool = True) -> list[str]:
    """The keys in an environment variable, at least one, with commas between several.

    Raises:
        ConfigError: there is none, or one that is no key.
    """
    if not _VARIABLE.fullmatch(variable):
        raise ConfigError(
            expected="the name of an environment variable, in capitals, such as OPENAI_API_KEY",
            found="something else, not shown here since it may be the key itself",
            where="key_variable",
            fix="export the key as a variable, and give that variable's name",
        )
    keys = [key.strip() for key in os.environ.get(variable, "").split("," if several else None)]
    keys = [key for key in keys if key]
    if not keys or (len(keys) > 1 and not several) or not all(map(_fits_a_header, keys)):
        raise ConfigError(
            expected=f"the server's key in the environment variable {variable}",
            found="characters that no key has" if keys else "no such variable, or an empty one",
            fix=f"export {variable}, or name no variable where no key is wanted",
        )
    return keys


def _fits_a_header(key: str) -> bool:
    return key.isascii() and key.isprintable() and " " not in key


def without_key(text: str, key: str | None) -> str:
    """A text in which the key, should a server repeat it, is not to be read."""
    return text.replace(key, HIDDEN) if key else text
