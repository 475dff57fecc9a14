"""Nodes and commands, each a process or connection of its own, on a real Hazelcast cluster."""

from __future__ import annotations

import json
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hazelcast_member import HazelcastCluster
from running import NodeProcess, Run

pytestmark = [pytest.mark.java, pytest.mark.xdist_group("a cluster of the commands' own")]

ADD = "gridsched.jobs.samples:add"
WATCHFUL = """<cache-config xmlns:scheduler="urn:gridsched:scheduler">
  <scheduler:service-config><scheduler:schedulerservice>
    <scheduler:sessiontimeoutinmillis>20000</scheduler:sessiontimeoutinmillis>
  </scheduler:schedulerservice></scheduler:service-config>
</cache-config>"""
"""Of a node that watches for so long whether the other of its name lives."""


def namesake(name: str, grid: HazelcastCluster, folder: Path) -> NodeProcess:
    """Start a node that has the name of another."""
    (folder / "watchful.xml").write_text(WATCHFUL)
    process = NodeProcess(folder)
    process.start("watchful.xml", "--name", name, "--grid", ",".join(grid.addresses))
    return process


@pytest.fixture
def name() -> str:
    """A node's and a job group's name that no other test has."""
    return f"node-{secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def cluster(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HazelcastCluster]:
    """A cluster on which there are no nodes but those of these tests."""
    with HazelcastCluster(tmp_path_factory.mktemp("cli"), cluster_name="cli") as cluster:
        yield cluster


@pytest.fixture
def grid(cluster: HazelcastCluster, monkeypatch: pytest.MonkeyPatch) -> HazelcastCluster:
    """The cluster, which every command finds; the first address that they try answers nothing."""
    monkeypatch.setenv("GRIDSCHED_GRID", ",".join(["127.0.0.1:1", *cluster.addresses]))
    monkeypatch.setenv("GRIDSCHED_CLUSTER_NAME", cluster.cluster_name)
    return cluster


@pytest.fixture
def node(grid: HazelcastCluster, tmp_path: Path, name: str) -> Iterator[NodeProcess]:
    process = NodeProcess(tmp_path)
    process.start(
        "--name", name, "--grid", ",".join(grid.addresses), "--allow", "gridsched.jobs.samples:*"
    )
    process.line_with("READY")
    yield process
    process.stop()


def test_a_cluster_without_nodes_says_so(cli: Run, grid: HazelcastCluster) -> None:
    result = cli("cluster")
    assert result.exit_code == 0
    assert "nothing fires until a node is started" in result.stdout
    assert grid.addresses[0] in result.stdout


def test_a_submission_that_no_node_answers(cli: Run, grid: HazelcastCluster) -> None:
    result = cli("submit", ADD, "--timeout", "0.1")
    assert result.exit_code == 1
    assert "is a node active?" in result.stderr


def test_another_cluster_name_is_refused(cli: Run, grid: HazelcastCluster) -> None:
    result = cli("jobs", "--cluster-name", "other")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "is not of cluster 'other'" in result.stderr


def test_submit_look_change_and_stop(cli: Run, node: NodeProcess, name: str) -> None:
    summed = cli("submit", ADD, "--group", name, "--data", "a=1", "--data", "b=2", "--wait", "30")
    assert (summed.exit_code, summed.stdout) == (0, "3\n")
    key = cli("submit", ADD, "--group", name, "--every", "1H").stdout.strip()
    assert cli("pause", key).exit_code == 0
    (trigger,) = json.loads(cli("triggers", "--job", f"{name}/add", "--json").stdout)
    assert (trigger["key"], trigger["state"]) == (key, "PAUSED")
    assert cli("resume", key).exit_code == 0
    assert cli("fire", key, "--data", "a=2", "--data", "b=2", "--wait", "30").stdout == "4\n"
    assert '"state": "ACTIVE"' in cli("members", name, "--json").stdout
    summary = json.loads(cli("cluster", "--json").stdout)
    assert summary["partitions"] == {name: summary["partition_count"]}
    assert cli("delete", f"{name}/add").exit_code == 0
    assert cli("jobs", f"{name}/add").exit_code == 4
    assert "not on this node's allow-list" in cli("submit", "os:system").stderr
    node.signal(signal.SIGTERM)
    output = node.end(expected_code=0)
    assert f"{name}/add" in output
    assert cli("members", name).exit_code == 4


def test_a_name_that_is_taken(
    node: NodeProcess, grid: HazelcastCluster, name: str, tmp_path: Path
) -> None:
    other = namesake(name, grid, tmp_path)
    output = other.end(expected_code=1)
    assert f"error: a node named '{name}' is already active" in output
    assert "fired" not in output


def test_a_signal_before_it_is_active(
    node: NodeProcess, grid: HazelcastCluster, name: str, tmp_path: Path
) -> None:
    """Having the name of one that was killed, it watches that one for the session timeout."""
    node.signal(signal.SIGKILL)
    other = namesake(name, grid, tmp_path)
    other.line_with("whether it lives")
    other.signal(signal.SIGTERM)
    output = other.end(expected_code=0)
    assert "READY" not in output
    assert "error" not in output
