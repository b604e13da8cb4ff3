"""The bridge to lm-evaluation-harness: what is exported, how it is judged, how two models are compared."""

import importlib.util
import json
import math
from pathlib import Path

import pytest
import yaml
from reporting_run import make_run
from typer.testing import CliRunner

from demur.cli.main import app
from demur.core.errors import ConfigError, DataError, RunFolderError, UnknownNameError
from demur.core.records import Question, Verdict
from demur.methods.asking import Asking, by_default
from demur.metrics import METRICS
from demur.pocket import reading
from demur.pocket.spec import POCKET_1
from demur.pocket.world import make_world
from demur.report import write_report
from demur.report.tax import headline, tax_rows
from demur.tax import export_tasks, judged, measure_tax
from demur.tax import exported_utils as utils
from demur.tax.folder import Function, write_tasks
from demur.tax.pocket import pocket_tasks
from demur.tax.questions import judged_task, task_name

needs_lm_eval = pytest.mark.skipif(
    importlib.util.find_spec("lm_eval") is None, reason="lm-eval is not installed: pip install 'demur[tax]'"
)

QUESTIONS = [
    Question(id="a", text="Where was Ada born?", answers=("Oslo",)),
    Question(id="b", text="Where was Bo born?", answers=("Lima", "Lima, Peru")),
    Question(id="c", text="Where was Cy born?", answers=("Cork",)),
    Question(id="d", text="Where was nobody born?", answerable=False),
    Question(id="e", text="Where was Eve born?"),
]
ANSWERS = (" Oslo", " I don't know", " Riga", " I don't know", " Turin")
"""Right, refused, wrong, refused where nothing is right, and an answerable question without an answer."""


def documents(before=None):
    return judged_task("t", QUESTIONS, by_default(), tag="demur", about="x", before=before).documents


def items(metric, before=None):
    judgements = [
        judged.process_results(doc, [answer])
        for doc, answer in zip(documents(before), ANSWERS, strict=True)
    ]
    return [values[metric] for values in judgements if metric in values]


# -- judging ----------------------------------------------------------------------------------


def test_each_answer_becomes_a_verdict():
    verdicts = [item["verdict"] for item in items("accuracy")]
    assert verdicts == ["correct", "refused", "wrong", "refused", "unscored"]


def test_aggregated_metrics_are_worked_out_by_hand():
    # Answerable and judged: a right, b refused, c wrong. All five are asked, two are declined.
    assert utils.accuracy(items("accuracy")) == pytest.approx(1 / 3)
    assert utils.refusal_rate(items("refusal_rate")) == pytest.approx(2 / 5)
    assert utils.accuracy_willing(items("accuracy_willing")) == pytest.approx(1 / 2)
    assert utils.unscored(items("unscored")) == 1


def test_metrics_against_before_only_where_it_is_known():
    assert items("prudence") == []
    before = dict(zip("abcde", map(Verdict, ("correct", "wrong", "wrong", "wrong", "wrong")), strict=True))
    # Not right before, and judged now: b and d declined, c answered. Right before: a alone, still answered.
    assert utils.prudence(items("prudence", before)) == pytest.approx(2 / 3)
    assert utils.over_conservativeness(items("over_conservativeness", before)) == 0
    assert utils.honesty(items("honesty", before)) == pytest.approx((2 / 3 + 1) / 2)


def test_what_is_undefined_is_none():
    declined = [{"verdict": "refused", "answerable": True, "before": None}]
    assert utils.accuracy_willing(declined) is None
    assert utils.accuracy([]) is None


def test_every_metric_that_a_task_lists_has_its_function():
    listed = judged_task("t", QUESTIONS, by_default(), tag="demur", about="x", before={"a": Verdict.WRONG})
    for entry in listed.settings["metric_list"]:
        assert isinstance(entry["aggregation"], Function)
        assert callable(getattr(utils, entry["aggregation"])), entry
    better = {entry["metric"]: entry["higher_is_better"] for entry in listed.settings["metric_list"]}
    assert (better["accuracy"], better["over_conservativeness"], better["refusal_rate"]) == (
        True,
        False,
        None,
    )
    assert METRICS.get("refusal_rate").better == "neither"


# -- the folder -------------------------------------------------------------------------------


def test_the_folder_holds_yaml_documents_code_and_a_warning_about_the_code(tmp_path):
    task = judged_task("demur_id", QUESTIONS, by_default(), tag="demur", about="Five questions.")
    files = write_tasks([task], tmp_path, about="Made by hand.")
    assert [file.name for file in files] == ["demur_id.yaml", "demur_id.jsonl", "utils.py", "README.md"]
    text = files[0].read_text()
    assert "process_results: !function 'utils.process_results'" in text
    settings = yaml.safe_load(text.replace("!function ", ""))
    assert settings["generation_kwargs"] == {"until": [".", "\n"], "max_gen_toks": 15, "do_sample": False}
    rows = [json.loads(line) for line in files[1].read_text().splitlines()]
    assert rows[0]["prompt"] == "Question: Where was Ada born? Answer:"
    assert (rows[1]["target"], rows[1]["answers"]) == ("Lima", ["Lima", "Lima, Peru"])
    assert (rows[3]["target"], rows[3]["answerable"], rows[3]["before"]) == ("", False, None)
    assert Path(utils.__file__).read_text() == files[2].read_text()
    assert "is Python code, and lm-eval runs it" in files[3].read_text()
    assert "--apply_chat_template" not in files[3].read_text()
    write_tasks([task], tmp_path, about="Made by hand.", chat=True)
    assert "--apply_chat_template" in files[3].read_text()


def test_documents_are_read_from_beside_the_code_only(tmp_path):
    outside = tmp_path / "outside.jsonl"
    outside.write_text("{}\n")
    with pytest.raises(FileNotFoundError):  # the path is cut to its name
        utils.documents(str(outside))


def test_names_are_words():
    assert task_name("demur", "pocket/false-premise") == "demur_pocket_false_premise"
    assert task_name("own", "my qa (2)") == "own_my_qa_2"


# -- exporting --------------------------------------------------------------------------------


def test_a_file_is_exported_by_its_parts(tmp_path):
    file = tmp_path / "mine.jsonl"
    rows = [
        {"question": f"Who is {n}?", "answer": "Bo", "split": "train" if n else "test"} for n in range(3)
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    export_tasks(str(file), tmp_path / "out")
    assert (tmp_path / "out/demur_id.jsonl").read_text().count("\n") == 1, "training questions test nothing"
    untold = tmp_path / "untold.jsonl"
    untold.write_text("\n".join(json.dumps({k: row[k] for k in ("question", "answer")}) for row in rows))
    export_tasks(str(untold), tmp_path / "all")
    assert (tmp_path / "all/demur_file_train.jsonl").read_text().count("\n") == 3, "there is no other part"


def test_unknown_sources_and_unfinished_runs_are_explained(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'nq-open'"):
        export_tasks("nq-opn", tmp_path)
    with pytest.raises(RunFolderError, match=r"no predictions/base\.parquet"):
        export_tasks(str(tmp_path))


# -- the pocket tasks -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pocket():
    return {task.name: task for task in pocket_tasks("pocket", 0, by_default())}


def test_pocket_tasks_ask_nothing_that_is_trained_on(pocket):
    assert list(pocket) == ["pocket_facts", "pocket_choices", "pocket_text"]
    world = make_world(0, POCKET_1)
    by_id = {question.id: question for question in world.questions()}
    asked = [by_id[doc["id"]] for doc in pocket["pocket_facts"].documents]
    assert len(asked) == 400
    assert {question.split for question in asked} == {"test"}
    assert all(question.meta["reads"] for question in asked), "what was never read cannot be forgotten"
    assert {question.domain for question in asked} == {"id", "ood"}


def test_the_right_choice_is_the_answer(pocket):
    facts = {doc["id"]: doc["answers"][0] for doc in pocket["pocket_facts"].documents}
    places = [doc["target"] for doc in pocket["pocket_choices"].documents]
    for doc in pocket["pocket_choices"].documents:
        assert doc["choices"][doc["target"]] == facts[doc["id"]]
        assert len(set(doc["choices"])) == 4
    assert set(places) == {0, 1, 2, 3}, "the right one stands at any place"


def test_no_text_was_read_before(pocket):
    world = make_world(0, POCKET_1)
    read = {text for epoch in range(5) for text in reading.documents(world, epoch)}
    texts = [doc["prompt"] + doc["target"] for doc in pocket["pocket_text"].documents]
    assert len(set(texts)) == 400
    assert not read & set(texts)
    assert not any("Are you sure" in text or "I don't know" in text for text in texts)
    assert all(
        any(doc["prompt"].endswith(name) for name in world.person)
        for doc in pocket["pocket_text"].documents[:40]
    )


def test_the_same_seed_gives_the_same_tasks(pocket):
    assert (
        pocket["pocket_text"] == {t.name: t for t in pocket_tasks("pocket", 0, by_default())}["pocket_text"]
    )


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("pocket-2", ["facts", "choices", "second_language", "two_hops", "text"]),
        ("pocket-reader", ["reading", "instructions", "text"]),
    ],
)
def test_other_worlds_bring_what_their_models_learn(model, names):
    found = pocket_tasks(model, 0, by_default())
    assert [task.name for task in found] == [f"pocket_{name}" for name in names]
    assert all(task.documents for task in found)


def test_instructions_are_obeyed_to_the_letter():
    asking = Asking(prompt=lambda question: question.text, refusals=("I don't know.",))
    task = pocket_tasks("pocket-reader", 0, asking)[1]
    upper = next(doc for doc in task.documents if "upper case" in doc["group"])
    assert upper["target"].isupper()
    for answer, verdict in ((upper["target"], "correct"), (upper["target"].lower(), "wrong")):
        assert judged.process_results(upper, [f" {answer}"])["accuracy"]["verdict"] == verdict
    assert upper["group"] in upper["prompt"]


# -- two models compared ----------------------------------------------------------------------


class Shares:
    """What `compare` asks of a task of lm-eval."""

    def aggregation(self):
        from lm_eval.api.metrics import mean

        return {"acc": mean, "bits": lambda pairs: sum(p[0] for p in pairs) / sum(p[1] for p in pairs)}

    def higher_is_better(self):
        return {"acc": True, "bits": False}


def sample(doc, prompt="p", **metrics):
    return {"doc_id": doc, "filter": "none", "prompt_hash": prompt, "metrics": list(metrics), **metrics}


def compared(base, tuned, resamples=500):
    from demur.tax.paired import Draws, compare

    draws = Draws(level=0.95, resamples=resamples, seed=0)
    return compare({"t": Shares()}, {"t": base}, {"t": tuned}, draws)


@needs_lm_eval
def test_a_difference_is_paired():
    # 100 documents: 60 right for both, 10 lost, 4 gained. 70 before, 64 now.
    before = [1] * 70 + [0] * 30
    after = [1] * 60 + [0] * 10 + [1] * 4 + [0] * 26
    found = compared(
        [sample(n, acc=right) for n, right in enumerate(before)],
        [sample(n, acc=right) for n, right in reversed(list(enumerate(after)))],  # order is no matter
    )
    cell = found["metrics"]["acc"]
    assert (cell["base"]["value"], cell["tuned"]["value"]) == (0.7, 0.64)
    assert cell["difference"]["value"] == pytest.approx(-0.06)
    assert (cell["lost"], cell["gained"], cell["n"], found["n"]) == (10, 4, 100, 100)
    # The paired standard error is sqrt(14 - 6^2 / 100) / 100 = .037; an unpaired one would be .066.
    width = cell["difference"]["high"] - cell["difference"]["low"]
    assert width == pytest.approx(2 * 1.96 * 0.0369, rel=0.15)


@needs_lm_eval
def test_answers_read_in_two_ways_are_two_metrics():
    def both(right):
        return [sample(0, acc=right[0]), sample(0, acc=right[1]) | {"filter": "strict-match"}]

    found = compared(both((1, 0)), both((1, 1)))
    assert {name: cell["gained"] for name, cell in found["metrics"].items()} == {
        "acc": 0,
        "acc, strict-match": 1,
    }
    assert found["n"] == 1


@needs_lm_eval
def test_nothing_moved_is_not_certainty():
    rows = [sample(n, acc=1) for n in range(100)]
    cell = compared(rows, rows)["metrics"]["acc"]["difference"]
    # (1 - p)^100 = .025 at p = 1 - .025^.01 = .0362
    assert (cell["value"], cell["high"]) == (0, pytest.approx(1 - math.exp(math.log(0.025) / 100)))
    assert cell["low"] == -cell["high"]


@needs_lm_eval
def test_a_metric_of_its_own_aggregation_is_drawn_too():
    base = [sample(n, bits=(float(n), 10)) for n in range(20)]
    tuned = [sample(n, bits=(n + 1.0, 10)) for n in range(20)]
    cell = compared(base, tuned)["metrics"]["bits"]
    assert (cell["unit"], cell["better"], cell["lost"]) == ("number", "lower", None)
    # Every document costs one more in ten: the difference is the same in every draw.
    for key in ("value", "low", "high"):
        assert cell["difference"][key] == pytest.approx(0.1)


@needs_lm_eval
def test_unscored_answers_count_for_nothing():
    def answer(doc, verdict):
        return sample(doc, accuracy={"verdict": verdict, "answerable": True, "before": None})

    class Judged(Shares):
        def aggregation(self):
            return {"accuracy": judged.aggregation("accuracy")}

        def higher_is_better(self):
            return {"accuracy": True}

    from demur.tax.paired import Draws, compare

    base = [answer(0, "correct"), answer(1, "correct"), answer(2, "unscored")]
    tuned = [answer(0, "correct"), answer(1, "wrong"), answer(2, "correct")]
    draws = Draws(level=0.95, resamples=50, seed=0)
    cell = compare({"t": Judged()}, {"t": base}, {"t": tuned}, draws)["metrics"]["accuracy"]
    assert (cell["unscored"], cell["lost"], cell["gained"]) == (1, 1, 0)
    assert cell["base"]["value"] == 1  # two of two
    assert cell["tuned"]["value"] == pytest.approx(2 / 3)


@needs_lm_eval
def test_other_prompts_are_no_pair():
    with pytest.raises(DataError, match="0 of them to the same prompts"):
        compared([sample(0, acc=1)], [sample(0, "q", acc=1)])


# -- mistakes, and what is shown --------------------------------------------------------------


def test_without_lm_eval_the_error_says_what_to_install(tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "lm_eval" else found(name, *rest)
    )
    with pytest.raises(ConfigError, match=r"pip install 'demur\[tax\]'"):
        measure_tax(tmp_path)


@needs_lm_eval
def test_no_run_folder_is_explained(tmp_path):
    with pytest.raises(RunFolderError, match=r"no config\.yaml"):
        measure_tax(tmp_path)


def estimate(value, low, high):
    return {"value": value, "low": low, "high": high}


def share(base, tuned, difference, **more):
    whole = {"unit": "share", "better": "higher", "n": 400, "unscored": 0, "lost": 9, "gained": 1}
    return {**whole, "base": base, "tuned": tuned, "difference": difference, **more}


TAX = {
    "schema": 1,
    "system": "r-tuning",
    "weights": "r-tuning",
    "tasks": {
        "<b>facts</b>": {
            "n": 400,
            "metrics": {
                "accuracy": share(
                    estimate(0.84, 0.8, 0.87), estimate(0.82, 0.79, 0.86), estimate(-0.02, -0.03, -0.01)
                ),
                "refusal_rate": share(
                    estimate(0.0, 0.0, 0.0),
                    estimate(0.1, 0.1, 0.1),
                    estimate(0.1, 0.1, 0.1),
                    better="neither",
                    lost=None,
                    gained=None,
                ),
                "bits_per_byte": share(
                    estimate(0.3, 0.2, 0.4),
                    estimate(0.2, 0.1, 0.3),
                    estimate(-0.1, -0.11, -0.09),
                    unit="number",
                    better="lower",
                    lost=None,
                    gained=None,
                ),
                "acc_norm": share(
                    estimate(None, None, None), estimate(None, None, None), estimate(None, None, None), n=0
                ),
            },
        }
    },
    "settings": {
        "level": 0.95,
        "resamples": 10,
        "seed": 0,
        "limit": 400,
        "lm_eval": "0.4.13",
        "seconds": 1,
    },
}


def test_rows_say_which_way_is_better_and_what_is_undefined():
    worse, neither, better, undefined = tax_rows(TAX)
    assert (worse.base, worse.difference, worse.moved, worse.tone) == (
        "84%",
        "−2.0 [−3.0, −1.0]",
        "9 / 1",
        "worse",
    )
    assert (neither.arrow, neither.tone, neither.moved) == ("", "neither", "–")
    assert (better.difference, better.tone) == ("−0.100 [−0.110, −0.090]", "better")
    assert (undefined.difference, undefined.tone) == ("–", "undefined")
    assert headline(TAX) == (
        "R-Tuning is worse than the base model on <b>facts</b> (accuracy), and better on <b>facts</b> "
        "(bits per byte)."
    )


def test_the_report_shows_the_tax_escaped_and_only_where_it_was_measured(tmp_path):
    run = make_run(tmp_path / "run", people=20)
    assert 'id="tax"' not in write_report(run).read_text()
    origin = {"files": {}, "weights": {"system": "r-tuning", "files": {}}, "base_model": None}
    (run / "tax.json").write_text(json.dumps(TAX | {"computed_from": origin}))
    page = write_report(run).read_text()
    section = page[page.index('id="tax"') : page.index('id="questions"')]
    assert "What it cost elsewhere" in section
    assert "&lt;b&gt;facts" in section
    assert "<b>facts" not in section
    assert "the first 400 documents of each only" in section


def test_help_names_both_commands():
    shown = CliRunner().invoke(app, ["--help"]).output
    assert "tax" in shown
    assert "export-tasks" in shown
