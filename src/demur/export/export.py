"""Writing an export: training rows in another trainer's format, with a card beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from demur.core.config import Config
from demur.core.errors import RunFolderError, UnknownNameError
from demur.core.files import write_text
from demur.core.layout import README
from demur.core.markdown import code
from demur.datasets import DATASETS
from demur.export.base import Format, Material
from demur.export.card import card
from demur.export.peers import read_text_only
from demur.export.targets import EXPORTS
from demur.methods import METHODS
from demur.runfolder.finished import FinishedRun

OF_THE_PROBE = "alignment-for-honesty"
"""The format that is made of the probe and needs no rows."""


def export_run(source: Path, format_name: str, out: Path, *, system: str | None = None) -> list[Path]:
    """Write training data for another trainer.

    Args:
        source: a run folder whose training data is built, or a ``text_only`` file of R-Tuning's scripts.
        format_name: a name of `EXPORTS`.
        out: the folder to write into; files of the same names are replaced, each as a whole.
        system: of a run, whose rows; by default the run's method's.

    Returns:
        The files written, the card last.

    Raises:
        UnknownNameError: there is no such format or system.
        RunFolderError: this is no run folder, or nothing was built in it.
        DataError: the file is none of R-Tuning's.
    """
    form = EXPORTS.get(format_name)
    material = _of_file(source) if source.is_file() else _of_run(source, system, form)
    files = form.write(material, out)
    write_text(out / README, card(material, form, files))
    return [*files, out / README]


def _of_file(path: Path) -> Material:
    return Material(
        system="r-tuning",
        stages={"sft": read_text_only(path)},
        about=f"Read from {code(path.name)}, which R-Tuning's scripts wrote (arXiv 2311.09677).",
        sources=("not stated in the file",),
    )


def _of_run(root: Path, system: str | None, form: Format) -> Material:
    run = FinishedRun.open(root, evaluated=False)
    built, config = _built(run), run.config
    system = system or config.method
    if form.name == OF_THE_PROBE:
        built = {}
    elif not built:
        raise RunFolderError(
            expected="a run folder whose training data is built",
            found="no training data yet",
            where=str(root),
            fix="name the folder that `demur run --out` wrote, or build it with `demur build`",
        )
    elif system not in built:
        raise UnknownNameError("tuned system", system, built, "--system")
    rows = {stage: list(run.training(system, stage)) for stage in built.get(system, ())}
    chat, end = _how_texts_are_read(config, run.path)
    info = METHODS.get(config.method_of(system))().info
    return Material(
        run=run,
        system=system,
        stages=rows,
        chat=chat,
        end=end,
        about=f"{info.summary[0].upper()}{info.summary[1:]} ({info.paper}). Made from the answers of "
        f"{code(config.model.path)}, seed {config.seed}.",
        sources=tuple(_sources(config)),
    )


def _built(run: FinishedRun) -> dict[str, list[str]]:
    """The stages of each system whose training data is built."""
    return {
        name.removeprefix("build/"): notes["stages"]
        for name, notes in run.manifest["stages"].items()
        if name.startswith("build/")
    }


def _how_texts_are_read(config: Config, run: Path) -> tuple[bool, str]:
    """Whether the model is asked in a chat, and its end-of-text token."""
    from demur.engines.encoding import Encoder, load_tokenizer
    from demur.engines.opening import opening_of
    from demur.sources import base_model

    opening = opening_of(config.model, base=base_model(config, run=run))
    tokenizer = load_tokenizer(opening)
    return Encoder(tokenizer, format=opening.format).format == "chat", tokenizer.eos_token or ""


def _sources(config: Config) -> Iterator[str]:
    for entry in config.data.mixture or ({"name": config.data.name, "path": config.data.path},):
        name = entry.get("name") or ("file" if entry.get("path") else "pocket")
        dataset = DATASETS.get(name if name in DATASETS else "file")
        cited = f"; {dataset.citation}" if dataset.citation else ""
        yield f"{dataset.name}: {dataset.description}; licence: {dataset.licence}{cited}"
