"""Exports: every format's rows, character for character, and TRL's own reading of them."""

import dataclasses
import json
import os
import subprocess
from pathlib import Path

import pytest

from demur.core.errors import DataError, RunFolderError, UnknownNameError
from demur.core.records import Example, Probe, Question, Response, Verdict, write_parquet
from demur.export import EXPORTS, Material, export_run
from demur.export.alignment_for_honesty import row as honesty_row
from demur.runfolder.finished import FinishedRun

PROMPT = "Question: Where is “Oslo”? Answer: Norway. Are you sure? I am"
ROWS = (
    Example(prompt=PROMPT, completion=" sure.", question_id="q1", certain=True),
    Example(prompt="Q: Who?\nA:", completion=" Nobody.", question_id="q2", certain=False, ends=True),
)


@pytest.fixture
def material(tmp_path):
    run = FinishedRun.open(tmp_path / "run", evaluated=False)
    return Material(run=run, system="r-tuning", stages={"sft": ROWS}, end="</s>", about="Made by hand.")


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def values(path):
    return json.loads(path.read_text(encoding="utf-8"))


def write(name, material, folder):
    return EXPORTS.get(name).write(material, folder)


def test_trl_rows(material, tmp_path):
    (file,) = write("trl", material, tmp_path)
    assert lines(file) == [
        {"prompt": PROMPT, "completion": " sure."},
        {"prompt": "Q: Who?\nA:", "completion": " Nobody."},
    ]
    (file,) = write("trl", dataclasses.replace(material, chat=True), tmp_path)
    assert lines(file)[1] == {
        "prompt": [{"role": "user", "content": "Q: Who?\nA:"}],
        "completion": [{"role": "assistant", "content": " Nobody."}],
    }


def test_llama_factory_rows_and_their_description(material, tmp_path):
    file, info = write("llama-factory", material, tmp_path)
    assert values(file)[0] == {"instruction": PROMPT, "input": "", "output": " sure."}
    assert values(file)[1]["output"] == " Nobody.</s>"  # it ends, and the template adds nothing
    assert values(info) == {
        "demur-r-tuning-sft": {
            "file_name": "r-tuning-sft.json",
            "columns": {"prompt": "instruction", "query": "input", "response": "output"},
        }
    }


def test_axolotl_rows_hold_the_end_only_where_it_is_learned(material, tmp_path):
    (file,) = write("axolotl", material, tmp_path)
    assert [segment["text"] for row in lines(file) for segment in row["segments"]] == [
        *(PROMPT, " sure."),
        *("Q: Who?\nA:", " Nobody.</s>"),
    ]
    assert [segment["label"] for segment in lines(file)[0]["segments"]] == [False, True]


def test_openai_and_sharegpt_rows(material, tmp_path):
    (file,) = write("openai", material, tmp_path)
    assert lines(file)[0] == {
        "messages": [{"role": "user", "content": PROMPT}, {"role": "assistant", "content": " sure."}]
    }
    (file,) = write("sharegpt", material, tmp_path)
    assert values(file)[1] == {
        "conversations": [{"from": "human", "value": "Q: Who?\nA:"}, {"from": "gpt", "value": " Nobody."}]
    }


def test_lmflow_rows_put_no_loss_on_the_question(material, tmp_path):
    (file,) = write("lmflow", material, tmp_path)
    assert file.parent.name == "r-tuning-sft"
    assert values(file) == {
        "type": "text2text",
        "instances": [
            {"input": PROMPT, "output": " sure."},
            {"input": "Q: Who?\nA:", "output": " Nobody."},
        ],
    }


def probe(samples, verdicts, greedy=Verdict.WRONG):
    return Probe(
        question_id="q",
        greedy=Response(text="Bergen"),
        greedy_verdict=greedy,
        samples=tuple(Response(text=text) for text in samples),
        sample_verdicts=verdicts,
    )


def test_alignment_for_honesty_rows_count_what_is_not_right_as_unknown():
    question = Question(id="q", text="Where is it?", answers=("Oslo", "Christiania"), split="train")
    verdicts = (Verdict.CORRECT, Verdict.WRONG, Verdict.REFUSED, Verdict.UNSCORED)
    assert honesty_row(question, probe(("Oslo", "Rome", "I cannot say", "?"), verdicts)) == {
        "question": "Where is it?",
        "answers": ["Oslo", "Christiania"],
        "gold_answer": "Oslo",
        "greedy_pred_text": "Bergen",
        "greedy_label": "unknown",
        "sampling_pred_text": ["Oslo", "Rome", "I cannot say", "?"],
        "sampling_labels": ["known", "unknown", "unknown", "unknown"],
        "sampling_knowns": 1,
    }


def test_alignment_for_honesty_needs_samples(material, tmp_path):
    run = material.run
    write_parquet(
        run.folder.questions, [Question(id="q", text="Where?", answers=("Oslo",), split="train")], Question
    )
    write_parquet(run.folder.probe, [probe((), ())], Probe)
    with pytest.raises(DataError, match=r"probe\.samples"):
        write("alignment-for-honesty", material, tmp_path)
    write_parquet(run.folder.probe, [probe(("Oslo",), (Verdict.CORRECT,))], Probe)
    again = dataclasses.replace(material, run=FinishedRun.open(run.path, evaluated=False))
    (file,) = write("alignment-for-honesty", again, tmp_path)
    assert [row["sampling_knowns"] for row in lines(file)] == [1]


@pytest.mark.parametrize("name", EXPORTS.names())
def test_every_format_says_where_the_loss_falls(name, material):
    form = EXPORTS.get(name)
    assert form.name == name
    assert form.loss(material).endswith(".")
    assert form.loss(dataclasses.replace(material, chat=True)).endswith(".")


def test_what_differs_is_said():
    closed = Material(system="s", stages={"sft": ROWS[1:]}, about="")
    both = dataclasses.replace(closed, stages={"sft": ROWS})
    assert "as in Demur" in EXPORTS.get("trl").loss(closed)
    assert "1 rows have none in Demur" in EXPORTS.get("trl").loss(both)
    assert "other text" in EXPORTS.get("openai").loss(closed)


def test_trl_itself_reads_the_rows_with_loss_on_the_completion_only(material, tmp_path):
    """TRL's own preparation, on the file as it stands."""
    from datasets import load_dataset
    from trl import SFTConfig, SFTTrainer

    from demur.pocket import bundled_model
    from demur.pocket.measuring import load_model

    model, tokenizer = load_model(bundled_model())
    (file,) = write("trl", material, tmp_path)
    data = load_dataset("json", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"))
    arguments = SFTConfig(output_dir=str(tmp_path / "out"), use_cpu=True, report_to="none", bf16=False)
    trainer = SFTTrainer(model=model, args=arguments, train_dataset=data, processing_class=tokenizer)
    batch = trainer.data_collator([trainer.train_dataset[0]])
    learned = [
        token
        for token, label in zip(batch["input_ids"][0], batch["labels"][0], strict=True)
        if label != -100
    ]
    assert tokenizer.decode(learned, skip_special_tokens=True) == " sure."


def test_llama_factory_itself_reads_the_rows_with_loss_on_the_completion_only(tmp_path):
    """Its own loader, template and masking, in the environment of `make proof-llama-factory`."""
    python = os.environ.get("LLAMA_FACTORY_PYTHON")
    if not python:
        pytest.skip("LLAMA_FACTORY_PYTHON names no interpreter that has it (make proof-llama-factory)")
    from demur.pocket import bundled_model

    run = FinishedRun.open(tmp_path / "run", evaluated=False)
    end = "<|endoftext|>"
    material = Material(run=run, system="r-tuning", stages={"sft": ROWS}, end=end, about="Made by hand.")
    write("llama-factory", material, tmp_path)
    script = Path(__file__).parents[1] / "llama_factory_rows.py"
    command = [python, str(script), str(tmp_path), "demur-r-tuning-sft", str(bundled_model("pocket-2"))]
    offline = os.environ | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=offline)
    assert done.returncode == 0, done.stderr[-2000:]
    read = [json.loads(line[4:]) for line in done.stdout.splitlines() if line.startswith("ROW ")]
    learned = [row.completion + (end if row.ends else "") for row in ROWS]
    assert [row["loss"] for row in read] == learned
    assert [row["text"] for row in read] == [
        row.prompt + text for row, text in zip(ROWS, learned, strict=True)
    ]


def text_only(path, *texts, kind="text_only"):
    path.write_text(json.dumps({"type": kind, "instances": [{"text": text} for text in texts]}))
    return path


def test_r_tunings_released_form_becomes_rows_with_a_prompt(tmp_path):
    path = text_only(tmp_path / "train.json", f"{PROMPT} sure.", f"{PROMPT} unsure.")
    file, card = export_run(path, "trl", tmp_path / "out")
    assert lines(file) == [
        {"prompt": PROMPT, "completion": " sure."},
        {"prompt": PROMPT, "completion": " unsure."},
    ]
    text = card.read_text(encoding="utf-8")
    assert "2 rows, 1 of certain and 1 of uncertain data" in text
    assert "Read from `train.json`" in text


def test_other_files_are_named_for_what_is_wrong(tmp_path):
    with pytest.raises(DataError, match="instance 2: no 'I am sure'"):
        export_run(text_only(tmp_path / "a.json", f"{PROMPT} sure.", "The end."), "trl", tmp_path / "out")
    with pytest.raises(DataError, match="text_only"):
        export_run(text_only(tmp_path / "b.json", kind="text2text"), "trl", tmp_path / "out")
    with pytest.raises(DataError, match="whose probe is exported"):
        path = text_only(tmp_path / "c.json", f"{PROMPT} sure.")
        export_run(path, "alignment-for-honesty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_run_is_said(tmp_path):
    with pytest.raises(RunFolderError, match=r"no manifest\.json"):
        export_run(tmp_path, "trl", tmp_path / "out")
    with pytest.raises(UnknownNameError, match="axolotl"):
        export_run(tmp_path, "axolotol", tmp_path / "out")
