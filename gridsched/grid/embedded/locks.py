"""Locks on keys: reentrant, owned by a thread of a client, released at the end of a lease."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable

from gridsched.grid.data import partition_of

NO_LEASE = 2**63 - 1
"""A lease, in milliseconds, that does not end."""

Owner = Hashable
"""Whoever may hold a lock: a client and one of its threads."""


class _Lock:
    """`count` is how often its owner has locked it; `last` the reference id of its last request,
    by which a request that is sent twice is known.
    """

    __slots__ = ("count", "last", "lease_ends", "owner", "waiting")

    def __init__(self) -> None:
        self.owner: Owner | None = None
        self.count = 0
        self.last = 0
        self.lease_ends = NO_LEASE
        self.waiting: deque[asyncio.Future[None]] = deque()


class Locks:
    """The locks of one map. They need no entry, and outlive the members as their backups do."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._locks: dict[bytes, _Lock] = {}

    def __bool__(self) -> bool:
        """Whether anybody holds or awaits a lock."""
        return bool(self._locks)

    def is_locked(self, key: bytes) -> bool:
        lock = self._live(key)
        return lock is not None and lock.owner is not None

    def is_held_by_other(self, key: bytes, owner: Owner) -> bool:
        """Whether `owner` has to wait before it may change the entry."""
        lock = self._live(key)
        return lock is not None and lock.owner is not None and lock.owner != owner

    def try_lock(self, key: bytes, owner: Owner, reference: int, lease_ms: int) -> bool:
        """Lock, once more where `owner` holds the lock already; False where another does."""
        if self.is_held_by_other(key, owner):
            return False
        lock = self._locks.setdefault(key, _Lock())
        if lock.owner is not None and lock.last == reference:
            return True
        lock.owner, lock.last = owner, reference
        lock.count += 1
        lock.lease_ends = NO_LEASE if lease_ms >= NO_LEASE else self._now_ms() + lease_ms
        return True

    def unlock(self, key: bytes, owner: Owner, reference: int) -> bool:
        """Undo one lock of `owner`; False where it holds none."""
        lock = self._live(key)
        if lock is None or lock.owner != owner:
            return False
        if lock.last != reference:
            lock.last = reference
            lock.count -= 1
        if not lock.count:
            self._release(key, lock)
        return True

    def force_unlock(self, key: bytes) -> bool:
        """Release the lock whoever holds it; False where nobody does."""
        lock = self._live(key)
        if lock is None or lock.owner is None:
            return False
        self._release(key, lock)
        return True

    def release_all(self, holds: Callable[[Owner], bool]) -> None:
        """Release every lock of the owners that `holds` picks."""
        for key, lock in list(self._locks.items()):
            if lock.owner is not None and holds(lock.owner):
                self._release(key, lock)

    async def released(self, key: bytes, timeout: float | None) -> bool:
        """Wait, `timeout` seconds at most, until the lock may be free; False where it was not.

        It is offered to one waiter at a time, in the order they came.
        """
        lock = self._locks.get(key)
        if lock is None:
            return True
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lock.waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience(lock, timeout)):
                await turn
        except TimeoutError:
            return not self.is_locked(key)
        finally:
            self._leave(key, lock, turn)
        return True

    def lose(self, partition: int) -> None:
        """The locks of a partition are lost."""
        for key, lock in list(self._locks.items()):
            if partition_of(key) == partition:
                self._release(key, lock)

    def _patience(self, lock: _Lock, timeout: float | None) -> float | None:
        """Seconds until `timeout` or the end of the lease, whichever comes first."""
        if lock.lease_ends == NO_LEASE:
            return timeout
        lease = max(0, lock.lease_ends - self._now_ms()) / 1000
        return lease if timeout is None else min(lease, timeout)

    def _live(self, key: bytes) -> _Lock | None:
        lock = self._locks.get(key)
        if lock is not None and lock.owner is not None and lock.lease_ends <= self._now_ms():
            self._release(key, lock)
        return lock

    def _release(self, key: bytes, lock: _Lock) -> None:
        lock.owner, lock.count, lock.last = None, 0, 0
        lock.lease_ends = NO_LEASE
        self._wake(key, lock)

    def _wake(self, key: bytes, lock: _Lock) -> None:
        for turn in lock.waiting:
            if not turn.done():
                turn.set_result(None)
                return
        if not lock.waiting:
            self._locks.pop(key, None)

    def _leave(self, key: bytes, lock: _Lock, turn: asyncio.Future[None]) -> None:
        lock.waiting.remove(turn)
        if lock.owner is None:
            self._wake(key, lock)
