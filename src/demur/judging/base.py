"""What every judging rule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from demur.core.records import Question, Reading, Verdict

Right = Callable[[Question, str], bool | None]
"""Whether a text gives an accepted answer of a question; None where the rule cannot tell."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge says of one response."""

    verdict: Verdict
    answer: str = ""
    """The answer that was judged; empty where there is none."""
    reading: Reading | None = None
    """Whether it answers or declines; None where there is nothing to read, or a model judged."""
    stated: bool = False
    """Whether the text states it as its final answer."""
    reason: str = ""
    """Why it is unscored; empty where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A named rule of correctness."""

    name: str
    source: str
    """Paper or project that the rule comes from."""
    right: Right
    choices_by: str | None = "choice"
    """The rule that judges questions with choices instead of this one; None: this one does it itself."""
    raw: bool = False
    """Whether it reads all that was said outside of reasoning, as it stands, not the extracted answer."""
    with_threshold: Callable[[float], Right] | None = None
    """For rules with a threshold in (0, 1]: the rule at another threshold than its default."""
