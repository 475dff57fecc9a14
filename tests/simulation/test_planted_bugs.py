"""Every planted bug is found, and for each there is a seed."""

from __future__ import annotations

import pytest
from planted_bugs import BUGS

from gridsched.simulation.run import simulate
from gridsched.simulation.scenario import Scenario

SEEDS = range(1, 201)
KNOWN = {"delete_without_cancelling": 10, "others_decision_ignored": 4}
"""Seeds that have found it before, and are tried first."""

SECONDS = 420.0


@pytest.mark.parametrize("name", BUGS)
def test_a_simulation_finds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[name](monkeypatch)
    seeds = (KNOWN.get(name, 1), *SEEDS)
    reports = (simulate(Scenario(seed=seed, seconds=SECONDS)) for seed in seeds)
    assert any(report.violations for report in reports)


def test_without_a_bug_nothing_is_found() -> None:
    """The same seeds as those that find the bugs: they find them, not something else."""
    for seed in range(1, 5):
        assert simulate(Scenario(seed=seed, seconds=SECONDS)).violations == ()
