"""What bfloat16 does to answers and confidences: the same questions in float32 and in bfloat16.

    PARAREL_DIR=/path/to/pararel python benchmarks/precision.py --model smollm2

Questions of R-Tuning's ParaRel files, each after three worked examples of the training file, are answered
greedily in both formats. Reported are the equal answers, the differences of the likelihood (geometric mean
of the token probabilities) where answers are equal, the share of right answers, and the AUROC of the
likelihood, with the paired 95 % interval of the difference over questions. Log-probabilities are taken in
float32 in both: only the model itself computes in bfloat16.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import torch
import transformers
from sklearn.metrics import roc_auc_score

from demur.core.records import Question, Response, Verdict
from demur.core.templates import TEMPLATES
from demur.engines import Opening, Sampling
from demur.engines.hf import HFEngine
from demur.judging import judgement
from real_speed import FILE, path_of

TEMPLATE = TEMPLATES["r-tuning-code"]
SHOTS, DRAWS = 3, 2000


def questions(count: int) -> tuple[str, list[Question]]:
    """Worked examples of different relations, and test questions spread over the whole file."""
    folder = Path(os.environ["PARAREL_DIR"])
    training, test = (
        json.loads((folder / name).read_text(encoding="utf-8")) for name in ("training_data.json", FILE)
    )
    shown = training[:: len(training) // SHOTS][:SHOTS]
    examples = "".join(f"{TEMPLATE.ask(row[0])} {row[1]}.\n" for row in shown)
    rows = test[:: max(1, len(test) // count)][:count]
    return examples, [Question(id=str(n), text=row[0], answers=(row[1],)) for n, row in enumerate(rows)]


def answers(path: str, dtype: str, examples: str, asked: list[Question]) -> list[Response]:
    """The greedy answers of the model in a number format."""
    engine = HFEngine.open(Opening(path, dtype=dtype, format="plain"))
    prompts = [examples + TEMPLATE.ask(question.text) for question in asked]
    found = engine.generate(prompts, keys=prompts, sampling=Sampling())
    return [one.greedy for one in found if one.greedy is not None]


def likelihood(response: Response) -> float:
    """Geometric mean of the token probabilities."""
    return math.exp(statistics.mean(response.token_logprobs)) if response.token_logprobs else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.utils.logging.set_verbosity_error()
    examples, asked = questions(options.questions)
    path = path_of(options.model)
    said = {kind: answers(path, kind, examples, asked) for kind in ("float32", "bfloat16")}
    right, values = {}, {}
    for kind, responses in said.items():
        pairs = list(zip(asked, responses, strict=True))
        right[kind] = np.array([judgement(q, r.text).verdict is Verdict.CORRECT for q, r in pairs])
        values[kind] = np.array([likelihood(response) for response in responses])
        print(
            f"{kind}: {right[kind].mean():.1%} of {len(asked)} right, AUROC of the likelihood "
            f"{roc_auc_score(right[kind], values[kind]):.4f}"
        )
    same = np.array([a.text == b.text for a, b in zip(*said.values(), strict=True)])
    apart = np.abs(values["float32"] - values["bfloat16"])[same]
    print(
        f"equal answers: {same.sum()} of {len(asked)}; the likelihood of those differs by "
        f"{apart.mean():.4f} on average, {apart.max():.4f} at most"
    )
    draws = np.random.default_rng(0).integers(len(asked), size=(DRAWS, len(asked)))
    gaps = [
        roc_auc_score(right["bfloat16"][d], values["bfloat16"][d])
        - roc_auc_score(right["float32"][d], values["float32"][d])
        for d in draws
    ]
    low, high = np.quantile(gaps, [0.025, 0.975])
    print(f"AUROC in bfloat16 less float32: {np.mean(gaps):+.4f} [{low:+.4f}, {high:+.4f}]")


if __name__ == "__main__":
    main()
