"""Carrying out the claims: the runs of every seed, then every claim, then the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from demur.claims import us_tuning
from demur.claims.base import Claim, Finding, judge_claims
from demur.claims.catalogue import CLAIMS
from demur.claims.catalogue_runs import QUICK, RUNS
from demur.claims.lab import Lab, NotMadeError, config_of
from demur.pipeline.study import Job, Outcome, run_jobs

QUICK_LIMIT = 120
"""Questions of each part in a quick check: enough to see that everything works, not to decide."""


def claim_jobs(out: Path, seeds: Sequence[int], *, quick: bool) -> list[Job]:
    """The runs, the longest first, so that cores are not left waiting at the end."""
    names = [name for name in RUNS if name in QUICK or not quick]
    return [
        Job(
            f"seed-{seed}/{name}",
            _shortened(config_of(name, seed, out)) if quick else config_of(name, seed, out),
        )
        for name in names
        for seed in seeds
    ]


def _shortened(config: Any) -> Any:
    data = config.data
    entries = tuple(
        {**entry, "limit": min(entry.get("limit", QUICK_LIMIT), QUICK_LIMIT)} for entry in data.mixture
    )
    changed = data.model_copy(update={"mixture": entries} if entries else {"limit": QUICK_LIMIT})
    return config.model_copy(update={"data": changed})


def make_runs(
    out: Path, seeds: Sequence[int], *, quick: bool, jobs: int | None, note: Callable[[str], None]
) -> list[Outcome]:
    """Carry out every run that is not done."""
    return run_jobs(claim_jobs(out, seeds, quick=quick), at_once=jobs, note=note)


def check_claims(out: Path, seeds: Sequence[int], *, quick: bool) -> dict[str, Finding]:
    """Every claim's finding, by name; what needs a run that was not made is not measured."""
    labs = [Lab(out, seed) for seed in seeds]
    claims = [claim for claim in CLAIMS.values() if claim.quick or not quick]
    return judge_claims(claims, {claim.name: [_effect(claim, lab) for lab in labs] for claim in claims})


def _effect(claim: Claim, lab: Lab) -> float | None:
    try:
        return claim.effect(lab)
    except NotMadeError:
        return None


def tables(out: Path, seeds: Sequence[int]) -> dict[str, list[str]]:
    """What stands below a group of claims on the page."""
    return {us_tuning.PAPER: us_tuning.table([Lab(out, seed) for seed in seeds])}


def as_json(findings: Mapping[str, Finding]) -> dict[str, Any]:
    """The findings as JSON values."""
    import dataclasses

    return {
        "schema_version": 1,
        "claims": [
            {
                "name": name,
                "text": CLAIMS[name].text,
                "source": CLAIMS[name].source,
                "unit": CLAIMS[name].unit,
                "kind": CLAIMS[name].kind,
                "margin": CLAIMS[name].margin,
                **dataclasses.asdict(finding),
            }
            for name, finding in findings.items()
        ],
    }
