"""The requests of a set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gridsched.grid.embedded.queues import ItemEventType
from gridsched.grid.embedded.structures import SetStructure
from gridsched.grid.wire.messages import event
from gridsched.grid.wire.operations.listening import listen_to_items
from gridsched.grid.wire.operations.registry import answers

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

SERVICE: Final = "hz:impl:setService"

_ITEM = event("Set.addListener", "Item")


def _set(endpoint: Endpoint, name: str) -> SetStructure:
    return endpoint.services.cluster.other(SERVICE, name, SetStructure)


def _tell(held: SetStructure, type: ItemEventType, item: bytes) -> None:
    for listener in tuple(held.listeners):
        listener(type, item)


def _keep(held: SetStructure, kept: Callable[[bytes], bool]) -> bool:
    """Remove what is not to be kept; whether there was any."""
    gone = [item for item in held.items if not kept(item)]
    for item in gone:
        del held.items[item]
        _tell(held, ItemEventType.REMOVED, item)
    return bool(gone)


@answers("Set.size")
def size(endpoint: Endpoint, name: str) -> int:
    return len(_set(endpoint, name).items)


@answers("Set.isEmpty")
def is_empty(endpoint: Endpoint, name: str) -> bool:
    return not _set(endpoint, name).items


@answers("Set.contains")
def contains(endpoint: Endpoint, name: str, item: bytes) -> bool:
    return item in _set(endpoint, name).items


@answers("Set.containsAll")
def contains_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    return {*items} <= _set(endpoint, name).items.keys()


@answers("Set.add", backs_up=True)
def add(endpoint: Endpoint, name: str, item: bytes) -> bool:
    return add_all(endpoint, name, [item])


@answers("Set.addAll", backs_up=True)
def add_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    """Whether any was new."""
    held = _set(endpoint, name)
    new = [item for item in dict.fromkeys(items) if item not in held.items]
    for item in new:
        held.items[item] = None
        _tell(held, ItemEventType.ADDED, item)
    return bool(new)


@answers("Set.remove", backs_up=True)
def remove(endpoint: Endpoint, name: str, item: bytes) -> bool:
    return _keep(_set(endpoint, name), lambda held: held != item)


@answers("Set.compareAndRemoveAll", backs_up=True)
def remove_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    return _keep(_set(endpoint, name), lambda item: item not in items)


@answers("Set.compareAndRetainAll", backs_up=True)
def retain_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    return _keep(_set(endpoint, name), lambda item: item in items)


@answers("Set.clear", backs_up=True)
def clear(endpoint: Endpoint, name: str) -> None:
    _keep(_set(endpoint, name), lambda item: False)


@answers("Set.getAll")
def get_all(endpoint: Endpoint, name: str) -> list[bytes]:
    return list(_set(endpoint, name).items)


@answers("Set.addListener")
def add_listener(endpoint: Endpoint, name: str, include_value: bool, local_only: bool) -> UUID:
    held = _set(endpoint, name)
    return listen_to_items(
        endpoint,
        held.listeners,
        held.partition,
        _ITEM,
        include_value=include_value,
        local_only=local_only,
    )


@answers("Set.removeListener")
def remove_listener(endpoint: Endpoint, _name: str, registration: UUID | None) -> bool:
    return endpoint.deregister(registration)
