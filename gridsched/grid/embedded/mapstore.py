"""The entries of one map in one replica of a partition."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import takewhile

from gridsched.grid.embedded.attributes import extractor
from gridsched.grid.embedded.index import Index
from gridsched.grid.embedded.query import Query


class MapStore:
    """Keys and values are shared with the other replicas; only the primary keeps indexes.

    Expiry is lazy: an expired entry is gone for every reader, and its memory is freed when
    something touches it or the oldest entries are swept.
    """

    __slots__ = ("_backups", "_expiry", "_extract", "_indexes", "_now_ms", "_values")

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._values: dict[bytes, bytes] = {}
        self._expiry: dict[bytes, int] = {}
        self._backups: tuple[MapStore, ...] = ()
        self._indexes: tuple[Index, ...] = ()
        self._extract = extractor(())

    def copy(self) -> MapStore:
        """A backup of this store."""
        copy = MapStore(self._now_ms)
        copy._values = self._values.copy()
        copy._expiry = self._expiry.copy()
        return copy

    def lead(self, backups: tuple[MapStore, ...], indexes: Mapping[str, type[Index]]) -> None:
        """Become the primary over these backups, or stay it."""
        self._backups = backups
        if len(self._indexes) != len(indexes):
            self.index(indexes)

    def follow(self) -> None:
        """Become a backup, or stay one."""
        self._backups = ()
        self._indexes = ()

    def index(self, indexes: Mapping[str, type[Index]]) -> None:
        """Build these indexes, by attribute, in the place of all there were."""
        self._extract = extractor(tuple(indexes))
        self._indexes = tuple(make() for make in indexes.values())
        if self._indexes:
            for key, value in self._values.items():
                self._reindex(key, None, value)

    def get(self, key: bytes) -> bytes | None:
        if key in self._expiry and self._expired(key):
            self.change(key, self._values[key], None)
        return self._values.get(key)

    def change(
        self, key: bytes, old: bytes | None, new: bytes | None, expires_at: int | None = None
    ) -> None:
        """Let `key`, which holds `old`, hold `new`; None is no entry. The backups follow."""
        if new is not None:
            self._values[key] = new
        elif old is not None:
            del self._values[key]
        if self._indexes:
            self._reindex(key, old, new)
        if self._expiry:
            self._expiry.pop(key, None)
        if expires_at is not None:
            self._expiry[key] = expires_at
        for backup in self._backups:
            backup.change(key, old, new, expires_at)

    def query(self, query: Query) -> list[tuple[bytes, bytes]]:
        """The entries that match, in the order of the index used, else as they came."""
        values = self._values
        if not values:
            return []
        fewest: Collection[bytes] = values
        for place, low, high in query.probes:
            keys = self._indexes[place].select(low, high)
            if not keys:
                return []
            if len(keys) <= len(fewest):
                fewest = keys
        rows = [(key, values[key]) for key in fewest]
        if not query.exact:
            rows = [row for row in rows if query.matches(row[1])]
        if self._expiry:
            rows = [row for row in rows if self.get(row[0]) is not None]
        return rows

    def sweep(self) -> None:
        """Free expired entries, oldest first, up to one that lives.

        Most maps give every entry the same time to live, so the oldest expire first and this costs
        nothing where nothing expired.
        """
        for key in list(takewhile(self._expired, self._expiry)):
            self.change(key, self._values[key], None)

    def __len__(self) -> int:
        return len(self._values) - sum(map(self._expired, self._expiry))

    def _expired(self, key: bytes) -> bool:
        return self._expiry[key] <= self._now_ms()

    def _reindex(self, key: bytes, old: bytes | None, new: bytes | None) -> None:
        extract = self._extract
        before, after = extract(old), extract(new)
        if before == after:
            return
        for index, was, now in zip(self._indexes, before, after, strict=True):
            if was != now:
                if was is not None:
                    index.remove(was, key)
                if now is not None:
                    index.add(now, key)
