"""Every metric that another library has too, computed by both on thousands of random samples.

    make proof-metrics

The libraries stand in an environment of their own (`benchmarks/metrics-requirements.txt`). Samples are
drawn by seed: distinct confidences, ties, few rows, all right, all wrong. Where a library orders tied rows
by chance, its value is averaged over every order of them. Where definitions differ, the comparison is made
on the samples on which they agree, and the page says what happens on the others.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from sklearn import metrics as sklearn_metrics
from torchmetrics.functional.classification import binary_calibration_error

from demur.core.records import Verdict
from demur.metrics import METRICS, Rows

TOLERANCE = 1e-9
LIBRARIES = ("scikit-learn", "torchmetrics", "torch-uncertainty", "lm-polygraph")


def bare(module: str) -> ModuleType:
    """A module of an installed package without the package's own ``__init__``, which loads trainers."""
    parents = module.split(".")[:-1]
    root = Path(str(importlib.metadata.distribution(parents[0]).locate_file("")))
    for depth in range(1, len(parents) + 1):
        package = ModuleType(".".join(parents[:depth]))
        package.__path__ = [str(root.joinpath(*parents[:depth]))]
        sys.modules.setdefault(package.__name__, package)
    return importlib.import_module(module)


RISK_COVERAGE = bare("torch_uncertainty.metrics.classification.risk_coverage")
ADAPTIVE = bare("torch_uncertainty.metrics.classification.calibration.adaptive_calibration_error")
REJECTION = bare("lm_polygraph.ue_metrics.pred_rej_area")
RISK_CURVE = bare("lm_polygraph.ue_metrics.risk_cov_curve")
LM_ECE = bare("lm_polygraph.ue_metrics.ece")
NORMALISE = bare("lm_polygraph.ue_metrics.ue_metric")


@dataclass(frozen=True)
class Sample:
    """Answers of one system; every array has shape [n]."""

    kind: str
    right: np.ndarray
    confidence: np.ndarray
    """In [0, 1]."""
    declined: np.ndarray
    answerable: np.ndarray
    bins: int

    def __len__(self) -> int:
        return len(self.right)

    @property
    def tied(self) -> bool:
        """Whether a confidence occurs twice."""
        return len(np.unique(self.confidence)) < len(self)

    @property
    def mixed(self) -> bool:
        """Whether some are right and some wrong."""
        return 0 < self.right.sum() < len(self)

    @cached_property
    def rows(self) -> Rows:
        """For metrics of the confidence: all answerable."""
        return Rows.of(
            [Verdict.CORRECT if right else Verdict.WRONG for right in self.right],
            confidence=self.confidence.tolist(),
            bins=self.bins,
        )

    @cached_property
    def refusing_rows(self) -> Rows:
        """For metrics of refusals: with questions that cannot be answered."""
        return Rows.of(
            [Verdict.CORRECT if right else Verdict.WRONG for right in self.right & self.answerable],
            abstained=self.declined.tolist(),
            answerable=self.answerable.tolist(),
        )


def samples(each: int, seed: int) -> Iterator[Sample]:
    """``each`` samples of every kind."""
    kinds = {
        "distinct": (False, 8, 200, 0.6),
        "large": (False, 500, 2000, 0.6),
        "few": (False, 1, 7, 0.6),
        "few, tied": (True, 1, 7, 0.6),
        "tied": (True, 8, 200, 0.6),
        "all right": (True, 1, 60, 1.0),
        "all wrong": (True, 1, 60, 0.0),
    }
    for number, (kind, (tied, least, most, accuracy)) in enumerate(kinds.items()):
        for draw in range(each):
            rng = np.random.default_rng([seed, number, draw])
            n = int(rng.integers(least, most + 1))
            # Distinct: odd multiples of 2^-20, never on the edge of a bin. Tied: eighths, 0 and 1 too.
            confidence = (
                rng.integers(0, 9, n) / 8 if tied else (2 * rng.permutation(2**19)[:n] + 1) / 2.0**20
            )
            luck = rng.random(n)
            right = luck < confidence if accuracy == 0.6 and draw % 2 else luck < accuracy
            yield Sample(
                kind,
                right,
                confidence,
                rng.random(n) < rng.choice([0, 0.4, 1], p=[0.1, 0.8, 0.1]),
                rng.random(n) < rng.choice([0, 0.6, 1], p=[0.1, 0.8, 0.1]),
                int(rng.choice([1, 5, 8, 15, 20])),
            )


def orders(sample: Sample) -> Iterator[np.ndarray]:
    """Right or wrong in falling confidence, for each way in which tied rows can stand; shape [n] each."""
    levels = np.unique(sample.confidence)[::-1]
    groups = [sample.right[sample.confidence == level] for level in levels]
    choices = [
        [np.isin(np.arange(len(group)), places) for places in combinations(range(len(group)), group.sum())]
        for group in groups
    ]
    for arrangement in product(*choices):
        yield np.concatenate(arrangement)


def mean_over_orders(of_order: Callable[[np.ndarray], float]) -> Callable[[Sample], float]:
    """What a library without a rule for ties gives on average."""
    return lambda sample: float(np.mean([of_order(order) for order in orders(sample)]))


def falling(n: int) -> np.ndarray:
    """A distinct confidence for each place of an order, the first the highest, all above one half."""
    return np.linspace(1, 0.5, n + 2)[1:-1]


def risk_coverage(metric: str) -> Callable[[np.ndarray], float]:
    """A metric of torch-uncertainty; class 0 is predicted, so target 0 is right."""

    def value(order: np.ndarray) -> float:
        high = torch.tensor(falling(len(order)))
        own = getattr(RISK_COVERAGE, metric)()
        own.update(torch.stack([high, 1 - high], dim=1), torch.tensor(~order).long())
        return float(own.compute())

    return value


def risk_curve(order: np.ndarray) -> np.ndarray:
    """torch-uncertainty's error rates at coverages 1/n … 1, shape [n]."""
    high = torch.tensor(falling(len(order)))
    own = RISK_COVERAGE.AURC()
    own.update(torch.stack([high, 1 - high], dim=1), torch.tensor(~order).long())
    return own.partial_compute().numpy()


def from_trapezoids(metric: str) -> Callable[[np.ndarray], float]:
    """torch-uncertainty's area made a mean over k: trapezoids leave out half of either end."""

    def value(order: np.ndarray) -> float:
        n, curve = len(order), risk_curve(order)
        if metric == "AUGRC":
            curve = curve * np.arange(1, n + 1) / n
        area = 0.0 if n == 1 else risk_coverage(metric)(order) * (n - 1)
        return float((area + (curve[0] + curve[-1]) / 2) / n)

    return value


def polygraph(metric: object) -> Callable[[np.ndarray], float]:
    """A metric of LM-Polygraph, which takes an uncertainty and a quality."""
    return lambda order: float(metric((-falling(len(order))).tolist(), order.astype(float).tolist()))


AREA = polygraph(REJECTION.PredictionRejectionArea())
RISK = polygraph(RISK_CURVE.RiskCoverageCurveAUC())
RISK_SUM = polygraph(RISK_CURVE.RiskCoverageCurveAUC(normalize=False))


def best(order: np.ndarray) -> np.ndarray:
    """The same rows, the right ones first."""
    return np.sort(order)[::-1]


def prr(order: np.ndarray) -> float:
    """LM-Polygraph's ratio with the expected area of a random order, which is the accuracy."""
    return NORMALISE.normalize_metric(AREA(order), AREA(best(order)), order.mean())


def sampled_prr(order: np.ndarray) -> float:
    """LM-Polygraph's ratio as it stands: the random area is the mean of a thousand shuffles."""
    area = REJECTION.PredictionRejectionArea()
    chance = NORMALISE.get_random_scores(area, order.astype(float).tolist())
    return NORMALISE.normalize_metric(AREA(order), AREA(best(order)), chance)


def calibration_error(norm: str) -> Callable[[Sample], float]:
    """The binary calibration error of torchmetrics."""
    return lambda s: float(
        binary_calibration_error(
            torch.tensor(s.confidence), torch.tensor(s.right).long(), n_bins=s.bins, norm=norm
        )
    )


def lm_ece(sample: Sample) -> float:
    """LM-Polygraph's calibration error, which takes an uncertainty."""
    return float(LM_ECE.ECE(n_bins=sample.bins)((-sample.confidence).tolist(), sample.right.tolist()))


def equal_mass(sample: Sample) -> float:
    """torch-uncertainty's adaptive error; its binary class would fold and round confidences first."""
    confidence, right = torch.tensor(sample.confidence), torch.tensor(sample.right * 1.0)
    return float(ADAPTIVE._ace_compute(confidence, right, sample.bins))


def declining(score: Callable[..., float]) -> Callable[[Sample], float]:
    """A score of scikit-learn: declined as the prediction of "cannot be answered"."""
    return lambda s: float(score(~s.answerable, s.declined))


def wrong_declined(sample: Sample) -> float:
    """scikit-learn's F1: declined as the prediction of "would not be right"."""
    return float(sklearn_metrics.f1_score(~(sample.right & sample.answerable), sample.declined))


def decision_accuracy(sample: Sample) -> float:
    """scikit-learn's accuracy of answering as the prediction of "is right"."""
    return float(sklearn_metrics.accuracy_score(sample.right & sample.answerable, ~sample.declined))


@dataclass
class Comparison:
    """One metric beside one library."""

    metric: str
    package: str
    call: str
    """What is called there, and how it is made comparable."""
    theirs: Callable[[Sample], float]
    where: Callable[[Sample], bool] = lambda _: True
    """The samples on which the definitions agree."""
    on: str = "all"
    """Those samples in words."""
    refusals: bool = False
    why: str = ""
    """Why the definitions differ."""
    nan_too: bool = False
    """Whether what is undefined here must be NaN there."""
    compared: int = 0
    undefined: int = 0
    """Samples of which we give no value; not compared."""
    largest: float = 0.0

    def add(self, sample: Sample) -> None:
        """Compare one sample."""
        if not self.where(sample):
            return
        ours = METRICS.get(self.metric).value(sample.refusing_rows if self.refusals else sample.rows)
        if ours is None:
            self.undefined += 1
            if self.nan_too and not math.isnan(self.theirs(sample)):
                self.largest = math.inf
            return
        self.compared += 1
        gap = abs(ours - self.theirs(sample))
        self.largest = math.inf if math.isnan(gap) else max(self.largest, gap)


def orderable(sample: Sample) -> bool:
    """Whether its tied rows can be put in every order."""
    return not sample.tied or len(sample) <= 7


def inside_bins(sample: Sample) -> bool:
    """Whether no confidence stands on the edge of a bin."""
    return not np.any(sample.confidence * sample.bins % 1 == 0)


def _distinct(sample: Sample) -> bool:
    return not sample.tied


ORDERABLE = "no ties; up to 7 rows, ties in every order"


def comparisons() -> list[Comparison]:
    """Every metric that a library has under the same definition, or under one that can be made the same."""
    sk, tm, tu, lm = LIBRARIES
    ordered = {"where": orderable, "on": ORDERABLE}
    both = {"where": lambda s: orderable(s) and s.mixed, "on": ORDERABLE + "; right and wrong rows"}
    return [
        Comparison(
            "ap",
            sk,
            "average_precision_score",
            lambda s: sklearn_metrics.average_precision_score(s.right, s.confidence),
        ),
        Comparison(
            "auprc_wrong",
            sk,
            "average_precision_score of errors",
            lambda s: sklearn_metrics.average_precision_score(~s.right, -s.confidence),
        ),
        Comparison(
            "auroc", sk, "roc_auc_score", lambda s: sklearn_metrics.roc_auc_score(s.right, s.confidence)
        ),
        Comparison(
            "brier",
            sk,
            "brier_score_loss",
            lambda s: sklearn_metrics.brier_score_loss(s.right, s.confidence, pos_label=1),
        ),
        Comparison(
            "aurc",
            tu,
            "AURC, mean of its curve",
            mean_over_orders(lambda o: risk_curve(o).mean()),
            **ordered,
        ),
        Comparison(
            "aurc", tu, "AURC, its trapezoids undone", mean_over_orders(from_trapezoids("AURC")), **ordered
        ),
        Comparison("aurc", lm, "RiskCoverageCurveAUC", mean_over_orders(RISK), **both),
        Comparison(
            "augrc",
            tu,
            "AUGRC, its trapezoids undone",
            mean_over_orders(from_trapezoids("AUGRC")),
            **ordered,
        ),
        Comparison(
            "augrc",
            lm,
            "RiskCoverageCurveAUC(normalize=False) / n",
            mean_over_orders(lambda o: RISK_SUM(o) / len(o)),
            **both,
        ),
        Comparison(
            "eaurc",
            tu,
            "AURC, mean of its curve, less that of the best order",
            mean_over_orders(lambda o: risk_curve(o).mean() - risk_curve(best(o)).mean()),
            **ordered,
        ),
        Comparison(
            "eaurc",
            lm,
            "RiskCoverageCurveAUC, less that of the best order",
            mean_over_orders(lambda o: RISK(o) - RISK(best(o))),
            **both,
        ),
        Comparison(
            "prr",
            lm,
            "PredictionRejectionArea, normalize_metric with the accuracy as chance",
            mean_over_orders(prr),
            **both,
        ),
        Comparison(
            "coverage_at_risk",
            tu,
            "CovAt5Risk",
            mean_over_orders(risk_coverage("CovAt5Risk")),
            where=_distinct,
            on="no ties",
            nan_too=True,
        ),
        Comparison(
            "risk_at_coverage",
            tu,
            "RiskAt80Cov",
            mean_over_orders(risk_coverage("RiskAt80Cov")),
            where=lambda s: orderable(s) and len(s) % 5 == 0,
            on=ORDERABLE + "; n a multiple of 5",
        ),
        Comparison(
            "ece",
            tm,
            "binary_calibration_error(norm='l1')",
            calibration_error("l1"),
            where=lambda s: s.confidence.max() < 1,
            on="no confidence of 1",
        ),
        Comparison(
            "ece",
            lm,
            "ECE",
            lm_ece,
            where=inside_bins,
            on="no confidence on the edge of a bin",
        ),
        Comparison(
            "rms_calibration_error",
            tm,
            "binary_calibration_error(norm='l2')",
            calibration_error("l2"),
            where=lambda s: s.confidence.max() < 1,
            on="no confidence of 1",
        ),
        Comparison(
            "ece_mass",
            tu,
            "adaptive calibration error, norm l1",
            equal_mass,
            where=lambda s: not s.tied and len(s) % s.bins == 0,
            on="no ties; n a multiple of the bins",
        ),
        Comparison(
            "abstention_precision",
            sk,
            "precision_score",
            declining(sklearn_metrics.precision_score),
            refusals=True,
        ),
        Comparison(
            "abstention_recall", sk, "recall_score", declining(sklearn_metrics.recall_score), refusals=True
        ),
        Comparison("abstention_f1", sk, "f1_score", declining(sklearn_metrics.f1_score), refusals=True),
        Comparison("selfaware_f1", sk, "f1_score", declining(sklearn_metrics.f1_score), refusals=True),
        Comparison(
            "abstention_wrong_f1",
            sk,
            "f1_score of answers that are not right",
            wrong_declined,
            refusals=True,
        ),
        Comparison("abstention_accuracy", sk, "accuracy_score", decision_accuracy, refusals=True),
    ]


def differing() -> list[Comparison]:
    """The libraries as they stand, on samples on which the definitions differ."""
    _, tm, tu, lm = LIBRARIES
    trapezoids = (
        "trapezoids from a coverage of 1/n on, over 1 − 1/n, leave out half of the first and last point"
    )
    some = {"where": lambda s: s.kind == "distinct", "on": "8 to 200 rows"}
    return [
        Comparison("aurc", tu, "AURC", mean_over_orders(risk_coverage("AURC")), **some, why=trapezoids),
        Comparison("augrc", tu, "AUGRC", mean_over_orders(risk_coverage("AUGRC")), **some, why=trapezoids),
        Comparison(
            "aurc",
            lm,
            "RiskCoverageCurveAUC",
            lambda s: RISK(s.right),
            where=lambda s: not s.mixed,
            on="all right or all wrong",
            why="quality is rescaled to 0–1 there, and becomes one half where all answers are alike",
        ),
        Comparison(
            "prr",
            lm,
            "PredictionRejectionArea, get_random_scores",
            mean_over_orders(sampled_prr),
            where=lambda s: s.kind == "distinct" and s.mixed and len(s) < 40,
            on="8 to 39 rows",
            why="the chance level is a mean of 1,000 shuffles there, its expectation, the accuracy, here",
        ),
        Comparison(
            "risk_at_coverage",
            tu,
            "RiskAt80Cov",
            mean_over_orders(risk_coverage("RiskAt80Cov")),
            where=lambda s: s.kind == "distinct" and len(s) % 5 != 0,
            on="n no multiple of 5",
            why="the cut is rounded up to a whole row there; here the row on the cut counts in proportion",
        ),
        Comparison(
            "ece",
            tm,
            "binary_calibration_error(norm='l1')",
            calibration_error("l1"),
            where=lambda s: s.kind == "tied" and s.confidence.max() == 1,
            on="confidences of 1",
            why="a confidence of 1 has a bin of its own there, and is in the last one here",
        ),
        Comparison(
            "ece",
            lm,
            "ECE",
            lm_ece,
            where=lambda s: not inside_bins(s),
            on="confidences on the edges of bins",
            why="bins hold their upper edge there, their lower one here",
        ),
        Comparison(
            "ece_mass",
            tu,
            "adaptive calibration error, norm l1",
            equal_mass,
            where=lambda s: s.kind == "distinct" and len(s) > s.bins and len(s) % s.bins != 0,
            on="n no multiple of the bins",
            why="bins of whole rows there, the first ones larger; rows on a cut are shared here",
        ),
    ]


def page(same: list[Comparison], other: list[Comparison], drawn: int, each: int, seconds: float) -> str:
    """The page in Markdown."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    most = max(item.largest for item in same)
    return "\n".join(
        [
            "# The metrics beside other libraries",
            "",
            "Every metric that another library has too, computed by both on the same random answers.",
            "",
            f"```bash\npython benchmarks/metrics.py --each {each}\n```",
            "",
            f"{time.strftime('%Y-%m-%d')}; {drawn:,} samples of seven kinds (distinct confidences; 500 to "
            "2,000 rows; 1 to 7 rows; 1 to 7 rows with ties; ties; all right; all wrong); "
            f"{versions}; numpy {np.__version__}; {seconds:.0f} s. The largest difference is {most:.1e}.",
            "",
            "| metric | library | called there | samples | compared | undefined here | largest gap |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *(
                f"| `{item.metric}` | {item.package} | {item.call} | {item.on} | {item.compared:,} | "
                f"{item.undefined:,} | {item.largest:.1e} |"
                for item in same
            ),
            "",
            "What is undefined is null here; scikit-learn gives 0 or NaN with a warning. A library that "
            "orders tied rows by chance is averaged over every order of them. Confidences are 64-bit.",
            "",
            "## Where definitions differ",
            "",
            "The libraries as they stand, on samples that were left out above.",
            "",
            "| metric | library | called there | samples | compared | largest gap | why |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *(
                f"| `{item.metric}` | {item.package} | {item.call} | {item.on} | {item.compared:,} | "
                f"{item.largest:.2g} | {item.why} |"
                for item in other
            ),
            "",
            "The other metrics are counts of verdicts, refusals and the verdicts before. The test suite "
            "holds each against its paper's formula, written out over single questions, on random tables.",
            "",
        ]
    )


def main() -> None:
    """Compare, print, and write the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=500, help="samples of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    warnings.filterwarnings("ignore")  # scikit-learn warns of what is undefined; it is counted instead
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    started = time.monotonic()
    same, other = comparisons(), differing()
    drawn = 0
    for sample in samples(given.each, given.seed):
        drawn += 1
        for item in (*same, *other):
            item.add(sample)
    for item in (*same, *other):
        print(f"{item.metric:24} {item.package:18} {item.compared:6} {item.largest:.2e}  {item.call}")
    text = page(same, other, drawn, given.each, time.monotonic() - started)
    if given.page:
        given.page.write_text(text, encoding="utf-8")
    off = [item for item in same if item.largest > TOLERANCE or not item.compared]
    if off:
        sys.exit(f"more than {TOLERANCE:g} apart: {', '.join(item.metric for item in off)}")


if __name__ == "__main__":
    main()
