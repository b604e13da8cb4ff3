"""R-Tuning-U: R-Tuning without labels of what is known; answer entropy decides.

k answers are sampled for each training question (10, at temperature 0.7); the half with the higher entropy
of answers is uncertain data. Rows and inference are R-Tuning's, the gold answer included.

Source: R-Tuning (arXiv 2311.09677), section 4. The released code kept one sample only, by mistake.
"""

from __future__ import annotations

import dataclasses

from demur.methods.r_tuning import RTuning


class RTuningU(RTuning):
    """R-Tuning with unsupervised labels."""

    info = dataclasses.replace(
        RTuning.info,
        name="r-tuning-u",
        summary="answers, then says whether it is sure; learned from how much sampled answers differ",
        needs=("samples",),
        cost="k sampled answers per training question; at inference one answer and one scored word",
        estimator="entropy(0.5)",
    )
