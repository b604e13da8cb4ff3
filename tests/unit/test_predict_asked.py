"""Systems are asked what they do not learn from; their training questions only where it is asked for."""

import json

import pytest

import demur
from demur.methods import METHODS
from demur.pipeline.stages.predict import _at, _of
from demur.pocket.world import make_world

SPLITS = ["train", "test", "train", "calibration", "test", "train", "calibration", "test"] * 3


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Questions of the pocket world whose splits take turns, so that no unit is of one split only."""
    path = tmp_path_factory.mktemp("data") / "questions.jsonl"
    facts = [question for question in make_world(0).questions() if question.answerable][:: 1200 // 24][:24]
    rows = [
        {"question": question.text, "answers": list(question.answers), "split": split}
        for question, split in zip(facts, SPLITS, strict=True)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def run(data, out, **settings):
    return demur.run(
        method="honesty-prompt",
        baselines=(),
        data={"path": data},
        out=out,
        probe={"unit": 5},
        model={"path": "pocket", "device": "cpu"},
        **settings,
    )


@pytest.fixture(scope="module")
def runs(data, tmp_path_factory):
    """By whether the training questions are asked: the run, and the questions put to the method."""
    found, method = {}, METHODS.get("honesty-prompt")
    inner = method.elicit
    with pytest.MonkeyPatch.context() as patch:
        for training in (False, True):
            asked = []
            patch.setattr(
                method,
                "elicit",
                lambda self, engine, questions, *rest, into=asked, **more: (
                    into.extend(q.id for q in questions) or inner(self, engine, questions, *rest, **more)
                ),
            )
            folder = run(
                data,
                tmp_path_factory.mktemp("run") / "run",
                evaluation={"training_questions": training, "resamples": 10},
            )
            found[training] = (demur.open_run(folder.root), asked)
    return found


def test_what_is_learned_from_is_not_asked(runs):
    run, asked = runs[False]
    kept = [question.id for question in run.questions if question.split != "train"]
    assert len(kept) == 15
    assert asked == kept
    for system, rows in run.predictions.items():
        assert [row.question_id for row in rows] == kept, system
    assert len(run.probes) == 24, "what is known is still asked of the base model"


def test_it_is_asked_where_it_is_wanted(runs):
    run, asked = runs[True]
    everything = [question.id for question in run.questions]
    assert asked == everything
    for system, rows in run.predictions.items():
        assert [row.question_id for row in rows] == everything, system


def test_no_other_figure_depends_on_it(runs):
    without, with_training = (runs[training][0].metrics["metrics"] for training in (False, True))
    assert without.keys() == with_training.keys()
    for system, splits in without.items():
        more = with_training[system].keys() - splits.keys()
        assert [name.rpartition("/")[2] for name in more] == ["train"], system
        for split, cells in splits.items():
            for name, cell in cells.items():  # other batches round differently
                other = with_training[system][split][name]
                assert cell["n"] == other["n"], (system, split, name)
                assert cell["value"] == pytest.approx(other["value"], abs=1e-6), (system, split, name)


def test_rows_are_found_by_place():
    rows = "abcdefgh"
    assert _at(rows, [0, 1, 4, 6, 7]) == list("abegh")
    assert _at(rows, [3]) == ["d"]
    assert _at(rows, []) == []
    assert list(_of(rows, [0, 1, 4, 6, 7])) == list("abegh")
    assert list(_of(rows, [])) == []
    assert list(_of(rows, range(8))) == list(rows)
