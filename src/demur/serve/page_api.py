"""What the playground asks the server: the system, what its thresholds do, one question, many questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Query as Parameter
from pydantic import ConfigDict, Field

from demur.ask import Answer, Answerer, Expected, Query
from demur.ask.answer import promise
from demur.ask.query import as_question
from demur.calibrate.sentences import promised
from demur.core.errors import (
    ConfigError,
    ConversationError,
    DataError,
    DemurError,
    RunFolderError,
    UnknownNameError,
)
from demur.core.records import Question
from demur.core.templates import LETTERS
from demur.datasets.asked import read_asked
from demur.datasets.files import Content
from demur.engines import ENGINES
from demur.judging.normalise import normalise
from demur.metrics.proportion import wilson
from demur.report.promise import TERMS
from demur.report.words import title
from demur.serve.asking import AnswerService, Limits
from demur.serve.openai_api import ERRORS
from demur.serve.problems import Problem, problem_of
from demur.serve.schemas import Given, Text

MOST_TEXT, MOST_CONTEXT, MOST_CHOICE = 8_000, 20_000, 1_000
"""Characters of a question, a passage and an option."""
MOST_ROWS, MOST_SAMPLES = 64, 32

MEANINGS = {
    "sure": "Asked whether it is sure, how much likelier it is to say “sure” than “unsure”; where a model "
    "refuses in words, how likely it is not to refuse.",
    "likelihood": "How likely the model found each word of its answer as it wrote it, on average.",
    "combined": "The mean of “sure” and “likelihood”.",
    "agreement": "How many of several drawn answers agree with each other.",
    "consistency": "How little several drawn answers scatter.",
    "verbal": "How sure the model says it is when asked for a number.",
    "learned": "The other signals, weighed by how they told right from wrong on labelled questions.",
    "probe": "What the model's inner state tells of this answer, learned from labelled answers.",
    "answer-rate": "How often the same answer was right to other, labelled questions.",
    "p-ik": "What the model's inner state tells after the question, before it answers.",
    "sum": "How likely the model finds the whole answer, as a logarithm: 0 is certain.",
    "min": "How likely the model finds the least likely piece of its answer, as a logarithm.",
    "familiarity": "How well known the subject is: often read about (pocket world), or populous (atlas).",
}
"""Each of `demur.core.records.SIGNALS` for people who have read nothing about it."""


class Asked(Given):
    """A question as it stands alone or in a batch."""

    model_config = ConfigDict(extra="forbid")

    question: Text = Field(max_length=MOST_TEXT)
    context: Text | None = Field(None, max_length=MOST_CONTEXT)
    """A passage that the answer is to be found in."""
    choices: list[Annotated[Text, Field(max_length=MOST_CHOICE)]] = Field([], max_length=len(LETTERS))

    def given(self) -> Question:
        """The question as the library has it."""
        return as_question(self.question, context=self.context, choices=self.choices)


class AskedAlone(Asked):
    """One question, and what else to look at."""

    threshold: float | None = None
    """Answer from this confidence up, instead of what was decided for everybody."""
    samples: int = Field(0, ge=0, le=MOST_SAMPLES)
    """Answers to draw."""
    base: bool = False
    """Whether the base model is asked too."""


class Pasted(Given):
    """Questions as a person has them: pasted, or a file that was dropped."""

    model_config = ConfigDict(extra="forbid")

    text: str


class AskedTogether(Given):
    """Questions of one batch."""

    model_config = ConfigDict(extra="forbid")

    questions: list[Asked] = Field(min_length=1, max_length=MOST_ROWS)
    threshold: float | None = None


def router(asking: AnswerService) -> APIRouter:
    """The routes below ``/api``; every question goes the way of OpenAI's routes."""
    api, answerer = APIRouter(prefix="/api", responses=ERRORS), asking.answerer
    system, known = describe(answerer), calibration(answerer)

    @api.get("/system")
    async def get_system() -> dict[str, Any]:
        """What answers here, and by which rule it declines."""
        return system

    @api.get("/calibration")
    async def get_calibration() -> dict[str, Any]:
        """What every threshold did on the run's calibration questions."""
        return known

    @api.get("/expected")
    async def get_expected(threshold: Annotated[float, Parameter(allow_inf_nan=False)]) -> dict[str, Any]:
        """What one threshold did on the run's calibration questions."""
        try:
            return point(threshold, answerer.expected(threshold))
        except DemurError as error:
            raise Problem(404, why_uncalibrated(answerer)) from error

    @api.post("/ask")
    async def ask(request: Request, asked: AskedAlone) -> dict[str, Any]:
        """One answer or refusal; on request with drawn answers and the base model's answer."""
        question = fitting(asked, system["can"])
        _needs("samples", asked.samples, system["can"])
        _needs("base", asked.base, system["can"])
        limits = Limits.of(request, threshold=asked.threshold)

        async def everything() -> dict[str, Any]:
            (answer,) = await asking.answers([Query(question=question)], limits)
            found = answer.to_json() | {"samples": None, "base": None}
            if asked.samples:
                found["samples"] = counted(await asking.samples(question, asked.samples, limits))
            if asked.base:
                found["base"] = (await asking.base_answer(question, limits)).to_json()
            return found

        return await asking.while_wanted(request, everything())

    @api.post("/questions")
    async def read_questions(request: Request, pasted: Pasted) -> dict[str, Any]:
        """The questions of a text, read like any question file."""
        content = Content(Path("text"), pasted.text.encode())
        work = asking.beside(lambda: read_asked(content), Limits.of(request))
        found = await asking.while_wanted(request, work)
        return {"questions": [bare(question) for question in found]}

    @api.post("/batch")
    async def ask_together(request: Request, asked: AskedTogether) -> dict[str, Any]:
        """An answer for each question, in their order; ``{"error": …}`` where one could not be asked."""
        rows = [_checked(asking, row, system["can"]) for row in asked.questions]
        queries = [row for row in rows if isinstance(row, Query)]
        limits = Limits.of(request, threshold=asked.threshold)
        done = iter(await asking.while_wanted(request, asking.outcomes(queries, limits)))
        found = [next(done) if isinstance(row, Query) else row for row in rows]
        return {"answers": [row_of(item) for item in found]}

    return api


def _checked(asking: AnswerService, row: Asked, can: dict[str, bool]) -> Query | Exception:
    """The question of a row, or why it cannot be asked."""
    try:
        query = Query(question=fitting(row, can))
        asking.check(query)
    except (DemurError, Problem) as error:
        return error
    return query


def describe(answerer: Answerer) -> dict[str, Any]:
    """What the page says of a system. No path of this machine is in it."""
    system, decision = answerer.system, answerer.decision()
    names = dict.fromkeys([decision.signal, *system.info.signals])
    return {
        "name": system.name,
        "title": title(system.name),
        "method": {"summary": system.info.summary, "paper": system.info.paper},
        "base": public_name(system.config.model.path),
        "signal": decision.signal,
        "threshold": decision.threshold,
        "signals": [{"name": name, "meaning": MEANINGS.get(name, "")} for name in names],
        "guarantee": _guarantee(answerer),
        "notice": None if system.refused is None else system.refused.sentence(),
        "refusal": answerer.template.refusal,
        "can": _abilities(answerer),
        "most": {
            "question": MOST_TEXT,
            "context": MOST_CONTEXT,
            "choice": MOST_CHOICE,
            "choices": len(LETTERS),
            "rows": MOST_ROWS,
            "samples": MOST_SAMPLES,
        },
    }


def bare(question: Question) -> dict[str, Any]:
    """A question with what it has beside its text."""
    more = {"context": question.context, "choices": list(question.choices)}
    return {"question": question.text, **{name: value for name, value in more.items() if value}}


def public_name(model: str) -> str:
    """A model's hub name, or the last part of its path on this machine."""
    path = Path(model).expanduser()
    return path.name if path.is_absolute() or path.exists() else model


def _guarantee(answerer: Answerer) -> dict[str, Any] | None:
    guarantee = answerer.decision().guarantee
    if guarantee is None:
        return None
    said = promised(asdict(guarantee))
    return {**(promise(guarantee) or {}), "words": said[0].upper() + said[1:], "terms": TERMS}


def _abilities(answerer: Answerer) -> dict[str, bool]:
    """What can be asked for; passages and options where they come to stand in the prompt."""
    mark = "looked for"
    passage = as_question("?", context=mark)
    options = as_question("?", choices=[mark])
    system = answerer.system
    return {
        "context": mark in answerer.template.ask(passage),
        "choices": mark in answerer.template.ask(options),
        "samples": answerer.engine.capabilities.samples,
        "base": system.weights is not None and ENGINES.get(system.config.model.engine).local,
    }


def fitting(asked: Asked, can: dict[str, bool]) -> Question:
    """The question, where the model's prompt has room for all of it.

    Raises:
        DataError: it has not.
    """
    _needs("context", asked.context, can)
    _needs("choices", asked.choices, can)
    return asked.given()


def _needs(name: str, wanted: object, can: dict[str, bool]) -> None:
    if wanted and not can[name]:
        raise DataError(
            expected=f"no {name!r}", found="some", where=name, fix="leave it out; this system has none"
        )


def calibration(answerer: Answerer) -> dict[str, Any]:
    """Thresholds over the signal's range with what they do, and the usual one; or why there are none."""
    try:
        curve = answerer.calibration.curve()
        usual = answerer.expected()
    except (ConfigError, DataError, RunFolderError, UnknownNameError):
        curve = []
    if not curve:
        return {"available": False, "reason": why_uncalibrated(answerer)}
    return {
        "available": True,
        "signal": answerer.decision().signal,
        "n": usual.n,
        "usual": point(answerer.decision().threshold, usual),
        "points": [point(threshold, expected) for threshold, expected in curve],
    }


def why_uncalibrated(answerer: Answerer) -> str:
    """Why nothing is known of its thresholds; errors of the library would name the run's folder."""
    if answerer.system.run is None:
        return "The model was opened without the run that tuned it, which holds the calibration questions."
    if isinstance(answerer.uncalibrated, RunFolderError):
        return "The run's weights have changed since its calibration questions were asked."
    signal = answerer.decision().signal
    return f"The run has no calibration questions with the confidence “{signal}” for this system."


def point(threshold: float | None, expected: Expected) -> dict[str, Any]:
    """What a threshold does, with Wilson's 95 % intervals; null where nothing is answered."""
    wrong = None if expected.error is None else round(expected.error * expected.answered)
    return {
        "threshold": threshold,
        "answered": expected.answered,
        "coverage": expected.coverage,
        "coverage_interval": wilson(expected.answered, expected.n),
        "error": expected.error,
        "error_interval": None if wrong is None else wilson(wrong, expected.answered),
    }


def counted(samples: Sequence[str]) -> list[dict[str, Any]]:
    """Drawn answers, most frequent first; those that differ in case or punctuation only are one."""
    counts = Counter(map(normalise, samples))
    texts: dict[str, str] = {}
    for text in samples:
        texts.setdefault(normalise(text), text)
    return [{"text": texts[key], "count": count} for key, count in counts.most_common()]


def row_of(done: Answer | BaseException) -> dict[str, Any]:
    """One row of a batch. What concerns the whole batch is raised.

    Raises:
        BaseException: anything but a question that does not fit.
    """
    if isinstance(done, Answer):
        return done.to_json()
    if isinstance(done, DataError | ConversationError | Problem) and (problem := problem_of(done)):
        return {"error": problem.message}
    raise done
