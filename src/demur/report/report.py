"""One self-contained page per run: opens offline, asks nothing of a network, runs no foreign text.

Whatever a model or a dataset said reaches the page as escaped text (Jinja2's autoescape) or as JSON
data that the script puts into text nodes. A content security policy allows exactly the page's own
script and style, by hash, and no connection at all: a hole in the escaping would still run nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from demur.core.files import write_text
from demur.core.sealed import OPENED
from demur.core.version import __version__
from demur.judging.languages import unread_sentence
from demur.judging.llm_judge import sentences
from demur.knowledge import first_look
from demur.methods import thresholds
from demur.report import payload, sheets, views, words
from demur.report.controlled import controlled
from demur.report.headline import Finding, findings
from demur.report.legend import legends
from demur.report.material import BEFORE, Material
from demur.report.promise import TERMS, promise
from demur.report.tax import tax_section
from demur.runfolder.finished import FinishedRun
from demur.runfolder.manifest import rewritten

FIGURE_LIMIT = 50_000
"""At most so many questions stand behind the curves, the histograms and the slider of a page."""
BROWSE_LIMIT = 10_000
"""At most so many single questions can be read on a page."""
SAMPLE_SEED = 0


def write_report(
    run: Path,
    *,
    figure_limit: int = FIGURE_LIMIT,
    browse_limit: int = BROWSE_LIMIT,
    seed: int = SAMPLE_SEED,
) -> Path:
    """Write ``report.html`` of a run folder, whole or not at all.

    Args:
        run: the run folder; see `demur.runfolder.finished` for what it must hold.
        figure_limit: questions behind the curves; above it a seeded sample is drawn and the page says so.
        browse_limit: questions that can be read singly; likewise.
        seed: of those samples.

    Returns:
        The path of the page.

    Raises:
        RunFolderError: a file of the run is missing or does not fit the others.
    """
    found = FinishedRun.open(run, in_memory=True)
    page = render(found, figure_limit=figure_limit, browse_limit=browse_limit, seed=seed)
    with rewritten(run, found.folder.report):
        write_text(found.folder.report, page)
    return found.folder.report


def write_csv(run: Path, folder: Path, *, browse_limit: int = BROWSE_LIMIT) -> list[Path]:
    """Write every table and figure of a run's report to ``folder/NAME.csv``: what the page's buttons give.

    Args:
        browse_limit: single questions in ``answers.csv``, those that the page shows.

    Raises:
        RunFolderError: a file of the run is missing or does not fit the others.
    """
    found = FinishedRun.open(run, in_memory=True)
    material = Material.of(found)
    data = payload.build(
        found, material, figure_limit=FIGURE_LIMIT, browse_limit=browse_limit, seed=SAMPLE_SEED
    )
    return sheets.write_sheets([*sheets.sheets(found, material), sheets.answers(data)], folder)


def render(run: FinishedRun, *, figure_limit: int, browse_limit: int, seed: int) -> str:
    """The page of a run as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("demur.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script, style = _asset("report.js"), _asset("report.css")
    material = Material.of(run)
    data = payload.build(run, material, figure_limit=figure_limit, browse_limit=browse_limit, seed=seed)
    tables = sheets.sheets(run, material)
    # Our own files and escaped JSON; everything else on the page is escaped by the template.
    trusted = {"script": script, "style": style, "data": payload.embed(data)}
    trusted["sheets"] = payload.embed(payload.packed(tables))
    return environment.get_template("report.html.j2").render(
        **{name: Markup(text) for name, text in trusted.items()},  # noqa: S704
        policy=_policy(script, style),
        **_context(run, data, tables),
    )


def _context(run: FinishedRun, data: Mapping[str, Any], tables: Sequence[sheets.Sheet]) -> dict[str, Any]:
    places = _by_place(run)
    systems = [system for system in run.predictions if system in run.metrics["metrics"]]
    about = run.manifest.get("systems", {})
    panels = views.panels(run.metrics, systems, run.manifest.get("method", ""))
    return {
        "run_name": run.path.resolve().name,
        "version": run.manifest.get("demur", __version__),
        "findings": places,
        "panels": panels,
        "silent": {panel.split: _silent(run.metrics, panel.split) for panel in panels},
        "first_split": (words.main_splits([p.split for p in panels]) or [""])[0],
        "systems": [_about(name, about.get(name, {})) for name in run.predictions],
        "method": next(
            iter(words.methods(systems, run.manifest.get("method", ""))), systems[0] if systems else ""
        ),
        "before": BEFORE if BEFORE in run.predictions else next(iter(run.predictions)),
        "colours": _colours(list(run.predictions)),
        "comparisons": views.comparisons(run.metrics),
        "legends": legends(),
        "title_of": words.title,
        "level": words.percent(run.metrics.get("settings", {}).get("level", 0.95)),
        "settings": run.metrics.get("settings", {}),
        "groups": run.metrics.get("groups", {}),
        "tax": tax_section(run.tax),
        "controlled": controlled(run.metrics, run.manifest),
        "promise": promise(run.guarantee),
        "first_look": _first_look(run),
        "unread": _unread(run),
        "opened": _opened(run),
        "calibrated": None if run.guarantee is None else words.title(run.guarantee["system"]),
        "refused": {file: refused.sentence() for file, refused in run.refused.items()},
        "terms": TERMS,
        "written": {sheet.name for sheet in tables if sheet.rows},
        "clauses": sum(len(f.parts) for _, found in places for f in found if f.opening),
        "total": data["total"],
        "drawn": len(data["membership"]),
        "browsed": len(data["browse"]),
        **_making(run),
    }


def _silent(metrics: Mapping[str, Any], split: str) -> str:
    """How many questions of a split each system gave no answer to; empty where all gave one."""
    counts = ((system, found.get(split, 0)) for system, found in metrics.get("no_answer", {}).items())
    return ", ".join(f"{words.title(system)} {count:,}" for system, count in counts if count)


def _by_place(run: FinishedRun) -> list[tuple[str, list[Finding]]]:
    """The headline's sentences under the questions that they speak of; those of no one place last."""
    places: dict[str, list[Finding]] = {}
    for finding in findings(run.metrics, run.manifest, run.guarantee):
        places.setdefault(finding.place, []).append(finding)
    return sorted(places.items(), key=lambda item: item[0] == "")


def _about(name: str, entry: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": name,
        "title": words.title(name),
        "description": entry.get("description") or words.DESCRIPTIONS.get(name, ""),
        "paper": entry.get("paper") or "",
        "primary": entry.get("primary_signal") or "",
        "rule": thresholds.sentence(entry["threshold"]) if "threshold" in entry else "",
    }


def _making(run: FinishedRun) -> dict[str, Any]:
    """How the run was made: what the last section shows."""
    manifest = run.manifest
    command = manifest.get("command", "")
    stages = [
        {
            "name": name,
            "time": words.duration(stage.get("seconds")),
            "memory": _memory(stage.get("peak_memory_mb")),
            "inputs": stage.get("inputs") or "–",
        }
        for name, stage in manifest.get("stages", {}).items()
    ]
    seconds = [stage.get("seconds") or 0.0 for stage in manifest.get("stages", {}).values()]
    return {
        "command": command if isinstance(command, str) else " ".join(command),
        "seed": manifest.get("seed"),
        "stages": stages,
        "judged": [
            {"name": name, "model": stage["judge"]["model"], "sentences": sentences(stage["judge"])}
            for name, stage in manifest.get("stages", {}).items()
            if "judge" in stage
        ],
        "total_time": words.duration(sum(seconds)),
        "versions": manifest.get("versions", {}),
        "config": run.config_text.strip(),
        "manifest_text": json.dumps(manifest, indent=2, ensure_ascii=False),
    }


def _first_look(run: FinishedRun) -> dict[str, Any] | None:
    """What the first answers of the base model look like; None where nobody has looked."""
    found = run.manifest.get("stages", {}).get("probe", {}).get("first_answers")
    if found is None:
        return None
    return {name: found[name] for name in ("warnings", "examples")} | {
        "sentence": first_look.sentence(found)
    }


def _opened(run: FinishedRun) -> list[str]:
    """What the data's notes say of a sealed part that this run read."""
    notes = run.manifest.get("stages", {}).get("data", {}).get("report", {}).get("notes", [])
    return [note for note in notes if note.startswith(OPENED)]


def _unread(run: FinishedRun) -> list[str]:
    """A sentence for each system with answers in languages whose refusals are not recognised."""
    counts = run.metrics.get("unread_languages", {})
    totals = {system: len(run.predictions[system]) for system in counts if system in run.predictions}
    return [f"{words.title(system)}: {unread_sentence(counts[system], n)}" for system, n in totals.items()]


def _memory(megabytes: float | None) -> str:
    return "–" if megabytes is None else f"{megabytes:,.0f} MB"


def _colours(systems: list[str]) -> dict[str, int]:
    """A colour number per system: fixed for the known ones, so that every report looks alike."""
    fixed = {
        "base": 0,
        "r-tuning": 1,
        "vanilla": 2,
        "base-likelihood": 3,
        "pretrain-w": 4,
        "familiarity-only": 5,
    }
    spare = iter(
        n for n in range(1, len(systems) + 10) if n not in {fixed[s] for s in systems if s in fixed}
    )
    return {system: (fixed[system] if system in fixed else next(spare)) % 8 for system in systems}


def _asset(name: str) -> str:
    return (resources.files("demur.report") / "static" / name).read_text(encoding="utf-8")


def _policy(script: str, style: str) -> str:
    """A content security policy that allows this script and this style and nothing else."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
