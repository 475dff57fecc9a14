"""Job data that persist after a run: one run sees what the one before left, whoever dies when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import gridsched
from gridsched.client.triggers import every
from gridsched.errors import JobFailed
from gridsched.grid.faults import Fault, Rates
from gridsched.model.job import Job
from gridsched.model.retry import Retry
from gridsched.node.shell.finisher import Finisher
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)


def counting(function: str = "count", **fields) -> Job:
    fields = {"disallow_concurrent": True, "persist_data": True, **fields}
    return Job(f"jobs_under_test:{function}", name="counting", **fields)


async def runs(client) -> int:
    return (await client.job("DEFAULT/counting")).data.get("runs", 0)


async def test_each_run_sees_what_the_one_before_left(cluster):
    c = cluster(members=3)
    for name in "abc":
        await c.node(name)
    client = await c.client()
    soon = NOW + timedelta(seconds=3)
    await client.schedule(counting(durable=True), every(0.5, start=soon, repeat_count=19))
    await c.until(lambda: len(c.runs.finished) == 20)
    results = [result.value for result in await client.results()]
    assert sorted(results) == list(range(1, 21))
    assert await runs(client) == 20
    assert {f.leaves for f in await client.firings()} == {None}


async def test_what_a_failed_run_changed_is_not_stored(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    job = counting(durable=True, data={"fail_at": 2}, retry=Retry(2, delay=1))
    await client.add_job(job)
    assert await (await client.fire(job.key)).result(timeout=5) == 1
    with pytest.raises(JobFailed):
        await (await client.fire(job.key)).result(timeout=20)
    assert (await client.job(job.key)).data == {"fail_at": 2, "runs": 1}


async def test_a_triggers_data_do_not_become_the_jobs(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    job = counting(durable=True, data={"step": 1})
    await client.add_job(job)
    assert await (await client.fire(job.key, {"step": 5})).result(timeout=5) == 5
    assert (await client.job(job.key)).data == {"step": 1, "runs": 5}


@pytest.mark.parametrize("executor", ["thread", "process"])
def test_a_job_in_a_thread_or_process_leaves_its_data_too(executor):
    """On a real node: virtual time knows no processes."""
    job = counting("count_blocking", durable=True, executor=executor, data={"seen": []})
    with gridsched.start(allowed_jobs=["jobs_under_test:*"]) as node:
        node.scheduler.add_job(job)
        for expected in (1, 2):
            assert node.scheduler.fire(job.key).result(timeout=30) == expected
        assert node.scheduler.job(job.key).data == {"seen": [1, 1]}


async def test_what_is_not_json_fails_the_run(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    with pytest.raises(JobFailed, match=r"what it left: data\['what'\] is set"):
        await (await client.submit(counting("leave_no_json"))).result(timeout=5)


@pytest.mark.parametrize("alone", [True, False])
async def test_what_a_node_could_not_store_before_it_died_is_stored(cluster, monkeypatch, alone):
    """It had recorded the end of the run: what it left stands in the firing's record."""
    c = cluster(members=2)
    first = await c.node("a")
    client = await c.client()
    monkeypatch.setattr(Finisher, "_settled", _dies)
    soon = NOW + timedelta(seconds=3)
    await client.schedule(
        counting(disallow_concurrent=alone), every(20, start=soon, repeat_count=1)
    )
    await c.until(lambda: _left_by_one(client))
    assert await runs(client) == 0
    monkeypatch.undo()
    await c.crash(first)
    await c.node("b")
    await c.until(lambda: len(c.runs.finished) == 1, within=60)
    assert await runs(client) == 2
    assert {f.leaves for f in await client.firings()} == {None}


async def _dies(*_arguments) -> None:
    """Nothing follows the record."""


async def _left_by_one(client) -> bool:
    return any(f.leaves is not None for f in await client.firings())


@pytest.mark.parametrize("fault", [Fault.APPLIED, Fault.NOT_APPLIED, Fault.UNAVAILABLE])
@pytest.mark.parametrize("place", ["Job-Store", "Firing-Store"])
async def test_a_failing_grid_counts_nothing_twice(cluster, place, fault):
    c = cluster()
    await c.node("a")
    client = await c.client()
    soon = NOW + timedelta(seconds=3)
    await client.schedule(counting(durable=True), every(1, start=soon, repeat_count=9))
    for _ in range(4):
        await c.pass_time(1.1)
        c.faults["a"].script(place, "compare_and_set", fault)
    await c.until(lambda: _counted(client, 10))
    assert {f.state for f in await client.firings()} == {"COMPLETE"}


@pytest.mark.parametrize("overlap", ["", "buffer_all"])
async def test_no_run_starts_from_what_was_there_before_the_last_one(cluster, overlap):
    """On a grid that takes its time, a job may be read before the run of it ends that goes on."""
    c = cluster(members=3)
    for name in "abc":
        await c.node(name)
    client = await c.client()
    for faults in c.faults.values():
        faults._rates = Rates(delayed=0.8, longest_delay=0.3)
    turns = {"overlap": overlap, "disallow_concurrent": False} if overlap else {}
    job = counting(durable=True, data={"seconds": 0.2}, **turns)
    await client.schedule(job, every(0.3, start=NOW + timedelta(seconds=3), repeat_count=59))
    await c.until(lambda: _counted(client, 60), within=200)
    await c.pass_time(5)
    assert sorted(r.value for r in await client.results()) == list(range(1, 61))


async def _counted(client, expected: int) -> bool:
    return await runs(client) == expected


async def test_a_stale_end_leaves_nothing(cluster):
    """Cut off while it ran; the recovered run counted, and the first must not count again."""
    c = cluster(members=2)
    await c.node("a")
    client = await c.client()
    handle = await client.submit(
        counting(durable=True, requests_recovery=True, data={"seconds": 8.0})
    )
    await c.until(lambda: len(c.runs.started) == 1)
    c.faults["a"].cut_off = True
    await c.node("b")
    await c.until(lambda: len(c.runs.started) == 2, within=60)
    c.faults["a"].cut_off = False
    assert await handle.result(timeout=60) == 1
    await c.pass_time(30)
    assert await runs(client) == 1
    stale = [node.core.counters.stale for node in c.nodes]
    assert sum(stale) == 1
