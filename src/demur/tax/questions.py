"""Questions as tasks of lm-evaluation-harness: generated answers, judged by Demur."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from demur.core.records import Question, Verdict
from demur.methods.asking import Asking
from demur.tax.folder import Function, HarnessTask, metrics_of
from demur.tax.judged import ALWAYS, WITH_BEFORE


def judged_task(
    name: str,
    questions: Sequence[Question],
    asking: Asking,
    *,
    tag: str,
    about: str,
    before: Mapping[str, Verdict] | None = None,
) -> HarnessTask:
    """Questions that are answered greedily, in the prompt and up to the stops of a run.

    Args:
        asking: how they are asked and judged.
        before: what became of each question before tuning, by id; some metrics compare with it.
    """
    known = before or {}
    settings = {
        "output_type": "generate_until",
        "doc_to_text": "prompt",
        "doc_to_target": "target",
        "num_fewshot": 0,
        "generation_kwargs": {
            "until": list(asking.stop),
            "max_gen_toks": asking.max_new_tokens,
            "do_sample": False,
        },
        "process_results": Function("process_results"),
        "metric_list": metrics_of((*ALWAYS, *(WITH_BEFORE if known else ()))),
    }
    documents = [_document(question, asking, known) for question in questions]
    return HarnessTask(name=name, tag=tag, about=about, settings=settings, documents=documents)


def task_name(*parts: str) -> str:
    """Words joined to a name that lm-eval and a command line take: letters, digits and underscores."""
    return re.sub(r"\W+", "_", "_".join(parts)).strip("_")


def _document(question: Question, asking: Asking, before: Mapping[str, Verdict]) -> dict[str, Any]:
    outcome = before.get(question.id)
    return {
        "id": question.id,
        "prompt": asking.prompt(question),
        "target": question.answers[0] if question.answers else "",
        "text": question.text,
        "answers": list(question.answers),
        "task": question.task,
        "choices": list(question.choices),
        "answerable": question.answerable,
        "group": question.group,
        "before": None if outcome is None else str(outcome),
        "rule": asking.rule,
        "refusals": list(asking.refusals),
    }
