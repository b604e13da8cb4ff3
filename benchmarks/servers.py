"""The engine `openai` beside the engine `hf` on the same model: are answers and log-probabilities the same?

The server must have the pocket model of seed 0 (src/demur/pocket/model):

    python benchmarks/servers.py http://localhost:8000/v1 pocket --format plain

It asks pocket questions drawn by a seed, with an empty cache, and prints JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from demur.core.config import DataSettings, ServerSettings
from demur.core.records import Question
from demur.core.templates import TEMPLATES
from demur.datasets import load_questions
from demur.engines import Generated, Opening, Sampling
from demur.engines.hf import HFEngine
from demur.engines.openai import OpenAIEngine
from demur.pocket import bundled_model

TEMPLATE = TEMPLATES["r-tuning-code"]


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("--format", default="auto")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--template", type=Path, help="chat template, for the engine hf")
    given = parser.parse_args()
    questions = list(load_questions(DataSettings(name="pocket"), seed=0).questions)
    random.Random(0).shuffle(questions)
    here = HFEngine.open(Opening(bundled_model(), device="cpu"))
    if given.template:
        here.tokenizer.chat_template = given.template.read_text(encoding="utf-8")
        here = HFEngine(here.model, here.tokenizer, format="chat")
    with tempfile.TemporaryDirectory() as folder:
        server = ServerSettings(base_url=given.url, cache=Path(folder) / "replies.sqlite")
        there = OpenAIEngine.open(Opening(given.model, format=given.format, endpoint=server))
        found = compared(here, there, questions[: given.questions])
    print(json.dumps({"server": there.abilities.sentences(), **found}, indent=1))


def compared(here: HFEngine, there: OpenAIEngine, questions: Sequence[Question]) -> dict[str, Any]:
    """Equal greedy answers, the largest gaps of log-probabilities in nats, and how samples spread."""
    prompts, keys = [TEMPLATE.ask(question) for question in questions], [q.id for q in questions]
    both = [engine.generate(prompts, keys=keys, sampling=Sampling()) for engine in (here, there)]
    pairs = [(one.greedy, other.greedy) for one, other in zip(*both, strict=True)]
    same = [(a, b) for a, b in pairs if a is not None and b is not None and a.text == b.text]
    told = [(a, b) for a, b in same if b.token_logprobs]
    found: dict[str, Any] = {
        "questions": len(pairs),
        "equal_greedy": len(same),
        "tokens": sum(len(b.token_logprobs) for _, b in told),
        "token_gap": largest((a.token_logprobs, b.token_logprobs) for a, b in told),
    }
    if there.capabilities.scores_continuations:
        options = [
            [TEMPLATE.lead(q) + text for text in (*q.answers, "naïve café 中文.")] for q in questions
        ]
        scores = [engine.score(prompts, options) for engine in (here, there)]
        found |= {
            "continuations": sum(map(len, options)),
            "score_gap": largest(zip(*scores, strict=True)),
        }
    if there.capabilities.samples:
        sampling = Sampling(greedy=False, samples=10, temperature=0.7)
        found["share_of_samples_equal_to_greedy"] = [
            like_greedy(engine.generate(prompts, keys=keys, sampling=sampling), both[0])
            for engine in (here, there)
        ]
    return found


def largest(pairs: Iterable[tuple[Sequence[float], Sequence[float]]]) -> float | None:
    """The largest difference between two columns of numbers; None without any."""
    gaps = [abs(a - b) for first, second in pairs for a, b in zip(first, second, strict=True)]
    return max(gaps, default=None)


def like_greedy(sampled: Sequence[Generated], greedy: Sequence[Generated]) -> float:
    """Share of samples that say what the greedy answer says, in [0, 1]."""
    alike = [
        sample.text == own.greedy.text
        for item, own in zip(sampled, greedy, strict=True)
        if own.greedy is not None
        for sample in item.samples
    ]
    return sum(alike) / len(alike)


if __name__ == "__main__":
    main()
