"""The texts of R-Tuning, character by character."""

from demur.core.templates import TEMPLATES

QUESTION, ANSWER = "What field does Alan Turing work in?", "logic"
CERTAINTY = "Are you sure you accurately answered the question based on your internal knowledge?"


def test_the_family_of_the_released_code():
    template = TEMPLATES["r-tuning-code"]
    row = template.ask(QUESTION) + template.certainty(ANSWER) + template.label(True)
    assert row == f"Question: {QUESTION} Answer: logic. {CERTAINTY} I am sure."
    assert template.ask(QUESTION) + template.answered(ANSWER) == f"Question: {QUESTION} Answer: logic."


def test_the_family_of_the_paper():
    template = TEMPLATES["r-tuning-paper"]
    row = template.ask(QUESTION) + template.certainty(ANSWER) + template.label(False)
    assert row == f"Q: {QUESTION}, A: logic. {CERTAINTY} I am unsure."


def test_an_answer_that_ends_in_a_full_stop_gets_no_second_one():
    template = TEMPLATES["r-tuning-code"]
    assert template.certainty("Washington D.C.").startswith(" Washington D.C. Are you sure")
    assert template.answered("Washington D.C.") == " Washington D.C."


def test_braces_in_a_question_are_text():
    assert TEMPLATES["r-tuning-code"].ask("What is {x} or {question}?") == (
        "Question: What is {x} or {question}? Answer:"
    )
