"""The requests of a map that concern single entries, or all of them."""

# ruff: noqa: PLR0917 - a handler takes the fields of its request
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gridsched.grid.embedded.maps import EntryEventType
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.keys import key_of, plain
from gridsched.grid.wire.operations.locking import Later, in_time, when_free

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint


NO_THREAD: Final = 0


def own_if_unset(duration: int) -> int | None:
    """A time to live or idle as the request has it: negative is the map's own."""
    return duration if duration >= 0 else None


def _is_same(found: bytes | None, expected: bytes) -> bool:
    return found is not None and plain(found) == plain(expected)


@answers("Map.get")
def get(endpoint: Endpoint, name: str, key: bytes, _thread: int) -> bytes | None:
    return endpoint.services.map(name).get(key_of(key))


@answers("Map.containsKey")
def contains_key(endpoint: Endpoint, name: str, key: bytes, _thread: int) -> bool:
    return endpoint.services.map(name).get(key_of(key)) is not None


@answers("Map.containsValue")
def contains_value(endpoint: Endpoint, name: str, value: bytes) -> bool:
    wanted = plain(value)
    return any(plain(found) == wanted for _, found in endpoint.services.map(name).entries())


@answers("Map.getAll")
def get_all(endpoint: Endpoint, name: str, keys: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    held = endpoint.services.map(name)
    rows = [(key, held.get(key_of(key))) for key in keys]
    return [(key, value) for key, value in rows if value is not None]


@answers("Map.put", "Map.putTransient", "Map.set", backs_up=True)
def put(
    endpoint: Endpoint, name: str, key: bytes, value: bytes, thread: int, ttl: int
) -> bytes | Later[bytes | None] | None:
    held, key = endpoint.services.map(name), key_of(key)
    return when_free(
        endpoint, held.locks, key, thread, lambda: held.put(key, value, own_if_unset(ttl))
    )


@answers("Map.putWithMaxIdle", "Map.putTransientWithMaxIdle", "Map.setWithMaxIdle", backs_up=True)
def put_with_max_idle(
    endpoint: Endpoint, name: str, key: bytes, value: bytes, thread: int, ttl: int, idle: int
) -> bytes | Later[bytes | None] | None:
    held, key = endpoint.services.map(name), key_of(key)
    ttl_ms, idle_ms = own_if_unset(ttl), own_if_unset(idle)
    return when_free(
        endpoint, held.locks, key, thread, lambda: held.put(key, value, ttl_ms, idle_ms)
    )


@answers("Map.putIfAbsent", backs_up=True)
def put_if_absent(
    endpoint: Endpoint, name: str, key: bytes, value: bytes, thread: int, ttl: int, idle: int = -1
) -> bytes | Later[bytes | None] | None:
    held, key = endpoint.services.map(name), key_of(key)

    def act() -> bytes | None:
        found = held.get(key)
        if found is None:
            held.put(key, value, own_if_unset(ttl), own_if_unset(idle))
        return found

    return when_free(endpoint, held.locks, key, thread, act)


answers("Map.putIfAbsentWithMaxIdle", backs_up=True)(put_if_absent)


@answers("Map.tryPut", backs_up=True)
def try_put(
    endpoint: Endpoint, name: str, key: bytes, value: bytes, thread: int, timeout: int
) -> Later[bool]:
    held, key = endpoint.services.map(name), key_of(key)

    def act() -> bool:
        held.put(key, value, blind=True)
        return True

    return in_time(endpoint, held.locks, key, thread, timeout, act)


@answers("Map.putAll", backs_up=True)
def put_all(
    endpoint: Endpoint, name: str, entries: Sequence[tuple[bytes, bytes]], _load: bool | None
) -> None:
    held = endpoint.services.map(name)
    for key, value in entries:
        held.put(key_of(key), value, blind=True)


@answers("Map.replace", backs_up=True)
def replace(
    endpoint: Endpoint, name: str, key: bytes, value: bytes, thread: int
) -> bytes | Later[bytes | None] | None:
    held, key = endpoint.services.map(name), key_of(key)

    def act() -> bytes | None:
        found = held.get(key)
        if found is not None:
            held.put(key, value)
        return found

    return when_free(endpoint, held.locks, key, thread, act)


@answers("Map.replaceIfSame", backs_up=True)
def replace_if_same(
    endpoint: Endpoint, name: str, key: bytes, expected: bytes, value: bytes, thread: int
) -> bool | Later[bool]:
    held, key = endpoint.services.map(name), key_of(key)

    def act() -> bool:
        found = held.get(key)
        if not _is_same(found, expected):
            return False
        held.put(key, value)
        return True

    return when_free(endpoint, held.locks, key, thread, act)


@answers("Map.remove", backs_up=True)
def remove(
    endpoint: Endpoint, name: str, key: bytes, thread: int
) -> bytes | Later[bytes | None] | None:
    held, key = endpoint.services.map(name), key_of(key)
    return when_free(endpoint, held.locks, key, thread, lambda: held.remove(key))


@answers("Map.delete", backs_up=True)
def delete(endpoint: Endpoint, name: str, key: bytes, thread: int) -> bool | Later[bool]:
    held, key = endpoint.services.map(name), key_of(key)

    def act() -> bool:
        return held.remove(key, blind=True) is not None

    return when_free(endpoint, held.locks, key, thread, act)


@answers("Map.removeIfSame", backs_up=True)
def remove_if_same(
    endpoint: Endpoint, name: str, key: bytes, expected: bytes, thread: int
) -> bool | Later[bool]:
    held, key = endpoint.services.map(name), key_of(key)

    def act() -> bool:
        found = held.get(key)
        if not _is_same(found, expected):
            return False
        held.remove(key)
        return True

    return when_free(endpoint, held.locks, key, thread, act)


@answers("Map.tryRemove", backs_up=True)
def try_remove(endpoint: Endpoint, name: str, key: bytes, thread: int, timeout: int) -> Later[bool]:
    held, key = endpoint.services.map(name), key_of(key)
    return in_time(endpoint, held.locks, key, thread, timeout, lambda: held.remove(key) is not None)


@answers("Map.evict", backs_up=True)
def evict(endpoint: Endpoint, name: str, key: bytes, thread: int) -> bool | Later[bool]:
    held, key = endpoint.services.map(name), key_of(key)
    return when_free(endpoint, held.locks, key, thread, lambda: held.evict(key))


@answers("Map.evictAll", backs_up=True)
def evict_all(endpoint: Endpoint, name: str) -> None:
    endpoint.services.map(name).clear(EntryEventType.EVICT_ALL)


@answers("Map.clear", backs_up=True)
def clear(endpoint: Endpoint, name: str) -> None:
    endpoint.services.map(name).clear()


@answers("Map.flush")
def flush(_endpoint: Endpoint, _name: str) -> None:
    """There is no map store to write to."""


@answers("Map.size")
def size(endpoint: Endpoint, name: str) -> int:
    return len(endpoint.services.map(name))


@answers("Map.isEmpty")
def is_empty(endpoint: Endpoint, name: str) -> bool:
    return not len(endpoint.services.map(name))


@answers("Map.setTtl", backs_up=True)
def set_ttl(endpoint: Endpoint, name: str, key: bytes, ttl: int) -> bool | Later[bool]:
    """The request names no thread, so a lock of anybody's holds it up."""
    held, key = endpoint.services.map(name), key_of(key)
    ttl_ms = own_if_unset(ttl)
    return when_free(endpoint, held.locks, key, NO_THREAD, lambda: held.set_ttl(key, ttl_ms))
