"""The structures beside maps and queues: lists, sets, multimaps, replicated maps, ringbuffers,
counters, topics.

Each lives in the partition of its name. Its backups are made within the change, so they never
differ from it: the replicas are one object, which is emptied when the last of them is lost. With a
backup each, and one member gone at a time, that is when the last member goes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Self

from gridsched.grid.data import partition_of, string_key
from gridsched.grid.embedded.locks import Locks
from gridsched.grid.embedded.maps import EntryEventType, EntryListener, MapChange
from gridsched.grid.embedded.queues import ItemEventType, ItemListener


class _Replica:
    """Stands for every replica of a structure."""

    def copy(self) -> Self:
        return self


class Structure:
    """What lives in the partition of its name."""

    backup_count: Final = 1

    def __init__(self, name: str) -> None:
        self.name = name
        self.partition = partition_of(string_key(name, name))

    def new_store(self) -> _Replica:
        """A replica."""
        return _Replica()

    def attach(self, partition: int, primary: _Replica, backups: tuple[_Replica, ...]) -> None:
        """The replicas need nothing: they are one."""

    def lose(self, partition: int) -> None:
        """The last replica is lost."""
        self.clear()

    def clear(self) -> None:
        """Hold nothing."""

    def sweep(self) -> None:
        """Free what has expired."""


class ItemStructure(Structure):
    """A list or a set: items, and who listens to them."""

    items: list[bytes] | dict[bytes, None]

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.listeners: list[ItemListener] = []

    def hold(self, items: Iterable[bytes]) -> None:
        """Hold these from now on."""
        raise NotImplementedError

    def keep(self, kept: Callable[[bytes], bool]) -> bool:
        """Remove what is not to be kept; whether there was any."""
        gone = [item for item in self.items if not kept(item)]
        self.hold([item for item in self.items if kept(item)])
        self.tell(ItemEventType.REMOVED, gone)
        return bool(gone)

    def tell(self, type: ItemEventType, items: Iterable[bytes]) -> None:
        """Tell the listeners."""
        for listener in tuple(self.listeners):
            for item in items:
                listener(type, item)

    def clear(self) -> None:
        self.items.clear()


class ListStructure(ItemStructure):
    """A distributed list."""

    items: list[bytes]

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.hold(())

    def hold(self, items: Iterable[bytes]) -> None:
        self.items = list(items)


class SetStructure(ItemStructure):
    """A distributed set, in the order its items came."""

    items: dict[bytes, None]

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.hold(())

    def hold(self, items: Iterable[bytes]) -> None:
        self.items = dict.fromkeys(items)


class MultiMapStructure(Structure):
    """A multimap whose values are sets: Hazelcast's default."""

    def __init__(self, name: str, now_ms: Callable[[], int]) -> None:
        super().__init__(name)
        self.entries: dict[bytes, dict[bytes, None]] = {}
        self.listeners: list[EntryListener] = []
        self.locks = Locks(now_ms)

    def clear(self) -> None:
        self.entries.clear()


class ReplicatedMapStructure(Structure):
    """A replicated map. `expiry` has the epoch milliseconds at which entries are gone."""

    def __init__(self, name: str, now_ms: Callable[[], int]) -> None:
        super().__init__(name)
        self.entries: dict[bytes, bytes] = {}
        self.expiry: dict[bytes, int] = {}
        self.listeners: list[EntryListener] = []
        self._now_ms = now_ms

    def clear(self) -> None:
        self.entries.clear()
        self.expiry.clear()

    def sweep(self) -> None:
        now = self._now_ms()
        for key in [key for key, at in self.expiry.items() if at <= now]:
            del self.expiry[key]
            self.tell(MapChange(EntryEventType.EVICTED, key, self.entries.pop(key), None))

    def tell(self, change: MapChange) -> None:
        """Tell the listeners."""
        for listener in tuple(self.listeners):
            listener(change)


class TopicStructure(Structure):
    """A topic: only its listeners, who are given each message."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.listeners: list[Callable[[bytes], None]] = []


class CounterStructure(Structure):
    """A PN counter. `clock` counts its changes."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.value = 0
        self.clock = 0

    def clear(self) -> None:
        self.value = self.clock = 0


class RingbufferStructure(Structure):
    """The last `capacity` items, each with a sequence; those after `ttl_ms` are gone too."""

    def __init__(self, name: str, capacity: int, ttl_ms: int, now_ms: Callable[[], int]) -> None:
        super().__init__(name)
        self.capacity = capacity
        self.tail = -1
        self._ttl_ms = ttl_ms
        self._now_ms = now_ms
        self._items: deque[tuple[int, bytes]] = deque()
        self._readers: set[asyncio.Future[None]] = set()

    @property
    def head(self) -> int:
        """The sequence of the oldest item; one after the tail where there is none."""
        self.sweep()
        return self.tail - len(self._items) + 1

    def __len__(self) -> int:
        self.sweep()
        return len(self._items)

    def remaining_capacity(self) -> int:
        """Without a time to live the oldest always make room."""
        return self.capacity - len(self) if self._ttl_ms else self.capacity

    def add_all(self, items: Sequence[bytes]) -> int:
        """Append, over the oldest where it is full; returns the last item's sequence."""
        now = self._now_ms()
        for item in items:
            if len(self._items) == self.capacity:
                self._items.popleft()
            self._items.append((now + self._ttl_ms, item))
        self.tail += len(items)
        for reader in tuple(self._readers):
            if not reader.done():
                reader.set_result(None)
        return self.tail

    def read(self, start: int, count: int) -> list[bytes]:
        """Up to `count` items from the sequence `start`, which is not before the head."""
        first = start - self.head
        return [self._items[place][1] for place in range(first, min(first + count, len(self)))]

    async def added(self) -> None:
        """Wait until something is added."""
        reader: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._readers.add(reader)
        try:
            await reader
        finally:
            self._readers.discard(reader)

    def clear(self) -> None:
        self._items.clear()
        self.tail = -1

    def sweep(self) -> None:
        if self._ttl_ms:
            now = self._now_ms()
            while self._items and self._items[0][0] <= now:
                self._items.popleft()
