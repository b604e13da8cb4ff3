"""Self-consistency: the untuned model's majority answer among its samples, as confident as they agree.

Needs no training, no label and no log-probabilities, so it works with any model behind any server. It is
R-Tuning's Vanilla-C on the model before tuning.

Source: Wang et al., "Self-Consistency Improves Chain of Thought Reasoning", ICLR 2023 (arXiv 2203.11171),
for the majority; the share of samples that agree as a confidence: R-Tuning (arXiv 2311.09677), section 4.
"""

from __future__ import annotations

import dataclasses

from demur.methods.vanilla_c import VanillaC


class SelfConsistency(VanillaC):
    """The base model, asked k times."""

    info = dataclasses.replace(
        VanillaC.info,
        name="self-consistency",
        summary="the majority of k sampled answers of the model before tuning, as confident as they agree",
        paper="Self-Consistency (ICLR 2023, arXiv 2203.11171)",
        needs=("samples",),
        loss="none",
        weights="base",
        deviations=("answers are short: no chain of thought is sampled",),
    )
