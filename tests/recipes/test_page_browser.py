"""The playground in a real browser, on a real server and a real run: asked, tried, filled, attacked."""

import csv
import io
import json
import os
import re
import shutil
from pathlib import Path

import pytest

import demur
from demur.core.records import Question, read_parquet
from demur.runfolder.manifest import accept
from page_server import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CHROMIUM = os.environ.get("DEMUR_CHROMIUM") or shutil.which("chromium")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
MODEL = Path(demur.__file__).parent / "pocket" / "model"
UNKNOWN = "401"
"""What Chromium's console says of a call without a key."""
HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"


@pytest.fixture(scope="module")
def run(calibrated):
    return calibrated


@pytest.fixture(scope="module")
def answerer(run):
    with demur.load(run) as opened:
        yield opened


@pytest.fixture(scope="module")
def asked(answerer, run):
    """Test questions by what becomes of them: ``given`` and ``declined``."""
    questions = [q.text for q in read_parquet(run / "questions.parquet", Question) if q.split == "test"][
        :60
    ]
    answers = answerer.ask(questions)
    found = {
        "given": [answer for answer in answers if not answer.abstained],
        "declined": [answer for answer in answers if answer.abstained],
    }
    assert min(map(len, found.values())) >= 5
    return found


@pytest.fixture(scope="module")
def address(answerer):
    with serving(answerer) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no Chromium: install one, or name its executable in DEMUR_CHROMIUM")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser, address):
    """Open the playground, and fail if it throws, breaks the policy or asks another server."""
    contexts, complaints = [], []

    def opened(url=None, *, context=None, known="", **settings):
        url = url or address
        if context is None:
            context = browser.new_context(accept_downloads=True, **settings)
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)

        def heard(message):
            if message.type in ("error", "warning") and not (known and known in message.text):
                complaints.append(message.text)

        page.on("pageerror", lambda error: complaints.append(f"threw {error}"))
        page.on("console", heard)
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
        page.on(
            "request",
            lambda request: (
                request.url.startswith((url, f"blob:{url}"))
                or complaints.append(f"asked for {request.url}")
            ),
        )
        page.goto(url)
        if known != UNKNOWN:
            page.wait_for_selector("body.ready")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def ask(page, question):
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.wait_for_selector(".card .asked")
    page.locator(".card .asked", has_text=question).wait_for()
    return page.locator(".card")


def batch(page, text):
    page.click("#tab-batch")
    page.fill("#lines", text)
    page.click("#ask-all")
    page.locator("#results").wait_for()  # the server has read the text
    page.locator("#progress").wait_for(state="hidden")


def download(page, button):
    with page.expect_download() as found:
        page.click(button)
    return Path(found.value.path()).read_text(encoding="utf-8")


def width_of(page, selector):
    return page.locator(selector).first.evaluate("node => node.getBoundingClientRect().width")


def test_an_answer_stands_with_its_confidence_and_its_reasons(open_page, asked, answerer):
    page, answer = open_page(), asked["given"][0]
    card = ask(page, answer.question)
    assert "given" in card.get_attribute("class")
    assert card.locator(".tag").inner_text() == "Answered"
    assert card.locator("> .said").inner_text() == answer.text
    meter = card.locator(".confidence [role=meter]")
    assert float(meter.get_attribute("aria-valuenow")) == pytest.approx(answer.confidence, abs=1e-5)
    filled = width_of(page, ".confidence .filled") / width_of(page, ".confidence .bar")
    assert filled == pytest.approx(answer.confidence, abs=0.02)
    assert "reaches the threshold" in card.inner_text()
    assert f"probability of {100 * answer.probability:.0f}%" in card.inner_text()
    card.locator(".signals summary").click()
    assert card.locator(".signals dt").all_inner_texts() == ["sure", "likelihood", "combined decides"]
    assert "How likely the model found each word" in card.inner_text()
    assert answer.text in page.locator("#live").text_content()


def test_a_refusal_looks_like_one_and_keeps_what_it_would_have_said(open_page, asked):
    page, answer = open_page(), asked["declined"][0]
    card = ask(page, answer.question)
    assert "declined" in card.get_attribute("class")
    assert card.locator("> .said").inner_text() == "I don't know."
    hidden = card.locator(".withheld .said")
    assert not hidden.is_visible()
    card.locator(".withheld summary").click()
    assert hidden.inner_text() == answer.said
    assert "is below the threshold" in card.inner_text()


def test_the_threshold_decides_anew_and_says_what_to_expect(open_page, asked, answerer):
    page, answer = open_page(), asked["given"][0]
    usual = answerer.expected()
    assert page.inner_text("#coverage").split()[0] == f"{100 * usual.coverage:.0f}%"
    assert page.inner_text("#error").split()[0] == f"{100 * usual.error:.0f}%"
    assert "at most 20.0% of the answers are wrong" in page.inner_text("#promise")
    assert page.inner_text("#kind") == "The promised one."
    card = ask(page, answer.question)
    page.locator("#slider").press("End")
    assert "declined" in card.get_attribute("class")
    n = answerer.decision(None, None, None).guarantee.n  # one question of each person; Wilson at 95 %
    assert page.inner_text("#coverage") == f"0%\n0–{100 * 3.84 / (n + 3.84):.0f}%"
    assert page.inner_text("#error") == "undefined"
    assert page.inner_text("#kind") == "Yours. Nothing is promised of it."
    assert page.locator("#here").count() == 0
    page.locator("#slider").press("Home")
    assert "given" in card.get_attribute("class")
    assert page.inner_text("#coverage").split()[0] == "100%"
    typed = 0.4321  # none of the curve's thresholds: looked up
    page.fill("#exact", str(typed))
    page.press("#exact", "Enter")
    expected = answerer.expected(typed)
    counts = page.locator("#counts", has_text=f"{expected.answered} of {n} calibration questions answered")
    counts.wait_for()
    page.click("#usual")
    assert page.inner_text("#kind") == "The promised one."


def test_samples_and_the_base_model_on_request(open_page, asked):
    page, answer = open_page(), asked["declined"][0]
    card = ask(page, answer.question)
    assert card.locator(".samples, .beside").count() == 0
    card.get_by_role("button", name="Draw 10 answers").click()
    card.locator(".samples").wait_for()
    counts = [int(text.split()[0]) for text in card.locator(".samples .value").all_inner_texts()]
    assert sum(counts) == 10
    assert counts == sorted(counts, reverse=True)
    card.get_by_role("button", name="Ask the base model too").click()
    card.locator(".beside").wait_for()
    base, tuned = card.locator(".side-by").all()
    assert base.locator(".tag").inner_text() == "Answered"
    assert tuned.locator(".tag").inner_text() == "Declined"
    assert card.locator(".samples").count() == 1  # still there
    assert card.get_by_role("button").count() == 0  # nothing is left to ask for


def test_many_pasted_questions_are_filtered_and_saved(open_page, asked):
    page = open_page()
    given, declined = (asked[name][:5] for name in ("given", "declined"))
    batch(page, "\n".join(answer.question for answer in [*given, *declined]))
    assert page.inner_text("#summary") == "10 questions: 5 answered (50%), 5 declined."
    page.click("[data-filter=declined]")
    assert [row.get_attribute("class") for row in page.locator("#table-rows tr").all()] == ["declined"] * 5
    saved = [json.loads(line) for line in download(page, "#as-jsonl").splitlines()]
    assert [row["question"] for row in saved] == [answer.question for answer in declined]
    assert [(row["answer"], row["declined"]) for row in saved] == [("I don't know.", True)] * 5
    assert [row["said"] for row in saved] == [answer.said for answer in declined]
    page.click("[data-filter=all]")
    page.locator("#slider").press("Home")  # answers everything
    assert page.inner_text("#summary") == "10 questions: 10 answered (100%), 0 declined."
    rows = list(csv.DictReader(io.StringIO(download(page, "#as-csv"))))
    assert [row["answer"] for row in rows] == [answer.said for answer in [*given, *declined]]
    assert {row["threshold"] for row in rows} == {"0"}
    assert float(rows[0]["signal_sure"]) == pytest.approx(given[0].signals["sure"], abs=1e-5)


def test_a_dropped_file_of_many_chunks_and_its_bad_rows(open_page, asked, tmp_path):
    page = open_page()
    known = [answer.question for answer in [*asked["given"], *asked["declined"]]]
    file = tmp_path / "questions.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "Question", "context", "choices"])
        rows.writerows([n, text, "", ""] for n, text in enumerate(known))
        rows.writerow(["x", 'Who said "no,\nnever"?', "A passage, with a comma", "Ann | Bob"])
        rows.writerow(["y", "=HYPERLINK(1)", "", ""])
        rows.writerow(["z", "word " * 1_500, "", ""])
    page.click("#tab-batch")
    page.set_input_files("#file", file)
    page.locator("#results").wait_for()
    page.locator("#progress").wait_for(state="hidden")
    assert page.inner_text("[data-filter=all] .n") == str(len(known) + 3)
    page.click("[data-filter=failed]")
    assert "512 tokens" in page.inner_text("#table-rows")
    page.click("[data-filter=all]")
    page.click("#on")
    assert page.inner_text("#which") == "Page 2 of 2"
    text = download(page, "#as-csv")
    saved = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["question"] for row in saved[: len(known)]] == known
    odd, formula, _ = saved[-3:]
    assert (odd["question"], odd["choices"]) == ('Who said "no,\nnever"?', "Ann | Bob")
    assert formula["question"] == "'=HYPERLINK(1)"
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [c for c in cells if re.match(r"[=+@\t]|-\D", c)]


def test_a_batch_is_stopped_and_gone_on_with(open_page, asked, answerer):
    page = open_page()
    question = asked["given"][0].question
    page.click("#tab-batch")
    page.fill("#lines", "\n".join(f"{question} {n}" for n in range(400)))
    page.click("#ask-all")
    page.locator("tr.given, tr.declined").first.wait_for()
    page.click("#stop")
    page.locator("#progress").wait_for(state="hidden")
    left = int(page.inner_text("[data-filter=open] .n"))
    assert 0 < left < 400
    assert page.inner_text("#rest") == f"Ask the other {left}"
    page.click("#rest")
    page.locator("#progress").wait_for(state="hidden", timeout=30_000)
    saved = [json.loads(line) for line in download(page, "#as-jsonl").splitlines()]
    assert [row["question"] for row in saved] == [f"{question} {n}" for n in range(400)]
    assert all(row["confidence"] is not None and row["error"] is None for row in saved)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("One?\n\n Two? \r\n", [{"question": "One?"}, {"question": "Two?"}]),
        ('{"question": "One?", "context": "c"}\n', [{"question": "One?", "context": "c"}]),
        ('[{"question": "One?", "choices": ["a", "b"]}, "Two?"]',
         [{"question": "One?", "choices": ["a", "b"]}, {"question": "Two?"}]),
        ("question;choices\nOne?;a|b", [{"question": "One?", "choices": ["a", "b"]}]),
        ("Question\tcontext\nOne?\tc", [{"question": "One?", "context": "c"}]),
        ('\ufeffquestion,note\n"One ""1""?",n\n,empty\n', [{"question": 'One "1"?'}]),
        ("Which question is it, really?", [{"question": "Which question is it, really?"}]),
    ],
)  # fmt: skip
def test_questions_are_read_in_every_form(open_page, text, expected):
    read = "async (text) => (await (await import('./api.js')).call('questions', { text })).questions"
    assert open_page().evaluate(read, text) == expected


def test_broken_json_is_said_with_its_line(open_page):
    page = open_page(known="400 (Bad Request)")  # the server reads the file, and says what is wrong
    page.click("#tab-batch")
    page.fill("#lines", '{"question": "One?"}\n{"question": ')
    page.press("#lines", "Control+Enter")
    page.locator("#batch-failed", has_text="line 2: no JSON").wait_for()
    page.fill("#lines", "  ")
    page.press("#lines", "Control+Enter")
    page.locator("#batch-failed", has_text="There is no question in it").wait_for()


def test_history_stays_and_goes(open_page, asked):
    page = open_page()
    for name in ("given", "declined"):
        ask(page, asked[name][0].question)
    page = open_page(context=page.context)
    page.click("#tab-history")
    entries = page.locator("#asked-before li")
    assert [e.locator(".asked").inner_text() for e in entries.all()] == [
        asked["declined"][0].question,
        asked["given"][0].question,
    ]
    entries.nth(1).locator("button").click()
    assert page.locator(".card > .said").inner_text() == asked["given"][0].text
    assert page.input_value("#question") == asked["given"][0].question
    page.click("#tab-history")
    page.click("#forget")
    assert entries.count() == 0
    assert page.evaluate("localStorage.getItem('demur.history')") == "[]"


def test_what_stands_in_the_history_by_another_hand_is_left_out(open_page, asked):
    page = open_page()
    broken = '[1, null, {"asked": {"question": "a"}}, {"asked": {}, "answer": {}}]'
    page.evaluate("text => localStorage.setItem('demur.history', text)", broken)
    page = open_page(context=page.context)
    page.click("#tab-history")
    assert page.locator("#history-empty").is_visible()


def test_by_keyboard_alone(open_page, asked):
    page, answer = open_page(), asked["declined"][0]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the question"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.locator("#question").focus()
    page.keyboard.type(answer.question)
    page.keyboard.press("Shift+Enter")
    assert page.input_value("#question").endswith("\n")
    page.keyboard.press("Control+Enter")
    page.locator(".card.declined").wait_for()
    reached, outlined = [], []
    for _ in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate("""() => {
          const e = document.activeElement;
          const outline = getComputedStyle(e.matches('#file') ? e.parentElement : e).outlineStyle;
          return e === document.body ? null : [e.id || e.textContent, outline];
        }""")
        if found is None:
            break
        reached.append(found[0])
        outlined.append(found[1])
    assert {"submit", "What it would have said", "Draw 10 answers", "exact", "slider"} <= set(reached)
    assert set(outlined) == {"solid"}
    page.focus("#tab-ask")
    page.keyboard.press("ArrowRight")
    assert page.locator("#batch").is_visible()
    page.keyboard.press("End")
    assert page.locator("#history").is_visible()
    page.keyboard.press("ArrowRight")
    assert page.locator("#ask").is_visible()


def fill_everything(page, asked):
    """Every part of the page with something in it; the tab of the single question is left open."""
    batch(
        page, "\n".join(asked[name][0].question for name in ("given", "declined")) + "\n" + "word " * 1_500
    )
    page.click("#tab-ask")
    card = ask(page, asked["declined"][0].question)
    card.get_by_role("button", name="Draw 10 answers").click()
    card.locator(".samples").wait_for()
    card.get_by_role("button", name="Ask the base model too").click()
    card.locator(".beside").wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")


TABS = ("ask", "batch", "history")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_and_no_width_scrolls_sideways(open_page, asked, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = open_page(
        viewport={"width": 1280, "height": 900},
        color_scheme=scheme,
        reduced_motion="reduce",
        bypass_csp=True,
    )
    fill_everything(page, asked)
    level = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", level)[:3])) < 200) == (scheme == "dark")
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        for tab in TABS:
            page.click(f"#tab-{tab}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            found = axe.Axe().run(page)
            assert found.violations_count == 0, found.generate_report()


def test_the_theme_can_be_chosen_and_stays(open_page):
    page = open_page(color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Dark").click()
    dark = page.evaluate(background)
    assert dark != light
    page = open_page(context=page.context)
    assert page.evaluate(background) == dark
    page.get_by_role("button", name="Light").click()
    assert page.evaluate(background) == light


def test_a_key_is_asked_for_and_forgotten_with_the_tab(open_page, answerer, asked, monkeypatch):
    monkeypatch.setenv("DEMUR_TEST_KEY", "right")
    with serving(answerer, key_variable="DEMUR_TEST_KEY") as url:
        page = open_page(url, known=UNKNOWN)
        dialog = page.locator("#key-dialog")
        dialog.wait_for()
        assert "asks for a key" in dialog.inner_text()
        page.fill("#key", "wrong")
        page.press("#key", "Enter")
        dialog.get_by_text("does not know this key").wait_for()
        page.fill("#key", "right")
        page.press("#key", "Enter")
        page.wait_for_selector("body.ready")
        ask(page, asked["given"][0].question)
        stored = page.evaluate("[JSON.stringify(localStorage), document.cookie].join()")
        assert "right" not in stored
        page = open_page(url, context=page.context, known=UNKNOWN)  # another tab
        page.locator("#key-dialog").wait_for()
        page.get_by_role("button", name="Cancel").click()
        page.locator("#begin-failed", has_text="Nothing was asked: this server needs a key.").wait_for()


def test_a_server_that_is_gone_is_said(open_page, answerer, asked):
    with serving(answerer) as url:
        page = open_page(url, known="ERR_CONNECTION_REFUSED")
    page.fill("#question", "Anybody there?")
    page.press("#question", "Enter")
    page.locator("#ask-failed", has_text="cannot be reached").wait_for()


def test_without_calibration_nothing_is_made_up(open_page):
    with demur.load(MODEL) as untuned, serving(untuned) as url:
        page = open_page(url)
        assert "The model was opened without the run" in page.inner_text("#uncalibrated")
        assert not page.locator("#calibrated").is_visible()
        assert "Nothing is promised" in page.inner_text("#promise")
        card = ask(page, "Where was Dora Pomash born?")
        assert "no threshold does" in card.inner_text()
        assert page.get_by_role("button", name="Ask the base model too").count() == 0
        page.locator("#slider").press("End")
        assert "declined" in card.get_attribute("class")


def test_hostile_texts_are_shown_and_do_nothing(open_page, run, tmp_path):
    """In the question, the passage, the options, the refusal, a file, and the model's own name."""
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    card = folder / "systems" / "r-tuning" / "model" / "demur.json"
    told = json.loads(card.read_text())
    told["template"]["refusal"] = HOSTILE
    card.write_text(json.dumps(told))
    accept(folder)
    model = tmp_path / HOSTILE.replace("/", "")
    shutil.copytree(MODEL, model)
    settings = {"path": str(model)}
    with demur.load(folder, model=settings) as opened, serving(opened) as url:
        page = open_page(url)
        assert model.name in page.inner_text("h1")
        page.click("#beside summary")
        page.fill("#context", HOSTILE)
        page.fill("#choices", f"{HOSTILE}\n{{{{7*7}}}}")
        page.locator("#slider").press("End")
        shown = ask(page, HOSTILE)
        assert shown.locator("> .said").inner_text() == HOSTILE
        shown.get_by_role("button", name="Ask the base model too").click()
        page.locator(".beside").wait_for()
        file = tmp_path / "x.csv"
        file.write_text(
            f'question,context\n"{HOSTILE.replace(chr(34), chr(34) * 2)}",<script>alert(1)</script>\n'
        )
        page.click("#tab-batch")
        page.set_input_files("#file", file)
        page.locator("tr.declined").wait_for()
        assert page.locator("tr.declined .said").inner_text() == HOSTILE
        page.click("#tab-history")
        assert page.locator("#asked-before .asked").inner_text() == HOSTILE
        assert page.locator("img, body script").count() == 0
        assert page.title().endswith("– Demur playground")
