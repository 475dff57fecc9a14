"""Time and ids, which everything takes from outside.

Only the entry points (the CLI, `gridsched.start`, `gridsched.connect`) build the system's; tests and
the simulation give their own.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Protocol

Ids = Callable[[], str]
"""Gives a new id at every call: 16 hex digits."""


class Clock(Protocol):
    """Two clocks: instants are read from the wall, durations from the monotonic one."""

    def now(self) -> int:
        """The wall clock, epoch milliseconds, UTC."""

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps; the event loop's own time."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000  # noqa: TID251 - the one place that may

    def monotonic(self) -> float:
        return time.monotonic()  # noqa: TID251 - the one place that may


def random_ids(source: random.Random) -> Ids:
    """Ids drawn from `source`."""
    return lambda: f"{source.getrandbits(64):016x}"


def system_ids() -> Ids:
    """Ids from a generator that the machine's own randomness seeds."""
    return random_ids(random.Random(random.SystemRandom().getrandbits(256)))
