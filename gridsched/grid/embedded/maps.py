"""A map over all its partitions: finds the primary of a key and tells the listeners."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from gridsched.grid.data import TYPE_JSON, partition_of
from gridsched.grid.embedded.attributes import Attribute
from gridsched.grid.embedded.index import Index, SortedIndex
from gridsched.grid.embedded.locks import Locks
from gridsched.grid.embedded.mapstore import FOREVER, Expiry, MapStore
from gridsched.grid.embedded.query import Query, Range

_TYPE: Final = slice(4, 8)
_JSON: Final = struct.pack(">i", TYPE_JSON)


class EntryEventType(IntEnum):
    """What happened to an entry or to all of them: Hazelcast's numbers."""

    ADDED = 1
    REMOVED = 2
    UPDATED = 4
    EVICTED = 8
    EXPIRED = 16
    EVICT_ALL = 32
    CLEAR_ALL = 64


class MapChange(NamedTuple):
    """One change. Of all entries at once: no key, and how many were `affected`."""

    type: EntryEventType
    key: bytes | None
    old: bytes | None
    new: bytes | None
    affected: int = 1


EntryListener = Callable[[MapChange], None]
"""Called after each change."""


class DistributedMap:
    """Its operations run on primaries, which keep their backups in step.

    Times to live and idle are milliseconds; None is the map's own (`default_ttl`,
    `default_max_idle`), 0 or less is for ever. `only_json` while `put` has stored no other values:
    indexes know no others.
    """

    def __init__(self, name: str, backup_count: int, now_ms: Callable[[], int]) -> None:
        self.name = name
        self.backup_count = backup_count
        self.listeners: list[EntryListener] = []
        self.locks = Locks(now_ms)
        self.default_ttl = 0
        self.default_max_idle = 0
        self.only_json = True
        self._now_ms = now_ms
        self._versions: dict[bytes, int] = {}
        self._indexes: dict[str, type[Index]] = {}
        self._primaries: dict[int, MapStore] = {}

    def new_store(self) -> MapStore:
        """An empty replica of a partition's share."""
        return MapStore(self._now_ms, self._expired)

    def attach(self, partition: int, primary: MapStore, backups: tuple[MapStore, ...]) -> None:
        """Use these replicas from now on."""
        for backup in backups:
            backup.follow()
        primary.lead(backups, self._indexes)
        self._primaries[partition] = primary

    def lose(self, partition: int) -> None:
        """A partition's entries are lost, and the locks on them."""
        self.locks.lose(partition)

    def add_indexes(self, indexes: Mapping[str, type[Index]]) -> None:
        """Make sure of an index on each attribute. A sorted one does whatever a hash one does."""
        missing = {
            attribute: kind
            for attribute, kind in indexes.items()
            if self._indexes.get(attribute) not in (kind, SortedIndex)
        }
        if missing:
            self._indexes |= missing
            for primary in self._primaries.values():
                primary.index(self._indexes)

    @property
    def indexed(self) -> Mapping[str, type[Index]]:
        """The indexes, by attribute."""
        return self._indexes

    def sample(self, attribute: str) -> Attribute | None:
        """Any value of an indexed attribute; None where no entry has one."""
        place = list(self._indexes).index(attribute)
        samples = (primary.sample(place) for primary in self._primaries.values())
        return next((found for found in samples if found is not None), None)

    def get(self, key: bytes) -> bytes | None:
        return self._primaries[partition_of(key)].get(key)

    def peek(self, key: bytes) -> bytes | None:
        """As `get`, but the entry is not used by that: its idle time goes on."""
        return self._primaries[partition_of(key)].peek(key)

    def put(
        self,
        key: bytes,
        value: bytes,
        ttl_ms: int | None = None,
        max_idle_ms: int | None = None,
        *,
        blind: bool = False,
    ) -> bytes | None:
        """Store, and return what was there.

        A `blind` one tells the listeners of a new entry, whatever was there: so do a member's
        putAll and tryPut.
        """
        if value[_TYPE] != _JSON:
            self.only_json = False
        primary = self._primaries[partition_of(key)]
        expiry = self._expiry(ttl_ms, max_idle_ms)
        if expiry is not None:
            primary.sweep()
        old = primary.get(key)
        primary.change(key, old, value, expiry)
        if old is not None:
            self._versions[key] = self._versions.get(key, 0) + 1
        if self.listeners:
            self._publish(key, None if blind else old, value)
        return old

    def compare_and_set(
        self, changes: Iterable[tuple[bytes, bytes | None, bytes | None]]
    ) -> list[bool]:
        """For each (key, old, new), whether the map held `old`; then it holds `new`."""
        primaries, listeners = self._primaries, self.listeners
        expiry = self._expiry(None, None)
        answers = []
        for key, old, new in changes:
            primary = primaries[partition_of(key)]
            same = primary.get(key) == old
            answers.append(same)
            if same:
                primary.change(key, old, new, expiry if new is not None else None)
                if new is None and self._versions:
                    self._versions.pop(key, None)
                if listeners:
                    self._publish(key, old, new)
        return answers

    def remove(self, key: bytes, *, blind: bool = False) -> bytes | None:
        """Remove an entry and return its value; the listeners of a `blind` one do not hear it."""
        primary = self._primaries[partition_of(key)]
        old = primary.get(key)
        primary.change(key, old, None)
        self._versions.pop(key, None)
        if old is not None:
            told = None if blind else old
            self._tell(MapChange(EntryEventType.REMOVED, key, told, None))
        return old

    def evict(self, key: bytes) -> bool:
        """Remove an entry as one that there is no room for."""
        primary = self._primaries[partition_of(key)]
        old = primary.get(key)
        if old is None:
            return False
        primary.change(key, old, None)
        self._versions.pop(key, None)
        self._tell(MapChange(EntryEventType.EVICTED, key, old, None))
        return True

    def clear(self, type: EntryEventType = EntryEventType.CLEAR_ALL) -> int:
        """Remove every entry that nobody has locked; return how many there were.

        The listeners hear of it once, of that type.
        """
        affected = 0
        for primary in self._primaries.values():
            for key, old in primary.entries():
                if not self.locks.is_locked(key):
                    primary.change(key, old, None)
                    self._versions.pop(key, None)
                    affected += 1
        self.only_json = self.only_json or not len(self)
        if affected:
            self._tell(MapChange(type, None, None, None, affected))
        return affected

    def expiry_of(self, key: bytes) -> Expiry | None:
        """When an entry expires; None for one that never does."""
        return self._primaries[partition_of(key)].expiry_of(key)

    def version_of(self, key: bytes) -> int:
        """How often `put` has changed an entry since it was added."""
        return self._versions.get(key, 0)

    def set_ttl(self, key: bytes, ttl_ms: int | None) -> bool:
        """Let an entry live so long from now on; False where there is none."""
        primary = self._primaries[partition_of(key)]
        if primary.get(key) is None:
            return False
        held = primary.expiry_of(key)
        max_idle = held.max_idle if held else None
        primary.expire_at(key, self._expiry(ttl_ms, max_idle))
        self._versions[key] = self._versions.get(key, 0) + 1
        return True

    def query(
        self, ranges: Sequence[Range], partitions: Iterable[int] | None = None
    ) -> list[tuple[bytes, bytes]]:
        """The entries in every range, by partition; None asks all partitions."""
        query = Query(ranges, self._indexes)
        return [row for primary in self._among(partitions) for row in primary.query(query)]

    def remove_all(self, ranges: Sequence[Range], partitions: Iterable[int] | None = None) -> None:
        """Remove what `query` would find."""
        query = Query(ranges, self._indexes)
        for primary in self._among(partitions):
            for key, old in primary.query(query):
                primary.change(key, old, None)
                self._publish(key, old, None)

    def entries(self, partitions: Iterable[int] | None = None) -> list[tuple[bytes, bytes]]:
        """Every entry, by partition."""
        return [row for primary in self._among(partitions) for row in primary.entries()]

    def sweep(self) -> None:
        """Free every expired entry."""
        for primary in self._primaries.values():
            primary.sweep(every=True)

    def __len__(self) -> int:
        return sum(map(len, self._primaries.values()))

    def _among(self, partitions: Iterable[int] | None) -> Iterable[MapStore]:
        """The primaries of these partitions that are not empty; None means all partitions."""
        primaries = self._primaries
        if partitions is None:
            return [primary for primary in primaries.values() if primary.values]
        found = [primaries[partition] for partition in dict.fromkeys(partitions)]
        return [primary for primary in found if primary.values]

    def _expiry(self, ttl_ms: int | None, max_idle_ms: int | None) -> Expiry | None:
        ttl = self.default_ttl if ttl_ms is None else ttl_ms
        max_idle = self.default_max_idle if max_idle_ms is None else max_idle_ms
        if 0 < ttl < FOREVER or 0 < max_idle < FOREVER:
            return Expiry(
                ttl if ttl > 0 else FOREVER, max_idle if max_idle > 0 else FOREVER, self._now_ms()
            )
        return None

    def _expired(self, key: bytes, value: bytes) -> None:
        self._versions.pop(key, None)
        self._tell(MapChange(EntryEventType.EXPIRED, key, value, None))

    def _publish(self, key: bytes, old: bytes | None, new: bytes | None) -> None:
        if not self.listeners or (old is None and new is None):
            return
        if new is None:
            kind = EntryEventType.REMOVED
        else:
            kind = EntryEventType.ADDED if old is None else EntryEventType.UPDATED
        self._tell(MapChange(kind, key, old, new))

    def _tell(self, change: MapChange) -> None:
        for listener in tuple(self.listeners):
            listener(change)
