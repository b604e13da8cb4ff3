"""How a text opens, without its fillers, and denials in a word or two: "None.", "Never", "Nobody has."

Patterns are for the plain form of `refusal_text`, in lower case. Source: Demur.
"""

from __future__ import annotations

import re

_FILLER = re.compile(
    r"\W*(?:(?:short |quick |brief |long )?answer:?\n\s*|\d[.)] )?"
    r"(?:(?:actually|well|no|sorry|unfortunately|however|in fact|in reality|h+m+|currently|technically"
    r"|first(?: of all)?|so|a+h*|o+h*|a+w+|h+a+(?: h+a+)*|haha|oof|w[oh]+a+|wow|hey|hold on|wait"
    r"|strictly speaking"
    r"|(?:as of|according to|based on|contrary to|as far as|to|in|at|by|as an?|during|unlike)"
    r" [^,.;\n]{1,70})[,!.]+\s+)*"
    r"(?:(?:yes|no|hello|hi|thanks|thank you|good question|i am sorry|i apologi[sz]e)[.!,]\s+)?"
)
_NATION = re.compile(r"\b(?:the )?u\. ?s\.(?: ?a\.)?(?=\W|\Z)|\b(?:the )?united states(?: of america)?\b")
_APPOSITION = re.compile(
    r"(?P<subject>[\w' -]{2,50}), (?:being|which|who|the|an?|one|like) (?:(?!\bnot\b)[^,.;]){2,90},"
    r"(?= (?:has|have|had|is|are|was|were|do|does|did|can|could|will|would) (?:\w+ly )?(?:not|never|no)\b)"
)
"""What is put in between a subject and its negation: "Rome, the capital of Italy, has not …"."""
_OPENING = 260
"""Characters in which a denial of the question is looked for."""


def one_name(text: str) -> str:
    """A text in lower case in which the United States have one name, and no full stop."""
    return _NATION.sub("the us", text) if "u.s" in text or "u. s" in text or "united s" in text else text


def opening_of(plain: str) -> str:
    """How a text begins, without fillers and without what is put in after its subject."""
    filler = _FILLER.match(plain)
    start = filler.end() if filler else 0
    opening = one_name(plain[start : start + _OPENING])
    return _APPOSITION.sub(lambda match: match["subject"], opening, count=1)


_ASKS_ONE = re.compile(
    r"(?:in |on |at |by )?(?:who|whom|when|where|(?:what|which) (?!of\b)\w+|what (?:is|was|are|were))\b"
)
_OF_NONE = re.compile(r"\bor\b|\bhow (?:many|much)\b|\b(?:of these|following|if any|any)\b|\byou\b")
_FLAT = re.compile(
    r"(?:none|never|nobody|no one|nowhere|nothing)(?=[.!;]|\s*\Z)|there (?:is|was) none\W*\Z"
)
_NEVER_DONE = re.compile(
    r"(?:nobody|no one|no (?:human|person|man|woman|\w+))(?: \w+)? (?:has|have|had|did|does|do|can|could)"
    r" (?:ever |yet |actually |really )*(?:(?:done|do|does|did|managed?|achieved?|accomplished?)"
    r" (?:that|this|it|so|such a thing))?(?: yet| before)?(?=[.,;!]|\s*\Z)"
)
_BY_NONE = re.compile(r"[^.;:!?]{1,80} (?:was|were|is|are|has been) \w+ by (?:no one|nobody|none)\b")


def denies_flatly(opening: str, question: str) -> bool:
    """Whether a text answers a question for one thing by "none", "never" or "nobody has".

    Args:
        opening: as from `opening_of`.
        question: in plain form.
    """
    if not any(pattern.match(opening) for pattern in (_FLAT, _NEVER_DONE, _BY_NONE)):
        return False
    return _ASKS_ONE.match(question) is not None and _OF_NONE.search(question) is None


_MISTAKEN = re.compile(
    r"(?:the|this|that|your|you) (?:question|premise|are|request) (?:\w+ )?(?:rests?|(?:is )?based"
    r"|(?:is )?built|relies|"
    r"working|going) (?:up)?on (?:an? )?(?:\w+ )?(?:misunderstanding|misconception|confusion|error"
    r"|mistake|myth)\b"
)


def calls_mistaken(opening: str) -> bool:
    """Whether a text begins by saying that its question rests on a mistake."""
    return _MISTAKEN.match(opening) is not None
