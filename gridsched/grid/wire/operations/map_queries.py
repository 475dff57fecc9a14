"""The requests of a map that ask for many entries, and its indexes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.config import INDEX_TYPES, IndexConfig
from gridsched.grid.wire.operations.locking import Later
from gridsched.grid.wire.operations.turns import in_turns
from gridsched.grid.wire.query.plan import Row, select
from gridsched.grid.wire.services import index_kinds

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

T = TypeVar("T")


def with_rows(
    endpoint: Endpoint, name: str, predicate: bytes | None, then: Callable[[list[Row]], T]
) -> T | Later[T]:
    """`then` of the entries that match a serialized predicate; of all where there is none."""
    services = endpoint.services
    held = services.map(name)
    return in_turns(endpoint, lambda: select(held, predicate, services.schemas), then)


@answers("Map.keySet", "Map.keySetWithPredicate")
def key_set(
    endpoint: Endpoint, name: str, predicate: bytes | None = None
) -> list[bytes] | Later[list[bytes]]:
    return with_rows(endpoint, name, predicate, lambda rows: [key for key, _ in rows])


@answers("Map.values", "Map.valuesWithPredicate")
def values(
    endpoint: Endpoint, name: str, predicate: bytes | None = None
) -> list[bytes] | Later[list[bytes]]:
    return with_rows(endpoint, name, predicate, lambda rows: [value for _, value in rows])


@answers("Map.entrySet", "Map.entriesWithPredicate")
def entry_set(
    endpoint: Endpoint, name: str, predicate: bytes | None = None
) -> list[Row] | Later[list[Row]]:
    return with_rows(endpoint, name, predicate, lambda rows: rows)


@answers("Map.removeAll", backs_up=True)
def remove_all(endpoint: Endpoint, name: str, predicate: bytes) -> Later[None] | None:
    """Locked entries go as well, as they do on a member; what has changed meanwhile stays."""
    held = endpoint.services.map(name)

    def remove(rows: list[Row]) -> None:
        for key, value in rows:
            if held.peek(key) == value:
                held.remove(key)

    return with_rows(endpoint, name, predicate, remove)


@answers("Map.addIndex")
def add_index(endpoint: Endpoint, name: str, config: tuple[Any, ...]) -> None:
    _name, type, attributes, _bitmap = config
    index = IndexConfig(tuple(attributes), INDEX_TYPES[type])
    endpoint.services.map(name).add_indexes(index_kinds([index]))
