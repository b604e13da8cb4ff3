"""Worked examples in prompts, which of them may be shown, and the trial of ways to ask."""

import dataclasses
import json
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from commands import succeeded
from demur.api import _resolve
from demur.ask.loading import load
from demur.ask.models import Models
from demur.ask.system import from_model, from_run
from demur.cli.init import write_config
from demur.core.config import Config, DataSettings, ShownExample, TemplateSettings, load_config
from demur.core.errors import ConfigError, DataError, RunFolderError
from demur.core.questions import QuestionTable
from demur.core.records import TOGETHER, Question, read_parquet
from demur.core.templates import BRIEF, TEMPLATES
from demur.datasets import load_questions
from demur.datasets.examples import draw_examples, draw_trial, without_examples
from demur.engines.hf import HFEngine
from demur.knowledge import trial
from demur.knowledge.trial import Tried, Way
from demur.pipeline import asking, prompts
from demur.pipeline.job import Job
from demur.pipeline.pipeline import Pipeline
from demur.pocket import bundled_model
from demur.sources import KNOWN_MODELS, cached

PLAIN = TEMPLATES["r-tuning-code"]
SHARED = Path(os.environ.get("DEMUR_SHARED_DATA") or Path(__file__).parents[3] / "shared/data")
PARAREL = SHARED / "r_tuning_data/pararel"


def ask(text, *answers, split="train", **more):
    return Question(id=f"{split} {text}", text=text, answers=answers, split=split, **more)


NILE, RHINE = ask("Where is the Nile?", "Egypt"), ask("Where is the Rhine?", "Germany")


# ---------------------------------------------------------------------------------------------
# The text of a prompt
# ---------------------------------------------------------------------------------------------


def test_examples_stand_before_the_question_with_their_answers():
    assert PLAIN.showing([NILE, RHINE]).ask("Where is Oslo?") == (
        "Question: Where is the Nile? Answer: Egypt.\n\n"
        "Question: Where is the Rhine? Answer: Germany.\n\n"
        "Question: Where is Oslo? Answer:"
    )


def test_no_examples_change_nothing():
    assert PLAIN.showing([]) == PLAIN


def test_in_a_chat_a_space_leads_the_answer_of_an_example_but_not_that_of_the_model():
    chat = TemplateSettings(shown=[ShownExample.of(NILE)]).template(chat=True)
    assert chat.examples == "Question: Where is the Nile? Answer: Egypt.\n\n"
    assert chat.answered("Norway") == "Norway."


def test_the_instruction_comes_first_on_a_line_of_its_own():
    settings = TemplateSettings(instruction=BRIEF, shown=[ShownExample.of(NILE)])
    assert settings.template(chat=False).ask("Where is Oslo?") == (
        "Answer in a few words.\n"
        "Question: Where is the Nile? Answer: Egypt.\n\n"
        "Question: Where is Oslo? Answer:"
    )


def test_a_question_with_examples_of_its_own_is_shown_no_others():
    own = ask("Where is Oslo?", preface="About cities.\n")
    assert PLAIN.showing([NILE]).ask(own) == "About cities.\nQuestion: Where is Oslo? Answer:"


def test_an_example_has_the_form_of_its_question():
    choice = ask("2 + 2?", "B", choices=("3", "4"), task="choice")
    shown = PLAIN.showing([ShownExample.of(choice).as_question()])
    assert shown.examples == "2 + 2?\nA. 3\nB. 4\nAnswer:B.\n\n"


def test_a_template_with_examples_survives_its_card():
    template = PLAIN.showing([NILE])
    card = json.loads(json.dumps(dataclasses.asdict(template)))
    assert dataclasses.replace(PLAIN, **card) == template


def test_a_number_that_is_not_that_of_the_examples_is_refused():
    with pytest.raises(ConfigError, match="2 examples, but 1 in shown"):
        load_config(
            None, {"template.examples": 2, "template.shown": [{"question": "Where?", "answer": "There"}]}
        )


def test_a_probe_depends_on_the_examples_and_not_on_how_they_were_chosen():
    plain, example = TemplateSettings(), {"question": "Where?", "answer": "There"}
    shown, counted = (
        TemplateSettings.model_validate({"shown": [example]} | more) for more in ({}, {"examples": 1})
    )
    assert TemplateSettings(trial=True).identity() == plain.identity()
    assert shown.identity() == counted.identity()
    assert shown.identity() != plain.identity()
    assert {"shown", "instruction"}.isdisjoint(plain.identity()), "as before there were examples"


# ---------------------------------------------------------------------------------------------
# Which questions may be shown
# ---------------------------------------------------------------------------------------------


def drawn(*questions, count=10, seed=0):
    return {question.text for question in draw_examples(QuestionTable.of(questions), count, seed=seed)}


FREE = ask("who was the first emperor of rome", "augustus")


@pytest.mark.parametrize(
    ("example", "tested"),
    [
        (ask("Who painted Guernica?", "Picasso"), ask("who painted guernica", "someone", split="test")),
        (ask("who is it", "Ann"), ask("what is her name", "ann", split="calibration")),
        (ask("who is it", "Ann"), ask("where does Ann live", "there", split="nonexistent")),
        (ask("where did Turing live", "there"), ask("when did Alan Turing die", "1954", split="test")),
        (ask("where did Alan Turing live", "there"), ask("when did Turing die", "1954", split="test")),
        (ask("who was born in 1912", "him"), ask("what was in 1912", "that", split="test")),
        (
            ask("who is it", "he", context="A long passage."),
            ask("where is it", "there", context="a long passage", split="test"),
        ),
        (
            ask("who is it", "he", meta={TOGETHER: "topic 7"}),
            ask("where is it", "there", meta={TOGETHER: "topic 7"}, split="test"),
        ),
        (
            ask("which one", "A", choices=("Oslo", "Rome"), task="choice"),
            ask("where is he", "Oslo", split="test"),
        ),
    ],
)
def test_nothing_about_what_is_tested_is_shown(example, tested):
    assert drawn(example, FREE, tested) == {FREE.text}
    assert drawn(example, FREE) == {FREE.text, example.text}, "and it was for this reason"


@pytest.mark.parametrize(
    "not_shown",
    [
        ask("is there an answer"),
        ask("what is a false premise", "none", answerable=False),
        ask("which comes with examples", "this", preface="Some examples.\n"),
    ],
)
def test_only_a_question_with_an_answer_and_no_examples_of_its_own_is_shown(not_shown):
    assert drawn(not_shown, FREE) == {FREE.text}


def test_a_question_that_rows_answer_differently_is_not_shown():
    again = [ask("what is the field of Gauss", "maths", dataset=name) for name in "ab"]
    rows = [dataclasses.replace(row, id=f"{n}") for n, row in enumerate(again)]
    assert drawn(*rows, FREE) == {FREE.text}


def test_an_opening_word_is_no_name():
    """Three questions of four, more than 2%, begin with "Where"."""
    other = [ask(f"Where is the {n}?", f"place {n}", split="test") for n in ("river", "lake")]
    assert drawn(ask("Where is the sea?", "there"), *other) == {"Where is the sea?"}


def test_a_name_that_many_are_asked_about_is_a_word_of_the_form():
    """Five questions of five name Europe, which is more than 5%; with four there are too few to know."""
    tested = [ask(f"which of these is in Europe, {n}", f"it {n}", split="test") for n in "abcde"]
    own = ask("is the Volga in Europe", "it is")
    assert drawn(own, *tested) == {own.text}
    assert drawn(own, *tested[:4]) == set()


def test_answers_of_a_small_set_come_last_and_rare_ones_not_at_all():
    tested = [ask(f"is it so, {n}", "yes", split="test") for n in "abcde"]
    tested.append(ask("is it perhaps", "rarely", split="test"))
    common, rare = ask("is it so", "yes"), ask("when is it", "rarely")
    assert drawn(common, rare, FREE, *tested, count=1) == {FREE.text}
    assert drawn(common, rare, FREE, *tested) == {FREE.text, common.text}


def test_a_group_that_is_not_tested_comes_first():
    rows = [
        ask(f"what is number {letter}", f"it {letter}", group=group)
        for letter, group in zip("abcdef", ("tested", "free") * 3, strict=True)
    ]
    tested = ask("what is asked", "that", group="tested", split="test")
    assert drawn(*rows, tested, count=3) == {row.text for row in rows if row.group == "free"}


def test_the_seed_draws_and_fewer_examples_begin_more():
    rows = QuestionTable.of(ask(f"what is {word}", f"{word} it") for word in map(str, "abcdefghijkl"))
    five, other = draw_examples(rows, 5, seed=0), draw_examples(rows, 5, seed=1)
    assert five == draw_examples(rows, 5, seed=0)
    assert five[:3] == draw_examples(rows, 3, seed=0)
    assert five != other
    assert draw_examples(rows, 0, seed=0) == []


def test_trial_questions_are_no_examples_and_not_about_their_entities():
    rows = [ask(f"what is {n}", f"{n} it", meta={TOGETHER: n % 3}) for n in range(9)]
    table = QuestionTable.of([*rows, ask("what is tested", "that", split="test")])
    shown = [rows[0]]
    found = draw_trial(table, 32, seed=0, shown=shown)
    assert {question.text for question in found} == {f"what is {n}" for n in (1, 2, 4, 5, 7, 8)}
    assert {question.split for question in found} == {"train"}


def test_every_training_row_of_an_example_leaves():
    rows = [NILE, dataclasses.replace(NILE, id="again", text="where is the nile"), RHINE]
    tested = dataclasses.replace(NILE, id="tested", split="test")
    left = without_examples(QuestionTable.of([*rows, tested]), [NILE])
    assert [question.id for question in left] == [RHINE.id, "tested"]


# ---------------------------------------------------------------------------------------------
# The trial
# ---------------------------------------------------------------------------------------------


def tried(right, *, empty=0, n=32, **way):
    way = Way(**{"format": "plain", "max_new_tokens": 15} | way)
    hits = tuple(question < right for question in range(n))
    return Tried(way=way, hits=hits, empty=empty, cut=0, seconds=1.0)


def test_the_ways_that_are_tried():
    five = [ask(f"what is {n}", f"{n}") for n in range(5)]
    found = trial.ways(Config(), ("plain", "chat"), five)
    assert [(way.format, len(way.examples), way.brief, way.max_new_tokens) for way in found] == [
        ("plain", 0, False, 15),
        ("plain", 3, False, 15),
        ("plain", 5, False, 15),
        ("chat", 0, True, 15),
        ("chat", 0, True, 64),
    ]


def test_a_server_is_tried_in_the_format_that_it_is_asked_in():
    five = [ask(f"what is {n}", f"{n}") for n in range(5)]
    assert {way.format for way in trial.ways(Config(), ("chat",), five)} == {"chat"}
    assert {way.format for way in trial.ways(Config(), ("plain",), five)} == {"plain"}


def test_with_fewer_examples_and_a_limit_of_the_users_own_less_is_tried():
    found = trial.ways(load_config(None, {"probe.max_new_tokens": 30}), ("plain", "chat"), [NILE])
    assert [(way.format, len(way.examples), way.max_new_tokens) for way in found] == [
        ("plain", 0, 30),
        ("plain", 1, 30),
        ("chat", 0, 30),
    ]


def test_the_most_right_answers_win_and_plain_text_without_examples_only_by_more_than_chance():
    simple, more, most = tried(5), tried(5, examples=(NILE,)), tried(5, examples=(NILE, RHINE))
    assert trial.best([simple, more, most]) is more, "of equal ones the simplest that shows the form"
    assert trial.best([tried(6), more]) is more, "one question more, of one that differs, is chance"
    by_two = tried(7)
    assert trial.best([by_two, more]) is by_two, "two of two that differ: 2 > 2 ** .5"
    differing = Tried(way=simple.way, hits=tuple(n >= 25 for n in range(32)), empty=0, cut=0, seconds=1.0)
    assert trial.best([differing, more]) is more, "7 against 5, but 12 answers differ: 2 < 12 ** .5"
    assert trial.best([simple, tried(5, empty=32, examples=(NILE,))]) is simple, "the other says nothing"
    assert trial.best([simple, more, tried(6, format="chat")]).right == 6
    assert trial.best([tried(0, empty=32), more, tried(0)]) is more
    silent, speaking = tried(0, empty=32), tried(0, empty=16)
    assert trial.best([silent, speaking]) is speaking, "a run would stop at the other"


def test_the_table_and_the_sentence():
    found = [tried(0, empty=32), tried(11, examples=(NILE, RHINE)), tried(9, format="chat", brief=True)]
    assert trial.table(found) == [
        "format        examples    tokens     right     empty       cut   seconds",
        "plain                0        15   0 of 32  32 of 32   0 of 32       1.0",
        "plain                2        15  11 of 32   0 of 32   0 of 32       1.0",
        "chat, brief          0        15   9 of 32   0 of 32   0 of 32       1.0",
        "brief: the line 'Answer in a few words.' before the question",
    ]
    assert trial.sentence(found) == (
        "prompt: plain text, 2 examples (11 of 32 training questions right; 9 the best of the others)"
    )
    assert trial.sentence(found[:1]) == "prompt: plain text (0 of 32 training questions right)"


def test_a_way_sets_only_how_the_model_is_asked():
    way = Way(format="chat", brief=True, max_new_tokens=64)
    changed = trial.applied(Config(), way)
    assert changed.template.template(chat=True).instruction == BRIEF
    assert (changed.model.format, changed.probe.max_new_tokens) == ("chat", 64)


@pytest.mark.parametrize(
    ("given", "tries"),
    [
        ({"model.path": "some/model"}, True),
        ({"model.path": "some/model", "probe.max_new_tokens": "30", "data.name": "x.jsonl"}, True),
        ({}, False),
        ({"data.name": "x.jsonl"}, False),
        ({"model.path": "pocket"}, False),
        ({"model.path": str(bundled_model())}, False),
        ({"model.path": "some/model", "model.format": "plain"}, False),
        ({"model.path": "some/model", "template.examples": "3"}, False),
        ({"model.path": "some/model", "template.refusal": "No."}, False),
        ({"model.path": "some/model", "probe.path": "answers.parquet"}, False),
    ],
)
def test_ways_are_tried_where_a_model_is_named_and_nothing_of_its_prompt(given, tries):
    assert prompts.left_open(given) is tries
    assert _resolve(None, given, None).template.trial is tries


def test_a_configuration_says_itself_whether_ways_are_tried(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("model: {path: some/model}\n")
    assert _resolve(file, {"model.path": "other/model"}, None).template.trial is False


# ---------------------------------------------------------------------------------------------
# A run
# ---------------------------------------------------------------------------------------------

FEW = {"data.name": "pocket", "data.limit": 40, "method": "honesty-prompt", "baselines": []}


def settings(folder, **more):
    return load_config(None, {"out": str(folder), **FEW, **more})


class Notes:
    """A listener that keeps what it is told."""

    def __init__(self):
        self.said = []

    def note(self, text):
        self.said.append(text)

    def bar(self, *_):
        from demur.core.progress import Silent

        return Silent().bar("", 0, "")


def test_a_run_tries_once_and_a_resumed_one_takes_what_stands_in_its_folder(tmp_path, monkeypatch):
    notes, config = Notes(), settings(tmp_path / "run", **{"template.trial": True})
    first = Pipeline(config, listener=notes)
    first.run(until="probe")
    (said,) = [line for line in notes.said if line.startswith("prompt:")]
    assert re.match(
        r"prompt: plain text \(\d+ of \d+ training questions right; \d+ the best of the others\)", said
    )
    kept = yaml.safe_load((tmp_path / "run/config.yaml").read_text())
    assert kept["model"]["format"] == "plain"
    noted = json.loads((tmp_path / "run/manifest.json").read_text())["stages"]["data"]["tried_prompts"]
    assert [way["examples"] for way in noted] == [0, 3, 5]
    assert noted[0]["right"] == max(way["right"] for way in noted), "the pocket model has read this prompt"

    monkeypatch.setattr(trial, "try_ways", lambda *_, **__: pytest.fail("tried again"))
    again = Notes()
    Pipeline(config, listener=again).run(until="probe")
    assert "probe: nothing has changed, kept" in again.said
    Pipeline(config, update=True).run(until="probe")
    other = settings(tmp_path / "run", **{"template.trial": True, "data.limit": 39})
    with pytest.raises(RunFolderError, match=r"found: +data.limit: 40 there, 39 here\nto do"):
        Pipeline(other).run(until="probe")


def test_what_a_trial_depends_on_has_it_made_again(tmp_path, monkeypatch):
    config = settings(tmp_path / "run", **{"template.trial": True})
    Pipeline(config).run(until="data")
    made = []
    monkeypatch.setattr(prompts, "_choose", made.append)
    Pipeline(config, update=True).run(until="data")
    assert made == []
    other = settings(tmp_path / "run", **{"template.trial": True, "data.limit": 39})
    Pipeline(other, update=True).run(until="data")
    assert len(made) == 1


def test_a_folder_that_was_made_without_a_trial_stays_so(tmp_path, monkeypatch):
    Pipeline(settings(tmp_path / "run")).run(until="data")
    monkeypatch.setattr(prompts, "_choose", lambda *_: pytest.fail("tried"))
    Pipeline(settings(tmp_path / "run", **{"template.trial": True})).run(until="data")


def test_no_model_is_tried_for_a_folder_of_something_else(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/letter.txt").write_text("mine")
    monkeypatch.setattr(prompts, "_choose", lambda *_: pytest.fail("tried"))
    with pytest.raises(RunFolderError, match=r"letter\.txt"):
        Pipeline(settings(tmp_path / "run", **{"template.trial": True})).run(until="data")


def test_a_trial_asks_training_questions_only(tmp_path, monkeypatch):
    job = Job(settings(tmp_path / "run"))
    job.loaded = job.load()
    asked = []
    monkeypatch.setattr(
        trial, "try_ways", lambda _engine, questions, *_, **__: asked.extend(questions) or []
    )
    prompts.try_prompts(job)
    train = {question.id for question in job.loaded.questions if question.split == "train"}
    assert asked
    assert {question.id for question in asked} <= train


def test_a_way_in_which_nothing_can_be_asked_is_left_out(tmp_path):
    job = Job(settings(tmp_path / "run"))
    job.loaded = job.load()
    long = ask("where is it", "far " * 5000)
    tries = [
        Way(format="plain", max_new_tokens=15),
        Way(format="plain", examples=(long,), max_new_tokens=15),
    ]
    asked = job.loaded.questions[:4]
    assert [item.way for item in trial.try_ways(job.engine, asked, job.config, tries)] == tries[:1]
    with pytest.raises(DataError):
        trial.try_ways(job.engine, asked, job.config, tries[1:])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run with two worked examples."""
    folder = tmp_path_factory.mktemp("examples") / "run"
    succeeded(
        *("run", "--data", "pocket", "--data.limit", "60", "--evaluation.resamples", "20"),
        *("--template.examples", "2", "--training.max_steps", "2", "--baselines", "", "--out", folder),
        *("--knowledge.min_share", "0"),
    )
    return folder


def test_the_examples_of_a_run_stand_in_its_settings_and_in_no_part_of_it(run):
    config = load_config(run / "config.yaml")
    assert len(config.template.shown) == config.template.examples == 2
    shown = {example.question for example in config.template.shown}
    asked = read_parquet(run / "questions.parquet", Question)
    assert shown.isdisjoint(question.text for question in asked)
    whole = load_questions(DataSettings(name="pocket", limit=60)).questions
    assert shown <= {question.text for question in whole if question.split == "train"}
    assert len(asked) == len(whole) - 2
    report = json.loads((run / "manifest.json").read_text())["stages"]["data"]["report"]
    assert report["counts"]["train"] == 58
    assert "2 worked examples before each question; 2 rows of them left training" in report["notes"]


def test_every_part_of_the_program_shows_the_same_prompt(run):
    """Probe, training rows, `ask` and `serve` of the run and of its model folder, and `tax`."""
    config = load_config(run / "config.yaml")
    first, second = config.template.shown
    start = (
        f"Question: {first.question} Answer: {first.answer}.\n\n"
        f"Question: {second.question} Answer: {second.answer}.\n\nQuestion: "
    )
    question = read_parquet(run / "questions.parquet", Question)[-1]
    expected = f"{start}{question.text} Answer:"
    assert config.template.template(chat=False).ask(question) == expected
    rows = [json.loads(line) for line in (run / "systems/r-tuning/training/sft.jsonl").open()]
    assert rows
    assert all(row["prompt"].startswith(start) for row in rows)
    systems = [from_run(run, None, {}), from_run(run, "base", {})]
    systems.append(from_model(run / "systems/r-tuning/model", None, {}))
    assert [Models(system).template.ask(question) for system in systems] == [expected] * 3
    job = Job(config)
    assert asking.plainly(job).prompt(question) == expected
    assert asking.as_system(job, "r-tuning", question).prompt(question) == expected


def test_the_answer_of_a_system_in_use_follows_the_examples(run):
    seen = []
    generate = HFEngine.ask

    def listening(self, asked, **more):
        seen.extend(asked)
        return generate(self, asked, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HFEngine, "ask", listening)
        with load(run) as answerer:
            answerer.ask("Where was Ada born?")
    shown = load_config(run / "config.yaml").template.template(chat=False)
    assert seen == [shown.ask("Where was Ada born?")]


def test_another_example_redoes_the_probe(run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    notes, config = Notes(), load_config(run / "config.yaml", {"out": str(copy)})
    fewer = load_config(None, config.model_dump() | {"template.examples": 1, "template.shown": []})
    Pipeline(fewer, listener=notes, update=True).run(until="probe")
    assert "stage probe" in notes.said


def test_examples_of_the_users_own_must_not_be_tested(tmp_path):
    whole = load_questions(DataSettings(name="pocket", limit=40)).questions
    tested = next(question for question in whole if question.split == "test")
    shown = [{"question": tested.text, "answer": tested.answers[0]}]
    with pytest.raises(DataError, match="no calibration or test question asks"):
        Pipeline(settings(tmp_path / "run", **{"template.shown": shown})).run(until="data")
    assert not (tmp_path / "run").exists()


def test_more_examples_than_there_are_is_an_error_that_says_how_many_there_are(tmp_path):
    with pytest.raises(DataError, match=r"(?s)found: +\d+\n.*lower it to \d+"):
        Pipeline(settings(tmp_path / "run", **{"template.examples": 40})).run(until="data")


# ---------------------------------------------------------------------------------------------
# `demur init`
# ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The pocket model in a folder that does not say what it is, and questions for it."""
    root = tmp_path_factory.mktemp("copied")
    shutil.copytree(bundled_model(), root / "model")
    (root / "model/pocket.json").unlink()
    whole = load_questions(DataSettings(name="pocket", limit=60)).questions
    rows = [{"question": q.text, "answers": list(q.answers), "split": q.split} for q in whole if q.answers]
    (root / "qa.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return root


def test_init_prints_the_table_and_writes_the_best(copied):
    out = copied / "demur.yaml"
    ended = succeeded("init", copied / "qa.jsonl", "--model", copied / "model", "--out", out)
    table = [line for line in ended.stdout.splitlines() if line.startswith("  plain")]
    assert [line.split()[1] for line in table] == ["0", "3", "5"]
    assert all(len(line) <= 80 for line in table)
    text = out.read_text()
    assert "# tried on 32 training questions:" in text
    assert "# prompt: plain text (" in text
    config = load_config(out)
    assert (config.model.format, config.template.examples, config.template.shown) == ("plain", 0, ())
    assert config.template.trial is False
    assert "set model.path there" not in ended.stdout


def test_init_tries_nothing_where_the_prompt_is_given_or_no_model(copied):
    for name, more in (("a", {}), ("b", {"model.path": str(copied / "model"), "model.format": "plain"})):
        said = write_config(str(copied / "qa.jsonl"), copied / f"{name}.yaml", more)
        assert "tried on" not in said
        assert "tried on" not in (copied / f"{name}.yaml").read_text()


def test_a_command_without_a_configuration_tries_and_says_what_it_chose(copied):
    arguments = ("probe", "--model", copied / "model", "--data", copied / "qa.jsonl")
    ended = succeeded(*arguments, "--out", copied / "run")
    assert "prompt: plain text (" in ended.stderr
    again = succeeded(*arguments, "--out", copied / "run")
    assert "prompt:" not in again.stderr
    by_hand = succeeded(*arguments, "--out", copied / "other", "--model.format", "plain")
    assert "prompt:" not in by_hand.stderr


# ---------------------------------------------------------------------------------------------
# A real model
# ---------------------------------------------------------------------------------------------

SMOLLM2 = KNOWN_MODELS["smollm2"]


@pytest.mark.slow
@pytest.mark.skipif(
    cached.look(SMOLLM2.folder, SMOLLM2.sha256) is None, reason="needs smollm2 (make models-real)"
)
@pytest.mark.skipif(
    not PARAREL.is_dir(), reason="needs ParaRel as R-Tuning published it (DEMUR_SHARED_DATA)"
)
def test_a_real_model_answers_after_examples_or_in_its_chat_and_not_without(tmp_path):
    job = Job(
        load_config(
            None,
            {
                "out": str(tmp_path / "run"),
                "model.path": str(SMOLLM2.folder),
                "data.name": "pararel",
                "data.path": str(PARAREL),
                "data.limit": 200,
            },
        )
    )
    job.loaded = job.load()
    found = prompts.try_prompts(job)
    by_way = {(item.way.format, len(item.way.examples), item.way.max_new_tokens): item for item in found}
    assert by_way["plain", 0, 15].empty > 16
    assert by_way["plain", 3, 15].right >= 4
    assert by_way["chat", 0, 64].cut < by_way["chat", 0, 15].cut
    assert trial.best(found).right >= 4
