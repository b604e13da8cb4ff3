"""What a finding was computed from, and whether that is still what lies there.

``guarantee.json``, ``analysis.json`` and ``tax.json`` lie in a run folder beside the files that they were
computed from. Each names those files with digests of their content, and so does the copy of a guarantee in
a model's ``demur.json``. A finding whose files have changed is refused, with the reason and the command
that computes it again. Digests are of content only, never of times: a copied folder keeps its findings.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demur.core.config import Config, load_config
from demur.core.errors import DemurError, ModelError, RunFolderError
from demur.core.files import digest, file_digest, parse_json
from demur.core.layout import (
    ANALYSIS,
    CARD,
    CONFIG,
    GUARANTEE,
    MANIFEST,
    MODEL_FOLDER,
    PREDICTIONS,
    QUESTIONS,
    SYSTEMS,
    TAX,
)
from demur.core.names import unread
from demur.runfolder import digests, shapes
from demur.runfolder.digests import weights_of

SCHEMA_VERSION = 3
"""Of the three files. Version 1, whose key was ``schema``, did not say what a finding was computed from;
version 2 only of a model's weights, not of its settings and tokenizer."""
KEY = "computed_from"
UNKNOWN = "it does not say what it was computed from (Demur 0.1.0 did not record that)"
PARTLY_UNKNOWN = (
    "it does not say which tokenizer and settings it was computed with (Demur 0.1.1 did not record them)"
)


def base_folder(config: Config, *, run: Path | None = None) -> Path | None:
    """Where the base model lies on this machine; None where it is not here, or behind a server.

    Args:
        run: the run folder, see `base_model`.
    """
    from demur.engines import ENGINES
    from demur.sources import base_model

    if not ENGINES.get(config.model.engine).local:
        return None
    address = base_model(config, run=run, make=False)
    folder = Path(address).expanduser()
    return folder if folder.is_dir() else _cached(address, config.model.revision)


def _cached(name: str, revision: str | None) -> Path | None:
    """The folder of a model of the Hub, where this machine has a copy."""
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(name, "config.json", revision=revision)
    except ValueError:  # no name that the Hub would take
        return None
    return Path(found).parent if isinstance(found, str) else None


def base_of_run(root: Path) -> Path | None:
    """`base_folder` of a run; None too where its configuration cannot be read."""
    try:
        return base_folder(load_config(root / CONFIG), run=root)
    except DemurError:
        return None


def owner_of(config: Config, system: str) -> str | None:
    """The system whose weights a system asks; None for the base model's."""
    from demur.methods import METHODS
    from demur.methods.baselines import BASELINES

    plain = system if system in config.systems else unread(system)
    if plain in BASELINES:
        return None
    owner = METHODS.get(config.method_of(plain)).info.owner(plain)
    return None if owner == "base" else owner


def computed_from(
    root: Path, files: Sequence[Path], *, owner: str | None, base: Path | None
) -> dict[str, Any]:
    """What a finding of a run was computed from, as JSON values. Take it before reading the files.

    Args:
        root: the run folder.
        files: of the run; each is hashed whole.
        owner: the system whose weights were asked, besides the base model; None for none.
        base: where the base model lies; None where that is unknown, which is then not compared.
    """
    return {
        "files": {str(path.relative_to(root)): file_digest(path) for path in files},
        "weights": None if owner is None else {"system": owner, "files": weights_of(_model(root, owner))},
        "base_model": None if base is None else _base_digest(base),
    }


def of_weights(recorded: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The same origin for weights in another form, such as merged ones, which stand for themselves."""
    own = {"system": (recorded.get("weights") or {}).get("system"), "files": weights_of(folder)}
    return {**recorded, "weights": own, "base_model": None}


def _model(root: Path, owner: str) -> Path:
    return root / SYSTEMS / owner / MODEL_FOLDER


def _base_digest(folder: Path) -> str | None:
    found = weights_of(folder)
    return digest(found) if found else None


# -- refusing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A finding that is not used, why, and how to compute it again."""

    file: str
    reasons: tuple[str, ...]
    command: str
    """What computes it again; RUN stands for the run folder."""
    system: str | None = None
    """Whose finding it is; None where the file does not say, which may be anybody's."""

    def sentence(self, root: Path | None = None) -> str:
        """Why it is not used and what to do, in a line; without ``root`` no folder of this machine."""
        why = "; ".join(self.reasons)
        return f"{self.file} is not used: {why}. To compute it again: `{self.typed(root)}`."

    def typed(self, root: Path | None = None) -> str:
        """The command, with the run folder where that is known."""
        return self.command if root is None else self.command.replace("RUN", shlex.quote(str(root)), 1)

    def concerns(self, system: str) -> bool:
        """Whether it is, or may be, a finding of this system."""
        return self.system is None or self.system == system

    def error(self, root: Path) -> RunFolderError:
        """What is raised where a promise would have been in use."""
        return RunFolderError(
            expected=f"{self.file} computed from the files that lie there",
            found="; ".join(self.reasons),
            where=str(root / self.file),
            fix=f"run `{self.typed(root)}`, choose a threshold of your own with --threshold, or delete "
            f"{self.file} to go by the system's own rule",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A file of findings: what it says, or why that is not used; neither where there is no such file."""

    value: dict[str, Any] | None = None
    refused: Refused | None = None


SHAPES: Mapping[str, type[shapes.Shape]] = {
    GUARANTEE: shapes.Guarantee,
    ANALYSIS: shapes.Analysis,
    TAX: shapes.Tax,
}
"""What each file must have to be read at all."""
COMMANDS = {GUARANTEE: "demur calibrate RUN", ANALYSIS: "demur analyse RUN", TAX: "demur tax RUN"}


def look(root: Path, file: str, *, base: Path | None) -> Finding:
    """A file of findings of a run folder, if it may be used.

    Args:
        file: `GUARANTEE`, `ANALYSIS` or `TAX`.
        base: where the base model lies, such as `base_of_run`; None: it is not compared.
    """
    path = root / file
    if not path.exists() and not path.is_symlink():
        return Finding()
    found = _read(path, SHAPES[file])
    if isinstance(found, dict) and _changed_since(root, path):
        found = "it has changed since it was written"
    if isinstance(found, str):
        return Finding(refused=Refused(file=file, reasons=(found,), command=COMMANDS[file]))
    reasons = tuple(_reasons(found, found, needs=_needs(file, found), root=root, base=base))
    if not reasons:
        return Finding(value=found)
    command = _command(file, found)
    return Finding(refused=Refused(file=file, reasons=reasons, command=command, system=found["system"]))


def _changed_since(root: Path, path: Path) -> bool:
    """Whether a file of findings is another than was recorded."""
    try:
        records = digests.read_manifest(root / MANIFEST).get(digests.FILES, {})
    except (OSError, RunFolderError):  # who reads the manifest will say so
        return False
    return bool(digests.changed(root, records, [path]))


def refused_card(card: Mapping[str, Any], folder: Path, *, base: Path | None) -> Refused | None:
    """Why the guarantee in a model's ``demur.json`` is not used beside these weights; None where it is.

    Args:
        card: with a ``guarantee``.
        folder: of the model.
        base: where its base model lies; None: it is not compared.
    """
    found = card["guarantee"]
    if problem := shapes.problem(shapes.CardGuarantee, found):
        reasons: tuple[str, ...] = (f"its guarantee cannot be read: {problem}",)
    else:
        reasons = tuple(_reasons(found, {}, needs=(), weights=folder, base=base))
    if not reasons:
        return None
    return Refused(file=CARD, reasons=reasons, command=COMMANDS[GUARANTEE], system=card.get("method"))


def card_without_refused(
    card: dict[str, Any], folder: Path, root: Path, *, base: Path | None
) -> dict[str, Any]:
    """A model's ``demur.json`` as it may leave its run: without a guarantee of files that have changed."""
    if "guarantee" not in card:
        return card
    found, refused = card["guarantee"], refused_card(card, folder, base=base)
    whole = refused is None and not any(_reasons(found, {}, needs=(), root=root, base=None))
    return card if whole else {key: card[key] for key in card if key not in ("guarantee", "recalibration")}


def card_error(refused: Refused, folder: Path) -> ModelError:
    """What is raised where a model folder's promise would have been in use."""
    return ModelError(
        expected="a guarantee that was computed from the weights in this folder",
        found="; ".join(refused.reasons),
        where=str(folder / CARD),
        fix="run `demur calibrate RUN` on the run that tuned the model and take its model folder again, or "
        "choose a threshold of your own with --threshold",
    )


def _read(path: Path, shape: type[shapes.Shape]) -> dict[str, Any] | str:
    """What a file holds, or why it cannot be read."""
    try:
        found = parse_json(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        return f"it cannot be read: {' '.join(str(error).split())}"
    problem = shapes.problem(shape, found)
    return f"it cannot be read: {problem}" if problem else dict(found)


def _needs(file: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    """Files that a finding must name to be believed."""
    return () if file == TAX else (QUESTIONS, f"{PREDICTIONS}/{found['system']}.parquet")


def _reasons(
    found: Mapping[str, Any],
    whole: Mapping[str, Any],
    *,
    needs: Sequence[str],
    base: Path | None,
    root: Path | None = None,
    weights: Path | None = None,
) -> Iterator[str]:
    """Why a finding is not used. ``weights``: the model folder, where there is no run around it."""
    version = whole.get("schema_version", whole.get("schema", SCHEMA_VERSION))
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        yield f"it was written by a newer Demur (schema_version {version!r})"
        return
    if version == 2:
        yield PARTLY_UNKNOWN
        return
    origin = _origin(found.get(KEY))
    if origin is None or any(name not in origin.files for name in needs):
        yield UNKNOWN
        return
    changed = list(_changed(origin, root, weights))
    if changed:
        have = "has" if len(changed) == 1 else "have"
        yield f"{', '.join(changed)} {have} changed since it was computed"
    now = None if base is None or origin.base is None else _base_digest(base)
    if now is not None and now != origin.base:
        yield "the base model is another than it was computed with"


@dataclass(frozen=True, slots=True)
class _Origin:
    """What `computed_from` recorded."""

    files: Mapping[str, str]
    owner: str | None
    weights: Mapping[str, str]
    base: str | None


def _origin(recorded: Any) -> _Origin | None:
    """The recorded origin; None where it is none."""
    if not isinstance(recorded, dict) or not isinstance(recorded.get("files"), dict):
        return None
    weights = recorded.get("weights") or {"system": None, "files": {}}
    if not isinstance(weights, dict) or not isinstance(weights.get("files"), dict):
        return None
    return _Origin(recorded["files"], weights.get("system"), weights["files"], recorded.get("base_model"))


def _changed(origin: _Origin, root: Path | None, weights: Path | None) -> Iterator[str]:
    """The files whose content is not what it was, those that are gone or new among them."""
    if root is not None:
        for name, known in origin.files.items():
            path = root / name
            if not path.is_file() or file_digest(path) != known:
                yield name
    folder, prefix = weights, ""
    if root is not None and isinstance(origin.owner, str):
        folder, prefix = _model(root, origin.owner), f"{SYSTEMS}/{origin.owner}/{MODEL_FOLDER}/"
    if folder is not None:
        now = weights_of(folder)
        yield from (
            prefix + name
            for name in sorted({*now, *origin.weights})
            if now.get(name) != origin.weights.get(name)
        )


def _command(file: str, found: Mapping[str, Any]) -> str:
    """What computes a finding again, on the terms that it had."""
    said = [COMMANDS[file], "--system", shlex.quote(found["system"])]
    if file == GUARANTEE and found["guarantees"]:
        said += _terms(found)
    return " ".join(said)


def _terms(found: Mapping[str, Any]) -> Iterator[str]:
    first = next(iter(found["guarantees"].values()))
    yield f"--signal {shlex.quote(found['signal'])}"
    yield f"--max-error {shlex.quote(str(first['max_error']))}"
    yield f"--confidence {shlex.quote(str(first['confidence']))}"
    if first["risk"] == "joint":
        yield "--joint"
    if "all" not in found["guarantees"]:
        yield "--by-group"
    again = found.get("recalibration")
    if isinstance(again, dict) and isinstance(again.get("kind"), str):
        yield f"--recalibrate {shlex.quote(again['kind'])}"
