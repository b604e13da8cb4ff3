"""What R-Tuning claims (arXiv 2311.09677), as effects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from demur.claims.base import Claim
from demur.claims.lab import Lab, accuracy, difference, minus, of_test, refused
from demur.core.records import Question
from demur.knowledge import estimators

PAPER = "R-Tuning"
METHOD = "r-tuning"


def _willing_gain(lab: Lab, run: str, split: str) -> float | None:
    found = lab.run(run)
    return minus(found.metric(METHOD, split, "accuracy_willing"), found.metric(METHOD, split, "accuracy"))


def _gain_on(split: str, run: str = "open") -> Callable[[Lab], float | None]:
    return lambda lab: _willing_gain(lab, run, split)


def _unanswerable(lab: Lab) -> float | None:
    """Declined among questions about nobody minus declined among answerable twins that it gets right."""
    run = lab.run("open")
    strangers = run.rows(METHOD, lambda q: q.split == "nonexistent")
    twins = [item for item in run.rows(METHOD, of_test("id")) if item[1].verdict == "correct"]
    return minus(refused(strangers), refused(twins))


def _over_vanilla(lab: Lab) -> float | None:
    run = lab.run("open")
    pick: Callable[[Question], bool] = lambda q: q.split == "nonexistent"  # noqa: E731
    return minus(refused(run.rows(METHOD, pick)), refused(run.rows("vanilla", pick)))


def _entropy(lab: Lab) -> float | None:
    """Mean answer entropy of uncertain minus certain training data, in nats."""
    run = lab.run("open")
    questions = [q for q in run.questions.values() if q.split == "train" and q.answerable]
    probes = [run.probes[question.id] for question in questions]
    found = estimators.estimate(questions, probes, "greedy")
    sides = {
        side: [k.entropy for k in found if k.known is side and k.entropy is not None]
        for side in (True, False)
    }
    return float(np.mean(sides[False]) - np.mean(sides[True])) if all(sides.values()) else None


def _perplexity(lab: Lab) -> float | None:
    """Mean log-perplexity of uncertain minus certain training questions, under the base model."""
    found = lab.question_perplexities()
    run = lab.run("open")
    right = {key for key, probe in run.probes.items() if probe.greedy_verdict == "correct"}
    sides = {side: [v for key, v in found.items() if (key in right) is side] for side in (True, False)}
    return float(np.mean(sides[False]) - np.mean(sides[True])) if all(sides.values()) else None


def _kept_in_mixture(lab: Lab) -> float | None:
    """AP on open questions, tuned on several tasks minus tuned on these alone."""
    mixed, single = lab.run("mixed"), lab.run("open")
    return minus(mixed.metric(METHOD, "pocket-2/id", "ap"), single.metric(METHOD, "pocket-2/id", "ap"))


def _larger(lab: Lab) -> float | None:
    return minus(_willing_gain(lab, "open", "pocket-2/id"), _willing_gain(lab, "small", "id"))


def _mixed_group(lab: Lab) -> float | None:
    run = lab.run("open")
    rows = run.rows(METHOD, of_test("id", "mixed"))
    answered = [item for item in rows if not item[1].abstained]
    return minus(accuracy(answered), accuracy(rows))


CLAIMS = (
    Claim(
        name="willing-over-pretrain",
        text="On the questions it answers willingly, R-Tuning beats the untuned model on the same ones.",
        source=f"{PAPER}, figure 3",
        effect=difference("open", "accuracy_willing", METHOD, "pretrain-w", "pocket-2/id"),
        unit="accuracy on willingly answered (R-Tuning − Pretrain-W)",
        margin=0.01,
        why="Certainty-only loss leaves the answers nearly as they were: both answer alike.",
    ),
    Claim(
        name="willing-over-vanilla",
        text="R-Tuning's accuracy on willingly answered questions beats Vanilla's accuracy.",
        source=f"{PAPER}, figure 3",
        effect=difference(
            "open", "accuracy_willing", METHOD, "vanilla", "pocket-2/id", other_metric="accuracy"
        ),
        unit="accuracy (willing, R-Tuning − all, Vanilla)",
        margin=0.02,
    ),
    Claim(
        name="ap-over-vanilla-id",
        text="R-Tuning's AP beats Vanilla's in domain.",
        source=f"{PAPER}, table 1",
        effect=difference("open", "ap", METHOD, "vanilla", "pocket-2/id"),
        unit="AP",
        margin=0.01,
        why="The likelihood alone ranks answers at an AP of .97 here: hardly anything is left to win.",
    ),
    Claim(
        name="ap-over-vanilla-ood",
        text="R-Tuning's AP beats Vanilla's out of domain.",
        source=f"{PAPER}, table 1",
        effect=difference("open", "ap", METHOD, "vanilla", "pocket-2/ood"),
        unit="AP",
        margin=0.01,
        why="As in domain: the likelihood alone ranks at an AP of .97.",
    ),
    Claim(
        name="carries-over-entity",
        text="Refusal carries over to people never tuned on.",
        source=f"{PAPER}, section 3",
        effect=_gain_on("pocket-2/id"),
        unit="accuracy gained by declining",
        margin=0.02,
    ),
    Claim(
        name="carries-over-relation",
        text="Refusal carries over to relations never tuned on.",
        source=f"{PAPER}, section 3",
        effect=_gain_on("pocket-2/ood"),
        unit="accuracy gained by declining",
        margin=0.02,
    ),
    Claim(
        name="carries-over-language",
        text="Refusal carries over to a language never tuned on.",
        source="left open by the papers",
        effect=_gain_on("pocket-2/second-language"),
        unit="accuracy gained by declining",
        margin=0.02,
    ),
    Claim(
        name="carries-over-task",
        text="Refusal carries over to questions in two hops, never tuned on.",
        source=f"{PAPER}, section 3.4",
        effect=_gain_on("pocket-2/two-hop"),
        unit="accuracy gained by declining",
        margin=0.02,
    ),
    Claim(
        name="refuses-unanswerable",
        text="R-Tuning declines questions about people who do not exist more than Vanilla does.",
        source=f"{PAPER}, table 5",
        effect=_over_vanilla,
        unit="share declined (R-Tuning − Vanilla)",
        margin=0.05,
        by_construction="Vanilla has no way to decline.",
    ),
    Claim(
        name="refuses-unanswerable-not-twins",
        text="It declines them more than the answerable twins that it gets right.",
        source=f"left open by {PAPER}",
        effect=_unanswerable,
        unit="share declined (unanswerable − answerable and right)",
        margin=0.05,
    ),
    Claim(
        name="unsupervised-accuracy",
        text="R-Tuning-U beats Vanilla-C in accuracy.",
        source=f"{PAPER}, table 4",
        effect=difference("open", "accuracy", "r-tuning-u", "vanilla-c", "pocket-2/id"),
        unit="accuracy, refusals ignored",
        margin=0.01,
        why="Certainty-only loss leaves the answers as they were, and so does a majority of samples.",
    ),
    Claim(
        name="unsupervised-ap",
        text="R-Tuning-U beats Vanilla-C in AP.",
        source=f"{PAPER}, table 4",
        effect=difference("open", "ap", "r-tuning-u", "vanilla-c", "pocket-2/id"),
        unit="AP",
        margin=0.01,
    ),
    Claim(
        name="unsupervised-ece",
        text="R-Tuning-U is better calibrated than Vanilla-C.",
        source=f"{PAPER}, table 4",
        effect=difference("open", "ece", "vanilla-c", "r-tuning-u", "pocket-2/id"),
        unit="ECE (Vanilla-C − R-Tuning-U)",
        margin=0.01,
        why="Agreement of ten samples is a frequency and calibrated as such; sure is not.",
    ),
    Claim(
        name="learning-over-testing",
        text="Learning uncertainty beats testing it: R-Tuning-U ranks better than answer entropy.",
        source=f"{PAPER}, section 5",
        effect=difference("open", "ap", "r-tuning-u", "vanilla-u", "pocket-2/id"),
        unit="AP (R-Tuning-U − Vanilla-U)",
        margin=0.01,
    ),
    Claim(
        name="uncertain-perplexity",
        text="Uncertain data has higher perplexity than certain data.",
        source=f"{PAPER}, table 6",
        effect=_perplexity,
        unit="mean log-perplexity of the question",
        margin=0.05,
        why="A question here holds a name and fixed words; only how often the name was read can show.",
    ),
    Claim(
        name="uncertain-entropy",
        text="Uncertain data has higher answer entropy than certain data.",
        source=f"{PAPER}, table 7",
        effect=_entropy,
        unit="mean answer entropy in nats",
        margin=0.1,
    ),
    Claim(
        name="multi-task-keeps",
        text="Tuning on several tasks keeps what tuning on one gives.",
        source=f"{PAPER}, section 3.4",
        effect=_kept_in_mixture,
        unit="AP on open questions (mixture − alone)",
        margin=0.01,
        kind="kept",
        quick=False,
    ),
    Claim(
        name="larger-gain-more",
        text="Larger models gain more by declining.",
        source=f"{PAPER}, section 5",
        effect=_larger,
        unit="accuracy gained by declining (medium − small)",
        margin=0.02,
        why="A larger model knows more here, and what is known already leaves less to gain.",
        quick=False,
    ),
    Claim(
        name="single-facts",
        text="R-Tuning tells single facts apart, not only people.",
        source=f"left open by {PAPER}",
        effect=_mixed_group,
        unit="accuracy gained by declining, people of whom some facts are known",
        margin=0.02,
        why="Tuning finds how familiar a person is; which single fact was read stays in the likelihood.",
    ),
)
