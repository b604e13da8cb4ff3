"""The rows that R-Tuning and its baselines build, character by character, and how they are read."""

import math

import pytest

from demur.core.config import load_config
from demur.core.records import Knowledge, Prediction, Probe, Question, Response, Verdict
from demur.engines import Asked, Sampling
from demur.methods import METHODS, Labelled, Setup
from demur.methods.baselines import at_same_coverage, base, derived, pretrain_w
from demur.methods.elicitation import likelihood
from demur.methods.r_tuning import _read

CERTAINTY = "Are you sure you accurately answered the question based on your internal knowledge? I am"


def setup(**settings):
    config = load_config(None, {name.replace("__", "."): value for name, value in settings.items()})
    return Setup(
        config=config,
        template=config.template.template(chat=False),
        render=lambda prompt: f"<u>{prompt}</u>" if settings.get("chat") else prompt,
        sampling=Sampling(),
        engine=None,  # building rows asks no model
    )


def labelled(key, text, answer, known):
    return Labelled(
        question=Question(id=key, text=text, answers=(answer, "another")),
        probe=Probe(question_id=key, greedy=Response(text=" x"), greedy_verdict=Verdict.WRONG),
        knowledge=Knowledge(question_id=key, estimator="greedy", known=known),
    )


DATA = [
    labelled("1", "Where was Ada Vlorin born?", "Oslo", True),
    labelled("2", "What does Bo Zvadek play?", "harp", False),
    labelled("3", "Unjudged?", "x", None),
]


def test_r_tuning_builds_certain_and_uncertain_rows_and_leaves_out_what_was_not_judged():
    rows = METHODS.get("r-tuning")().build(DATA, setup())["sft"]
    assert [(row.prompt, row.completion, row.certain) for row in rows] == [
        (f"Question: Where was Ada Vlorin born? Answer: Oslo. {CERTAINTY}", " sure.", True),
        (f"Question: What does Bo Zvadek play? Answer: harp. {CERTAINTY}", " unsure.", False),
    ]


@pytest.mark.parametrize(
    ("loss", "prompt", "completion"),
    [
        ("certainty", f"Q: Where was Ada Vlorin born?, A: Oslo. {CERTAINTY}", " sure."),
        ("answer+certainty", "Q: Where was Ada Vlorin born?, A:", f" Oslo. {CERTAINTY} sure."),
        ("all", "", f"Q: Where was Ada Vlorin born?, A: Oslo. {CERTAINTY} sure."),
    ],
)
def test_the_three_losses_differ_in_where_the_prompt_ends(loss, prompt, completion):
    given = setup(r_tuning__loss=loss, template__family="r-tuning-paper")
    row = METHODS.get("r-tuning")().build(DATA[:1], given)["sft"][0]
    assert (row.prompt, row.completion) == (prompt, completion)


def test_vanilla_trains_the_gold_answer_of_every_question():
    rows = METHODS.get("vanilla")().build(DATA, setup())["sft"]
    assert (rows[0].prompt, rows[0].completion) == (
        "Question: Where was Ada Vlorin born? Answer:",
        " Oslo.",
    )
    assert len(rows) == 3


@pytest.mark.parametrize("name", METHODS.names())
def test_every_method_says_what_it_is(name):
    info = METHODS.get(name).info
    assert info.name == name
    assert info.primary_signal in info.signals
    assert all((info.summary, info.paper, info.loss, info.cost))


def test_likelihood_is_the_geometric_mean_of_token_probabilities():
    """Tokens of probability 0.5 and 0.125: sqrt(0.0625) = 0.25."""
    assert likelihood(Response(text="x", token_logprobs=(math.log(0.5), math.log(0.125)))) == pytest.approx(
        0.25
    )
    assert likelihood(Response(text="x")) is None


def test_sure_is_the_share_of_the_two_label_words():
    """P(sure) = 0.3, P(unsure) = 0.1: sure = 0.75; likelihood 0.5: combined = 0.625."""
    asked = Asked(
        response=Response(text=" Oslo", token_logprobs=(math.log(0.5),)),
        option_logprobs=(math.log(0.3), math.log(0.1)),
    )
    said = _read(asked, setup())
    assert said.signals == pytest.approx({"sure": 0.75, "likelihood": 0.5, "combined": 0.625})
    assert (said.answer, said.response, said.declines) == ("Oslo", " Oslo", False)
    assert _read(asked, setup(r_tuning__threshold="0.8")).declines is True


def test_sure_is_defined_where_both_words_are_next_to_impossible():
    asked = Asked(response=Response(text="x"), option_logprobs=(-2000.0, -2001.0))
    assert _read(asked, setup()).signals == pytest.approx({"sure": 1 / (1 + math.exp(-1))})


def prediction(key, *, abstained=False, **signals):
    return Prediction(
        question_id=key,
        system="s",
        answer="x",
        response="x",
        verdict=Verdict.WRONG,
        abstained=abstained,
        signals=signals,
    )


def test_base_answers_everything_but_what_it_refuses_in_words():
    probes = [
        Probe(
            question_id="a",
            greedy=Response(text=" x", token_logprobs=(0.0,)),
            greedy_verdict=Verdict.CORRECT,
        ),
        Probe(question_id="b", greedy=Response(text="I don't know"), greedy_verdict=Verdict.REFUSED),
    ]
    rows = base(probes)
    assert [(row.answer, row.abstained, dict(row.signals)) for row in rows] == [
        ("x", False, {"likelihood": 1.0}),
        ("I don't know", True, {}),
    ]


def test_pretrain_w_declines_exactly_where_the_tuned_model_does():
    rows = pretrain_w(
        [prediction("a"), prediction("b")], [prediction("b", abstained=True), prediction("a")]
    )
    assert [(row.question_id, row.abstained) for row in rows] == [("a", False), ("b", True)]


def test_the_same_coverage_holds_in_every_part():
    """id: the tuned model answers 1 of 3, so the likeliest of 3 answers; ood: 1 of 1."""
    questions = [
        *(Question(id=key, text=key, split="test") for key in "abc"),
        Question(id="d", text="d", split="test", domain="ood"),
    ]
    likely = {"a": 0.2, "b": 0.9, "c": 0.9, "d": 0.1}
    tuned = [
        prediction("a"),
        prediction("b", abstained=True),
        prediction("c", abstained=True),
        prediction("d"),
    ]
    rows = at_same_coverage(
        "base-likelihood",
        "likelihood",
        [prediction(key, likelihood=value) for key, value in likely.items()],
        tuned,
        questions,
        confidence=lambda row, _: row.signals.get("likelihood"),
    )
    assert [row.question_id for row in rows if not row.abstained] == ["b", "d"], "ties go by id"
    assert {row.system for row in rows} == {"base-likelihood"}


def test_familiarity_is_used_only_where_it_is_known():
    rows, tuned = [prediction("a", likelihood=0.5)], [prediction("a")]
    plain, pocket = Question(id="a", text="a"), Question(id="a", text="a", meta={"familiarity": 3.0})
    assert set(derived(rows, tuned, [plain])) == {"pretrain-w", "base-likelihood"}
    assert derived(rows, tuned, [pocket])["familiarity-only"][0].signals == {"familiarity": 3.0}
