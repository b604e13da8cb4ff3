"""Signals for which a model is asked again: `sure` and `verbal`, of a real (tiny) model; and `learned`."""

import engine_models
import pytest
import torch

from demur.core.records import Question, Response
from demur.core.templates import TEMPLATES, VERBAL_QUESTION, fill
from demur.engines import Generated
from demur.engines.hf import HFEngine
from demur.signals import SIGNALS, Said
from demur.signals.sure import Sure, sure
from demur.signals.verbal import NUMBER_TOKENS, Verbal, verbal

TEMPLATE = TEMPLATES["r-tuning-code"]
QUESTIONS = [Question(id="1", text="Capital of France?"), Question(id="2", text="Capital of Italy?")]
ANSWERS = ["Paris", "Rome"]


@pytest.fixture(scope="module")
def model():
    tokenizer = engine_models.byte_tokenizer()
    return tokenizer, engine_models.llama_for(tokenizer, seed=3)


@pytest.fixture(scope="module")
def engine(model):
    tokenizer, network = model
    return HFEngine(network, tokenizer, format="plain")


class Scripted:
    """An engine whose replies are given."""

    capabilities = HFEngine.capabilities

    def __init__(self, *replies):
        self.replies, self.asked = replies, []

    def generate(self, prompts, *, keys, sampling, progress=None):
        self.asked += [(prompt, key, sampling) for prompt, key in zip(prompts, keys, strict=True)]
        return [Generated(greedy=Response(text=text)) for text in self.replies]


def test_sure_holds_whole_words_against_each_other(model, engine):
    tokenizer, network = model

    @torch.no_grad()
    def logprob(text, word):
        before = len(tokenizer(text)["input_ids"])
        ids = torch.tensor([tokenizer(text + word)["input_ids"]])
        scores = network(ids).logits[0, before - 1 : -1].log_softmax(-1)
        return scores.gather(-1, ids[0, before:, None]).sum()

    found = sure(engine, TEMPLATE, QUESTIONS, ANSWERS)
    for question, answer, value in zip(QUESTIONS, ANSWERS, found, strict=True):
        text = TEMPLATE.ask(question) + TEMPLATE.certainty(answer, question)
        certain, uncertain = (logprob(text, TEMPLATE.label(side)) for side in (True, False))
        assert value == pytest.approx(torch.sigmoid(certain - uncertain).item(), abs=1e-5)


def test_sure_of_one_answer_is_that_of_many(engine):
    said = Said(question=QUESTIONS[1], greedy=Response(text=" Rome"))
    assert Sure(engine, TEMPLATE)(said) == pytest.approx(
        sure(engine, TEMPLATE, QUESTIONS, ANSWERS)[1], abs=1e-5
    )


def test_verbal_asks_for_a_number_and_reads_it():
    engine = Scripted(" 85%", " I cannot say")
    assert verbal(engine, TEMPLATE, QUESTIONS, ANSWERS) == [0.85, None]
    (prompt, key, sampling), _ = engine.asked
    assert prompt == fill(VERBAL_QUESTION, question=TEMPLATE.ask(QUESTIONS[0]), answer="Paris")
    assert key == "1"
    assert (sampling.max_new_tokens, sampling.stop, sampling.samples) == (NUMBER_TOKENS, ("\n",), 0)


def test_verbal_of_one_answer():
    said = Said(question=QUESTIONS[0], greedy=Response(text=" Paris"))
    assert Verbal(Scripted("0.4"), TEMPLATE)(said) == 0.4


@pytest.mark.parametrize("name", ["sure", "verbal", "learned"])
def test_without_a_model_or_a_fit_there_is_none(name):
    said = Said(question=QUESTIONS[0], greedy=Response(text="Paris"))
    assert SIGNALS.get(name)()(said) is None
