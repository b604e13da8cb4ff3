"""Numbers in words, and which way a difference fell."""

from __future__ import annotations

import pytest

from demur.report import words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "undefined"),
        (0.0, "0%"),
        (1.0, "100%"),
        (0.574, "57%"),
        (0.996, "99.6%"),  # not 100%: some were wrong
        (0.004, "0.4%"),  # not 0%
        (0.9999, "over 99.9%"),
        (0.0001, "under 0.1%"),
    ],
)
def test_a_percentage_never_claims_all_or_nothing_by_rounding(value, expected):
    assert words.percent(value) == expected


def test_an_interval_stands_beside_its_value_and_only_where_known():
    assert words.percent_range({"value": 0.88, "low": 0.85, "high": 0.914}) == "88% [85–91]"
    assert words.percent_range({"value": 0.88, "low": None, "high": None}) == "88%"
    assert words.percent_range({"value": None, "low": None, "high": None}) == "undefined"


@pytest.mark.parametrize(
    ("low", "high", "lower_is_better", "expected"),
    [
        (0.01, 0.05, False, "better by 3.0 points [1.0, 5.0]"),
        (-0.05, -0.01, False, "worse by 3.0 points [1.0, 5.0]"),
        (-0.05, -0.01, True, "better by 3.0 points [1.0, 5.0]"),
        (0.01, 0.05, True, "worse by 3.0 points [1.0, 5.0]"),
    ],
)
def test_a_difference_is_said_in_words_with_its_interval(low, high, lower_is_better, expected):
    value = (low + high) / 2
    difference = {"value": value, "low": low, "high": high}
    assert words.compare(difference, lower_is_better=lower_is_better) == expected


def test_an_interval_that_touches_zero_is_no_difference():
    difference = {"value": 0.02, "low": 0.0, "high": 0.04}
    assert words.tone(difference) == "even"
    assert words.compare(difference) == (
        "no difference that this run could detect (+2.0 points [+0.0, +4.0])"
    )


def test_what_is_undefined_or_has_no_interval_is_never_called_better():
    assert words.compare({"value": None, "low": None, "high": None}) == "no comparison possible (undefined)"
    assert words.compare({"value": 0.3, "low": None, "high": None}) == "+30.0 points, without an interval"
    assert words.tone({"value": 0.3, "low": None, "high": None}) == "undefined"


def test_splits_are_ordered_and_named_for_people():
    splits = ["pocket/nonexistent", "calibration", "ood/mixed", "id/mixed", "ood", "id"]
    assert words.ordered(splits) == [
        "id", "id/mixed", "ood", "ood/mixed", "pocket/nonexistent", "calibration",
    ]  # fmt: skip
    assert words.split_title("id/mixed") == "In domain, mixed"
    assert words.group_title("id/mixed") == "mixed"
    assert words.group_title("pocket/nonexistent") == "pocket/nonexistent"
    assert words.main_splits(splits) == ["id", "ood"]
    assert words.main_splits(["mine/dev", "calibration", "calibration/a"]) == ["mine/dev"]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "–"),
        (0.34, "0.3 s"),
        (48.2, "48 s"),
        (59.7, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3900, "1 h 05 min"),
    ],
)
def test_durations(seconds, expected):
    assert words.duration(seconds) == expected
