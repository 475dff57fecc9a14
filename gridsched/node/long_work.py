"""Work on many records, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

T = TypeVar("T")

_STEPS: Final = 16


async def each(records: Iterable[T], step: Callable[[T], Awaitable[object]]) -> None:
    """Take a step with each. After some of them the loop has its turn, which a grid in this process
    never gives it."""
    for number, record in enumerate(records, 1):
        await step(record)
        if number % _STEPS == 0:
            await asyncio.sleep(0)
