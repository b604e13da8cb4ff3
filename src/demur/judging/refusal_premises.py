"""Denials of what a question takes for granted: there is no such thing, it is made up, it never happened.

A denial counts where nothing else is said. "Goats do not lay eggs; they bear live
kids" corrects, and answers.
Patterns are for the plain form of `refusal_text`, in lower case.
"""

from __future__ import annotations

import re
from functools import lru_cache

from demur.judging.refusal_words import bounded

FICTION = (
    r"(?:fictional|fictitious|made[- ]up(?! (?:of|by|from)\b)|imaginary|mythical|invented|hypothetical"
    r"|nonexistent|non-existent)"
)
_ROLE = (
    r"(?:character|player|contestant|song|album|book|novel|film|movie|show|series|episode|verse"
    r"|word|term|phrase)"
)
_SEEMS = r"(?:is|are|was|(?:seems?|appears?) to be)"
_DO_NOT = r"(?:do|does|did) not"
_NO_SUCH = (
    rf"(?<!that )(?<!which ){_DO_NOT} (?:actually |really |(?:seem|appear) to )?exist"
    r"(?: in (?:reality|the real world|real life)| in nature)?(?= as\b|[,.!;]|\s*\Z)",
    r"there (?:is|are|was|were) no such \w+|no such \w+ (?:exists?|existed|took place|was|has)",
    r"there (?:is|are|was|were) no (?:[\w'-]+ ){1,7}"
    r"(?:known as|called|named|titled|(?:by|of|with|under) (?:that|this) (?:name|title))",
    rf"no (?:\w+ )?(?:{_ROLE}|person|place|animal|species|event|country) (?:by|of|with|under|called|named) "
    r"(?:that |this )?[\w ]{1,40}? (?:exists?|existed|was (?:made|written|held))",
    r"there (?:do|does) not (?:seem|appear) to be (?:an? |any )",
    rf"(?:is|are) not (?:an? )?(?:\w+ )?{_ROLE}s?",
    rf"an? {FICTION} (?:or [\w-]+ )?(?:word|term|name)",
    rf"{_DO_NOT} (?:(?:seem|appear) to )?(?:correspond|refer) to any(?:thing)?",
    rf"{_SEEMS} (?:\w+ )?{FICTION}(?=[.,;]|\s*\Z)",
    rf"(?<!which )(?<!that ){_SEEMS} not (?:an? )?(?:real|actual|existing|recogni[sz]ed|known) [\w"
    rf" ]{{1,30}}?(?=[.,;]|\s*\Z)",
    rf"{_DO_NOT} (?:seem|appear) to be an? (?:\w+ )?(?:real|actual|existing|recogni[sz]ed|known) \w+",
    r"(?:that|this|it|the event|this event|that event|such an event) (?:never|did not|has never|has not) "
    r"(?:actually |really )?(?:happened|happen|took place|take place|occurred|occur)",
    r"(?:there (?:is|was|are|were) )?no (?:\w+ ){1,4}(?:was|were) (?:ever )?(?:held|played|awarded|built"
    r"|released|made|signed) in",
    r"(?:false|incorrect|wrong|faulty|flawed|mistaken|invalid|untrue) (?:premise|assumption"
    r"|presupposition)s?",
    r"(?:question|premise|it) (?:\w+ )?(?:assumes|presupposes|presumes) (?:\w+ ){1,8}(?:not|false|never"
    r"|untrue|incorrect|wrong)\b",
    r"(?:the )?premise (?:of (?:the|this|your) question )?is (?:\w+ )?(?:false|incorrect|wrong|flawed"
    r"|not (?:true|correct|accurate))",
    r"there (?:is|are|was|were) no (?:\w+ )?(?:records?|evidence|mentions?|proof|documentation) (?:of"
    r"|that|for|to suggest)",
    r"(?:do|does) not (?:actually |really )?have an? (?=king|queen|president|capital|emperor|official)",
)
"""Denials that are complete: what exists by its name alone is nothing else either. "Bo is not a character
of the show" says that there is no Bo; "a tomato is not a root" says what a tomato is not, and corrects."""
_NOT_REAL = (
    rf"(?:an?|being|are) (?:\w+ )?{FICTION}",
    rf"(?:seems?|appears?) to be (?:an? )?(?:\w+ )?{FICTION}",
    rf"{_DO_NOT} (?:actually |really )?exist",
    rf"{_DO_NOT} (?:seem|appear) to (?:exist|refer|be an?)",
    r"not a (?:commonly )?(?:real|known|recogni[sz]ed)",
    r"(?:was|were|been) (?:just |simply |apparently )?(?:made up|invented|fabricated) (?:for|by you"
    r"|in this|just)",
)
"""Remarks that what is asked about is made up: an answer about it may still follow."""

_HOLDS = (
    *("exist", "no such", "there is no", "there are no", "there was no", "there were no", "there does not"),
    *(
        "not a ",
        "not an ",
        "is not",
        "are not",
        "not seem",
        "not appear",
        "not refer",
        "not correspond",
        "fict",
    ),
    *(
        "made up",
        "made-up",
        "imagin",
        "myth",
        "invent",
        "hypoth",
        "premise",
        "assum",
        "presup",
        "never",
        "no ",
    ),
    *("happen", "take place", "fabricat"),
)
ASKED_IS_DENIED = re.compile(
    r"\b(?:(?:do|does|did|is|are|can|has|have) not\b(?! (?:actually |really )?exist)"
    r"|(?:there (?:is|are)|has|have|with) no|no (?:specific|known|animal)\b)"
)
"""What a text about something that does not exist says where it gives no answer."""
_CORRECTS = re.compile(r"\b(?:but|rather|instead|actually|as|since|because)\b|;")
_REASON = re.compile(r";|\b(?<!such )(?:as|since|because) (?:it|they|he|she|there|\Z)")
EVIDENCE = re.compile(
    r"\bno (?:\w+ )?(?:evidence|proof|records?) (?:of|that|for|to|has|was|exists?"
    r"|links?)\b"
)
"""A finding, where the question asks whether: "There is no evidence that sugar …"."""


def may_deny(plain: str) -> bool:
    """Whether a text can hold a denial of this kind."""
    return any(part in plain for part in _HOLDS)


@lru_cache(maxsize=1)
def no_such() -> re.Pattern[str]:
    """A denial that there is anything of that name, or that what is asked about took place."""
    return re.compile(bounded("|".join(_NO_SUCH)))


@lru_cache(maxsize=1)
def not_real() -> re.Pattern[str]:
    """A remark that what is asked about does not exist, or is made up."""
    return re.compile(bounded("|".join(_NOT_REAL)))


def is_complete(denial: re.Match[str], question: str, answers: re.Pattern[str]) -> bool:
    """Whether a denial corrects neither what the question claims ("Is Bo a character …?") nor itself.

    Args:
        answers: what shows that a clause answers.
    """
    if _REASON.search(denial.string[: denial.start()]):
        return False
    last = denial[0].split()[-1]
    if "no such" not in denial[0] and re.search(rf"\ban? (?:\w+ )?{re.escape(last)}\b", question):
        return False
    rest = denial.string[denial.end() :].removeprefix(" as ")
    return bool(re.search(FICTION, rest)) or not (_CORRECTS.search(rest) or answers.search(rest))


_THERE_IS_NO = re.compile(r"\W*(?:there (?:is|are|was|were) (?:currently )?no|no) [\w' -]+[.!]?\s*\Z")
_LONG_WORDS = re.compile(r"[a-z]{4,}")
_LITTLE_WORDS = frozenset(
    {"there", "with", "that", "this", "have", "been", "from", "currently", "were", "known"}
)


def bare_denial(plain: str, question: str) -> bool:
    """Whether a text only denies what the question takes for granted: "There is no king of Spain."

    Every word of it stands in the question, which asks neither whether nor how many.
    """
    if not question or not _THERE_IS_NO.match(plain) or re.match(r"how (?:many|much)\b", question):
        return False
    if re.match(r"(?:is|are|was|were|do|does|did|can|has|have|will|would|should|could)\b", question):
        return False
    said = {word[:5] for word in _LONG_WORDS.findall(plain) if word not in _LITTLE_WORDS}
    asked = {word[:5] for word in _LONG_WORDS.findall(question)}
    return bool(said) and said <= asked
