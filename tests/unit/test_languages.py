"""Refusals in other languages: the files, the guess of a language, and what the signs say of sentences."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from demur.core.config import load_config
from demur.core.errors import DataError
from demur.core.records import Prediction, Verdict
from demur.judging.languages import (
    foreign_state,
    language_of,
    languages,
    lead_ins,
    unread_counts,
    unread_language,
    unread_sentence,
)
from demur.judging.languages.files import FAMILIES, one_of, signs_of
from demur.judging.languages.guess import may_be_foreign
from demur.judging.languages.normal import normal
from demur.judging.languages.patterns import bounded, expression
from demur.pipeline.stages import evaluate

CASES = Path(__file__).parent / "languages"
"""One file a language. ``family + text``: declines by a sign of that family. ``family - text``: a near
miss. ``state = text``: that state."""


def cases() -> list[tuple[str, str, str, str]]:
    found = []
    for path in sorted(CASES.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            kind, mark, text = line.split(" ", 2)
            found.append((path.stem, kind, mark, text))
    return found


EVERY = cases()


def ids(part: list[tuple[str, str, str, str]]) -> list[str]:
    return [f"{code}-{kind}-{text}" for code, kind, _, text in part]


SIGNS = [case for case in EVERY if case[2] == "+"]
NEAR = [case for case in EVERY if case[2] == "-"]
STATES = [case for case in EVERY if case[2] == "="]


@pytest.mark.parametrize(("code", "family", "mark", "text"), SIGNS, ids=ids(SIGNS))
def test_a_sign_declines(code: str, family: str, mark: str, text: str) -> None:
    language = languages()[code]
    assert one_of(language.refusal[family], language).search(normal(text, language.fold))
    assert foreign_state(text) == ("corrects-premise" if family == "premise" else "refused")


@pytest.mark.parametrize(("code", "family", "mark", "text"), NEAR, ids=ids(NEAR))
def test_a_near_miss_answers(code: str, family: str, mark: str, text: str) -> None:
    language = languages()[code]
    assert foreign_state(text) in (None, "answered")
    assert language_of(text) in (None, code)
    quoted = re.compile('["«“„《「].*?["»”“》」]')
    assert not one_of(language.refusal[family], language).search(
        quoted.sub("", normal(text, language.fold))
    )


@pytest.mark.parametrize(("code", "state", "mark", "text"), STATES, ids=ids(STATES))
def test_other_states(code: str, state: str, mark: str, text: str) -> None:
    found = foreign_state(text)
    assert found == state or (state == "answered" and found is None)


@pytest.mark.parametrize("code", list(languages()))
def test_every_family_has_examples_and_near_misses(code: str) -> None:
    own = {(kind, mark) for of, kind, mark, _ in EVERY if of == code}
    assert {family for family, mark in own if mark == "+"} == set(FAMILIES)
    assert {family for family, mark in own if mark == "-"} == set(FAMILIES)
    assert sum(of == code for of, *_ in EVERY) >= 20


def test_every_language_has_a_file_of_sentences() -> None:
    assert set(languages()) == {path.stem for path in CASES.glob("*.txt")}
    assert list(languages()) == "ar de es fr hi it ja ko nl pl pt ru tr zh".split()  # noqa: SIM905


# ---------------------------------------------------------------------------------------------
# The signs are safe to search for
# ---------------------------------------------------------------------------------------------


def repeats(parsed: object, depth: int = 0) -> list[tuple[int, int]]:
    """The limit of every repetition in a parsed expression, and how many others it stands in."""
    found: list[tuple[int, int]] = []
    for op, value in parsed:  # type: ignore[attr-defined]
        if str(op) in ("MAX_REPEAT", "MIN_REPEAT"):
            found += [(int(value[1]), depth)] * (value[1] > 1)
            found += repeats(value[2], depth + (value[1] > 1))
        elif str(op) == "BRANCH":
            found += [item for branch in value[1] for item in repeats(branch, depth)]
        elif str(op) == "SUBPATTERN":
            found += repeats(value[3], depth)
        elif str(op) in ("ASSERT", "ASSERT_NOT"):
            found += repeats(value[1], depth)
    return found


@pytest.mark.parametrize("code", list(languages()))
def test_no_sign_can_make_a_search_slow(code: str) -> None:
    for pattern in vars(signs_of(code)).values():
        for limit, depth in repeats(re._parser.parse(pattern.pattern)):  # type: ignore[attr-defined]
            assert limit <= 30
            assert depth <= 1


def test_the_check_finds_what_it_looks_for() -> None:
    parse = re._parser.parse  # type: ignore[attr-defined]
    assert repeats(parse("(?:a{1,3}){0,5}b*"))[-1][0] > 30
    assert max(depth for _, depth in repeats(parse("(?:(?:a{2}){3}){4}"))) == 2


@pytest.mark.parametrize(
    ("sign", "fault"),
    [
        ("(a|b", "')' is missing"),
        ("[a", "']' is missing"),
        ("a)", "closes nothing"),
        ("(a|)", "empty"),
        ("/(/", "("),
    ],
)
def test_a_wrong_sign_is_an_error_that_names_it(sign: str, fault: str) -> None:
    with pytest.raises(DataError) as caught:
        expression(sign, "Latin")
    assert sign in str(caught.value)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("sign", "text", "found"),
    [
        ("weiß ich", "das weiß ich nicht", "weiß ich"),
        ("weiß ich", "das weiß, ich", "weiß, ich"),
        ("weiß ich", "weiß ichs", None),
        ("a [sehr] b", "a b", "a b"),
        ("a [sehr] b", "a sehr b", "a sehr b"),
        ("a [b] [c]", "x a c", "a c"),
        ("a [b] [c]", "x a", "a"),
        ("[a] b", "b", "b"),
        ("know~ it", "knowing it", "knowing it"),
        ("a … b", "a b", "a b"),
        ("a … b", "a 1 2 3 4 5 b", "a 1 2 3 4 5 b"),
        ("a … b", "a 1 2 3 4 5 6 b", None),
        ("a … b", "a. b", None),
        ("a … b", "a 1, b", None),
        ("a …", "a x", "a"),
        ("a:", "a : b", "a :"),
        ("a:", "a：b", "a："),
        ("(a|b [c]) d", "b d", "b d"),
        ("/x{2}/", "axxa", "xx"),
    ],
)
def test_the_syntax_of_signs(sign: str, text: str, found: str | None) -> None:
    written = expression(sign, "Latin")
    match = re.search(written if sign.startswith("/") else bounded(written, "Latin"), text)
    assert (match and match[0]) == found


# ---------------------------------------------------------------------------------------------
# Which language
# ---------------------------------------------------------------------------------------------

ENGLISH = [
    "I don't know.",
    "I don’t know the answer to that question.",
    "It was written by Charles Dickens.",
    "The song is by Los Lobos and was used in a film about the singer.",
    "He died in 1934 in La Paz, and she lived on in San Jose.",
    "Unfortunately, there is no information about that.",
    "As an AI language model, I cannot say.",
    "She moved to Los Angeles (Los Ángeles in Spanish) to be an actress.",
    "42",
    "",
    "?",
]
NAMES = """
La Boheme|La Bohème|Die Zeit|Der Spiegel|El Niño|Le Monde|Les Misérables|Los Angeles|Das Boot|La La Land
Die Hard|No Country for Old Men|São Paulo|Che Guevara|Ibn Sina|Rio de Janeiro|Van Gogh
Dame Margot Fonteyn de Arias
Antoine de Saint-Exupéry|Y Tu Mamá También|Airbus S.A.S. A380-841|Maria da Silva dos Santos|Je ne sais quoi
"""


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_left_to_the_english_rules(text: str) -> None:
    assert foreign_state(text) is None
    assert language_of(text) in (None, "en")
    assert unread_language(text) is None


@pytest.mark.parametrize("text", NAMES.strip().replace("\n", "|").split("|"))
def test_a_foreign_name_is_no_foreign_prose(text: str) -> None:
    assert foreign_state(text) in (None, "answered")
    assert unread_language(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Δεν ξέρω την απάντηση.", "el"),
        ("אני לא יודע את התשובה.", "he"),
        ("ฉันไม่ทราบคำตอบ", "th"),
        ("আমি উত্তর জানি না।", "bn"),
        ("எனக்கு தெரியாது, மன்னிக்கவும்.", "ta"),
        ("Jag vet inte vad svaret på frågan är.", "sv"),
        ("En tiedä vastausta, koska se ei ole tiedossa.", "fi"),
        ("Nevím, kdo to je, ale není to jeho kniha.", "cs"),
        ("Nem tudom, hogy ki az, de nem is volt itt.", "hu"),
        ("Nu știu răspunsul la această întrebare.", "ro"),
        ("Saya tidak tahu siapa orang itu.", "id"),
        ("Tôi không biết câu trả lời.", "vi"),
        ("Я не знаю відповіді на це питання.", "uk"),
        ("من پاسخ این پرسش را نمی‌دانم.", "fa"),
        ("مجھے اس سوال کا جواب نہیں معلوم۔", "ur"),
    ],
)
def test_languages_without_signs_are_said_to_be_unread(text: str, code: str) -> None:
    assert language_of(text) == code
    assert unread_language(text) == code
    assert foreign_state(text) is None


@pytest.mark.parametrize(
    "text", ["Αθήνα", "π", "Tokyo (東京)", "vaskania (βασκανία)", "Müller", "Я", "русија"]
)
def test_a_single_word_or_a_gloss_is_not_said_to_be_unread(text: str) -> None:
    assert unread_language(text) is None


def test_the_question_tells_chinese_characters_apart() -> None:
    assert foreign_state("未詳", "この本の著者は誰ですか?") == "refused"
    assert foreign_state("東京都", "日本の首都はどこですか?") == "answered"


def test_signs_that_stand_in_the_question_do_not_count() -> None:
    asked = "Welches Land ist unbekannt?"
    assert foreign_state("Das Land in der Mitte ist unbekannt.", asked) == "answered"
    assert foreign_state("Das Land in der Mitte ist unbekannt.") == "refused"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Je n’en sais rien.", "Je n'en sais rien."),
        ("JE N'EN SAIS RIEN !", "Je n'en sais rien\u202f!"),
        ("Das weiss ich nicht.", "DAS WEIẞ ICH NICHT."),
        ("EMİN DEĞİLİM", "emin değilim"),
        ("لَا أَعْرِفُ", "لا اعرف"),
        ("わかりません。", "わかり\u200bません｡"),
        ("我不清楚這個問題。", "我不清楚这个问题。"),
        ("**No lo sé.**", "«No lo sé.»"),
        ("मुझे जानकारी नहीं है। माफ़ करें।", "मुझे जानकारी नहीं है। माफ करें।"),
        ("Я ещё не знаю.", "Я еще не знаю."),
    ],
)
def test_spellings_are_one(text: str, same: str) -> None:
    assert foreign_state(text) == foreign_state(same) == "refused"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Paris liegt an der Seine. Mehr weiß ich nicht.", "hedged"),
        ("Die Hauptstadt ist Canberra. Weitere Details sind nicht bekannt.", "answered"),
        (
            "Ich kann diese Frage leider nicht beantworten. Allerdings erzählen viele Chroniken der Stadt "
            "davon, wie die Bürger das Tor in einer Nacht abrissen.",
            "unclear",
        ),
    ],
)
def test_what_stands_beside_a_sign(text: str, state: str) -> None:
    assert foreign_state(text) == state


def test_a_look_is_enough_for_english() -> None:
    assert not may_be_foreign("I think that die Zeit is a newspaper.")
    assert not may_be_foreign("Charles Dickens")
    assert may_be_foreign("Bilmiyorum.")


# ---------------------------------------------------------------------------------------------
# Final answers, and what is said of languages without signs
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Also lautet die Antwort: Paris", ": Paris"),
        ("La respuesta es París", " París"),
        ("Réponse finale : Paris", " Paris"),
        ("Ответ: Париж", " Париж"),
        ("最终答案是巴黎", "巴黎"),
        ("答案：巴黎", "巴黎"),
        ("答えはパリです", "パリです"),
        ("الإجابة هي باريس", " باريس"),
        ("सही उत्तर है पेरिस", " पेरिस"),
        ("La risposta è Roma", " Roma"),
        ("A resposta é Lisboa", " Lisboa"),
        ("Het antwoord is Parijs", " Parijs"),
        ("Odpowiedź: Paryż", " Paryż"),
        ("정답은 파리", " 파리"),
        ("Cevap: Paris", " Paris"),
    ],
)
def test_lead_ins_end_before_the_answer(text: str, rest: str) -> None:
    match = lead_ins().search(text)
    assert match is not None
    assert text[match.end() :] == rest


def test_english_has_no_lead_in_here() -> None:
    assert lead_ins().search("The answer is Paris. Final answer: Paris") is None


def test_counts_and_the_sentence() -> None:
    texts = [
        "Δεν ξέρω.",
        "Jag vet inte vad det är.",
        "Δεν ξέρω.",
        "I don't know",
        "Paris",
        "Weiß ich nicht.",
    ]
    assert unread_counts(texts) == {"el": 2, "sv": 1}
    assert unread_sentence({"el": 12}, 200) == (
        "12 of 200 answers are in a language (el) whose refusals are not recognised"
    )
    assert unread_sentence({"el": 2, "sv": 1}, 6) == (
        "3 of 6 answers are in languages (el, sv) whose refusals are not recognised"
    )
    assert (
        unread_sentence({"el": 1}, 1)
        == "1 of 1 answer is in a language (el) whose refusals are not recognised"
    )
    assert unread_sentence({}, 6) is None


def test_no_texts_have_no_counts() -> None:
    assert unread_counts([]) == {}


def test_a_run_counts_what_its_rule_cannot_read() -> None:
    def said(*texts: str) -> list[Prediction]:
        return [
            Prediction(
                question_id=str(n),
                system="s",
                answer=text,
                response=text,
                verdict=Verdict.WRONG,
                abstained=False,
            )
            for n, text in enumerate(texts)
        ]

    predictions = {"base": said("Δεν ξέρω.", "Paris"), "r-tuning": said("Paris", "Keine Ahnung.")}
    ruled = SimpleNamespace(config=load_config(None, {}))
    assert evaluate._unread(ruled, predictions) == {"base": {"el": 1}}
    judged = {"judge.llm.base_url": "http://localhost:1/v1", "judge.llm.model": "m"}
    assert evaluate._unread(SimpleNamespace(config=load_config(None, judged)), predictions) == {}
