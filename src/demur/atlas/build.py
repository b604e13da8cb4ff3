"""The folder of an atlas: question files, worked examples, a README and a summary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.atlas import checks, packages
from demur.atlas.gazetteer import Gazetteer, read_gazetteer
from demur.atlas.parts import divide, draw
from demur.atlas.readme import readme
from demur.atlas.relations import read_entities
from demur.atlas.rows import EXAMPLES, Row, of_part, question_rows, twin_rows
from demur.core.errors import ConfigError, DataError
from demur.core.files import atomic_folder, write_json, write_json_lines, write_text
from demur.core.sealed import RECORD, SUFFIX, seal

SUMMARY = "summary.json"
FILES = {
    "train.jsonl": ("train", None),
    "calibration.jsonl": ("calibration", None),
    "test.jsonl": ("test", "id"),
    "ood.jsonl": ("test", "ood"),
    "nonexistent.jsonl": ("nonexistent", None),
}
"""Question files with the part and the domain of their rows."""
CONFIRM = f"confirm{SUFFIX}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What was built."""

    folder: Path
    summary: Mapping[str, Any]
    """What stands in ``summary.json``."""

    def table(self) -> str:
        """Questions by relation and part, at most 80 columns wide."""
        return table(self.summary["counts"])


def build_atlas(out: Path, *, seed: int = 0, per_relation: int | None = None) -> Built:
    """Write the questions of an atlas into a folder; the same seed and packages give the same bytes.

    An atlas that stands there is replaced; the record of openings of its sealed part is kept.

    Args:
        per_relation: maximum number of questions per relation and part. None: as many as the relation
            with the fewest entities has there, so that all relations are of equal size.

    Raises:
        DataError: a package is not installed, or the folder holds something else.
        ConfigError: ``per_relation`` is below 1.
    """
    if per_relation is not None and per_relation < 1:
        raise ConfigError(
            expected="at least 1 question per relation",
            found=str(per_relation),
            where="--per-relation",
            fix="leave it out for relations of equal size",
        )
    check_target(out)
    versions = packages.versions()
    gazetteer = read_gazetteer()
    rows = make_rows(gazetteer, seed=seed, per_relation=per_relation)
    summary: dict[str, Any] = {
        "schema_version": 1,
        "seed": seed,
        "per_relation": per_relation,
        "packages": versions,
        "counts": checks.counts(rows),
        "strata": checks.strata(rows),
        "checks": checks.check_rows(rows, gazetteer),
    }
    assert not any(summary["checks"].values()), summary["checks"]
    _write(out, rows, summary)
    return Built(folder=out, summary=summary)


def make_rows(gazetteer: Gazetteer, *, seed: int, per_relation: int | None = None) -> list[Row]:
    """Every row of an atlas, twins included.

    Raises:
        DataError: a package is not installed.
    """
    entities = list(read_entities(gazetteer))
    drawn = draw(divide(entities, seed), seed, per_relation=per_relation)
    rows = question_rows(drawn)
    return rows + twin_rows(rows, gazetteer, entities, seed)


def check_target(out: Path) -> None:
    """Refuse to replace a folder that is no atlas.

    Raises:
        DataError: it is none.
    """
    if out.exists() and not (out / SUMMARY).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(
            expected="a new folder, or an atlas to replace",
            found="a file" if out.is_file() else f"a folder without {SUMMARY}",
            where=str(out),
            fix="choose another --out",
        )


def _write(out: Path, rows: list[Row], summary: Mapping[str, Any]) -> None:
    record = out / RECORD
    before = record.read_text(encoding="utf-8") if record.exists() else None
    with atomic_folder(out) as folder:
        for name, (part, domain) in FILES.items():
            write_json_lines(folder / name, of_part(rows, part, domain))
        sealed = [row for row in rows if row["split"].startswith("confirm")]
        seal(folder / CONFIRM, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in sealed))
        examples = [{"question": question, "answers": [answer]} for question, answer in EXAMPLES]
        write_json_lines(folder / "examples.jsonl", examples)
        write_json(folder / SUMMARY, dict(summary))
        write_text(folder / "README.md", readme(summary, table(summary["counts"])))
        if before is not None:
            write_text(folder / RECORD, before)


def table(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Questions by relation and part as lines of text, at most 80 columns wide."""
    heads = ("train", "calib.", "test", "twins", "confirm", "twins")
    lines = [f"{'relation':<20}" + "".join(f"{head:>9}" for head in heads)]
    lines += [
        _line(name, [of_relation.get(part, 0) for part in checks.PARTS])
        for name, of_relation in counts.items()
    ]
    totals = [sum(of_relation.get(part, 0) for of_relation in counts.values()) for part in checks.PARTS]
    return "\n".join([*lines, _line("all", totals)])


def _line(name: str, numbers: Iterable[int]) -> str:
    return f"{name:<20}" + "".join(f"{number or '–':>9}" for number in numbers)
