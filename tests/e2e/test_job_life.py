"""The life around jobs, among processes on a real cluster."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from processes import wait_for
from world import World

from gridsched import Job, cron, every
from gridsched.client.blocking import Scheduler
from gridsched.model.firing import Firing

pytestmark = pytest.mark.java


@pytest.fixture
def scheduler(world: World) -> Scheduler:
    """Of a cluster with two nodes."""
    world.start("n1", "n2")
    return world.connect()


def test_groups_are_paused_on_all_nodes(world: World, scheduler: Scheduler) -> None:
    pairs = [
        (Job("e2e_jobs:note_async", name=f"j{n}", data=world.data), every(0.2, group=group))
        for n in range(20)
        for group in ("shop-a", "bank")
    ]
    scheduler.schedule_many(pairs)
    wait_for(lambda: world.log.count() >= 100, world.log.count)
    scheduler.pause_group("shop*")
    assert {t.state for t in scheduler.triggers() if t.group == "shop-a"} == {"PAUSED"}
    late = scheduler.schedule(pairs[0][0], every(0.2, group="shop-new"))
    assert late.state == "PAUSED"
    executing = {f.key for f in scheduler.firings(state="EXECUTING")}
    before = {line.firing for line in world.log.lines()} | executing
    count = world.log.count()
    wait_for(lambda: world.log.count() >= count + 100, world.log.count)
    later = {line.firing for line in world.log.lines()} - before
    assert later
    assert [firing for firing in later if ":shop" in firing] == []
    scheduler.resume_all()
    wait_for(lambda: any(":shop-new" in line.firing for line in world.log.lines()))


def test_runs_take_turns_and_leave_their_data(scheduler: Scheduler) -> None:
    job = Job(
        "e2e_jobs:count",
        name="counting",
        overlap="buffer_all",
        persist_data=True,
        data={"seconds": 0.15},
    )
    trigger = scheduler.schedule(job, every(0.1, repeat_count=9))
    firings = _final(scheduler, trigger.key, 10)
    assert Counter(f.state for f in firings) == {"COMPLETE": 10}
    spans = sorted((f.started_at, f.finished_at) for f in firings)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    wait_for(lambda: len(scheduler.results()) == 10, scheduler.results)  # put once they are final
    assert sorted(r.value for r in scheduler.results()) == list(range(1, 11))


def test_a_range_of_the_past_is_backfilled(scheduler: Scheduler) -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    daily = scheduler.schedule(
        Job("e2e_jobs:add", name="daily", data={"a": 1, "b": 2}), cron("0 0 12 * * ?")
    )
    backfill = scheduler.backfill(daily.key, start, start + timedelta(days=40), overlap="allow_all")
    firings = _final(scheduler, backfill.key, 40)
    assert {f.state for f in firings} == {"COMPLETE"}
    assert all(later.scheduled - f.scheduled == 86_400_000 for f, later in pairwise(firings))


def _final(scheduler: Scheduler, trigger: str, count: int) -> list[Firing]:
    """The firings of a trigger, once so many have ended."""

    def ended() -> list[Firing]:
        return [f for f in scheduler.firings(of=trigger) if f.finished_at is not None]

    wait_for(lambda: len(ended()) == count, ended)
    return ended()
