"""Ways to ask a model, tried on a few training questions: which format, and how many worked examples.

What is right for a model cannot be told from its name: one answers only after examples, another one only
through its chat template. So each way is tried, and the one with the most right answers is taken; but plain
text without examples only where it is clearly better than with them. Examples show the form of an answer,
which tuning must not have to teach: a model that is right as often without them answers with an empty line
more easily once it is tuned.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from demur.core.config import Config, ProbeSettings, ShownExample, load_config
from demur.core.errors import DemurError
from demur.core.records import Question, Response, Verdict
from demur.core.templates import BRIEF
from demur.engines import Engine, Progress, Reformats, Sampling
from demur.judging import judgement
from demur.knowledge.first_look import MANY_EMPTY

QUESTIONS = 32
"""Training questions that every way is tried on."""
COUNTS = (0, 3, 5)
"""Numbers of worked examples that are tried in plain text."""
CHAT_TOKENS = 64
"""The larger limit that is tried in a chat: its answers are sentences."""
CHOSEN = (
    "model.format",
    "template.examples",
    "template.shown",
    "template.instruction",
    "probe.max_new_tokens",
)
"""The settings in which ways differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to ask."""

    format: str
    """``plain`` or ``chat``."""
    examples: tuple[Question, ...] = ()
    brief: bool = False
    """With the instruction `BRIEF`."""
    max_new_tokens: int

    def changes(self, *, shown: bool = True) -> dict[str, Any]:
        """The settings of this way, by dotted name.

        Args:
            shown: name the examples themselves, not only how many they are.
        """
        own = [ShownExample.of(example) for example in self.examples] if shown else []
        return {
            "model.format": self.format,
            "template.examples": len(self.examples),
            "template.shown": [example.model_dump() for example in own],
            "template.instruction": BRIEF if self.brief else None,
            "probe.max_new_tokens": self.max_new_tokens,
        }

    def __str__(self) -> str:
        count = len(self.examples)
        parts = [
            "chat template" if self.format == "chat" else "plain text",
            *([f"{count} example{'s' * (count > 1)}"] if count else []),
            *([f"{BRIEF!r}"] if self.brief else []),
            *([f"{self.max_new_tokens} tokens"] if self.format == "chat" else []),
        ]
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A way to ask, and what came of it."""

    way: Way
    hits: tuple[bool, ...]
    """Whether each answer is right, in the order of the questions."""
    empty: int
    """Answers without text."""
    cut: int
    """Answers cut at the token limit."""
    seconds: float

    @property
    def n(self) -> int:
        """Questions asked."""
        return len(self.hits)

    @property
    def right(self) -> int:
        """Right answers."""
        return sum(self.hits)

    @property
    def speaks(self) -> bool:
        """Whether no more answers are empty than a run goes on with."""
        return self.empty <= MANY_EMPTY * self.n

    def clearly_beats(self, other: Tried) -> bool:
        """Whether it is right more often, by more than the standard error of the difference."""
        differ = sum(mine != its for mine, its in zip(self.hits, other.hits, strict=True))
        return self.right - other.right > math.sqrt(differ)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; no seconds, which differ from run to run."""
        return {
            "format": self.way.format,
            "examples": len(self.way.examples),
            "instruction": BRIEF if self.way.brief else None,
            "max_new_tokens": self.way.max_new_tokens,
            **{name: getattr(self, name) for name in ("n", "right", "empty", "cut")},
        }


def ways(config: Config, formats: Sequence[str], examples: Sequence[Question]) -> list[Way]:
    """The ways that are tried, the simplest first.

    Args:
        formats: those that the model knows.
        examples: what may be shown, at most; with fewer of them smaller numbers are tried.
    """
    limit = config.probe.max_new_tokens
    counts = dict.fromkeys(min(count, len(examples)) for count in COUNTS)
    shown = (tuple(examples[:count]) for count in counts) if "plain" in formats else ()
    found = [Way(format="plain", examples=some, max_new_tokens=limit) for some in shown]
    if "chat" in formats:
        usual = limit == ProbeSettings().max_new_tokens
        limits = (limit, CHAT_TOKENS) if usual else (limit,)
        found += [Way(format="chat", brief=True, max_new_tokens=most) for most in limits]
    return found


def applied(config: Config, way: Way, *, shown: bool = True) -> Config:
    """The configuration with a way's settings; see `Way.changes`."""
    return load_config(None, config.model_dump() | way.changes(shown=shown))


def try_ways(
    engine: Reformats,
    questions: Sequence[Question],
    config: Config,
    tried: Sequence[Way],
    *,
    progress: Progress | None = None,
) -> list[Tried]:
    """Ask the questions in each way, greedily, and judge the answers by the configured rule.

    A way in which they cannot be asked is left out: its prompts are too long, or the chat template fails.

    Raises:
        DemurError: they cannot be asked in any way; what the first one raised.
    """
    return list(_try_all(engine, questions, config, tried, progress))


def _try_all(
    engine: Reformats,
    questions: Sequence[Question],
    config: Config,
    tried: Sequence[Way],
    progress: Progress | None,
) -> Iterator[Tried]:
    failed: list[DemurError] = []
    for way in tried:
        formatted: Any = engine.in_format(way.format)
        try:
            yield _try(formatted, questions, applied(config, way), way, progress)
        except DemurError as error:
            failed.append(error)
    if len(failed) == len(tried):
        raise failed[0]


def _try(
    engine: Engine, questions: Sequence[Question], config: Config, way: Way, progress: Progress | None
) -> Tried:
    template = config.template.template(chat=engine.chat)
    sampling = Sampling(max_new_tokens=way.max_new_tokens, stop=config.probe.stop, seed=config.seed)
    start = time.perf_counter()
    generated = engine.generate(
        [template.ask(question) for question in questions],
        keys=[question.id for question in questions],
        sampling=sampling,
        progress=progress,
    )
    seconds = time.perf_counter() - start
    said = [item.greedy for item in generated if item.greedy is not None]

    def right(question: Question, response: Response) -> bool:
        found = judgement(question, response.text, rule=config.judge.rule, refusals=(template.refusal,))
        return found.verdict is Verdict.CORRECT

    return Tried(
        way=way,
        hits=tuple(right(*pair) for pair in zip(questions, said, strict=True)),
        empty=sum(response.silent for response in said),
        cut=sum(response.finish == "length" for response in said),
        seconds=seconds,
    )


def best(found: Sequence[Tried]) -> Tried:
    """The way with the most right answers; plain text without examples only where it is clearly better.

    Of equal ones it is the first that does not leave most answers empty.
    """
    first = _most_right(found)
    shown = [tried for tried in found if tried.way.examples and tried.speaks >= first.speaks]
    if first.way.format == "chat" or first.way.examples or not shown:
        return first
    with_examples = _most_right(shown)
    return first if first.clearly_beats(with_examples) else with_examples


def _most_right(found: Sequence[Tried]) -> Tried:
    return max(found, key=lambda tried: (tried.right, tried.speaks))


def table(found: Sequence[Tried]) -> list[str]:
    """What was tried, one line each under a heading; no line is longer than 80 characters."""
    rows: list[tuple[str, ...]] = [("format", "examples", "tokens", "right", "empty", "cut", "seconds")]
    rows += [
        (
            tried.way.format + (", brief" if tried.way.brief else ""),
            f"{len(tried.way.examples)}",
            f"{tried.way.max_new_tokens}",
            *(f"{count} of {tried.n}" for count in (tried.right, tried.empty, tried.cut)),
            f"{tried.seconds:.1f}",
        )
        for tried in found
    ]
    lines = [f"{row[0]:12}" + "".join(f"{cell:>10}" for cell in row[1:]) for row in rows]
    if any(tried.way.brief for tried in found):
        lines.append(f"brief: the line {BRIEF!r} before the question")
    return lines


def sentence(found: Sequence[Tried]) -> str:
    """What was chosen, and why, in a line."""
    chosen = best(found)
    others = [tried for tried in found if tried is not chosen]
    beside = f"; {_most_right(others).right} the best of the others" if others else ""
    return f"prompt: {chosen.way} ({chosen.right} of {chosen.n} training questions right{beside})"
