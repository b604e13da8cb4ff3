"""Sampling: the right distribution, and the same draws whatever else is in the batch."""

import engine_models
import numpy as np
import pytest
import scipy.stats
import torch

from demur.core.errors import ConfigError
from demur.engines import Sampling
from demur.engines.hf import HFEngine
from demur.engines.sampling import draw, uniforms


def test_uniforms_do_not_depend_on_how_many_are_drawn():
    few = uniforms("q1", seed=3, samples=2, steps=5)
    many = uniforms("q1", seed=3, samples=7, steps=50)
    assert np.array_equal(few, many[:2, :5])
    assert not np.array_equal(few, uniforms("q2", seed=3, samples=2, steps=5))
    assert not np.array_equal(few, uniforms("q1", seed=4, samples=2, steps=5))


def test_uniforms_are_uniform():
    numbers = uniforms("q", seed=0, samples=100, steps=200)
    assert 0 <= numbers.min() < 0.001
    assert 0.999 < numbers.max() < 1
    assert scipy.stats.kstest(numbers.ravel(), "uniform").pvalue > 0.01
    # neighbours in a row and in a column are unrelated: |r| is about 1/sqrt(20,000) = 0.007
    assert abs(np.corrcoef(numbers[:, :-1].ravel(), numbers[:, 1:].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(numbers[:-1].ravel(), numbers[1:].ravel())[0, 1]) < 0.03


def test_draw_inverts_the_distribution():
    # probabilities 0.5, 0, 0.25, 0.25; cumulative 0.5, 0.5, 0.75, 1
    logits = torch.tensor([[2.0, 0.0, 1.0, 1.0]]).exp2().log()
    logits[0, 1] = -torch.inf
    numbers = torch.tensor([[0.0, 0.49, 0.5, 0.74, 0.76, 1.0]], dtype=torch.float64)
    assert draw(logits, numbers, temperature=1.0, top_p=1.0).tolist() == [[0, 0, 2, 2, 3, 3]]


def test_no_draw_has_probability_zero():
    """Rounding at the very end of the distribution must not reach tokens behind it."""
    logits = torch.tensor([[0.0, 0.0, -torch.inf]])
    numbers = torch.tensor([[1 - 2**-53, 1.0]], dtype=torch.float64)
    assert draw(logits, numbers, temperature=1.0, top_p=1.0).tolist() == [[1, 1]]


def test_temperature_and_nucleus():
    # probabilities 0.5, 0.3, 0.2; the smallest set with 0.6 is the first two: 0.625, 0.375
    logits = torch.tensor([[0.5, 0.3, 0.2]]).log()
    numbers = torch.tensor([[0.62, 0.63, 0.99]], dtype=torch.float64)
    assert draw(logits, numbers, temperature=1.0, top_p=0.6).tolist() == [[0, 1, 1]]
    # at temperature 0.5 they are squared: 0.25, 0.09, 0.04 of 0.38, so cumulative 0.658, 0.895, 1
    numbers = torch.tensor([[0.65, 0.66, 0.89, 0.9]], dtype=torch.float64)
    assert draw(logits, numbers, temperature=0.5, top_p=1.0).tolist() == [[0, 1, 1, 2]]


@pytest.mark.parametrize("top_p", [1.0, 0.7])
def test_samples_follow_the_model(top_p):
    """First and second token of 3,000 samples against the model's own softmax, by chi-square."""
    model, tokenizer = engine_models.tiny_model("llama"), engine_models.word_tokenizer()
    engine = HFEngine(model, tokenizer)
    keys = [f"k{index}" for index in range(300)]
    sampling = Sampling(max_new_tokens=2, stop=(), greedy=False, samples=10, temperature=1.3, top_p=top_p)
    found = engine.generate(["w5 w9"] * 300, keys=keys, sampling=sampling)
    pairs = [[int(word[1:]) for word in s.text.split()] for g in found for s in g.samples]
    first = np.bincount([pair[0] for pair in pairs], minlength=60)
    assert engine_models.p_value(first, engine_models.distribution(model, [5, 9], 1.3, top_p)) > 0.01
    common = int(first.argmax())
    second = np.bincount([b for a, b in pairs if a == common], minlength=60)
    expected = engine_models.distribution(model, [5, 9, common], 1.3, top_p)
    assert engine_models.p_value(second, expected) > 0.01
    assert all(g.greedy is None for g in found)


def test_samples_differ_by_sample_key_and_seed_only():
    engine = HFEngine(engine_models.tiny_model("llama"), engine_models.word_tokenizer())
    ask = {"max_new_tokens": 6, "stop": (), "samples": 6, "temperature": 1.5}
    one, two, again = engine.generate(["w5 w9"] * 3, keys=["a", "b", "a"], sampling=Sampling(**ask))
    texts = [sample.text for sample in one.samples]
    assert len(set(texts)) == 6
    assert texts != [sample.text for sample in two.samples]
    assert texts == [sample.text for sample in again.samples]
    (other,) = engine.generate(["w5 w9"], keys=["a"], sampling=Sampling(**ask, seed=1))
    assert texts != [sample.text for sample in other.samples]
    (fewer,) = engine.generate(["w5 w9"], keys=["a"], sampling=Sampling(**{**ask, "samples": 2}))
    assert texts[:2] == [sample.text for sample in fewer.samples]
    assert one.greedy.text not in texts


@pytest.mark.parametrize(
    "setting",
    [
        {"max_new_tokens": 0},
        {"samples": -1},
        {"temperature": 0.0, "samples": 1},
        {"top_p": 0.0},
        {"top_p": 1.1},
    ],
)
def test_senseless_sampling_is_refused(setting):
    engine = HFEngine(engine_models.tiny_model("llama"), engine_models.word_tokenizer())
    with pytest.raises(ConfigError, match=next(iter(setting))):
        engine.generate(["w1"], keys=["a"], sampling=Sampling(**setting))
