"""The requests of a map that answer less than its entries: pages, aggregates, projections, views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from gridsched.grid.embedded.eviction import NOT_KEPT, BoundedMap
from gridsched.grid.embedded.mapstore import FOREVER
from gridsched.grid.wire.keys import key_of
from gridsched.grid.wire.operations.map_queries import rows_of
from gridsched.grid.wire.operations.registry import answers
from gridsched.grid.wire.query.aggregators import aggregate
from gridsched.grid.wire.query.attributes import Entry
from gridsched.grid.wire.query.paging import Page, page_of, paging_predicate
from gridsched.grid.wire.query.projections import projection

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

Anchors = tuple[list[int], list[tuple[bytes, bytes]]]

_ENTRY_COST: Final = 32


@answers("Map.keySetWithPagingPredicate")
def page_of_keys(
    endpoint: Endpoint, name: str, holder: Sequence[Any]
) -> tuple[list[bytes], Anchors]:
    page = _page(endpoint, name, holder)
    return [key for key, _ in page.rows], _anchors(page)


@answers("Map.valuesWithPagingPredicate")
def page_of_values(
    endpoint: Endpoint, name: str, holder: Sequence[Any]
) -> tuple[list[bytes], Anchors]:
    page = _page(endpoint, name, holder)
    return [value for _, value in page.rows], _anchors(page)


@answers("Map.entriesWithPagingPredicate")
def page_of_entries(
    endpoint: Endpoint, name: str, holder: Sequence[Any]
) -> tuple[list[tuple[bytes, bytes]], Anchors]:
    page = _page(endpoint, name, holder)
    return page.rows, _anchors(page)


def _page(endpoint: Endpoint, name: str, holder: Sequence[Any]) -> Page:
    services = endpoint.services
    return page_of(services.map(name), paging_predicate(holder), services.schemas)


def _anchors(page: Page) -> Anchors:
    return [anchor.page for anchor in page.anchors], [anchor.row for anchor in page.anchors]


@answers("Map.aggregate", "Map.aggregateWithPredicate")
def aggregated(
    endpoint: Endpoint, name: str, aggregator: bytes, predicate: bytes | None = None
) -> bytes:
    return aggregate(aggregator, _entries(endpoint, name, predicate), endpoint.services.schemas)


@answers("Map.project", "Map.projectWithPredicate")
def projected(
    endpoint: Endpoint, name: str, projector: bytes, predicate: bytes | None = None
) -> list[bytes | None]:
    project = projection(projector, endpoint.services.schemas)
    return [project(entry) for entry in _entries(endpoint, name, predicate)]


def _entries(endpoint: Endpoint, name: str, predicate: bytes | None) -> list[Entry]:
    schemas = endpoint.services.schemas
    return [Entry(*row, schemas) for row in rows_of(endpoint, name, predicate)]


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
