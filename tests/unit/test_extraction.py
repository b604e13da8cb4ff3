"""The answer within a response: every kind of wrapping, in the texts of real models' forms.

Each case says what is judged; None where there is no answer. The accepted answer is mentioned beside it on
purpose: what counts is what the text ends up saying.
"""

import dataclasses

import pytest

from demur.core.records import Question, Response, Verdict
from demur.judging import clean_answer, declines, extract, judge, judgement
from demur.judging.extraction import NAMELESS, answer_names
from demur.judging.markup import unwrapped
from demur.judging.verdict import NO_ANSWER, NOTHING_ACCEPTED

C, W, R, U = Verdict.CORRECT, Verdict.WRONG, Verdict.REFUSED, Verdict.UNSCORED
BORN = "Where was she born?"
LONG_DECLINE = (
    "I don't know for certain, and I have no way to look it up here, since nobody has told me anything."
)


def ask(*answers, text=BORN, **more):
    return Question(id="q", text=text, answers=answers, **more)


REASONING = [
    ("<think>Could be Oslo.</think>\n\nBergen", "Bergen"),
    ("<THINKING>Oslo?</THINKING> Bergen", "Bergen"),
    ("<reasoning effort='low'>\nOslo\n</reasoning>\nBergen", "Bergen"),
    ("<analysis>Oslo</analysis><scratchpad>Oslo!</scratchpad>Bergen", "Bergen"),
    ("<inner_monologue>Oslo</inner_monologue>Bergen", "Bergen"),
    ("Could be Oslo.</think> Bergen", "Bergen"),
    ("[THINK]Oslo[/THINK]Bergen", "Bergen"),
    ("◁think▷Oslo◁/think▷Bergen", "Bergen"),
    ("<|START_THINKING|>Oslo<|END_THINKING|><|START_RESPONSE|>Bergen<|END_RESPONSE|>", "Bergen"),
    (
        "<|begin_of_thought|>Oslo<|end_of_thought|>\n<|begin_of_solution|>Bergen<|end_of_solution|>",
        "Bergen",
    ),
    ("<|channel>thought\nOslo<channel|>Bergen", "Bergen"),
    ("Here is my thought process: Oslo? Here is my response: Bergen", "Bergen"),
    (
        "<|channel|>analysis<|message|>Oslo?<|end|><|start|>assistant<|channel|>final<|message|>Bergen<|return|>",
        "Bergen",
    ),
    ("Oslo?<|end|><|start|>assistant<|channel|>final<|message|>Bergen", "Bergen"),  # opened by the prompt
    ("analysis<|message|>Oslo?<|end|><|start|>assistant<|channel|>final<|message|>Bergen", "Bergen"),
    (
        "<|channel|>commentary<|message|>Oslo<|end|><|start|>assistant<|channel|>final <|constrain|>json"
        '<|message|>{"answer": "Bergen"}',
        "Bergen",
    ),
    ("analysisIs it Oslo?assistantfinalBergen", "Bergen"),  # special tokens were removed
    ("In backticks, `<think>` is a word", "In backticks, <think> is a word"),
    ("analysis of Bergen", "analysis of Bergen"),
    ("<think>Oslo.", None),
    ("<reasoning>Oslo", None),
    ("[THINK]Oslo", None),
    ("<think>Oslo</think>\n", None),
    ("Bergen <think>no, Oslo", None),
    ("<|channel|>analysis<|message|>Oslo", None),
    ("<|channel|>analysis<|message|>Oslo<|end|>", None),
    ("<|channel|>analysis<|message|>Oslo<|end|><|start|>assistant<|channel|>final<|message|> ", None),
    ("<|channel|>commentary<|message|>Let me look.<|call|>", None),
    ("analysisIs it Oslo", None),
    ("Here is my thought process: Oslo", None),
    ("", None),
    (" \n\t", None),
]

MARKED = [
    ("Oslo has 3, so \\boxed{18}.", "18"),
    ("$\\boxed{\\text{Bergen}}$, not Oslo", "Bergen"),
    ("\\boxed{9}? No: \\boxed{18", "18"),
    ("\\boxed{\\frac{1}{2}}", "1/2"),
    ("\\boxed{\\{1, 2\\}}", "{1, 2}"),
    ("3 * 6 = 18\n#### 18", "18"),
    ("3 * 6 = 18 #### 18", "18"),
    ("#### 18\n\nBecause 3 * 6 = 18, and not 9.", "18"),
    ("#### Working\n9 + 9\n#### Final answer\n18", "18"),
    ('{"answer": "Bergen"}', "Bergen"),
    ('```json\n{"reasoning": "Oslo or Bergen", "final_answer": "Bergen"}\n```', "Bergen"),
    ('Here: {"Answer": "Bergen", "confidence": 0.9, "other": "Oslo"}', "Bergen"),
    ("{'answer': 'Bergen'}", "Bergen"),
    ('{"answer": 18}', "18"),
    ('{"answer": true}', "yes"),
    ('{"answer": ["Oslo", "Bergen"]}', "Oslo, Bergen"),
    ('{"answer": "Ber\\u0067en"}', "Bergen"),
    ('{"answer": "Berg', "Berg"),
    ('{"antwort": "Bergen"}', "Bergen"),
    ('{"答案": "Bergen"}', "Bergen"),
    ("<think>Oslo</think><answer>Bergen</answer>", "Bergen"),
    ("Oslo?\n<final_answer>\nBergen\n</final_answer> Oslo", "Bergen"),
    ("<answer> Bergen", "Bergen"),
    ('{"answer": ""}', None),
    ('{"answer": null}', "null"),
    ("<answer></answer>", None),
]

WORDED = [
    ("She has 16 - 3 - 4 = 9 eggs. 9 * 2 = $18. The answer is 18.", "18"),
    ("Oslo, or so it seems. The correct answer would be Bergen.", "Bergen"),
    ("Oslo is near. So the final answer must be **Bergen**.", "Bergen"),
    ("Oslo?\nFinal answer: Bergen", "Bergen"),
    ("Oslo?\n**Final Answer:** Bergen", "Bergen"),
    ("Oslo?\n\n## Final answer\n\nBergen\n\nNot Oslo.", "Bergen"),
    ("**Answer**\nBergen\n\nOslo is further.", "Bergen"),
    ("ANSWER: $B$", "B"),
    ("**ANSWER: B**", "B"),
    ("Think: Oslo is out.\n\nANSWER: B", "B"),
    ("Oslo? The answer is: \\(18\\)", "18"),
    ("The answer is $18.", "$18"),
    ("The answer is 3.14", "3.14"),
    ("The answer is St. Olav.", "St. Olav"),
    ("The answer is J. R. R. Tolkien. Oslo is a town.", "J. R. R. Tolkien"),
    ('Answer: "Bergen"', "Bergen"),
    ("Answer: Bergen. Oslo is the capital.", "Bergen"),
    ("Answers below.\nAnswer:\n- Bergen\n- Voss", "Bergen\nVoss"),
    ("The answer to your question is Bergen.", "Bergen"),
    ('The answer to the question "Is it Oslo?" is Bergen.', "Bergen"),
    ("The answer is Bergen because Oslo is too far.", "Bergen"),
    ("The answer is Bergen, not Oslo.", "Bergen"),
    ("The answer is Bergen, which lies west of Oslo.", "Bergen"),
    ("Bergen is the correct answer, as Oslo is too far.", "Bergen"),
    ("Not Oslo; B is the right choice.", "B"),
    ("The best option is (C).", "(C)"),
    ("It is Oslo or Bergen. I'll go with Bergen.", "Bergen"),
    ("I choose B", "B"),
    ("The answer is 9. Wait, no. The answer is 18.", "18"),
    ("The answer is 18. The answer is correct because 9 * 2 = 18.", "18"),
    ("If she sells 9 at 2 each the answer is 18.", "18"),
    # other languages
    ("Oslo liegt näher. Die richtige Antwort lautet Bergen.", "Bergen"),
    ("Antwort: Bergen", "Bergen"),
    ("Oslo est loin. La réponse est Bergen.", "Bergen"),
    ("Réponse : Bergen", "Bergen"),
    ("Oslo queda lejos. La respuesta correcta es Bergen, no Oslo.", "Bergen"),
    ("Respuesta final: Bergen", "Bergen"),
    ("Осло далеко. Ответ: Берген", "Берген"),
    ("Осло далеко. Правильный ответ — Берген.", "Берген"),
    ("奥斯陆很远。答案是卑尔根。", "卑尔根"),
    ("答案：B", "B"),
    ("オスロは遠い。答えはベルゲンです。", "ベルゲンです"),
    ("أوسلو بعيدة. الإجابة هي بيرغن.", "بيرغن"),
    ("ओस्लो दूर है। सही उत्तर: बर्गन", "बर्गन"),
    ("Oslo è lontana. La risposta è Bergen.", "Bergen"),
    ("Oslo fica longe. A resposta é Bergen.", "Bergen"),
    ("Oslo is ver. Het antwoord is Bergen.", "Bergen"),
    ("Oslo jest daleko. Odpowiedź: Bergen", "Bergen"),
    ("오슬로는 멀다. 정답: 베르겐", "베르겐"),
    ("Oslo uzak. Cevap: Bergen", "Bergen"),
    ("Oslo uzak. Doğru cevap Bergen.", "Bergen"),
    ("ओस्लो दूर है। सही उत्तर B है", "B है"),
]

UNSTATED = [
    "The answer is complicated. Oslo, in a way.",
    "The answer is not Oslo but Bergen.",
    "I don't think the answer is Oslo.",
    "I'm not sure if the answer is Oslo.",
    "Some say the answer is Oslo, but I think it is Bergen.",
    "The wrong answer is Oslo. Bergen fits.",
    "One possible answer: it depends",
    "The answer is found in the passage. Bergen.",
    "Is the answer Oslo? Bergen.",
    "This is the answer.",
    "Bergen answered the call. Oslo did not.",
    "Bergen, since the result was Oslo",
]

MARKUP = [
    ("**B**", "B"),
    ("***Bergen***", "Bergen"),
    ("_Bergen_", "Bergen"),
    ("`Bergen`", "Bergen"),
    ("```\nBergen\n```", "Bergen"),
    ("# Bergen", "Bergen"),
    ("- Bergen", "Bergen"),
    ("* Bergen", "Bergen"),
    ("> Bergen", "Bergen"),
    ("[Bergen](https://example.org/b)", "Bergen"),
    ("<b>Bergen</b><br>", "Bergen"),
    ("Bergen &amp; Voss", "Bergen & Voss"),
    ("$B$", "B"),
    ("$$18$$", "18"),
    ("\\(18\\)", "18"),
    ("\\[18\\]", "18"),
    ("\\text{Bergen}", "Bergen"),
    ("\\mathrm{\\mathbf{B}}", "B"),
    ("\\$5", "$5"),
    ("1{,}000", "1,000"),
    ("90^\\circ", "90°"),
    # what only looks like marks
    ("$5", "$5"),
    ("$5 and $10", "$5 and $10"),
    ("$5-$10", "$5-$10"),
    ("4 * 5 * 6", "4 * 5 * 6"),
    ("snake_case_name", "snake_case_name"),
    ("C#", "C#"),
    ("-5", "-5"),
    ("- 5", "- 5"),
    ("a < b > c", "a < b > c"),
    *((sign, sign) for sign in ("*", "+", "-", "#", "$", "`", "_", "\\", ">", "**", "?", "😀")),
]

RUN_ON = [
    ("Bergen\nQ: What is the capital?\nA: Oslo", "Bergen"),
    ("Bergen.\n\nQuestion: Where was he born?\nAnswer: Oslo", "Bergen."),
    ("Bergen\n\n**Question 2:** And he?\n**Answer:** Oslo", "Bergen"),
    ("Bergen\nQuestion 2. And he? Oslo", "Bergen"),
    ("Bergen\nQ. And he? A. Oslo", "Bergen"),
    ("Bergen\n\nHuman: and Oslo?\n\nAssistant: yes", "Bergen"),
    ("Bergen\nUser: and Oslo?", "Bergen"),
    ("Bergen\n\n### Instruction:\nName Oslo", "Bergen"),
    ("Bergen\n### Question\nOslo?", "Bergen"),
    ("Bergen. Q: And he? A: Oslo", "Bergen."),
    ("Bergen\nFrage: Und er?\nAntwort: Oslo", "Bergen"),
    ("Bergen\n问题：他呢？\n答案：Oslo", "Bergen"),
    ("Bergen<|im_end|>\n<|im_start|>user\nOslo", "Bergen"),
    ("Bergen</s>Oslo", "Bergen"),
    ("Bergen [INST] Oslo? [/INST]", "Bergen"),
    ("The answer is Bergen.\n\nQuestion: And he?\nThe answer is Oslo.", "Bergen"),
    ("\nQ: Where was he born?\nA: Oslo", None),  # another question, and no answer before it
    # the question again
    ("Where was she born? Bergen", "Bergen"),
    ("where was she born?\nBergen", "Bergen"),
    ("Q: Where was she born?\nA: Bergen", "Bergen"),
    ("Question: Where was she born?\nAnswer: Bergen\n\nQuestion: And he?\nAnswer: Oslo", "Bergen"),
    ("Where was she born?", None),
    # what stands around the turn
    ("A: Bergen", "Bergen"),
    ("Assistant: Bergen", "Bergen"),
    ("### Response:\nBergen", "Bergen"),
    ("<|im_start|>Bergen<|im_end|>", "Bergen"),
]


@pytest.mark.parametrize(("text", "answer"), [*REASONING, *MARKED, *WORDED, *RUN_ON])
def test_the_answer_within_a_response(text, answer):
    found = extract(text, question=BORN)
    assert found.answer == answer
    assert "<think" not in (found.text if "`" not in text else "")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Rome\n2. What is the capital of France? Paris", "Rome"),
        ("Rome Question: capital of France? Answer: Paris", "Rome"),
        ("Rome\n[Question] Which capital?\n[Answer] Paris", "Rome"),
        ("Rome\nPassage: Paris is the capital.", "Rome"),
    ],
)
def test_a_next_question_in_other_forms(text, answer):
    assert extract(text).answer == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"thought": "Paris?", "response": "Rome"}', "Rome"),
        ('{"city": "Rome", "reason": "not Paris"}', "Rome"),
        ('{"output": 18, "steps": "9 + 9"}', "18"),
        ('{"first": "Rome", "second": "Paris"}', '{"first": "Rome", "second": "Paris"}'),
        ('{"reason": "Paris"}', '{"reason": "Paris"}'),
        ('{"city": "Rome", "reason": "Pa', '{"city": "Rome", "reason": "Pa'),
    ],
)
def test_the_only_value_beside_explanations_is_the_answer(text, answer):
    assert extract(text).answer == answer


ECHOES = [
    # The question, once or more, and cut off.
    (
        "Which lake near Halm has the most swans?",
        "Which lake near Halm has the most swans? Which lake near",
    ),
    # Its words as a statement, with or without a verb.
    ("Where does the miller live in the last tale?", "The miller lives in the last tale."),
    ("where is the bridge in the film of halm?", " the bridge in the film of Halm\n"),
    ("What did the mayor of Halm paint?", "The answer is: The mayor of Halm painted."),
    # Nothing but a repeated fragment without a word of its own.
    ("What does the word blorp mean?", "blorp blorp blorp blorp blorp blorp"),
    ("Who built Halm?", "The answer to this question is:\n\n" * 4),
]
NO_ECHOES = [
    ("Which is heavier, lead or a kilogram of old wool?", "a kilogram of old wool"),
    ("Does the miller live in the last tale?", "The miller lives in the last tale."),
    ("Who wrote the diary of Ada Crane?", "Ada Crane wrote the diary of Ada Crane."),
    ("Who wrote the diary of Ada Crane?", "Ada Crane"),
    ("Why can't Halm people eat edible fish?", "Halm people can eat edible fish."),
    ("What is the play about five streets of old Halm?", "Five Streets of Old Halm"),
    ("Who built Halm?", "Ada Ada Ada Ada Ada"),
]


@pytest.mark.parametrize(("question", "text"), ECHOES)
def test_a_text_that_only_repeats_its_question_has_no_answer(question, text):
    assert extract(text, question=question).answer is None
    found = judgement(ask("Ada", text=question), text)
    assert (found.verdict, found.reason) == (U, NO_ANSWER)


@pytest.mark.parametrize(("question", "text"), NO_ECHOES)
def test_words_of_the_question_may_answer_it(question, text):
    assert extract(text, question=question).answer is not None


def test_an_option_that_stands_in_the_question_is_an_answer():
    assert extract("the old mill", question="Where is the old mill?", choices=("the old mill", "x")).answer


@pytest.mark.parametrize("text", UNSTATED)
def test_what_states_no_answer_is_judged_as_it_is(text):
    found = extract(text, question=BORN)
    assert (found.answer, found.statement) == (text, None)


@pytest.mark.parametrize(("text", "plain"), MARKUP)
def test_marks_around_the_words(text, plain):
    assert unwrapped(text) == plain
    assert extract(text).answer == plain


@pytest.mark.parametrize(
    "text", ["Bergen", "in Bergen, I think", "I don't know.", "東京です", "-5", "18.5 km"]
)
def test_a_plain_text_stays_as_it_is(text):
    assert extract(f" {text}\n") == (text, text, text, None)


@pytest.mark.parametrize(
    "text", ['{"a":' * 5000, '{"answer": [' + '{"a":' * 5000 + "]}", '{"b": ' * 5000 + "1"]
)
def test_json_that_is_nested_too_deeply_is_judged_as_text(text):
    assert judge(ask("Bergen"), text) == "wrong"


def test_a_letter_with_a_label_is_the_letter_where_there_are_choices():
    """``A: Paris`` names option A; elsewhere ``A:`` is the label of an answer."""
    assert extract("A: Paris", choices=("Lyon", "Paris")).answer == "A: Paris"
    assert extract("A: Paris").answer == "Paris"


@pytest.mark.parametrize(
    "piece",
    [
        *("<think>", "**", "*a ", "`", "$", "_a ", "Q: ", "Q: a\n", "#### ", "\\boxed{", "[a](", "~~a"),
        *(
            "the answer is ",
            "answer: ",
            "antwort ",
            "is the answer ",
            '{"answer": ',
            "'answer': \"",
            "\n# ",
        ),
        *("<answer>", "<|channel|>final<|message|>", "assistantfinal", "\\frac{", "I choose "),
    ],
)
def test_long_hostile_texts_end(piece):
    """A search that went back and forth would take minutes."""
    extract(piece * (100_000 // len(piece)), question=BORN)


# -- what is made of it ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "text", "verdict"),
    [
        # the stated final answer decides, whatever else is mentioned
        (("9",), "She has 16 - 3 - 4 = 9 eggs. 9 * 2 = $18. The answer is 18.", W),
        (("18",), "She has 16 - 3 - 4 = 9 eggs. 9 * 2 = $18. The answer is 18.", C),
        (("Oslo",), "It may be Oslo or Bergen.\n\\boxed{\\text{Bergen}}", W),
        (("Oslo",), '{"thought": "Oslo?", "answer": "Bergen"}', W),
        (("Oslo",), "<think>Oslo</think>Bergen", W),
        (("Oslo",), "Bergen\nQ: Capital?\nA: Oslo", W),
        (("Oslo",), "Where was she born, in Oslo?", C),
        (("\\frac{1}{2}",), "$\\frac{1}{2}$", C),
        (("\\frac{1}{2}",), "1/2", C),
        # refusals, wherever they stand
        (("Oslo",), "<think>Could be Oslo.</think>\n\nI don't know.", R),
        (("Oslo",), "Oslo?\nANSWER: Don't know", R),
        (("Oslo",), '{"answer": "I don\'t know"}', R),
        (("Oslo",), "The answer is not known.", R),
        (("Oslo",), "The answer is unknown.", R),
        (("Oslo",), "**I don't know.**", R),
        (("Oslo",), "I'm not sure. The answer is Bergen.", W),
        (("Oslo",), "I'm not sure. The answer is Oslo.", C),
        (("Oslo",), LONG_DECLINE + "\n\nANSWER: Oslo", C),
        # an accepted answer that sounds like a refusal
        (("Nobody Knows",), "Nobody Knows", C),
        (("Unknown",), "The artist is unknown.", C),
        (("answer",), "I do not know the answer.", R),
        # no answer
        (("Oslo",), "<think>Oslo", U),
        (("Oslo",), "", U),
    ],
)  # fmt: skip
def test_verdicts(answers, text, verdict):
    assert judge(ask(*answers), text) is verdict


def test_an_accepted_answer_in_the_words_of_its_question_is_an_answer():
    which = dataclasses.replace(
        ask("Gears of War: Ultimate Edition"), text="Which gears of war is the ultimate edition?"
    )
    assert judge(which, "Gears of War: Ultimate Edition.") is C
    repeated = "Gears of war is the ultimate edition"
    assert judge(which, repeated) is U, "says no more than the question"
    assert judge(dataclasses.replace(which, answers=("+",)), "") is U, "no words on either side"


def test_an_accepted_answer_is_right_whatever_else_it_might_be():
    assert judge(ask("14 and 15 August 1945"), "14 and 15 August 1945") is C, "a list of days, accepted"
    assert judge(ask("14 and 15 August 1945"), "14 and 16 August 1945") is W


def test_why_a_response_is_unscored():
    assert judgement(ask("Oslo"), " ").reason == NO_ANSWER
    assert judgement(ask("Oslo", answerable=False), "<think>").reason == NO_ANSWER
    assert judgement(ask(), "Oslo").reason == NOTHING_ACCEPTED
    assert judgement(ask("Oslo"), "Rome").reason == ""


def test_a_judgement_says_what_was_judged_and_how_it_was_read():
    found = judgement(ask("Oslo"), "Rome is big. The answer is Oslo.")
    assert (found.verdict, found.answer, found.reading, found.stated) == (C, "Oslo", "answered", True)
    found = judgement(ask("Oslo"), "I don't know.")
    assert (found.verdict, found.answer, found.reading, found.stated) == (
        R,
        "I don't know.",
        "refused",
        False,
    )
    assert judgement(ask("Oslo"), "").reading is None


@pytest.mark.parametrize("rule", ["contains-words", "exact", "token-f1"])
def test_every_rule_reads_the_extracted_answer(rule):
    assert judge(ask("Oslo"), "<think>Rome</think>Rome or Oslo? The answer is **Oslo**.", rule=rule) is C


def test_the_published_rules_read_all_that_was_said_outside_of_reasoning():
    text = "<think>Rome</think>Oslo, not Rome. The answer is Oslo."
    assert judge(ask("Rome"), text, rule="contains") is C
    assert judge(ask("Rome"), "<think>Rome</think>Oslo", rule="contains") is W
    assert judge(ask("**Oslo**"), " **Oslo** ", rule="raw-exact") is C
    assert judge(ask("Oslo"), "**Oslo**", rule="raw-exact") is W


@pytest.mark.parametrize(
    ("text", "declined"),
    [
        ("<think>I don't know.</think>Oslo", False),
        ("<think>Oslo</think>I don't know.", True),
        ("Oslo?\nFinal answer: I don't know", True),
        ("<think>I don't know", False),  # no answer is no refusal
    ],
)
def test_refusals_are_looked_for_outside_of_reasoning(text, declined):
    assert declines(text) is declined


def test_samples_agree_by_their_answers():
    texts = ["<think>a</think>Oslo", "oslo.", "The answer is Oslo.", "<think>Oslo", ""]
    *names, cut, empty = answer_names([Response(text=text) for text in texts])
    assert set(names) == {"oslo"}
    assert cut.startswith(NAMELESS)
    assert empty.startswith(NAMELESS)
    assert cut != empty


def test_clean_answer_ends_at_sentence_and_line():
    assert clean_answer(" Paris. Are you sure") == "Paris"
    assert clean_answer("J. R. R. Tolkien. Yes") == "J. R. R. Tolkien"
    assert clean_answer("Oslo! Yes.\nNo") == "Oslo! Yes"
