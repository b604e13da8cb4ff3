"""Atlas: real facts with the popularity of their subject, as `demur atlas build` writes them.

Format: a folder of JSON lines, a file for each part; every row has ``relation``, ``entity``, ``group`` (the
entity's id), ``popularity`` and ``stratum``. The sealed part ``confirm`` is read with ``data.open_sealed``
only, and its opening is recorded.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.errors import DataError
from demur.core.records import TOGETHER, Question
from demur.core.sealed import OPENED, SUFFIX, openings, unseal
from demur.datasets.base import Dataset, Ids, RawData
from demur.datasets.problems import describe
from demur.datasets.published import FieldError, Part, converting, placed, read_published, text_of, texts_of

EXPECTED = "the folder that `demur atlas build` wrote, or one of its files"
CONFIRM = f"confirm{SUFFIX}"
PARTS = (
    Part("train", "train"),
    Part("calibration", "calibration"),
    Part("test", "test"),
    Part("ood", "test", "ood"),
    Part("nonexistent", "nonexistent"),
    Part("summary", None),
    Part("examples", None),
    Part("", "test"),
)
_KEPT = ("relation", "entity", "population", "popularity", "stratum", "pair")


@converting
def convert(record: Mapping[str, Any]) -> Question:
    """One question: grouped by relation, kept together by entity.

    ``meta["familiarity"]``, by which the control ``familiarity-only`` ranks, is the popularity. Where none
    is known it is 0 for all, so that the control chooses among them by chance.
    """
    answerable = record.get("answerable")
    if not isinstance(answerable, bool):
        raise FieldError(f"answerable is {describe(answerable)}, neither true nor false")
    popularity = record.get("popularity")
    if popularity is not None and not isinstance(popularity, int | float):
        raise FieldError(f"popularity is {describe(popularity)}, no number")
    domain = text_of(record, "domain")
    if domain not in ("id", "ood"):
        raise FieldError(f"domain is {describe(domain)}, neither id nor ood")
    return Question(
        id="",
        text=text_of(record, "question"),
        answers=texts_of(record, "answers") if answerable else (),
        answerable=answerable,
        split=text_of(record, "split"),
        domain="ood" if domain == "ood" else "id",
        group=text_of(record, "relation"),
        meta={
            **{name: record[name] for name in _KEPT if name in record},
            TOGETHER: text_of(record, "group"),
            "familiarity": float(popularity or 0.0),
        },
    )


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read the folder, with the sealed part where the settings open it.

    Raises:
        DataError: a file is not an atlas's, or the sealed part is named without being opened.
    """
    sealed = None if path is None else path / CONFIRM if path.is_dir() else path
    alone = sealed is not None and sealed == path and sealed.suffix == SUFFIX
    if alone and not settings.open_sealed:
        raise _refusal(str(sealed))
    raw = RawData(questions=[]) if alone else _open_parts(path, settings)
    if sealed is None or sealed.suffix != SUFFIX or not sealed.is_file():
        return raw
    if not settings.open_sealed:
        note = f"the sealed part confirm ({CONFIRM}) is not read; --open-sealed opens it for a final test"
        return dataclasses.replace(raw, notes=(*raw.notes, _history(sealed.parent, note)))
    questions = _sealed_questions(sealed)
    note = f"{OPENED}: {CONFIRM}, first {openings(sealed.parent)[0]}"
    return dataclasses.replace(
        raw,
        questions=[*raw.questions, *questions],
        files=(*raw.files, sealed),
        notes=(*raw.notes, note),
    )


def _open_parts(path: Path | None, settings: DataSettings) -> RawData:
    domains: list[str] = []

    def converted(record: Mapping[str, Any]) -> Question | str:
        found = convert(record)
        if isinstance(found, Question):
            domains.append(found.domain)
        return found

    raw = read_published(path, PARTS, converted, settings, dataset="atlas", expected=EXPECTED)
    # The file of the twins holds both domains, which the rows say themselves.
    pairs = zip(raw.questions, domains, strict=True)
    return dataclasses.replace(
        raw,
        questions=[
            dataclasses.replace(question, domain="ood" if domain == "ood" else "id")
            for question, domain in pairs
        ],
    )


def _sealed_questions(path: Path) -> Sequence[Question]:
    ids, questions = Ids(), list[Question]()
    for number, line in enumerate(unseal(path).splitlines(), start=1):
        try:
            found = convert(json.loads(line))
        except ValueError as error:
            found = str(error)
        if isinstance(found, str):
            raise DataError(
                expected="a sealed part as `demur atlas build` writes it",
                found=f"line {number}: {found}",
                where=str(path),
                fix="build the folder again",
            )
        questions.append(placed(found, ids, "atlas", "confirm", found.domain))
    return questions


def _history(folder: Path, otherwise: str) -> str:
    """That the sealed part was opened before, or else another note."""
    before = openings(folder)
    return (
        f"the sealed part confirm is not read; it was opened before: first {before[0]}"
        if before
        else otherwise
    )


def _refusal(where: str) -> DataError:
    return DataError(
        expected="a part that development may read",
        found="the sealed part confirm",
        where=where,
        fix="use the other parts; for the one final test add --open-sealed, which is recorded",
    )


ATLAS = Dataset(
    name="atlas",
    description="real facts about cities, countries and elements, with their popularity; built by Demur",
    load=load,
    path="the folder that `demur atlas build --out DIR` wrote",
    splits=("train", "calibration", "test/id", "test/ood", "nonexistent", "confirm", "confirm-nonexistent"),
    licence="GeoNames: CC BY 4.0; see the folder's README.md for the rest",
    citation="",
    source="built from packages of the Python index; places: https://www.geonames.org",
)
