"""How often judging is right: the default rule beside exact match, containment and token F1, on labelled
pairs.

    python benchmarks/judging.py --data SAMPLES [--evouna FOLDER] [--before SRC] [--model FOLDER] [--page
    docs/results/judging.md]

Two kinds of error are counted: a right answer that is called wrong or refused (missed), as a share of the
right ones, and a wrong one that is called correct (false-correct), as a share of the wrong ones. Nothing
here is random but the sample that a model judges (`SEED`).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import string
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from demur.metrics.proportion import wilson
from judging_data import Pair, evouna, labelled

SEED = 20261128
BEGIN, END = "<!-- begin: correctness -->", "<!-- end: correctness -->"
Rule = Callable[[Pair], bool]
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation))


def squad(text: str) -> str:
    """SQuAD's normal form (arXiv 1606.05250): lower case, no punctuation, no articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact(pair: Pair) -> bool:
    """SQuAD's exact match."""
    return squad(pair.response) in {squad(answer) for answer in pair.question.answers}


def contained(pair: Pair) -> bool:
    """An accepted answer is a substring, both in SQuAD's normal form."""
    text = squad(pair.response)
    return any(key in text for answer in pair.question.answers if (key := squad(answer)))


def token_f1(pair: Pair) -> bool:
    """SQuAD's token F1 with the best accepted answer is at least 0.8."""
    given = squad(pair.response).split()
    return any(_f1(given, squad(answer).split()) >= 0.8 for answer in pair.question.answers)


def _f1(given: list[str], wanted: list[str]) -> float:
    shared = (Counter(given) & Counter(wanted)).total()
    return 2 * shared / (len(given) + len(wanted)) if shared else 0.0


def default(pair: Pair) -> bool:
    """Demur's default rule, refusals included."""
    from demur.judging import judge

    return judge(pair.question, pair.response).value == "correct"


def verdicts(pairs: Sequence[Pair], rule: Rule) -> list[bool]:
    """What a rule says of each pair."""
    return [rule(pair) for pair in pairs]


def verdicts_of(source: Path, arguments: list[str]) -> list[bool]:
    """What the default rule of another source tree says of the same pairs."""
    command = [sys.executable, __file__, "--verdicts", *arguments]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(source)}, check=True, capture_output=True
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def by_model(folder: Path, pairs: Sequence[Pair]) -> list[bool]:
    """What a small causal model says, by the logits of " yes" and " no" after a question with one example
    of each.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    yes, no = (tokenizer(word, add_special_tokens=False).input_ids[0] for word in (" yes", " no"))
    found = []
    for pair in pairs:
        answers = "; ".join(pair.question.answers[:5])
        prompt = (
            "Does the response give an accepted answer?\n\n"
            "Question: What is the capital of Peru?\nAccepted answers: Lima\nResponse: It is"
            " Lima.\nCorrect: yes\n\n"
            "Question: Who wrote Hamlet?\nAccepted answers: William Shakespeare\nResponse: Ben"
            " Jonson\nCorrect: no\n\n"
            f"Question: {pair.question.text}\nAccepted answers: {answers}\nResponse:"
            f" {pair.response[:300].strip()}\nCorrect:"
        )
        with torch.no_grad():
            logits = model(**tokenizer(prompt, return_tensors="pt")).logits[0, -1]
        found.append(bool(logits[yes] > logits[no]))
    return found


def cell(count: int, total: int) -> str:
    """A share with its interval and counts."""
    interval = wilson(count, total)
    if interval is None:
        return "–"
    low, high = interval
    return f"{count / total:.3f} ({low:.3f} … {high:.3f}), {count:,} of {total:,}"


def table(pairs: Sequence[Pair], results: dict[str, list[bool]]) -> Iterator[str]:
    """Missed and false-correct of every rule, in Markdown."""
    yield "| rule | missed | false-correct |"
    yield "| --- | --- | --- |"
    for name, said in results.items():
        right = [got for pair, got in zip(pairs, said, strict=True) if pair.right]
        wrong = [got for pair, got in zip(pairs, said, strict=True) if not pair.right]
        yield f"| {name} | {cell(right.count(False), len(right))} | {cell(wrong.count(True), len(wrong))} |"


def section(title: str, pairs: Sequence[Pair], results: dict[str, list[bool]], keep: Rule) -> Iterator[str]:
    """The table of some of the pairs."""
    chosen = [index for index, pair in enumerate(pairs) if keep(pair)]
    part = [pairs[index] for index in chosen]
    yield f"\n{title} ({len(part):,} pairs, {sum(pair.right for pair in part):,} right)\n"
    yield from table(part, {name: [said[index] for index in chosen] for name, said in results.items()})


def report(given: argparse.Namespace) -> Iterator[str]:
    """All tables."""
    for name, pairs in sets(given):
        results: dict[str, list[bool]] = {}
        if given.before:
            argument = ["--data", str(given.data)] if name == "own" else ["--evouna", str(given.evouna)]
            results["default rule, before"] = verdicts_of(given.before, argument)
        rules = {
            "**default rule**": default,
            "exact match (SQuAD)": exact,
            "containment": contained,
            "token F1 ≥ .8": token_f1,
        }
        results |= {rule: verdicts(pairs, check) for rule, check in rules.items()}
        if name == "own":
            for half in ("tuning", "check"):
                yield from section(
                    f"Written pairs, {half} half",
                    pairs,
                    results,
                    lambda pair, half=half: pair.half == half and pair.part == "written",  # type: ignore[misc]
                )
            yield from section(
                "Answers of real models, both halves", pairs, results, lambda pair: pair.part == "model"
            )
            if given.model:
                sample = random.Random(SEED).sample(list(pairs), given.sample)
                said = {
                    "**default rule**": verdicts(sample, default),
                    "SmolLM2 as judge": by_model(given.model, sample),
                }
                yield from section("A sample, also judged by a small model", sample, said, lambda _: True)
        else:
            for half in ("tuning", "check"):
                for system, title in (("fid", "FiD, short answers"), ("", "four chat models, sentences")):
                    yield from section(
                        f"EVOUNA, {title}, {half} half",
                        pairs,
                        results,
                        lambda pair, half=half, system=system: (  # type: ignore[misc]
                            pair.half == half and (pair.part == "fid") == bool(system)
                        ),
                    )


def sets(given: argparse.Namespace) -> Iterator[tuple[str, list[Pair]]]:
    """The sets of pairs that were asked for."""
    if given.data or not given.evouna:
        yield "own", list(labelled(given.data))
    if given.evouna:
        yield "evouna", list(evouna(given.evouna))


def write(page: Path, lines: Iterable[str]) -> None:
    """Put the tables between their marks in a page."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Print the tables, or write them into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="folder of the published questions; without it, own pairs only"
    )
    parser.add_argument("--evouna", type=Path, help="folder with EVOUNA's NQ.json and TQ.json")
    parser.add_argument("--before", type=Path, help="source folder of another version, for comparison")
    parser.add_argument("--model", type=Path, help="folder of a small causal model, as a judge")
    parser.add_argument("--sample", type=int, default=400, help="pairs that the model judges")
    parser.add_argument("--page", type=Path, help="page to write the tables into")
    parser.add_argument("--verdicts", action="store_true", help="print the default rule's verdicts as JSON")
    given = parser.parse_args()
    if given.verdicts:
        print(json.dumps(verdicts([pair for _, pairs in sets(given) for pair in pairs], default)))
        return
    lines = list(report(given))
    if given.page:
        write(given.page, lines)
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()
