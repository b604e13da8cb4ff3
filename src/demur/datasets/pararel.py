"""ParaRel as R-Tuning uses it: facts about 31 relations, asked as questions, one answer each.

R-Tuning (arXiv 2311.09677, section 3.1 and appendix) takes the first 15 relations as in-domain, halved
into training and test, and the other 16 as out-of-domain test. The facts and relations come from ParaRel
(arXiv 2102.01017), whose own facts come from Wikidata through T-REx.

The released files are JSON lists of ``[question, answer, "Pxxx(relation)"]``. They are read as they
are: a question that has several answers stands in several rows, each a Question of its own. The
published division leaks: 172 distinct test questions of the full files stand in the training file too,
mostly with another answer. The leaks are found and, unless told otherwise, dropped like those of
any dataset (`demur.datasets.leaks`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.errors import DataError
from demur.core.records import Domain, Question
from demur.datasets.base import Dataset, Ids, RawData
from demur.datasets.files import Records, list_folder, open_records
from demur.datasets.pararel_facts import fact_files, load_facts
from demur.datasets.problems import Problems, describe, names, text_fault

VARIABLE = "PARAREL_DIR"
"""The environment variable that names the folder where ``--data.path`` does not."""

FILES: tuple[tuple[str, str, Domain], ...] = (
    ("training_data.json", "train", "id"),
    ("ID_test_pararel.json", "test", "id"),
    ("OOD_test_pararel.json", "test", "ood"),
)

_FIELDS = ("question", "answer", "relation")
_FIX = 'every record must be ["question", "answer", "Pxxx(relation)"]: copy the released file again'


def load_pararel(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Read R-Tuning's three files, or one of them, or ParaRel's own facts.

    Args:
        path: a file, or the folder that holds them; None for the folder that ``PARAREL_DIR`` names.

    Raises:
        DataError: a file is missing, or a record is no triple of texts; every problem is listed.
    """
    facts = fact_files(path) if path is not None and path.exists() else []
    if facts:
        return load_facts(facts, settings)
    folder, files = _files(path)
    problems = Problems(folder, expected='["question", "answer", "Pxxx(relation)"] in every record')
    ids = Ids()
    questions: list[Question] = []
    for name, split, domain in files:
        records = open_records(folder / name, problems, label=name, encoding=settings.encoding)
        triples = list(_triples(records, name, problems))
        if not triples:
            problems.add(name, "no record", fix=_FIX)
        questions += [_question(triple, split, domain, ids) for triple in triples]
    problems.raise_any()
    return RawData(questions=questions, files=tuple(folder / name for name, _, _ in files))


def _files(path: Path | None) -> tuple[Path, tuple[tuple[str, str, Domain], ...]]:
    """The folder and what is read in it: all three files, or the one that was named."""
    if path is None or not path.is_file():
        return _folder(path), FILES
    alone = tuple(file for file in FILES if file[0] == path.name)
    return path.parent, alone or ((path.name, "test", "id"),)


def _folder(path: Path | None) -> Path:
    named = path or Path(os.environ.get(VARIABLE, "")).expanduser()
    wanted = ", ".join(name for name, _, _ in FILES)
    if path is None and not os.environ.get(VARIABLE):
        raise DataError(
            expected=f"the folder with R-Tuning's ParaRel files ({wanted})",
            found=f"no path, and no environment variable {VARIABLE}",
            where="--data.path",
            fix=f"name the folder with --data.path or {VARIABLE}; R-Tuning's page links the files",
        )
    entries = list_folder(named)
    here = sorted(entry.name for entry in entries or ())
    if entries is None or not {name for name, _, _ in FILES} <= set(here):
        found = "no such folder"
        raise DataError(
            expected=f"a folder with {wanted}",
            found=found if entries is None else f"only {names(here)}" if here else "an empty folder",
            where=str(named),
            fix="name the folder that holds all three of R-Tuning's ParaRel files",
        )
    return named


def _triples(records: Records, name: str, problems: Problems) -> Iterator[tuple[str, str, str]]:
    for number, value in records.rows:
        fault = _fault(value)
        if fault:
            problems.add(f"{name} {records.unit} {number}", fault, fix=_FIX)
        else:
            yield value[0].strip(), value[1].strip(), value[2].strip()


def _fault(value: Any) -> str | None:
    """Why a record is no triple of texts; None where it is one."""
    if not isinstance(value, list) or len(value) != len(_FIELDS):
        return f"{describe(value)}, not a list of 3"
    faults = ((field, text_fault(item)) for field, item in zip(_FIELDS, value, strict=True))
    return next((f"the {field} is {fault}" for field, fault in faults if fault), None)


def _question(triple: tuple[str, str, str], split: str, domain: Domain, ids: Ids) -> Question:
    text, answer, relation = triple
    return Question(
        id=ids.derive(text),
        text=text,
        answers=(answer,),
        dataset="pararel",
        split=split,
        domain=domain,
        group=relation,
    )


PARAREL = Dataset(
    name="pararel",
    description="facts about 31 relations, 15 in domain and 16 out of domain (R-Tuning's division)",
    load=load_pararel,
    path=f"the folder with {', '.join(name for name, _, _ in FILES)} (or the variable {VARIABLE}), one of "
    "them, or ParaRel's folder of fact files (P19.jsonl, …)",
    splits=("train", "test/id", "test/ood"),
    licence="ParaRel: MIT; R-Tuning's processed files: not stated",
    citation="Zhang et al., R-Tuning, arXiv 2311.09677; Elazar et al., ParaRel, arXiv 2102.01017",
    source="https://github.com/shizhediao/R-Tuning (its page links the data folder)",
)
