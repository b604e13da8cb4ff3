"""What a model knows of an atlas, by the popularity of what is asked about: a table and a picture.

    demur atlas build --per-relation 75 --out data/atlas-75
    python benchmarks/atlas.py data/atlas-75 --model smollm2 --model gemma3-270m --out docs/images/atlas

Asked are the first questions of each relation in the parts train, calibration and test; the sealed part
is not read. Every prompt is plain text: worked examples of none of the relations, then the question. The
answer is the greedy continuation up to the end of the line, judged by the default rule. Nothing is trained
or chosen.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demur.core.config import Config, DataSettings, ModelSettings
from demur.core.records import Question, Verdict
from demur.core.sealed import openings
from demur.datasets import load_questions
from demur.engines import Sampling
from demur.engines.opening import open_engine
from demur.judging.verdict import judge
from demur.metrics.proportion import wilson
from demur.sources import base_model

KINDS = {
    "cities and towns": ("country of city", "state of city"),
    "countries": ("currency", "capital", "continent", "official language"),
    "elements": ("element symbol", "element period"),
}
COLOURS = ("#1f6fb2", "#c8552b", "#3b8f4e", "#7a4fa3")
WIDTH, HEIGHT, LEFT, TOP, GAP = 340, 220, 50, 40, 30


@dataclass(frozen=True)
class Cell:
    """The answers of one model to the questions of a relation and stratum."""

    model: str
    relation: str
    stratum: str
    n: int
    right: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, at 95%."""
        return wilson(self.right, self.n, 0.95) or (0.0, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("atlas", type=Path)
    parser.add_argument("--model", action="append", required=True)
    parser.add_argument("--each", type=int, default=75, help="questions of each relation")
    parser.add_argument("--relation", action="append", help="only this one; default: all")
    parser.add_argument("--shots", type=int, default=4)
    parser.add_argument("--out", type=Path, required=True, help="beginning of the names of .csv and .svg")
    options = parser.parse_args()
    questions = [
        question
        for question in chosen(options.atlas, options.each)
        if options.relation is None or question.group in options.relation
    ]
    print(f"{len(questions)} questions; sealed part opened: {openings(options.atlas) or 'never'}")
    cells: list[Cell] = []
    for model in options.model:
        cells += ask(model, questions, preface(options.atlas, options.shots))
        for kind, relations in KINDS.items():
            own = [cell for cell in cells if cell.model == model and cell.relation in relations]
            print(model, kind, *(f"{c.stratum} {c.right}/{c.n}" for c in merged(own)), sep="  ")
    write_csv(options.out.with_suffix(".csv"), cells)
    if options.relation is None:
        options.out.with_suffix(".svg").write_text("\n".join(picture(cells)) + "\n", encoding="utf-8")


def chosen(folder: Path, each: int) -> Iterator[Question]:
    """The first answerable questions of each relation; in their order the strata take turns."""
    taken = Counter[str]()
    for question in load_questions(DataSettings(name="atlas", path=folder)).questions:
        relation = str(question.meta["relation"])
        if question.answerable and taken[relation] < each:
            taken[relation] += 1
            yield question


def preface(folder: Path, shots: int) -> str:
    rows = map(json.loads, (folder / "examples.jsonl").read_text(encoding="utf-8").splitlines()[:shots])
    return "".join(f"Question: {row['question']}\nAnswer: {row['answers'][0]}\n\n" for row in rows)


def ask(model: str, questions: Sequence[Question], before: str) -> list[Cell]:
    settings = ModelSettings(path=model, format="plain", dtype="bfloat16")
    engine = open_engine(settings, base=base_model(Config(model=settings)))
    prompts = [f"{before}Question: {question.text}\nAnswer:" for question in questions]
    sampling = Sampling(max_new_tokens=16, stop=("\n",))
    found = engine.generate(prompts, keys=[question.id for question in questions], sampling=sampling)
    n, right = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for question, generated in zip(questions, found, strict=True):
        place = (str(question.meta["relation"]), str(question.meta["stratum"]))
        n[place] += 1
        right[place] += judge(question, generated.greedy.text) is Verdict.CORRECT
    return [Cell(model, *place, count, right[place]) for place, count in n.items()]


def merged(cells: Iterable[Cell]) -> list[Cell]:
    """The relations of one model taken together, by stratum in the order of size."""
    strata: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        strata[cell.stratum].append(cell)
    return [
        Cell(own[0].model, "all", name, sum(c.n for c in own), sum(c.right for c in own))
        for name, own in sorted(strata.items(), key=lambda item: lowest(item[0]))
    ]


def lowest(stratum: str) -> int:
    """The lower end of a stratum such as ``100k-300k`` or ``3M+``; 0 of none."""
    low = stratum.partition("-")[0].rstrip("+")
    return int(low[:-1]) * {"k": 1_000, "M": 1_000_000}[low[-1]] if low[:-1].isdigit() else 0


def write_csv(path: Path, cells: Sequence[Cell]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        rows = csv.writer(handle, lineterminator="\n")
        rows.writerow(["model", "relation", "stratum", "n", "right", "accuracy", "low", "high"])
        for cell in sorted(cells, key=lambda c: (c.model, c.relation, lowest(c.stratum))):
            low, high = cell.interval
            shares = [f"{value:.3f}" for value in (cell.right / cell.n, low, high)]
            rows.writerow([cell.model, cell.relation, cell.stratum, cell.n, cell.right, *shares])


def picture(cells: Sequence[Cell]) -> Iterator[str]:
    """An SVG with a panel for cities and one for countries, a line for each model."""
    models = list(dict.fromkeys(cell.model for cell in cells))
    panels = ["cities and towns", "countries"]
    wide, high = len(panels) * (LEFT + WIDTH + GAP), TOP + HEIGHT + 80
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif"'
    yield f'  font-size="12" role="img"><title>Accuracy by popularity</title><rect width="{wide}"'
    yield f'  height="{high}" fill="#fff"/>'
    for place, kind in enumerate(panels):
        yield from panel(place * (LEFT + WIDTH + GAP) + LEFT, kind, cells, models)
    for place, model in enumerate(models):
        x, y = LEFT + 150 * place, high - 12
        yield f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{COLOURS[place]}"/>'
        yield f'<text x="{x + 9}" y="{y}">{model}</text>'
    yield "</svg>"


def panel(left: int, kind: str, cells: Sequence[Cell], models: Sequence[str]) -> Iterator[str]:
    bottom = TOP + HEIGHT
    yield f'<text x="{left}" y="{TOP - 16}" font-weight="bold">Accuracy, {kind}</text>'
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = bottom - share * HEIGHT
        yield f'<path d="M{left} {y}H{left + WIDTH}" stroke="#ddd"/>'
        yield f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{share:.0%}</text>'
    strata = [cell.stratum for cell in merged(c for c in cells if c.relation in KINDS[kind])]
    step = WIDTH / len(strata)
    for at, stratum in enumerate(strata):
        x = left + (at + 0.5) * step
        yield f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle" font-size="10">{stratum}</text>'
    yield f'<text x="{left + WIDTH / 2}" y="{bottom + 36}" text-anchor="middle">inhabitants</text>'
    for number, model in enumerate(models):
        own = merged(c for c in cells if c.model == model and c.relation in KINDS[kind])
        points = [(left + (strata.index(c.stratum) + 0.5) * step + 6 * number - 3, c) for c in own]
        yield from line(points, bottom, COLOURS[number])


def line(points: Sequence[tuple[float, Cell]], bottom: int, colour: str) -> Iterator[str]:
    path = " ".join(f"{x:.1f},{bottom - HEIGHT * cell.right / cell.n:.1f}" for x, cell in points)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    for x, cell in points:
        low, high = (bottom - HEIGHT * end for end in cell.interval)
        y = bottom - HEIGHT * cell.right / cell.n
        yield f'<path d="M{x:.1f} {low:.1f}V{high:.1f}" stroke="{colour}"/>'
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}">'
        yield f"  <title>{cell.right} of {cell.n}</title></circle>"


if __name__ == "__main__":
    main()
