"""Languages besides English in which refusals are recognised: one data file per language.

A file ``CODE.toml`` in this folder is a language; nothing else has to be registered. Its fields are those
of `Language`, and its signs are written in the syntax of `demur.judging.languages.patterns`.
"""

from demur.judging.languages.files import Language, languages, lead_ins
from demur.judging.languages.guess import language_of, unread_language
from demur.judging.languages.states import State, foreign_state
from demur.judging.languages.unread import unread_counts, unread_sentence

__all__ = [
    "Language",
    "State",
    "foreign_state",
    "language_of",
    "languages",
    "lead_ins",
    "unread_counts",
    "unread_language",
    "unread_sentence",
]
