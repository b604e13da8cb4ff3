"""US-Tuning's first stage alone: it recognises insufficient contexts and unlearns answering.

Source: ablation in US-Tuning (arXiv 2406.10099), section 4.
"""

from __future__ import annotations

import dataclasses

from demur.methods.us_tuning import USTuning


class USTuningStage1(USTuning):
    """Stage 1 only."""

    info = dataclasses.replace(
        USTuning.info,
        name="us-tuning-stage1",
        summary="recognises insufficient contexts, and nothing more",
        loss="the judgement",
        cost="no probe; at inference one answer",
        stages=("stage1",),
    )
