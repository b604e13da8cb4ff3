"""The model that is to become honest, the servers that are asked, and the words around a question."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from demur.core.config.section import Positive, Section, unknown
from demur.core.records import Question, Task
from demur.core.templates import TEMPLATES, Template

MOST_EXAMPLES = 64
"""Worked examples that a prompt may show."""


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
    requests_per_minute: Positive | None = Field(None, description="requests per minute, evenly spaced")
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
        description="folder, .gguf file or hub name of a causal language model; smollm2 and gemma3-270m "
        "are small real models; pocket, pocket-2, pocket-2-small, pocket-2-large and pocket-reader are "
        "built in; with the engine openai its name at the server",
    )
    revision: str | None = Field(None, description="branch, tag or commit of a hub model")
    engine: str = Field(
        "hf",
        description="who generates the text: hf (transformers) or vllm, both in this process, ray, one of "
        "the two in many workers, or openai, a server of its own",
    )
    device: str = Field("auto", description="auto (cuda, then mps, then cpu), or a device by name")
    dtype: str = Field(
        "auto",
        description="auto (bfloat16 on cuda; on a cpu float32, or bfloat16 for a larger model where it is "
        "faster), float32, bfloat16 or float16",
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


class ShownExample(Section):
    """A worked example: a question and its answer as a prompt shows them."""

    question: str
    answer: str
    """Of a choice question its letter."""
    choices: tuple[str, ...] = ()
    context: str | None = None
    task: Task = "open"
    form: str = ""

    @classmethod
    def of(cls, question: Question) -> ShownExample:
        """The example that a question makes, with its first accepted answer."""
        return cls(
            question=question.text,
            answer=question.answers[0],
            choices=question.choices,
            context=question.context,
            task=question.task,
            form=question.form,
        )

    def as_question(self) -> Question:
        """The example as a question with one accepted answer."""
        return Question(
            id="",
            text=self.question,
            answers=(self.answer,),
            choices=self.choices,
            context=self.context,
            task=self.task,
            form=self.form,
        )


_NO_WORDS = ("examples", "shown", "trial")
"""Settings of a template that are no part of its texts."""


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
    instruction: str | None = Field(
        None, description="a line before each question, such as 'Answer in a few words.'"
    )
    examples: Annotated[int, Field(ge=0, le=MOST_EXAMPLES)] = Field(
        0, description="training questions shown with their answers before each question; not trained on"
    )
    shown: tuple[ShownExample, ...] = Field(
        (),
        description="these examples, each with question and answer; left out: drawn from training by seed",
    )
    trial: bool = Field(
        False,
        description="where model.format is auto: try formats and numbers of examples on 32 training "
        "questions before the probe, and take the best; on in a run without a configuration file",
    )

    @pydantic.field_validator("family")
    @classmethod
    def _known_family(cls, value: str) -> str:
        if value not in TEMPLATES:
            raise ValueError(unknown("template family", value, TEMPLATES))
        return value

    @pydantic.field_validator("prompt")
    @classmethod
    def _holds_question(cls, value: str | None) -> str | None:
        if value is not None and "{question}" not in value:
            raise ValueError("must hold {question}, the place where the question goes")
        return value

    @pydantic.model_validator(mode="after")
    def _as_many_as_shown(self) -> TemplateSettings:
        if self.shown and self.examples not in (0, len(self.shown)):
            raise ValueError(f"{self.examples} examples, but {len(self.shown)} in shown: leave one out")
        return self

    def template(self, *, chat: bool) -> Template:
        """The template these settings describe.

        Args:
            chat: in a chat the answer opens the assistant's turn, so nothing leads it unless asked for.
        """
        changes = self.model_dump(exclude={"family", *_NO_WORDS}, exclude_none=True)
        if chat:
            changes.setdefault("answer_lead", "")
        template = dataclasses.replace(TEMPLATES[self.family], **changes)
        return template.showing(example.as_question() for example in self.shown)

    def identity(self) -> dict[str, Any]:
        """What a prompt depends on: how it was chosen is no part of it."""
        unset = {name for name in ("shown", "instruction") if not getattr(self, name)}
        return self.model_dump(exclude={"examples", "trial", *unset})
