"""What every part of a node needs: who it is, its settings, its caches, its clock."""

from __future__ import annotations

from typing import NamedTuple

from gridsched.clock import Clock
from gridsched.config.settings import Settings
from gridsched.jobs.runnable import Runnables
from gridsched.node.hooks import Hooks
from gridsched.node.machine import Machine
from gridsched.stores.caches import Caches


class Counters:
    """What a node has done since it started. All but `dropped` stand in its Membership record."""

    __slots__ = (
        "completed",
        "dropped",
        "failed",
        "mended",
        "stale",
        "started",
    )

    def __init__(self) -> None:
        self.started = 0
        self.completed = 0
        self.failed = 0
        self.dropped = 0
        self.stale = 0
        self.mended = 0


class Core(NamedTuple):
    """Shared by the services of one node. `incarnation` is new at every start of the node."""

    name: str
    incarnation: str
    settings: Settings
    caches: Caches
    clock: Clock
    machine: Machine
    runnables: Runnables
    hooks: Hooks
    counters: Counters

    @property
    def lease(self) -> int:
        """How long (ms) a firing that has not moved on is left before its owner looks again."""
        return 2 * self.settings.session_timeout_ms
