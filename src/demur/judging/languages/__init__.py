"""Languages besides English in which refusals are recognised: one data file per language.

A file ``CODE.toml`` in this folder is a language; nothing else has to be registered. Its fields are those of
`Language`, and its signs are written in the syntax of `demur.judging.languages.patterns`.
"""

from demur.judging.languages.files import Language, languages, lead_ins

__all__ = ["Language", "languages", "lead_ins"]
