"""What each request does, one module a service."""

from __future__ import annotations

from importlib import import_module
from typing import Final

_MODULES: Final = (
    "clients",
    "maps",
    "map_locks",
    "map_queries",
    "map_listeners",
    "queues",
    "topics",
    "lists",
    "sets",
    "multimaps",
    "replicated_maps",
    "ringbuffers",
    "counters",
    "map_results",
    "map_iterators",
    "near_caches",
)


def load() -> None:
    """Register every handler."""
    for module in _MODULES:
        import_module(f"gridsched.grid.wire.operations.{module}")
