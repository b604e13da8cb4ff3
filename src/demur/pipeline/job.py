"""What the stages of a run share: its settings, folder, listener and model, and what is done already."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from demur.core.config import Config
from demur.core.errors import ModelError
from demur.core.files import digest
from demur.core.progress import WARNING, Listener, Recorder, Silent, steps_bar
from demur.core.questions import QuestionTable
from demur.core.records import Probe, Question
from demur.core.stored import StoredRows
from demur.core.units import UnitStore
from demur.datasets import LoadedData, load_questions
from demur.engines import Engine, Opening, Sampling, Spreads
from demur.engines.encoding import load_tokenizer
from demur.engines.loading import pick_device, pick_dtype
from demur.engines.opening import check_engine, open_engine, opening_of, settle_dtype
from demur.knowledge.trial import Tried
from demur.methods import MethodInfo, Setup
from demur.pipeline.systems import check_names, method_info, samples_of, sampling_of, tuned_systems
from demur.pocket import is_pocket
from demur.runfolder import digests
from demur.runfolder.card import holds_weights
from demur.runfolder.folder import RunFolder
from demur.runfolder.manifest import Manifest
from demur.sources import base_model

R = TypeVar("R")


@dataclass(slots=True)
class Hashes:
    """What the output of each stage depends on, as far as the run has got; of some by system."""

    data: str = ""
    probe: str = ""
    build: dict[str, str] = field(default_factory=dict)
    train: dict[str, str] = field(default_factory=dict)
    predict: dict[str, str] = field(default_factory=dict)
    evaluate: str = ""


class Job:
    """One run or its folder: what its stages share with the code that asks its systems.

    Args:
        config: everything the run depends on.
        listener: who is told how it gets on.

    Raises:
        UnknownNameError: a method, judge, engine, estimator or dataset that does not exist.
        ConfigError: the model that judges cannot be asked: a wrong address, a missing key or package.
    """

    manifest: Manifest
    """What is done already; opened when the stages begin. Without stages there is none."""
    loaded: LoadedData
    """The questions as their files held them when the stages began, see `load`; without examples."""
    tried: Sequence[Tried] = ()
    """The ways to ask that were tried before the stages, see `demur.pipeline.prompts`."""

    def __init__(self, config: Config, *, listener: Listener | None = None) -> None:
        check_names(config)
        self.config = config
        self.listener = Recorder(listener or Silent())
        self.folder = RunFolder(config.out)
        self.hashes = Hashes()
        self._stage_now = ""

    # -- the systems ---------------------------------------------------------------------------

    def info(self, system: str) -> MethodInfo:
        """What is known of the method that a system is."""
        return method_info(system, self.config)

    def owner(self, system: str) -> str:
        """The system whose weights a system asks, see `MethodInfo.owner`."""
        return self.info(system).owner(system)

    @cached_property
    def tuned(self) -> tuple[str, ...]:
        """The systems that are trained, see `tuned_systems`."""
        return tuned_systems(self.config)

    @cached_property
    def samples(self) -> int:
        """Samples per question, see `samples_of`."""
        return samples_of(self.config)

    @cached_property
    def sampling(self) -> Sampling:
        """How every system generates its answers."""
        return sampling_of(self.config)

    def setup(self, engine: Engine, system: str, *, number: int = 1) -> Setup:
        """What the method of a system is given beside its data, in a round of aligning."""
        return make_setup(self.config.for_system(system), engine, sampling=self.sampling, number=number)

    # -- the models ----------------------------------------------------------------------------

    @cached_property
    def model_path(self) -> str:
        """The base model's folder, hub name, or name at its server, see `base_model`."""
        with steps_bar(self.listener, f"making the model {self.config.model.path}") as progress:
            return base_model(self.config, run=self.folder.root, progress=progress)

    def check_model(self) -> None:
        """Look whether the model can be opened, unless it was already asked.

        Raises:
            ModelError: it cannot; the message says why.
        """
        if not self.folder.probe.exists():
            check_engine(self.config.model, base=self.model_path)

    def check_tokenizer(self) -> None:
        """Look whether the model can be trained with its tokenizer: a text must be able to end.

        Raises:
            ModelError: it has no end-of-text token.
        """
        tokenizer = load_tokenizer(self.opening)
        if tokenizer.eos_token_id is None:
            raise ModelError(
                expected="a tokenizer with an end-of-text token (eos_token), to train with",
                found="none",
                where=f"tokenizer of {self.model_path}",
                fix="set eos_token in the model's tokenizer_config.json to the token that ends a text, or "
                "choose systems that tune nothing, such as --method honesty-prompt --baselines pretrain-t",
            )

    @property
    def opening(self) -> Opening:
        """How the base model is opened, for what reads a part of it or opens it in another process."""
        return opening_of(self.config.model, base=self.model_path)

    def trained_into(self, system: str) -> Path:
        """Where the training of a system writes: its model folder, unless what is kept is decided later."""
        return self.folder.tuned(system) if self.info(system).fits else self.folder.model(system)

    def weights_folder(self, system: str) -> Path | None:
        """The folder of the tuned weights that a system asks; None where it asks the base model."""
        info, folder = self.info(system), self.folder.model(system)
        if not info.trained or (info.fits and not holds_weights(folder)):
            return None
        return folder

    def open_model(
        self,
        system: str | None,
        *,
        tuned: Path | None = None,
        engine: str | None = None,
        dtype: str | None = None,
        **more: Any,
    ) -> Engine:
        """The base model (None), or the tuned model of a system, in the run's engine or another one.

        Args:
            tuned: another folder of tuned weights than that of the system.
            dtype: another number format than that of the run.
            more: see `open_engine`.
        """
        if tuned is None and system is not None:
            tuned = self.weights_folder(system)
        settings = self.config.model.model_copy(update={"dtype": dtype or self.dtype})
        return open_engine(settings, base=self.model_path, tuned=tuned, engine=engine, **more)

    @property
    def dtype(self) -> str:
        """The number format that every answer of the run is computed in.

        What ``auto`` means is found out once and stands in the manifest, so that a run which goes on
        elsewhere goes on in the same format. Training may take another, see `training_dtype`.
        """
        if self.config.model.dtype != "auto":
            return self.config.model.dtype
        return self._noted_dtype if "manifest" in vars(self) else self._tried_dtype

    @cached_property
    def _tried_dtype(self) -> str:
        """What ``auto`` means here, where nothing is written yet, or at all (`--dry-run`)."""
        found = settle_dtype(self.config.model, base=self.model_path)
        return "auto" if found is None else found.name

    @cached_property
    def _noted_dtype(self) -> str:
        settings = self.config.model
        known = self.manifest.dtype_of(settings.path)
        if known is not None:
            return known
        if self.manifest.answered_unnoted and self.config.probe.path is None:
            return self.training_dtype(lora=False)  # what `auto` meant before it was noted
        found = settle_dtype(settings, base=self.model_path)
        if found is None:
            return settings.dtype
        self.manifest.note_dtype(settings.path, found.name, found.gain)
        if (sentence := found.sentence()) is not None:
            self.listener.note(f"{settings.path} {sentence}")
        return found.name

    def note_dtype(self) -> None:
        """Write down the number format of a model that was opened before there was a manifest."""
        if "engine" in vars(self):
            _ = self.dtype

    def training_dtype(self, *, lora: bool) -> str:
        """The number format of a model that is tuned: as set.

        ``auto`` is that of the answers where only an adapter is tuned, whose own weights PEFT keeps in
        float32. Where all weights are tuned it is float32 on a CPU: small steps would be lost to rounding.
        """
        settings = self.config.model
        if lora:
            return self.dtype
        return str(pick_dtype(settings.dtype, pick_device(settings.device))).removeprefix("torch.")

    @cached_property
    def engine(self) -> Engine:
        """The base model, opened when first needed."""
        return self.open_model(None)

    def let_go(self) -> Engine | None:
        """Forget the base model that is open, and return it; None where none is."""
        engine: Engine | None = self.__dict__.pop("engine", None)
        return engine

    # -- the questions and what was said to them -----------------------------------------------

    def load(self) -> LoadedData:
        """The questions of the run, as their files hold them now.

        Raises:
            DataError: they cannot be used.
        """
        return load_questions(self.config.data, seed=self.config.seed, require=("train", "test"))

    @cached_property
    def questions(self) -> QuestionTable:
        """Every question of the run, in the order of the data."""
        return QuestionTable.read(self.folder.questions)

    @property
    def asks_training(self) -> bool:
        """Whether the systems are asked the training questions too."""
        return self.config.evaluation.training_questions

    @cached_property
    def asked_places(self) -> npt.NDArray[np.int64]:
        """Where the questions stand that every system is asked: all but those that the systems learn from.

        Nothing that is chosen, measured or reported of a system needs its answers to training questions,
        unless ``evaluation.training_questions`` asks for them; what the base model said to those stands in
        the probe.
        """
        splits, names = self.questions.codes("split")
        wanted = [self.asks_training or name != "train" for name in names]
        return np.flatnonzero(np.array(wanted, dtype=bool)[splits])

    @cached_property
    def asked(self) -> QuestionTable:
        """The questions that every system is asked, in the order of the data."""
        everything = len(self.asked_places) == len(self.questions)
        return self.questions if everything else self.questions.take(self.asked_places)

    def questions_for(self, engine: Engine) -> Sequence[Question]:
        """Every question: in memory, or for an engine whose workers read their own where they lie."""
        if isinstance(engine, Spreads):
            return StoredRows.of(self.folder.questions.resolve(), Question)
        return self.questions

    @cached_property
    def probes(self) -> StoredRows[Probe]:
        """What the base model did with each question, in the same order; they stay on disk."""
        return StoredRows.of(self.folder.probe, Probe)

    @cached_property
    def training(self) -> tuple[list[Question], list[Probe]]:
        """The training questions and what the base model did with them."""
        rows = [
            (question, item)
            for question, item in zip(self.questions, self.probes, strict=True)
            if question.split == "train"
        ]
        return [row[0] for row in rows], [row[1] for row in rows]

    # -- what is done already ------------------------------------------------------------------

    @contextlib.contextmanager
    def stage(self, name: str, inputs: str, *outputs: Path) -> Iterator[dict[str, Any] | None]:
        """Yield None where the stage is done already, else a dict for notes; record it at the end.

        One whose output is not what it wrote is carried out again.

        Args:
            outputs: the files and folders that it writes, without which it is not done.
        """
        done = self.manifest.is_done(name, inputs) and all(output.exists() for output in outputs)
        changed = self.manifest.changed(*outputs) if done else []
        if done and not changed:
            self.listener.note(f"{name}: nothing has changed, kept")
            yield None
            return
        if changed:
            self.listener.note(f"{WARNING}{name}: carried out again, changed since: {', '.join(changed)}")
        self._announce(name.partition("/")[0])
        self.listener.stage(name)
        with self.manifest.stage(name, inputs, *outputs) as notes:
            yield notes

    def _announce(self, stage: str) -> None:
        if stage != self._stage_now:
            self._stage_now = stage
            self.listener.note(f"stage {stage}")

    def store(self, name: str, kind: type[R], *, key: str, within: Path | None = None) -> UnitStore[R]:
        """Finished units of a stage."""
        return UnitStore((within or self.folder.work) / name, kind, key=key, note=self.listener.note)

    def predict_inputs(self, system: str) -> str:
        """Hash of what a system's predictions depend on."""
        return digest([self._weights_hash(system), system, self._setup_hash(system), self.asks_training])

    def _weights_hash(self, system: str) -> str:
        owner = self.owner(system)
        if owner == "base":
            return self.hashes.probe
        # Of the weights themselves too: files that were exchanged are asked anew
        return digest([self.hashes.train[owner], self.weights_of(system)])

    def _setup_hash(self, system: str) -> str:
        """Hash of what a system's way of asking depends on beyond its weights."""
        return digest([self.info(system).name, self.config.for_system(system).r_tuning.threshold])

    def weights_of(self, system: str) -> dict[str, str]:
        """Digests of the weights that a system asks; the predictions are theirs."""
        return digests.weights_of(self.folder.model(self.owner(system)))


def make_setup(
    config: Config, engine: Engine, *, sampling: Sampling, number: int = 1, **more: Any
) -> Setup:
    """What a method is given beside its data.

    Args:
        config: the system's own.
        number: the round of aligning, from 1.
        more: further fields.
    """
    return Setup(
        config=config,
        template=config.template.template(chat=engine.chat),
        render=engine.render,
        sampling=sampling,
        engine=engine,
        formed=engine.chat or is_pocket(config.model.path),
        round=number,
        **more,
    )
