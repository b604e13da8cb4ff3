"""What the first answers of a probe look like, by hand, and when a run stops or warns."""

import pytest

from demur.core.config import load_config
from demur.core.errors import AnswersError
from demur.core.records import Probe, Question, Response, Verdict, read_parquet, write_parquet
from demur.engines.hf import HFEngine
from demur.knowledge import first_look
from demur.knowledge.first_look import Asked, empty_answers, look, mostly_empty, sentence
from demur.pipeline.pipeline import Pipeline

C, W, R, U = Verdict.CORRECT, Verdict.WRONG, Verdict.REFUSED, Verdict.UNSCORED


def rows(*items):
    """Questions and probes of (text, verdict, finish, answerable) with the last two left out if usual."""
    full = [(*item, "stop", True)[:4] if len(item) == 2 else (*item, True)[:4] for item in items]
    questions = [
        Question(id=str(n), text=f"Question {n}?", answerable=answerable)
        for n, (_, _, _, answerable) in enumerate(full)
    ]
    probes = [
        Probe(question_id=str(n), greedy=Response(text=text, finish=finish), greedy_verdict=verdict)
        for n, (text, verdict, finish, _) in enumerate(full)
    ]
    return questions, probes


def looked(*items, limit=15):
    return look(*rows(*items), max_new_tokens=limit)


def test_no_answers_have_no_shares_and_no_warnings():
    found = looked()
    assert (found["n"], found["answerable"], found["judged"], found["unscored"]) == (0, 0, 0, 0)
    assert [found[name] for name in ("empty", "cut", "refused", "right")] == [None] * 4
    assert (found["warnings"], found["examples"]) == ([], [])
    assert not mostly_empty(found)
    assert sentence(found) == "first answers: none"


def test_one_right_answer():
    found = looked((" Oslo", C))
    assert [found[name] for name in ("empty", "cut", "refused", "right")] == [0.0, 0.0, 0.0, 1.0]
    assert found["examples"] == [
        {"question": "Question 0?", "response": " Oslo", "verdict": "correct", "finish": "stop"}
    ]
    assert (
        sentence(found) == "first 1 answer: 0.0% empty, 0.0% cut at 15 tokens, 0.0% refused, 100.0% right"
    )


def test_every_kind_is_counted_by_hand():
    """Ten answers: 2 empty (1 of them cut), 3 cut, 1 refused, 1 unscored; right 2 of 7 that can be judged.

    Of the ten, two have no right answer: one of those is wrong, the other a refusal.
    """
    found = looked(
        ("", W),
        (" \n", W, "length"),
        (" Oslo is the", C, "length"),
        (" Oslo", C),
        (" Rome and", W, "length"),
        (" Rome", W),
        (" Rome", W),
        (" Something", U),
        (" Rome", W, "stop", False),
        (" I do not know", R, "stop", False),
    )
    assert (found["n"], found["answerable"], found["judged"], found["unscored"]) == (10, 8, 7, 1)
    assert found["counts"] == {"empty": 2, "cut": 3, "refused": 1, "right": 2, "empty_cut": 1}
    assert [found[name] for name in ("empty", "cut", "refused", "right")] == [0.2, 0.3, 0.1, 2 / 7]
    assert found["warnings"] == [], "exactly 30% cut is not more than 30%"
    assert len(found["examples"]) == first_look.EXAMPLES
    assert sentence(found) == (
        "first 10 answers: 20.0% empty, 30.0% cut at 15 tokens, 10.0% refused, 28.6% right, 1 unscored"
    )


@pytest.mark.parametrize("total", [10, 20, 30, 70, 110, 190, 1000, 3330])
def test_exactly_thirty_percent_cut_is_no_warning_and_one_more_is(total):
    cut = total * 3 // 10
    assert looked(*[("a", W, "length")] * cut, *[("a", C)] * (total - cut))["warnings"] == []
    (warning,) = looked(*[("a", W, "length")] * (cut + 1), *[("a", C)] * (total - cut - 1))["warnings"]
    assert "cut at 15 tokens: set a higher probe.max_new_tokens" in warning


@pytest.mark.parametrize(
    ("empty", "full", "stops"),
    [
        (0, 5, False),
        (1, 0, True),
        (5, 0, True),
        (1, 1, False),
        (3, 3, False),
        (4, 3, True),
        (128, 128, False),
        (129, 127, True),
    ],
)
def test_more_than_half_empty_stops_and_exactly_half_does_not(empty, full, stops):
    found = looked(*[("", W)] * empty, *[(" Oslo", C)] * full)
    assert mostly_empty(found) == stops
    assert any("are empty" in warning for warning in found["warnings"]) == stops


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t \u00a0"])
def test_white_space_is_empty(text):
    assert looked((text, W))["empty"] == 1.0


@pytest.mark.parametrize("text", [".", "0", "\u200b.", "…"])
def test_anything_visible_is_not_empty(text):
    assert looked((text, W))["empty"] == 0.0


def test_none_right_of_63_is_no_warning_and_of_64_is():
    assert looked(*[("a", W)] * 63)["warnings"] == []
    (warning,) = looked(*[("a", W)] * 64)["warnings"]
    assert warning.startswith("none of the first 64 answerable questions is answered right")
    assert looked(*[("a", W)] * 63, ("a", C))["warnings"] == []


def test_what_cannot_be_answered_or_judged_does_not_count_for_right():
    assert looked(*[("a", W)] * 63, *[("a", W, "stop", False)] * 100)["warnings"] == []
    assert looked(*[("a", W)] * 63, *[("a", U)] * 100)["warnings"] == []
    found = looked(*[("a", W, "stop", False)] * 100, ("a", C, "stop", False))
    assert (found["right"], found["judged"], found["warnings"]) == (None, 0, [])
    assert "right undefined" in sentence(found)
    assert looked(*[("a", U)] * 100)["right"] is None


def test_answers_made_elsewhere_have_no_token_limit():
    assert " cut, " in sentence(looked(("a", C), limit=None))
    assert "cut at 1 token," in sentence(looked(("a", C), limit=1))


def test_the_line_fits_a_terminal_of_80_columns():
    found = looked(("", W), *[("a", W, "length")] * 31, *[("a", C)] * 105, *[("a", W)] * 119)
    assert sentence(found) == (
        "first 256 answers: 0.4% empty, 12.1% cut at 15 tokens, 0.0% refused, 41.0% right"
    )
    assert len(sentence(found)) == 80


def test_long_texts_are_clipped_in_examples():
    (example,) = looked(("x" * 1000, W))["examples"]
    assert len(example["response"]) == first_look.LONGEST_TEXT
    assert example["response"].endswith("…")


# -- the likely cause ----------------------------------------------------------------------------


def error(found, **asked):
    given = {"format": "auto", "chat": False, "max_new_tokens": 15, "stop": (".", "\n")}
    return empty_answers(found, "answers of m", Asked(**given | asked))


@pytest.mark.parametrize(
    ("items", "asked", "cause", "first"),
    [
        (
            [("", W)],
            {"unstopped": ("\nOslo",)},
            r"begin with the stop string '\n'",
            "--probe.stop '[\".\"]'",
        ),
        ([("", W)], {"unstopped": (" \n.Oslo",)}, r"stop string '\n'", "--probe.stop '[\".\"]'"),
        (
            [("", W)],
            {"stop": (" ",), "unstopped": (" Oslo",)},
            "stop string ' '",
            '--probe.stop \'[".", "\\n"]\'',
        ),
        (
            [("", W)],
            {"stop": ("'", "x"), "unstopped": ("'Oslo'",)},
            "stop string",
            "--probe.stop '[\"x\"]'",
        ),
        ([("", W)], {"unstopped": ("",)}, "ends its text right after", "--template.prompt"),
        ([("", W)], {"unstopped": ("", "\n\n")}, "ends its text right after", "--template.prompt"),
        ([("", W)], {"chat": True, "unstopped": ("",)}, "turn in the chat", "--model.format plain"),
        ([("", W)], {"format": "plain", "unstopped": ("",)}, "ends its text", "--model.format auto"),
        ([("", W)], {"chat": None}, "or begins with a stop string", "--model.format plain"),
        ([(" \n", W, "length")], {}, "limit of 15 tokens", "--probe.max_new_tokens 256"),
        ([("", W, "length")], {"max_new_tokens": 200}, "reasons before", "--probe.max_new_tokens 800"),
    ],
)
def test_the_error_names_the_likely_cause_and_what_to_type(items, asked, cause, first):
    found = error(looked(*items), **asked)
    assert cause in found.found
    assert found.fix.startswith(f"add {first}")
    assert "--probe.allow_empty true" in found.fix
    assert "--update" in found.fix
    assert "'Question 0?': said" in found.found


def test_a_stop_string_with_a_quote_can_be_typed():
    import shlex

    words = shlex.split(error(looked(("", W)), stop=("it's", "\n"), unstopped=("\nOslo",)).fix)
    assert words[2] == '["it\'s"]'


def test_of_answers_made_elsewhere_the_file_is_named():
    found = empty_answers(looked(("", W), limit=None), "rows.jsonl", None)
    assert (found.where, "--probe.path" in found.fix) == ("rows.jsonl", True)


# -- the pipeline, with the pocket model ---------------------------------------------------------

ASK = {"data.limit": 6, "probe.unit": 8, "probe.samples": 0}
NOTHING = {"probe.stop": '[" "]'}
"""Every answer of the pocket model begins with a space."""


class Heard:
    """A listener with nothing but what the protocol asks for."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)

    def bar(self, title, total, unit):
        from demur.core.progress import Silent

        return Silent().bar(title, total, unit)


def probed(out, *settings, update=False):
    merged = {name: value for part in (ASK, *settings) for name, value in part.items()}
    pipeline = Pipeline(load_config(None, {**merged, "out": out}), listener=Heard(), update=update)
    try:
        pipeline.run(until="probe")
    finally:
        heard = pipeline.job.listener.listener.notes
    return pipeline.job, [note for note in heard if note.startswith(("first ", "warning: "))]


def asks(monkeypatch):
    """How many prompts of a probe each call of the engine was given; looking for the cause is no probe."""
    given, generate = [], HFEngine.generate

    def counted(self, prompts, *, keys, sampling, progress=None):
        if sampling.stop:
            given.append(len(prompts))
        return generate(self, prompts, keys=keys, sampling=sampling, progress=progress)

    monkeypatch.setattr(HFEngine, "generate", counted)
    return given


def shards(out):
    return {path.name: path.read_bytes() for path in (out / "work/probe").glob("*.parquet")}


def test_a_probe_stops_after_its_first_unit_and_says_the_same_again(tmp_path, monkeypatch):
    given, out = asks(monkeypatch), tmp_path / "run"
    with pytest.raises(AnswersError) as first:
        probed(out, NOTHING)
    assert given == [8], "one unit, not all 36 questions"
    stored = shards(out)
    assert len(stored) == 1
    with pytest.raises(AnswersError) as second:
        probed(out, NOTHING)
    assert str(second.value) == str(first.value)
    assert (given, shards(out)) == ([8], stored), "what is stored is kept and not asked again"
    assert "8 (100.0%) are empty. Likely cause: the answers begin with the stop string ' '" in str(
        first.value
    )

    job, said = probed(out, NOTHING, {"probe.allow_empty": True}, update=True)
    assert given == [8, 8, 8, 8, 4], "the first unit is kept when the user insists"
    assert said == [
        "first 8 answers: 100.0% empty, 0.0% cut at 15 tokens, 0.0% refused, right undefined, 8 unscored",
        "warning: 8 (100.0%) of the first 8 answers are empty",
    ]
    assert job.manifest.values["stages"]["probe"]["first_answers"]["empty"] == 1.0

    with pytest.raises(AnswersError, match="are empty"):
        probed(out, NOTHING, update=True)  # finished, but no longer allowed
    assert sum(given) == 36

    job, said = probed(out, update=True)
    right = sum(p.greedy_verdict is C for p in read_parquet(job.folder.probe, Probe)[:8]) / 8
    assert said == [f"first 8 answers: 0.0% empty, 0.0% cut at 15 tokens, 0.0% refused, {right:.1%} right"]
    assert not job.manifest.values["stages"]["probe"]["first_answers"]["warnings"]


def test_to_allow_empty_answers_changes_no_hash(tmp_path):
    one, _ = probed(tmp_path / "a")
    other, _ = probed(tmp_path / "b", {"probe.allow_empty": True})
    assert one.hashes.probe == other.hashes.probe


def test_fewer_questions_than_a_unit_are_looked_at_too(tmp_path):
    with pytest.raises(AnswersError, match=r"36 \(100.0%\) are empty"):
        probed(tmp_path / "run", NOTHING, {"probe.unit": 100})


def test_only_what_is_asked_here_is_looked_at_where_some_answers_were_made_elsewhere(tmp_path):
    job, _ = probed(tmp_path / "good")
    good = read_parquet(job.folder.probe, Probe)
    empty = [blank(probe) for probe in good]
    elsewhere = tmp_path / "some.parquet"
    write_parquet(elsewhere, good[:30], Probe)
    with pytest.raises(AnswersError, match=r"6 \(100.0%\) are empty"):
        probed(tmp_path / "a", NOTHING, {"probe.path": elsewhere})
    write_parquet(elsewhere, empty[:30], Probe)
    job, said = probed(tmp_path / "b", {"probe.path": elsewhere})
    assert said[0].startswith("first 6 answers: 0.0% empty")


def test_answers_that_were_all_made_elsewhere_are_looked_at_without_a_model(tmp_path):
    job, _ = probed(tmp_path / "good")
    probes = read_parquet(job.folder.probe, Probe)
    elsewhere = tmp_path / "all.parquet"
    write_parquet(elsewhere, probes, Probe)
    job, said = probed(tmp_path / "a", {"probe.path": elsewhere})
    assert said[0].startswith("first 8 answers: 0.0% empty, 0.0% cut, 0.0% refused, ")
    assert "engine" not in vars(job)
    write_parquet(elsewhere, [blank(probe) for probe in probes], Probe)
    with pytest.raises(AnswersError, match=r"all\.parquet(?s:.*)--probe\.path"):
        probed(tmp_path / "b", {"probe.path": elsewhere})


def blank(probe):
    return Probe(question_id=probe.question_id, greedy=Response(text=" "), greedy_verdict=W)
