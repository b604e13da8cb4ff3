"""Named things that are loaded when they are used: methods, datasets, metrics, engines, judges.

A room adds an entry by one line in its ``__init__``; the target is a ``"module:attribute"`` string, so
that listing names imports nothing. Other packages add entries by an entry point in the group of the
registry, such as ``demur.metrics``, or at run time with `Registry.register`.
"""

from __future__ import annotations

import functools
import importlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, Generic, TypeVar, cast

from demur.core.errors import ConfigError, PluginError, UnknownNameError
from demur.core.names import problem as name_problem

logger = logging.getLogger(__name__)

T = TypeVar("T")

GROUPS = (
    *("demur.methods", "demur.datasets", "demur.metrics", "demur.judges", "demur.engines"),
    "demur.signals",
)
"""The entry-point groups by which a package adds something to Demur."""


class Registry(Generic[T]):
    """Names to lazily imported objects.

    Args:
        kind: the word for an entry in messages, such as ``"method"``.
        targets: name to ``"module:attribute"``.
        group: the entry-point group that other packages add entries to, such as ``"demur.methods"``; it is
            read when names are listed, or when a name is none of our own.
        form: what an entry of another package must be, as a noun phrase for messages.
        fits: whether an entry of another package, given its name, has that form.
        kept: what a name that is free otherwise is kept for; None where it can be used.
    """

    def __init__(
        self,
        kind: str,
        targets: Mapping[str, str],
        *,
        group: str | None = None,
        form: str = "",
        fits: Callable[[str, Any], bool] = lambda _name, _found: True,
        kept: Callable[[str], str | None] = lambda _name: None,
    ) -> None:
        self.kind = kind
        self.group = group
        self._targets: dict[str, object] = dict(targets)
        self._form, self._fits, self._kept = form, fits, kept
        self._told: set[str] = set()
        self._registered: set[str] = set()

    def register(self, name: str, target: str | T) -> None:
        """Add an entry for this process; worker processes that start anew do not have it.

        Args:
            target: ``"module:attribute"``, imported when the entry is used, or the object itself.

        Raises:
            ConfigError: the name is taken or cannot be a name, or the object is not what an entry must be.
        """
        taken = f"{name!r} is taken" if name in self else None
        if isinstance(target, str):
            wrong = None if all(target.partition(":")) else f"{target!r} names no attribute of a module"
        else:
            wrong = self._misfit(name, target)
        if problem := taken or self._bad_name(name) or wrong:
            raise ConfigError(
                expected=f'a free name, and "module:attribute" or {self._form or "an object"}',
                found=problem,
                where=f"registering the {self.kind} {name!r}",
                fix="choose another name" if wrong is None else "register another target",
            )
        self._targets[name] = target
        self._registered.add(name)

    def names(self) -> list[str]:
        """All names, our own first, then those of other packages; imports nothing."""
        return [*self._targets, *(name for name in self._plugins if name not in self._targets)]

    def check(self, name: str, where: str | None = None) -> str:
        """Return the name if it is known.

        Raises:
            UnknownNameError: with the nearest known name.
            PluginError: a package adds it that cannot: two packages do, or the name is not allowed.
        """
        if name not in self:
            if name in self._refused:
                raise self._refused[name]
            raise UnknownNameError(self.kind, name, self.names(), where)
        return name

    def get(self, name: str) -> T:
        """Import and return the entry called ``name``.

        Raises:
            UnknownNameError: there is none.
            PluginError: it was registered or comes from another package, and cannot be used.
        """
        self.check(name)
        if name not in self._targets:
            return self._plugin(name)
        target = self._targets[name]
        if not isinstance(target, str):
            return cast(T, target)
        return self._imported(name, target)

    def _imported(self, name: str, target: str) -> T:
        """The object that ``"module:attribute"`` names."""
        module, _, attribute = target.partition(":")
        try:
            return cast(T, getattr(importlib.import_module(module), attribute))
        except (ImportError, AttributeError) as error:
            if name not in self._registered:
                raise  # one of Demur's own: a package that it needs is missing, or a defect
            raise PluginError(
                expected=f"the {self.kind} {name!r} at {target}",
                found=f"{type(error).__name__}: {error}",
                where=f"registering the {self.kind} {name!r}",
                fix="correct the target, or install the package that it is in",
            ) from error

    def items(self) -> Iterator[tuple[str, T]]:
        """Import every entry, for listings and for what uses them all.

        An entry that was registered or comes from another package and cannot be used is left out, with a
        warning that names it.
        """
        for name in self.names():
            try:
                found = self.get(name)
            except PluginError as error:
                self._warn(name, error)
                continue
            yield name, found

    def __contains__(self, name: object) -> bool:
        return name in self._targets or name in self._plugins

    @cached_property
    def _offered(self) -> list[EntryPoint]:
        """What installed packages add to this registry, by name."""
        found = () if self.group is None else installed(self.group)
        return sorted(set(found), key=lambda entry: (entry.name, entry.value))

    @cached_property
    def _refused(self) -> dict[str, PluginError]:
        """Why an installed package cannot add an entry by a name."""
        counts = Counter(entry.name for entry in self._offered)
        refused = {}
        for entry in self._offered:
            taken = f"Demur has a {self.kind} of this name" if entry.name in self._targets else None
            if counts[entry.name] > 1:
                taken = "several packages add it: " + ", ".join(
                    _package(other) for other in self._offered if other.name == entry.name
                )
            if problem := taken or self._bad_name(entry.name):
                refused[entry.name] = self._error(entry, problem)
        for name, error in refused.items():
            self._warn(name, error)
        return refused

    @cached_property
    def _plugins(self) -> dict[str, EntryPoint]:
        """The entries of installed packages that have a name of their own."""
        return {entry.name: entry for entry in self._offered if entry.name not in self._refused}

    def _plugin(self, name: str) -> T:
        entry = self._plugins[name]
        try:
            found = entry.load()
        except (Exception, SystemExit) as error:
            raise self._error(entry, f"{type(error).__name__}: {error}") from error
        if problem := self._misfit(name, found):
            raise self._error(entry, problem)
        return cast(T, found)

    def _misfit(self, name: str, found: object) -> str | None:
        try:
            fits = self._fits(name, found)
        except AttributeError:
            fits = False
        return None if fits else f"{found!r:.100} is not {self._form} called {name!r}"

    def _bad_name(self, name: str) -> str | None:
        kept = self._kept(name)
        return name_problem(self.kind, name) or (f"{name!r} is kept for {kept}" if kept else None)

    def _error(self, entry: EntryPoint, problem: str) -> PluginError:
        package = _package(entry)
        return PluginError(
            expected=f"the {self.kind} {entry.name!r} from the installed package {package} ({entry.value})",
            found=problem,
            where=f"the entry point {entry.name!r} in {self.group} of {package}",
            fix=f"correct or update the package, or remove it: pip uninstall {package.split()[0]}",
        )

    def _warn(self, name: str, error: PluginError) -> None:
        """Say once that an entry is left out."""
        if name not in self._told:
            self._told.add(name)
            logger.warning("the %s %r is left out\n%s", self.kind, name, error.message())


@functools.cache
def installed(group: str) -> EntryPoints:
    """The entry points of a group in all installed packages, read once for a process."""
    return entry_points(group=group)


def packages() -> dict[str, str]:
    """The installed packages that add something to Demur, with their versions."""
    found = [entry.dist for group in GROUPS for entry in installed(group)]
    return {dist.name: dist.version for dist in found if dist is not None}


def _package(entry: EntryPoint) -> str:
    """The package that an entry comes from, with its version."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.module.partition(".")[0]
