"""Public sizes of models and datasets, for where their files are not at hand."""

from __future__ import annotations

from dataclasses import dataclass

from demur.core.config import DataSettings


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a model without opening it; public figures of its configuration."""

    hidden: int
    layers: int
    feed_forward: int
    vocabulary: int
    key_values: float = 1.0
    """Width of keys and values over that of queries (grouped-query attention)."""
    tied: bool = False
    """Whether the output head is the embedding."""

    @property
    def parameters(self) -> int:
        """Weights of a Llama-shaped model, norms left out."""
        attention = 2 * self.hidden**2 * (1 + self.key_values)
        block = attention + 3 * self.hidden * self.feed_forward
        tables = 1 if self.tied else 2
        return round(self.layers * block + tables * self.vocabulary * self.hidden)


SHAPES = {
    "openlm-research/open_llama_3b": Shape(3200, 26, 8640, 32000),
    "huggyllama/llama-7b": Shape(4096, 32, 11008, 32000),
    "huggyllama/llama-13b": Shape(5120, 40, 13824, 32000),
    "meta-llama/Llama-2-7b-chat-hf": Shape(4096, 32, 11008, 32000),
    "meta-llama/Llama-2-13b-chat-hf": Shape(5120, 40, 13824, 32000),
    "meta-llama/Llama-2-70b-chat-hf": Shape(8192, 80, 28672, 32000, 0.125),
    "mistralai/Mistral-7B-Instruct-v0.2": Shape(4096, 32, 14336, 32000, 0.25),
}
"""The papers' models."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many questions a dataset has, and how long they are."""

    train: int
    rest: int
    """Questions of every other part."""
    tokens: int
    """Tokens of a usual prompt, rounded up."""


SIZES = {
    "pararel": Size(5575, 5584 + 13974, 25),
    "mmlu": Size(2448, 2439 + 9155, 700),
    "wice": Size(3470, 958, 300),
    "hotpotqa": Size(10000, 7405, 1300),
    "fever": Size(10000, 9999, 120),
    "halueval": Size(0, 10000, 120),
    "selfaware": Size(0, 3369, 25),
    "falseqa": Size(0, 4730, 25),
    "nec": Size(0, 4150, 25),
    "triviaqa": Size(8000, 9960, 60),
    "nonambigqa": Size(0, 5325, 60),
    "puqa": Size(0, 1000, 70),
    "pkqa": Size(0, 1000, 60),
    "asqa": Size(8000, 1400, 250),
}
"""The datasets' published sizes."""


def published_size(data: DataSettings) -> Size | None:
    """The size of a run's data by the published figures; None where a dataset of it has none."""
    found = [_published(*part) for part in _parts(data)]
    sizes = [size for size in found if size is not None]
    if len(sizes) < len(found):
        return None
    return Size(
        sum(size.train for size in sizes),
        sum(size.rest for size in sizes),
        max(size.tokens for size in sizes),
    )


def _parts(data: DataSettings) -> list[tuple[str, str, float | None]]:
    """Name, use and limit of each dataset of a run."""
    entries = data.mixture or ({"name": data.name, "limit": data.limit},)
    return [(str(e.get("name")), str(e.get("use", "all")), e.get("limit")) for e in entries]


def _published(name: str, use: str, limit: float | None) -> Size | None:
    size = SIZES.get(name)
    if size is None:
        return None
    train = 0 if use == "test" else size.train
    most = int(limit) if limit else max(train, size.rest)
    return Size(min(train, most), min(0 if use == "train" else size.rest, 3 * most), size.tokens)
