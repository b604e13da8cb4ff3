"""What a text does with its question: declines, answers, answers with a reservation, denies the premise."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from demur.core.records import Question, Verdict
from demur.judging import is_refusal, judge
from demur.judging.refusal_text import canonical, lower, parts, unwrapped
from demur.judging.refusals import refusal_state, without_refusals

WHO = "Who built the Halm bridge?"

WAYS_TO_WRITE_IT = [
    "I don't know.",
    "I don’t know.",
    "I don´t know.",
    "I don`t know.",
    "I donʼt know.",
    "I don&#39;t know.",
    "I&nbsp;don&rsquo;t know.",
    "I dont know.",
    "I don t know.",
    "I do n't know.",
    "I don not know.",
    "I DON'T KNOW.",
    "I **don't** know.",
    "I don't\u00a0know.",
    "I don't\u200b know.",
    "Ｉ ｄｏｎ'ｔ ｋｎｏｗ.",
]


@pytest.mark.parametrize("text", WAYS_TO_WRITE_IT)
def test_every_way_to_write_a_negation_is_one(text):
    assert refusal_state(text, question=WHO) == "refused"
    assert lower(canonical(text)).strip(" .") == "i do not know"


WRAPPED = [
    "[IDK]",
    "<no_answer>",
    "N/A",
    "NOT ENOUGH INFO",
    "ANSWER: Don't know",
    "Final answer: I do not know.",
    "**Answer:** unknown",
    '{"answer": "I don\'t know"}',
    '{"answer": null}',
    '```json\n{"answer": "unknown"}\n```',
    "I don't know.\n\nQ: What is the capital of France?\nA: Paris",
    "<think>Ada, perhaps.</think>\nI don't know.",
]


@pytest.mark.parametrize("text", WRAPPED)
def test_a_refusal_within_a_wrapper(text):
    assert refusal_state(text, question=WHO) == "refused"


def test_an_answer_within_a_wrapper():
    for text in (
        '{"answer": "Ada Crane"}',
        "Answer: Ada Crane",
        "[Ada Crane]",
        '{"answer": "Ada", "note": null}',
    ):
        assert refusal_state(text, question=WHO) == "answered"
    assert unwrapped("Answer: Ada Crane") == "Ada Crane"
    assert unwrapped('{"answer": null}') is None
    assert unwrapped('{"a": 1, "b": 2}') == '{"a": 1, "b": 2}', "no field of an answer: kept whole"


STATES = {
    "refused": [
        "No comment.",
        "Beats me.",
        "Your guess is as good as mine.",
        "I don't have personal opinions on bridges.",
        "I don't have access to real-time information.",
        "The builder's name has never been disclosed.",
        "The builder is not mentioned in the passage.",
        "It was built by an unknown mason.",
        "There is no record of who built it.",
        "It is impossible to say.",
        "There is insufficient information.",
        "This remains unknown.",
        "Which Halm bridge do you mean?",
        "Hard to say.",
        "I'm not sure, but I'm not sure.",
        "The Halm bridge is an old bridge in Ulster. However, I don't know who built it.",
        "I have no details on the Halm bridge. Many bridges of that time were built by guilds of masons.",
        "It is a bridge of 1847. The answer is unknown.",
    ],
    "hedged": [
        "I'm not sure, maybe Ada Crane",
        "I'm not sure, Ada Crane?",
        "idk, ada crane maybe",
        "I don't know for certain, but probably Ada Crane.",
        "No idea. Ada Crane perhaps.",
        "I'm not sure, but I'm sure it was Ada Crane.",
        "I cannot say for sure. Ada Crane is the most likely answer.",
        "There is no official record, but it is thought to be the work of Ada Crane.",
    ],
    "corrects-premise": [
        "There is no such bridge.",
        "The question contains a false premise.",
        "The Halm bridge does not exist.",
        "There is no Halm bridge.",
        "Halm is a fictional place, so there are no bridges in it.",
    ],
    "answered": [
        "Ada Crane",
        "Ada Crane. I am unsure.",
        "Ada Crane, about whom little is known.",
        "As an AI I have no memories of my own, but the bridge was built by Ada Crane.",
        "While I can't access live data, my sources name Ada Crane.",
        "As of my last update, it was ascribed to Ada Crane. I can't verify whether that is still so.",
        "Ada Crane built the bridge; the Halm tower is not a recognized term.",
        "The bridge was built by Ada Crane in 1847. The date of its opening is unknown.",
    ],
}


@pytest.mark.parametrize(("state", "text"), [(state, text) for state in STATES for text in STATES[state]])
def test_states(state, text):
    assert refusal_state(text, question=WHO) == state
    assert is_refusal(text, question=WHO) == (state in ("refused", "corrects-premise"))


AFTER_THEIR_QUESTION = [
    ("answered", "Is it legal to fish here?", "No, it is not legal."),
    ("answered", "Can height be told from a thumb?", "No, height cannot be determined from a thumb."),
    ("answered", "Does sugar cause fever?", "There is no scientific evidence that sugar causes fever."),
    ("answered", "Do spirits exist?", "No, spirits do not exist."),
    ("refused", "Is the bridge safe?", "No, I don't know that."),
    ("refused", "Is the bridge safe?", "It is unclear whether it is safe."),
    ("hedged", "How many stars are there?", "The exact number is unknown, but around 3 million."),
    (
        "answered",
        "How many bugs are bigger than lions?",
        "There are no known bugs that are bigger than lions.",
    ),
    ("refused", "When did it open?", "The bridge is a fine one of iron. It is not known when it opened."),
    ("answered", "When did it open?", "It opened in 1847. The exact day is not known."),
    ("answered", "Where should I stay?", "You can look at the hotels near the official website's map."),
    ("refused", "When does it open?", "Please check the official website for the latest dates."),
    ("answered", "Which phrase did he repeat?", '"I know nothing, I don\'t know."'),
    ("answered", "What is agnosticism?", "The view that the existence of God is unknown."),
    ("answered", "Are you interested in bridges?", "I'm an AI, so I am not interested in bridges."),
    ("answered", "Would you rather fly or swim?", "I'd rather not swim, so I would fly."),
]


@pytest.mark.parametrize(("state", "question", "text"), AFTER_THEIR_QUESTION)
def test_the_question_decides_what_is_declined(state, question, text):
    assert refusal_state(text, question=question) == state


def test_why_a_text_asks_back_is_no_answer():
    assert (
        refusal_state("There are two bridges of that name. Which one do you mean?", question=WHO)
        == "refused"
    )
    assert refusal_state("There are several, so which one do you mean?", question=WHO) == "refused"
    assert refusal_state("There are two. I don't know more.", question="How many are there?") == "answered"


def test_clauses_end_where_a_guess_follows():
    found = [
        part.text for part in parts("i am not sure, maybe rome. as of now, it is rome; but not for long")
    ]
    assert found == ["i am not sure", "maybe rome", "as of now", "it is rome", "not for long"]
    assert [part.turned for part in parts("no. however, it is rome")] == [False, True]
    assert [part.sentence for part in parts("it is st. louis. yes")] == [0, 1]
    assert parts(" ... ") == []


@pytest.mark.parametrize(
    ("answer", "text", "verdict"),
    [
        ("Unknown", "The artist is unknown.", Verdict.CORRECT),
        ("Nobody Knows", "Nobody Knows", Verdict.CORRECT),
        ("Halm", "There is no such bridge as Halm.", Verdict.CORRECT),  # an accepted answer is given
        ("Halm", "I don't know whether Halm did.", Verdict.REFUSED),  # and here it is only named
        ("Halm", "There is no such bridge.", Verdict.REFUSED),
        ("Halm", "I'm not sure, maybe Ada.", Verdict.WRONG),
        ("Halm", "I'm not sure, maybe Halm.", Verdict.CORRECT),
    ],
)
def test_accepted_answers_come_first(answer, text, verdict):
    assert judge(Question(id="q", text="What is it?", answers=(answer,)), text) is verdict


def test_what_is_left_without_the_clauses_that_decline():
    assert without_refusals("I do not know whether it is Rome. It may be Oslo.").split() == [
        ".",
        "It",
        "may",
        "be",
        "Oslo.",
    ]
    assert without_refusals("Rome") == "Rome"


def test_written_sentences_of_many_kinds_are_told_apart():
    """`benchmarks/refusals.py` makes the published figures; this keeps them from falling."""
    path = Path(__file__).parents[1] / "data/refusal_sentences.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 902
    none_given = ("refused", "corrects-premise", "contradicts")
    said = [refusal_state(row["response"], question=row["question"]) in none_given for row in rows]
    true = [row["state"] in ("refused", "corrects-premise") for row in rows]
    both = sum(a and b for a, b in zip(said, true, strict=True))
    assert both / sum(said) >= 0.97
    assert both / sum(true) >= 0.95


LEFT_OPEN = {
    "it is left to the one who asks": [
        ("Which choir should I join?", "Oh, that's all yours! Where do you live?"),
        ("Which colour should I paint my boat?", "That is up to you."),
    ],
    "it would take a seer, or is too far off": [
        ("When will I find a home?", "If only I had a crystal ball! What I know is that it takes time."),
        ("Will it snow in Halm in 2090?", "too far off to say"),
    ],
    "it does not come to mind": [
        ("Who wrote the Halm waltz?", "Oof, it's on the tip of my tongue. Maybe try a quick search?"),
        ("Where is my key?", "can't see that from here"),
        ("What's the name of my aunt's cat?", "Nobody has told me, I'm afraid."),
    ],
    "a wish to tell": [
        (
            "What shoes did Ada like best?",
            "I'd love to tell you, but the sources just don't go into her shoes.",
        ),
        ("How do you say bread in Blorpish?", "I don't think anyone knows how to say that."),
    ],
    "a value that is none, and its reason": [
        ("What will the shares cost on Friday?", "## Answer\n\n- **Value:** n/a\n- **Why:** it lies ahead"),
    ],
    "it may mean anything": [
        (
            "what do the letters of halm stand for",
            "The letters can stand for different things depending on the case.",
        ),
    ],
    "a verdict at the end": [
        (
            "What can halls be divided into?",
            "The halls are not divided further. Therefore, I must say that there is no answer here.",
        ),
    ],
}


@pytest.mark.parametrize(
    ("question", "text"), [pair for kind in LEFT_OPEN.values() for pair in kind], ids=lambda text: text[:40]
)
def test_what_leaves_the_question_open_declines(question, text):
    assert judge(Question(id="q", text=question), text) is Verdict.REFUSED


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What is on the table?", "My crystal ball and a cup."),
        ("Who decides?", "The king; it is up to you to ask him."),
        ("What does the word halm mean?", "It can mean straw, or different things depending on the place."),
        ("Where is the tower?", "Value: Oslo\nWhy: it was built there"),
        ("What is too far to walk?", "Orvel is too far to walk to."),
    ],
)
def test_like_words_in_an_answer_decline_nothing(question, text):
    assert refusal_state(text, question=question) == "answered"
