"""The seam between gridsched and a data grid: everything above `grid/` speaks only this.

Keys and values are Hazelcast `Data` bytes (see `grid.data`). Three grids implement it: the embedded
one, the embedded one over the wire, and a real Hazelcast cluster; one conformance suite
(`tests/grid/conformance.py`) says what each must do.

Errors: `GridUnavailable` when the grid cannot be reached, `UnknownOutcome` when a write may or may
not have been applied. Only `compare_and_set` answers an unknown outcome as a value, because the other
changes of its batch are known.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, Literal, NamedTuple

from gridsched.errors import UnknownOutcome

SETTLE_TRIES: Final = 5
"""How often a change of unknown outcome is read back and sent again."""

Indexed = str | int
"""What an indexed attribute may hold."""


class IndexSpec(NamedTuple):
    """An index on a top-level attribute of a map's JSON values."""

    attribute: str
    type: Literal["SORTED", "HASH"]


class MapSpec(NamedTuple):
    """What a map must have. The backup count is the grid's own configuration on a real cluster."""

    name: str
    indexes: tuple[IndexSpec, ...] = ()
    backup_count: int = 1


class QueueSpec(NamedTuple):
    """A bounded queue."""

    name: str
    capacity: int


class Equal(NamedTuple):
    """`attribute` equals `value`. A record without the attribute does not match."""

    attribute: str
    value: Indexed


LAST_INSTANT: Final = 2**62
"""Later than any instant (epoch ms): the upper bound of a range that has none."""


class Between(NamedTuple):
    """`low` <= `attribute` <= `high`. A record without the attribute does not match."""

    attribute: str
    low: int
    high: int


Condition = Equal | Between
"""One condition of a query; a query is a conjunction of them, and `()` matches every record."""


class Change(NamedTuple):
    """One compare-and-set: put if absent (no `old`), replace if same, remove if same (no `new`)."""

    key: bytes
    old: bytes | None
    new: bytes | None


class Outcome(Enum):
    """What became of a `Change`."""

    APPLIED = "applied"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class EntryKind(Enum):
    """What happened to an entry."""

    ADDED = "added"
    UPDATED = "updated"
    REMOVED = "removed"


class EntryEvent(NamedTuple):
    """A hint that an entry changed. `value` is the new value, None where it was removed."""

    kind: EntryKind
    key: bytes
    value: bytes | None


Cancel = Callable[[], None]
"""Stops a listener. May be called twice; returns at once."""


class GridMap(ABC):
    """A distributed map. Every method may raise GridUnavailable; every write UnknownOutcome."""

    name: str

    @abstractmethod
    async def get(self, key: bytes) -> bytes | None: ...

    @abstractmethod
    async def get_all(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The entries that exist among `keys`; one call a partition."""

    @abstractmethod
    async def put(self, key: bytes, value: bytes, ttl_ms: int | None = None) -> None:
        """Store, whatever was there. The entry expires `ttl_ms` after this, where given."""

    @abstractmethod
    async def put_all(self, entries: Mapping[bytes, bytes]) -> None:
        """Store many; one call a partition. Not atomic across entries."""

    @abstractmethod
    async def compare_and_set(self, changes: Sequence[Change]) -> list[Outcome]:
        """Apply each change if the map holds its `old`, independently of the others.

        Answers in the order of `changes`. The changes of one batch may be applied in any order, so
        a batch names no key twice.
        """

    @abstractmethod
    async def remove(self, key: bytes) -> bytes | None:
        """Remove and return what was there."""

    @abstractmethod
    async def query(
        self, where: Sequence[Condition], partitions: Iterable[int] | None = None
    ) -> list[tuple[bytes, bytes]]:
        """The entries that match every condition, in the given partitions (None: in all)."""

    @abstractmethod
    async def remove_all(
        self, where: Sequence[Condition], partitions: Iterable[int] | None = None
    ) -> None:
        """Remove what `query` would find."""

    @abstractmethod
    async def size(self) -> int: ...

    @abstractmethod
    async def listen(
        self, handler: Callable[[EntryEvent], None], kinds: Iterable[EntryKind] = EntryKind
    ) -> Cancel:
        """Call `handler` on the event loop for every such change of an entry; it must only enqueue."""

    async def put_if_absent(self, key: bytes, value: bytes) -> bool:
        """True where nothing was there and `value` is now."""
        return await self._change(Change(key, None, value))

    async def replace_if_same(self, key: bytes, old: bytes, new: bytes) -> bool:
        """True where `old` was there and `new` is now."""
        return await self._change(Change(key, old, new))

    async def remove_if_same(self, key: bytes, old: bytes) -> bool:
        """True where `old` was there and nothing is now."""
        return await self._change(Change(key, old, None))

    async def _change(self, change: Change) -> bool:
        return (await self.apply([change]))[0]

    async def apply(self, changes: Sequence[Change]) -> list[bool]:
        """`compare_and_set` with unknown outcomes read back: True for each change that is applied.

        A member that dies under a call leaves its outcome unknown: applied on a backup, or not at
        all. Records name their writer (member, attempt, time), so finding the new value in the map
        means that this write was applied. UnknownOutcome where one is still unknown after
        `SETTLE_TRIES` tries.
        """
        outcomes = await self.compare_and_set(changes)
        if Outcome.UNKNOWN not in outcomes:
            return [outcome is Outcome.APPLIED for outcome in outcomes]
        return [
            await self._settle(change) if outcome is Outcome.UNKNOWN else outcome is Outcome.APPLIED
            for change, outcome in zip(changes, outcomes, strict=True)
        ]

    async def _settle(self, change: Change) -> bool:
        for _ in range(SETTLE_TRIES):
            found = await self.get(change.key)
            if found == change.new:
                return True
            if found != change.old:
                return False
            (outcome,) = await self.compare_and_set([change])
            if outcome is not Outcome.UNKNOWN:
                return outcome is Outcome.APPLIED
        raise UnknownOutcome(
            f"a write to map {self.name} has no known outcome after {SETTLE_TRIES} tries"
        )


class GridQueue(ABC):
    """A bounded distributed queue. Every method may raise GridUnavailable or UnknownOutcome."""

    name: str

    @abstractmethod
    async def offer_all(self, items: Sequence[bytes]) -> bool:
        """Append all items, or none and False where there is no room for all."""

    @abstractmethod
    async def take(self, timeout: float) -> bytes | None:
        """The head, waiting up to `timeout` seconds for one; None where none came."""

    @abstractmethod
    async def drain(self, limit: int) -> list[bytes]:
        """Take up to `limit` items without waiting."""

    @abstractmethod
    async def size(self) -> int: ...

    @abstractmethod
    async def remaining_capacity(self) -> int:
        """Room left; more than 2**30 where the grid does not bound the queue."""

    @abstractmethod
    async def destroy(self) -> None:
        """Drop the queue and what is in it."""


class GridMember(NamedTuple):
    """A member of the grid (not a gridsched node). `address` is host:port."""

    uuid: str
    address: str


class Grid(ABC):
    """A connection to a data grid."""

    partition_count: int

    @abstractmethod
    async def open(self) -> None:
        """Connect. GridUnavailable or GridRefused where that fails."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect; never raises."""

    @abstractmethod
    async def map(self, spec: MapSpec) -> GridMap:
        """The map of that name, with its indexes made sure of."""

    @abstractmethod
    async def queue(self, spec: QueueSpec) -> GridQueue:
        """The queue of that name. Whether it is bounded is seen from its remaining capacity."""

    @abstractmethod
    def members(self) -> tuple[GridMember, ...]:
        """The grid's members now, in the order they joined; empty while disconnected."""

    @abstractmethod
    def local_member(self) -> str | None:
        """The uuid of the member that lives beside this connection; None for a plain client."""

    @abstractmethod
    def partition_owners(self) -> tuple[str | None, ...]:
        """The uuid of the member that holds each partition's primary, by partition id."""

    @abstractmethod
    def listen_membership(self, handler: Callable[[], None]) -> Cancel:
        """Call `handler` on the loop after members or partition owners may have changed."""
