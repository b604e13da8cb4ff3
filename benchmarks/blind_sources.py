"""The sources of the blind tests (judging_blind.py): a reader for each, which yields rows and places."""

from __future__ import annotations

import csv
import functools
import io
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "tests/data"
BLIND = TESTS / "blind"
USED = TESTS / "refusal_labels.csv"
COMMITS = {
    "genglinliu+UnknownBench": "7283e4218b9146275d3069306927c3289fad576a",
    "dhruvmadhwal+disagreement-based-abstention": "11297f40b0c43b5ce57f7404dda6cb7fba7d7ecb",
    "braeden512+prompt-abstention-eval": "29492b8749aa5d573e8186a36cdac15590cd0225",
    "saltanat-sltnt+gemma_triviaqa_comparison": "07421087043a70eb242677aa0320afa6e11f6af5",
    "yizhongw+truthfulqa_reeval": "2de12d7832345d6bf97bc9050bdae48c50e67bf0",
    "nju-websoft+AbstentionReasoning": "2fab9640451dfd4b51ad3f342213bd926c1cffe1",
    "varunsingh3000+false-premise-project": "2db26a4afe40eb4ca9bb12d61def64a19a5fd306",
    "RKMuggo+hallucination_project": "8e04bd3cb1c088cc630ccb4c937c8b225a5d0d25",
    "blazingRadar+hallucination-research": "20bef697786869e638ab57632d902747266f0020",
    "Hypogenic-AI+natural-hallucinations-claude": "192b2220d97ba9e31991779706be516615572394",
    "AlexDongzeyu+llm-hallucination-self-testing": "12f14f6a461d6b62a80d43c61bd05758f290ab56",
    "stxxllbu+grounded-refusal": "67e03086f37b7d384e956006b447740023d9c720",
}
SAMPLED_MODELS = {"chatgpt", "claude", "Llama-2-7b-chat-hf", "Llama-2-7b-hf"}
ASSISTANTS = {"chatgpt", "claude", "gpt-4-0613", "mistral", "vicuna-7b-v1.5", "vicuna-13b-v1.5"}
ASSISTANTS |= {"Llama-2-13b-chat-hf", "Llama-2-70b-chat-hf"}
REASONING_CHARS = 3000  # longer chains of thought are left out: nobody reads them with care
NO_COMMENT = "I have no comment"  # how TruthfulQA marks a question without an answer
ANCHOR_RUNS = ("v2-clean-merged-20260502T1648Z", "v3-clean-merged-20260502T174849Z")
ANCHORS = {"false_anchor_plain": False, "false_anchor_verify_gate": False}  # whether it has an answer
ANCHORS |= {"true_premise_control": True, "verified_control": True}
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
    """Where the texts of others and the rows written for the set lie."""

    data: Path
    clones: Path
    own: Path = BLIND


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


def false_premises(folders: Folders) -> Iterator[Row]:
    """Answers of models with search results to questions of FreshQA and (QA)2."""
    repository = "varunsingh3000+false-premise-project"
    for folder in ("freshqa", "qa2"):
        for path in git_paths(folders.clones, repository, f"Results/{folder}"):
            if not path.endswith("evalabd_01.csv"):
                continue
            model = Path(path).name.removesuffix("evalabd_01.csv")
            table = csv.DictReader(io.StringIO(git_text(folders.clones, repository, path)))
            for number, record in enumerate(table):
                known = record.get("premise", record.get("all_assumptions_valid")) in ("FALSE", "all_valid")
                gold = (record["true_ans"].strip(),) if known else ()
                place, text = f"{path}:{number}", record["fwd_final_ans"]
                question = record["question"].strip()
                yield Row("false-premises", model, place, question, text, gold, known, not known)


def impossible_premises(folders: Folders) -> Iterator[Row]:
    """Answers to questions on made-up people and places and on events that cannot have happened."""
    repository = "RKMuggo+hallucination_project"
    folder = "phase_2_synthetic_dataset/generate_responses/responses"
    for path in git_paths(folders.clones, repository, folder):
        table = csv.DictReader(io.StringIO(git_text(folders.clones, repository, path)))
        for number, record in enumerate(table):
            place, text = f"{path}:{number}", record["llm_response"]
            model, question = Path(path).stem, record["question"].strip()
            yield Row("impossible-premises", model, place, question, text, (), False, True)


def false_anchors(folders: Folders) -> Iterator[Row]:
    """Answers to questions on made-up papers, laws and standards, and on real ones as the control."""
    repository = "blazingRadar+hallucination-research"
    for run in ANCHOR_RUNS:
        path = f"runs/hallucination-{run}/raw_responses.jsonl"
        for number, record in json_lines(git_text(folders.clones, repository, path)):
            known, text = ANCHORS.get(record["condition"]), record["response_text"] or ""
            if known is not None and len(text) <= REASONING_CHARS:
                place, question = f"{path}:{number}", record["prompt"]
                yield Row("false-anchors", record["model"], place, question, text, (), known, not known)


def truthfulqa_chat(folders: Folders) -> Iterator[Row]:
    path = "results/raw/exp1_cross_model.json"
    models = json.loads(git_text(folders.clones, "Hypogenic-AI+natural-hallucinations-claude", path))
    for model, records in models.items():
        for number, record in enumerate(records):
            known = record["best_answer"] != NO_COMMENT
            gold = tuple(record["correct_answers"]) if known else ()
            place, question = f"{path}:{number}:{model}", record["question"]
            likely = not known or record["category"].startswith("Indexical Error")
            yield Row("truthfulqa-chat", model, place, question, record["answer"], gold, known, likely)


def truthfulqa_open(folders: Folders) -> Iterator[Row]:
    """Greedy answers of open models, cut off after 80 tokens, to TruthfulQA and MedHallu."""
    repository = "AlexDongzeyu+llm-hallucination-self-testing"
    for path in git_paths(folders.clones, repository, "results/CANONICAL_v2"):
        name = Path(path).stem
        if not (name.startswith("main_greedy_") and "truthfulqa_n817" in name) and not (
            name.startswith("ablation_") and "greedy_medhallu_n200" in name
        ):
            continue
        run = json.loads(git_text(folders.clones, repository, path))
        model, (task,) = run["model"].split("/")[-1], run["results"]
        for number, record in enumerate(run["results"][task]["greedy"]["per_question"]):
            known = record["reference"] != NO_COMMENT
            gold = (record["reference"],) if known and task == "truthfulqa" else ()
            place, question = f"{path}:{number}", record["question"]
            yield Row("truthfulqa-open", model, place, question, record["answer"], gold, known, not known)


def grounded(folders: Folders) -> Iterator[Row]:
    """Answers of Qwen 2.5 to questions on a given passage that holds the answer, a part of it or none."""
    repository = "stxxllbu+grounded-refusal"
    for path in git_paths(folders.clones, repository, "outputs"):
        if not path.endswith("_pilot.jsonl") or "inference-" not in path:
            continue
        data = f"data/{Path(path).stem.replace('base_', 'data_')}.jsonl"
        asked = json_lines(git_text(folders.clones, repository, data))
        questions = {record["id"]: record["question"] for _, record in asked}
        for number, record in json_lines(git_text(folders.clones, repository, path)):
            known = {"answerable": True, "unanswerable": False}.get(record["answerability"])
            gold = (record["reference_answer"],) if known else ()
            place, model = f"{path}:{number}", record["model_name"].split("/")[-1]
            question, text = questions[record["id"]], record["model_output"]
            yield Row("grounded", model, place, question, text, gold, known, not known)


def authored(folders: Folders) -> Iterator[Row]:
    for number, record in json_lines((folders.own / "authored.jsonl").read_text(encoding="utf-8")):
        text, known = record["response"], record["answerable"]
        place = f"authored.jsonl:{number}"
        yield Row(
            "authored", "authored", place, record["question"], text, tuple(record["answers"]), known, True
        )


READERS: dict[str, Callable[[Folders], Iterator[Row]]] = {
    "unknownbench-sample": unknownbench_sample,
    "unknownbench-others": unknownbench_others,
    "pkqa": alignment_for_honesty,
    "own-SmolLM2": own_models,
    "own-gemma": own_models,
    "multi-hop": disagreement,
    "squad-passages": passages,
    "triviaqa": trivia,
    "truthfulqa": truthfulqa,
    "umwp-reasoning": reasoning,
    "false-premises": false_premises,
    "impossible-premises": impossible_premises,
    "false-anchors": false_anchors,
    "truthfulqa-chat": truthfulqa_chat,
    "truthfulqa-open": truthfulqa_open,
    "grounded": grounded,
    "authored": authored,
}
