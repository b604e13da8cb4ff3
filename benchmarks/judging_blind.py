"""Draws the blind tests of the refusal detector and the answer judge, and brings their texts back.

    python benchmarks/judging_blind.py draw --set blind2 --data DATA --clones CLONES
    python benchmarks/judging_blind.py texts --set blind2 --data DATA --clones CLONES --out rows.jsonl

`draw` chooses rows from every source with a fixed seed and writes tests/data/SET/key.jsonl: for each row
its source, model, kind of draw, place and the SHA-256 of its response. No step looks at what a response
says. A plain draw is uniform over the rows of a source. An enriched draw takes rows whose question has no
answer (of UnknownBench: those of ASSISTANTS; of TruthfulQA: also those on the time, place or identity of
the one who answers), whose prompt asks for honesty or whose source marks the answer as wrong, the same
number for each model. A later set takes no question and no response of an earlier one. `texts` reads the
places of the key, checks the hashes and writes id, question, response, answers and answerable in the key's
order.

DATA is a folder with samples of the published data sets (UnknownBench, Alignment for Honesty, files of
questions). CLONES holds clones of public GitHub repositories named OWNER+NAME, with the commits in
COMMITS of blind_sources.py. Texts of others stay there. The project stores the responses of two models run
for the first set (own.jsonl; every set draws from them) and the rows written for each set (authored.jsonl).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blind_sources import READERS, TESTS, Folders, Row, json_lines, sample_rows, used_ids


@dataclass(frozen=True)
class BlindSet:
    """How a set is drawn: the rows of the plain and of the enriched draw of each source."""

    letter: str  # of the ids
    seed: int
    counts: dict[str, tuple[int, int]]
    after: tuple[str, ...] = ()  # earlier sets, whose questions and responses it leaves out


FIRST = {"unknownbench-sample": (60, 60), "unknownbench-others": (90, 110), "pkqa": (16, 0)}
FIRST |= {"own-SmolLM2": (50, 40), "own-gemma": (40, 25), "multi-hop": (60, 30), "squad-passages": (24, 20)}
FIRST |= {"triviaqa": (10, 0), "truthfulqa": (16, 0), "umwp-reasoning": (8, 10), "authored": (0, 63)}
SECOND = {"unknownbench-sample": (45, 45), "unknownbench-others": (80, 100), "pkqa": (14, 0)}
SECOND |= {
    "own-SmolLM2": (24, 16),
    "own-gemma": (18, 14),
    "multi-hop": (55, 40),
    "squad-passages": (22, 24),
}
SECOND |= {
    "triviaqa": (12, 0),
    "truthfulqa": (16, 0),
    "umwp-reasoning": (8, 12),
    "false-premises": (40, 65),
}
SECOND |= {"authored": (0, 70)}
THIRD = {"unknownbench-sample": (25, 25), "unknownbench-others": (50, 60), "pkqa": (10, 0)}
THIRD |= {"own-SmolLM2": (9, 3), "own-gemma": (10, 0), "multi-hop": (40, 30), "squad-passages": (16, 20)}
THIRD |= {"triviaqa": (10, 0), "umwp-reasoning": (8, 10), "false-premises": (16, 24)}
THIRD |= {"impossible-premises": (20, 30), "false-anchors": (20, 24), "grounded": (18, 20)}
THIRD |= {"truthfulqa-chat": (32, 20), "truthfulqa-open": (28, 16), "authored": (0, 70)}
SETS = {
    "blind": BlindSet("b", 20261128, FIRST),
    "blind2": BlindSet("c", 20261129, SECOND, after=("blind",)),
    "blind3": BlindSet("d", 20261130, THIRD, after=("blind", "blind2")),
}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def spread(rows: list[Row], wanted: int, rng: random.Random) -> list[Row]:
    """As many rows of each model as can be, drawn uniformly within a model."""
    by_model: dict[str, list[Row]] = {}
    for row in rng.sample(rows, len(rows)):
        by_model.setdefault(row.model, []).append(row)
    taken: list[Row] = []
    while len(taken) < wanted and by_model:
        for model in sorted(by_model):
            if len(taken) < wanted:
                taken.append(by_model[model].pop())
        by_model = {model: left for model, left in by_model.items() if left}
    return taken


def read_key(name: str) -> list[dict[str, str]]:
    return [entry for _, entry in json_lines((TESTS / name / "key.jsonl").read_text(encoding="utf-8"))]


def rows_of(folders: Folders, key: list[dict[str, str]]) -> Iterator[tuple[dict[str, str], Row]]:
    """The rows of a key, in its order. SystemExit where a text is absent or is another one."""
    readers = {READERS[entry["source"]] for entry in key}
    places = {(row.source, row.place): row for reader in readers for row in reader(folders)}
    for entry in key:
        row = places.get((entry["source"], entry["place"]))
        if row is None or digest(row.response) != entry["sha256"]:
            where = f"{entry['id']}: {entry['source']} {entry['place']}"
            raise SystemExit(f"{where} is absent or has another text: take the commits in COMMITS")
        yield entry, row


def plain_text(text: str) -> str:
    """The text without its case and the spaces around it: how a later set compares texts."""
    return text.strip().casefold()


def seen_before(folders: Folders, after: tuple[str, ...]) -> Callable[[Row], bool]:
    """Whether a row may not be drawn: in the first set a pair of question and response of the labelled
    sample; in a later set any question and any response of the sample or of an earlier set.
    """
    used = used_ids()
    old = [row for name, row in sample_rows(folders.data) if name in used]
    if not after:
        pairs = {(row.question, row.response) for row in old}
        return lambda row: (row.question, row.response) in pairs
    for name in after:
        there = Folders(folders.data, folders.clones, TESTS / name)
        old += [row for _, row in rows_of(there, read_key(name))]
    questions = {plain_text(row.question) for row in old}
    responses = {plain_text(row.response) for row in old}
    return lambda row: plain_text(row.question) in questions or plain_text(row.response) in responses


def drawn(folders: Folders, how: BlindSet, seed: int) -> Iterator[tuple[Row, str]]:
    """The chosen rows: none of an earlier test set, no response of a model to a question twice."""
    old = seen_before(folders, how.after)
    for source, (plain, enriched) in how.counts.items():
        rng = random.Random(f"{seed} {source}")
        found = (row for row in READERS[source](folders) if row.source == source and not old(row))
        rows = list({(row.model, row.question, row.response): row for row in found}.values())
        first = rng.sample(rows, plain)
        yield from ((row, "plain") for row in first)
        pool = [row for row in rows if row.likely and row not in first]
        yield from ((row, "enriched") for row in spread(pool, enriched, rng))


def draw(folders: Folders, how: BlindSet, seed: int) -> None:
    chosen = list(drawn(folders, how, seed))
    random.Random(seed).shuffle(chosen)
    with (folders.own / "key.jsonl").open("w", encoding="utf-8") as handle:
        for number, (row, kind) in enumerate(chosen, 1):
            entry = {
                "id": f"{how.letter}{number:04d}",
                "source": row.source,
                "model": row.model,
                "draw": kind,
            }
            entry |= {"place": row.place, "sha256": digest(row.response)}
            handle.write(json.dumps(entry, ensure_ascii=False) + "\n")
    print(f"{len(chosen)} rows in {folders.own / 'key.jsonl'}")


def texts(folders: Folders, key: list[dict[str, str]], out: Path) -> None:
    with out.open("w", encoding="utf-8") as handle:
        for entry, row in rows_of(folders, key):
            record: dict[str, Any] = {"id": entry["id"], "question": row.question, "response": row.response}
            record |= {"answers": list(row.answers), "answerable": row.answerable}
            handle.write(json.dumps(record, ensure_ascii=False) + "\n")
    print(f"{out}: every text has the hash of the key")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("draw", "texts"))
    parser.add_argument("--set", choices=SETS, default="blind", help="Which set, a folder of tests/data")
    parser.add_argument("--seed", type=int, help="Seed of the draw; left out: the seed of the set")
    parser.add_argument(
        "--data", type=Path, required=True, help="Folder with samples of the published data sets"
    )
    parser.add_argument("--clones", type=Path, required=True, help="Folder with clones, named OWNER+NAME")
    parser.add_argument("--out", type=Path, default=Path("rows.jsonl"), help="File for the texts")
    options = parser.parse_args()
    how = SETS[options.set]
    folders = Folders(options.data, options.clones, TESTS / options.set)
    if options.step == "draw":
        draw(folders, how, how.seed if options.seed is None else options.seed)
        return
    texts(folders, read_key(options.set), options.out)


if __name__ == "__main__":
    main()
