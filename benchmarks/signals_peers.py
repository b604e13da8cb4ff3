"""Every confidence signal that uqlm or LM-Polygraph has too, computed by their own code on the same rows.

    make proof-signals

The libraries stand in an environment of their own (`benchmarks/signals-requirements.txt`). Rows are drawn
by seed: a greedy answer and 2 to 10 samples with token log-probabilities, some of them empty, spelt in
different ways, or all alike. Where a library asks an entailment model, Demur's equality of answers stands
in its place, or a graded similarity made from the texts: what is compared is the arithmetic.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.metadata
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from demur.core.records import Question, Response
from demur.judging.extraction import answer_name
from demur.signals import SIGNALS, Said
from demur.signals.clusters import same_answer
from demur.signals.similarity import matrix

TOLERANCE = 1e-9
UQLM, POLYGRAPH = "uqlm", "lm-polygraph"
NAMES = (
    *("Paris", "Lyon", "Nice", "Brest", "York", "Rio", "Bonn", "Kiel", "Tokyo", "Kyoto", "Lima", "1998"),
    *("42", "New York", "New Orleans", "San Marino", "Port Louis"),
)
"""Answers; no two of their words have one stem."""


def bare(module: str) -> ModuleType:
    """A module of an installed package without the packages' own ``__init__``, which load models."""
    parents = module.split(".")[:-1]
    root = Path(str(importlib.metadata.distribution(parents[0]).locate_file("")))
    for depth in range(1, len(parents) + 1):
        package = ModuleType(".".join(parents[:depth]))
        package.__path__ = [str(root.joinpath(*parents[:depth]))]
        sys.modules.setdefault(package.__name__, package)
    return importlib.import_module(module)


def types_only(module: str, *names: str) -> None:
    """A module of which only the names of types are used, without what it loads."""
    empty = ModuleType(module)
    for name in names:
        setattr(empty, name, object)
    sys.modules[module] = empty


types_only("lm_polygraph.utils.model", "Model", "WhiteboxModel")
for helper in ("lm_polygraph.utils.common", "uqlm.utils.device", "uqlm.utils.warn"):
    bare(helper)
ESTIMATORS = {
    name: bare(f"lm_polygraph.estimators.{name}")
    for name in (
        *("perplexity", "max_probability", "token_entropy", "lexical_similarity", "semantic_entropy"),
        *("num_sem_sets", "eig_val_laplacian", "deg_mat", "eccentricity", "cocoa"),
    )
}
CLASSES = bare("lm_polygraph.stat_calculators.semantic_classes")
SINGLE = bare("uqlm.white_box.single_logprobs")
TOP = bare("uqlm.white_box.top_logprobs")
MATCH = bare("uqlm.black_box.match")
ENTROPY = bare("uqlm.scorers.shortform.entropy")


@dataclass(frozen=True, eq=False)
class Row:
    """One answered question."""

    said: Said
    top: tuple[tuple[float, ...], ...]
    """The log-probabilities of the likeliest tokens at each token of the greedy answer."""

    @property
    def texts(self) -> list[str]:
        """Of the samples."""
        return [sample.text for sample in self.said.samples]


def rows(count: int, seed: int) -> Iterator[Row]:
    """Rows of answers, spelt in several ways, of models that are more or less sure."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        known = rng.choice(NAMES, size=int(rng.integers(1, 7)), replace=False)
        weights = rng.dirichlet(np.full(len(known), 0.7))
        greedy, *samples = (
            response(spelt(str(rng.choice(known, p=weights)), rng), rng)
            for _ in range(int(rng.integers(3, 12)))
        )
        top = tuple(
            tuple(sorted(draw)) for draw in np.log(rng.dirichlet(np.ones(5), len(greedy.token_logprobs)))
        )
        greedy = replace(
            greedy,
            token_entropies=tuple(rng.exponential(1.0, len(greedy.token_logprobs))),
            token_margins=tuple(math.exp(draw[-1]) - math.exp(draw[-2]) for draw in top),
        )
        question = Question(id=str(number), text=f"Question {number}?")
        yield Row(Said(question=question, greedy=greedy, samples=tuple(samples)), top)


def spelt(name: str, rng: np.random.Generator) -> str:
    """A name as models write it; now and then nothing at all."""
    forms = (
        name,
        f" {name}",
        f"{name}.",
        name.lower(),
        name.upper(),
        f"{name}\n",
        "" if rng.random() < 0.2 else name,
    )
    return forms[int(rng.integers(len(forms)))]


def response(text: str, rng: np.random.Generator) -> Response:
    """A text with 1 to 6 tokens."""
    tokens = tuple(
        float(value)
        for value in -rng.exponential(float(rng.exponential(0.8)) + 0.01, int(rng.integers(1, 7)))
    )
    return Response(text=text, token_logprobs=tokens)


# ---------------------------------------------------------------------------------------------
# Their side
# ---------------------------------------------------------------------------------------------


def polygraph(module: str, name: str, stats: dict[str, Any], **options: Any) -> float:
    """The uncertainty of one row by an estimator of LM-Polygraph."""
    return float(getattr(ESTIMATORS[module], name)(**options)(stats)[0])


def tokens(logprobs: Sequence[float]) -> list[dict[str, float]]:
    """Log-probabilities as uqlm reads them."""
    return [{"logprob": value} for value in logprobs]


def uqlm_single(row: Row, scorer: str) -> float:
    """A score of uqlm by the greedy answer's tokens."""
    scored = SINGLE.SingleLogprobsScorer().evaluate([tokens(row.said.greedy.token_logprobs)])
    return float(scored[scorer][0])


def uqlm_margin(row: Row) -> float:
    """The mean margin by uqlm."""
    told = [{"top_logprobs": [{"logprob": value} for value in draw]} for draw in row.top]
    return float(
        TOP.TopLogprobsScorer(["probability_margin"], top_k_logprobs=5).evaluate([told])[
            "probability_margin"
        ][0]
    )


class Equality:
    """Demur's equality in the place of uqlm's entailment model."""

    def get_nli_results_batch(self, pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """Entailment both ways where two answers are the same."""
        found = [same_answer(first, second) for first, second in pairs]
        return [
            {"entailment": same, "entailment_score": float(same), "noncontradiction_score": float(same)}
            for same in found
        ]


@cache
def uqlm_semantic(row: Row) -> dict[str, list[float]]:
    """What uqlm's SemanticEntropy says of one row.

    uqlm counts the greedy answer among the texts; here the first sample stands in its place, so that its
    texts are the samples.
    """
    first, *rest = [tokens(sample.token_logprobs) for sample in row.said.samples]
    scorer = ENTROPY.SemanticEntropy(nli=Equality(), use_best=False, device="cpu")
    found = scorer.score(
        responses=row.texts[:1],
        sampled_responses=[row.texts[1:]],
        logprobs_results=[first],
        sampled_logprobs_results=[rest],
        show_progress_bars=False,
    )
    return dict(found.data)


def of_uqlm(name: str, sign: int = 1) -> Callable[[Row], float]:
    """One of these numbers."""
    return lambda row: sign * float(uqlm_semantic(row)[name][0])


def equal(row: Row) -> np.ndarray:
    """Entailment of every two samples as 0 or 1, shape [1, k, k]."""
    return matrix(row.texts)[None]


def graded(first: str, second: str) -> float:
    """A number in [0, 1] made from two texts, another one for the other order; 1 for a text and itself."""
    if first == second:
        return 1.0
    return int.from_bytes(hashlib.sha256(f"{first}\0{second}".encode()).digest()[:4]) / 2**32


def graded_matrix(row: Row) -> np.ndarray:
    """The same for every two samples, not symmetric, shape [1, k, k]."""
    return np.array([[[graded(first, second) for second in row.texts] for first in row.texts]])


def classes(row: Row) -> Any:
    """LM-Polygraph's classes of the samples."""
    found = equal(row)
    told = {"semantic_matrix_classes": found, "entailment_id": 1.0, "sample_texts": [row.texts]}
    return CLASSES.SemanticClassesCalculator()(told, [], None)["semantic_classes_entail"]


def polygraph_entropy(row: Row) -> float:
    """LM-Polygraph's discrete semantic entropy on our scale."""
    stats = {"sample_texts": [row.texts], "semantic_classes_entail": classes(row)}
    found = polygraph(
        "semantic_entropy", "SemanticEntropy", stats, class_probability_estimation="frequency"
    )
    return 1 - found / math.log(len(row.texts))


def graph(
    module: str, name: str, make: Callable[[Row], np.ndarray], *, most: float = 0.0
) -> Callable[[Row], float]:
    """The most less what an estimator of LM-Polygraph says of the samples' graph."""
    return lambda row: (
        most - polygraph(module, name, {"sample_texts": [row.texts], "semantic_matrix_entail": make(row)})
    )


def cocoa(similar: Callable[[str, str], float]) -> Callable[[Row], float]:
    """LM-Polygraph's CoCoA with perplexity."""
    return lambda row: (
        -polygraph(
            "cocoa",
            "CocoaPPL",
            {
                "greedy_sentence_similarity": [
                    np.array([similar(row.said.greedy.text, text) for text in row.texts])
                ],
                "greedy_log_likelihoods": [row.said.greedy.token_logprobs],
            },
        )
    )


def equality(first: str, second: str) -> float:
    """1 where two answers are the same, else 0."""
    return float(same_answer(first, second))


def uqlm_match(row: Row) -> float:
    """Exact match, by uqlm, of answers as Demur compares them; one that is missing is equal to none."""
    texts = [row.said.greedy.text, *row.texts]
    greedy, *samples = (answer_name(text) or f"nothing {place}" for place, text in enumerate(texts))
    return float(MATCH.MatchScorer._compute_score(greedy, samples))


# ---------------------------------------------------------------------------------------------
# Side by side
# ---------------------------------------------------------------------------------------------


@dataclass
class Comparison:
    """One signal beside one library."""

    signal: str
    package: str
    call: str
    """What is called there, and how it is made comparable."""
    theirs: Callable[[Row], float]
    similarity: Callable[[str, str], float] | None = None
    """Instead of the default."""
    where: Callable[[Row], bool] = lambda _: True
    on: str = "all"
    compared: int = 0
    largest: float = 0.0

    def add(self, row: Row) -> None:
        """Compare one row."""
        if not self.where(row):
            return
        kind: Any = SIGNALS.get(self.signal)
        ours = (kind() if self.similarity is None else kind(similarity=self.similarity))(row.said)
        gap = abs(ours - self.theirs(row))
        self.compared += 1
        self.largest = math.inf if math.isnan(gap) else max(self.largest, gap)


def comparisons() -> list[Comparison]:
    """Every signal that a library has too."""
    of_greedy = lambda row: {"greedy_log_likelihoods": [row.said.greedy.token_logprobs]}  # noqa: E731
    one_token = {
        "where": lambda row: len(row.top) == 1,
        "on": "answers of one token, where mean and smallest agree",
    }
    both_matrices = lambda row: {  # noqa: E731
        "sample_texts": [row.texts],
        "semantic_matrix_entail": equal(row),
        "semantic_matrix_contra": 1 - equal(row),
    }
    graphs = [
        (
            "eigenvalues",
            "-EigValLaplacian",
            lambda make: graph("eig_val_laplacian", "EigValLaplacian", make),
        ),
        ("degree", "1 - DegMat", lambda make: graph("deg_mat", "DegMat", make, most=1.0)),
        ("eccentricity", "-Eccentricity", lambda make: graph("eccentricity", "Eccentricity", make)),
    ]
    return [
        Comparison(
            "likelihood", UQLM, "sequence_probability", lambda row: uqlm_single(row, "sequence_probability")
        ),
        Comparison(
            "likelihood",
            POLYGRAPH,
            "exp(-Perplexity)",
            lambda row: math.exp(-polygraph("perplexity", "Perplexity", of_greedy(row))),
        ),
        Comparison(
            "sum",
            POLYGRAPH,
            "-MaximumSequenceProbability",
            lambda row: -polygraph("max_probability", "MaximumSequenceProbability", of_greedy(row)),
        ),
        Comparison(
            "min", UQLM, "log of min_probability", lambda row: math.log(uqlm_single(row, "min_probability"))
        ),
        Comparison("margin", UQLM, "probability_margin", uqlm_margin, **one_token),
        Comparison(
            "entropy",
            POLYGRAPH,
            "-MeanTokenEntropy",
            lambda row: (
                -polygraph(
                    "token_entropy", "MeanTokenEntropy", {"entropy": [row.said.greedy.token_entropies]}
                )
            ),
        ),
        Comparison(
            "agreement",
            UQLM,
            "MatchScorer on normalised answers",
            uqlm_match,
        ),
        Comparison(
            "lexical",
            POLYGRAPH,
            "-LexicalSimilarity(rougeL)",
            lambda row: (
                -polygraph("lexical_similarity", "LexicalSimilarity", {"sample_texts": [row.texts]})
            ),
        ),
        Comparison(
            "semantic-entropy",
            UQLM,
            "discrete_confidence_scores, of the samples alone",
            of_uqlm("discrete_confidence_scores"),
        ),
        Comparison(
            "semantic-entropy", POLYGRAPH, "1 - SemanticEntropy(frequency) / ln k", polygraph_entropy
        ),
        Comparison(
            "semantic-entropy-weighted",
            UQLM,
            "tokenprob_confidence_scores, of the samples alone",
            of_uqlm("tokenprob_confidence_scores"),
        ),
        Comparison(
            "num-sets",
            UQLM,
            "-num_semantic_sets, of the samples alone",
            of_uqlm("num_semantic_sets", -1),
        ),
        Comparison(
            "num-sets",
            POLYGRAPH,
            "-NumSemSets",
            lambda row: -polygraph("num_sem_sets", "NumSemSets", both_matrices(row)),
        ),
        *(
            Comparison(signal, POLYGRAPH, f"{call}, similarity {told}", theirs(make), similarity=similar)
            for signal, call, theirs in graphs
            for told, make, similar in (("0 or 1", equal, None), ("graded", graded_matrix, graded))
        ),
        Comparison("cocoa", POLYGRAPH, "-CocoaPPL, similarity 0 or 1", cocoa(equality)),
        Comparison("cocoa", POLYGRAPH, "-CocoaPPL, similarity graded", cocoa(graded), similarity=graded),
    ]


DIFFER = """## Where definitions differ

- uqlm counts the greedy answer among the samples of semantic entropy and of the semantic sets; Demur and
  LM-Polygraph do not. Given the same texts (the first sample as uqlm's greedy answer), the values
  are equal.
- uqlm's `probability_margin` is the mean over the answer's tokens, Demur's `margin` the smallest.
- LM-Polygraph's `SemanticEntropy` with sequence probabilities sums them without dividing by the answer's
  length or by their total, and averages over samples. `semantic-entropy-weighted` is Farquhar's and
  uqlm's form, which normalises both.
- LM-Polygraph stems words before it compares them ("cities" is "city"). No two of the words of these rows
  have one stem.
- `exact_match` of uqlm compares exact texts; here both texts are normalised by Demur first.
- LM-Polygraph's eigenvalues keep their rounding errors, which break ties between equal answers. Demur
  rounds `eigenvalues` and `eccentricity` to 12 decimals.
- `p-true` is not compared: it needs a model. uqlm reads the first token alone; Demur scores both words as
  wholes.

Entailment models are not part of this comparison. Demur's equality of answers stands in their place, and,
for the signals that take a similarity, a graded one made by hashing the two texts.
"""


def page(found: Sequence[Comparison], count: int, seed: int, seconds: float) -> str:
    """The results as a page."""
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in (UQLM, POLYGRAPH, "numpy", "scipy")
    )
    worst = max(item.largest for item in found)
    lines = [
        "# The signals beside other libraries",
        "",
        "Every confidence signal that uqlm or LM-Polygraph has too, computed by their own code on the same "
        "rows.",
        "",
        "```bash",
        f"python benchmarks/signals_peers.py --rows {count} --seed {seed}",
        "```",
        "",
        f"{datetime.now(UTC).date()}; {count} rows, made by seed, with 2 to 10 samples each; {versions}; "
        f"{seconds:.0f} s. "
        f"The largest difference is {worst:.1e}.",
        "",
        "| signal | library | called there | rows | compared | largest gap |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| `{item.signal}` | {item.package} | {item.call} | {item.on} | {item.compared} "
            f"| {item.largest:.1e} |"
            for item in found
        ),
        "",
        DIFFER,
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    began, found = time.perf_counter(), comparisons()
    for row in rows(given.rows, given.seed):
        for comparison in found:
            comparison.add(row)
    text = page(found, given.rows, given.seed, time.perf_counter() - began)
    if given.page:
        given.page.write_text(text, encoding="utf-8")
    print(text)
    missing = {name for name, _ in SIGNALS.items()} - {item.signal for item in found} - {"p-true"}
    failed = [item for item in found if not item.largest <= TOLERANCE or not item.compared]
    for item in failed:
        print(
            f"differs: {item.signal} beside {item.package}: {item.largest:.3g} on {item.compared} rows",
            file=sys.stderr,
        )
    for name in sorted(missing):
        print(f"not compared: {name}", file=sys.stderr)
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
