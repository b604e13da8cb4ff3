"""Each method's training settings, chosen on training questions of a seed that no claim is tested on.

    python benchmarks/settings.py pocket-2 --page docs/results/settings.md
    python benchmarks/settings.py smollm2 --data data/atlas --page docs/results/settings.md

The training questions of the development seed are divided by entity: two thirds are tuned on (of real
models as many as a run of the claims has), one third is judged. With the pocket model every learning rate
is tried with every number of epochs; with real models, where that takes hours, each learning rate with one
epoch, then more epochs at the best. Last comes a higher LoRA rank at the best of these. The best has the
highest figure of its kind: honesty of what refuses in words, average precision of R-Tuning with its
certainty question, accuracy of what is tuned on answers. Of the two methods that state a confidence only
settings count with which nine of ten answers state one: with others the method was not learned. No test
question and no calibration question is read. The figures of the best are too high, having been chosen; only
which it is goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import demur
from demur.claims.places import DEVELOPMENT, FULL, PLACES, Place
from demur.claims.settings import BATCH
from demur.core.config import DataSettings, load_config
from demur.core.questions import shared_by
from demur.core.records import Question
from demur.datasets import load_questions
from demur.datasets.splits import draw_keys
from demur.runfolder.folder import RunFolder

RANKS = (8, 32)
"""The grid is of the first; the second is tried at its best."""

RATES = {"pocket-2": (1e-4, 3e-4, 1e-3, 3e-3), "smollm2": (3e-4, 1e-3, 3e-3)}
EPOCHS = {"pocket-2": (1, 2, 4), "smollm2": (1, 2)}
REAL = ("smollm2",)
"""Other real models are tuned with what was chosen on this one."""
FULL_RATES = (2e-5, 1e-4)
"""Learning rates where every weight is tuned."""
MOST_ROWS = "multisample"
"""It has ten rows of each question. With the pocket model it is given one epoch of them, with real models
as many updates as the others."""

AIMS = {
    "vanilla": "accuracy",
    "fine-tuned": "accuracy",
    "absolute": "honesty",
    "confidence-num": "honesty",
    "confidence-verb": "honesty",
    "multisample": "honesty",
    "r-tuning": "ap",
    "r-tuning-r": "honesty",
    "r-tuning-u": "ap",
    "r-tuning-min-loss": "honesty",
}
"""The figure that each method is chosen by."""
CORE = ("vanilla", "absolute", "multisample", "r-tuning", "r-tuning-r")
PLACE_OF = {"pocket-2": "pocket", "smollm2": "smollm2-atlas"}

MOSTLY = 0.9
"""Share of the answers that must state a confidence, of methods that state one."""


@dataclass(frozen=True)
class Tried:
    """One setting of one method, and what it gave."""

    method: str
    settings: Mapping[str, Any]
    value: float | None
    """Of the figure that the method is chosen by, on the questions judged."""
    stated: float | None
    """Share of the answers that state a confidence; None of methods that do not."""
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", choices=sorted(PLACE_OF))
    parser.add_argument("--data", type=Path, help="folder of the questions, where the place needs one")
    parser.add_argument("--runs", type=Path, default=Path("runs/settings"))
    parser.add_argument("--methods", nargs="*", help="only these")
    parser.add_argument("--page", type=Path, help="also write what was found there")
    options = parser.parse_args()
    found = choose(options.model, options.runs / options.model, options.data, options.methods)
    text = "\n".join(section(options.model, found)) + "\n"
    print(text)
    if options.page is not None:
        replace_section(options.page, options.model, text)


def choose(model: str, folder: Path, data: Path | None, methods: list[str] | None) -> list[Tried]:
    """Every setting that was tried, method by method."""
    place = PLACES[PLACE_OF[model]]
    config = place.config("open", DEVELOPMENT, folder, {place.dataset: data} if data else {})
    questions = divided(config.data, place)
    names = list(CORE) if model in REAL else list(AIMS)
    names += [f"{name}{FULL}" for name in ("r-tuning", "absolute")] if model in REAL else []
    found = []
    for name in [name for name in names if methods is None or name in methods]:
        tried: list[Tried] = []
        for settings in proposals(model, name, tried):
            tried.append(attempt(model, place, name, settings, folder, questions))
            print(row(tried[-1], chosen=False), flush=True)
        found += tried
    return found


def divided(settings: DataSettings, place: Place) -> list[Question]:
    """The training questions of the development seed: two thirds to train, one third to test."""
    entries = [entry for entry in settings.mixture if entry.get("name") == place.dataset]
    own = load_config(None, {"data": entries[0]}).data if entries else settings
    labels = own.labels
    own = own.model_copy(update={"labels": None, "limit": None})
    every = load_questions(own, seed=DEVELOPMENT).questions
    training = [question for question in every if question.split == "train" and question.answerable]
    names = (shared_by(question) or question.text for question in training)
    keys = draw_keys(names, len(training), DEVELOPMENT, purpose="settings").tolist()
    ordered = sorted(set(keys))
    judged = set(ordered[: len(ordered) // 3])
    tuned = set(ordered[len(ordered) // 3 :][: None if labels is None else labels * 2 // 3])
    return [
        dataclasses.replace(question, split="test" if key in judged else "train", domain="id")
        for question, key in zip(training, keys, strict=True)
        if key in judged or key in tuned
    ]


def proposals(model: str, name: str, tried: list[Tried]) -> Iterator[dict[str, Any]]:
    """What to try next of a method, beside what was tried."""
    full, rates = name.endswith(FULL), FULL_RATES if name.endswith(FULL) else RATES[model]
    rest: dict[str, Any] = {"lora": False} if full else {}
    few: float
    few, *more = (float(count) for count in EPOCHS[model])
    if name == MOST_ROWS:
        few, more = (few / 10, [count / 10 for count in more]) if model in REAL else (few, [])
    for rate in rates:
        yield {"learning_rate": rate, "epochs": few, **rest}
        if model not in REAL:
            yield from ({"learning_rate": rate, "epochs": count, **rest} for count in more)
    if model in REAL:
        rate = best_of(tried).settings["learning_rate"]
        yield from ({"learning_rate": rate, "epochs": count, **rest} for count in more)
    if not full:
        yield {**best_of(tried).settings, **widened()}


def widened() -> dict[str, int]:
    """A higher rank; the scale stays twice the rank."""
    return {"lora_rank": RANKS[1], "lora_alpha": 2 * RANKS[1]}


def attempt(
    model: str, place: Place, name: str, chosen: Mapping[str, Any], folder: Path, questions: list[Question]
) -> Tried:
    """Tune with these settings; all attempts of a model share one probe of the base model."""
    started = time.monotonic()
    method = name.removesuffix(FULL)
    settings = {key: value for key, value in place.runs["open"].items() if key not in ("data", "overrides")}
    label = "-".join(f"{key[:2]}{value:g}" for key, value in chosen.items())
    shared = folder / "base"
    answers = RunFolder(shared).probe
    if not answers.exists():
        base = {"method": "absolute", "baselines": [], "seed": DEVELOPMENT, "out": shared}
        demur.probe(None, questions=questions, **{**settings, **base})
    out = folder / f"{name}-{label}"
    settings |= {
        "method": method,
        "baselines": [],
        "seed": DEVELOPMENT,
        "out": out,
        "training": {"batch_size": BATCH[model], **chosen},
        "probe": {**settings.get("probe", {}), "path": str(answers)},
    }
    run = demur.run(None, questions=questions, update=True, **settings)
    cell = demur.open_run(run.root).metrics["metrics"][method]["id"][AIMS[method]]
    return Tried(name, chosen, cell["value"], stated(run.root, method), time.monotonic() - started)


def stated(root: Path, method: str) -> float | None:
    """Share of the answers that state a confidence; None of a method that never does, or of no answers."""
    if not method.startswith("confidence-"):
        return None
    answers = [row for row in demur.open_run(root).predictions[method] if not row.abstained]
    return sum("verbal" in row.signals for row in answers) / len(answers) if answers else None


def best_of(tried: list[Tried]) -> Tried:
    """The first of the highest, of those with which the method was learned, where there are any."""
    learned = [one for one in tried if one.stated is None or one.stated >= MOSTLY]
    return max(learned or tried, key=lambda one: -1 if one.value is None else one.value)


def section(model: str, found: list[Tried]) -> Iterator[str]:
    """What was tried with a model, as Markdown."""
    minutes = sum(one.seconds for one in found) / 60
    yield f"## {model}"
    yield ""
    yield (
        f"{datetime.datetime.now(datetime.UTC).date().isoformat()}, {platform.machine()}, one of "
        f"{os.cpu_count()} cores, no GPU, {minutes:.0f} minutes, Demur {demur.__version__}."
    )
    yield ""
    yield "| method | chosen by | learning rate | epochs | LoRA rank | figure | stated | chosen |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |"
    for name in dict.fromkeys(one.method for one in found):
        tried = [one for one in found if one.method == name]
        yield from (row(one, chosen=one is best_of(tried)) for one in tried)
    yield ""


def row(one: Tried, *, chosen: bool) -> str:
    """A setting in the table."""
    rank = "all weights" if one.settings.get("lora") is False else one.settings.get("lora_rank", RANKS[0])
    value = "–" if one.value is None else f"{one.value:.3f}".removeprefix("0")
    said = "" if one.stated is None else f"{one.stated:.0%}"
    return (
        f"| `{one.method}` | {AIMS[one.method.removesuffix(FULL)]} | {one.settings['learning_rate']:g} "
        f"| {one.settings['epochs']:g} | {rank} | {value} | {said} | {'yes' if chosen else ''} |"
    )


def replace_section(page: Path, model: str, text: str) -> None:
    """Put a model's part in the place of what stands there, or at the end."""
    before = page.read_text(encoding="utf-8") if page.exists() else ""
    start = before.find(f"## {model}\n")
    if start < 0:
        page.write_text(before.rstrip("\n") + "\n\n" + text, encoding="utf-8")
        return
    end = before.find("\n## ", start + 1)
    rest = "" if end < 0 else before[end + 1 :]
    page.write_text(before[:start] + text + ("\n" + rest if rest else ""), encoding="utf-8")


if __name__ == "__main__":
    main()
