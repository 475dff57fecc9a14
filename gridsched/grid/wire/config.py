"""How the grid is configured: what a Hazelcast member reads from its hazelcast.xml.

A map or queue is configured by the section that its name matches: exactly, or by the pattern with
one `*` that shares the longest beginning with it (MatchingPointConfigPatternMatcher), else
by the section `default`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from gridsched.grid.embedded.eviction import Eviction
from gridsched.grid.embedded.queues import UNBOUNDED

INDEX_TYPES: Final = ("SORTED", "HASH", "BITMAP")
"""In the order of Hazelcast's IndexType."""


class IndexConfig(msgspec.Struct, frozen=True):
    """An index of a map: on its attributes, SORTED, HASH or BITMAP."""

    attributes: tuple[str, ...]
    type: str = "SORTED"


class MapConfig(msgspec.Struct, frozen=True):
    """Times are milliseconds; 0 is for ever. Without `eviction` the map is not bounded."""

    backup_count: int = 1
    ttl_ms: int = 0
    max_idle_ms: int = 0
    eviction: Eviction | None = None
    indexes: tuple[IndexConfig, ...] = ()


class QueueConfig(msgspec.Struct, frozen=True):
    """`max_size` bounds the queue; UNBOUNDED where it does not."""

    max_size: int = UNBOUNDED


class RingbufferConfig(msgspec.Struct, frozen=True):
    """`capacity` items are kept, for `ttl_ms` each; 0 is for ever."""

    capacity: int = 10_000
    ttl_ms: int = 0


class GridConfig(msgspec.Struct, frozen=True):
    """The sections by name or pattern. Lite members say that they are, and hold data all the same."""

    cluster_name: str = "dev"
    lite_member: bool = False
    maps: Mapping[str, MapConfig] = {}
    queues: Mapping[str, QueueConfig] = {}
    ringbuffers: Mapping[str, RingbufferConfig] = {}

    def map(self, name: str) -> MapConfig:
        return _section(self.maps, name, MapConfig())

    def queue(self, name: str) -> QueueConfig:
        return _section(self.queues, name, QueueConfig())

    def ringbuffer(self, name: str) -> RingbufferConfig:
        return _section(self.ringbuffers, name, RingbufferConfig())


T = TypeVar("T")


def _section(sections: Mapping[str, T], name: str, otherwise: T) -> T:
    if name in sections:
        return sections[name]
    matching = [pattern for pattern in sections if _matches(pattern, name)]
    if matching:
        return sections[max(matching, key=lambda pattern: pattern.index("*"))]
    return sections.get("default", otherwise)


def _matches(pattern: str, name: str) -> bool:
    start, star, end = pattern.partition("*")
    longest = len(start) + len(end)
    return bool(star) and len(name) >= longest and name.startswith(start) and name.endswith(end)
