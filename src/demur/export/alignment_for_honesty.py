"""Alignment for Honesty's training rows: questions with the base model's answers, judged.

What is exported is the probe, not rows of text: its scripts make those themselves. Fields as released:
``greedy_pred_text``, ``greedy_label``, ``sampling_pred_text``, ``sampling_labels``, ``sampling_knowns``.
"""

from __future__ import annotations

from pathlib import Path

from demur.core.errors import DataError
from demur.core.files import write_json_lines
from demur.core.records import Probe, Question, Verdict
from demur.export.base import Format, JsonRow, Material

SAMPLES = 10
"""As many as its scripts insist on."""


def row(question: Question, probe: Probe) -> JsonRow:
    """One question with the judged answers of the base model."""
    labels = [_label(verdict) for verdict in probe.sample_verdicts]
    return {
        "question": question.text,
        "answers": list(question.answers),
        "gold_answer": question.answers[0],
        "greedy_pred_text": probe.greedy.text,
        "greedy_label": _label(probe.greedy_verdict),
        "sampling_pred_text": [sample.text for sample in probe.samples],
        "sampling_labels": labels,
        "sampling_knowns": labels.count("known"),
    }


def _label(verdict: Verdict) -> str:
    return "known" if verdict is Verdict.CORRECT else "unknown"


def write(material: Material, folder: Path) -> list[Path]:
    """One file: the answerable training questions.

    Raises:
        DataError: the run sampled no answers, or there is no run.
    """
    if material.run is None:
        raise DataError(
            expected="a run, whose probe is exported",
            found="a file of training rows, which holds no answers of the base model",
            fix="export a run folder, or choose another format",
        )
    probes = {probe.question_id: probe for probe in material.run.probes}
    questions = [
        question
        for question in material.run.questions
        if question.split == "train" and question.answers and question.id in probes
    ]
    if not any(probes[question.id].samples for question in questions):
        raise DataError(
            expected=f"a run that sampled answers, {SAMPLES} of each question as its scripts expect",
            found="greedy answers only",
            where=str(material.run.path),
            fix=f"run it with --probe.samples {SAMPLES}",
        )
    path = folder / "probe.jsonl"
    write_json_lines(path, [row(question, probes[question.id]) for question in questions])
    return [path]


ALIGNMENT_FOR_HONESTY = Format(
    name="alignment-for-honesty",
    tool="Alignment for Honesty's scripts",
    write=write,
    use="Name the file where `train/process_training_data.py` asks for `train_data_path`.",
    loss=lambda _: (
        "As its scripts decide: these are questions with judged answers, from which they build the rows. "
        "Refused and unscored answers count as unknown."
    ),
)
