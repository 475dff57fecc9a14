"""Every planted bug is found, and for each there is a seed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pytest
from planted_bugs import BUGS

from gridsched.simulation.facts import Violation
from gridsched.simulation.run import simulate
from gridsched.simulation.scenario import Scenario

SEEDS = range(1, 201)
KNOWN = {
    "delete_without_cancelling": 5,
    "events_not_waited_for": 5,
    "others_decision_ignored": 12,
    "owner_change_ignored": 2,
    "replaced_schedule_goes_on": 20,
}
"""Seeds that have found it before, and are tried first."""

SECONDS = 420.0


@pytest.mark.parametrize("name", BUGS)
def test_a_simulation_finds(name: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        BUGS[name](monkeypatch)
        seed = found_on((KNOWN.get(name, 1), *SEEDS))
    assert seed is not None
    assert violations_without_a_bug(seed) == (), "that seed finds something else too"


def found_on(seeds: Iterable[int]) -> int | None:
    """The first of the seeds on which a rule is broken."""
    return next((seed for seed in seeds if violations(seed)), None)


def violations(seed: int) -> tuple[Violation, ...]:
    return simulate(Scenario(seed=seed, seconds=SECONDS)).violations


@cache
def violations_without_a_bug(seed: int) -> tuple[Violation, ...]:
    """What the code breaks as it is. It is simulated once for all bugs that a seed finds."""
    return violations(seed)
