"""Iteration over one partition of a map, a batch at a time.

An iteration pointer is where the next batch begins. The entries are taken in the order they came,
so one that is added meanwhile may be missed, and one is never seen twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.query.plan import Row

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

Pointers = Sequence[tuple[int, int]]

_TABLE_SIZE: Final = 2**31 - 1
_END: Final = -1


@answers("Map.fetchKeys")
def fetch_keys(
    endpoint: Endpoint, name: str, pointers: Pointers, batch: int
) -> tuple[Pointers, list[bytes]]:
    following, rows = _batch(endpoint, name, pointers, batch)
    return following, [key for key, _ in rows]


@answers("Map.fetchEntries")
def fetch_entries(
    endpoint: Endpoint, name: str, pointers: Pointers, batch: int
) -> tuple[Pointers, list[Row]]:
    return _batch(endpoint, name, pointers, batch)


def _batch(
    endpoint: Endpoint, name: str, pointers: Pointers, batch: int
) -> tuple[Pointers, list[Row]]:
    rows = endpoint.services.map(name).entries([endpoint.partition])
    at = pointers[-1][0] if pointers else 0
    begin = 0 if at in (_TABLE_SIZE, _END) else at
    end = begin + max(batch, 1)
    following = _END if end >= len(rows) else end
    return [*pointers[:-1], (following, _TABLE_SIZE)], rows[begin:end]
