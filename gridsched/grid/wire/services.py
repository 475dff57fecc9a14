"""What all clients of a grid share: its structures by name, its schemas, who listens to what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from gridsched.grid.embedded import EmbeddedCluster
from gridsched.grid.embedded.index import HashIndex, Index, SortedIndex
from gridsched.grid.embedded.maps import DistributedMap
from gridsched.grid.embedded.queues import DistributedQueue
from gridsched.grid.wire.config import GridConfig, IndexConfig
from gridsched.grid.wire.faults import Faults
from gridsched.grid.wire.views import ClusterView

MAP_SERVICE = "hz:impl:mapService"
QUEUE_SERVICE = "hz:impl:queueService"

ObjectListener = Callable[[str, str, str, str], None]
"""Called with service name, object name, CREATED or DESTROYED, and the uuid of the member."""


def index_kinds(indexes: Iterable[IndexConfig]) -> dict[str, type[Index]]:
    """The indexes that the grid makes: those on one plain attribute."""
    kinds: dict[str, type[Index]] = {}
    for index in indexes:
        if len(index.attributes) == 1:
            attribute = index.attributes[0].removeprefix("this.")
            kinds[attribute] = SortedIndex if index.type == "SORTED" else HashIndex
    return kinds


class Services:
    """`uuids` gives new ones."""

    def __init__(
        self, cluster: EmbeddedCluster, config: GridConfig, uuids: Callable[[], str]
    ) -> None:
        self.cluster = cluster
        self.config = config
        self.faults = Faults()
        self.view = ClusterView(cluster, lite=config.lite_member)
        self.objects: dict[tuple[str, str], None] = {}
        self.object_listeners: list[ObjectListener] = []
        self.schemas: dict[int, tuple[Any, ...]] = {}
        self.flake_ids: dict[tuple[str, str], int] = {}
        self.backup_listeners: dict[tuple[UUID, str], Callable[[int], None]] = {}
        self.long_work = asyncio.Lock()
        # What clients have made: it is listed while it is among the objects, all else always.
        self._served: set[tuple[str, str]] = set()
        self._uuids = uuids
        self.cluster_id = self.new_uuid()
        cluster.membership_listeners.append(self._forget_if_all_is_lost)

    def new_uuid(self) -> UUID:
        return UUID(self._uuids())

    def map(self, name: str) -> DistributedMap:
        """The map of that name, made as it is configured where it is not there yet."""
        found = self.cluster.maps.get(name)
        if found is None:
            self._served.add((MAP_SERVICE, name))
            config = self.config.map(name)
            indexes = index_kinds(config.indexes)
            found = self.cluster.map(name, indexes, config.backup_count, config.eviction)
            found.default_ttl = config.ttl_ms
            found.default_max_idle = config.max_idle_ms
        return found

    def queue(self, name: str) -> DistributedQueue:
        """The queue of that name, made as it is configured where it is not there yet."""
        found = self.cluster.queues.get(name)
        if found is None:
            self._served.add((QUEUE_SERVICE, name))
            found = self.cluster.queue(name, self.config.queue(name).max_size)
        return found

    def create(self, service: str, name: str, member: str) -> None:
        """Take note that there is such an object; it is made when it is first used."""
        if (service, name) not in self.objects:
            self.objects[service, name] = None
            self._served.add((service, name))
            self._tell(service, name, "CREATED", member)

    def destroy(self, service: str, name: str, member: str) -> None:
        """Drop the object and all that is in it."""
        if service == MAP_SERVICE:
            self.cluster.destroy_map(name)
        elif service == QUEUE_SERVICE:
            self.cluster.destroy_queue(name)
        else:
            self.cluster.destroy_other(service, name)
        if self.objects.pop((service, name), 0) is None:
            self._tell(service, name, "DESTROYED", member)

    def distributed_objects(self) -> list[tuple[str, str]]:
        """(service name, name) of every object."""
        inside = [(MAP_SERVICE, name) for name in self.cluster.maps]
        inside += [(QUEUE_SERVICE, name) for name in self.cluster.queues]
        return [*self.objects, *(found for found in inside if found not in self._served)]

    def release_locks(self, client: UUID) -> None:
        """Release the locks of a client that is gone."""
        for held in self.cluster.maps.values():
            held.locks.release_all(lambda owner: isinstance(owner, tuple) and owner[0] == client)

    def acknowledge(self, client: UUID | None, partition: int, correlation: int) -> int:
        """Let each member with a backup of a partition tell the client that it is made.

        Returns how many do: those at which the client listens for it.
        """
        if partition < 0 or client is None or not self.backup_listeners:
            return 0
        acks = 0
        for member in self.cluster.backups_of(partition):
            tell = self.backup_listeners.get((client, member))
            if tell is not None:
                tell(correlation)
                acks += 1
        return acks

    def close(self) -> None:
        self.view.close()
        self.cluster.membership_listeners.remove(self._forget_if_all_is_lost)

    def _forget_if_all_is_lost(self) -> None:
        """With the last member goes all that the members knew."""
        if not self.cluster.members:
            self.objects.clear()
            self.schemas.clear()

    def _tell(self, service: str, name: str, kind: str, member: str) -> None:
        for listener in tuple(self.object_listeners):
            listener(service, name, kind, member)
