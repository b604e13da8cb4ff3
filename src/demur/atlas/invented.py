"""Names that nothing bears: unanswerable twins ask about them.

A name is spelt by a chain of letters that real names of the same kind teach. It is refused where it, or a
name one letter away, is the name of anything that is known.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from demur.atlas.gazetteer import fold

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ORDERS = (3, 2, 1)
"""A letter follows from so many before it; fewer where more only spell real names again."""
_TRIES = 500
_SHORTEST, _LONGEST = 6, 11
_BEGINNING = 4
"""An invented name shares fewer first letters than this with every real country and element."""
_ENDINGS = {
    "country": ("ia", "land", "stan", "ova"),
    "element": ("ium", "on", "ine"),
    "county": (),
    "city": (),
}
"""How an invented name of a kind ends."""
_RUDE = ("shit", "fuck", "cunt", "nigg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Real names, folded."""

    names: Collection[str]
    """Names of anything: no invented name is one of them, or one letter away from one."""
    beginnings: Collection[str]
    """The first `_BEGINNING` letters of countries and elements."""
    taken: set[str] = field(default_factory=set)
    """Names that were invented before, by any inventor that knows the same."""


def known(names: Collection[str], shunned: Iterable[str]) -> Known:
    """What invented names must keep away from.

    Args:
        names: folded names of anything.
        shunned: names of countries and elements.
    """
    return Known(names=names, beginnings={fold(name)[:_BEGINNING] for name in shunned})


class Inventor:
    """Invents names, each once.

    Args:
        models: real names to learn the spelling from.
        known: what to keep away from.
    """

    def __init__(self, models: Iterable[str], known: Known, rng: random.Random) -> None:
        self._known, self._rng = known, rng
        self._spelt = [name for name in map(fold, models) if name.isascii() and name.isalpha()]
        self._chains = {order: _chain(self._spelt, order) for order in _ORDERS}

    def invent(self, kind: str) -> str:
        """A name of a kind of entity; a county's ends in "County"."""
        for order in (order for order in _ORDERS for _ in range(_TRIES)):
            name = self._spell(order)
            if _ENDINGS[kind]:
                name = name[:7].rstrip("aeiou") + self._rng.choice(_ENDINGS[kind])
            if _SHORTEST <= len(name) <= _LONGEST and not self._near(name):
                self._known.taken.add(name)
                return _shown(name, kind)
        raise AssertionError(f"no name for a {kind} from {len(self._spelt)} real ones")

    def _spell(self, order: int) -> str:
        state = "^" * order
        letters: list[str] = []
        while (letter := self._rng.choice(self._chains[order][state])) != "$":
            letters.append(letter)
            state = (state + letter)[-order:]
        return "".join(letters)

    def _near(self, name: str) -> bool:
        names = self._known.names
        return (
            name[:_BEGINNING] in self._known.beginnings
            or any(word in name for word in _RUDE)
            or name in names
            or name in self._known.taken
            or any(other in names for other in one_letter_away(name))
        )


def _shown(name: str, kind: str) -> str:
    if kind == "element":
        return name
    return f"{name.capitalize()} County" if kind == "county" else name.capitalize()


def one_letter_away(name: str) -> Iterator[str]:
    """Every text with one letter more, one fewer, or one other."""
    for at in range(len(name) + 1):
        before, after = name[:at], name[at:]
        if after:
            yield before + after[1:]
        for letter in _LETTERS:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]


def _chain(names: Iterable[str], order: int) -> Mapping[str, Sequence[str]]:
    """Which letters follow each few letters; ``$`` is the end."""
    chain: dict[str, list[str]] = defaultdict(list)
    for name in names:
        text = "^" * order + name + "$"
        for at in range(order, len(text)):
            chain[text[at - order : at]].append(text[at])
    return chain
