"""The engine's results on random models of many families equal those of transformers itself."""

import engine_models
import pytest
import torch

from demur.engines import Sampling, decoding
from demur.engines.decoding import CausalModel
from demur.engines.generating import Features
from demur.engines.hf import HFEngine

PROMPTS = [
    "w3 w14 w15 w9 w2 w6 w5 w3 w5 w8 w9 w7",  # twice as long as the sliding window of 6
    "w31",
    "w4 w1 w5",
    "w2 w7 w1 w8 w2 w8 w1",
    "w1 w2 w3",
]
LIMIT = 12

family = pytest.mark.parametrize("name", list(engine_models.FAMILIES))


def engine_of(name, **options):
    return HFEngine(engine_models.tiny_model(name), engine_models.word_tokenizer(), **options)


def tokens_of(text):
    return [int(word[1:]) for word in text.split()]


@torch.no_grad()
def one_by_one(model, prompt):
    """Greedy tokens from transformers' own ``generate``, one prompt at a time."""
    ids = torch.tensor([tokens_of(prompt)])
    out = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=LIMIT, do_sample=False, pad_token_id=0
    )
    return out[0, ids.shape[1] :].tolist()


@torch.no_grad()
def teacher_forced(model, prompt, continuation):
    """Log-probability of each token of a continuation, from one pass over the whole text."""
    ids = tokens_of(prompt) + tokens_of(continuation)
    logprobs = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    start = len(tokens_of(prompt))
    return [logprobs[place - 1, ids[place]].item() for place in range(start, len(ids))]


@family
def test_greedy_equals_generate(name):
    model = engine_models.tiny_model(name)
    sampling = Sampling(max_new_tokens=LIMIT, stop=())
    found = engine_of(name).generate(PROMPTS, keys=PROMPTS, sampling=sampling)
    for prompt, generated in zip(PROMPTS, found, strict=True):
        assert tokens_of(generated.greedy.text) == one_by_one(model, prompt)
        assert generated.greedy.finish == "length"
        expected = teacher_forced(model, prompt, generated.greedy.text)
        assert generated.greedy.token_logprobs == pytest.approx(expected, abs=1e-4)


BEGINNING = "w9 w2 w6 w5"
UNEVEN = [*PROMPTS, *(f"{BEGINNING} {prompt}" for prompt in PROMPTS)]
ALIKE = [f"{BEGINNING} {prompt} w7" for prompt in PROMPTS if len(prompt) < 30]


@family
@pytest.mark.parametrize("prompts", [UNEVEN, ALIKE], ids=["uneven", "alike"])
def test_rows_of_different_length_are_read_apart_to_the_same_results(name, prompts, monkeypatch):
    monkeypatch.setattr(decoding, "WORTHWHILE", 1)  # whatever is saved
    model, engine = engine_models.tiny_model(name), engine_of(name)
    parts = []
    inner = CausalModel._read_part
    monkeypatch.setattr(
        CausalModel,
        "_read_part",
        lambda self, rows, after, **room: (
            parts.append([len(row) for row in rows]) or inner(self, rows, after, **room)
        ),
    )
    sampling = Sampling(max_new_tokens=LIMIT, stop=(), samples=2)
    found = engine.generate(prompts, keys=prompts, sampling=sampling)
    for prompt, generated in zip(prompts, found, strict=True):
        assert tokens_of(generated.greedy.text) == one_by_one(model, prompt)
        for response in (generated.greedy, *generated.samples):
            expected = teacher_forced(model, prompt, response.text)
            assert response.token_logprobs == pytest.approx(expected, abs=1e-4)
    if engine._source.padded:
        assert all(len({*lengths}) == 1 for lengths in parts), "no padding is computed"
        assert sum(map(len, parts)) == len(prompts)


@pytest.mark.parametrize("order", [[2, 0, 3, 1], [3, 2, 1, 0]])
@torch.no_grad()
def test_rows_read_apart_keep_their_order(order, monkeypatch):
    source = CausalModel(engine_models.tiny_model("llama"))
    rows = [[1, 2, 3, 4], [5, 6, 7], [8, 9], [3]]
    alone = torch.cat([source.read([row]).logits for row in rows])
    monkeypatch.setattr(decoding, "WORTHWHILE", 1)
    state = source.read([rows[i] for i in order])
    assert torch.allclose(state.logits, alone[order], atol=1e-5)
    after = state.feed(torch.full((4, 1), 11))
    each = torch.cat([source.read([[*rows[i], 11]]).logits for i in order])
    assert torch.allclose(after[:, -1], each, atol=1e-5), "the keys and values have the same order"


def test_what_a_call_of_the_model_costs_decides():
    source = CausalModel(engine_models.tiny_model("llama"))
    worth = decoding.WORTHWHILE // source._parameter_count
    rows = [[1] * 4, [2] * 4, [3] * 4]
    assert source._parts([0, 1, 2], [4, 4, 4]) == [[0, 1, 2]], "nothing to save"
    assert source._parts([0, 1, 2], [worth, 3, 3]) == [[0], [1, 2]]
    assert source._parts([0, 1, 2], [worth // 2, 3, 3]) == [[0, 1, 2]], "2 × (worth / 2 - 3) is less"
    assert source._worth_sharing([[1, 2, 3, *row] for row in rows]) == 0, "6 tokens of a tiny model"


SHARED = " ".join(f"w{number * 7 % 32}" for number in range(40))
FEW_SHOT = [
    *(f"{SHARED} w4 w9 w1", SHARED, f"{SHARED} w5 w6 w7 w8 w9 w10 w11", f"{SHARED} w4 w9 w30"),
    *PROMPTS,  # of no family
]


@family
def test_prompts_that_begin_alike_are_read_once_to_the_same_results(name, monkeypatch):
    model, engine = engine_models.tiny_model(name), engine_of(name)
    read_once = []
    inner = CausalModel._read_after
    monkeypatch.setattr(
        CausalModel,
        "_read_after",
        lambda self, shared, rows, **room: read_once.append(shared) or inner(self, shared, rows, **room),
    )
    sampling = Sampling(max_new_tokens=LIMIT, stop=(), samples=2)
    found = engine.generate(FEW_SHOT, keys=FEW_SHOT, sampling=sampling)
    for prompt, generated in zip(FEW_SHOT, found, strict=True):
        assert tokens_of(generated.greedy.text) == one_by_one(model, prompt)
        for response in (generated.greedy, *generated.samples):
            expected = teacher_forced(model, prompt, response.text)
            assert response.token_logprobs == pytest.approx(expected, abs=1e-4)
    options = [" w1 w2", " w3"]
    for prompt, scores in zip(FEW_SHOT, engine.score(FEW_SHOT, [options] * len(FEW_SHOT)), strict=True):
        expected = [sum(teacher_forced(model, prompt, option)) for option in options]
        assert scores == pytest.approx(expected, abs=1e-4)
    # The shortest of the family is all beginning: of it, the last token is read with the others' own.
    assert read_once == ([len(tokens_of(SHARED)) - 1] * 2 if engine._source.padded else [])


@family
def test_samples_have_their_log_probabilities(name):
    """Samples split and leave the batch; what they then read must still be their own past."""
    model = engine_models.tiny_model(name)
    sampling = Sampling(max_new_tokens=LIMIT, stop=(" w1", "w22 "), samples=4, temperature=0.8)
    found = engine_of(name).generate(PROMPTS, keys=PROMPTS, sampling=sampling)
    for prompt, generated in zip(PROMPTS, found, strict=True):
        for response in (generated.greedy, *generated.samples):
            if response.text:
                expected = teacher_forced(model, prompt, response.text)
                # a stop string may begin inside of the last token, which then counts whole
                assert response.token_logprobs[: len(expected)] == pytest.approx(
                    expected[: len(response.token_logprobs)], abs=1e-4
                )


@family
def test_score_equals_teacher_forcing(name):
    model = engine_models.tiny_model(name)
    continuations = [[" w7", " w7 w8 w9", " w2 w1"], [" w30"], [" w1 w2", " w3"], [], [" w9", " w8"]]
    found = engine_of(name).score(PROMPTS, continuations)
    for prompt, options, scores in zip(PROMPTS, continuations, found, strict=True):
        expected = [sum(teacher_forced(model, prompt, option)) for option in options]
        assert scores == pytest.approx(expected, abs=1e-4)


@family
def test_ask_equals_generate_and_score(name):
    engine = engine_of(name)
    sampling = Sampling(max_new_tokens=LIMIT, stop=(" w1", "w22 ", " w3"))
    options = [" w20", " w21 w22", " w20 w5"]

    def follow_up(_, text):
        return f"{text} w40 w41 w42" if len(text) % 2 else f" w50{text} w40"  # keeps or leaves the cache

    asked = engine.ask(PROMPTS, sampling=sampling, follow_up=follow_up, options=options)
    generated = engine.generate(PROMPTS, keys=PROMPTS, sampling=sampling)
    leads = [p + follow_up(0, g.greedy.text) for p, g in zip(PROMPTS, generated, strict=True)]
    for answer, one, scores in zip(asked, generated, engine.score(leads, [options] * 5), strict=True):
        assert answer.response.text == one.greedy.text
        assert answer.option_logprobs == pytest.approx(scores, abs=1e-4)


def test_ask_about_what_was_read_already():
    """The cache holds the whole lead; its last token is read again, to know what follows it."""
    engine, sampling = engine_of("llama"), Sampling(max_new_tokens=LIMIT, stop=())

    def follow_up(_, text):
        return text[: len(" w10 w10 w10")].rpartition(" w")[0]

    (asked,) = engine.ask(PROMPTS[:1], sampling=sampling, follow_up=follow_up, options=[" w20"])
    lead = follow_up(0, asked.response.text)
    assert lead
    ((expected,),) = engine.score([PROMPTS[0] + lead], [[" w20"]])
    assert asked.option_logprobs == pytest.approx((expected,), abs=1e-4)


def test_ask_without_leaving_rows():
    """A finished row that is computed on is kept as it was when it ended."""
    sampling = Sampling(max_new_tokens=LIMIT, stop=(" w1", "4"))
    options = [" w20", " w21"]
    ask = {"sampling": sampling, "follow_up": lambda _, text: f"{text} w40", "options": options}
    fast = engine_of("llama").ask(PROMPTS, **ask)
    slow = engine_of("llama", features=Features(leave=False)).ask(PROMPTS, **ask)
    for left, right in zip(fast, slow, strict=True):
        assert left.response.text == right.response.text
        assert left.option_logprobs == pytest.approx(right.option_logprobs, abs=1e-4)


@family
def test_batch_size_and_order_change_nothing(name):
    sampling = Sampling(max_new_tokens=8, stop=(" w1",), samples=3, temperature=0.9, seed=5)
    all_at_once = engine_of(name).generate(PROMPTS, keys=PROMPTS, sampling=sampling)
    backwards = PROMPTS[::-1]
    singly = engine_of(name, batch_size=2).generate(backwards, keys=backwards, sampling=sampling)
    for first, second in zip(all_at_once, reversed(singly), strict=True):
        pairs = zip((first.greedy, *first.samples), (second.greedy, *second.samples), strict=True)
        for left, right in pairs:
            assert left.text == right.text
            assert left.token_logprobs == pytest.approx(right.token_logprobs, abs=1e-4)


@pytest.mark.parametrize("features", [Features(merge=False), Features(leave=False)])
@pytest.mark.parametrize("name", ["llama", "mamba"])
def test_features_change_nothing(name, features):
    sampling = Sampling(max_new_tokens=8, stop=(" w1", "4"), samples=5, temperature=0.5)
    fast = engine_of(name).generate(PROMPTS, keys=PROMPTS, sampling=sampling)
    slow = engine_of(name, features=features).generate(PROMPTS, keys=PROMPTS, sampling=sampling)
    assert [[r.text for r in g.samples] for g in fast] == [[r.text for r in g.samples] for g in slow]
    assert [g.greedy.text for g in fast] == [g.greedy.text for g in slow]


def test_windows_matter_here():
    """The sliding-window tests would pass for a window that is ignored, if it changed nothing."""
    model = engine_models.tiny_model("mistral")
    ids = torch.tensor([tokens_of(PROMPTS[0])])
    with torch.no_grad():
        seen = model(input_ids=ids).logits[0, -1]
        changed = model(input_ids=torch.cat([torch.tensor([[59]]), ids[:, 1:]], dim=1)).logits[0, -1]
    # two layers of window 6 reach 11 tokens back; the first of 12 is out of reach
    assert torch.allclose(seen, changed, atol=1e-6)
