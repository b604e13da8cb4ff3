"""What a run would take: formulas by hand, scaling by hand, and a trial of the pocket model."""

import dataclasses
import json
from pathlib import Path

import pytest

from demur.core.config import TrainingSettings, load_config
from demur.core.errors import ConfigError
from demur.engines import Opening
from demur.pipeline.dryrun import estimate, formulas, render
from demur.pipeline.dryrun.counts import (
    Counts,
    count,
    generations,
    predicted,
    probed,
    steps_of,
    tokens_at_most,
)
from demur.pipeline.dryrun.estimate import _no_trial
from demur.pipeline.dryrun.ladder import Asked, _beside, ladder
from demur.pipeline.dryrun.model import Model, model_of, weights_here
from demur.pipeline.dryrun.render import duration, size
from demur.pipeline.dryrun.shapes import SHAPES, Shape, Size, published_size
from demur.pipeline.dryrun.spent import Seconds, Spent, spending
from demur.pipeline.dryrun.stages import evaluation_seconds, stages
from demur.pipeline.dryrun.steps import StageCost
from demur.pipeline.dryrun.trial import Trial, _drawn
from demur.pipeline.job import Job

MB = 2**20


def job(tmp_path, **settings):
    named = {name.replace("__", "."): value for name, value in settings.items()}
    return Job(load_config(None, {"out": str(tmp_path / "run"), "data.limit": 40, **named}))


# -- formulas ------------------------------------------------------------------------------------


def test_operations_per_weight_and_token_of_a_training_row():
    assert formulas.training_operations(TrainingSettings()) == 4, "2 forward, 2 back through activations"
    assert formulas.training_operations(TrainingSettings(lora=False)) == 6, "2 more for gradients"
    again = TrainingSettings(lora=False, gradient_checkpointing=True)
    assert formulas.training_operations(again) == 8, "2 more for going forward twice"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 100 * 2 + 50),
        ({"lora": False}, 100 * 2 + 100 * (2 + 8) + 50),  # gradients like weights, two moments in float32
        ({"quantize": "8bit"}, 100 * 1 + 50),
        ({"quantize": "4bit"}, 55 + 50),
    ],
)
def test_memory_while_tuning(settings, expected):
    assert formulas.training_bytes(100, 2, TrainingSettings(**settings), 50) == pytest.approx(expected)


def test_memory_of_activations_and_cache():
    # 10 tokens, 2 layers, width 8, 2 bytes: 34 bytes x width, as Korthikanti et al. count them
    assert formulas.activation_bytes(10, layers=2, hidden=8, value_bytes=2) == 10 * 2 * 8 * 34
    kept = formulas.activation_bytes(10, layers=2, hidden=8, value_bytes=2, checkpointing=True)
    assert kept == 10 * 2 * 8 * 2, "only what each layer is given"
    assert formulas.cache_bytes(10, layers=2, width=4, value_bytes=2) == 2 * 10 * 2 * 4 * 2


def test_weights_of_a_public_shape():
    # one layer of width 2: queries and output 4 each, keys and values 4 x 1/2 each, three matrices of 2 x 3
    assert Shape(2, 1, 3, 5, 0.5).parameters == 4 + 4 + 2 + 2 + 18 + 2 * 10
    assert Shape(2, 1, 3, 5, 0.5, tied=True).parameters == 4 + 4 + 2 + 2 + 18 + 10
    published = SHAPES["meta-llama/Llama-2-70b-chat-hf"].parameters
    assert published == pytest.approx(68.98e9, rel=0.001), "as its model card's files"


def test_the_published_size_of_a_mixture_needs_every_part():
    data = load_config(
        None, {"data.mixture": [{"name": "pararel", "limit": 100}, {"name": "falseqa"}]}
    ).data
    assert published_size(data) == Size(100 + 0, 300 + 4730, 25)
    unknown = load_config(None, {"data.mixture": [{"name": "pararel"}, {"name": "file"}]}).data
    assert published_size(unknown) is None


# -- time and how it is scaled ---------------------------------------------------------------------


def test_seconds_add_up_and_never_fall_below_zero():
    assert Seconds(1, 2) + Seconds(3, 4) * 2 == Seconds(7, 10)
    assert Seconds(1, 5).less(Seconds(2, 3)) == Seconds(0, 2)


def test_spending_sees_time_and_memory():
    with spending() as spent:
        held = bytearray(64 * MB)
        held[::4096] = b"x" * len(held[::4096])
    assert spent.seconds.cpu > 0
    assert spent.peak > 64 * MB


@pytest.mark.parametrize(
    ("total", "budget", "warm", "calls"),
    [
        (1, 0.0, True, [1, 1]),  # one question is all there is
        (20, 0.0, True, [8, 16, 20]),
        (20, 0.0, False, [16, 20]),
        (16, 0.0, True, [8, 16]),
        (500, 0.0, True, [8, 16, 48]),  # no time for more than the least
        (500, 1e9, True, [8, 16, 500]),
    ],
)
def test_the_ladder_does_as_much_as_the_budget_allows(total, budget, warm, calls):
    seen = []

    def work(size):
        seen.append(size)
        return list(range(size))

    result, asked, first = ladder(work, total, budget, warm=warm)
    assert seen == calls
    assert result == list(range(calls[-1]))
    assert asked.questions == calls[-1]
    assert asked.held > 0
    assert 0 <= asked.fixed <= 0.7
    assert first is not asked.spent or len(calls) == 1


def at(seconds, peak=0.0):
    return Spent(Seconds(seconds, seconds), peak)


def test_a_call_has_a_fixed_part_that_larger_batches_share():
    # 4 s and 6 s for 10 and 30 questions: 3 s, and 0.1 s for each
    asked = _beside(Asked(10, at(4.0), held=100.0), 30, at(6.0, 160.0))
    assert asked.fixed == pytest.approx(0.5)
    assert asked.each(30).clock == pytest.approx(6 / 30)
    assert asked.each(300).clock == pytest.approx(0.1 + 3 / 300)
    assert asked.each(5).clock == pytest.approx(6 / 30), "smaller batches were not measured"
    assert (asked.peak(50.0), asked.peak(70.0)) == (160, 100 + 70), "a whole batch finds no room left over"


def test_noise_leaves_the_fixed_part_within_bounds():
    assert _beside(Asked(10, at(1.0)), 20, at(3.0)).fixed == 0, "more than twice as long for twice as many"
    assert _beside(Asked(10, at(3.0)), 20, at(2.0)).fixed == 0.7


def test_longer_questions_take_longer_by_what_is_not_shared():
    counts = Counts(size=Size(10, 10, 60), train_tokens=30, mean_tokens=60, shared=20)
    assert counts.weight(15) == (40 + 15) / (10 + 15)
    assert Counts(size=Size(10, 10, 30), train_tokens=30, mean_tokens=30).weight(15) == 1
    assert Counts(size=Size(0, 0, 0), train_tokens=0, mean_tokens=0).weight(15) == 1


def test_the_evaluation_grows_with_systems_and_parts_and_slowly_with_questions():
    measured = Asked(200, Spent(Seconds(1.0, 2.0)))
    # 200 a part as measured: 4 systems for 2, 3 parts for 1
    assert evaluation_seconds(measured, systems=4, parts=3, questions=600) == Seconds(6, 12)
    # 1,200 a part: (800 + 1200) / (800 + 200)
    assert evaluation_seconds(measured, systems=2, parts=1, questions=1200) == Seconds(2, 4)


def test_stages_from_a_trial_by_hand(tmp_path):
    found = job(tmp_path, baselines=(), training__batch_size=5, data__limit=40)
    counts = dataclasses.replace(
        Counts(size=Size(40, 60, 20), train_tokens=20, mean_tokens=20),
        parts=3,
        rows={"r-tuning": {"sft": 0.5}},
    )
    cost = StageCost(rows=0.5, start=Spent(Seconds(2, 2), 0), step=Seconds(3, 3), steps=4, peak=700 * MB)
    trial = Trial(
        opening=Spent(Seconds(1, 1), 100 * MB),
        reopening=Spent(Seconds(0.5, 0.5), 0),
        probe=Asked(10, Spent(Seconds(5, 4), 300 * MB)),
        build={"r-tuning": Seconds(0.01, 0.01)},
        tuned={"r-tuning": {"sft": cost}},
        predict={"r-tuning": Asked(10, Spent(Seconds(20, 10), 800 * MB), held=650 * MB)},
        evaluation=Asked(10, Spent(Seconds(1, 1), 0)),
        row_bytes=2 * MB,
        resident=600 * MB,
    )
    rows = {stage.name: stage for stage in stages(found, counts, trial)}
    assert list(rows) == [
        "probe",
        "build/r-tuning",
        "train/r-tuning",
        "predict/r-tuning",
        "evaluate",
        "report",
    ]
    assert rows["probe"].seconds.clock == pytest.approx(1 + 100 * 0.5)
    assert rows["probe"].seconds.cpu == pytest.approx(1 + 100 * 0.4)
    assert rows["build/r-tuning"].seconds.clock == pytest.approx(0.4)
    assert rows["train/r-tuning"].seconds.clock == pytest.approx(2 + 4 * 3), "20 rows, 5 an update"
    assert rows["predict/r-tuning"].seconds.clock == pytest.approx(0.5 + 60 * 2), (
        "training questions are not asked"
    )
    # r-tuning, its fixed rule, base, pretrain-w and base-likelihood on 2 parts of 30 questions
    assert rows["evaluate"].seconds.clock == pytest.approx(5 / 2 * 2 * 830 / 810)
    assert [rows[name].memory / MB for name in rows] == [300, 300, 700, 650 + 2 * 100, 600, 600]


# -- what a run would do ---------------------------------------------------------------------------


def test_counts_of_a_run(tmp_path):
    found = job(tmp_path, method="multisample", baselines=("vanilla",), probe__samples=3)
    counts = count(found, [])
    parts = len(counts.table.counts())
    assert (counts.questions, counts.size.train, counts.parts) == (40 * parts, 40, parts)
    assert (probed(found, counts), predicted(found, counts)) == (counts.questions, counts.size.rest)
    responses = counts.questions * (1 + 3) + counts.size.rest * 2
    assert generations(found, counts) == responses
    prompts = (counts.questions + 2 * counts.size.rest) * counts.size.tokens
    assert tokens_at_most(found, counts) == responses * 15 + prompts
    assert steps_of(found, "multisample", counts) == {"sft": 30}, "40 x 3 rows, 4 an update"
    seen = dataclasses.replace(counts, rows={"multisample": {"sft": 1.5}})
    assert steps_of(found, "multisample", seen) == {"sft": 15}


def test_training_questions_are_drawn_at_random_and_none_twice(tmp_path):
    table = job(tmp_path).load().questions
    drawn = _drawn(table, 16, seed=0)
    ids = [question.id for question in drawn]
    assert len(set(ids)) == 16
    assert ids == [question.id for question in _drawn(table, 16, seed=0)]
    assert ids != [question.id for question in _drawn(table, 16, seed=1)]
    assert len(_drawn(table, 10**6, seed=0)) == len(table)


# -- the trial -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """An estimate of a run on the pocket model, and the folder that it must not have written to."""
    folder = tmp_path_factory.mktemp("estimate")
    settings = {"out": str(folder / "run"), "data.limit": 24, "evaluation.resamples": 10, "baselines": ()}
    return estimate(load_config(None, settings)), folder


def test_the_trial_measures_every_stage_of_the_run_and_writes_nothing(plan):
    found, folder = plan
    names = ["probe", "build/r-tuning", "train/r-tuning", "predict/r-tuning", "evaluate", "report"]
    assert list(found["stages"]) == names
    assert all(stage["seconds"] >= 0 and stage["memory_mb"] > 50 for stage in found["stages"].values())
    assert found["stages"]["train/r-tuning"]["seconds"] > 0
    assert found["trial"]["questions"] == 24, "every training question, and no other"
    assert found["trial"]["steps"] >= 1
    assert found["training_steps"] == {"r-tuning": 6}
    assert found["assumed"] == []
    assert not list(folder.iterdir())
    json.dumps(found)


def test_the_total_is_the_sum_of_time_and_the_most_memory(plan):
    stages_ = plan[0]["stages"].values()
    assert plan[0]["estimated_minutes"] == pytest.approx(sum(s["seconds"] for s in stages_) / 60, abs=0.01)
    assert plan[0]["estimated_memory_gb"] == pytest.approx(
        max(s["memory_mb"] for s in stages_) / 1024, abs=0.01
    )


def test_it_is_shown_within_eighty_columns(plan):
    text = render(plan[0])
    assert max(map(len, text.splitlines())) <= 80
    flat = " ".join(text.split())
    assert "within a factor of about 1.5" in flat
    assert "Measured on 24 training questions" in flat
    assert "predict/r-tuning" in text


def test_without_a_trial_it_says_why(plan):
    skipped = {**plan[0], "trial": {"skipped": "the data's files are not at hand"}, "assumed": ["a", "b"]}
    flat = " ".join(render(skipped).split())
    assert "No trial: the data's files are not at hand." in flat
    assert "Assumed: a; b." in flat
    assert "about 1.5" not in flat


def test_why_there_is_no_trial(tmp_path):
    here, counts = job(tmp_path), count(job(tmp_path), [])
    small = Model(parameters=10**6, device="cpu", weight_bytes=4, layers=2, hidden=8)
    large = dataclasses.replace(small, parameters=10**13)
    assert _no_trial(here, counts, small, 1e11) is None
    assert "do not fit" in _no_trial(here, counts, large, 1e11)
    assert "minutes" in _no_trial(here, counts, small, 1e3)
    assert "data" in _no_trial(here, dataclasses.replace(counts, table=None), small, 1e11)


def test_weights_are_looked_for_on_this_machine_only(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert weights_here(Opening(tmp_path))
    assert not weights_here(Opening("nobody/has-this"))


def test_a_servers_model_is_not_estimated(tmp_path):
    served = job(tmp_path, method="honesty-prompt", baselines=(), model__engine="openai")
    with pytest.raises(ConfigError, match="whose server does the work"):
        model_of(served, [])


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.0 s"),
        (12.3, "12 s"),
        (90, "1.5 min"),
        (5400, "1.5 h"),
        (10**5, "27.8 h"),
        (10**8, "1,157 days"),
    ],
)
def test_durations(seconds, shown):
    assert duration(seconds) == shown


def test_sizes():
    assert (size(512), size(1536)) == ("512 MB", "1.5 GB")


# -- the page ------------------------------------------------------------------------------------


def test_the_page_of_costs_is_what_its_formulas_give(monkeypatch):
    root = Path(__file__).parents[2]
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    import cost

    assert (root / "docs/cost.md").read_text(encoding="utf-8") == "\n".join(cost.lines()) + "\n"


def test_costs_by_hand(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import cost

    model = Shape(2, 1, 3, 5, 0.5)  # 50 weights
    machine = cost.Machine(
        name="m", rate=1000, bandwidth=1000, memory=1e9, reading=0.5, training=0.1, streaming=0.5
    )
    work = cost.Work(questions=4, train=2, prompt=10, answer=5, certainty=5, samples=3, rows=2)
    # reading 2 x 50 x 4 x 10 / 500 = 8; generating 2 x 50 x 20 / 500 = 4, but weights are read at each of
    # 20 / 2 steps: 10 x 100 bytes / 500 = 2
    assert cost.answer_seconds(model, machine, 4, 1, work) == pytest.approx(8 + 4)
    slow = dataclasses.replace(machine, bandwidth=100)
    assert cost.answer_seconds(model, slow, 4, 1, work) == pytest.approx(8 + 20)
    # LoRA: 4 x 50 x 2 rows x 20 tokens / 100
    assert cost.training_seconds(model, machine, 2, TrainingSettings(), work) == pytest.approx(80)
    # r-tuning: probe, one row a question, answers again
    assert cost.run_seconds("r-tuning", model, machine, TrainingSettings(), work) == pytest.approx(
        12 + 80 + 12
    )
    # multisample: four responses in the probe (8 + 16), three rows a question, one answer
    assert cost.run_seconds("multisample", model, machine, TrainingSettings(), work) == pytest.approx(
        24 + 240 + 12
    )
    assert cost.run_seconds("pretrain-t", model, machine, TrainingSettings(), work) == pytest.approx(24)


@pytest.mark.parametrize(
    ("name", "published"), [("0.5B", 0.494), ("1B", 1.236), ("3B", 3.213), ("8B", 8.030), ("70B", 70.55)]
)
def test_the_models_of_the_page_have_their_published_sizes(name, published, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import cost

    assert cost.MODELS[name].parameters / 1e9 == pytest.approx(published, rel=0.005)
