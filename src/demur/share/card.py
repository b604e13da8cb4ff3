"""The model card: what a tuned model is, whom it refuses, how it was made and measured, and its limits.

Every figure in it stands in the run folder. Its front matter is what the Hugging Face Hub reads
(https://huggingface.co/docs/hub/model-cards), made and parsed back by `huggingface_hub`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import ModelCard

from demur.core.errors import ConfigError
from demur.core.files import write_json, write_text
from demur.core.layout import CARD, README
from demur.core.markdown import one_line
from demur.core.signing import kept_signed
from demur.runfolder import provenance
from demur.runfolder.manifest import rewritten
from demur.share import contents
from demur.share.facts import facts_of
from demur.share.front_matter import front_matter
from demur.share.markdown import render
from demur.share.material import Material, refused_findings
from demur.share.subject import REPOSITORY, Subject, repository_problem


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
    """Write a model card into the folder of a run's system and make the folder fit to be uploaded.

    The folder holds tuned weights, or what was fitted to the answers of an untuned model.

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
    subject = Subject.of(root, system, fitted=True)
    subject.run.model_folder(subject.owner)
    with rewritten(root, subject.folder):
        with kept_signed(subject.folder, root):
            mended = contents.mend(subject.folder, subject.base)
            notices = [*refused_findings(subject), *_without_refused(subject)]
        text = build_card(subject, name=name, adapter=subject.is_adapter)
        contents.check(subject.folder, fitted=subject.info.fits)
        write_text(subject.folder / README, text)
    return Shared(
        card=subject.folder / README,
        system=subject.system,
        weights=subject.owner,
        mended=tuple(mended),
        notices=tuple(notices),
        upload=f"hf upload {name or REPOSITORY} {subject.folder}",
    )


def _without_refused(subject: Subject) -> list[str]:
    """Take a guarantee of files that have changed out of the ``demur.json`` that goes out; say so."""
    settings = subject.card
    root = subject.run.path
    base = provenance.base_folder(subject.config, run=root)
    kept = provenance.card_without_refused(settings, subject.folder, root, base=base)
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
    material = Material.of(subject, promise=promise)
    body = render("card.md.j2", **facts_of(subject, material, name, adapter=adapter))
    data = front_matter(subject, material, name, adapter=adapter)
    text = f"---\n{data.to_yaml()}\n---\n\n{body}"
    parsed = ModelCard(text)  # the Hub's own reading of it: nothing may be lost or gained
    assert str(parsed.data) == str(data), "the front matter does not read back as it was written"
    return text


def _check_name(name: str) -> None:
    problem = repository_problem(name)
    if problem is not None:
        raise ConfigError(
            expected="a repository's name that the Hub takes, such as me/my-model",
            found=repr(name),
            where="--name",
            fix=one_line(problem),
        )
