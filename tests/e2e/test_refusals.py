"""What keeps a node from starting: said in one line, with an exit code of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hazelcast_member import HazelcastCluster, free_port
from msgspec.structs import replace
from processes import NodeProcess, config
from world import World, wait_active

from gridsched.model.caches import CacheNames

FAILED, GRID, CONFIGURATION = 1, 3, 5


def assert_refused(node: NodeProcess, code: int, *reasons: str) -> None:
    found, output = node.end()
    assert found == code, output
    assert "Traceback" not in output
    assert "READY" not in output
    last = output.splitlines()[-1]
    assert last.startswith("error: "), output
    for reason in reasons:
        assert reason in last


@pytest.mark.java
def test_two_nodes_of_one_name(world: World) -> None:
    # The second watches for so long whether the first lives, which beats five times meanwhile.
    world.start("n1", sessiontimeoutinmillis=15_000)
    second = world.spawn("n1", sessiontimeoutinmillis=15_000)
    assert_refused(second, FAILED, "'n1' is already active", "--name")
    wait_active(world.connect(), "n1")


@pytest.mark.java
def test_another_cluster_name(hazelcast_member: HazelcastCluster) -> None:
    node = NodeProcess("--grid", hazelcast_member.addresses[0], "--cluster-name", "other")
    assert_refused(node, GRID, "'other'", hazelcast_member.addresses[0], "--cluster-name")


@pytest.mark.java
def test_an_execution_queue_that_the_grid_does_not_bound(world: World) -> None:
    names = world.caches.names
    world.caches = replace(
        world.caches, names=replace(names, execution_prefix=f"Boundless-{names.jobs}-")
    )
    assert_refused(
        world.spawn("n1"),
        CONFIGURATION,
        f'<queue name="Boundless-{names.jobs}-*"><max-size>1000</max-size></queue>',
    )


@pytest.mark.java
def test_a_queue_of_another_size(world: World) -> None:
    node = world.spawn("n1", queuecapacity=77)
    assert_refused(node, CONFIGURATION, "77", "bounds it to 1000", "<max-size>77</max-size>")


def test_no_grid_there(tmp_path: Path) -> None:
    (tmp_path / "node.xml").write_text(config(CacheNames()))
    address = f"127.0.0.1:{free_port()}"
    node = NodeProcess(str(tmp_path / "node.xml"), "--grid", address)
    assert_refused(node, GRID, f"no grid answers at {address}")
