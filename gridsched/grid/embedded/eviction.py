"""Maps of a bounded size: a new entry evicts another of its partition where that holds too many.

As on a member, each partition has its own bound, and each entry that is put evicts one at most. The
victim is chosen among the entries that were longest unused; where it is locked it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from itertools import islice
from random import Random
from typing import Final, NamedTuple, Self, cast

from gridsched.grid.data import partition_of
from gridsched.grid.embedded.maps import DistributedMap
from gridsched.grid.embedded.mapstore import Expiry, MapStore

SAMPLES: Final = 15
"""Entries among which the victim is chosen."""
NOT_KEPT: Final = -1
"""Stands for a statistic of an entry that is not kept."""


class EvictionPolicy(Enum):
    """Which entry goes: the longest unused, the least often used, or any."""

    LRU = "LRU"
    LFU = "LFU"
    RANDOM = "RANDOM"


class Eviction(NamedTuple):
    """How a map is bounded: so many entries a partition, or a member where not `per_partition`."""

    size: int
    policy: EvictionPolicy
    per_partition: bool = False

    def limit(self, members: int, partitions: int) -> float:
        """The entries that one partition may hold: one at least, however small the map."""
        return self.size if self.per_partition else max(1.0, self.size * members / partitions)


class Use:
    """How often an entry was used after it was added, and when last."""

    __slots__ = ("hits", "last_access")

    def __init__(self, hits: int, last_access: int) -> None:
        self.hits = hits
        self.last_access = last_access


class BoundedStore(MapStore):
    """Knows of each entry how it was used; a backup only knows of changes."""

    __slots__ = ("uses",)

    def __init__(
        self, now_ms: Callable[[], int], expired: Callable[[bytes, bytes], None] | None = None
    ) -> None:
        super().__init__(now_ms, expired)
        self.uses: dict[bytes, Use] = {}
        """The longest unused first."""

    def copy(self) -> Self:
        copy = super().copy()
        copy.uses = {key: Use(use.hits, use.last_access) for key, use in self.uses.items()}
        return copy

    def get(self, key: bytes) -> bytes | None:
        found = super().get(key)
        if found is not None:
            use = self.uses[key] = self.uses.pop(key)
            use.hits += 1
            use.last_access = self._now_ms()
        return found

    def change(
        self, key: bytes, old: bytes | None, new: bytes | None, expiry: Expiry | None = None
    ) -> None:
        super().change(key, old, new, expiry)
        if new is None:
            self.uses.pop(key, None)
        elif key not in self.uses:
            self.uses[key] = Use(0, self._now_ms())


class BoundedMap(DistributedMap):
    """A map that evicts. `limit` gives the entries that a partition may hold now."""

    def __init__(
        self,
        name: str,
        backup_count: int,
        now_ms: Callable[[], int],
        policy: EvictionPolicy,
        limit: Callable[[], float],
    ) -> None:
        super().__init__(name, backup_count, now_ms)
        self._limit = limit
        self._policy = policy
        self._random = Random(0)

    def new_store(self) -> BoundedStore:
        return BoundedStore(self._now_ms, self._expired)

    def put(
        self,
        key: bytes,
        value: bytes,
        ttl_ms: int | None = None,
        max_idle_ms: int | None = None,
        *,
        blind: bool = False,
    ) -> bytes | None:
        old = super().put(key, value, ttl_ms, max_idle_ms, blind=blind)
        self._make_room(key)
        return old

    def compare_and_set(
        self, changes: Iterable[tuple[bytes, bytes | None, bytes | None]]
    ) -> list[bool]:
        changes = list(changes)
        answers = super().compare_and_set(changes)
        for (key, _, new), changed in zip(changes, answers, strict=True):
            if changed and new is not None:
                self._make_room(key)
        return answers

    def statistics_of(self, key: bytes) -> tuple[int, int]:
        """Hits and time of the last access of an entry that is there: what the policy looks at."""
        use = self._store_of(key).uses[key]
        return (
            use.hits if self._policy is EvictionPolicy.LFU else NOT_KEPT,
            use.last_access if self._policy is EvictionPolicy.LRU else NOT_KEPT,
        )

    def _store_of(self, key: bytes) -> BoundedStore:
        return cast(BoundedStore, self._primaries[partition_of(key)])

    def _make_room(self, added: bytes) -> None:
        uses = self._store_of(added).uses
        if len(uses) <= self._limit():
            return
        samples = list(islice((key for key in uses if key != added), SAMPLES))
        victim = self._victim(samples, uses) if samples else added
        if not self.locks.is_locked(victim):
            self.evict(victim)

    def _victim(self, samples: list[bytes], uses: Mapping[bytes, Use]) -> bytes:
        if self._policy is EvictionPolicy.LRU:
            return samples[0]
        if self._policy is EvictionPolicy.LFU:
            return min(samples, key=lambda key: uses[key].hits)
        return self._random.choice(samples)
