"""From effects over seeds to a verdict, and the catalogue's own order."""

import pytest

from demur.claims import CLAIMS, judge_claim
from demur.claims.base import Claim
from demur.claims.catalogue_runs import RUNS
from demur.claims.lab import config_of
from demur.claims.page import markdown


def claim(kind="more", margin=0.02):
    return Claim(name="c", text="t", source="s", effect=lambda _: None, unit="u", margin=margin, kind=kind)


def test_a_claim_holds_where_the_interval_is_above_zero():
    # mean .10, sd .01, half width t(4) .01 / sqrt(5) = 2.7764 x .004472 = .012416
    found = judge_claim(claim(), [0.09, 0.11, 0.09, 0.11, 0.10])
    assert found.verdict == "holds"
    assert found.mean == pytest.approx(0.10)
    assert found.low == pytest.approx(0.10 - 0.012416, abs=1e-5)
    # detectable: (t(4, .975) + t(4, .8)) x sd / sqrt(5) = (2.7764 + .9410) x .004472
    assert found.detectable == pytest.approx(0.016625, abs=1e-5)
    assert found.seeds_needed is None


def test_a_claim_does_not_hold_where_nothing_that_matters_is_left():
    assert judge_claim(claim(), [0.0, 0.001, -0.001, 0.0]).verdict == "does not hold"
    assert judge_claim(claim(), [-0.3, -0.31, -0.29]).verdict == "does not hold"


def test_an_undecided_claim_says_how_many_seeds_would_decide():
    found = judge_claim(claim(), [0.2, -0.1, 0.05])
    assert found.verdict == "undecided"
    # mean .05, sd .15: smallest n with t(n-1) .15 / sqrt(n) < .05 is 38 (37: t 2.028 -> .05001)
    assert found.seeds_needed == 38


def test_keeping_is_judged_against_the_loss_that_matters():
    assert judge_claim(claim("kept"), [-0.01, -0.011, -0.009]).verdict == "holds"
    assert judge_claim(claim("kept"), [-0.2, -0.21, -0.19]).verdict == "does not hold"
    assert judge_claim(claim("kept"), [0.1, -0.2, 0.05]).verdict == "undecided"


@pytest.mark.parametrize("effects", [[], [None, None]])
def test_what_could_not_be_measured_is_no_verdict(effects):
    found = judge_claim(claim(), effects)
    assert (found.verdict, found.mean) == ("not measured", None)


def test_one_seed_decides_nothing():
    assert judge_claim(claim(), [0.5, None]).verdict == "undecided"


def test_equal_effects_need_no_interval_to_be_equal():
    assert judge_claim(claim(), [0.0, 0.0, 0.0]).verdict == "does not hold"
    assert judge_claim(claim(), [0.5, 0.5]).verdict == "holds"


@pytest.mark.parametrize("run", RUNS)
def test_every_run_of_the_catalogue_is_a_configuration(run, tmp_path):
    config = config_of(run, 1, tmp_path)
    assert config.seed == 1
    assert config.method in config.systems


def test_the_page_has_a_row_for_every_claim_and_leads_with_what_demur_falls_short_of():
    findings = {name: judge_claim(item, [-0.1, -0.11, -0.12]) for name, item in CLAIMS.items()}
    page = markdown(findings, seeds=[0, 1, 2], command="demur claims", minutes=None)
    assert all(f"`{name}`" in page for name in CLAIMS)
    assert page.index("falls short") < page.index("## R-Tuning")


def test_a_claim_whose_runs_were_not_made_is_not_measured(tmp_path):
    from demur.claims.claims import check_claims

    findings = check_claims(tmp_path, [0, 1], quick=True)
    assert {finding.verdict for finding in findings.values()} == {"not measured"}
    assert {name for name, claim in CLAIMS.items() if not claim.quick}.isdisjoint(findings)
