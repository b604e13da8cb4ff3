"""The engine for servers, against a real HTTP server with the pocket model behind it (`model_server`).

The server shares no code with the engines: the Hugging Face engine on the same model is the reference.
"""

import dataclasses
import math

import pytest
import torch

from chat_server import ChatServer, Said
from demur.core.config import Config, EndpointSettings, ServerSettings
from demur.core.errors import ConfigError, ModelError
from demur.core.records import Response
from demur.core.templates import TEMPLATES
from demur.datasets import load_questions
from demur.endpoints import Choice, Endpoint, Token
from demur.endpoints.abilities import Abilities, find_abilities
from demur.engines import ENGINES, Opening, Sampling
from demur.engines.hf import HFEngine
from demur.engines.openai import OpenAIEngine, seed_of
from demur.engines.openai_replies import response_of
from demur.methods import METHODS, Setup
from demur.pipeline.pipeline import Pipeline
from demur.sources import base_model
from model_server import EVERYTHING, MODEL, ModelAnswer

CHAT = "{{ messages[0]['content'] }}{% if add_generation_prompt %}\nAnswer:{% endif %}"
FULL = Abilities(
    chat=False, token_logprobs=True, samples=True, many=True, seed=True, stop=True, echo=True, uncounted=0
)


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def reference():
    return HFEngine.open(Opening(MODEL, device="cpu"))


@pytest.fixture(scope="module")
def questions():
    return list(load_questions(Config().data, seed=0).questions)[::120]


@pytest.fixture(scope="module")
def prompts(questions):
    return [TEMPLATES["r-tuning-code"].ask(question) for question in questions]


@pytest.fixture(scope="module")
def model():
    with ChatServer(ModelAnswer()) as server:
        yield server


def opened(server, *, format="plain", **settings):
    settings = {"base_url": server.url, "retries": 2} | settings
    return OpenAIEngine.open(Opening("pocket", format=format, endpoint=ServerSettings(**settings)))


def endpoint(server):
    return Endpoint(EndpointSettings(base_url=server.url, model="pocket", retries=2))


# -- the same as the model in this process -----------------------------------------------------


def assert_alike(first, second):
    """Equal responses, their log-probabilities up to rounding."""
    assert [(r.text, r.finish) for r in first] == [(r.text, r.finish) for r in second]
    for one, other in zip(first, second, strict=True):
        assert one.token_logprobs == pytest.approx(other.token_logprobs, abs=1e-4)


@pytest.mark.parametrize("stop", [(".", "\n"), ("\n",), (), (" a", "e", "é", "o", "u")])
def test_greedy_answers_are_those_of_the_model_itself(model, reference, prompts, stop):
    sampling, told = Sampling(stop=stop), []
    here = reference.generate(prompts, keys=prompts, sampling=sampling)
    there = opened(model).generate(prompts, keys=prompts, sampling=sampling, progress=told.append)
    assert_alike([g.greedy for g in there], [g.greedy for g in here])
    assert any(g.greedy.text for g in there)
    assert sum(told) == len(prompts)
    assert all(g.samples == () for g in there)


def test_continuations_score_as_in_the_model_itself(model, reference, prompts):
    options = [
        [" blue.", " a naïve café in 中文", "x", "", " the"][: 2 + i % 4] for i in range(len(prompts))
    ]
    here, there = (engine.score(prompts, options) for engine in (reference, opened(model)))
    for one, other in zip(there, here, strict=True):
        assert len(one) == len(other)
        assert one == pytest.approx(other, abs=1e-3)


def test_asking_and_scoring_is_that_of_the_model_itself(model, reference, prompts):
    found = [
        engine.ask(
            prompts, sampling=Sampling(), follow_up=lambda _, said: said + ". I am", options=(" sure.",)
        )
        for engine in (opened(model), reference)
    ]
    there, here = found
    assert_alike([item.response for item in there], [item.response for item in here])
    for one, other in zip(there, here, strict=True):
        assert one.option_logprobs == pytest.approx(other.option_logprobs, abs=1e-3)


def test_chats_are_used_where_the_server_answers_them(reference, prompts):
    with ChatServer(ModelAnswer(chat_template=CHAT)) as server:
        there = opened(server, format="auto")
        assert there.chat
        found = there.generate(prompts[:8], keys=prompts[:8], sampling=Sampling())
        assert {heard.path for heard in server.heard} == {"/v1/chat/completions"}
        with pytest.raises(ModelError, match="chat template"):
            there.render("x")
        assert not there.capabilities.scores_continuations
    reference.tokenizer.chat_template = CHAT
    try:
        here = HFEngine(reference.model, reference.tokenizer, format="chat")
        expected = here.generate(prompts[:8], keys=prompts[:8], sampling=Sampling())
    finally:
        reference.tokenizer.chat_template = None
    assert_alike([g.greedy for g in found], [g.greedy for g in expected])


# -- what a server can do ----------------------------------------------------------------------


@pytest.mark.parametrize("ignores", [False, True], ids=["refused", "ignored"])
@pytest.mark.parametrize(
    ("lacks", "expected"),
    [
        ((), {}),
        (("echo",), {"echo": False}),
        (("logprobs",), {"token_logprobs": False, "echo": False}),
        (("n",), {"many": False}),
        (("seed",), {"seed": False}),
        (("stop",), {"stop": False}),
        (("sampling",), {"many": False, "samples": False}),
        (
            EVERYTHING - {"sampling"},
            dict.fromkeys(("echo", "token_logprobs", "many", "seed", "stop"), False),
        ),
    ],
)
def test_what_a_server_can_do_is_found_out(lacks, expected, ignores):
    if ignores:  # a field that is taken and forgotten looks like one that works; nothing depends on these
        expected = {name: value for name, value in expected.items() if name not in ("seed", "stop")}
    with ChatServer(ModelAnswer(can=EVERYTHING - set(lacks), ignores=ignores)) as server:
        found = find_abilities(endpoint(server), format="auto")
    assert found == dataclasses.replace(FULL, **expected)


def test_what_the_user_leaves_out_counts_as_lacking(model, prompts):
    there = opened(model, extra={"seed": None, "n": None})
    assert there.abilities == dataclasses.replace(FULL, seed=False, many=False)
    before = len(model.heard)
    (found,) = there.generate(
        prompts[:1], keys=["a"], sampling=Sampling(samples=4, temperature=1.5, stop=())
    )
    assert len({sample.text for sample in found.samples}) > 1
    assert all({"seed", "n"}.isdisjoint(heard.body) for heard in model.heard[before:])


def test_a_well_behaved_server_is_asked_three_times(model):
    before = len(model.heard)
    find_abilities(endpoint(model), format="plain")
    assert len(model.heard) - before == 3


@pytest.mark.parametrize("shifted", [-1, 1])
def test_an_echo_with_other_numbers_than_those_generated_with_is_not_trusted(shifted):
    with ChatServer(ModelAnswer(shifted=shifted)) as server:
        found = find_abilities(endpoint(server), format="plain")
    assert found == dataclasses.replace(FULL, echo=False)


def test_a_server_that_draws_no_samples_is_not_asked_for_them(prompts):
    with ChatServer(ModelAnswer(can=EVERYTHING - {"sampling"})) as server:
        there = opened(server)
        assert not there.capabilities.samples
        with pytest.raises(ModelError, match="same at any temperature"):
            there.generate(prompts, keys=prompts, sampling=Sampling(samples=2))
        assert len(there.generate(prompts[:2], keys=prompts[:2], sampling=Sampling())) == 2


def test_what_needs_scores_says_so_and_signals_are_left_out(questions):
    """No echo: no `sure`. No log-probabilities: no likelihood either. The answers are there."""
    method = METHODS.get("honesty-prompt")()
    for lacks, signals in (({"echo"}, {"likelihood"}), ({"echo", "logprobs"}, set()), (set(), None)):
        with ChatServer(ModelAnswer(can=EVERYTHING - lacks)) as server:
            there = opened(server)
            config = Config(method="honesty-prompt", baselines=("pretrain-t",))
            setup = _setup(config, there)
            said = method.elicit(there, questions[:4], setup)
            assert all(item.response for item in said)
            for item in said:
                found = set(item.signals)
                assert "sure" in found if signals is None else found <= signals
            if lacks:
                with pytest.raises(ModelError, match="echo"):
                    there.score(["a"], [[" b"]])


def _setup(config, engine):
    return Setup(
        config=config,
        template=config.template.template(chat=engine.chat),
        render=engine.render,
        sampling=Sampling(),
        engine=engine,
    )


# -- samples -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lacks", [(), ("n",), ("seed",), ("n", "seed")])
def test_samples_belong_to_seed_and_question(lacks, prompts):
    with ChatServer(ModelAnswer(can=EVERYTHING - set(lacks))) as server:
        there, sampling = opened(server), Sampling(samples=6, stop=(), temperature=1.5)
        twice = [prompts[0]] * 2
        first = there.generate(twice, keys=["a", "b"], sampling=sampling)
        assert [len(g.samples) for g in first] == [6, 6]
        assert first[0].greedy == first[1].greedy
        assert first[0].samples != first[1].samples, "the prompts are alike, the questions are not"
        assert len({sample.text for sample in first[0].samples}) > 1
        count = len(server.heard)
        # Another order, another batch: the same, from what was kept
        again = there.generate(twice[:1], keys=["b"], sampling=sampling)
        assert again[0].samples == first[1].samples
        assert len(server.heard) == count
        other = there.generate(twice[:1], keys=["a"], sampling=dataclasses.replace(sampling, seed=1))
        assert other[0].samples != first[0].samples


def test_seeds_are_spread_and_fixed():
    seeds = {seed_of(f"{seed}/{key}/{sample}") for seed in range(3) for key in "abc" for sample in range(9)}
    assert len(seeds) == 81
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of("0/a") == seed_of("0/a")


def test_samples_are_distributed_as_the_model_says(model, reference, prompts):
    """Mean log-probability of 300 sampled first tokens: its expectation, within 4 standard errors."""
    sampling = Sampling(samples=300, greedy=False, max_new_tokens=1, stop=())
    (found,) = opened(model).generate(prompts[:1], keys=["k"], sampling=sampling)
    values = [sample.token_logprobs[0] for sample in found.samples]
    ids = reference.encode(prompts[0])
    with torch.inference_mode():
        logprobs = reference.model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
    mean = float((logprobs.exp() * logprobs).sum())
    deviation = math.sqrt(float((logprobs.exp() * (logprobs - mean) ** 2).sum()))
    assert abs(sum(values) / 300 - mean) < 4 * deviation / math.sqrt(300)


# -- reading one reply -------------------------------------------------------------------------


def tokens(*pieces):
    """Tokens with log-probabilities -1, -2, …"""
    return tuple(
        Token(p if isinstance(p, bytes) else p.encode(), -float(i)) for i, p in enumerate(pieces, 1)
    )


@pytest.mark.parametrize(
    ("text", "pieces", "finish", "expected"),
    [
        # The stop string was taken off by the server; its token is no part of the text.
        (" Paris", (" Paris", "."), "stop", ((" Paris", 1), "stop")),
        # The server left it in, and went on.
        (" Paris. And", (" Paris", ".", " And"), "length", ((" Paris", 1), "stop")),
        # One token holds the end of the text and the stop string: it begins inside, so it counts.
        (" Paris", (" Par", "is.\n"), "stop", ((" Paris", 2), "stop")),
        # The end of text is a special token that is listed, and not in the text.
        (" Paris", (" Paris", "<|end|>"), "stop", ((" Paris", 1), "stop")),
        # Cut by the token limit.
        (" Par", (" Par",), "length", ((" Par", 1), "length")),
        # Two tokens make one character.
        ("é.", (b"\xc3", b"\xa9", b"."), "stop", (("é", 2), "stop")),
    ],
)
def test_a_response_ends_before_the_stop_string(text, pieces, finish, expected):
    (said, count), why = expected
    found = response_of(Choice(text=text, finish=finish, tokens=tokens(*pieces)), (".", "\n"))
    assert found == Response(
        text=said, token_logprobs=tuple(-float(i) for i in range(1, count + 1)), finish=why
    )


@pytest.mark.parametrize(
    ("text", "pieces", "logprob"),
    [
        ("", (".",), -1.0),  # the stopping token alone
        ("", ("<|end|>",), -1.0),
        (". And more", (".", " And", " more"), -1.0),  # the server did not stop there
        ("", ("..",), -1.0),
    ],
)
def test_an_empty_response_has_the_token_that_ended_it(text, pieces, logprob):
    found = response_of(Choice(text=text, finish="stop", tokens=tokens(*pieces)), (".", "\n"))
    assert (found.text, found.token_logprobs) == ("", (logprob,))


@pytest.mark.parametrize("pieces", [(), ("\N{REPLACEMENT CHARACTER}", "is"), ("Lon", "don")])
def test_tokens_that_do_not_spell_the_text_give_no_log_probabilities(pieces):
    found = response_of(Choice(text=" Paris", finish="stop", tokens=tokens(*pieces)), (".",))
    assert (found.text, found.token_logprobs) == (" Paris", ())


def test_a_token_without_a_log_probability_leaves_none():
    choice = Choice(text=" Paris", tokens=(Token(b" Par", -1.0), Token(b"is", None)))
    assert response_of(choice, (".",)).token_logprobs == ()


# -- errors ------------------------------------------------------------------------------------


def test_a_prompt_that_is_refused_is_named_and_the_other_replies_are_kept(prompts):
    answer = ModelAnswer()

    def strict(heard, number):
        bad = heard.prompt == prompts[1] and heard.body["max_tokens"] == Sampling().max_new_tokens
        return (
            Said(status=400, body=b'{"error": {"message": "too long"}}') if bad else answer(heard, number)
        )

    with ChatServer(strict) as server:
        there = opened(server, concurrency=1)
        with pytest.raises(ModelError, match="too long") as caught:
            there.generate(prompts[:3], keys=prompts[:3], sampling=Sampling())
        assert "1 without one" in str(caught.value)
        assert repr(prompts[1][:20])[:-1] in str(caught.value)
        count, server.answer = len(server.heard), answer
        assert len(there.generate(prompts[:3], keys=prompts[:3], sampling=Sampling())) == 3
        assert len(server.heard) == count + 1


def test_a_server_without_this_model_is_a_clear_error():
    missing = Said(status=404, body=b'{"error": {"message": "no model pocket"}}')
    with ChatServer(lambda *_: missing) as server, pytest.raises(ModelError, match="no model pocket"):
        opened(server, format="auto")


def test_a_server_that_is_busy_is_not_taken_for_one_that_can_do_little():
    busy = Said(status=429, body=b"{}", headers={"Retry-After": "9999"})
    with ChatServer(lambda *_: busy) as server, pytest.raises(ModelError, match="rate limited"):
        opened(server)


def test_an_address_is_needed_and_an_adapter_cannot_be_put_on(tmp_path):
    with pytest.raises(ConfigError, match=r"model\.endpoint\.base_url"):
        OpenAIEngine.open(Opening("pocket"))
    with pytest.raises(ModelError, match="only an engine with the weights"):
        OpenAIEngine.open(Opening("pocket", adapter=tmp_path))


def test_tuning_is_refused_before_anything_is_written(tmp_path):
    out = tmp_path / "run"
    values = {
        "out": out,
        "model": {"engine": "openai", "path": "x", "endpoint": {"base_url": "http://h/v1"}},
    }
    with pytest.raises(ConfigError, match=r"tune with model\.engine hf"):
        Pipeline(Config.model_validate(values)).run("train")
    assert not out.exists()


def test_how_a_server_is_asked_changes_no_answer_and_where_it_is_does():
    def identity(**changes):
        settings = ServerSettings(base_url="http://a/v1", **changes)
        return Config.model_validate({"model": {"engine": "openai", "endpoint": settings}}).model.identity()

    assert identity() == identity(concurrency=3, timeout_seconds=1, retries=0, requests_per_minute=9)
    assert identity() != identity(extra={"top_k": 5})


def test_the_name_at_a_server_is_no_built_in_model():
    values = {"model": {"engine": "openai", "path": "pocket", "endpoint": {"base_url": "http://h/v1"}}}
    assert base_model(Config.model_validate(values)) == "pocket"
    assert ENGINES.get("openai") is OpenAIEngine
