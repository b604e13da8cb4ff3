"""Words of a question and an answer compared: by their beginnings, and as opposites."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from demur.judging.refusal_words import word_set

STOP = word_set(
    "a an the of in on at to for from by with and or as is are was were be been being do does did has",
    "have had can could will would should may might it its they them their he his him she her you your",
    "we our i my me this that these those there what which who whom whose when where why how many much",
    "any some such ever not into than then so also more most actually really currently naturally",
    "typically commonly normally usually something anything someone anyone exist existed exists require",
    "requires required need needs possess possesse own owns possible able capable kind kinds type types",
    "sort sorts specific particular physical ability known named called single real reality world",
    "get gets got list name two three make made yet used use using certain about possibly simply",
)
"""Words that carry nothing of what is asked or denied: of grammar, and of being, having and needing."""
_IRREGULAR = {
    **{"won": "win", "wrote": "write", "written": "write", "bought": "buy", "flew": "fly", "flown": "fly"},
    **{"went": "go", "gone": "go", "sang": "sing", "sung": "sing", "built": "build", "held": "hold"},
    **{"lost": "lose", "met": "meet", "fought": "fight", "took": "take", "taken": "take", "gave": "give"},
    **{"given": "give", "spoke": "speak", "spoken": "speak", "laid": "lay", "ate": "eat", "eaten": "eat"},
    **{
        "fell": "fall",
        "drank": "drink",
        "swam": "swim",
        "slept": "sleep",
        "taught": "teach",
        "said": "say",
    },
    **{"ran": "run", "grew": "grow", "grown": "grow", "drove": "drive", "sold": "sell", "men": "man"},
    **{"women": "woman", "fishes": "fish", "children": "child", "became": "become", "left": "leave"},
    **{
        "stole": "steal",
        "stolen": "steal",
        "broke": "break",
        "broken": "break",
        "chose": "choose",
        "chosen": "choose",
    },
    **{
        "drew": "draw",
        "drawn": "draw",
        "hid": "hide",
        "hidden": "hide",
        "rode": "ride",
        "ridden": "ride",
        "saw": "see",
    },
    **{
        "seen": "see",
        "shot": "shoot",
        "sank": "sink",
        "sunk": "sink",
        "sat": "sit",
        "spent": "spend",
        "stood": "stand",
    },
    **{
        "threw": "throw",
        "thrown": "throw",
        "told": "tell",
        "wore": "wear",
        "worn": "wear",
        "thought": "think",
    },
    **{
        "brought": "bring",
        "caught": "catch",
        "felt": "feel",
        "led": "lead",
        "sent": "send",
        "heard": "hear",
    },
    **{
        "came": "come",
        "began": "begin",
        "begun": "begin",
        "paid": "pay",
        "knew": "know",
        "forgot": "forget",
    },
    **{"died": "die", "dies": "die", "leaves": "leaf", "bore": "bear", "found": "find", "kept": "keep"},
}
_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "non-")
_OPPOSITES = {
    **{
        "smaller": ("larger", "bigger", "taller"),
        "won": ("lost",),
        "win": ("lost", "lose"),
        "lose": ("won", "win"),
    },
    **{
        "lower": ("higher",),
        "colder": ("hotter", "warmer"),
        "hot": ("cold",),
        "slower": ("faster",),
        "fast": ("slow",),
    },
    **{
        "lighter": ("heavier",),
        "younger": ("older",),
        "poorer": ("richer",),
        "shorter": ("longer", "taller"),
    },
    **{
        "nearer": ("farther", "further"),
        "closer": ("farther", "further"),
        "dangerous": ("safe", "harmless"),
    },
    **{
        "banned": ("allowed", "legal"),
        "weaker": ("stronger",),
        "fewer": ("more",),
        "less": ("more",),
        "dead": ("alive",),
    },
    **{"sweet": ("sour", "bitter"), "wet": ("dry",), "hard": ("soft",), "failed": ("succeeded",)},
}
WORD = re.compile(r"[a-z0-9][a-z0-9'-]*")


@lru_cache(maxsize=1 << 14)
def stem(word: str) -> str:
    """The beginning of a word that its forms have in common."""
    word = word.removesuffix("'s").strip("'-")
    word = _IRREGULAR.get(word, word)
    for ending, rest in (
        ("ies", "y"),
        ("ied", "y"),
        ("ing", ""),
        ("ed", ""),
        ("es", ""),
        ("s", ""),
        ("e", ""),
    ):
        if word.endswith(ending) and len(word) - len(ending) > 2 - bool(rest):
            word = word.removesuffix(ending) + rest
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:5]


def content(text: str) -> list[str]:
    """The stems of the words that say something, in order."""
    return [stem(word) for word in WORD.findall(text) if word not in STOP]


def contrary(one: str, other: str) -> bool:
    """Whether a word is another with a negating prefix, or its opposite."""
    for left, right in ((one, other), (other, one)):
        if len(right) > 3 and left.endswith(right) and left.removesuffix(right) in _PREFIXES:
            return True
        if right in _OPPOSITES.get(left, ()):
            return True
    return False


def share(words: list[str], asked: Collection[str]) -> float:
    """The share of words that are of the question; 0 of none."""
    return sum(word in asked for word in words) / len(words) if words else 0.0
