"""A Hazelcast cluster in this process: members that join, crash and leave, and what they hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar, cast
from uuid import UUID
from weakref import WeakValueDictionary

from gridsched.errors import GridUnavailable
from gridsched.grid.data import PARTITION_COUNT
from gridsched.grid.embedded.arrangement import arrange
from gridsched.grid.embedded.eviction import BoundedMap, Eviction
from gridsched.grid.embedded.index import Index
from gridsched.grid.embedded.maps import DistributedMap
from gridsched.grid.embedded.partition import Container, Partition
from gridsched.grid.embedded.queues import UNBOUNDED, DistributedQueue

FIRST_PORT = 5701


class Member(NamedTuple):
    """A member; `address` is host:port, a label where no server gives it a real one."""

    uuid: str
    address: str


class PartitionLost(NamedTuple):
    """The primary of a partition is lost, and so many backups with it.

    `source` is the member that tells of it: the primary from then on, or the oldest member where no
    replica is left.
    """

    partition: int
    lost_backups: int
    source: str


class _Placed(Container, Protocol):
    """A container in one partition."""

    partition: int


T = TypeVar("T", bound=_Placed)


def uuids(ids: Callable[[], str]) -> Callable[[], str]:
    """UUIDs made of two ids of 16 hex digits each: what members that clients connect to need."""
    return lambda: str(UUID(ids() + ids()))


class EmbeddedCluster:
    """Members, the partition table, and the maps and queues spread over it.

    Everything happens within the call: after `kill_member` returns, the backups are promoted and
    the replicas made up again on the members that are left. `now_ms` is the clock of expiry in epoch
    milliseconds; `ids` gives the members' uuids. KeyError for a uuid that is no member's.
    """

    def __init__(
        self, now_ms: Callable[[], int], ids: Callable[[], str], *, members: int = 1
    ) -> None:
        self._now_ms = now_ms
        self._ids = ids
        self._joined = 0
        self._members: dict[str, Member] = {}
        self._partitions = [Partition(id) for id in range(PARTITION_COUNT)]
        self._primaries: tuple[str | None, ...] | None = None
        self._backup_count = 1
        self._maps: dict[str, DistributedMap] = {}
        # Maps that are destroyed while somebody still holds them: the next use is theirs again.
        self._retired: WeakValueDictionary[str, DistributedMap] = WeakValueDictionary()
        self._queues: dict[str, DistributedQueue] = {}
        self._others: dict[tuple[str, str], Any] = {}
        self.membership_listeners: list[Callable[[], None]] = []
        self.partition_lost_listeners: list[Callable[[PartitionLost], None]] = []
        for _ in range(members):
            self.add_member()

    @property
    def members(self) -> tuple[Member, ...]:
        """The members, in the order they joined."""
        return tuple(self._members.values())

    @property
    def table(self) -> tuple[tuple[str, ...], ...]:
        """For each partition the uuids of its replicas' members, the primary's first."""
        return tuple(partition.row for partition in self._partitions)

    @property
    def primaries(self) -> tuple[str | None, ...]:
        """For each partition the uuid of the member that holds its primary."""
        if self._primaries is None:
            self._primaries = tuple(row[0] if row else None for row in self.table)
        return self._primaries

    @property
    def maps(self) -> Mapping[str, DistributedMap]:
        """The maps that are there now, by name."""
        return self._maps

    @property
    def queues(self) -> Mapping[str, DistributedQueue]:
        """The queues that are there now, by name."""
        return self._queues

    @property
    def now_ms(self) -> Callable[[], int]:
        """The clock, epoch milliseconds."""
        return self._now_ms

    def owner_of(self, partition: int) -> str | None:
        """The uuid of the member that holds the primary of a partition."""
        row = self._partitions[partition].row
        return row[0] if row else None

    def backups_of(self, partition: int) -> tuple[str, ...]:
        """The uuids of the members that hold the backups of a partition."""
        return self._partitions[partition].row[1:]

    def locate(self, uuid: str, address: str) -> None:
        """Let a member be found at `address`."""
        self._members[uuid] = Member(uuid, address)
        self._announce()

    def add_member(self, address: str | None = None) -> str:
        """A new member joins and takes its share of the partitions; returns its uuid."""
        member = Member(self._ids(), address or f"127.0.0.1:{FIRST_PORT + self._joined}")
        self._joined += 1
        self._members[member.uuid] = member
        self._rebalance()
        return member.uuid

    def kill_member(self, uuid: str, *others: str) -> None:
        """A member crashes, or several at once: what only they held is lost."""
        crashed = dict.fromkeys((uuid, *others))
        missing = crashed.keys() - self._members.keys()
        if missing:
            raise KeyError(missing.pop())
        for member in crashed:
            del self._members[member]
        losses = [
            loss for partition in self._partitions for loss in self._crash(partition, crashed)
        ]
        self._rebalance()
        for loss in losses:
            for listener in tuple(self.partition_lost_listeners):
                listener(loss)

    def shutdown_member(self, uuid: str) -> None:
        """A member leaves after its replicas have migrated. The last one's have nowhere to go."""
        if len(self._members) == 1:
            self.kill_member(uuid)
        else:
            del self._members[uuid]
            self._rebalance()

    def map(
        self,
        name: str,
        indexes: Mapping[str, type[Index]],
        backup_count: int = 1,
        eviction: Eviction | None = None,
    ) -> DistributedMap:
        """The map of that name, with these indexes by attribute.

        The first call sets its backups, and how it is bounded.
        """
        self.check_running()
        found = self._maps.get(name)
        if found is None:
            found = self._new_map(name, backup_count, eviction)
        found.add_indexes(indexes)
        return found

    def queue(self, name: str, capacity: int = UNBOUNDED) -> DistributedQueue:
        """The queue of that name. The first call sets its capacity."""
        self.check_running()
        found = self._queues.get(name)
        if found is None:
            found = self._queues[name] = DistributedQueue(name, capacity)
            self._partitions[found.partition].add(found)
        return found

    def destroy_map(self, name: str) -> None:
        """Drop a map, its entries, locks and listeners; the next `map` makes it anew."""
        self.check_running()
        found = self._maps.pop(name, None)
        if found is not None:
            self._retired[name] = found
            found.locks.release_all(lambda owner: True)
            found.clear()
            found.listeners.clear()
            for partition in self._partitions:
                partition.discard(found)

    def other(self, service: str, name: str, make: Callable[[str], T]) -> T:
        """The structure of a service, by name, made where it is not there yet."""
        self.check_running()
        found = self._others.get((service, name))
        if found is None:
            found = self._others[service, name] = make(name)
            self._partitions[found.partition].add(found)
        return cast(T, found)

    def destroy_other(self, service: str, name: str) -> None:
        """Drop such a structure and what is in it."""
        self.check_running()
        found = self._others.pop((service, name), None)
        if found is not None:
            self._partitions[found.partition].discard(found)
            found.lose(found.partition)

    def sweep(self) -> None:
        """Free what has expired."""
        for held in [*self._maps.values(), *self._others.values()]:
            held.sweep()

    def destroy_queue(self, name: str) -> None:
        """Drop the queue, its items and its takers; the next `queue` makes it anew."""
        self.check_running()
        queue = self._queues.pop(name, None)
        if queue is not None:
            self._partitions[queue.partition].discard(queue)
            queue.lose(queue.partition)

    def check_running(self) -> None:
        """GridUnavailable where no member is left."""
        if not self._members:
            raise GridUnavailable("the embedded grid has no members")

    def _crash(self, partition: Partition, members: Collection[str]) -> Iterator[PartitionLost]:
        lost_backups = partition.crash(members)
        if lost_backups is not None and self._members:
            source = next(iter(partition.row or self._members))
            yield PartitionLost(partition.id, lost_backups, source)

    def _new_map(self, name: str, backup_count: int, eviction: Eviction | None) -> DistributedMap:
        made = self._retired.pop(name, None)
        if made is None:
            made = self._make_map(name, backup_count, eviction)
        self._maps[name] = made
        self._reach(made.backup_count)
        for partition in self._partitions:
            partition.add(made)
        return made

    def _make_map(self, name: str, backup_count: int, eviction: Eviction | None) -> DistributedMap:
        if eviction is None:
            return DistributedMap(name, backup_count, self._now_ms)

        def limit() -> float:
            return eviction.limit(len(self._members), PARTITION_COUNT)

        return BoundedMap(name, backup_count, self._now_ms, eviction.policy, limit)

    def _reach(self, backup_count: int) -> None:
        if backup_count > self._backup_count:
            self._backup_count = backup_count
            self._rebalance()

    def _rebalance(self) -> None:
        if self._members:
            table = arrange(self.table, tuple(self._members), self._backup_count + 1)
            for partition, row in zip(self._partitions, table, strict=True):
                partition.migrate(row)
        self._announce()

    def _announce(self) -> None:
        self._primaries = None
        for listener in tuple(self.membership_listeners):
            listener()
