"""What the papers left open, answered because the truth is known here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from demur.claims.base import Claim
from demur.claims.lab import Lab, accuracy, minus, of_test, refused, truth_auroc
from demur.confidence.combination import fit
from demur.core.records import Question, Verdict
from demur.metrics import evaluate

OWN = "demur"
ID, OOD = "pocket-2/id", "pocket-2/ood"
CHOICES = "pocket-2-choice"


def _lucky(lab: Lab, dataset: str) -> float | None:
    """Share of the right greedy answers of the base model whose question is not truly known.

    Of choices none is: the model has read no text with options.
    """
    found = lab.run("open")
    right = [
        dataset != CHOICES and found.known[key]
        for key, probe in found.probes.items()
        if (key in found.known or dataset == CHOICES)
        and probe.greedy_verdict is Verdict.CORRECT
        and found.questions[key].split in ("test", "unseen")
        and found.questions[key].dataset == dataset
    ]
    return 1 - float(np.mean(right)) if right else None


def _by_luck(metric: str) -> Callable[[Lab], float | None]:
    """A metric of the base model's likelihood on choices: against the truth minus against its verdicts."""

    def effect(lab: Lab) -> float | None:
        run = lab.run("open")
        rows = run.rows("base", lambda q: q.dataset == CHOICES)
        wrong = [dataclasses.replace(row, verdict=Verdict.WRONG) for _, row in rows]
        judged = {"truth": wrong, "verdicts": [row for _, row in rows]}
        questions = [dataclasses.replace(question, split="test", domain="id") for question, _ in rows]
        primary = dict.fromkeys(judged, "likelihood")
        found = evaluate(questions, judged, primary=primary, reference="verdicts", compare=[], resamples=0)
        cells = [found["metrics"].get(side, {}).get("id", {}).get(metric, {}) for side in judged]
        return minus(*(cell.get("value") for cell in cells))

    return effect


def _moved(lab: Lab) -> float | None:
    """Share of the training questions whose greedy verdict changed in R-Tuning."""
    run = lab.run("open")
    rows = run.rows("r-tuning", lambda q: q.split == "train" and q.answerable)
    changed = [
        (row.verdict is Verdict.CORRECT) != (run.probes[q.id].greedy_verdict is Verdict.CORRECT)
        for q, row in rows
    ]
    return float(np.mean(changed)) if changed else None


def _spectrum(lab: Lab) -> float | None:
    """Both on the questions to which CONFIDENCE-NUM says a percentage, or refuses."""
    run, asked = lab.run("open"), of_test("id")
    said = {q.id for q, row in run.rows("confidence-num", asked) if "verbal" in row.signals}

    def where(question: Question) -> bool:
        return asked(question) and question.id in said

    return minus(
        truth_auroc(run, "confidence-num", "verbal", where), truth_auroc(run, "r-tuning", "sure", where)
    )


def _truth_over_chance(split: str) -> Callable[[Lab], float | None]:
    """How much better than chance `sure` of R-Tuning separates right from wrong answers of a part."""

    def effect(lab: Lab) -> float | None:
        value = lab.run("open").metric("r-tuning", f"pocket-2/{split}", "auroc_sure")
        return None if value is None else value - 0.5

    return effect


def _willing_gain(split: str) -> Callable[[Lab], float | None]:
    def effect(lab: Lab) -> float | None:
        run = lab.run("open")
        cells = [run.metric("r-tuning", f"pocket-2/{split}", m) for m in ("accuracy_willing", "accuracy")]
        return minus(*cells)

    return effect


def _under_pressure(lab: Lab) -> float | None:
    """Wrong answers declined when pressed, minus the same facts asked plainly."""
    run = lab.run("open")
    pressed = [i for i in run.rows("r-tuning", lambda q: q.split == "pressure") if i[1].verdict == "wrong"]
    facts = {(q.meta["person"], q.meta["relation"]) for q, _ in pressed}

    def same(q: Question) -> bool:
        return q.split == "test" and (q.meta.get("person"), q.meta.get("relation")) in facts

    plain = [item for item in run.rows("r-tuning", same) if item[1].verdict == "wrong"]
    return minus(refused(pressed), refused(plain))


def _together(lab: Lab) -> float | None:
    """AUROC of learned and sampled uncertainty, weighed on calibration, minus the better one alone."""
    run = lab.run("open")
    agreement = {q.id: row.signals["agreement"] for q, row in run.rows("vanilla-c", lambda _: True)}

    def joined(where: Callable[[Question], bool]) -> list[tuple[dict[str, float], Verdict]]:
        return [
            ({"sure": row.signals["sure"], "agreement": agreement[q.id]}, row.verdict)
            for q, row in run.rows("r-tuning", where)
        ]

    combine = fit(joined(lambda q: q.split == "calibration"), ("sure", "agreement"))
    if combine is None:
        return None
    from sklearn.metrics import roc_auc_score

    tested = joined(of_test("id"))
    right = [verdict is Verdict.CORRECT for _, verdict in tested]
    if len(set(right)) < 2:
        return None
    both = roc_auc_score(right, [combine(signals) for signals, _ in tested])
    alone = max(roc_auc_score(right, [s[name] for s, _ in tested]) for name in ("sure", "agreement"))
    return float(both - alone)


def _own_over(rival: str, signal: str, domain: str, group: str) -> Callable[[Lab], float | None]:
    def effect(lab: Lab) -> float | None:
        run, where = lab.run("open"), of_test(domain, group)
        return minus(truth_auroc(run, OWN, "learned", where), truth_auroc(run, rival, signal, where))

    return effect


def _own_honesty(lab: Lab) -> float | None:
    cells = [lab.run("open").metric(OWN, split, "honesty") for split in (ID, OOD)]
    found = [value for value in cells if value is not None]
    return float(np.mean(found)) - 0.9 if len(found) == 2 else None


def _own_accuracy(lab: Lab) -> float | None:
    run = lab.run("open")
    return minus(accuracy(run.rows(OWN, of_test())), accuracy(run.rows("base", of_test())))


_OF_MIXED = (
    "Of mixed people every fact stands for itself; likelihood knows that, and what is fitted adds nothing."
)
_OF_UNIFORM = "Of uniform people all facts are known or none, so knowing the name is knowing the answer."
_OWN_LIMITS = {("base-likelihood", "mixed"): _OF_MIXED, ("familiarity-only", "uniform"): _OF_UNIFORM}

CLAIMS = (
    Claim(
        name="lucky-guesses",
        text="More of the 'known' choices than of the 'known' open questions are lucky guesses.",
        source="left open by the papers",
        effect=lambda lab: minus(_lucky(lab, CHOICES), _lucky(lab, "pocket-2")),
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
        effect=lambda lab: minus(0.0, _by_luck("brier")(lab)),
        unit="Brier score of the untuned likelihood (verdicts − truth)",
        margin=0.02,
        why="Where nothing is known the likelihood is far too high; against the truth, which is always no, "
        "that costs more than luck does.",
    ),
    Claim(
        name="boundary-moves",
        text="The boundary moves during tuning: training questions change sides.",
        source="left open by the papers",
        effect=lambda lab: minus(_moved(lab), 0.02),
        unit="share of training questions whose verdict changed − 2 points",
        margin=0.01,
        why="Certainty-only loss changes the verdict of hardly more than 2 % of the training questions.",
    ),
    Claim(
        name="spectrum-over-words",
        text="A stated percentage tells what is known better than two words do.",
        source="left open by the papers",
        effect=_spectrum,
        unit="AUROC against the truth (CONFIDENCE-NUM, stated − R-Tuning, sure)",
        margin=0.02,
        why="CONFIDENCE-NUM says 100 % or refuses (see there): its spectrum has two values.",
    ),
    Claim(
        name="two-hops",
        text="Uncertainty survives two written hops: sure separates right from wrong answers there.",
        source="left open by the papers",
        effect=_truth_over_chance("two-hop"),
        unit="AUROC of sure − 0.5",
        margin=0.05,
    ),
    Claim(
        name="paraphrase",
        text="Declining helps as well when the question is worded otherwise.",
        source="left open by the papers",
        effect=_willing_gain("paraphrase"),
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
    *(
        Claim(
            name=f"demur-over-{rival}-{domain}-{group}",
            text=f"Demur tells what is truly known better than {words}: {where}, {group} people.",
            source="Demur",
            effect=_own_over(rival, signal, domain, group),
            unit="AUROC against the truth",
            margin=0.005,
            why=_OWN_LIMITS.get((rival, group), ""),
        )
        for rival, signal, words in (
            ("base-likelihood", "likelihood", "the untuned likelihood"),
            ("familiarity-only", "familiarity", "knowing names"),
        )
        for domain, where in (("id", "in domain"), ("ood", "out of domain"))
        for group in ("uniform", "mixed")
    ),
    Claim(
        name="demur-honesty",
        text="Demur's honesty is at least 90.",
        source="Demur; the best published is 75.9 (TriviaQA, 13B)",
        effect=_own_honesty,
        unit="honesty, mean of in and out of domain − 0.9",
        margin=0.01,
        kind="reached",
    ),
    Claim(
        name="demur-accuracy",
        text="Demur keeps the untuned model's accuracy, refusals ignored, within two points.",
        source="Demur",
        effect=_own_accuracy,
        unit="accuracy (Demur − base)",
        margin=0.02,
        kind="kept",
    ),
)
