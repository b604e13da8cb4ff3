"""The truth about what a model knows, where the exact probability of the accepted answer can be computed.

A question is *known* when the base model, at the probe's prompt, gives its accepted answers a probability
of one half or more together. Greedy correctness is a verdict on one text and holds lucky guesses; this does
not depend on decoding, sampling, or a judge. The probe computes it where ``probe.score_answers`` is set.
"""

from __future__ import annotations

from demur.core.records import Probe

KNOWN_FROM = 0.5
"""Least probability of the accepted answers of a known question."""


def known(probe: Probe) -> bool | None:
    """Whether the question is known; None where its answers were not scored."""
    probability = probe.answer_probability
    return None if probability is None else probability >= KNOWN_FROM
