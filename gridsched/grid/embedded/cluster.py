"""A Hazelcast cluster in this process: members that join, crash and leave, and what they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gridsched.errors import GridUnavailable
from gridsched.grid.data import PARTITION_COUNT
from gridsched.grid.embedded.arrangement import arrange
from gridsched.grid.embedded.index import Index
from gridsched.grid.embedded.maps import DistributedMap
from gridsched.grid.embedded.partition import Partition
from gridsched.grid.embedded.queues import UNBOUNDED, DistributedQueue

FIRST_PORT = 5701


class Member(NamedTuple):
    """A member; `address` is host:port, a label that nothing listens on."""

    uuid: str
    address: str


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
        self._backup_count = 1
        self._maps: dict[str, DistributedMap] = {}
        self._queues: dict[str, DistributedQueue] = {}
        self.membership_listeners: list[Callable[[], None]] = []
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

    def add_member(self) -> str:
        """A new member joins and takes its share of the partitions; returns its uuid."""
        member = Member(self._ids(), f"127.0.0.1:{FIRST_PORT + self._joined}")
        self._joined += 1
        self._members[member.uuid] = member
        self._rebalance()
        return member.uuid

    def kill_member(self, uuid: str) -> None:
        """A member crashes: what only it held is lost."""
        del self._members[uuid]
        for partition in self._partitions:
            partition.crash(uuid)
        self._rebalance()

    def shutdown_member(self, uuid: str) -> None:
        """A member leaves after its replicas have migrated. The last one's have nowhere to go."""
        if len(self._members) == 1:
            self.kill_member(uuid)
        else:
            del self._members[uuid]
            self._rebalance()

    def map(
        self, name: str, indexes: Mapping[str, type[Index]], backup_count: int = 1
    ) -> DistributedMap:
        """The map of that name, with these indexes by attribute. The first call sets its backups."""
        self.check_running()
        found = self._maps.get(name)
        if found is None:
            found = self._maps[name] = DistributedMap(name, backup_count, self._now_ms)
            self._reach(backup_count)
            for partition in self._partitions:
                partition.add(found)
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

    def _reach(self, backup_count: int) -> None:
        if backup_count > self._backup_count:
            self._backup_count = backup_count
            self._rebalance()

    def _rebalance(self) -> None:
        if self._members:
            table = arrange(self.table, tuple(self._members), self._backup_count + 1)
            for partition, row in zip(self._partitions, table, strict=True):
                partition.migrate(row)
        for listener in tuple(self.membership_listeners):
            listener()
