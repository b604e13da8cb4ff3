"""Capitals: twenty-four countries and their capitals, kept in this file."""

from pathlib import Path

from demur.core.records import Question
from demur.datasets import Dataset, DataSettings, RawData
from demur.datasets.base import Ids

FACTS = {
    **{"Argentina": "Buenos Aires", "Austria": "Vienna", "Chile": "Santiago", "Cuba": "Havana"},
    **{"Denmark": "Copenhagen", "Egypt": "Cairo", "Finland": "Helsinki", "France": "Paris"},
    **{"Ghana": "Accra", "Greece": "Athens", "Hungary": "Budapest", "Iceland": "Reykjavik"},
    **{"India": "New Delhi", "Ireland": "Dublin", "Italy": "Rome", "Japan": "Tokyo"},
    **{"Kenya": "Nairobi", "Nepal": "Kathmandu", "Norway": "Oslo", "Peru": "Lima"},
    **{"Portugal": "Lisbon", "Senegal": "Dakar", "Sweden": "Stockholm", "Tunisia": "Tunis"},
}
TEST = 8
"""The last countries are test questions, the others training questions."""


def load(path: Path | None, settings: DataSettings, *, seed: int) -> RawData:  # noqa: ARG001
    """Every question. A dataset that reads files takes them from ``path``."""
    ids, questions = Ids(), []
    for number, (country, capital) in enumerate(FACTS.items()):
        text = f"What is the capital of {country}?"
        questions.append(
            Question(
                id=ids.derive(text),
                text=text,
                answers=(capital,),
                dataset="capitals",
                split="test" if number >= len(FACTS) - TEST else "train",
                domain="id",
            )
        )
    return RawData(questions=questions)


CAPITALS = Dataset(
    name="capitals",
    description="countries and their capitals",
    load=load,
    path="",
    splits=("train", "test/id"),
    licence="CC0-1.0",
    citation="none",
    source="kept in the package demur-example",
)
