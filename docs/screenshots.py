"""The pictures in the documentation: a demo run is made, calibrated and served, and looked at in Chromium.

Run by `make screenshots`; DEMUR_CHROMIUM names the browser where it is not called `chromium`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
LARGEST = 200_000
"""Bytes of a picture."""
PORT = 8917


def main() -> None:
    """Make the run where none is given, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="a finished, calibrated run of the demo")
    given = parser.parse_args().run
    with tempfile.TemporaryDirectory() as temporary:
        run = given or make_run(Path(temporary) / "demo")
        with browser() as opened, served(run) as address:
            IMAGES.mkdir(exist_ok=True)
            playground(fresh_page(opened), address)
            report(fresh_page(opened), run)
    for picture in IMAGES.glob("*.png"):
        assert picture.stat().st_size < LARGEST, f"{picture} is too large"


def demur(*arguments: object) -> list[str]:
    """A command line of this very Demur."""
    return [sys.executable, "-m", "demur", *map(str, arguments)]


def make_run(folder: Path) -> Path:
    """The demo, with a threshold that has a promise."""
    subprocess.run(demur("demo", "--out", folder), check=True)
    command = demur("calibrate", folder, "--max-error", 0.1, "--recalibrate", "platt")
    subprocess.run(command, check=True)
    return folder


@contextlib.contextmanager
def served(run: Path) -> Iterator[str]:
    """The address of `demur serve`, while it runs."""
    server = subprocess.Popen(demur("serve", run, "--port", PORT), stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{PORT}/"
    try:
        while not ready(address):
            assert server.poll() is None, "the server has ended"
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()


def ready(address: str) -> bool:
    """Whether questions are answered."""
    try:
        return bool(urllib.request.urlopen(f"{address}readyz").status == 200)
    except urllib.error.URLError:
        return False


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Chromium."""
    executable = os.environ.get("DEMUR_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield opened
        opened.close()


def fresh_page(opened: Browser) -> Page:
    """A page of a usual size."""
    return opened.new_page(
        viewport={"width": 1280, "height": 1000}, color_scheme="light", reduced_motion="reduce"
    )


def playground(page: Page, address: str) -> None:
    """A question that it does not know."""
    page.goto(address)
    page.wait_for_selector("body.ready")
    page.fill("#question", "Who wrote The Hobbit?")
    page.press("#question", "Enter")
    page.locator(".card .signals summary").click()
    page.screenshot(path=IMAGES / "playground.png")


def report(page: Page, run: Path) -> None:
    """What the report opens with."""
    page.goto((run / "report.html").as_uri())
    page.screenshot(path=IMAGES / "report.png")


if __name__ == "__main__":
    main()
