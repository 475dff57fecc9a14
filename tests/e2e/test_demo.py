"""The demo that the README begins with, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from hazelcast_member import free_port
from processes import NodeProcess

import gridsched

DEMO = Path(__file__).parents[2] / "cache_config" / "demo.xml"
JOBS = {"say hello", "tick", "slow", "flaky", "warm up"}


def test_the_demo_fires_all_its_jobs() -> None:
    address = f"127.0.0.1:{free_port()}"  # 5701 may be taken where this runs
    node = NodeProcess(str(DEMO), "--for", "6s", "--listen", address)
    try:
        node.wait_ready()
        with gridsched.connect(address) as scheduler:
            assert {job.name for job in scheduler.jobs(group="demo")} <= JOBS
        code, output = node.end()
    finally:
        node.stop()
    assert code == 0, output
    counts = re.search(r"fired (\d+), failed 0, retried (\d+), misfired 0", output)
    assert counts, output
    assert int(counts[1]) >= 6 + 2 + 3 + 1 + 2 + 1, output
    assert int(counts[2]) >= 1, "the flaky job is tried again"
    fired = dict(re.findall(r"^  demo/(.+?) +fired +(\d+),", output, re.M))
    assert set(fired) == JOBS, output
    assert "lateness p50 " in output
