"""The ``data`` section of a configuration: which questions, from where, and how they are divided."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

NO_FIELD = "none"
"""As the name of a field: use no field for this, even where one would be guessed."""

Portion = Annotated[float, Field(ge=0)]
"""Below 1 a share of the distinct questions, from 1 on a number of them."""


class DataSettings(BaseModel):
    """Which questions, from where, and how they are divided."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

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
    encoding: str | None = Field(
        None, description="text encoding of the file; left out: UTF-8, or what its byte order mark says"
    )
    test: Portion = Field(
        0.2, description="taken from training for testing where the data has no test part: share or number"
    )
    calibration: Portion = Field(
        0.1, description="set apart from training where the data has no calibration part: share or number"
    )
    seed: int | None = Field(
        None, description="of the division into parts and of the limit; left out: the run's seed"
    )
    limit: Annotated[int, Field(gt=0)] | None = Field(
        None, description="for a trial: at most so many questions of each part, drawn by the seed"
    )
    leaks: Literal["drop", "keep"] = Field(
        "drop", description="test questions that also stand in training or calibration: drop or keep them"
    )

    @field_validator("path", mode="before")
    @classmethod
    def _not_empty(cls, value: object) -> object:
        # An unset shell variable arrives as "", which would quietly mean the current folder.
        if value == "":
            raise ValueError("must name a file or folder; an empty text was given")
        return value

    @field_validator("test", "calibration")
    @classmethod
    def _whole_number(cls, value: float) -> float:
        if value >= 1 and not value.is_integer():
            raise ValueError("must be a share below 1 or a whole number of questions")
        return value

    @model_validator(mode="after")
    def _leaves_some_for_training(self) -> DataSettings:
        if max(self.test, self.calibration) < 1 and self.test + self.calibration >= 1:
            raise ValueError("the shares of test and calibration must leave some questions for training")
        return self
