"""Time and memory that a piece of work took, and arithmetic with them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from demur.runfolder.manifest import peak_memory

WAITING = 0.1
"""A process that uses less than this share of its time on all its threads waits for something."""


@dataclass(frozen=True, slots=True)
class Seconds:
    """Time by the clock and by the processors."""

    clock: float = 0.0
    cpu: float = 0.0
    """Processor seconds of all threads of this process; other processes at work do not change them."""

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.clock + other.clock, self.cpu + other.cpu)

    def __mul__(self, factor: float) -> Seconds:
        return Seconds(self.clock * factor, self.cpu * factor)

    def less(self, other: Seconds) -> Seconds:
        """What is left without the other, at least 0."""
        return Seconds(max(0.0, self.clock - other.clock), max(0.0, self.cpu - other.cpu))

    @classmethod
    def now(cls) -> Seconds:
        """What has passed since some fixed moment."""
        return cls(time.perf_counter(), time.process_time())


def busy(seconds: Seconds) -> float:
    """The clock's seconds as they would be without other processes: threads that wait do not count.

    Where the processor mostly waits, for a device, the clock's.
    """
    import torch

    computing = seconds.cpu / torch.get_num_threads()
    return computing if computing > WAITING * seconds.clock else seconds.clock


@dataclass(slots=True)
class Spent:
    """What a piece of work took."""

    seconds: Seconds = Seconds()
    peak: float = 0.0
    """Highest resident memory of the process, in bytes; on CUDA with that of the device."""


@contextlib.contextmanager
def spending() -> Iterator[Spent]:
    """Measure a block; the record is filled in at its end."""
    spent, start = Spent(), Seconds.now()
    with _device_peak() as device, peak_memory() as peak:
        yield spent
        now = Seconds.now()
        spent.seconds = now.less(start)
    spent.peak = peak[0] + device[0]


def resident() -> float:
    """Resident memory of this process now, in bytes."""
    return float(psutil.Process().memory_info().rss)


@contextlib.contextmanager
def _device_peak() -> Iterator[list[float]]:
    """The most that torch holds on CUDA within a block, in bytes; 0 without CUDA."""
    import torch

    found = [0.0]
    if not torch.cuda.is_available():
        yield found
        return
    torch.cuda.reset_peak_memory_stats()
    yield found
    torch.cuda.synchronize()
    found[0] = float(torch.cuda.max_memory_reserved())
