"""The comparison page in a real browser: it opens offline, runs no script, and fits a phone."""

import shutil
from pathlib import Path

import pytest

from demur.compare import summarise, write_page
from demur.compare.collect import RunCells

HOSTILE = "<img src=x onerror=document.title='hacked'>"

executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(executable is None, reason="needs Chromium")


def run(seed):
    cells = {
        "accuracy": {"value": 0.6 + seed / 100, "low": 0.5, "high": 0.7},
        "accuracy_willing": {"value": 0.9, "low": 0.8, "high": 0.95},
        "coverage": {"value": 0.5 + seed / 50, "low": 0.4, "high": 0.6},
    }
    return RunCells(
        path=Path(f"runs/{HOSTILE}/{seed}"),
        dataset=HOSTILE,
        seed=seed,
        method="demur",
        settings="{}",
        systems=("base", "demur", HOSTILE),
        cells={
            split: dict.fromkeys(("base", "demur", HOSTILE), cells) for split in ("id", "ood", "id/mixed")
        },
        reads={"base": {"mixed/8": {"n": 4, "answered": 1.0, "accuracy_willing": 0.5}}},
        known_share=0.6,
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "compare.html"
    write_page(summarise([run(0), run(1)]), path)
    return path


@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_without_errors_and_without_a_network(page, width):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width, "height": 900})
        requests, errors = [], []
        tab.on("request", lambda request: requests.append(request.url))
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        tab.goto(page.as_uri())
        assert tab.title() == "Comparison – Demur"
        assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
        assert errors == []
        assert HOSTILE in tab.inner_text("body")
        assert tab.locator("table").count() >= 2
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        dots = tab.locator("svg circle.here").count()
        assert dots == 6  # three systems in each of the two plots
        browser.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_fault(page, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
        tab = context.new_page()
        tab.goto(page.as_uri())
        tab.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        found = axe.Axe().run(tab)
        assert found.violations_count == 0, found.generate_report()
        browser.close()
