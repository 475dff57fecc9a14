"""Commands about very many triggers, and about one that has fired very often: what is due meanwhile
has its turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cluster import Cluster, job

from gridsched.client.scheduler import AsyncScheduler
from gridsched.client.triggers import every
from gridsched.model.calendar import WeeklyCalendar
from gridsched.model.firing import Firing
from gridsched.simulation.virtual_time import START
from gridsched.stores.firings import FiringStore
from gridsched.stores.record import Record

AT_ONCE = 64
MANY = 5 * AT_ONCE
FAR = datetime.fromtimestamp(START / 1000, UTC) + timedelta(days=30)
DAY = FAR.isoweekday() % 7 + 1
"""Its day of the week, as calendars count."""

Command = Callable[[AsyncScheduler], Awaitable[Any]]


async def pause(client: AsyncScheduler) -> None:
    await client.pause_group("*")


async def resume(client: AsyncScheduler) -> None:
    await client.resume_group("*")


async def close_that_day(client: AsyncScheduler) -> None:
    await client.store_calendar("open", WeeklyCalendar(days=(DAY,)), override=True)


class Turns:
    """How many triggers change in one turn of the loop."""

    def __init__(self, c: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        self._changed = 0
        self.most = 0
        self.all = 0
        self._turn = c.loop._run_once  # type: ignore[attr-defined]
        c.grid.maps["Trigger-Store"].listeners.append(self._count)
        monkeypatch.setattr(c.loop, "_run_once", self._counted)

    def _count(self, _change: object) -> None:
        self._changed += 1
        self.all += 1
        self.most = max(self.most, self._changed)

    def _counted(self) -> None:
        self._changed = 0
        self._turn()


@pytest.mark.parametrize(
    ("before", "command"), [(None, pause), (pause, resume), (None, close_that_day)]
)
async def test_a_command_about_many_triggers_lets_others_have_their_turn(
    cluster: Callable[..., Cluster],
    monkeypatch: pytest.MonkeyPatch,
    before: Command | None,
    command: Command,
) -> None:
    c = cluster(members=1)
    await c.node("a")
    client = await c.client()
    await client.store_calendar("open", WeeklyCalendar(days=(DAY % 7 + 1,)))
    await client.schedule_many(
        [
            (job(name=f"j{n}"), every(3600, name="t", start=FAR, calendar="open"))
            for n in range(MANY)
        ]
    )
    if before is not None:
        await before(client)
    turns = Turns(c, monkeypatch)
    await command(client)
    assert turns.all >= MANY
    assert turns.most <= AT_ONCE


@pytest.mark.parametrize("command", ["pause", "resume", "delete"])
async def test_a_command_looks_at_no_firing_that_is_over(
    cluster: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    c = cluster(members=1)
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(durable=True), every(1, name="t"))
    await c.until(lambda: len(c.runs.finished) >= 20)
    if command != "pause":
        await client.pause(trigger.key)
    await c.until(lambda: len(c.runs.finished) == len(c.runs.started))
    looked: list[Record[Firing]] = []
    record = FiringStore.record

    def noted(store: FiringStore, key: bytes, raw: bytes) -> Record[Firing]:
        looked.append(record(store, key, raw))
        return looked[-1]

    monkeypatch.setattr(FiringStore, "record", noted)
    await getattr(client, command)(trigger.key)
    assert not [each.key for each in looked if each.value.state == "COMPLETE"]
