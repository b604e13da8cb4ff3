"""What is shared: a system of a finished run, whose weights it asks, and what may be said of their base."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # not in its __all__

from demur.core.config import Config
from demur.core.errors import RunFolderError
from demur.core.files import check_no_links
from demur.core.names import unread
from demur.core.records import Question
from demur.core.trust import MODEL
from demur.engines import Opening
from demur.engines.opening import opening_of
from demur.methods import MethodInfo
from demur.methods.asking import Asking
from demur.pipeline.asking import as_system
from demur.pipeline.job import Job
from demur.pipeline.systems import system_info
from demur.pocket import POCKET_MODELS
from demur.runfolder.card import MODEL_KEYS, holds_weights
from demur.runfolder.finished import FinishedRun
from demur.sources import KNOWN_MODELS
from demur.sources.header import is_gguf

REPOSITORY = "OWNER/NAME"
"""What stands for a repository's name where none was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The model before tuning."""

    path: str
    """Where it was opened: a folder of this machine, or a name on the Hub."""
    name: str
    """What may be said of it: a name on the Hub, or a folder's last part."""
    on_hub: bool
    pocket: bool
    """One of Demur's own, which is made anywhere from its name and a seed."""

    @classmethod
    def of(cls, path: str, given: str) -> Self:
        """What is known of a base model.

        Args:
            path: where it was opened.
            given: the configuration's name for it.
        """
        pocket = given in POCKET_MODELS
        on_hub = not pocket and not Path(path).expanduser().exists() and repository_problem(path) is None
        name = given if pocket else path if on_hub else _local_name(Path(path).expanduser(), given)
        return cls(path=path, name=name, on_hub=on_hub, pocket=pocket)

    @property
    def public(self) -> str:
        """What stands for it in shared files. A local one begins with ``./``: no such name is on the Hub,
        so nobody loads a stranger's model of the same name.
        """
        return self.name if self.on_hub else f"./{self.name}"


def _local_name(folder: Path, given: str) -> str:
    """A folder's last part; a converted GGUF file's name, since its folder is called by a digest."""
    if given in KNOWN_MODELS:
        return Path(KNOWN_MODELS[given].file).stem
    return Path(given).stem if is_gguf(Path(given).expanduser()) else folder.resolve().name


@dataclass(frozen=True)
class Subject:
    """A system of a run, with the weights that it asks."""

    run: FinishedRun
    job: Job
    system: str
    info: MethodInfo
    owner: str
    """The system whose weights it asks: itself, unless it borrows them."""

    @classmethod
    def of(cls, root: Path, system: str | None = None, *, fitted: bool = False) -> Self:
        """Find a system in a run folder.

        Args:
            system: by default the run's method.
            fitted: whether one will do that tunes nothing, whose folder holds what was fitted.

        Raises:
            RunFolderError: this is no finished run, the system asks the base model only, or there are links
                in the folder of its weights.
            UnknownNameError: the run has no such system.
            TrustError: the run is not signed by this user, and its model's settings act.
        """
        run = FinishedRun.open(root)
        config = run.settings(acting_on=MODEL).model_copy(update={"out": root})
        system = system or config.method
        run.system(system)
        info = system_info(system, config)
        owner = info.owner(system)
        only_fitted = info.fits and not holds_weights(run.folder.model(owner))
        if (only_fitted and not fitted) or not run.has_card(owner):
            tuned = [
                name for name in run.systems if run.has_card(name) and holds_weights(run.folder.model(name))
            ]
            raise RunFolderError(
                expected=f"a system with tuned weights{': ' if tuned else ''}{', '.join(tuned)}",
                found=f"{system}, which asks the model as it was before tuning"
                + ("" if only_fitted else ": there is nothing to share"),
                where="--system" if tuned else str(root),
                fix="name a tuned one with --system"
                if tuned
                else "share what was fitted with `demur card`, or serve the run as it is"
                if only_fitted
                else "tune one: `demur run --method r-tuning`",
            )
        check_no_links(run.folder.model(owner))
        return cls(run=run, job=Job(config), system=system, info=info, owner=owner)

    @property
    def config(self) -> Config:
        """The configuration of the run."""
        return self.job.config

    @property
    def folder(self) -> Path:
        """The model folder."""
        return self.run.folder.model(self.owner)

    @property
    def card(self) -> dict[str, Any]:
        """The model folder's ``demur.json``, as it is now."""
        return self.run.card(self.owner, *MODEL_KEYS)

    @property
    def is_adapter(self) -> bool:
        """Whether the folder holds an adapter; else it holds every weight, or what was fitted."""
        return (self.folder / "adapter_config.json").is_file()

    @property
    def tuned(self) -> bool:
        """Whether the folder holds an adapter or whole weights; else its answers are the base model's."""
        return holds_weights(self.folder)

    @property
    def asked(self) -> str:
        """The system that is asked: a derived one only reads the answers of its method."""
        known = self.system in self.config.systems
        return self.system if known else unread(self.system)

    @cached_property
    def base(self) -> Base:
        """The model before tuning."""
        return Base.of(self.job.model_path, self.config.model.path)

    @cached_property
    def asking(self) -> Asking:
        """How it is asked, as texts."""
        return as_system(self.job, self.asked, self.sample)

    @cached_property
    def sample(self) -> Question:
        """A question of the run's first kind, with names in braces in place of its own texts.

        Raises:
            RunFolderError: the run has no questions.
        """
        if not self.run.questions:
            raise RunFolderError(
                expected="questions that the model was asked",
                found="none",
                where=str(self.run.folder.questions),
                fix="take the file from a copy of the run, or carry the run out again",
            )
        first = self.run.questions[0]
        return dataclasses.replace(
            first,
            text="{question}",
            preface="",
            context="{context}" if first.context else None,
            choices=tuple(f"{{option {number}}}" for number in range(1, len(first.choices) + 1)),
        )

    @property
    def opening(self) -> Opening:
        """How its weights are opened: the base model with its adapter, or the whole weights alone."""
        return opening_of(self.config.model, base=self.base.path, tuned=self.folder, engine="hf")


def repository_problem(name: str) -> str | None:
    """Why the Hub would not take a repository's name; None where it would."""
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        return str(error)
    return None
