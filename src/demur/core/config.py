"""One pydantic model = the YAML file = the command line's options.

Every field is a line in a configuration file and a flag of `demur run` (``--training.epochs 2``).
Unknown names are refused with the nearest known one, and all problems are reported at once.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml
from pydantic import BaseModel, ConfigDict, Field

from demur.core.errors import ConfigError
from demur.core.files import write_text
from demur.core.names import problem
from demur.core.templates import TEMPLATES, Template

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(gt=0)]


def _named(kind: str, name: str) -> str:
    if (found := problem(kind, name)) is not None:
        raise ValueError(found)
    return name


SystemName = Annotated[str, pydantic.AfterValidator(partial(_named, "system"))]
StageName = Annotated[str, pydantic.AfterValidator(partial(_named, "stage"))]
_BY_COMMA = pydantic.BeforeValidator(
    lambda value: tuple(part for part in value.split(",") if part) if isinstance(value, str) else value
)
Names = Annotated[tuple[str, ...], _BY_COMMA]
"""Several names; as text they are separated by commas."""
SystemNames = Annotated[tuple[SystemName, ...], _BY_COMMA]
"""Several systems, written in the same way."""
NO_FIELD = "none"
"""As the name of a field: use no field for this, even where one would be guessed."""

Portion = Annotated[float, Field(ge=0)]
"""Below 1 a share of the distinct questions, from 1 on a number of them."""


class Section(BaseModel):
    """Base of all sections: unknown fields are errors, values cannot be changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class ServerSettings(Section):
    """An OpenAI-compatible server and how it is asked."""

    base_url: str | None = Field(
        None, description="address of an OpenAI-compatible server, such as http://localhost:8000/v1"
    )
    key_variable: str | None = Field(
        None,
        description="name of the environment variable that holds the server's key; left out: it wants none",
    )
    extra: dict[str, Any] = Field(
        default_factory=dict,
        description="further fields of each request, such as response_format; null leaves a usual one out",
    )
    concurrency: Positive = Field(16, description="requests under way at once")
    requests_per_minute: Positive | None = Field(None, description="at most so many, evenly spaced")
    timeout_seconds: Annotated[float, Field(gt=0)] = Field(
        60.0, description="after which a request counts as failed"
    )
    retries: Annotated[int, Field(ge=0)] = Field(
        5, description="how often a request is made again when the server is busy, failing or not reachable"
    )
    cache: Path | None = Field(
        None, description="file that keeps every reply; left out: one in the user's cache folder"
    )
    remember: bool = Field(
        True, description="keep replies at all; without, what was interrupted is asked again"
    )
    price_in: Annotated[float, Field(ge=0)] | None = Field(
        None, description="price of a million prompt tokens, to say what it cost"
    )
    price_out: Annotated[float, Field(ge=0)] | None = Field(
        None, description="price of a million tokens of replies"
    )

    def identity(self) -> dict[str, Any]:
        """What a reply depends on: the rest is only how it is asked for."""
        return self.model_dump(mode="json", include={"base_url", "extra"})


class EndpointSettings(ServerSettings):
    """A chat model behind an OpenAI-compatible server."""

    model: str | None = Field(None, description="the model's name there")
    max_tokens: Positive = Field(200, description="longest reply, in tokens")
    temperature: Annotated[float, Field(ge=0)] = Field(0.0, description="of the replies")

    @pydantic.model_validator(mode="after")
    def _both_or_neither(self) -> EndpointSettings:
        if (self.base_url is None) != (self.model is None):
            raise ValueError("base_url and model belong together: give both, or neither")
        return self

    def identity(self) -> dict[str, Any]:
        """What a reply depends on: the rest is only how it is asked for."""
        own = self.model_dump(mode="json", include={"model", "max_tokens", "temperature"})
        return super().identity() | own


class ModelSettings(Section):
    """The model that is to become honest."""

    path: str = Field(
        "pocket",
        description="folder or hub name of a causal language model; pocket, pocket-2, pocket-2-small and "
        "pocket-2-large are built in; with the engine openai its name at the server",
    )
    revision: str | None = Field(None, description="branch, tag or commit of a hub model")
    engine: str = Field(
        "hf",
        description="who generates the text: hf (transformers) or vllm, both in this process, ray, one of "
        "the two in many workers, or openai, a server of its own",
    )
    device: str = Field("auto", description="auto (cuda, then mps, then cpu), or a device by name")
    dtype: str = Field(
        "auto", description="auto (bfloat16 on cuda, float32 on cpu), float32, bfloat16 or float16"
    )
    format: Literal["auto", "plain", "chat"] = Field(
        "auto",
        description="plain text, the model's chat template, or auto: chat where it has a template (openai: "
        "where the server answers chats)",
    )
    batch_size: Positive | Literal["auto"] = Field(
        "auto", description="prompts generated for at once; halved by itself when memory runs out"
    )
    trust_remote_code: bool = Field(False, description="run code that ships with the model; leave off")
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="for vllm: its own engine arguments, such as tensor_parallel_size; for ray: engine, "
        "workers, address, cpus and gpus of a worker, options of the workers' engine",
    )
    endpoint: ServerSettings = ServerSettings()
    """The server of the engine openai."""

    def identity(self) -> dict[str, Any]:
        """What the model's answers depend on: for ray on the workers' engine, not on how many there are."""
        found = self.model_dump(exclude={"endpoint"}) | {"endpoint": self.endpoint.identity()}
        if self.engine == "ray":
            found |= {
                "engine": self.options.get("engine", "hf"),
                "options": self.options.get("options", {}),
            }
        return found


class TemplateSettings(Section):
    """The words around a question. Fields left out come from the family."""

    family: str = Field("r-tuning-code", description=f"one of: {', '.join(TEMPLATES)}")
    prompt: str | None = Field(None, description="the question as the model reads it; holds {question}")
    answer_lead: str | None = Field(None, description="between prompt and answer")
    answer_end: str | None = Field(None, description="between answer and certainty question")
    certainty_question: str | None = Field(None, description="asked after the answer")
    certainty_lead: str | None = Field(None, description="before the label word")
    sure: str | None = Field(None, description="label word of what is known, with the space before it")
    unsure: str | None = Field(
        None, description="label word of what is not known, with the space before it"
    )
    certainty_end: str | None = Field(None, description="after the label word")
    refusal: str | None = Field(None, description="what a user reads where the system declines to answer")

    @pydantic.field_validator("family")
    @classmethod
    def _known_family(cls, value: str) -> str:
        if value not in TEMPLATES:
            raise ValueError(_unknown("template family", value, TEMPLATES))
        return value

    @pydantic.field_validator("prompt")
    @classmethod
    def _holds_question(cls, value: str | None) -> str | None:
        if value is not None and "{question}" not in value:
            raise ValueError("must hold {question}, the place where the question goes")
        return value

    def template(self, *, chat: bool) -> Template:
        """The template these settings describe.

        Args:
            chat: in a chat the answer opens the assistant's turn, so nothing leads it unless asked for.
        """
        import dataclasses

        changes = self.model_dump(exclude={"family"}, exclude_none=True)
        if chat:
            changes.setdefault("answer_lead", "")
        return dataclasses.replace(TEMPLATES[self.family], **changes)


class ProbeSettings(Section):
    """How the base model is asked what it knows, and how every system answers afterwards."""

    path: Path | None = Field(
        None,
        description="the base model's answers made elsewhere: another run's probe.parquet, or training "
        "rows of Alignment for Honesty; only questions that it lacks are asked",
    )
    samples: Annotated[int, Field(ge=0)] | None = Field(
        None,
        description="sampled responses beside the greedy one; left out: 10 where a method or the estimator "
        "needs them, else none",
    )
    temperature: Annotated[float, Field(gt=0)] = Field(0.7, description="of the samples")
    top_p: Annotated[float, Field(gt=0, le=1)] = Field(1.0, description="nucleus of the samples")
    max_new_tokens: Positive = Field(15, description="longest answer, in tokens")
    stop: tuple[str, ...] = Field((".", "\n"), description="an answer ends before the first of these")
    score_answers: bool = Field(
        False, description="also compute the exact probability of the accepted answers: one more pass"
    )
    unit: Positive = Field(256, description="questions that are stored, and redone after a crash, together")
    allow_empty: bool = Field(
        False, description="continue where more than half of the first answers (one unit) are empty"
    )


class JudgeSettings(Section):
    """When an answer is right."""

    rule: str = Field("contains-words", description="how an answer is compared with the accepted ones")
    llm: EndpointSettings = EndpointSettings()
    """A model whose verdict takes the place of the rule's; off without an address."""

    def identity(self) -> dict[str, Any]:
        """What a verdict depends on."""
        return {"rule": self.rule, "llm": self.llm.identity() if self.llm.base_url else None}


class KnowledgeSettings(Section):
    """Where the boundary between known and unknown lies."""

    estimator: str | None = Field(
        None,
        description="greedy, any-correct, majority, expected-accuracy(TAU), entropy(QUANTILE) "
        "or choice-corrected(TAU); left out: the method's own, as published",
    )
    train_on: Literal["all", "known", "unknown"] = Field(
        "all", description="train on all questions, or, to study what that does, on known or unknown ones"
    )
    balance: bool = Field(
        False,
        description="train on as many known as unknown questions; the others are left out by the seed",
    )
    min_share: Share = Field(
        0.05, description="stop where less than this share of the training questions is known, or unknown"
    )


PAPER_THRESHOLD = 0.5
"""R-Tuning's own rule: answer where *sure* is at least as likely as *unsure*."""


def _threshold(value: object) -> object:
    if value == "calibrated":
        return value
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever was given
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not 0 <= number <= 1:
        raise ValueError("must be 'calibrated' or a number from 0 to 1, such as 0.5")
    return number


class RTuningSettings(Section):
    """R-Tuning's choices."""

    loss: Literal["certainty", "answer+certainty", "all"] = Field(
        "certainty", description="where loss falls: the certainty words, answer and certainty, every token"
    )
    answers: Literal["gold", "own"] = Field(
        "gold",
        description="the answer shown before the certainty question: the gold one, as in the paper, or the "
        "model's own, as at inference",
    )
    threshold: Annotated[float | Literal["calibrated"], pydantic.BeforeValidator(_threshold)] = Field(
        "calibrated",
        description="decline to answer where the probability of sure is lower: calibrated (chosen on the "
        "calibration questions), or a fixed number (0.5 in the paper)",
    )

    @property
    def calibrated(self) -> bool:
        """Whether the threshold is chosen on the calibration questions."""
        return self.threshold == "calibrated"

    @property
    def fixed(self) -> float:
        """The threshold as long as none is chosen: the one given, else the paper's."""
        return PAPER_THRESHOLD if isinstance(self.threshold, str) else self.threshold


class USTuningSettings(Section):
    """US-Tuning's choices."""

    review_rows: Positive = Field(
        300,
        description="training rows of the second stage, each with an instruction that changes the answer",
    )
    corrected: Share = Field(
        0.3,
        description="share of them that first ignore that instruction, see so in review, and correct it",
    )


STRATEGIES = ("ddp", "fsdp", "deepspeed", "deepspeed-zero3")
"""Ways to train in several processes; each is an accelerate configuration in `training/accelerate/`."""


class LaunchSettings(Section):
    """Whether the training stages run in several processes, and how; accelerate starts them."""

    strategy: str | None = Field(
        None,
        description="ddp, fsdp (FSDP2), deepspeed (ZeRO-2), deepspeed-zero3, or the path of an accelerate "
        "configuration; left out: one process",
    )
    processes: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="how many; left out: as the configuration says, else one for each device",
    )

    @pydantic.field_validator("strategy")
    @classmethod
    def _known_or_a_file(cls, value: str | None) -> str | None:
        if value is not None and value not in STRATEGIES and not value.endswith((".yaml", ".yml", ".json")):
            raise ValueError(_unknown("strategy or accelerate configuration (.yaml)", value, STRATEGIES))
        return value

    @pydantic.model_validator(mode="after")
    def _processes_need_a_strategy(self) -> LaunchSettings:
        if self.processes is not None and self.strategy is None:
            raise ValueError("processes need a strategy beside them, such as ddp")
        return self


class TrainingSettings(Section):
    """How a model is tuned (TRL's SFTTrainer, PEFT's LoRA)."""

    launch: LaunchSettings = LaunchSettings()
    """In several processes, where a strategy is named."""
    lora: bool = Field(True, description="LoRA; off means every weight is tuned")
    lora_rank: Positive = Field(8, description="rank of the LoRA matrices")
    lora_alpha: Positive = Field(16, description="scale of the LoRA update")
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="dropout inside LoRA")
    lora_targets: tuple[str, ...] | Literal["all-linear"] = Field(
        "all-linear", description="modules that get LoRA matrices"
    )
    quantize: Literal["none", "4bit", "8bit"] = Field(
        "none",
        description="QLoRA: hold frozen weights in 4 or 8 bits while the adapter is tuned (bitsandbytes)",
    )
    learning_rate: Annotated[float, Field(gt=0)] = Field(1e-4, description="highest learning rate")
    scheduler: str = Field("linear", description="shape of the learning rate, a name transformers knows")
    warmup: Share = Field(0.05, description="share of the steps over which the learning rate rises")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.0, description="AdamW's weight decay")
    epochs: Annotated[float, Field(gt=0)] = Field(1.0, description="passes over the training rows")
    max_steps: Annotated[int, Field(gt=0)] | None = Field(None, description="stop after so many steps")
    batch_size: Positive = Field(
        4, description="rows that a process reads at once; with accumulate, the rows of an update"
    )
    accumulate: Positive = Field(
        1,
        description="an update takes batch_size x accumulate rows, in all processes together",
    )
    max_length: Positive | None = Field(None, description="cut rows to so many tokens; none by default")
    gradient_checkpointing: bool = Field(False, description="less memory for more time")
    save_steps: Positive = Field(500, description="steps between checkpoints to resume from")
    report_to: Names = Field((), description="trackers: wandb, tensorboard, mlflow, …")

    @pydantic.model_validator(mode="after")
    def _quantised_weights_stay_frozen(self) -> TrainingSettings:
        if self.quantize != "none" and not self.lora:
            raise ValueError("quantize needs lora: weights in few bits cannot be tuned themselves")
        return self


class EvaluationSettings(Section):
    """How results are measured."""

    resamples: Positive = Field(1000, description="bootstrap resamples behind each interval")
    level: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.95, description="confidence level of the intervals"
    )
    ece_bins: Positive = Field(15, description="bins of the calibration error")


def _of_one_dataset(name: str) -> bool:
    """Whether a data setting can only be meant for one dataset of a mixture."""
    return name.endswith("_field") or name == "negatives"


class DataSettings(Section):
    """Which questions, from where, and how they are divided."""

    name: str | None = Field(
        None,
        description="a dataset's name, or the path of a file of your own; "
        "left out: 'file' where a path is given, else 'pocket'",
    )
    path: Path | None = Field(None, description="the dataset's file or folder")
    question_field: str | None = Field(None, description="field that holds the question; guessed")
    answers_field: str | None = Field(None, description="field that holds the accepted answers; guessed")
    id_field: str | None = Field(
        None, description="field that holds a unique id; guessed; 'none': ids from the content"
    )
    choices_field: str | None = Field(
        None, description="field that holds the options of a choice question; guessed; 'none' for none"
    )
    context_field: str | None = Field(
        None, description="field that holds a passage to read; guessed; 'none' for none"
    )
    split_field: str | None = Field(
        None, description="field that says train, calibration or test; guessed; 'none' for none"
    )
    domain_field: str | None = Field(
        None, description="field that says id or ood; guessed; 'none' for none"
    )
    group_field: str | None = Field(
        None, description="field by whose values results are also reported; guessed; 'none' for none"
    )
    answerable_field: str | None = Field(
        None, description="field that is false where no answer can be right; guessed; 'none' for none"
    )
    encoding: str | None = Field(
        None, description="text encoding of the file; left out: UTF-8, or what its byte order mark says"
    )
    test: Portion = Field(
        0.2, description="taken from training for testing where the data has no test part: share or number"
    )
    calibration: Portion = Field(
        0.1, description="set apart from training where the data has no calibration part: share or number"
    )
    divide_by: Literal["question", "group"] = Field(
        "question",
        description="group: questions of one group (data.group_field: an entity, a topic, a document) stay "
        "in one part where parts are drawn",
    )
    merge_answers: bool = Field(
        False,
        description="make one question of rows of a part that ask the same, with all of their answers",
    )
    seed: int | None = Field(
        None, description="of the division into parts and of the limit; left out: the run's seed"
    )
    limit: Annotated[int, Field(gt=0)] | None = Field(
        None, description="for a trial: at most so many questions of each part, drawn by the seed"
    )
    mixture: tuple[dict[str, Any], ...] = Field(
        (),
        description="several datasets instead of one: data settings of each, with `use`: all, train, or "
        "test (asked only, never trained on)",
    )
    negatives: Literal["none", "rule"] = Field(
        "none",
        description="rule: beside each question with a passage, the same passage with a question that it "
        "does not answer, taken from another record",
    )
    leaks: Literal["drop", "keep"] = Field(
        "drop", description="test questions that also stand in training or calibration: drop or keep them"
    )

    @pydantic.field_validator("path", mode="before")
    @classmethod
    def _not_empty(cls, value: object) -> object:
        # An unset shell variable arrives as "", which would quietly mean the current folder.
        if value == "":
            raise ValueError("must name a file or folder; an empty text was given")
        return value

    @pydantic.field_validator("test", "calibration")
    @classmethod
    def _whole_number(cls, value: float) -> float:
        if value >= 1 and not value.is_integer():
            raise ValueError("must be a share below 1 or a whole number of questions")
        return value

    @pydantic.model_validator(mode="after")
    def _mixture_fits(self) -> DataSettings:
        if self.mixture and (self.name or self.path):
            raise ValueError("give a mixture, or a name or path, not both")
        own = [name for name, value in self if _of_one_dataset(name) and value not in (None, "none")]
        if self.mixture and own:
            raise ValueError(f"{', '.join(own)} must stand with the dataset of the mixture that it is for")
        for number, entry in enumerate(self.mixture, start=1):
            use = entry.get("use", "all")
            if use not in ("all", "train", "test") or "mixture" in entry:
                raise ValueError(
                    f"dataset {number}: `use` must be all, train or test, and no mixture within"
                )
            DataSettings.model_validate({key: value for key, value in entry.items() if key != "use"})
        return self

    @pydantic.model_validator(mode="after")
    def _leaves_some_for_training(self) -> DataSettings:
        if max(self.test, self.calibration) < 1 and self.test + self.calibration >= 1:
            raise ValueError("the shares of test and calibration must leave some questions for training")
        return self


OVERRIDABLE = {"knowledge", "r_tuning", "us_tuning", "training", "stages", "rounds"}
"""What systems of one run may differ in; everything else they share, the probe above all."""


class Config(Section):
    """Everything that a run depends on."""

    out: Path = Field(Path("runs/demur"), description="the run folder")
    seed: int = Field(0, description="every random choice derives from it")
    method: SystemName = Field("r-tuning", description="the method that makes the model honest")
    baselines: SystemNames = Field(("vanilla",), description="methods trained beside it, to compare with")
    model: ModelSettings = ModelSettings()
    data: DataSettings = DataSettings()
    template: TemplateSettings = TemplateSettings()
    probe: ProbeSettings = ProbeSettings()
    judge: JudgeSettings = JudgeSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    r_tuning: RTuningSettings = RTuningSettings()
    us_tuning: USTuningSettings = USTuningSettings()
    training: TrainingSettings = TrainingSettings()
    stages: dict[StageName, dict[str, Any]] = Field(
        default_factory=dict, description="training settings of single stages, by stage and field"
    )
    rounds: Positive | None = Field(
        None,
        description="align, ask again what is known, align again, so often; left out: the method's own",
    )
    overrides: dict[SystemName, dict[str, Any]] = Field(
        default_factory=dict,
        description="settings of single systems, by system: training, stages, rounds, knowledge, r_tuning, "
        "us_tuning; with `method` the system is a variant of that method under its own name",
    )
    evaluation: EvaluationSettings = EvaluationSettings()

    @pydantic.model_validator(mode="after")
    def _overrides_fit(self) -> Config:
        for system in self.overrides:
            for stage in ("", *self.for_system(system).stages):
                if stage and (found := problem("stage", stage)) is not None:
                    raise ValueError(f"overrides.{system}: {found}")
                self.training_for(system, stage)
        return self

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that are tuned or asked, baselines first, none twice: methods and their variants."""
        return tuple(dict.fromkeys((*self.baselines, self.method)))

    def method_of(self, system: str) -> str:
        """The method that a system is: its own name, unless it is a variant."""
        return str(self.overrides.get(system, {}).get("method", system))

    def for_system(self, system: str) -> Config:
        """The configuration as one system sees it: the common settings with its own on top.

        Raises:
            ValueError: an override of something that all systems of a run share.
        """
        changes = {key: value for key, value in self.overrides.get(system, {}).items() if key != "method"}
        wrong = sorted(changes.keys() - OVERRIDABLE)
        if wrong:
            raise ValueError(
                f"overrides.{system}: {', '.join(wrong)} cannot differ between systems; only "
                f"{', '.join(sorted(OVERRIDABLE))} can"
            )
        values = self.model_dump(include=OVERRIDABLE)
        for name, change in changes.items():
            values[name] = {**values[name], **change} if isinstance(change, Mapping) else change
        kinds: dict[str, type[Section]] = {
            "knowledge": KnowledgeSettings,
            "r_tuning": RTuningSettings,
            "us_tuning": USTuningSettings,
            "training": TrainingSettings,
        }
        return self.model_copy(
            update={
                name: kinds[name].model_validate(value) if name in kinds else value
                for name, value in values.items()
            }
        )

    def training_for(self, system: str, stage: str = "") -> TrainingSettings:
        """The training settings of one stage of one system."""
        own = self.for_system(system)
        return TrainingSettings.model_validate({**own.training.model_dump(), **own.stages.get(stage, {})})


def load_config(path: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read a configuration: flags over file over defaults.

    Args:
        path: a YAML file; None for defaults.
        overrides: values by dotted name, such as ``{"training.epochs": "2"}``. Text stands as it is,
            spaces included; lists and mappings are written as in YAML.

    Raises:
        ConfigError: the file cannot be read, or values are wrong; every problem is listed.
    """
    values = _read_yaml(path) if path else {}
    for name, value in (overrides or {}).items():
        _put(values, name.split("."), _from_flag(value))
    try:
        return Config.model_validate(values)
    except pydantic.ValidationError as error:
        raise explain(error, str(path) if path else "the command line") from error


def save_config(config: Config, path: Path) -> None:
    """Write the resolved configuration as YAML, atomically."""
    write_text(path, yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


def leaves(
    kind: type[BaseModel] = Config, prefix: str = ""
) -> Iterator[tuple[str, pydantic.fields.FieldInfo]]:
    """Every setting by its dotted name, in the order of the file."""
    for name, info in kind.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            yield from leaves(info.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, info


def differences(old: Config, new: Config) -> list[str]:
    """The settings in which two configurations differ, one line each; the folder's own name is none."""
    before, after = (_flat(config.model_dump(mode="json", exclude={"out"})) for config in (old, new))
    return [
        f"{name}: {before.get(name)!r} there, {after.get(name)!r} here"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            expected="a readable YAML file",
            found=error.strerror or type(error).__name__,
            where=str(path),
            fix="check the path; `demur init DATA` writes a configuration to start from",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(
            expected="YAML in UTF-8",
            found=" ".join(str(error).split()),
            where=str(path),
            fix="mend the line; values with a colon or a leading special character need quotes",
        ) from error
    if not isinstance(values, dict | None):
        raise ConfigError(
            expected="`name: value` lines",
            found=f"a {type(values).__name__}",
            where=str(path),
            fix="see examples/ for whole configurations",
        )
    return values or {}


def _from_flag(value: Any) -> Any:
    """A flag's text as a value: pydantic turns plain text into numbers and truth values by itself."""
    if isinstance(value, str) and (value[:1] in ("[", "{") or value in ("null", "None")):
        return None if value == "None" else yaml.safe_load(value)
    return value


def _put(values: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
    values[keys[-1]] = value


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


ALL_SETTINGS = "mend these; `demur run --help` lists every setting with its meaning"


def explain(
    error: pydantic.ValidationError,
    where: str,
    *,
    known: Iterable[str] | None = None,
    fix: str = ALL_SETTINGS,
) -> ConfigError:
    """All problems of a configuration in one message, with the nearest name for unknown fields.

    Args:
        known: the names that there are; by default every setting's.
        fix: what to do.
    """
    names = [name for name, _ in leaves()] if known is None else list(known)
    problems = []
    for item in error.errors():
        name = ".".join(str(part) for part in item["loc"] if part != "[key]")
        if item["type"] == "extra_forbidden":
            problems.append(_unknown("setting", name, names))
        else:
            problems.append(f"{name}: {item['msg']} (found {item['input']!r})")
    return ConfigError(
        expected="a configuration in which every setting is known and every value fits",
        found="\n          ".join(problems),
        where=where,
        fix=fix,
    )


def _unknown(kind: str, name: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
    return f"{name!r} is no known {kind}{hint}"
