"""The requests of a queue."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gridsched.errors import GridUnavailable
from gridsched.grid.embedded.queues import DistributedQueue
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.errors import DistributedObjectDestroyed, IllegalState
from gridsched.grid.wire.keys import plain
from gridsched.grid.wire.messages import event
from gridsched.grid.wire.operations.listening import listen_to_items
from gridsched.grid.wire.operations.locking import Later

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

_ITEM = event("Queue.addListener", "Item")
_ALL: Final = 2**31 - 1


def _queue(endpoint: Endpoint, name: str) -> DistributedQueue:
    return endpoint.services.queue(name)


async def _offered(queue: DistributedQueue, item: bytes, timeout: float | None) -> bool:
    """Wait for room, `timeout` seconds at most; False where none came in time."""
    loop = asyncio.get_running_loop()
    ends = None if timeout is None else loop.time() + timeout
    while not queue.offer_all([item]):
        left = None if ends is None else ends - loop.time()
        try:
            if not await queue.room(left):
                return False
        except GridUnavailable as error:
            raise DistributedObjectDestroyed(str(error)) from None
    return True


async def _taken(queue: DistributedQueue, timeout: float | None) -> bytes | None:
    """Wait for an item, `timeout` seconds at most. What is not received stays in the queue."""
    if len(queue):  # an item came before this began to run
        return queue.pop(1)[0]
    taker = queue.park()
    received = False
    try:
        async with asyncio.timeout(timeout):
            item = await taker
        received = True
        return item
    except TimeoutError:
        return None
    except GridUnavailable as error:
        raise DistributedObjectDestroyed(str(error)) from None
    finally:
        queue.unpark(taker, received=received)


@answers("Queue.offer", backs_up=True)
def offer(endpoint: Endpoint, name: str, item: bytes, timeout_ms: int) -> bool | Later[bool]:
    queue = _queue(endpoint, name)
    if queue.offer_all([item]):
        return True
    return _offered(queue, item, timeout_ms / 1000) if timeout_ms > 0 else False


@answers("Queue.put", backs_up=True)
def put(endpoint: Endpoint, name: str, item: bytes) -> bool | Later[bool]:
    queue = _queue(endpoint, name)
    return True if queue.offer_all([item]) else _offered(queue, item, None)


@answers("Queue.addAll", backs_up=True)
def add_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    if not _queue(endpoint, name).offer_all(items):
        raise IllegalState("Queue full")
    return True


@answers("Queue.poll", backs_up=True)
def poll(endpoint: Endpoint, name: str, timeout_ms: int) -> bytes | Later[bytes | None] | None:
    queue = _queue(endpoint, name)
    if len(queue) or timeout_ms <= 0:
        return next(iter(queue.pop(1)), None)
    return _taken(queue, timeout_ms / 1000)


@answers("Queue.take", backs_up=True)
def take(endpoint: Endpoint, name: str) -> bytes | Later[bytes | None] | None:
    queue = _queue(endpoint, name)
    return queue.pop(1)[0] if len(queue) else _taken(queue, None)


@answers("Queue.peek")
def peek(endpoint: Endpoint, name: str) -> bytes | None:
    return next(iter(_queue(endpoint, name).items()), None)


@answers("Queue.drainTo", "Queue.drainToMaxSize", backs_up=True)
def drain_to(endpoint: Endpoint, name: str, limit: int = _ALL) -> list[bytes]:
    """At most so many; a negative limit is none."""
    return _queue(endpoint, name).pop(limit if limit >= 0 else _ALL)


@answers("Queue.size")
def size(endpoint: Endpoint, name: str) -> int:
    return len(_queue(endpoint, name))


@answers("Queue.isEmpty")
def is_empty(endpoint: Endpoint, name: str) -> bool:
    return not len(_queue(endpoint, name))


@answers("Queue.remainingCapacity")
def remaining_capacity(endpoint: Endpoint, name: str) -> int:
    return _queue(endpoint, name).remaining_capacity()


@answers("Queue.iterator")
def iterator(endpoint: Endpoint, name: str) -> list[bytes]:
    return _queue(endpoint, name).items()


@answers("Queue.remove", backs_up=True)
def remove(endpoint: Endpoint, name: str, item: bytes) -> bool:
    return _queue(endpoint, name).remove(item)


@answers("Queue.contains")
def contains(endpoint: Endpoint, name: str, item: bytes) -> bool:
    return item in _queue(endpoint, name).items()


@answers("Queue.containsAll")
def contains_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    return {plain(item) for item in items} <= {*_queue(endpoint, name).items()}


@answers("Queue.compareAndRemoveAll", backs_up=True)
def remove_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    unwanted = {*items}
    return _queue(endpoint, name).keep(lambda item: item not in unwanted)


@answers("Queue.compareAndRetainAll", backs_up=True)
def retain_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    wanted = {*items}
    return _queue(endpoint, name).keep(lambda item: item in wanted)


@answers("Queue.clear", backs_up=True)
def clear(endpoint: Endpoint, name: str) -> None:
    _queue(endpoint, name).keep(lambda item: False)


@answers("Queue.addListener")
def add_listener(endpoint: Endpoint, name: str, include_value: bool, local_only: bool) -> UUID:
    return listen_to_items(
        endpoint,
        _queue(endpoint, name),
        _ITEM,
        include_value=include_value,
        local_only=local_only,
    )


@answers("Queue.removeListener")
def remove_listener(endpoint: Endpoint, _name: str, registration: UUID | None) -> bool:
    return endpoint.deregister(registration)
