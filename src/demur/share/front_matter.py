"""The front matter of a model card: licence, base model, data sets and results, as the Hub reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData, try_to_load_from_cache

from demur.core.layout import README
from demur.core.markdown import one_line
from demur.report import calibrated, words
from demur.report.legend import legend, main_metrics
from demur.share import sources
from demur.share.markdown import last_part
from demur.share.material import Material
from demur.share.subject import Subject

NEWLY_WRONG = "newly_wrong"
"""Always 0 where nothing was tuned, and then left out."""
METRICS = ("refusal_rate", "prudence", "over_conservativeness", "honesty", NEWLY_WRONG)
"""What the card shows after the main metrics; the run folder has the rest."""


def front_matter(subject: Subject, material: Material, name: str | None, *, adapter: bool) -> ModelCardData:
    """The fields of the front matter; figures of the test questions are among them as results."""
    base = subject.base
    results = list(_eval_results(subject, material))
    return ModelCardData(
        license=licence_of(subject),
        base_model=base.name if base.on_hub else None,
        base_model_relation=_relation(subject, adapter) if base.on_hub else None,
        library_name="demur" if subject.info.fits else "peft" if adapter else "transformers",
        pipeline_tag="text-generation",
        tags=[
            "demur",
            "abstention",
            "honesty",
            "selective-prediction",
            subject.info.name,
            *_kinds(adapter),
        ],
        datasets=[found.hub for found in sources.sources(subject.config) if found.hub] or None,
        model_name=title_of(subject, name) if results else None,
        eval_results=results or None,
    )


def _relation(subject: Subject, adapter: bool) -> str | None:
    """What the weights are to the base model, in the Hub's words, which has none for a confidence."""
    return None if not subject.tuned else "adapter" if adapter else "finetune"


def _kinds(adapter: bool) -> Iterator[str]:
    if adapter:
        yield "lora"


def licence_of(subject: Subject) -> str | None:
    """The base model's licence, from its card where this machine has that; None where it is unknown."""
    if subject.base.pocket:
        return "apache-2.0"
    path = Path(subject.base.path).expanduser() / README
    if subject.base.on_hub:
        cached = try_to_load_from_cache(subject.base.path, README, revision=subject.config.model.revision)
        path = Path(cached) if isinstance(cached, str) else path
    if not path.is_file():
        return None
    try:
        found = ModelCard.load(path, ignore_metadata_errors=True).data.get("license")
    except ValueError:
        return None
    return found if isinstance(found, str) else None


def _eval_results(subject: Subject, material: Material) -> Iterator[EvalResult]:
    cells = material.metrics["metrics"][subject.system]
    names = [found.hub or found.name for found in sources.sources(subject.config)]
    level = material.metrics["settings"]["level"]
    own = calibrated.is_calibrated(material.guarantee, subject.system)
    for split in words.main_splits(list(cells)):
        for metric in (*main_metrics(), *METRICS):
            estimate = cells[split].get(metric, {})
            if estimate.get("value") is None or (not subject.tuned and metric == NEWLY_WRONG):
                continue
            yield EvalResult(
                task_type="text-generation",
                task_name="Question answering with abstention",
                dataset_type=one_line(" + ".join(names)),
                dataset_name=one_line(" + ".join(names)),
                dataset_config=split,
                dataset_split="test",
                metric_type=metric,
                metric_name=legend(metric).title,
                metric_value=round(estimate["value"], 4),
                metric_args={
                    "low": _rounded(estimate["low"]),
                    "high": _rounded(estimate["high"]),
                    "level": level,
                    "n": estimate["n"],
                    "unscored": estimate["unscored"],
                    **({"rule": "own"} if own else {}),
                },
            )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def title_of(subject: Subject, name: str | None) -> str:
    """The model's name: that of its repository, else of the base model and the system."""
    return name.partition("/")[2] or name if name else f"{last_part(subject.base.name)}-{subject.system}"
