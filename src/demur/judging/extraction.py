"""The answer within a response: what every judging rule reads, and nothing else.

In this order: reasoning is taken off (`demur.core.reasoning`); what follows the start of a next question,
or a special token, is cut off; the repeated question is taken off; the final answer that the text states
is found (`demur.judging.statements`). Where none is stated, the text itself is the answer, without marks
around its words (`demur.judging.markup`). A text that only repeats its question holds no answer
(`demur.judging.echo`).
Source: Demur. Order and last-one-counts are those of the answer parsers of lm-evaluation-harness and
simple-evals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from demur.core.reasoning import without_reasoning
from demur.core.records import Response
from demur.judging.echo import only_echoes
from demur.judging.markup import unwrapped
from demur.judging.normalise import normalise
from demur.judging.refusals import refusal_state
from demur.judging.statements import Statement, final_statements, may_state


class Extracted(NamedTuple):
    """What a response says."""

    answer: str | None
    """What is judged, stripped; None where there is no answer."""
    text: str = ""
    """All that was said outside of reasoning, up to a next question, without marks; stripped."""
    raw: str = ""
    """The same with its marks."""
    statement: Statement | None = None
    """The final answer that the text states; None where it states none."""


_NOTHING = Extracted(None)
_MARKED = re.compile(r"[\n:：*_`$\\#>&<\[{|~◁]")
"""A text without any of these has no marks, no label and no next question, but for these starts."""
_MARKED_STARTS = ("-", "•", "‣", "+", "q. ", "analysis", "commentary")

_QUESTION = (
    r"(?:Q|(?:(?:Next|New|Follow-up|Another) )?Question|Problem|Exercise|Frage|Pregunta|Вопрос|问题"
    r"|問題|質問|问|問"
    r"|سؤال|السؤال|प्रश्न|सवाल|Domanda|Pergunta|Vraag|Pytanie|질문|문제|Soru)"
)
_ANSWER = (
    r"(?:A|Answer|Antwort|Réponse|Respuesta|Ответ|答案|回答|答|答え|الإجابة|الجواب|उत्तर|Risposta|Resposta|Antwoord"
    r"|Odpowiedź|답변|답|정답|Cevap|Yanıt)"
)
_NUMBER = r"[ \t]*(?:[#№]?\d{1,3})?[ \t]*[*_]{0,3}[ \t]?"
_SPECIAL = (
    r"</s>|<s>|<eos>|<bos>|<pad>|<(?:start|end)_of_turn>|<\|[\w ]{1,40}\|>|<｜[^｜<>]{1,40}｜>|\[/?INST\]"
)
_NEXT = re.compile(
    rf"\n\s*(?:#{{1,6}}[ \t]*|[*_]{{1,3}}|[-=*]{{3,}}\s*\n\s*)?{_QUESTION}(?:{_NUMBER}[:：]"
    rf"|[ \t]*\d{{1,3}}[.)]\s)"
    r"|\nQ\.[ \t]"
    rf"|(?<=[.!?。！？])[ \t]+(?:Q|Question){_NUMBER}:"
    r"|\n\s*[*_]{0,3}(?:Human|User|Assistant|System|Instruction|Input|Student)[*_]{0,3}[ \t]*:"
    r"|\n\s*#{2,6}[ \t]*(?:Instruction|Input|Question|Human|User|Assistant|Response|Problem"
    r"|Exercise|Task|System|Example)"
    r"\b"
    rf"|\n\s*\[{_QUESTION}\]|[ \t]Question:[ \t][^\n]{{1,400}}?[?.][ \t]+(?:Answer|A):"
    r"|\n\s*\d{1,3}[.)][ \t]+(?:(?:In|On|At|By|For|From|To) )?(?:what|who|whom|whose|where|when|which|how"
    r"|why)\b[^\n]{4,300}\?"
    r"|\n\s*(?:Passage|Context|Document):|\n\s*\n(?:Article|Premise|Claim|Statement|Sentence):"
    r"|\n#{3,}[ \t]*(?:\n|$)"
    rf"|{_SPECIAL}",
    re.IGNORECASE,
)
"""Where a next question begins."""
_BARE_NEXT = re.compile(
    r"(?P<said>[^\n!?:]{1,60})\n+(?P<asked>(?:In |On |At |By |For |From |To )?"
    r"(?:what|who|whom|whose|where|when|which|how|why"
    r"|is|are|was|were|do|does|did|can|has|have)\b[^\n]{4,300}\?)[ \t]*\n+\S",
    re.IGNORECASE,
)
"""A short line, a question without a label, and more: a model that goes on with questions of its own."""
_OPENING = re.compile(
    rf"{_SPECIAL}|#{{2,6}}[ \t]*(?:Response|Output|Assistant)[ \t]*:?[ \t]*\n|(?:Assistant|AI|Response"
    rf"|Output):(?=\s)",
    re.IGNORECASE,
)
"""What stands before an answer and belongs to the form of the conversation."""
_OPENS = frozenset("<[#AaRrOo")
"""What it begins with."""
_ASKED = re.compile(
    rf"[*_]{{0,3}}{_QUESTION}{_NUMBER}[:：][*_]{{0,3}}\s*(?P<asked>.{{1,4000}}?)(?:\s*\n\s*|\s)[*_]{{0,3}}{_ANSWER}{_NUMBER}[:：][*_]{{0,3}}",
    re.DOTALL | re.IGNORECASE,
)
"""A question and the label of its answer, at the start of a text."""
_LABEL = re.compile(r"[*_]{0,3}A[*_]{0,3}:[*_]{0,3}\s*(?=\S)")
_AFTER_ECHO = re.compile(r"[\s?？.:：\"'”»*_\-–—=>]*")
_TURNS = ("\n", "<", "[", ":", "：")
"""One of these stands wherever a next question begins."""


def extract(text: str, *, question: str = "", choices: Sequence[str] = ()) -> Extracted:
    """The answer within a response.

    Args:
        text: what was said, reasoning included.
        question: the question as asked; where the text begins with it, that is no answer.
        choices: its options, where it has any.
    """
    lowered = text.lower()
    if not (
        _MARKED.search(text)
        or may_state(lowered)
        or lowered.startswith((question[:9].lower() or "\0", *_MARKED_STARTS))
    ):
        text = text.strip()
        empty = not text or (not choices and only_echoes(text, question))
        return _NOTHING if empty else Extracted(text, text, text)
    found = without_reasoning(text)
    if found is None:
        return _NOTHING
    raw = _own_turn(found, question, lettered=bool(choices))
    if not raw:
        return _NOTHING
    plain = unwrapped(raw)
    if not choices and only_echoes(plain, question):
        return _NOTHING
    statement = _stated(raw, plain) if may_state(raw.lower()) else None
    if statement is None:
        return Extracted(plain, plain, raw)
    answer = statement.answer if statement.marked else statement.answer or statement.sentence
    if not choices and only_echoes(answer, question):
        return _NOTHING
    return Extracted(answer or None, plain, raw, statement)


def _own_turn(text: str, question: str, *, lettered: bool) -> str:
    """The text up to a next question, without the question that it repeats; stripped."""
    text = text.strip()
    while text[:1] in _OPENS and (opening := _OPENING.match(text)):
        text = text[opening.end() :].lstrip()
    if any(turn in text for turn in _TURNS):
        text = _after_question(text, question)
        text = _before_next(text, question)
    text = _without_echo(text, question)
    if not lettered and text[:1] in "A*_" and (label := _LABEL.match(text)):
        text = text[label.end() :]
    return text


def _before_next(text: str, question: str) -> str:
    """The text up to where a next question begins."""
    following = _NEXT.search(text)
    text = text[: following.start()].rstrip() if following else text
    bare = _BARE_NEXT.match(text)
    if bare and normalise(bare["asked"]) != normalise(question):
        return bare["said"].rstrip()
    return text


def _after_question(text: str, question: str) -> str:
    """The text after the question that it begins with; nothing where that is another question."""
    asked = _ASKED.match(text)
    if asked is None:
        return text
    theirs, ours = normalise(asked["asked"]), normalise(question)
    same = not ours or theirs in ours or ours in theirs
    return text[asked.end() :].lstrip() if same else ""


def _without_echo(text: str, question: str) -> str:
    """The text without the question at its start; as it is where nothing follows."""
    asked = question.strip().rstrip("?？.:： ")
    if not asked or text[: len(asked)].casefold() != asked.casefold():
        return text
    end = len(asked)
    if text[end : end + 1].isalnum():
        return text
    rest = text[end:]
    following = _AFTER_ECHO.match(rest)
    return rest[following.end() :] if following and following.end() < len(rest) else text


def _stated(raw: str, plain: str) -> Statement | None:
    """The final answer that counts: a mark's, else the last one in words that answers or declines."""
    for statement in final_statements(raw, plain):
        if statement.answer or statement.marked or refusal_state(statement.sentence) == "refused":
            return statement
    return None


NAMELESS = "\0"
"""How the name of a sample without an answer begins."""


def answer_names(samples: Sequence[Response]) -> list[str]:
    """A name for each sample's answer, the same where the answers are.

    A sample without an answer has a name of its own, which is no text's.
    """
    names = [answer_name(sample.text) for sample in samples]
    return [f"{NAMELESS}{place}" if name is None else name for place, name in enumerate(names)]


@lru_cache(maxsize=1 << 16)
def answer_name(text: str) -> str | None:
    """What a response answers, normalised; None where it holds no answer.

    An answer of signs only, of which normalising leaves nothing, is its own name.
    """
    answer = extract(text).answer
    return None if answer is None else normalise(answer) or answer
