"""Several nodes on one cluster: they share the work, wait for each other, and leave in order."""

from __future__ import annotations

from collections import Counter

import pytest
from processes import lateness, wait_for
from world import STARTUP_RUNS, Load, World, wait_active

from gridsched import Job
from gridsched.client.blocking import Handle
from gridsched.model.firing import Firing

pytestmark = pytest.mark.java

FAIR_SHARE = 0.15
SESSION_TIMEOUT_MS = 15_000
AT_ONCE = 20.0
"""Seconds; well below the lease (twice that timeout) at which a sweep finds what is left."""


def test_three_nodes_share_the_work(world: World) -> None:
    nodes = world.start("n1", "n2", "n3")
    scheduler = world.connect()
    wait_active(scheduler, "n1", "n2", "n3")
    load = Load(world, scheduler, triggers=200, instants=5, interval_ms=1000)
    load.assert_each_ran_once()
    runs = world.log.lines()
    ran = Counter(line.pid for line in runs)
    claimed = Counter(firing.acquired_by for firing in load.wait_over())
    shares = f"ran {ran}, claimed {claimed}, {lateness(runs)}"
    assert set(ran) == {node.pid for node in nodes}, shares
    assert set(claimed) == {"n1", "n2", "n3"}, shares
    assert min(*ran.values(), *claimed.values()) > FAIR_SHARE * len(runs), shares
    world.assert_no_traceback()
    print(shares)


def test_a_node_told_to_stop_gives_back_what_it_has_not_started(world: World) -> None:
    """Its threads are held, so that most of what was sent to it waits when it is told."""
    leaving, staying = world.start(
        *("leaving", "staying"),
        maxthreadcount=2,
        graceperiodinmillis=120_000,
        sessiontimeoutinmillis=SESSION_TIMEOUT_MS,
    )
    scheduler = world.connect()
    wait_active(scheduler, "leaving", "staying")
    world.open_gate(staying)
    load = Load(world, scheduler, triggers=100, instants=8, interval_ms=1000, job="note_async")
    held: list[Handle] = []

    def ten_wait() -> bool:
        held.append(scheduler.submit(Job("e2e_jobs:hold", data=world.data)))
        return len(_waiting(held, "leaving")) >= 10

    wait_for(ten_wait, lambda: world.log.lines("began"))
    wait_for(lambda: len(_unfinished(held)) == len(_waiting(held, "leaving")) + 2)
    waiting = _waiting(held, "leaving")
    load.wait_under_way(0.2)

    leaving.terminate()

    leaving.output.line("firings back")
    wait_for(lambda: len(_unfinished(held)) == 2, lambda: _unfinished(held), AT_ONCE)
    assert leaving.runs, "it lets the two jobs finish that it has started"
    world.open_gate(leaving)
    code, output = leaving.end()
    assert code == 0, output
    ended = {line.firing: line.pid for line in world.log.lines("ended")}
    assert {ended[firing] for firing in waiting} == {staying.pid}
    assert Counter(ended.values())[leaving.pid] >= 2
    assert len(ended) == len(held)
    assert world.log.twice("began") == []
    assert {handle.state() for handle in held} == {"COMPLETE"}
    load.assert_each_ran_once()
    wait_active(scheduler, "staying")
    world.assert_no_traceback()


def _unfinished(held: list[Handle]) -> list[Firing]:
    firings = [handle.firing() for handle in held]
    return [firing for firing in firings if firing is not None and firing.state != "COMPLETE"]


def _waiting(held: list[Handle], node: str) -> list[str]:
    """The firings that were sent to that node, and have not started."""
    return [f.key for f in _unfinished(held) if f.state == "ACQUIRED" and f.member == node]


def test_startup_jobs_of_many_nodes_are_submitted_once_the_gate_is_open(world: World) -> None:
    jobs = world.startup_jobs()
    (first,) = world.start("n1", jobs=jobs, taskservercount=2)
    first.output.line("waiting for 2 nodes, 1 is here: n1")
    scheduler = world.connect()
    assert scheduler.jobs() == []
    world.start("n2", "n3", jobs=jobs, taskservercount=2)
    wait_for(lambda: world.log.count() >= 3, world.log.lines)
    (late,) = world.start("n4", jobs=jobs, taskservercount=2)
    late.output.line("the timer runs")
    # By the time that another job has been and gone, a fourth submission would have been applied.
    assert scheduler.submit(Job("e2e_jobs:add", data={"a": 1, "b": 2})).result(timeout=40) == 3
    assert Counter(line.trigger for line in world.log.lines()) == STARTUP_RUNS
    assert world.log.twice() == []
    assert [job.key for job in scheduler.jobs(group="startup")] == ["startup/once", "startup/twice"]
