"""What dies under load: a node, a member of the grid, the whole grid."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hazelcast_member import HazelcastCluster
from processes import Log, NodeProcess, lateness, wait_for
from world import STARTUP_RUNS, Load, World, wait_active

from gridsched import Job

pytestmark = pytest.mark.java

SESSION_TIMEOUT_MS = 6000
"""A node that waits for a processor for a while must not be taken for the one that is dead."""


@pytest.fixture
def pair(java: None, tmp_path: Path) -> Iterator[HazelcastCluster]:
    """Two members, one the other's backup."""
    with HazelcastCluster(tmp_path, size=2, cluster_name="pair") as cluster:
        yield cluster


@pytest.fixture
def alone(java: None, tmp_path: Path) -> Iterator[HazelcastCluster]:
    """One member, which has all the data."""
    with HazelcastCluster(tmp_path, cluster_name="alone") as cluster:
        yield cluster


def test_a_node_killed_under_load(world: World) -> None:
    nodes = world.start(
        "n1", "n2", "n3", maxthreadcount=40, sessiontimeoutinmillis=SESSION_TIMEOUT_MS
    )
    scheduler = world.connect()
    wait_active(scheduler, "n1", "n2", "n3")
    load = Load(world, scheduler, triggers=100, instants=10, interval_ms=1000)
    kinds = [False, True] * 12
    held = [
        scheduler.submit(Job("e2e_jobs:hold", data=world.data, requests_recovery=recovers))
        for recovers in kinds
    ]
    recovering = {handle.key for handle, recovers in zip(held, kinds, strict=True) if recovers}
    wait_for(lambda: world.log.count("began") == len(held), lambda: world.log.lines("began"))
    victim = _holds_both_kinds(world.log, nodes, recovering)
    name = f"n{nodes.index(victim) + 1}"
    on_victim = {line.firing for line in world.log.lines("began") if line.pid == victim.pid}
    load.wait_under_way(0.3)

    victim.kill()

    survivors = [node for node in nodes if node is not victim]
    for node in survivors:
        node.output.line(f"node {name} is gone")
        world.open_gate(node)
    names = {f"n{nodes.index(node) + 1}" for node in survivors}
    wait_active(scheduler, *names)
    assert set(scheduler.owners()) == names

    firings = load.wait_over()
    runs = Counter(line.firing for line in world.log.lines())
    assert {firing.state for firing in firings} <= {"COMPLETE", "LOST"}
    lost = [firing for firing in firings if firing.state == "LOST"]
    complete = [firing.key for firing in firings if firing.state == "COMPLETE"]
    assert {firing.member for firing in lost} <= {name}
    assert {key: runs[key] for key in complete if runs[key] != 1} == {}
    assert world.log.twice() == []

    wait_for(
        lambda: {handle.state() for handle in held} <= {"COMPLETE", "LOST"},
        lambda: [handle.firing() for handle in held],
    )
    outcomes = {firing.key: firing for handle in held if (firing := handle.firing()) is not None}
    assert {key for key, firing in outcomes.items() if firing.state == "LOST"} == (
        on_victim - recovering
    )
    assert {key for key, firing in outcomes.items() if firing.attempt > 1} == (
        on_victim & recovering
    )
    assert set(world.log.twice("began")) == on_victim & recovering
    assert world.log.twice("ended") == []
    world.assert_no_traceback()
    print(f"{len(lost)} lost; {lateness(world.log.lines())}")


def _holds_both_kinds(log: Log, nodes: list[NodeProcess], recovering: set[str]) -> NodeProcess:
    """A node that runs some job that requests recovery, and one that does not."""
    kinds: dict[int, set[bool]] = defaultdict(set)
    for line in log.lines("began"):
        kinds[line.pid].add(line.firing in recovering)
    return next(node for node in nodes if len(kinds[node.pid]) == 2)


def test_a_member_of_the_grid_killed_under_load(
    pair: HazelcastCluster, world_on: Callable[[HazelcastCluster], World]
) -> None:
    world = world_on(pair)
    world.start("n1", "n2")
    scheduler = world.connect()
    wait_active(scheduler, "n1", "n2")
    load = Load(world, scheduler, triggers=200, instants=10, interval_ms=1000)
    load.wait_under_way(0.3)
    pair.members[0].kill()
    load.assert_each_ran_once()
    assert len(scheduler.grid_members()) == 1
    world.assert_no_traceback()
    print(lateness(world.log.lines()))


def test_the_grid_goes_away_and_comes_back_empty(
    alone: HazelcastCluster, world_on: Callable[[HazelcastCluster], World]
) -> None:
    world = world_on(alone)
    nodes = world.start(
        "n1", "n2", jobs=world.startup_jobs(), sessiontimeoutinmillis=SESSION_TIMEOUT_MS
    )
    scheduler = world.connect()
    wait_active(scheduler, "n1", "n2")
    load = Load(world, scheduler, triggers=50, instants=20, interval_ms=1000)
    load.wait_under_way(0.2)

    alone.members[0].kill()
    for node in nodes:
        assert "the grid fails" in node.output.line("membership: the grid fails")
    before = [len(node.output) for node in nodes]
    alone.restart(0)

    for node, line in zip(nodes, before, strict=True):
        node.output.line("joins again", after=line)
        node.output.line("membership: works again", after=line)
    wait_active(scheduler, "n1", "n2")
    assert scheduler.submit(Job("e2e_jobs:add", data={"a": 1, "b": 2})).result(timeout=40) == 3
    again = Load(world, scheduler, triggers=50, instants=2, interval_ms=1000)
    firings = again.wait_over()
    assert {firing.state for firing in firings} == {"COMPLETE"}
    assert {firing.acquired_by for firing in firings} == {"n1", "n2"}
    assert [job.name for job in scheduler.jobs(group="startup")] == ["once", "twice"]
    runs = Counter(line.trigger for line in world.log.lines())
    assert {key: runs[key] for key in STARTUP_RUNS} == {k: 2 * n for k, n in STARTUP_RUNS.items()}
    assert world.log.twice() == []
    world.assert_no_traceback()
    for node in nodes:
        node.terminate()
        code, output = node.end()
        assert code == 0
        for service in ("submissions", "timer"):
            said = re.findall(rf"{service}: (the grid fails|works again)", output)
            assert said == ["the grid fails", "works again"] * max(1, len(said) // 2), output
