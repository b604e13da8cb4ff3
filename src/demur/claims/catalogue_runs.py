"""The runs behind the claims, as configurations; a seed redraws world, base model and tuning."""

from __future__ import annotations

from typing import Any

from demur.core.config import PAPER_THRESHOLD

TRAINING = {"learning_rate": 1.0e-3, "epochs": 2, "batch_size": 8}
"""Of every tuned method alike; chosen for R-Tuning on the calibration part of the plain world."""
GENTLE = {"learning_rate": 3.0e-4, "epochs": 1}
"""Of fine-tuning on gold answers, which costs a small model knowledge."""

TAUS = (0.5, 0.9)

_COMMON: dict[str, Any] = {
    "model": {"path": "pocket-2"},
    "probe": {"samples": 10},
    "training": TRAINING,
    "r_tuning": {"threshold": PAPER_THRESHOLD},
    "evaluation": {"resamples": 1},
}
"""The claims are of the papers' rules. Intervals are over seeds, so a run needs none of its own."""

_OVERRIDES: dict[str, Any] = {
    "vanilla": {"training": GENTLE},
    "fine-tuned": {"training": GENTLE},
    "vanilla-known": {"method": "vanilla", "training": TRAINING, "knowledge": {"train_on": "known"}},
    "vanilla-unknown": {"method": "vanilla", "training": TRAINING, "knowledge": {"train_on": "unknown"}},
    "multisample": {"training": {"epochs": 1}},
    **{
        f"absolute-{tau}": {"method": "absolute", "knowledge": {"estimator": f"expected-accuracy({tau})"}}
        for tau in TAUS
    },
}
OPEN: tuple[str, ...] = (
    *("vanilla", "vanilla-c", "vanilla-u", "honesty-prompt", "fine-tuned", "absolute", "confidence-num"),
    *("confidence-verb", "multisample", "r-tuning-r", "r-tuning-u", "r-tuning-min-loss", "demur"),
)

_CHOICES = {"name": "pocket-2-choice"}
"""No text with options was read, so choices are guessed: a task at which the model knows nothing."""


def _run(systems: tuple[str, ...], data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    used = {name: value for name, value in _OVERRIDES.items() if name in systems}
    return {
        **_COMMON,
        "method": systems[-1],
        "baselines": list(systems[:-1]),
        "data": data,
        "overrides": used,
        **changes,
    }


RUNS: dict[str, dict[str, Any]] = {
    "open": _run(
        (
            *OPEN,
            *(f"absolute-{tau}" for tau in TAUS),
            "vanilla-known",
            "vanilla-unknown",
            "r-tuning",
        ),
        {"mixture": [{"name": "pocket-2"}, {**_CHOICES, "use": "test", "limit": 400}]},
        evaluation={"resamples": 1, "training_questions": True},  # whether the boundary moves
    ),
    "contextual": _run(
        ("us-tuning-stage1", "us-tuning-plain-qa", "us-tuning-stage2", "us-tuning"),
        {"name": "pocket-reader"},
        model={"path": "pocket-reader"},
        probe={"samples": 0},
        stages={"stage1": {"epochs": 1}, "qa": {"epochs": 3}, "stage2": {"epochs": 10}},  # as published
    ),
    "mixed": _run(
        ("vanilla", "absolute", "r-tuning"),
        {"mixture": [{"name": "pocket-2"}, {**_CHOICES, "limit": 284}]},
    ),
    "small": _run(("vanilla", "r-tuning"), {"name": "pocket-2"}, model={"path": "pocket-2-small"}),
}
"""By name. ``open`` also asks every system choices, a task that it was never tuned on."""

QUICK = ("open", "contextual")
"""Runs that `--quick` makes, with fewer questions."""
