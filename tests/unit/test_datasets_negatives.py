"""Unanswerable twins: another record's question by rule, or one that a model wrote."""

import json
from collections import Counter

import pytest

from chat_server import ChatServer, Said
from demur.core.config import DataSettings, EndpointSettings
from demur.core.records import Question
from demur.datasets import load_questions
from demur.datasets.negatives import by_model, by_rule
from demur.endpoints import Endpoint, Failure, Reply


def asked(key, text, answer, context, *, split="train", supporting=()):
    return Question(
        id=key,
        text=text,
        answers=(answer,),
        task="contextual",
        context=context,
        split=split,
        meta={"supporting": list(supporting)},
    )


RAIN = asked("rain", "When did it rain?", "Monday", "It rained on Monday.")
SNOW = asked("snow", "When did it snow?", "Friday", "It snowed on Friday.")


def negatives(questions):
    return [question for question in questions if not question.answerable]


def test_each_passage_gets_the_others_question_without_an_answer():
    found = by_rule([RAIN, SNOW], seed=0)
    assert [q.text for q in found] == [RAIN.text, SNOW.text, SNOW.text, RAIN.text]
    first = found[1]
    assert (first.context, first.answers, first.answerable) == ("It rained on Monday.", (), False)
    assert (first.meta["pair"], first.meta["negative"]) == ("rain", "rule")
    assert len({q.id for q in found}) == 4


def test_a_question_that_the_passage_answers_is_no_twin_and_is_counted():
    both = asked("both", "And when?", "Sunday", "It rained on Monday and on Friday.")
    dropped = Counter()
    found = by_rule([both], seed=0, pool=[both, SNOW, RAIN], dropped=dropped)
    assert negatives(found) == []
    assert dropped.total() == 1


def test_whole_words_decide():
    other = asked("fri", "Who cooks?", "Fri", "Fri cooks.")
    (twin,) = negatives(by_rule([SNOW], seed=0, pool=[SNOW, other]))
    assert twin.text == "Who cooks?"


def test_a_question_about_a_title_that_the_passage_names_is_no_twin():
    about = asked("about", "How high is it?", "900 metres", "Rain Hill is high.", supporting=["Monday"])
    assert negatives(by_rule([RAIN], seed=0, pool=[RAIN, about])) == []


def test_yes_and_no_questions_and_other_splits_lend_nothing():
    yes = asked("yes", "Did it hail?", "yes", "It hailed.")
    tested = asked("test", "When did it thaw?", "Sunday", "It thawed.", split="test")
    assert [q.text for q in negatives(by_rule([RAIN, yes, tested], seed=0))] == ["When did it rain?"]


@pytest.mark.parametrize("questions", [[], [RAIN], [Question(id="open", text="When?", answers=("now",))]])
def test_nothing_to_pair_gives_nothing(questions):
    assert by_rule(questions, seed=0) == questions


def test_the_setting_adds_them_and_the_report_counts_them(tmp_path):
    rows = [
        {"question": f"When did it {w}?", "answer": f"day {n}", "context": f"It did {w} on day {n}."}
        for n, w in enumerate(("rain", "snow", "hail", "thaw", "freeze", "storm", "drizzle", "clear"))
    ]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    settings = DataSettings(path=path, negatives="rule", test=0.25, calibration=0)
    loaded, again = load_questions(settings), load_questions(settings)
    assert loaded.report.unanswerable == len(negatives(loaded.questions)) == 8
    assert any("8 unanswerable twins" in note for note in loaded.report.notes)
    assert loaded.questions == again.questions
    by_id = {question.id: question for question in loaded.questions}
    assert all(by_id[q.meta["pair"]].split == q.split for q in negatives(loaded.questions))


def replies(*texts):
    """A model that says these, one to each prompt; None is a failure."""
    rest = iter(texts)

    def complete(prompts):
        said = [next(rest) for _ in prompts]
        return [Failure(reason="timed out") if text is None else Reply(text=text) for text in said]

    return complete


def test_a_model_writes_the_twin_and_says_that_the_passage_does_not_answer_it():
    ask = replies('{"question": "Where did it rain?"}', '{"answered": false}')
    (twin,) = negatives(by_model([RAIN], ask))
    assert (twin.text, twin.context, twin.meta["negative"]) == ("Where did it rain?", RAIN.context, "model")


def test_each_twin_follows_its_question_and_a_failure_costs_only_its_own():
    both = [RAIN, Question(id="open", text="When?", answers=("now",)), SNOW]
    # Written for rain and snow, then both checked; the check of rain fails.
    ask = replies('{"question": "Who got wet?"}', '{"question": "Who froze?"}', None, '{"answered": false}')
    dropped = Counter()
    found = by_model(both, ask, dropped=dropped)
    assert [q.text for q in found] == [RAIN.text, "When?", SNOW.text, "Who froze?"]
    assert found[3].meta["pair"] == "snow"
    assert dropped == {"no reply: timed out": 1}


def test_without_the_check_the_model_is_asked_once():
    (twin,) = negatives(by_model([RAIN], replies('{"question": "Who got wet?"}'), check=False))
    assert twin.text == "Who got wet?"


@pytest.mark.parametrize(
    "said",
    [
        ("Where did it rain?",),
        ('Sure! {"question": "Where?"}',),
        ('{"question": 3}',),
        ('{"question": "Where?", "more": 1}',),
        ("[" * 100_000,),
        ('{"question": "When did it RAIN?"}',),
        ('{"question": "Where did it rain?"}', '{"answered": true}'),
        ('{"question": "Where did it rain?"}', "perhaps"),
        (None,),
        ('{"question": "Where did it rain?"}', None),
    ],
)
def test_anything_but_the_json_asked_for_makes_no_twin_and_is_counted(said):
    dropped = Counter()
    assert negatives(by_model([RAIN], replies(*said), dropped=dropped)) == []
    assert dropped.total() == 1


def test_a_real_server_writes_and_checks(monkeypatch, tmp_path):
    """What it says is scripted; the client and the network are real. `test_endpoints` tests those."""
    monkeypatch.setenv("DEMUR_TEST_KEY", "secret")

    def answer(heard, _):
        check = "Does the passage answer" in heard.prompt
        return Said('{"answered": false}' if check else '{"question": "Where did it rain?"}')

    with ChatServer(answer) as server:
        settings = EndpointSettings(
            base_url=server.url,
            model="tiny",
            key_variable="DEMUR_TEST_KEY",
            cache=tmp_path / "replies.sqlite",
        )
        (twin,) = negatives(by_model([RAIN], Endpoint(settings).complete_many))
    assert twin.text == "Where did it rain?"
    assert [heard.headers["Authorization"] for heard in server.heard] == ["Bearer secret"] * 2
