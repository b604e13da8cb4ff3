"""Named things that are loaded when they are used: methods, datasets, metrics, engines, judges.

A room adds an entry by one line in its ``__init__``; the target is a ``"module:attribute"`` string,
so that listing names imports nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar, cast

from demur.core.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to lazily imported objects.

    Args:
        kind: the word for an entry in messages, such as ``"method"``.
        targets: name to ``"module:attribute"``.
    """

    def __init__(self, kind: str, targets: Mapping[str, str]) -> None:
        self.kind = kind
        self._targets = dict(targets)

    def names(self) -> list[str]:
        """All names, in the order of registration."""
        return list(self._targets)

    def check(self, name: str, where: str | None = None) -> str:
        """Return the name if it is known.

        Raises:
            UnknownNameError: with the nearest known name.
        """
        if name not in self._targets:
            raise UnknownNameError(self.kind, name, self._targets, where)
        return name

    def get(self, name: str) -> T:
        """Import and return the entry called ``name``."""
        module, _, attribute = self._targets[self.check(name)].partition(":")
        return cast(T, getattr(importlib.import_module(module), attribute))

    def items(self) -> Iterator[tuple[str, T]]:
        """Import every entry, for listings and contract tests."""
        for name in self._targets:
            yield name, self.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._targets
