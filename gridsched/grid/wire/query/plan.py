"""Where to look for the entries that a predicate matches: which partitions, and by which indexes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from gridsched.grid.embedded.maps import DistributedMap
from gridsched.grid.embedded.query import Range
from gridsched.grid.wire.query.attributes import KEY, THIS, Entry
from gridsched.grid.wire.query.input import Schemas
from gridsched.grid.wire.query.predicate_reader import read_predicate
from gridsched.grid.wire.query.predicates import (
    All,
    Always,
    Between,
    Compare,
    Equal,
    InPartitions,
    Match,
    Predicate,
    matcher,
)

Row = tuple[bytes, bytes]
"""A key and its value, both Data."""

_PLAIN: Final = re.compile(r"[^.\[\]#]+")
BATCH: Final = 64
"""Entries that are looked at between two looks at the clock."""
_INFINITY: Final = float("inf")


def select(held: DistributedMap, data: bytes | None, schemas: Schemas) -> Iterator[list[Row]]:
    """The entries of a map that match a serialized predicate; every one where there is none.

    They come in batches, each of which takes a moment; they are those that were there at the first.
    """
    rows, match = _candidates(held, Always(True) if data is None else read_predicate(data, schemas))
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        yield batch if match is None else [row for row in batch if match(Entry(*row, schemas))]


def _candidates(held: DistributedMap, predicate: Predicate) -> tuple[list[Row], Match | None]:
    """Entries among which are all that match a predicate, and what tells them from the others."""
    partitions: Iterable[int] | None = None
    if isinstance(predicate, InPartitions):
        partitions, predicate = predicate.partitions, predicate.predicate
    if isinstance(predicate, Always):
        return held.entries(partitions) if predicate.matches else [], None
    ranges = (_ranges(predicate) if held.only_json else None) or []
    probes = [wanted for wanted in ranges if _is_served(held, wanted)]
    if probes:
        rows = held.query(probes, partitions)
        if len(probes) == len(ranges) and _is_closed(predicate):
            return rows, None
    else:
        rows = held.entries(partitions)
    return rows, matcher(predicate)


def _is_served(held: DistributedMap, wanted: Range) -> bool:
    """Whether an index finds the range: where it holds values of the other type it does not.

    Literals are converted to the type of what an entry holds; the values of one attribute are of
    one type.
    """
    if wanted.attribute not in held.indexed:
        return False
    sample = held.sample(wanted.attribute)
    return sample is None or isinstance(sample, str) == isinstance(wanted.low, str)


def _ranges(predicate: Predicate) -> list[Range] | None:
    """The predicate as ranges that hold at least what it matches; None where it is no such one."""
    if isinstance(predicate, All):
        found: list[Range] = []
        for inner in predicate.predicates:
            ranges = _ranges(inner)
            if ranges is None:
                return None
            found += ranges
        return found
    wanted = _range(predicate)
    if wanted is None or wanted.attribute in (KEY, THIS) or not _PLAIN.fullmatch(wanted.attribute):
        return None
    return [wanted]


def _range(predicate: Predicate) -> Range | None:
    if isinstance(predicate, Equal) and _is_indexable(predicate.value):
        return Range(predicate.attribute, predicate.value, predicate.value)
    if isinstance(predicate, Between) and _alike(predicate.low, predicate.high):
        return Range(*predicate)
    if isinstance(predicate, Compare) and type(predicate.value) is int:
        if predicate.less:
            return Range(predicate.attribute, -_INFINITY, predicate.value)
        return Range(predicate.attribute, predicate.value, _INFINITY)
    return None


def _alike(low: Any, high: Any) -> bool:
    return _is_indexable(low) and _is_indexable(high) and type(low) is type(high)


def _is_indexable(value: Any) -> bool:
    return type(value) in (str, int)


def _is_closed(predicate: Predicate) -> bool:
    """Whether the ranges of the predicate hold exactly what it matches."""
    if isinstance(predicate, All):
        return all(map(_is_closed, predicate.predicates))
    return not isinstance(predicate, Compare) or predicate.equal
