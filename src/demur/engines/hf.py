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
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, ParamSpec, Self, TypeVar

import torch

from demur.core.errors import ConfigError, ResourceError
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
    Watch,
)
from demur.engines.checks import check_length, check_opening, check_sampling, checked_batch_size
from demur.engines.decoding import LEAST_SHARED, CausalModel, resume
from demur.engines.encoding import Decoder, Encoder, Scored, common_prefix, end_tokens, pairs
from demur.engines.generating import GREEDY, Batch, Endings, Features, Generation, score_after
from demur.engines.loading import load, load_config, pick_device, pick_dtype
from demur.engines.sampling import uniforms

__all__ = ["HFEngine", "load_config", "pick_device", "pick_dtype"]

P = ParamSpec("P")
T = TypeVar("T")

BATCH_BYTES = 2**30
"""Bytes of keys, values and logits that an automatic batch may take; on CUDA a share of the memory."""
CUDA_SHARE = 0.3
MAX_PROMPTS = {"cpu": 256}
"""Prompts of an automatic batch. On a CPU more were slower (512 by 2%, 1024 by 12% for a model of 1.3
million parameters), presumably since their working set leaves the processor's cache."""
MAX_PROMPT_TOKENS = {"cpu": 12_000}
"""Tokens of all prompts of an automatic batch, for the same reason: 256 prompts of 174 tokens were a fifth
slower than 64 of them, 256 of 55 tokens a tenth faster."""
MAX_PROMPTS_ELSEWHERE = 1024


@dataclass(frozen=True, slots=True)
class Load:
    """What one prompt costs in a batch: tokens to read, tokens to follow, and rows."""

    read: int
    follow: int
    rows: int
    family: int = 0
    """Prompts with the same number begin alike, so that a batch of them reads that once; 0 for none."""


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
    capabilities = Capabilities(token_logprobs=True, scores_continuations=True, trains=True)
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
        self.batch_size = checked_batch_size(batch_size)
        self.encoder = Encoder(tokenizer, format=format, chat_options=chat_options)
        self.chat = self.encoder.format == "chat"
        self._decoder = Decoder(tokenizer)
        self._source = CausalModel(model)
        declared = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
        self._eos = end_tokens(declared, tokenizer)
        self._features = features or Features()

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
        check_sampling(sampling, prompts, keys)
        tokens = self.encoder.encode_all([(prompt, "") for prompt in prompts])
        rows = sampling.greedy + sampling.samples
        loads = self._loads(tokens, [sampling.max_new_tokens] * len(tokens), [rows] * len(tokens))
        generation = self._generation(sampling)

        def work(chosen: list[int]) -> list[Generated]:
            numbers = [
                uniforms(
                    keys[i], seed=sampling.seed, samples=sampling.samples, steps=sampling.max_new_tokens
                )
                for i in chosen
            ]
            watch = _by_place(sampling.watch, [prompts[i] for i in chosen])
            return generation.run([tokens[i] for i in chosen], numbers, watch=watch).generated()

        return self._in_batches(loads, work, progress)

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
        loads = self._loads(tokens, [greedy.max_new_tokens] * len(tokens), [most] * len(tokens))
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

        return self._in_batches(loads, work, progress)

    def _generation(self, sampling: Sampling) -> Generation:
        endings = Endings(self._decoder, stops=sampling.stop, eos=self._eos, limit=sampling.max_new_tokens)
        return Generation(self._source, endings, sampling, self._features)

    def _score(self, rows: list[Scored], progress: Progress | None) -> list[tuple[float, ...]]:
        loads = self._loads(
            [row.shared for row in rows],
            [max(map(len, row.suffixes), default=0) for row in rows],
            [max(1, len(row.suffixes)) for row in rows],
        )

        def work(chosen: list[int]) -> list[tuple[float, ...]]:
            part = [rows[i] for i in chosen]
            room = max(load.follow for load in (loads[i] for i in chosen))
            state = self._source.read([row.shared for row in part], room=room)
            return _sums(part, score_after(state, [row.suffixes for row in part]))

        return self._in_batches(loads, work, progress)

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

    def _loads(self, tokens: Sequence[list[int]], follow: Sequence[int], rows: Sequence[int]) -> list[Load]:
        families = shared_beginnings(tokens) if self._source.padded else [0] * len(tokens)
        return [self._load(*each) for each in zip(tokens, follow, rows, families, strict=True)]

    def _load(self, ids: Sequence[int], follow: int, rows: int, family: int) -> Load:
        check_length(ids, follow, limit=self._source.limit, tokenizer=self.tokenizer)
        return Load(read=len(ids), follow=follow, rows=rows, family=family)

    def _in_batches(
        self, loads: Sequence[Load], work: Callable[[list[int]], list[T]], progress: Progress | None
    ) -> list[T]:
        """Run ``work`` on batches of indices, the longest prompts first; halve what does not fit."""
        results: dict[int, T] = {}
        pending = list(reversed(self._batches(loads)))
        limit = len(loads)
        while pending:
            chosen = pending.pop()
            if len(chosen) > limit:
                pending += [chosen[limit:], chosen[:limit]]
                continue
            done = _unless_full(work, chosen)
            if done is None:
                limit = self._halved(len(chosen))
                pending.append(chosen)
                continue
            results.update(zip(chosen, done, strict=True))
            if progress is not None:
                progress(len(chosen))
        return [results[index] for index in range(len(loads))]

    def _batches(self, loads: Sequence[Load]) -> list[list[int]]:
        longest: dict[int, int] = {}
        for one in loads:
            longest[one.family] = max(longest.get(one.family, 0), one.read)

        def place(index: int) -> tuple[int, ...]:
            one = loads[index]
            return -longest[one.family], one.family, -one.read, -one.follow

        order = sorted(range(len(loads)), key=place)
        batches: list[list[int]] = []
        for index in order:
            if not batches or not self._joins(loads, batches[-1], index):
                batches.append([])
            batches[-1].append(index)
        return batches

    def _joins(self, loads: Sequence[Load], batch: list[int], index: int) -> bool:
        """Whether one more prompt fits into a batch whose first prompt is its longest."""
        if not self._source.padded and loads[batch[0]].read != loads[index].read:
            return False
        if loads[batch[0]].family != loads[index].family:
            return False
        if self.batch_size is not None:
            return len(batch) < self.batch_size
        first, rows = loads[batch[0]], loads[index].rows * (len(batch) + 1)
        kind = self._source.device.type
        if len(batch) >= MAX_PROMPTS.get(kind, MAX_PROMPTS_ELSEWHERE):
            return False
        if (len(batch) + 1) * first.read > MAX_PROMPT_TOKENS.get(kind, math.inf):
            return False
        return rows * self._source.row_bytes(first.read + first.follow) <= self._budget

    @functools.cached_property
    def _budget(self) -> float:
        """Bytes of a batch: fixed for a machine, so that batches do not depend on its mood."""
        device = self._source.device
        if device.type == "cuda":
            return CUDA_SHARE * torch.cuda.get_device_properties(device).total_memory
        return BATCH_BYTES

    def _halved(self, size: int) -> int:
        if self._source.device.type == "cuda":
            torch.cuda.empty_cache()
        if size > 1:
            return size // 2
        raise ResourceError(
            expected="memory for one prompt and its responses",
            found=f"none left on {self._source.device}, even with one prompt at a time",
            fix="take fewer samples or shorter prompts, a smaller dtype (bfloat16), or a smaller model",
        )


def shared_beginnings(tokens: Sequence[list[int]]) -> list[int]:
    """A number for each prompt, the same for those that share at least half of it; 0 for the others.

    Few-shot prompts of one subject share their examples, for instance.
    """
    families, number = [0] * len(tokens), 0
    order = sorted(range(len(tokens)), key=tokens.__getitem__)
    for before, here in itertools.pairwise(order):
        shared = common_prefix(tokens[before], tokens[here])
        if shared >= max(LEAST_SHARED, len(tokens[here]) / 2, len(tokens[before]) / 2):
            if not families[before]:
                number += 1
            families[before] = families[here] = families[before] or number
    return families


def _sums(rows: Sequence[Scored], scores: Sequence[Sequence[Sequence[float]]]) -> list[tuple[float, ...]]:
    """Add up the log-probabilities of the tokens that belong to each continuation."""
    return [
        tuple(sum(values[len(values) - count :]) for values, count in zip(found, row.counts, strict=True))
        for row, found in zip(rows, scores, strict=True)
    ]


def _by_place(watch: Watch | None, prompts: Sequence[str]) -> Callable[[int, str], None] | None:
    """Who follows the responses of a batch, told of by their places in it."""
    return None if watch is None else lambda place, text: watch(prompts[place], text)


def _unless_full(work: Callable[[list[int]], list[T]], chosen: list[int]) -> list[T] | None:
    """The work's result, or None where the memory ran out."""
    try:
        return work(chosen)
    except (MemoryError, torch.OutOfMemoryError):
        return None
    except RuntimeError as error:
        if any(sign in str(error).lower() for sign in ("out of memory", "can't allocate memory")):
            return None
        raise


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
