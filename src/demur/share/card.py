"""The model card: what a tuned model is, whom it refuses, how it was made and measured, and its limits.

Every figure in it stands in the run folder. Its front matter is what the Hugging Face Hub reads
(https://huggingface.co/docs/hub/model-cards), made and parsed back by `huggingface_hub`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData, try_to_load_from_cache

from demur.core.config import PAPER_THRESHOLD
from demur.core.errors import ConfigError
from demur.core.files import write_json, write_text
from demur.core.layout import CARD, GUARANTEE, README, TAX
from demur.core.names import FIXED
from demur.core.signing import kept_signed
from demur.core.version import __version__
from demur.methods import thresholds
from demur.report import calibrated, words
from demur.report.headline import findings
from demur.report.legend import legend, main_metrics
from demur.report.tax import headline as tax_headline
from demur.report.tax import tax_rows
from demur.runfolder import provenance
from demur.share import contents, sources, usage
from demur.share.markdown import last_part, one_line, render, without_places
from demur.share.subject import Subject, repository_problem

REPOSITORY = "OWNER/NAME"
"""What stands for a repository's name where none was given."""
METRICS = ("refusal_rate", "prudence", "over_conservativeness", "honesty", "newly_wrong")
"""What the card shows after the main metrics; the run folder has the rest."""
BASE, OWN = "base", "this model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A model folder that is ready to be uploaded."""

    card: Path
    system: str
    weights: str
    """The system whose weights these are: not the same where it borrows them."""
    mended: tuple[str, ...]
    """What said where on this machine the model came from and does not any more, as ``FILE: FIELD``."""
    notices: tuple[str, ...]
    """What is not shared because it was computed from other files than these, with the reason."""
    upload: str
    """The command that uploads it."""


def write_card(root: Path, *, system: str | None = None, name: str | None = None) -> Shared:
    """Write a model card into the model folder of a run's system and make the folder fit to be uploaded.

    PEFT's own stub of a card is replaced. Files that name the folder of a base model on this machine name
    only the model afterwards; the run itself goes by its configuration and is not affected.

    Args:
        root: the run folder.
        system: by default the run's method. One that borrows weights gets the card of the weights it asks.
        name: of the repository on the Hub, such as ``me/my-model``.

    Raises:
        RunFolderError: this is no finished run, nothing of the system was tuned, or its folder holds what
            should not be shared.
        UnknownNameError: the run has no such system.
        ConfigError: the Hub would not take the name.
    """
    subject = Subject.of(root, system)
    with kept_signed(subject.folder, root):
        mended = contents.mend(subject.folder, subject.base)
        notices = [*refused_findings(subject), *_without_refused(subject)]
    text = build_card(subject, name=name, adapter=subject.is_adapter)
    contents.check(subject.folder)
    write_text(subject.folder / README, text)
    return Shared(
        card=subject.folder / README,
        system=subject.system,
        weights=subject.owner,
        mended=tuple(mended),
        notices=tuple(notices),
        upload=f"hf upload {name or REPOSITORY} {subject.folder}",
    )


def refused_findings(subject: Subject) -> list[str]:
    """Why findings of the run are not shared with a system, each in a sentence."""
    return [
        refused.sentence(subject.run.path)
        for file, refused in subject.run.refused.items()
        if file == TAX or (file == GUARANTEE and refused.concerns(subject.system))
    ]


def _without_refused(subject: Subject) -> list[str]:
    """Take a guarantee of files that have changed out of the ``demur.json`` that goes out; say so."""
    settings = subject.card
    kept = provenance.card_without_refused(
        settings, subject.folder, subject.run.path, base=provenance.base_folder(subject.config)
    )
    if kept == settings:
        return []
    write_json(subject.folder / CARD, kept)
    return [f"{CARD} holds no guarantee any more: it was of files that have changed"]


def build_card(subject: Subject, *, adapter: bool, name: str | None = None, promise: bool = True) -> str:
    """The card of a system's weights, as text.

    Args:
        adapter: of an adapter; else of every weight, merged.
        promise: whether the run's guarantee holds for these weights; not where their numbers were changed.

    Raises:
        ConfigError: the Hub would not take the name.
    """
    if name is not None:
        _check_name(name)
    material = _Material.of(subject, promise=promise)
    body = render("card.md.j2", **_context(subject, material, name, adapter=adapter))
    data = _front_matter(subject, material, name, adapter=adapter)
    text = f"---\n{data.to_yaml()}\n---\n\n{body}"
    parsed = ModelCard(text)  # the Hub's own reading of it: nothing may be lost or gained
    assert str(parsed.data) == str(data), "the front matter does not read back as it was written"
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """The JSON files of a run that a card speaks of."""

    metrics: dict[str, Any]
    manifest: dict[str, Any]
    settings: dict[str, Any]
    guarantee: dict[str, Any] | None
    """Of this system; None where it has none."""
    tax: dict[str, Any] | None
    """Of these weights; None where it was not measured."""
    promise: bool
    """Whether the run's guarantee holds for the weights of the card."""
    notices: Mapping[str, str]
    """Why a file of findings is not used, by its name."""

    @classmethod
    def of(cls, subject: Subject, *, promise: bool) -> _Material:
        run = subject.run
        guarantee, tax = run.guarantee, run.tax
        own = guarantee if guarantee and guarantee["system"] == subject.system else None
        refused = {
            file: found
            for file, found in run.refused.items()
            if file == TAX or (file == GUARANTEE and found.concerns(subject.system))
        }
        return cls(
            metrics=run.metrics,
            manifest=run.manifest,
            settings=subject.card,
            guarantee=own if promise else None,
            tax=tax if tax and tax["weights"] == subject.owner else None,
            promise=promise or own is None,
            notices={file: found.sentence() for file, found in refused.items()},
        )


def _check_name(name: str) -> None:
    problem = repository_problem(name)
    if problem is not None:
        raise ConfigError(
            expected="a repository's name that the Hub takes, such as me/my-model",
            found=repr(name),
            where="--name",
            fix=one_line(problem),
        )


# -- the front matter ----------------------------------------------------------------------------


def _front_matter(
    subject: Subject, material: _Material, name: str | None, *, adapter: bool
) -> ModelCardData:
    base = subject.base
    results = list(_eval_results(subject, material))
    return ModelCardData(
        license=_licence(subject),
        base_model=base.name if base.on_hub else None,
        base_model_relation=("adapter" if adapter else "finetune") if base.on_hub else None,
        library_name="peft" if adapter else "transformers",
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
        model_name=_title(subject, name) if results else None,
        eval_results=results or None,
    )


def _kinds(adapter: bool) -> Iterator[str]:
    if adapter:
        yield "lora"


def _licence(subject: Subject) -> str | None:
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


def _eval_results(subject: Subject, material: _Material) -> Iterator[EvalResult]:
    cells = material.metrics["metrics"][subject.system]
    names = [found.hub or found.name for found in sources.sources(subject.config)]
    level = material.metrics["settings"]["level"]
    own = calibrated.is_calibrated(material.guarantee, subject.system)
    for split in words.main_splits(list(cells)):
        for metric in (*main_metrics(), *METRICS):
            estimate = cells[split].get(metric, {})
            if estimate.get("value") is None:
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


def _title(subject: Subject, name: str | None) -> str:
    return name.partition("/")[2] or name if name else f"{last_part(subject.base.name)}-{subject.system}"


# -- the text ------------------------------------------------------------------------------------


def _context(subject: Subject, material: _Material, name: str | None, *, adapter: bool) -> dict[str, Any]:
    config, manifest = subject.config, material.manifest
    repository = name or REPOSITORY
    found = list(sources.sources(config))
    return {
        "title": _title(subject, name),
        "subject": subject,
        "info": subject.info,
        "asking": subject.asking,
        "prompt": subject.asking.prompt(subject.sample),
        "adapter": adapter,
        "licence": _licence(subject),
        "findings": _findings(subject, material),
        "sources": found,
        "training": list(_training(subject, manifest)),
        "loss": _loss(subject),
        "splits": list(_splits(subject, material)),
        "level": words.percent(material.metrics["settings"]["level"]),
        "promise": [line for line in (material.guarantee or {}).get("sentences", ()) if line],
        "notices": material.notices,
        "promise_holds": material.promise,
        "calibrated": calibrated.is_calibrated(material.guarantee, subject.system),
        "rule": _rule(subject, material),
        "tax": None if material.tax is None else tax_headline(material.tax),
        "tax_rows": [] if material.tax is None else tax_rows(material.tax),
        "with_demur": usage.with_demur(subject, repository, adapter=adapter, guarantee=material.guarantee),
        "with_transformers": usage.with_transformers(subject, repository, adapter=adapter),
        "command": without_places(manifest["command"], _known_places(subject)),
        "versions": manifest["versions"],
        "version": manifest["demur"],
        "written_by": __version__,
        "seed": manifest["seed"],
        "stages": list(_stages(subject, manifest)),
        "settings_file": CARD,
        "refusal": config.template.template(chat=subject.asking.chat).refusal,
    }


def _findings(subject: Subject, material: _Material) -> list[str]:
    """What the run found of this system, in sentences: refusals, knowledge, and what is had for free."""
    order = ["base", subject.system, *(s for s in material.manifest["systems"] if s in words.REFERENCES)]
    about = {"method": subject.system, "systems": dict.fromkeys(order)}
    return [finding.text for finding in findings(material.metrics, about, material.guarantee)]


def _training(subject: Subject, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What the weights were tuned on, a sentence for each stage."""
    plans = manifest["stages"].get(f"train/{subject.owner}", {}).get("plan", {})
    for stage, plan in plans.items():
        rows = list(subject.run.training(subject.owner, stage))
        certain, uncertain = (sum(row.certain is side for row in rows) for side in (True, False))
        kinds = (
            f", {certain:,} of certain and {uncertain:,} of uncertain data" if certain + uncertain else ""
        )
        yield (
            f"stage {stage}: {plan['rows']:,} rows{kinds}; {plan['steps']:,} steps; loss on "
            f"{plan['supervised_tokens']:,} of {plan['tokens']:,} tokens; {_settings(subject, stage)}"
        )


def _settings(subject: Subject, stage: str) -> str:
    alone = stage.partition("-")[2] if stage.startswith("round") else stage
    used = subject.config.training_for(subject.owner, alone)
    lora = f"LoRA of rank {used.lora_rank}, alpha {used.lora_alpha}" if used.lora else "every weight tuned"
    return (
        f"{lora}; learning rate {used.learning_rate:g} ({used.scheduler}), {used.epochs:g} epochs, "
        f"batches of {used.batch_size * used.accumulate}"
    )


def _loss(subject: Subject) -> str:
    """On what the loss fell: what the configuration chose, where the method leaves a choice."""
    chosen = subject.config.for_system(subject.owner).r_tuning.loss
    return (
        f"{chosen} (of: {subject.info.loss})" if "combined" in subject.info.signals else subject.info.loss
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Split:
    """The table of one split."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Metric, n, unscored, then a figure for each column."""


def _splits(subject: Subject, material: _Material) -> Iterator[_Split]:
    metrics = material.metrics
    own = metrics["metrics"][subject.system]
    for split in words.main_splits(list(own)):
        policies = metrics.get("policies", {}).get(subject.system, {}).get(split, {})
        columns = {BASE: metrics["metrics"]["base"].get(split, {}), OWN: own[split]} | {
            words.POLICIES.get(policy, policy).format(system="it"): cells
            for policy, cells in policies.items()
        }
        yield _Split(
            title=words.split_title(split),
            columns=tuple(columns),
            rows=tuple(
                _row(metric, own[split][metric], columns)
                for metric in (*main_metrics(), *METRICS)
                if metric in own[split]
            ),
        )


def _row(metric: str, own: Mapping[str, Any], columns: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    entry = legend(metric)
    title = f"{entry.title} {entry.arrow}".rstrip()
    return (title, f"{own['n']:,}", f"{own['unscored']:,}", *(_cell(metric, c) for c in columns.values()))


def _cell(metric: str, cells: Mapping[str, Any]) -> str:
    """A figure with its interval; a dash where it is undefined, nothing where it was not measured."""
    estimate, entry = cells.get(metric), legend(metric)
    if estimate is None:
        return ""
    interval = entry.interval(estimate["low"], estimate["high"])
    return f"{entry.cell(estimate['value'])} [{interval}]" if interval else entry.cell(estimate["value"])


def _rule(subject: Subject, material: _Material) -> str:
    """When it declines, in words: as calibrated where it is, and by its own rule."""
    own = _own_rule(subject, material)
    if not calibrated.is_calibrated(material.guarantee, subject.system):
        return own
    assert material.guarantee is not None
    return f"declines as calibrated ({calibrated.rule(material.guarantee)}). By its own rule, it {own}"


def _own_rule(subject: Subject, material: _Material) -> str:
    learned = material.settings.get("learned", {}).get(subject.system)
    signals = subject.info.signals
    if learned is not None:
        return (
            f"declines where learned, its signals weighed on {learned['combination']['n']:,} calibration "
            f"questions, is below {learned.get('threshold', 0.5):.4f}"
        )
    if "combined" in signals:
        own, fixed = material.settings["threshold"], subject.system.endswith(FIXED)
        value = PAPER_THRESHOLD if fixed else own["value"]
        chosen = thresholds.chosen(own) and not fixed
        how = f"chosen on {own['n']:,} calibration questions" if chosen else "a fixed rule"
        return f"declines where sure, the probability of its word for certain, is below {value:.4g}, {how}"
    if subject.info.refusals or "sure" in signals:
        return "declines in words"
    return "has no rule of its own to decline by: it always answers, with a confidence to decide on"


def _stages(subject: Subject, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What the stages that concern it took."""
    names = ("probe", f"build/{subject.owner}", f"train/{subject.owner}", f"predict/{subject.asked}")
    for name in names:
        notes = manifest["stages"].get(name)
        if notes is not None:
            yield name, words.duration(notes["seconds"]), f"{notes['peak_memory_mb']:,.0f} MB"


def _known_places(subject: Subject) -> Iterator[tuple[str, str]]:
    config = subject.config
    yield str(config.out), last_part(config.out)
    if not subject.base.on_hub:
        yield subject.base.path, subject.base.name
        yield config.model.path, subject.base.name
    for found in sources.sources(config):
        if found.place:
            yield found.place, found.name
