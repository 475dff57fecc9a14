"""The requests of a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gridsched.grid.embedded.queues import ItemEventType
from gridsched.grid.embedded.structures import ListStructure
from gridsched.grid.wire.errors import IndexOutOfBounds
from gridsched.grid.wire.messages import event
from gridsched.grid.wire.operations.listening import listen_to_items
from gridsched.grid.wire.operations.registry import answers

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

SERVICE: Final = "hz:impl:listService"

_ITEM = event("List.addListener", "Item")


def _list(endpoint: Endpoint, name: str) -> ListStructure:
    return endpoint.services.cluster.other(SERVICE, name, ListStructure)


def _tell(held: ListStructure, type: ItemEventType, items: Sequence[bytes]) -> None:
    for listener in tuple(held.listeners):
        for item in items:
            listener(type, item)


def _insert(held: ListStructure, index: int, items: Sequence[bytes]) -> None:
    if not 0 <= index <= len(held.items):
        raise IndexOutOfBounds(f"Index: {index}, Size: {len(held.items)}")
    held.items[index:index] = items
    _tell(held, ItemEventType.ADDED, items)


def _take(held: ListStructure, index: int) -> bytes:
    item = held.items.pop(index)
    _tell(held, ItemEventType.REMOVED, [item])
    return item


def _keep(held: ListStructure, kept: Callable[[bytes], bool]) -> bool:
    """Remove what is not to be kept; whether there was any."""
    gone = [item for item in held.items if not kept(item)]
    held.items = [item for item in held.items if kept(item)]
    _tell(held, ItemEventType.REMOVED, gone)
    return bool(gone)


def _checked(held: ListStructure, index: int) -> int:
    if not 0 <= index < len(held.items):
        raise IndexOutOfBounds(f"Index {index} out of bounds for length {len(held.items)}")
    return index


@answers("List.size")
def size(endpoint: Endpoint, name: str) -> int:
    return len(_list(endpoint, name).items)


@answers("List.isEmpty")
def is_empty(endpoint: Endpoint, name: str) -> bool:
    return not _list(endpoint, name).items


@answers("List.contains")
def contains(endpoint: Endpoint, name: str, item: bytes) -> bool:
    return item in _list(endpoint, name).items


@answers("List.containsAll")
def contains_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    return {*items} <= {*_list(endpoint, name).items}


@answers("List.add", backs_up=True)
def add(endpoint: Endpoint, name: str, item: bytes) -> bool:
    held = _list(endpoint, name)
    _insert(held, len(held.items), [item])
    return True


@answers("List.addAll", backs_up=True)
def add_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    held = _list(endpoint, name)
    _insert(held, len(held.items), items)
    return bool(items)


@answers("List.addWithIndex", backs_up=True)
def add_at(endpoint: Endpoint, name: str, item: bytes, index: int) -> None:
    _insert(_list(endpoint, name), index, [item])


@answers("List.addAllWithIndex", backs_up=True)
def add_all_at(endpoint: Endpoint, name: str, items: Sequence[bytes], index: int) -> bool:
    _insert(_list(endpoint, name), index, items)
    return bool(items)


@answers("List.get")
def get(endpoint: Endpoint, name: str, index: int) -> bytes:
    held = _list(endpoint, name)
    return held.items[_checked(held, index)]


@answers("List.set", backs_up=True)
def set_at(endpoint: Endpoint, name: str, item: bytes, index: int) -> bytes:
    held = _list(endpoint, name)
    before = held.items[_checked(held, index)]
    held.items[index] = item
    _tell(held, ItemEventType.REMOVED, [before])
    _tell(held, ItemEventType.ADDED, [item])
    return before


@answers("List.remove", backs_up=True)
def remove(endpoint: Endpoint, name: str, item: bytes) -> bool:
    held = _list(endpoint, name)
    if item not in held.items:
        return False
    _take(held, held.items.index(item))
    return True


@answers("List.removeWithIndex", backs_up=True)
def remove_at(endpoint: Endpoint, name: str, index: int) -> bytes:
    held = _list(endpoint, name)
    return _take(held, _checked(held, index))


@answers("List.compareAndRemoveAll", backs_up=True)
def remove_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    return _keep(_list(endpoint, name), lambda item: item not in items)


@answers("List.compareAndRetainAll", backs_up=True)
def retain_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    return _keep(_list(endpoint, name), lambda item: item in items)


@answers("List.clear", backs_up=True)
def clear(endpoint: Endpoint, name: str) -> None:
    _keep(_list(endpoint, name), lambda item: False)


@answers("List.getAll", "List.iterator")
def get_all(endpoint: Endpoint, name: str) -> list[bytes]:
    return list(_list(endpoint, name).items)


@answers("List.listIterator")
def list_iterator(endpoint: Endpoint, name: str, index: int) -> list[bytes]:
    held = _list(endpoint, name)
    if not 0 <= index <= len(held.items):
        raise IndexOutOfBounds(f"Index: {index}, Size: {len(held.items)}")
    return held.items[index:]


@answers("List.sub")
def sub(endpoint: Endpoint, name: str, start: int, end: int) -> list[bytes]:
    held = _list(endpoint, name)
    if start < 0:
        raise IndexOutOfBounds(f"fromIndex = {start}")
    if end > len(held.items):
        raise IndexOutOfBounds(f"toIndex = {end}")
    return held.items[start:end]


@answers("List.indexOf")
def index_of(endpoint: Endpoint, name: str, item: bytes) -> int:
    held = _list(endpoint, name)
    return held.items.index(item) if item in held.items else -1


@answers("List.lastIndexOf")
def last_index_of(endpoint: Endpoint, name: str, item: bytes) -> int:
    held = _list(endpoint, name)
    places = [place for place, found in enumerate(held.items) if found == item]
    return places[-1] if places else -1


@answers("List.addListener")
def add_listener(endpoint: Endpoint, name: str, include_value: bool, local_only: bool) -> UUID:
    held = _list(endpoint, name)
    return listen_to_items(
        endpoint,
        held.listeners,
        held.partition,
        _ITEM,
        include_value=include_value,
        local_only=local_only,
    )


@answers("List.removeListener")
def remove_listener(endpoint: Endpoint, _name: str, registration: UUID | None) -> bool:
    return endpoint.deregister(registration)
