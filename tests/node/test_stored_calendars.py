"""Calendars on the grid: stored, applied, replaced and deleted while triggers use them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time
from typing import Any

import pytest
from cluster import job

from gridsched.client.triggers import cron, every
from gridsched.errors import InvalidSchedule, NotFound, SubmissionRejected
from gridsched.grid.data import partition_of
from gridsched.model.calendar import DailyCalendar, MonthlyCalendar, WeeklyCalendar
from gridsched.model.keys import calendar_key
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)  # 2026-09-21 14:13:20, a Monday

MORNING = DailyCalendar(starting=time(0), ending=time(14, 19, 59, 999000))


async def test_a_trigger_does_not_fire_at_what_its_calendar_excludes(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.store_calendar("mornings", MORNING)
    trigger = await client.schedule(job(), cron("0 0/5 * * * ?", calendar="mornings"))
    assert datetime.fromtimestamp(trigger.next_fire / 1000, UTC).time() == time(14, 20)
    await c.until(lambda: len(c.runs.finished) == 3, within=2000, step=1)
    times = [datetime.fromtimestamp(f.scheduled / 1000, UTC) for f in c.runs.started]
    assert [t.strftime("%H:%M") for t in times] == ["14:20", "14:25", "14:30"]


async def test_replacing_a_calendar_moves_the_triggers_that_use_it(cluster):
    c = cluster()
    await c.node("a")
    await c.node("b")
    client = await c.client()
    await client.store_calendar("free", WeeklyCalendar(days=(1, 7)))
    await client.store_calendar("chained", MonthlyCalendar(days=(25,), base="free"))
    for n in range(10):
        await client.schedule(job(name=f"j{n}"), cron("0 0 9 * * ?", calendar="chained"))
    with pytest.raises(SubmissionRejected, match="override"):
        await client.store_calendar("free", WeeklyCalendar(days=(3,)))
    await client.store_calendar("free", WeeklyCalendar(days=(3,)), override=True)
    fires = {t.next_fire for t in await client.triggers()}
    assert [datetime.fromtimestamp(f / 1000, UTC).strftime("%a %d") for f in fires] == ["Wed 23"]


async def test_a_calendar_replaced_while_a_trigger_is_paused_counts_when_it_is_resumed(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.store_calendar("free", MORNING)
    trigger = await client.schedule(job(), cron("0 0/5 * * * ?", calendar="free"))
    await client.pause(trigger.key)
    longer = DailyCalendar(starting=time(0), ending=time(14, 29, 59, 999000))
    await client.store_calendar("free", longer, override=True)
    assert (await client.trigger(trigger.key)).due is None
    await client.resume(trigger.key)
    await c.until(lambda: len(c.runs.finished) == 1, within=2000, step=1)
    fired = datetime.fromtimestamp(c.runs.started[0].scheduled / 1000, UTC)
    assert fired.strftime("%H:%M") == "14:30"


async def test_a_calendar_in_use_is_not_deleted(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.store_calendar("base", MORNING)
    await client.store_calendar("upper", WeeklyCalendar(base="base"))
    trigger = await client.schedule(job(), cron("0 0 18 * * ?", calendar="upper"))
    with pytest.raises(SubmissionRejected, match="base of 'upper'"):
        await client.delete_calendar("base")
    with pytest.raises(SubmissionRejected, match="used by 1 trigger"):
        await client.delete_calendar("upper")
    await client.unschedule(trigger.key)
    await client.delete_calendar("upper")
    assert list(await client.calendars()) == ["base"]
    with pytest.raises(NotFound, match="upper"):
        await client.delete_calendar("upper")


async def test_what_cannot_be_a_calendar_is_refused(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    with pytest.raises(InvalidSchedule, match="8 is not a day"):
        await client.store_calendar("x", WeeklyCalendar(days=(8,)))
    with pytest.raises(SubmissionRejected, match="base 'none' does not exist"):
        await client.store_calendar("x", WeeklyCalendar(base="none"))
    with pytest.raises(SubmissionRejected, match="chains to itself"):
        await client.store_calendar("x", WeeklyCalendar(base="x"))
    with pytest.raises(SubmissionRejected, match="no calendar 'x'"):
        await client.schedule(job(), cron("0 0 18 * * ?", calendar="x"))
    whole_day = DailyCalendar(starting=time(0), ending=time(23, 59, 59, 999000))
    await client.store_calendar("never", whole_day)
    with pytest.raises(SubmissionRejected, match="never fire"):
        await client.schedule(job(), cron("0 0 18 * * ?", calendar="never"))


def delay(owner: Any, method: str, seconds: float) -> None:
    """The first answer of this method comes so much later than what it tells of was so."""
    call, first = getattr(owner, method), [True]

    async def later(*arguments: Any) -> Any:
        found = await call(*arguments)
        if first:
            first.clear()
            await asyncio.sleep(seconds)
        return found

    setattr(owner, method, later)


async def two_nodes(cluster) -> tuple[Any, Any, str]:
    """A cluster with a client, and a job that is looked after by another node than calendars are."""
    c = cluster()
    nodes = [await c.node(name) for name in "ab"]
    client = await c.client()
    await client.store_calendar("free", MonthlyCalendar(days=(1,)))

    def owned(key: str) -> list[bool]:
        partition = partition_of(client.caches.jobs.data_key(key))
        return [partition in node.parts.membership.owned() for node in nodes]

    names = (f"j{n}" for n in range(100))
    return c, client, next(n for n in names if owned(f"DEFAULT/{n}") != owned(calendar_key("free")))


async def test_a_trigger_that_is_stored_while_its_calendar_changes_follows_the_new_one(cluster):
    c, client, name = await two_nodes(cluster)
    for node in c.nodes:
        delay(node.parts.submissions._scheduling._caches.calendars, "with_bases", 1)
    scheduled = asyncio.create_task(client.schedule(job(name=name), every(5, calendar="free")))
    await c.pass_time(0.5)
    await client.store_calendar("free", MonthlyCalendar(days=(21,)), override=True)
    trigger = await scheduled
    assert datetime.fromtimestamp(trigger.next_fire / 1000, UTC).day == 22
    await c.pass_time(30)
    assert not c.runs.started


async def test_a_trigger_that_is_stored_while_its_calendar_is_deleted_is_refused(cluster):
    c, client, name = await two_nodes(cluster)
    for node in c.nodes:
        delay(node.parts.submissions._scheduling._caches.calendars, "with_bases", 1)
    scheduled = asyncio.create_task(client.schedule(job(name=name), every(5, calendar="free")))
    await c.pass_time(0.5)
    await client.delete_calendar("free")
    with pytest.raises(SubmissionRejected, match="there is no calendar 'free'"):
        await scheduled
    assert await client.triggers() == []


async def test_a_calendar_that_a_trigger_takes_while_it_is_deleted_is_put_back(cluster):
    c, client, name = await two_nodes(cluster)
    for node in c.nodes:
        delay(node.parts.submissions._commands._calendars._caches.triggers, "find", 1)
    deleted = asyncio.create_task(client.delete_calendar("free"))
    await c.pass_time(0.5)
    trigger = await client.schedule(job(name=name), every(5, calendar="free"))
    with pytest.raises(SubmissionRejected, match="is used by 1 trigger"):
        await deleted
    assert await client.calendar("free") == MonthlyCalendar(days=(1,))
    assert (await client.trigger(trigger.key)).state == "NORMAL"


async def test_what_is_claimed_while_another_calendar_comes_that_leaves_it_out_does_not_run(
    cluster,
):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    await client.store_calendar("free", DailyCalendar(time(0), time(14, 14, 59, 999000)))
    await client.schedule(job(), cron("0 0/5 * * * ?", calendar="free"))
    firings = node.core.caches.firings
    apply = firings.apply

    async def before_its_trigger_goes_on(changes: Any) -> Any:
        firings.apply = apply
        answers = await apply(changes)
        await client.store_calendar("free", MORNING, override=True)
        return answers

    firings.apply = before_its_trigger_goes_on
    await c.until(lambda: len(c.runs.finished) == 2, within=1000, step=1)
    times = [datetime.fromtimestamp(f.scheduled / 1000, UTC) for f in c.runs.started]
    assert [t.strftime("%H:%M") for t in times] == ["14:20", "14:25"]
    assert len(await client.firings()) == (await client.triggers())[0].fired
