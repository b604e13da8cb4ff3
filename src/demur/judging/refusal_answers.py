"""What else a text says beside a sign of refusal: a guess, an answer, an offer, advice, or background.

Patterns are for the plain form of `refusal_text`, in lower case, and for one clause each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

GUESSES = re.compile(
    r"\b(?:i (?:\w+ )?(?:think|believe|guess|suppose|suspect|imagine|recall|(?:would|will|can"
    r"|could) (?:\w+ )?(?:say|guess"
    r"|go (?:with|for)|assume|estimate|bet|lean|put))|i am (?:\w+ )?sure(?! (?:that )?i\b|\W*\Z)"
    r"|if i had to guess|i would have to guess|let us say|let's say"
    r"|my (?:\w+ )?(?:guess|estimate|hunch|understanding)|probably|perhaps|maybe|possibly|presumably"
    r"|likely|apparently"
    r"|it (?:could|might|may) (?:well )?(?:be|have been)|(?:could|might|may) (?:well )?have been"
    r"|either [\w ]+ or"
    r"|estimates?(?! (?:is|are) not)|estimated|approximately|roughly|around \d|about \d|some \d|(?:is|are"
    r"|was|were)"
    r" (?:often |usually |generally |widely |commonly |sometimes )?(?:believed|thought|said|rumou?red"
    r"|reported|estimated|considered"
    r"|assumed|described|known as|credited|expected)|(?:most|some|many|several) (?:sources|people"
    r"|historians|scholars|experts|accounts|researchers|scientists)"
    r" (?:\w+ )?(?:say|agree|believe|cite|suggest|think|consider|describe|credit|put|place|argue)"
    r"|sometime|somewhere|people (?:say|describe)"
    r"|information [\w ]{0,20}(?:lists|says|shows|indicates|suggests|states)|(?:main|leading|common"
    r"|popular|possible|proposed"
    r"|prevailing|several|various|likely) (?:theor(?:y|ies)|explanations?|hypothes[ie]s|causes?|reasons?"
    r"|candidates?|factors?"
    r"|answers?)|according to|traditionally|usually given|most commonly|is usually)\b"
)
"""Words that show an answer which its writer does not vouch for."""

ANSWERS = re.compile(
    r"\b(?:i (?:think|believe|guess|suppose|would say|would guess)|my (?:best |first )?guess"
    r"|probably|perhaps|maybe|possibly|presumably|(?:the )?answer is"
    r"|(?:it|he|she|they|that|this)(?: is| was| are| were| (?:might|may|could|must) be| has| had))\b"
)

OFFERS = re.compile(
    r"(?:and |so |but |as (?:an?|your) [\w ]+,? )?(?:"
    r"i (?:think|believe|suspect) (?:that )?(?:you|there (?:may|might)|we)\b"
    r"|i (?!am (?:\w+ )?sure\b)(?:\w+ )?(?:can|could|may|might|would|will|am|have|had|do|did|was|need"
    r"|want|wish|only|just|apologi[sz]e|appreciate"
    r"|understand|hope|recommend|suggest|encourage|advise|must|should|rely|work|only|use|try|exist"
    r"|cannot)\b(?! (?:think|believe|guess|suppose|say|go with|estimate|put|assume|bet|lean|imagine"
    r"|suspect))"
    r"|(?:the|this|your) (?:passage|text|context|document|article|story|source)s? (?:\w+ )?(?:mentions?"
    r"|describes?|discuss(?:es)?"
    r"|says?|talks?|states?|is about|only)\b|it (?:only|just|merely) (?:says?|mentions?|talks?"
    r"|speaks?|states?|describes?"
    r"|discusses|names?|lists?|covers?)\b|it (?:names?|mentions?|describes?|lists?|covers?) (?:both|the"
    r"|two|several|many|some)\b"
    r"|such as\b|for (?:example|instance)\b|(?:their|its|the|your) (?:[\w']+ ){0,2}(?:website|site|app"
    r"|office|staff|helpline)\b|an? [\w ]{1,40} (?:would|might|may|could) (?:know|help|be(?=\W*\Z|"
    r" (?:the place|better|able|your)\b))"
    r"|if (?:you|it|there|i)\b|feel free|please|let me|let us"
    r"|(?:can|could|would|do|did|are) you\b|without\b|for (?:more|the (?:most|latest))\b"
    r"|(?:perhaps|maybe|possibly) (?:you|try|ask|check|search|look|there|(?:it"
    r"|this) is (?:a )?(?:typo|misspel\w*|fictional|made"
    r"|not|spelled|something)|a typo|if|providing|clarifying|some (?:more|context|background))"
    r"|is there (?:any|some)thing|how (?:can|may) i|what (?:about|would|else) (?:you|like)?"
    r"|you (?:may|might|can|could|should|will|would)\b|i'd|try\b|check\b|consult\b|visit\b|contact\b"
    r"|would you|sorry|thank|good question|great question"
    r"|that is (?:an? )?(?:\w+ )?(?:good|great|interesting|tough|difficult|hard|fascinating) (?:one"
    r"|question)|it is (?:always )?(?:best|advisable|recommended|worth|possible that)"
    r"|it (?:would|might|may) (?:be )?(?:help|best|possible|a (?:typo|fictional|misspell|made)|not|that)"
    r"|it (?:may|might|could) (?:be|refer|not|also|have been) (?:an? |to |that )?(?:\w+ )?(?:fictional"
    r"|lesser|misspell|typo|mistake"
    r"|made|local|possible|exist|different|private|obscure|known|widely|specific)"
    r"|(?:which|what|who|where|when|how) [\w ]*\b(?:you|your)\b|hope\b|glad\b|happy\b)"
)
"""How a clause goes on that offers help, gives advice, asks back or speaks of its writer."""

_POLITE = re.compile(
    r"\b(?:sorry|apolog\w+|afraid|unfortunately|regret\w*|as an? (?:ai|language|large)\b.*|please|thank\w*"
    r"|consult|check|look(?:ing)? (?:it )?up|clarify|more (?:information|context|details)|let me know|help"
    r"|language model|assistant|training|knowledge|information|question|context|data|evidence|record\w*"
    r"|available|error|mistake|typo|misspell\w*|confusion|determine|accurate\w*|predict\w*|depends?|refuse"
    r"|decline|known?|answer(?:ed)?|can not|unclear|claims?|verif\w+|confirm\w*|honest|upfront|fictional)\b"
)
_FILLERS = re.compile(
    r"^(?:well|hmm+|um+|oh|no|yes|ok|okay|hello|hi|and|so|that said|honestly|the answer|lol|haha|really"
    r"|hard to say"
    r"|oof|a+w+|wow|ha+|hold on|what|huh|pardon|who|maybe not|maybe|truthfully|unfortunately|either"
    r"|at all|though|sadly|alas"
    r"|exactly|sure|certain|same|sir|friend|dear user)?$"
)
BACKGROUND = re.compile(
    r"(?:in general|generally|typically|usually|often|many|most|some|such|these|in many|populations?"
    r"|it (?:is|can) (?:\w+ )?(?:depend|vary)"
    r"|the (?:guilds|field|topic|concept)|in (?:most|some) cases)\b|.*\b(?:in general|typically|generally"
    r"|usually|often|tend to|can vary|may vary)\b"
)
"""A general remark: of what is so as a rule, not of what was asked about."""
VAGUE = re.compile(r"[^\d]*\b(?:depend|var(?:y|ies)\b|changes\b)[^\d]*$")
"""A sentence that says that it depends, and names no figure."""
IMAGINED = re.compile(
    r"\b(?:we|you|one) (?:could|can|might|may|were to) (?:\w+ )?imagine|\bimagin(?:e"
    r"|ed) (?:that|a)\b"
)

SHORT_ANSWER_WORDS = 6
"""A clause beside a refusal is an answer by itself up to this many words; longer ones are explanations."""


LEADS = re.compile(
    r"(?:as of|for (?:privacy|security|legal|safety|ethical|your|now|this|that)|based on|given|due to"
    r"|since|because"
    r"|while|according to|from what|regarding|concerning|being|as an?|as for|to be|in (?:this|the|my"
    r"|terms|regards?|light"
    r"|truth|short)|at (?:this|the)|with (?:the|that|my|only)|despite|unlike|like (?:any|most|all)"
    r"|after (?:checking|searching"
    r"|reviewing|looking)|though|although|even (?:though|if)|when it comes|until|so far|by (?:the|my))\b"
)
"""How a clause begins that only leads to the one that declines: "As of my last update, …"."""


def idle(clause: str) -> bool:
    """Whether a clause says nothing of what was asked: a filler, an offer, an excuse, advice."""
    clause = clause.strip(" ,\"'*")
    return bool(_FILLERS.match(clause) or OFFERS.match(clause) or (_POLITE.search(clause)))


def guesses(clause: str) -> bool:
    """Whether a clause gives an answer that its writer does not vouch for."""
    return bool(GUESSES.search(clause)) and not (OFFERS.match(clause) or _FILLERS.match(clause))


def answers(clause: str) -> bool:
    """Whether a clause beside a refusal answers: it says so, or it is short and says nothing else."""
    if idle(clause) or VAGUE.match(clause):
        return False
    if BACKGROUND.match(clause) and len(clause.split()) > SHORT_ANSWER_WORDS:
        return False
    return ANSWERS.search(clause) is not None or len(clause.split()) <= SHORT_ANSWER_WORDS


# -- what was asked -------------------------------------------------------------------------------

_WHETHER = re.compile(
    r"(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|might"
    r"|am)\b"
)
_WHEN = re.compile(r"(?:(?:in |on |by )?(?:when|what|which) (?:year|date|day|month|time|century)|when)\b")
_HOW_MANY = re.compile(r"how (?:many|much|old|long|far|tall|high|deep|big|large|often|fast)\b")
_TIME = re.compile(
    r"\d|\b(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|century|today"
    r"|yesterday|tomorrow|tonight|ago|never|spring|summer|autumn|fall|winter|monday|tuesday|wednesday"
    r"|thursday"
    r"|friday|saturday|sunday|soon|next|last|noon|midnight|morning|evening|every|after|before|during"
    r"|always|when)\b"
)
_NUMBER = re.compile(
    r"\d|\b(?:none|no|nobody|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen"
    r"|hundred"
    r"|thousand|million|billion|half|twice|once|several|many|few|all|daily|weekly|always|never)\b"
)


def asks_whether(question: str) -> bool:
    """Whether a question, in plain form, is one of yes or no."""
    return _WHETHER.match(question) is not None


def fits(question: str, said: str) -> bool:
    """Whether a text names a time where one is asked for, or a number; True for other questions."""
    if _WHEN.match(question):
        return _TIME.search(said) is not None
    return _NUMBER.search(said) is not None if _HOW_MANY.match(question) else True


_STOP = frozenset(
    {
        *("what", "when", "where", "which", "whose", "does", "have", "from", "that", "this"),
        *("with", "were", "been", "will", "would", "could", "about", "there", "their", "they"),
        *("them", "than", "then", "into", "your", "many", "much", "some", "most", "more"),
        *("also", "name", "called", "known", "first", "last", "according"),
    }
)
_WORDS = re.compile(r"[a-z][a-z'-]{3,}")
_ELSE = re.compile(r"\b(?:exact|precise|other|more|further|additional|any more|co-|full)\b")


def declines_the_asked(question: str, before: str, declining: str) -> bool:
    """Whether what a question asks for is first spoken of where the text declines.

    "Bo Pale was a singer. The reason why he left is not known.": of "Why did Bo Pale leave the band?" the
    leaving is first spoken of there, so that what stands before is no answer.

    Args:
        question: in plain form; without one nothing is known of what is asked.
        before: what the text says up to there.
        declining: the clause that declines.
    """
    if not question or len(before.split()) < SHORT_ANSWER_WORDS or _ELSE.search(declining):
        return False
    asked = {word[:5] for word in _WORDS.findall(question) if word not in _STOP}
    said, there = ({word[:5] for word in _WORDS.findall(text)} for text in (before, declining))
    return bool(said & asked) and bool((asked & there) - said) and not (asked - there - said)


_PRONOUNS = re.compile(r"\b(?:it|he|she|they|its|his|her|their)\b")


def speaks_of(question: str, clause: str) -> bool:
    """Whether a clause speaks of what a question asks: by a word or a pronoun; True without one."""
    if not question or _PRONOUNS.search(clause):
        return True
    asked = {word[:5] for word in _WORDS.findall(question) if word not in _STOP}
    return not asked.isdisjoint(word[:5] for word in _WORDS.findall(clause))


_ASKS_VALUE = re.compile(
    r"(?:and |so )?how (?!do|does|did|can|could|to|would|should|will|is|are|was|were|has|have|come)[a-z]+\b"
    r"|what (?:is|are) the (?:[a-z]+ ){0,2}(?:cost|price|lifespan|life expectancy|length|height|weight"
    r"|size|speed"
    r"|frequency|salary|rate|duration|cheapest|odds|chances?|accessibility|affordability)\b"
)
_ASKS_FACTORS = re.compile(r"\b(?:depend|var(?:y|ies)|affect|factor|influence|determine|differ)")
_FOLLOWED = re.compile(
    r"\b(?:depend|vary|varies)\w*\b.*\b(?:but|usually|average|mostly|normally|however|typical|most)\b",
    re.DOTALL,
)
_FIGURES = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|dozens?|hundreds?|thousands?"
    r"|millions?|billions?"
    r"|once|twice|daily|weekly|monthly|yearly|every day|always|never|yes|no)\b"
)
_ANNOUNCES = re.compile(r"(?:here|these|below) (?:are|is)\b[^.]*:?\Z|\W*(?:sure|certainly|of course)\W*\Z")


def only_depends(sentences: Sequence[str], question: str) -> bool:
    """Whether a text says that a value depends on something, and names none."""
    if not _ASKS_VALUE.match(question) or _ASKS_FACTORS.search(question) or len(sentences) > 4:
        return False
    whole = " . ".join(sentences)
    if any(map(str.isdigit, whole)) or _FIGURES.search(whole) or _FOLLOWED.search(whole):
        return False
    vague = [VAGUE.match(sentence) is not None for sentence in sentences]
    return any(vague) and all(
        known or idle(sentence) or _ANNOUNCES.match(sentence)
        for sentence, known in zip(sentences, vague, strict=True)
    )


_HOW_MANY = re.compile(r"(?:how many|what (?:is|are) the (?:\w+ )?number)\b")
_EXACT = re.compile(r"\b(?:exact|precise|specific|actual|number|count|figure|how many)\b")
_EXACT_FIGURE = re.compile(
    r"\d|\b(?:none|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?"
    r"|thousands?"
    r"|millions?|billions?|half)\b"
)


_ANYTHING = re.compile(
    r"\W*(?P<what>[^.;:,]{3,100}?) (?:can|could|may|might) (?:also )?(?:stand for|mean|refer to"
    r"|signify|represent)"
    r" (?:a )?(?:different|many|various|several|multiple|number of"
    r"|variety of) (?:different )?(?:things|meanings|words|concepts)"
    r"(?: depending on [^.;:,]{3,60})?\W*"
)


def means_anything(plain: str, question: str) -> bool:
    """Whether a text says only that what is asked about may mean different things."""
    found = _ANYTHING.fullmatch(plain)
    return found is not None and not asks_whether(question) and _ASKS_FACTORS.search(question) is None


def inexact(question: str, told: str, declining: str) -> bool:
    """Whether "how many" is answered by "several", and the number itself is declined."""
    return bool(_HOW_MANY.match(question) and _EXACT.search(declining)) and not _EXACT_FIGURE.search(told)
