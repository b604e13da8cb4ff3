"""Which questions a run uses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from demur.core.config.section import Section

NO_FIELD = "none"
"""As the name of a field: use no field for this, even where one would be guessed."""

Portion = Annotated[float, Field(ge=0)]
"""Below 1 a share of the distinct questions, from 1 on a number of them."""


def _of_one_dataset(name: str) -> bool:
    """Whether a data setting can only be meant for one dataset of a mixture."""
    return name.endswith("_field") or name in ("layout", "answers_separator", "negatives")


class DataSettings(Section):
    """Which questions, from where, and how they are divided."""

    name: str | None = Field(
        None,
        description="a dataset's name, or the path of a file of your own; "
        "left out: 'file' where a path is given, else 'pocket'",
    )
    path: Path | None = Field(None, description="the dataset's file or folder")
    question_field: str | None = Field(None, description="field that holds the question; guessed")
    answers_field: str | None = Field(None, description="field that holds the accepted answers; guessed")
    id_field: str | None = Field(
        None, description="field that holds a unique id; guessed; 'none': ids from the content"
    )
    choices_field: str | None = Field(
        None, description="field that holds the options of a choice question; guessed; 'none' for none"
    )
    context_field: str | None = Field(
        None, description="field that holds a passage to read; guessed; 'none' for none"
    )
    split_field: str | None = Field(
        None, description="field that says train, calibration or test; guessed; 'none' for none"
    )
    domain_field: str | None = Field(
        None, description="field that says id or ood; guessed; 'none' for none"
    )
    group_field: str | None = Field(
        None, description="field by whose values results are also reported; guessed; 'none' for none"
    )
    answerable_field: str | None = Field(
        None, description="field that is false where no answer can be right; guessed; 'none' for none"
    )
    answers_separator: str | None = Field(
        None,
        min_length=1,
        description="divides a text of accepted answers into several, such as ';'; left out: one answer",
    )
    layout: str | None = Field(
        None,
        description="how rows hold questions and answers: squad, choices, chat, …; recognised; "
        "'plain': take the fields as they stand",
    )
    encoding: str | None = Field(
        None, description="text encoding of the file; left out: UTF-8, or what its byte order mark says"
    )
    test: Portion = Field(
        0.2, description="taken from training for testing where the data has no test part: share or number"
    )
    calibration: Portion = Field(
        0.1, description="set apart from training where the data has no calibration part: share or number"
    )
    divide_by: Literal["question", "group"] = Field(
        "question",
        description="group: questions of one group (data.group_field: an entity, a topic, a document) stay "
        "in one part where parts are drawn",
    )
    merge_answers: bool = Field(
        False,
        description="make one question of rows of a part that ask the same, with all of their answers",
    )
    seed: int | None = Field(
        None, description="of the division into parts and of the limit; left out: the run's seed"
    )
    limit: Annotated[int, Field(gt=0)] | None = Field(
        None, description="at most N questions per split, drawn by the seed, for a trial"
    )
    labels: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="at most N labelled questions in training and calibration together, a third of them "
        "for calibration, drawn by the seed; test questions are not counted",
    )
    mixture: tuple[dict[str, Any], ...] = Field(
        (),
        description="several datasets instead of one: data settings of each, with `use`: all, train, or "
        "test (asked only, never trained on)",
    )
    negatives: Literal["none", "rule"] = Field(
        "none",
        description="rule: beside each question with a passage, the same passage with a question that it "
        "does not answer, taken from another record",
    )
    open_sealed: bool = Field(
        False,
        description="also read the sealed part (atlas: confirm), for a final test; the opening is recorded",
    )
    leaks: Literal["drop", "keep"] = Field(
        "drop", description="test questions that also stand in training or calibration: drop or keep them"
    )

    @pydantic.field_validator("path", mode="before")
    @classmethod
    def _not_empty(cls, value: object) -> object:
        # An unset shell variable arrives as "", which would quietly mean the current folder.
        if value == "":
            raise ValueError("must name a file or folder; an empty text was given")
        return value

    @pydantic.field_validator("test", "calibration")
    @classmethod
    def _whole_number(cls, value: float) -> float:
        if value >= 1 and not value.is_integer():
            raise ValueError("must be a share below 1 or a whole number of questions")
        return value

    @pydantic.model_validator(mode="after")
    def _mixture_fits(self) -> DataSettings:
        if self.mixture and (self.name or self.path):
            raise ValueError("give a mixture, or a name or path, not both")
        own = [name for name, value in self if _of_one_dataset(name) and value not in (None, "none")]
        if self.mixture and own:
            raise ValueError(f"{', '.join(own)} must stand with the dataset of the mixture that it is for")
        for number, entry in enumerate(self.mixture, start=1):
            use = entry.get("use", "all")
            if use not in ("all", "train", "test") or "mixture" in entry:
                raise ValueError(
                    f"dataset {number}: `use` must be all, train or test, and no mixture within"
                )
            DataSettings.model_validate({key: value for key, value in entry.items() if key != "use"})
        return self

    @pydantic.model_validator(mode="after")
    def _leaves_some_for_training(self) -> DataSettings:
        if max(self.test, self.calibration) < 1 and self.test + self.calibration >= 1:
            raise ValueError("the shares of test and calibration must leave some questions for training")
        return self
