"""Nodes that find each other by a coordination file, and start together by task.server.count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hazelcast_member import HazelcastCluster, free_port
from processes import NodeProcess, config, wait_for
from world import World, wait_active

from gridsched import Job, once
from gridsched.clock import SystemClock

TRIGGERS = 300
FEWEST, MOST = 0.20, 0.47
"""The share of the runs that each of three nodes may have."""

SAMPLE = Path(__file__).parents[1] / "config" / "seed-sample-cache-config.xml"
SESSION_TIMEOUT_MS = 3000


def coordinate(folder: Path, addresses: list[str]) -> Path:
    """A coordination file for these servers."""
    servers = "".join(
        f'<Server host="{host}" port="{port}"/>'
        for host, port in (address.split(":") for address in addresses)
    )
    path = folder / "coordination-client-config.xml"
    path.write_text(
        f'<CoordinationClientConfiguration enabled="true"><Servers>{servers}</Servers>'
        f"<SessionTimeout>{SESSION_TIMEOUT_MS}</SessionTimeout></CoordinationClientConfiguration>"
    )
    return path


def spawn(world: World, folder: Path, name: str, *arguments: str) -> NodeProcess:
    """Start a node with a file beside which the coordination file stands."""
    path = folder / f"{name}.xml"
    path.write_text(config(world.caches.names))
    cluster_name = world.cluster.cluster_name
    node = NodeProcess(str(path), "--name", name, "--cluster-name", cluster_name, *arguments)
    world.nodes[f"{name}#{node.pid}"] = node
    return node


@pytest.mark.java
def test_nothing_fires_until_the_third_is_there_then_each_fires_its_share(
    world: World, tmp_path: Path
) -> None:
    coordinate(tmp_path, [f"127.0.0.1:{free_port()}", *world.cluster.addresses])
    first = spawn(world, tmp_path, "n1", "-Dtask.server.count=3")
    first.output.line("waiting for 3 nodes, 1 is here: n1")
    second = spawn(world, tmp_path, "n2", "--server-count", "3")
    for node in (first, second):
        node.output.line("waiting for 3 nodes, 2 are here: n1, n2")
    scheduler = world.connect()
    wait_active(scheduler, "n1", "n2")
    now = datetime.fromtimestamp(SystemClock().now() / 1000, UTC)
    scheduler.schedule_many(
        (Job("e2e_jobs:note", name=f"job-{n}", group="load", data=world.data), once(now))
        for n in range(TRIGGERS)
    )

    def waits() -> list[object]:
        return [(m.name, m.timer, m.live, m.server_count) for m in scheduler.members()]

    # A record says what its node saw at its last beat.
    both = [("n1", "WAITING", 2, 3), ("n2", "WAITING", 2, 3)]
    wait_for(lambda: waits() == both, waits)
    assert {m.rules.session_timeout for m in scheduler.members()} == {SESSION_TIMEOUT_MS}
    assert scheduler.firings() == []
    began = SystemClock().now()

    third = spawn(world, tmp_path, "n3", "-D", "task.server.count=3")

    wait_for(lambda: world.log.count() >= TRIGGERS, world.log.count)
    wait_for(lambda: {f.state for f in scheduler.firings()} == {"COMPLETE"})
    firings = scheduler.firings()
    assert len(firings) == TRIGGERS
    assert world.log.twice() == []
    assert min(firing.started_at or 0 for firing in firings) > began
    claimed = Counter(firing.acquired_by for firing in firings)
    ran = Counter(line.pid for line in world.log.lines())
    assert set(ran) == {node.pid for node in (first, second, third)}
    for shares in (claimed, ran):
        assert len(shares) == 3
        assert min(shares.values()) >= FEWEST * TRIGGERS, shares
        assert max(shares.values()) <= MOST * TRIGGERS, shares
    print(f"claimed {claimed}, ran {ran}")
    third.kill()
    first.output.line("node n3 is gone")
    world.assert_no_traceback()


@pytest.fixture
def pair(java: None, tmp_path: Path) -> Iterator[HazelcastCluster]:
    with HazelcastCluster(tmp_path, size=2, cluster_name="fail-over") as cluster:
        yield cluster


@pytest.mark.java
def test_when_the_first_server_goes_the_next_one_serves(
    pair: HazelcastCluster, world_on: Callable[[HazelcastCluster], World], tmp_path: Path
) -> None:
    world = world_on(pair)
    coordinate(tmp_path, pair.addresses)
    node = spawn(world, tmp_path, "n1")
    node.wait_ready()
    scheduler = world.connect()

    pair.members[0].kill()

    node.output.line(f"member {pair.addresses[0]} has left the grid")
    assert scheduler.submit(Job("e2e_jobs:add", data={"a": 1, "b": 2})).result(timeout=40) == 3
    late = spawn(world, tmp_path, "n2")
    late.wait_ready()
    wait_active(scheduler, "n1", "n2")

    pair.members[1].kill()

    node.output.line(f"the connection to the grid is gone; trying {', '.join(pair.addresses)}")
    pair.restart(1)
    node.output.line("connected to the grid again")
    for each in (node, late):
        each.output.line("membership: works again")
    assert scheduler.submit(Job("e2e_jobs:add", data={"a": 3, "b": 4})).result(timeout=40) == 7
    world.assert_no_traceback()


def test_no_server_answers(tmp_path: Path) -> None:
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    node = NodeProcess("--coordination", str(coordinate(tmp_path, addresses)))
    code, output = node.end()
    assert code == 3
    assert f"error: no grid answers at {', '.join(addresses)}, tried in turn" in output
    assert "Traceback" not in output


def test_the_sample_of_the_seed_starts_unchanged(tmp_path: Path) -> None:
    """The table stands beside it; what may run is said by option, as the file does not."""
    sample = tmp_path / "custom-cache-config.xml"
    sample.write_bytes(SAMPLE.read_bytes())
    (tmp_path / "jobclasses.properties").write_text(
        "org.prabal.test.jobs.DummyJob = e2e_jobs:dummy\n"
        "org.prabal.test.jobs.AnotherDummyJob = e2e_jobs:another_dummy\n"
    )
    node = NodeProcess(str(sample), "--allow", "e2e_jobs:*", "--listen", "none", "--live")
    try:
        one = node.output.line("{Job-1 - Trigger 1}")
        two = node.output.line("TestTrigger- 2")
        node.terminate()
        code, output = node.end()
    finally:
        node.stop()
    assert code == 0
    assert "done" in one
    assert "RESULT: AnotherDummyJob Completed" in one
    assert "RESULT: DummyJob Completed of StartupTriggerTestValue - TWO" in two
    assert "fired 2, failed 0" in output
