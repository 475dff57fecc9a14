"""Locks as requests ask for them: by a client and one of its threads."""

# ruff: noqa: PLR0917 - a handler takes the fields of its request
from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from gridsched.grid.embedded.locks import NO_LEASE, Locks
from gridsched.grid.wire.errors import IllegalMonitorState

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

T = TypeVar("T")
Later = Coroutine[Any, Any, T]


def when_free(
    endpoint: Endpoint, locks: Locks, key: bytes, thread: int, act: Callable[[], T]
) -> T | Later[T]:
    """Do something to an entry, now or when nobody else has locked it any more."""
    if not locks or not locks.is_held_by_other(key, (endpoint.client, thread)):
        return act()
    return _later(endpoint, locks, key, thread, act)


async def _later(
    endpoint: Endpoint, locks: Locks, key: bytes, thread: int, act: Callable[[], T]
) -> T:
    while locks.is_held_by_other(key, (endpoint.client, thread)):
        await locks.released(key, None)
    return act()


async def in_time(
    endpoint: Endpoint,
    locks: Locks,
    key: bytes,
    thread: int,
    timeout_ms: int,
    act: Callable[[], bool],
) -> bool:
    """As `when_free`, but False where that takes longer than the timeout."""
    owner = (endpoint.client, thread)
    if locks.is_held_by_other(key, owner):
        await locks.released(key, max(0, timeout_ms) / 1000)
    return not locks.is_held_by_other(key, owner) and act()


async def acquire(
    endpoint: Endpoint,
    locks: Locks,
    key: bytes,
    thread: int,
    reference: int,
    lease_ms: int,
    timeout: float | None,
) -> bool:
    """Lock within `timeout` seconds; False where that was too short. A negative lease has no end."""
    owner, lease = (endpoint.client, thread), lease_ms if lease_ms >= 0 else NO_LEASE
    ends = None if timeout is None else endpoint.loop_time() + timeout
    while not locks.try_lock(key, owner, reference, lease):
        left = None if ends is None else ends - endpoint.loop_time()
        if left is not None and left <= 0:
            return False
        await locks.released(key, left)
    return True


def release(endpoint: Endpoint, locks: Locks, key: bytes, thread: int, reference: int) -> None:
    """Undo one lock. IllegalMonitorState where the thread holds none."""
    if not locks.unlock(key, (endpoint.client, thread), reference):
        raise IllegalMonitorState("Current thread is not owner of the lock!")
