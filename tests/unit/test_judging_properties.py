"""Properties of judging that hold for any text."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from demur.core.records import Question, Verdict
from demur.judging import JUDGES, clean_answer, extract, is_refusal, judge
from demur.judging.containment import contains_words
from demur.judging.dates import other_dates
from demur.judging.normalise import normalise, spaced
from demur.judging.numbers import other_numbers
from demur.judging.refusal_words import R_TUNING_PHRASES

settings.register_profile("no-clock", deadline=None, max_examples=60)
settings.load_profile("no-clock")

TEXT = st.text(max_size=30)
WORD = st.text(alphabet="abcdefgh", min_size=2, max_size=8)
NAME = st.lists(WORD, min_size=1, max_size=3).map(" ".join)
RULES = st.sampled_from(JUDGES.names())


def ask(*answers: str, **more) -> Question:
    return Question(id="q", text="Which one?", answers=answers, **more)


@given(TEXT, st.lists(TEXT, max_size=3), RULES, st.booleans())
def test_any_text_gets_a_verdict(text, answers, rule, answerable):
    verdict = judge(ask(*answers, answerable=answerable), text, rule=rule)
    assert verdict in Verdict
    if not answerable:
        assert (verdict is Verdict.UNSCORED) == (extract(text, question=ask().text).answer is None)


@given(TEXT)
def test_the_normal_form_is_words_with_single_spaces(text):
    normal = normalise(text)
    assert normal == " ".join(normal.split())
    assert not set(normal) & set(',;:!?()[]{}"*/\\|<>=~^&$%@')
    assert len(spaced(normal)) == len(normal)


@given(NAME, st.sampled_from(["({})", "{}!", '"{}"', " {}; ", "“{}”", "{},", "¿{}?"]))
def test_punctuation_and_case_do_not_matter(name, form):
    assert normalise(form.format(name.upper())) == normalise(name)


@given(NAME)
def test_the_answer_itself_is_right(name):
    for rule in ("contains-words", "contains", "exact", "raw-exact", "token-f1"):
        assert judge(ask(name), name, rule=rule) is Verdict.CORRECT


@given(
    NAME,
    st.lists(st.sampled_from(["xx", "yyy", "zz"]), max_size=3),
    st.lists(st.sampled_from(["xx", "zz"])),
)
def test_words_around_an_answer_leave_it_right(name, before, after):
    text = " ".join([*before, name, *after])
    assert judge(ask(name), text) is Verdict.CORRECT
    assert judge(ask(name), text.upper() + "!") is Verdict.CORRECT


@given(NAME, st.sampled_from(list("abc019_-")), st.booleans())
def test_an_answer_within_a_longer_word_is_not_found(name, letter, in_front):
    longer = f"{letter}{name}" if in_front else f"{name}{letter}"
    found = contains_words(normalise(longer), name)
    # A joiner at the end of a word is punctuation; between words it would bind them.
    assert found == (letter in "_-")


@given(st.integers(0, 9999), st.integers(0, 9999))
def test_a_number_is_found_only_as_the_whole_number(wanted, given_number):
    verdict = judge(ask(str(wanted)), f"In {given_number}, they say")
    assert (verdict is Verdict.CORRECT) == (wanted == given_number)


@given(NAME, NAME)
def test_an_alias_can_only_help(name, alias):
    if judge(ask(name), alias) is Verdict.CORRECT:
        assert judge(ask(name, "zzz"), alias) is Verdict.CORRECT
    assert judge(ask(name, alias), alias) is Verdict.CORRECT


@given(st.sampled_from(R_TUNING_PHRASES), st.sampled_from(["", "Sorry, ", "Unfortunately, "]))
def test_phrases_stay_refusals_after_politeness(phrase, start):
    assert is_refusal(start + phrase)
    assert is_refusal(start + phrase.upper())
    assert judge(ask("Paris"), start + phrase) is Verdict.REFUSED


@given(NAME)
def test_a_refusal_then_the_answer_is_right(name):
    assert judge(ask(name), f"I'm not sure, but I think it is {name}") is Verdict.CORRECT


@given(TEXT)
def test_cleaning_keeps_a_start_of_the_text(text):
    answer = clean_answer(text)
    assert text.strip().startswith(answer)
    assert answer == answer.strip()


@given(TEXT.filter(lambda text: "." not in text and "\n" not in text.strip()))
def test_cleaning_text_without_a_stop_keeps_every_character(text):
    assert clean_answer(text) == text.strip()


@given(st.integers(0, 3), st.sampled_from(["{}", "{}.", "({})", "{})", "Answer: {}", "**{}**"]))
def test_a_letter_picks_its_option_and_no_other(index, form):
    text = form.format("ABCD"[index])
    for accepted in range(4):
        question = ask("ABCD"[accepted], choices=("red", "green", "blue", "white"))
        assert (judge(question, text) is Verdict.CORRECT) == (accepted == index)


DAYS = st.dates(min_value=date(1000, 1, 1), max_value=date(2999, 12, 31))
NUMBERS = st.one_of(
    st.integers(0, 150),
    st.integers(0, 10**12),
    st.builds(lambda n, scale: n * 10**scale, st.integers(1, 999), st.integers(2, 9)),
)


@given(DAYS, DAYS)
def test_no_way_to_write_a_date_is_another_date(day, other):
    written = f"{day.day} {day:%B} {day.year}"
    for text in other_dates(f"{other:%Y-%m-%d}"):
        expected = Verdict.CORRECT if day == other else Verdict.WRONG
        assert judge(ask(written), f"It was {text}, they say.") is expected


@given(NUMBERS, NUMBERS)
def test_no_way_to_write_a_number_is_another_number(number, other):
    for text in (f"{other:,}", *other_numbers(str(other))):
        expected = Verdict.CORRECT if number == other else Verdict.WRONG
        assert judge(ask(str(number)), f"There were {text} of them.") is expected
