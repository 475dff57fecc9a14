"""Priorities, jitter and the catch-up window, on running nodes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cluster import SELDOM

from gridsched.client.triggers import every, once
from gridsched.model.job import Job
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)


def job(name: str, function: str = "note", **fields) -> Job:
    return Job(f"jobs_under_test:{function}", name=name, **fields)


async def test_what_is_due_together_starts_by_priority(cluster):
    """Over more batches than one of the claim, the dispatch and the start; the trigger's own comes
    before its job's."""
    c = cluster(members=2)
    await c.node("a")
    client = await c.client()
    at = NOW + timedelta(seconds=9)
    pairs = [
        (job(f"j{n}", priority=5), once(at, **({} if n % 3 else {"priority": n % 7})))
        for n in range(300)
    ]
    await client.schedule_many(pairs)
    await c.until(lambda: len(c.runs.started) == 300)
    assert {f.scheduled for f in c.runs.started} == {START + 9000}
    started = [f.priority for f in c.runs.started]
    assert set(started) == set(range(7))
    assert started == sorted(started, reverse=True)


async def test_priority_counts_whenever_in_a_millisecond_a_payload_came(cluster):
    """The wall clock is read in milliseconds, the monotonic one is finer."""
    c = cluster()
    await c.node("a")
    client = await c.client()
    await c.pass_time(1)
    at = NOW + timedelta(seconds=1.9)
    for priority in range(1, 10):
        phase = c.clock.monotonic() * 1000 % 1
        await c.pass_time((1 - phase + priority / 10) / 1000)
        await client.schedule(job(f"p{priority}", priority=priority), once(at))
    await c.until(lambda: len(c.runs.started) == 9)
    assert [f.priority for f in c.runs.started] == list(range(9, 0, -1))


async def test_the_highest_priority_gets_the_thread_that_is_free(cluster):
    c = cluster(max_threads=1)
    await c.node("a")
    client = await c.client()
    at = NOW + timedelta(seconds=5)
    for priority in (1, 9, 5):
        await client.schedule(job(f"p{priority}", "blocking", priority=priority), once(at))
    await c.until(lambda: len(c.runs.finished) == 3)
    assert [f.priority for f in c.runs.started] == [9, 5, 1]


async def test_a_jittered_run_starts_within_its_jitter_and_keeps_its_instant(cluster):
    c = cluster(members=2)
    for name in "ab":
        await c.node(name)
    client = await c.client()
    start = NOW + timedelta(seconds=5)
    await client.schedule(job("near"), every(1, start=start, repeat_count=19, jitter=3))
    await client.schedule(job("far"), every(100, start=start, repeat_count=3, jitter=90))
    await c.until(lambda: len(c.runs.finished) == 24, within=600)
    for firing in c.runs.started:
        late = firing.started_at - firing.scheduled
        assert 0 <= late < (3000 if "near" in firing.job else 90_000)
        assert firing.started_at - firing.fire_at <= 5
        assert firing.scheduled % 1000 == START % 1000
    assert len({f.started_at - f.scheduled for f in c.runs.started}) > 20


async def test_a_jittered_run_whose_trigger_is_paused_meanwhile_does_not_start(cluster):
    c = cluster(**SELDOM)
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job("far"), once(NOW + timedelta(seconds=3), jitter=3600))
    await c.pass_time(8)
    (firing,) = await client.firings()
    assert (firing.state, firing.due) == ("ACQUIRED", firing.fire_at)
    await client.pause(trigger.key)
    await c.pass_time(3700)
    assert c.runs.started == []
    await client.resume(trigger.key)
    await c.until(lambda: len(c.runs.finished) == 1)


async def test_after_an_outage_no_more_is_caught_up_with_than_the_window(cluster):
    c = cluster(members=2)
    first = await c.node("a")
    client = await c.client()
    start = NOW + timedelta(seconds=10)
    trigger = await client.schedule(
        job("j"), every(10, start=start, misfire="IGNORE", catch_up=120)
    )
    await c.until(lambda: len(c.runs.finished) == 3)
    await c.crash(first)
    await c.pass_time(600)
    await c.node("b")
    await c.until(lambda: len(c.runs.finished) > 3 + 12, within=30)
    (left_out,) = await client.firings(state="SKIPPED")
    assert left_out.error == "older than the trigger's catch-up window"
    assert left_out.scheduled == START + 40_000
    runs = sorted(f.scheduled for f in c.runs.started)
    assert left_out.until + 10_000 == runs[3]
    assert left_out.count == (left_out.until - left_out.scheduled) // 10_000 + 1
    assert runs[3:] == list(range(runs[3], runs[-1] + 1, 10_000))
    assert (await client.trigger(trigger.key)).misfired == left_out.count
    (audited,) = await client.audit()
    assert (audited.unaccounted, audited.tally.skipped) == ((), left_out.count)


async def test_what_is_resumed_after_its_catch_up_window_is_skipped(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job("j"), once(NOW + timedelta(seconds=5), catch_up=60))
    await c.pass_time(4.5)
    await client.pause(trigger.key)
    await c.pass_time(100)
    await client.resume(trigger.key)
    (firing,) = await client.firings()
    assert (firing.state, firing.error) == ("SKIPPED", "older than the trigger's catch-up window")
