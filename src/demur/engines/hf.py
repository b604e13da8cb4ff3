"""The Hugging Face engine: any causal language model that transformers can run, in this process.

What makes it fast: prompts are sorted by length and run in batches; a prompt is read once for its greedy
response and all samples, and responses that are still equal are computed once; finished rows leave the
batch; what the prompts of a batch share, such as worked examples, is read once; options are scored from the
cache of what was read. None of it changes a result, apart from ties in floating point (sums are taken in
another order in another batch).

The model's own generation settings (temperature, penalties, forced tokens) are not applied, except for its
end-of-text tokens: what is probed is the model itself.
"""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, ParamSpec, Self, TypeVar

import torch

from demur.core.errors import ConfigError
from demur.engines.base import (
    DIRECT,
    Asked,
    Capabilities,
    Generated,
    Message,
    Opening,
    Progress,
    Refusal,
    Sampling,
)
from demur.engines.batches import Batches
from demur.engines.checks import check_opening, check_sampling, checked_batch_size
from demur.engines.decoding import CausalModel, resume
from demur.engines.encoding import Decoder, Encoder, Scored, common_prefix, end_tokens, pairs
from demur.engines.generating import GREEDY, Batch, Endings, Features, Generation, score_after
from demur.engines.loading import load, load_config
from demur.engines.sampling import uniforms

P = ParamSpec("P")
T = TypeVar("T")


def _in_evaluation(work: Callable[P, T]) -> Callable[P, T]:
    """Run a method of the engine without gradients and with the model in evaluation mode."""

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        engine: Any = args[0]
        with torch.inference_mode(), _evaluating(engine.model):
            return work(*args, **kwargs)

    return run


def _no_options(options: Mapping[str, Any]) -> ConfigError:
    return ConfigError(
        expected="no model.options: the engine hf has none",
        found=", ".join(options),
        where="model.options",
        fix="take them out, or set model.engine to the engine that they are meant for",
    )


class HFEngine:
    """A Hugging Face model and tokenizer as an `Engine`.

    Args:
        model: a causal LM; its device and dtype are kept, and so is its training mode between calls.
        tokenizer: its tokenizer.
        format: how prompts are sent, see `Encoder`.
        batch_size: prompts per batch, or ``auto``: as many as fit a fixed share of the memory.
        chat_options: variables for the chat template.
        features: parts of the decoder to switch off, for measurements.

    Raises:
        ModelError: ``chat`` without a chat template.
        ConfigError: a batch size that is none.
    """

    name = "hf"
    local: ClassVar[bool] = True
    capabilities = Capabilities(token_logprobs=True, scores_continuations=True, top=True, trains=True)
    ignores: ClassVar[frozenset[str]] = frozenset({"endpoint"})
    refuses: ClassVar[Mapping[str, Refusal]] = {"options": _no_options}

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        format: str = "auto",
        batch_size: int | str = "auto",
        chat_options: Mapping[str, Any] = DIRECT,
        features: Features | None = None,
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        most = checked_batch_size(batch_size)
        self.encoder = Encoder(tokenizer, format=format, chat_options=chat_options)
        self.chat = self.encoder.format == "chat"
        self._decoder = Decoder(tokenizer)
        self._source = CausalModel(model)
        self._batches = Batches(self._source, tokenizer, most)
        declared = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
        self._eos = end_tokens(declared, tokenizer)
        self._features = features or Features()
        self.capabilities = replace(type(self).capabilities, layers=self._source.recorder.layers)

    @classmethod
    def open(cls, opening: Opening) -> Self:
        """Open a model folder, an adapter folder (its base model is found), or a model on the hub.

        An adapter is merged into the weights in memory.

        Raises:
            ModelError: the model cannot be loaded; says why and what to do.
            ConfigError: a device or dtype that does not exist here, an option, or no way to quantize.
        """
        check_opening(cls, opening)
        model, tokenizer = load(opening)
        return cls(
            model.eval(),
            tokenizer,
            format=opening.format,
            batch_size=opening.batch_size,
            chat_options=opening.chat_options,
        )

    @classmethod
    def check(cls, opening: Opening) -> None:
        """Raise what `open` would, as far as that is known without reading the weights."""
        check_opening(cls, opening)
        load_config(opening)

    def render(self, prompt: str) -> str:
        """The text that the model really reads; see `Encoder.render`."""
        return self.encoder.render(prompt)

    def encode(self, prompt: str, continuation: str = "") -> list[int]:
        """The tokens that the model really reads for a prompt and what continues it."""
        return self.encoder.encode(prompt, continuation)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that its model knows; see `Reformats`."""
        return self.encoder.formats

    def in_format(self, format: str) -> Self:
        """The same engine in another format; see `Reformats`."""
        other = copy.copy(self)
        own = self.encoder
        other.encoder = Encoder(own.tokenizer, format=format, chat_options=own.chat_options)
        other.chat = other.encoder.format == "chat"
        return other

    def after(self, history: Sequence[Message]) -> Self:
        """The same engine within a conversation; see `Engine.after`."""
        other = copy.copy(self)
        other.encoder = self.encoder.after(history)
        return other

    def encode_pair(self, rendered: str, completion: str) -> tuple[list[int], list[int]]:
        """A training row as inference would read it: the tokens of prompt and completion.

        The prompt is one that `render` gave; where the two part, see `Encoder.split`.
        """
        return self.encoder.split(rendered, completion)

    @_in_evaluation
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
            ConfigError: sampling settings that mean nothing.
            DataError: a prompt that does not fit into the model's context.
            ResourceError: not even one prompt fits into the memory.
        """
        check_sampling(sampling, prompts, keys, layers=self.capabilities.layers)
        tokens = self.encoder.encode_all([(prompt, "") for prompt in prompts])
        rows = sampling.greedy + sampling.samples
        loads = self._batches.loads(tokens, [sampling.max_new_tokens] * len(tokens), [rows] * len(tokens))
        generation = self._generation(sampling)

        def work(chosen: list[int]) -> list[Generated]:
            numbers = [
                uniforms(
                    keys[i], seed=sampling.seed, samples=sampling.samples, steps=sampling.max_new_tokens
                )
                for i in chosen
            ]
            watch = _by_place(sampling.watch, [prompts[i] for i in chosen])
            gate = _by_place(sampling.gate, [keys[i] for i in chosen])
            return generation.run([tokens[i] for i in chosen], numbers, watch=watch, gate=gate).generated()

        return self._batches.run(loads, work, progress)

    @_in_evaluation
    def score(
        self,
        prompts: Sequence[str],
        continuations: Sequence[Sequence[str]],
        *,
        leads: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> list[tuple[float, ...]]:
        """Log-probability of whole continuations; see `Engine.score`.

        A continuation's tokens are those of prompt + continuation after the longest common prefix with the
        prompt's own (`Encoder.split`); an empty one scores 0.
        """
        rows = self.encoder.align(pairs(prompts, leads), continuations)
        return self._score(rows, progress)

    @_in_evaluation
    def ask(
        self,
        prompts: Sequence[str],
        *,
        sampling: Sampling,
        follow_up: Callable[[int, str], str],
        options: Sequence[str],
        progress: Progress | None = None,
    ) -> list[Asked]:
        """Answer greedily, then score options; see `Engine.ask`.

        The text is tokenised as a whole, so what the model reads is what `score` would read; what its
        leading tokens share with those generated is taken from the cache.
        """
        greedy = Sampling(max_new_tokens=sampling.max_new_tokens, stop=sampling.stop)
        check_sampling(greedy, prompts, prompts)
        tokens = self.encoder.encode_all([(prompt, "") for prompt in prompts])
        most = max(1, len(options))
        loads = self._batches.loads(tokens, [greedy.max_new_tokens] * len(tokens), [most] * len(tokens))
        generation = self._generation(greedy)
        nothing = uniforms("", seed=0, samples=0, steps=0)

        def work(chosen: list[int]) -> list[Asked]:
            watch = _by_place(sampling.watch, [prompts[i] for i in chosen])
            batch = generation.run(
                [tokens[i] for i in chosen], [nothing] * len(chosen), hold=True, watch=watch
            )
            responses = [found[GREEDY] for found in batch.responses]
            leads = [
                (prompts[i], follow_up(i, found.text)) for i, found in zip(chosen, responses, strict=True)
            ]
            rows = self.encoder.align(leads, [options] * len(leads))
            scores = self._score_on(batch, [tokens[i] for i in chosen], rows)
            return [Asked(response=r, option_logprobs=s) for r, s in zip(responses, scores, strict=True)]

        return self._batches.run(loads, work, progress)

    def _generation(self, sampling: Sampling) -> Generation:
        endings = Endings(self._decoder, stops=sampling.stop, eos=self._eos, limit=sampling.max_new_tokens)
        return Generation(self._source, endings, sampling, self._features)

    def _score(self, rows: list[Scored], progress: Progress | None) -> list[tuple[float, ...]]:
        loads = self._batches.loads(
            [row.shared for row in rows],
            [max(map(len, row.suffixes), default=0) for row in rows],
            [max(1, len(row.suffixes)) for row in rows],
        )

        def work(chosen: list[int]) -> list[tuple[float, ...]]:
            part = [rows[i] for i in chosen]
            room = max(load.follow for load in (loads[i] for i in chosen))
            state = self._source.read([row.shared for row in part], room=room)
            return _sums(part, score_after(state, [row.suffixes for row in part]))

        return self._batches.run(loads, work, progress)

    def _score_on(
        self, batch: Batch, prompts: Sequence[list[int]], rows: list[Scored]
    ) -> list[tuple[float, ...]]:
        """Score rows from the caches that generation left behind, where the model has such."""
        if not batch.held or not any(row.suffixes for row in rows):
            return self._score(rows, None)
        order = batch.holders
        read = [[*prompts[i], *fed] for i, fed in zip(order, batch.fed, strict=True)]
        ready = [rows[i] for i in order]
        usable = [
            min(common_prefix(have, row.shared), len(row.shared) - 1)
            for have, row in zip(read, ready, strict=True)
        ]
        # All rows read equally many tokens, so that no row gets a hole
        width = max(len(row.shared) - count for row, count in zip(ready, usable, strict=True))
        keep = [max(0, len(row.shared) - width) for row in ready]
        feed = [row.shared[count:] for row, count in zip(ready, keep, strict=True)]
        state = resume(self._source, batch.held, keep, feed)
        scores = _sums(ready, score_after(state, [row.suffixes for row in ready]))
        by_prompt = dict(zip(order, scores, strict=True))
        return [by_prompt[i] for i in range(len(rows))]


def _sums(rows: Sequence[Scored], scores: Sequence[Sequence[Sequence[float]]]) -> list[tuple[float, ...]]:
    """Add up the log-probabilities of the tokens that belong to each continuation."""
    return [
        tuple(sum(values[len(values) - count :]) for values, count in zip(found, row.counts, strict=True))
        for row, found in zip(rows, scores, strict=True)
    ]


def _by_place(told: Callable[[str, Any], T] | None, names: Sequence[str]) -> Callable[[int, Any], T] | None:
    """Who is told of the members of a batch by name, told of by their places in it."""
    return None if told is None else lambda place, what: told(names[place], what)


@contextlib.contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Evaluation mode for a while: a model that is being trained goes back to training."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        if was_training:
            model.train()
