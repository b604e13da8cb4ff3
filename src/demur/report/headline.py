"""The result of a run in a few plain sentences, whichever way it fell.

No sentence gives an accuracy without the coverage beside it, and none praises a system that a
policy without any knowledge could equal: what refusing at random would reach is said where the
system does not beat it. Where many comparisons are made, one in favour that Holm's correction over all of
them leaves open is said to be perhaps chance; what speaks against a system is never excused so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from demur.core.names import FIXED, LEARNED
from demur.metrics.multiple import holm, p_of_interval
from demur.metrics.proportion import wilson
from demur.report import calibrated, words
from demur.report.paired import same_coverage

BY_COVERAGE = ("accuracy_willing", "auroc", "ap")
BY_ORDER = ("auroc", "ap")
COMPARED = (("base-likelihood", BY_COVERAGE), ("familiarity-only", BY_ORDER))
"""What a method is held against, and which metric to compare by, the first that the run has.
Accuracies on the questions answered compare only where both answer equally often; elsewhere the order
in which the two trust their answers is compared."""

RIVALS = {
    "base-likelihood": "the base model’s own likelihood",
    "familiarity-only": "a score that knows only how well known the subject is",
}

COMPARED_BY = {
    "accuracy_willing": "accuracy on the questions answered, at the same coverage",
    "ap": "average precision",
    "auroc": "AUROC",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One clause of a finding."""

    label: str
    """What the clause is about; empty where the sentence says it."""
    text: str
    tone: str
    """``better``, ``worse``, ``even``, ``unsure`` where the correction for many comparisons undoes it,
    ``undefined``, or ``plain`` where nothing is compared."""
    p: float | None = None
    """Of "no difference", uncorrected; None where nothing is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence of the headline."""

    place: str
    """Which questions it speaks of; empty where ``opening`` says so itself."""
    opening: str
    """How the sentence goes on, up to its clauses; empty where its only clause says everything."""
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The whole sentence."""
        return f"{self.place}, {self.sentence}" if self.place else self.sentence

    @property
    def sentence(self) -> str:
        """The sentence without its place, for where that stands above it."""
        clauses = "; ".join(
            f"{part.label}: {part.text}" if part.label else part.text for part in self.parts
        )
        return f"{self.opening} {clauses}.".lstrip()


def headline(
    metrics: Mapping[str, Any], manifest: Mapping[str, Any], guarantee: Mapping[str, Any] | None = None
) -> list[str]:
    """The run in plain sentences, for the terminal and the top of the report.

    Args:
        metrics: the whole of ``metrics.json``.
        manifest: the whole of ``manifest.json``.
        guarantee: the whole of ``guarantee.json``, where `demur.runfolder.provenance.look` lets it be used:
            what its system does now comes first, and what was measured with its own rule is called that.
    """
    return [finding.text for finding in findings(metrics, manifest, guarantee)]


def findings(
    metrics: Mapping[str, Any], manifest: Mapping[str, Any], guarantee: Mapping[str, Any] | None = None
) -> list[Finding]:
    """The sentences of `headline`, with their clauses and which way each of them fell."""
    measured = _measured(metrics, manifest, guarantee)
    return measured if guarantee is None else [*_calibrated(metrics, guarantee), *measured]


def _calibrated(metrics: Mapping[str, Any], guarantee: Mapping[str, Any]) -> list[Finding]:
    """What the calibrated system does now, on each test split."""
    splits = words.main_splits(list(metrics["metrics"].get(guarantee["system"], {})))
    said = {split: calibrated.on_split(guarantee, split) for split in splits}
    rule = calibrated.rule(guarantee)
    found = [_plain(f"{text}; {rule}", place=split) for split, text in said.items() if text is not None]
    system = words.title(guarantee["system"])
    return found or [_plain(f"{system} as calibrated: {rule}")]


def _measured(
    metrics: Mapping[str, Any], manifest: Mapping[str, Any], guarantee: Mapping[str, Any] | None
) -> list[Finding]:
    """What was measured with each system's own rule."""
    systems = metrics["metrics"]
    order = [s for s in manifest.get("systems", {}) if s in systems] or list(systems)
    tuned = words.methods(order, manifest.get("method", ""))
    if not tuned:
        return [_only_base(systems, split) for split in words.main_splits(list(systems.get("base", {})))]
    found: list[Finding] = []
    for method in tuned:
        splits = words.main_splits(list(systems[method]))
        reading = method.endswith(LEARNED)  # the same answers as its method's, trusted otherwise
        if not reading:
            own = calibrated.is_calibrated(guarantee, method)
            kept = _tunes(manifest, method)
            found += [
                _before_and_after(metrics, method, split, tuned=kept, by_own_rule=own) for split in splits
            ]
            if method + FIXED in systems:
                found += [_by_fixed_rule(metrics, method, split) for split in splits]
        for rival, by in COMPARED:
            if rival in systems:
                found += [_against(metrics, method, rival, split, by) for split in splits]
        found += [] if reading else _on_unanswerable(metrics, method)
    return _corrected(found, 1 - metrics.get("settings", {}).get("level", 0.95))


def _corrected(found: Sequence[Finding], chance: float) -> list[Finding]:
    """The findings with a word on every advantage that may be chance among so many comparisons."""
    parts = [part for finding in found for part in finding.parts]
    tested = sum(part.p is not None for part in parts)
    corrected = iter(holm([part.p for part in parts]))
    return [
        replace(
            finding, parts=tuple(_weighed(part, next(corrected), tested, chance) for part in finding.parts)
        )
        for finding in found
    ]


def _weighed(part: Part, p: float | None, tested: int, chance: float) -> Part:
    if part.tone != "better" or p is None or p < chance:
        return part
    return replace(part, text=f"{part.text}, perhaps by chance among {tested} comparisons", tone="unsure")


def _only_base(systems: Mapping[str, Any], split: str) -> Finding:
    cells = systems["base"][split]
    return _plain(f"the model {_answering(cells, past=True)}. Nothing was tuned", place=split)


def _plain(text: str, *, place: str = "") -> Finding:
    """A finding of one clause that compares nothing."""
    where = words.split_title(place) if place else ""
    return Finding(place=where, opening="", parts=(Part(label="", text=text, tone="plain"),))


def _tunes(manifest: Mapping[str, Any], method: str) -> bool:
    """Whether a method's answers are of a tuned model: not of one that tuned and did not keep it."""
    fitted = manifest.get("stages", {}).get(f"fit/{method}", {})
    return method not in words.UNTUNED and bool(fitted.get("tuning", {}).get("kept", True))


def _before_and_after(
    metrics: Mapping[str, Any], method: str, split: str, *, tuned: bool, by_own_rule: bool = False
) -> Finding:
    systems = metrics["metrics"]
    after = systems[method][split]
    before = systems.get("base", {}).get(split)
    when, then = ("before tuning ", "After") if tuned else ("", "With")
    text = f"{when}the model {_answering(before, past=True)}. " if before else ""
    rule = ", by its own rule," if by_own_rule else ""
    text += f"{then} {words.title(method)}{rule} it {_answering(after)}"
    text += _no_better_than_chance(metrics, method, split)
    if tuned and before and _value(after, "coverage") != 0:  # nobody gets to see what a silent model knows
        text += f"; {_knowledge(metrics, method, split)}"
    text += _unscored(after)
    return _plain(text, place=split)


def _by_fixed_rule(metrics: Mapping[str, Any], method: str, split: str) -> Finding:
    """What the same answers would be with the threshold of the method's paper."""
    cells = metrics["metrics"][method + FIXED][split]
    return _plain(f"by the fixed rule of its paper, {words.title(method)} {_answering(cells)}", place=split)


def _answering(cells: Mapping[str, Any], *, past: bool = False) -> str:
    """How often a system answers, and how often it is right when it does."""
    coverage = _value(cells, "coverage")
    answers, is_right = ("answered", "was right") if past else ("answers", "is right")
    if coverage is None:
        return f"{answers} nothing that could be scored"
    if coverage == 0:
        return f"{answers} none of the questions, so there is no accuracy to speak of"
    right = words.percent_range(cells.get("accuracy_willing", {}))
    if coverage == 1:
        still = "" if past else "still "
        return f"{still}{answers} every question and {is_right} on {right} of them"
    share = words.percent_range(cells["coverage"])
    return f"{answers} {share} of the questions and {is_right} on {right} of those"


def _no_better_than_chance(metrics: Mapping[str, Any], method: str, split: str) -> str:
    """A clause for a system whose choice of questions is not shown to beat a blind one."""
    cells = metrics["metrics"][method][split]
    blind = metrics.get("policies", {}).get(method, {}).get(split, {}).get("random-refusal", {})
    expected, low = _value(blind, "accuracy_willing"), cells.get("accuracy_willing", {}).get("low")
    coverage = _value(cells, "coverage")
    if expected is None or low is None or low > expected or coverage in (None, 0, 1):
        return ""
    return f", which does not beat refusing as often at random ({words.percent(expected)})"


def _knowledge(metrics: Mapping[str, Any], method: str, split: str) -> str:
    """Whether tuning cost answers that the model had: judged by the paired interval where there is one."""
    before = _value(metrics["metrics"]["base"][split], "accuracy")
    after = _value(metrics["metrics"][method][split], "accuracy")
    figures = f"accuracy with refusals ignored {words.percent(before)} → {words.percent(after)}"
    if before is None or after is None:
        return figures
    difference = _difference(metrics, "accuracy", split, method, "base")
    # Without a paired interval, the two points that the project's own acceptance allows.
    change = {"value": after - before, "low": after - before - 0.02, "high": after - before + 0.02}
    verdict = {"better": "knowledge gained", "worse": "knowledge lost", "even": "knowledge kept"}
    paired = f", {words.compare(difference)}" if difference else ""
    return f"{verdict.get(words.tone(difference or change), 'knowledge')}: {figures}{paired}"


def _unscored(cells: Mapping[str, Any]) -> str:
    count = cells.get("accuracy", {}).get("unscored") or 0
    if not count:
        return ""
    return f" (answers that could not be judged and count nowhere: {count})"


def _against(metrics: Mapping[str, Any], method: str, rival: str, split: str, by: Sequence[str]) -> Finding:
    """A method held against one rival on a split and on each of its groups."""
    known = list(metrics["metrics"][method])
    parts_of = [split, *(name for name in known if name.startswith(split + "/") and words.is_group(name))]
    usable = by if same_coverage(metrics, method, rival, split) else BY_ORDER
    metric = next((m for m in usable if _difference(metrics, m, split, method, rival)), usable[0])
    return Finding(
        place=words.split_title(split),
        opening=f"{words.title(method)} against {RIVALS[rival]}, by {COMPARED_BY[metric]}:",
        parts=tuple(
            _clause(
                _difference(metrics, metric, name, method, rival), name.removeprefix(split + "/"), split
            )
            for name in parts_of
        ),
    )


def _clause(difference: Mapping[str, Any] | None, name: str, whole: str) -> Part:
    label = "overall" if name == whole else name
    if difference is None:
        return Part(label=label, text="not compared", tone="undefined")
    p = p_of_interval(*(difference[key] for key in ("value", "low", "high")))
    return Part(label=label, text=words.compare(difference), tone=words.tone(difference), p=p)


def _on_unanswerable(metrics: Mapping[str, Any], method: str) -> list[Finding]:
    """How often questions that have no answer are declined, before and after."""
    found = []
    for split, table in metrics.get("tables", {}).get(method, {}).items():
        if words.is_group(split) or split == "calibration":
            continue
        after = _refused(table)
        before = _refused(metrics["tables"].get("base", {}).get(split, {}))
        if after is None:
            continue
        was = f"; the base model declines {words.percent(before[0] / before[1])}" if before else ""
        of = f"Of the questions without an answer in {split}"
        said = f"{of}, {words.title(method)} declines {words.percent(after[0] / after[1])}"
        found.append(_plain(said + _beside_answerable(metrics, method, after) + was))
    return found


def _beside_answerable(metrics: Mapping[str, Any], method: str, unanswerable: tuple[int, int]) -> str:
    """How often it declines test questions that do have an answer: who refuses everything declines both."""
    tables = metrics["tables"][method]
    counts = [_refused(tables[split], "answerable") for split in words.main_splits(list(tables))]
    refused, scored = (sum(pair[i] for pair in counts if pair) for i in (0, 1))
    if not scored:
        return ""
    said = f", and of the test questions with an answer {words.percent(refused / scored)}"
    here, there = wilson(*unanswerable), wilson(refused, scored)
    apart = here is not None and there is not None and here[0] > there[1]
    return said if apart else f"{said}, so that it is not shown to tell them apart"


def _refused(table: Mapping[str, Any], kind: str = "unanswerable") -> tuple[int, int] | None:
    """How many questions of a kind were refused, of how many scored; None where there are none."""
    counts = table.get(kind, {})
    scored = sum(counts.get(key, 0) for key in ("correct", "wrong", "refused"))
    return (counts["refused"], scored) if scored else None


def _difference(
    metrics: Mapping[str, Any], metric: str, split: str, system: str, against: str
) -> Mapping[str, Any] | None:
    wanted = (metric, split, system, against)
    for row in metrics.get("differences", []):
        if (row["metric"], row["split"], row["system"], row["against"]) == wanted:
            found: Mapping[str, Any] = row
            return found
    return None


def _value(cells: Mapping[str, Any], metric: str) -> float | None:
    value: float | None = cells.get(metric, {}).get("value")
    return value
