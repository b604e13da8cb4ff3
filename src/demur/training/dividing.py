"""The same updates in several processes as in one.

Left alone, accelerate fills the last batch of a pass up with rows from its beginning, which are then
trained on twice, and after a restart it draws the first pass's order again. Here rows without any loss fill
up, and the order is always that of one process; TRL divides each update's loss by its supervised tokens in
all processes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from accelerate.data_loader import SeedableRandomSampler
from datasets import Dataset, concatenate_datasets
from torch.utils.data import Sampler
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl import SFTTrainer


class DividedTrainer(SFTTrainer):  # type: ignore[misc]
    """TRL's trainer, on the rows that one process would take at each update, in all processes together."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        rows: Dataset = self.train_dataset  # type: ignore[has-type]
        together = self.args.per_device_train_batch_size * self.args.world_size
        updates = math.ceil(math.ceil(len(rows) / together) / self.args.gradient_accumulation_steps)
        self._order = FilledOrder(len(rows), multiple=together, seed=self.args.data_seed)
        self.train_dataset = concatenate_datasets([rows, _blank(rows)])
        self.add_callback(_TellPass(self._order, updates))

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler[int]:
        return self._order


class FilledOrder(Sampler[int]):
    """One process's order of the rows, then the blank row until the last batch is full.

    Args:
        rows: how many; the blank one stands after them.
        multiple: rows that all processes read at once.
        seed: of the order; each pass has another one.
    """

    def __init__(self, rows: int, *, multiple: int, seed: int) -> None:
        self.rows, self.fill = rows, -rows % multiple
        self._shuffled = SeedableRandomSampler(range(rows), data_seed=seed)

    def set_pass(self, number: int) -> None:
        """Say which pass comes next, counted from 0."""
        self._shuffled.set_epoch(number)

    def __iter__(self) -> Iterator[int]:
        yield from self._shuffled
        yield from [self.rows] * self.fill

    def __len__(self) -> int:
        return self.rows + self.fill


class _TellPass(TrainerCallback):  # type: ignore[misc]
    """Tells the order which pass begins: accelerate does not, where a restart skips rows."""

    def __init__(self, order: FilledOrder, updates: int) -> None:
        self._order, self._updates = order, updates

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Called by the trainer before each pass."""
        self._order.set_pass(state.global_step // self._updates)


def _blank(rows: Dataset) -> Dataset:
    """One row of one token, without loss."""
    token = rows[0]["input_ids"][0]
    values = {"input_ids": [[token]], "labels": [[-100]]}
    kept = rows.select_columns(list(values)).features
    return Dataset.from_dict(values, features=kept)
