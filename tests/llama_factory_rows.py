"""Prints the rows of an export as LLaMA-Factory reads them; run by an interpreter that has LLaMA-Factory.

    python llama_factory_rows.py FOLDER DATASET MODEL

A JSON object a line: the whole text that the model sees, and the text that the loss falls on.
"""

import json
import sys
import tempfile

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer

IGNORED = -100


def main(folder: str, dataset: str, model: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        model_args, data_args, training_args, *_ = get_train_args(
            {
                **{"stage": "sft", "do_train": True, "finetuning_type": "lora", "template": "empty"},
                **{"model_name_or_path": model, "dataset": dataset, "dataset_dir": folder},
                **{"output_dir": scratch, "report_to": "none", "use_cpu": True, "overwrite_cache": True},
            }
        )
        modules = load_tokenizer(model_args)
        tokenizer = modules["tokenizer"]
        template = get_template_and_fix_tokenizer(tokenizer, data_args)
        read = get_dataset(template, model_args, data_args, training_args, stage="sft", **modules)
        for row in read["train_dataset"]:
            learned = [token for token in row["labels"] if token != IGNORED]
            text, loss = (tokenizer.decode(tokens) for tokens in (row["input_ids"], learned))
            print("ROW", json.dumps({"text": text, "loss": loss}))


if __name__ == "__main__":
    main(*sys.argv[1:])
