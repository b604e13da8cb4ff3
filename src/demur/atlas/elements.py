"""Chemical elements: names, symbols and periods (periodictable)."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from demur.atlas import packages

_LAST_OF_PERIOD = (2, 10, 18, 36, 54, 86, 118)
"""Atomic numbers of the noble gases, with which the periods end."""
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven")
_SUFFIXES = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th")
_ROMAN = ("", "II", "III", "IV", "V", "VI", "VII")
"""Without the first, which is an English word."""
_WORDS = frozenset(["Am", "As", "At", "Be", "He", "I", "In", "No"])
"""Symbols that are English words: a judge that looks for words would find them in any sentence."""
_SPELLINGS = {"aluminum": "aluminium", "cesium": "caesium", "sulfur": "sulphur"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A chemical element."""

    number: int
    """Its atomic number."""
    name: str
    symbol: str

    @property
    def asked_name(self) -> str:
        """The name within a question, with its other spelling."""
        other = _SPELLINGS.get(self.name)
        return f"{self.name} ({other})" if other else self.name


def read_elements() -> list[Element]:
    """The 118 elements.

    Raises:
        DataError: the package is not installed.
    """
    table: Any = packages.load("periodictable").elements
    found = [Element(number=item.number, name=item.name, symbol=item.symbol) for item in table]
    return [element for element in found if element.number > 0 and re.match(r"[A-Z]", element.symbol)]


def symbols(element: Element) -> tuple[str, ...]:
    """The symbol; none where it is an English word."""
    return () if element.symbol in _WORDS else (element.symbol,)


def periods(element: Element) -> tuple[str, ...]:
    """The accepted ways to write an element's period; lanthanides are in the 6th, actinides in the 7th."""
    at = bisect_left(_LAST_OF_PERIOD, element.number)
    names = (str(at + 1), _SUFFIXES[at], _ORDINALS[at], _NUMBERS[at], _ROMAN[at])
    return tuple(filter(None, names))
