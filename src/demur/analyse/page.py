"""The analyses as a page in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demur.core.markdown import plain

TITLES = {
    "question_log_perplexity": "log-perplexity of the question",
    "answer_log_perplexity": "log-perplexity of the greedy answer",
    "answer_entropy": "entropy of the sampled answers",
}
MISSING = {
    "question_log_perplexity": "not computed; `demur analyse RUN --questions` opens the model for it",
    "answer_log_perplexity": "the engine gave no probabilities",
    "answer_entropy": "nothing was sampled (probe.samples)",
}
WARNING = (
    "No threshold may be chosen from these tables: they are the test questions. What looks best here looks "
    "worse on new ones; `demur calibrate` chooses on questions kept for that."
)


def markdown(result: Mapping[str, Any], run: str) -> str:
    """The page of one system."""
    return "\n".join(_lines(result, run)) + "\n"


def _lines(result: Mapping[str, Any], run: str) -> Iterator[str]:
    level = f"{result['settings']['level']:.0%}"
    yield from (
        f"# {plain(run)}: analyses of {plain(result['system'])}",
        "",
        f"In brackets: {level} bootstrap intervals.",
    )
    yield from _certain(result["certain_against_uncertain"])
    for split, found in result["signals"].items():
        yield from _signals(split, found)
    yield from ("", "## Thresholds", "", f"**{WARNING}**")
    for split, by_signal in result["sweep"].items():
        for signal, lines in by_signal.items():
            yield from _sweep(split, signal, lines)


def _certain(found: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## Certain against uncertain data", "")
    yield (
        f"The base model answers {found['certain']:,} training questions right (certain, D1) and "
        f"{found['uncertain']:,} wrong (uncertain, D0). In nats, perplexities a token."
    )
    yield from ("", "| | certain | uncertain | uncertain − certain |", "| --- | --- | --- | --- |")
    for name, title in TITLES.items():
        cells = found[name]
        if cells is None:
            reason = MISSING[name] if found["certain"] and found["uncertain"] else "one side is empty"
            yield f"| {title} | – | – | undefined: {reason} |"
        else:
            shown = " | ".join(cell(cells[side]) for side in ("certain", "uncertain", "difference"))
            yield f"| {title} | {shown} |"


def _signals(split: str, found: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"## Signals on the same answers: {plain(split)}", "")
    left = f", {found['left_out']:,} left out" if found["left_out"] else ""
    yield f"{found['n']:,} answerable test questions{left}; the same verdicts under every signal."
    if not found["n"]:
        return
    yield from ("", "| signal | ECE | Brier score | AUROC | AP |", "| --- | --- | --- | --- | --- |")
    for name, cells in found["signals"].items():
        yield (
            f"| {plain(name)} | "
            + " | ".join(cell(cells[m]) for m in ("ece", "brier", "auroc", "ap"))
            + " |"
        )
    pairs = [item for item in found["differences"] if item["metric"] in ("ece", "auroc")]
    yield from ("", "| difference | ECE | AUROC |", "| --- | --- | --- |")
    for first in (item for item in pairs if item["metric"] == "ece"):
        key = (first["system"], first["against"])
        second = next(i for i in pairs if i["metric"] == "auroc" and (i["system"], i["against"]) == key)
        yield f"| {plain(key[0])} − {plain(key[1])} | {cell(first)} | {cell(second)} |"
    yield from ("", "Share right (questions) by confidence:", "")
    steps = sorted({b["from"] for c in found["signals"].values() for b in c["reliability"] or ()})
    yield "| signal | " + " | ".join(f"{step:.1f}–{step + 0.1:.1f}" for step in steps) + " |"
    yield "| --- |" + " --- |" * len(steps)
    for name, cells in found["signals"].items():
        at = {b["from"]: f"{b['accuracy']:.0%} ({b['n']:,})" for b in cells["reliability"] or ()}
        yield f"| {plain(name)} | " + " | ".join(at.get(step, "") for step in steps) + " |"


def _sweep(split: str, signal: str, lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not lines:
        return
    yield from ("", f"### {plain(split)}, by {plain(signal)}", "")
    yield "| threshold | coverage | accuracy when answering | prudence | over-conservativeness | honesty |"
    yield "| --- | --- | --- | --- | --- | --- |"
    every_second = [line for line in lines if line["mark"] is None][::2]  # all stand in analysis.json
    for line in lines:
        if line["mark"] is None and line not in every_second:
            continue
        names = ("accuracy_willing", "prudence", "over_conservativeness", "honesty")
        mark = f" **← {line['mark']}**" if line["mark"] else ""
        coverage = f"{line['coverage']['value']:.1%}" if line["coverage"]["value"] is not None else "–"
        yield (
            f"| {line['threshold']:.4f}{mark} | {coverage} | "
            + " | ".join(cell(line[n]) for n in names)
            + " |"
        )


def cell(estimate: Mapping[str, Any]) -> str:
    """A value with its interval."""
    if estimate["value"] is None:
        return "–"
    if estimate["low"] is None:
        return f"{estimate['value']:.3f}"
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"
