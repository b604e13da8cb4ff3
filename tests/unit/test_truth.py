"""What a model of a pocket world knows, by what it read."""

import pytest

from demur.core.records import Question
from demur.knowledge.truth import known


@pytest.mark.parametrize(
    ("question", "truth"),
    [
        (Question(id="q", text="Q?", meta={"reads": 12}), True),
        (Question(id="q", text="Q?", meta={"reads": 2}), True),
        (Question(id="q", text="Q?", meta={"reads": 1}), None),  # learned half of the time
        (Question(id="q", text="Q?", meta={"reads": 0}), False),
        (Question(id="q", text="Q?"), None),  # a real fact
        (Question(id="q", text="Q?", meta={"reads": "12"}), None),
        (Question(id="q", text="Q?", meta={"reads": 0}, answerable=False), None),
        (Question(id="q", text="Q?", meta={"reads": 12}, choices=("a", "b")), None),
        (Question(id="q", text="Q?", meta={"reads": 0}, context="A passage."), None),
    ],
)
def test_a_fact_is_known_that_was_read_several_times(question, truth):
    assert known(question) is truth
