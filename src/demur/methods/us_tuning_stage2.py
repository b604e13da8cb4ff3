"""US-Tuning's second stage alone: obedience without recognition.

Source: ablation in US-Tuning (arXiv 2406.10099), section 4.
"""

from __future__ import annotations

import dataclasses

from demur.methods.us_tuning import USTuning


class USTuningStage2(USTuning):
    """Stage 2 only."""

    info = dataclasses.replace(
        USTuning.info,
        name="us-tuning-stage2",
        summary="learns to obey instructions, without having learned to recognise insufficient contexts",
        loss="the answer and its review",
        cost="no probe; at inference an answer with its review",
        stages=("stage2",),
    )
