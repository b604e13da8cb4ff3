"""The kinds that the default rule tells apart: right in other words, wrong though the gold stands there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demur.core.records import Question, Verdict
from demur.judging import judge
from demur.judging.choice import pick
from demur.judging.dates import Day, mentions
from demur.judging.polarity import polarity
from demur.judging.units import quantity

C, W = Verdict.CORRECT, Verdict.WRONG
LABELS = Path(__file__).parents[1] / "data/judging_labels.jsonl"


def ask(text: str, *answers: str) -> Question:
    return Question(id="q", text=text, answers=answers)


CASES = [
    ("Who discovered the comet?", ("Maria Sofia Lund",), "Maria Lund", C),
    ("Who discovered the comet?", ("Maria Lund",), "Maria S. Lund discovered it in 1801.", C),
    ("Who discovered the comet?", ("Elizabeth Marrow",), "Betty Marrow", C),
    ("Who discovered the comet?", ("Robert Quill",), "Bob Quill", C),
    ("Who discovered the comet?", ("Robert Quill",), "Bob Quilt", W),
    ("Who discovered it?", ("Jonathan Reeve",), "Jon Reeve", C),
    ("Who plays Ada?", ("Thomas Alan Breck",), "Tom Breck", C),
    ("Who plays Ada?", ("Thomas Breck",), "Thomas Becket", W),
    ("Where do eels spawn?", ("in the Sargasso Sea",), "Sargasso Sea", C),
    ("Where do eels spawn?", ("in the Sargasso Sea",), "the Sargasso", W),
    ("Where is the mint?", ("near the old harbour in Velm",), "old harbour, Velm", C),
    ("What may be sold?", ("the tickets",), "ticket", C),
    ("Where does the word come from?", ("France",), "French", C),
    ("Where does the dish come from?", ("Portugal",), "It is Portuguese.", C),
    ("What nationality is she?", ("Danish",), "Denmark", C),
    ("Which state?", ("Georgia",), "Georgia Tech", W),
    ("Which state?", ("Washington",), "Washington Monument", W),
    ("In which city?", ("Paris",), "Paris Hilton", W),
    ("Which city?", ("Cambridge",), "Cambridge University Press", W),
    ("Which country?", ("Niger",), "Nigeria", W),
    ("Which country?", ("Guinea",), "Papua New Guinea", W),
    ("What is the capital?", ("London",), "London Bridge", W),
    ("Which island?", ("Jersey",), "New Jersey", W),
    ("Which river?", ("Delaware",), "Delaware County Community College", W),
    ("Which company?", ("Apple",), "Apple Records", W),
    ("Which planet?", ("Mars",), "Mars Bar", W),
    ("Which chapter?", ("Chapter 9",), "Chapter 12", W),
    ("Which route?", ("Route 66",), "Route 6", W),
    ("Which psalm?", ("Psalm 23",), "Psalm 32", W),
    ("When did it open?", ("12 June 1903",), "June 21, 1903", W),
    ("When did it open?", ("June 1903", "1903"), "July 1903", W),
    ("When did it open?", ("1903",), "in the spring of 1903", C),
    ("When did it open?", ("12 June 1903",), "1903", W),
    ("When did it open?", ("June 1903",), "12 June 1903", C),
    ("When did it open?", ("12/06/1903",), "12 June 1903", W),
    ("When did it open?", ("June 12",), "12th of June", C),
    ("When?", ("the second Tuesday of May",), "the second Tuesday in May", C),
    ("When?", ("the second Tuesday of May",), "the first Tuesday in May", W),
    ("How many?", ("2",), "two", C),
    ("How many?", ("2",), "Two.", C),
    ("How many?", ("0",), "zero", C),
    ("How many?", ("0",), "none", C),
    ("Cost?", ("$12",), "12 dollars", C),
    ("Cost?", ("12 euros",), "€12", C),
    ("Cost?", ("1,200",), "$1,200.00", C),
    ("Cost?", ("1200",), "1 200 kr", C),
    ("Share?", ("12.5%",), "12.5 percent", C),
    ("Share?", ("30 per cent",), "30 %", C),
    ("Weight?", ("5 kg",), "five kilograms", C),
    ("Weight?", ("5 kilograms",), "5kg", C),
    ("Speed?", ("60 mph",), "60 miles per hour", C),
    ("Height?", ("8,848 m",), "8848 metres", C),
    ("Height?", ("8,848 m",), "8,848 feet", W),
    ("Population?", ("1,234,567",), "1.23 million", C),
    ("Population?", ("1,234,567",), "about 1.2 million", C),
    ("Population?", ("1,234,567",), "1.3 million", W),
    ("Population?", ("1,234,567",), "1, 234, 567", C),
    ("Ratio?", ("3.14",), "3 .14", C),
    ("Ratio?", ("3.14",), "3. 14", C),
    ("Title?", ('"Hello, World"',), "' Hello , World '", C),
    ("Title?", ("rock 'n' roll",), "rock n roll", C),
    ("Title?", ("O'Brien",), "O ' Brien", C),
    ("Which body?", ("World Health Organization",), "the WHO", C),
    ("Which body?", ("WHO",), "World Health Organization", C),
    ("Which body?", ("European Space Agency",), "ESA", C),
    ("Which body?", ("European Space Agency",), "ESO", W),
    ("Which body?", ("International Monetary Fund",), "IMF", C),
    ("Which country?", ("United States",), "USA", C),
    ("Which country?", ("United States of America",), "the US", C),
    ("Which country?", ("United Kingdom",), "UK", C),
    ("Which country?", ("USA",), "United States", C),
    ("Which country?", ("U.S.",), "the United States", C),
    ("Is it open?", ("yes",), "Yes, although no one comes.", C),
    ("Is it open?", ("no",), "No — yes, I am sure.", C),
    ("Is it open?", ("yes",), "No way, yes is wrong.", W),
    ("Is it open?", ("no",), "Yes", W),
    ("Is it open?", ("True",), "true", C),
    ("Is it open?", ("False",), "It is true.", W),
    ("Is it open?", ("no",), "It's not.", C),
    ("Is it open?", ("yes",), "I would say yes.", C),
    ("Is it open?", ("yes",), "Affirmative, no doubt.", C),
    ("Is it so?", ("no",), "Certainly not.", C),
    ("Is it so?", ("yes",), "yes", C),
    ("Is it so?", ("no",), "Yes! There is no way it is not.", W),
    ("Where was she born?", ("Oslo",), "Oslo, Bergen, Trondheim", W),
    ("Where was she born?", ("Oslo",), "Oslo / Bergen", W),
    ("Where was she born?", ("Oslo",), "Either Oslo or Bergen.", W),
    ("Where was she born?", ("Oslo",), "Oslo and Bergen", W),
    ("Where was she born?", ("Oslo",), "1. Oslo\n2. Bergen\n3. Rome", W),
    ("Where was she born?", ("Oslo",), "Bergen; Oslo; Rome; Paris", W),
    ("Where was she born?", ("Oslo",), "Possibly Oslo, maybe Bergen, perhaps Rome", W),
    ("Where was she born?", ("Oslo",), "Oslo, Norway", C),
    ("Which cities did she visit?", ("Oslo",), "Oslo, Bergen and Rome", C),
    ("Where was she born?", ("Oslo",), "She was born in Oslo, Bergen, or Rome.", W),
    ("Where was she born?", ("Oslo",), "Oslo or Bergen", W),
    ("Where was she born?", ("Oslo", "Kristiania"), "Oslo, or Kristiania", C),
    ("Name three rivers.", ("Rhine, Main, Elbe",), "Elbe, Rhine, Main", C),
    ("Who wrote it?", ("Ada Holm",), "Ada Holm, Ben Lund, Carl Moe, Dora Nes", W),
    ("What year?", ("1990",), "1990, 1991, 1992, 1993", W),
    ("What year?", ("1990",), "1989 or 1990", W),
    ("Which colour?", ("red",), "red, green, blue", W),
    ("Which colour?", ("red",), "red or blue", W),
    ("Which operator?", ("*",), "*", C),
    ("Which operator?", ("==",), "=", W),
    ("Which operator?", ("==",), "==", C),
    ("Language?", ("C++",), "C", W),
    ("Language?", ("F#",), "F", W),
    ("Sign?", ("%",), "%", C),
    ("Sign?", ("%",), "&", W),
    ("Sign?", ("€",), "€", C),
    ("Sign?", ("€",), "$", W),
    ("Sign?", ("→",), "->", W),
    ("Emoji?", ("🐱",), "🐶", W),
    ("Emoji?", ("🐱",), "The emoji is 🐱.", C),
    ("Sign?", ("!",), "!", C),
    ("Sign?", ("!",), "?", W),
    ("Sign?", ("-",), "-", C),
    ("Grade?", ("A+",), "A", W),
    ("Grade?", ("A+",), "A+", C),
    ("Şehir?", ("Iğdır",), "IĞDIR", C),
    ("Şehir?", ("Iğdır",), "ığdır", C),
    ("Şehir?", ("İzmir",), "izmir", C),
    ("Şehir?", ("İzmir",), "IZMIR", C),
    ("Πόλη;", ("Θεσσαλονίκη",), "ΘΕΣΣΑΛΟΝΙΚΗ", C),
    ("Πόλη;", ("Πειραιάς",), "ΠΕΙΡΑΙΑΣ", C),
    ("Кто?", ("Семён",), "Семен", C),
    ("Кто?", ("Пётр Чайковский",), "ПЕТР ЧАЙКОВСКИЙ", C),
    ("؟", ("الأردن",), "الاردن", C),
    ("؟", ("إيران",), "ايران", C),
    ("؟", ("آسيا",), "اسيا", C),
    ("Which band?", ("Motörhead",), "Mot\\u00f6rhead", C),
    ("Which band?", ("Motörhead",), "MotÃ¶rhead", C),
    ("Who?", ("Zoë Ångström",), "Zo&euml; &Aring;ngstr&ouml;m", C),
    ("Who?", ("José Núñez",), "Jos? N??ez", C),
    ("What did he invent?", ("the steam engine",), "steam engines", C),
    ("What is it used for?", ("measuring wind speed",), "to measure wind speed", C),
    ("When is the final?", ("December 2, 2019",), "December 9, 2019", W),
    ("How many goals?", ("no fewer than ten goals",), "ten goals", C),
    ("What is the cause?", ("a lack of iron in the blood",), "lack of iron", C),
    ("What is the cause?", ("a lack of iron in the blood",), "iron", W),
    ("Which tomb lies there?", ("the Tomb of the Kings",), "Tomb of Kings", C),
    ("How old is he?", ("45 years old",), "45", C),
    ("How old is he?", ("45 years old",), "54", W),
    ("Who founded it?", ("the monk Bruno",), "Bruno", C),
    ("Who rules?", ("King Harald V",), "Harald V", C),
    ("Who rules?", ("King Harald V",), "Harald IV", W),
    ("Who rules?", ("Queen Anne",), "Anne", C),
    ("In what century?", ("the 19th century",), "nineteenth century", C),
    ("In what century?", ("19th century",), "20th century", W),
    ("Which war?", ("the First World War",), "World War I", C),
    ("Where is it?", ("on the east coast of Iceland",), "the east coast", C),
    ("Who won?", ("the Brede Rovers",), "Brede Rovers FC", C),
    ("When?", ("the 1960s",), "1960s", C),
    ("When?", ("c. 1500",), "around 1500", C),
    ("When?", ("between 1510 and 1520",), "1510-1520", C),
    ("When did the dam burst?", ("April 9, 1902", "1902"), "April 11, 1902", W),
    ("When did the dam burst?", ("April 9, 1902", "1902"), "1902", C),
    ("When is market day?", ("the last Friday of June", "August"), "the first Friday of August", W),
    ("Who built the mill?", ("Anders Holt",), "Anders K. Holt", C),
    ("Who plays the nurse?", ("Margaret Louise Penn",), "Peggy Penn", C),
    ("Who plays the nurse?", ("Margaret Louise Penn",), "Maggie Penn plays the nurse.", C),
    ("Who sang?", ("Richard John Vale",), "Dick Vale", C),
    ("How many coins may be kept?", ("no more than nine coins",), "nine coins", C),
    ("Where do they train?", ("at Camp Elm in Nevada",), "Camp Elm, Nevada", C),
    ("Where do they train?", ("near Lake Orr in Finland",), "Lake Orr, Finland", C),
    ("Who may enter?", ("the members",), "members", C),
    ("Who may enter?", ("a nurse",), "nurses", C),
    ("Where does the tale come from?", ("Ireland",), "Irish", C),
    ("Where does it come from?", ("Wales",), "Welsh", C),
    ("Where is the tribe from?", ("Peru",), "Peruvian", C),
    ("What is the version?", ("4.7",), "4. 7", C),
    ("How many voters?", ("8,215,330",), "about 8.2 million", C),
    ("How many voters?", ("8,215,330",), "8.22 million", C),
    ("How many voters?", ("8,215,330",), "about 9.2 million", W),
    ("Who runs the trial?", ("Royal Astronomical Society",), "the RAS", C),
    ("Which league?", ("American Basketball Association",), "ABA", C),
    ("Which state?", ("Texas",), "Texas Christian University", W),
    ("Which state?", ("Utah",), "Utah State University", W),
    ("Which state?", ("Kansas",), "Kansas City", W),
    ("Which country?", ("Congo",), "Congo River", W),
    ("When is the vote?", ("March 4, 2020",), "March 14, 2020", W),
    ("Which rule?", ("Rule 12",), "Rule 21", W),
    ("Which room?", ("Room 101",), "Room 102", W),
    ("Who drew it?", ("Zoë Lindström",), "Zo\\u00eb Lindstr\\u00f6m", C),
    ("Who drew it?", ("D'Artagnan",), "D\\u2019Artagnan", C),
    ("Who drew it?", ("Renée Müller",), "RenÃ©e MÃ¼ller", C),
    ("How many?", ("0",), "There are none.", C),
    ("How many pens?", ("0",), "zero pens", C),
    ("Price?", ("20 pounds",), "£20", C),
    ("Price?", ("$3.50",), "3.50 dollars", C),
    ("Share?", ("7%",), "seven percent", C),
    ("Length?", ("2 metres",), "2 m", C),
    ("Price?", ("€100",), "100 euros", C),
    ("Price?", ("$100",), "100 euros", W),
    ("Is it?", ("yes",), "Yes", C),
    ("Is it?", ("no",), "Yes, it is. No doubt about it.", W),
    ("Is it?", ("yes",), "No. Yes, some say so.", W),
    ("Where?", ("Rome",), "Rome, Milan, Turin, Naples", W),
    ("Where?", ("Rome",), "It could be Rome, Milan or Turin.", W),
    ("Where?", ("Rome",), "Rome, Italy", C),
    ("Where?", ("Rome",), "Rome or Milan", W),
    ("Which metal?", ("zinc",), "zinc, lead, tin", W),
    ("Which metal?", ("zinc",), "zinc or lead", W),
    ("Who was it?", ("Ada Holm",), "Ada Holm or Ben Lund", W),
    ("Which symbol?", ("#",), "#", C),
    ("Which symbol?", ("#",), "@", W),
    ("Which language?", ("C++",), "C#", W),
    ("Which sign?", ("÷",), "÷", C),
    ("Which sign?", ("÷",), "×", W),
    ("Which emoji?", ("🎉",), "🎉", C),
    ("Şehir?", ("Kırıkkale",), "KIRIKKALE", C),
    ("Όνομα;", ("Σωκράτης",), "ΣΩΚΡΑΤΗΣ", C),
    ("Кто?", ("Алёна",), "Алена", C),
    ("؟", ("أسامة",), "اسامة", C),
    ("Who came third?", ("Rosa Lind",), "Rosa Lind, Ida Berg, Eva Holt, Ann Dahl", W),
    ("What is next?", ("Monday",), "Monday, Tuesday, Wednesday, Thursday", W),
]


@pytest.mark.parametrize(("question", "answers", "text", "verdict"), CASES)
def test_default_rule(question, answers, text, verdict):
    assert judge(ask(question, *answers), text) is verdict


CITIES = ("Lyon", "Paris", "Rome", "Oslo")


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ('{"answer": "B"}', 1),
        ("ANSWER: $B$", 1),
        ("The correct answer would be B.", 1),
        ("Die Antwort ist B.", 1),
        ("I think it's B.", 1),
        ("I choose B", 1),
        ("ANSWER: **B**", 1),
        ("Think: Rome is out.\n\nANSWER: B", 1),
        ("答案：B", 1),
        ("A and B", None),
        ("ANSWER: None of the above", None),
        ("ANSWER: AB", None),
        ("A or B", None),
        ("AB", None),
        ("a or b", None),
        ("A, B", None),
        ("A/B", None),
        ("Both A and C", None),
        ("Either A or B.", None),
        ("The answer is A or B", None),
        ("The answer is (A) and (B).", None),
        ("A, because B is wrong", 0),
        ("Not A, but B", 1),
        ("\\boxed{B}", 1),
        ("The answer is \\boxed{\\text{B}}.", 1),
        ("Let's see. A is Lyon. C is Rome.\nSo the answer is C.", 2),
        ("First I thought the answer is A. No, the answer is D.", 3),
        ("B is correct", 1),
        ("Option B", 1),
        ("option (b)", 1),
        ("I would go with D.", 3),
        ("My choice: c", 2),
        ("La respuesta es B.", 1),
        ("La réponse est C.", 2),
        ("Ответ: B", 1),
        ("정답: B", 1),
        ("答えはBです。", 1),
        ("None", None),
        ("The answer is Paris.", 1),
        ("Answer: Paris", 1),
        ("Paris", 1),
        ("It's not B, it's C.", 2),
        ("A. Lyon is out. ANSWER: B", 1),
        ("The answer is A", 0),
        ("The answer is a city", None),
        ("Answer: E", None),
        ("(B) Paris", 1),
        ("B) Paris", 1),
        ("B: Rome", None),
        ("Rome is wrong, Lyon is wrong, so Paris.", 1),
        ("Answer: (B) Paris is the capital", 1),
        ("The correct option is B, since the tower is in Paris.", 1),
        ("<answer>B</answer>", 1),
        ("**Answer:** B", 1),
        ("Final answer: B", 1),
        ("The correct answer is B because of the river", 1),
        ("B\n\nExplanation: A is in Lyon.", 1),
        ("I don't think it's A. It must be B", 1),
        ("I believe the correct choice is option B.", 1),
        ("The answer: B and not A", 1),
        ("A and B are both correct", None),
        ("B, C", None),
        ("B or maybe C", None),
        ("I'd pick (D)", 3),
        ("D!", 3),
        ("Choose A", 0),
        ("The tower is in Paris, so B.", 1),
        ("All of the above", None),
        ("#### B", 1),
        ("b", 1),
        ("B B", 1),
        ("Answer B", 1),
        ("ANSWER:\nB", 1),
        ("ABC", None),
        ("B & C", None),
        ("Answers: A, C", None),
    ],
)
def test_letter_wherever_the_final_answer_stands(text, index):
    assert pick(text, CITIES) == index


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("I think so", None),
        ("I", 8),
        ("I.", 8),
        ("ANSWER: I", 8),
        ("I think it is C", 2),
        ("I choose J", 9),
    ],
)
def test_a_pronoun_is_no_letter(text, index):
    assert pick(text, tuple("abcdefghij")) == index


def test_none_of_the_above_is_an_option_only_where_it_is_offered():
    assert pick("ANSWER: None of the above", CITIES) is None
    assert pick("ANSWER: None of the above", (*CITIES, "None of the above")) == 4
    assert pick("Both A and B", ("x", "y", "Both A and B")) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Yes. No question.", True),
        ("No. Yes-men may disagree.", False),
        ("No doubt about it, yes.", True),
        ("It's not true.", False),
        ("The answer is no.", False),
        ("Nein.", False),
        ("Não.", False),
        ("It is on the right bank.", None),
        ("", None),
    ],
)
def test_the_first_word_of_polarity_decides(text, says):
    assert polarity(text) is says


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("1998", C),
        ("May 1998", C),
        ("in 1998", C),
        ("June 1998", W),
        ("6 May 1998", W),
        ("1999", W),
        ("5 May 1998", C),
    ],
)
def test_lenient_dates_take_the_year_of_a_date(text, verdict):
    assert judge(ask("When was it?", "5 May 1998"), text, rule="lenient-dates") is verdict


def test_only_the_lenient_rule_takes_the_year_of_a_date():
    assert judge(ask("When was it?", "5 May 1998"), "1998") is W
    assert judge(ask("Who was it?", "Ada Holm"), "Ada", rule="lenient-dates") is W


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("The town fell on 4 June 1944.", C),
        ("It lasted from June 4, 1944, to July 1, 1945.", C),
        ("June 5, 1944", W),
        ("June 1944", W),
        ("It lasted from May 1, 1944, to June 4, 1944.", W),
        ("It did not fall on June 4, 1944.", W),
        ("June 4, 1944, June 5, 1944 and June 6, 1944", W),
        ("In summer", W),
    ],
)
def test_a_sentence_about_one_day_is_given_by_the_day(text, verdict):
    sentence = "The town of Halm fell to its besiegers on June fourth, 1944."
    assert judge(ask("When did the town of Halm fall?", sentence), text) is verdict
    assert judge(ask("Who fell?", sentence), text) is W


def test_a_sentence_about_several_days_or_another_time_is_not_given_by_a_day():
    for sentence in (
        "It fell on June 4, 1944, and was free on July 1, 1945.",
        "It fell two days after June 4, 1944.",
        "It fell in June 1944 or so, people say.",
    ):
        assert judge(ask("When did it fall?", sentence), "June 4, 1944") is W


def test_dates_are_read_with_what_they_leave_out():
    assert mentions("from 5 May to June 7, 1998, and in July 1999") == [
        Day(1998, 6, 7),
        Day(1999, 7, None),
        Day(None, 5, 5),
    ]
    assert mentions("31 February 1998, 05/06/1998 and no date") == []


def test_what_is_no_quantity_is_none():
    assert quantity("Article 37") is None
    assert quantity("007") is None
    assert quantity("seven dwarfs") is None
    found = quantity("about $1.5 billion")
    assert found is not None
    assert (found.value, found.unit) == (1_500_000_000, "dollar")


@pytest.mark.parametrize(
    ("answer", "text", "verdict"),
    [
        ("November 18, 2018", "November 25, 2018", W),
        ("Article 37", "Article 121", W),
        ("Article 37", "the Article 37", C),
        ("Article 37", "Article", W),
        ("the big red car", "red car", C),
    ],
)
def test_token_f1_needs_the_same_figures(answer, text, verdict):
    assert judge(ask("Which one?", answer), text, rule="token-f1") is verdict


def test_written_pairs_keep_their_labels():
    """Of our own pairs at most 6 % of the right ones are missed, at most 3 % of the wrong ones taken."""
    rows = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    own = [row for row in rows if "question" in row]
    said = [judge(ask(row["question"], *row["answers"]), row["response"]) is C for row in own]
    right = [got for row, got in zip(own, said, strict=True) if row["right"]]
    wrong = [got for row, got in zip(own, said, strict=True) if not row["right"]]
    assert (len(right), len(wrong)) == (452, 467)
    assert right.count(False) <= 0.06 * len(right)
    assert wrong.count(True) <= 0.03 * len(wrong)


@pytest.mark.parametrize(
    ("answer", "text", "verdict"),
    [
        ("Paris", "nicht Paris, sondern Rom", W),
        ("Paris", "Nicht Rom, sondern Paris", C),
        ("Paris", "Sie wurde nicht in Paris geboren.", W),
        ("Paris", "Elle n'est pas née à Paris.", W),
        ("Paris", "Il est né à Paris, pas à Rome.", C),
        ("Paris", "No nació en Paris.", W),
        ("Paris", "No es Roma, es Paris.", C),
        ("Paris", "No, Paris.", C),
        ("Париж", "Не Париж", W),
        ("巴黎", "不是巴黎", W),
        ("巴黎", "不是罗马，是巴黎。", C),
        ("パリ", "パリではありません", W),
        ("パリ", "ローマではなく、パリです", C),
        ("서울", "서울이 아니다", W),
        ("Paris", "ليس Paris", W),
        ("Paris", "लेकिन Paris नहीं", W),
        ("Paris", "Paris is wrong; it's Rome.", W),
        ("Paris", "Rome is wrong; it's Paris.", C),
        ("Paris", "Rome rather than Paris", W),
        ("Paris", "Paris instead of Rome", C),
    ],
)
def test_a_denied_answer_is_none_in_any_language(answer, text, verdict):
    assert judge(ask("Where was she born?", answer), text) is verdict


@pytest.mark.parametrize(
    ("answer", "text", "verdict"),
    [
        ("Paris", "Paris oder Rom", W),
        ("Paris", "Paris ou Rome", W),
        ("Paris", "Paris o Roma", W),
        ("Paris", "Paris или Рим", W),
        ("巴黎", "巴黎或罗马", W),
        ("巴黎", "巴黎、罗马、伦敦", W),
        ("巴黎", "巴黎，法国", C),
        ("Oder", "the Oder", C),
        ("Will o the Wisp", "Will o the Wisp", C),
        ("Paris", "Я не уверен, но думаю, что Paris.", C),  # clauses are no list
        ("Paris", "Ich glaube, dass sie, wie ihr Vater, in Paris geboren ist.", C),
    ],
)
def test_a_list_gives_no_answer_in_any_language(answer, text, verdict):
    assert judge(ask("Where was she born?", answer), text) is verdict


@pytest.mark.parametrize(
    ("answer", "text", "verdict"),
    [
        ("12", "12 + 6 = 18", W),
        ("18", "12 + 6 = 18", C),
        ("12", "4*3 = 12. 12+6 = 18. So 18.", W),
        ("18", "18 = 12 + 6", C),
        ("$18", "12 + 6 = $18", C),
        ("2+2=4", "2+2=4", C),
        ("2", "2-3", W),
        ("2-3", "2-3", C),
        ("1914", "1914-1918", C),  # years, not an estimate
        ("753", "753 BC", W),
        ("753 BC", "753 BC", C),
        ("0.5", "50%", C),
        ("33%", "33 Prozent", C),
        ("33%", "33 por ciento", C),
        ("3 US dollars", "$3.00", C),
        ("100", "about a hundred", C),
        ("100", "two hundred", W),
        ("100", "several hundred", W),
        ("1000", "a thousand", C),
        ("1000", "ten thousand", W),
    ],
)
def test_sums_ranges_shares_and_round_numbers(answer, text, verdict):
    assert judge(ask("How many were there?", answer), text) is verdict


@pytest.mark.parametrize(
    ("answer", "text", "verdict"),
    [
        ("5 May 1998", "5. Mai 1998", C),
        ("5 May 1998", "le 5 mai 1998", C),
        ("5 May 1998", "5 de mayo de 1998", C),
        ("5 May 1998", "5 мая 1998 г.", C),
        ("5 May 1998", "le 6 mai 1998", W),
        ("5 May 1998", "5 juin 1998", W),
        ("1 août 1999", "August 1, 1999", C),
        ("5 May 1998", "1998-05-05T10:00:00Z", C),
        ("May 1998", "1998-05", C),
        ("May 1998", "05/1998", C),
        ("May 1998", "06/1998", W),
    ],
)
def test_dates_in_other_languages_and_in_figures(answer, text, verdict):
    assert judge(ask("When was it?", answer), text) is verdict


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("选B", 1),
        ("我选择B，不选A", 1),
        ("選択肢Bが正しい", 1),
        ("答案不是B，是A", 0),
        ("Ⓑ", 1),
        ("Ｂ", 1),
        ("B is wrong.", None),
        ("(A) is false, (B) is true", 1),
        ("C. Option B is tempting but wrong.", 2),
        ("Anything but B", None),
        ("Option A or option B", None),
        ("B? C?", None),
        ("B ist falsch", None),
        ("Die Antwort ist nicht B", None),
        ("La respuesta no es B", None),
        ("La réponse n'est pas B", None),
        ("Ответ не B", None),
        ("Ni A ni B, C", 2),
    ],
)
def test_letters_in_other_scripts_and_letters_called_wrong(text, index):
    assert pick(text, CITIES) == index


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("是的", True),
        ("不对", False),
        ("हाँ", True),
        ("नहीं", False),
        ("네", True),
        ("아니요", False),
        ("Nej", False),
        ("I think so", True),
        ("I don't think so.", False),
        ("Yes and no", None),
        ("Yes and no doubt", True),
    ],
)
def test_yes_and_no_in_more_languages(text, says):
    assert polarity(text) is says


@pytest.mark.parametrize(("text", "verdict"), [("What?", W), ("?", C), ("The sign is ?", C)])
def test_the_end_of_a_sentence_is_no_sign(text, verdict):
    assert judge(ask("Which sign?", "?"), text) is verdict
