"""The papers' claims as checks: each an effect over seeds, with an interval and a verdict."""

from demur.claims.base import Claim, Finding, judge_claims
from demur.claims.catalogue import CLAIMS

__all__ = ["CLAIMS", "Claim", "Finding", "judge_claims"]
