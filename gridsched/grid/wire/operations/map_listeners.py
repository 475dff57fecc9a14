"""The listeners of a map's entries."""

# ruff: noqa: PLR0917 - a handler takes the fields of its request
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from gridsched.grid.embedded.cluster import PartitionLost
from gridsched.grid.embedded.maps import EntryEventType, MapChange
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.keys import key_of
from gridsched.grid.wire.messages import event
from gridsched.grid.wire.operations.listening import (
    entry_sender,
    listen_to_entries,
    listen_to_losses,
)
from gridsched.grid.wire.query.attributes import Entry
from gridsched.grid.wire.query.predicate_reader import read_predicate
from gridsched.grid.wire.query.predicates import matcher

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

_NEW_VALUE = (EntryEventType.ADDED, EntryEventType.UPDATED)
_ENTRY = event("Map.addEntryListener", "Entry")
_ENTRY_TO_KEY = event("Map.addEntryListenerToKey", "Entry")
_ENTRY_WITH_PREDICATE = event("Map.addEntryListenerWithPredicate", "Entry")
_ENTRY_TO_KEY_WITH_PREDICATE = event("Map.addEntryListenerToKeyWithPredicate", "Entry")
_PARTITION_LOST = event("Map.addPartitionLostListener", "MapPartitionLost")


def _listen(
    endpoint: Endpoint,
    name: str,
    flags: int,
    wanted: Callable[[MapChange], bool],
    send: Callable[[MapChange], None],
) -> UUID:
    """Register for the changes whose type is among the flags and that are `wanted`."""
    return listen_to_entries(
        endpoint,
        endpoint.services.map(name).listeners,
        lambda change: bool(change.type & flags) and wanted(change),
        send,
    )


def matching(endpoint: Endpoint, predicate: bytes) -> Callable[[MapChange], bool]:
    """Whether the value of a change matches: the new one, or the one that is gone."""
    schemas = endpoint.services.schemas
    match = matcher(read_predicate(predicate, schemas))

    def wanted(change: MapChange) -> bool:
        if change.key is None:
            return True
        value = change.new if change.type in _NEW_VALUE else change.old
        return value is not None and match(Entry(change.key, value, schemas))

    return wanted


@answers("Map.addEntryListener")
def add_entry_listener(
    endpoint: Endpoint, name: str, include_value: bool, flags: int, local_only: bool
) -> UUID:
    send = entry_sender(endpoint, _ENTRY, include_value=include_value, local_only=local_only)
    return _listen(endpoint, name, flags, lambda change: True, send)


@answers("Map.addEntryListenerToKey")
def add_entry_listener_to_key(
    endpoint: Endpoint, name: str, key: bytes, include_value: bool, flags: int, local_only: bool
) -> UUID:
    key = key_of(key)
    send = entry_sender(endpoint, _ENTRY_TO_KEY, include_value=include_value, local_only=local_only)
    return _listen(endpoint, name, flags, lambda change: change.key in (key, None), send)


@answers("Map.addEntryListenerWithPredicate")
def add_entry_listener_with_predicate(
    endpoint: Endpoint, name: str, predicate: bytes, include_value: bool, flags: int,
    local_only: bool,
) -> UUID:  # fmt: skip
    wanted = matching(endpoint, predicate)
    send = entry_sender(
        endpoint, _ENTRY_WITH_PREDICATE, include_value=include_value, local_only=local_only
    )
    return _listen(endpoint, name, flags, wanted, send)


@answers("Map.addEntryListenerToKeyWithPredicate")
def add_entry_listener_to_key_with_predicate(
    endpoint: Endpoint, name: str, key: bytes, predicate: bytes, include_value: bool, flags: int,
    local_only: bool,
) -> UUID:  # fmt: skip
    key = key_of(key)
    matches = matching(endpoint, predicate)
    send = entry_sender(
        endpoint, _ENTRY_TO_KEY_WITH_PREDICATE, include_value=include_value, local_only=local_only
    )

    def wanted(change: MapChange) -> bool:
        return change.key in (key, None) and matches(change)

    return _listen(endpoint, name, flags, wanted, send)


@answers("Map.addPartitionLostListener")
def add_partition_lost_listener(endpoint: Endpoint, name: str, local_only: bool) -> UUID:
    """Tells of the partitions that the map has lost: those with no more backups left of it."""
    correlation, maps = endpoint.correlation, endpoint.services.cluster.maps

    def send(loss: PartitionLost) -> None:
        if name in maps and maps[name].backup_count <= loss.lost_backups:
            fields = (loss.partition, UUID(loss.source))
            endpoint.send(_PARTITION_LOST.encode(correlation, *fields))

    return listen_to_losses(endpoint, send, local_only=local_only)


@answers("Map.removeEntryListener", "Map.removePartitionLostListener")
def remove_listener(endpoint: Endpoint, _name: str, registration: UUID | None) -> bool:
    return endpoint.deregister(registration)
