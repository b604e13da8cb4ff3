"""Hidden states and token entropies that come with a greedy response equal those of transformers itself."""

import engine_models
import numpy as np
import pytest
import torch
from test_engine_families import PROMPTS, engine_of, tokens_of

from demur.core.errors import ConfigError
from demur.engines import Sampling
from demur.engines.states import Recorder, blocks

family = pytest.mark.parametrize("name", list(engine_models.FAMILIES))
LIMIT = 6


@torch.no_grad()
def read(name, text):
    """The output of every block at every token, from one pass over a text: [tokens, layers, hidden]."""
    model, seen = engine_models.tiny_model(name), []

    def keep(_, __, output):
        seen.append(output[0] if isinstance(output, tuple) else output)

    hooks = [block.register_forward_hook(keep) for block in blocks(model)]
    logits = model(input_ids=torch.tensor([tokens_of(text)])).logits[0]
    for hook in hooks:
        hook.remove()
    return torch.cat(seen).transpose(0, 1).numpy(), logits.log_softmax(-1)


def generate(name, prompts=PROMPTS, **options):
    engine = engine_of(name)
    sampling = Sampling(max_new_tokens=LIMIT, **{"stop": (), "layers": (1, 2), "top": True, **options})
    return engine.generate(prompts, keys=prompts, sampling=sampling)


@family
def test_states_are_those_of_one_pass_over_the_text(name):
    for prompt, found in zip(PROMPTS, generate(name), strict=True):
        expected, _ = read(name, f"{prompt} {found.greedy.text}")
        at = len(tokens_of(prompt)) - 1
        assert found.states.prompt.dtype == np.float32
        np.testing.assert_allclose(found.states.prompt, expected[at], atol=2e-4)
        # cut at the limit: its last token was never read
        np.testing.assert_allclose(found.states.answer, expected[at + LIMIT - 1], atol=2e-4)


def test_the_answer_ends_before_its_stop_string():
    free = generate("llama", stop=())
    for prompt, long in zip(PROMPTS, free, strict=True):
        words = long.greedy.text.split()
        stop = next((word for place, word in enumerate(words) if place and word not in words[:place]), None)
        if stop is None:
            continue
        [found] = generate("llama", [prompt], stop=(f" {stop}",))
        said = found.greedy.text.split()
        expected, _ = read("llama", " ".join([prompt, *said]))
        np.testing.assert_allclose(found.states.answer, expected[-1], atol=2e-4)
        assert len(found.greedy.token_entropies) == len(found.greedy.token_logprobs) == len(said)


def test_the_state_of_an_empty_answer_is_that_of_its_prompt():
    [first] = generate("llama", PROMPTS[:1])
    [found] = generate("llama", PROMPTS[:1], stop=(first.greedy.text.split()[0],))
    assert not found.greedy.text.strip()
    np.testing.assert_array_equal(found.states.answer, found.states.prompt)


@family
def test_entropies_and_margins_are_those_of_the_distribution(name):
    for prompt, found in zip(PROMPTS, generate(name, layers=()), strict=True):
        _, logprobs = read(name, f"{prompt} {found.greedy.text}")
        start = len(tokens_of(prompt)) - 1
        rows = logprobs[start : start + LIMIT]
        likeliest = rows.exp().sort(descending=True).values
        assert found.greedy.token_entropies == pytest.approx(
            (-(rows.exp() * rows).sum(-1)).tolist(), abs=1e-4
        )
        assert found.greedy.token_margins == pytest.approx(
            (likeliest[:, 0] - likeliest[:, 1]).tolist(), abs=1e-4
        )
        assert found.states is None


def test_samples_change_neither_states_nor_entropies():
    alone, beside = generate("llama"), generate("llama", samples=5, temperature=1.5)
    for one, other in zip(alone, beside, strict=True):
        assert len(other.samples) == 5
        np.testing.assert_allclose(one.states.answer, other.states.answer, atol=2e-4)
        assert one.greedy.token_entropies == pytest.approx(other.greedy.token_entropies, abs=1e-4)
        for sample in other.samples:
            assert len(sample.token_margins) == len(sample.token_entropies) == LIMIT


def test_states_of_some_layers():
    every, last = generate("llama"), generate("llama", layers=(2,))
    for one, other in zip(every, last, strict=True):
        assert other.states.prompt.shape == (1, 32)
        np.testing.assert_allclose(one.states.answer[1:], other.states.answer, atol=2e-4)


def test_nothing_is_kept_that_nobody_asked_for():
    [found] = generate("llama", PROMPTS[:1], layers=(), top=False)
    assert found.states is None
    assert found.greedy.token_entropies == found.greedy.token_margins == ()
    model = engine_models.tiny_model("llama")
    assert not any(block._forward_hooks for block in blocks(model))


@pytest.mark.parametrize("layers", [(0,), (3,), (2, 1), (1, 1), (-1,)])
def test_layers_that_there_are_not(layers):
    with pytest.raises(ConfigError, match="rising numbers from 1 to 2"):
        generate("llama", layers=layers)


def test_no_states_of_a_model_without_a_list_of_blocks():
    model = engine_models.tiny_model("llama")
    blocks_held = torch.nn.Module()
    blocks_held.config = model.config
    assert Recorder(blocks_held).layers == 0


@family
def test_a_gate_keeps_prompts_from_being_answered_and_changes_no_other(name):
    asked = {}

    def second_and_last(key, states):
        asked[key] = states
        return key in (PROMPTS[1], PROMPTS[-1])

    free, gated = generate(name), generate(name, gate=second_and_last)
    assert asked.keys() == set(PROMPTS)
    for prompt, one, other in zip(PROMPTS, free, gated, strict=True):
        np.testing.assert_allclose(asked[prompt], one.states.prompt, atol=2e-4)
        np.testing.assert_allclose(other.states.prompt, one.states.prompt, atol=2e-4)
        if prompt in (PROMPTS[1], PROMPTS[-1]):
            assert other.greedy.text == one.greedy.text
            assert other.greedy.token_logprobs == pytest.approx(one.greedy.token_logprobs, abs=1e-4)
            np.testing.assert_allclose(other.states.answer, one.states.answer, atol=2e-4)
        else:
            assert other.greedy is None
            np.testing.assert_array_equal(other.states.answer, other.states.prompt)


def test_a_gate_may_turn_all_away_samples_too():
    found = generate("llama", gate=lambda *_: False, samples=3)
    assert all(item.greedy is None and item.samples == () and item.states is not None for item in found)


def test_without_states_a_gate_is_not_asked():
    found = generate("llama", layers=(), gate=lambda *_: False)
    assert all(item.greedy is not None for item in found)
