"""From a scenario that broke a rule to a smaller one that still does: fewer faults, fewer triggers."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from gridsched.simulation.run import Report, simulate
from gridsched.simulation.scenario import KINDS, NO_FAULTS, Scenario, with_kind


def shrink(report: Report) -> Report:
    """The smallest report found, by one change after the other, that breaks the same rule as the
    first violation of this one. Every change makes another history, so this is a search, not a cut."""
    rule = report.violations[0].rule
    smallest = report
    found = True
    while found:
        found = False
        for smaller in _smaller(smallest.scenario):
            tried = simulate(smaller)
            if any(violation.rule == rule for violation in tried.violations):
                smallest, found = tried, True
                break
    return smallest


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    for kind in KINDS:
        calmer = with_kind(scenario.faults, kind, NO_FAULTS)
        if calmer != scenario.faults:
            yield replace(scenario, faults=calmer)
    if scenario.commands:
        yield replace(scenario, commands=0)
    if scenario.triggers > 1:
        yield replace(scenario, triggers=scenario.triggers // 2)
    if scenario.nodes > 1:
        yield replace(scenario, nodes=scenario.nodes - 1)
    span = scenario.seconds - scenario.calm
    if span > 30:
        yield replace(scenario, seconds=scenario.calm + span / 2)
