"""Calendars on the grid: stored, applied, replaced and deleted while triggers use them."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from cluster import job

from gridsched.client.triggers import cron
from gridsched.errors import InvalidSchedule, NotFound, SubmissionRejected
from gridsched.model.calendar import DailyCalendar, MonthlyCalendar, WeeklyCalendar
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
