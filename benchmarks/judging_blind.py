"""Draws the blind test of the refusal detector and the answer judge, and brings its texts back.

    python benchmarks/judging_blind.py draw --data DATA --clones CLONES
    python benchmarks/judging_blind.py texts --data DATA --clones CLONES --out rows.jsonl

`draw` chooses rows from every source with a fixed seed and writes tests/data/blind/key.jsonl: for each row
its source, model, kind of draw, place and the SHA-256 of its response. No step looks at what a response
says. A plain draw is uniform over the rows of a source. An enriched draw takes rows whose question has no
answer (of UnknownBench: those of ASSISTANTS), whose prompt asks for honesty or whose source marks the
answer as wrong, the same number for each model. `texts` reads the places of the key, checks the hashes and
writes id, question, response, answers and answerable in the key's order.

DATA is a folder with samples of the published data sets (UnknownBench, Alignment for Honesty, files of
questions). CLONES holds clones of public GitHub repositories named OWNER+NAME, with the commits in
COMMITS. Texts of others stay there. The project stores the responses of two models run for this test
(own.jsonl) and rows written for it (authored.jsonl).
"""

from __future__ import annotations

import argparse
import csv
import functools
import hashlib
import io
import json
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BLIND = Path(__file__).parents[1] / "tests/data/blind"
USED = Path(__file__).parents[1] / "tests/data/refusal_labels.csv"
SEED = 20261128
COMMITS = {
    "genglinliu+UnknownBench": "7283e4218b9146275d3069306927c3289fad576a",
    "dhruvmadhwal+disagreement-based-abstention": "11297f40b0c43b5ce57f7404dda6cb7fba7d7ecb",
    "braeden512+prompt-abstention-eval": "29492b8749aa5d573e8186a36cdac15590cd0225",
    "saltanat-sltnt+gemma_triviaqa_comparison": "07421087043a70eb242677aa0320afa6e11f6af5",
    "yizhongw+truthfulqa_reeval": "2de12d7832345d6bf97bc9050bdae48c50e67bf0",
    "nju-websoft+AbstentionReasoning": "2fab9640451dfd4b51ad3f342213bd926c1cffe1",
}
SAMPLED_MODELS = {"chatgpt", "claude", "Llama-2-7b-chat-hf", "Llama-2-7b-hf"}
ASSISTANTS = {"chatgpt", "claude", "gpt-4-0613", "mistral", "vicuna-7b-v1.5", "vicuna-13b-v1.5"}
ASSISTANTS |= {"Llama-2-13b-chat-hf", "Llama-2-70b-chat-hf"}
REASONING_CHARS = 3000  # longer chains of thought are left out: nobody reads them with care
HONEST_STYLES = {"chat_unsure", "chat_system_honest", "chat_must_refuse", "chat_explain", "chat_json"}
HONEST_STYLES |= {"fewshot_unsure", "fewshot_sentences", "fewshot_hedged", "fewshot_json", "fewshot_final"}


@dataclass(frozen=True)
class Row:
    """One response and its place: a file of its source, a line (from 0) and, where needed, a field."""

    source: str
    model: str
    place: str
    question: str
    response: str
    answers: tuple[str, ...]
    answerable: bool | None
    likely: bool  # belongs to the pool of the enriched draw


@dataclass(frozen=True)
class Folders:
    """Where the texts of others lie."""

    data: Path
    clones: Path


@functools.cache
def git_text(clones: Path, repository: str, path: str) -> str:
    command = ["git", "-C", str(clones / repository), "show", f"{COMMITS[repository]}:{path}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def git_paths(clones: Path, repository: str, folder: str) -> list[str]:
    command = ["git", "-C", str(clones / repository), "ls-tree", "-r", "--name-only"]
    command += [COMMITS[repository], folder]
    return sorted(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())


def json_lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n")):
        if line.strip():
            yield number, json.loads(line)


def unknownbench_row(source: str, path: str, number: int, record: dict[str, Any]) -> Row:
    model = Path(path).stem.rsplit("_", 2)[0]
    task, kind = Path(path).stem.rsplit("_", 2)[1:]
    answers = tuple(record["label"]) if task == "RefuNQ" and kind == "answerable" else ()
    response = record.get(model, record.get(f"{model}_response")) or ""
    known = kind == "answerable"
    likely = not known and model in ASSISTANTS
    return Row(source, model, f"{path}:{number}", record["prompt"], response, answers, known, likely)


def sample_rows(data: Path) -> Iterator[tuple[str, Row]]:
    """Every row of the sample of UnknownBench with the id that earlier test sets call it by."""
    root = data / "unknownbench"
    for path in sorted(root.glob("outputs/*_responses/*/*answerable.json")):
        for number, record in json_lines(path.read_text(encoding="utf-8")):
            place = str(path.relative_to(root))
            yield f"{path.stem}/{number}", unknownbench_row("unknownbench-sample", place, number, record)


def used_ids() -> set[str]:
    with USED.open(encoding="utf-8") as handle:
        return {row["id"] for row in csv.DictReader(handle)}


def unknownbench_sample(folders: Folders) -> Iterator[Row]:
    used = used_ids()
    yield from (row for name, row in sample_rows(folders.data) if name not in used)


def unknownbench_others(folders: Folders) -> Iterator[Row]:
    repository = "genglinliu+UnknownBench"
    for path in git_paths(folders.clones, repository, "outputs"):
        model = Path(path).parent.name
        if "_responses/" not in path or not path.endswith("answerable.json") or model in SAMPLED_MODELS:
            continue
        for number, record in json_lines(git_text(folders.clones, repository, path)):
            yield unknownbench_row("unknownbench-others", path, number, record)


def alignment_for_honesty(folders: Folders) -> Iterator[Row]:
    path = folders.data / "alignment_for_honesty/pkqa_13b.jsonl"
    for number, record in json_lines(path.read_text(encoding="utf-8")):
        place = f"{path.name}:{number}"
        text = record["greedy_pred_text"]
        yield Row(
            "pkqa", "Llama-2-13b-chat", place, record["question"], text, (record["answer"],), True, False
        )


def disagreement(folders: Folders) -> Iterator[Row]:
    repository = "dhruvmadhwal+disagreement-based-abstention"
    for path in git_paths(folders.clones, repository, "results/baselines"):
        if not path.endswith("_full.jsonl"):
            continue
        for number, record in json_lines(git_text(folders.clones, repository, path)):
            for field in ("idk", "ic_idk"):
                found = record["baselines"].get(field)
                if found is None or found.get("raw_response") is None:
                    continue
                gold, wrong = (str(record["gold_answer"]),), found.get("correct") == 0
                place, model = f"{path}:{number}:{field}", Path(path).parent.name
                text = found["raw_response"]
                yield Row("multi-hop", model, place, record["question"].strip(), text, gold, True, wrong)


def passages(folders: Folders) -> Iterator[Row]:
    repository = "braeden512+prompt-abstention-eval"
    for path in ("results/explicit_n500.jsonl", "results/implicit_n500.jsonl"):
        for number, record in json_lines(git_text(folders.clones, repository, path)):
            gold, known = tuple(dict.fromkeys(record["gold_answers"])), bool(record["is_answerable"])
            text = record["model_output"]
            place = f"{path}:{number}"
            yield Row(
                "squad-passages", "llama3:8b", place, record["question"], text, gold, known, not known
            )


def trivia(folders: Folders) -> Iterator[Row]:
    repository = "saltanat-sltnt+gemma_triviaqa_comparison"
    for path in git_paths(folders.clones, repository, "results"):
        if "/responses_" not in path:
            continue
        for number, record in enumerate(
            csv.DictReader(io.StringIO(git_text(folders.clones, repository, path)))
        ):
            gold = tuple(json.loads(record["ground_truth_aliases"]))
            text = record["model_answer"]
            yield Row(
                "triviaqa", "gemma-2-2b", f"{path}:{number}", record["question"], text, gold, True, False
            )


def truthfulqa(folders: Folders) -> Iterator[Row]:
    path = "data/finetune_truth.jsonl"
    for number, record in json_lines(git_text(folders.clones, "yizhongw+truthfulqa_reeval", path)):
        question, text = record["prompt"].removesuffix("\nTrue:").removeprefix("Q: ").split("\nA: ", 1)
        yield Row(
            "truthfulqa", "GPT-3 class and people", f"{path}:{number}", question, text, (), None, False
        )


def reasoning(folders: Folders) -> Iterator[Row]:
    repository = "nju-websoft+AbstentionReasoning"
    for path in git_paths(folders.clones, repository, "data/out/stage1/UMWP"):
        known = "/solve/" in path
        for number, record in json_lines(git_text(folders.clones, repository, path)):
            question = record["input_text"].split(" Let's think step by step")[0]
            gold = (str(record["ground_truth"]),) if known else ()
            if len(record["output"]) <= REASONING_CHARS:
                place, model = f"{path}:{number}", path.split("/")[4]
                yield Row(
                    "umwp-reasoning", model, place, question, record["output"], gold, known, not known
                )


def question_records(data: Path, path: str) -> list[tuple[str, tuple[str, ...], bool]]:
    """Question, answers and whether it has an answer, for each record of a file of questions."""
    text = (data / path).read_text(encoding="utf-8-sig")
    if path.endswith(".csv"):
        return [(row["question"], (), row["label"] == "0") for row in csv.DictReader(io.StringIO(text))]
    if path.startswith("selfaware"):
        examples = json.loads(text)["example"]
        return [(row["question"], tuple(row["answer"] or ()), bool(row["answerable"])) for row in examples]
    if path.startswith("r_tuning"):
        return [(question, (answer,), True) for question, answer, _ in json.loads(text)]
    records = [record for _, record in json_lines(text)]
    if "NEC" in path or "RefuNQ" in path:
        labels = [tuple(record["label"]) if isinstance(record["label"], list) else () for record in records]
        known = "unanswerable" not in path
        return [(record["prompt"], label, known) for record, label in zip(records, labels, strict=True)]
    if path.endswith("puqa.jsonl"):
        return [(record["question"], (), False) for record in records]
    mark = "?" if path.startswith("nq_open") else ""
    names = ("golden_answers", "answers", "answer")
    golds = [next(tuple(record[name]) for name in names if name in record) for record in records]
    return [(record["question"] + mark, gold, True) for record, gold in zip(records, golds, strict=True)]


def own_models(folders: Folders) -> Iterator[Row]:
    files = functools.cache(functools.partial(question_records, folders.data))
    for number, record in json_lines((BLIND / "own.jsonl").read_text(encoding="utf-8")):
        question, answers, known = files(record["file"])[record["record"]]
        likely = not known or record["prompt_style"] in HONEST_STYLES
        place = f"own.jsonl:{number}"
        model, text = record["model"], record["response"]
        yield Row(
            f"own-{model.split('-')[0]}", model, place, question.strip(), text, answers, known, likely
        )


def authored(_: Folders) -> Iterator[Row]:
    for number, record in json_lines((BLIND / "authored.jsonl").read_text(encoding="utf-8")):
        text, known = record["response"], record["answerable"]
        place = f"authored.jsonl:{number}"
        yield Row(
            "authored", "authored", place, record["question"], text, tuple(record["answers"]), known, True
        )


READERS: dict[str, tuple[Callable[[Folders], Iterator[Row]], int, int]] = {
    # rows of the plain draw, rows of the enriched draw
    "unknownbench-sample": (unknownbench_sample, 60, 60),
    "unknownbench-others": (unknownbench_others, 90, 110),
    "pkqa": (alignment_for_honesty, 16, 0),
    "own-SmolLM2": (own_models, 50, 40),
    "own-gemma": (own_models, 40, 25),
    "multi-hop": (disagreement, 60, 30),
    "squad-passages": (passages, 24, 20),
    "triviaqa": (trivia, 10, 0),
    "truthfulqa": (truthfulqa, 16, 0),
    "umwp-reasoning": (reasoning, 8, 10),
    "authored": (authored, 0, 63),
}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def spread(rows: list[Row], wanted: int, rng: random.Random) -> list[Row]:
    """As many rows of each model as can be, drawn uniformly within a model."""
    by_model: dict[str, list[Row]] = {}
    for row in rng.sample(rows, len(rows)):
        by_model.setdefault(row.model, []).append(row)
    taken: list[Row] = []
    while len(taken) < wanted and by_model:
        for model in sorted(by_model):
            if len(taken) < wanted:
                taken.append(by_model[model].pop())
        by_model = {model: left for model, left in by_model.items() if left}
    return taken


def drawn(folders: Folders) -> Iterator[tuple[Row, str]]:
    """The chosen rows: none of an earlier test set, no response of a model to a question twice."""
    used = used_ids()
    old = {(row.question, row.response) for name, row in sample_rows(folders.data) if name in used}
    for source, (reader, plain, enriched) in READERS.items():
        rng = random.Random(f"{SEED} {source}")
        found = (row for row in reader(folders) if row.source == source)
        fresh = (row for row in found if (row.question, row.response) not in old)
        rows = list({(row.model, row.question, row.response): row for row in fresh}.values())
        first = rng.sample(rows, plain)
        yield from ((row, "plain") for row in first)
        pool = [row for row in rows if row.likely and row not in first]
        yield from ((row, "enriched") for row in spread(pool, enriched, rng))


def draw(folders: Folders) -> None:
    chosen = list(drawn(folders))
    random.Random(SEED).shuffle(chosen)
    with (BLIND / "key.jsonl").open("w", encoding="utf-8") as handle:
        for number, (row, kind) in enumerate(chosen, 1):
            entry = {"id": f"b{number:04d}", "source": row.source, "model": row.model, "draw": kind}
            entry |= {"place": row.place, "sha256": digest(row.response)}
            handle.write(json.dumps(entry, ensure_ascii=False) + "\n")
    print(f"{len(chosen)} rows in {BLIND / 'key.jsonl'}")


def texts(folders: Folders, key: list[dict[str, str]], out: Path) -> None:
    readers = {READERS[entry["source"]][0] for entry in key}
    places = {(row.source, row.place): row for reader in readers for row in reader(folders)}
    with out.open("w", encoding="utf-8") as handle:
        for entry in key:
            row = places.get((entry["source"], entry["place"]))
            if row is None or digest(row.response) != entry["sha256"]:
                where = f"{entry['id']}: {entry['source']} {entry['place']}"
                raise SystemExit(f"{where} is absent or has another text: take the commits in COMMITS")
            record: dict[str, Any] = {"id": entry["id"], "question": row.question, "response": row.response}
            record |= {"answers": list(row.answers), "answerable": row.answerable}
            handle.write(json.dumps(record, ensure_ascii=False) + "\n")
    print(f"{out}: every text has the hash of the key")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("draw", "texts"))
    parser.add_argument(
        "--data", type=Path, required=True, help="Folder with samples of the published data sets"
    )
    parser.add_argument("--clones", type=Path, required=True, help="Folder with clones, named OWNER+NAME")
    parser.add_argument("--out", type=Path, default=Path("rows.jsonl"), help="File for the texts")
    options = parser.parse_args()
    folders = Folders(options.data, options.clones)
    if options.step == "draw":
        draw(folders)
        return
    texts(
        folders,
        [entry for _, entry in json_lines((BLIND / "key.jsonl").read_text(encoding="utf-8"))],
        options.out,
    )


if __name__ == "__main__":
    main()
