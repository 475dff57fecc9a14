"""What a client's near cache asks: to be told of each entry that it may not serve any longer.

Invalidations are numbered by partition, so that a client knows when it has missed one. Source:
RepairingTask of the Java client; the Python client only listens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from gridsched.grid.data import partition_of
from gridsched.grid.embedded.maps import EntryEventType, MapChange
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.keys import as_sent
from gridsched.grid.wire.messages import event
from gridsched.grid.wire.operations.listening import listen_to_entries

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

_INVALIDATION = event("Map.addNearCacheInvalidationListener", "IMapInvalidation")

_HARMLESS: Final = (EntryEventType.ADDED,)
"""What no near cache can hold an older value of."""


def _partition_uuid(endpoint: Endpoint, partition: int) -> UUID:
    return uuid5(endpoint.services.cluster_id, str(partition))


@answers("Map.addNearCacheInvalidationListener")
def add_invalidation_listener(endpoint: Endpoint, name: str, _flags: int, local_only: bool) -> UUID:
    """Of all entries at once the client hears of no key.

    A key is sent as its own caller sent it: the Python client looks for equal bytes.
    """
    services, correlation = endpoint.services, endpoint.correlation
    member = UUID(endpoint.member)
    sequences: dict[int, int] = {}

    def send(change: MapChange) -> None:
        partition = partition_of(change.key) if change.key is not None else 0
        if local_only and services.cluster.owner_of(partition) != endpoint.member:
            return
        sequences[partition] = sequences.get(partition, 0) + 1
        fields: tuple[Any, ...] = (
            None if change.key is None else as_sent(change.key),
            member,
            _partition_uuid(endpoint, partition),
            sequences[partition],
        )
        endpoint.tell(_INVALIDATION.encode(correlation, *fields, partition=partition))

    listeners = services.map(name).listeners
    return listen_to_entries(endpoint, listeners, lambda change: change.type not in _HARMLESS, send)


@answers("Map.fetchNearCacheInvalidationMetadata")
def fetch_invalidation_metadata(
    endpoint: Endpoint, names: Sequence[str], member: UUID | None
) -> tuple[list[tuple[str, list[tuple[int, int]]]], list[tuple[int, UUID]]]:
    """No sequences, as a new listener counts from the start, and the uuid of each partition."""
    owned = next((rows for uuid, rows in endpoint.services.view.partitions if uuid == member), [])
    uuids = [(partition, _partition_uuid(endpoint, partition)) for partition in owned]
    return [(name, []) for name in names], uuids
