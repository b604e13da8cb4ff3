"""P(IK), "I know": what the hidden states after the question say, before anything is answered.

The probability that the model will answer correctly, in [0, 1], by a linear probe on the states after the
last token of the prompt. Source: Kadavath et al. (arXiv 2207.05221), section 5. Deviations: a linear probe
on a frozen model, with the mean over layers, in place of a tuned head; fitted to greedy answers.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from demur.engines.base import States
from demur.signals.base import SignalInfo
from demur.signals.probe import Probe


class PIK(Probe):
    """A linear probe on the states after the question."""

    info: ClassVar = SignalInfo(
        name="p-ik",
        summary="linear probe on the hidden states after the question, before an answer",
        source="Kadavath et al. (arXiv 2207.05221), section 5, with a linear probe",
        needs=("states", "labels"),
        cost="a product per layer; no answer is needed",
        bounds=(0.0, 1.0),
    )

    @staticmethod
    def read(states: States) -> npt.NDArray[np.float32]:
        """The states that it reads, shape ``[layers, hidden size]``."""
        return states.prompt
