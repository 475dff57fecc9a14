"""The demo that the README begins with, as it stands there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from hazelcast_member import free_port
from processes import NodeProcess, wait_for

import gridsched

DEMO = Path(__file__).parents[2] / "cache_config" / "demo.xml"
JOBS = {"say hello", "tick", "slow", "flaky", "warm up"}
ENDED = Counter(
    {
        "demo/say hello:DEFAULT/every second": 6,
        "demo/say hello:DEFAULT/every 5 seconds, to you": 2,
        "demo/tick:DEFAULT/even seconds": 3,
        "demo/slow:DEFAULT/every 2 seconds": 1,
        "demo/flaky:DEFAULT/every 5 seconds": 1,
        "demo/warm up:DEFAULT/at start": 1,
    }
)
"""How often each trigger is to have fired: what does not take its time comes in six seconds."""


def test_the_demo_fires_all_its_jobs() -> None:
    address = f"127.0.0.1:{free_port()}"  # 5701 may be taken where this runs
    node = NodeProcess(str(DEMO), "--listen", address)
    try:
        node.wait_ready()
        with gridsched.connect(address) as scheduler:

            def ended() -> Counter[str]:
                return Counter(f.trigger for f in scheduler.firings() if f.finished_at)

            wait_for(lambda: ended() >= ENDED, ended)
            assert {job.name for job in scheduler.jobs(group="demo")} <= JOBS
        node.terminate()
        code, output = node.end()
    finally:
        node.stop()
    assert code == 0, output
    counts = re.search(r"fired (\d+), failed 0, retried (\d+), misfired 0", output)
    assert counts, output
    assert int(counts[1]) >= ENDED.total() + 1, "the flaky job runs twice"
    assert int(counts[2]) >= 1, "the flaky job is tried again"
    fired = dict(re.findall(r"^  demo/(.+?) +fired +(\d+),", output, re.M))
    assert set(fired) == JOBS, output
    assert "lateness p50 " in output
