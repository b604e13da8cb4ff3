"""What every engine offers: generating text and scoring continuations, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar, runtime_checkable

from demur.core.config import ServerSettings
from demur.core.errors import DemurError
from demur.core.records import Response

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

T = TypeVar("T")

DIRECT: Mapping[str, Any] = {"enable_thinking": False, "thinking": False}
"""Template switches (Qwen3, Granite and others) that make a reasoning model answer at once."""

Progress = Callable[[int], None]
"""Called with the number of prompts finished since the last call."""
Watch = Callable[[str, str], None]
"""Called with a prompt and what its greedy response is so far, as it grows."""
Gate = Callable[[str, "npt.NDArray[np.float32]"], bool]
"""Called with a prompt's key and its `States.prompt`: whether the prompt is to be answered at all."""
Refusal = Callable[[Any], DemurError]
"""Makes the error for a value of `Opening` that an engine cannot follow."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Which model an engine opens, and how. Each engine says which fields it ignores and refuses.

    `demur.engines.opening.opening_of` makes one from the settings of a run.
    """

    path: str | Path
    """Folder or hub name of the model, or its name at a server. A `Path` is never a hub name. A folder with
    only an adapter names its base model itself. Weights must be safetensors."""
    _: KW_ONLY
    adapter: Path | None = None
    """Folder of a PEFT adapter to put on the model."""
    dtype: str = "auto"
    """``float32``, ``bfloat16``, ``float16``, or ``auto``: what is faster on a CPU, see
    `demur.engines.precision`; bfloat16 (else float16) on CUDA; float16 on MPS; with vLLM what it likes."""
    device: str = "auto"
    """``auto`` is CUDA, else MPS, else CPU. For vLLM the kind of device that it was built for; which of
    several it takes is said by ``CUDA_VISIBLE_DEVICES``."""
    format: str = "auto"
    """``plain``, ``chat``, or ``auto``: chats where the tokenizer has a chat template or the server answers
    them."""
    batch_size: int | str = "auto"
    """Prompts per batch, at least 1, or ``auto``: as many as fit. For vLLM the most responses that grow at
    the same time."""
    revision: str | None = None
    """Branch, tag or commit on the hub."""
    trust_remote_code: bool = False
    """Whether code that comes with the model may run."""
    endpoint: ServerSettings | None = None
    """The server, for an engine that asks one."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What one engine alone knows: vLLM's engine arguments, or `demur.engines.ray_cluster.RayOptions`."""
    chat_options: Mapping[str, Any] = field(default_factory=lambda: DIRECT)
    """Variables for the chat template."""
    quantize: str = "none"
    """``4bit`` or ``8bit``: hold the weights in so few bits, to tune an adapter on them."""

    @property
    def hub_options(self) -> dict[str, Any]:
        """What ``from_pretrained`` of transformers is told beside the path."""
        return {"revision": self.revision, "trust_remote_code": self.trust_remote_code}

    def sets(self, name: str) -> bool:
        """Whether a field has another value than its default."""
        return bool(getattr(self, name) != getattr(Opening(self.path), name))


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    """``system``, ``user`` or ``assistant``; whatever else the chat template knows."""
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to generate: one greedy response, ``samples`` sampled ones, or both from one prefill."""

    max_new_tokens: int = 15
    stop: tuple[str, ...] = (".", "\n")
    """A response ends before the first of these."""
    greedy: bool = True
    samples: int = 0
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    """With the prompt's key it fixes every random draw: batch size, order and resuming change nothing
    but ties in floating point."""
    layers: tuple[int, ...] = ()
    """Layers whose hidden states come with the greedy response, from 1 to `Capabilities.layers`."""
    top: bool = False
    """Whether responses come with the entropy and the margin of each token."""
    watch: Watch | None = field(default=None, compare=False)
    """Who follows the greedy responses as they are made; an engine that cannot show them calls nobody."""
    gate: Gate | None = field(default=None, compare=False)
    """Who says, once a prompt was read, whether it is answered; asked only where ``layers`` are and the
    engine gives them. What is not answered has no response, greedy or sampled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """The residual stream of a model at two places of a prompt and its greedy response.

    Both are of shape ``[layers, hidden size]``, float32, in the order of `Sampling.layers`. The output of
    the last layer is taken before the model's final normalisation.
    """

    prompt: npt.NDArray[np.float32]
    """After the last token of the prompt, before anything is answered."""
    answer: npt.NDArray[np.float32]
    """After the last token of the answer; of one that was cut at the token limit, or whose last token also
    holds the stop string, after the token before it, the last that the model read. The prompt's where the
    answer is empty, or there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What was generated for one prompt."""

    greedy: Response | None
    """None where none was asked for, or `Sampling.gate` kept the prompt from being answered."""
    samples: tuple[Response, ...] = ()
    states: States | None = field(default=None, compare=False)
    """Where `Sampling.layers` asks for them and the engine has them, see `Capabilities.layers`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A greedy response and how likely each option was to follow it."""

    response: Response
    option_logprobs: tuple[float, ...]
    """Natural-log probability of each option as a whole continuation of prompt + follow-up."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do; a method that needs more says so instead of guessing."""

    token_logprobs: bool
    """Responses have token log-probabilities; without them there is no likelihood."""
    scores_continuations: bool
    """`Engine.score` and `Engine.ask` work for any text; without it there is no `sure`."""
    samples: bool = True
    """It draws samples; without them greedy responses are all there is."""
    notes: tuple[str, ...] = ()
    """What was found out when the engine was opened, in plain words, for the run's manifest."""
    layers: int = 0
    """Layers whose hidden states it gives, see `Sampling.layers`; 0 where it gives none."""
    top: bool = False
    """It gives the entropy and the margin of each token, see `Sampling.top`."""
    trains: bool = False
    """Whether training can start from it: it has the weights, as a model of transformers."""


class Engine(Protocol):
    """A model that generates text and scores continuations. Prompts are what a user would send: the
    engine applies the chat template where it was opened with one.
    """

    name: str
    local: ClassVar[bool]
    """Whether a model's path names weights on this machine or the hub, which can also be tuned."""
    capabilities: Capabilities
    chat: bool
    """Whether prompts go through a chat template."""

    ignores: ClassVar[frozenset[str]]
    """Fields of `Opening` that it takes no notice of."""
    refuses: ClassVar[Mapping[str, Refusal]]
    """Fields of `Opening` that it cannot follow, with the error where one is set. It uses all others."""

    @classmethod
    def open(cls, opening: Opening) -> Self:
        """Open a model.

        Raises:
            ModelError: it cannot be opened; the message says why and what to do.
            ConfigError: a field that the engine refuses, or an option that it does not know.
        """
        ...

    @classmethod
    def check(cls, opening: Opening) -> None:
        """Look whether a model can be opened, without reading its weights.

        Raises:
            ModelError: it cannot.
            ConfigError: a field that the engine refuses.
        """
        ...

    def generate(
        self,
        prompts: Sequence[str],
        *,
        keys: Sequence[str],
        sampling: Sampling,
        progress: Progress | None = None,
    ) -> list[Generated]:
        """Generate for each prompt, in the order given.

        Args:
            keys: one stable id per prompt (the question id), from which its randomness derives.
        """
        ...

    def score(
        self,
        prompts: Sequence[str],
        continuations: Sequence[Sequence[str]],
        *,
        leads: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> list[tuple[float, ...]]:
        """Natural-log probability of each prompt's continuations, each as a whole text: the tokens are
        those of prompt + continuation, so a continuation never stands for its first piece.

        Args:
            leads: what already follows each prompt and is not scored; in a chat it stands in the model's
                turn, where a prompt is a user's.
        """
        ...

    def ask(
        self,
        prompts: Sequence[str],
        *,
        sampling: Sampling,
        follow_up: Callable[[int, str], str],
        options: Sequence[str],
        progress: Progress | None = None,
    ) -> list[Asked]:
        """Answer greedily, then score ``options`` after prompt + ``follow_up(position, response text)``.

        ``follow_up`` returns everything that is to stand between the prompt and the option, the answer
        included; an engine with a key-value cache computes only what the cache lacks.
        """
        ...

    def render(self, prompt: str) -> str:
        """The text that the model really reads for ``prompt``: training rows must start with it."""
        ...

    def after(self, history: Sequence[Message]) -> Self:
        """The same engine where every prompt is the next turn of a conversation.

        Raises:
            ConversationError: it is asked with plain text, or its chat template has no such turns.
        """
        ...


@runtime_checkable
class Reformats(Protocol):
    """An engine that can send its prompts in another format without opening its model again."""

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that its model knows: ``plain``, and ``chat`` where it has a chat template."""
        ...

    def in_format(self, format: str) -> Self:
        """The same engine, with the same weights, in one of these formats."""
        ...


@runtime_checkable
class Spreads(Protocol):
    """An engine whose model is held by workers in other processes, which can be given pieces of work."""

    def spread(self, task: Callable[[Engine, int], T], numbers: Sequence[int]) -> Iterator[tuple[int, T]]:
        """Carry out ``task(the worker's engine, number)`` for each number, on any worker, in any order.

        Every number comes back once with what its task returned. A task whose worker dies is carried out
        again, so it must bear being done twice.

        Args:
            task: sent to each worker once, and kept there with whatever it remembers.

        Raises:
            DemurError: what a task raised, or that workers die of the work again and again.
        """
        ...
