"""Bounded queues: the items of one replica, and the queue that takers park at."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from enum import IntEnum
from itertools import islice
from typing import Any

from gridsched.errors import GridUnavailable
from gridsched.grid.data import partition_of, string_key

UNBOUNDED = 2**31 - 1
"""The capacity of a queue that nobody bounded: Hazelcast's Integer.MAX_VALUE."""


class ItemEventType(IntEnum):
    """What happened to an item: Hazelcast's numbers."""

    ADDED = 1
    REMOVED = 2


ItemListener = Callable[[ItemEventType, bytes], None]
"""Called after each item that is added or removed."""


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

    def replace(self, items: Sequence[bytes]) -> None:
        """Hold these items instead."""
        self._items = deque(items)
        for backup in self._backups:
            backup.replace(items)

    def items(self) -> list[bytes]:
        return list(self._items)

    def __len__(self) -> int:
        return len(self._items)


class DistributedQueue:
    """A queue in the partition of its name. Whoever finds it empty may park for an item.

    A parked taker is a future that is given the item itself, so takers are served in the order they
    came. Takers parked mean no items held. Whoever finds it full may wait for room.
    """

    backup_count = 1

    def __init__(self, name: str, capacity: int = UNBOUNDED) -> None:
        self.name = name
        self.capacity = capacity
        self.partition = partition_of(string_key(name, name))
        self.listeners: list[ItemListener] = []
        self._primary = self.new_store()
        self._parked: deque[asyncio.Future[bytes | None]] = deque()
        self._offering: deque[asyncio.Future[None]] = deque()

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
        """The items are lost: whoever waits hears of it."""
        waiting: list[asyncio.Future[Any]] = [*self._parked, *self._offering]
        self._parked.clear()
        for waiter in waiting:
            if not waiter.done():
                waiter.set_exception(GridUnavailable(f"queue {self.name} is lost"))

    def offer_all(self, items: Sequence[bytes]) -> bool:
        """Append all items, or none and False where there is no room for all."""
        if len(items) > self.remaining_capacity():
            return False
        self._primary.append(items)
        if self.listeners:
            self._tell(ItemEventType.ADDED, items)
        if self._parked:
            self._serve()
        return True

    def pop(self, limit: int) -> list[bytes]:
        """Remove and return up to `limit` items from the head."""
        items = self._primary.pop(limit)
        self._removed(items)
        return items

    def items(self) -> list[bytes]:
        """Every item, the head first; they stay."""
        return self._primary.items()

    def keep(self, kept: Callable[[bytes], bool]) -> bool:
        """Remove every item that is not to be `kept`; whether there was any."""
        items = self._primary.items()
        staying = [item for item in items if kept(item)]
        if len(staying) == len(items):
            return False
        self._primary.replace(staying)
        self._removed([item for item in items if not kept(item)])
        return True

    def remove(self, item: bytes) -> bool:
        """Remove the first item equal to this; False where there is none."""
        items = self._primary.items()
        if item not in items:
            return False
        items.remove(item)
        self._primary.replace(items)
        self._removed([item])
        return True

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

    async def room(self, timeout: float | None) -> bool:
        """Wait, `timeout` seconds at most, until there may be room; False where none came."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._offering.append(turn)
        try:
            async with asyncio.timeout(timeout):
                await turn
        except TimeoutError:
            return False
        finally:
            self._offering.remove(turn)
            if turn.done() and not turn.cancelled() and self.remaining_capacity():
                self._wake()
        return True

    def remaining_capacity(self) -> int:
        return max(0, self.capacity - len(self._primary))

    def __len__(self) -> int:
        return len(self._primary)

    def _serve(self) -> None:
        while self._parked and len(self._primary):
            taker = self._parked.popleft()
            if not taker.done():
                taker.set_result(self.pop(1)[0])

    def _removed(self, items: Sequence[bytes]) -> None:
        if self.listeners:
            self._tell(ItemEventType.REMOVED, items)
        if self._offering:
            self._wake()

    def _wake(self) -> None:
        turn = next((turn for turn in self._offering if not turn.done()), None)
        if turn is not None:
            turn.set_result(None)

    def _tell(self, type: ItemEventType, items: Sequence[bytes]) -> None:
        for listener in tuple(self.listeners):
            for item in items:
                listener(type, item)
