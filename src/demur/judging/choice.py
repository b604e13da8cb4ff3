"""The rule for questions with choices: which option does the text pick?

An option is picked by its letter, wherever the text's final answer stands (`demur.judging.letters`), or
by its text: the option's words stand in the text, and no other option's do outside them (so "not
supported" picks that option and not "supported"). A letter goes before the text after it, unless that
text is wholly another option. A text that picks no option, or several, picks wrongly; so does "none of
the above", where it is no option. Accepted answers are letters or option texts; where none names an
option, the rule cannot tell. Source: Demur; the letter convention is MMLU's (arXiv 2009.03300).
"""

from __future__ import annotations

import re
from functools import lru_cache

from demur.core.records import Question
from demur.core.templates import LETTERS
from demur.judging import letters
from demur.judging.base import Judge
from demur.judging.containment import contains_words
from demur.judging.normalise import normalise, spaced

_BARE_LETTER = re.compile(r"[\s*_`\"'(\[]*+([A-Z])\s+(?=\S)")
_NONE_OF_THEM = re.compile(r"\b(?:none|neither|all|both|any) of (?:the |these |them|those)", re.IGNORECASE)


def right(question: Question, text: str) -> bool | None:
    """Whether the option that the text picks is an accepted one; None where no option is accepted."""
    accepted = _accepted(question.answers, question.choices)
    return pick(text, question.choices) in accepted if accepted else None


def pick(text: str, choices: tuple[str, ...]) -> int | None:
    """The index of the option that a text picks; None where it picks none or several."""
    options = _options(choices)
    whole = spaced(normalise(text))
    if " " in whole and whole in options:
        return options.index(whole)
    index, _ = _bare_letter(text, options)
    if index is not None:
        return index
    found = letters.find(text, len(options))
    if found is None:
        return _by_text(normalise(text), options)
    if not found.named:
        return _by_text(normalise(found.rest), options)
    stated = spaced(normalise(found.rest))
    if found.index is not None and stated in options and stated != options[found.index]:
        return None  # "B: Paris" where Paris is A
    return found.index


def _bare_letter(text: str, options: tuple[str, ...]) -> tuple[int | None, str]:
    """A letter without any mark after it, before its option's text: "A cat" is no letter where A is a
    dog.
    """
    match = _BARE_LETTER.match(text)
    index = LETTERS.find(match.group(1)) if match else -1
    if match is None or index >= len(options) or not options[index]:
        return None, text
    rest = text[match.end() :]
    return (index, rest) if spaced(normalise(rest)).startswith(options[index]) else (None, text)


def _by_text(normal: str, options: tuple[str, ...]) -> int | None:
    """The only option whose words stand in the text, options inside longer ones put aside."""
    if spaced(normal) in options:
        return options.index(spaced(normal))
    if _NONE_OF_THEM.search(normal) and not any(_NONE_OF_THEM.search(option) for option in options):
        return None
    found: list[int] = []
    for index in sorted(range(len(options)), key=lambda i: -len(options[i])):
        if len(options[index]) > 1 and contains_words(normal, options[index]):
            found.append(index)
            normal = _without(normal, options[index])
    return found[0] if len(found) == 1 else None


def _without(normal: str, option: str) -> str:
    """A normal form with an option's words blanked out; the form and its spaced twin align."""
    start = spaced(normal).find(option)
    while start >= 0:
        normal = normal[:start] + " " * len(option) + normal[start + len(option) :]
        start = spaced(normal).find(option)
    return normal


@lru_cache(maxsize=1 << 14)
def _options(choices: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(spaced(normalise(choice)) for choice in choices)


@lru_cache(maxsize=1 << 14)
def _accepted(answers: tuple[str, ...], choices: tuple[str, ...]) -> frozenset[int]:
    """Indices of the options that the accepted answers name, by letter or by text."""
    options = _options(choices)
    indices: set[int] = set()
    for answer in answers:
        normal = spaced(normalise(answer))
        if normal in options:
            indices.update(i for i, option in enumerate(options) if option == normal)
        else:
            found = letters.find(answer, len(options))
            indices.update(() if found is None or found.index is None else (found.index,))
    return frozenset(indices)


CHOICE = Judge(
    name="choice", source="Demur; letters after MMLU (arXiv 2009.03300)", right=right, choices_by=None
)
