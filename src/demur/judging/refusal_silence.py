"""A short text that denies knowing or telling, and names nothing: a refusal in words that no sign lists.

"Neither the title page nor the preface says", of who wrote the letters. A question that asks for a name, a
place, a time or a number is answered by one; a text that holds none, and whose first clause joins a
negation with a word of knowing, telling or recording that is not the question's, does not answer it. Of
other questions it is read so only where the writer or the text given is what the clause speaks of.
Not read so: longer texts, texts in small letters alone, where names cannot be seen, and remarks on a name
("the dentist, who said nothing"). Source: Demur.
"""

from __future__ import annotations

import re
from functools import lru_cache

from demur.judging.refusal_answers import LEADS, guesses, idle
from demur.judging.refusal_text import parts
from demur.judging.refusal_words import word_set

LONGEST = 220
"""Characters of a text that is read so."""

_NAMES_SOMETHING = re.compile(
    r"(?:(?:and|so|in|on|at|by|for|from|to|with|of|under|during|after) )?(?:who|whom|whose|when|where|which"
    r"|how (?:many|much|long|old|far|tall|big|large|often|high|deep|fast|heavy|wide)"
    r"|what (?:year|date|day|month|time|city|country|age|number|position|place|team|river|state)"
    r"|what (?:is|was|are|were) (?:[\w'-]+ ){0,4}?(?:names?|title|year|date|number|population|capital"
    r"|author|address"
    r"|nationality|birthplace|height|age|price|cost|surname|score|length|weight|distance|point|salary"
    r"|budget))\b"
)
_NO = re.compile(
    r"\b(?:not|no|never|nothing|nobody|none|neither|cannot|without|unable|hardly|insufficient|impossible"
    r"|irresponsible"
    r"|unfair|wrong of me|dishonest|uncertain|unsure|predates?|lacks?|missing|absent|outside|beyond|lost)\b"
)
_TELLS = re.compile(
    r"\b(?:(?<!no )know\w*(?! (?:for|as|to be)\b)|says?|said|saying|tells?|told|telling|names?|named"
    r"|naming|identif\w+|record\w*(?! history)"
    r"|mention\w*|stat(?:e|es|ed"
    r"|ing)|specif\w+|find|found|guess\w*|answer\w*|establish\w*|information|info|data|evidence|sources?"
    r"|clues?|idea"
    r"|memory|recall|remember|look (?:that|it) up|attribut\w+|public|disclos\w+|document\w*|determin\w+"
    r"|speculat\w+"
    r"|cutoff|training|trained|settle[ds]?|provid\w+|comment\w*|context|details?|reveal\w*|confirm\w*"
    r"|verif\w+|speak"
    r"|authorship|address(?:es|ed)?|indicat\w+|explain\w*|surviv\w+|help|sure|certain|confiden\w+|notes"
    r"|pin(?:ned)? down"
    r"|cover(?:s|ed)?|list(?:s|ed)?|describ\w+|invent\w*|fabricat\w*|make (?:one|it|something|this|that)"
    r" up)\b"
)
_OWN = re.compile(
    r"(?:(?:sorry|well|hmm+|honestly|unfortunately|alas|regrettably|truthfully),? )?(?:but )?(?:i|my [\w"
    r" ]{1,20}?|nobody|no one"
    r"|(?:the|this|that|your)(?: \w+){0,2} (?:passage|text|excerpt|article|document|context|records?"
    r"|sources?|paragraph"
    r"|transcript|report|page|prompt))\b"
)
_RELATIVE = re.compile(
    r"\b(?:he|she|said|asked|who|whose|whom|which|because|since|so that|if|when|after|before|until)\b"
)
_FIGURE = re.compile(
    r"\d|\b(?:zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?"
    r"|thousands?|millions?"
    r"|billions?|half|twice|once|daily|weekly|yearly|tomorrow|yesterday|today|nowhere|everywhere|always"
    r"|forever"
    r"|january|february|march|april|june|july|august|september|october|november|december|spring|summer"
    r"|autumn|winter)\b"
)
_CAPITAL = re.compile(r"(?P<first>(?:\A|[.!?:;\n])[\W_]*)?\b(?P<word>[A-Z][\w'’-]*)")
_WORDS = re.compile(r"[a-z][a-z'-]*")
_OPENERS = word_set(
    "the this that these those it its there i my we our you your he she they his her their a an as at",
    "in on by from of to for with without no not nobody none nothing neither nor never sorry honestly",
    "unfortunately alas regrettably well hmm hm oh ah um uh ok okay sure please thanks thank good great",
    "any anything whatever whoever some if even although though while unless since because given based",
    "according considering frankly truthfully sadly afraid apologies let all both each only just really",
    "such here who what which when where how why one unable uncertain unknown unclear insufficient",
    "impossible is are was were do does did can could would will may might must should have has had am",
    "been being don't can't didn't isn't wasn't won't couldn't author title name date number year place",
    "source answer result records record history historians scholars experts sources text passage ai",
)
"""Words that may open a sentence without being a name."""


@lru_cache(maxsize=4096)
def _asked(question: str) -> tuple[frozenset[str], bool]:
    """The words of a question, and whether a name, a place, a time or a number answers it."""
    return frozenset(_WORDS.findall(question)), _NAMES_SOMETHING.match(question.strip()) is not None


def tells_nothing(composed: str, plain: str, question: str) -> bool:
    """Whether a text only says, in whatever words, that it does not know or tell.

    Args:
        composed: the text in plain form, with its capitals.
        plain: the same in lower case.
        question: in plain form; without one nothing is known of what would answer it.
    """
    if len(plain) > LONGEST or not question:
        return False
    words, named = _asked(question)
    if not named and ("you" in words or not _OWN.match(plain.strip())):
        return False
    if not _NO.search(plain) or not _TELLS.search(plain):
        return False
    if (
        _FIGURE.search(plain)
        or '"' in plain
        or "“" in plain
        or guesses(plain)
        or not composed.lstrip(" \n(*")[:1].isupper()
    ):
        return False
    if any(_is_name(match, words) for match in _CAPITAL.finditer(composed)):
        return False
    clauses = parts(plain)
    first = next(
        (clause for clause in clauses[:2] if not (idle(clause.text) or LEADS.match(clause.text))), None
    )
    told = first if first is not None else clauses[0]
    return _denies_telling(told.text, words) or (
        told.text != clauses[0].text and _denies_telling(clauses[0].text, words)
    )


def _is_name(match: re.Match[str], asked: frozenset[str]) -> bool:
    """Whether a capitalised word may be an answer, and neither is the question's nor opens a sentence."""
    word = match["word"].lower()
    if word in asked or word.removesuffix("'s") in asked or word == "i":
        return False
    return match["first"] is None or word not in _OPENERS


def _denies_telling(clause: str, asked: frozenset[str]) -> bool:
    no = _NO.search(clause)
    if no is None or _RELATIVE.search(clause[: no.start()]):
        return False
    return any(found[0] not in asked for found in _TELLS.finditer(clause))
