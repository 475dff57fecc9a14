"""The locks of a map's keys."""

# ruff: noqa: PLR0917 - a handler takes the fields of its request
from __future__ import annotations

from typing import TYPE_CHECKING

from gridsched.grid.embedded.locks import Locks
from gridsched.grid.wire.errors import IllegalMonitorState
from gridsched.grid.wire.keys import key_of
from gridsched.grid.wire.operations.maps import Later
from gridsched.grid.wire.operations.registry import answers

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

_FOREVER = -1


async def _acquire(
    endpoint: Endpoint, locks: Locks, key: bytes, thread: int, reference: int, lease: int,
    timeout: float | None,
) -> bool:  # fmt: skip
    """Lock within `timeout` seconds; False where that was too short."""
    owner, lease_ms = (endpoint.client, thread), lease if lease >= 0 else 2**63 - 1
    loop_time = endpoint.loop_time
    ends = None if timeout is None else loop_time() + timeout
    while not locks.try_lock(key, owner, reference, lease_ms):
        left = None if ends is None else ends - loop_time()
        if left is not None and left <= 0:
            return False
        await locks.released(key, left)
    return True


@answers("Map.lock", backs_up=True)
async def lock(
    endpoint: Endpoint, name: str, key: bytes, thread: int, lease: int, reference: int
) -> None:
    locks = endpoint.services.map(name).locks
    await _acquire(endpoint, locks, key_of(key), thread, reference, lease, None)


@answers("Map.tryLock", backs_up=True)
def try_lock(
    endpoint: Endpoint, name: str, key: bytes, thread: int, lease: int, timeout: int, reference: int
) -> Later[bool]:
    locks = endpoint.services.map(name).locks
    return _acquire(endpoint, locks, key_of(key), thread, reference, lease, max(0, timeout) / 1000)


@answers("Map.isLocked")
def is_locked(endpoint: Endpoint, name: str, key: bytes) -> bool:
    return endpoint.services.map(name).locks.is_locked(key_of(key))


@answers("Map.unlock", backs_up=True)
def unlock(endpoint: Endpoint, name: str, key: bytes, thread: int, reference: int) -> None:
    locks = endpoint.services.map(name).locks
    if not locks.unlock(key_of(key), (endpoint.client, thread), reference):
        raise IllegalMonitorState("Current thread is not owner of the lock!")


@answers("Map.forceUnlock", backs_up=True)
def force_unlock(endpoint: Endpoint, name: str, key: bytes, _reference: int) -> None:
    endpoint.services.map(name).locks.force_unlock(key_of(key))
