"""P(True), asked of a real (tiny) model."""

import math

import engine_models
import pytest
import torch

from demur.core.records import Question, Response
from demur.core.templates import TEMPLATES
from demur.engines.hf import HFEngine
from demur.signals import Said
from demur.signals.p_true import PTrue, p_true, prompt

TEMPLATE = TEMPLATES["r-tuning-code"]
QUESTIONS = [Question(id="1", text="Capital of France?"), Question(id="2", text="Capital of Italy?")]
ANSWERS = [" Paris", "Rome"]


@pytest.fixture(scope="module")
def model():
    tokenizer = engine_models.byte_tokenizer()
    return tokenizer, engine_models.llama_for(tokenizer, seed=3)


@pytest.fixture(scope="module")
def engine(model):
    tokenizer, network = model
    return HFEngine(network, tokenizer, format="plain")


def test_the_prompt():
    assert prompt(QUESTIONS[0], " Paris\n") == (
        "Question: Capital of France?\nPossible answer: Paris\n"
        "Is the possible answer:\n (A) True\n (B) False\nThe possible answer is:"
    )


def test_brainstormed_answers_stand_once_each_before_the_answer():
    text = prompt(QUESTIONS[0], "Paris", ["Lyon ", "Paris", "Lyon", ""])
    assert "Brainstormed answers: Lyon; Paris\nPossible answer: Paris\n" in text


def test_options_and_context_are_shown():
    question = Question(id="3", text="Which?", task="choice", choices=("Rome", "Paris"), context="A map.")
    assert prompt(question, "B").startswith(
        "Question: A map.\nWhich?\nA. Rome\nB. Paris\nPossible answer: B"
    )


def test_braces_in_an_answer_stay():
    assert "Possible answer: {ideas}\n" in prompt(QUESTIONS[0], "{ideas}", ["Lyon"])


def test_both_words_are_whole_continuations(model, engine):
    # By transformers alone: log-probabilities of every token of the word, not of its first one.
    def whole(text, word):
        tokenizer, network = model
        before = tokenizer(text)["input_ids"]
        ids = tokenizer(text + word)["input_ids"]
        assert ids[: len(before)] == before
        assert len(ids) > len(before) + 1
        with torch.no_grad():
            logprobs = network(torch.tensor([ids])).logits[0].double().log_softmax(-1)
        return sum(logprobs[place - 1, ids[place]].item() for place in range(len(before), len(ids)))

    found = p_true(engine, TEMPLATE, QUESTIONS, ANSWERS)
    for question, answer, value in zip(QUESTIONS, ANSWERS, found, strict=True):
        true, false = (math.exp(whole(prompt(question, answer), f" {word}")) for word in ("True", "False"))
        assert value == pytest.approx(true / (true + false), rel=1e-4)


def test_the_signal_gives_what_the_function_gives(engine):
    said = Said(
        question=QUESTIONS[0],
        greedy=Response(text=ANSWERS[0]),
        samples=(Response(text="Lyon"), Response(text="Paris")),
    )
    [alone] = p_true(engine, TEMPLATE, QUESTIONS[:1], ANSWERS[:1])
    [ideas] = p_true(engine, TEMPLATE, QUESTIONS[:1], ANSWERS[:1], ideas=[["Lyon", "Paris"]])
    assert PTrue(engine=engine, template=TEMPLATE)(said) == pytest.approx(alone, rel=1e-6)
    assert PTrue(engine=engine, template=TEMPLATE, brainstorm=True)(said) == pytest.approx(ideas, rel=1e-6)
    assert alone != ideas


def test_without_a_model_there_is_none():
    said = Said(question=QUESTIONS[0], greedy=Response(text="Paris"))
    assert PTrue()(said) is None


def test_no_questions(engine):
    assert p_true(engine, TEMPLATE, [], []) == []
