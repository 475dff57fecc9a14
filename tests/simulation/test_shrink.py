"""A history that broke a rule is reduced to a few elements that break it in the same way."""

from __future__ import annotations

import shlex
from functools import partial

import pytest
from click.testing import CliRunner
from planted_bugs import BUGS

from gridsched.cli import main
from gridsched.simulation.facts import Violation
from gridsched.simulation.fault_rates import ALL_FAULTS, NO_FAULTS, faults_of, kinds_of
from gridsched.simulation.plan import elements
from gridsched.simulation.run import simulate
from gridsched.simulation.scenario import Scenario
from gridsched.simulation.shrink import kind_of, shrink
from gridsched.simulation.story import is_about, story

SHORT = Scenario(seconds=240.0, calm=90.0, triggers=60, nodes=3)
TRIES = 60


@pytest.mark.parametrize("bug", ["lock_not_released", "lost_payloads_stay_lost", "no_start_fence"])
def test_few_elements_are_left_of_a_planted_bug(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[bug](monkeypatch)
    report = simulate(SHORT)
    told: list[int] = []
    shrunk = shrink(report, lambda tries, _: told.append(tries), TRIES)
    left = elements(shrunk.report.scenario)
    assert sum(name.startswith("trigger-") for name in left) <= 2
    assert len(left) <= 8 < len(elements(SHORT))
    assert kind_of(shrunk.violation) in {kind_of(violation) for violation in report.violations}
    assert shrunk.violation in shrunk.report.violations
    assert told == sorted(told)
    assert 0 < told[-1] <= shrunk.tries <= TRIES

    watched = partial(is_about, shrunk.violation.key)
    again = simulate(shrunk.report.scenario, watched=watched)
    assert again.trace == shrunk.report.trace
    told_then = story(shrunk.violation, again.history)
    assert [line.at for line in told_then] == sorted(line.at for line in told_then)
    lines = [str(line) for line in told_then]
    assert any("state ACQUIRED" in line and " in Firing-Store: " in line for line in lines)
    assert any("schedule of" in line for line in lines)


def test_the_command_that_is_printed_replays_the_reduced_history(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    BUGS["lost_payloads_stay_lost"](monkeypatch)
    monkeypatch.setattr("gridsched.cli.simulate.shrink", partial(shrink, tries=20))
    given = "simulate --for 4M --triggers 60 --nodes 3"
    first = CliRunner().invoke(main, shlex.split(given))
    assert first.exit_code == 1
    lines = first.output.splitlines()
    commands = [line.removeprefix("replay: ") for line in lines if line.startswith("replay: ")]
    (trace,) = [line.split()[-1].strip(":") for line in lines if line.startswith("the shortest of")]
    assert len(commands) == 2
    assert "--only" in commands[1]
    again = CliRunner().invoke(main, shlex.split(commands[1])[1:])
    assert (again.exit_code, f"trace {trace}; " in again.output) == (1, True)


def test_what_the_plan_does_not_have_is_refused() -> None:
    wrong = CliRunner().invoke(main, shlex.split("simulate --only trigger-1,crash-9.1"))
    assert wrong.exit_code == 2
    assert "the plan of seed 1 has no 'crash-9.1'; it has " in wrong.output


def test_violations_are_of_a_kind_where_only_keys_and_numbers_differ() -> None:
    one = Violation("late", "a/b:c/d@12", "started 4200 ms late, after a/b:c/d@12")
    two = Violation("late", "a/x:c/d@55", "started 70 ms late, after a/x:c/d@55")
    assert kind_of(one) == kind_of(two)
    assert kind_of(one) != kind_of(Violation("stuck", one.key, one.problem))
    assert kind_of(one) != kind_of(Violation("late", one.key, "never started"))


def test_kinds_of_faults_are_written_as_they_are_read() -> None:
    assert kinds_of(ALL_FAULTS) == "all"
    assert kinds_of(NO_FAULTS) == "none"
    assert kinds_of(faults_of("clock,slow")) == "clock,slow"
