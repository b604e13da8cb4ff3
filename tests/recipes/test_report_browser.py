"""The report in a real browser: it runs offline, counts right, filters, and no text of a model acts."""

from __future__ import annotations

import os
import re
import runpy
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from demur.core.records import Prediction, read_parquet, write_parquet
from demur.report import write_csv, write_report

pytestmark = pytest.mark.browser

maker = runpy.run_path(str(Path(__file__).parents[1] / "unit" / "reporting_run.py"))
CHROMIUM = os.environ.get("DEMUR_CHROMIUM") or shutil.which("chromium")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no Chromium: install one, or name its executable in DEMUR_CHROMIUM")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_report(maker["make_small_run"](tmp_path_factory.mktemp("small")))


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return write_report(maker["make_run"](tmp_path_factory.mktemp("full")))


@pytest.fixture
def open_page(browser):
    """Open a report, and fail if it logs an error, throws, or asks for anything but itself."""
    contexts, complaints = [], []

    def opened(path, **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"threw {error}"))
        page.on("console", lambda m: m.type in ("error", "warning") and complaints.append(m.text))
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))

        def watch(route):
            if route.request.url == path.as_uri():
                return route.continue_()
            complaints.append(f"asked for {route.request.url}")
            return route.abort()

        page.route("**/*", watch)
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def set_threshold(page, value):
    page.locator("#exact").fill(str(value))


def shown(page):
    """Coverage and accuracy that the threshold panel reads."""
    return page.inner_text("#t-coverage"), page.inner_text("#t-accuracy")


def listed(page):
    return [card.get_attribute("data-id") for card in page.locator("#list .question").all()]


def test_the_slider_gives_what_hand_counting_gives(open_page, small):
    page = open_page(small)
    # Combined scores .90 .85 .75 .40 .80 .55 .50 .20 .20 .20, tuned verdicts c c c c w c w w w w.
    # At .5: .90 .85 .75 .80 .55 .50 answer, 6 of 10, of which c c c w c w = 4 right.
    assert shown(page) == ("60%", "67%")
    assert page.inner_text("#t-counts").startswith("4 right of 6 answered, 4 of 10 questions declined")
    assert page.inner_text("#t-rule") == "By its own rule it answers 60% and is right on 67% of those."
    # At .8, inclusive: .90 .85 .80 answer, c c w.
    set_threshold(page, 0.8)
    assert shown(page) == ("30%", "67%")
    # The slider itself, by keyboard: one step up leaves .80 out, so c c.
    page.locator("#slider").press("ArrowRight")
    assert page.input_value("#exact") == "0.801"
    assert shown(page) == ("20%", "100%")
    set_threshold(page, 0.95)
    assert shown(page) == ("0%", "undefined")
    assert page.locator("#here").count() == 0
    set_threshold(page, 0)
    assert shown(page) == ("100%", "50%")


def test_the_marked_point_lies_on_the_curve_where_coverage_and_risk_say(open_page, small):
    page = open_page(small)
    set_threshold(page, 0.8)
    # Coverage .3 and risk 1/3, in the drawing's own units; gridlines give the scales.
    marked = page.evaluate("""() => {
      const lines = [...document.querySelectorAll('#risk .grid')]
        .map((line) => ['x1', 'x2', 'y1'].map((name) => +line.getAttribute(name)));
      const ticks = [...document.querySelectorAll('#risk text')].map((t) => t.textContent);
      const here = document.querySelector('#here');
      const top = parseFloat(ticks[lines.length - 1]) / 100, y0 = lines[0][2], y1 = lines.at(-1)[2];
      return { coverage: (here.getAttribute('cx') - lines[0][0]) / (lines[0][1] - lines[0][0]),
               risk: top * (y0 - here.getAttribute('cy')) / (y0 - y1) };
    }""")
    assert marked["coverage"] == pytest.approx(0.3, abs=1e-6)
    assert marked["risk"] == pytest.approx(1 / 3, abs=1e-6)


def test_another_signal_and_another_system_count_by_their_own_numbers(open_page, small):
    page = open_page(small)
    page.select_option("#signal", "sure")
    set_threshold(page, 0.8)  # sure .9 .9 .8 answer: c c c
    assert shown(page) == ("30%", "100%")
    page.select_option("#system", "base")
    set_threshold(page, 0.55)  # likelihood .9 .8 .7 .6 .9: all right
    assert shown(page) == ("50%", "100%")
    assert page.locator("#signal option").all_inner_texts() == ["likelihood (its primary)"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all", [f"q{n}" for n in range(10)]),
        ("kept", ["q0", "q1", "q2"]),
        ("over", ["q3"]),
        ("newly-wrong", ["q4"]),
        ("newly-right", ["q5"]),
        ("still-wrong", ["q6"]),
        ("removed", ["q7", "q8", "q9"]),
        ("unscored", []),
    ],
)
def test_each_filter_lists_its_questions(open_page, small, name, expected):
    page = open_page(small)
    button = page.locator(f"[data-filter={name}]")
    assert button.locator(".n").inner_text() == str(len(expected))
    button.click()
    assert listed(page) == expected
    assert page.locator(f"[data-filter={name}]").get_attribute("aria-pressed") == "true"


def test_search_and_paging(open_page, full):
    page = open_page(full)
    every = int(page.locator("[data-filter=all] .n").inner_text())
    assert every > 40
    first = listed(page)
    assert len(first) == 20
    page.click("#next")
    second = listed(page)
    assert not set(first) & set(second)
    page.click("#previous")
    assert listed(page) == first
    name = re.search(r"(\w+) born", page.locator(".question .text").first.inner_text())[1]
    page.fill("#search", name.upper())
    page.wait_for_function(
        "n => +document.querySelector('[data-filter=all] .n').textContent < n", arg=every
    )
    assert all(name in text for text in page.locator(".question .text").all_inner_texts())
    page.fill("#search", "nothing has this in it")
    page.wait_for_function("() => document.querySelectorAll('.question').length === 0")
    assert page.inner_text("#found").startswith("0 questions (")


def test_choosing_a_split_changes_every_part_of_the_page(open_page, full):
    page = open_page(full)
    before = page.inner_text("#risk-caption"), page.inner_text("#found")
    page.select_option("#split", "pocket/nonexistent")
    visible = page.locator("[data-split]:visible")
    assert {panel.get_attribute("data-split") for panel in visible.all()} == {"pocket/nonexistent"}
    assert (page.inner_text("#risk-caption"), page.inner_text("#found")) != before
    assert "has no answer" in page.locator(".question .meta").first.inner_text()
    page.select_option("#metric", "ap")
    assert page.locator("[data-metric=ap]").is_visible()
    assert not page.locator("[data-metric=accuracy]").is_visible()


def test_a_system_can_be_taken_out_of_the_drawing(open_page, full):
    page = open_page(full)
    curves = page.locator("#risk .curve").count()
    page.click('#legend [data-name="vanilla"]')
    assert page.locator("#risk .curve").count() == curves - 1
    assert page.locator('#legend [data-name="vanilla"]').get_attribute("aria-pressed") == "false"
    page.click('#legend [data-name="vanilla"]')
    assert page.locator("#risk .curve").count() == curves


def test_the_other_systems_of_a_question_open_on_demand(open_page, full):
    page = open_page(full)
    card = page.locator(".question").first
    assert card.locator("tr:visible").count() == 2
    card.locator(".more").click()
    assert card.locator("tr:visible").count() == 6


def test_every_question_is_in_one_cell_of_the_moves(open_page, small):
    page = open_page(small)
    cells = {
        c.get_attribute("data-move"): c.inner_text().split()[0] for c in page.locator("[data-move]").all()
    }
    # The table of ten questions: three kept right, one over-refused, one newly wrong; one newly right, one
    # still wrong, three hallucinations removed.
    assert cells == {
        "correct-correct": "3", "correct-wrong": "1", "correct-refused": "1",
        "wrong-correct": "1", "wrong-wrong": "1", "wrong-refused": "3",
    }  # fmt: skip
    # 1 of 5 that were right before; prudence 3 of the 4 wrong before and not right now; honesty
    # (3/4 + 1 - 1/5) / 2 = .775
    said = page.inner_text("#flow-blind")
    assert said.startswith("Newly wrong: 1 of the 5 that were right before, 20.0%")
    assert "Prudence (75.0%" in said
    assert "honesty score made of them (77.5%" in said
    label = page.locator("#flow-chart svg").get_attribute("aria-label")
    assert "right before, wrong now: 1 (newly wrong)" in label
    assert page.locator("#flow-chart .band.blind").count() == 1
    page.select_option("#system", "base")
    assert not page.locator("#flow-chart").is_visible()  # nothing moved


def test_the_worst_slices_come_first_and_none_is_small(open_page, full):
    page = open_page(full)
    page.select_option("#cut", "group")
    table = page.locator("#slices-table tbody tr")
    assert [row.locator("th").inner_text().split()[-1] for row in table.all()] == ["mixed", "uniform"]
    shares = [row.locator("td").nth(2).inner_text().split("%")[0] for row in table.all()]
    assert shares == sorted(shares, key=float)
    page.select_option("#worst", "refusal")
    refused = [row.locator("td").nth(3).inner_text().split("%")[0] for row in table.all()]
    assert refused == sorted(refused, key=float, reverse=True)
    page.select_option("#cut", "")
    assert all(int(row.locator("td").nth(1).inner_text()) >= 30 for row in table.all())
    assert "Holm’s correction over the" in page.inner_text("#slices-note")
    page.select_option("#split", "calibration")
    assert "they are no test questions" in page.inner_text("#slices-intro")


def test_ten_questions_are_too_few_for_any_slice(open_page, small):
    page = open_page(small)
    assert page.locator("#slices-table tr").count() == 0
    assert "each slice of them would be too small" in page.inner_text("#slices-intro")


def test_any_two_systems_are_compared_answer_by_answer(open_page, full):
    page = open_page(full)
    page.select_option("#left", "vanilla")
    page.select_option("#right", "base-likelihood")
    assert page.input_value("#system") == "base-likelihood"  # the second system is that of the whole page
    shown_now = page.locator(".question").first.locator("tr:visible")
    assert [row.get_attribute("data-system") for row in shown_now.all()] == ["vanilla", "base-likelihood"]
    page.click("[data-filter=changed]")
    ends = [
        [row.locator(".tag").inner_text().split()[0] for row in card.locator("tr:visible").all()]
        for card in page.locator(".question").all()
    ]
    assert ends
    assert all(first != second for first, second in ends)


@pytest.mark.parametrize("run", ["small", "full", "hostile"])
def test_the_buttons_give_the_files_that_the_command_writes(browser, tmp_path, run):
    if run == "full":
        folder = maker["make_run"](tmp_path / "run", people=40)
    else:
        text = '-1+1 "quoted", \r\n{}' if run == "hostile" else "{}"
        folder = maker["make_small_run"](tmp_path / "run", text=text)
    written = {path.stem: path.read_bytes() for path in write_csv(folder, tmp_path / "csv")}
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(write_report(folder).as_uri())
    names = [button.get_attribute("data-csv") for button in page.locator("[data-csv]").all()]
    assert set(written) - set(names) <= {"guarantee", "differences", "slices"}  # empty ones have no button
    assert {"answers", "flow", "metrics", "risk-coverage", "reliability"} <= set(names)
    for name in names:
        with page.expect_download() as download:
            page.click(f"[data-csv={name}]")
        assert download.value.suggested_filename == f"{name}.csv"
        assert Path(download.value.path()).read_bytes() == written[name], name
        page.wait_for_timeout(120)  # Chromium drops what exceeds ten downloads a second
    context.close()


def test_numbers_are_written_as_python_writes_them(browser, tmp_path):
    """The single answers are written by the script: shortest digits, exponents and whole numbers alike."""
    folder = maker["make_small_run"](tmp_path / "run")
    file = folder / "predictions" / "base.parquet"
    values = [1.0, 0.0, 1e-5, 1.5e-7, 9.99e-5, 1e-4, 0.1 + 0.2, 5e-324, 0.30000000000000004, 1 / 3]
    rows = read_parquet(file, Prediction)
    rows = [replace(r, signals={"likelihood": v}) for r, v in zip(rows, values, strict=True)]
    write_parquet(file, rows, Prediction)
    (answers,) = (p for p in write_csv(folder, tmp_path / "csv") if p.stem == "answers")
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(write_report(folder).as_uri())
    with page.expect_download() as download:
        page.click("[data-csv=answers]")
    assert Path(download.value.path()).read_bytes() == answers.read_bytes()
    assert b",1.5e-07," in answers.read_bytes()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_fault(browser, full, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(full.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.wait_for_timeout(100)
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    context.close()


def test_the_keyboard_reaches_everything(open_page, full):
    page = open_page(full)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    reached = set()
    for _ in range(400):
        page.keyboard.press("Tab")
        key = page.evaluate("""() => {
          const e = document.activeElement, { csv, name, filter } = e.dataset;
          return e === document.body ? null : e.id || csv || name || filter || e.tagName;
        }""")
        if key is None:
            break
        reached.add(key)
    wanted = {
        "split",
        "system",
        "metric",
        "slider",
        "exact",
        "signal",
        "cut",
        "worst",
        "left",
        "right",
        "search",
    }
    assert wanted | {"answers", "flow", "slices", "changed", "vanilla", "SUMMARY"} <= reached


@pytest.mark.parametrize("text", maker["HOSTILE"])
def test_hostile_text_is_shown_and_does_nothing(open_page, tmp_path, text):
    hostile = text.replace("{", "{{").replace("}", "}}") + " {}"
    group = text.replace("\x00", "")  # no attribute can hold it
    page = open_page(write_report(maker["make_small_run"](tmp_path, text=hostile, group=group)))
    for details in page.locator("summary").all():
        if details.is_visible():
            details.click()
    page.select_option("#split", f"id/{group}")
    for name in ("removed", "all"):
        page.click(f"[data-filter={name}]")
    page.wait_for_timeout(50)
    assert page.title() == f"{tmp_path.name} – Demur report"
    assert page.locator("main img, main script, header img, header script").count() == 0
    # What was asked stands there letter by letter, as text.
    asked = page.locator(".question .text").first.evaluate("node => node.textContent")
    assert asked == text + " Question 0?"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_no_width_makes_the_page_scroll_sideways(open_page, full, width, scheme):
    page = open_page(full, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    level = sum(int(n) for n in re.findall(r"\d+", background)[:3])
    assert (level < 200) == (scheme == "dark")


def test_every_figure_has_words_and_every_control_a_name(open_page, full):
    page = open_page(full)
    nameless = page.evaluate("""() => [...document.querySelectorAll('select, input, button, svg[role=img]')]
      .filter((e) => !(e.getAttribute('aria-label') || e.labels?.length || e.textContent.trim()))
      .map((e) => e.outerHTML.slice(0, 80))""")
    assert nameless == []
    assert "when answering half" in page.locator("#risk svg").get_attribute("aria-label")
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map((h) => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1


def test_without_script_the_tables_of_all_splits_are_read(open_page, full):
    page = open_page(full, java_script_enabled=False)
    assert page.locator('[data-split="ood"]').first.is_visible()
    assert page.locator('[data-split="id"]').first.is_visible()
    assert not page.locator("#risk").is_visible()
    assert "need it" in page.inner_text("noscript")


def test_it_prints(open_page, full):
    page = open_page(full, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator('[data-split="ood"]').first.is_visible()
    assert not page.locator(".controls").is_visible()
    assert page.pdf().startswith(b"%PDF")
