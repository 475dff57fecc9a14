"""Long work done in turns, so that a query on many entries does not hold up the other clients.

What is done within one turn is answered at once. What is not begins anew behind what else is long,
and gives way after each turn: of all the long queries one at a time holds a copy of its entries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from gridsched.grid.wire.operations.locking import Later

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

TURN: Final = 0.005
"""Seconds after which the others have their turn."""

T = TypeVar("T")
R = TypeVar("R")


def in_turns(
    endpoint: Endpoint, work: Callable[[], Iterator[list[T]]], then: Callable[[list[T]], R]
) -> R | Later[R]:
    """`then` of all that `work` yields, now or later."""
    found: list[T] = []
    if _is_done(endpoint, work(), found):
        return then(found)
    return _later(endpoint, work, then)


async def _later(
    endpoint: Endpoint, work: Callable[[], Iterator[list[T]]], then: Callable[[list[T]], R]
) -> R:
    async with endpoint.services.long_work:
        batches, found = work(), list[T]()
        while not _is_done(endpoint, batches, found):  # noqa: ASYNC110 - it waits for its own work
            await asyncio.sleep(0)
        return then(found)


def _is_done(endpoint: Endpoint, batches: Iterator[list[T]], found: list[T]) -> bool:
    """Go on for one turn; False where there is more to do."""
    ends = endpoint.loop_time() + TURN
    for batch in batches:
        found += batch
        if endpoint.loop_time() > ends:
            return False
    return True
