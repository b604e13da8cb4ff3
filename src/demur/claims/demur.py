"""What Demur claims of its own methods, as effects."""

from __future__ import annotations

import math

from demur.claims.base import Claim
from demur.claims.lab import Effect, Figure, Lab, calibration, difference
from demur.claims.places import BOTH
from demur.core.records import Domain

OWN = "demur"
FREE = ("likelihood", "sum", "min")
"""Signals that every greedy answer of the untuned model has for nothing."""
DOMAINS: tuple[tuple[Domain, str], ...] = (("id", "in domain"), ("ood", "out of domain"))


def _over_truth(rival: str, signal: str, domain: Domain, group: str) -> Effect:
    """AUROC against the truth: our confidence minus a rival's."""

    def effect(lab: Lab) -> Figure:
        run, where = lab.run(), lab.test(domain, group)
        ours = run.measure(OWN, "auroc", where, signal="learned", right=run.known)
        return ours - run.measure(rival, "auroc", where, signal=signal, right=run.known)

    return effect


def best_free(lab: Lab) -> str:
    """The free signal that ranks the untuned model's answers to calibration questions best."""
    run = lab.run()
    given = run.signals("base", calibration).values()
    ranked = {
        signal: float(run.measure("base", "auroc", calibration, signal=signal)[0])
        for signal in FREE
        if any(signal in row for row in given)
    }
    return max(ranked, key=lambda signal: ranked[signal])


def _probe_over_free(domain: Domain) -> Effect:
    """Both rank the same answers, those of the untuned model."""

    def effect(lab: Lab) -> Figure:
        run, where = lab.run(), lab.test(domain)
        free = run.measure("base", "auroc", where, signal=best_free(lab))
        return run.measure("probe", "auroc", where) - free

    return effect


def _serving(lab: Lab, system: str, domain: Domain) -> Figure:
    """Right minus wrong answers over all questions.

    The best of the system's signals and its threshold are chosen for this very aim on calibration
    questions; what it refuses in words stays refused.
    """
    run, where = lab.run(), lab.test(domain)
    signal, cut = run.threshold(system, SIGNALS[system])
    given = run.signals(system, where)
    declined = {key: row.get(signal, -math.inf) < cut for key, row in given.items()}
    return run.measure(system, "effective_reliability", where, declined=declined)


def _serves_better(rival: str, domain: Domain) -> Effect:
    return lambda lab: _serving(lab, OWN, domain) - _serving(lab, rival, domain)


def _honesty(lab: Lab) -> Figure:
    run = lab.run()
    cells = [run.measure(OWN, "honesty", lab.test(domain)) for domain, _ in DOMAINS]
    return (cells[0] + cells[1]) / 2 - 0.9


_OF_MIXED = (
    "Of mixed people every fact stands for itself; likelihood knows that, and what is fitted adds nothing."
)
_LIMITS = {("base-likelihood", "mixed"): _OF_MIXED}
_SETTLED = {
    ("familiarity-only", "uniform"): "of uniform people all facts are read alike, so knowing the name is "
    "the truth itself, and nothing can beat it.",
    ("familiarity-only", "mixed"): "of mixed people the name says nothing of a single fact.",
}
SIGNALS: dict[str, tuple[str, ...]] = {
    OWN: ("learned",),
    "base": FREE,
    "vanilla": FREE,
    "r-tuning": ("sure", "combined", *FREE),
    "r-tuning-learned": ("learned",),
    "r-tuning-r": ("sure", "combined", *FREE),
    "absolute": ("sure", *FREE),
    "multisample": ("sure", *FREE),
}
"""What a system may decline by, beside refusals in words."""
_RIVALS = {
    "base": "the untuned model with its best free signal",
    "vanilla": "Vanilla with its best free signal",
    "r-tuning": "R-Tuning with its best signal",
    "r-tuning-learned": "R-Tuning with its signals weighed",
    "r-tuning-r": "R-Tuning-R with its best signal",
    "absolute": "ABSOLUTE with its best signal",
    "multisample": "MULTISAMPLE with its best signal",
}

CLAIMS = (
    *(
        Claim(
            name=f"probe-over-free-{domain}",
            text="A confidence fitted to the untuned model's states ranks its answers better than the "
            f"best free signal, {where}.",
            source="Demur",
            effect=_probe_over_free(domain),
            unit="AUROC of the same answers (probe − free signal chosen on calibration)",
            margin=0.01,
            labs=BOTH,
            primary=domain == "id",
        )
        for domain, where in DOMAINS
    ),
    *(
        Claim(
            name=f"demur-over-{rival}-{domain}",
            text=f"Demur serves better than {words}: right minus wrong answers, {where}.",
            source="Demur",
            effect=_serves_better(rival, domain),
            unit="effective reliability, signals and thresholds chosen for it on calibration questions",
            margin=0.02,
            labs=BOTH,
            primary=rival in ("base", "r-tuning", "absolute") and domain == "id",
        )
        for rival, words in _RIVALS.items()
        for domain, where in DOMAINS
    ),
    *(
        Claim(
            name=f"demur-over-{rival}-truth-{domain}-{group}",
            text=f"Demur tells what is truly known better than {words}: {where}, {group} people.",
            source="Demur",
            effect=_over_truth(rival, signal, domain, group),
            unit="AUROC against the truth",
            margin=0.005,
            why=_LIMITS.get((rival, group), ""),
            by_construction=_SETTLED.get((rival, group), ""),
        )
        for rival, signal, words in (
            ("base-likelihood", "likelihood", "the untuned likelihood"),
            ("familiarity-only", "familiarity", "knowing names"),
        )
        for domain, where in DOMAINS
        for group in ("uniform", "mixed")
    ),
    Claim(
        name="demur-honesty",
        text="Demur's honesty is at least 90.",
        source="Demur",
        effect=_honesty,
        unit="honesty, mean of in and out of domain − 0.9",
        margin=0.01,
        kind="reached",
    ),
    *(
        Claim(
            name=f"demur-accuracy-{domain}",
            text=f"Demur keeps the untuned model's accuracy, refusals ignored, {where}.",
            source="Demur",
            effect=difference("accuracy", OWN, "base", domain),
            why="It keeps a tuned model only where that is right more often; here it never is, so its "
            "answers are those of the untuned model, and its rows are those of the method probe.",
            unit="accuracy (Demur − base)",
            margin=0.02,
            kind="kept",
            labs=BOTH,
        )
        for domain, where in DOMAINS
    ),
)
