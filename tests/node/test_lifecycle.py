"""A node's life: joining, the start gate, startup jobs, stopping in order."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from cluster import job
from msgspec.structs import replace

from gridsched.client.scheduler import AsyncScheduler
from gridsched.client.triggers import cron, every, once
from gridsched.config.settings import StartupCalendar, StartupJob
from gridsched.errors import GridMisconfigured, NodeNameTaken
from gridsched.grid.embedded import EmbeddedCluster
from gridsched.model.calendar import DailyCalendar, WeeklyCalendar
from gridsched.node import node as node_module
from gridsched.node.hooks import Hook
from gridsched.node.node import NodeState
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)


STARTUP = (StartupJob(job(name="{Job-1}"), (every(1, name="{Job-1 - Trigger 1}"),)),)


async def test_the_hooks_of_a_nodes_life_are_called_in_order(cluster):
    told = []

    class Told(Hook):
        def on_activated(self, node):
            told.append(("activated", node))

        def on_disposing(self, node):
            told.append(("disposing", node))

        def on_stopped(self, node):
            told.append(("stopped", node))

    c = cluster()
    node = await c.assembled("a")
    node.hooks.add(Told())
    await node.start()
    await node.stop()
    await node.stop()
    assert told == [("activated", "a"), ("disposing", "a"), ("stopped", "a")]
    assert node.state is NodeState.STOPPED


@pytest.mark.parametrize("error", [RuntimeError("broken hook"), SystemExit(3)])
async def test_a_hook_that_raises_hurts_nothing_and_is_counted(cluster, error):
    class Broken(Hook):
        def on_claimed(self, firing):
            raise error

        def on_starting(self, firing):
            raise error

        def on_started(self, firing):
            raise error

    c = cluster()
    node = await c.node("a")
    node.hooks.add(Broken())
    client = await c.client()
    await (await client.submit(job())).result(timeout=2)
    assert node.hooks.failures == 3


async def test_a_second_node_of_one_name_is_refused(cluster):
    c = cluster()
    await c.node("a")
    second = await c.assembled("a")
    with pytest.raises(NodeNameTaken, match="'a' is already active"):
        await second.start()
    assert second.state is NodeState.STOPPED


async def test_a_node_started_again_after_a_crash_takes_its_name_back(cluster):
    c = cluster()
    await c.crash(await c.node("a"))
    node = await c.node("a")
    assert node.state is NodeState.ACTIVE


@pytest.mark.parametrize("seconds", [0.1, 1, 2, 4, 4.9, 6])
async def test_it_does_so_whenever_the_others_see_that_it_was_gone(cluster, seconds):
    c = cluster()
    await c.node("a")
    first = await c.node("b")
    await c.pass_time(3)
    await c.crash(first)
    await c.pass_time(seconds)
    again = await c.node("b")
    client = await c.client()
    assert [m.incarnation for m in await client.members()][1] == again.core.incarnation


async def test_of_two_starts_at_the_same_time_one_has_the_name(cluster):
    c = cluster()
    await c.crash(await c.node("a"))
    starts = [await c.assembled("a") for _ in range(2)]
    ends = await asyncio.gather(*(node.start() for node in starts), return_exceptions=True)
    assert {type(end) for end in ends} == {NodeNameTaken, type(None)}
    c.nodes += [node for node in starts if node.state is NodeState.ACTIVE]


async def test_a_grid_that_bounds_the_queue_otherwise_is_told_what_to_set(cluster):
    c = cluster()
    c.grid.queue("Execution-a", 7)
    node = await c.assembled("a")
    with pytest.raises(GridMisconfigured, match=r"bounds it to 7.*<max-size>1000</max-size>"):
        await node.start()
    unbounded = EmbeddedCluster(c.clock.now, c.ids)
    unbounded.queue("Execution-b")
    c.grid = unbounded
    node = await c.assembled("b")
    with pytest.raises(GridMisconfigured, match="does not bound it"):
        await node.start()


async def test_no_timer_starts_until_enough_nodes_are_active_at_once(cluster):
    c = cluster(members=3, server_count=3, jobs=STARTUP)
    await c.node("a")
    await c.crash(await c.node("b"))
    await c.pass_time(20)
    await c.node("c")
    await c.pass_time(20)
    assert c.runs.started == []
    await c.node("d")
    await c.until(lambda: len(c.runs.finished) >= 9)
    assert {f.acquired_by for f in c.runs.started} <= {"a", "c", "d"}


async def test_the_records_of_a_cluster_that_died_open_no_gate(cluster, caplog):
    """All were killed at once; the first to come back sees their records, and none of them beat."""
    caplog.set_level("INFO")
    c = cluster(members=3, server_count=3, jobs=STARTUP)
    for node in [await c.node(name) for name in ("a", "b", "c")]:
        await c.until(lambda node=node: node.parts.timer.open)
    for node in list(c.nodes):
        await c.crash(node)
    ran = len(c.runs.started)
    back = await c.node("d")
    await c.pass_time(50)
    assert not back.parts.timer.open
    assert len(c.runs.started) == ran
    await c.node("e")
    await c.pass_time(5)
    said = [r.getMessage() for r in caplog.records if "here: d" in r.getMessage()]
    alone, two = "waiting for 3 nodes, 1 is here: d", "waiting for 3 nodes, 2 are here: d, e"
    assert said == [alone, alone, two, two], "at first, after half a minute, and from both of two"
    await c.node("f")
    await c.until(lambda: len(c.runs.started) > ran)


async def test_a_node_that_died_just_before_another_came_opens_no_gate(cluster):
    """The two were never there at the same time, though the session of the first has not ended."""
    c = cluster(members=3, server_count=3, jobs=STARTUP)
    await c.node("a")
    second = await c.node("b")
    await c.until(lambda: len(c.nodes[0].parts.membership.live()) == 2)
    await c.crash(second)
    await c.node("c")
    await c.pass_time(20)
    assert [node.parts.timer.open for node in c.nodes] == [False, False]
    await c.node("d")
    await c.until(lambda: all(node.parts.timer.open for node in c.nodes))


async def test_a_node_at_its_gate_leaves_the_partitions_to_those_that_fire(cluster):
    c = cluster(members=3, server_count=3)
    first, *others = [await c.node(name) for name in ("a", "b", "c")]
    client = await c.client()
    pairs = [(job(name=f"j{n}"), every(1)) for n in range(50)]
    await client.schedule_many(pairs)
    await c.until(lambda: first.parts.timer.open)
    for node in others:
        await c.crash(node)
    late = await c.node("d")
    await c.pass_time(10)
    began = len(c.runs.started)
    await c.pass_time(10)
    assert not late.parts.timer.open
    assert late.parts.membership.owned() == ()
    assert set(await client.owners()) == {"a"}
    assert len(c.runs.started) - began >= 50 * 9
    await c.node("e")
    await c.until(lambda: late.parts.timer.open)
    assert len(late.parts.membership.owned()) > 50


async def test_each_of_three_fires_its_share(cluster):
    """What waits at the gate is due at once when it opens, for all three of them."""
    c = cluster(members=3, server_count=3, jobs=())
    await c.node("a")
    await c.node("b")
    client = await c.client()
    await client.schedule_many([(job(name=f"j{n}"), once(NOW)) for n in range(300)])
    await c.pass_time(30)
    assert c.runs.started == []
    await c.node("c")
    await c.until(lambda: len(c.runs.finished) == 300)
    for share in (
        Counter(firing.acquired_by for firing in c.runs.finished),
        Counter(firing.member for firing in c.runs.finished),
    ):
        assert set(share) == {"a", "b", "c"}
        assert all(60 <= count <= 141 for count in share.values()), share


async def test_startup_jobs_are_submitted_once_however_many_nodes_carry_them(cluster):
    c = cluster(members=2, jobs=STARTUP)
    await c.node("a")
    await c.until(lambda: len(c.runs.finished) >= 5)
    await c.node("b")
    await c.pass_time(200)
    client = await c.client()
    (trigger,) = await client.triggers()
    assert trigger.created_at == START
    assert trigger.key == "DEFAULT/{Job-1}:DEFAULT/{Job-1 - Trigger 1}"


async def test_the_timer_and_the_shell_each_wait_their_delay(cluster):
    c = cluster(jobs=STARTUP, timer_delay_ms=10_000, shell_delay_ms=20_000)
    await c.node("a")
    await c.until(lambda: len(c.runs.started) > 0)
    assert c.runs.started[0].acquired_at - START >= 10_000
    assert c.runs.started[0].started_at - START >= 20_000


async def test_a_delayed_timer_claims_nothing_and_a_delayed_shell_starts_nothing(cluster):
    claims = cluster(jobs=STARTUP, timer_delay_ms=10_000)
    await claims.node("a")
    client = await claims.client()
    await claims.pass_time(9)
    assert [member.timer for member in await client.members()] == ["DELAYED"]
    assert await client.firings() == []
    await claims.until(lambda: len(claims.runs.started) > 0)
    first = claims.runs.started[0]
    assert 10_000 <= first.acquired_at - START <= first.started_at - START < 12_000

    runs = cluster(jobs=STARTUP, shell_delay_ms=10_000)
    began = runs.clock.now()
    await runs.node("a")
    await runs.until(lambda: len(runs.runs.started) > 0)
    first = runs.runs.started[0]
    assert first.acquired_at - began < 1000
    assert first.started_at - began >= 10_000


async def test_a_node_in_its_delay_leaves_the_partitions_to_those_that_fire(cluster):
    c = cluster()
    first = await c.node("a")
    await c.until(lambda: first.parts.timer.open)
    late = await c.node("b", timer_delay_ms=20_000)
    await c.pass_time(10)
    assert late.parts.membership.owned() == ()
    assert len(first.parts.membership.owned()) == 271
    await c.pass_time(15)
    assert len(late.parts.membership.owned()) > 50


async def test_a_stopping_node_lets_running_jobs_finish(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    handle = await client.submit(job("take", data={"seconds": 5}))
    await c.until(lambda: len(c.runs.started) == 1)
    await node.stop()
    assert await handle.state() == "COMPLETE"
    assert await client.members() == []


async def test_what_outlasts_the_grace_period_is_marked(cluster):
    c = cluster(grace_period_ms=2000)
    node = await c.node("a")
    client = await c.client()
    handle = await client.submit(job("take", data={"seconds": 50}))
    await c.until(lambda: len(c.runs.started) == 1)
    await node.stop()
    firing = await client.firing(handle.key)
    assert firing.state == "FAILED"
    assert "node stopped" in firing.error


async def test_a_stopping_node_gives_back_what_it_has_not_started(cluster):
    c = cluster(members=2, max_threads=1, look_ahead_ms=3000)
    first = await c.node("a")
    client = await c.client()
    at = NOW + timedelta(seconds=6)
    await client.schedule_many([(job(name=f"j{n}"), once(at)) for n in range(200)])
    await c.until(lambda: c.clock.monotonic() > 5)
    assert first.parts.shell.in_hand == 200
    second = await c.node("b")
    await first.stop()
    await c.until(lambda: len(c.runs.finished) == 200, within=3)
    assert {f.member for f in c.runs.finished} == {"b"}
    assert second.state is NodeState.ACTIVE


async def test_what_a_stopping_node_gives_back_is_not_sent_to_it_again(cluster):
    """The other node looks after half of it already, and would send it before it has looked who
    is there."""
    c = cluster(members=2, look_ahead_ms=15_000, session_timeout_ms=20_000, grace_period_ms=60_000)
    first = await c.node("a")
    client = await c.client()
    running = await client.submit(job("take", data={"seconds": 30}))
    await c.until(lambda: len(c.runs.started) == 1)
    await c.node("b")
    await c.pass_time(5)
    at = NOW + timedelta(seconds=20)
    pairs = [(job(name=f"j{n}"), once(at)) for n in range(200)]
    await client.schedule_many(pairs)
    await c.until(lambda: first.parts.shell.in_hand == 101)
    stopping = asyncio.ensure_future(first.stop())
    await c.until(lambda: len(c.runs.finished) == 200, within=16)
    assert {f.member for f in c.runs.finished} == {"b"}
    assert {f.started_at - f.scheduled for f in c.runs.finished} == {0}
    assert await running.state() == "EXECUTING"
    await stopping
    assert await running.state() == "COMPLETE"


async def test_settings_may_differ_between_nodes(cluster):
    c = cluster()
    await c.node("a", poll_interval_ms=100)
    await c.node("b", poll_interval_ms=900)
    assert replace(c.settings, poll_interval_ms=100) == c.nodes[0].settings


CALENDARS = (
    StartupCalendar("closed", DailyCalendar(starting=time(0), ending=time(14, 59, 59, 999000))),
    StartupCalendar("working days", WeeklyCalendar(base="closed")),
)


async def test_startup_calendars_are_there_before_the_jobs_that_name_them(cluster):
    hourly = (cron("0 0 * * * ?", name="hourly", calendar="working days"),)
    startup = (StartupJob(job(name="first"), hourly),)
    c = cluster(members=2, calendars=CALENDARS, jobs=startup)
    await c.node("a")
    await c.node("b")
    client = await c.client()
    await c.until(lambda: has_triggers(client, 1))
    assert list(await client.calendars()) == ["closed", "working days"]
    (trigger,) = await client.triggers()
    assert datetime.fromtimestamp(trigger.next_fire / 1000, UTC).hour == 15


async def test_a_startup_calendar_leaves_the_one_that_is_there(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.store_calendar("working days", WeeklyCalendar(days=(7,)))
    await c.node("b", calendars=CALENDARS)
    await c.until(lambda: has_calendars(client, 2))
    await c.pass_time(5)
    assert (await client.calendar("working days")).days == (7,)


async def test_a_startup_job_that_is_refused_is_logged_and_comes_with_the_next_node(
    cluster, caplog
):
    hourly = (cron("0 0 * * * ?", name="hourly", calendar="working days"),)
    c = cluster(members=2, jobs=(StartupJob(job(name="first"), hourly),))
    await c.node("a")
    client = await c.client()
    await c.until(lambda: "is refused" in caplog.text)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage() == (
        "startup submission about DEFAULT/first is refused: there is no calendar 'working days'"
    )
    await c.node("b", calendars=CALENDARS)
    await c.until(lambda: has_triggers(client, 1))


async def test_startup_jobs_outlast_a_defect_which_is_logged(cluster, caplog, monkeypatch):
    submit = node_module.submit_startup
    defects = [RuntimeError("a defect")]

    async def fails_once(*given):
        if defects:
            raise defects.pop()
        await submit(*given)

    monkeypatch.setattr(node_module, "submit_startup", fails_once)
    c = cluster(jobs=STARTUP)
    await c.node("a")
    await c.until(lambda: len(c.runs.finished) >= 1)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "could not be submitted" in record.getMessage()
    assert record.exc_info is not None


async def has_triggers(client: AsyncScheduler, count: int) -> bool:
    return len(await client.triggers()) == count


async def has_calendars(client: AsyncScheduler, count: int) -> bool:
    return len(await client.calendars()) == count


async def test_a_startup_job_does_not_come_back_when_a_node_starts_much_later(cluster):
    startup = (StartupJob(job(name="first"), (once(name="at start"),)),)
    c = cluster(members=2, jobs=startup)
    await c.node("a")
    await c.pass_time(700)
    await c.node("b")
    await c.pass_time(10)
    assert len(c.runs.started) == 1


async def test_a_node_leaves_though_it_has_not_read_its_last_beat(cluster):
    """It was told to stop between the two."""
    c = cluster()
    node = await c.node("a")
    store = node.core.caches.membership
    written = await store.get("a")
    assert await store.replace(written, replace(written.value, beat=written.value.beat + 1))
    await node.parts.membership.stop()
    await node.parts.membership.leave()
    assert await store.find() == []
    await c.crash(node)
