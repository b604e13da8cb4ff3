"""A plain denial of what a question takes for granted: "Whales do not have legs", of the colour of their legs.

A question that asks why, how, which, what, when, who or for a list presupposes something, and its words name
it. A response that begins with a negation of those words denies it. Read is the first sentence alone, after
fillers ("Actually,", "According to the passage,"): its subject must be of the question, and so must most of
what is negated there; "He did not like the script" says something new, and answers why he left.
Not read so: questions of yes or no, "how many" answered by none, questions with a negation of their own,
"not … until 1905", "not only". Patterns are for the plain form of `refusal_text`, in lower case.
Source: Demur; the kinds are those of FalseQA (arXiv 2307.02394).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from demur.judging.refusal_answers import asks_whether

_ASKS = re.compile(
    r"\b(?:why|how|what|which|who|whom|whose|where|when)\b|(?:please )?(?:list|name|give|describe|explain)\b"
)
_NEGATED = re.compile(
    r"\b(?:not|never|no|none|nor|neither|without|except|unable|impossible|incorrect|false|unknown|cannot)\b"
    r"|\b(?:lack|fail|avoid)\w*|'t\b"
)
_ATTITUDE = re.compile(
    r"\b(?:do|does|did|would|will) .*\b(?:believe|think|feel|agree|want|like|prefer|happen)\b|\b(?:differ\w*|happen\w*)\b"
)
_CHOICE = re.compile(r"(?!why|how).*\bor\b")
_AMOUNT = re.compile(r"\bhow (?:many|much)\b(?! (?:is|are|was|were|do|does|did|will|would|can|could)\b)")
_WHY = re.compile(r"(?:and |so |but )?why\b")

_FILLER = re.compile(
    r"\W*(?:(?:actually|well|no|sorry|unfortunately|however|in fact|in reality|hmm+|currently|technically"
    r"|first(?: of all)?|so|ah|oh|strictly speaking"
    r"|(?:as of|according to|based on|contrary to|as far as|to|in|at|by|as an?|during|unlike) [^,.;\n]{1,70}),\s+)*"
    r"(?:(?:yes|no|hello|hi|thanks|thank you|good question|i am sorry|i apologi[sz]e)[.!,]\s+)?"
)
_END = re.compile(
    r"[.!?;:\n](?=\s|\Z)|,? \(|,? (?:as|because|since|so|due|and therefore|but|although|though|instead|rather"
    r"|which|unless|for|hence|whereas|while|given) |, "
)
"""Where a denial ends."""
_DENIAL = re.compile(
    r"\b(?P<verb>do|does|did|is|are|was|were|can|could|has|have|had|will|would|should|need)"
    r"(?: (?:\w+ly|also|in fact|still|ever))? (?:not|never)\b|\b(?P<never>never)\b|\bno longer\b"
)
_LESS = re.compile(
    r" ?(?:only|just|single|definitive|universal|one|merely|simply|necessarily|always|entirely|fully|completely|exactly|all|every|yet|even"
    r"|solely|so|very|too|sure|certain|clear|mentioned|stated|known(?= [^.]*\b(?:who|when|how|why|what|if|whether)\b|\W*\Z))\b"
)
"""What a negation denies in part only, or of what is known."""
_BOUNDED = re.compile(r"\b(?:until|till|before|after|unless|except|other than|anymore|any more|any longer)\b")
_NONE = re.compile(
    r"(?:(?P<subject>[^.,;:]{0,90}?)(?<!there )\b(?:has|have|had) (?:\w+ly )?no|(?:so |and |therefore |, )*there "
    r"(?:is|are|was|were|has|have|had) (?:\w+ly )?(?:(?:been )?no|not (?:an?|any)|never (?:been )?(?:an?|any)|not(?= (?:two|three|four|five|six"
    r"|seven|eight|nine|ten|\d)))|(?:no|none of)(?! (?:one|longer|single|definitive|best|right|universal|easy|simple|comment|idea|clue|information|record))) "
)
_NO_THERE = re.compile(r"[^.;]*?\bso there (?:is|are|was|were) (?:none|no|not any)\b")
_NOT_A = re.compile(
    r" (?:(?:currently|commonly|widely|officially|yet|generally|actually|really) )*"
    r"(?:(?P<head>recogni[sz]ed|known|real|existing|listed|defined|documented|registered|approved|valid"
    r"|(?:an? |the )(?:\w+ ){0,2}?(?:recogni[sz]ed|known|real|approved|valid|common|commonly|standard|official"
    r"|existing|actual|term|word|thing))\b|(?P<noun>an? ))"
)
_UNREAL = re.compile(
    r"(?P<subject>[^.,;:]{1,60}?) (?:is|are|was|were) (?:just |only |simply |purely |entirely |a |an )*"
    r"(?:(?:mythical|mythological|fictional|fictitious|imaginary|legendary|made[- ]up|hypothetical)"
    r"(?: \w+){0,2}"
    r"|myths?|legends?|folklore|hoax(?:es)?|fabrications?|not (?:actually )?real)(?P<after>[.,;!]| (?:and|so)\b|\s*\Z)"
)
_MADE_UP = re.compile(r"m(?:yth|ade)|fict|imagin|legend|hypoth|hoax|folklore|fabric|real")
_CANCELLED = re.compile(r"(?P<subject>[^.,;:]{1,60}?) (?:was|were) (?:\w+ly )?cancell?ed\b")
_OTHERWISE = re.compile(r"[.;,:] (?:it|they|he|she) (?:is|are|was|were) |, but|\bbut rather\b|\binstead\b")
_IN_QUESTION = re.compile(r"\b(?:exist\w*|real|myth\w*|fiction\w*|legend\w*|kinds?|types?|creature|animal)\b")

_RULERS = frozenset({"monar", "king", "queen", "presi", "emper", "ruler"})
_PRONOUNS = frozenset({"it", "they", "he", "she", "you", "we", "people", "one", "this", "that", "these"})
_RELATIVE = re.compile(r"\b(?:which|who|that|because|since|if|when|where|while|although|though|said|says)\b")
_STOP = frozenset(
    "a an the of in on at to for from by with and or as is are was were be been being do does did has have had"
    " can could will would should may might it its they them their he his him she her you your we our i my me"
    " this that these those there what which who whom whose when where why how many much any some such ever not"
    " into than then so also more most actually really currently naturally typically commonly normally usually"
    " something anything someone anyone exist existed exists require requires required need needs possess possesse"
    " own owns possible able capable kind kinds type types sort sorts specific particular physical ability"
    " known named called single real reality life world get gets got list name two three make made yet"
    " used use using certain own about possibly simply".split()
)
_IRREGULAR = {
    **{"won": "win", "wrote": "write", "written": "write", "bought": "buy", "flew": "fly", "flown": "fly"},
    **{"went": "go", "gone": "go", "sang": "sing", "sung": "sing", "built": "build", "held": "hold"},
    **{"lost": "lose", "met": "meet", "fought": "fight", "took": "take", "taken": "take", "gave": "give"},
    **{"given": "give", "spoke": "speak", "spoken": "speak", "laid": "lay", "ate": "eat", "eaten": "eat"},
    **{"fell": "fall", "drank": "drink", "swam": "swim", "slept": "sleep", "taught": "teach", "said": "say"},
    **{"ran": "run", "grew": "grow", "grown": "grow", "drove": "drive", "sold": "sell", "men": "man"},
    **{"women": "woman", "fishes": "fish", "children": "child", "became": "become", "left": "leave"},
    **{"stole": "steal", "stolen": "steal", "broke": "break", "broken": "break", "chose": "choose", "chosen": "choose"},
    **{"drew": "draw", "drawn": "draw", "hid": "hide", "hidden": "hide", "rode": "ride", "ridden": "ride", "saw": "see"},
    **{"seen": "see", "shot": "shoot", "sank": "sink", "sunk": "sink", "sat": "sit", "spent": "spend", "stood": "stand"},
    **{"threw": "throw", "thrown": "throw", "told": "tell", "wore": "wear", "worn": "wear", "thought": "think"},
    **{"brought": "bring", "caught": "catch", "felt": "feel", "led": "lead", "sent": "send", "heard": "hear"},
    **{"came": "come", "began": "begin", "begun": "begin", "paid": "pay", "knew": "know", "forgot": "forget"},
    **{"died": "die", "dies": "die", "leaves": "leaf", "bore": "bear", "found": "find", "kept": "keep"},
}
_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "non-")
_OPPOSITES = {
    **{"smaller": ("larger", "bigger", "taller"), "won": ("lost",), "win": ("lost", "lose"), "lose": ("won", "win")},
    **{"lower": ("higher",), "colder": ("hotter", "warmer"), "hot": ("cold",), "slower": ("faster",), "fast": ("slow",)},
    **{"lighter": ("heavier",), "younger": ("older",), "poorer": ("richer",), "shorter": ("longer", "taller")},
    **{"nearer": ("farther", "further"), "closer": ("farther", "further"), "dangerous": ("safe", "harmless")},
    **{"banned": ("allowed", "legal"), "weaker": ("stronger",), "fewer": ("more",), "less": ("more",), "dead": ("alive",)},
    **{"sweet": ("sour", "bitter"), "wet": ("dry",), "hard": ("soft",), "failed": ("succeeded",)},
}
_NUMBER = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d+)"
_COUNTED = re.compile(
    rf"\b(?:{_NUMBER}|\d+(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|\w*th)\b"
)
_WORD = re.compile(r"[a-z0-9][a-z0-9'-]*")


class _Asked(NamedTuple):
    """A question that presupposes something."""

    words: frozenset[str]
    amount: bool
    attitude: bool
    why: bool
    who: bool
    counted: bool
    """Whether it holds a number."""
    when: bool
    thing: bool
    """Whether it asks what, which, who, when or where, and neither why nor how."""


@lru_cache(maxsize=1 << 14)
def _stem(word: str) -> str:
    """The beginning of a word that its forms have in common."""
    word = word.removesuffix("'s").strip("'-")
    word = _IRREGULAR.get(word, word)
    for ending, rest in (("ies", "y"), ("ied", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", "")):
        if word.endswith(ending) and len(word) - len(ending) > 2 - bool(rest):
            word = word.removesuffix(ending) + rest
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:5]


def _content(text: str) -> list[str]:
    return [_stem(word) for word in _WORD.findall(text) if word not in _STOP]


@lru_cache(maxsize=4096)
def _asked(question: str) -> _Asked | None:
    """What a question presupposes; None where it is of yes or no, or negates."""
    question = question.strip()
    if not question or asks_whether(question) or not _ASKS.search(question) or _NEGATED.search(question):
        return None
    if _CHOICE.match(question):
        return None
    return _Asked(
        frozenset(_content(question)),
        _AMOUNT.search(question) is not None,
        _ATTITUDE.search(question) is not None,
        _WHY.match(question) is not None,
        re.search(r"\bwho\b", question) is not None,
        _COUNTED.search(question) is not None,
        re.match(r"(?:(?:in|on|at) )?(?:when|what year|which year|what date)\b", question) is not None,
        re.search(r"\b(?:why|how)\b", question) is None,
    )


def _share(words: list[str], asked: frozenset[str]) -> float:
    """The share of words that are of the question; 0 of none."""
    return sum(word in asked for word in words) / len(words) if words else 0.0


def denies_the_asked(plain: str, question: str) -> bool:
    """Whether a text begins by denying what its question takes for granted.

    Args:
        plain: the text in plain form, in lower case.
        question: the same of the question; without one nothing is known of what it takes for granted.
    """
    asked = _asked(question)
    if asked is None and not _MADE_UP.search(plain[:400]):
        return False
    filler = _FILLER.match(plain)
    start = filler.end() if filler else 0
    opening = plain[start : start + 260]
    if _MADE_UP.search(opening) and _unreal(opening, question):
        return True
    if asked is None or asked.attitude:
        return False
    if asked.why and _opposite(opening, asked, question):
        return True
    if asked.why and plain.lstrip().startswith("actually,"):
        return not re.match(r"[^.]*\b(?:because|due|since|reason|to|for)\b", opening)
    return any(
        denied(opening, asked) for denied in (_verb_denied, _none_of, _nobody, _only_so_many, _repaired, _cancelled)
    )


def _until_end(text: str) -> str:
    end = _END.search(text)
    return text[: end.start()] if end else text


def _is_subject(subject: str, asked: _Asked, *, pronouns: bool = True) -> bool:
    """Whether the words before a negation are what was asked about."""
    if _RELATIVE.search(subject) or "," in subject or len(subject.split()) > 16:
        return False
    said = [word for word in subject.split() if not word.endswith("ly")]
    if pronouns and said and len(said) <= 2 and said[-1] in (*_PRONOUNS, "i"):
        return True
    words = _content(subject)
    return bool(words) and (words[0] in asked.words or _share(words, asked.words) >= 0.5)


def _verb_denied(opening: str, asked: _Asked) -> bool:
    """"Dolphins do not fly", "It is not possible to …", "He did not."."""
    sentence = re.search(r"[.;!?:\n](?=\s)", opening)
    end = sentence.start() if sentence else len(opening)
    return any(_is_denial(opening, denial, asked) for denial in _DENIAL.finditer(opening, 0, end))


def _is_denial(opening: str, denial: re.Match[str], asked: _Asked) -> bool:
    """Whether a negation denies what was asked about."""
    subject, rest = opening[: denial.start()], opening[denial.end() :]
    if _LESS.match(rest) or (denial["verb"] == "will" and "never" in denial[0]):
        return False
    said = _until_end(rest)
    if _not_yet(subject, rest, asked):
        return True
    if _BOUNDED.search(said) or not (_is_subject(subject, asked) or _also_denied(subject, said, asked)):
        return False
    if asked.amount and not re.search(r"\b(?:as|because|since)\b|;|\bexist\b", opening):
        return False
    if _not_a(subject, denial, rest, asked):
        return True
    if _EXISTS.match(said):
        return bool(_content(subject))
    denied = _content(said)
    if not denied:
        return not said.strip() and denial["never"] is None
    if len(denied) == 2 and asked.thing and denied[0] not in asked.words and denied[1] in asked.words:
        return _share(_content(subject), asked.words) >= 0.5
    if any(word.endswith("ly") and word not in _STOP and _stem(word) not in asked.words for word in said.split()):
        return False
    return _share(denied, asked.words) >= (0.6 if asked.why or len(denied) > 2 else 0.65)


_EXISTS = re.compile(r" (?:yet |actually |ever )*(?:exist(?:ed)?|taken? place|happen(?:ed)?|occur(?:red)?)\b")
_BEGUN = re.compile(
    r" (?:even |yet |actually )*(?:been )?(?:invented|discovered|built|founded|introduced|established|born|developed"
    r"|published|released|created|in existence|known)\b(?: \w+){0,3}? (?:until|before|yet|at (?:the|that) time|back then|in)\b"
)


def _not_yet(subject: str, rest: str, asked: _Asked) -> bool:
    """"The microscope was not invented until 1930", where the question is not when it was."""
    found = _BEGUN.match(rest)
    if found is None or asked.when or _stem(found[0].split()[-2]) in asked.words:
        return False
    words = _content(subject)
    return bool(words) and _share(words, asked.words) >= 0.66 and not asked.words <= set(words)


def _also_denied(subject: str, said: str, asked: _Asked) -> bool:
    """"Death is a part of life and cannot be removed": what is asked about is named first, then denied."""
    words, denied = _content(subject), _content(said)
    if not words or words[0] not in asked.words or re.search(r"\b(?:because|since|if|said|says)\b", subject):
        return False
    return _share(denied, asked.words) >= (0.75 if len(denied) > 3 else 1)


_INSTEAD = re.compile(r"(?:, (?:and |but )?|\()not (?:an? |the |in |on |at |by |from |between |of |for |\"|')*(?P<denied>[^.;,:()]{2,50})")


def _repaired(opening: str, asked: _Asked) -> bool:
    """"The war was between Argentina and the United Kingdom, not France": not what was asked, but another thing."""
    sentence = re.match(r"(?:[^.;!?\n]|\.(?!\s))*", opening)
    if sentence is None or asked.amount:
        return False
    found = _INSTEAD.search(sentence[0])
    if found is None:
        return False
    before = _content(sentence[0][: found.start()])
    shared = sum(word in asked.words for word in before)
    return shared >= 1 and _share(_content(found["denied"]), asked.words) == 1


def _not_a(subject: str, denial: re.Match[str], rest: str, asked: _Asked) -> bool:
    """"Velvetium is not an element", of its boiling point; not of what it is."""
    found = _NOT_A.match(rest)
    words = _content(subject)
    if found is None or asked.why or denial["verb"] not in ("is", "are", "was", "were"):
        return False
    if not words or _share(words, asked.words) < 1 or asked.words <= set(words):
        return False
    return found["noun"] is None or _OTHERWISE.search(rest) is None


def _none_of(opening: str, asked: _Asked) -> bool:
    """"There are no schools on the Moon", "England has no president", "No river flows …"."""
    if asked.amount:
        return False
    if match := _NO_THERE.match(opening):
        return _share(_content(_until_end(opening[match.end() :])), asked.words) >= 0.5
    found = _NONE.match(opening)
    if found is None:
        return False
    subject = found["subject"]
    rest = opening[found.end() :]
    said = _until_end(rest)
    if _LESS.match(rest) or _BOUNDED.search(said) or rest[len(said) :].startswith((", but", " but")):
        return False
    words = _content(said)
    if subject is not None:
        ruled = asked.who and bool(words) and words[0] in _RULERS
        fits = ruled or _share(words, asked.words) >= 0.5
        return fits and _is_subject(subject, asked, pronouns=False)
    return _share(words, asked.words) >= 0.6


def _nobody(opening: str, asked: _Asked) -> bool:
    """"Nobody lives on Mars", where not who does is asked."""
    if asked.who or asked.amount or not (found := re.match(r"(?:nobody|no one) (?:has |can |could |ever )*", opening)):
        return False
    words = _content(_until_end(opening[found.end() :]))
    return _share(words, asked.words) >= 0.5 and words[-1] in asked.words


_ONLY = re.compile(
    rf"(?:(?P<subject>[^.,;:]{{1,60}}?) (?:has|have|had|contains?|is|are)|there (?:is|are|was|were)) (?:\w+ly )?(?:only|just)"
    rf" {_NUMBER} (?P<what>[^.,;:]{{2,50}})"
)


def _only_so_many(opening: str, asked: _Asked) -> bool:
    """"Earth has just one moon", of the third largest."""
    found = _ONLY.match(opening) if asked.counted else None
    if found is None:
        return False
    return any(word in asked.words for word in _content(found["what"])) and (
        found["subject"] is None or _is_subject(found["subject"], asked, pronouns=False)
    )


def _opposite(opening: str, asked: _Asked, question: str) -> bool:
    """"Coffee is perfectly legal in Italy", of why it is illegal."""
    said = re.match(r"[^.;:!?\n]*", opening)
    text = said[0] if said else ""
    if re.search(r"\b(?:because|due|since|reason|so that|in order)\b", text):
        return False
    words, theirs = _WORD.findall(text), frozenset(_WORD.findall(question))
    subject = _content(" ".join(words[:3]))
    if not subject or subject[0] not in asked.words:
        return False
    contrary = {word for word in theirs for other in words if _contrary(word, other)}
    return bool(contrary) and contrary.isdisjoint(words)


def _contrary(one: str, other: str) -> bool:
    """Whether a word is another with a negating prefix, or its opposite."""
    for left, right in ((one, other), (other, one)):
        if len(right) > 3 and left.endswith(right) and left.removesuffix(right) in _PREFIXES:
            return True
        if right in _OPPOSITES.get(left, ()):
            return True
    return False


def _cancelled(opening: str, asked: _Asked) -> bool:
    found = _CANCELLED.match(opening)
    return found is not None and not asked.why and _share(_content(found["subject"]), asked.words) == 1


def _unreal(opening: str, question: str) -> bool:
    """"Unicorns are mythical creatures", of how to feed them; nothing else may be told of them."""
    if not question:
        return False
    found = _UNREAL.match(opening)
    if found is None or _IN_QUESTION.search(question):
        return False
    words, asked = _content(found["subject"]), set(_content(question))
    if not words or _share(words, frozenset(asked)) < 1 or asked <= set(words):
        return False
    rest = opening[found.end() :]
    return not rest.strip() or re.search(r"\b(?:not|no|cannot|never|vary|so)\b", rest[:160]) is not None
