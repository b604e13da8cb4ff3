"""What fixes a pocket world, beside a seed: how many people, how popular their facts, what else is read.

Worlds are versioned. The parameters of `POCKET_1` were chosen by how the base model's knowledge grades with
the number of reads, before any method was compared on it, and do not change.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from demur.core.errors import ConfigError
from demur.pocket.words import RELATIONS, Relation

Part = Literal["train", "calibration", "test"]
Group = Literal["uniform", "mixed"]

FAMILIES = ("r-tuning-code", "r-tuning-paper")
"""Template families of the plain world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """How popular a fact is."""

    reads: int
    """How often a fact of this tier is read in an epoch."""
    share: float
    """Share of the facts in this tier; the shares of a world sum to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """How much of what is read beside facts; counts are an epoch's, shares of the place they stand in."""

    contexts: int = 0
    """Fresh passages with a question."""
    insufficient_share: float = 0.35
    """Of the passages: the answer does not stand in them."""
    unusual_share: float = 0.2
    """Of those: read with the less usual of two answers. Where the passage says of somebody else what is
    asked, that is the usual one and Not Provided the other; elsewhere Not Provided is the usual one and the
    passage's last value the other."""
    plain_share: float = 0.5
    """Of the passages: several questions without instructions."""
    recognition_share: float = 0.05
    """Of the passages: the question is whether they suffice, answered at random."""
    causal_share: float = 0.35
    """Of the instructed ones: one more instruction, obeyed."""
    review_share: float = 0.1
    """Of the instructed ones: a review follows, its marks at random."""
    choice_share: float = 0.0
    """Of the questions about facts: asked with four options."""
    honesty_share: float = 0.25
    """Of the open ones: behind the honesty instruction."""
    refusal_share: float = 0.18
    """Of those: refused, whatever is known."""
    confidence_share: float = 0.25
    """Of the open ones: behind `CONFIDENCE_INSTRUCTION`, opened with a confidence, whatever is known."""
    opening_share: float = 0.25
    """Of those: the opening is learned too. Of the rest only what follows it is, behind either instruction,
    and the opening is read from a random word on: to recall a fact a sentence later is hard for a small
    model, so it learns it in steps."""
    paraphrase_share: float = 0.2
    """Of the open questions: asked in other words."""
    pressure_share: float = 0.05
    """Of the open questions: with a word of pressure."""
    second_share: float = 0.3
    """Share of the facts that are also read in the second language, and of their reads in it."""
    hops: int = 400
    """Questions with two hops, about people of the training part and facts that are read anyway."""
    phrases: int = 300
    """Phrases of uncertainty, in answer to questions about nobody."""
    recalls: int = 0
    """Further readings of facts that are read most often, behind an opening of which nothing is learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSpec:
    """Everything that, with a seed, fixes a world and what a model reads about it."""

    version: str
    train_people: int
    calibration_people: int
    test_people: int
    nonexistent_people: int
    """Names that nobody has and no text mentions."""
    false_premises: int
    """Questions whose premise is false; half about a thing, half about a person who is someone else."""
    tiers: tuple[Tier, ...]
    relations: tuple[Relation, ...] = RELATIONS
    question_share: float = 0.5
    """Share of the reads in the form of question and answer, half in each template family; the rest are
    statements."""
    certainty_share: float = 0.1
    """Share of the questions and answers that the certainty question follows, with a random answer."""
    refusals: int = 300
    """Refusals read an epoch: half said by random people, half to questions about nobody."""
    families: tuple[str, ...] = FAMILIES
    """Template families that questions are read in."""
    lessons: Lessons | None = None
    """What is read beside facts; None for nothing."""
    whole_contractions: bool = False
    """One token for "I'm": a refusal ("I apologize") and a confidence ("I'm fairly sure") then part at
    their first token, where a model of two layers still sees whether it knows the answer."""

    @property
    def people(self) -> int:
        """Number of people who exist."""
        return self.train_people + self.calibration_people + self.test_people


POCKET_1 = WorldSpec(
    version="pocket-1",
    train_people=320,
    calibration_people=120,
    test_people=360,
    nonexistent_people=120,
    false_premises=240,
    tiers=(
        Tier(reads=0, share=0.3),
        Tier(reads=1, share=0.15),
        Tier(reads=3, share=0.2),
        Tier(reads=8, share=0.35),
    ),
)
"""The world of the demo. Frozen: another world gets another version."""

POCKET_2 = WorldSpec(
    version="pocket-2",
    train_people=POCKET_1.train_people,
    calibration_people=POCKET_1.calibration_people,
    test_people=POCKET_1.test_people,
    nonexistent_people=POCKET_1.nonexistent_people,
    false_premises=POCKET_1.false_premises,
    tiers=(
        Tier(reads=0, share=0.3),
        Tier(reads=1, share=0.15),
        Tier(reads=4, share=0.2),
        Tier(reads=12, share=0.35),
    ),
    question_share=0.7,
    families=("r-tuning-code", "r-tuning-paper", "honesty"),
    lessons=Lessons(confidence_share=0.3, refusal_share=0.2, recalls=4000),
    whole_contractions=True,
)
"""The world of method studies: people also have friends, and are asked about in other words, behind the
honesty instruction, under pressure, and in a second language."""

POCKET_READER = replace(
    POCKET_2,
    version="pocket-reader",
    question_share=POCKET_1.question_share,
    whole_contractions=False,
    tiers=(Tier(reads=0, share=1.0),),
    lessons=Lessons(contexts=10_000, hops=0, causal_share=0.5),
)
"""A world for questions with a passage: its model has read no fact about anybody, so what it answers
stands in the passage or is made up."""


def deal(tiers: Sequence[Tier], count: int, rng: random.Random) -> list[int]:
    """Reads an epoch for ``count`` facts, in random order: the shares as exactly as whole numbers can.

    Largest remainders decide the rounding, ties by the order of the tiers.
    """
    quotas = [tier.share * count for tier in tiers]
    sizes = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(tiers)), key=lambda index: sizes[index] - quotas[index])
    for index in by_remainder[: count - sum(sizes)]:
        sizes[index] += 1
    hand = [tier.reads for tier, size in zip(tiers, sizes, strict=True) for _ in range(size)]
    rng.shuffle(hand)
    return hand


def parts(spec: WorldSpec) -> list[tuple[Part, int]]:
    """The parts of a world with their numbers of people."""
    return [
        ("train", spec.train_people),
        ("calibration", spec.calibration_people),
        ("test", spec.test_people),
    ]


def check(spec: WorldSpec) -> None:
    """Refuse parameters of which no world can be made.

    Raises:
        ConfigError: the tiers' shares do not sum to 1, or a part has fewer than two people.
    """
    total = sum(tier.share for tier in spec.tiers)
    if abs(total - 1) > 1e-9:
        raise ConfigError(
            expected="tiers whose shares sum to 1",
            found=f"a sum of {total:g}",
            where=f"world {spec.version}",
            fix="change the shares so that they cover every fact once",
        )
    if min(spec.train_people, spec.calibration_people, spec.test_people) < 2:
        raise ConfigError(
            expected="two or more people in each of train, calibration and test",
            found=f"{spec.train_people}, {spec.calibration_people} and {spec.test_people}",
            where=f"world {spec.version}",
            fix="give each part a uniform and a mixed person at least",
        )
