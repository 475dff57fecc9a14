"""The plan of a simulation: an element is the same, whichever others are left out."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest
from msgspec.structs import replace

from gridsched.model.trigger import Trigger
from gridsched.simulation.chaos import on_host
from gridsched.simulation.fault_rates import ALL_FAULTS
from gridsched.simulation.history import CommandKind
from gridsched.simulation.hosts import chance
from gridsched.simulation.plan import elements, wishes_of
from gridsched.simulation.run import simulate
from gridsched.simulation.scenario import Scenario

SHORT = Scenario(seconds=240.0, calm=60.0, triggers=20, commands=30)


def test_elements_have_names_of_their_own() -> None:
    names = elements(replace(SHORT, seconds=1200.0))
    assert len(set(names)) == len(names)
    assert {"calendar", "trigger-1", "trigger-20", "clock-4.0"} <= set(names)
    kinds = {name.partition(".")[0].partition("-")[0] for name in names}
    assert {"crash", "stall", "restart", "cut", "clock", "member", "trigger", "command"} <= kinds


def test_users_ask_for_everything() -> None:
    asked = [list(wishes_of(Scenario(seed=seed))) for seed in range(10)]
    assert {wish.given.kind for wishes in asked for wish in wishes} == set(get_args(CommandKind))


def test_a_trigger_is_given_another_schedule_under_its_key() -> None:
    for seed in range(10):
        first: dict[str, Trigger | None] = {}
        for _, _, given in wishes_of(Scenario(seed=seed)):
            if given.kind == "schedule":
                first[given.key] = given.trigger
            elif given.kind == "replace":
                old, new = first[given.key], given.trigger
                assert old is not None
                assert new is not None
                assert (new.name, new.group) == (old.name, old.group)
                assert new.schedule != old.schedule


def test_the_troubles_of_a_host_do_not_overlap_and_begin_in_time() -> None:
    for seed in range(20):
        strokes = list(on_host(lambda of, s=seed: chance(s, of), ALL_FAULTS, 3, 3600.0))
        assert len(strokes) > 10
        assert all(a.at + a.lasting <= b.at for a, b in pairwise(strokes))
        assert strokes[-1].at < 3600.0


def test_a_shorter_and_a_smaller_plan_is_the_same_as_far_as_it_goes() -> None:
    all_names = elements(SHORT)
    cut = elements(replace(SHORT, cut=90.0))
    assert set(cut) < set(all_names)
    kept = ("clock-1.0", "trigger-3")
    assert elements(replace(SHORT, only=kept)) == kept
    fewer = elements(replace(SHORT, nodes=2))
    gone = [name for name in all_names if name not in fewer]
    assert {name.partition(".")[0] for name in gone} >= {"clock-2", "clock-3", "clock-4"}
    assert all(name.partition(".")[0][-2:] in {"-2", "-3", "-4"} for name in gone)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_left_out_changes_no_other_element(seed: int) -> None:
    """What users ask for and what befalls the hosts, as the whole and a part of it have it."""
    scenario = replace(SHORT, seed=seed)
    names = elements(scenario)
    part = simulate(replace(scenario, only=names[::3])).history.record
    whole = simulate(scenario).history.record
    troubles = set(whole.troubles)
    assert part.troubles
    assert {t for t in part.troubles if t.kind in {"crash", "stall", "cut", "member"}} <= troubles
    planned = {
        wish.given.key: wish.given for wish in wishes_of(scenario) if wish.given.kind == "schedule"
    }
    scheduled = [command for command in part.commands if command.kind == "schedule"]
    assert scheduled
    for command in scheduled:
        assert command.job == planned[command.key].job


def test_another_shuffle_is_another_history_of_the_same_plan() -> None:
    shuffled = replace(SHORT, shuffle=1)
    assert elements(shuffled) == elements(SHORT)
    assert simulate(shuffled).trace != simulate(SHORT).trace
