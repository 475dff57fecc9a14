"""The members and the partition table as clients are told of them, each with its version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from gridsched.grid.embedded import EmbeddedCluster

VERSION: Final = (5, 7, 0)
"""The Hazelcast version whose behaviour the server has."""

MemberRow = tuple[Any, ...]
PartitionRow = tuple[UUID, list[int]]


class ClusterView:
    """`changed` are told when there is a new version of either."""

    def __init__(self, cluster: EmbeddedCluster, *, lite: bool = False) -> None:
        self._cluster = cluster
        self._lite = lite
        self.members_version = 0
        self.partitions_version = 0
        self.members: list[MemberRow] = []
        self.partitions: list[PartitionRow] = []
        self.changed: list[Callable[[], None]] = []
        self._take()
        cluster.membership_listeners.append(self._take)

    def close(self) -> None:
        """Look no more."""
        self._cluster.membership_listeners.remove(self._take)

    def _take(self) -> None:
        members = [
            _member_row(uuid, address, self._lite) for uuid, address in self._cluster.members
        ]
        partitions = self._primaries()
        if members == self.members and partitions == self.partitions:
            return
        if members != self.members:
            self.members, self.members_version = members, self.members_version + 1
        if partitions != self.partitions:
            self.partitions, self.partitions_version = partitions, self.partitions_version + 1
        for listener in tuple(self.changed):
            listener()

    def _primaries(self) -> list[PartitionRow]:
        owned: dict[str, list[int]] = {}
        for partition, row in enumerate(self._cluster.table):
            if row:
                owned.setdefault(row[0], []).append(partition)
        return [(UUID(uuid), partitions) for uuid, partitions in owned.items()]


def _member_row(uuid: str, address: str, lite: bool) -> MemberRow:
    """A MemberInfo with no attributes and no other addresses."""
    host, _, port = address.rpartition(":")
    return ((host, int(port)), UUID(uuid), {}, lite, VERSION, {})
