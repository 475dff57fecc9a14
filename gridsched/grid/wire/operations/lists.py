"""The requests of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gridsched.grid.embedded.queues import ItemEventType
from gridsched.grid.embedded.structures import ListStructure
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.errors import IndexOutOfBounds
from gridsched.grid.wire.operations.items import answer_common

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

SERVICE: Final = "hz:impl:listService"


def _list(endpoint: Endpoint, name: str) -> ListStructure:
    return endpoint.services.cluster.other(SERVICE, name, ListStructure)


answer_common("List", _list)


def _insert(held: ListStructure, index: int, items: Sequence[bytes]) -> None:
    if not 0 <= index <= len(held.items):
        raise IndexOutOfBounds(f"Index: {index}, Size: {len(held.items)}")
    held.items[index:index] = items
    held.tell(ItemEventType.ADDED, items)


def _take(held: ListStructure, index: int) -> bytes:
    item = held.items.pop(index)
    held.tell(ItemEventType.REMOVED, [item])
    return item


def _checked(held: ListStructure, index: int) -> int:
    if not 0 <= index < len(held.items):
        raise IndexOutOfBounds(f"Index {index} out of bounds for length {len(held.items)}")
    return index


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
    held.tell(ItemEventType.REMOVED, [before])
    held.tell(ItemEventType.ADDED, [item])
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


@answers("List.iterator")
def iterator(endpoint: Endpoint, name: str) -> list[bytes]:
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
