"""From a model and questions to an honest model and a report: the stages, in one direction.

Each stage has a hash of everything it depends on. A stage whose hash stands in the manifest, and whose
output is there, is skipped; an interrupted one goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from demur.confidence.combination import Combination
from demur.core.config import PAPER_THRESHOLD, Config, TrainingSettings
from demur.core.errors import ConfigError, DemurError, TrainingDataError
from demur.core.files import atomic_folder, delete, digest, file_digest, write_json
from demur.core.names import FIXED, unread
from demur.core.progress import WARNING, Listener, Recorder, Silent
from demur.core.questions import QuestionTable
from demur.core.records import (
    Example,
    Prediction,
    Probe,
    Question,
    Verdict,
    read_jsonl,
    read_parquet,
    write_jsonl,
    write_parquet,
)
from demur.core.stored import StoredRows
from demur.core.trust import kept_signed, sign
from demur.core.units import UnitStore
from demur.core.version import __version__
from demur.datasets import LoadedData, load_questions
from demur.engines import ENGINES, Engine, Progress, Sampling, Spreads
from demur.engines.opening import open_engine
from demur.judging import judge
from demur.knowledge import boundary, estimators, first_look
from demur.knowledge.asking import ask_in_units
from demur.knowledge.imported import read_probes
from demur.knowledge.probing import probe
from demur.methods import METHODS, Elicited, Labelled, MethodInfo, Setup, baselines, learned, thresholds
from demur.runfolder import provenance
from demur.runfolder.folder import Manifest, RunFolder

if TYPE_CHECKING:
    from demur.training.processes import Source
    from demur.training.strategies import Strategy
from demur.core.progress import steps_bar
from demur.knowledge.labelling import balanced, label, moved
from demur.methods.base import SAMPLES
from demur.pipeline.systems import check_names, model_fingerprint, system_info

R = TypeVar("R")

STAGES = ("data", "probe", "build", "train", "predict", "evaluate", "report")
"""The stages in their order; each needs all before it."""

MANY = 8
"""Above so many systems a run's report compares its method with the free ones only."""


class Pipeline:
    """One run.

    Args:
        config: everything the run depends on.
        listener: who is told how it gets on.
        update: redo what a changed configuration changes, where the folder holds another run of it.

    Raises:
        UnknownNameError: a method, judge, engine, estimator or dataset that does not exist.
        ConfigError: the model that judges cannot be asked: a wrong address, a missing key or package.
    """

    def __init__(self, config: Config, *, listener: Listener | None = None, update: bool = False) -> None:
        check_names(config)
        self.config, self.update = config, update
        self.listener = Recorder(listener or Silent())
        self.folder = RunFolder(config.out)
        self._stage_now = ""

    def run(self, until: str = "report") -> RunFolder:
        """Carry out every stage up to ``until``; what is done already is not done again.

        Raises:
            DemurError: anything the user can mend; the run goes on from there when called again.
        """
        stages = STAGES[: STAGES.index(until) + 1]
        if "train" in stages:
            self.check_tuning()
        loaded = self.load()  # bad input is found before anything is written
        self.check_model()
        self.folder.claim(self.config, update=self.update)
        with self.folder.locked():
            self.listener.path = self.folder.progress
            self.manifest = Manifest.open(self.folder.manifest, self.config)
            sign(self.folder.root)  # the settings are the user's own
            self._data(loaded)
            for stage in stages[1:]:
                getattr(self, f"_{stage}")()
        if until == "report":
            delete(self.folder.work)
        for refused in provenance.notices(self.folder.root):
            self.listener.note(refused.sentence(self.folder.root))
        return self.folder

    # -- what the stages share -----------------------------------------------------------------

    @cached_property
    def model_path(self) -> str:
        """The base model's folder, hub name, or name at its server.

        ``pocket`` is the pocket model of the run's seed, where weights are read here.
        """
        from demur.pocket import POCKET_MODELS, ensure_model

        name = self.config.model.path
        if name not in POCKET_MODELS or not ENGINES.get(self.config.model.engine).local:
            return name
        with steps_bar(self.listener, f"making the model {name}") as progress:
            return str(ensure_model(self.config.seed, name, progress=progress))

    @cached_property
    def engine(self) -> Engine:
        """The base model, opened when first needed."""
        return self.open_model(None)

    @cached_property
    def questions(self) -> QuestionTable:
        """Every question of the run, in the order of the data."""
        return QuestionTable.read(self.folder.questions)

    @cached_property
    def probes(self) -> StoredRows[Probe]:
        """What the base model did with each question, in the same order; they stay on disk."""
        return StoredRows.of(self.folder.probe, Probe)

    def setup(self, engine: Engine, system: str, *, number: int = 1) -> Setup:
        """What the method of a system is given beside its data, in a round of aligning.

        The base model's answers are left out: `_Asking` adds those of a unit.
        """
        return _setup(self.config.for_system(system), engine, sampling=self._sampling(), number=number)

    def _questions_for(self, engine: Engine) -> Sequence[Question]:
        """Every question: in memory, or for an engine whose workers read their own where they lie."""
        if isinstance(engine, Spreads):
            return StoredRows.of(self.folder.questions.resolve(), Question)
        return self.questions

    def info(self, system: str) -> MethodInfo:
        """What is known of the method that a system is."""
        return METHODS.get(self.config.method_of(system)).info

    @cached_property
    def tuned(self) -> tuple[str, ...]:
        """The systems that are trained: those of the run, and whose weights they borrow."""
        owners = {system: self.info(system).weights or system for system in self.config.systems}
        return tuple(dict.fromkeys(owner for owner in owners.values() if owner != "base"))

    def open_model(self, system: str | None, *, engine: str | None = None, **more: Any) -> Engine:
        """The base model (None), or the tuned model of a system, in the run's engine or another one."""
        tuned = self.folder.model(system) if system else None
        return open_engine(self.config.model, base=self.model_path, tuned=tuned, engine=engine, **more)

    @cached_property
    def samples(self) -> int:
        """Samples per question: as configured, else 10 where a method or estimator lives on them."""
        if self.config.probe.samples is not None:
            return self.config.probe.samples
        needed = any(
            "samples" in self.info(system).needs
            or estimators.parse(self._estimator(system))[0] in estimators.NEEDS_SAMPLES
            for system in (*self.config.systems, *self.tuned)
        )
        return SAMPLES if needed else 0

    def _estimator(self, system: str) -> str:
        own = self.info(system).estimator or "greedy"
        return self.config.for_system(system).knowledge.estimator or own

    def _sampling(self) -> Sampling:
        probe_settings = self.config.probe
        return Sampling(
            max_new_tokens=probe_settings.max_new_tokens,
            stop=probe_settings.stop,
            samples=self.samples,
            temperature=probe_settings.temperature,
            top_p=probe_settings.top_p,
            seed=self.config.seed,
        )

    @contextlib.contextmanager
    def _stage(self, name: str, inputs: str, output: Path) -> Iterator[dict[str, Any] | None]:
        """Yield None where the stage is done already, else a dict for notes; record it at the end."""
        if self.manifest.is_done(name, inputs) and output.exists():
            self.listener.note(f"{name}: nothing has changed, kept")
            yield None
        else:
            self._announce(name.partition("/")[0])
            self.listener.stage(name)
            with self.manifest.stage(name, inputs) as notes:
                yield notes

    def _announce(self, stage: str) -> None:
        if stage != self._stage_now:
            self._stage_now = stage
            self.listener.note(f"stage {stage}")

    # -- the stages ----------------------------------------------------------------------------

    def load(self) -> LoadedData:
        """The questions of the run, as their files hold them now.

        Raises:
            DataError: they cannot be used.
        """
        return load_questions(self.config.data, seed=self.config.seed, require=("train", "test"))

    def check_model(self) -> None:
        """Look whether the model can be opened, unless it was already asked.

        Raises:
            ModelError: it cannot; the message says why.
        """
        settings = self.config.model
        if not self.folder.probe.exists():
            ENGINES.get(settings.engine).check(
                self.model_path,
                format=settings.format,
                revision=settings.revision,
                trust_remote_code=settings.trust_remote_code,
                endpoint=settings.endpoint,
            )

    def check_tuning(self) -> None:
        """Look whether the weights that the run's systems tune are here, and can be tuned as it says.

        Raises:
            ConfigError: they are not, or cannot.
        """
        settings = self.config.model
        if self.tuned and not ENGINES.get(settings.engine).local:
            raise ConfigError(
                expected=f"an engine with the weights of the model, to tune {', '.join(self.tuned)}",
                found=f"{settings.engine!r}, which only asks a server",
                where="model.engine",
                fix="tune with model.engine hf from the weights, or choose systems that tune nothing, such "
                "as --method honesty-prompt --baselines pretrain-t; `demur probe` needs no weights",
            )
        for system in self.tuned:
            self._strategy(system)

    def _data(self, loaded: LoadedData) -> None:
        self.data_hash = loaded.questions.digest()
        self.questions = loaded.questions
        with self._stage("data", self.data_hash, self.folder.questions) as notes:
            if notes is None:
                return
            loaded.questions.write(self.folder.questions)
            notes["report"] = loaded.report.to_dict()
        for line in loaded.report.lines():
            self.listener.note(line)

    def _probe(self) -> None:
        config, elsewhere = self.config, self.config.probe.path
        self.probe_hash = digest(
            [
                __version__,
                self.data_hash,
                model_fingerprint(self.model_path),
                config.model.identity(),
                config.template.model_dump(),
                config.judge.identity(),
                config.probe.model_dump(exclude={"path", "allow_empty"}),
                file_digest(elsewhere) if elsewhere and elsewhere.is_file() else None,
                self.samples,
                config.seed,
            ]
        )
        with self._stage("probe", self.probe_hash, self.folder.probe) as notes:
            if notes is None:
                self._require_answers(self._first_answers())
                return
            known = self._imported()
            asked = self._without(known)
            store = self._store("probe", Probe, key=self.probe_hash)
            made: Sequence[Probe] = ()
            if len(asked):
                title, see = "asking the base model", partial(self._look, notes, asked)
                made = self._ask(self.engine, asked, store, title, on_first=see)
            else:
                unit = self.questions[: config.probe.unit]
                self._look(notes, unit, [known[question.id] for question in unit], made_elsewhere=True)
            if len(asked) and self.engine.capabilities.notes:
                notes["engine"] = list(self.engine.capabilities.notes)
                self.listener.note(f"{self.config.model.path}: {'; '.join(notes['engine'])}")
            rows = _MergedProbes(self.questions, known, made) if known else made
            verdicts, judged = self._rejudged(self.questions, rows)
            write_parquet(self.folder.probe, _with_verdicts(rows, verdicts), Probe)
            notes |= judged
            notes["generations"] = len(made) * (1 + self.samples)
            notes["imported"] = len(known)
            store.clear()

    def _look(
        self,
        notes: dict[str, Any],
        questions: Sequence[Question],
        probes: Sequence[Probe],
        *,
        made_elsewhere: bool = False,
    ) -> None:
        """Note what the first answers look like.

        Args:
            questions: those of the probes first, perhaps with others after them.

        Raises:
            AnswersError: most of them are empty.
        """
        limit = None if made_elsewhere else self.config.probe.max_new_tokens
        unit = questions[: len(probes)]
        found = notes["first_answers"] = first_look.look(unit, probes, max_new_tokens=limit)
        self.listener.keep(first_answers=found)
        self._require_answers(found, [] if made_elsewhere else unit[: first_look.EXAMPLES])

    def _first_answers(self) -> dict[str, Any] | None:
        """What the first answers looked like, from the manifest; None where nobody has looked."""
        found: dict[str, Any] = self.manifest.values["stages"]["probe"]
        return found.get("first_answers")

    def _require_answers(self, found: dict[str, Any] | None, questions: Sequence[Question] = ()) -> None:
        """Say what the first answers look like, and stop where most of them are empty.

        Args:
            questions: the first of them, to find out why; none where the model is not to be asked.

        Raises:
            AnswersError: they are, and the configuration does not allow it.
        """
        if found is None:
            return
        self.listener.note(first_look.sentence(found))
        if first_look.mostly_empty(found) and not self.config.probe.allow_empty:
            made_elsewhere = found["max_new_tokens"] is None
            where = str(self.config.probe.path) if made_elsewhere else f"answers of {self.model_path}"
            asked = None if made_elsewhere else self._how_asked(questions)
            raise first_look.empty_answers(found, where, asked)
        for warning in found["warnings"]:
            self.listener.note(f"{WARNING}{warning}")

    def _how_asked(self, questions: Sequence[Question]) -> first_look.Asked:
        """How the base model is asked, and what it says to some questions without stop strings."""
        settings = self.config.probe
        asked = first_look.Asked(
            format=self.config.model.format,
            chat=None,
            max_new_tokens=settings.max_new_tokens,
            stop=settings.stop,
        )
        if not questions:
            return asked
        asked = dataclasses.replace(asked, chat=self.engine.chat)
        if isinstance(self.engine, Spreads):  # its workers are busy with the other questions
            return asked
        template = self.config.template.template(chat=self.engine.chat)
        sampling = dataclasses.replace(self._sampling(), stop=(), samples=0)
        prompts, keys = [template.ask(q) for q in questions], [q.id for q in questions]
        with contextlib.suppress(DemurError):  # such as a server that is gone: the cause is guessed then
            said = self.engine.generate(prompts, keys=keys, sampling=sampling)
            texts = tuple(item.greedy.text for item in said if item.greedy)
            asked = dataclasses.replace(asked, unstopped=texts)
        return asked

    def _without(self, known: Mapping[str, Probe]) -> QuestionTable:
        """The questions that are not known yet."""
        if not known:
            return self.questions
        return self.questions.where(np.array([key not in known for (key,) in self.questions.values("id")]))

    def _store(self, name: str, kind: type[R], *, key: str, within: Path | None = None) -> UnitStore[R]:
        """Finished units of a stage."""
        return UnitStore((within or self.folder.work) / name, kind, key=key, note=self.listener.note)

    def _imported(self) -> dict[str, Probe]:
        """Answers that were made elsewhere, by question id."""
        path = self.config.probe.path
        return {} if path is None else read_probes(path, self.questions, samples=self.samples)

    def _ask(
        self,
        engine: Engine,
        questions: Sequence[Question],
        store: UnitStore[Probe],
        title: str,
        *,
        on_first: Callable[[Sequence[Probe]], None] | None = None,
    ) -> StoredRows[Probe]:
        """Probe a model, with a bar; see `probe`."""
        if questions is self.questions:
            questions = self._questions_for(engine)
        with self.listener.bar(title, len(questions), "questions") as advance:
            return probe(
                engine,
                questions,
                template=self.config.template.template(chat=engine.chat),
                sampling=self._sampling(),
                rule=self.config.judge.rule,
                store=store,
                score_answers=self.config.probe.score_answers,
                unit=self.config.probe.unit,
                progress=advance,
                on_first=on_first,
            )

    def _rejudged(
        self, questions: Iterable[Question], probes: Iterable[Probe]
    ) -> tuple[list[Verdict] | None, dict[str, Any]]:
        """The last verdicts of all responses, greedy and sampled, as `_by_model`."""
        pairs = (
            (question, response.text)
            for question, item in zip(questions, probes, strict=True)
            for response in (item.greedy, *item.samples)
        )
        by_rule = (verdict for item in probes for verdict in (item.greedy_verdict, *item.sample_verdicts))
        return self._by_model(pairs, by_rule)

    def _by_model(
        self, pairs: Iterable[tuple[Question, str]], by_rule: Iterable[Verdict]
    ) -> tuple[list[Verdict] | None, dict[str, Any]]:
        """The verdicts of the model that judges, None where a rule does, and a note of what came of it."""
        settings = self.config.judge.llm
        if settings.base_url is None:
            return None, {}
        from demur.judging.llm_judge import rejudge, sentences

        before = list(by_rule)
        with self.listener.bar(f"{settings.model} judges", len(before), "responses") as advance:
            verdicts, report = rejudge(
                pairs,
                before,
                settings,
                resamples=self.config.evaluation.resamples,
                seed=self.config.seed,
                progress=advance,
            )
        for sentence in sentences(report):
            self.listener.note(sentence)
        return verdicts, {"judge": report}

    def _build(self) -> None:
        self.build_hash = {}
        for system in self.tuned:
            own, info = self.config.for_system(system), self.info(system)
            # No training row depends on the threshold
            tuning = own.r_tuning.model_copy(update={"threshold": PAPER_THRESHOLD})
            sections = [own.knowledge, tuning, own.us_tuning]
            self.build_hash[system] = digest(
                [self.probe_hash, info.name, *(section.model_dump() for section in sections)]
            )
            output = self.folder.training(system)
            with self._stage(f"build/{system}", self.build_hash[system], output) as notes:
                if notes is None:
                    continue
                stages = self._rows(system, self.engine, self._labelled(system))
                with atomic_folder(output) as unfinished:
                    for stage, examples in stages.items():
                        write_jsonl(unfinished / f"{stage}.jsonl", examples)
                notes["rows"] = {stage: len(examples) for stage, examples in stages.items()}
                notes["stages"] = list(stages)

    def _rows(
        self, system: str, engine: Engine, data: Sequence[Labelled], *, number: int = 1
    ) -> dict[str, list[Example]]:
        """The training rows of one round.

        Raises:
            TrainingDataError: the training questions hold nothing that serves the method.
        """
        method = METHODS.get(self.config.method_of(system))()
        stages = method.build(data, self.setup(engine, system, number=number))
        if not all(stages.values()):
            raise TrainingDataError(
                expected=f"training questions with {' and '.join(method.info.needs)}, which {system} needs",
                found=f"{len(data)} training questions, none of which serves it",
                where=f"training rows of {system}",
                fix="choose data that has them, or another method; `demur methods` says what each needs",
            )
        return stages

    @cached_property
    def _training(self) -> tuple[list[Question], list[Probe]]:
        """The training questions and what the base model did with them."""
        rows = [
            (question, item)
            for question, item in zip(self.questions, self.probes, strict=True)
            if question.split == "train"
        ]
        return [row[0] for row in rows], [row[1] for row in rows]

    def _labelled(self, system: str, probes: Sequence[Probe] | None = None) -> list[Labelled]:
        """The training questions with what the model is taken to know of them, by the system's estimator.

        Args:
            probes: what the model did with them, where it is not the base model.
        """
        questions, own = self._training
        estimator, settings = self._estimator(system), self.config.for_system(system).knowledge
        data = label(questions, probes or own, estimator)
        asked = [item for item in data if item.question.answerable]
        if probes is None and self.info(system).estimator is not None:
            columns = ([item.question for item in asked], [item.probe for item in asked])
            boundary.require_both_sides(*columns, [item.knowledge for item in asked], settings.min_share)
            known = sum(bool(item.knowledge.known) for item in asked)
            self.listener.note(
                f"{system}: the base model knows {known:,} of {len(asked):,} training questions, "
                f"by {estimator}"
            )
        if settings.train_on != "all":
            wanted = settings.train_on == "known"
            data = [item for item in data if item.knowledge.known is wanted]
        return balanced(data, self.config.seed) if settings.balance else data

    def _train(self) -> None:
        self.train_hash = {}
        for system in self.tuned:
            own = self.config.for_system(system)
            self.train_hash[system] = digest(
                [
                    self.build_hash[system],
                    own.training.model_dump(),
                    own.stages,
                    own.rounds,
                    self.config.seed,
                ]
            )
            with self._stage(
                f"train/{system}", self.train_hash[system], self.folder.model(system) / "demur.json"
            ) as notes:
                if notes is not None:
                    notes |= self._train_one(system)
            self._rule_to_card(system)

    def _strategy(self, system: str) -> Strategy | None:
        """How a system's training is divided among processes, None for one process.

        Raises:
            ConfigError: it cannot be done as the settings say.
        """
        settings = {stage: self.config.training_for(system, stage) for stage in self.info(system).stages}
        plain = TrainingSettings()
        if all(s.launch == plain.launch and s.quantize == plain.quantize for s in settings.values()):
            return None
        from demur.engines.loading import pick_device
        from demur.training.strategies import check

        return check(settings, pick_device(self.config.model.device))

    def _train_one(self, system: str) -> dict[str, Any]:
        from demur.training.launch import InProcesses, InThisProcess, launch

        settings, strategy = partial(self.config.training_for, system), self._strategy(system)
        quantize = settings().quantize
        drift: list[dict[str, Any]] = []
        engine = self._take_engine(quantize if strategy is None else "none")
        card = self._card(system, engine)
        work = self.folder.work / "training" / system / self.train_hash[system]
        seed = self.config.seed
        done = launch(
            engine,
            self._rounds(system, engine, work, drift),
            tuner=InProcesses(engine, self._source(), strategy, seed=seed)
            if strategy
            else InThisProcess(engine, seed=seed),
            count=self._round_count(system),
            settings=settings,
            work=work,
            out=self.folder.model(system),
            card=card,
            note=self.listener.note,
            bar=self.listener.bar,
            title=f"tuning {system}",
        )
        return {
            "plan": {stage: dataclasses.asdict(plan) for stage, plan in done.plans.items()},
            "drift": drift,
            **({"processes": done.ran} if done.ran else {}),
        }

    def _source(self) -> Source:
        """Where the base model comes from, for other processes."""
        from demur.training.processes import Source

        model = self.config.model
        return Source(
            path=self.model_path,
            revision=model.revision,
            dtype=model.dtype,
            device=model.device,
            trust_remote_code=model.trust_remote_code,
        )

    def _round_count(self, system: str) -> int:
        return self.config.for_system(system).rounds or self.info(system).rounds

    def _rounds(
        self, system: str, engine: Engine, work: Path, drift: list[dict[str, Any]]
    ) -> Iterator[dict[str, list[Example]]]:
        """The rows of each round; from the second on, of what the model knows by then."""
        stages = self.manifest.values["stages"][f"build/{system}"]["stages"]
        yield {stage: list(read_jsonl(self.folder.rows(system, stage), Example)) for stage in stages}
        questions, before = self._training
        estimator = self._estimator(system)
        for number in range(2, self._round_count(system) + 1):
            key = f"{self.train_hash[system]}/{number}"
            store = self._store(f"probe{number}", Probe, key=key, within=work)
            made = self._ask(engine, questions, store, f"asking {system} again")
            verdicts, judged = self._rejudged(questions, made)
            after = list(_with_verdicts(made, verdicts))
            drift.append({"round": number, **moved(questions, before, after, estimator), **judged})
            later = self._rows(system, engine, self._labelled(system, after), number=number)
            for stage, examples in later.items():
                write_jsonl(self.folder.rows(system, f"round{number}-{stage}"), examples)
            yield later
            before = after

    def _take_engine(self, quantize: str) -> Any:
        """The base model, to be trained: nobody else gets this one afterwards."""
        engine = self.__dict__.pop("engine", None)
        if engine is None or not engine.capabilities.trains or quantize != "none":
            del engine  # its memory, before the weights are loaded
            engine = self.open_model(None, engine="hf", quantize=quantize)
        return engine

    def _card(self, system: str, engine: Engine) -> dict[str, Any]:
        """demur.json: everything that asking the tuned model needs."""
        config, setup = self.config, self.setup(engine, system)
        info = self.info(system)
        return {
            "schema_version": 1,
            "demur": __version__,
            "method": info.name,
            "base_model": self.model_path,
            "revision": config.model.revision,
            "format": "chat" if engine.chat else "plain",
            "template": dataclasses.asdict(setup.template),
            "stop": list(config.probe.stop),
            "max_new_tokens": config.probe.max_new_tokens,
            "primary_signal": info.primary_signal,
            "quantize": self.config.training_for(system).quantize,
            "threshold": {"signal": "sure", "value": setup.config.r_tuning.fixed},
        }

    def _add_to_card(self, owner: str, system: str, combination: Combination, **more: float) -> None:
        """Keep how a system weighs its signals beside the weights that it asks."""
        path = self.folder.model(owner) / "demur.json"
        card = json.loads(path.read_text(encoding="utf-8"))
        card.setdefault("learned", {})[system] = {"combination": dataclasses.asdict(combination), **more}
        with kept_signed(path.parent):
            write_json(path, card)

    def _rule_to_card(self, system: str) -> None:
        """Keep the threshold of a tuned system beside its weights, as it is by now."""
        found = self.rule(system)
        path = self.folder.model(system) / "demur.json"
        card = json.loads(path.read_text(encoding="utf-8"))
        if found is not None and card.get("threshold") != found:
            with kept_signed(path.parent):
                write_json(path, card | {"threshold": found})

    def rule(self, system: str) -> dict[str, Any] | None:
        """The threshold by which a system declines, see `thresholds.rule`; None where it has none.

        One that is calibrated is chosen when the system is asked; until then the paper's stands.
        """
        info, settings = self.info(system), self.config.for_system(system).r_tuning
        if info.rule is None or info.combines:
            return None
        stage = f"predict/{system}"
        if settings.calibrated and self.manifest.is_done(stage, self._predict_inputs(system)):
            found: dict[str, Any] | None = self.manifest.values["stages"][stage].get("threshold")
            return found
        return thresholds.not_chosen(info.rule, settings)

    def _predict(self) -> None:
        self.predict_hash = {"base": digest([self.probe_hash, "base"])}
        with self._stage(
            "predict/base", self.predict_hash["base"], self.folder.predictions("base")
        ) as notes:
            if notes is not None:
                write_parquet(self.folder.predictions("base"), baselines.base(self.probes), Prediction)
        for system in self.config.systems:
            inputs = self.predict_hash[system] = self._predict_inputs(system)
            with self._stage(f"predict/{system}", inputs, self.folder.predictions(system)) as notes:
                if notes is not None:
                    notes |= self._predict_one(system, inputs)
            if system in self.tuned:
                self._rule_to_card(system)
        self._predict_derived()

    def _predict_inputs(self, system: str) -> str:
        return digest([self._weights_hash(system), system, self.setup_hash(system)])

    def _weights_hash(self, system: str) -> str:
        owner = self.info(system).weights or system
        if owner == "base":
            return self.probe_hash
        # Of the weights themselves too: files that were exchanged are asked anew
        return digest([self.train_hash[owner], self._weights_of(system)])

    def setup_hash(self, system: str) -> str:
        """Hash of what a system's way of asking depends on beyond its weights."""
        return digest([self.info(system).name, self.config.for_system(system).r_tuning.threshold])

    def _predict_one(self, system: str, inputs: str) -> dict[str, Any]:
        self.__dict__.pop("engine", None)  # one model in memory at a time
        info = self.info(system)
        owned = info.weights != "base"
        weights = self._weights_of(system) if owned else None
        engine = self.open_model(info.weights or system if owned else None)
        work = _Asking(
            system=system,
            method=info.name,
            config=self.config.for_system(system),
            sampling=self._sampling(),
            questions=self._questions_for(engine),
            probes=StoredRows.of(self.folder.probe.resolve(), Probe),
        )
        store = self._store(f"predict/{system}", Prediction, key=inputs)
        with self.listener.bar(f"asking {system}", len(self.questions), "questions") as advance:
            rows = ask_in_units(
                engine,
                range(len(self.questions)),
                work,
                store=store,
                unit=self.config.probe.unit,
                progress=advance,
            )
        pairs = ((question, row.response) for question, row in zip(self.questions, rows, strict=True))
        verdicts, judged = self._by_model(pairs, (row.verdict for row in rows))
        decided: Iterable[Prediction] = _Decided(rows, verdicts)
        if info.combines:
            decided = self._combine(system, decided, info.combines)
        found = thresholds.rule(info, work.config.r_tuning, decided, self.questions)
        if found is not None:
            judged["threshold"] = found
            self.listener.note(f"{system}: {thresholds.sentence(found)}")
            decided = thresholds.decided(decided, found["signal"], found["value"])
        write_parquet(self.folder.predictions(system), decided, Prediction)
        store.clear()
        return judged if weights is None else {**judged, "weights": weights}

    def _weights_of(self, system: str) -> dict[str, str]:
        """Digests of the weights that a system asks; the predictions are theirs."""
        return provenance.weights_of(self.folder.model(self.info(system).weights or system))

    def _combine(
        self, system: str, rows: Iterable[Prediction], names: Sequence[str]
    ) -> Iterable[Prediction]:
        """The rows of a method that weighs its signals on the calibration split."""
        found = learned.combined(rows, self.questions, names)
        if found is None:
            raise TrainingDataError(
                expected="a calibration split with ten or more right and wrong answers each",
                found="fewer",
                where=f"calibration of {system}",
                fix="set data.calibration higher, or choose a method that needs no calibration (r-tuning)",
            )
        combined, combination, threshold = found
        owner = self.info(system).weights or system
        self._add_to_card(owner, system, combination, threshold=threshold)
        return combined

    def _predict_derived(self) -> None:
        """The base model read in other ways, beside the method of the run."""
        method = self.config.method
        inputs = digest([self.predict_hash["base"], self.predict_hash[method]])
        base, tuned = (
            StoredRows.of(self.folder.predictions(system), Prediction) for system in ("base", method)
        )
        systems: dict[str, Iterable[Prediction]] = {**baselines.derived(base, tuned, self.questions)}
        own = self.info(method).combines  # a method that weighs its signals itself needs no second reading
        reading = None if own else learned.learned(tuned, self.questions)
        if reading is not None:
            systems[method + learned.SUFFIX], combination = reading
            if method in self.tuned:
                self._add_to_card(method, method + learned.SUFFIX, combination)
        for system, rows in systems.items():
            self._derive(system, rows, inputs)
        for system, rows in self._by_papers_rule().items():
            self._derive(system, rows, digest([self.predict_hash[unread(system)], system]))
        self._forget_readings()

    def _derive(self, system: str, rows: Iterable[Prediction], inputs: str) -> None:
        self.predict_hash[system] = inputs
        output = self.folder.predictions(system)
        with self._stage(f"predict/{system}", inputs, output) as notes:
            if notes is not None:
                write_parquet(output, rows, Prediction)

    def _forget_readings(self) -> None:
        """Remove readings that an earlier configuration of this folder had and this one has not."""
        for path in self.folder.predictions("base").parent.glob("*.parquet"):
            if unread(path.stem) != path.stem and path.stem not in self.predict_hash:
                path.unlink()
                self.manifest.values["stages"].pop(f"predict/{path.stem}", None)

    def _by_papers_rule(self) -> dict[str, Iterable[Prediction]]:
        """The answers of every system whose threshold was chosen, by the fixed rule of its paper."""
        rules = {system: self.rule(system) for system in self.config.systems}
        return {
            system + FIXED: thresholds.fixed(
                StoredRows.of(self.folder.predictions(system), Prediction), found["signal"]
            )
            for system, found in rules.items()
            if found is not None and thresholds.chosen(found)
        }

    def _evaluate(self) -> None:
        from demur.metrics import METRICS, evaluate

        systems = list(self.predict_hash)
        self.evaluate_hash = digest(
            [self.predict_hash, self.config.evaluation.model_dump(), METRICS.names()]
        )
        infos = {system: system_info(system, self.config) for system in systems}
        self.manifest.values["systems"] = {
            system: {
                "primary_signal": info.primary_signal,
                "paper": info.paper,
                "description": info.summary,
                **({"threshold": found} if (found := self._rule_of(system)) is not None else {}),
            }
            for system, info in infos.items()
        }
        with self._stage("evaluate", self.evaluate_hash, self.folder.metrics) as notes:
            if notes is None:
                return
            method, settings = self.config.method, self.config.evaluation
            results = evaluate(
                self.questions,
                {s: read_parquet(self.folder.predictions(s), Prediction) for s in systems},
                primary={system: info.primary_signal for system, info in infos.items()},
                reference="base",
                compare=_compared(systems, method),
                level=settings.level,
                resamples=settings.resamples,
                seed=self.config.seed,
                ece_bins=settings.ece_bins,
            )
            write_json(self.folder.metrics, {**results, "first_answers": self._first_answers()})

    def _rule_of(self, system: str) -> dict[str, Any] | None:
        """The threshold of any system that is reported, see `rule`."""
        if system in self.config.systems:
            return self.rule(system)
        own = self.rule(unread(system)) if system.endswith(FIXED) else None
        return own and {
            "signal": own["signal"],
            "value": PAPER_THRESHOLD,
            "how": thresholds.GIVEN,
            "chosen_on": None,
            "n": None,
            "reason": "the paper's rule",
        }

    def _report(self) -> None:
        inputs = digest([__version__, self.evaluate_hash])
        with self._stage("report", inputs, self.folder.report) as notes:
            if notes is None:
                return
            from demur.report import write_report

            self.manifest.save()
            write_report(self.folder.root)


def _setup(config: Config, engine: Engine, *, sampling: Sampling, number: int = 1, **more: Any) -> Setup:
    return Setup(
        config=config,
        template=config.template.template(chat=engine.chat),
        render=engine.render,
        sampling=sampling,
        engine=engine,
        round=number,
        **more,
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """How a unit of questions is put to a system, and its answers judged."""

    system: str
    method: str
    config: Config
    """The system's own."""
    sampling: Sampling
    questions: Sequence[Question]
    probes: Sequence[Probe]
    """What the base model did with each of them."""

    def __call__(
        self, engine: Engine, part: Sequence[int], *, progress: Progress | None = None
    ) -> list[Prediction]:
        """Ask the questions at these places, which follow one another."""
        unit = slice(part[0], part[-1] + 1)
        questions = self.questions[unit]
        base = {probe.question_id: probe.greedy for probe in self.probes[unit]}
        setup = _setup(self.config, engine, sampling=self.sampling, base=base)
        said = METHODS.get(self.method)().elicit(engine, questions, setup, progress=progress)
        return [self._judged(*pair) for pair in zip(questions, said, strict=True)]

    def _judged(self, question: Question, said: Elicited) -> Prediction:
        """What the system said, with the rule's verdict; declined by its own rule only, see `_Decided`."""
        own = METHODS.get(self.method)().info.refusals
        refusals = (self.config.template.template(chat=False).refusal, *own)
        return Prediction(
            question_id=question.id,
            system=self.system,
            answer=said.answer,
            response=said.response,
            verdict=judge(question, said.response, rule=self.config.judge.rule, refusals=refusals),
            abstained=said.declines,
            signals=said.signals,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class _MergedProbes:
    """Probes made elsewhere and here, in the order of the questions; may be read again."""

    questions: QuestionTable
    known: Mapping[str, Probe]
    made: Iterable[Probe]
    """Of the questions that are not known, in order."""

    def __iter__(self) -> Iterator[Probe]:
        made = iter(self.made)
        for (key,) in self.questions.values("id"):
            yield self.known[key] if key in self.known else next(made)


@dataclasses.dataclass(frozen=True, slots=True)
class _Decided:
    """Predictions with their last verdict, declined where that is a refusal; may be read again."""

    rows: Iterable[Prediction]
    verdicts: Iterable[Verdict] | None
    """None: those that the rows have."""

    def __iter__(self) -> Iterator[Prediction]:
        given = None if self.verdicts is None else iter(self.verdicts)
        for row in self.rows:
            verdict = row.verdict if given is None else next(given)
            declined = row.abstained or verdict is Verdict.REFUSED
            yield dataclasses.replace(row, verdict=verdict, abstained=declined)


def _with_verdicts(probes: Iterable[Probe], verdicts: Iterable[Verdict] | None) -> Iterator[Probe]:
    """Probes with these verdicts of their responses, in order; with their own where there are none."""
    given = None if verdicts is None else iter(verdicts)
    for item in probes:
        if given is None:
            yield item
        else:
            greedy, *samples = itertools.islice(given, 1 + len(item.samples))
            yield dataclasses.replace(item, greedy_verdict=greedy, sample_verdicts=tuple(samples))


def _compared(systems: Sequence[str], method: str) -> list[tuple[str, str]]:
    """Whose differences are reported: the method's, and its learned reading's, to everybody else.

    Where a run has many systems, to what is had for free and to vanilla only: `demur compare` puts many
    side by side, a report tells one story.
    """
    own = [system for system in (method, method + learned.SUFFIX) if system in systems]
    # What reads the method's answers by its paper's rule has its ranking, and is no rival of it
    others = [system for system in systems if system not in own and not system.endswith(FIXED)]
    if len(others) > MANY:
        others = [system for system in others if system in baselines.BASELINES or system == "vanilla"]
    return [(system, other) for system in own for other in others]
