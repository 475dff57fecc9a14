"""The requests of a map that ask for many entries, and its indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridsched.grid.wire.config import IndexConfig
from gridsched.grid.wire.operations.registry import answers
from gridsched.grid.wire.query.plan import select
from gridsched.grid.wire.services import index_kinds

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

Row = tuple[bytes, bytes]

_INDEX_TYPES = ("SORTED", "HASH", "BITMAP")


def rows_of(endpoint: Endpoint, name: str, predicate: bytes | None = None) -> list[Row]:
    """The entries that match a serialized predicate; every one where there is none."""
    services = endpoint.services
    return select(services.map(name), predicate, services.schemas)


@answers("Map.keySet", "Map.keySetWithPredicate")
def key_set(endpoint: Endpoint, name: str, predicate: bytes | None = None) -> list[bytes]:
    return [key for key, _ in rows_of(endpoint, name, predicate)]


@answers("Map.values", "Map.valuesWithPredicate")
def values(endpoint: Endpoint, name: str, predicate: bytes | None = None) -> list[bytes]:
    return [value for _, value in rows_of(endpoint, name, predicate)]


@answers("Map.entrySet", "Map.entriesWithPredicate")
def entry_set(endpoint: Endpoint, name: str, predicate: bytes | None = None) -> list[Row]:
    return rows_of(endpoint, name, predicate)


@answers("Map.removeAll", backs_up=True)
def remove_all(endpoint: Endpoint, name: str, predicate: bytes) -> None:
    """Locked entries go as well, as they do on a member."""
    held = endpoint.services.map(name)
    for key, _ in rows_of(endpoint, name, predicate):
        held.remove(key)


@answers("Map.addIndex")
def add_index(endpoint: Endpoint, name: str, config: tuple[Any, ...]) -> None:
    _name, type, attributes, _bitmap = config
    index = IndexConfig(tuple(attributes), _INDEX_TYPES[type])
    endpoint.services.map(name).add_indexes(index_kinds([index]))
