"""The requests of a multimap."""

# ruff: noqa: PLR0917 - a handler takes the fields of its request
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gridsched.grid.embedded.maps import EntryEventType, MapChange
from gridsched.grid.embedded.structures import MultiMapStructure
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.keys import key_of
from gridsched.grid.wire.messages import event
from gridsched.grid.wire.operations.listening import entry_sender, listen_to_entries
from gridsched.grid.wire.operations.locking import Later, acquire, release, when_free

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

SERVICE: Final = "hz:impl:multiMapService"

_ENTRY = event("MultiMap.addEntryListener", "Entry")
_ENTRY_TO_KEY = event("MultiMap.addEntryListenerToKey", "Entry")


def _multimap(endpoint: Endpoint, name: str) -> MultiMapStructure:
    cluster = endpoint.services.cluster
    return cluster.other(SERVICE, name, lambda name: MultiMapStructure(name, cluster.now_ms))


def _tell(held: MultiMapStructure, change: MapChange) -> None:
    for listener in tuple(held.listeners):
        listener(change)


def _put(held: MultiMapStructure, key: bytes, values: Sequence[bytes]) -> bool:
    """Whether any value was new."""
    its = held.entries.setdefault(key, {})
    new = [value for value in dict.fromkeys(values) if value not in its]
    for value in new:
        its[value] = None
        _tell(held, MapChange(EntryEventType.ADDED, key, None, value))
    return bool(new)


def _remove(held: MultiMapStructure, key: bytes, wanted: Callable[[bytes], bool]) -> list[bytes]:
    """Remove and return the values of a key that are wanted."""
    its = held.entries.get(key, {})
    gone = [value for value in its if wanted(value)]
    for value in gone:
        del its[value]
        _tell(held, MapChange(EntryEventType.REMOVED, key, value, None))
    if not its:
        held.entries.pop(key, None)
    return gone


@answers("MultiMap.put", backs_up=True)
def put(endpoint: Endpoint, name: str, key: bytes, value: bytes, thread: int) -> bool | Later[bool]:
    held, key = _multimap(endpoint, name), key_of(key)
    return when_free(endpoint, held.locks, key, thread, lambda: _put(held, key, [value]))


@answers("MultiMap.putAll", backs_up=True)
def put_all(
    endpoint: Endpoint, name: str, entries: Sequence[tuple[bytes, Sequence[bytes]]]
) -> None:
    held = _multimap(endpoint, name)
    for key, values in entries:
        _put(held, key_of(key), values)


@answers("MultiMap.get")
def get(endpoint: Endpoint, name: str, key: bytes, _thread: int) -> list[bytes]:
    return list(_multimap(endpoint, name).entries.get(key_of(key), ()))


@answers("MultiMap.remove", backs_up=True)
def remove(
    endpoint: Endpoint, name: str, key: bytes, thread: int
) -> list[bytes] | Later[list[bytes]]:
    held, key = _multimap(endpoint, name), key_of(key)
    act = partial(_remove, held, key, lambda value: True)
    return when_free(endpoint, held.locks, key, thread, act)


@answers("MultiMap.delete", backs_up=True)
def delete(
    endpoint: Endpoint, name: str, key: bytes, thread: int
) -> list[bytes] | Later[list[bytes]]:
    return remove(endpoint, name, key, thread)


@answers("MultiMap.removeEntry", backs_up=True)
def remove_entry(
    endpoint: Endpoint, name: str, key: bytes, value: bytes, thread: int
) -> bool | Later[bool]:
    held, key = _multimap(endpoint, name), key_of(key)

    def act() -> bool:
        return bool(_remove(held, key, lambda found: found == value))

    return when_free(endpoint, held.locks, key, thread, act)


@answers("MultiMap.keySet")
def key_set(endpoint: Endpoint, name: str) -> list[bytes]:
    return list(_multimap(endpoint, name).entries)


@answers("MultiMap.values")
def values(endpoint: Endpoint, name: str) -> list[bytes]:
    return [value for _, value in entry_set(endpoint, name)]


@answers("MultiMap.entrySet")
def entry_set(endpoint: Endpoint, name: str) -> list[tuple[bytes, bytes]]:
    entries = _multimap(endpoint, name).entries
    return [(key, value) for key, its in entries.items() for value in its]


@answers("MultiMap.containsKey")
def contains_key(endpoint: Endpoint, name: str, key: bytes, _thread: int) -> bool:
    return key_of(key) in _multimap(endpoint, name).entries


@answers("MultiMap.containsValue")
def contains_value(endpoint: Endpoint, name: str, value: bytes) -> bool:
    return any(value in its for its in _multimap(endpoint, name).entries.values())


@answers("MultiMap.containsEntry")
def contains_entry(endpoint: Endpoint, name: str, key: bytes, value: bytes, _thread: int) -> bool:
    return value in _multimap(endpoint, name).entries.get(key_of(key), ())


@answers("MultiMap.size")
def size(endpoint: Endpoint, name: str) -> int:
    return sum(map(len, _multimap(endpoint, name).entries.values()))


@answers("MultiMap.valueCount")
def value_count(endpoint: Endpoint, name: str, key: bytes, _thread: int) -> int:
    return len(_multimap(endpoint, name).entries.get(key_of(key), ()))


@answers("MultiMap.clear", backs_up=True)
def clear(endpoint: Endpoint, name: str) -> None:
    held = _multimap(endpoint, name)
    affected = size(endpoint, name)
    held.clear()
    if affected:
        _tell(held, MapChange(EntryEventType.CLEAR_ALL, None, None, None, affected))


@answers("MultiMap.lock", backs_up=True)
async def lock(
    endpoint: Endpoint, name: str, key: bytes, thread: int, lease: int, reference: int
) -> None:
    locks = _multimap(endpoint, name).locks
    await acquire(endpoint, locks, key_of(key), thread, reference, lease, None)


@answers("MultiMap.tryLock", backs_up=True)
def try_lock(
    endpoint: Endpoint, name: str, key: bytes, thread: int, lease: int, timeout: int, reference: int
) -> Later[bool]:
    locks = _multimap(endpoint, name).locks
    return acquire(endpoint, locks, key_of(key), thread, reference, lease, max(0, timeout) / 1000)


@answers("MultiMap.isLocked")
def is_locked(endpoint: Endpoint, name: str, key: bytes) -> bool:
    return _multimap(endpoint, name).locks.is_locked(key_of(key))


@answers("MultiMap.unlock", backs_up=True)
def unlock(endpoint: Endpoint, name: str, key: bytes, thread: int, reference: int) -> None:
    release(endpoint, _multimap(endpoint, name).locks, key_of(key), thread, reference)


@answers("MultiMap.forceUnlock", backs_up=True)
def force_unlock(endpoint: Endpoint, name: str, key: bytes, _reference: int) -> None:
    _multimap(endpoint, name).locks.force_unlock(key_of(key))


@answers("MultiMap.addEntryListener")
def add_entry_listener(
    endpoint: Endpoint, name: str, include_value: bool, local_only: bool
) -> UUID:
    send = entry_sender(endpoint, _ENTRY, include_value=include_value, local_only=local_only)
    return listen_to_entries(
        endpoint, _multimap(endpoint, name).listeners, lambda change: True, send
    )


@answers("MultiMap.addEntryListenerToKey")
def add_entry_listener_to_key(
    endpoint: Endpoint, name: str, key: bytes, include_value: bool, local_only: bool
) -> UUID:
    key = key_of(key)
    send = entry_sender(endpoint, _ENTRY_TO_KEY, include_value=include_value, local_only=local_only)
    return listen_to_entries(
        endpoint,
        _multimap(endpoint, name).listeners,
        lambda change: change.key in (key, None),
        send,
    )


@answers("MultiMap.removeEntryListener")
def remove_entry_listener(endpoint: Endpoint, _name: str, registration: UUID | None) -> bool:
    return endpoint.deregister(registration)
