"""The audit of a live cluster: it finds what was taken out of the ledger, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from gridsched import Job, cron, every, once
from gridsched.calendars import DailyCalendar
from gridsched.model.caches import CacheSettings
from gridsched.model.keys import firing_key
from gridsched.model.retry import Retry
from gridsched.policy.audit import Audited, total


def job(function: str = "echo", **fields) -> Job:
    return Job(f"jobs_under_test:{function}", data={"value": 1}, **fields)


def wrong(audits: list[Audited]) -> list[tuple[str, int, str]]:
    return [(a.trigger, u.scheduled, u.problem) for a in audits for u in a.unaccounted]


async def remove(client, key: str) -> None:
    store = client.caches.firings
    assert await store.map.remove(store.data_key(key)) is not None


async def alone(client, key: str) -> Audited:
    (audited,) = await client.audit(key)
    return audited


async def test_all_that_a_cluster_did_is_accounted_for(cluster):
    c = cluster()
    await c.node("a")
    b = await c.node("b")
    client = await c.client()
    await client.schedule(job(name="plain"), every(2))
    await client.schedule(job("fail", name="failing", retry=Retry(2, delay=1)), every(5))
    await client.schedule(job(name="finite"), every(3, repeat_count=40))
    await client.schedule(job(name="nightly"), cron("0/10 * * * * ?", misfire="DO_NOTHING"))
    await client.schedule(job(name="late"), every(2, misfire="IGNORE", catch_up=30))
    key = (await client.schedule(job(name="coming"), every(20))).key
    await client.fire("DEFAULT/plain")
    await c.pass_time(30)
    await client.cancel(firing_key(key, (await client.trigger(key)).next_fire))
    await client.pause_all()
    await c.pass_time(100)
    await client.resume_all()
    await c.pass_time(20)
    await c.crash(b)
    await c.pass_time(30)
    audits = await client.audit()
    assert wrong(audits) == []
    assert all(a.whole and not a.notes for a in audits)
    summed = total(audits)
    assert summed.instants > 150
    assert min(summed.ran, summed.failed, summed.skipped, summed.cancelled) > 0
    assert summed.unaccounted == 0


async def test_an_instant_that_is_cancelled_when_it_is_overdue_is_accounted_for(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(), every(5))).key
    await c.pass_time(12)
    await client.pause(key)
    await c.pass_time(100)
    await client.cancel(firing_key(key, (await client.trigger(key)).next_fire))
    await client.resume(key)
    await c.pass_time(30)
    audited = await alone(client, key)
    assert (audited.unaccounted, audited.tally.cancelled) == ((), 1)


async def test_a_record_that_was_taken_out_is_missed(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="plain"), every(2))).key
    await c.pass_time(41)
    records = await client.firings(of=key)
    for record in (records[3], records[7], records[8]):
        await remove(client, record.key)
    audited = await alone(client, key)
    assert [(u.scheduled, u.until, u.count) for u in audited.unaccounted] == [
        (records[3].scheduled, None, 1),
        (records[7].scheduled, records[8].scheduled, 2),
    ]
    assert audited.unaccounted[0].problem == "has no record, and its trigger has gone on"
    assert (audited.tally.unaccounted, audited.tally.ran) == (3, len(records) - 3 - 1)
    assert audited.tally.to_come == 1, "one is claimed ahead"
    for record in await client.firings(of=key):
        await remove(client, record.key)
    assert (await alone(client, key)).tally.unaccounted == len(records)


async def test_a_record_that_the_schedule_does_not_name_is_told(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="plain"), every(60))).key
    await c.pass_time(5)
    (first,) = await client.firings(of=key)
    await client.caches.firings.create(
        type(first)(key, first.scheduled + 1000, job=first.job, acquired_at=c.clock.now())
    )
    await c.pass_time(1)
    assert wrong([await alone(client, key)]) == [
        (key, first.scheduled + 1000, "is recorded, but the schedule does not name it")
    ]


@pytest.mark.parametrize("caches", [{"firing_retention_ms": 60_000}, {"firings_kept": 10}])
async def test_what_retention_removed_is_not_missed_and_what_came_after_it_is(cluster, caches):
    c = cluster(caches=CacheSettings(**caches))
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="plain"), every(2))).key
    await c.pass_time(200)
    records = await client.firings(of=key)
    audited = await alone(client, key)
    assert (audited.unaccounted, audited.whole) == ((), False)
    assert audited.since == records[0].scheduled
    assert audited.tally.instants == len(records)
    await remove(client, records[-5].key)
    (found,) = (await alone(client, key)).unaccounted
    assert found.scheduled == records[-5].scheduled


async def test_a_calendar_that_was_changed_is_judged_by_from_then_on(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.store_calendar("night", DailyCalendar(time(0), time(0, 1)))
    key = (await client.schedule(job(name="plain"), every(2, calendar="night"))).key
    await c.pass_time(30)
    assert (await alone(client, key)).notes == ()
    at = datetime.fromtimestamp(c.clock.now() / 1000, UTC)
    hours = DailyCalendar(at.time().replace(microsecond=0), (at + timedelta(minutes=1)).time())
    await client.store_calendar("night", hours, override=True)
    changed = c.clock.now()
    await c.pass_time(120)
    audited = await alone(client, key)
    assert audited.unaccounted == ()
    assert audited.notes == (
        "calendar 'night' has changed since it was accepted: judged from then on",
    )
    assert audited.since > changed
    assert audited.tally.ran > 5
    records = await client.firings(of=key)
    await remove(client, records[-4].key)
    assert [u.scheduled for u in (await alone(client, key)).unaccounted] == [records[-4].scheduled]


async def test_a_trigger_that_was_scheduled_anew_leaves_its_old_records_out(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="plain"), every(2))).key
    await c.pass_time(10.3)
    await client.schedule(job(name="plain"), every(3))
    await c.pass_time(10)
    audited = await alone(client, key)
    assert (audited.unaccounted, audited.whole) == ((), True)
    assert audited.tally.ran <= 4


async def test_what_is_due_and_not_claimed_is_still_to_come(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="plain"), every(10))).key
    await client.schedule(job(name="done"), once())
    await c.pass_time(5)
    await c.crash(node)
    await c.pass_time(40)
    audited = await alone(client, key)
    assert (audited.tally.ran, audited.tally.to_come, audited.unaccounted) == (1, 4, ())
    assert (await alone(client, "DEFAULT/done")).tally.ran == 1
