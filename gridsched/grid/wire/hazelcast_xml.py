"""Reads a hazelcast.xml: the parts that the grid knows, and warnings of all others.

Known are the cluster's name; of a map its backup-count, time-to-live-seconds, max-idle-seconds,
indexes, and eviction by the number of entries; of a queue its max-size; of a ringbuffer its capacity
and time-to-live-seconds. Elements are found by their local names, in whatever namespace.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from gridsched.errors import ConfigurationError
from gridsched.grid.embedded.eviction import Eviction, EvictionPolicy
from gridsched.grid.embedded.queues import UNBOUNDED
from gridsched.grid.wire.config import (
    INDEX_TYPES,
    GridConfig,
    IndexConfig,
    MapConfig,
    QueueConfig,
    RingbufferConfig,
)

MAX_BYTES: Final = 10_000_000
_MAX_BACKUPS: Final = 6
_MAX_INT: Final = 2**31 - 1
_MILLIS: Final = 1000
_EVICTION_POLICIES: Final = ("LRU", "LFU", "RANDOM", "NONE")
_MEMORY_POLICIES: Final = tuple(
    f"{what}_{measure}"
    for what in ("FREE_HEAP", "USED_HEAP", "FREE_NATIVE_MEMORY", "USED_NATIVE_MEMORY")
    for measure in ("PERCENTAGE", "SIZE")
)
_MAX_SIZE_POLICIES: Final = ("PER_NODE", "PER_PARTITION", *_MEMORY_POLICIES)
_MAP_ELEMENTS: Final = (
    "backup-count",
    "time-to-live-seconds",
    "max-idle-seconds",
    "eviction",
    "indexes",
)
_QUIET: Final = {"cluster-name", "instance-name", "network", "jet", "properties"}
"""What a grid alone in its process has no use for."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


def read_hazelcast_xml(config: str | Path) -> GridConfig:
    """The configuration in a file, or in the XML text itself.

    ConfigurationError, with its line, where it is not one.
    """
    from lxml import etree

    source, data = _read(config)
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"is above {MAX_BYTES // 1_000_000} MB", source=source)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ConfigurationError(f"no XML: {error.msg}", source=source, line=error.lineno) from None
    if _name(root) != "hazelcast":
        raise ConfigurationError(
            f"begins with <{_name(root)}>, not with <hazelcast>", source=source
        )
    return _Reader(source).config(root)


def _read(config: str | Path) -> tuple[str, bytes]:
    """What to call the configuration, and its bytes."""
    if isinstance(config, str) and config.lstrip().startswith("<"):
        return "hazelcast.xml", config.strip().encode()
    try:
        return str(config), Path(config).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", source=str(config)) from error


class _Reader:
    """Reads one file; takes note of what it does not know."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._unknown: dict[str, int] = {}

    def config(self, root: Any) -> GridConfig:
        name = next((_text(child) for child in _children(root, "cluster-name")), "") or "dev"
        found = GridConfig(
            name,
            any(child.get("enabled") == "true" for child in _children(root, "lite-member")),
            self._sections(root, "map", self._map),
            self._sections(root, "queue", self._queue),
            self._sections(root, "ringbuffer", self._ringbuffer),
        )
        self._note(root, _QUIET | {"lite-member", "map", "queue", "ringbuffer"})
        for path, line in self._unknown.items():
            _log.warning("%s:%d: <%s> has no effect here", self._source, line, path)
        return found

    def _sections(self, root: Any, kind: str, read: Callable[[Any], T]) -> dict[str, T]:
        return {child.get("name", "default"): read(child) for child in _children(root, kind)}

    def _map(self, section: Any) -> MapConfig:
        self._note(section, _MAP_ELEMENTS)
        return MapConfig(
            self._number(section, "backup-count", 1, most=_MAX_BACKUPS),
            self._number(section, "time-to-live-seconds", 0) * _MILLIS,
            self._number(section, "max-idle-seconds", 0) * _MILLIS,
            self._eviction(section),
            tuple(
                self._index(index)
                for indexes in _children(section, "indexes")
                for index in _children(indexes, "index")
            ),
        )

    def _eviction(self, section: Any) -> Eviction | None:
        """How the map is bounded. By the memory it takes it is not."""
        for child in _children(section, "eviction"):
            policy = self._choice(child, "eviction-policy", "NONE", _EVICTION_POLICIES)
            bound = self._choice(child, "max-size-policy", "PER_NODE", _MAX_SIZE_POLICIES)
            size = self._checked(child, child.get("size", "0"))
            if bound in _MEMORY_POLICIES:
                self._unknown.setdefault(f"map/eviction {bound}", child.sourceline)
            elif policy != "NONE" and size:
                return Eviction(size, EvictionPolicy(policy), bound == "PER_PARTITION")
        return None

    def _choice(self, element: Any, attribute: str, otherwise: str, of: Sequence[str]) -> str:
        chosen: str = element.get(attribute, otherwise).upper()
        if chosen not in of:
            raise self._wrong(element, f"{attribute} {chosen} is none of {', '.join(of)}")
        return chosen

    def _index(self, index: Any) -> IndexConfig:
        type = self._choice(index, "type", "SORTED", INDEX_TYPES)
        attributes = [
            _text(attribute)
            for held in _children(index, "attributes")
            for attribute in _children(held, "attribute")
        ]
        return IndexConfig(tuple(attributes), type)

    def _queue(self, section: Any) -> QueueConfig:
        self._note(section, {"max-size"})
        return QueueConfig(self._number(section, "max-size", 0) or UNBOUNDED)

    def _ringbuffer(self, section: Any) -> RingbufferConfig:
        self._note(section, {"capacity", "time-to-live-seconds"})
        return RingbufferConfig(
            self._number(section, "capacity", 10_000) or 1,
            self._number(section, "time-to-live-seconds", 0) * _MILLIS,
        )

    def _number(self, section: Any, name: str, otherwise: int, most: int = _MAX_INT) -> int:
        for child in _children(section, name):
            return self._checked(child, _text(child), most)
        return otherwise

    def _checked(self, element: Any, text: str, most: int = _MAX_INT) -> int:
        if not text.isascii() or not text.isdigit() or int(text) > most:
            raise self._wrong(element, f"{text!r} is no number from 0 to {most}")
        return int(text)

    def _note(self, section: Any, known: Iterable[str]) -> None:
        for child in _children(section):
            if _name(child) not in known:
                self._unknown.setdefault(f"{_name(section)}/{_name(child)}", child.sourceline)

    def _wrong(self, element: Any, why: str) -> ConfigurationError:
        where = f"<{_name(element)}>: {why}"
        return ConfigurationError(where, source=self._source, line=element.sourceline)


def _children(element: Any, name: str | None = None) -> list[Any]:
    """The child elements, of that name where one is given; comments are none."""
    elements = [child for child in element if isinstance(child.tag, str)]
    return [child for child in elements if name is None or _name(child) == name]


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: Any) -> str:
    return (element.text or "").strip()
