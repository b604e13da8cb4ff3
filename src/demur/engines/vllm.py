"""The vLLM engine: what vLLM can serve, driven from this process without a server.

All requests of a call go to vLLM at once, and its scheduler forms the batches; with its prefix cache on,
what prompts share is read once. Tokens go in and come out: prompts are tokenised and texts are cut here, as
for the Hugging Face engine, so both read and mean the same.

Log-probabilities are vLLM's raw ones, of the model's logits before temperature and nucleus. Each prompt's
samples have a seed of their own, made of (seed, key); vLLM draws with it, so they are not those of the
Hugging Face engine but come from the same distribution.

The model runs in processes that vLLM starts. What they print is kept out of the terminal, and the cause is
read from it when one fails. They end when the engine is let go of.
"""

from __future__ import annotations

import copy
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, ClassVar, Self

from demur.core.errors import ConfigError
from demur.core.records import Response
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
from demur.engines.checks import (
    check_length,
    check_opening,
    check_sampling,
    checked_batch_size,
    not_quantized,
)
from demur.engines.encoding import Decoder, Encoder, Scored, end_tokens, pairs
from demur.engines.loading import find_source, load_config
from demur.engines.printing import printing_into
from demur.engines.sampling import prompt_seed
from demur.engines.vllm_arguments import (
    checked_options,
    default_arguments,
    dtype_name,
    loaded_adapter,
    require_vllm,
    room_for,
)
from demur.engines.vllm_errors import explained

MOST_TOKENS = 128
"""Tokens whose log-probabilities vLLM gives in one request."""


class VLLMEngine:
    """A model in vLLM as an `Engine`; `open` makes one.

    Args:
        llm: a ``vllm.LLM`` whose ``logprobs_mode`` is ``raw_logprobs``.
        encoder: the tokenizer of its model, and how prompts are sent.
        adapter: a ``vllm.lora.request.LoRARequest`` that every request carries.
        printed: the file that vLLM's processes print into.
    """

    name = "vllm"
    local: ClassVar[bool] = True
    capabilities = Capabilities(token_logprobs=True, scores_continuations=True)
    ignores: ClassVar[frozenset[str]] = frozenset({"endpoint"})
    refuses: ClassVar[Mapping[str, Refusal]] = {"quantize": not_quantized}

    def __init__(
        self, llm: Any, encoder: Encoder, *, adapter: Any = None, printed: IO[bytes] | None = None
    ) -> None:
        self.llm, self.encoder, self.tokenizer = llm, encoder, encoder.tokenizer
        self.chat = encoder.format == "chat"
        self._adapter, self._printed = adapter, printed
        self._origin: VLLMEngine | None = None
        self._decoder = Decoder(self.tokenizer)
        declared = llm.model_config.try_get_generation_config().get("eos_token_id")
        self._eos = end_tokens(declared, self.tokenizer)
        weakref.finalize(self, llm.llm_engine.engine_core.shutdown)  # the next model needs the memory

    @classmethod
    def open(cls, opening: Opening) -> Self:
        """Open a model folder, an adapter folder (its base model is found), or a model on the hub.

        vLLM applies an adapter beside the weights.

        Raises:
            ModelError: the model cannot be loaded; says why and what to do.
            ConfigError: no vLLM, or a device, dtype or option that does not exist here.
            ResourceError: the memory does not suffice.
        """
        check_opening(cls, opening)
        require_vllm()
        source = find_source(opening)
        encoder = Encoder(source.tokenizer, format=opening.format, chat_options=opening.chat_options)
        most = checked_batch_size(opening.batch_size)
        wanted = {
            "model": source.path,
            "tokenizer": source.tokenizer_path,
            **opening.hub_options,
            "generation_config": "vllm",
            "logprobs_mode": "raw_logprobs",
            **({"max_num_seqs": most} if most else {}),
            **(room_for(source.adapter) if source.adapter else {}),
        }
        printed = tempfile.TemporaryFile()  # noqa: SIM115 # as long as the engine: its processes write on

        def start() -> tuple[Any, Any]:
            """In a thread of its own: vLLM keeps an exception that it caught when it started, and with it
            every frame below. Those of our callers would hold the engine after its last user let go of it.
            """
            import vllm

            own = {"dtype": dtype_name(opening.dtype, opening.device), **checked_options(opening.options)}
            try:
                llm = vllm.LLM(**default_arguments() | wanted | own)
                return llm, loaded_adapter(llm, source)
            except Exception as error:
                raise explained(error, printed, where=source.path) from error

        with printing_into(printed), ThreadPoolExecutor(1) as threads:
            llm, request = threads.submit(start).result()
        return cls(llm, encoder, adapter=request, printed=printed)

    @classmethod
    def check(cls, opening: Opening) -> None:
        """Raise what `open` would, as far as that is known without starting vLLM."""
        check_opening(cls, opening)
        require_vllm()
        load_config(opening)

    def render(self, prompt: str) -> str:
        """The text that the model really reads; see `Encoder.render`."""
        return self.encoder.render(prompt)

    def generate(
        self,
        prompts: Sequence[str],
        *,
        keys: Sequence[str],
        sampling: Sampling,
        progress: Progress | None = None,
    ) -> list[Generated]:
        """Generate for each prompt, in the order given; see `Engine.generate`.

        A prompt's greedy response is one request and its samples are another; both are under way together.
        More samples leave the first ones as they are. ``progress`` is called once, at the end.

        Raises:
            ConfigError: sampling settings that mean nothing.
            DataError: a prompt that does not fit into the model's context.
            ResourceError: the memory does not suffice.
        """
        check_sampling(sampling, prompts, keys)
        tokens = self.encoder.encode_all([(prompt, "") for prompt in prompts])
        greedy = [self._greedy(sampling)] * len(tokens) if sampling.greedy else []
        drawn = [self._drawn(sampling, key) for key in keys] if sampling.samples else []
        requests = [*zip(tokens, greedy, strict=False), *zip(tokens, drawn, strict=False)]
        outputs = self._outputs(requests, follow=sampling.max_new_tokens)
        said = [
            tuple(self._response(ids, item, sampling.stop) for item in output.outputs)
            for (ids, _), output in zip(requests, outputs, strict=True)
        ]
        firsts, samples = said[: len(greedy)], said[len(greedy) :]
        if progress is not None:
            progress(len(prompts))
        return [
            Generated(greedy=firsts[i][0] if firsts else None, samples=samples[i] if samples else ())
            for i in range(len(prompts))
        ]

    def score(
        self,
        prompts: Sequence[str],
        continuations: Sequence[Sequence[str]],
        *,
        leads: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> list[tuple[float, ...]]:
        """Log-probability of whole continuations; see `Engine.score` and `HFEngine.score`.

        vLLM is asked token by token, all at once: after the prompt and what a continuation has said so far,
        how likely is its next token? So the prefix cache is used, as it is not where vLLM is asked for the
        log-probabilities of a whole prompt.
        """
        scores = self._score(self.encoder.align(pairs(prompts, leads), continuations))
        if progress is not None:
            progress(len(prompts))
        return scores

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
        responses = [
            item.greedy for item in self.generate(prompts, keys=prompts, sampling=greedy) if item.greedy
        ]
        leads = [
            (prompt, follow_up(i, said.text))
            for i, (prompt, said) in enumerate(zip(prompts, responses, strict=True))
        ]
        scores = self._score(self.encoder.align(leads, [options] * len(leads)))
        if progress is not None:
            progress(len(prompts))
        return [Asked(response=r, option_logprobs=s) for r, s in zip(responses, scores, strict=True)]

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
        other._origin = self  # with the last of whoever holds it, vLLM is shut down
        return other

    def after(self, history: Sequence[Message]) -> Self:
        """The same engine within a conversation; see `Engine.after`."""
        other = copy.copy(self)
        other.encoder = self.encoder.after(history)
        return other

    def _greedy(self, sampling: Sampling) -> Any:
        return self._parameters(sampling, temperature=0.0)

    def _drawn(self, sampling: Sampling, key: str) -> Any:
        """For all samples of one prompt: vLLM gives sample i the seed of the request plus i."""
        return self._parameters(
            sampling,
            n=sampling.samples,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=prompt_seed(key, seed=sampling.seed),
        )

    def _parameters(self, sampling: Sampling, **more: Any) -> Any:
        from vllm import SamplingParams

        try:
            return SamplingParams(
                max_tokens=sampling.max_new_tokens,
                stop=[stop for stop in sampling.stop if stop],
                stop_token_ids=sorted(self._eos),
                logprobs=0,  # of the token that was taken, and no other
                **more,
            )
        except Exception as error:  # what vLLM raises changes with its version
            raise ConfigError(
                expected="sampling settings that vLLM takes",
                found=str(error),
                where="sampling",
                fix="correct them, or set model.engine to hf",
            ) from error

    def _response(self, prompt: Sequence[int], output: Any, stops: Sequence[str]) -> Response:
        """What one of vLLM's outputs says, cut here: vLLM only ends it at a stop string."""
        tokens = list(output.token_ids)
        logprobs = tuple(step[token].logprob for token, step in zip(tokens, output.logprobs, strict=True))
        cut = self._decoder.cut(prompt, tokens[:-1] if tokens[-1] in self._eos else tokens, stops)
        full = output.finish_reason == "length" and not cut.stopped
        return Response(
            text=cut.text,
            token_logprobs=logprobs[: cut.tokens] if cut.text else logprobs[-1:],
            finish="length" if full else "stop",
        )

    def _score(self, rows: Sequence[Scored]) -> list[tuple[float, ...]]:
        """One request per place where a token is to be scored; continuations share those they share."""
        requests, wanted = [], []
        for number, row in enumerate(rows):
            for read, tokens in _places(row).items():
                ordered = sorted(tokens)
                for start in range(0, len(ordered), MOST_TOKENS):
                    part = ordered[start : start + MOST_TOKENS]
                    requests.append((row.shared + list(read), self._reading(part)))
                    wanted.append((number, read, part))
        outputs = self._outputs(requests, follow=1)
        found = {
            (number, read, token): output.outputs[0].logprobs[0][token].logprob
            for (number, read, part), output in zip(wanted, outputs, strict=True)
            for token in part
        }
        return [
            tuple(
                sum((found[number, read, token] for read, token in _steps(suffix, count)), 0.0)
                for suffix, count in zip(row.suffixes, row.counts, strict=True)
            )
            for number, row in enumerate(rows)
        ]

    def _reading(self, tokens: Sequence[int]) -> Any:
        """Ask how likely each of ``tokens`` is to be next; one must be generated, and is not looked at."""
        from vllm import SamplingParams

        return SamplingParams(
            max_tokens=1, temperature=0.0, logprob_token_ids=list(tokens), detokenize=False
        )

    def _outputs(self, requests: Sequence[tuple[list[int], Any]], *, follow: int) -> list[Any]:
        """What vLLM makes of each request: tokens, and what is wanted after them."""
        limit = self.llm.model_config.max_model_len
        for ids, _ in requests:
            check_length(ids, follow, limit=limit, tokenizer=self.tokenizer)
        if not requests:
            return []
        try:
            outputs: list[Any] = self.llm.generate(
                [{"prompt_token_ids": ids} for ids, _ in requests],
                [parameters for _, parameters in requests],
                lora_request=self._adapter,
                use_tqdm=False,
            )
        except Exception as error:
            raise explained(error, self._printed, where=self.llm.model_config.model) from error
        return outputs


def _steps(suffix: list[int], count: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """The last ``count`` tokens of a suffix, each after what of the suffix is read before it."""
    for place in range(len(suffix) - count, len(suffix)):
        yield tuple(suffix[:place]), suffix[place]


def _places(row: Scored) -> dict[tuple[int, ...], set[int]]:
    """The tokens to be scored, by what is read after the shared ones."""
    places: dict[tuple[int, ...], set[int]] = {}
    for suffix, count in zip(row.suffixes, row.counts, strict=True):
        for read, token in _steps(suffix, count):
            places.setdefault(read, set()).add(token)
    return places
