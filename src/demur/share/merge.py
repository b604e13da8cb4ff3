"""A tuned model as one: the adapter merged into the base model's weights, which then stand alone."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

from demur.core.errors import ConfigError, RunFolderError
from demur.core.files import atomic_folder, write_json, write_text
from demur.core.layout import CARD, README, SIGNATURE
from demur.core.signing import is_signed, sign
from demur.runfolder import provenance
from demur.share import contents
from demur.share.card import Shared, build_card
from demur.share.material import refused_findings
from demur.share.subject import REPOSITORY, Subject
from demur.signals.fitted import SETTINGS, WEIGHTS

FITTED = (WEIGHTS, SETTINGS)
"""Files of a fitted confidence, which reads the states of the merged model as it did those of the two."""
DTYPES = ("auto", "float32", "bfloat16", "float16")


def merge_run(
    root: Path, out: Path, *, system: str | None = None, dtype: str = "auto", name: str | None = None
) -> Shared:
    """Write the whole weights of a system, with tokenizer, ``demur.json`` and a card.

    W + BA is computed once, in the numbers that are written. A model tuned in every weight is copied.

    Args:
        root: the run folder.
        out: the folder to write; it must not exist, or be empty.
        system: by default the run's method.
        dtype: of the numbers written; ``auto``: what the base model's configuration names. Any other leaves
            a guarantee out: it was computed with other numbers.
        name: of the repository on the Hub, for the card.

    Raises:
        RunFolderError: there is nothing to merge, or the folder holds something.
        UnknownNameError: the run has no such system.
        ConfigError: there is no such dtype.
        ModelError: the base model cannot be opened.
    """
    if dtype not in DTYPES:
        raise ConfigError(
            expected=f"one of: {', '.join(DTYPES)}", found=repr(dtype), where="--dtype", fix="use 'auto'"
        )
    subject = Subject.of(root, system)
    _require_empty(out)
    with atomic_folder(out) as partial:
        if subject.is_adapter or dtype != "auto":
            _save(subject, dtype, partial)
            for part in FITTED:
                if (subject.folder / part).is_file():
                    shutil.copyfile(subject.folder / part, partial / part)
        else:
            for file in contents.files_of(subject.folder):
                if file.name != SIGNATURE:
                    shutil.copyfile(file, partial / file.name)
        promise = dtype == "auto"
        write_json(partial / CARD, _settings(subject, partial, promise=promise))
        mended = contents.mend(partial, subject.base)
        write_text(partial / README, build_card(subject, adapter=False, name=name, promise=promise))
        contents.check(partial, fitted=subject.info.fits)
        if is_signed(root):
            sign(partial)
    return Shared(
        card=out / README,
        system=subject.system,
        weights=subject.owner,
        mended=tuple(mended),
        notices=tuple(refused_findings(subject)),
        upload=f"hf upload {name or REPOSITORY} {out}",
    )


def _settings(subject: Subject, folder: Path, *, promise: bool) -> dict[str, Any]:
    """``demur.json`` of the merged weights, which a guarantee then stands beside.

    Args:
        promise: whether it is kept; not where the weights are rounded to other numbers.
    """
    found, base = subject.card, provenance.base_folder(subject.config, run=subject.run.path)
    settings = provenance.card_without_refused(found, subject.folder, subject.run.path, base=base)
    if not promise:
        settings = {key: settings[key] for key in settings if key not in ("guarantee", "recalibration")}
    elif "guarantee" in settings:
        recorded = settings["guarantee"]
        origin = provenance.of_weights(recorded[provenance.KEY], folder)
        settings = settings | {"guarantee": recorded | {provenance.KEY: origin}}
    return settings | {"merged": subject.is_adapter}


def _save(subject: Subject, dtype: str, folder: Path) -> None:
    from demur.engines.loading import load, load_config

    opening = subject.opening
    if dtype == "auto":
        own = load_config(opening).dtype
        dtype = "float32" if own is None else str(own).removeprefix("torch.")
    model, tokenizer = load(dataclasses.replace(opening, dtype=dtype, device="cpu"))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _require_empty(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunFolderError(
            expected="a folder that does not exist yet, or an empty one",
            found="a folder with files in it" if out.is_dir() else "a file",
            where=str(out),
            fix="choose another with --out; nothing was changed here",
        )
