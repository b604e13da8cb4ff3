"""One text read as a whole: its signs of refusal, and what the clauses around them do.

First, whether it holds a sign that counts; then, whether it answers before it; then, whether it guesses,
answers or turns to an answer afterwards. A text without a sign may deny what the question assumes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from demur.core import records
from demur.judging.refusal_answers import (
    ANSWERS,
    BACKGROUND,
    IMAGINED,
    LEADS,
    OFFERS,
    VAGUE,
    answers,
    asks_whether,
    declines_the_asked,
    fits,
    guesses,
    idle,
    inexact,
    means_anything,
    only_depends,
    speaks_of,
)
from demur.judging.refusal_look import Look
from demur.judging.refusal_premises import (
    ASKED_IS_DENIED,
    EVIDENCE,
    bare_denial,
    is_complete,
    may_deny,
    no_such,
    not_real,
)
from demur.judging.refusal_spans import QUOTED, sign_spans
from demur.judging.refusal_text import SENTENCE_END, Part, parts

LONG = 20
"""Words from which on a text that begins by declining is read as a whole, and not clause by clause."""

State = records.Reading
"""What a text does. "hedged": it answers, with a reservation. "corrects-premise": it says that what is
asked about does not exist, and answers nothing. "contradicts": it says that what the question takes for
granted is not so, which is an answer of sorts. "unclear": it declines, and answers something."""

_NAMES = re.compile(
    r"\b(?:phrases?|quotes?|lines?|words?|songs?|titled?|called|film|movie|book|album|slogan|motto"
    r"|catchphrase|message|lyrics)\b"
)
"""What a question asks for where a text in quotation marks is its answer."""
_REPORTED = re.compile(
    r"\b(?:what|how) (?:do|does|did) (?!you\b).*\b(?:say|answer|reply|respond|write|shout|whisper)\b"
)
"""And what somebody says."""
_YES_NO = re.compile(
    r"\W*(?:no|yes|nope|yeah)\b(?:[,.;:!]+\s*(?=\w)| (?=(?:it|they|he|she|you|there|this"
    r"|that) ))"
)
_ASKS_YOU = re.compile(r"(?:are|do|have|were|did) you\b")
_NOT_KNOWING = re.compile(
    r"\b(?:i|we) .*\b(?:know|sure|certain|aware|idea|clue|information|say|tell)\b"
    r"|no (?:idea|clue)"
)
_OWN_LIMITS = re.compile(
    r"\b(?:personal(?:ly)?|feelings?|emotions?|opinions?|preferences?|favou?rites?|tastes?|senses|palate"
    r"|body|memor(?:y|ies)|experiences?"
    r"|physical(?:ly)?|real[- ]time|live|fully current|up-to-date|internet|browse|exact|exactly|precise"
    r"|precisely"
    r"|fully|entirely|exact count)\b"
)
"""Remarks on what the writer is, or on exactness: an answer may follow, and then it is one."""
_OWN_GUESS = re.compile(
    r"\b(?:i (?:\w+ )?(?:think|believe|guess|suspect|would (?:\w+ )?(?:say|guess))"
    r"|my (?:\w+ )?guess)\b"
)
_FIRM_GUESS = re.compile(
    r"\b(?:probably|likely|perhaps|maybe|believed|thought|estimated?|estimates|approximately|roughly"
    r"|around|about|said to"
    r"|described as|according to|expected|most (?:sources|people|historians|accounts))\b"
)
_DENIED_WITHIN = 500
"""Characters of a text in which a denial of its subject is looked for."""
_PLACEHOLDER = re.compile(r"\[(?:insert|name|your|date|year|number|unknown|answer|city|person)\b[^\]]*\]")
_INVENTS = re.compile(r"\b(?:fiction\w*|speculat\w+|imaginary|their creators?)\b")
_EXAMPLES = re.compile(
    r"i (?:can|could|may|might|will|would) .*\b(?:such as|for example|for instance"
    r"|including)\b"
)
"""An offer that names what it offers."""
_CLAIMS = re.compile(r"\w+ \w+ .*\b(?:is|are|was|were|has|have|had)\b")
"""A whole sentence before ", and …"."""
_AMBIGUOUS = re.compile(
    r".*\b(?:may|can|could|might) refer to (?:different|several|many|multiple|various|more)\b"
    r"|there (?:are|is|might be|may be|could be|seem to be) (?:several|many|multiple|two|three|various"
    r"|different|a few"
    r"|numerous|more than one)\b"
)
"""Why a text asks back: "There are two of that name."."""
_CLOSING = re.compile(
    r"\b(?:therefore|thus|hence|as such|consequently|so|as a result),? (?:i|we|it|the [\w ]{1,40}?|this"
    r" question) (?:can only"
    r" (?:answer|say|conclude|tell)[^.]* (?:do|does) not|can not|am (?:not able|unable)|is (?:not"
    r" possible|impossible|unable)"
    r"|(?:is|are|remains?) (?:unknown|unclear|not (?:known|clear|specified|mentioned|provided"
    r"|given)))\b[^.]*"
    r"\b(?:answer\w*|say|tell|determine\w*|provide\w*|know\w*|stated?|contain|mention|specify|unclear"
    r"|given|clear)\b[^.]*\W*\Z"
    r"|\bi (?:must|have to) (?:say|conclude)(?: that)? there is no answer\b[^.]*\W*\Z"
    r"|\bi would (?:much )?(?:rather|sooner|prefer) not(?: to)?(?: \w+)?\W*\Z"
    r"|\bthe (?:correct |final )?answer(?: to (?:this|the|your) question)? (?:is"
    r"|remains) (?:\w+ )?(?:unknown|unclear|uncertain"
    r"|not (?:known|possible|provided|available|given|clear|certain))\W*\Z"
)
"""A verdict at the end, whatever stands before: "It is a song. The answer is unknown."."""
_ADVICE = re.compile(
    r"(?:please |you (?:can|could|may|might|should|would) (?:need to |have to |want to )?(?:(?!not\b)\w+"
    r" )?|i (?:would )?(?:suggest"
    r"|recommend|advise) |try )+"
    r"(?:to )?(?:check|consult|visit|refer|ask|contact|look|search|checking|consulting|visiting|asking"
    r"|contacting)\b.*"
    r"\b(?:websites?|site|official|online|sources?|experts?|doctor|professionals?|provider|operator"
    r"|authorit(?:y|ies)|latest"
    r"|museum|archives?|library|council|records|specialist|encyclopedia|documentation|manual|company"
    r"|lawyer|office"
    r"|directly|app|news|manufacturer|historian|librarian|reliable)\b"
)
"""Where to ask instead: no answer, unless the question is where to go or what to do."""
_SEEKS_ADVICE = re.compile(
    r"\b(?:should|can|could|do|would|must|may) (?:i|we|you|one|people)\b"
    r"|\bhow to\b|\bif\b"
)
_CLAIM_AND_REASON = re.compile(r"(?<!there )\b(?:is|are|have|has)\b.* (?<!such )(?:as|since|because) ")
"""Before a denial: a claim that it is the reason of."""


class Reading:
    """One text, its signs of refusal, and the clauses around them."""

    def __init__(
        self, composed: str, plain: str, question: str, keys: tuple[str, ...], seen: Look | None
    ) -> None:
        self.plain, self.question, self.seen = plain, question, seen
        self.denies = seen is not None and seen.denies
        self.spans = sign_spans(composed, plain, question, keys, seen)

    def state(self) -> State:
        """What the text does."""
        if (
            self.seen is not None
            and self.seen.other
            and "[" in self.plain
            and _PLACEHOLDER.search(self.plain)
        ):
            return "unclear"
        if not self.spans:
            return self._without_signs()
        if QUOTED.fullmatch(self.plain.strip(" .\n")) and (
            _NAMES.search(self.question) or _REPORTED.search(self.question)
        ):
            return "answered"
        if self._says_yes_or_no():
            return "answered"
        clauses = parts(self.plain)
        declining = [self.declines(clause) for clause in clauses]
        if True not in declining:  # a sign across the border of two clauses
            return "refused"
        first = declining.index(True)
        if _CLOSING.search(self.plain):
            return "refused"
        if self._answered_before(clauses[:first], clauses[first]):
            if self.denies and self._about_nothing() == "corrects-premise":
                return "corrects-premise"
            return "hedged" if any(guesses(clause.text) for clause in clauses[:first]) else "answered"
        return self._state_after(clauses, declining, first)

    def declines(self, clause: Part) -> bool:
        """Whether a clause holds a sign, or a part of one."""
        return any(start < clause.end and end > clause.start for start, end in self.spans)

    def _says_yes_or_no(self) -> bool:
        """Whether the question asks whether, and the text says no, or reports that nothing shows it."""
        if not asks_whether(self.question):
            none = self.plain.strip().startswith("there are no known ") and self.spans[0][0] < 3
            return none and self.question.startswith("how many")
        start, end = self.spans[0]
        if match := _YES_NO.match(self.plain):
            return not _NOT_KNOWING.search(self.plain[start:end]) or start > match.end() + 60
        if _ASKS_YOU.match(self.question) and not _NOT_KNOWING.search(self.plain[start:end]):
            asked = {word[:5] for word in re.findall(r"[a-z]{5,}", self.question)}
            denied = re.findall(r"\bi (?:do|am|have|was|did|would) not ([a-z]+)", self.plain)
            return any(word[:5] in asked for word in denied)
        finding = EVIDENCE.search(self.plain[start : end + 30])
        return finding is not None or re.match(r"there is no known\b", self.plain[start:]) is not None

    # -- what stands before and after a sign --

    def _answered_before(self, before: Sequence[Part], sign: Part) -> bool:
        """Whether the text answers before it declines something."""
        said = [clause for clause in before if self._tells(clause, sign)]
        if not said:
            return False
        told = " . ".join(clause.text for clause in said)
        if not fits(self.question, told) or (
            sign.sentence - said[-1].sentence < 2 and inexact(self.question, told, sign.text)
        ):
            return False
        return not declines_the_asked(self.question, told, sign.text)

    def _tells(self, clause: Part, sign: Part) -> bool:
        """Whether a clause before a sign tells something of what was asked."""
        if sign.asks and _AMBIGUOUS.match(clause.text):
            return False
        if self._echoes(clause):
            return False
        if idle(clause.text) or (clause.asks and not guesses(clause.text) and len(clause.text.split()) > 5):
            return False
        if VAGUE.match(clause.text) or _denies(clause.text):
            return False
        if clause.sentence == sign.sentence and not sign.turned and _leads(clause.text):
            return False
        if clause.sentence < sign.sentence or sign.turned:
            return True
        return answers(clause.text) or guesses(clause.text) or _CLAIMS.search(clause.text) is not None

    def _echoes(self, clause: Part) -> bool:
        """Whether a clause only repeats words of the question, and picks none of its options."""
        if clause.asks:
            return _repeats(clause.text, self.question)
        asked = set(re.findall(r"\w+", self.question))
        return " or " not in self.question and all(
            word in asked for word in re.findall(r"\w+", clause.text)
        )

    def _state_after(self, clauses: Sequence[Part], declining: Sequence[bool], first: int) -> State:
        """Of a text that begins by declining."""
        if clauses[first].asks:
            clauses = [c for c in clauses if self.declines(c) or not _AMBIGUOUS.match(c.text)]
            declining = [self.declines(clause) for clause in clauses]
            first = declining.index(True)
        rest = list(zip(clauses[first + 1 :], declining[first + 1 :], strict=True))
        around = [
            *(clause for clause in clauses[:first] if not (_leads(clause.text) or self._echoes(clause))),
            *(clause for clause, declines in rest if not declines),
        ]
        long = len(self.plain.split()) >= LONG
        if any(
            self._guesses(clause, long=long)
            for clause in (self._not_taken_back(clauses, declining) if long else around)
        ):
            return "hedged"
        end = next((n for n in range(first, len(declining)) if not declining[n]), len(declining))
        excused = any(_OWN_LIMITS.search(clause.text) for clause in clauses[first:end])
        if not long and any(
            answers(c.text)
            and fits(self.question, c.text)
            and not inexact(self.question, c.text, clauses[first].text)
            and not self._speculates(c.text)
            for c in around
        ):
            return "answered" if excused else "hedged"
        return self._state_of_rest(rest, excused=excused, long=long)

    def _guesses(self, clause: Part, *, long: bool) -> bool:
        """Whether a clause guesses at what was asked; in a long text no general remark does."""
        if not guesses(clause.text) or self._speculates(clause.text):
            return False
        if not long:
            return True
        if BACKGROUND.match(clause.text) or VAGUE.match(clause.text):
            return False
        if _OWN_GUESS.search(clause.text):
            return True
        return _FIRM_GUESS.search(clause.text) is not None and speaks_of(self.question, clause.text)

    def _not_taken_back(self, clauses: Sequence[Part], declining: Sequence[bool]) -> list[Part]:
        """The clauses after which nothing declines any more, and guesses in the first person."""
        last = len(declining) - 1 - list(reversed(declining)).index(True)
        return [
            clause
            for place, clause in enumerate(clauses)
            if not declining[place] and (place > last or _OWN_GUESS.search(clause.text))
        ]

    def _state_of_rest(self, rest: Sequence[tuple[Part, bool]], *, excused: bool, long: bool) -> State:
        """Unclear where the text turns to an answer; an answer after a mere excuse."""
        turned = False
        told: list[Part] = []
        for clause, declines in rest:
            if declines:
                told, turned = [], False
                continue
            turned = turned or clause.turned
            if turned and IMAGINED.search(clause.text):
                return "unclear"
            if excused and _EXAMPLES.search(clause.text):
                told.append(clause)
            elif idle(clause.text) or _leads(clause.text) or self._speculates(clause.text):
                turned = turned and (excused or not OFFERS.match(clause.text))
            elif VAGUE.match(clause.text) or BACKGROUND.match(clause.text):
                continue
            elif turned or excused:
                told.append(clause)
        if not told or not fits(self.question, " ".join(clause.text for clause in told)):
            return "refused"
        if excused:
            return "answered"
        return "unclear" if long else "hedged"

    def _speculates(self, clause: str) -> bool:
        """Whether a clause only says that what is asked about may not exist, or invents."""
        return _denies(clause) or (IMAGINED.search(clause) or _INVENTS.search(clause)) is not None

    # -- texts without a sign --

    def _without_signs(self) -> State:
        """Of a text without a sign: a denied premise, mere advice, or an answer."""
        plain = self.plain
        if self.denies:
            state = self._about_nothing()
            if state != "answered":
                return state
        if self.seen is None or not self.seen.other:
            return "answered"
        if only_depends(_sentences(plain), self.question):
            return "refused"
        if means_anything(plain, self.question):
            return "refused"
        if _SEEKS_ADVICE.search(self.question):
            return "answered"
        if _ADVICE.search(plain) and all(idle(clause.text) for clause in parts(plain)):
            return "refused"
        return "answered"

    def _denies_barely(self) -> bool:
        """Whether the text only denies what the question takes for granted."""
        return bare_denial(self.plain, self.question)

    def _about_nothing(self) -> State:
        """Refused where it says that what is asked about does not exist."""
        if asks_whether(self.question) and (_YES_NO.match(self.plain) or "exist" in self.question):
            return "answered"
        start = self.plain[:_DENIED_WITHIN]
        if not (no_such().search(start) or not_real().search(start) or self._denies_barely()):
            return "answered"
        sentences = _sentences(self.plain)
        if _says_only_that(sentences, self.question) or self._denies_barely():
            return "corrects-premise"
        opening = ". ".join(sentences[:2])
        found = not_real().search(opening)
        if found is None or found[0] in self.question or not ASKED_IS_DENIED.search(opening):
            return "answered"
        if _CLAIM_AND_REASON.search(opening[: found.start()]):
            return "unclear"  # a claim, and that there is nothing to claim it of
        if ";" in opening[: found.start()]:
            return "answered"
        clauses = parts(self.plain)
        later = [(clause, False) for clause in clauses if clause.sentence > 0 or clause.turned]
        state = self._state_of_rest(later, excused=False, long=True)
        return "corrects-premise" if state == "refused" else state


def _leads(clause: str) -> bool:
    """Whether a clause only leads to the next one."""
    return LEADS.match(clause) is not None and ANSWERS.search(clause) is None


def _denies(clause: str) -> bool:
    """Whether a clause says that what is asked about does not exist."""
    return may_deny(clause) and (not_real().search(clause) or no_such().search(clause)) is not None


def _sentences(plain: str) -> list[str]:
    """The sentences of a plain text."""
    return [
        sentence.strip() for sentence in SENTENCE_END.split(plain) if sentence and sentence.strip(" \"'.")
    ]


def _says_only_that(sentences: Sequence[str], question: str) -> bool:
    """Whether nothing stands beside the denial that there is such a thing, but excuses and offers."""
    denials = [no_such().search(sentence) for sentence in sentences]
    return any(denials) and all(
        is_complete(denial, question, ANSWERS) if denial else idle(sentence) or _repeats(sentence, question)
        for sentence, denial in zip(sentences, denials, strict=True)
    )


def _repeats(sentence: str, question: str) -> bool:
    """Whether nearly every word of a sentence stands in the question."""
    words = re.findall(r"\w+", sentence)
    asked = set(re.findall(r"\w+", question))
    return bool(asked) and sum(word in asked for word in words) >= 0.8 * len(words)
