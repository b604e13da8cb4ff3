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

from demur.metrics import evaluate
from demur.records import Prediction, Question, Verdict, write_parquet

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
    write_parquet(folder / "questions.parquet", questions, Question)
    for system, rows in predictions.items():
        write_parquet(folder / "predictions" / f"{system}.parquet", rows, Prediction)
    pairs = [("r-tuning", rival) for rival in ("base", "base-likelihood", "familiarity-only")]
    metrics = evaluate(questions, predictions, primary=SYSTEMS, compare=pairs, resamples=200)
    (folder / "metrics.json").write_text(json.dumps(metrics, allow_nan=False))
    (folder / "manifest.json").write_text(json.dumps(_manifest(seed)))
    (folder / "config.yaml").write_text(f"name: demo\nseed: {seed}\nmethod: r-tuning\ndata: pocket\n")
    return folder


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
