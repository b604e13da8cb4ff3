"""Outputs judged by a model instead of the rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from demur.core.config import EndpointSettings
from demur.core.records import Verdict
from demur.judging.llm_judge import rejudge
from demur.metrics.base import CODES, SILENT, verdict_codes
from demur.scoring.outputs import Outputs


def judged(
    outputs: Outputs,
    settings: EndpointSettings,
    *,
    resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Outputs:
    """The outputs with a model's verdicts, and what came of it in ``judge``.

    Args:
        outputs: as read with ``keep``.

    Raises:
        DemurError: the model cannot be asked at all.
    """
    names = {code: verdict for verdict, code in CODES.items()} | {SILENT: Verdict.UNSCORED}
    by_rule = [names[code] for code in outputs.verdict.tolist()]
    verdicts, report = rejudge(
        outputs.pairs, by_rule, settings, resamples=resamples, seed=seed, progress=progress
    )
    silent = outputs.verdict == SILENT  # nobody was asked about these
    codes = np.where(silent, SILENT, verdict_codes(verdicts)).astype(np.int8)
    return dataclasses.replace(outputs, verdict=codes, judge=report)
