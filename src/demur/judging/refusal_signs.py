"""What a refusal looks like, in words: the patterns that `refusals` reads texts with.

Every pattern is for plain text: lower case, straight apostrophes. Each is a way of declining (who denies
what, and what it lacks), not a sentence of some model. What they were tried on: `docs/results/refusals.md`.
Sources: R-Tuning (arXiv 2311.09677) and SelfAware (arXiv 2305.18153) for the phrases.
"""

from __future__ import annotations

import re
from functools import lru_cache

R_TUNING_PHRASES = (
    "The answer is unknown.",
    "The answer is uncertain.",
    "The answer is unclear.",
    "It is not known.",
    "I do not know the answer.",
    "I'm not sure.",
    "There is no definitive answer.",
    "There is much debate.",
    "There is no concrete answer to this question.",
    "It is impossible to answer.",
    "There is no known case.",
    "There is no public information available.",
    "There is no scientific evidence.",
    "There is no right answer.",
    "It is impossible to know.",
    "It is difficult to predict.",
)
"""The uncertainty phrases of R-Tuning's replacement variant (R-Tuning-R)."""

WHOLE_TEXTS = frozenset(
    {
        "unknown",
        "not known",
        "unanswerable",
        "unclear",
        "uncertain",
        "unsure",
        "unspecified",
        "dunno",
        "idk",
    }
    | {"n/a", "no answer", "cannot answer", "can't answer", "can't say", "cannot say", "who knows"}
    | {"not provided", "not mentioned", "not specified", "not stated", "not available", "not applicable"}
    | {"no information", "no information available", "cannot be determined"}
)
"""Texts that are a refusal where nothing else stands beside them."""

_HINTS = (
    *("n't", "dont", "didnt", "cant", "not ", "cannot", "no ", "nobody", "none of", "never", "nothing"),
    *("neither", "little ", "lack", "insufficient", "unknown", "unsure", "unable", "uncertain", "unclear"),
    *("unaware", "unfamiliar", "unanswerable", "impossible", "difficult to", "much debate", "debated"),
    *("disputed", "mystery", "i would", "i'd", "we'd", "can only", "declin", "refuse", "to be ", "beyond"),
    *("outside", "you mean", "asking about", "referring to", "clarify", "rephrase", "specify", "provide"),
    *("give", "idk", "dunno", "fictional", "fictitious", "made up", "made-up", "imaginary", "mythical"),
    *("invented", "hypothetical"),
)
"""Every built-in sign holds one of these."""


def may_decline(plain: str) -> bool:
    """Whether a closer look is worth it: most texts are cleared by this one."""
    return any(hint in plain for hint in _HINTS)


_NOT = r"(?: not|n'?t)"
_DO_NOT = rf"(?:do|does|did){_NOT}"
_CANNOT = r"(?:can ?not|can'?t|could not|couldn'?t)"
_WILL_NOT = r"(?: will not| would not| won't| wouldn't)"
_AM = r"(?: am| are|'m|'re| was| were)"
_KNOW = r"(?:know|understand|recogni[sz]e|recall|remember|possess)"
_SAY = (
    r"(?:answer|say|tell|determine|provide|give|know|verify|confirm|find|locate|access|understand|comment"
    r"|help|assist|describe|identify|recommend|offer|speculate|discuss|share|respond|predict|be able"
    r"|fulfill?|comply|physically|personally|make (?:any |a )?(?:definiti|meaningful))"
)
_INFORMATION = r"(?:information|knowledge|context|data|details|evidence|records?|mention|sources?)"
_LACKED = rf"(?:{_INFORMATION}|answer|access|opinions?|idea|clue)"
_WITHHELD = r"(?:announced|confirmed|disclosed|mentioned|revealed|specified|stated)"
_TOLD = (
    rf"(?:{_WITHHELD}|determined|decided|documented|identified|named|published|recorded|released|reported)"
)
_MY = r"my (?:\w+ )?(?:knowledge|training(?: data)?|(?:area of )?expertise|abilities|capabilities)"
_GIVEN = r"(?:context|passage|text|document|article|question|prompt)s?"
_COMPLETE = (
    r"(?=[.,;!)]|\s*\Z| (?:who|what|when|where|which|why|how|whether|if|yet|at|about|anywhere"
    r"|exactly|for (?:sure|certain)|with|to (?:me|us))\b)"
)
"""Where a remark that something is unknown is complete, or goes on with what: "known.", "known who …"."""
_DENY = rf"(?: (?:do|did){_NOT}| {_CANNOT}|{_WILL_NOT}| have (?:no|never)|{_AM} (?:not|unable))"

_SIGNS: dict[str, tuple[str, ...]] = {
    # The writer does not know, lacks what it takes, has not met the name; it cannot or will not answer.
    r"(?:i|we)": (
        rf" (?:\w+ )?{_DO_NOT} (?:\w+ )?{_KNOW}",
        rf" {_DO_NOT} (?:\w+ )?(?:have|see|find) (?:[\w-]+ ){{0,3}}{_LACKED}",
        rf" {_DO_NOT} (?:think|believe) i (?:know|can|have)",
        rf"(?: (?:have|find|found|see)|'ve| (?:can|could) find)(?: \w+)? no (?:\w+ )?{_LACKED}",
        rf" haven't (?:\w+ ){{1,2}}{_LACKED}",
        rf" lack (?:\w+ ){{0,2}}{_LACKED}",
        r"(?:'d| would) need (?:more|additional|further|some)",
        r"(?: have|'ve)(?: never| not|n't) heard of",
        rf"{_AM} (?:\w+ )?(?:not |un)(?:sure|certain|aware|familiar)",
        rf"(?:(?: \w+)? {_CANNOT}|{_WILL_NOT}|{_AM}(?: unable|{_NOT} (?:able|going)) to) (?:\w+ )?{_SAY}",
        rf" can (?:only|neither) {_SAY}",
        r"(?:'d| would) (?:rather|prefer) not| prefer not to| (?:\w+ ){0,2}(?:decline|refuse)",
    ),
    r"not (?:\w+ ){1,5}i": (rf"{_AM} (?:aware|familiar)| know",),
    # After an excuse, and from a model that says it is one, any denial in the first person declines.
    r"(?:sorry|afraid|unfortunately|regrettably|apologi[sz]e|apologies),? (?:but |that )?i": (_DENY,),
    r"(?:as|i'm|i am) (?:just |only )?(?:an?|your) (?:\w+ )?(?:ai|assistant|language model)\b": (
        rf"[^\n]{{0,120}}?\b(?:i|and){_DENY}",
    ),
    rf"(?:beyond|outside) (?:of )?(?:the scope of )?{_MY}": ("",),
    rf"{_MY} (?:{_DO_NOT}|{_CANNOT}) (?:include|cover|contain|extend|go)": ("",),
    # Nobody knows, nobody can know, or nobody has told.
    r"(?:no one|nobody) (?:\w+ )?knows": (_COMPLETE,),
    rf"(?:historians|scientists|scholars|experts|researchers) (?:\w+ )?{_DO_NOT} (?:\w+ )?know": ("",),
    r"(?:is|are|remains?) (?:(?!an )\w+ )?": (
        r"unknown(?! to (?!me|us))",
        rf"(?:unclear|uncertain){_COMPLETE}",
    ),
    rf"(?:is|are|was|were){_NOT} ": (
        rf"(?:\w+ )?(?:available|public|clear|certain|documented|recorded){_COMPLETE}",
        rf"(?:\w+ ){{0,3}}{_WITHHELD}",
        rf"(?:available|provided|given) in the (?:\w+ )?{_GIVEN}",
    ),
    rf"ha(?:s|ve)(?:{_NOT}| never) (?:\w+ )?been ": (rf"(?:\w+ )?{_TOLD}",),
    r"(?:not (?:\w+ )?|(?:nothing|little|not much) (?:more )?is )known": (_COMPLETE,),
    r"(?:was|were) never ": (r"(?:disclosed|documented|identified|named|recorded|revealed|specified)",),
    r"(?:(?:is|are|has|have) (?:yet|still)|remains?) to be ": (_TOLD,),
    r"(?:of|by|has|have) (?:an )?unknown ": (r"(?:origin|author|artist|writer|source|person)s?",),
    r"remains ": (r"(?:disputed|debated|a mystery)",),
    r"it(?: is|'s) (?:not possible|impossible) to ": (
        r"(?:answer|confirm|determine|know|say|tell|verify)",
    ),
    r"it's (?:unclear|uncertain)": (_COMPLETE,),
    rf"{_CANNOT} be ": (r"(?:known|answered|determined|verified|confirmed)",),
    r"(?:this|the|your) question ": (
        r"is unanswerable|has no answer|makes no sense",
        rf"{_DO_NOT} make sense",
    ),
    # There is nothing to tell it from.
    r"there(?: is|'s| are| was| were) no ": (
        r"answer|consensus|way (?:to know|of knowing)",
        r"(?:\w+ ){0,3}(?:information|data|details)",
        r"(?:\w+ ){1,3}available(?! (?:to|for|in|on)\b)",
    ),
    r"no (?:\w+ )?(?:information|data|details|records?)\b[^.]{0,60}? (?:is|are|was|were) (?:\w+ )?": (
        r"(?:available|found|given|provided)",
    ),
    r"(?:not enough|insufficient) ": (rf"(?:\w+ )?{_INFORMATION}",),
    rf"(?:there (?:is|are)|do|does){_NOT} (?:have )?(?:any|enough|sufficient) ": (
        rf"(?:\w+ )?{_INFORMATION}",
    ),
    rf"{_GIVEN} (?:provided |given )?{_DO_NOT} ": (
        r"(?:say|mention|provide|contain|include|indicate|specify|state)",
    ),
    rf"(?:none of the (?:\w+ )?|no (?:\w+ )?)(?:{_GIVEN}|records?|sources?) ": (
        r"(?:say|mention|provide|contain|include|specify|state|exist)s?",
    ),
    r"unable to ": (r"(?:generate|answer|provide|respond|process)",),
    # It asks back, or opens by shrugging.
    r"(?:(?:what|who|which \w+) (?:do |are )?you|are you) ": (r"(?:mean|asking about|referring to)",),
    r"(?:(?:can|could|would) you (?:please )?|\A\s*(?:please )?)": (
        r"(?:clarify|rephrase|specify|(?:provide|give) (?:me )?(?:\w+ ){0,2}(?:more|additional|further))",
    ),
    r"\A\W*(?:sorry,? )?": (
        r"(?:(?:i )?have )?(?:no idea|no clue|not sure|dunno|idk|do(?: not|n'?t) know)",
    ),
}
"""Signs of a refusal by how they begin, so that one look at the beginning spares the others."""

FICTION = (
    r"(?:fictional|fictitious|made[- ]up(?! (?:of|by|from)\b)|imaginary|mythical|invented|hypothetical)"
)
_ROLE = (
    r"(?:character|player|contestant|song|album|book|novel|film|movie|show|series|episode|verse"
    r"|word|term|phrase)"
)
_SEEMS = r"(?:is|are|(?:seems?|appears?) to be)"
_NO_SUCH = (
    rf"(?<!that )(?<!which )(?:do|does){_NOT} (?:actually |really |(?:seem|appear) to )?exist"
    r"(?: in (?:reality|the real world|real life))?(?= as\b|[,.!]|\s*\Z)",
    r"there(?: is|'s) no such \w+|no such \w+ (?:exists?|existed|took place|was|has)",
    r"there(?: is|'s| are) no (?:[\w'-]+ ){1,7}"
    r"(?:known as|called|named|titled|(?:by|of|with) (?:that|this) name)",
    rf"(?:is|are){_NOT} (?:an? )?(?:\w+ )?{_ROLE}s?",
    rf"an? {FICTION} (?:word|term|name)",
    rf"(?:do|does){_NOT} (?:(?:seem|appear) to )?(?:correspond|refer) to any(?:thing)?",
    rf"{_SEEMS} (?:\w+ )?{FICTION}(?=[.,]|\s*\Z)",
)
"""Denials that are complete: what exists by its name alone is nothing else either. "Bo is not a character
of the show" says that there is no Bo; "a tomato is not a root" says what a tomato is not, and corrects."""
_NOT_REAL = (
    rf"(?:an?|being|are) (?:\w+ )?{FICTION}",
    rf"(?:seems?|appears?) to be (?:an? )?(?:\w+ )?{FICTION}",
    rf"(?:do|does){_NOT} (?:actually |really )?exist",
    rf"(?:do|does){_NOT} (?:seem|appear) to (?:exist|refer|be an?)",
    r"not a (?:commonly )?(?:real|known|recogni[sz]ed)",
)
"""Remarks that what is asked about is made up: an answer about it may still follow."""

ASKED_IS_DENIED = re.compile(
    rf"\b(?:(?:do|does|did|is|are){_NOT}\b(?! (?:actually |really )?exist)"
    r"|(?:there (?:is|are)|has|have|with) no|no (?:specific|known|animal)\b)"
)
"""What a text about something that does not exist says where it gives no answer."""

TURNS = re.compile(r"(?:^|[.!?]\s+)(?:however|but|that said|nevertheless|nonetheless|still)\b,?\s+")
OFFERS = re.compile(
    r"(?:as (?:an?|your) [\w ]+, )?"
    r"(?:i (?:can|could|may|might|would|will|'d|am)\b|if (?:you|it|there)\b|feel free|please"
    r"|let me|(?:can|could|would) you|without\b|for more\b)"
)
"""How a turn goes on that offers help or asks back instead of answering."""
VAGUE = re.compile(r"[^\d]*\b(?:depend|var(?:y|ies)\b)[^\d]*$")
"""A sentence that says that it depends, and names no figure."""


def bounded(pattern: str) -> str:
    """A pattern between word boundaries, where its neighbours are letters of a spaced script."""
    return rf"(?<![a-z0-9_])(?:{pattern})(?![a-z0-9_])"


@lru_cache(maxsize=1)
def signs() -> re.Pattern[str]:
    """Any built-in sign of a refusal, the phrases of R-Tuning included."""
    phrases = [re.escape(phrase.lower().rstrip(".")) for phrase in R_TUNING_PHRASES]
    families = [f"{beginning}(?:{'|'.join(rest)})" for beginning, rest in _SIGNS.items()]
    return re.compile(bounded("|".join([*phrases, *families])))


@lru_cache(maxsize=1)
def no_such() -> re.Pattern[str]:
    """A denial that there is anything of that name."""
    return re.compile(bounded("|".join(_NO_SUCH)))


@lru_cache(maxsize=1)
def not_real() -> re.Pattern[str]:
    """A remark that what is asked about does not exist, or is made up."""
    return re.compile(bounded("|".join(_NOT_REAL)))
