"""A node by a coordination file, on a grid whose servers go and come back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hazelcast_member import free_port

import gridsched
from gridsched import Job
from gridsched.errors import GridschedError
from gridsched.testing import GridServer

HAZELCAST = Path(__file__).parents[2] / "cache_config" / "hazelcast.xml"
ADD = Job("gridsched.jobs.samples:add", data={"a": 1, "b": 2})
PATIENCE = 60.0


def added(node: gridsched.LocalNode) -> bool:
    try:
        return bool(node.scheduler.submit(ADD).result(timeout=PATIENCE / 4) == 3)
    except GridschedError:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.perf_counter() + PATIENCE
    while not condition():
        assert time.perf_counter() < until
        time.sleep(0.01)


def wait_until_it_adds(node: gridsched.LocalNode) -> None:
    wait_until(lambda: added(node))


def test_it_goes_on_at_another_server_and_looks_for_all_of_them_when_none_is_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="hazelcast")
    caplog.set_level(logging.INFO, logger="gridsched")
    path = tmp_path / "coordination.xml"
    with GridServer("dev", port=free_port(2), config_xml=HAZELCAST) as server:
        addresses = server.addresses
        path.write_text(
            '<CoordinationClientConfiguration enabled="true"><Servers>'
            + "".join('<Server host="{}" port="{}"/>'.format(*a.split(":")) for a in addresses)
            + "</Servers></CoordinationClientConfiguration>"
        )
        with gridsched.start(coordination=path, allowed_jobs=[ADD.target]) as node:
            assert node.scheduler.submit(ADD).result(timeout=PATIENCE) == 3
            server.kill_member(server.members[0])
            wait_until_it_adds(node)
            wait_until(lambda: f"member {addresses[0]} has left the grid" in caplog.text)
            server.stop()
            server.start()
            wait_until_it_adds(node)
            gone = f"the connection to the grid is gone; trying {', '.join(addresses)} in turn"
            assert caplog.text.count(gone) == 1
            assert "connected to the grid again" in caplog.text
    assert caplog.text.count(gone) == 1, "a node that stops has lost nothing"
