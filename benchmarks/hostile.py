"""Forty run folders made to do harm, each from a whole run: links, code, addresses, sizes, names."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

MODEL = "systems/r-tuning/model"
ESCAPE = "a\x1b]0;title\x07\x1b[2J[/b]"
EVIL = "open('../outside.txt', 'w').write('changed')"


def unsealed(run: Path, **more: Any) -> None:
    """A manifest as Demur 0.1 wrote it, without digests: what stands in the other files is believed."""
    values = json.loads((run / "manifest.json").read_text())
    for name in ("files", "digest"):
        values.pop(name, None)
    write(run / "manifest.json", json.dumps(values | {"schema_version": 1} | more))


def write(path: Path, text: str | bytes) -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)


def in_json(run: Path, file: str, **values: Any) -> None:
    unsealed(run)
    path = run / file
    write(path, json.dumps(json.loads(path.read_text()) | values))


def in_config(run: Path, name: str, value: Any) -> None:
    unsealed(run)
    config = yaml.safe_load((run / "config.yaml").read_text())
    inner = config
    *parents, last = name.split(".")
    for key in parents:
        inner = inner.setdefault(key, {})
    inner[last] = value
    write(run / "config.yaml", yaml.safe_dump(config))


def in_manifest(run: Path, **values: Any) -> None:
    unsealed(run, **values)


def in_rows(run: Path, file: str, name: str, value: str) -> None:
    unsealed(run)
    table = pq.read_table(run / file)
    texts = [value, *table.column(name).to_pylist()[1:]]
    (run / file).unlink()
    at = table.column_names.index(name)
    pq.write_table(table.set_column(at, name, pa.array(texts, table.schema.field(name).type)), run / file)


def link(run: Path, name: str, target: str) -> None:
    path = run / name
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def code_beside(run: Path) -> None:
    in_json(run, f"{MODEL}/adapter_config.json", auto_map={"AutoConfig": "evil.Evil"})
    write(run / MODEL / "evil.py", EVIL)


def tokenizer_code(run: Path) -> None:
    in_json(
        run, f"{MODEL}/tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Evil", None]},
        tokenizer_class="Evil",
    )  # fmt: skip
    write(run / MODEL / "evil.py", EVIL)


def pickled(run: Path) -> None:
    unsealed(run)
    (run / MODEL / "adapter_model.safetensors").unlink()
    write(run / MODEL / "adapter_model.bin", pickle.dumps(Opens()))


class Opens:
    """Opens a file when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (EVIL,)


def shards_elsewhere(run: Path) -> None:
    unsealed(run)
    index = {"metadata": {}, "weight_map": {"a": "../../../../../outside.txt", "b": "/etc/passwd"}}
    write(run / MODEL / "adapter_model.safetensors.index.json", json.dumps(index))


def bomb(run: Path) -> None:
    """A thousand million nulls in some kilobytes."""
    unsealed(run)
    (run / "predictions/base.parquet").unlink()
    rows = pa.table(
        {"question_id": pa.array(["x"] * 3_000_000), "system": pa.array(["x" * 99] * 3_000_000)}
    )
    pq.write_table(rows, run / "predictions/base.parquet", compression="zstd")


def aliases(run: Path) -> None:
    rows = "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    write(run / "config.yaml", f"model:\n  options:\n    a0: &a0 [x]\n{rows.replace('  a', '    a')}")


def named_elsewhere(run: Path) -> None:
    values = json.loads((run / "manifest.json").read_text())["systems"]
    in_manifest(run, systems=values | {"../../outside": {"primary_signal": "sure"}})


def stage_elsewhere(run: Path) -> None:
    values = json.loads((run / "manifest.json").read_text())["stages"]
    in_manifest(run, stages=values | {"build/r-tuning": {"stages": ["../../../outside"], "inputs": ""}})


def escapes_everywhere(run: Path) -> None:
    values = json.loads((run / "manifest.json").read_text())
    in_manifest(run, command=ESCAPE, demur=ESCAPE, versions={ESCAPE: ESCAPE}, seed=values["seed"])


def guarantee(run: Path, **values: Any) -> None:
    in_json(run, "guarantee.json", **values)


def records_elsewhere(run: Path) -> None:
    """Digests of files outside the run, to be read or written by whoever compares them."""
    values = json.loads((run / "manifest.json").read_text())
    values["files"]["../outside.txt"] = {"bytes": 1, "sha256": ""}
    write(run / "manifest.json", json.dumps(values))


def template(run: Path, text: str) -> None:
    in_json(run, f"{MODEL}/tokenizer_config.json", chat_template=text)
    in_json(run, f"{MODEL}/demur.json", format="chat")


HOSTILE: dict[str, Callable[[Path], None]] = {
    "a file is a link out of the run": partial(link, name="questions.parquet", target="/etc/passwd"),
    "a folder is a link out of the run": partial(link, name=MODEL, target="/etc"),
    "the work folder is a link": partial(link, name="work", target=".."),
    "the report is a link to write through": partial(link, name="report.html", target="../outside.txt"),
    "a temporary file is a link": partial(link, name="report.html.partial", target="../outside.txt"),
    "the lock is a link": partial(link, name="work/lock", target="../../outside.txt"),
    "a link in a circle": partial(link, name="probe.parquet", target="probe.parquet"),
    "a pipe": lambda run: ((run / "metrics.json").unlink(), os.mkfifo(run / "metrics.json"))[0],
    "code beside the adapter": code_beside,
    "code of a tokenizer": tokenizer_code,
    "pickled weights": pickled,
    "weights in files elsewhere": shards_elsewhere,
    "remote code allowed": partial(in_config, name="model.trust_remote_code", value=True),
    "a server of theirs": partial(in_config, name="model.endpoint.base_url", value="http://127.0.0.1:9/v1"),
    "a judge of theirs": partial(in_config, name="judge.llm.base_url", value="http://127.0.0.1:9/v1"),
    "a key of yours": partial(in_config, name="model.endpoint.key_variable", value="HOME"),
    "results elsewhere": partial(in_config, name="out", value="../outside"),
    "a model elsewhere": partial(in_config, name="model.path", value="/etc"),
    "an engine of theirs": partial(in_config, name="model.engine", value="evil"),
    "options for another engine": partial(in_config, name="model.options", value={"a" * 9999: "b"}),
    "aliases that fill the memory": aliases,
    "a system named elsewhere": named_elsewhere,
    "a stage named elsewhere": stage_elsewhere,
    "systems of another type": partial(in_manifest, systems={"r-tuning": 5, "base": []}),
    "stages of another type": partial(in_manifest, stages={"probe": 5, "train/r-tuning": []}),
    "digests of files elsewhere": records_elsewhere,
    "escapes in the manifest": escapes_everywhere,
    "escapes in an answer": partial(
        in_rows, file="predictions/r-tuning.parquet", name="answer", value=ESCAPE
    ),
    "escapes in a question": partial(in_rows, file="questions.parquet", name="text", value=ESCAPE),
    "escapes in a dataset's name": partial(in_rows, file="questions.parquet", name="dataset", value=ESCAPE),
    "a group named all": partial(in_rows, file="questions.parquet", name="group", value="all"),
    "a split nobody knows": partial(in_rows, file="questions.parquet", name="split", value="<b>x</b>"),
    "an unknown verdict": partial(
        in_rows, file="predictions/base.parquet", name="verdict", value="excellent"
    ),
    "answers to other questions": partial(
        in_rows, file="predictions/r-tuning.parquet", name="question_id", value="nobody"
    ),
    "rows that fill the memory": bomb,
    "a promise of another type": partial(guarantee, guarantees={"all": {"threshold": "x"}}),
    "a promise for a missing system": partial(guarantee, system="nobody", sentences=[ESCAPE]),
    "a threshold of another type": partial(
        in_json, file=f"{MODEL}/demur.json", threshold={"signal": "sure", "value": [1]}
    ),
    "a template that reads files": partial(template, text="{% include '/etc/passwd' %}"),
    "a template that drops the question": partial(template, text="hello"),
}
"""What makes each of them out of a copy of a whole run."""
