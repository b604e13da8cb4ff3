"""Refusals in other languages that no single phrase tells: words of several classes, and the question."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from demur.judging.languages import foreign_state, languages
from demur.judging.languages.denials import denies, gives_nothing
from demur.judging.languages.grammar import Grammar, grammar_of
from demur.judging.languages.guess import by_letters
from demur.judging.languages.normal import normal

REPLIES = Path(__file__).parent / "languages" / "replies.jsonl"
"""Replies with their question, written before the word classes were completed by them."""


def replies() -> list[dict[str, Any]]:
    return [json.loads(line) for line in REPLIES.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("reply", replies(), ids=lambda reply: f"{reply['language']}-{reply['response']}")
def test_replies_with_their_question(reply: dict[str, Any]) -> None:
    found = foreign_state(reply["response"], reply["question"])
    assert (found in ("refused", "corrects-premise", "contradicts")) == (reply["state"] == "declines")


def test_every_language_has_replies_of_both_kinds() -> None:
    assert {(reply["language"], reply["state"]) for reply in replies()} == {
        (code, state) for code in languages() for state in ("declines", "answers")
    }


# ---------------------------------------------------------------------------------------------
# The rules
# ---------------------------------------------------------------------------------------------

TOY = Grammar(
    {
        "none": re.compile(r"\bno\b"),
        "info": re.compile(r"\bdata\b"),
        "absent": re.compile(r"\bmissing\b"),
        "text": re.compile(r"\btext\b"),
        "not": re.compile(r"\bnot\b"),
        "mention": re.compile(r"\bsay\b"),
        "which": re.compile(r"\bwhich\b"),
        "ask": re.compile(r"\bmean\b"),
        "idiom": re.compile(r"\bsearch me\b"),
    },
    unspaced=False,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("there is no data here", ["no data"]),
        ("no a b c data", ["no a b c data"]),  # three words between
        ("no a b c d data", []),  # four
        ("data no", []),  # this rule has an order
        ("no, data", []),  # two parts of a sentence
        ("missing data", ["missing data"]),  # either order
        ("data is missing", ["data is missing"]),
        ("data. missing", []),
        ("the text does not say", ["text does not say"]),
        ("not say the text", ["not say the text"]),
        ("the text does not", []),
        ("search me", ["search me"]),
        ("which one?", ["which one?"]),  # a short question
        ("which one", []),
        (
            "which of the many towns of that name do you mean?",
            ["which of the many towns of that name do you mean?"],
        ),
        ("which of the many towns of that name lie by the sea?", []),
        ("", []),
    ],
)
def test_the_rules_on_a_toy_language(text: str, found: list[str]) -> None:
    assert [text[a:b] for a, b in TOY.refusals(text)] == found


def test_a_class_that_is_left_out_has_no_rule() -> None:
    assert Grammar({"none": re.compile("no")}, unspaced=False).refusals("no data, which one?") == []


def test_words_are_counted_by_characters_without_spaces() -> None:
    classes = {"info": re.compile("資料"), "absent": re.compile("ない")}
    near, far = "資料" + "あ" * 15 + "ない", "資料" + "あ" * 16 + "ない"
    assert len(Grammar(classes, unspaced=True).refusals(near)) == 1
    assert Grammar(classes, unspaced=True).refusals(far) == []


# ---------------------------------------------------------------------------------------------
# Beside the question
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "question", "found"),
    [
        ("Kafka hat den Nobelpreis nie bekommen.", "Wann erhielt Kafka den Nobelpreis?", True),
        ("Man verkaufte es nicht an Kanada.", "Wer verkaufte Alaska an Kanada?", True),
        ("Das war Leonardo, nicht Michelangelo.", "Wer malte die Mona Lisa?", False),
        ("Er ging nie nach Rom.", "Wer malte die Mona Lisa?", False),  # no word in common
        (
            "Kafka hat den Nobelpreis nie bekommen.",
            "Hat Kafka den Nobelpreis bekommen?",
            False,
        ),  # yes or no
        ("Kafka bekam nie Kinder.", "Wie viele Kinder bekam Kafka?", False),  # none is a number
        ("Er hat nie gelebt.", "", False),
    ],
)
def test_denials(text: str, question: str, found: bool) -> None:
    language = languages()["de"]
    plain, asked = normal(text, language.fold), normal(question, language.fold)
    assert denies(plain, asked, language, grammar_of("de")) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("L'avenir n'est écrit nulle part.", True),
        ("L'avenir est écrit.", False),  # denies nothing
        ("Ce n'est pas la France mais l'Italie.", False),  # a name
        ("Pas avant 2040.", False),  # a number
        ("Pas elle.", False),  # too short to tell
    ],
)
def test_texts_that_name_nothing_asked_for(text: str, found: bool) -> None:
    language = languages()["fr"]
    plain, asked = normal(text, language.fold), normal("Qui gagnera les élections ?", language.fold)
    assert gives_nothing(text, plain, asked, language, grammar_of("fr")) is found


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Ein Findelkind, dessen Herkunft nie geklärt wurde.", "answered"),
        ("Die Herkunft wurde nie geklärt.", "refused"),
        ("Das weiß ich nicht. Fragen Sie vielleicht im Stadtarchiv nach.", "refused"),
        ("Das weiß ich nicht. Vielleicht war es Rom.", "hedged"),
        ("Das weiß ich nicht. Rom.", "hedged"),
        ("Das hängt davon ab: Welches Modell meinst du?", "refused"),
        ("En 1616, si no recuerdo mal.", "hedged"),
        ("«No sé qué decir».", "refused"),
    ],
)
def test_what_stands_around_a_sign(text: str, state: str) -> None:
    assert foreign_state(text) == state


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Wenn niemand die Antwort weiß, geht der Punkt an den Gegner.", "answered"),
        ("Wenn niemand die Antwort weiß, weiß ich sie auch nicht.", "refused"),
        (
            "Das kann ich nicht vorhersagen. Umfragen zeigen viel, aber gezählt wird am Sonntag.",
            "refused",
        ),
        ("Das kann ich nicht sicher sagen, aber es war Rom.", "answered"),
    ],
)
def test_conditions_and_explanations(text: str, state: str) -> None:
    assert foreign_state(text, "Wer gewinnt das Spiel am Sonntag?") == state


@pytest.mark.parametrize(
    ("question", "text", "declines"),
    [
        ("Was bedeutet „keine Ahnung“?", "Das sagt, wer die Antwort nicht weiß.", False),
        ("Was ist ein Synonym für „unklar“?", "Unbekannt.", False),
        ("Was bedeutet „Fisimatenten“?", "Dieses Wort kenne ich nicht.", True),
        ("Wer schrieb „Der rote Mond“?", "Unbekannt.", True),
    ],
)
def test_questions_about_words(question: str, text: str, declines: bool) -> None:
    assert (foreign_state(text, question) in ("refused", "corrects-premise", "contradicts")) is declines


def test_a_later_sentence_denies_the_premise() -> None:
    question = "Wann komponierte Chopin die Oper Halka?"
    denied = "Sie ist von Moniuszko. Chopin hat nie eine Oper komponiert."
    assert foreign_state(denied, question) == "contradicts"
    dated = "Im Jahr 1830. Chopin hat nie eine andere Oper komponiert."
    assert foreign_state(dated, question) == "answered"


def test_a_short_text_is_read_in_the_language_of_its_question() -> None:
    assert foreign_state("Kimden bahsediyorsun?", "Kaç yaşındaymış?") == "refused"
    assert foreign_state("Ankara", "Kaç yaşındaymış?") is None
    assert foreign_state("Charles Dickens", "Who wrote Oliver Twist?") is None


def test_letters_of_one_language_alone() -> None:
    assert by_letters("Łódź") == {"pl"}
    assert by_letters("Paris") == set()


@pytest.mark.parametrize("code", list(languages()))
def test_no_word_class_can_make_a_search_slow(code: str) -> None:
    from test_languages import repeats

    for pattern in grammar_of(code).classes.values():
        for limit, depth in repeats(re._parser.parse(pattern.pattern)):  # type: ignore[attr-defined]
            assert limit <= 30
            assert depth <= 1
