"""Settling writes of unknown outcome: they are read back, never assumed.

A member that dies under a call leaves its outcome unknown: it may have been applied on a backup or
not at all. Records name their writer (member, attempt, time), so finding the new value in the map
means that this write was applied.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridsched.errors import UnknownOutcome
from gridsched.grid.port import Change, GridMap, Outcome

TRIES = 5
"""How often a change is sent again when its outcome is unknown and it was not applied."""


async def settle(target: GridMap, changes: Sequence[Change]) -> list[bool]:
    """Apply a batch; True for each change that is applied, whoever's answer was lost.

    UnknownOutcome where a change is still unknown after `TRIES` tries.
    """
    outcomes = await target.compare_and_set(changes)
    if Outcome.UNKNOWN not in outcomes:
        return [outcome is Outcome.APPLIED for outcome in outcomes]
    return [
        await _read_back(target, change) if outcome is Outcome.UNKNOWN else outcome is Outcome.APPLIED
        for change, outcome in zip(changes, outcomes, strict=True)
    ]


async def _read_back(target: GridMap, change: Change) -> bool:
    for _ in range(TRIES):
        found = await target.get(change.key)
        if found == change.new:
            return True
        if found != change.old:
            return False
        (outcome,) = await target.compare_and_set([change])
        if outcome is not Outcome.UNKNOWN:
            return outcome is Outcome.APPLIED
    raise UnknownOutcome(f"a write to map {target.name} has no known outcome after {TRIES} tries")
