"""Embedded clusters whose clock and ids are in the test's hands."""

from __future__ import annotations

from itertools import count

from gridsched.grid.embedded.cluster import EmbeddedCluster


class Clock:
    """Epoch milliseconds that stand until they are moved on."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now

    def advance(self, ms: int) -> None:
        self.now += ms


def embedded(members: int = 1, clock: Clock | None = None) -> EmbeddedCluster:
    """A cluster of the members m1, m2, …"""
    numbers = count(1)
    return EmbeddedCluster(clock or Clock(), lambda: f"m{next(numbers)}", members=members)
