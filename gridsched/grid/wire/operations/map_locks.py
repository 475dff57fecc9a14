"""The locks of a map's keys."""

# ruff: noqa: PLR0917 - a handler takes the fields of its request
from __future__ import annotations

from typing import TYPE_CHECKING

from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.keys import key_of
from gridsched.grid.wire.operations.locking import Later, acquire, release

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint


@answers("Map.lock", backs_up=True)
async def lock(
    endpoint: Endpoint, name: str, key: bytes, thread: int, lease: int, reference: int
) -> None:
    locks = endpoint.services.map(name).locks
    await acquire(endpoint, locks, key_of(key), thread, reference, lease, None)


@answers("Map.tryLock", backs_up=True)
def try_lock(
    endpoint: Endpoint, name: str, key: bytes, thread: int, lease: int, timeout: int, reference: int
) -> Later[bool]:
    locks = endpoint.services.map(name).locks
    return acquire(endpoint, locks, key_of(key), thread, reference, lease, max(0, timeout) / 1000)


@answers("Map.isLocked")
def is_locked(endpoint: Endpoint, name: str, key: bytes) -> bool:
    return endpoint.services.map(name).locks.is_locked(key_of(key))


@answers("Map.unlock", backs_up=True)
def unlock(endpoint: Endpoint, name: str, key: bytes, thread: int, reference: int) -> None:
    release(endpoint, endpoint.services.map(name).locks, key_of(key), thread, reference)


@answers("Map.forceUnlock", backs_up=True)
def force_unlock(endpoint: Endpoint, name: str, key: bytes, _reference: int) -> None:
    endpoint.services.map(name).locks.force_unlock(key_of(key))
