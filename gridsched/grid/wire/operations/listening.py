"""The events of items, entries and lost partitions, as several services send them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from gridsched.grid.data import partition_of
from gridsched.grid.embedded.cluster import PartitionLost
from gridsched.grid.embedded.maps import MapChange
from gridsched.grid.embedded.queues import DistributedQueue, ItemEventType
from gridsched.grid.embedded.structures import ItemStructure
from gridsched.grid.wire.codec import Event

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint


def listen_to_items(
    endpoint: Endpoint,
    held: DistributedQueue | ItemStructure,
    kind: Event,
    *,
    include_value: bool,
    local_only: bool,
) -> UUID:
    """Send an event for each item; with `local_only` only from the member that holds them."""
    correlation, member = endpoint.correlation, UUID(endpoint.member)
    cluster = endpoint.services.cluster

    def tell(type: ItemEventType, item: bytes) -> None:
        if not local_only or cluster.owner_of(held.partition) == endpoint.member:
            told = item if include_value else None
            endpoint.tell(kind.encode(correlation, told, member, int(type)))

    held.listeners.append(tell)
    return endpoint.register(lambda: held.listeners.remove(tell))


def entry_sender(
    endpoint: Endpoint, kind: Event, *, include_value: bool, local_only: bool
) -> Callable[[MapChange], None]:
    """Sends changes as events: with `local_only` those of the member's own partitions."""
    correlation, member = endpoint.correlation, UUID(endpoint.member)
    cluster = endpoint.services.cluster

    def send(change: MapChange) -> None:
        partition = -1 if change.key is None else partition_of(change.key)
        owner = cluster.owner_of(max(partition, 0))
        if local_only and owner != endpoint.member:
            return
        new, old = (change.new, change.old) if include_value else (None, None)
        fields = (change.key, new, old, None, int(change.type), member, change.affected)
        endpoint.tell(kind.encode(correlation, *fields, partition=partition))

    return send


def listen_to_entries(
    endpoint: Endpoint,
    listeners: list[Callable[[MapChange], None]],
    wanted: Callable[[MapChange], bool],
    send: Callable[[MapChange], None],
) -> UUID:
    """Send the changes that are `wanted`."""

    def tell(change: MapChange) -> None:
        if wanted(change):
            send(change)

    def cancel() -> None:
        if tell in listeners:
            listeners.remove(tell)

    listeners.append(tell)
    return endpoint.register(cancel)


def listen_to_losses(
    endpoint: Endpoint, send: Callable[[PartitionLost], None], *, local_only: bool
) -> UUID:
    """Send the partitions that are lost; with `local_only` those of which the member tells."""
    listeners = endpoint.services.cluster.partition_lost_listeners

    def tell(loss: PartitionLost) -> None:
        if not local_only or loss.source == endpoint.member:
            send(loss)

    listeners.append(tell)
    return endpoint.register(lambda: listeners.remove(tell))
