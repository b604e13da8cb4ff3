"""Names that nothing bears: unanswerable twins ask about them.

A name is spelt by a chain of letters that real names of the same kind teach. It is refused where it, or a
name one letter away, is the name of anything that is known.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from demur.atlas.gazetteer import fold

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ORDER = 3
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
        self._taken: set[str] = set()
        self._next: Mapping[str, Sequence[str]] = _chain(models)

    def invent(self, kind: str) -> str:
        """A name of a kind of entity; a county's ends in "County"."""
        while True:
            name = self._spell()
            if _ENDINGS[kind]:
                name = name[:7].rstrip("aeiou") + self._rng.choice(_ENDINGS[kind])
            if _SHORTEST <= len(name) <= _LONGEST and name not in self._taken and not self._near(name):
                self._taken.add(name)
                return _shown(name, kind)

    def _spell(self) -> str:
        state = "^" * _ORDER
        letters: list[str] = []
        while (letter := self._rng.choice(self._next[state])) != "$":
            letters.append(letter)
            state = (state + letter)[-_ORDER:]
        return "".join(letters)

    def _near(self, name: str) -> bool:
        names = self._known.names
        return (
            name[:_BEGINNING] in self._known.beginnings
            or any(word in name for word in _RUDE)
            or name in names
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


def _chain(names: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Which letters follow each three letters; ``$`` is the end."""
    chain: dict[str, list[str]] = defaultdict(list)
    for name in names:
        folded = fold(name)
        if folded.isascii() and folded.isalpha():
            text = "^" * _ORDER + folded + "$"
            for at in range(_ORDER, len(text)):
                chain[text[at - _ORDER : at]].append(text[at])
    return chain
