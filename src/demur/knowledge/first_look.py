"""A look at the first answers of a probe: is the model asked in a way that it can answer?

A wrong prompt format or a wrong stop string shows in the first unit of questions. Looking there costs
nothing and saves the hours of probing, training and measuring that would follow.

What is found is one record of JSON values, made by `look`. It stands in the manifest, in ``metrics.json``
and in the report; every other function here reads it.
"""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demur.core.config import ProbeSettings
from demur.core.errors import AnswersError
from demur.core.records import Probe, Question, Verdict

MANY_EMPTY = 0.5
"""A run stops where more than this share of the first answers is empty."""
MANY_CUT = 0.3
"""A run warns where more than this share is cut at the token limit."""
ENOUGH = 64
"""A run warns where none of at least so many answerable questions is answered right."""
EXAMPLES = 5
LONGEST_TEXT = 300
"""Characters of a question or a response that an example shows."""

Found = Mapping[str, Any]
"""What `look` returns."""


def look(
    questions: Iterable[Question], probes: Iterable[Probe], *, max_new_tokens: int | None
) -> dict[str, Any]:
    """Summarise the greedy responses to some questions, in the same order.

    Args:
        max_new_tokens: the limit that they were generated with; None where they were made elsewhere.

    Returns:
        ``n`` (responses looked at), ``answerable`` (questions that can be answered), ``judged`` (answerable
        ones with a verdict), ``unscored`` (responses without a verdict), ``counts`` (``empty``, ``cut``,
        ``refused``, ``right``, and ``empty_cut``, the empty ones that were cut), ``max_new_tokens``,
        ``warnings`` (sentences), ``examples`` (the first five: ``question``, ``response``, ``verdict``,
        ``finish``), and shares in [0, 1]: ``empty``, ``cut`` and ``refused`` of ``n``, ``right`` of
        ``judged``. A share of nothing is None.
    """
    pairs = list(zip(questions, probes, strict=True))
    counts = {"empty": 0, "cut": 0, "refused": 0, "right": 0, "empty_cut": 0}
    for found in (_kinds(*pair) for pair in pairs):
        counts |= {name: counts[name] + 1 for name in found}
    judged = sum(_judged(question, probe) for question, probe in pairs)
    result = {
        "n": len(pairs),
        "answerable": sum(question.answerable for question, _ in pairs),
        "judged": judged,
        "unscored": sum(probe.greedy_verdict is Verdict.UNSCORED for _, probe in pairs),
        "counts": counts,
        **{name: _share(counts[name], len(pairs)) for name in ("empty", "cut", "refused")},
        "right": _share(counts["right"], judged),
        "max_new_tokens": max_new_tokens,
        "examples": [_example(*pair) for pair in pairs[:EXAMPLES]],
    }
    return result | {"warnings": warnings(result)}


def _kinds(question: Question, probe: Probe) -> set[str]:
    """Which counts a response adds to."""
    empty, cut = probe.greedy.silent, probe.greedy.finish == "length"
    kinds = {
        "empty": empty,
        "cut": cut,
        "empty_cut": empty and cut,
        "refused": probe.greedy_verdict is Verdict.REFUSED,
        "right": question.answerable and probe.greedy_verdict is Verdict.CORRECT,
    }
    return {name for name, holds in kinds.items() if holds}


def _judged(question: Question, probe: Probe) -> bool:
    return question.answerable and probe.greedy_verdict is not Verdict.UNSCORED


def _share(count: int, total: int) -> float | None:
    return count / total if total else None


def _example(question: Question, probe: Probe) -> dict[str, str]:
    return {
        "question": _clip(question.text),
        "response": _clip(probe.greedy.text),
        "verdict": str(probe.greedy_verdict),
        "finish": probe.greedy.finish,
    }


def _clip(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def mostly_empty(found: Found) -> bool:
    """Whether so many answers are empty that a run stops."""
    return _above(found["empty"], MANY_EMPTY)


def _above(share: float | None, limit: float) -> bool:
    """Whether a share is above a limit. Exactly 3 of 10 is not above 0.3: division rounds to the same."""
    return share is not None and share > limit


def warnings(found: Found) -> list[str]:
    """What is suspicious about the answers, a sentence each."""
    said = []
    if mostly_empty(found):
        said.append(f"{_counted(found, 'empty')} of the first {found['n']:,} answers are empty")
    if _above(found["cut"], MANY_CUT):
        said.append(
            f"{_percent(found['cut'])} of the first {found['n']:,} answers are cut{_limit(found)}: "
            "set a higher probe.max_new_tokens, or a stop string (probe.stop) that ends the answer"
        )
    if found["judged"] >= ENOUGH and not found["counts"]["right"]:
        said.append(
            f"none of the first {found['judged']:,} answerable questions is answered right: check the "
            "prompt format (model.format, template), the accepted answers and judge.rule"
        )
    return said


def sentence(found: Found) -> str:
    """The record in a line: ``first 256 answers: 0.4% empty, 12.1% cut at 15 tokens, …``."""
    if not found["n"]:
        return "first answers: none"
    parts = [
        f"{_percent(found['empty'])} empty",
        f"{_percent(found['cut'])} cut{_limit(found)}",
        f"{_percent(found['refused'])} refused",
        "right undefined" if found["right"] is None else f"{_percent(found['right'])} right",
    ]
    if found["unscored"]:
        parts.append(f"{found['unscored']:,} unscored")
    return f"first {found['n']:,} answer{'s' * (found['n'] > 1)}: {', '.join(parts)}"


def _limit(found: Found) -> str:
    limit = found["max_new_tokens"]
    return "" if limit is None else f" at {limit} token{'s' * (limit > 1)}"


def _counted(found: Found, kind: str) -> str:
    """``250 (97.7%)``."""
    return f"{found['counts'][kind]:,} ({_percent(found[kind])})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


# ---------------------------------------------------------------------------------------------
# Why answers are empty
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a model was asked, as far as it explains empty answers."""

    format: str
    """The setting `model.format`."""
    chat: bool | None
    """Whether through a chat template; None where that is not known."""
    max_new_tokens: int
    stop: tuple[str, ...]
    unstopped: tuple[str, ...] = ()
    """What it says to the first questions without any stop string; empty where it was not asked again."""


def empty_answers(found: Found, where: str, asked: Asked | None) -> AnswersError:
    """The error that stops a run whose first answers are mostly empty.

    Args:
        where: the model, or the file that the answers come from.
        asked: how it was asked; None where the answers were made elsewhere.
    """
    cause, changes = _cause(found, asked)
    again = list(asked.unstopped) if asked else []
    shown = "\n".join(
        f"            {_shown(example, again[n] if n < len(again) else None)}"
        for n, example in enumerate(found["examples"])
    )
    return AnswersError(
        expected=f"text in at least {MANY_EMPTY:.0%} of the first {found['n']:,} answers",
        found=f"{_counted(found, 'empty')} are empty. Likely cause: {cause}.\n          Examples:\n{shown}",
        where=where,
        fix=f"add {_either(changes)} to the command. To continue anyway, add --probe.allow_empty true. "
        "In the same run folder, also add --update",
    )


def _cause(found: Found, asked: Asked | None) -> tuple[str, list[str]]:
    """The likely cause of empty answers, and the settings to try, the likeliest first."""
    if asked is None:
        return "the file holds no texts", ["--probe.path with another file"]
    longer = f"--probe.max_new_tokens {max(256, 4 * asked.max_new_tokens)}"
    other_format = _other_format(asked)
    prompt = "--template.prompt 'Question: {question} Answer:'"
    at_once = _begins_with(asked)
    counts = found["counts"]
    if 2 * counts["empty_cut"] >= counts["empty"]:
        cause = (
            f"the limit of {asked.max_new_tokens} tokens is reached before any text, as by a model that "
        )
        return cause + "reasons before it answers", [longer, *other_format, prompt]
    if at_once:
        named = " or ".join(map(repr, at_once))
        cause = f"the answers begin with the stop string {named}"
        return cause, [_other_stop(asked, at_once), *other_format, prompt]
    ends = "turn in the chat template" if asked.chat else "text right after the prompt"
    if asked.unstopped:
        return f"the model ends its {ends}, also without stop strings", [*other_format, prompt, longer]
    more = [_other_stop(asked, asked.stop), prompt, longer]
    return f"the model ends its {ends}, or begins with a stop string", [*other_format, *more]


def _other_format(asked: Asked) -> list[str]:
    """The other prompt format, where the model has one: ``auto`` is plain only without a chat template."""
    if asked.format == "plain":
        return ["--model.format auto"]
    return [] if asked.chat is False else ["--model.format plain"]


def _begins_with(asked: Asked) -> list[str]:
    """The stop strings that explain most of the empty answers; none where something else does."""
    first = Counter(mark for text in asked.unstopped for mark in _first_stop(text, asked.stop))
    visible = sum(first.values())
    return [mark for mark, _ in first.most_common()] if 2 * visible > len(asked.unstopped) else []


def _first_stop(text: str, stop: Sequence[str]) -> list[str]:
    """The stop string that a text has before any visible one of its own, where it goes on after that."""
    places = [(text.find(mark), mark) for mark in stop if mark in text]
    if not places or not text.strip():
        return []
    place, mark = min(places)
    return [mark] if not text[:place].strip() else []


def _other_stop(asked: Asked, without: Sequence[str]) -> str:
    """Stop strings without those at fault: as set, else as by default, else none."""
    default: tuple[str, ...] = ProbeSettings().stop
    left = [m for m in asked.stop if m not in without] or [m for m in default if m not in without]
    return f"--probe.stop {shlex.quote(json.dumps(left, ensure_ascii=False))}"


def _either(options: Sequence[str]) -> str:
    *others, last = options
    return f"{', '.join(others)} or {last}" if others else last


def _shown(example: Mapping[str, str], unstopped: str | None) -> str:
    ended = "cut at the token limit" if example["finish"] == "length" else "ended by itself"
    more = "" if unstopped is None else f"; without stop strings {_clip(unstopped)!r}"
    return f"{example['question']!r}: said {example['response']!r} ({example['verdict']}, {ended}){more}"
