"""From a history that broke a rule to a short one that breaks it in the same way.

The plan is reduced by delta debugging over its elements; what has no elements (nodes, the time, kinds of
faults of single calls) step by step. What the plan leaves open, the order of what is ready and
the fate of single calls, changes with every element that is left out: so a smaller plan that does
not fail is tried in a few other shuffles, too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from gridsched.model.keys import job_of
from gridsched.simulation.ddmin import ddmin
from gridsched.simulation.facts import Violation
from gridsched.simulation.fault_rates import KINDS, NO_FAULTS, with_kind
from gridsched.simulation.plan import elements, wishes_of
from gridsched.simulation.run import Report, simulate
from gridsched.simulation.scenario import Scenario
from gridsched.simulation.workload import Given

TRIES: Final = 300
"""Simulations that a search is given; most are of few triggers and a short time."""

_STEPS: Final = ((16, 8), (4, 16), (1, 32))
"""So few of the jobs that broke the rule are tried alone, each time in so many shuffles."""

_SHUFFLES: Final = (1, 6)
"""In how many shuffles a smaller scenario is tried: first in the last that failed, which costs least."""

_AFTER: Final = 30.0
"""Seconds after the instant that a rule was broken at which may still be needed to break it."""

Progress = Callable[[int, Scenario], None]
"""Told of each smaller scenario that fails, and how many were tried until then."""


class Shrunk(NamedTuple):
    """The shortest history that was found, the violation in it, and how many were tried."""

    report: Report
    violation: Violation
    tries: int


def shrink(
    report: Report, progress: Progress = lambda _tries, _found: None, tries: int = TRIES
) -> Shrunk:
    """The smallest scenario found, in so many tries, that breaks the rule that most violations of this
    report are of, and in the same way. The same report gives the same one."""
    search = _Search(report, progress, tries)
    if search.violation.key:
        for most, shuffles in _STEPS:
            _try_jobs(search, most, shuffles)
    search.first_of(_sooner(search.scenario, search.violation))
    for shuffles in _SHUFFLES:
        search.shuffles = shuffles
        before = None
        while before != search.scenario:
            before = search.scenario
            _reduce(search)
    return Shrunk(search.report, search.violation, search.tries)


def _try_jobs(search: _Search, most: int, shuffles: int) -> None:
    """At most so many of the jobs that broke the rule, alone, until it fails in one of the shuffles."""
    jobs = list(dict.fromkeys(job_of(violation.key) for violation in search.violations))
    few = _about(jobs[:most], search.scenario)
    any(search.fails_so(replace(few, shuffle=shuffle)) for shuffle in range(shuffles))


def _reduce(search: _Search) -> None:
    ddmin(elements(search.scenario), search.fails_with_only)
    fewer = range(1, search.scenario.nodes)
    search.first_of(replace(search.scenario, nodes=nodes) for nodes in fewer)
    for kind in KINDS:
        calmer = with_kind(search.scenario.faults, kind, NO_FAULTS)
        search.fails(replace(search.scenario, faults=calmer))
    search.first_of(_sooner(search.scenario, search.violation))


def kind_of(violation: Violation) -> tuple[str, str]:
    """The rule that was broken, and how: its words without keys and numbers."""
    words = re.sub(r"\S*[/@]\S*", "…", violation.problem)
    return violation.rule, re.sub(r"\d+", "…", words)


class _Search:
    """What has been tried, and the smallest that failed."""

    def __init__(self, report: Report, progress: Progress, most_tries: int) -> None:
        self.report = report
        self.tries = 0
        self._most_tries = most_tries
        self.shuffles = 1
        kinds = Counter(kind_of(violation) for violation in report.violations)
        ((self._kind, _),) = kinds.most_common(1)
        self._progress = progress
        self._tried = {_changing(report.scenario)}

    @property
    def scenario(self) -> Scenario:
        """The smallest that failed."""
        return self.report.scenario

    @property
    def violations(self) -> list[Violation]:
        """How it failed, where it was in the same way."""
        return [each for each in self.report.violations if kind_of(each) == self._kind]

    @property
    def violation(self) -> Violation:
        """The first of these."""
        return self.violations[0]

    def first_of(self, scenarios: Iterable[Scenario]) -> None:
        """Go on from the first of these that fails, if one does."""
        any(self.fails(scenario) for scenario in scenarios)

    def fails_with_only(self, names: Sequence[str]) -> bool:
        """Does it still fail with these elements alone?"""
        return self.fails(replace(self.scenario, only=tuple(names)))

    def fails(self, scenario: Scenario) -> bool:
        """Does this scenario fail in the same way, in some shuffle? Then it is the smallest."""
        last = self.scenario.shuffle
        others = [shuffle for shuffle in range(self.shuffles) if shuffle != last]
        shuffles = [last, *others][: self.shuffles]
        return any(self.fails_so(replace(scenario, shuffle=each)) for each in shuffles)

    def fails_so(self, scenario: Scenario) -> bool:
        """Does it in this very shuffle?"""
        if self.tries == self._most_tries or _changing(scenario) in self._tried:
            return False
        self._tried.add(_changing(scenario))
        self.tries += 1
        report = simulate(scenario)
        if not any(kind_of(violation) == self._kind for violation in report.violations):
            return False
        self.report = report
        self._progress(self.tries, scenario)
        return True


def _changing(scenario: Scenario) -> Hashable:
    """What a search changes of a scenario."""
    return scenario.nodes, scenario.faults, scenario.only, scenario.cut, scenario.shuffle


def _sooner(scenario: Scenario, violation: Violation) -> Iterator[Scenario]:
    """The same history, cut soon after the instant that the violation names, or else somewhere."""
    cuts = [share * scenario.trouble for share in (0.1, 0.25, 0.5, 0.75, 0.9)]
    instant = violation.key.partition("@")[2]
    if instant:
        cuts.insert(0, (int(instant) - scenario.start) / 1000 + _AFTER)
    for cut in cuts:
        if cut < scenario.trouble:
            yield replace(scenario, cut=round(cut, 1))


def _about(jobs: Sequence[str], scenario: Scenario) -> Scenario:
    """All troubles, and of what users ask for what concerns these jobs."""
    asked = {wish.name: wish.given for wish in wishes_of(scenario)}
    groups = {
        given.trigger.group
        for given in asked.values()
        if given.trigger is not None and job_of(given.key) in jobs
    }

    def concerned(given: Given) -> bool:
        about_all = given.kind == "calendar"
        return about_all or job_of(given.key) in jobs or given.key in groups

    names = elements(scenario)
    only = tuple(name for name in names if name not in asked or concerned(asked[name]))
    return replace(scenario, only=only)
