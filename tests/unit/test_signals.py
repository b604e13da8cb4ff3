"""Every confidence signal on answers small enough to work out by hand."""

import io
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from demur.core.records import Question, Response
from demur.signals import NEEDS, SIGNALS, Said
from demur.signals.agreement import Agreement
from demur.signals.clusters import clusters, entropy
from demur.signals.cocoa import Cocoa
from demur.signals.degree import Degree
from demur.signals.eccentricity import Eccentricity
from demur.signals.eigenvalues import Eigenvalues
from demur.signals.free import computed, free_signals
from demur.signals.lexical import rouge_l
from demur.signals.num_sets import NumSets
from demur.signals.semantic_entropy import SemanticEntropy
from demur.signals.similarity import laplacian, matrix
from demur.signals.table import entries, markdown

QUESTION = Question(id="q", text="What is the capital of France?")
EXACT = {"rel": 0, "abs": 1e-9}
LN = math.log


def said(greedy="Paris", *samples, logprobs=(), sample_logprobs=None, entropies=(), margins=()):
    given = sample_logprobs or [()] * len(samples)
    return Said(
        question=QUESTION,
        greedy=Response(
            text=greedy, token_logprobs=logprobs, token_entropies=entropies, token_margins=margins
        ),
        samples=tuple(
            Response(text=text, token_logprobs=tuple(own)) for text, own in zip(samples, given, strict=True)
        ),
    )


def value(name, item):
    return SIGNALS.get(name)()(item)


SIX_THREE_ONE = said("Paris", *["Paris"] * 6, *["Lyon"] * 3, "Nice", logprobs=(-0.5, -1.5))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # exp((-.5 - 1.5) / 2) = exp(-1)
        ("likelihood", 0.36787944117144233),
        ("sum", -2.0),
        ("min", -1.5),
        ("agreement", 0.6),
        # H = -(.6 ln .6 + .3 ln .3 + .1 ln .1) = .8979457; 1 - H / ln 10
        ("semantic-entropy", 0.610027126646085),
        ("num-sets", -3.0),
        # Blocks of ones: one eigenvalue 0 for each block, all others 1
        ("eigenvalues", -3.0),
        # (36 + 9 + 1) / 100
        ("degree", 0.46),
        # √(3 - 1)
        ("eccentricity", -math.sqrt(2)),
        # Mean log-probability -1, four of ten differ
        ("cocoa", -0.4),
        # Pairs that are equal: 15 + 3 of 45; the words differ otherwise
        ("lexical", 0.4),
    ],
)
def test_a_golden_value(name, expected):
    assert value(name, SIX_THREE_ONE) == pytest.approx(expected, **EXACT)


def test_the_entropy_of_six_three_one_in_nats():
    assert entropy([6, 3, 1]) == pytest.approx(0.8979457248567797, **EXACT)


def test_entropy_and_margin_of_tokens():
    item = said(entropies=(0.2, 0.4, 1.2), margins=(0.9, 0.1, 0.5))
    assert value("entropy", item) == pytest.approx(-0.6, **EXACT)
    assert value("margin", item) == pytest.approx(0.1, **EXACT)


def test_weighted_semantic_entropy_by_hand():
    # exp of mean log-probabilities: .5, .25 for Paris, .25 for Lyon: masses .75 and .25 of 1
    item = said(
        "Paris", "Paris", "paris.", "Lyon", sample_logprobs=[[LN(0.5)] * 2, [LN(0.25)], [LN(0.25)] * 3]
    )
    h = -(0.75 * LN(0.75) + 0.25 * LN(0.25))
    assert value("semantic-entropy-weighted", item) == pytest.approx(1 - h / LN(3), **EXACT)


def test_samples_of_one_weight_give_the_discrete_entropy():
    item = said("a", "one", "one", "two", "three", sample_logprobs=[[-0.7]] * 4)
    weighted, discrete = (value(f"semantic-entropy{end}", item) for end in ("-weighted", ""))
    assert weighted == pytest.approx(discrete, **EXACT)


@pytest.mark.parametrize("k", [2, 3, 10])
def test_all_samples_equal(k):
    item = said("Paris", *["Paris"] * k, logprobs=(-1.0,), sample_logprobs=[[-1.0]] * k)
    found = computed(item)
    assert found == pytest.approx(
        {
            **{"likelihood": math.exp(-1), "sum": -1.0, "min": -1.0, "agreement": 1.0, "lexical": 1.0},
            **{"semantic-entropy": 1.0, "semantic-entropy-weighted": 1.0, "num-sets": -1.0},
            **{"eigenvalues": -1.0, "degree": 1.0, "eccentricity": 0.0, "cocoa": 0.0},
        },
        **EXACT,
    )


@pytest.mark.parametrize("k", [2, 3, 10])
def test_all_samples_differ(k):
    item = said("Paris", *[f"city{n}x" for n in range(k)], logprobs=(-1.0,), sample_logprobs=[[-1.0]] * k)
    found = computed(item)
    assert found == pytest.approx(
        {
            **{"likelihood": math.exp(-1), "sum": -1.0, "min": -1.0, "agreement": 0.0, "lexical": 0.0},
            **{"semantic-entropy": 0.0, "semantic-entropy-weighted": 0.0, "num-sets": -k},
            **{"eigenvalues": -k, "degree": 1 / k, "eccentricity": -math.sqrt(k - 1), "cocoa": -1.0},
        },
        **EXACT,
    )


def test_one_sample_says_how_far_it_agrees_and_nothing_of_a_spread():
    item = said("Paris", "Lyon", logprobs=(-1.0,), sample_logprobs=[[-1.0]])
    assert set(computed(item)) == {"likelihood", "sum", "min", "agreement", "cocoa"}
    assert computed(item)["agreement"] == 0.0


def test_nothing_stored_gives_nothing():
    assert computed(said()) == {}


def test_a_sample_without_log_probabilities_leaves_the_weighted_entropy_out():
    item = said("Paris", "Paris", "Lyon", sample_logprobs=[[-1.0], []])
    assert value("semantic-entropy-weighted", item) is None
    assert value("semantic-entropy", item) == 0.0


def test_answers_that_are_missing_equal_none_not_even_each_other():
    item = said("Paris", "", " ", "")
    assert value("num-sets", item) == -3.0
    assert value("semantic-entropy", item) == pytest.approx(0.0, **EXACT)
    assert value("lexical", item) == 0.0
    assert value("agreement", item) == 0.0


def test_no_greedy_answer_agrees_with_nothing():
    assert value("agreement", said("", "", "Paris")) == 0.0


def test_answers_of_signs_are_compared_as_they_are():
    assert value("num-sets", said("+", "+", "+", "-")) == -2.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_overflowed(bad):
    item = said(
        "Paris",
        "Paris",
        "Lyon",
        logprobs=(-1.0, bad),
        sample_logprobs=[[-1.0], [bad]],
        entropies=(0.5, bad),
        margins=(bad, 0.5),
    )
    for name in ("likelihood", "sum", "min", "entropy", "margin", "cocoa", "semantic-entropy-weighted"):
        assert math.isnan(value(name, item)), name
    for name in ("agreement", "lexical", "semantic-entropy", "num-sets", "eigenvalues", "degree"):
        assert math.isfinite(value(name, item)), name


def test_a_token_of_no_probability_is_a_number():
    item = said("Paris", "Lyon", logprobs=(-math.inf, -1.0))
    assert value("likelihood", item) == 0.0
    assert value("sum", item) == value("min", item) == value("cocoa", item) == -math.inf


def test_weights_that_are_all_nothing_are_not_spread_evenly():
    item = said("a", "one", "two", sample_logprobs=[[-math.inf], [-math.inf]])
    assert math.isnan(value("semantic-entropy-weighted", item))


def test_equality_is_that_of_the_judge():
    assert clusters(["Paris.", "the answer is **Paris**", "Lyon", "paris"]) == [[0, 1, 3], [2]]


def test_another_equality_can_take_its_place():
    def first_letter(first, second):
        return first[:1] == second[:1]

    item = said("Paris", "Prague", "Pisa", "Lyon")
    assert Agreement(same=first_letter)(item) == pytest.approx(2 / 3, **EXACT)
    assert NumSets(same=first_letter)(item) == -2.0
    h = -(2 / 3 * LN(2 / 3) + 1 / 3 * LN(1 / 3))
    assert SemanticEntropy(same=first_letter)(item) == pytest.approx(1 - h / LN(3), **EXACT)


def test_a_graded_similarity_can_take_its_place():
    # W = [[1, s], [s, 1]], L = I - W / (1 + s): eigenvalues 0 and 2s / (1 + s)
    def half(first, second):
        return 0.5 if first < second else 0.7  # both directions are averaged: s = .6

    item = said("a", "a", "b", logprobs=(-2.0,))
    assert Degree(similarity=half)(item) == pytest.approx(0.8, **EXACT)
    assert Eigenvalues(similarity=half)(item) == pytest.approx(-(1 + (1 - 1.2 / 1.6)), **EXACT)
    # Kept: eigenvalue 0, whose eigenvector is constant, and .75, (1, -1) / √2, which has norm 1
    assert Eccentricity(similarity=half)(item) == pytest.approx(-1.0, **EXACT)
    # greedy "a" is not below "a": .7, and below "b": .5: unlike by .3 and .5
    assert Cocoa(similarity=half)(item) == pytest.approx(-2.0 * 0.4, **EXACT)


def test_eigenvectors_from_the_threshold_on_are_left_out():
    # s = .9: the second eigenvalue is 1.8 / 1.9 = .947
    item = said("a", "a", "b")
    assert Eccentricity(similarity=lambda *_: 0.9)(item) == pytest.approx(0.0, **EXACT)


def test_eigenvalues_above_one_count_nothing():
    # Neighbours on a path of three are alike: W has rows of 2, 3 and 2. The eigenvalues of
    # D^-1/2 W D^-1/2 are 1, 1/2 and -1/6, so those of the Laplacian 0, 1/2 and 7/6.
    def neighbours(first, second):
        return float(abs(int(first) - int(second)) == 1)

    assert Eigenvalues(similarity=neighbours)(said("1", "1", "2", "3")) == pytest.approx(-1.5, **EXACT)


def test_a_similarity_that_is_no_number():
    item = said("a", "a", "b")
    for signal in (Degree, Eigenvalues, Eccentricity):
        assert math.isnan(signal(similarity=lambda *_: math.nan)(item))


def test_the_laplacian_of_two_pairs():
    found = laplacian(matrix(["a1x", "a1x", "b2y", "b2y"]))
    block = np.array([[0.5, -0.5], [-0.5, 0.5]])
    zeros = np.zeros((2, 2))
    np.testing.assert_allclose(found, np.block([[block, zeros], [zeros, block]]), atol=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("the cat sat", "the cat sat", 1.0),
        # common: police the gunman; 2 * 3 / (4 + 4)
        ("police killed the gunman", "police kill the gunman", 0.75),
        ("the gunman kill police", "police killed the gunman", 0.5),
        ("a", "", 0.0),
        ("", "", 0.0),
    ],
)
def test_rouge_l(first, second, expected):
    assert rouge_l(first.split(), second.split()) == pytest.approx(expected, **EXACT)


def test_lexical_reads_scripts_without_spaces_by_character():
    # 東京都 and 東京: 2 * 2 / (3 + 2)
    assert value("lexical", said("東京", "東京都", "東京")) == pytest.approx(0.8, **EXACT)


@pytest.mark.parametrize("name", SIGNALS.names())
def test_every_signal_says_what_it_is(name):
    info = SIGNALS.get(name).info
    assert info.name == name
    assert info.needs
    assert set(info.needs) <= NEEDS.keys()
    assert info.bounds[0] < info.bounds[1]
    assert all((info.summary, info.source, info.cost))


def test_every_free_signal_stays_within_its_bounds():
    draws = np.random.default_rng(7)
    for _ in range(200):
        k = int(draws.integers(0, 8))
        texts = draws.choice(["Paris", "Lyon", "Nice", "", "New York City", "York"], size=k + 1)
        item = said(
            *map(str, texts),
            logprobs=tuple(-draws.exponential(2, 3)),
            sample_logprobs=[-draws.exponential(2, 2) for _ in range(k)],
            entropies=tuple(draws.exponential(1, 3)),
            margins=tuple(draws.uniform(0, 1, 3)),
        )
        for name, found in computed(item).items():
            low, high = SIGNALS.get(name).info.bounds
            assert low - 1e-9 <= found <= high + 1e-9, name


def test_rounding_breaks_no_ties():
    # With a similarity of 0 or 1 the graph's signals depend on the number m of different answers alone.
    draws = np.random.default_rng(5)
    for _ in range(100):
        k = int(draws.integers(2, 12))
        item = said("x", *map(str, draws.choice(["one", "two", "three", "four", "five"], size=k)))
        m = -value("num-sets", item)
        assert value("eigenvalues", item) == -m
        assert value("eccentricity", item) == pytest.approx(-math.sqrt(m - 1), abs=1e-12)
        assert value("eccentricity", item) == round(-math.sqrt(m - 1), 12)


def test_free_signals_need_no_model():
    names = {name for name, _ in free_signals()}
    asked, fitted = (
        {"p-true", "sure", "verbal"},
        {"p-ik", "probe", "direction", "sep", "answer-rate", "learned"},
    )
    assert names == set(SIGNALS.names()) - asked - fitted


def test_a_signal_can_be_registered_and_a_wrong_one_cannot():
    from demur.core.errors import ConfigError

    with pytest.raises(ConfigError, match="SignalInfo"):
        SIGNALS.register("mine", object)


def test_the_command_lists_every_signal():
    done = subprocess.run(
        [sys.executable, "-m", "demur", "signals", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == entries()
    assert [row["name"] for row in entries()] == SIGNALS.names()
    assert all(f"| `{name}` |" in markdown() for name in SIGNALS.names())


def test_the_command_fits_eighty_columns():
    from rich.console import Console

    from demur.signals.table import table

    console = Console(width=80, record=True, file=io.StringIO())
    console.print(table())
    text = console.export_text()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) < 4 * len(SIGNALS.names())
