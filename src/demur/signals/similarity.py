"""Sampled answers as a graph: how alike each two of them are.

W[i, j] in [0, 1] is the mean of both directions, 1 on the diagonal. By default two answers are alike (1)
or not (0) by `demur.signals.clusters.same_answer`; an entailment probability or any other function of two
texts can take its place. Source: Lin et al., "Generating with Confidence" (arXiv 2305.19187), section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from demur.signals.base import Said
from demur.signals.clusters import same_answer

Floats = npt.NDArray[np.float64]
Similarity = Callable[[str, str], float]
"""How alike two responses are, in [0, 1]; it need not be symmetric."""


def equality(first: str, second: str) -> float:
    """1 where two responses give the same answer, else 0."""
    return float(same_answer(first, second))


def weights(said: Said, similarity: Similarity = equality) -> Floats | None:
    """The similarity of each two samples, shape [k, k]; None for fewer than two."""
    texts = [sample.text for sample in said.samples]
    return matrix(texts, similarity) if len(texts) > 1 else None


def matrix(texts: Sequence[str], similarity: Similarity = equality) -> Floats:
    """W, symmetric, shape [k, k]."""
    found: Floats = np.eye(len(texts))
    for row in range(len(texts)):
        for column in range(row):
            both = similarity(texts[row], texts[column]) + similarity(texts[column], texts[row])
            found[row, column] = found[column, row] = both / 2
    return found


def tied(value: float) -> float:
    """A value without the noise of its eigenvalues, at 12 decimals, so that equal ones are ties."""
    return round(value, 12) + 0.0  # no -0.0


def laplacian(similar: Floats) -> Floats:
    """I - D^-1/2 W D^-1/2 with D the row sums of W; eigenvalues in [0, 2], shape [k, k]."""
    scale = 1.0 / np.sqrt(similar.sum(axis=1))
    found: Floats = np.eye(len(similar)) - scale[:, None] * similar * scale
    return found
