"""Dispatch: which member runs a firing (the seed's DispatcherPolicy)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class RoundRobin(NamedTuple):
    """Members take turns, in the order of their names. `turn` counts the choices made so far."""

    turn: int = 0

    def choose(self, members: Sequence[str], count: int) -> tuple[list[str], RoundRobin]:
        """The members for the next `count` firings, and the policy that goes on from there.

        Each chosen member gets a run of neighbours, not every n-th firing, so that a batch makes
        one call a member; shares differ by at most one. Empty where there are no members.
        """
        if not members:
            return [], self
        size = len(members)
        share, rest = divmod(count, size)
        chosen: list[str] = []
        for offset in range(size):
            member = members[(self.turn + offset) % size]
            chosen.extend([member] * (share + (offset < rest)))
        return chosen, RoundRobin((self.turn + rest) % size)


def others_first(member: str, members: Sequence[str]) -> list[str]:
    """The order in which members are tried when `member`'s queue is full: those after it, in turn."""
    if member not in members:
        return list(members)
    at = members.index(member) + 1
    return [*members[at:], *members[: at - 1]]
