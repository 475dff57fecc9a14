"""What a simulation is given: who takes part, for how long, and what goes wrong how often."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from gridsched.config.settings import Settings
from gridsched.config.smtp import Smtp
from gridsched.errors import ConfigurationError
from gridsched.grid.faults import Rates
from gridsched.model.caches import CacheSettings
from gridsched.simulation.jobs import TARGET, THREAD_TARGET
from gridsched.simulation.virtual_time import START


class FaultRates(msgspec.Struct, frozen=True):
    """How often things go wrong. Rates of hosts are for each host and hour; times are in seconds.

    crashes        a node dies and is started again within `longest_outage`
    stalls         a node stands still (SIGSTOP) for up to `longest_stall`, and goes on
    restarts       a node is stopped in order, and started again
    cuts           a node is cut off from the grid for up to `longest_outage`
    clock_jumps    a node's wall clock is set, to at most `skew` from the true one
    member_crashes a grid member dies with its replicas, and another joins
    grid           what goes wrong with single calls, events and queue items, of nodes and clients
    """

    crashes: float = 0.0
    stalls: float = 0.0
    restarts: float = 0.0
    cuts: float = 0.0
    clock_jumps: float = 0.0
    member_crashes: float = 0.0
    longest_outage: float = 30.0
    longest_stall: float = 100.0
    skew: float = 0.0
    grid: Rates = Rates()


NO_FAULTS: Final = FaultRates()

ALL_FAULTS: Final = FaultRates(
    crashes=12,
    stalls=12,
    restarts=6,
    cuts=12,
    clock_jumps=6,
    member_crashes=12,
    skew=0.5,
    grid=Rates(
        delayed=0.3,
        longest_delay=3.0,
        unavailable=0.005,
        unknown=0.01,
        lost_events=0.1,
        late_events=0.1,
        doubled_events=0.1,
        lost_items=0.02,
        duplicated_items=0.02,
    ),
)

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "crash": ("crashes",),
    "stall": ("stalls",),
    "restart": ("restarts",),
    "cut": ("cuts",),
    "clock": ("clock_jumps", "skew"),
    "member": ("member_crashes",),
    "slow": ("delayed", "longest_delay"),
    "fail": ("unavailable",),
    "unknown": ("unknown",),
    "events": ("lost_events", "late_events", "doubled_events"),
    "queues": ("lost_items", "duplicated_items"),
}
"""The kinds of faults by the name that a user gives, each with the rates it is made of."""


def faults_of(kinds: str) -> FaultRates:
    """The faults of "all", "none", or of kinds with commas between; ConfigurationError for others."""
    match kinds:
        case "all":
            names = [*KINDS]
        case "none":
            names = []
        case _:
            names = [name.strip() for name in kinds.split(",")]
    faults = NO_FAULTS
    for name in names:
        if name not in KINDS:
            raise ConfigurationError(
                f"no such kind of fault: {name!r}; all, none, or some of {', '.join(KINDS)}"
            )
        faults = with_kind(faults, name)
    return faults


def with_kind(faults: FaultRates, kind: str, source: FaultRates = ALL_FAULTS) -> FaultRates:
    """These faults with one kind as often as it is in `source`."""
    for rate in KINDS[kind]:
        if rate in Rates.__struct_fields__:
            grid = replace(faults.grid, **{rate: getattr(source.grid, rate)})
            faults = replace(faults, grid=grid)
        else:
            faults = replace(faults, **{rate: getattr(source, rate)})
    return faults


def kinds_of(faults: FaultRates) -> str:
    """What `faults_of` is given for these faults, each kind of which is as in `ALL_FAULTS` or none."""
    found = [name for name in KINDS if with_kind(faults, name, NO_FAULTS) != faults]
    return "all" if len(found) == len(KINDS) else ",".join(found) or "none"


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
