"""Requests and replies of OpenAI's API, as far as a model that answers questions has use for them.

Values are taken as they are (a text is no number), fields that are not known are left alone, and those that
would change how an answer is drawn are read and not followed: what is calibrated is the greedy answer.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from demur.core.templates import LETTERS

Text = Annotated[str, Field(min_length=1)]
Words = Annotated[Text, Field(pattern=r"[^\s\x1c-\x1f\x85]")]
"""Something that is not blank, in any reading of what blank is."""


def _no(value: bool) -> bool:
    if value:
        raise ValueError("only false is supported")
    return value


Empty = Annotated[list[Any], Field(max_length=0)]
No = Annotated[bool, AfterValidator(_no), WithJsonSchema({"type": "boolean", "const": False})]
One = Annotated[int, Field(ge=1, le=1)]
Role = Literal["system", "developer", "user", "assistant"]
Finish = Literal["stop", "length"]

IGNORED = "Read and not followed: what is calibrated is the greedy answer."


class Given(BaseModel):
    """Base of what comes in."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class Options(Given):
    """What Demur can be told of a question, beside OpenAI's fields."""

    model_config = ConfigDict(extra="forbid")

    threshold: float | None = Field(None, description="Answer from this confidence up; promises nothing.")
    max_error: float | None = Field(
        None, gt=0, lt=1, description="Keep errors among answers below this share, promised by the run."
    )
    context: Words | None = Field(None, description="A passage that the answer is to be found in.")
    choices: list[Words] | None = Field(
        None, max_length=len(LETTERS), description="The options of a choice question."
    )


class TextPart(Given):
    """A part of a message."""

    type: Literal["text"]
    text: str


class ChatMessage(Given):
    """One turn of a conversation."""

    role: Role
    content: str | Annotated[list[TextPart], Field(min_length=1)]

    @property
    def text(self) -> str:
        """Its parts as one text."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class StreamOptions(Given):
    """How a stream ends."""

    include_usage: bool | None = Field(None, description="Send a last chunk with the tokens counted.")


class ResponseFormat(Given):
    """The only format there is."""

    type: Literal["text"]


class Sampling(Given):
    """Fields of both kinds of request."""

    model: str | None = Field(None, max_length=256, description="Any name, unless the server is strict.")
    stream: bool | None = Field(None, description="Send the reply in pieces.")
    stream_options: StreamOptions | None = None
    stream_mode: Literal["held", "optimistic"] | None = Field(
        None,
        description="held (default): nothing is sent before it is decided whether the answer is given; "
        "optimistic: text is sent as it is made, and the last chunk says whether it holds.",
    )
    demur: Options | None = None
    n: One | None = Field(None, description="One answer is given.")
    temperature: float | None = Field(None, ge=0, le=2, description=IGNORED)
    top_p: float | None = Field(None, ge=0, le=1, description=IGNORED)
    presence_penalty: float | None = Field(None, ge=-2, le=2, description=IGNORED)
    frequency_penalty: float | None = Field(None, ge=-2, le=2, description=IGNORED)
    logit_bias: dict[str, float] | None = Field(None, description=IGNORED)
    seed: int | None = Field(None, description=IGNORED)
    stop: str | list[str] | None = Field(
        None, description="Read and not followed: an answer cut short was never judged."
    )
    max_tokens: int | None = Field(
        None, ge=1, description="Read and not followed: answers are as short as they were calibrated."
    )
    user: str | None = Field(None, description="Read and not kept.")


class ChatRequest(Sampling):
    """A request to /v1/chat/completions."""

    messages: list[ChatMessage] = Field(
        min_length=1, max_length=256, description="The conversation; the last turn is the user's question."
    )
    max_completion_tokens: int | None = Field(None, ge=1, description="As max_tokens.")
    logprobs: bool | None = Field(None, description="None are given: see `demur` in the reply.")
    top_logprobs: int | None = Field(None, ge=0, le=20, description="As logprobs.")
    response_format: ResponseFormat | None = None
    modalities: list[Literal["text"]] | None = None
    tools: Empty | None = Field(None, description="Not supported.")
    functions: Empty | None = Field(None, description="Not supported.")
    audio: None = Field(None, description="Not supported.")


class CompletionRequest(Sampling):
    """A request to /v1/completions."""

    prompt: Words | Annotated[list[Words], Field(min_length=1)] = Field(
        description="A question, or several; each is asked by itself."
    )
    logprobs: int | None = Field(None, ge=0, description="None are given: see `demur` in the reply.")
    best_of: One | None = Field(None, description="One answer is given.")
    echo: No | None = Field(None, description="Not supported.")
    suffix: None = Field(None, description="Not supported.")


class Guarantee(BaseModel):
    """What was promised of the threshold."""

    max_error: float = Field(description="The share of wrong answers that it keeps below.")
    confidence: float = Field(description="The probability with which it does.")
    risk: str
    threshold: float | None
    n: int = Field(description="Calibration questions.")
    coverage: float | None
    error: float | None


class Sureness(BaseModel):
    """How sure an answer is, and who gave it."""

    confidence: float | None = Field(
        description="The signal that decides; null where there is none, as for a fallback's answer."
    )
    abstained: bool = Field(description="Whether the text is a refusal.")
    threshold: float | None = Field(
        description="It answers from this confidence up; null: only its words decline."
    )
    guarantee: Guarantee | None = Field(description="What is promised of the threshold.")
    signals: dict[str, float | None] = Field(description="Every confidence signal by name.")
    signal: str = Field(description="The name of the signal that decides.")
    probability: float | None = Field(
        description="How likely the answer is right, where the signal was recalibrated."
    )
    answered_by: str = Field(description="model, retrieval, or fallback:NAME.")
    answer: str | None = Field(
        None, description="The final answer that the text states; null where that is the text itself."
    )
    reason: str | None = Field(
        None, description="Why there is no answer, such as a reply that ended within its reasoning."
    )


class Usage(BaseModel):
    """Tokens of the question as the model read it, and of the text in the reply."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Said(BaseModel):
    """The message of a reply."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: str | None = Field(description="The content once more where it is a refusal, else null.")


class ChatChoice(BaseModel):
    """The answer."""

    index: int = 0
    message: Said
    logprobs: None = None
    finish_reason: Finish


class Reply(BaseModel):
    """What both kinds of reply have."""

    id: str
    created: int
    model: str
    usage: Usage | None = None


class ChatReply(Reply):
    """A reply of /v1/chat/completions."""

    object: Literal["chat.completion"] = "chat.completion"
    choices: list[ChatChoice]
    demur: Sureness


class Delta(BaseModel):
    """What is new in a chunk."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    refusal: str | None = None


class ChatPiece(BaseModel):
    """A piece of the answer."""

    index: int = 0
    delta: Delta
    logprobs: None = None
    finish_reason: Finish | None = None


class ChatChunk(Reply):
    """One event of a streamed chat."""

    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    choices: list[ChatPiece]
    demur: Sureness | None = Field(None, description="In the last chunks.")


class CompletionChoice(BaseModel):
    """The answer to one prompt, or a piece of it."""

    index: int
    text: str
    logprobs: None = None
    finish_reason: Finish | None
    demur: Sureness | None = Field(description="In a stream with the last piece.")


class CompletionReply(Reply):
    """A reply of /v1/completions, whole or one event of a stream."""

    object: Literal["text_completion"] = "text_completion"
    choices: list[CompletionChoice]
    demur: Sureness | None = Field(None, description="Of a single prompt; else see each choice.")


class Model(BaseModel):
    """A model that can be asked."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "demur"


class Models(BaseModel):
    """Every model that can be asked: one."""

    object: Literal["list"] = "list"
    data: list[Model]


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorReply(BaseModel):
    """An error as OpenAI's API writes it."""

    error: ErrorDetail
