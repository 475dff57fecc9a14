"""The port's grid, map and queue on an embedded cluster in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from gridsched.errors import GridUnavailable
from gridsched.grid.data import PARTITION_COUNT
from gridsched.grid.embedded.cluster import EmbeddedCluster
from gridsched.grid.embedded.index import HashIndex, Index, SortedIndex
from gridsched.grid.embedded.maps import DistributedMap, MapChange
from gridsched.grid.embedded.query import Range
from gridsched.grid.embedded.queues import DistributedQueue
from gridsched.grid.port import (
    Cancel,
    Change,
    Condition,
    EntryEvent,
    EntryKind,
    Equal,
    Grid,
    GridMap,
    GridMember,
    GridQueue,
    MapSpec,
    Outcome,
    QueueSpec,
)

_INDEXES: Final[dict[str, type[Index]]] = {"SORTED": SortedIndex, "HASH": HashIndex}


class EmbeddedGrid(Grid):
    """A connection to an embedded cluster, beside one of its members or, with None, a plain client.

    It outlives that member, as a client does that fails over. Only a waiting `take` ever suspends.
    """

    partition_count = PARTITION_COUNT

    def __init__(self, cluster: EmbeddedCluster, member: str | None = None) -> None:
        self.cluster = cluster
        self.takers: dict[asyncio.Future[bytes | None], None] = {}
        self._member = member
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cancels: set[Cancel] = set()

    async def open(self) -> None:
        self.cluster.check_running()
        self._loop = asyncio.get_running_loop()

    async def close(self) -> None:
        self._loop = None
        for cancel in tuple(self._cancels):
            cancel()
        for taker in self.takers:
            if not taker.done():
                taker.set_exception(GridUnavailable("the connection was closed"))

    async def map(self, spec: MapSpec) -> GridMap:
        self.loop()
        indexes = {index.attribute: _INDEXES[index.type] for index in spec.indexes}
        return EmbeddedMap(self, self.cluster.map(spec.name, indexes, spec.backup_count))

    async def queue(self, spec: QueueSpec) -> GridQueue:
        self.loop()
        self.cluster.queue(spec.name, spec.capacity)
        return EmbeddedQueue(self, spec)

    def members(self) -> tuple[GridMember, ...]:
        return tuple(GridMember(*member) for member in self.cluster.members if self._loop)

    def local_member(self) -> str | None:
        return next((uuid for uuid, _ in self.members() if uuid == self._member), None)

    def partition_owners(self) -> tuple[str | None, ...]:
        return self.cluster.primaries if self._loop else (None,) * PARTITION_COUNT

    def listen_membership(self, handler: Callable[[], None]) -> Cancel:
        return self.subscribe(self.cluster.membership_listeners, handler)

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop of this connection; GridUnavailable where it is closed or no member is left."""
        if self._loop is None:
            raise GridUnavailable("the connection is closed")
        self.cluster.check_running()
        return self._loop

    def subscribe(
        self, listeners: list[Callable[..., None]], handler: Callable[..., None]
    ) -> Cancel:
        """Let `handler` hear on the loop what `listeners` are told, until cancelled or closed."""
        loop = self.loop()

        def told(*event: object) -> None:
            loop.call_soon(deliver, event)

        def deliver(event: tuple[object, ...]) -> None:
            if cancel in self._cancels:
                handler(*event)

        def cancel() -> None:
            if cancel in self._cancels:
                self._cancels.remove(cancel)
                if told in listeners:  # what is destroyed has no listeners any more
                    listeners.remove(told)

        listeners.append(told)
        self._cancels.add(cancel)
        return cancel


class EmbeddedMap(GridMap):
    """A map, through one connection."""

    def __init__(self, grid: EmbeddedGrid, held: DistributedMap) -> None:
        self.name = held.name
        self._grid = grid
        self._map = held

    async def get(self, key: bytes) -> bytes | None:
        self._grid.loop()
        return self._map.get(key)

    async def get_all(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        self._grid.loop()
        get = self._map.get
        return {key: value for key in keys if (value := get(key)) is not None}

    async def put(self, key: bytes, value: bytes, ttl_ms: int | None = None) -> None:
        self._grid.loop()
        self._map.put(key, value, ttl_ms)

    async def put_all(self, entries: Mapping[bytes, bytes]) -> None:
        self._grid.loop()
        for key, value in entries.items():
            self._map.put(key, value)

    async def compare_and_set(self, changes: Sequence[Change]) -> list[Outcome]:
        self._grid.loop()
        applied, refused = Outcome.APPLIED, Outcome.REFUSED
        return [applied if done else refused for done in self._map.compare_and_set(changes)]

    async def remove(self, key: bytes) -> bytes | None:
        self._grid.loop()
        return self._map.remove(key)

    async def query(
        self, where: Sequence[Condition], partitions: Iterable[int] | None = None
    ) -> list[tuple[bytes, bytes]]:
        self._grid.loop()
        return self._map.query(_ranges(where), partitions)

    async def remove_all(
        self, where: Sequence[Condition], partitions: Iterable[int] | None = None
    ) -> None:
        self._grid.loop()
        self._map.remove_all(_ranges(where), partitions)

    async def size(self) -> int:
        self._grid.loop()
        return len(self._map)

    async def listen(
        self, handler: Callable[[EntryEvent], None], kinds: Iterable[EntryKind] = EntryKind
    ) -> Cancel:
        heard = frozenset(kinds)

        def told(change: MapChange) -> None:
            if change.key is not None:
                event = _event(change.key, change.old, change.new)
                if event.kind in heard:
                    handler(event)

        return self._grid.subscribe(self._map.listeners, told)


class EmbeddedQueue(GridQueue):
    """A queue, through one connection. After a `destroy` its next use makes it anew."""

    def __init__(self, grid: EmbeddedGrid, spec: QueueSpec) -> None:
        self.name = spec.name
        self._capacity = spec.capacity
        self._grid = grid

    async def offer_all(self, items: Sequence[bytes]) -> bool:
        return self._queue().offer_all(items)

    async def take(self, timeout: float) -> bytes | None:
        queue = self._queue()
        if len(queue) or timeout <= 0:
            return next(iter(queue.pop(1)), None)
        taker = queue.park()
        timer = self._grid.loop().call_later(timeout, _give_up, taker)
        self._grid.takers[taker] = None
        received = False
        try:
            item = await taker
            received = True
            return item
        finally:
            timer.cancel()
            del self._grid.takers[taker]
            queue.unpark(taker, received=received)

    async def drain(self, limit: int) -> list[bytes]:
        return self._queue().pop(limit)

    async def size(self) -> int:
        return len(self._queue())

    async def remaining_capacity(self) -> int:
        return self._queue().remaining_capacity()

    async def destroy(self) -> None:
        self._grid.loop()
        self._grid.cluster.destroy_queue(self.name)

    def _queue(self) -> DistributedQueue:
        self._grid.loop()
        return self._grid.cluster.queue(self.name, self._capacity)


def _ranges(where: Sequence[Condition]) -> list[Range]:
    return [
        Range(wanted.attribute, wanted.value, wanted.value)
        if isinstance(wanted, Equal)
        else Range(*wanted)
        for wanted in where
    ]


def _event(key: bytes, old: bytes | None, new: bytes | None) -> EntryEvent:
    if new is None:
        return EntryEvent(EntryKind.REMOVED, key, None)
    return EntryEvent(EntryKind.ADDED if old is None else EntryKind.UPDATED, key, new)


def _give_up(taker: asyncio.Future[bytes | None]) -> None:
    if not taker.done():
        taker.set_result(None)
