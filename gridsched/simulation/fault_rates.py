"""How often what goes wrong in a simulation, by the kinds that a user names."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from gridsched.errors import ConfigurationError
from gridsched.grid.faults import Rates


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
