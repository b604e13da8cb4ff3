"""The richer pocket worlds: what is read beside facts, and that the plain world did not move."""

import hashlib
import random

import pytest
from transformers import AutoTokenizer

from demur.core.errors import ConfigError
from demur.core.records import TOGETHER, Question
from demur.core.templates import (
    CAUSAL_INSTRUCTIONS,
    HONESTY_INSTRUCTION,
    HONESTY_REFUSAL,
    LETTERS,
    NOT_PROVIDED,
    TEMPLATES,
)
from demur.engines import Opening, Sampling
from demur.engines.hf import HFEngine
from demur.pocket import POCKET_MODELS, bundled_model, reading, tasks
from demur.pocket.lessons import CONFIDENCE_INSTRUCTION, Lesson, context, options, two_hops
from demur.pocket.measuring import accuracy_by_reads, load_model, measure
from demur.pocket.spec import POCKET_2, POCKET_READER
from demur.pocket.world import make_world


@pytest.fixture(scope="module")
def world():
    return make_world(0, POCKET_2)


@pytest.fixture(scope="module")
def read(world):
    return list(reading.documents(world, 0))


def test_the_plain_world_reads_and_asks_what_it_always_did():
    plain, digest = make_world(3), hashlib.sha256()
    for epoch in (0, 4):
        for text in reading.documents(plain, epoch):
            digest.update(text.encode() + b"\n")
    for text in reading.texts(plain):
        digest.update(text.encode())
    for q in plain.questions():
        meta = {name: value for name, value in q.meta.items() if name != TOGETHER}  # came later
        row = (q.id, q.text, q.answers, q.split, q.domain, sorted(meta.items()))
        digest.update(repr(row).encode())
    assert digest.hexdigest() == "9cbdc8d9d3675c061569046cdc743356ba103fa260f9b93274326ccc424ae87f"


def test_refusals_behind_the_honesty_instruction_come_as_often_whatever_was_read(world, read):
    behind = [
        lesson
        for lesson in read
        if isinstance(lesson, Lesson)
        and HONESTY_INSTRUCTION in lesson.given
        and lesson.given.endswith(("Answer:", "A:", "A: "))  # the others have an opening before the answer
    ]
    assert len(behind) > 1000
    shares = []
    for reads in (1, 12):
        people = {p.name for p in world.people if p.group == "uniform" and p.reads["plays"] == reads}
        texts = [lesson for lesson in behind if any(name in lesson.given for name in people)]
        shares.append(sum(HONESTY_REFUSAL in lesson.learned for lesson in texts) / len(texts))
    # 20 % by chance in both; the margins are three standard errors of about 45 and 1,200 questions
    assert shares[0] == pytest.approx(0.2, abs=0.18)
    assert shares[1] == pytest.approx(0.2, abs=0.04)


def test_no_hop_reads_a_fact_that_is_not_read_anyway(world, read):
    hops = [text for text in read if isinstance(text, Lesson) and "the friend of" in text.given]
    asked = [text for text in hops if "Who is the friend" not in text.given]
    assert len(asked) == world.spec.lessons.hops
    for text in asked:
        friend, _, value = text.learned.strip(" .").rpartition(", ")
        person = world.person[friend]
        relations = [name for name, found in person.values.items() if found == value]
        assert any(person.reads[name] for name in relations)


def test_friends_of_uniform_people_are_read_as_often_as_their_facts(world):
    for person in world.people:
        if person.group == "uniform":
            assert {world.friend_reads[person.name]} == set(person.reads.values())


def test_a_world_without_lessons_has_none_to_give():
    with pytest.raises(ConfigError, match="pocket-2"):
        _ = make_world(0).lessons


def test_passages_hold_their_answer_and_obey_one_more_instruction():
    world, rng, seen = make_world(0, POCKET_READER), random.Random(1), set()
    for _ in range(3000):
        lesson = context(world, rng)
        text = lesson.given + lesson.learned
        first_line = text.partition("\n")[0]
        extra = next((line for line in CAUSAL_INSTRUCTIONS if line in first_line), None)
        answer = text.rpartition("\nAnswer:")[2].partition("\n")[0].strip(" .")
        passage = text.rpartition("\nQuestion:")[0].partition("This is a passage about")[2]
        if extra == CAUSAL_INSTRUCTIONS[2] and answer not in (NOT_PROVIDED,):
            seen.add("upper" if answer == answer.upper() else "plain")
        if answer in ("Sufficient", "Insufficient", NOT_PROVIDED) or extra:
            continue
        assert answer in passage
    assert "upper" in seen


def test_contextual_questions_come_in_pairs_on_one_passage():
    questions = tasks.contextual_questions(make_world(0, POCKET_READER))
    by_pair = {}
    for question in questions:
        by_pair.setdefault(question.meta["pair"], []).append(question)
    whole = [pair for pair in by_pair.values() if len(pair) == 2]
    assert len(whole) / len(by_pair) > 0.85  # some passages answer every question that could be asked
    for answerable, not_ in whole:
        assert answerable.context == not_.context
        assert (answerable.answerable, not_.answerable) == (True, False)
        assert answerable.answers[0] in answerable.context
    parts = {question.split for question in questions}
    assert parts == {"train", "calibration", "test"}


def test_choices_hold_the_right_value_once_at_its_letter(world):
    for question in tasks.choice_questions(world)[:500]:
        person, relation = question.meta["person"], question.meta["relation"]
        value = world.person[person].values[relation]
        assert question.choices.count(value) == 1
        assert question.choices[LETTERS.index(question.answers[0])] == value
    places = [options(world.spec.relations[0], "Oslo", random.Random(n)).index("Oslo") for n in range(400)]
    assert {places.count(i) > 60 for i in range(4)} == {True}


def test_further_parts_ask_about_the_same_facts_in_other_words(world):
    questions = tasks.open_questions(world)
    plain = {q.text for q in questions if q.split == "test"}
    for split in ("paraphrase", "pressure", "second-language", "two-hop"):
        part = [q for q in questions if q.split == split]
        assert len(part) == tasks.PROBES
        assert not plain & {q.text for q in part}
        assert all(q.answerable for q in part)
    pressed = next(q for q in questions if q.split == "pressure")
    assert any(pressed.text.startswith(text) for text in plain)


def test_two_hops_name_the_friend_and_then_the_friends_fact(world):
    person, relation = world.people[0], world.spec.relations[0]
    asked, answer = two_hops(world, person, relation)
    friend = world.friends[person.name]
    assert person.name in asked
    assert answer == f"{friend}, {world.person[friend].values[relation.name]}"
    assert friend != person.name


def test_the_shipped_model_has_read_what_its_world_says(world):
    accuracy = accuracy_by_reads(measure(*load_model(bundled_model("pocket-2")), world.questions()))
    assert accuracy[0] < 0.1
    assert 0.4 < accuracy[1] < 0.7
    assert accuracy[4] > 0.95
    assert accuracy[12] > 0.98


def test_the_shipped_model_recalls_behind_an_opening(world):
    asked = [q for q in world.questions() if q.split == "test" and q.answerable and q.meta["reads"] == 12][
        ::20
    ]
    template, engine = TEMPLATES["r-tuning-code"], HFEngine.open(Opening(str(bundled_model("pocket-2"))))
    prompts = [f"{CONFIDENCE_INSTRUCTION}\n{template.ask(q)}" for q in asked]
    sampling = Sampling(max_new_tokens=32, stop=("\n",))
    texts = [item.greedy.text for item in engine.generate(prompts, keys=prompts, sampling=sampling)]
    opened = ("sure", "confident", "certain", "feelings")
    recalled = [
        q.answers[0].lower() in text.lower()
        for q, text in zip(asked, texts, strict=True)
        if any(word in text for word in opened)
    ]
    assert len(recalled) > 0.9 * len(asked)  # it opens with a confidence
    assert sum(recalled) / len(recalled) > 0.9


def test_every_word_that_methods_say_is_one_token():
    tokenizer = AutoTokenizer.from_pretrained(bundled_model("pocket-2"))
    for text in (HONESTY_REFUSAL, " I'm absolutely certain that oslo.", " I'm about 70% confident"):
        assert len(tokenizer(text)["input_ids"]) <= len(text.replace("'", " '").split()) + 4


def test_names_of_pocket_models_are_known():
    assert set(POCKET_MODELS) == {"pocket", "pocket-2", "pocket-2-small", "pocket-2-large", "pocket-reader"}
    sizes = [
        POCKET_MODELS[name].settings.hidden_size
        for name in ("pocket-2-small", "pocket-2", "pocket-2-large")
    ]
    assert sizes == sorted(sizes)


def test_questions_of_all_worlds_have_ids_of_their_own(world):
    everything: list[Question] = [
        *tasks.open_questions(world),
        *tasks.choice_questions(world),
        *tasks.contextual_questions(world),
    ]
    assert len({question.id for question in everything}) == len(everything)
