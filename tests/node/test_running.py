"""What runs can be cancelled, leaves checkpoints, and yields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cluster import SELDOM, job

from gridsched.client.triggers import every, once
from gridsched.errors import JobCancelled, JobFailed
from gridsched.model.job import Retry
from gridsched.node.locks import JobLocks
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)


async def test_a_run_is_cancelled_and_gone_within_a_second(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    handle = await client.submit(job("take", data={"seconds": 3600}))
    await c.until(lambda: len(c.runs.started) == 1)
    await c.pass_time(5)
    await handle.cancel()
    with pytest.raises(JobCancelled, match="by request"):
        await handle.result(timeout=1)
    await c.until(lambda: not node.parts.shell.runs and node.parts.shell.in_hand == 0, within=1)
    await c.pass_time(1)
    assert (node.core.counters.stale, node.core.counters.failed) == (1, 0)
    assert [f.state for f in c.runs.finished] == ["CANCELLED"]
    with pytest.raises(JobCancelled):
        await handle.result(timeout=1)


async def test_a_clock_that_is_set_back_makes_no_cancelled_run_go_on(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    handle = await client.submit(job("take", data={"seconds": 3600}))
    await c.until(lambda: len(c.runs.started) == 1)
    c.clock.skew = -3_600_000
    await handle.cancel()
    await c.until(lambda: not node.parts.shell.runs, within=1)


async def test_a_run_that_ends_before_anybody_looks_does_not_undo_its_cancellation(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    handle = await client.submit(job("take", data={"seconds": 0.3}))
    await c.until(lambda: len(c.runs.started) == 1)
    await handle.cancel()
    await c.pass_time(2)
    assert await handle.state() == "CANCELLED"
    assert node.core.counters.stale == 1
    assert node.core.counters.completed == 0


async def test_a_deleted_job_lets_what_runs_go_on(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    handle = await client.submit(job("take", name="t", data={"seconds": 9}))
    await c.until(lambda: len(c.runs.started) == 1)
    await client.delete("DEFAULT/t")
    assert await handle.result(timeout=20) is None


async def test_a_run_whose_record_is_another_ones_is_ended(cluster):
    """Cut off for longer than the session timeout: its firing was given to another node."""
    c = cluster(members=2)
    first = await c.node("a")
    client = await c.client()
    handle = await client.submit(job("take", data={"seconds": 60}, requests_recovery=True))
    await c.until(lambda: len(c.runs.started) == 1)
    await c.node("b")
    c.faults["a"].cut_off = True
    await c.until(lambda: len(c.runs.started) == 2, within=40)
    c.faults["a"].cut_off = False
    await c.until(lambda: not first.parts.shell.runs, within=5)
    assert await handle.result(timeout=90) is None
    assert (await handle.firing()).member == "b"


async def test_short_runs_are_never_looked_at(cluster):
    c = cluster()
    node = await c.node("a")
    asked = []
    get_all = node.core.caches.firings.map.get_all

    async def counted(keys):
        keys = list(keys)
        asked.extend(keys)
        return await get_all(keys)

    node.core.caches.firings.map.get_all = counted
    client = await c.client()
    await client.schedule(job("take", data={"seconds": 0.4}), every(1, repeat_count=20))
    await c.until(lambda: len(c.runs.finished) == 21)
    assert asked == []
    await client.submit(job("take", name="long", data={"seconds": 2}))
    await c.until(lambda: len(c.runs.finished) == 22)
    assert 2 <= len(asked) <= 4


async def test_the_lock_of_a_cancelled_run_is_given_back_when_it_is_ended(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    alone = job("take", name="alone", data={"seconds": 60}, disallow_concurrent=True)
    trigger = await client.schedule(alone, every(2, start=NOW + timedelta(seconds=2)))
    await c.until(lambda: len(c.runs.started) == 1)
    await c.pass_time(3.2)
    (running,) = await client.firings(of=trigger.key, state="EXECUTING")
    await client.cancel(running.key)
    assert len(node.parts.shell.runs) == 1, "it runs still"
    assert not await JobLocks(node.core).free("DEFAULT/alone"), "and so keeps its lock"
    await c.until(lambda: len(c.runs.started) == 2, within=5)
    ended, begun = c.runs.finished[0], c.runs.started[1]
    assert ended.key == running.key
    assert begun.started_at >= ended.finished_at
    assert len(node.parts.shell.runs) == 1


async def test_the_lock_of_a_cancelled_run_whose_member_died_goes_with_the_lease(cluster):
    c = cluster(members=2)
    first = await c.node("a")
    client = await c.client()
    alone = job("take", name="alone", data={"seconds": 60}, disallow_concurrent=True)
    handle = await client.submit(alone)
    await c.until(lambda: len(c.runs.started) == 1)
    await c.node("b")
    await handle.cancel()
    await c.crash(first)
    again = await client.fire("DEFAULT/alone", {"seconds": 0})
    assert await again.result(timeout=30) is None


async def test_the_next_instant_of_a_trigger_is_cancelled_before_anybody_claims_it(cluster):
    c = cluster(**SELDOM)
    await c.node("a")
    client = await c.client()
    at = NOW + timedelta(hours=3)
    trigger = await client.schedule(job("note"), every(60, start=at, repeat_count=2))
    handle = client.handle(f"{trigger.key}@{trigger.next_fire}")
    await handle.cancel()
    assert await handle.state() == "CANCELLED"
    await c.pass_time(3 * 3600 + 150)
    assert len(c.runs.finished) == 2
    states = [f.state for f in await client.firings(of=trigger.key)]
    assert states == ["CANCELLED", "COMPLETE", "COMPLETE"]
    assert (await client.trigger(trigger.key)).fired == 3


async def test_an_instant_that_is_discarded_long_before_it_comes_does_not_run(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    at = NOW + timedelta(minutes=10)
    trigger = await client.schedule(job("note"), every(60, start=at, repeat_count=1))
    await client.discard(f"{trigger.key}@{trigger.next_fire}")
    await c.pass_time(12 * 60)
    assert [f.scheduled for f in c.runs.started] == [trigger.next_fire + 60_000]
    await c.pass_time(2 * 60)
    assert [f.scheduled for f in await client.firings()] == [trigger.next_fire + 60_000]


async def test_a_job_goes_on_from_its_checkpoint_on_another_node_after_a_crash(cluster):
    c = cluster(members=2)
    first = await c.node("a")
    client = await c.client()
    handle = await client.submit(job("in_steps", requests_recovery=True))
    await c.until(lambda: len(c.runs.started) == 1)
    await c.node("b")
    await c.pass_time(5.9)
    await c.crash(first)
    assert await handle.result(timeout=60) == [6, 7, 8, 9, 10]
    firing = await handle.firing()
    assert (firing.member, firing.attempt, firing.checkpoint) == ("b", 2, None)


async def test_a_retry_goes_on_from_the_checkpoint_though_it_was_left_just_before_the_end(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    stubborn = job("in_steps", data={"steps": 6, "fail_at": 4}, retry=Retry(2, delay=1))
    assert await (await client.submit(stubborn)).result(timeout=30) == [5, 6]


async def test_what_a_stopping_node_gives_up_keeps_its_last_checkpoint(cluster):
    c = cluster(grace_period_ms=3300)
    node = await c.node("a")
    client = await c.client()
    handle = await client.submit(job("in_steps"))
    await c.until(lambda: len(c.runs.started) == 1)
    await node.stop()
    firing = await handle.firing()
    assert firing.state == "FAILED"
    assert firing.checkpoint >= 3


@pytest.mark.parametrize("function", ["in_turns", "thread_in_turns"])
async def test_a_job_that_yields_goes_on_with_the_same_attempt(cluster, function):
    c = cluster()
    await c.node("a")
    client = await c.client()
    handle = await client.submit(job(function))
    assert await handle.result(timeout=30) == 3
    firing = await handle.firing()
    assert (firing.attempt, firing.round, firing.suspended) == (1, 2, False)
    assert [f.suspended for f in c.runs.finished] == [True, True, False]


async def test_a_job_that_yields_waits_as_long_as_it_said_and_keeps_its_lock(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    alone = job("in_turns", name="alone", disallow_concurrent=True, durable=True)
    handle = await client.submit(alone)
    await c.until(lambda: len(c.runs.finished) == 1)
    waiting = await handle.firing()
    assert (waiting.state, waiting.suspended, waiting.message) == ("ACQUIRED", True, "turn 1")
    other = await client.fire("DEFAULT/alone")
    assert await handle.result(timeout=30) == 3
    first, second, third = [f.started_at for f in c.runs.started[:3]]
    assert 5000 <= second - first < 5600
    assert 5000 <= third - second < 5600
    assert await other.result(timeout=30) == 3
    keys = [f.key for f in c.runs.started]
    assert keys == [handle.key] * 3 + [other.key] * 3
    assert node.core.counters.failed == 0


async def test_what_has_yielded_is_cancelled_while_it_waits(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    handle = await client.submit(job("in_turns", data={"seconds": 60}))
    await c.until(lambda: len(c.runs.finished) == 1)
    await handle.cancel()
    await c.pass_time(120)
    assert len(c.runs.started) == 1


async def test_a_checkpoint_that_is_too_big_fails_the_run_and_says_so(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    handle = await client.submit(job("too_big"))
    with pytest.raises(JobFailed, match="70002 bytes of JSON is too big: at most 65536"):
        await handle.result(timeout=2)


async def test_pausing_parks_what_has_yielded(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job("in_turns"), once(NOW + timedelta(seconds=2)))
    await c.until(lambda: len(c.runs.finished) == 1)
    await client.pause(trigger.key)
    await c.pass_time(60)
    assert len(c.runs.started) == 1
    await client.resume(trigger.key)
    await c.until(lambda: len(c.runs.finished) == 3, within=20)
