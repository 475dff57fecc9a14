"""A map of the cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from hazelcast.config import IndexType
from hazelcast.proxy.base import EntryEventType

from gridsched.grid.hazelcast.link import Link
from gridsched.grid.hazelcast.pipeline import Pipeline
from gridsched.grid.hazelcast.predicates import predicate
from gridsched.grid.hazelcast.requests import ChangeRequests
from gridsched.grid.port import (
    Cancel,
    Change,
    Condition,
    EntryEvent,
    EntryKind,
    GridMap,
    IndexSpec,
    Outcome,
)

_INDEX_TYPES: Final = {"SORTED": IndexType.SORTED, "HASH": IndexType.HASH}
_KINDS: Final = {
    EntryEventType.ADDED: EntryKind.ADDED,
    EntryEventType.UPDATED: EntryKind.UPDATED,
    EntryEventType.REMOVED: EntryKind.REMOVED,
    EntryEventType.EVICTED: EntryKind.REMOVED,
    EntryEventType.EXPIRED: EntryKind.REMOVED,
}

_FUNCTIONS: Final = {
    "added_func": EntryKind.ADDED,
    "updated_func": EntryKind.UPDATED,
    "removed_func": EntryKind.REMOVED,
    "evicted_func": EntryKind.REMOVED,
    "expired_func": EntryKind.REMOVED,
}

_log = logging.getLogger(__name__)


class HazelcastMap(GridMap):
    def __init__(
        self, name: str, proxy: Any, link: Link, pipeline: Pipeline, partition_count: int
    ) -> None:
        self.name = name
        self._proxy = proxy
        self._link = link
        self._pipeline = pipeline
        self._partition_count = partition_count
        self._requests = ChangeRequests(name)

    async def ensure_index(self, index: IndexSpec) -> None:
        """Make an index where it is not there yet.

        The name is the one that the member gives to an index of its own configuration, so that
        the same index declared in both places is one.
        """
        name = f"{self.name}_{index.type.lower()}_{index.attribute}"
        await self._link.read(
            self._proxy.add_index, [index.attribute], _INDEX_TYPES[index.type], name
        )

    async def get(self, key: bytes) -> bytes | None:
        return await self._link.read(self._proxy.get, key)

    async def get_all(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        return await self._link.read(self._proxy.get_all, list(keys))

    async def put(self, key: bytes, value: bytes, ttl_ms: int | None = None) -> None:
        ttl = None if ttl_ms is None else ttl_ms / 1000
        await self._link.write(self._proxy.set, key, value, ttl)

    async def put_all(self, entries: Mapping[bytes, bytes]) -> None:
        await self._link.write(self._proxy.put_all, entries)

    async def compare_and_set(self, changes: Sequence[Change]) -> list[Outcome]:
        return await self._pipeline.send(self._requests, changes)

    async def remove(self, key: bytes) -> bytes | None:
        return await self._link.write(self._proxy.remove, key)

    async def query(
        self, where: Sequence[Condition], partitions: Iterable[int] | None = None
    ) -> list[tuple[bytes, bytes]]:
        asked = _asked(partitions)
        if asked == ():
            return []
        wanted = predicate(where, asked, self._partition_count)
        return await self._link.read(self._proxy.entry_set, wanted)

    async def remove_all(
        self, where: Sequence[Condition], partitions: Iterable[int] | None = None
    ) -> None:
        asked = _asked(partitions)
        if asked == ():
            return
        unwanted = predicate(where, asked, self._partition_count)
        await self._link.write(self._proxy.remove_all, unwanted)

    async def size(self) -> int:
        return await self._link.read(self._proxy.size)

    async def listen(
        self, handler: Callable[[EntryEvent], None], kinds: Iterable[EntryKind] = EntryKind
    ) -> Cancel:
        listener = _Listener(handler)
        registration = await self._link.read(self._add_listener, listener, frozenset(kinds))

        def cancel() -> None:
            if listener.handler is not None:
                listener.handler = None
                self._link.in_background(self._proxy.remove_entry_listener(registration))

        return cancel

    async def _add_listener(self, listener: _Listener, kinds: frozenset[EntryKind]) -> str:
        wanted = {name: listener for name, kind in _FUNCTIONS.items() if kind in kinds}
        registration: str = await self._proxy.add_entry_listener(include_value=True, **wanted)
        return registration


class _Listener:
    """Hands events on until its handler is taken away.

    An error raised here would end in the client's reader, and cost the connection.
    """

    def __init__(self, handler: Callable[[EntryEvent], None]) -> None:
        self.handler: Callable[[EntryEvent], None] | None = handler

    def __call__(self, event: Any) -> None:
        if self.handler is None:
            return
        kind = _KINDS[event.event_type]
        try:
            self.handler(EntryEvent(kind, event.key, event.value))
        except Exception:
            _log.exception("an entry listener failed")


def _asked(partitions: Iterable[int] | None) -> tuple[int, ...] | None:
    return None if partitions is None else tuple(partitions)
