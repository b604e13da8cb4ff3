"""The letter of an option in a text, wherever its final answer stands.

What a text says its answer is comes first, the last time that it says so ("ANSWER: B", "Die Antwort ist
B", "答案：B", "The right answer would be B", ``{"answer": "B"}``). Then a letter at the start ("B", "(b)",
"**B**", "B: text"), a letter alone on the last line, a letter that is chosen ("I think it's B", "I choose
B", "B is correct"), and in a short text the only letter that it has. Several letters ("A and B", "A or
B", "AB") pick no option. "A" before a word is an article and "I" a pronoun.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from demur.core.templates import LETTERS

_WRAP = r"[\s*_`\"'“”„«»(\[{$\\<>]*+"  # possessive: a long run of marks must not be tried in every division
_BOXED = r"(?:(?:boxed|text|textbf|mathbf|mathrm)\s*\{\s*)*"
_NAME = (
    r"answers?|antwort|lösung|réponse|reponse|respuesta|resposta|risposta|antwoord|svar|odpowiedź"
    r"|odpověď|cevap|ответ"
    r"|відповідь|答案|答え|回答|解答|정답|답|option|choice|choose|chose|chosen|pick|select|selected|letter"
)
_SAYS = (
    r"(?:\s*(?:is|was|are|be|to be|would be|should be|must be|will be|has to be|ist|lautet|wäre|est"
    r"|es|é|är|er|jest|は|是|为|為|은|는"
    r"|with|clearly|therefore|thus|probably|likely|definitely|option|choice|letter|number|for"
    r" (?:this|the) question))*"
)
_MARK = r"\s*[*_`\"'”]*\s*[:：=\-–—]*"
_CUE = re.compile(
    rf"(?i:(?<![A-Za-zÀ-ɏЀ-ӿ])(?:{_NAME})(?![a-z-])|(?<!不)(?:选择?|選擇?)|選択肢?){_MARK}(?i:{_SAYS}){_MARK}{_WRAP}{_BOXED}{_WRAP}"
)
_AFTER = r"(?![A-Za-z0-9_À-ɏ'’]|-\w)"
_ONE = re.compile(rf"(?P<letter>[A-Za-z]){_AFTER}")
_RUN = re.compile(r"(?P<run>[A-Z]{2,})(?=$|[\s.,;!?)\]\"'*}])")
_MORE = re.compile(
    r"[\s)\]*_.\"'}$]*(?:,|/|&|\+|;|\?(?=\s*[A-Z]\?)|\band\b|\bor\b|\bund\b|\boder\b|\bet\b|\bou\b|\by\b|\bo\b|和|或|と)\s*"
    rf"(?:(?:and|or|both|option|choice|maybe|perhaps|possibly|also"
    rf"|even)\s+)*[\s(\[*\"'$]*(?P<letter>[A-Za-z]){_AFTER}"
    r"(?!\s+(?:is|was|isn)\b|\s+are\s+(?:not|wrong|incorrect|out|false)\b"
    r"|\s+(?:sind|sont|son|são)\s+(?:falsch|faux|fausses|fals[oa]s|incorrect))"
)
_LEAD = r"(?:(?:the\s+)?(?:correct\s+|right\s+|best\s+)?(?:answer|option|choice)(?:\s+is)?\s*[:=]?\s*)*"
_START = re.compile(
    rf"{_WRAP}{_BOXED}(?i:{_LEAD}(?:either\s+|both\s+)?){_WRAP}(?P<letter>[A-Za-z])(?=$|[^\w\s'’-]"
    rf"|\s+[-–—:=]|\s*$|\s*\n|\s+(?:and|or|&)\s)"
)
_LAST_LINE = re.compile(rf"\n{_WRAP}(?P<letter>[A-Z])[\s*_`\"'”.)\]}}$]*$")
_CHOSEN = re.compile(
    r"(?:(?i:\b(?:it'?s|it’s|its|is|be|i'?d say|i say|say|guess|go(?:ing)? with|think|believe|so"
    r"|thus|therefore|hence|probably|but)\b"
    r"|=>|→|⇒))[\s,:]*(?:(?i:option|choice|letter)\s+)?[\s(\[*_\"'$]*(?P<letter>[A-Z])"
    rf"{_AFTER}"
)
_IS_RIGHT = re.compile(
    r"(?<![\w'’-])(?P<letter>[A-Z])[)\].*\"']*\s+(?:is|would be|seems|must be|ist|est|es)"
    r"\s+(?:the\s+|clearly\s+|definitely\s+)*"
    r"(?:correct|right|best|answer|true|most|richtig)"
)
_ALONE = re.compile(r"(?<![A-Za-zÀ-ɏЀ-ӿ0-9_'’.-])(?P<letter>[A-Z])" + _AFTER)
_DENIED = re.compile(
    r"(?i:\b(?:not|isn't|isn’t|never|nor|neither|except|than|instead of|rather"
    r" than|(?:anything|everything|all) but|nicht|keine?|pas|ni|nem|né|no es|não é|non è|не|ни)\s+"
    r"(?:option\s+)?|(?:不是|并非|並非|不选|不選)\s*)[\s(\[*\"']*$"
)
_CALLED_WRONG = re.compile(
    r"[)\]*_.\"'}$]*\s+(?i:is|are|est|es|ist|sind|sont|son|è|é|são)"
    r"(?i:\s+(?:clearly|definitely|also|therefore|not|tempting but))*"
    r"\s+(?i:wrong|incorrect[aoe]?|false|falsch|faux|fausse|fals[oa]|out|not (?:right|correct|true)"
    r")\b"
)
"""What follows a letter that is no answer."""
_NO_LETTER_BEFORE = re.compile(
    r"(?i:\b(?:vitamin|hepatitis|type|grade|group|plan|class|vitamins|big|level))\s+$"
)
_REASON = re.compile(r"\s+(?:because|since|as|due|for|based|given|\()")
SHORT_TEXT = 12
"""In a text of at most this many words, the only letter is the answer."""


@dataclass(frozen=True, slots=True)
class Picked:
    """A letter that a text names: the index of its option, None where it names several or none there is."""

    index: int | None
    rest: str
    """The text after the letter, or after the words that announce an answer."""
    named: bool = True
    """False where an answer is announced and no letter follows."""


def find(text: str, options: int) -> Picked | None:
    """The letter that a text picks among so many options; None where the text names no letter."""
    text = text if text.isascii() else _with_plain_letters(text)
    announced = _announced(text, options)
    if announced is not None:
        return announced
    stripped = text.strip(" \n\t*_`\"'().,!$")
    if len(stripped) > 1 and stripped.isupper() and stripped.isalpha() and _all_options(stripped, options):
        return Picked(None, "")  # "AB"
    for pattern in (_START, _LAST_LINE):
        match = pattern.match(text) if pattern is _START else pattern.search(text)
        if match and not _CALLED_WRONG.match(text, match.end("letter")):
            return _picked(text, match, options)
    for pattern in (_IS_RIGHT, _CHOSEN):
        matches = [match for match in pattern.finditer(text) if _counts(text, match)]
        if matches:
            return _picked(text, matches[-1], options)
    return _only_letter(text, options)


def _with_plain_letters(text: str) -> str:
    """A text with letters of full width, in circles or in brackets as plain ones; of the same length."""
    plain = (unicodedata.normalize("NFKC", char).strip("()") for char in text)
    return "".join(p if len(p) == 1 and p.isascii() else c for p, c in zip(plain, text, strict=True))


def _announced(text: str, options: int) -> Picked | None:
    """What the last announcement of an answer says."""
    found, end = None, 0
    for cue in _CUE.finditer(text):
        match = _ONE.match(text, cue.end())
        run = _RUN.match(text, cue.end())
        if cue.start() < end or (match and _CALLED_WRONG.match(text, match.end())):
            continue  # "option A or option B" names two, "option B is wrong" none
        if match and _is_letter(text, match):
            found = _picked(text, match, options)
            more = _MORE.match(text, match.end())
            end = more.end() if more else 0
        elif run and _all_options(run["run"], options):
            found = Picked(None, "")
        elif re.search(r"[:：=]", cue.group()) and text[cue.end() :].strip():
            found = Picked(None, text[cue.end() :], named=False)
    return found


def _picked(text: str, match: re.Match[str], options: int) -> Picked:
    index = LETTERS.find(match["letter"].upper())
    more = _MORE.match(text, match.end())
    if more and _is_letter(text, more) and 0 <= LETTERS.find(more["letter"].upper()) < options:
        return Picked(index if more["letter"].upper() == match["letter"].upper() else None, "")
    return Picked(index if 0 <= index < options else None, text[match.end() :])


def _only_letter(text: str, options: int) -> Picked | None:
    """The only letter of a short text."""
    if len(text.split()) > SHORT_TEXT:
        return None
    matches = [
        match
        for match in _ALONE.finditer(text)
        if _counts(text, match) and not _NO_LETTER_BEFORE.search(text[: match.start()])
    ]
    if not matches or not _all_options("".join(match["letter"] for match in matches), options):
        return None
    if len({match["letter"] for match in matches}) > 1:
        return Picked(None, "")
    return _picked(text, matches[-1], options)


def _counts(text: str, match: re.Match[str]) -> bool:
    """Whether a letter is one, and not denied."""
    if _CALLED_WRONG.match(text, match.end("letter")):
        return False
    return _is_letter(text, match) and _DENIED.search(text[: match.start("letter")]) is None


def _is_letter(text: str, match: re.Match[str]) -> bool:
    """Whether a letter names an option: small, or A or I, only where no word follows."""
    letter, rest = match["letter"], text[match.end("letter") :]
    if letter.islower() or letter in "AI":
        return re.match(r"\s+\w", rest) is None or (letter == "A" and _follows_reason(rest))
    return True


def _follows_reason(rest: str) -> bool:
    return (
        _REASON.match(rest) is not None
        or re.match(r"\s+(?:and|or)\s+(?:option\s+|choice\s+)?[B-Z]\b|\s+is\b|\n", rest) is not None
    )


def _all_options(letters: str, options: int) -> bool:
    return all(0 <= LETTERS.find(letter) < options for letter in letters)
