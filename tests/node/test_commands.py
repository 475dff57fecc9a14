"""Commands: pause, resume, delete, fire, cancel, schedule again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from cluster import job

from gridsched.client.triggers import cron, every, once
from gridsched.errors import (
    GridUnavailable,
    InvalidJob,
    JobCancelled,
    NotFound,
    SubmissionRejected,
    SubmissionTimeout,
)
from gridsched.grid.faults import Fault
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.submission import Resume, Submission
from gridsched.node.fence import Overtaken
from gridsched.node.scheduling import Scheduling
from gridsched.simulation.virtual_time import START
from gridsched.stores.jobs import JobStore
from gridsched.stores.record import Record

NOW = datetime.fromtimestamp(START / 1000, UTC)


async def test_nothing_of_a_paused_trigger_starts_until_it_is_resumed(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(), every(1, start=NOW + timedelta(seconds=2)))
    await c.pass_time(3.5)
    await client.pause(trigger.key)
    started = len(c.runs.started)
    await c.pass_time(20)
    assert len(c.runs.started) == started
    assert (await client.trigger(trigger.key)).state == "PAUSED"
    await client.resume(trigger.key)
    await c.until(lambda: len(c.runs.started) > started + 20)
    scheduled = sorted(f.scheduled for f in c.runs.started)
    assert scheduled == list(range(scheduled[0], scheduled[0] + len(scheduled) * 1000, 1000))


async def test_an_instant_claimed_ahead_is_parked_by_a_pause_and_fires_after_the_resume(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(), once(NOW + timedelta(seconds=5)))
    await c.until(lambda: c.clock.monotonic() >= 4.9)
    assert (await client.trigger(trigger.key)).state == "COMPLETE"
    await client.pause(trigger.key)
    (parked,) = await client.firings(of=trigger.key)
    assert parked.state == "PAUSED"
    await c.pass_time(30)
    assert c.runs.started == []
    await client.resume(trigger.key)
    await c.until(lambda: len(c.runs.finished) == 1, within=2)


async def test_pausing_a_job_pauses_all_of_its_triggers(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    for name in ("x", "y"):
        await client.schedule(job(), every(5, name=name, start=NOW + timedelta(seconds=9)))
    await client.pause("DEFAULT/note")
    assert {t.state for t in await client.triggers()} == {"PAUSED"}
    await client.resume("DEFAULT/note")
    assert {t.state for t in await client.triggers()} == {"NORMAL"}


async def test_deleting_a_job_cancels_what_has_not_started(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(), once(NOW + timedelta(seconds=5)))
    handle = client.handle(f"{trigger.key}@{trigger.schedule.at}")
    await c.until(lambda: c.clock.monotonic() >= 4.9)
    await client.delete("DEFAULT/note")
    with pytest.raises(JobCancelled, match="removed"):
        await handle.result(timeout=2)
    await c.pass_time(30)
    assert c.runs.started == []
    assert await client.jobs() == []
    assert await client.triggers() == []


async def test_a_job_that_is_not_durable_goes_with_its_last_trigger(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    later = NOW + timedelta(hours=1)
    for durable in (False, True):
        for name in ("x", "y"):
            await client.schedule(
                job(name=f"durable-{durable}", durable=durable), once(later, name=name)
            )
    for trigger in await client.triggers():
        await client.unschedule(trigger.key)
    assert [j.name for j in await client.jobs()] == ["durable-True"]


async def test_a_stored_job_fires_on_request_with_other_data(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.add_job(job("echo", data={"value": 1}, durable=True))
    assert await (await client.fire("DEFAULT/echo")).result(timeout=2) == 1
    assert await (await client.fire("DEFAULT/echo", {"value": 2})).result(timeout=2) == 2


async def test_a_firing_is_cancelled_before_it_starts_and_not_after_its_end(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(
        job("take", data={"seconds": 9}), once(NOW + timedelta(seconds=5))
    )
    handle = client.handle(f"{trigger.key}@{trigger.schedule.at}")
    await c.until(lambda: c.clock.monotonic() >= 4.9)
    await handle.cancel()
    with pytest.raises(JobCancelled):
        await handle.result(timeout=1)
    await handle.cancel()  # what is cancelled may be cancelled again
    ended = await client.submit(job("echo"))
    await ended.result(timeout=2)
    with pytest.raises(SubmissionRejected, match="it is COMPLETE"):
        await ended.cancel()
    with pytest.raises(SubmissionRejected, match="there is no firing"):
        await client.cancel(f"{trigger.key}@1")


async def test_scheduling_again_replaces_the_trigger(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.schedule(job(), cron("0 0 12 * * ?"))
    await client.schedule(job(), cron("0 0 13 * * ?", zone="Europe/London"))
    (trigger,) = await client.triggers()
    assert trigger.schedule.expression == "0 0 13 * * ?"


async def test_schedule_unique_leaves_what_is_there(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    first = await client.schedule_unique(job(), cron("0 0 12 * * ?"))
    again = await client.schedule_unique(job(data={"x": 1}), cron("0 0 13 * * ?"))
    assert again == first
    assert (await client.job("DEFAULT/note")).data == {}


async def test_a_trigger_for_a_stored_job(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.add_job(job(durable=True))
    trigger = await client.schedule("DEFAULT/note", cron("0 0 12 * * ?", name="noon"))
    assert trigger.key == "DEFAULT/note:DEFAULT/noon"
    with pytest.raises(NotFound):
        await client.schedule("DEFAULT/other", cron("0 0 12 * * ?"))


async def test_a_job_without_a_trigger_must_be_durable(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    with pytest.raises(SubmissionRejected, match="durable"):
        await client.add_job(job())


async def test_of_many_scheduled_at_once_the_good_ones_are_accepted(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    pairs = [(job(name=f"j{n}"), cron("0 0 12 * * ?")) for n in range(5)]
    pairs.insert(2, (Job("os:getcwd"), cron("0 0 12 * * ?")))
    with pytest.raises(SubmissionRejected, match="allow-list"):
        await client.schedule_many(pairs)
    assert len(await client.jobs()) == 5


@pytest.mark.parametrize("command", ["pause", "resume", "delete", "fire"])
async def test_a_key_that_names_nothing_is_not_found(cluster, command):
    c = cluster()
    await c.node("a")
    client = await c.client()
    for key in ("DEFAULT/none", "DEFAULT/none:DEFAULT/none"):
        with pytest.raises(NotFound, match="none"):
            await getattr(client, command)(key)


async def test_a_cluster_without_a_node_answers_nothing(cluster):
    c = cluster()
    client = await c.client(timeout=3)
    with pytest.raises(SubmissionTimeout, match="is a node active"):
        await client.schedule(job(), cron("0 0 12 * * ?"))
    await c.node("a")
    await c.until(lambda: _there(client))


async def _there(client) -> bool:
    return [j.name for j in await client.jobs()] == ["note"]


async def test_a_command_that_another_node_has_answered_goes_no_further(cluster):
    """A node that was frozen half way would else undo what its user asked for next."""
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(), every(60))
    await client.pause(trigger.key)
    store = node.core.caches.submissions
    made = store.written(Submission("old", trigger.job, Resume(trigger.key), state="ACCEPTED"))
    await store.apply([store.put(made)])
    with pytest.raises(Overtaken):
        await node.parts.submissions._commands.apply(made)
    assert (await client.trigger(trigger.key)).state == "PAUSED"


async def test_what_no_node_could_read_is_refused_where_it_is_given(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    with pytest.raises(InvalidJob, match=r"Expected `str`, got `int` - at `\$\.command\.job\.desc"):
        await client.schedule(job(description=5), every(60))


async def test_a_submission_that_cannot_be_read_holds_up_no_other(cluster, caplog):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    store = node.core.caches.submissions
    made = store.written(Submission("bad", "DEFAULT/bad", Resume("DEFAULT/bad")))
    await store.map.put(made.data_key, made.raw.replace(b'"NEW"', b'"NEW","created_at":"x"'))
    c.faults["a"].script("Job-Submission", "event", Fault.LOST)
    await client.schedule(job(), every(60))
    assert node.parts.submissions.failures == 0
    assert caplog.text.count("submission/bad cannot be read") == 1


async def test_what_is_scheduled_again_with_its_start_in_the_past_goes_on_at_once(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.schedule(job(), every(1, start=NOW))
    await c.pass_time(600)
    before = len(c.runs.started)
    await client.schedule(job(), every(1, start=NOW, priority=9))
    await c.pass_time(5)
    assert len(c.runs.started) >= before + 4
    assert len({f.key for f in c.runs.started}) == len(c.runs.started)


async def test_what_is_claimed_while_its_trigger_is_replaced_does_not_run(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    await client.schedule(job(), once(NOW + timedelta(seconds=10)))
    claimer = node.parts.timer._claimer
    jobs = JobStore(claimer._caches.jobs.map)
    claimer._caches = claimer._caches._replace(jobs=jobs)
    get_all, asked = jobs.get_all, asyncio.Event()

    async def slowly(keys: Iterable[str]) -> dict[str, Record[Job]]:
        found = await get_all(keys)
        asked.set()
        await asyncio.sleep(0.5)
        return found

    jobs.get_all = slowly
    await asyncio.wait_for(asked.wait(), 60)
    later = NOW + timedelta(hours=1)
    await client.schedule(job(), once(later))
    await c.pass_time(60)
    assert not c.runs.started
    (firing,) = await client.firings()
    assert (firing.state, firing.error) == ("CANCELLED", "its trigger was replaced")
    await c.pass_time(3600)
    assert [f.scheduled for f in c.runs.started] == [round(later.timestamp() * 1000)]


async def test_what_was_claimed_ahead_goes_with_the_schedule_that_is_replaced(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    exclusive = job(disallow_concurrent=True)
    trigger = await client.schedule(exclusive, once(NOW + timedelta(seconds=10)))
    await c.pass_time(9.5)
    (firing,) = await client.firings()
    assert firing.state == "ACQUIRED"
    later = NOW + timedelta(seconds=11)
    await client.schedule(trigger.job, once(later))
    (firing,) = await client.firings()
    assert (firing.state, firing.error) == ("CANCELLED", "its trigger was replaced")
    await c.pass_time(60)
    assert [f.scheduled for f in c.runs.started] == [round(later.timestamp() * 1000)]


async def test_what_the_new_schedule_names_too_runs_once(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(), every(10, start=NOW))
    await c.pass_time(29.5)
    await client.schedule(trigger.job, every(15, start=NOW + timedelta(seconds=30)))
    await c.pass_time(60)
    ran = [(f.scheduled - START) // 1000 for f in c.runs.started]
    assert ran == [0, 10, 20, 30, 45, 60, 75]


async def test_what_was_claimed_goes_when_a_replacement_is_carried_out_again(cluster, monkeypatch):
    cut_off = asyncio.Event()

    async def is_cut_off(*_arguments: object) -> None:
        cut_off.set()
        raise GridUnavailable("after the trigger was stored")

    c = cluster()
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(), once(NOW + timedelta(seconds=10)))
    await c.pass_time(9.5)
    await client.pause(trigger.key)
    with monkeypatch.context() as patch:
        patch.setattr(Scheduling, "_end_replaced", is_cut_off)
        later = once(NOW + timedelta(hours=1))
        replacing = asyncio.create_task(client.schedule(trigger.job, later))
        await asyncio.wait_for(cut_off.wait(), 60)
    await replacing
    await c.pass_time(60)
    assert not c.runs.started
    (firing,) = await client.firings()
    assert (firing.state, firing.error) == ("CANCELLED", "its trigger was replaced")


async def test_what_a_node_that_died_made_of_a_schedule_that_was_replaced_does_not_run(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(), every(10, start=NOW + timedelta(seconds=30)))
    late = Firing(trigger.key, START + 35_000, due=START + 20_000, job=trigger.job)
    assert await node.core.caches.firings.create(late)
    await c.pass_time(45)
    assert [f.scheduled for f in c.runs.started] == [START + 30_000, START + 40_000]
    left = await client.firing(late.key)
    assert (left.state, left.error) == ("CANCELLED", "its trigger was replaced")


async def test_what_meets_a_defect_is_refused_and_holds_up_no_other(cluster, monkeypatch, caplog):
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("of ours")

    c = cluster()
    node = await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(), every(1))
    with monkeypatch.context() as patch:
        patch.setattr("gridsched.policy.submissions.pause_trigger", broken)
        patch.setattr("gridsched.node.scheduling.plan_schedule", broken)
        for asked in (client.pause(trigger.key), client.schedule(job(name="b"), every(1))):
            with pytest.raises(SubmissionRejected, match="a defect of the node: ZeroDivisionError"):
                await asked
    assert caplog.text.count("meets a defect") == 2
    await client.pause(trigger.key)
    assert node.parts.submissions.failures == 0


async def test_a_trigger_that_a_node_stores_after_it_slept_goes_where_its_job_was_deleted(cluster):
    """Its write was under way when the node was frozen, and came when all was over."""
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    caches = node.core.caches
    apply = caches.triggers.apply

    async def late(changes):
        caches.triggers.apply = apply
        c.loop.advance(30)  # another node applies it all, and its user deletes the job
        for store in (caches.submissions, caches.jobs):
            (record,) = await store.find()
            await store.apply([store.removed(record)])
        return await apply(changes)

    caches.triggers.apply = late
    with pytest.raises(SubmissionTimeout):
        await client.schedule(job(), every(1))
    await c.pass_time(30)
    assert caches.triggers.apply is apply
    assert (await client.triggers(), c.runs.started) == ([], [])


async def test_a_command_goes_no_further_on_a_node_that_slept_over_the_look_at_its_submission(
    cluster,
):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(), every(60))
    await client.pause(trigger.key)
    commands, store = node.parts.submissions._commands, node.core.caches.submissions
    made = store.written(Submission("new", trigger.job, Resume(trigger.key)))
    c.faults["a"].script("Job-Submission", "event", Fault.LOST)
    await store.apply([store.put(made)])
    get = store.get

    async def slept(key):
        found = await get(key)
        c.loop.advance(30)
        return found

    store.get = slept
    with pytest.raises(GridUnavailable):
        await commands.apply(made)
    assert (await client.trigger(trigger.key)).state == "PAUSED"
