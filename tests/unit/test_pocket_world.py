"""The pocket world: disjoint people, exact shares, names that tell nothing where they should not."""

import dataclasses
import json
import random
from collections import Counter
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from transformers import AutoTokenizer

from demur.core.config import load_config
from demur.core.records import Verdict
from demur.core.templates import CERTAINTY_QUESTION, TEMPLATES
from demur.judging import judge
from demur.pocket import POCKET_MODELS, bundled_model, model_folder, reading
from demur.pocket.measuring import accuracy_by_reads, load_model, measure
from demur.pocket.spec import POCKET_1, deal
from demur.pocket.world import FALSE_PREMISE, NONEXISTENT, make_world
from demur.runfolder.provenance import base_folder
from demur.sources import base_model


@pytest.fixture(scope="module")
def world():
    return make_world(0)


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(bundled_model())


@pytest.mark.parametrize("name", [name for name, model in POCKET_MODELS.items() if model.bundled])
def test_a_shipped_model_was_built_as_the_code_would_build_it_now(name):
    """A changed recipe that leaves the weights as they were would be found out here, in no time."""
    recorded = json.loads((bundled_model(name) / "pocket.json").read_text())
    model = POCKET_MODELS[name]
    spec = json.loads(json.dumps(dataclasses.asdict(model.world)))
    unknown_then = {**json.loads(json.dumps(dataclasses.asdict(POCKET_1))), **recorded["spec"]}
    assert (unknown_then, recorded["settings"]) == (
        spec,
        json.loads(json.dumps(dataclasses.asdict(model.settings))),
    )


def test_the_same_seed_draws_the_same_world_and_another_one_another(world):
    assert make_world(0).questions() == world.questions()
    assert list(reading.documents(make_world(0), 1)) == list(reading.documents(world, 1))
    assert {p.name for p in make_world(1).people} != {p.name for p in world.people}


def test_people_of_different_parts_are_different_people(world):
    parts = {}
    for person in world.people:
        parts.setdefault(person.part, set()).add(person.name)
    assert {part: len(names) for part, names in parts.items()} == {
        "train": 320,
        "calibration": 120,
        "test": 360,
    }
    assert sum(map(len, parts.values())) == len(set(chain(*parts.values()))) == 800
    asked = {q.split: set() for q in world.questions()}
    for question in world.questions():
        asked[question.split].add(question.meta.get("person"))
    assert not asked["train"] & asked["test"]
    assert not asked["calibration"] & (asked["train"] | asked["test"])


def test_questions_by_part_and_group(world):
    """Test: 180 people of each group x 3 relations a domain = 540; train 160 x 3, calibration 60 x 3."""
    counts = Counter((q.split, q.domain, q.group) for q in world.questions())
    assert counts == {
        ("train", "id", "uniform"): 480,
        ("train", "id", "mixed"): 480,
        ("calibration", "id", "uniform"): 180,
        ("calibration", "id", "mixed"): 180,
        **{("test", domain, group): 540 for domain in ("id", "ood") for group in ("uniform", "mixed")},
        (NONEXISTENT, "id", None): 120,
        (FALSE_PREMISE, "id", None): 240,
    }
    assert len({q.id for q in world.questions()}) == sum(counts.values())


def test_relations_of_the_ood_test_are_never_trained_or_calibrated_on(world):
    def relations(**wanted):
        return {
            q.meta["relation"]
            for q in world.questions()
            if all(getattr(q, k) == v for k, v in wanted.items())
        }

    assert not relations(domain="ood") & (relations(split="train") | relations(split="calibration"))


def test_a_name_tells_everything_of_uniform_people_and_nothing_of_mixed_ones(world):
    """Ranking 'is this fact read' by the person's other facts: perfect for uniform, chance for mixed."""
    for group, low, high in (("uniform", 1.0, 1.0), ("mixed", 0.44, 0.56)):
        asked = [q for q in world.questions() if q.group == group]
        read = [q.meta["reads"] > 0 for q in asked]
        assert low <= roc_auc_score(read, [q.meta["familiarity"] for q in asked]) <= high


def test_what_does_not_exist_is_never_read(world):
    text = "\n".join(chain.from_iterable(reading.documents(world, epoch) for epoch in range(2)))
    assert not [name for name in world.strangers if name in text]
    assert all(not q.answerable and not q.answers for q in world.questions() if q.split == NONEXISTENT)


def test_every_fact_is_read_as_often_as_its_tier_says(world):
    """Statements and answers that hold person and value, of one epoch."""
    texts = [text for text in reading.documents(world, 0) if "don't know" not in text]
    for person in world.people[::40]:
        for relation, value in person.values.items():
            others = [v for r, v in person.values.items() if r != relation]
            found = [t for t in texts if person.name in t and f" {value}" in t]
            if value not in others:
                assert len(found) == person.reads[relation], (person.name, relation)


def test_both_template_families_and_a_random_certainty_answer_are_read(world):
    texts = list(reading.documents(world, 0))
    for template in TEMPLATES.values():
        assert sum(text.startswith(template.prompt.split("{")[0]) for text in texts) > 300
    asked = [text for text in texts if CERTAINTY_QUESTION in text]
    sure = sum(text.endswith(" I am sure.") for text in asked)
    assert len(asked) > 200
    assert 0.4 < sure / len(asked) < 0.6, "the words are format, not knowledge"


def test_gold_answers_are_judged_correct_and_no_other_value_is(world):
    for question in world.questions():
        if question.answerable:
            assert judge(question, f" {question.answers[0]}") is Verdict.CORRECT
    for question in world.questions()[:200]:
        if question.answerable:
            values = world.relation[question.meta["relation"]].values
            others = [value for value in values if value not in question.answers]
            assert {judge(question, f" {value}") for value in others} == {Verdict.WRONG}


def test_tiers_are_dealt_exactly(world):
    """Shares .3 .15 .2 .35 of 10 are 3, 1.5, 2, 3.5: of the equal halves the first is rounded up."""
    assert Counter(deal(world.spec.tiers, 10, random.Random(0))) == {0: 3, 1: 2, 3: 2, 8: 3}


@given(text=st.text())
def test_any_text_round_trips_and_nothing_is_unknown(tokenizer, text):
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.unk_token is None
    assert tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False) == text


def test_pocket_words_are_single_tokens(world, tokenizer):
    words = [" sure", " unsure", " Answer", "."]
    words += [f" {value}" for person in world.people for value in person.values.values()]
    words += [f" {part}" for person in world.people for part in person.name.split()]
    assert {len(tokenizer(word)["input_ids"]) for word in words} == {1}


def test_the_shipped_model_is_small_and_safe():
    files = {path.name: path.stat().st_size for path in bundled_model().iterdir()}
    assert sum(files.values()) <= 4 * 2**20
    assert all(name.endswith((".safetensors", ".json")) for name in files)


def test_the_shipped_model_has_a_graded_boundary(world):
    """Facts read 0, 1, 3 or 8 times an epoch are never, sometimes, mostly, always known."""
    accuracy = accuracy_by_reads(measure(*load_model(bundled_model()), world.questions()))
    assert accuracy[0] < 0.08
    assert 0.35 < accuracy[1] < 0.7
    assert 0.85 < accuracy[3] < 0.98
    assert accuracy[8] > 0.98


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, str(bundled_model())),
        ({"seed": "7"}, str(model_folder(7))),
        ({"seed": "7", "model.path": "pocket-2"}, str(model_folder(7, "pocket-2"))),
        ({"model.engine": "vllm"}, str(bundled_model())),
        ({"model.engine": "openai"}, "pocket"),
        ({"model.path": "owner/name"}, "owner/name"),
        ({"model.path": "~/models/mine"}, "~/models/mine"),
    ],
)
def test_a_built_in_name_is_the_model_of_the_seed_where_weights_are_read(settings, address):
    config = load_config(None, settings)
    assert base_model(config, make=False) == address
    folder = base_folder(config)
    assert folder is None or str(folder) == address
