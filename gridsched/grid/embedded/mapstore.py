"""The entries of one map in one replica of a partition."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import takewhile
from typing import Self

from gridsched.grid.embedded.attributes import Attribute, extractor
from gridsched.grid.embedded.index import Index
from gridsched.grid.embedded.query import Query

FOREVER = 2**63 - 1
"""The time to live, and the instant, that never comes: Hazelcast's Long.MAX_VALUE."""


class Expiry:
    """When an entry expires: so long after it was written, or so long after it was last used.

    `ttl` and `max_idle` are milliseconds, FOREVER for never; `at` is the next instant, in epoch
    milliseconds, at which the entry is gone, and `written_at` that of its last change. The replicas
    of an entry share one.
    """

    __slots__ = ("_dead_at", "at", "max_idle", "ttl", "written_at")

    def __init__(self, ttl: int, max_idle: int, now: int) -> None:
        self.ttl = ttl
        self.max_idle = max_idle
        self.written_at = now
        self._dead_at = now + ttl if ttl < FOREVER - now else FOREVER
        self.at = self._dead_at
        self.touch(now)

    def touch(self, now: int) -> None:
        """The entry is used."""
        if self.max_idle < FOREVER - now:
            self.at = min(self._dead_at, now + self.max_idle)


class MapStore:
    """Keys and values are shared with the other replicas; only the primary keeps indexes.

    Expiry is lazy: an expired entry is gone for every reader, and its memory is freed when
    something touches it or the oldest entries are swept. `expired` hears of it then. `values` is all
    that is held, by key, expired or not; others only look at it.
    """

    __slots__ = (
        "_backups",
        "_expiry",
        "_extract",
        "_gone",
        "_indexes",
        "_kinds",
        "_now_ms",
        "values",
    )

    def __init__(
        self, now_ms: Callable[[], int], expired: Callable[[bytes, bytes], None] | None = None
    ) -> None:
        self._now_ms = now_ms
        self._gone = expired
        self.values: dict[bytes, bytes] = {}
        self._expiry: dict[bytes, Expiry] = {}
        self._backups: tuple[MapStore, ...] = ()
        self._kinds: tuple[type[Index], ...] = ()
        self._indexes: tuple[Index, ...] = ()
        self._extract = extractor(())

    def copy(self) -> Self:
        """A backup of this store."""
        copy = type(self)(self._now_ms, self._gone)
        copy.values = self.values.copy()
        copy._expiry = self._expiry.copy()
        return copy

    def lead(self, backups: tuple[MapStore, ...], indexes: Mapping[str, type[Index]]) -> None:
        """Become the primary over these backups, or stay it."""
        self._backups = backups
        if self._kinds != tuple(indexes.values()):
            self.index(indexes)

    def follow(self) -> None:
        """Become a backup, or stay one."""
        self._backups = ()
        self._kinds = ()
        self._indexes = ()

    def index(self, indexes: Mapping[str, type[Index]]) -> None:
        """Build these indexes, by attribute, in the place of all there were."""
        self._extract = extractor(tuple(indexes))
        self._kinds = tuple(indexes.values())
        self._indexes = ()  # made for the first entry: most partitions of most maps are empty
        if self._kinds:
            for key, value in self.values.items():
                self._reindex(key, None, value)

    def sample(self, place: int) -> Attribute | None:
        """Any value in an index; None where there is none."""
        return self._indexes[place].sample() if self._indexes else None

    def get(self, key: bytes) -> bytes | None:
        if key in self._expiry and not self._lives(key):
            return None
        return self.values.get(key)

    def peek(self, key: bytes) -> bytes | None:
        """As `get`, but the entry is not used by that."""
        return None if self._expired(key) else self.values.get(key)

    def change(
        self, key: bytes, old: bytes | None, new: bytes | None, expiry: Expiry | None = None
    ) -> None:
        """Let `key`, which holds `old`, hold `new`; None is no entry. The backups follow."""
        if new is not None:
            self.values[key] = new
        elif old is not None:
            del self.values[key]
        if self._kinds:
            self._reindex(key, old, new)
        if self._expiry:
            self._expiry.pop(key, None)
        if expiry is not None:
            self._expiry[key] = expiry
        for backup in self._backups:
            backup.change(key, old, new, expiry)

    def expiry_of(self, key: bytes) -> Expiry | None:
        """When an entry expires; None for one that never does."""
        return self._expiry.get(key)

    def expire_at(self, key: bytes, expiry: Expiry | None) -> None:
        """Change when an entry expires, and nothing else of it."""
        if expiry is None:
            self._expiry.pop(key, None)
        else:
            self._expiry[key] = expiry
        for backup in self._backups:
            backup.expire_at(key, expiry)

    def query(self, query: Query) -> list[tuple[bytes, bytes]]:
        """The entries that match, in the order of the index used, else as they came."""
        values = self.values
        if query.probes and not self._indexes:
            return []  # no entry has an attribute that is asked for
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
            rows = [row for row in rows if not self._expired(row[0])]
        return rows

    def entries(self) -> list[tuple[bytes, bytes]]:
        """Every entry that has not expired."""
        if self._expiry:
            return [row for row in self.values.items() if not self._expired(row[0])]
        return list(self.values.items())

    def sweep(self, *, every: bool = False) -> None:
        """Free expired entries, oldest first, up to one that lives; or `every` one.

        Most maps give every entry the same time to live, so the oldest expire first and this costs
        nothing where nothing expired.
        """
        if not self._expiry:
            return
        select = filter if every else takewhile
        for key in list(select(self._expired, self._expiry)):
            self._expire(key)

    def __len__(self) -> int:
        return len(self.values) - sum(map(self._expired, self._expiry))

    def _lives(self, key: bytes) -> bool:
        """Whether an entry that may expire has not; then it is used, else it is freed."""
        expiry, now = self._expiry[key], self._now_ms()
        if expiry.at > now:
            expiry.touch(now)
            return True
        self._expire(key)
        return False

    def _expire(self, key: bytes) -> None:
        value = self.values[key]
        self.change(key, value, None)
        if self._gone is not None:
            self._gone(key, value)

    def _expired(self, key: bytes) -> bool:
        expiry = self._expiry.get(key)
        return expiry is not None and expiry.at <= self._now_ms()

    def _reindex(self, key: bytes, old: bytes | None, new: bytes | None) -> None:
        extract = self._extract
        before, after = extract(old), extract(new)
        if before == after:
            return
        if not self._indexes:
            self._indexes = tuple(make() for make in self._kinds)
        for index, was, now in zip(self._indexes, before, after, strict=True):
            if was != now:
                if was is not None:
                    index.remove(was, key)
                if now is not None:
                    index.add(now, key)
