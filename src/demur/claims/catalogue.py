"""Every claim, in the order of the page."""

from __future__ import annotations

from demur.claims import honesty, left_open, r_tuning, us_tuning
from demur.claims.base import Claim

GROUPS: dict[str, tuple[Claim, ...]] = {
    "R-Tuning": r_tuning.CLAIMS,
    "Alignment for Honesty": honesty.CLAIMS,
    "US-Tuning": us_tuning.CLAIMS,
    "Left open by the papers": left_open.CLAIMS,
}
"""By paper."""

CLAIMS: dict[str, Claim] = {claim.name: claim for claims in GROUPS.values() for claim in claims}
"""By name."""
