"""Independent calibration questions out of groups that share their errors: one question of each group.

The binomial test behind a promise needs independent trials. Questions about one entity or document are not:
their errors come together, and a test that counts each of them breaks its promise too often. The groups,
however, are independent of each other. One question is therefore drawn from each of them, uniformly and
without a look at any answer. What is left are independent draws of one distribution: a random question of a
random group. `demur.confidence.threshold` is exact for them, whatever the sizes of the groups and however
their errors are shared. The price is the number of trials: groups instead of questions.

The promise is therefore about a random question of a new group, in which every group counts the same. Where
large groups have more errors than small ones, a random question of all questions has more.

Several draws are not averaged: the mean of p-values of dependent samples is no p-value.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

STREAM = 1
"""Of the seed: the division into pilot and tested rows draws from another one."""


def one_of_each(keys: Sequence[str | None], *, seed: int) -> npt.NDArray[np.intp]:
    """One question of each group, drawn uniformly.

    Args:
        keys: the group of each question, shape [n]; None for a question by itself, which is always taken.
        seed: of the draw.

    Returns:
        Places of the questions that are taken, rising; all n where no two questions share a group.
    """
    members: dict[str, list[int]] = {}
    taken = []
    for place, key in enumerate(keys):
        if key is None:
            taken.append(place)
        else:
            members.setdefault(key, []).append(place)
    generator = np.random.default_rng([seed, STREAM])
    taken += [group[generator.integers(len(group))] for group in members.values()]
    return np.array(sorted(taken), np.intp)
