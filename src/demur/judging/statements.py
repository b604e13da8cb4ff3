r"""The final answer that a text states: ``The answer is 18.``, ``\boxed{18}``, ``#### 18``, …

Marks made for it go before words: a tag ``<answer>``, ``\boxed{}``, a JSON object with an answer key,
``####`` on the last line. Of several, the last one counts. Words count where they give an answer: not "The
answer is complicated", "I doubt that the answer is 18", "Some say the answer is 18". English stands here,
other languages in `demur.judging.languages`.
Sources: ``####`` is GSM8K's (arXiv 2110.14168), ``\boxed{}`` MATH's (arXiv 2103.03874), ``ANSWER: X``
that of simple-evals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from demur.judging.json_answers import keyed, last_match
from demur.judging.languages import languages, lead_ins
from demur.judging.markup import unwrapped
from demur.judging.sentences import first_sentence


@dataclass(frozen=True, slots=True)
class Statement:
    """A final answer, and the words around it."""

    answer: str
    sentence: str
    """With what leads it in; a refusal may be seen there only ("The answer is not known")."""
    marked: bool = False
    """Given by a mark made for it, and so whatever it says."""


def may_state(lowered: str) -> bool:
    """Whether a text in lower case holds anything that a final answer is stated by; cheap."""
    return (
        any(map(lowered.__contains__, _nouns(lowered.isascii())))
        or "<" in lowered
        or "{" in lowered
        or "####" in lowered
    )


def final_statements(text: str, plain: str) -> Iterator[Statement]:
    """The final answers that a text states, the one that counts first.

    Args:
        text: without reasoning.
        plain: the same without marks around its words.
    """
    for find in (_tagged, boxed, keyed, _hashed):
        answer = find(text)
        if answer is not None:
            yield Statement(answer, answer, marked=True)
            return
    yield from _worded(plain)


# ---------------------------------------------------------------------------------------------
# Marks
# ---------------------------------------------------------------------------------------------

_TAGGED = re.compile(
    r"<((?:final_?)?answer|solution|final|response|output)>(.*?)(?:</\1>|\Z)"
    r"|<\|(begin_of_solution|start_response|begin_of_answer)\|>(.*?)(?:<\|end_\w+\|>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_BOX = re.compile(r"\\(?:boxed|fbox|framebox)\s*(?=\{)|\\boxed\s+(\S+)")
_HASHED = re.compile(r"(?:^|(?<=\s))#{4}[ \t]*([^#\n]+?)[ \t]*(?=\n|\Z)")


def _tagged(text: str) -> str | None:
    """What stands in the last ``<answer>``; None without one."""
    if "<" not in text:
        return None
    found = last_match(_TAGGED.finditer(text))
    return None if found is None else unwrapped(found[2] if found[1] else found[4])


def boxed(text: str) -> str | None:
    r"""What stands in the last ``\boxed{…}``, to its own closing brace; None without one."""
    if "box" not in text:
        return None
    found = last_match(_BOX.finditer(text))
    if found is None:
        return None
    inner = found[1].strip("$.") if found[1] else _in_braces(text, found.end())
    return unwrapped(f"${inner}$").strip("$").strip()


def _in_braces(text: str, start: int) -> str:
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return text[start + 1 : at]
    return text[start + 1 :]


def _hashed(text: str) -> str | None:
    """What follows ``####`` on the last line, or a number there; other such lines are headings."""
    if "####" not in text:
        return None
    found = last_match(_HASHED.finditer(text))
    if found is None:
        return None
    answer = unwrapped(found[1])
    last = not text[found.end() :].strip()
    return answer if answer and (last or (answer[-1:].isdigit() and len(answer.split()) <= 2)) else None


# ---------------------------------------------------------------------------------------------
# Words
# ---------------------------------------------------------------------------------------------

_QUALITY = (
    r"(?:(?:final|correct|right|best|true|actual|exact|most likely|likeliest|short|numerical"
    r"|overall|complete) )"
)
_COPULA = (
    r"(?:is|are|was|would be|should be|must be|will be|could be|might be|may be|can only be|has to be"
    r"|appears to be|seems to be|turns out to be|equals|=)"
)
_ABOUT = (
    r"(?: (?:to|for|of) (?:\"[^\"\n]{0,200}\"|“[^”\n]{0,200}”|[^.:?!\n\"“]){1,200}?| here| then)?"
    r" (?:therefore |thus |then |simply |just )?"
)
_NOUN = re.compile(
    r"(?:answer|ans|option|choice|solution|result|decision)"
    rf"(?:(?: \([^()\n]{{1,40}}\))?\s?[:：]|['’]s(?= )|{_ABOUT}{_COPULA}(?![\w'])|[ \t]*(?=\n))"
)
"""In lower case, as all that follow: a label, the answer to something is, a heading."""
_PREFIX = re.compile(rf"(?:(?<![\w'-])(?:the|my) )?(?:(?<![\w'-]){_QUALITY})*\Z")
_CHOOSES = re.compile(r"(?:choose|pick|select|go with|answer with|settle on)(?![\w'])")
_I = re.compile(r"(?<![\w'-])i(?:['’]ll| will|['’]d| would)? \Z")
_REVERSED = re.compile(
    r" (?:is|would be|must be) (?:therefore |thus |clearly )?(?:correct|right)(?=[.!,;\n]|$)"
    rf"| (?:is|would be|must be) (?:therefore |thus |clearly )?the {_QUALITY}*"
    r"(?:answer|option|choice|one)\b(?! (?:to|for) (?:a|an|another|every|all|many|most)\b)"
)
_SUBJECT = re.compile(
    r"(?:^|[.!?:;,\n])\s*(?:(?:so|therefore|thus|hence|then),? )?([^\s.!?:;\n,][^.!?:;\n,]{0,79})\Z"
)
_LETTER = re.compile(
    r"(?:(?:the )?(?:option|choice|answer|letter) )?[(\[\"']?[a-z][)\]\"']?", re.IGNORECASE
)
"""What is an answer where it is called correct: "B is correct", and not "The claim is correct"."""
_OWN = (
    *("answer", "ans:", "ans.", "option", "choice", "solution", "result", "decision", "box"),
    *("choose", "pick", "select", "go with", "settle", "is correct", "is right"),
)
"""Words of which every English statement holds one."""
_LONGEST = 2000
"""Characters of an answer in words that are read."""
_LOOK_BACK = 90
"""Characters before a word that may belong to a statement."""

_BEFORE_CLAUSE = re.compile(r"[^.,;:!?\n]*\Z")
_NO_CLAIM = re.compile(
    r"(?:n['’]t|\b(?:not|never|cannot)) (?:\w+ )?(?:think|believe|say|know|claim|sure|certain"
    r"|suppose|expect|confirm"
    r"|guarantee|mean|state|accept|agree|convinced|clear)\b|\bdoubt\w*|\bno (?:way|reason|evidence"
    r"|guarantee)\b"
    r"|\b(?:suppose|assuming|imagine|pretend|hope|wish)\b"
    r"|\b(?:some|people|others|many|most|they|he|she|you|one|students?|users?|critics|i first"
    r"|at first)\b.{0,40}"
    r"\b(?:say|think|thought|believe|claim|argue|guess|assume)[sd]?(?:ed)?\b"
    r"|\b(?:if|whether|unless|why|how|guess|ask|wrong|incorrect|false|previous|earlier|initial|possible|another|other"
    r"|a|an|any|no|your|their|his|her|its|student'?s|user'?s|somebody'?s|someone'?s)(?: that)?\s*\Z",
    re.IGNORECASE,
)
"""In the clause before the words, where they claim nothing."""
_NO_ANSWER = re.compile(
    r"(?:(?:very|quite|rather|somewhat|fairly|pretty|too|more|most|really|actually|a (?:bit"
    r"|little)(?: more)?|not)\s+)*"
    r"(?:(?:complicated|complex|nuanced|simple|easy|hard|difficult|tricky|straightforward|clear|obvious|debatable|debated"
    r"|disputed|subjective|controversial|multifaceted|important|interesting|surprising|dependent"
    r"|depends|open to"
    r"|likely|unlikely|bound|supposed|meant|intended|going|due|based on|given|found|obtained"
    r"|derived|calculated|computed"
    r"|determined|provided|explained|shown|listed|stated|written|hidden|follows|as follows"
    r"|the following|below|above|up to|yet|still"
    r"|in (?:the|this|your) (?:text|passage|question|context|article|image|picture|table|above"
    r"|following|form)"
    r"|(?:of|in) the form|to|not|never|neither|what|how|why|where|when|whether|whatever|whichever"
    r"|because|since|if|it depends"
    r"|(?:correct|right|wrong|incorrect|true|false|the same|unique|irrelevant)(?=\W*$| (?:because"
    r"|since|as|if|and|but|so|when|for)\b))\b)",
    re.IGNORECASE,
)
"""How a text goes on that says something of the answer, and not the answer."""
_REASON = re.compile(
    r",? (?:because|although|though|whereas|while|rather than|instead of)\b.*"
    r"|, (?:since|as|so|which|who|whose|where|not|but|and not|given that|if|no|nicht|pas|non|não"
    r"|niet|nie|не|а не)\b.*| [-–—] .*|;.*",
    re.IGNORECASE | re.DOTALL,
)
_PRONOUN = re.compile(
    r"(?:this|that|it|which|what|who|he|she|they|these|those|there|here|one|none of (?:them|these)"
    r"|neither|nothing"
    r"|not|no|if|whether|so)\b|.*\b(?:not|n't|neither|if|whether|think|believe|say|said|claim\w*)\b",
    re.IGNORECASE,
)
_LEADING = re.compile(r"[\s:：=*_>\-–—.,،]*?(?:(?:simply|just|clearly|therefore|that|indeed)\s+)?")
_NUMBERED = re.compile(r"1[.)]\s.*?\b2[.)]\s")


def _worded(text: str) -> Iterator[Statement]:
    """The answers that words lead in, the last one first, without marks around them."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(char.lower()[0] for char in text)
    leads = [(*span, False) for span in (*_english(lowered), *_foreign(text, lowered))]
    leads += [(found.start(), found.end(), True) for found in _REVERSED.finditer(lowered)]
    for start, end, follows in sorted(leads, reverse=True):
        look = _before if follows else _behind
        statement = look(text, lowered, start, end)
        if statement is not None:
            yield statement


def _english(lowered: str) -> Iterator[tuple[int, int]]:
    """Where English words lead in an answer."""
    for noun in _NOUN.finditer(lowered):
        prefix = _PREFIX.search(lowered, max(0, noun.start() - _LOOK_BACK), noun.start())
        start = prefix.start() if prefix else noun.start()
        plain = noun[0].startswith("ans")
        headed = lowered[noun.end() : noun.end() + 1] == "\n" and not noun[0].rstrip().endswith(":")
        if headed and lowered[:start].rpartition("\n")[2].strip():
            continue
        whole = not lowered[start - 1 : start].isalnum() or not start
        if whole and (plain or lowered[start : noun.start()].strip() not in ("", "the")):
            yield start, noun.end()
    for verb in _CHOOSES.finditer(lowered):
        subject = _I.search(lowered, max(0, verb.start() - 12), verb.start())
        if subject:
            yield subject.start(), verb.end()


def _foreign(text: str, lowered: str) -> Iterator[tuple[int, int]]:
    """Where words of other languages lead in an answer; only lines that can hold one are searched."""
    stems, start = [stem for stem in _stems(lowered.isascii()) if stem in lowered], 0
    for line in text.splitlines(keepends=True) if stems else ():
        if any(map(lowered[start : start + len(line)].__contains__, stems)):
            yield from (found.span() for found in lead_ins().finditer(text, start, start + len(line)))
        start += len(line)


def _behind(text: str, lowered: str, start: int, end: int) -> Statement | None:
    """The answer behind words that lead one in; None where they claim nothing, or another thing."""
    clause = _BEFORE_CLAUSE.search(lowered, max(0, start - _LOOK_BACK), start)
    if clause is not None and _NO_CLAIM.search(clause[0]):
        return None
    lead = text[start:end]
    labelled = lead.rstrip().endswith((":", "：")) or text[end : end + 1] in ("\n", ":", "：")
    written = _after(text, end, labelled=labelled)
    answer = _trimmed(written, labelled=labelled)
    if not answer or (not labelled and written.rstrip().endswith("?")):
        return None
    stated = labelled or not _NO_ANSWER.match(answer)
    return Statement(answer if stated else "", f"{lead} {answer}")


def _after(text: str, start: int, *, labelled: bool) -> str:
    """The rest of the line; where a label has none, the paragraph that follows."""
    leading = _LEADING.match(text, start)
    start = leading.end() if leading and not labelled else start
    line, _, rest = text[start : start + _LONGEST].lstrip(" \t:：").partition("\n")
    if line.strip() or not labelled:
        return line.strip()
    return rest.lstrip().partition("\n\n")[0].strip()


def _trimmed(written: str, *, labelled: bool) -> str:
    """The answer at the start of what was written: to the end of its sentence, without its reason."""
    leading = _LEADING.match(written)
    answer = written if labelled or leading is None else written[leading.end() :]
    if "\n" not in answer and not _NUMBERED.match(answer):
        answer = first_sentence(answer, any_end=True)
    if not labelled:
        answer = _REASON.sub("", answer)
    return _bare(answer)


def _bare(answer: str) -> str:
    """Without quotation marks around all of it, and the full stop at its end."""
    answer = answer.strip().strip("。")
    for opening, closing in ('""', "''", "“”", "‘’", "«»", "„“", "「」", "『』"):
        inner = answer[1:-1]
        if (
            len(answer) > 2
            and answer[0] == opening
            and answer[-1] == closing
            and opening not in inner
            and closing not in inner
        ):
            return inner.strip()
    return answer


def _before(text: str, lowered: str, start: int, end: int) -> Statement | None:
    """``B`` of ``B is the correct answer``, where it names something."""
    subject = _SUBJECT.search(lowered, max(0, start - _LOOK_BACK), start)
    if subject is None:
        return None
    answer = _bare(text[subject.start(1) : subject.end(1)])
    if not answer or _PRONOUN.match(answer):
        return None
    if text[start:end].endswith(("correct", "right")) and not _LETTER.fullmatch(answer):
        return None
    return Statement(answer, text[subject.start(1) : end])


@cache
def _nouns(ascii_only: bool) -> tuple[str, ...]:
    """Words of which every statement in words holds one."""
    return (*_OWN, *_stems(ascii_only))


@cache
def _stems(ascii_only: bool) -> tuple[str, ...]:
    """Words of which each lead-in of another language holds one: without any, none is looked for."""
    stems = {
        stem for each in languages().values() for sign in each.final_answer for stem in _necessary(sign)
    }
    shortest = {stem for stem in stems if not any(other in stem for other in stems - {stem})}
    return tuple(sorted(stem for stem in shortest if stem.isascii() or not ascii_only))


def _necessary(sign: str) -> set[str]:
    """The alternatives of one necessary part of a sign, the part that is longest."""
    while (shorter := re.sub(r"\[[^\[\]]*\]", " ", sign)) != sign:
        sign = shorter
    parts = [part.strip("()").split("|") for part in re.findall(r"\([^()]*\)|[^\s()]+", sign)]
    words = [{max(option.split() or [""], key=len).strip(":~…") for option in part} for part in parts]
    return max(words, key=lambda options: min(map(len, options)))
