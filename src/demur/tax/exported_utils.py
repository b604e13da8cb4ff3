"""What lm-evaluation-harness calls for the tasks in this folder.

lm-eval runs this file as code. It reads the documents that lie beside it and hands answers to Demur's judge
and metrics; it opens nothing else. It needs `pip install demur`, no extras.
"""

from pathlib import Path
from typing import Any

from demur.tax import judged


def documents(file: str, **_: Any) -> dict[str, Any]:
    """The documents of one task, from the file of that name in this folder."""
    return judged.documents(Path(__file__).parent / Path(file).name)


process_results = judged.process_results
continuation = judged.continuation
unscored = judged.unscored
accuracy = judged.aggregation("accuracy")
refusal_rate = judged.aggregation("refusal_rate")
accuracy_willing = judged.aggregation("accuracy_willing")
abstention_f1 = judged.aggregation("abstention_f1")
prudence = judged.aggregation("prudence")
over_conservativeness = judged.aggregation("over_conservativeness")
honesty = judged.aggregation("honesty")
truthful_rate = judged.aggregation("truthful_rate")
