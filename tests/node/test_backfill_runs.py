"""Backfill on running nodes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from gridsched.client.triggers import cron, every
from gridsched.errors import InvalidSchedule, NotFound, SubmissionRejected
from gridsched.model.job import Job
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)


def ago(**lengths: float) -> datetime:
    return NOW - timedelta(**lengths)


async def scheduled(cluster, seconds: float = 0.1, **fields):
    c = cluster(members=2)
    for name in "ab":
        await c.node(name)
    client = await c.client()
    job = Job("jobs_under_test:take", name="j", data={"seconds": seconds}, **fields)
    trigger = await client.schedule(job, cron("0 0 * * * ?", data={"seconds": seconds}))
    return c, client, trigger


def hours(start: datetime, count: int) -> list[int]:
    first = -(-round(start.timestamp()) // 3600) * 3600
    return [(first + 3600 * n) * 1000 for n in range(count)]


async def test_a_day_of_the_past_runs_hour_by_hour(cluster):
    c, client, trigger = await scheduled(cluster)
    backfill = await client.backfill(trigger.key, ago(days=3), ago(days=2))
    assert (backfill.group, backfill.description) == ("BACKFILL", f"backfill of {trigger.key}")
    await c.until(lambda: len(c.runs.finished) == 24)
    assert [f.scheduled for f in c.runs.started] == hours(ago(days=3), 24)
    assert {f.trigger for f in c.runs.started} == {backfill.key}
    spans = [(f.started_at, f.finished_at) for f in await client.firings()]
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert (await client.trigger(backfill.key)).state == "COMPLETE"
    assert (await client.trigger(trigger.key)).fired == 0
    audited = {each.trigger: each for each in await client.audit()}
    assert (audited[backfill.key].tally.ran, audited[backfill.key].unaccounted) == (24, ())


async def test_one_that_may_overlap_is_over_at_once(cluster):
    c, client, trigger = await scheduled(cluster, seconds=30)
    await client.backfill(trigger.key, ago(days=9), ago(days=2), overlap="allow_all")
    await c.until(lambda: len(c.runs.started) == 168, within=5)


async def test_one_that_skips_says_so(cluster):
    c, client, trigger = await scheduled(cluster, seconds=30)
    await client.backfill(trigger.key, ago(hours=5), NOW, overlap="skip")
    await c.pass_time(40)
    states = sorted(f.state for f in await client.firings())
    assert states == ["COMPLETE", "SKIPPED", "SKIPPED", "SKIPPED", "SKIPPED"]


async def test_a_job_that_disallows_concurrent_execution_takes_turns_with_its_backfill(cluster):
    c, client, trigger = await scheduled(cluster, seconds=0.7, disallow_concurrent=True)
    await client.schedule("DEFAULT/j", every(3, name="live", start=NOW, data={"seconds": 0.7}))
    await client.backfill(trigger.key, ago(hours=10), NOW)
    await c.until(lambda: sum("BACKFILL" in f.trigger for f in c.runs.finished) == 10, within=120)
    spans = sorted((f.started_at, f.finished_at) for f in await client.firings() if f.finished_at)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    with pytest.raises(SubmissionRejected, match="disallows concurrent execution"):
        await client.backfill(trigger.key, ago(hours=10), NOW, overlap="skip")


async def test_a_node_that_dies_over_a_backfill_leaves_it_to_the_others(cluster):
    c, client, trigger = await scheduled(cluster, seconds=1, requests_recovery=True)
    await client.backfill(trigger.key, ago(days=1), NOW)
    await c.until(lambda: len(c.runs.finished) == 5)
    await c.crash(c.nodes[0])
    await c.until(lambda: len({f.scheduled for f in c.runs.finished}) == 24, within=200)
    assert {f.state for f in await client.firings()} == {"COMPLETE"}


async def test_it_is_paused_and_deleted_as_a_trigger_is(cluster):
    c, client, trigger = await scheduled(cluster, seconds=1)
    backfill = await client.backfill(trigger.key, ago(days=1), NOW)
    await c.until(lambda: len(c.runs.started) == 3)
    await client.pause_group("BACKFILL")
    count = len(c.runs.started)
    await c.pass_time(20)
    assert len(c.runs.started) == count
    await client.delete(backfill.key)
    await client.resume_all()
    await c.pass_time(20)
    assert len(c.runs.started) == count


async def test_what_cannot_be_is_refused(cluster):
    _c, client, trigger = await scheduled(cluster)
    with pytest.raises(InvalidSchedule, match="must be of the past"):
        await client.backfill(trigger.key, ago(days=1), NOW + timedelta(days=1))
    with pytest.raises(InvalidSchedule, match="without a zone"):
        await client.backfill(trigger.key, datetime(2020, 1, 1), NOW)  # noqa: DTZ001
    with pytest.raises(NotFound):
        await client.backfill("a/b:c/d", ago(days=1), NOW)
    with pytest.raises(SubmissionRejected, match="has no instant"):
        await client.backfill(trigger.key, ago(minutes=2), ago(minutes=1, seconds=59))
    with pytest.raises(SubmissionRejected, match="more than 5000"):
        await client.backfill(trigger.key, ago(days=400), NOW)
