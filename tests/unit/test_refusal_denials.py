"""Denials of what a question takes for granted, texts that tell nothing, and what only looks like them."""

from __future__ import annotations

import pytest

from demur.core.records import Question, Verdict
from demur.judging import judge
from demur.judging.refusal_content import contrary, share, stem
from demur.judging.refusals import is_refusal, refusal_state

DENIALS = {
    "a verb of the question": [
        ("Where do whales walk?", "Whales do not walk; they swim."),
        ("How did Ada Crane win the Halm race?", "Ada Crane never won the Halm race."),
        ("Why can stones sing?", "Stones can't sing because they are not alive."),
        ("Who is the queen of Halm?", "Halm no longer has a queen."),
    ],
    "a pronoun": [
        ("When did the tram reach Orvel?", "It didn't. The line was never finished."),
        ("Why is the bridge made of glass?", "It isn't made of glass, it is made of iron."),
    ],
    "a possession": [
        ("What is the weight of an idea?", "An idea has no weight."),
        ("How long is the coast of Halm?", "Halm does not have a coast, as it lies inland."),
        ("Who is the king of Orvel?", "Orvel is a republic and has no monarch."),
    ],
    "there is none": [
        ("Which school on the Moon is best?", "As of now, there are no schools on the Moon."),
        ("Who was the first robot mayor?", "There has never been a robot mayor."),
        ("Name a fish that knits.", "No fish knits."),
        (
            "What do bears at the South Pole eat?",
            "Bears live in the north, so there are none there at the South Pole.",
        ),
        ("What is the language of Mars?", "Nobody speaks a language on Mars."),
    ],
    "named first, denied then": [
        ("How do I delete gravity?", "Gravity is a force of nature and cannot be deleted."),
        ("How can I teach my stone to read?", "Stones are inanimate objects and can't read."),
    ],
    "not a thing of that kind": [
        ("What is the boiling point of velvetium?", "Velvetium isn't an element."),
        ("What are the side effects of Noravexil?", "Noravexil is not a recognised medicine."),
        ("What do unicorns eat?", "Unicorns are mythical creatures."),
    ],
    "another thing": [
        ("Where in Oslo is the Halm bridge?", "The Halm bridge is in Bergen, not in Oslo."),
        ("What is the third of Earth's two moons?", "Earth has only one moon."),
        ("Why is tea illegal in Halm?", "Tea is perfectly legal in Halm."),
        ("Who won the Halm race of 1944?", "The Halm race of 1944 was cancelled."),
        ("What did Newton see in his microscope camera?", "Microscope cameras had not been invented yet."),
    ],
    "a word or two": [
        ("What is the name of the ship that Ada Crane sank in 1912?", "None"),
        ("When did Easter fall on a Tuesday?", "Never."),
        ("Which star did Ada Crane visit?", "None. She was a baker."),
        (
            "Who was the first man to walk to the Moon without a break?",
            "Whoa, hold on! Nobody has ever done that.",
        ),
        ("Who won the flood of Halm?", "The flood of Halm was won by no one, as it was a disaster."),
        ("Who won the 2090 Halm race?", "Hasn't happened."),
    ],
    "nobody and nothing, with the words of the question": [
        ("Who drowns in the third tale of Orvel?", "No one drowns in the third tale of Orvel."),
        ("What was carried from the mill to the tower?", "Nothing was carried from the mill to the tower."),
        (
            "Which towers follow a different plan than the Halm tower?",
            "None of the towers follow a different plan.",
        ),
    ],
    "the deed that is counted": [
        ("How many scarves do snakes wear to keep warm?", "Snakes do not wear scarves to keep warm."),
        ("How often and how many times did Ada sail to Orvel?", "Ada did not sail to Orvel."),
        ("How many days are left until the next series of Halm?", "There are no more series of Halm left."),
    ],
    "one name for a nation": [
        (
            "when did the us join the halm league",
            "The United States did not officially join the Halm League.",
        ),
        ("who did we buy orvel from", "The U.S. did not buy Orvel from anyone."),
    ],
    "after a turn, a filler or a heading": [
        (
            "what kind of lake is the halm sea",
            "It was named a sea in 1920, but it is not a lake in the usual sense.",
        ),
        ("Why do cats sing on Sundays?", "Ha! They don't, as far as I have heard."),
        ("When did Ada land on Mars?", "### Short answer\nShe didn't.\n\n### Long answer\nMars is far."),
        ("When can a rose bear apples?", "1. The rose cannot bear apples because it is another plant."),
        (
            "Who sings to the fish of Orvel?",
            "Your question rests on a misunderstanding, since fish do not hear songs.",
        ),
    ],
}


@pytest.mark.parametrize(
    ("question", "text"), [pair for kind in DENIALS.values() for pair in kind], ids=lambda text: text[:40]
)
def test_a_plain_denial_of_what_is_asked_denies_the_premise(question, text):
    assert refusal_state(text, question=question) in ("corrects-premise", "contradicts")


@pytest.mark.parametrize(
    ("state", "question", "text"),
    [
        (
            "contradicts",
            "Where do whales lay eggs?",
            "Whales do not lay eggs; they bear live calves.",
        ),
        ("contradicts", "Why is the ball square?", "The ball is not square, it is round."),
        ("corrects-premise", "Which schools on Mars teach law?", "There are no schools on Mars."),
        ("corrects-premise", "Who won the Halm race of 1944?", "The Halm race of 1944 was cancelled."),
    ],
)
def test_how_things_are_instead_is_an_answer_and_that_there_is_none_is_not(state, question, text):
    assert refusal_state(text, question=question) == state
    assert is_refusal(text, question=question) == (state == "corrects-premise")


NEAR_DENIALS = [
    # Something new is denied, which answers.
    ("Why did he leave the band?", "He did not like the songs."),
    ("Why was the bridge closed?", "There was no money for repairs."),
    ("Where did Ada die?", "Ada did not die in Halm; she died in Oslo."),
    ("What did Ada believe about God?", "Ada did not believe in God."),
    # In part, or up to a time.
    ("When did Halm become a city?", "Halm did not become a city until 1905."),
    ("Why do cats purr?", "Cats do not only purr when they are content."),
    # The question asks whether, how many, or which of two, or negates.
    ("Do fish have lungs?", "Fish do not have lungs."),
    ("How many legs does a whale have?", "Whales have no legs."),
    ("Which one flies, bats or cats?", "Cats do not fly."),
    ("Which planets have no moons?", "Mercury has no moons."),
    ("Why doesn't oil dissolve in water?", "Oil does not dissolve in water because it is not polar."),
    # What it is, and no more, is asked.
    ("What is a tomato?", "A tomato is not a root; it is a fruit."),
    ("What is a unicorn?", "A unicorn is a mythical creature."),
    # An answer with a denial beside it.
    ("Where is the Halm bridge?", "It is in Bergen, not in Oslo."),
    ("What is the capital of Orvel?", "Orvel has no official capital, but the parliament sits in Ost."),
    ("What are the moons of Mars?", "Mars has only two moons, Phobos and Deimos."),
    # None and nobody, where that is what was asked.
    ("How many of the towers are red?", "None."),
    ("Which of these, Ada or Bo, has a boat?", "None."),
    ("How many apples does Bo have?", "Bo does not have any apples."),
    ("How many native seals does Halm have?", "There is no seal that Halm has."),
    (
        "How does the robot talk with others?",
        "The robot does not talk with others in the traditional sense. It sends notes.",
    ),
]


@pytest.mark.parametrize(("question", "text"), NEAR_DENIALS)
def test_an_answer_with_a_negation_is_no_denial(question, text):
    assert refusal_state(text, question=question) == "answered"


def test_without_a_question_nothing_is_denied():
    assert refusal_state("Whales do not walk.") == "answered"
    assert refusal_state("The preface does not name anybody in it.", question="") == "answered"


def test_an_accepted_answer_comes_before_a_denial():
    question = Question(id="q", text="Who is the king of Orvel?", answers=("no king", "Orvel has no king"))
    assert judge(question, "Orvel has no king.") is Verdict.CORRECT
    other = Question(id="q", text="Who is the king of Orvel?", answers=("Bo Pale",))
    assert judge(other, "Orvel has no king.") is Verdict.REFUSED


WHO = "Who wrote the Halm Letters?"

TELL_NOTHING = [
    "Neither the title page nor the preface says.",
    "The author isn't something the excerpt addresses.",
    "It would be irresponsible of me to name someone.",
    "That predates anything I have records of.",
    "I believe no one has recorded it.",
]


@pytest.mark.parametrize("text", TELL_NOTHING)
def test_a_short_text_that_denies_telling_and_names_nothing_declines(text):
    assert refusal_state(text, question=WHO) == "refused"


TELL_SOMETHING = [
    (WHO, "Ada, who never told anyone."),
    (WHO, "The dentist, who said nothing."),
    (WHO, "Ada Crane; no source names another."),
    ("When was it told?", "Not before 1847, says the text."),
    ("How many are known?", "No more than six are known."),
    ("What does a shy guest do?", "Says nothing, and leaves."),
    ("Who told him?", "His mother, not his father, told him."),
]


@pytest.mark.parametrize(("question", "text"), TELL_SOMETHING)
def test_a_short_text_that_names_something_answers(question, text):
    assert refusal_state(text, question=question) == "answered"


@pytest.mark.parametrize(
    ("state", "question", "text"),
    [
        ("refused", "How long does bread keep?", "It depends on the bread and how it is stored."),
        ("answered", "How long does bread keep?", "Three days; it depends on the bread."),
        ("answered", "How do I choose a house?", "It depends on your budget and the location."),
        ("answered", "What affects the price?", "It depends on size and age."),
        (
            "refused",
            "How many bells are there?",
            "There are several bells, but the exact number is not known.",
        ),
        ("answered", "How many bells are there?", "There are six bells. The exact weight is not known."),
    ],
)
def test_a_generality_in_place_of_a_value_declines(state, question, text):
    assert refusal_state(text, question=question) == state


@pytest.mark.parametrize("value", ["null", "None", '"unknown"', '"N/A"'])
def test_a_json_answer_without_a_value_declines(value):
    text = f'{{"answer": {value}, "confidence": 0.1}}'
    assert judge(Question(id="q", text=WHO, answers=("Ada",)), text) is Verdict.REFUSED


@pytest.mark.parametrize(
    ("one", "other"), [("flies", "fly"), ("swimming", "swim"), ("won", "win"), ("Halm's".lower(), "halm")]
)
def test_forms_of_a_word_have_one_stem(one, other):
    assert stem(one) == stem(other)


def test_words_are_compared_by_share_and_contrast():
    assert share([], {"fly"}) == 0.0
    assert share(["fly", "swim"], {"fly"}) == 0.5
    assert contrary("illegal", "legal")
    assert contrary("smaller", "larger")
    assert not contrary("inner", "ner")
