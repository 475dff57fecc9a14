"""A map over all its partitions: finds the primary of a key and tells the listeners."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from gridsched.grid.data import partition_of
from gridsched.grid.embedded.index import Index, SortedIndex
from gridsched.grid.embedded.mapstore import MapStore
from gridsched.grid.embedded.query import Query, Range

EntryListener = Callable[[bytes, bytes | None, bytes | None], None]
"""Called with key, old value and new value after each change; None is no entry."""


class DistributedMap:
    """Its operations run on primaries, which keep their backups in step."""

    def __init__(self, name: str, backup_count: int, now_ms: Callable[[], int]) -> None:
        self.name = name
        self.backup_count = backup_count
        self.listeners: list[EntryListener] = []
        self._now_ms = now_ms
        self._indexes: dict[str, type[Index]] = {}
        self._primaries: dict[int, MapStore] = {}

    def new_store(self) -> MapStore:
        """An empty replica of a partition's share."""
        return MapStore(self._now_ms)

    def attach(self, partition: int, primary: MapStore, backups: tuple[MapStore, ...]) -> None:
        """Use these replicas from now on."""
        for backup in backups:
            backup.follow()
        primary.lead(backups, self._indexes)
        self._primaries[partition] = primary

    def lose(self, partition: int) -> None:
        """A partition's entries are lost; nobody waits for them."""

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

    def get(self, key: bytes) -> bytes | None:
        return self._primaries[partition_of(key)].get(key)

    def put(self, key: bytes, value: bytes, ttl_ms: int | None = None) -> None:
        primary = self._primaries[partition_of(key)]
        old = primary.get(key)
        if ttl_ms is None:
            primary.change(key, old, value)
        else:
            primary.sweep()
            primary.change(key, old, value, self._now_ms() + ttl_ms)
        if self.listeners:
            self._publish(key, old, value)

    def compare_and_set(
        self, changes: Iterable[tuple[bytes, bytes | None, bytes | None]]
    ) -> list[bool]:
        """For each (key, old, new), whether the map held `old`; then it holds `new`."""
        primaries, listeners = self._primaries, self.listeners
        answers = []
        for key, old, new in changes:
            primary = primaries[partition_of(key)]
            same = primary.get(key) == old
            answers.append(same)
            if same:
                primary.change(key, old, new)
                if listeners:
                    self._publish(key, old, new)
        return answers

    def remove(self, key: bytes) -> bytes | None:
        """Remove an entry and return its value."""
        primary = self._primaries[partition_of(key)]
        old = primary.get(key)
        primary.change(key, old, None)
        self._publish(key, old, None)
        return old

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

    def __len__(self) -> int:
        return sum(map(len, self._primaries.values()))

    def _among(self, partitions: Iterable[int] | None) -> Iterable[MapStore]:
        if partitions is None:
            return self._primaries.values()
        return [self._primaries[partition] for partition in sorted(set(partitions))]

    def _publish(self, key: bytes, old: bytes | None, new: bytes | None) -> None:
        if old is None and new is None:
            return
        for listener in tuple(self.listeners):
            listener(key, old, new)
