"""Bounded queues: the items of one replica, and the queue that takers park at."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import islice

from gridsched.errors import GridUnavailable
from gridsched.grid.data import partition_of, string_key

UNBOUNDED = 2**31 - 1
"""The capacity of a queue that nobody bounded: Hazelcast's Integer.MAX_VALUE."""


class QueueStore:
    """The items of a queue in one replica of its partition."""

    __slots__ = ("_backups", "_items")

    def __init__(self, items: Sequence[bytes] = ()) -> None:
        self._items = deque(items)
        self._backups: tuple[QueueStore, ...] = ()

    def copy(self) -> QueueStore:
        """A backup of this store."""
        return QueueStore(tuple(self._items))

    def lead(self, backups: tuple[QueueStore, ...]) -> None:
        """Become the primary over these backups, or stay it."""
        self._backups = backups

    def append(self, items: Sequence[bytes]) -> None:
        self._items.extend(items)
        for backup in self._backups:
            backup.append(items)

    def push_back(self, item: bytes) -> None:
        """Make `item` the head again."""
        self._items.appendleft(item)
        for backup in self._backups:
            backup.push_back(item)

    def pop(self, limit: int) -> list[bytes]:
        """Remove and return up to `limit` items from the head."""
        items = list(islice(self._items, limit))
        self.drop(len(items))
        return items

    def drop(self, count: int) -> None:
        """Remove the first `count` items."""
        popleft = self._items.popleft
        for _ in range(count):
            popleft()
        for backup in self._backups:
            backup.drop(count)

    def __len__(self) -> int:
        return len(self._items)


class DistributedQueue:
    """A queue in the partition of its name. Whoever finds it empty may park for an item.

    A parked taker is a future that is given the item itself, so takers are served in the order they
    came. Takers parked mean no items held.
    """

    backup_count = 1

    def __init__(self, name: str, capacity: int = UNBOUNDED) -> None:
        self.name = name
        self.capacity = capacity
        self.partition = partition_of(string_key(name, name))
        self._primary = self.new_store()
        self._parked: deque[asyncio.Future[bytes | None]] = deque()

    def new_store(self) -> QueueStore:
        """An empty replica."""
        return QueueStore()

    def attach(self, partition: int, primary: QueueStore, backups: tuple[QueueStore, ...]) -> None:
        """Use these replicas from now on."""
        for backup in backups:
            backup.lead(())
        primary.lead(backups)
        self._primary = primary

    def lose(self, partition: int) -> None:
        """The items are lost: whoever is parked hears of it."""
        while self._parked:
            taker = self._parked.popleft()
            if not taker.done():
                taker.set_exception(GridUnavailable(f"queue {self.name} is lost"))

    def offer_all(self, items: Sequence[bytes]) -> bool:
        """Append all items, or none and False where there is no room for all."""
        if len(items) > self.remaining_capacity():
            return False
        self._primary.append(items)
        if self._parked:
            self._serve()
        return True

    def pop(self, limit: int) -> list[bytes]:
        """Remove and return up to `limit` items from the head."""
        return self._primary.pop(limit)

    def park(self) -> asyncio.Future[bytes | None]:
        """A taker that waits for an item; give it to `unpark` in the end, however it ended."""
        taker: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._parked.append(taker)
        return taker

    def unpark(self, taker: asyncio.Future[bytes | None], *, received: bool) -> None:
        """Stop waiting. An item that was given but not `received` becomes the head again."""
        if taker in self._parked:
            self._parked.remove(taker)
        if received or not taker.done() or taker.cancelled() or taker.exception():
            return
        item = taker.result()
        if item is not None:
            self._primary.push_back(item)
            self._serve()

    def remaining_capacity(self) -> int:
        return max(0, self.capacity - len(self._primary))

    def __len__(self) -> int:
        return len(self._primary)

    def _serve(self) -> None:
        while self._parked and len(self._primary):
            taker = self._parked.popleft()
            if not taker.done():
                taker.set_result(self._primary.pop(1)[0])
