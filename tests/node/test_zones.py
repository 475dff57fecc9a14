"""New time zone data: next fires are moved once, by the owners of their partitions, and it is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from gridsched.client.triggers import calendar_interval, cron, every
from gridsched.model.calendar import WeeklyCalendar
from gridsched.model.job import Job
from gridsched.model.trigger import Cron, Trigger
from gridsched.policy import cron as cron_policy
from gridsched.policy import localtime
from gridsched.simulation.virtual_time import START

HOUR = 3_600_000
KYIV = "Europe/Kyiv"
DAILY = "0 0 9 * * ?"


def job(number: int) -> Job:
    return Job("jobs_under_test:note", name=f"j{number}")


@pytest.fixture
def upgrade(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """From the call on the data is an edition newer, by which Kyiv is an hour further east."""
    cron_policy._next_fire.cache_clear()
    kept = localtime.zone

    def install() -> None:
        monkeypatch.setattr(localtime, "EDITION", localtime.EDITION + 1)
        monkeypatch.setattr(
            localtime, "zone", lambda name: kept("Etc/GMT-4" if name == KYIV else name)
        )
        cron_policy._next_fire.cache_clear()

    yield install
    cron_policy._next_fire.cache_clear()


async def fires(client) -> dict[str, int | None]:
    return {trigger.key: trigger.next_fire for trigger in await client.triggers()}


async def test_a_node_moves_the_triggers_of_the_partitions_that_come_to_it(
    cluster, caplog, upgrade
):
    c = cluster()
    first = await c.node("a")
    client = await c.client()
    for number in range(20):
        await client.schedule(job(number), cron(DAILY, KYIV))
    before = await fires(client)
    upgrade()
    await c.node("b")
    await c.pass_time(3)
    there = await fires(client)
    moved = {key for key in there if there[key] == before[key] - HOUR}
    assert 0 < len(moved) < 20
    assert all(there[key] == before[key] for key in there.keys() - moved)
    await c.crash(first)
    await c.until(lambda: all_moved(client, before))
    said = [record.getMessage() for record in caplog.records if record.name == "gridsched.zones"]
    assert len(said) == 20
    old, new = (localtime.edition_name(localtime.EDITION - back) for back in (1, 0))
    assert (
        "trigger DEFAULT/j0:DEFAULT/j0: its next fire was 2026-09-22T06:00:00+00:00 by time zone "
        f"data {old}, and is 2026-09-22T05:00:00+00:00 by {new}"
    ) in said


async def all_moved(client, before: dict[str, int]) -> bool:
    return await fires(client) == {key: fire - HOUR for key, fire in before.items()}


async def test_what_needs_no_zone_and_what_did_not_move_stay_and_nothing_is_said(
    cluster, caplog, upgrade
):
    c = cluster()
    first = await c.node("a")
    client = await c.client()
    await client.store_calendar("weekend", WeeklyCalendar(zone="Europe/London"))
    await client.schedule(job(0), every(3600))
    await client.schedule(job(1), cron(DAILY))
    await client.schedule(job(2), calendar_interval(1, zone="Europe/London"))
    await client.schedule(job(3), every(86400, calendar="weekend"))
    before = {trigger.key: trigger for trigger in await client.triggers()}
    assert [bool(trigger.tzdata) for trigger in before.values()] == [False, False, True, True]
    upgrade()
    await c.node("b")
    await c.crash(first)
    await c.pass_time(20)
    after = {trigger.key: trigger for trigger in await client.triggers()}
    assert {k: t.next_fire for k, t in after.items()} == {k: t.next_fire for k, t in before.items()}
    assert {t.tzdata for t in after.values()} == {0, localtime.EDITION}
    assert "gridsched.zones" not in {record.name for record in caplog.records}


async def test_a_paused_trigger_moves_too_and_stays_paused(cluster, upgrade):
    c = cluster()
    first = await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(0), cron(DAILY, KYIV))
    await client.pause(trigger.key)
    upgrade()
    await c.crash(first)
    await c.node("b")
    await c.until(lambda: all_moved(client, {trigger.key: trigger.next_fire}))
    paused = await client.trigger(trigger.key)
    assert (paused.state, paused.due) == ("PAUSED", None)
    await client.resume(trigger.key)
    assert (await client.trigger(trigger.key)).due == trigger.next_fire - HOUR


async def test_older_data_does_not_move_what_newer_data_computed(cluster, upgrade, monkeypatch):
    c = cluster()
    first = await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(0), cron(DAILY, KYIV))
    upgrade()
    monkeypatch.setattr(localtime, "EDITION", localtime.EDITION - 2)
    await c.crash(first)
    await c.node("b")
    await c.pass_time(20)
    assert (await client.trigger(trigger.key)).next_fire == trigger.next_fire


async def test_a_zone_that_a_node_does_not_know_holds_up_no_other_trigger(cluster):
    c = cluster()
    client = await c.client()
    unknown = Trigger(
        Cron("0 * * * * ?", zone="Mars/Cydonia"),
        name="t",
        job=job(20).key,
        next_fire=START + 10_000,
        due=START + 10_000,
        tzdata=1,
    )
    assert await client.caches.jobs.create(job(20))
    assert await client.caches.triggers.create(unknown)
    node = await c.node("a")
    await client.schedule_many([(job(number), every(1)) for number in range(20)])
    await c.pass_time(30)
    shown = await client.trigger(unknown.key)
    assert (shown.state, shown.due) == ("ERROR", None)
    assert shown.error.startswith("its schedule cannot be computed: no such time zone 'Mars/Cyd")
    assert min(Counter(f.job for f in c.runs.started).values()) >= 29
    assert node.parts.timer.failures == 0
