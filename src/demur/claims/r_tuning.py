"""What R-Tuning claims (arXiv 2311.09677), as effects."""

from __future__ import annotations

from demur.claims.base import Claim
from demur.claims.lab import Effect, Figure, Lab, difference, refused, willing_gain
from demur.claims.places import BOTH
from demur.core.records import Domain, Question
from demur.knowledge import estimators

PAPER = "R-Tuning"
METHOD = "r-tuning"


def _gain(domain: Domain) -> Effect:
    return lambda lab: willing_gain(lab.run(), METHOD, lab.test(domain))


def _gain_in(part: str) -> Effect:
    return lambda lab: willing_gain(lab.run(), METHOD, lab.part(part))


def _unanswerable(lab: Lab) -> Figure:
    """Declined among questions about nobody minus declined among answerable ones that it gets right."""
    run = lab.run()
    asked = lab.test("id")
    right = {q.id for q, verdict, _ in run.rows(METHOD, asked) if verdict == "correct"}
    strangers = refused(run, METHOD, lab.part("nonexistent"))
    return strangers - refused(run, METHOD, lambda q: q.id in right)


def _over_vanilla(lab: Lab) -> Figure:
    run, where = lab.run(), lab.part("nonexistent")
    return refused(run, METHOD, where) - refused(run, "vanilla", where)


def _training(question: Question) -> bool:
    return question.split == "train" and question.answerable


def _entropy(lab: Lab) -> Figure:
    """Mean answer entropy of uncertain minus certain training data, in nats."""
    run = lab.run()
    questions = [q for q in run.questions if _training(q) and q.id in run.probes]
    found = estimators.estimate(questions, [run.probes[q.id] for q in questions], "greedy")
    known = {k.question_id: k.known for k in found}
    entropy = {k.question_id: k.entropy for k in found if k.entropy is not None}
    return run.mean(entropy, lambda q: known.get(q.id) is False) - run.mean(
        entropy, lambda q: known.get(q.id) is True
    )


def _perplexity(lab: Lab) -> Figure:
    """Mean log-perplexity of uncertain minus certain training questions, under the base model."""
    found, run = lab.perplexities(), lab.run()
    right = {key for key, probe in run.probes.items() if probe.greedy_verdict == "correct"}
    return run.mean(found, lambda q: q.id not in right) - run.mean(found, lambda q: q.id in right)


def _kept_in_mixture(lab: Lab) -> Figure:
    """AP on open questions, tuned on several tasks minus tuned on these alone."""
    mixed, single = (lab.run(name).measure(METHOD, "ap", lab.test("id")) for name in ("mixed", "open"))
    return mixed - single


def _larger(lab: Lab) -> Figure:
    medium, small = (willing_gain(lab.run(name), METHOD, lab.test("id")) for name in ("open", "small"))
    return medium - small


def _mixed_group(lab: Lab) -> Figure:
    return willing_gain(lab.run(), METHOD, lab.test("id", "mixed"))


CLAIMS = (
    Claim(
        name="willing-over-pretrain",
        text="On the questions it answers willingly, R-Tuning beats the untuned model on the same ones.",
        source=f"{PAPER}, figure 3",
        effect=difference("accuracy_willing", METHOD, "pretrain-w"),
        unit="accuracy on willingly answered (R-Tuning − Pretrain-W)",
        margin=0.01,
        why="With the settings that rank best, its answers are right 1 to 3 points less often than before.",
        labs=BOTH,
    ),
    Claim(
        name="willing-over-vanilla",
        text="R-Tuning's accuracy on willingly answered questions beats Vanilla's accuracy.",
        source=f"{PAPER}, figure 3",
        effect=difference("accuracy_willing", METHOD, "vanilla", other_metric="accuracy"),
        unit="accuracy (willing, R-Tuning − all, Vanilla)",
        margin=0.02,
        labs=BOTH,
    ),
    Claim(
        name="ap-over-vanilla-id",
        text="R-Tuning's AP beats Vanilla's in domain.",
        source=f"{PAPER}, table 1",
        effect=difference("ap", METHOD, "vanilla"),
        unit="AP",
        margin=0.01,
        why="Vanilla's likelihood alone ranks answers at an AP of .96 to .98: little is left to win.",
        labs=BOTH,
        primary=True,
    ),
    Claim(
        name="ap-over-vanilla-ood",
        text="R-Tuning's AP beats Vanilla's out of domain.",
        source=f"{PAPER}, table 1",
        effect=difference("ap", METHOD, "vanilla", "ood"),
        unit="AP",
        margin=0.01,
        why="As in domain: Vanilla's likelihood alone ranks at an AP of .95 to .98.",
        labs=BOTH,
    ),
    Claim(
        name="ap-over-likelihood-id",
        text="R-Tuning's AP beats that of the untuned model's likelihood in domain.",
        source="left open by R-Tuning",
        effect=difference("ap", METHOD, "base-likelihood"),
        unit="AP, each of its own answers",
        margin=0.01,
        labs=BOTH,
    ),
    Claim(
        name="auroc-over-likelihood-id",
        text="R-Tuning ranks its answers better than the untuned model's likelihood ranks that model's.",
        source="left open by R-Tuning",
        effect=difference("auroc", METHOD, "base-likelihood"),
        unit="AUROC, each of its own answers",
        margin=0.01,
        labs=BOTH,
    ),
    Claim(
        name="r-tuning-r-ap-over-vanilla",
        text="R-Tuning-R's AP beats Vanilla's in domain.",
        source=f"{PAPER}, appendix",
        effect=difference("ap", "r-tuning-r", "vanilla"),
        unit="AP",
        margin=0.01,
        labs=BOTH,
    ),
    Claim(
        name="full-ap-over-vanilla",
        text="Tuned in all weights, as in the paper, R-Tuning's AP beats Vanilla's in domain.",
        source=f"{PAPER}, table 1",
        effect=difference("ap", "r-tuning-full", "vanilla"),
        unit="AP (all weights tuned − Vanilla with LoRA)",
        margin=0.01,
        labs=("real",),
    ),
    Claim(
        name="carries-over-entity",
        text="Refusal carries over to people, or entities, never tuned on.",
        source=f"{PAPER}, section 3",
        effect=_gain("id"),
        unit="accuracy gained by declining",
        margin=0.02,
        labs=BOTH,
    ),
    Claim(
        name="carries-over-relation",
        text="Refusal carries over to relations never tuned on.",
        source=f"{PAPER}, section 3",
        effect=_gain("ood"),
        unit="accuracy gained by declining",
        margin=0.02,
        labs=BOTH,
    ),
    Claim(
        name="carries-over-language",
        text="Refusal carries over to a language never tuned on.",
        source="left open by the papers",
        effect=_gain_in("second-language"),
        unit="accuracy gained by declining",
        margin=0.02,
    ),
    Claim(
        name="carries-over-task",
        text="Refusal carries over to questions in two hops, never tuned on.",
        source=f"{PAPER}, section 3.4",
        effect=_gain_in("two-hop"),
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
        labs=BOTH,
    ),
    Claim(
        name="unsupervised-accuracy",
        text="R-Tuning-U beats Vanilla-C in accuracy.",
        source=f"{PAPER}, table 4",
        effect=difference("accuracy", "r-tuning-u", "vanilla-c"),
        unit="accuracy, refusals ignored",
        margin=0.01,
        why="Tuning leaves the answers as they were, and so does a majority of samples.",
        labs=BOTH,
    ),
    Claim(
        name="unsupervised-ap",
        text="R-Tuning-U beats Vanilla-C in AP.",
        source=f"{PAPER}, table 4",
        effect=difference("ap", "r-tuning-u", "vanilla-c"),
        unit="AP",
        margin=0.01,
        labs=BOTH,
        why="Its confidence is the mean of sure and likelihood; the untuned model's likelihood alone does "
        "as well.",
    ),
    Claim(
        name="unsupervised-ece",
        text="R-Tuning-U is better calibrated than Vanilla-C.",
        source=f"{PAPER}, table 4",
        effect=difference("ece", "vanilla-c", "r-tuning-u"),
        unit="ECE (Vanilla-C − R-Tuning-U)",
        margin=0.01,
        why="Agreement of ten samples is a frequency and calibrated as such; sure is not.",
        labs=BOTH,
    ),
    Claim(
        name="learning-over-testing",
        text="Learning uncertainty beats testing it: what R-Tuning-U learned ranks above answer entropy.",
        source=f"{PAPER}, section 5",
        effect=difference("ap", "r-tuning-u", "vanilla-u", signal="sure"),
        unit="AP (sure of R-Tuning-U − answer entropy)",
        margin=0.01,
        labs=BOTH,
    ),
    Claim(
        name="uncertain-perplexity",
        text="Uncertain data has higher perplexity than certain data.",
        source=f"{PAPER}, table 6",
        effect=_perplexity,
        unit="mean log-perplexity of the question",
        margin=0.05,
        why="A question here holds a name and fixed words; only how often the name was read can show.",
        labs=BOTH,
    ),
    Claim(
        name="uncertain-entropy",
        text="Uncertain data has higher answer entropy than certain data.",
        source=f"{PAPER}, table 7",
        effect=_entropy,
        unit="mean answer entropy in nats",
        margin=0.1,
        labs=BOTH,
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
        unit="accuracy gained by declining, for people with some known facts",
        margin=0.02,
        why="Tuning finds how familiar a person is; which single fact was read stays in the likelihood.",
    ),
)
