"""From settings to the questions of a run: load, divide, find leaks, limit, report.

Every command that reads questions does it here: the same file is the same questions for all of them.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings
from demur.core.errors import ConfigError, DataError
from demur.core.files import file_digest
from demur.core.questions import Keys, QuestionTable
from demur.core.records import Question
from demur.datasets import given, hub, mixture
from demur.datasets.base import MOST_GROUPS, Dataset, RawData, kept_together, part_of
from demur.datasets.leaks import find_duplicates, find_leaks, merge_answers, question_keys, same_questions
from demur.datasets.negatives import by_rule
from demur.datasets.recognition import Recognised, recognise
from demur.datasets.report import DataReport
from demur.datasets.rows import DATASET
from demur.datasets.splits import divide, draw_keys, labelled, sample
from demur.datasets.targets import DATASETS

_ORDER = ("train", "calibration", "test/id", "test/ood")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedData:
    """The questions of a run, and what became of the rows they were made of."""

    questions: QuestionTable
    """In the order of the files; every id is unique."""
    report: DataReport


def load_questions(
    source: DataSettings | str | Path | Iterable[Question | Mapping[str, Any]],
    *,
    seed: int = 0,
    require: Sequence[str] = (),
) -> LoadedData:
    """Load a dataset as a run uses it.

    Args:
        source: settings; or a dataset's name, a path, or the questions themselves (see
            `demur.datasets.given`), with everything else by default.
        seed: the run's seed, where the settings have none of their own.
        require: splits that must not be empty, such as ``("train", "test")``.

    Raises:
        DataError: the data cannot be used; every problem found is listed, and nothing was changed.
        ConfigError: settings contradict each other.
        UnknownNameError: there is no such dataset.
    """
    if isinstance(source, str | Path):
        source = DataSettings(name=str(source))
    settings = source if isinstance(source, DataSettings) else DataSettings(path=given.save(source))
    if settings.mixture:
        return _load_mixture(settings, seed=seed, require=require)
    loaded = read_source(settings, seed=seed)
    return prepare(loaded, settings, seed=seed, require=require)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Questions as a file or a dataset gives them, before anything is divided or dropped."""

    dataset: Dataset
    path: Path | None
    raw: RawData
    published: str | None = None
    """The published dataset whose layout a file of one's own has; None where it has none."""


def read_source(settings: DataSettings, *, seed: int = 0) -> Source:
    """Read what the settings name.

    A file without a dataset's name is the user's own where it can be read so; else it is read as the
    published dataset whose layout it has.

    Raises:
        DataError: it cannot be read as either; every problem of the own file is listed.
        ConfigError: settings contradict each other.
        UnknownNameError: there is no such dataset.
    """
    dataset, path = resolve(settings)
    guessed = path is not None and dataset.name == DATASET and settings.name != DATASET
    found = recognise(path) if path is not None and _exists(path) else None
    if found is not None and found.dataset is None and not guessed:
        raise _no_questions(found, path)
    try:
        raw = dataset.load(path, settings, seed=seed)
    except DataError:
        if found is None or not guessed or _own_fields(settings):
            raise
        if found.dataset is None:
            raise _no_questions(found, path) from None
        dataset = DATASETS.get(found.dataset)
        raw = dataset.load(path, settings, seed=seed)
        note = f"read as the published dataset {found.dataset}, whose layout it has"
        return Source(
            dataset=dataset,
            path=path,
            raw=dataclasses.replace(raw, notes=(note, *raw.notes)),
            published=dataset.name,
        )
    if not guessed or found is None:
        return Source(dataset=dataset, path=path, raw=raw)
    return _own(Source(dataset=dataset, path=path, raw=raw, published=found.dataset), found)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, a zero byte: whoever reads it says so
        return False


def _own(source: Source, found: Recognised) -> Source:
    """A file of the user's own, with a note where it also looks like something else."""
    if found.own:
        return source
    note = f"this also looks like {found.kind}; {found.fix}"
    if found.dataset is not None:
        note = (
            f"read as questions of your own; the layout is that of {found.dataset}: "
            f"--name {found.dataset} reads it as published"
        )
    return dataclasses.replace(source, raw=dataclasses.replace(source.raw, notes=(*source.raw.notes, note)))


def _no_questions(found: Recognised, path: Path | None) -> DataError:
    return DataError(expected="a file of questions", found=found.kind, where=str(path), fix=found.fix)


def prepare(
    source: Source, settings: DataSettings, *, seed: int, require: Sequence[str] = ()
) -> LoadedData:
    """Divide, find leaks, limit and report what was read.

    Raises:
        DataError: nothing would be left of a part, or a part that is required is missing.
    """
    dataset, path, raw = source.dataset, source.path, source.raw
    seed = seed if settings.seed is None else settings.seed
    where = str(path or dataset.name)
    if not raw.questions:
        raise _empty(where)
    read = QuestionTable.of(raw.questions)
    keys = question_keys(read, seed=seed)
    notes = [*raw.notes, *_drawn(read, settings)]
    divided = _divided(read, keys, settings, seed, where, notes)
    if settings.merge_answers:
        divided, keys = merge_answers(divided, keys, notes)
    kept, leaks = find_leaks(divided, keys, drop=settings.leaks == "drop")
    clean, keys = divided.where(kept), keys[kept]
    _check_leftovers(divided, clean, where)
    questions = clean if settings.limit is None else sample(clean, settings.limit, seed=seed)
    if settings.labels is not None:
        questions = labelled(questions, settings.labels, seed=seed)
    if settings.negatives == "rule":
        questions = _with_twins(questions, clean, seed, where, notes)
    _check_required(questions, require, where)
    report = DataReport(
        dataset=dataset.name,
        seed=seed,
        files={path.name: file_digest(path) for path in raw.files},
        fields=dict(raw.fields),
        rows=len(read),
        counts=_counts(questions),
        unanswerable=questions.unanswerable,
        leaks=leaks,
        duplicates=find_duplicates(clean, keys),
        before_limit=_counts(clean) if (settings.limit, settings.labels) != (None, None) else None,
        notes=tuple(notes),
    )
    return LoadedData(questions=questions, report=report)


def _divided(
    questions: QuestionTable, keys: Keys, settings: DataSettings, seed: int, where: str, notes: list[str]
) -> QuestionTable:
    """The questions in their parts; groups that are too many to report by stay in ``meta`` alone."""
    if settings.divide_by == "question":
        return divide(questions, keys, settings)
    groups = _groups(questions)
    if not groups:
        raise DataError(
            expected="groups to divide by",
            found="questions without a group",
            where=where,
            fix="name the field that holds them with --group-field",
        )
    divided = divide(questions, draw_keys(_together(questions), len(questions), seed), settings)
    if groups <= MOST_GROUPS:
        return kept_together(divided)
    notes.append(f"{groups:,} groups are too many to report by; they only keep questions together")
    return kept_together(divided).replace("group", [None] * len(divided))


def _groups(questions: QuestionTable) -> int:
    """How many different groups there are."""
    return len({name for (name,) in questions.values("group")} - {None})


def _together(questions: QuestionTable) -> Iterator[str]:
    """A text for each question, equal where they stay in one part: the group, else what it asks."""
    for (group,), same in zip(questions.values("group"), same_questions(questions), strict=True):
        yield same if group is None else f"group {group}"


def _with_twins(
    questions: QuestionTable, pool: QuestionTable, seed: int, where: str, notes: list[str]
) -> QuestionTable:
    """The questions with unanswerable twins, and a note on how many there are."""
    dropped = Counter[str]()
    paired = QuestionTable.of(by_rule(questions, seed=seed, pool=pool, dropped=dropped))
    made = len(paired) - len(questions)
    if not made:
        raise DataError(
            expected="questions with a passage and an answer, some of which another passage does not hold",
            found=f"none among {len(questions):,} questions",
            where=where,
            fix="leave data.negatives out, or bring data with passages",
        )
    notes.append(f"{made:,} unanswerable twins made by rule, which no limit counts")
    notes += [f"{count:,} questions have no twin: {reason}" for reason, count in dropped.items()]
    return paired


def _load_mixture(settings: DataSettings, *, seed: int, require: Sequence[str]) -> LoadedData:
    loaded = []
    for part, use in mixture.parts(settings):
        found = load_questions(part, seed=seed)
        loaded.append((found.questions, found.report, use))
    questions, report = mixture.merge(loaded, drop=settings.leaks == "drop")
    _check_required(questions, require, "the mixture")
    return LoadedData(questions=questions, report=report)


def resolve(settings: DataSettings) -> tuple[Dataset, Path | None]:
    """The dataset and the path that the settings mean.

    A name that no dataset has is taken for a path where it exists or looks like one.

    Raises:
        UnknownNameError: it is neither.
        ConfigError: field names are given for a dataset whose fields are known.
    """
    name, path = settings.name, settings.path
    if name is None:
        name = "pocket" if path is None else "file"
    elif name not in DATASETS and path is None and _is_path(name):
        name, path = "file", Path(name)
    dataset = DATASETS.get(DATASETS.check(name, where="--data.name"))
    _refuse_fields(dataset, settings)
    return dataset, hub.local(path) if path else None


def _is_path(name: str) -> bool:
    path = Path(name)
    return bool(path.suffix) or len(path.parts) > 1 or name.startswith("~") or path.exists()


def _own_fields(settings: DataSettings) -> list[str]:
    """Settings that only a file of the user's own can follow."""
    of_files = ("layout", "answers_separator")
    return [
        name
        for name, value in settings
        if (name.endswith("_field") or name in of_files) and value is not None
    ]


def _refuse_fields(dataset: Dataset, settings: DataSettings) -> None:
    given = _own_fields(settings)
    if given and not dataset.fields:
        raise ConfigError(
            expected=f"no names of fields for the dataset {dataset.name!r}, whose fields are known",
            found=", ".join(given),
            where="the data section",
            fix="leave them out, or read it as a file of your own with --name file",
        )


def _empty(where: str) -> DataError:
    return DataError(
        expected="at least one question",
        found="no record at all",
        where=where,
        fix="check that this is the right file and that it was written to its end",
    )


def _check_leftovers(before: QuestionTable, after: QuestionTable, where: str) -> None:
    """Stop where a part consisted of leaks only: most likely one file was given twice."""
    lost = before.counts().keys() - after.counts().keys()
    if lost:
        raise DataError(
            expected="test questions that training and calibration do not hold",
            found=f"every question of {', '.join(sorted(lost))} also stands in training or calibration",
            where=where,
            fix="check that different files were given; --data.leaks keep measures on them all the same",
        )


def _check_required(questions: QuestionTable, require: Sequence[str], where: str) -> None:
    codes, splits = questions.codes("split")
    missing = [split for split in require if split not in splits]
    if missing:
        found = ", ".join(f"{(codes == code).sum():,} of {split}" for code, split in enumerate(splits))
        raise DataError(
            expected=f"questions of the split {' and '.join(missing)}",
            found=f"only {found}",
            where=where,
            fix="add rows of that part, or let it be drawn (--data.test, --data.calibration)",
        )


def counts_of(questions: QuestionTable, before: Mapping[str, int]) -> dict[str, int]:
    """How many questions each part of a report still has; those of a mixture's datasets by dataset."""
    if any(" " in part for part in before):
        return dict(Counter(f"{question.dataset} {part_of(question)}" for question in questions))
    return _counts(questions)


def _counts(questions: QuestionTable) -> dict[str, int]:
    counts = questions.counts()
    parts = [part for part in _ORDER if part in counts]
    return {part: counts[part] for part in (*parts, *sorted(counts.keys() - set(parts)))}


def _drawn(questions: QuestionTable, settings: DataSettings) -> list[str]:
    """Which parts were drawn from the training rows, since the data itself has none."""
    _, splits = questions.codes("split")
    wanted = {"test": settings.test, "calibration": settings.calibration}
    drawn = [split for split, portion in wanted.items() if split not in splits and portion > 0]
    if "train" not in splits or not drawn:
        return []
    return [f"the data has no {' and no '.join(drawn)} part: drawn from training, by seed"]
