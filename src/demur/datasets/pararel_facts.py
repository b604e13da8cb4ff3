"""ParaRel's own fact files, asked as questions: for who starts from ParaRel instead of R-Tuning's files.

Format: a JSON-lines file for each of 41 Wikidata relations (``P103.jsonl``), a fact a line: ``sub_label``,
``obj_label``. The patterns beside them are statements with gaps; nothing is asked with them. R-Tuning uses
31 of the relations (arXiv 2311.09677, appendix): 15 in domain, of whose facts the first half trains here
and the second half tests, and 16 out of domain. How it worded its questions was not described; the
wordings here are our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.records import Domain, Question
from demur.datasets.base import Ids, RawData
from demur.datasets.files import open_records
from demur.datasets.problems import Problems, describe
from demur.datasets.published import FieldError, text_of

EXPECTED = "a ParaRel fact (sub_label, obj_label) in every record"
_FIX = "copy the released file again"

IN_DOMAIN: Mapping[str, tuple[str, str]] = {
    "P101": ("field of work", "In which field does {} work?"),
    "P103": ("native language", "What is the mother tongue of {}?"),
    "P106": ("occupation", "What is the profession of {}?"),
    "P108": ("employer", "Who employs {}?"),
    "P136": ("genre", "Which genre does {} belong to?"),
    "P1376": ("capital of", "Of which country or region is {} the capital?"),
    "P138": ("named after", "After whom or what is {} named?"),
    "P140": ("religion", "What is the religion of {}?"),
    "P159": ("headquarters location", "Where are the headquarters of {}?"),
    "P176": ("manufacturer", "Who makes {}?"),
    "P178": ("developer", "Who is the developer of {}?"),
    "P19": ("place of birth", "In which place was {} born?"),
    "P190": ("twinned administrative body", "Which city is twinned with {}?"),
    "P20": ("place of death", "In which place did {} die?"),
    "P264": ("record label", "Which record label is {} with?"),
}
"""R-Tuning's in-domain relations: name and question."""

OUT_OF_DOMAIN: Mapping[str, tuple[str, str]] = {
    "P27": ("country of citizenship", "Of which country is {} a citizen?"),
    "P279": ("subclass of", "Of what is {} a kind?"),
    "P30": ("continent", "On which continent is {}?"),
    "P36": ("capital", "What is the capital of {}?"),
    "P364": ("original language of film or TV show", "In which language was {} made?"),
    "P37": ("official language", "Which language is official in {}?"),
    "P39": ("position held", "Which position does {} hold?"),
    "P407": ("language of work or name", "In which language is {}?"),
    "P413": ("position played on team / speciality", "In which position does {} play?"),
    "P449": ("original network", "On which network was {} first shown?"),
    "P463": ("member of", "Of which organization is {} a member?"),
    "P47": ("shares border with", "What does {} share a border with?"),
    "P495": ("country of origin", "From which country does {} come?"),
    "P530": ("diplomatic relation", "With which country does {} have diplomatic relations?"),
    "P740": ("location of formation", "In which place was {} formed?"),
    "P937": ("work location", "In which place did {} work?"),
}
"""R-Tuning's out-of-domain relations."""


def fact_files(path: Path) -> list[Path]:
    """The fact files that a path means: one, a folder's, or those of ``trex_lms_vocab`` below it."""
    if path.is_file():
        return [path] if _is_fact_file(path) else []
    for folder in (path, path / "trex_lms_vocab", path / "data" / "trex_lms_vocab"):
        found = [entry for entry in folder.glob("P*.jsonl") if _is_fact_file(entry)]
        if found:
            return sorted(found)
    return []


def _is_fact_file(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as lines:
        return path.stem[:1] == "P" and path.stem[1:].isdigit() and '"sub_label"' in lines.readline()


def load_facts(files: list[Path], settings: DataSettings) -> RawData:
    """Read fact files.

    Raises:
        DataError: a record is no fact; every problem is listed.
    """
    problems = Problems(files[0].parent if len(files) > 1 else files[0], expected=EXPECTED)
    ids, questions, left_out = Ids(), list[Question](), 0
    for file in files:
        records = open_records(file, problems, label=file.name, encoding=settings.encoding)
        facts = []
        for number, value in records.rows:
            try:
                facts.append(_fact(value))
            except FieldError as error:
                problems.add(f"{file.name} {records.unit} {number}", str(error), fix=_FIX)
        if file.stem in IN_DOMAIN or file.stem in OUT_OF_DOMAIN:
            questions += _questions(file.stem, facts, ids)
        else:
            left_out += len(facts)
    problems.raise_any()
    notes = [f"{len(questions) + left_out:,} facts read, {len(questions):,} questions made"]
    if left_out:
        notes.append(f"{left_out:,} facts belong to relations that R-Tuning leaves out; they are not asked")
    return RawData(questions=questions, files=tuple(files), notes=tuple(notes))


def _fact(record: object) -> tuple[str, str]:
    if not isinstance(record, Mapping):
        raise FieldError(f"{describe(record)}, not an object")
    fact: Mapping[str, Any] = record
    return text_of(fact, "sub_label"), text_of(fact, "obj_label")


def _questions(relation: str, facts: list[tuple[str, str]], ids: Ids) -> list[Question]:
    domain: Domain = "id" if relation in IN_DOMAIN else "ood"
    name, wording = IN_DOMAIN.get(relation) or OUT_OF_DOMAIN[relation]
    training = len(facts) // 2 if domain == "id" else 0
    return [
        Question(
            id=ids.derive(wording.format(subject)),
            text=wording.format(subject),
            answers=(answer,),
            dataset="pararel",
            split="train" if number < training else "test",
            domain=domain,
            group=f"{relation}({name})",
        )
        for number, (subject, answer) in enumerate(facts)
    ]
