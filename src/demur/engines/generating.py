"""Generating and scoring for one batch of tokenised prompts.

Generation walks a tree per prompt: the prompt is read once for its greedy response and all samples, and
as long as two responses have the same tokens they are one branch, computed once. That is exact, since
equal texts have equal distributions and every response draws with its own numbers. A branch that ends
leaves the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from demur.core.records import Response
from demur.engines.base import Generated, Sampling, States
from demur.engines.cache import Held
from demur.engines.decoding import CachedState, CausalModel, State
from demur.engines.encoding import Decoder
from demur.engines.sampling import draw
from demur.engines.states import Trail, tops_of

GREEDY = -1
"""The name of the greedy response among a prompt's responses; samples are 0, 1, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What makes decoding fast; each can be switched off to measure it."""

    merge: bool = True
    """Responses of one prompt with equal tokens so far are computed once."""
    leave: bool = True
    """Finished branches leave the batch; otherwise they are computed until the last one is done."""


class Branch(NamedTuple):
    """The tokens that some responses of one prompt share so far."""

    prompt: int
    members: tuple[int, ...]
    """Sample numbers, and `GREEDY`."""
    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    done: bool = False
    tops: tuple[tuple[float, float], ...] = ()
    """Entropy and margin at each token, where asked for."""

    def grow(
        self, members: tuple[int, ...], token: int, logprob: float, *tops: tuple[float, float]
    ) -> Branch:
        """This branch for some of its members, with one more token."""
        tokens, logprobs = (*self.tokens, token), (*self.logprobs, logprob)
        return Branch(self.prompt, members, tokens, logprobs, tops=(*self.tops, *tops))


@dataclass(slots=True)
class Batch:
    """The responses of one batch of prompts.

    Attributes:
        responses: by prompt, then by member.
        held: what finished branches had read, where asked for, and ``holders``: their prompts, and
            ``fed``: the tokens after the prompt that they had read, in the same order.
        states: hidden states by prompt, where asked for.
    """

    responses: list[dict[int, Response]]
    held: list[Held] = field(default_factory=list)
    holders: list[int] = field(default_factory=list)
    fed: list[tuple[int, ...]] = field(default_factory=list)
    states: dict[int, States] = field(default_factory=dict)

    def generated(self) -> list[Generated]:
        """One record per prompt."""
        return [
            Generated(
                greedy=responses.get(GREEDY),
                samples=tuple(responses[member] for member in sorted(responses) if member != GREEDY),
                states=self.states.get(prompt),
            )
            for prompt, responses in enumerate(self.responses)
        ]


class Endings:
    """Recognises the end of a response.

    Args:
        decoder: turns tokens into text.
        stops: strings before which a response ends.
        eos: tokens that end a text.
        limit: the number of tokens after which a response ends anyhow.
    """

    def __init__(self, decoder: Decoder, *, stops: Sequence[str], eos: Collection[int], limit: int) -> None:
        self.decoder, self.eos, self.limit = decoder, frozenset(eos), limit
        self.stops = [stop for stop in stops if stop]
        self._last = {stop[-1] for stop in self.stops} | {"\N{REPLACEMENT CHARACTER}"}
        self._suspects: dict[int, bool] = {}

    def ended(self, prompt: Sequence[int], branch: Branch) -> Response | None:
        """The response of a branch whose last token ends it, None where it goes on."""
        if branch.tokens[-1] in self.eos:
            return self._response(prompt, branch, branch.tokens[:-1])
        full = len(branch.tokens) == self.limit
        if not full and not self._may_stop(branch.tokens[-1]):
            return None
        return self._response(prompt, branch, branch.tokens, full=full)

    def so_far(self, prompt: Sequence[int], tokens: Sequence[int]) -> str:
        """What is certain of a response that grows: no half character, no beginning of a stop string."""
        text = self.decoder.cut(prompt, self.decoder.settled(tokens), self.stops).text
        ends = (stop[:size] for stop in self.stops for size in range(len(stop) - 1, 0, -1))
        return text.removesuffix(next((end for end in ends if text.endswith(end)), ""))

    def _may_stop(self, token: int) -> bool:
        """Whether a token can complete a stop string: it must hold the last character of one."""
        if token not in self._suspects:
            self._suspects[token] = not self._last.isdisjoint(self.decoder.piece(token))
        return bool(self.stops) and self._suspects[token]

    def _response(
        self, prompt: Sequence[int], branch: Branch, tokens: Sequence[int], *, full: bool | None = None
    ) -> Response | None:
        """The response made of ``tokens``; None where no stop string was met and more may come."""
        cut = self.decoder.cut(prompt, tokens, self.stops)
        if full is False and not cut.stopped:
            return None
        kept = slice(cut.tokens) if cut.text else slice(-1, None)
        return Response(
            text=cut.text,
            token_logprobs=branch.logprobs[kept],
            finish="length" if full and not cut.stopped else "stop",
            token_entropies=tuple(entropy for entropy, _ in branch.tops[kept]),
            token_margins=tuple(margin for _, margin in branch.tops[kept]),
        )


class Generation:
    """Generates responses for batches of prompts.

    Args:
        source: the model.
        endings: when a response ends.
        sampling: what to generate.
        features: what to switch off.
    """

    def __init__(
        self, source: CausalModel, endings: Endings, sampling: Sampling, features: Features | None = None
    ) -> None:
        self.source, self.endings, self.sampling = source, endings, sampling
        self.features = features or Features()

    def run(
        self,
        prompts: Sequence[list[int]],
        numbers: Sequence[npt.NDArray[np.float64]],
        *,
        hold: bool = False,
        watch: Callable[[int, str], None] | None = None,
        gate: Callable[[int, Any], bool] | None = None,
    ) -> Batch:
        """Generate for one batch.

        Args:
            prompts: token ids.
            numbers: random numbers for the samples of each prompt, shape ``(samples, max_new_tokens)``.
            hold: keep the cache of every finished branch.
            watch: called with a prompt's place and what its greedy response is so far, at every step.
            gate: called with a prompt's place and the states after it, where states are asked for; a prompt
                for which it gives False is not answered.
        """
        with self.source.recorder.recording(self.sampling.layers):
            return self._run(prompts, numbers, hold=hold, watch=watch, gate=gate)

    def _run(
        self,
        prompts: Sequence[list[int]],
        numbers: Sequence[npt.NDArray[np.float64]],
        *,
        hold: bool,
        watch: Callable[[int, str], None] | None,
        gate: Callable[[int, Any], bool] | None,
    ) -> Batch:
        batch, trail = Batch([{} for _ in prompts]), Trail()
        state = self.source.read(prompts, room=self.sampling.max_new_tokens)
        members = (GREEDY,) * self.sampling.greedy + tuple(range(self.sampling.samples))
        branches = [Branch(prompt, members) for prompt in range(len(prompts))] if members else []
        if gate is not None and state.hidden is not None:
            branches = _admitted(batch, state, branches, gate)
        while branches:
            if state.hidden is not None:
                trail.add(state.hidden, _greedy_places(branches))
            grown = self._grow(state, branches, numbers)
            ended = self._collect(batch, prompts, grown)
            if state.hidden is not None:
                _keep_states(batch, trail, ended)
            if hold:
                _hold(batch, state, ended)
            grown = self._remaining(grown)
            if watch is not None:
                self._show(watch, prompts, grown, ended)
            if grown:
                grown = _arrange(grown)
                state.select([place for place, _ in grown])
                tokens = torch.tensor([[branch.tokens[-1]] for _, branch in grown])
                state.feed(tokens.to(self.source.device))
            branches = [branch for _, branch in grown]
        return batch

    def _grow(
        self, state: State, branches: Sequence[Branch], numbers: Sequence[npt.NDArray[np.float64]]
    ) -> list[tuple[int, Branch]]:
        """Each branch with its next token, split where its members differ, with its parent's place."""
        tokens, logprobs = self._choose(state.logits, branches, numbers)
        tops = tops_of(state.logits) if self.sampling.top else [()] * len(branches)
        return [
            (place, child)
            for place, branch in enumerate(branches)
            for child in self._split(branch, tokens[place], logprobs[place], tops[place])
        ]

    def _choose(
        self, logits: torch.Tensor, branches: Sequence[Branch], numbers: Sequence[npt.NDArray[np.float64]]
    ) -> tuple[list[list[int]], list[list[float]]]:
        """The next token of every member of every branch and its log-probability at temperature 1."""
        chosen = [logits.argmax(dim=-1, keepdim=True)]
        table = _numbers(branches, numbers)
        if table.shape[1]:
            kind = torch.float32 if logits.device.type == "mps" else torch.float64
            given = torch.from_numpy(table).to(dtype=kind).to(logits.device)
            sampling = self.sampling
            chosen.append(draw(logits, given, temperature=sampling.temperature, top_p=sampling.top_p))
        tokens = torch.cat(chosen, dim=1)
        logprobs = token_logprobs(logits, tokens)
        return tokens.tolist(), logprobs.tolist()

    def _split(
        self,
        branch: Branch,
        tokens: list[int],
        logprobs: list[float],
        tops: tuple[tuple[float, float], ...],
    ) -> list[Branch]:
        """The branches that continue ``branch``: one per token that a member chose."""
        if branch.done:
            return [branch._replace(tokens=(*branch.tokens, tokens[0]))]
        first = 0 if branch.members[0] == GREEDY else 1  # column 0 is greedy, the others are draws
        if len(branch.members) == 1:
            return [branch.grow(branch.members, tokens[first], logprobs[first], *tops)]
        groups: dict[tuple[int, int], tuple[float, list[int]]] = {}
        for column, member in enumerate(branch.members, start=first):
            key = (tokens[column], 0 if self.features.merge else member)
            groups.setdefault(key, (logprobs[column], []))[1].append(member)
        return [
            branch.grow(tuple(members), token, logprob, *tops)
            for (token, _), (logprob, members) in groups.items()
        ]

    def _collect(
        self, batch: Batch, prompts: Sequence[list[int]], grown: list[tuple[int, Branch]]
    ) -> list[tuple[int, Branch]]:
        """Write down the responses of branches that end now, mark them, and return them."""
        ended = []
        for index, (place, branch) in enumerate(grown):
            response = None if branch.done else self.endings.ended(prompts[branch.prompt], branch)
            if response is not None:
                batch.responses[branch.prompt].update(dict.fromkeys(branch.members, response))
                grown[index] = (place, branch._replace(done=True))
                ended.append(grown[index])
        return ended

    def _show(
        self,
        watch: Callable[[int, str], None],
        prompts: Sequence[list[int]],
        going: Sequence[tuple[int, Branch]],
        ended: Sequence[tuple[int, Branch]],
    ) -> None:
        """Tell who watches what the greedy responses are by now."""
        for _, branch in (*going, *ended):
            if GREEDY in branch.members:
                watch(branch.prompt, self.endings.so_far(prompts[branch.prompt], branch.tokens))

    def _remaining(self, grown: list[tuple[int, Branch]]) -> list[tuple[int, Branch]]:
        going = [(place, branch) for place, branch in grown if not branch.done]
        return going if self.features.leave or not going else grown


def token_logprobs(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Natural-log probability of tokens: (…, vocabulary) at (…, n) -> (…, n)."""
    return logits.gather(-1, tokens) - logits.logsumexp(dim=-1, keepdim=True)


def score_after(state: State, suffixes: Sequence[Sequence[Sequence[int]]]) -> list[list[list[float]]]:
    """Log-probability of every token of every suffix of every row.

    A suffix of one token is scored by what was read already; only longer ones are read, all at once.

    Args:
        state: what the suffixes continue; it is used up.
        suffixes: token ids by row and suffix.
    """
    scores = _first_tokens(state, suffixes)
    longer = [
        (row, index)
        for row, options in enumerate(suffixes)
        for index, option in enumerate(options)
        if len(option) > 1
    ]
    if longer:
        rest = _later_tokens(
            state, [row for row, _ in longer], [suffixes[row][index] for row, index in longer]
        )
        for (row, index), later in zip(longer, rest, strict=True):
            scores[row][index] += later
    return scores


def _first_tokens(state: State, suffixes: Sequence[Sequence[Sequence[int]]]) -> list[list[list[float]]]:
    width = max(map(len, suffixes))
    firsts = [[option[0] if option else 0 for option in options] for options in suffixes]
    table = [row + [0] * (width - len(row)) for row in firsts]
    found = token_logprobs(state.logits, torch.tensor(table, device=state.logits.device)).tolist()
    return [
        [[value] if option else [] for option, value in zip(options, values, strict=False)]
        for options, values in zip(suffixes, found, strict=True)
    ]


def _later_tokens(state: State, rows: list[int], suffixes: Sequence[Sequence[int]]) -> list[list[float]]:
    """Log-probabilities of the tokens after the first; pads follow a suffix, where nothing sees them."""
    width = max(map(len, suffixes))
    padded = [list(suffix) + [0] * (width - len(suffix)) for suffix in suffixes]
    tokens = torch.tensor(padded, device=state.logits.device)
    state.select(rows)
    logits = state.feed(tokens[:, :-1])
    found = token_logprobs(logits, tokens[:, 1:, None]).squeeze(-1).tolist()
    return [values[: len(suffix) - 1] for suffix, values in zip(suffixes, found, strict=True)]


def _numbers(
    branches: Sequence[Branch], numbers: Sequence[npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    """The random numbers of this step: one row per branch, one column per sample in it."""
    drawn = [[m for m in branch.members if m != GREEDY and not branch.done] for branch in branches]
    table = np.zeros((len(branches), max(map(len, drawn))))
    for row, (branch, members) in enumerate(zip(branches, drawn, strict=True)):
        if members:
            table[row, : len(members)] = numbers[branch.prompt][members, len(branch.tokens)]
    return table


def _admitted(
    batch: Batch, state: State, branches: Sequence[Branch], gate: Callable[[int, Any], bool]
) -> list[Branch]:
    """The prompts that are to be answered, as branches; the others leave the batch with their states."""
    assert state.hidden is not None, "states were asked for"
    trail = Trail()
    trail.add(state.hidden, {branch.prompt: place for place, branch in enumerate(branches)})
    for branch in branches:
        batch.states[branch.prompt] = trail.states(branch.prompt, 0)
    going = [
        (place, branch)
        for place, branch in enumerate(branches)
        if gate(branch.prompt, batch.states[branch.prompt].prompt)
    ]
    if going:
        state.select([place for place, _ in going])
    return [branch for _, branch in going]


def _greedy_places(branches: Sequence[Branch]) -> dict[int, int]:
    """The place of each prompt's greedy response that still grows."""
    return {
        branch.prompt: place
        for place, branch in enumerate(branches)
        if GREEDY in branch.members and not branch.done
    }


def _keep_states(batch: Batch, trail: Trail, ended: Sequence[tuple[int, Branch]]) -> None:
    """Keep the hidden states of greedy responses that ended now."""
    for _, branch in ended:
        if GREEDY in branch.members:
            said = batch.responses[branch.prompt][GREEDY]
            length = len(said.token_logprobs) if said.text else 0
            batch.states[branch.prompt] = trail.states(branch.prompt, length)


def _hold(batch: Batch, state: State, ended: Sequence[tuple[int, Branch]]) -> None:
    """Keep what the branches that ended now have read: their tokens but the last."""
    if ended and isinstance(state, CachedState):
        batch.held.append(state.take([place for place, _ in ended]))
        batch.holders += [branch.prompt for _, branch in ended]
        batch.fed += [branch.tokens[:-1] for _, branch in ended]


def _arrange(grown: Sequence[tuple[int, Branch]]) -> list[tuple[int, Branch]]:
    """Order branches so that as many as can stay where their parent is: those are not copied."""
    size = len(grown)
    placed: list[tuple[int, Branch] | None] = [None] * size
    others = []
    for item in grown:
        place = item[0]
        if place < size and placed[place] is None:
            placed[place] = item
        else:
            others.append(item)
    movers = iter(others)
    return [item if item is not None else next(movers) for item in placed]
