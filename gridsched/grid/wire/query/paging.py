"""Pages of what a predicate matches, in the natural order of keys or values.

A client sends with each page the anchors it knows: for some pages the last entry of each. The
member looks after the anchor nearest to the page, and sends back those that it has found.
Source: PagingPredicateImpl and SortingUtil.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any, Final, NamedTuple

from gridsched.grid.wire.errors import IllegalArgument, UnsupportedOperation
from gridsched.grid.wire.query.attributes import Entry
from gridsched.grid.wire.query.comparison import order
from gridsched.grid.wire.query.input import Schemas
from gridsched.grid.wire.query.plan import Row

KEY: Final = 0
VALUE: Final = 1
ENTRY: Final = 2

_NO_OBJECT: Final = b"\0\0\0\0"


class Anchor(NamedTuple):
    """The last entry of a page."""

    page: int
    row: Row


class Page(NamedTuple):
    rows: list[Row]
    anchors: list[Anchor]


class PagingPredicate(NamedTuple):
    """As clients send it; `by` is what they iterate over: KEY, VALUE or ENTRY."""

    anchors: list[Anchor]
    predicate: bytes | None
    comparator: bytes | None
    page_size: int
    page: int
    by: int


def paging_predicate(holder: Sequence[Any]) -> PagingPredicate:
    """From a PagingPredicateHolder."""
    (pages, rows), predicate, comparator, page_size, page, by, _partition_key = holder
    if comparator is not None and comparator[4:8] != _NO_OBJECT:
        raise UnsupportedOperation("a comparator is a class of the member's: there are none here")
    if page_size <= 0 or page < 0:
        raise IllegalArgument("a page needs a size above 0 and a number of at least 0")
    anchors = [Anchor(*pair) for pair in zip(pages, rows, strict=False)]
    absent = predicate is None or predicate[4:8] == _NO_OBJECT
    return PagingPredicate(anchors, None if absent else predicate, comparator, page_size, page, by)


def page_of(matching: Sequence[Row], wanted: PagingPredicate, schemas: Schemas) -> Page:
    """The rows of one page of those that match, and the anchors known after it."""
    compare = _order(wanted.by)
    rows = [Entry(*row, schemas) for row in matching]
    anchors = [anchor for anchor in wanted.anchors if anchor.page < wanted.page]
    nearest = max(anchors, key=lambda anchor: anchor.page, default=None)
    if nearest is not None:
        last = Entry(*nearest.row, schemas)
        rows = [row for row in rows if compare(row, last) > 0]
    rows.sort(key=cmp_to_key(compare))
    found = [(row.key_data, row.value_data) for row in rows]
    first_page = nearest.page + 1 if nearest else 0
    begin = (wanted.page - first_page) * wanted.page_size
    page = found[begin : begin + wanted.page_size]
    return Page(page, anchors + _anchors(found, first_page, wanted))


def _anchors(rows: Sequence[Row], first_page: int, wanted: PagingPredicate) -> list[Anchor]:
    """The last entry of each page up to the wanted one, as far as there are entries."""
    found = []
    for page in range(first_page, wanted.page + 1):
        end = (page - first_page + 1) * wanted.page_size
        if end - wanted.page_size >= len(rows):
            break
        found.append(Anchor(page, rows[min(end, len(rows)) - 1]))
    return found


def _order(by: int) -> Callable[[Entry, Entry], int]:
    """Values alone order by value, with the key for those that are alike; all else by key."""
    if by == VALUE:
        return lambda left, right: order(left.value, right.value) or _by_key(left, right)
    return _by_key


def _by_key(left: Entry, right: Entry) -> int:
    return order(left.key, right.key)
