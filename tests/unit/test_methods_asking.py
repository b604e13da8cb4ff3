"""How methods read what a model said: percentages, words, refusals, majorities, corrected answers."""

import math

import pytest

from demur.confidence.combination import most_honest
from demur.core.config import load_config
from demur.core.records import Question, Response
from demur.core.templates import HONESTY_INSTRUCTION, HONESTY_REFUSAL
from demur.engines import Opening, Sampling
from demur.engines.hf import HFEngine
from demur.methods import METHODS, Elicited, Setup, confidence_num, confidence_verb
from demur.methods.contexts import last_answer, topic
from demur.methods.vanilla_c import majority
from demur.pocket import bundled_model, tasks
from demur.pocket.spec import POCKET_2
from demur.pocket.world import make_world

LOW = "I'm only about 30% confident to answer the question correctly, but based on my understanding and "
LOW += "knowledge, here's what I think is correct. Oslo."


def said(text, **signals):
    return Elicited(answer=text, response=text, signals=signals)


def test_a_stated_percentage_is_read_and_taken_off():
    found = confidence_num.read(said(LOW, likelihood=0.5))
    assert (found.answer, found.response) == ("Oslo", "Oslo")
    assert found.signals["verbal"] == 0.3


@pytest.mark.parametrize("module", [confidence_num, confidence_verb])
def test_a_refusal_is_a_confidence_of_nothing_and_stays_a_refusal(module):
    found = module.read(said(HONESTY_REFUSAL))  # a refused answer has no likelihood
    assert found.signals["verbal"] == 0.0
    assert found.response == HONESTY_REFUSAL


@pytest.mark.parametrize("module", [confidence_num, confidence_verb])
def test_an_answer_without_an_opening_states_no_confidence(module):
    found = module.read(said("Oslo.", likelihood=0.9))
    assert "verbal" not in found.signals
    assert found.answer == "Oslo"


@pytest.mark.parametrize(
    ("words", "verbal"),
    [
        ("I'm really not sure about this, but oslo.", 0.15),  # the middle of one and two tenths
        ("I don't have strong feelings either way, but oslo.", 0.55),
        ("I'm absolutely certain that oslo.", 0.95),
    ],
)
def test_words_of_confidence_are_read_as_the_middle_of_their_range(words, verbal):
    found = confidence_verb.read(said(words, likelihood=0.9))
    assert (found.answer, found.signals["verbal"]) == ("oslo", verbal)


def test_a_percentage_beyond_a_hundred_is_a_hundred():
    assert confidence_num.read(said(LOW.replace("30", "300"), likelihood=1.0)).signals["verbal"] == 1.0


def samples(*texts):
    return [Response(text=text) for text in texts]


def test_the_majority_counts_answers_alike_after_normalising():
    found = majority(samples(" Oslo", " Rome", " oslo.", " Oslo"))
    assert (found.answer, found.signals["agreement"]) == ("Oslo", 0.75)
    # H(3/4, 1/4) = .5623 nats over ln 4 = 1.3863: 1 - .4056
    assert found.signals["consistency"] == pytest.approx(1 - 0.56234 / math.log(4), abs=1e-4)


def test_a_tie_goes_to_the_answer_sampled_first():
    assert majority(samples(" Rome", " Oslo", " Oslo", " Rome")).answer == "Rome"


def test_one_sample_agrees_with_itself_and_all_different_ones_do_not():
    assert majority(samples(" Oslo")).signals == {"agreement": 1.0, "consistency": 1.0}
    assert majority(samples(" a", " b")).signals["consistency"] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (" harp.\nCHECKING: Do it. <fulfilled>", "harp"),
        (" harp.\nCHECKING: Do it. <not fulfilled>\nANSWER: HARP.\nCHECKING: Do it. <fulfilled>", "HARP"),
        (" harp", "harp"),
        ("", ""),
    ],
)
def test_a_reviewed_response_ends_with_its_last_answer(text, answer):
    assert last_answer(text) == answer


def test_the_topic_is_the_page_that_a_passage_names():
    asked = Question(id="q", text="?", context="This is a passage about Ada Vlorin:\nAda plays.")
    assert topic(asked) == "Ada Vlorin"


def test_the_most_honest_threshold_lies_between_right_and_wrong():
    from demur.core.records import Verdict

    rows = [(0.9, Verdict.CORRECT), (0.7, Verdict.CORRECT), (0.3, Verdict.WRONG), (0.1, Verdict.WRONG)]
    assert most_honest(rows) == pytest.approx(0.5)
    assert most_honest([*rows, (None, Verdict.WRONG), (0.6, Verdict.UNSCORED)]) == pytest.approx(0.5)


@pytest.fixture(scope="module")
def asked():
    engine = HFEngine.open(Opening(bundled_model("pocket-2")))
    config = load_config(None, {})
    questions = [q for q in tasks.open_questions(make_world(0, POCKET_2)) if q.split == "test"][:40]
    setup = Setup(
        config=config,
        template=config.template.template(chat=False),
        render=engine.render,
        sampling=Sampling(),
        engine=engine,
    )
    return engine, questions, setup


def test_sure_is_one_minus_the_probability_of_beginning_a_refusal(asked):
    engine, questions, setup = asked
    found = METHODS.get("honesty-prompt")().elicit(engine, questions, setup)
    prompts = [f"{HONESTY_INSTRUCTION}\n{setup.template.ask(question)}" for question in questions]
    chances = engine.score(prompts, [[" I apologize,"]] * len(prompts))
    for one, (chance,) in zip(found, chances, strict=True):
        assert one.signals["sure"] == pytest.approx(1 - math.exp(chance), abs=1e-4)
        refused = one.response.strip().startswith("I apologize")
        assert ("likelihood" in one.signals) is not refused


def test_self_consistency_is_vanilla_c_on_the_model_it_is_given(asked):
    from dataclasses import replace

    engine, questions, setup = asked
    five = replace(setup, sampling=Sampling(samples=5, greedy=False, temperature=0.7))
    found = METHODS.get("self-consistency")().elicit(engine, questions[:8], five)
    assert found == METHODS.get("vanilla-c")().elicit(engine, questions[:8], five)
    assert {one.signals["agreement"] for one in found} <= {0.2, 0.4, 0.6, 0.8, 1.0}


def test_verbal_confidence_asks_again_with_the_answer_and_reads_a_number(asked):
    from dataclasses import replace

    engine, questions, setup = asked
    spoken = ["80%", "no idea"]

    class Speaks:
        """The engine, whose second round of answers is known."""

        def __init__(self):
            self.prompts = []

        def generate(self, prompts, **how):
            self.prompts.append(list(prompts))
            found = engine.generate(prompts, **how)
            if len(self.prompts) == 1:
                return found
            texts = zip(found, spoken, strict=True)
            return [replace(item, greedy=Response(text=f" {text}")) for item, text in texts]

    speaks = Speaks()
    found = METHODS.get("verbal-confidence")().elicit(speaks, questions[:2], setup)
    (first, second), answers = speaks.prompts, [one.answer for one in found]
    assert first == [setup.template.ask(question) for question in questions[:2]]
    for prompt, before, answer in zip(second, first, answers, strict=True):
        assert prompt.startswith(f"{before}\nProposed answer: {answer}\n")
    assert found[0].signals["verbal"] == 0.8
    assert "verbal" not in found[1].signals, "no number, no confidence"
