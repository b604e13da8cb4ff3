"""The files of a run that a model card speaks of, and what of them belongs to the system's weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demur.core.layout import GUARANTEE, TAX
from demur.runfolder.provenance import Refused
from demur.share.subject import Subject


def refused_findings(subject: Subject) -> list[str]:
    """Why findings of the run are not shared with a system, each in a sentence."""
    return [refused.sentence(subject.run.path) for refused in _refused(subject).values()]


def _refused(subject: Subject) -> dict[str, Refused]:
    """The findings that are not used, by file: the tax, and a guarantee of this system."""
    return {
        file: found
        for file, found in subject.run.refused.items()
        if file == TAX or (file == GUARANTEE and found.concerns(subject.system))
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The JSON files of a run that a card speaks of."""

    metrics: dict[str, Any]
    manifest: dict[str, Any]
    settings: dict[str, Any]
    guarantee: dict[str, Any] | None
    """Of this system; None where it has none."""
    tax: dict[str, Any] | None
    """Of these weights; None where it was not measured."""
    promise: bool
    """Whether the run's guarantee holds for the weights of the card."""
    notices: Mapping[str, str]
    """Why a file of findings is not used, by its name."""

    @classmethod
    def of(cls, subject: Subject, *, promise: bool) -> Material:
        """Gather them from a run.

        Args:
            promise: whether the run's guarantee holds for the weights of the card.
        """
        run = subject.run
        guarantee, tax = run.guarantee, run.tax
        own = guarantee if guarantee and guarantee["system"] == subject.system else None
        return cls(
            metrics=run.metrics,
            manifest=run.manifest,
            settings=subject.card,
            guarantee=own if promise else None,
            tax=tax if tax and tax["weights"] == subject.owner else None,
            promise=promise or own is None,
            notices={file: found.sentence() for file, found in _refused(subject).items()},
        )
