"""Programs that ask a shared model, for its card. Texts of users stand in them as Python literals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demur.core.config import PAPER_THRESHOLD
from demur.core.names import FIXED, LEARNED
from demur.share.subject import Subject

EXAMPLE = "Who wrote this?"
"""The question of the examples."""


def with_demur(
    subject: Subject, repository: str, *, adapter: bool, guarantee: Mapping[str, Any] | None
) -> str:
    """The answer, its confidences, and whether it is given, as the run had them."""
    return "\n".join(_with_demur(subject, repository, adapter=adapter, guarantee=guarantee))


def of_fit(repository: str) -> str:
    """The base model's answers with the fitted confidence."""
    return "\n".join(
        (
            "from huggingface_hub import snapshot_download",
            "",
            "import demur",
            "",
            f"with demur.load(snapshot_download({repository!r})) as answerer:",
            f"    answer = answerer.ask({EXAMPLE!r})",
            "    print(answer.text, answer.confidence)",
        )
    )


def with_transformers(subject: Subject, repository: str, *, adapter: bool) -> str:
    """The same without Demur: the exact texts, on transformers and, for an adapter, PEFT."""
    return "\n".join(_with_transformers(subject, repository, adapter=adapter))


def _with_demur(
    subject: Subject, repository: str, *, adapter: bool, guarantee: Mapping[str, Any] | None
) -> Iterator[str]:
    name = subject.system
    learned = name.endswith(LEARNED)
    yield from (
        "import json",
        "from pathlib import Path",
        "",
        "from huggingface_hub import snapshot_download",
    )
    yield from (
        "",
        "from demur.core.config import load_config",
        "from demur.engines import Opening, Sampling",
    )
    yield from ("from demur.engines.hf import HFEngine", "from demur.methods import METHODS, Setup")
    yield from _pocket_import(subject) if adapter else ()
    yield "from demur.core.records import Question"
    yield from ("from demur.confidence.combination import Combination",) if learned else ()
    yield from ("from demur.core.templates import Template", "", *_folder(repository))
    yield 'settings = json.loads((folder / "demur.json").read_text(encoding="utf-8"))'
    yield from _base(subject) if adapter else ()
    opened = f"base, adapter=folder{_revision(subject)}" if adapter else "folder"
    yield f'engine = HFEngine.open(Opening({opened}, format=settings["format"]))'
    yield f'question = Question(id="1", text={EXAMPLE!r})'
    yield 'template = Template(**settings["template"])'
    asking, probe = subject.asking, subject.config.probe
    more = f", samples={asking.samples}, temperature={probe.temperature}, top_p={probe.top_p}"
    yield (
        'sampling = Sampling(max_new_tokens=settings["max_new_tokens"], stop=tuple(settings["stop"])'
        + (f"{more})" if asking.samples else ")")
    )
    yield "setup = Setup("
    rule = repr(PAPER_THRESHOLD) if name.endswith(FIXED) else 'settings["threshold"]["value"]'
    yield f'    config=load_config(None, {{"r_tuning.threshold": {rule}}}),'
    yield "    template=template,"
    yield "    render=engine.render,"
    yield "    sampling=sampling,"
    yield "    engine=engine,"
    yield ")"
    method = subject.config.method_of(subject.asked)
    yield f"[said] = METHODS.get({method!r})().elicit(engine, [question], setup)"
    yield "signals = dict(said.signals)"
    if learned:
        yield f'weighed = settings["learned"][{name!r}]'
        if guarantee is not None and "combination" in guarantee:
            yield 'weighed |= {"combination": ' + repr(guarantee["combination"]) + "}"
        yield 'signals["learned"] = Combination(**weighed["combination"])(signals)'
    yield f"answers = {_decision(guarantee, learned=learned)}"
    yield "print(said.answer if answers else template.refusal, signals)"


def _decision(guarantee: Mapping[str, Any] | None, *, learned: bool) -> str:
    """When the answer is given, as an expression."""
    threshold = _promised(guarantee)
    if guarantee is not None and threshold is not None:
        return f"signals.get({guarantee['signal']!r}, 0.0) >= {threshold!r}  # the threshold with a promise"
    if learned:
        return 'signals["learned"] >= weighed.get("threshold", 0.5)'
    return "not said.declines"


def _promised(guarantee: Mapping[str, Any] | None) -> float | None:
    """The threshold for all questions together; None where there is no such promise."""
    value: float | None = ((guarantee or {}).get("guarantees", {}).get("all") or {}).get("threshold")
    return value


def _with_transformers(subject: Subject, repository: str, *, adapter: bool) -> Iterator[str]:
    asking, sample = subject.asking, subject.sample
    scores = bool(asking.scored)
    yield from ("import math",) if scores else ()
    yield from (
        "from pathlib import Path",
        "",
        "import torch",
        "from huggingface_hub import snapshot_download",
    )
    yield from ("from peft import PeftModel",) if adapter else ()
    yield "from transformers import AutoModelForCausalLM, AutoTokenizer"
    yield from ("", *_pocket_import(subject)) if adapter and subject.base.pocket else ()
    yield from ("", *_folder(repository))
    yield "tokenizer = AutoTokenizer.from_pretrained(folder)"
    if adapter:
        yield from _base(subject)
        yield f"model = AutoModelForCausalLM.from_pretrained(base{_revision(subject)})"
        yield "model = PeftModel.from_pretrained(model, folder).eval()"
    else:
        yield "model = AutoModelForCausalLM.from_pretrained(folder).eval()"
    yield ""
    yield f'prompt = {asking.prompt(sample)!r}.replace("{{question}}", {EXAMPLE!r})'
    special = ""
    if asking.chat:
        yield "prompt = tokenizer.apply_chat_template("
        yield '    [{"role": "user", "content": prompt}],'
        yield "    tokenize=False, add_generation_prompt=True, enable_thinking=False, thinking=False,"
        yield ")"
        special = ", add_special_tokens=False"
    yield f'read = tokenizer(prompt, return_tensors="pt"{special})'
    stop = list(asking.stop)
    ends = f", stop_strings={stop!r}, tokenizer=tokenizer" if stop else ""
    yield "with torch.inference_mode():"
    limits = f"max_new_tokens={asking.max_new_tokens}, do_sample=False{ends}"
    yield f"    written = model.generate(**read, {limits})"
    yield "answer = tokenizer.decode(written[0, read.input_ids.shape[1]:], skip_special_tokens=True)"
    if stop:
        yield f"for end in {stop!r}:"
        yield "    answer = answer.partition(end)[0]"
    yield "answer = answer.strip()"
    yield from _scoring(subject, special) if scores else ()
    yield f"print(answer{', sure' if scores else ''})"


def _scoring(subject: Subject, special: str) -> Iterator[str]:
    asking = subject.asking
    yield from ("", "", "@torch.inference_mode()", "def log_probability(text, option):")
    yield f"    start = len(tokenizer(text{special}).input_ids)"
    yield f'    ids = tokenizer(text + option, return_tensors="pt"{special}).input_ids'
    yield "    scores = model(ids).logits[0, start - 1 : -1].log_softmax(-1)"
    yield "    return scores.gather(-1, ids[0, start:, None]).sum().item()"
    yield from ("", "")
    options = list(asking.scored)
    if "{answer}" in asking.scored_after:
        yield f'text = prompt + {asking.scored_after!r}.replace("{{answer}}", answer)'
        yield f"sure, unsure = (log_probability(text, option) for option in {options!r})"
        yield "sure = 1 / (1 + math.exp(unsure - sure))"
    else:
        yield f"refusals = {options!r}  # how its refusals open"
        yield "sure = 1 - sum(math.exp(log_probability(prompt, option)) for option in refusals)"


def _folder(repository: str) -> Iterator[str]:
    yield f"folder = Path(snapshot_download({repository!r}))"


def _pocket_import(subject: Subject) -> Iterator[str]:
    if subject.base.pocket:
        yield "from demur.pocket import ensure_model"


def _base(subject: Subject) -> Iterator[str]:
    base = subject.base
    if base.pocket:
        yield f"base = ensure_model({subject.config.seed}, {base.name!r})"
    elif base.on_hub:
        yield f"base = {base.name!r}"
    else:
        yield f"base = {base.public!r}  # not on the Hub: the folder where you have it"


def _revision(subject: Subject) -> str:
    revision = subject.config.model.revision
    return f", revision={revision!r}" if revision else ""
