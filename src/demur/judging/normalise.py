r"""Text in a form in which spelling variants are equal and word boundaries can be checked.

The form holds words separated by single spaces. A hyphen or underscore inside a word becomes ``_``, which
is no boundary: "supported" is not a word of "not_supported". Apostrophes inside words stay, and so does
what belongs to a number: the point of "3.14", the minus of "-5". What parts thousands goes ("1,000",
"1'000", "1.000.000", a narrow space), figures of any script become 0 to 9, and a power or a fraction
right behind a number is joined to it, so that "10²" is neither "102" nor "10". Arabic and Hebrew lose
their vowel points, which are mostly not written. Letters that one language tells apart and another
keyboard does not are one: the Turkish dotless i, the Russian ё, the hamza on an Arabic alef, the accent
of a Greek vowel. Letters that a file has escaped or broken ("Jo\u00e3o", "Jo&#227;o", "JoÃ£o") are read
as what they were.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

_TYPOGRAPHIC = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201b": "'", "\u00b4": "'",
        "\u2010": "-", "\u2011": "-", "\u2212": "-", "\u00ad": None, "\u200b": None, "\ufeff": None,
        "\u2044": "_",  # the stroke of ½, which is one number
        "\u066b": ".", "\u066c": ",",  # the point and the comma of Arabic numbers
        "\u05be": "-", "\u0640": None, "\u0670": None,
        "\u0622": "\u0627", "\u0623": "\u0627", "\u0625": "\u0627", "\u0671": "\u0627",  # alef
        "\u0649": "\u06cc", "\u064a": "\u06cc", "\u0643": "\u06a9",  # Arabic and Persian ye and kaf
        **dict.fromkeys(map(chr, range(0x064B, 0x0653))),
        **dict.fromkeys(map(chr, (*range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C4, 0x05C5, 0x05C7))),
    }
)  # fmt: skip
_LETTERS_WITHOUT_DECOMPOSITION = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i"}
)
_WITHOUT_MARKS = re.compile("([a-z\u03b1-\u03c9])[\u0300-\u036f]+|(\u0435)\u0308")
"""Latin and Greek letters with marks, and ё; in the rest of Cyrillic a mark makes another letter."""
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
_TWICE_ENCODED = re.compile("[\u00c2-\u00c5\u00e2][\u0080-\u00bf\u0152-\u0178\u02c6-\u2122]")
_INITIALS = re.compile(r"(?<!\w)(?:[^\W\d_]\.[ ]?){2,}")
_HAS_INITIALS = re.compile(r"\.(?<=[^\W\d_]\.)(?<!\w\w\.)[ ]?[^\W\d_]\.")
"""Looked for first, since it begins with a fixed character and is many times faster."""
_ARTICLES = frozenset({"the", "The", "THE", "an", "An", "AN", "a"})
_THOUSANDS = re.compile(r",(?<=\d,)(?=\d{3}(?!\d))")
_MAY_BE_GROUPED = re.compile(r"\d[,.']\d")
_GROUPED = re.compile(
    r"(?<![\d.,'])(?:\d{1,3}(?:'\d{3})+|\d{1,3}(?:\.\d{3}){2,}|\d{1,2}(?:,\d{2})+,\d{3})(?![\d']|[.,]\d)"
)
_GROUPED_BY_SPACE = re.compile(r"(?<![\d.,])\d{1,3}(?:[\u00a0\u2009\u202f]\d{3})+(?!\d)")
BEHIND_A_NUMBER = re.compile(r"(?<=\d)(?=[\u00b2\u00b3\u00b9\u2070-\u2079\u00bc-\u00be\u2150-\u215e])")
_ODD = re.compile(r"[^A-Za-z0-9 ]")
_SPECIAL = re.compile(r"[.'\-_+#]")
_LOOSE = re.compile(
    r"(?=[.'\-_+#])(?:"  # nothing else is looked at closely: this is run on every text
    r"(?<!\d)\.|\.(?!\d)"  # a point outside a number
    r"|(?<![^\s])'|'(?!\S)|'(?=')|(?<=')'"  # a quotation mark
    r"|(?<=\d)-(?=\d)|(?<!\S)-(?!\d)|-(?!\S)"  # a range, a dash
    r"|(?<!\S)_+|_+(?!\S)|(?<!\S)[+#]+)"
)
_JOINER = re.compile(r"(?<=\S)[-_]+(?=\S)")


class _NormalCharacters(dict[int, str]):
    """Characters as they stand in the normal form: letters, marks and digits stay, the rest is space."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if unicodedata.category(char) == "Nd":
            self[code] = str(unicodedata.decimal(char))
            return self[code]
        kept = unicodedata.category(char)[0] in "LMN" or _SPECIAL.match(char)
        self[code] = char if kept else " "
        return self[code]


_NORMAL_CHARACTERS = _NormalCharacters()


@lru_cache(maxsize=1 << 16)
def normalise(text: str) -> str:
    """The comparable form of a text: NFKC, case folded, without Latin accents, articles and punctuation.

    The article "a" goes only where it is written small and a word follows: "vitamin A" is no "vitamin".
    """
    if "\\u" in text or "&" in text:
        text = _ESCAPED.sub(_unescaped, text)
    if not text.isascii():
        text = _decoded(text) if _TWICE_ENCODED.search(text) else text
        text = BEHIND_A_NUMBER.sub("_", _GROUPED_BY_SPACE.sub(_ungrouped, text))
        text = unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHIC)
    if _ODD.search(text):
        text = _without_punctuation(text)
    text = _without_articles(text.split()).casefold()
    return text if text.isascii() else _without_accents(text)


def _unescaped(match: re.Match[str]) -> str:
    """The character that an escape of JSON or HTML stands for."""
    return chr(int(match[1], 16)) if match[1] else html.unescape(match[0])


def _decoded(text: str) -> str:
    """UTF-8 that was read as Windows-1252, read again; the text itself where it is something else."""
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


def _without_punctuation(text: str) -> str:
    text = _INITIALS.sub(_join_initials, text) if _HAS_INITIALS.search(text) else text
    if _MAY_BE_GROUPED.search(text):
        text = _THOUSANDS.sub("", _GROUPED.sub(_ungrouped, text))
    text = text.replace("&", " and ").translate(_NORMAL_CHARACTERS)
    if not _SPECIAL.search(text):
        return text
    text = _LOOSE.sub(" ", text)
    return _JOINER.sub("_", text) if "-" in text or "_" in text else text


def _ungrouped(number: re.Match[str]) -> str:
    """The figures of a number without what parts its thousands."""
    return "".join(char for char in number.group() if char.isdigit())


def _without_articles(words: list[str]) -> str:
    if not _ARTICLES.isdisjoint(words):
        words = [word for word in words[:-1] if word not in _ARTICLES] + words[-1:]
    return " ".join(words)


def spaced(normal: str) -> str:
    """A normal form with ``_`` as a space: of the same length, so that positions in both agree."""
    return normal.replace("_", " ")


def word_set(text: str, separator: str | None = None) -> frozenset[str]:
    """The words of a text, for lists of words in code."""
    return frozenset(text.split(separator))


_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    "\u3040-\u30ff\u31f0-\u31ff"  # Hiragana, Katakana
    "\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]"  # Han
)
_HANGUL = re.compile("[\u1100-\u11ff\uac00-\ud7af]")


def spaceless(char: str) -> bool:
    """True for a character of a script that is written without spaces between words."""
    return not char.isascii() and _SPACELESS.match(char) is not None


@lru_cache(maxsize=1 << 16)
def words(text: str) -> tuple[str, ...]:
    """The normalised words of a text; in scripts without spaces every character is one."""
    normal = spaced(normalise(text))
    if normal.isascii():
        return tuple(normal.split())
    return tuple("".join(f" {char} " if spaceless(char) else char for char in normal).split())


def without_spaces(normal: str) -> str:
    """A normal form without the spaces between characters of such scripts."""
    if normal.isascii():
        return normal
    beside = zip(" " + normal, normal, normal[1:] + " ", strict=False)
    return "".join(c for left, c, right in beside if c != " " or not (spaceless(left) and spaceless(right)))


def hangul(char: str) -> bool:
    """True for a Korean letter: words have spaces, but particles are attached to them."""
    return not char.isascii() and _HANGUL.match(char) is not None


def _join_initials(match: re.Match[str]) -> str:
    """Initials as one word ("J. R. R. " as "JRR "), so that all ways to space them are one."""
    return re.sub(r"[.\s]", "", match.group()) + " "


def _without_accents(text: str) -> str:
    """Latin and Greek letters without their marks; in other scripts a mark can be a letter, so there they
    stay.
    """
    text = _WITHOUT_MARKS.sub(r"\1\2", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", text).translate(_LETTERS_WITHOUT_DECOMPOSITION)
