"""The requests of a map that answer less than its entries: pages, aggregates, projections, views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from gridsched.grid.embedded.eviction import NOT_KEPT, BoundedMap
from gridsched.grid.embedded.mapstore import FOREVER
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.keys import key_of
from gridsched.grid.wire.operations.locking import Later
from gridsched.grid.wire.operations.map_queries import with_rows
from gridsched.grid.wire.operations.turns import in_turns
from gridsched.grid.wire.query.aggregators import Pair, aggregator
from gridsched.grid.wire.query.attributes import Entry
from gridsched.grid.wire.query.paging import Page, page_of, paging_predicate
from gridsched.grid.wire.query.plan import Row, select
from gridsched.grid.wire.query.projections import projection

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

Anchors = tuple[list[int], list[Row]]
Paged = tuple[list[Any], Anchors] | Later[tuple[list[Any], Anchors]]
"""A page, and the anchors known after it."""

_ENTRY_COST: Final = 32


@answers("Map.keySetWithPagingPredicate")
def page_of_keys(endpoint: Endpoint, name: str, holder: Sequence[Any]) -> Paged:
    return _page(endpoint, name, holder, lambda page: [key for key, _ in page.rows])


@answers("Map.valuesWithPagingPredicate")
def page_of_values(endpoint: Endpoint, name: str, holder: Sequence[Any]) -> Paged:
    return _page(endpoint, name, holder, lambda page: [value for _, value in page.rows])


@answers("Map.entriesWithPagingPredicate")
def page_of_entries(endpoint: Endpoint, name: str, holder: Sequence[Any]) -> Paged:
    return _page(endpoint, name, holder, lambda page: page.rows)


def _page(
    endpoint: Endpoint, name: str, holder: Sequence[Any], part: Callable[[Page], list[Any]]
) -> Paged:
    wanted, schemas = paging_predicate(holder), endpoint.services.schemas

    def answer(rows: list[Row]) -> tuple[list[Any], Anchors]:
        page = page_of(rows, wanted, schemas)
        return part(page), _anchors(page)

    return with_rows(endpoint, name, wanted.predicate, answer)


def _anchors(page: Page) -> Anchors:
    return [anchor.page for anchor in page.anchors], [anchor.row for anchor in page.anchors]


@answers("Map.aggregate", "Map.aggregateWithPredicate")
def aggregated(
    endpoint: Endpoint, name: str, data: bytes, predicate: bytes | None = None
) -> bytes | Later[bytes]:
    pairs, run = aggregator(data, endpoint.services.schemas)

    def work() -> Iterator[list[Pair]]:
        for entries in _entries(endpoint, name, predicate):
            yield [pair for entry in entries for pair in pairs(entry)]

    return in_turns(endpoint, work, run)


@answers("Map.project", "Map.projectWithPredicate")
def projected(
    endpoint: Endpoint, name: str, data: bytes, predicate: bytes | None = None
) -> list[bytes | None] | Later[list[bytes | None]]:
    project = projection(data, endpoint.services.schemas)

    def work() -> Iterator[list[bytes | None]]:
        for entries in _entries(endpoint, name, predicate):
            yield [project(entry) for entry in entries]

    return in_turns(endpoint, work, lambda found: found)


def _entries(endpoint: Endpoint, name: str, predicate: bytes | None) -> Iterator[list[Entry]]:
    services = endpoint.services
    for rows in select(services.map(name), predicate, services.schemas):
        yield [Entry(*row, services.schemas) for row in rows]


@answers("Map.getEntryView")
def entry_view(
    endpoint: Endpoint, name: str, key: bytes, _thread: int
) -> tuple[tuple[Any, ...] | None, int]:
    """The entry with its expiry and version.

    Its other statistics are not kept, but for the one by which its map evicts.
    """
    held, key = endpoint.services.map(name), key_of(key)
    value = held.peek(key)
    if value is None:
        return None, 0
    expiry = held.expiry_of(key)
    ttl, idle, at = (expiry.ttl, expiry.max_idle, expiry.at) if expiry else (FOREVER,) * 3
    written_at = expiry.written_at if expiry else NOT_KEPT
    hits, accessed_at = (NOT_KEPT, NOT_KEPT)
    if isinstance(held, BoundedMap):
        hits, accessed_at = held.statistics_of(key)
    cost = _ENTRY_COST + len(key) + len(value)
    fields = (NOT_KEPT, at, hits, accessed_at, NOT_KEPT, written_at, held.version_of(key))
    return (key, value, cost, *fields, ttl, idle), idle
