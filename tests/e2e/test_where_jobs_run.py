"""Dispatcher policies and results with nodes as processes, on a real cluster."""

from __future__ import annotations

import threading

import pytest
from processes import wait_for
from world import World, wait_active

from gridsched import Job
from gridsched.dispatch import FirstOf, LeastLoaded, Rule, RuleBased

pytestmark = pytest.mark.java


def on(*names: str) -> RuleBased:
    return RuleBased((Rule(".*", ".*", "|".join(names)),))


def test_what_no_node_may_run_runs_once_one_has_come(world: World) -> None:
    (first,) = world.start("first")
    scheduler = world.connect()
    (member,) = wait_active(scheduler, "first")
    assert member.ip == "127.0.0.1"
    host = member.address.rpartition(":")[0]
    anywhere = RuleBased((Rule(".*", ".*", host), Rule(".*", ".*", r"127\..*")))
    assert scheduler.submit(Job("e2e_jobs:whose", dispatch=anywhere)).result(40) == first.pid

    waiting = [scheduler.submit(Job("e2e_jobs:whose", dispatch=on("late"))) for _ in range(20)]
    wait_for(lambda: {handle.state() for handle in waiting} == {"REJECTED"})
    error = "rule 1 has no node at late (looked at first)"
    assert {firing.error for firing in scheduler.firings(state="REJECTED")} == {error}
    # A firing is made before its trigger says why.
    wait_for(
        lambda: [trigger.error for trigger in scheduler.triggers()].count(error) == 20,
        scheduler.triggers,
    )

    (late,) = world.start("late")
    assert {handle.result(40) for handle in waiting} == {late.pid}
    either = FirstOf((on("nowhere"), LeastLoaded()))
    pids = {scheduler.submit(Job("e2e_jobs:whose", dispatch=either)).result(40) for _ in range(20)}
    assert pids == {first.pid, late.pid}
    world.assert_no_traceback()


def test_each_result_is_drained_once(world: World) -> None:
    world.start("node")
    scheduler = world.connect()
    wait_active(scheduler, "node")
    job = Job("e2e_jobs:add", name="add", data={"a": 1, "b": 2}, durable=True)
    scheduler.add_job(job)
    for _ in range(100):
        scheduler.fire(job.key)
    wait_for(lambda: len(scheduler.results_of(job.key).complete()) == 100)
    results = scheduler.results_of(job.key).complete()
    assert sorted(results, key=lambda result: result.scheduled) == list(results)
    latest = scheduler.results_of(job.key).latest()
    assert latest is not None
    assert latest.scheduled == results[-1].scheduled
    drained: list[str] = []

    def drain() -> None:
        drained.extend(result.firing for result in world.connect().results_of(job.key).drain())

    threads = [threading.Thread(target=drain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drained) == len(set(drained)) == 100
    assert scheduler.results_of(job.key).complete() == ()
