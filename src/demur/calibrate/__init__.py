"""Guarantees for runs: a promised threshold, found on the calibration split, shown on the test splits."""

from demur.calibrate.calibrate import calibrate_run

__all__ = ["calibrate_run"]
