"""The plan of a simulation: all that is to be asked for and to go wrong, as elements with names.

An element is the same whichever others are left out, so that a history can be reduced: `trigger-17`
schedules that trigger with its job, `command-3` is the users' third command about one,
`crash-2.5` the fifth crash of node-2.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gridsched.simulation.chaos import on_clock, on_host, on_members
from gridsched.simulation.drawing import draw_job
from gridsched.simulation.hosts import chance
from gridsched.simulation.scenario import Scenario
from gridsched.simulation.workload import Wish, wishes


def wishes_of(scenario: Scenario) -> Iterator[Wish]:
    """All that users are to ask for, in order."""
    return wishes(
        partial(chance, scenario.seed),
        draw_job,
        scenario.triggers,
        scenario.commands,
        begin=scenario.start,
        span=scenario.span,
        seconds=0.85 * scenario.span,
    )


def elements(scenario: Scenario) -> tuple[str, ...]:
    """The names of the elements that are carried out before the calm: troubles, then what users ask
    for, each in order."""
    draw, faults, until = partial(chance, scenario.seed), scenario.faults, scenario.span
    named = [(stroke.at, stroke.name) for stroke in on_members(draw, faults, until)]
    for number in range(scenario.nodes):
        for strokes in (on_host, on_clock):
            named += [(each.at, each.name) for each in strokes(draw, faults, number, until)]
    named += [(wish.at, wish.name) for wish in wishes_of(scenario)]
    return tuple(name for at, name in named if at < scenario.trouble and scenario.keeps(name))
