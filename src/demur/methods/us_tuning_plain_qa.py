"""US-Tuning's first stage, then plain question answering, which destroys what it taught.

Source: ablation in US-Tuning (arXiv 2406.10099), section 4.
"""

from __future__ import annotations

import dataclasses

from demur.methods.us_tuning import USTuning


class USTuningPlainQA(USTuning):
    """Stage 1, then answers alone."""

    info = dataclasses.replace(
        USTuning.info,
        name="us-tuning-plain-qa",
        summary="recognises insufficient contexts, then plain question answering",
        loss="the judgement; then the answer",
        cost="no probe; at inference one answer",
        stages=("stage1", "qa"),
    )
