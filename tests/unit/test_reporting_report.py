"""The page as a file: self-contained, escaped, honest about samples, whole or absent."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import runpy
import struct
from pathlib import Path

import pytest
from markupsafe import escape

from demur.core.errors import RunFolderError
from demur.core.files import PARTIAL_SUFFIX
from demur.core.records import Prediction, Probe, Question, Response, Verdict, read_parquet, write_parquet
from demur.knowledge.first_look import look
from demur.report import summary_table, write_report
from demur.report.payload import embed

maker = runpy.run_path(str(Path(__file__).with_name("reporting_run.py")))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return maker["make_run"](tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def page(run):
    return write_report(run).read_text("utf-8")


def data_of(page, name="data"):
    return json.loads(
        re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)[1]
    )


def test_the_page_is_whole_and_leaves_no_scraps(run):
    target = write_report(run)
    assert target == run / "report.html"
    assert target.read_text("utf-8").endswith("</html>")
    assert not list(run.rglob("*" + PARTIAL_SUFFIX))


def test_the_same_run_gives_the_same_page(run, page):
    assert write_report(run).read_text("utf-8") == page


def test_nothing_on_the_page_points_anywhere(page):
    for attribute, target in re.findall(r'\b(src|href|action|url)\s*=?\s*[("\']+([^"\')]*)', page):
        assert target.startswith(("#", "data:,")), (attribute, target)
    assert "@import" not in page
    assert "innerHTML" not in page
    assert "fetch(" not in page


def test_the_policy_allows_this_script_and_style_by_hash_and_nothing_else(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    script = re.search(r"<script>(.*?)</script>", page, re.S)[1]
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    for kind, text in (("script", script), ("style", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r'\sstyle="|\son\w+="', page)  # such attributes would be blocked


def test_every_split_and_system_is_there(page):
    for split in ("id", "id/mixed", "id/uniform", "ood", "ood/mixed", "pocket/nonexistent", "calibration"):
        assert f'data-split="{split}"' in page
    for title in (
        "Base model",
        "R-Tuning",
        "Vanilla fine-tuning",
        "Base, by likelihood",
        "Familiarity only",
    ):
        assert title in page
    assert "demur demo --out runs/demo" in page
    assert "640 MB" in page  # peak memory of a stage


def test_confidences_arrive_exactly(run, page):
    data = data_of(page)
    rows = {
        row.question_id: row for row in read_parquet(run / "predictions" / "r-tuning.parquet", Prediction)
    }
    tuned = next(system for system in data["systems"] if system["name"] == "r-tuning")
    raw = base64.b64decode(data["columns"][tuned["signals"]["combined"]])
    found = struct.unpack(f"<{len(raw) // 8}d", raw)
    assert list(found) == [rows[name].signals["combined"] for name in data["ids"]]
    assert tuned["primary"] == "combined"


def test_shared_columns_are_stored_once(page):
    systems = {system["name"]: system for system in data_of(page)["systems"]}
    assert systems["base"]["signals"] == systems["base-likelihood"]["signals"]
    assert systems["base"]["signals"] != systems["vanilla"]["signals"]


def test_codes_tell_verdict_and_abstention(tmp_path):
    folder = maker["make_small_run"](tmp_path)
    systems = {s["name"]: s for s in data_of(write_report(folder).read_text("utf-8"))["systems"]}
    assert systems["base"]["codes"] == "cccccwwwww"
    assert systems["r-tuning"]["codes"] == "cccCwcwWWW"  # capitals: declined, sure < .5


def test_a_question_that_a_system_was_not_asked_has_no_code_and_no_confidence(tmp_path):
    folder = maker["make_small_run"](tmp_path)
    file = folder / "predictions" / "base.parquet"
    write_parquet(file, read_parquet(file, Prediction)[1:], Prediction)
    base = data_of(write_report(folder).read_text("utf-8"))["systems"][0]
    assert base["codes"] == ".ccccwwwww"
    assert base["answers"][0] == -1


def test_a_huge_run_is_sampled_by_seed_and_the_page_says_so(run, page):
    assert "drawn at random by a fixed seed" not in page
    total = data_of(page)["total"]
    sampled = write_report(run, figure_limit=100, browse_limit=40).read_text("utf-8")
    data = data_of(sampled)
    assert len(data["membership"]) == len(data["systems"][0]["codes"]) == 100
    assert len(data["browse"]) == len(data["question"]) == 40
    assert all(data["ids"][i] for i in range(40))
    assert f"40 of {total} questions, drawn at random by a fixed seed" in sampled
    assert f"stand on 100 of {total} questions" in sampled
    assert write_report(run, figure_limit=100, browse_limit=40).read_text("utf-8") == sampled
    other = write_report(run, figure_limit=100, browse_limit=40, seed=1).read_text("utf-8")
    assert data_of(other)["ids"] != data["ids"]
    assert write_report(run).read_text("utf-8") == page


def test_languages_that_are_not_read_stand_on_the_page(tmp_path):
    run = maker["make_run"](tmp_path / "run", people=20)
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    number = len(read_parquet(run / "predictions" / "base.parquet", Prediction))
    sentence = f"2 of {number:,} answers are in a language (el) whose refusals are not recognised"
    assert "refusals are not recognised" not in write_report(run).read_text("utf-8")
    (run / "metrics.json").write_text(
        json.dumps(metrics | {"unread_languages": {"base": {"el": 2}}}), "utf-8"
    )
    assert sentence in write_report(run).read_text("utf-8")


@pytest.mark.parametrize("text", maker["HOSTILE"])
def test_embedded_data_cannot_leave_its_element(text):
    embedded = embed({"text": text})
    assert not set(embedded) & set("<>&\u2028\u2029")
    assert json.loads(embedded) == {"text": text}


@pytest.mark.parametrize("text", maker["HOSTILE"])
def test_hostile_text_stands_on_the_page_only_escaped(tmp_path, text):
    hostile = text.replace("{", "{{").replace("}", "}}") + " {}"
    folder = maker["make_small_run"](tmp_path, text=hostile, group=text)
    page = write_report(folder).read_text("utf-8")
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    for harmful in ("<script>document", "<img", "<!--<script"):
        assert harmful not in outside
    assert len(re.findall(r"<script\b", page)) == 4
    assert data_of(page)["texts"][data_of(page)["question"][0]] == hostile.format("Question 0?")


@pytest.mark.parametrize("text", maker["HOSTILE"])
def test_the_first_answers_and_their_warnings_stand_on_the_page_escaped(tmp_path, text):
    folder = maker["make_small_run"](tmp_path)
    assert "First answers of the base model" not in write_report(folder).read_text("utf-8")
    questions = [Question(id=str(n), text=text) for n in range(4)]
    said = ["", text, text, text]
    probes = [
        Probe(
            question_id=str(n),
            greedy=Response(text=answer, finish="length"),
            greedy_verdict=Verdict.WRONG,
        )
        for n, answer in enumerate(said)
    ]
    found = look(questions, probes, max_new_tokens=15)
    found["warnings"].append(text)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["stages"]["probe"]["first_answers"] = found
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    page = write_report(folder).read_text("utf-8")
    assert "First 4 answers: 25.0% empty, 100.0% cut at 15 tokens, 0.0% refused, 0.0% right" in page
    assert page.count("100.0% of the first 4 answers are cut at 15 tokens: set a higher") == 3
    assert "<em>empty</em>" in page
    assert page.count(str(escape(text))) >= 4 + 3 + 2, "four questions, three answers, two warnings"
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    for harmful in ("<script>document", "<img", "<!--<script"):
        assert harmful not in outside
    assert len(re.findall(r"<script\b", page)) == 4


@pytest.mark.parametrize(
    ("abstained", "said"),
    [
        ([False] * 10, "it still answers every question and is right on 50%"),
        ([True] * 10, "answers none of the questions, so there is no accuracy to speak of"),
        # A coin: of the five answered (q0, q2, q4, q6, q8) c c w w w, two are right.
        ([False, True] * 5, "which does not beat refusing as often at random (50%)"),
    ],
    ids=["always-answer", "always-refuse", "coin"],
)
def test_degenerate_systems_get_no_flattering_headline(tmp_path, abstained, said):
    folder = maker["make_small_run"](tmp_path, abstained=abstained)
    top = re.search(r"<header.*?</header>", write_report(folder).read_text("utf-8"), re.S)[0]
    assert said in top
    assert 'class="better"' not in top


@pytest.mark.parametrize(
    ("file", "verb"),
    [
        ("metrics.json", "demur evaluate"),
        ("manifest.json", "demur run"),
        ("questions.parquet", "demur run"),
        ("config.yaml", "demur run"),
    ],
)
def test_a_missing_file_is_named_with_what_makes_it(tmp_path, file, verb):
    folder = maker["make_small_run"](tmp_path)
    (folder / file).unlink()
    with pytest.raises(RunFolderError) as caught:
        write_report(folder)
    assert f"no {file}" in caught.value.message()
    assert verb in caught.value.message()
    assert not (folder / "report.html").exists()


def test_broken_json_and_foreign_predictions_are_explained(tmp_path):
    folder = maker["make_small_run"](tmp_path)
    stray = Prediction(
        question_id="elsewhere",
        system="odd",
        answer="",
        response="",
        verdict=Verdict.WRONG,
        abstained=False,
    )
    write_parquet(folder / "predictions" / "odd.parquet", [stray], Prediction)
    with pytest.raises(RunFolderError, match="unknown question 'elsewhere'"):
        write_report(folder)
    (folder / "metrics.json").write_text("{")
    with pytest.raises(RunFolderError, match="no JSON"):
        write_report(folder)
    (folder / "metrics.json").write_text("[]")
    with pytest.raises(RunFolderError, match="a JSON list"):
        write_report(folder)


def test_the_terminal_table_has_each_figure_above_its_interval(tmp_path):
    from rich.console import Console

    folder = maker["make_small_run"](tmp_path)
    found, manifest = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("metrics", "manifest")
    )
    console = Console(width=110, record=True, file=(tmp_path / "out").open("w"))
    console.print(summary_table(found, manifest))
    text = console.export_text()
    # r-tuning answers 6 of 10 and is right on 4 of these; 4 + 1 right of 10 with refusals ignored.
    line = next(line for line in text.splitlines() if line.strip().startswith("r-tuning"))
    assert line.split()[1:4] == ["50.0%*", "60.0%*", "66.7%*"]  # ten questions are a small sample
    assert "In domain" in text
    assert "n 10" in text
    low = found["metrics"]["r-tuning"]["id"]["coverage"]["low"]
    assert f"{100 * low:.0f}–" in text
