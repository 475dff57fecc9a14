"""The requests of a replicated map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gridsched.grid.embedded.maps import EntryEventType, MapChange
from gridsched.grid.embedded.structures import ReplicatedMapStructure
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.codec import Event
from gridsched.grid.wire.keys import key_of
from gridsched.grid.wire.messages import event
from gridsched.grid.wire.operations.listening import entry_sender, listen_to_entries
from gridsched.grid.wire.operations.map_listeners import matching

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

SERVICE: Final = "hz:impl:replicatedMapService"

_ENTRY = event("ReplicatedMap.addEntryListener", "Entry")
_ENTRY_TO_KEY = event("ReplicatedMap.addEntryListenerToKey", "Entry")
_ENTRY_WITH_PREDICATE = event("ReplicatedMap.addEntryListenerWithPredicate", "Entry")
_ENTRY_TO_KEY_WITH_PREDICATE = event("ReplicatedMap.addEntryListenerToKeyWithPredicate", "Entry")


def _map(endpoint: Endpoint, name: str) -> ReplicatedMapStructure:
    """The map, without what has expired."""
    cluster = endpoint.services.cluster
    held = cluster.other(SERVICE, name, lambda name: ReplicatedMapStructure(name, cluster.now_ms))
    if held.expiry:
        held.sweep()
    return held


@answers("ReplicatedMap.put")
def put(endpoint: Endpoint, name: str, key: bytes, value: bytes, ttl: int) -> bytes | None:
    held, key = _map(endpoint, name), key_of(key)
    old = held.entries.get(key)
    held.entries[key] = value
    held.expiry.pop(key, None)
    if ttl > 0:
        held.expiry[key] = endpoint.services.cluster.now_ms() + ttl
    kind = EntryEventType.ADDED if old is None else EntryEventType.UPDATED
    held.tell(MapChange(kind, key, old, value))
    return old


@answers("ReplicatedMap.putAll")
def put_all(endpoint: Endpoint, name: str, entries: Sequence[tuple[bytes, bytes]]) -> None:
    for key, value in entries:
        put(endpoint, name, key, value, 0)


@answers("ReplicatedMap.remove")
def remove(endpoint: Endpoint, name: str, key: bytes) -> bytes | None:
    held, key = _map(endpoint, name), key_of(key)
    old = held.entries.pop(key, None)
    held.expiry.pop(key, None)
    if old is not None:
        held.tell(MapChange(EntryEventType.REMOVED, key, old, None))
    return old


@answers("ReplicatedMap.clear")
def clear(endpoint: Endpoint, name: str) -> None:
    held = _map(endpoint, name)
    affected = len(held.entries)
    held.clear()
    if affected:
        held.tell(MapChange(EntryEventType.CLEAR_ALL, None, None, None, affected))


@answers("ReplicatedMap.get")
def get(endpoint: Endpoint, name: str, key: bytes) -> bytes | None:
    return _map(endpoint, name).entries.get(key_of(key))


@answers("ReplicatedMap.containsKey")
def contains_key(endpoint: Endpoint, name: str, key: bytes) -> bool:
    return key_of(key) in _map(endpoint, name).entries


@answers("ReplicatedMap.containsValue")
def contains_value(endpoint: Endpoint, name: str, value: bytes) -> bool:
    return value in _map(endpoint, name).entries.values()


@answers("ReplicatedMap.size")
def size(endpoint: Endpoint, name: str) -> int:
    return len(_map(endpoint, name).entries)


@answers("ReplicatedMap.isEmpty")
def is_empty(endpoint: Endpoint, name: str) -> bool:
    return not _map(endpoint, name).entries


@answers("ReplicatedMap.keySet")
def key_set(endpoint: Endpoint, name: str) -> list[bytes]:
    return list(_map(endpoint, name).entries)


@answers("ReplicatedMap.values")
def values(endpoint: Endpoint, name: str) -> list[bytes]:
    return list(_map(endpoint, name).entries.values())


@answers("ReplicatedMap.entrySet")
def entry_set(endpoint: Endpoint, name: str) -> list[tuple[bytes, bytes]]:
    return list(_map(endpoint, name).entries.items())


def _listen(
    endpoint: Endpoint, name: str, kind: Event, wanted: Callable[[MapChange], bool], local: bool
) -> UUID:
    send = entry_sender(endpoint, kind, include_value=True, local_only=local)
    return listen_to_entries(endpoint, _map(endpoint, name).listeners, wanted, send)


@answers("ReplicatedMap.addEntryListener")
def add_entry_listener(endpoint: Endpoint, name: str, local_only: bool) -> UUID:
    return _listen(endpoint, name, _ENTRY, lambda change: True, local_only)


@answers("ReplicatedMap.addEntryListenerToKey")
def add_entry_listener_to_key(endpoint: Endpoint, name: str, key: bytes, local_only: bool) -> UUID:
    key = key_of(key)
    return _listen(
        endpoint, name, _ENTRY_TO_KEY, lambda change: change.key in (key, None), local_only
    )


@answers("ReplicatedMap.addEntryListenerWithPredicate")
def add_entry_listener_with_predicate(
    endpoint: Endpoint, name: str, predicate: bytes, local_only: bool
) -> UUID:
    wanted = matching(endpoint, predicate)
    return _listen(endpoint, name, _ENTRY_WITH_PREDICATE, wanted, local_only)


@answers("ReplicatedMap.addEntryListenerToKeyWithPredicate")
def add_entry_listener_to_key_with_predicate(
    endpoint: Endpoint, name: str, key: bytes, predicate: bytes, local_only: bool
) -> UUID:
    key, matches = key_of(key), matching(endpoint, predicate)

    def wanted(change: MapChange) -> bool:
        return change.key in (key, None) and matches(change)

    return _listen(endpoint, name, _ENTRY_TO_KEY_WITH_PREDICATE, wanted, local_only)


@answers("ReplicatedMap.removeEntryListener")
def remove_entry_listener(endpoint: Endpoint, _name: str, registration: UUID | None) -> bool:
    return endpoint.deregister(registration)
