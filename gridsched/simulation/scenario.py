"""What a simulation is given: who takes part, for how long, and what goes wrong."""

from __future__ import annotations

from typing import Final

import msgspec

from gridsched.config.settings import Settings
from gridsched.config.smtp import Smtp
from gridsched.model.caches import CacheSettings
from gridsched.simulation.fault_rates import ALL_FAULTS, FaultRates
from gridsched.simulation.jobs import TARGET, THREAD_TARGET
from gridsched.simulation.virtual_time import START

_FOR_EVER: Final = 100 * 365 * 86_400_000

SIMULATED: Final = Settings(
    name="simulated",
    allowed_jobs=(TARGET, THREAD_TARGET),
    queue_capacity=20,
    poll_interval_ms=2000,
    look_ahead_ms=5000,
    session_timeout_ms=10_000,
    misfire_threshold_ms=20_000,
    caches=CacheSettings(firing_retention_ms=_FOR_EVER, trigger_retention_ms=_FOR_EVER),
    smtp=Smtp(host="simulated.example", sender="gridsched@simulated.example"),
)
"""A node as simulations run it: it looks less often than one that is to be quick, so that more of
what happens fits into a second. What is final stays for the checker."""


class Scenario(msgspec.Struct, frozen=True):
    """One simulation. The same one is always the same, to the last byte.

    seconds   of virtual time in all; for the last `calm` of them nothing goes wrong
    start     what the clocks say at its begin, epoch ms
    triggers  made by the workload generator, with so many `commands` about them afterwards
    settings  of the nodes, with startup jobs that are simulated beside the generated ones

    What is left of one that is reduced (see `simulation.shrink`):

    only      the elements of its plan that are carried out, by name; None: all
    cut       the calm comes already after so many seconds
    shuffle   another order of what is ready, and other faults of single calls, for the same plan
    """

    seed: int = 1
    nodes: int = 5
    members: int = 3
    triggers: int = 200
    seconds: float = 600.0
    calm: float = 120.0
    start: int = START
    commands: int = 45
    faults: FaultRates = ALL_FAULTS
    settings: Settings = SIMULATED
    only: tuple[str, ...] | None = None
    cut: float | None = None
    shuffle: int = 0

    @property
    def span(self) -> float:
        """The seconds that the plan is made for: all but the calm."""
        return self.seconds - self.calm

    @property
    def trouble(self) -> float:
        """The seconds until the calm."""
        return self.span if self.cut is None else min(self.cut, self.span)

    def keeps(self, element: str) -> bool:
        """Is this element of the plan carried out?"""
        return self.only is None or element in self.only
