"""The facts of a model card, as its template shows them: training, results, the rule to decline, costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from demur.core.config import PAPER_THRESHOLD
from demur.core.layout import CARD
from demur.core.names import FIXED
from demur.core.version import __version__
from demur.methods import thresholds
from demur.methods.r_tuning import loss_of
from demur.report import calibrated, words
from demur.report.controlled import sentences as above_controls
from demur.report.controlled import tuning
from demur.report.headline import findings
from demur.report.legend import legend, main_metrics
from demur.report.tax import headline as tax_headline
from demur.report.tax import tax_rows
from demur.share import sources, usage
from demur.share.front_matter import METRICS, NEWLY_WRONG, licence_of, title_of
from demur.share.markdown import last_part, without_places
from demur.share.material import Material
from demur.share.subject import REPOSITORY, Subject

BASE, OWN, FITTED = "base", "this model", "with this confidence"


def facts_of(subject: Subject, material: Material, name: str | None, *, adapter: bool) -> dict[str, Any]:
    """What the template `card.md.j2` is filled with, by the names that it uses."""
    config, manifest = subject.config, material.manifest
    repository = name or REPOSITORY
    found = list(sources.sources(config))
    return {
        "title": title_of(subject, name),
        "subject": subject,
        "info": subject.info,
        "asking": subject.asking,
        "prompt": subject.asking.prompt(subject.sample),
        "adapter": adapter,
        "fitted": subject.info.fits,
        "tuned": subject.tuned,
        "licence": licence_of(subject),
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
        "with_demur": usage.of_fit(repository)
        if subject.info.fits
        else usage.with_demur(subject, repository, adapter=adapter, guarantee=material.guarantee),
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


def _findings(subject: Subject, material: Material) -> list[str]:
    """What the run found of this system, in sentences: refusals, knowledge, and what is had for free."""
    order = ["base", subject.system, *(s for s in material.manifest["systems"] if s in words.REFERENCES)]
    about = {
        "method": subject.system,
        "systems": dict.fromkeys(order),
        "stages": material.manifest.get("stages", {}),
    }
    known = material.metrics.get("controls", {}).get(subject.system, {})
    told = (finding.text for finding in findings(material.metrics, about, material.guarantee))
    return [*tuning(subject.system, material.manifest), *told, *above_controls(known)]


def _training(subject: Subject, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What the weights were tuned on, a sentence for each stage; or what was fitted to how many labels."""
    fitted = manifest["stages"].get(f"fit/{subject.owner}", {}).get("fitted")
    if fitted is not None:
        yield (
            f"Fitted on {fitted['labels']:,} labelled answers, {fitted['right']:,} of them right, with "
            f"{fitted['folds']} folds of cross-validation that keep questions about one subject together"
        )
    plans = manifest["stages"].get(f"train/{subject.owner}", {}).get("plan", {})
    for stage, plan in plans.items():
        rows = list(subject.run.training(subject.owner, stage))
        certain, uncertain = (sum(row.certain is side for row in rows) for side in (True, False))
        kinds = (
            f", {certain:,} of certain and {uncertain:,} of uncertain data" if certain + uncertain else ""
        )
        yield (
            f"Training stage {stage}: {plan['rows']:,} rows{kinds}; {plan['steps']:,} steps; loss on "
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
    own = subject.config.for_system(subject.owner)
    chosen = loss_of(own, formed=subject.asking.chat or subject.base.pocket)
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


def _splits(subject: Subject, material: Material) -> Iterator[_Split]:
    metrics = material.metrics
    own = metrics["metrics"][subject.system]
    for split in words.main_splits(list(own)):
        policies = metrics.get("policies", {}).get(subject.system, {}).get(split, {})
        title = OWN if subject.tuned else FITTED
        columns = {BASE: metrics["metrics"]["base"].get(split, {}), title: own[split]} | {
            words.POLICIES.get(policy, policy).format(system="it"): cells
            for policy, cells in policies.items()
        }
        yield _Split(
            title=words.split_title(split),
            columns=tuple(columns),
            rows=tuple(
                _row(metric, own[split][metric], columns)
                for metric in (*main_metrics(), *METRICS)
                if metric in own[split] and (subject.tuned or metric != NEWLY_WRONG)
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


def _rule(subject: Subject, material: Material) -> str:
    """When it declines, in words: as calibrated where it is, and by its own rule."""
    own = _own_rule(subject, material)
    if not calibrated.is_calibrated(material.guarantee, subject.system):
        return own
    assert material.guarantee is not None
    return f"declines as calibrated ({calibrated.rule(material.guarantee)}). By its own rule, it {own}"


def _own_rule(subject: Subject, material: Material) -> str:
    learned = material.settings.get("learned", {}).get(subject.system)
    signals = subject.info.signals
    if learned is not None:
        return (
            f"declines where learned, its signals weighed on {learned['combination']['n']:,} calibration "
            f"questions, is below {learned.get('threshold', 0.5):.4f}"
        )
    if subject.info.fits:
        own = material.settings["threshold"]
        how = f"chosen on {own['n']:,} calibration questions" if thresholds.chosen(own) else "a fixed rule"
        return f"declines where {own['signal']}, its fitted confidence, is below {own['value']:.4g}, {how}"
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
    own = ("build", "train", "fit")
    names = ("probe", *(f"{stage}/{subject.owner}" for stage in own), f"predict/{subject.asked}")
    for name in names:
        notes = manifest["stages"].get(name)
        if notes is not None:
            memory = notes.get("peak_memory_mb")
            shown = "–" if memory is None else f"{memory:,.0f} MB"
            yield name, words.duration(notes.get("seconds")), shown


def _known_places(subject: Subject) -> Iterator[tuple[str, str]]:
    config = subject.config
    yield str(config.out), last_part(config.out)
    if not subject.base.on_hub:
        yield subject.base.path, subject.base.name
        yield config.model.path, subject.base.name
    for found in sources.sources(config):
        if found.place:
            yield found.place, found.name
