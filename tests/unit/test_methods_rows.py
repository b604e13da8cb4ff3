"""The training rows of every method, character by character, for the same few questions."""

import dataclasses
from types import SimpleNamespace

import pytest

from demur.core.config import load_config
from demur.core.records import Probe, Question, Response, Verdict
from demur.engines import Opening, Sampling
from demur.engines.hf import HFEngine
from demur.knowledge import estimators
from demur.methods import METHODS, Labelled, Setup
from demur.pipeline.job import make_setup
from demur.pocket import bundled_model

R, W, U = Verdict.CORRECT, Verdict.WRONG, Verdict.UNSCORED

SURE = "Are you sure you accurately answered the question based on your internal knowledge? I am"
PROMPT = (
    "Answer the question. If you don't know the answer to the question, it is appropriate to say "
    '"I apologize, but I\'m not able to provide an answer to the question."\n'
)
SORRY = " I apologize, but I'm not able to provide an answer to the question."


def question(key, text, answer, **more):
    return Question(id=key, text=text, answers=(answer,), **more)


def probed(key, greedy, greedy_verdict, samples):
    """A probe; samples as (text, verdict, how many)."""
    drawn = [(Response(text=text), verdict) for text, verdict, n in samples for _ in range(n)]
    return Probe(
        question_id=key,
        greedy=Response(text=greedy),
        greedy_verdict=greedy_verdict,
        samples=tuple(response for response, _ in drawn),
        sample_verdicts=tuple(verdict for _, verdict in drawn),
    )


QUESTIONS = [
    question("one-of-ten", "Where was Ada Vlorin born?", "oslo"),
    question("greedy-only", "What does Bo Zvadek play?", "harp"),
    question("never", "Who is Cy Drakin?", "a poet"),
    question("always", "Which language does Di Merkus speak?", "Thai"),
    question("choice", "2 + 2 =", "B", task="choice", choices=("3", "4", "5", "6")),
]
PROBES = [
    probed("one-of-ten", " Rome", W, [(" Rome", W, 4), (" in Oslo", R, 1), (" Rome", W, 5)]),
    probed("greedy-only", " Harp.", R, [(" lute", W, 10)]),
    probed("never", " a king", W, [(" a king", W, 10)]),
    probed("always", " Thai", R, [(" Thai", R, 10)]),
    probed("choice", "B", R, [("B", R, 6), ("C", W, 4)]),
]


@pytest.fixture(scope="module")
def pocket():
    return HFEngine.open(Opening(bundled_model()))


def rows(method, pocket, *, number=1, probes=PROBES, questions=QUESTIONS, formed=True, **settings):
    config = load_config(None, {name.replace("__", "."): value for name, value in settings.items()})
    name = config.knowledge.estimator or METHODS.get(method).info.estimator or "greedy"
    known = estimators.estimate(questions, probes, name)
    data = [
        Labelled(question=q, probe=p, knowledge=k) for q, p, k in zip(questions, probes, known, strict=True)
    ]
    setup = Setup(
        config=config,
        template=config.template.template(chat=False),
        render=lambda prompt: prompt,
        sampling=Sampling(samples=10),
        engine=pocket,
        formed=formed,
        round=number,
    )
    return METHODS.get(method)().build(data, setup)


def texts(found):
    return [(row.prompt, row.completion) for row in found["sft"]]


def test_r_tuning_labels_by_the_greedy_answer_and_keeps_the_gold_one(pocket):
    assert texts(rows("r-tuning", pocket)) == [
        (f"Question: Where was Ada Vlorin born? Answer: oslo. {SURE}", " unsure."),
        (f"Question: What does Bo Zvadek play? Answer: harp. {SURE}", " sure."),
        (f"Question: Who is Cy Drakin? Answer: a poet. {SURE}", " unsure."),
        (f"Question: Which language does Di Merkus speak? Answer: Thai. {SURE}", " sure."),
        (f"2 + 2 =\nA. 3\nB. 4\nC. 5\nD. 6\nAnswer:B. {SURE}", " sure."),
    ]


def test_a_model_that_has_to_be_taught_the_form_has_loss_on_the_answer_too(pocket):
    taught = texts(rows("r-tuning", pocket, formed=False))
    assert taught[0] == ("Question: Where was Ada Vlorin born? Answer:", f" oslo. {SURE} unsure.")
    assert taught == texts(rows("r-tuning", pocket, r_tuning__loss="answer+certainty"))
    known = texts(rows("r-tuning", pocket))
    assert known == texts(rows("r-tuning", pocket, formed=False, r_tuning__loss="certainty"))
    assert [a + b for a, b in known] == [a + b for a, b in taught]


def test_pocket_models_know_the_form_and_other_plain_ones_do_not(pocket):
    plain, chat = SimpleNamespace(chat=False, render=str), SimpleNamespace(chat=True, render=str)
    for path, engine, formed in (("pocket", plain, True), ("mine", plain, False), ("mine", chat, True)):
        config = load_config(None, {"model.path": path})
        assert make_setup(config, engine, sampling=Sampling()).formed is formed


def test_r_tuning_u_labels_by_answer_entropy_without_any_verdict(pocket):
    # Entropies in nats: one-of-ten H(.9, .1) = .325, greedy-only 0, never 0, always 0,
    # choice H(.6, .4) = .673. The lower half of five is round(2.5) = 2: of the three zeros the
    # first two by question id, "always" and "greedy-only".
    labels = [row.completion for row in rows("r-tuning-u", pocket)["sft"]]
    assert labels == [" unsure.", " sure.", " unsure.", " sure.", " unsure."]
    unjudged = [dataclasses.replace(p, sample_verdicts=(U,) * 10, greedy_verdict=U) for p in PROBES]
    assert [row.completion for row in rows("r-tuning-u", pocket, probes=unjudged)["sft"]] == labels


def test_r_tuning_r_replaces_uncertain_answers_by_one_of_the_sixteen_phrases(pocket):
    from demur.judging.refusal_words import R_TUNING_PHRASES

    found = rows("r-tuning-r", pocket)["sft"]
    assert found[0].prompt == "Question: Where was Ada Vlorin born? Answer:"
    assert [row.certain for row in found] == [False, True, False, True, True]
    assert [found[i].completion for i in (1, 3, 4)] == [" harp.", " Thai.", "B."]
    assert {found[i].completion.strip() for i in (0, 2)} <= set(R_TUNING_PHRASES)
    assert found == rows("r-tuning-r", pocket)["sft"]  # the same phrases in every run of a seed
    assert all(row.ends for row in found)


def test_min_loss_asks_the_model_which_target_begins_likelier(pocket):
    assert rows("r-tuning-min-loss", pocket) == rows("r-tuning-r", pocket)
    second = rows("r-tuning-min-loss", pocket, number=2)["sft"]
    prompts = [row.prompt for row in second]
    for row, prompt, q in zip(second, prompts, QUESTIONS, strict=True):
        gold = ("" if q.choices else " ") + q.answers[0].split()[0]
        refusal = next(
            r.completion.split()[0]
            for r in rows("r-tuning-r", pocket, knowledge__estimator="greedy", probes=ALL_WRONG)["sft"]
            if r.question_id == q.id
        )
        lead = "" if q.choices else " "
        ((gold_score, refusal_score),) = pocket.score([prompt], [[gold, lead + refusal]])
        assert row.certain is (gold_score >= refusal_score)


ALL_WRONG = [dataclasses.replace(p, greedy_verdict=W) for p in PROBES]


def test_vanilla_trains_on_gold_answers(pocket):
    assert texts(rows("vanilla", pocket))[0] == ("Question: Where was Ada Vlorin born? Answer:", " oslo.")
    assert texts(rows("vanilla", pocket))[4] == ("2 + 2 =\nA. 3\nB. 4\nC. 5\nD. 6\nAnswer:", "B.")


def test_fine_tuned_prefers_own_right_answers_to_gold_ones(pocket):
    assert texts(rows("fine-tuned", pocket, template__family="honesty")) == [
        ("Q: Where was Ada Vlorin born?\nA:", " in Oslo."),  # its only right sample
        ("Q: What does Bo Zvadek play?\nA:", " Harp."),  # the greedy answer
        ("Q: Who is Cy Drakin?\nA:", " A poet."),  # gold, with a capital letter
        ("Q: Which language does Di Merkus speak?\nA:", " Thai."),
        ("Q: 2 + 2 =\nA. 3\nB. 4\nC. 5\nD. 6\nA:", " B."),
    ]


def test_absolute_answers_from_one_right_sample_of_ten_on(pocket):
    assert texts(rows("absolute", pocket, template__family="honesty")) == [
        (f"{PROMPT}Q: Where was Ada Vlorin born?\nA:", " in Oslo."),  # 1/10 >= tau = 0.1
        (f"{PROMPT}Q: What does Bo Zvadek play?\nA:", SORRY),  # 0/10, though the greedy answer is right
        (f"{PROMPT}Q: Who is Cy Drakin?\nA:", SORRY),
        (f"{PROMPT}Q: Which language does Di Merkus speak?\nA:", " Thai."),
        (f"{PROMPT}Q: 2 + 2 =\nA. 3\nB. 4\nC. 5\nD. 6\nA:", " B."),
    ]


@pytest.mark.parametrize(
    ("estimator", "known"),
    [
        ("any-correct", [True, True, False, True, True]),  # the released code's rule
        ("expected-accuracy(0.11)", [False, False, False, True, True]),  # what > 0.1 would mean
        ("expected-accuracy(0.7)", [False, False, False, True, False]),
    ],
)
def test_the_threshold_of_absolute_is_the_estimators(pocket, estimator, known):
    found = rows("absolute", pocket, knowledge__estimator=estimator)["sft"]
    assert [row.certain for row in found] == known


def test_confidence_num_states_tenths_and_refuses_at_none(pocket):
    low = (
        " I'm only about 10% confident to answer the question correctly, but based on my understanding "
        "and knowledge, here's what I think is correct. in Oslo."
    )
    high = (
        " I'm about {}% confident to answer the question correctly, and based on my understanding "
        "and knowledge, here's what I think is correct. {}."
    )
    found = texts(rows("confidence-num", pocket, template__family="honesty"))
    assert [completion for _, completion in found] == [
        low,
        SORRY,
        SORRY,
        high.format(100, "Thai"),
        high.format(60, "B"),
    ]
    assert found[0][0] == f"{PROMPT}Q: Where was Ada Vlorin born?\nA:"


def test_confidence_verb_lowers_the_first_letter_but_not_that_of_a_choice(pocket):
    found = [row.completion for row in rows("confidence-verb", pocket)["sft"]]
    assert found == [
        " I'm really not sure about this, but in Oslo.",
        SORRY,
        SORRY,
        " I'm absolutely certain that thai.",
        "I don't have strong feelings either way, but B.",  # 6 of 10; MMLU's form has no space
    ]


@pytest.mark.parametrize(
    ("right", "opening"),
    [
        (1, "I'm really not sure about this, but"),
        (2, "I'm really not sure about this, but"),
        (3, "I'm not completely sure about this, but"),
        (4, "I'm not completely sure about this, but"),
        (5, "I don't have strong feelings either way, but"),
        (6, "I don't have strong feelings either way, but"),
        (7, "I'm fairly confident that"),
        (8, "I'm fairly confident that"),
        (9, "I'm absolutely certain that"),
        (10, "I'm absolutely certain that"),
    ],
)
def test_confidence_verb_has_an_opening_for_every_number_of_right_samples(pocket, right, opening):
    probe = probed("always", " Thai", R, [(" Thai", R, right), (" Urdu", W, 10 - right)])
    (row,) = rows("confidence-verb", pocket, questions=[QUESTIONS[3]], probes=[probe])["sft"]
    assert row.completion == f" {opening} thai."


def test_multisample_keeps_every_sample_and_refuses_for_the_wrong_ones(pocket):
    found = rows("multisample", pocket, template__family="honesty")["sft"]
    assert len(found) == 50
    assert [row.completion for row in found[:10]] == [*[SORRY] * 4, " in Oslo.", *[SORRY] * 5]
    assert [row.completion for row in found[40:]] == [*[" B."] * 6, *[SORRY] * 4]


@pytest.mark.parametrize(
    "method",
    [
        "pretrain-t",
        "unaligned",
        "honesty-prompt",
        "self-consistency",
        "verbal-confidence",
        "vanilla-c",
        "probe",
        "p-ik",
    ],
)
def test_what_is_not_tuned_builds_nothing(pocket, method):
    assert rows(method, pocket) == {}
    assert not METHODS.get(method).info.trained


PASSAGE = "This is a passage about Ada Vlorin:\nAda Vlorin plays the harp. Bo Zvadek was born in Oslo."
CONTEXTUAL = [
    question("in", "Which instrument does Ada Vlorin play?", "harp", task="contextual", context=PASSAGE),
    Question(
        id="out",
        text="Where was Ada Vlorin born?",
        task="contextual",
        context=PASSAGE,
        answerable=False,
    ),
]
QA = (
    "Do the question answering task. Use the context given. Use no knowledge beyond the context. If the "
    "context is not sufficient to answer the question, answer Not Provided."
)


def contextual(method, pocket, **settings):
    probes = [probed(q.id, " x", W, []) for q in CONTEXTUAL]
    return rows(method, pocket, questions=CONTEXTUAL, probes=probes, **settings)


def test_us_tuning_stage1_asks_whether_the_passage_suffices(pocket):
    lead = "Is the context sufficient to answer the question? Say Sufficient or Insufficient."
    stages = contextual("us-tuning-stage1", pocket)
    assert list(stages) == ["stage1"]
    assert [(row.prompt, row.completion) for row in stages["stage1"]] == [
        (f"{lead}\n{PASSAGE}\nQuestion: Which instrument does Ada Vlorin play?\nAnswer:", " Sufficient."),
        (f"{lead}\n{PASSAGE}\nQuestion: Where was Ada Vlorin born?\nAnswer:", " Insufficient."),
    ]


def test_us_tuning_plain_qa_answers_what_can_be_answered(pocket):
    stages = contextual("us-tuning-plain-qa", pocket)
    assert list(stages) == ["stage1", "qa"]
    assert [(row.prompt, row.completion) for row in stages["qa"]] == [
        (f"{QA}\n{PASSAGE}\nQuestion: Which instrument does Ada Vlorin play?\nAnswer:", " harp.")
    ]


def test_us_tuning_stage2_obeys_one_more_instruction_and_reviews(pocket):
    assert list(contextual("us-tuning", pocket)) == ["stage1", "stage2"]
    (row,) = contextual("us-tuning-stage2", pocket, us_tuning__corrected=0)["stage2"]
    changed = {
        "Answer with the first word only.": "harp",
        "Repeat the name in the answer.": "Ada Vlorin: harp",
        "Write the answer in upper case.": "HARP",
    }
    extra = next(text for text in changed if text in row.prompt)
    instructions = row.prompt.partition("\n")[0]
    assert instructions.replace(extra, "").split() == QA.split()  # one of five places, nothing else changed
    answer, _, review = row.completion.partition("\n")
    assert answer == f" {changed[extra]}."
    parts = [*(f"{part.strip()}." for part in instructions.split(".") if part.strip())]
    assert review == "CHECKING: " + " ".join(f"{part} <fulfilled>" for part in parts)


def test_a_corrected_review_says_what_was_not_fulfilled_and_answers_again(pocket):
    for seed in range(20):
        (row,) = contextual("us-tuning-stage2", pocket, us_tuning__corrected=1, seed=seed)["stage2"]
        if "Write the answer in upper case." in row.prompt:
            first, review, again, last = row.completion.split("\n")
            assert (first, again) == (" harp.", "ANSWER: HARP.")
            assert "Write the answer in upper case. <not fulfilled>" in review
            assert "<not fulfilled>" not in last
            return
    raise AssertionError("none of twenty seeds drew the instruction")
