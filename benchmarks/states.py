"""What hidden states and token entropies cost beside a greedy pass that gives neither.

    python benchmarks/states.py DATA.jsonl --model smollm2

The same engine answers the same questions four ways in each round: greedily alone, with the states of three
layers, with those of every layer, and with three layers and the entropies and margins of tokens. Ratios are
taken within a round, of processor time, which changes little with other work on the machine; medians over
rounds. Answers must be the same in all ways.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import time
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch

from demur.core.config import ModelSettings, TemplateSettings, load_config
from demur.core.records import Question, question_id
from demur.engines import Sampling
from demur.engines.opening import open_engine
from demur.sources import base_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path, help="JSON lines with a question in each")
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--questions", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    config = load_config(None, {"model.path": options.model})
    engine = open_engine(ModelSettings(path=options.model, dtype=options.dtype), base=base_model(config))
    lines = options.data.read_text("utf-8").splitlines()[: options.questions]
    texts = [json.loads(line)["question"] for line in lines]
    template = TemplateSettings().template(chat=engine.chat)
    prompts = [template.ask(Question(id=question_id(text), text=text)) for text in texts]
    greedy, last = Sampling(), engine.capabilities.layers
    three = (last // 2, 2 * last // 3, 5 * last // 6)
    ways = {
        "greedy": greedy,
        "three layers": dataclasses.replace(greedy, layers=three),
        "every layer": dataclasses.replace(greedy, layers=tuple(range(1, last + 1))),
        "three layers, entropies": dataclasses.replace(greedy, layers=three, top=True),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(options.rounds + 1):
        said = {}
        for name, sampling in ways.items():
            began = time.process_time()
            found = engine.generate(prompts, keys=prompts, sampling=sampling)
            if number:  # the first round warms up
                spent[name].append(time.process_time() - began)
            said[name] = [item.greedy.text for item in found if item.greedy]
        assert all(texts == said["greedy"] for texts in said.values()), "other answers"
    print(
        f"{options.model}, {len(prompts)} questions, {options.rounds} rounds, {platform.machine()}, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}\n"
    )
    print("| way | CPU s | against greedy |\n| --- | ---: | ---: |")
    for name, seconds in spent.items():
        ratios = [mine / plain for mine, plain in zip(seconds, spent["greedy"], strict=True)]
        print(f"| {name} | {statistics.median(seconds):.2f} | ×{statistics.median(ratios):.2f} |")


if __name__ == "__main__":
    main()
