"""Every claim, in the order of the page."""

from __future__ import annotations

from demur.claims import demur, honesty, left_open, r_tuning, us_tuning
from demur.claims.base import Claim
from demur.claims.places import PLACES, Place

GROUPS: dict[str, tuple[Claim, ...]] = {
    "R-Tuning": r_tuning.CLAIMS,
    "Alignment for Honesty": honesty.CLAIMS,
    "US-Tuning": us_tuning.CLAIMS,
    "Left open by the papers": left_open.CLAIMS,
    "Demur": demur.CLAIMS,
}
"""By paper."""

CLAIMS: dict[str, Claim] = {claim.name: claim for claims in GROUPS.values() for claim in claims}
"""By name."""


def places_of(claim: Claim) -> list[Place]:
    """Where a claim is put to the test."""
    return [p for p in PLACES.values() if p.lab in claim.labs and p.contextual == claim.contextual]


def claims_of(place: Place) -> list[Claim]:
    """What is put to the test at a place."""
    return [claim for claim in CLAIMS.values() if place in places_of(claim)]
