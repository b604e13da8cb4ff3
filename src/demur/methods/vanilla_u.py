"""Vanilla-U: the vanilla model's answers, trusted where its sampled answers have little entropy.

R-Tuning's table of unsupervised results (arXiv 2311.09677, section 4) names a Vanilla-U whose definition
could not be read. This is a reading, not the paper's: as `vanilla-c`, with the uncertainty that R-Tuning-U
learns from, answer entropy, used directly. The confidence is 1 - H / ln k.
"""

from __future__ import annotations

import dataclasses

from demur.methods.vanilla_c import VanillaC


class VanillaU(VanillaC):
    """The vanilla model, asked k times, by entropy."""

    info = dataclasses.replace(
        VanillaC.info,
        name="vanilla-u",
        summary="the majority answer of the vanilla model, as confident as its answers' entropy is low",
        primary_signal="consistency",
        deviations=("the paper's definition could not be read; this one is a reading of its name",),
    )
