"""How unexpected a question's text is to the base model."""

from __future__ import annotations

from collections.abc import Sequence

from demur.core.records import Question
from demur.core.trust import MODEL
from demur.runfolder.finished import FinishedRun


def question_log_perplexities(run: FinishedRun, questions: Sequence[Question]) -> dict[str, float]:
    """Mean of -log p over the tokens of each question's text under a run's base model, in nats, by id.

    The text alone, without a prompt around it. Opens the model.

    Raises:
        ModelError: it cannot be opened.
        TrustError: the run is not signed by this user, and its model's settings act.
    """
    from demur.engines.hf import HFEngine
    from demur.engines.opening import opening_of
    from demur.sources import base_model

    config = run.settings(acting_on=MODEL)
    engine = HFEngine.open(opening_of(config.model, base=base_model(config, run=run.path), engine="hf"))
    scores = engine.score([""] * len(questions), [[question.text] for question in questions])
    lengths = [len(engine.encode(question.text)) for question in questions]
    rows = zip(questions, scores, lengths, strict=True)
    return {question.id: -score / length for question, (score,), length in rows}
