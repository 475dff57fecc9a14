"""A query on one map, prepared once and run in each of its partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gridsched.grid.embedded.attributes import Attribute, extractor
from gridsched.grid.embedded.index import Index


class Range(NamedTuple):
    """A condition: `low` <= `attribute` <= `high`. Equality is a range with one value in it."""

    attribute: str
    low: Attribute
    high: Attribute


class Query:
    """A conjunction of ranges; with none of them every entry matches.

    `probes` are the ranges that indexes answer, each with the place of its index; `exact` says that
    what an index finds needs no further look.
    """

    __slots__ = ("_extract", "_ranges", "exact", "probes")

    def __init__(self, ranges: Sequence[Range], indexes: Mapping[str, type[Index]]) -> None:
        places = {attribute: place for place, attribute in enumerate(indexes)}
        names = tuple(dict.fromkeys(wanted.attribute for wanted in ranges))
        self._extract = extractor(names)
        self._ranges = [
            (names.index(attribute), low, high, type(low) is str) for attribute, low, high in ranges
        ]
        self.probes = [
            (places[attribute], low, high)
            for attribute, low, high in ranges
            if attribute in places and indexes[attribute].answers(low, high)
        ]
        self.exact = len(ranges) == len(self.probes) < 2

    def matches(self, value: bytes) -> bool:
        """Whether a value has every attribute asked for, in its range."""
        attributes = self._extract(value)
        for place, low, high, text in self._ranges:
            held = attributes[place]
            if held is None or (type(held) is str) is not text:
                return False
            if not low <= held <= high:  # type: ignore[operator]
                return False
        return True
