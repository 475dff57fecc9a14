"""GridServer and its fixtures, as somebody's tests use them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hazelcast import HazelcastClient

from gridsched.errors import ConfigurationError
from gridsched.testing import GridServer

pytest_plugins = ["pytester"]

XML = """
<hazelcast xmlns="http://www.hazelcast.com/schema/config">
  <cluster-name>shop</cluster-name>
  <map name="orders">
    <backup-count>2</backup-count>
    <time-to-live-seconds>60</time-to-live-seconds>
    <max-idle-seconds>30</max-idle-seconds>
    <indexes><index type="HASH"><attributes><attribute>state</attribute></attributes></index></indexes>
    <eviction size="1000" max-size-policy="USED_HEAP_SIZE" eviction-policy="LRU"/>
    <near-cache/>
  </map>
  <queue name="bounded-*"><max-size>2</max-size></queue>
  <queue name="bounded-wide-*"><max-size>3</max-size></queue>
  <ringbuffer name="ring"><capacity>5</capacity></ringbuffer>
  <executor-service name="x"/>
</hazelcast>
"""


def connected(server: GridServer) -> Any:
    return HazelcastClient(cluster_name=server.cluster_name, cluster_members=server.addresses)


def seconds_to_start() -> float:
    began = time.perf_counter()
    with GridServer(members=2):
        return time.perf_counter() - began


def test_it_starts_in_no_time() -> None:
    # A machine that has much else to do may be late once, but hardly each time.
    assert min(seconds_to_start() for _ in range(5)) < 2


def test_it_runs_once_at_a_time() -> None:
    with GridServer(members=1) as server, pytest.raises(RuntimeError):
        server.start()
    with pytest.raises(RuntimeError):
        server.add_member()


def test_members_keep_the_ports_they_are_given() -> None:
    with GridServer(members=1) as server:
        taken = int(server.addresses[0].rpartition(":")[2])
        with pytest.raises(OSError, match="ddress"):
            GridServer(port=taken).start()
        with pytest.raises(KeyError):
            server.kill_member("nobody")
        assert len(server.members) == 1


def test_ports_that_there_are_not_are_refused() -> None:
    with pytest.raises(ValueError, match="2 members from port 65535 on: the last port is 65535"):
        GridServer(port=65535)


def test_a_grid_may_begin_without_members() -> None:
    with GridServer(members=0) as server:
        uuid = server.add_member()
        client = connected(server)
        held = client.get_map("m").blocking()
        held.put(1, 1)
        server.kill_member(uuid)
        assert server.members == []
        client.shutdown()


@pytest.mark.parametrize("as_text", [True, False])
def test_it_reads_a_hazelcast_xml(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, as_text: bool
) -> None:
    path = tmp_path / "hazelcast.xml"
    path.write_text(XML)
    with GridServer(config_xml=XML if as_text else path) as server:
        assert server.cluster_name == "shop"
        client = connected(server)
        orders = client.get_map("orders").blocking()
        orders.put(1, 1)
        view = orders.get_entry_view(1)
        assert (view.ttl, view.max_idle) == (60_000, 30_000)
        for name, size in [("bounded-x", 2), ("bounded-wide-x", 3), ("free", 2**31 - 1)]:
            assert client.get_queue(name).blocking().remaining_capacity() == size
        assert client.get_ringbuffer("ring").blocking().capacity() == 5
        client.shutdown()
    assert "map/near-cache" in caplog.text
    assert "map/eviction USED_HEAP_SIZE" in caplog.text
    assert "hazelcast/executor-service" in caplog.text


def test_the_cluster_name_given_counts() -> None:
    with GridServer("mine", config_xml=XML) as server:
        assert server.cluster_name == "mine"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<hazelcast>", "no XML"),
        ("<beans/>", "<beans>"),
        ("<hazelcast><queue name='q'><max-size>many</max-size></queue></hazelcast>", "max-size"),
        (
            "<hazelcast><map><indexes><index type='ODD'/></indexes></map></hazelcast>",
            "ODD",
        ),
        ("<hazelcast><map><eviction eviction-policy='MRU'/></map></hazelcast>", "MRU"),
        ("<hazelcast><map><eviction max-size-policy='PER_DAY'/></map></hazelcast>", "PER_DAY"),
        ("<hazelcast><map><eviction size='lots'/></map></hazelcast>", "lots"),
    ],
)
def test_a_wrong_hazelcast_xml_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        GridServer(config_xml=text)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        GridServer(config_xml=tmp_path / "absent.xml")


def test_events_may_be_lost_and_answers_late() -> None:
    with GridServer(members=1) as server:
        client = connected(server)
        held = client.get_map("m").blocking()
        heard: list[int] = []
        held.add_entry_listener(added_func=lambda event: heard.append(event.key))
        with server.losing_events():
            held.put(1, 1)
        with server.delaying_answers(0.2):
            began = time.perf_counter()
            assert held.get(1) == 1
            # The server's clock counts whole milliseconds.
            assert time.perf_counter() - began > 0.2 - 0.002
        held.put(2, 2)
        give_up_at = time.perf_counter() + 60
        while not heard and time.perf_counter() < give_up_at:
            time.sleep(0.01)
        assert heard == [2]
        client.shutdown()


FIXTURES = """
def test_one(hazelcast_client):
    hazelcast_client.get_map("m").blocking().put(1, 1)

def test_other(hazelcast_client, grid_server):
    assert hazelcast_client.get_map("m").blocking().size() == 0
    assert len(grid_server.members) == 1

def test_own(make_grid):
    one, other = make_grid(members=2), make_grid(cluster_name="other")
    assert len(one.members) == 2
    assert other.cluster_name == "other"
"""


def test_the_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FIXTURES)
    pytester.runpytest_subprocess().assert_outcomes(passed=3)


def test_hazelcast_xml_of_the_project(caplog: pytest.LogCaptureFixture) -> None:
    path = Path(__file__).parents[2] / "cache_config" / "hazelcast.xml"
    make: Callable[[], GridServer] = lambda: GridServer(config_xml=path)  # noqa: E731
    with make() as server:
        assert server.cluster_name == "dev"
