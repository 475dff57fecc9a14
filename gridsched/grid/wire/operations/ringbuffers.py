"""The requests of a ringbuffer, and so of a reliable topic."""

# ruff: noqa: PLR0917 - a handler takes the fields of its request
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gridsched.grid.embedded.structures import RingbufferStructure
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.errors import IllegalArgument, StaleSequence, UnsupportedOperation
from gridsched.grid.wire.operations.locking import Later

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

SERVICE: Final = "hz:impl:ringbufferService"
TOPIC_PREFIX: Final = "_hz_rb_"
"""Before the name of a reliable topic: the name of its ringbuffer."""

FAIL: Final = 1
"""The overflow policy by which a full ringbuffer takes nothing."""
_REFUSED: Final = -1

Read = tuple[list[bytes], list[int], int, int]
"""The response of a read: items, their sequences, how many were read, the next sequence."""


def _ringbuffer(endpoint: Endpoint, name: str) -> RingbufferStructure:
    services = endpoint.services

    def make(name: str) -> RingbufferStructure:
        config = services.config.ringbuffer(name.removeprefix(TOPIC_PREFIX))
        return RingbufferStructure(name, config.capacity, config.ttl_ms, services.cluster.now_ms)

    return services.cluster.other(SERVICE, name, make)


@answers("Ringbuffer.size")
def size(endpoint: Endpoint, name: str) -> int:
    return len(_ringbuffer(endpoint, name))


@answers("Ringbuffer.capacity")
def capacity(endpoint: Endpoint, name: str) -> int:
    return _ringbuffer(endpoint, name).capacity


@answers("Ringbuffer.remainingCapacity")
def remaining_capacity(endpoint: Endpoint, name: str) -> int:
    return _ringbuffer(endpoint, name).remaining_capacity()


@answers("Ringbuffer.headSequence")
def head_sequence(endpoint: Endpoint, name: str) -> int:
    return _ringbuffer(endpoint, name).head


@answers("Ringbuffer.tailSequence")
def tail_sequence(endpoint: Endpoint, name: str) -> int:
    return _ringbuffer(endpoint, name).tail


@answers("Ringbuffer.add", backs_up=True)
def add(endpoint: Endpoint, name: str, item: bytes, overflow_policy: int) -> int:
    return add_all(endpoint, name, [item], overflow_policy)


@answers("Ringbuffer.addAll", backs_up=True)
def add_all(endpoint: Endpoint, name: str, items: Sequence[bytes], overflow_policy: int) -> int:
    """The last item's sequence; -1 where they are not added."""
    held = _ringbuffer(endpoint, name)
    if overflow_policy == FAIL and held.remaining_capacity() < len(items):
        return _REFUSED
    return held.add_all(items)


@answers("Ringbuffer.readOne")
def read_one(endpoint: Endpoint, name: str, sequence: int) -> bytes | Later[bytes]:
    """The item of a sequence; waits for the one after the tail."""
    held = _ringbuffer(endpoint, name)
    if sequence > held.tail + 1:
        raise IllegalArgument(
            f"sequence:{sequence} is too large. The current tailSequence is:{held.tail}"
        )
    _check_not_stale(held, sequence)
    return held.read(sequence, 1)[0] if sequence <= held.tail else _next(held, sequence)


async def _next(held: RingbufferStructure, sequence: int) -> bytes:
    while sequence > held.tail:
        await held.added()
    _check_not_stale(held, sequence)
    return held.read(sequence, 1)[0]


def _check_not_stale(held: RingbufferStructure, sequence: int) -> None:
    if sequence < held.head:
        raise StaleSequence(
            f"sequence:{sequence} is too small and data store is disabled. "
            f"The current headSequence is:{held.head} tailSequence is:{held.tail}"
        )


@answers("Ringbuffer.readMany")
def read_many(
    endpoint: Endpoint, name: str, filter: bytes | None, start: int, least: int, most: int
) -> Read | Later[Read]:
    """From `start`, or from the nearest sequence that there is; waits for the `least` number."""
    if filter is not None:
        raise UnsupportedOperation("a filter is a class of the member's, and there are none here")
    held = _ringbuffer(endpoint, name)
    start = max(held.head, min(start, held.tail + 1))
    if held.tail + 1 - start < least:
        return _at_least(held, start, least, most)
    return _read(held, start, most)


async def _at_least(held: RingbufferStructure, start: int, least: int, most: int) -> Read:
    while held.tail + 1 - start < least:
        await held.added()
    return _read(held, start, most)


def _read(held: RingbufferStructure, start: int, most: int) -> Read:
    start = max(start, held.head)
    items = held.read(start, most)
    sequences = list(range(start, start + len(items)))
    return items, sequences, len(items), start + len(items)
