"""The config file that users copy for a real cluster."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from conformance import UNHURRIED, A, value
from hazelcast_member import QUICK_START, HazelcastMember, free_port
from lxml import etree

from gridsched.grid.hazelcast import HazelcastGrid
from gridsched.grid.port import Between, IndexSpec, MapSpec, QueueSpec
from gridsched.model.caches import CacheNames
from gridsched.stores.firings import FiringStore
from gridsched.stores.jobs import JobStore
from gridsched.stores.results import ResultStore
from gridsched.stores.submissions import SubmissionStore
from gridsched.stores.triggers import TriggerStore

SHIPPED = Path(__file__).parents[2] / "cache_config" / "hazelcast.xml"
NAMES = CacheNames()
INDEXED = {
    NAMES.submissions: SubmissionStore.indexes,
    NAMES.jobs: JobStore.indexes,
    NAMES.triggers: TriggerStore.indexes,
    NAMES.firings: FiringStore.indexes,
    NAMES.results: ResultStore.indexes,
}
UNINDEXED = (NAMES.calendars, NAMES.membership, NAMES.locks, NAMES.groups, NAMES.events)


def declared(path: str) -> list[Any]:
    root = etree.parse(SHIPPED).getroot()
    found: list[Any] = root.findall(path, {None: "http://www.hazelcast.com/schema/config"})
    return found


def test_it_declares_every_map_with_its_indexes() -> None:
    indexes = {
        declaration.get("name"): tuple(
            IndexSpec("".join(index.itertext()).strip(), index.get("type"))
            for index in declaration.findall("{*}indexes/{*}index")
        )
        for declaration in declared("map")
    }
    assert indexes == INDEXED | dict.fromkeys(UNINDEXED, ())


def test_every_map_is_backed_up_and_may_be_protected() -> None:
    names = [protection.get("name") for protection in declared("split-brain-protection")]
    for declaration in declared("map"):
        assert declaration.findtext("{*}backup-count") == "1"
        assert [declaration.findtext("{*}split-brain-protection-ref")] == names


def test_it_bounds_the_execution_queues() -> None:
    (queue,) = declared("queue")
    assert queue.get("name") == f"{NAMES.execution_prefix}*"
    assert queue.findtext("{*}max-size") == "1000"


@pytest.mark.java
async def test_a_member_starts_with_the_config_that_users_copy(java: None, tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "hazelcast.xml"
    config.write_text(SHIPPED.read_text().replace(">5701<", f">{port}<"))
    member = HazelcastMember(config, port, tmp_path / "member.log", java=QUICK_START)
    grid = HazelcastGrid([member.address], "dev", **UNHURRIED)
    try:
        await asyncio.to_thread(member.wait_started)
        await grid.open()
        queue = await grid.queue(QueueSpec("Execution-any", 1000))
        assert await queue.remaining_capacity() == 1000
        held = await grid.map(MapSpec("Trigger-Store", (IndexSpec("due", "SORTED"),)))
        await held.put(A, value(due=5))
        assert await held.query([Between("due", 1, 9)]) == [(A, value(due=5))]
    finally:
        await grid.close()
        member.stop()
    # Of other things than its config a member on a busy machine may warn.
    log = member.log.read_text().splitlines()
    assert [line for line in log if "WARN" in line and "onfig" in line] == []
