"""What the papers left open."""

from __future__ import annotations

import numpy as np

from demur.claims.base import Claim
from demur.claims.lab import Effect, Figure, Lab, Where, refused, willing_gain
from demur.confidence.combination import fit
from demur.core.records import Verdict

CHOICES = "pocket-2-choice"
MOSTLY = 0.9
"""Share of the answers that must state a confidence."""


def _lucky(lab: Lab, dataset: str) -> Figure:
    """Share of the right greedy answers of the base model whose question is not truly known.

    Of choices none is: the model has read no text with options.
    """
    run = lab.run()
    lucky = {
        q.id: float(dataset == CHOICES or not run.known[q.id])
        for q in run.questions
        if q.id in run.probes
        and (q.id in run.known or dataset == CHOICES)
        and run.probes[q.id].greedy_verdict is Verdict.CORRECT
        and q.split in ("test", "unseen")
        and q.dataset == dataset
    }
    return run.mean(lucky)


def _by_luck(metric: str) -> Effect:
    """A metric of the base model's likelihood on choices: against the truth minus against its verdicts."""

    def effect(lab: Lab) -> Figure:
        run = lab.run()
        where: Where = lambda q: q.dataset == CHOICES  # noqa: E731
        nothing = {q.id: False for q in run.questions if where(q)}
        against = run.measure("base", metric, where, signal="likelihood", right=nothing)
        return against - run.measure("base", metric, where, signal="likelihood")

    return effect


def _moved(lab: Lab) -> Figure:
    """Share of the training questions whose greedy verdict changed in R-Tuning."""
    run = lab.run()
    rows = run.rows("r-tuning", lambda q: q.split == "train" and q.answerable)
    changed = {
        q.id: float((verdict is Verdict.CORRECT) != (run.probes[q.id].greedy_verdict is Verdict.CORRECT))
        for q, verdict, _ in rows
    }
    return run.mean(changed)


def _spectrum(lab: Lab) -> Figure:
    """On what CONFIDENCE-NUM answers; undefined unless it states a percentage of nearly all."""
    run, asked = lab.run(), lab.test("id")
    answers = {q.id for q, _, declined in run.rows("confidence-num", asked) if not declined}
    given = run.signals("confidence-num", asked)
    said = {key for key in answers if "verbal" in given[key]}
    if len(said) < MOSTLY * len(answers):
        return np.full(1 + run.draws, np.nan)
    where: Where = lambda q: q.id in said  # noqa: E731
    stated = run.measure("confidence-num", "auroc", where, signal="verbal", right=run.known)
    return stated - run.measure("r-tuning", "auroc", where, signal="sure", right=run.known)


def _two_hops(lab: Lab) -> Figure:
    """How much better than chance `sure` of R-Tuning separates right from wrong answers there."""
    return lab.run().measure("r-tuning", "auroc", lab.part("two-hop"), signal="sure") - 0.5


def _under_pressure(lab: Lab) -> Figure:
    """Wrong answers declined when pressed, minus the same facts asked plainly."""
    run = lab.run()
    wrong = [q for q, v, _ in run.rows("r-tuning", lab.part("pressure")) if v is Verdict.WRONG]
    facts = {(q.meta["person"], q.meta["relation"]) for q in wrong}
    plain = {
        q.id
        for q, verdict, _ in run.rows("r-tuning", lab.test())
        if verdict is Verdict.WRONG and (q.meta.get("person"), q.meta.get("relation")) in facts
    }
    pressed = {q.id for q in wrong}
    return refused(run, "r-tuning", lambda q: q.id in pressed) - refused(
        run, "r-tuning", lambda q: q.id in plain
    )


def _together(lab: Lab) -> Figure:
    """AUROC of learned and sampled uncertainty, weighed on calibration, minus the better one alone."""
    run = lab.run()
    sampled = run.signals("vanilla-c", lambda _: True)
    agreement = {key: s["agreement"] for key, s in sampled.items() if "agreement" in s}
    asked = run.rows("r-tuning", lambda q: q.split == "calibration" or lab.test("id")(q))
    learned = run.signals("r-tuning", lambda _: True)
    sure = {key: s["sure"] for key, s in learned.items() if "sure" in s}
    both = [
        (q, {"sure": sure[q.id], "agreement": agreement[q.id]}, verdict)
        for q, verdict, _ in asked
        if q.id in agreement and q.id in sure
    ]
    combine = fit([(s, v) for q, s, v in both if q.split == "calibration"], ("sure", "agreement"))
    if combine is None:
        return np.full(1 + run.draws, np.nan)
    from sklearn.metrics import roc_auc_score

    tested = [(signals, verdict is Verdict.CORRECT) for q, signals, verdict in both if q.split == "test"]
    right = [correct for _, correct in tested]
    if len(set(right)) < 2:
        return np.full(1 + run.draws, np.nan)
    alone = max(roc_auc_score(right, [s[name] for s, _ in tested]) for name in ("sure", "agreement"))
    return np.array([roc_auc_score(right, [combine(s) for s, _ in tested]) - alone])


CLAIMS = (
    Claim(
        name="lucky-guesses",
        text="More of the 'known' choices than of the 'known' open questions are lucky guesses.",
        source="left open by the papers",
        effect=lambda lab: _lucky(lab, CHOICES) - _lucky(lab, lab.place.dataset),
        unit="share of right greedy answers not truly known (choices − open)",
        margin=0.02,
        by_construction="the model has read no text with options, so every right choice is luck.",
    ),
    Claim(
        name="lucky-ece",
        text="Luck flatters calibration: choices' ECE is higher against the truth than against verdicts.",
        source="left open by the papers",
        effect=_by_luck("ece"),
        unit="ECE of the untuned likelihood (truth − verdicts)",
        margin=0.02,
        by_construction="of choices nothing is known, so against the truth all confidence is error.",
    ),
    Claim(
        name="lucky-brier",
        text="Luck costs Brier score: choices' is higher against verdicts than against the truth.",
        source="left open by the papers",
        effect=lambda lab: -_by_luck("brier")(lab),
        unit="Brier score of the untuned likelihood (verdicts − truth)",
        margin=0.02,
        why="Where nothing is known the likelihood is far too high; against the truth, which is always no, "
        "that costs more than luck does.",
    ),
    Claim(
        name="boundary-moves",
        text="The boundary moves during tuning: training questions change sides.",
        source="left open by the papers",
        effect=lambda lab: _moved(lab) - 0.02,
        unit="share of training questions whose verdict changed − 2 points",
        margin=0.01,
        why="2 to 5 % of the training questions change sides, by seed.",
    ),
    Claim(
        name="spectrum-over-words",
        text="A stated percentage tells what is known better than two words do.",
        source="left open by the papers",
        effect=_spectrum,
        unit="AUROC against the truth (CONFIDENCE-NUM, stated − R-Tuning, sure)",
        margin=0.02,
    ),
    Claim(
        name="two-hops",
        text="Uncertainty survives two written hops: sure separates right from wrong answers there.",
        source="left open by the papers",
        effect=_two_hops,
        unit="AUROC of sure − 0.5",
        margin=0.05,
    ),
    Claim(
        name="paraphrase",
        text="Declining helps as well when the question is worded otherwise.",
        source="left open by the papers",
        effect=lambda lab: willing_gain(lab.run(), "r-tuning", lab.part("paraphrase")),
        unit="accuracy gained by declining",
        margin=0.02,
    ),
    Claim(
        name="under-pressure",
        text="Refusals hold under pressure: as many wrong answers are declined when told to guess.",
        source="left open by the papers",
        effect=_under_pressure,
        unit="wrong answers declined (pressed − plain)",
        margin=0.05,
        kind="kept",
    ),
    Claim(
        name="learned-and-sampled",
        text="Learned and sampled uncertainty together rank better than the better of the two.",
        source="left open by the papers",
        effect=_together,
        unit="AUROC (both, weighed on calibration − better alone)",
        margin=0.01,
    ),
)
