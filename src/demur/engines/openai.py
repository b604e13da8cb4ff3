"""The engine for models behind OpenAI-compatible servers: vLLM, SGLang, llama.cpp, hosted ones, …

The server does the work; `demur.endpoints` asks it, many requests at once, and keeps every reply, so that
nothing is asked twice. What the server can do is found out when the engine is opened
(`demur.endpoints.abilities`), and what it cannot do is not done: no log-probabilities, no likelihood.

With plain text the prompt is sent as it is and the server adds what its tokenizer puts before a text. In
chats the prompt is a user's message and the server applies its chat template. Answers end where `HFEngine`
ends them: servers differ in whether a stop string is part of the text. A model's reasoning before its
answer is taken off (`demur.core.reasoning`). Stop strings would end it at its first line, so a reply
that ends like that is asked for once more without them; the answer after the reasoning is cut here.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar, Self

from demur.core.config import EndpointSettings, ServerSettings
from demur.core.errors import ConfigError, ConversationError, ModelError
from demur.endpoints import Endpoint, Failure, Reply, Request, Token
from demur.endpoints.abilities import Abilities, find_abilities
from demur.endpoints.client import sendable
from demur.engines.base import (
    Asked,
    Capabilities,
    Generated,
    Message,
    Opening,
    Progress,
    Refusal,
    Sampling,
)
from demur.engines.checks import check_opening, not_quantized
from demur.engines.openai_replies import common_tokens, ends_in_reasoning, response_of

STOPS = 4
"""Stop strings that the API takes in a request; answers are cut at further ones here."""
SEEDS = 2147483648
"""Seeds are below this number, 2^31: some servers take no larger ones."""


def _no_adapter(adapter: Path) -> ModelError:
    return ModelError(
        expected="a model that the server has under a name of its own",
        found=f"the adapter {adapter}, which only an engine with the weights can put on",
        fix="use model.engine hf, or serve the tuned model and give its name there",
    )


def _no_chat_options(options: Mapping[str, Any]) -> ConfigError:
    return ConfigError(
        expected="variables of the chat template in what is sent with each request",
        found=f"chat_options with {', '.join(options) or 'nothing'}, where the server has the template",
        where="chat_options",
        fix='set model.endpoint.extra, such as {"chat_template_kwargs": {"enable_thinking": false}}',
    )


class OpenAIEngine:
    """A model behind a server as an `Engine`.

    Args:
        endpoint: the server and the model's name there.
        abilities: what the server can do.
    """

    name = "openai"
    local: ClassVar[bool] = False
    ignores: ClassVar[frozenset[str]] = frozenset(
        {"dtype", "device", "batch_size", "revision", "trust_remote_code", "options"}
    )
    refuses: ClassVar[Mapping[str, Refusal]] = {
        "adapter": _no_adapter,
        "chat_options": _no_chat_options,
        "quantize": not_quantized,
    }

    def __init__(self, endpoint: Endpoint, abilities: Abilities) -> None:
        self.endpoint, self.abilities = endpoint, abilities
        self.history: tuple[Message, ...] = ()
        self._reasons = threading.Event()  # shared by the engines that `after` makes of this one
        self.chat = abilities.chat
        self.capabilities = Capabilities(
            token_logprobs=abilities.token_logprobs,
            scores_continuations=abilities.echo,
            samples=abilities.samples,
            notes=tuple(abilities.sentences()),
        )

    @classmethod
    def open(cls, opening: Opening) -> Self:
        """Ask a server what it can do. What concerns weights (dtype, device, …) is the server's affair.

        Raises:
            ConfigError: no address, a missing key, a missing package.
            ModelError: the server cannot be asked, or an adapter is wanted.
        """
        check_opening(cls, opening)
        server = opening.endpoint or ServerSettings()
        if server.base_url is None:
            raise ConfigError(
                expected="the address of the server that has the model",
                found="none",
                where="model.endpoint.base_url",
                fix="set it, such as --model.endpoint.base_url http://localhost:8000/v1",
            )
        asked = Endpoint(EndpointSettings(**server.model_dump(), model=str(opening.path)))
        return cls(asked, find_abilities(asked, format=opening.format))

    @classmethod
    def check(cls, opening: Opening) -> None:
        """Raise what `open` would."""
        cls.open(opening)

    def render(self, prompt: str) -> str:
        """The prompt itself; in chats nobody here knows what the server makes of it.

        Raises:
            ModelError: in chats.
        """
        if not self.chat:
            return prompt
        raise ModelError(
            expected="the text that the model reads, for training rows",
            found="a server that applies a chat template which it does not show",
            where=self.endpoint.address,
            fix="make training rows with model.engine hf, from the weights",
        )

    def generate(
        self,
        prompts: Sequence[str],
        *,
        keys: Sequence[str],
        sampling: Sampling,
        progress: Progress | None = None,
    ) -> list[Generated]:
        """Generate for each prompt, in the order given; see `Engine.generate`.

        Raises:
            ModelError: the server cannot be asked, or refuses a prompt. What it said until then is kept.
        """
        if sampling.samples and not self.abilities.samples:
            raise self._no_samples(sampling.samples)
        greedy = [self._request(prompt, sampling, temperature=0.0) for prompt in prompts]
        groups = [
            [first] * sampling.greedy + list(self._samples(prompt, key, sampling))
            for first, prompt, key in zip(greedy, prompts, keys, strict=True)
        ]
        replies = iter(self._asked(groups, prompts, progress))
        return [self._generated(list(itertools.islice(replies, len(g))), sampling) for g in groups]

    def score(
        self,
        prompts: Sequence[str],
        continuations: Sequence[Sequence[str]],
        *,
        leads: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> list[tuple[float, ...]]:
        """Log-probability of whole continuations; see `Engine.score`.

        The server tokenises prompt and prompt + continuation, and a continuation is what follows the
        longest common prefix of the two, as in `HFEngine.score`; an empty one scores 0.

        Raises:
            ModelError: the server has no log-probabilities of prompts, or cannot be asked.
        """
        if not self.abilities.echo:
            raise ModelError(
                expected="a server that gives the log-probabilities of a prompt (completions with echo)",
                found="one that does not, or that is asked in chats",
                where=self.endpoint.address,
                fix="leave out what needs it (probe.score_answers), use model.format plain where the "
                "server has completions with echo, such as vLLM, or use model.engine hf",
            )
        starts = [prompt + lead for prompt, lead in zip(prompts, leads or repeat(""), strict=False)]
        texts = [
            [start, *(start + option for option in options)]
            for start, options in zip(starts, continuations, strict=True)
        ]
        groups = [[self._echo(text) for text in group] for group in texts]
        replies = iter(self._asked(groups, prompts, progress))
        return [self._scores([self._listed(next(replies)) for _ in group]) for group in texts]

    def ask(
        self,
        prompts: Sequence[str],
        *,
        sampling: Sampling,
        follow_up: Callable[[int, str], str],
        options: Sequence[str],
        progress: Progress | None = None,
    ) -> list[Asked]:
        """Answer greedily, then score options; see `Engine.ask`."""
        greedy = Sampling(max_new_tokens=sampling.max_new_tokens, stop=sampling.stop)
        found = [item.greedy for item in self.generate(prompts, keys=prompts, sampling=greedy)]
        responses = [response for response in found if response is not None]
        leads = [prompts[i] + follow_up(i, response.text) for i, response in enumerate(responses)]
        scores = self.score(leads, [options] * len(leads), progress=progress)
        return [Asked(response=r, option_logprobs=s) for r, s in zip(responses, scores, strict=True)]

    def after(self, history: Sequence[Message]) -> Self:
        """The same engine within a conversation; see `Engine.after`."""
        if history and not self.chat:
            raise ConversationError(
                expected="one question, since the server is asked with plain text",
                found=f"{len(history)} earlier turns: {', '.join(turn.role for turn in history)}",
                where="the conversation",
                fix="ask one question at a time, without a system message, or use model.format chat",
            )
        other = copy.copy(self)
        other.history = tuple(history)
        return other

    @property
    def formats(self) -> tuple[str, ...]:
        """The format that the server is asked in; which others it knows is not found out."""
        return ("chat",) if self.chat else ("plain",)

    def in_format(self, format: str) -> Self:
        """The same engine; see `Reformats`."""
        assert format in self.formats, "only formats that it named are asked for"
        return self

    def _turns(self) -> list[dict[str, str]]:
        return [{"role": turn.role, "content": sendable(turn.content)} for turn in self.history]

    def _no_samples(self, wanted: int) -> ModelError:
        return ModelError(
            expected=f"a server that draws {wanted} samples of a question",
            found="one that says the same at any temperature",
            where=self.endpoint.address,
            fix="set probe.samples 0 and leave out methods that need them, or make the server sample (some "
            "need it said: model.endpoint.extra is sent with each request)",
        )

    def _samples(self, prompt: str, key: str, sampling: Sampling) -> Iterator[Request]:
        """The requests for the samples of one prompt."""
        shape = {"temperature": sampling.temperature, "top_p": sampling.top_p}
        if self.abilities.many and sampling.samples > 1:
            name = f"{sampling.seed}/{key}"
            yield self._request(prompt, sampling, name, n=sampling.samples, **shape)
            return
        for number in range(sampling.samples):
            yield self._request(prompt, sampling, f"{sampling.seed}/{key}/{number}", **shape)

    def _request(self, prompt: str, sampling: Sampling, name: str = "", **fields: float | int) -> Request:
        """A request for one prompt; what has a name is drawn with the seed of that name."""
        stops = [stop for stop in sampling.stop if stop][:STOPS]
        sent = self.abilities.stop and not self._reasons.is_set()
        more = {"stop": stops} if stops and sent else {}
        seed = {"seed": seed_of(name)} if name and self.abilities.seed else {}
        whole = self.abilities.fields(
            sendable(prompt),
            history=self._turns(),
            max_tokens=sampling.max_new_tokens,
            **fields,
            **more,
            **seed,
        )
        return Request(self.abilities.path(), whole, name)

    def _echo(self, text: str) -> Request:
        # Some servers take 0 tokens for no limit, so one is generated and left alone.
        fields = self.abilities.fields(sendable(text), max_tokens=1, temperature=0.0, echo=True)
        return Request(self.abilities.path(), fields)

    def _asked(
        self, groups: Sequence[Sequence[Request]], prompts: Sequence[str], progress: Progress | None
    ) -> list[Reply]:
        """The replies to all requests, in order; each group of them belongs to a prompt.

        Raises:
            ModelError: there is a failure among them.
        """
        requests = [request for group in groups for request in group]
        share = max(1, len(requests)) / max(1, len(groups))
        done = told = 0

        def advance(count: int) -> None:
            nonlocal done, told
            done += count
            if progress is not None and int(done / share) > told:
                progress(int(done / share) - told)
                told = int(done / share)

        answers = self.endpoint.ask_many(requests, progress=advance)
        if progress is not None and told < len(prompts):
            progress(len(prompts) - told)
        failures = [answer for answer in answers if isinstance(answer, Failure)]
        if failures:
            owners = [prompt for prompt, group in zip(prompts, groups, strict=True) for _ in group]
            self._fail(owners[answers.index(failures[0])], failures)
        return self._reasoned_out(requests, [answer for answer in answers if isinstance(answer, Reply)])

    def _reasoned_out(self, requests: Sequence[Request], replies: list[Reply]) -> list[Reply]:
        """The replies; those that a stop string ended within the reasoning are asked for without any.

        Raises:
            ModelError: there is a failure among these.
        """
        asked = zip(requests, replies, strict=True)
        cut = [
            at
            for at, (request, reply) in enumerate(asked)
            if "stop" in request.fields and ends_in_reasoning(reply)
        ]
        if not cut:
            return replies
        self._reasons.set()
        freed = [_without_stops(requests[at]) for at in cut]
        for at, answer in zip(cut, self.endpoint.ask_many(freed), strict=True):
            if isinstance(answer, Failure):
                self._fail(str(requests[at].fields), [answer])
            else:
                replies[at] = answer
        return replies

    def _fail(self, prompt: str, failures: Sequence[Failure]) -> None:
        first = failures[0]
        raise ModelError(
            expected=f"a reply of the model {self.endpoint.settings.model!r} to every prompt",
            found=f"{len(failures):,} without one; the first: {first.reason}"
            + (f": {first.detail}" if first.detail else ""),
            where=f"{self.endpoint.address}, prompt {prompt[:80]!r}",
            fix="run the same command again where it may pass: the replies that came are kept; where the "
            "server refuses the prompt itself, shorten it or take the question out",
        )

    def _generated(self, replies: Sequence[Reply], sampling: Sampling) -> Generated:
        greedy = replies[0] if sampling.greedy else None
        sampled = [
            choice for reply in replies[bool(sampling.greedy) :] for choice in (reply, *reply.others)
        ]
        if len(sampled) != sampling.samples:
            raise ModelError(
                expected=f"{sampling.samples} samples",
                found=f"{len(sampled)}",
                where=self.endpoint.address,
                fix="run again: the server makes fewer texts of a request than when it was opened",
            )
        return Generated(
            greedy=None if greedy is None else response_of(greedy, sampling.stop),
            samples=tuple(response_of(choice, sampling.stop) for choice in sampled),
        )

    def _listed(self, reply: Reply) -> tuple[Token, ...]:
        tokens = self.abilities.listed(reply)
        if tokens is None:
            raise ModelError(
                expected="a reply that repeats the prompt with the log-probability of each of its tokens",
                found=f"{len(reply.tokens)} tokens where the server counts {reply.prompt_tokens}",
                where=self.endpoint.address,
                fix="use model.engine hf for what scores texts, and report the server",
            )
        return tokens

    def _scores(self, listed: Sequence[Sequence[Token]]) -> tuple[float, ...]:
        """The log-probabilities of the continuations in the texts after the first, their common start."""
        alone, *wholes = listed
        return tuple(self._sum(whole[common_tokens(alone, whole) :]) for whole in wholes)

    def _sum(self, tokens: Sequence[Token]) -> float:
        values = [token.logprob for token in tokens]
        if None in values:
            raise ModelError(
                expected="the log-probability of every token of a continuation",
                found="none for the first: it stands at the very start of the text",
                where=self.endpoint.address,
                fix="use a template with some text before the answer",
            )
        return sum(value for value in values if value is not None)


def seed_of(name: str) -> int:
    """A seed for a server, from the name of a draw: seed, question and sample; in [0, 2^31)."""
    word = int.from_bytes(hashlib.shake_128(name.encode(errors="replace")).digest(4), "little")
    return word % SEEDS


def _without_stops(request: Request) -> Request:
    fields = {name: value for name, value in request.fields.items() if name != "stop"}
    return dataclasses.replace(request, fields=fields)
