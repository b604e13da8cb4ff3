"""A run folder made up by seed, as the pipeline would write it: what the report's tests open.

The facts of half of the people are read equally often, those of the others each by its own number, so
that every table and figure of a real run has its like here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from demur.core.records import Prediction, Question, Verdict, write_parquet
from demur.metrics import evaluate

SYSTEMS = {
    "base": "likelihood",
    "vanilla": "likelihood",
    "r-tuning": "combined",
    "base-likelihood": "likelihood",
    "pretrain-w": "likelihood",
    "familiarity-only": "familiarity",
}
RIGHT_BY_READS = {0: 0.04, 1: 0.45, 3: 0.92, 8: 1.0}
CITIES = ("Lund", "Kyoto", "Quito", "Tunis", "Perth", "Bergen", "Lima", "Turin", "Cork", "Oslo")
RELATIONS = {"id": ("Where was {} born?", "In which city does {} live?"), "ood": ("Where did {} study?",)}


def make_run(folder: Path, *, people: int = 150, seed: int = 0, scale: int = 1) -> Path:
    """Write config, manifest, questions, predictions and metrics to ``folder``.

    Four questions a person: two in domain, one out of domain, one in `calibration` or about nobody.
    """
    rng = np.random.default_rng(seed)
    questions, reads, others = _questions(people * scale, rng)
    predictions = _predictions(questions, reads, others, rng)
    pairs = [("r-tuning", rival) for rival in ("base", "base-likelihood", "familiarity-only")]
    metrics = evaluate(questions, predictions, primary=SYSTEMS, compare=pairs, resamples=200)
    config = f"seed: {seed}\nmethod: r-tuning\ndata: {{name: pocket}}\n"
    write_run(folder, questions, predictions, metrics, _manifest(seed), config=config)
    return folder


HOSTILE = (
    "</script><script>document.title = 'owned'</script>",
    "<img src=x onerror=\"document.title = 'owned'\">",
    "<!--<script>\u2028\u2029 & &amp; {{ 7 * 7 }} \x00'\"`",
    "javascript:document.title='owned'",
)
"""Texts that would do harm on a page that did not escape them."""


def make_small_run(
    folder: Path, *, text: str = "{}", group: str | None = None, abstained: Sequence[bool] | None = None
) -> Path:
    """Ten questions in domain with figures that a reader can follow by hand; see the table below.

    Args:
        text: a format that every question, answer, name and setting is put through, to make them hostile.
        abstained: which questions ``r-tuning`` declines in place of those where it is unsure.
    """
    questions = [
        Question(id=f"q{n}", text=text.format(f"Question {n}?"), answers=(text.format("yes"),), group=group,
                 dataset="small", split="test")
        for n in range(10)
    ]  # fmt: skip
    said = {"c": text.format("yes"), "w": text.format("no")}
    rows: dict[str, list[Prediction]] = {"base": [], "r-tuning": []}
    declined = [sure < 0.5 for *_, sure in SMALL] if abstained is None else abstained
    for question, declines, (before, likelihood, after, sure) in zip(
        questions, declined, SMALL, strict=True
    ):
        signals = {"sure": sure, "likelihood": likelihood, "combined": (sure + likelihood) / 2}
        for system, verdict, declined_it in (("base", before, False), ("r-tuning", after, declines)):
            rows[system].append(
                Prediction(
                    question_id=question.id,
                    system=system,
                    answer=said[verdict],
                    response=said[verdict] + ".",
                    verdict=Verdict.CORRECT if verdict == "c" else Verdict.WRONG,
                    abstained=declined_it,
                    signals={"likelihood": likelihood} if system == "base" else signals,
                )
            )
    primary = {system: SYSTEMS[system] for system in rows}
    metrics = evaluate(questions, rows, primary=primary, resamples=20)
    manifest = _manifest(0) | {
        "command": text.format("demur run"),
        "versions": {text.format("x"): text.format("1")},
    }
    manifest["systems"] = {s: {"primary_signal": primary[s], "paper": text.format("p")} for s in rows}
    write_run(folder, questions, rows, metrics, manifest, config=text.format("name: small"))
    return folder


SMALL = (
    ("c", 0.9, "c", 0.9),  # kept right;              combined .90
    ("c", 0.8, "c", 0.9),  # kept right;              combined .85
    ("c", 0.7, "c", 0.8),  # kept right;              combined .75
    ("c", 0.6, "c", 0.2),  # over-refusal;            combined .40
    ("c", 0.9, "w", 0.7),  # newly wrong;             combined .80
    ("w", 0.5, "c", 0.6),  # newly right;             combined .55
    ("w", 0.4, "w", 0.6),  # still wrong;             combined .50
    ("w", 0.3, "w", 0.1),  # hallucination removed;   combined .20
    ("w", 0.2, "w", 0.2),  # hallucination removed;   combined .20
    ("w", 0.1, "w", 0.3),  # hallucination removed;   combined .20
)
"""Base verdict, likelihood (of both), tuned verdict, sure. Declined where sure < .5: 6 of 10 answered, 4 of
them right."""


def write_run(
    folder: Path,
    questions: Sequence[Question],
    predictions: Mapping[str, Sequence[Prediction]],
    metrics: Mapping[str, Any],
    manifest: Mapping[str, Any],
    *,
    config: str,
) -> None:
    """Put the files of a finished run in their places."""
    write_parquet(folder / "questions.parquet", questions, Question)
    for system, rows in predictions.items():
        write_parquet(folder / "predictions" / f"{system}.parquet", rows, Prediction)
    (folder / "metrics.json").write_text(json.dumps(metrics, allow_nan=False), "utf-8")
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (folder / "config.yaml").write_text(config, "utf-8")


def _questions(people: int, rng: np.random.Generator) -> tuple[list[Question], list[int], list[float]]:
    questions: list[Question] = []
    reads: list[int] = []
    others: list[float] = []
    syllables = ["ba", "ri", "lo", "ven", "tas", "mi", "ko", "dur", "sel", "na"]
    for person in range(people):
        group = "uniform" if person % 2 else "mixed"
        surname = "".join(syllables[int(d)] for d in f"{person:03d}").capitalize()
        name = f"{('Ada', 'Otto', 'Ines', 'Hugo')[person % 4]} {surname}"
        tiers = rng.choice([0, 1, 3, 8], size=3, p=[0.3, 0.2, 0.2, 0.3])
        if group == "uniform":
            tiers[:] = tiers[0]
        texts = [*RELATIONS["id"], *RELATIONS["ood"]]
        for index, text in enumerate(texts):
            domain = "id" if index < 2 else "ood"
            split = "calibration" if index == 1 and person % 4 == 0 else "test"
            questions.append(
                Question(
                    id=f"{person}-{index}",
                    text=text.format(name),
                    answers=(CITIES[int(rng.integers(10))],),
                    dataset="pocket",
                    split=split,
                    domain=domain,
                    group=group,
                )
            )
            reads.append(int(tiers[index]))
            others.append(float(np.delete(tiers, index).mean()))
        questions.append(
            Question(
                id=f"{person}-nobody",
                text=f"Where was {surname}o {surname}is born?",
                dataset="pocket",
                split="nonexistent",
                answerable=False,
            )
        )
        reads.append(0)
        others.append(0.0)
    return questions, reads, others


def _predictions(
    questions: Sequence[Question], reads: Sequence[int], others: Sequence[float], rng: np.random.Generator
) -> dict[str, list[Prediction]]:
    rows: dict[str, list[Prediction]] = {system: [] for system in SYSTEMS}
    for question, times, other in zip(questions, reads, others, strict=True):
        right = question.answerable and rng.random() < RIGHT_BY_READS[times]
        stays = rng.random() < 0.97
        likelihood = float(np.clip(rng.normal(0.78 if right else 0.5, 0.2), 0.02, 0.9999))
        familiar = times if question.group == "uniform" or not question.answerable else other
        sure = float(1 / (1 + np.exp(-(2.4 * np.log2((familiar + 0.3) / 1.2) + rng.normal(0, 0.9)))))
        before = _answer(question, right, rng)
        after = before if stays else _answer(question, not right and question.answerable, rng)
        tuned = {"sure": sure, "likelihood": likelihood, "combined": (sure + likelihood) / 2}
        plain = {"likelihood": likelihood}
        noisy = {"likelihood": float(np.clip(likelihood + rng.normal(0, 0.05), 0.01, 0.9999))}
        known = {"familiarity": other / (1 + other)}
        rows["base"].append(_row("base", question, before, plain, abstained=False))
        rows["vanilla"].append(_row("vanilla", question, after, noisy, abstained=False))
        rows["r-tuning"].append(_row("r-tuning", question, after, tuned, abstained=sure < 0.5))
        rows["pretrain-w"].append(_row("pretrain-w", question, before, plain, abstained=sure < 0.5))
        rows["familiarity-only"].append(
            _row("familiarity-only", question, before, known, abstained=other < 1.5)
        )
    answered = sum(not row.abstained for row in rows["r-tuning"])
    ranked = sorted((row.signals["likelihood"] for row in rows["base"]), reverse=True)
    limit = ranked[answered - 1]
    rows["base-likelihood"] = [
        _row("base-likelihood", q, r.answer, r.signals, abstained=r.signals["likelihood"] < limit)
        for q, r in zip(questions, rows["base"], strict=True)
    ]
    return rows


def _answer(question: Question, right: bool, rng: np.random.Generator) -> str:
    if right:
        return question.answers[0]
    return str(rng.choice([city for city in CITIES if city not in question.answers]))


def _row(
    system: str, question: Question, answer: str, signals: Mapping[str, float], *, abstained: bool
) -> Prediction:
    return Prediction(
        question_id=question.id,
        system=system,
        answer=answer,
        response=f" {answer}",
        verdict=Verdict.CORRECT if answer in question.answers else Verdict.WRONG,
        abstained=abstained,
        signals=signals,
    )


def _manifest(seed: int) -> dict[str, Any]:
    seconds = {"probe": 6.2, "build": 0.3, "train": 21.0, "predict": 9.9, "evaluate": 1.4}
    return {
        "schema_version": 1,
        "demur": "0.1.0",
        "versions": {"python": "3.12.3", "torch": "2.9.0", "transformers": "5.23.0", "trl": "1.16.0"},
        "seed": seed,
        "command": "demur demo --out runs/demo",
        "systems": {
            name: {"primary_signal": signal, "paper": "", "description": ""}
            for name, signal in SYSTEMS.items()
        },
        "stages": {
            name: {"inputs": f"{index:016x}", "seconds": time, "peak_memory_mb": 600.0 + 40 * index}
            for index, (name, time) in enumerate(seconds.items())
        },
    }
