"""Listeners: what they are told, in which order, and that none of them can hurt the node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cluster import job

import gridsched
from gridsched.client.triggers import every, once
from gridsched.errors import JobCancelled
from gridsched.matchers import group, key, name
from gridsched.node.listeners import JobListener, SchedulerListener, TriggerListener
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)
SOON = NOW + timedelta(seconds=3)


class Everything(TriggerListener, JobListener, SchedulerListener):
    """Writes down all that it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []
        self.vetoes = False

    def veto_job_execution(self, firing) -> bool:
        self.told.append(("veto_job_execution", firing.key))
        return self.vetoes

    def __getattribute__(self, name: str):
        told = type(self).__dict__.get(name) is None and any(
            name in vars(base) for base in (TriggerListener, JobListener, SchedulerListener)
        )
        if not told:
            return super().__getattribute__(name)

        def tell(about, *_more) -> None:
            self.told.append((name, getattr(about, "key", about)))

        return tell

    def words(self) -> list[str]:
        return [word for word, _ in self.told]


async def listening(cluster, *matchers):
    c = cluster()
    node = await c.node("a")
    listener = Everything()
    node.listeners.add("all", listener, *matchers)
    return c, node, await c.client(), listener


async def test_a_run_from_its_start_to_its_end(cluster):
    c, _node, client, listener = await listening(cluster)
    trigger = await client.schedule(job(), once(SOON))
    await c.until(lambda: len(c.runs.finished) == 1)
    firing = f"{trigger.key}@{START + 3000}"
    assert listener.told == [
        ("job_added", "DEFAULT/note"),
        ("job_scheduled", trigger.key),
        ("trigger_finalized", trigger.key),
        ("veto_job_execution", firing),
        ("trigger_fired", firing),
        ("job_to_be_executed", firing),
        ("trigger_complete", firing),
        ("job_was_executed", firing),
    ]


async def test_a_vetoed_run_ends_cancelled_and_says_by_whom(cluster):
    c, _node, client, listener = await listening(cluster)
    listener.vetoes = True
    handle = await client.submit(job(name="j", disallow_concurrent=True))
    with pytest.raises(JobCancelled, match="vetoed by all"):
        await handle.result(timeout=5)
    assert c.runs.started == []
    told = listener.words()
    assert told[-3:] == ["veto_job_execution", "trigger_fired", "job_execution_vetoed"]
    listener.vetoes = False
    assert await (await client.submit(job(name="j", disallow_concurrent=True))).result(5) == 1


@pytest.mark.parametrize("overlap", ["skip", "buffer_all"])
async def test_a_vetoed_run_gives_its_job_back(cluster, overlap):
    c, _node, client, listener = await listening(cluster)
    listener.vetoes = True
    await client.schedule(job(overlap=overlap), every(1, start=SOON, repeat_count=5))
    await c.pass_time(6)
    listener.vetoes = False
    await c.until(lambda: len(c.runs.finished) >= 2)
    states = [f.state for f in await client.firings()]
    assert set(states) == {"CANCELLED", "COMPLETE"}


async def test_pausing_resuming_and_deleting(cluster):
    _c, _node, client, listener = await listening(cluster)
    trigger = await client.schedule(job(), once(NOW + timedelta(hours=1)))
    listener.told.clear()
    await client.pause(trigger.key)
    await client.resume(trigger.key)
    await client.pause(trigger.job)
    await client.resume(trigger.job)
    await client.pause_group("D*")
    await client.resume_group("D*")
    await client.pause_group("*", of="jobs")
    await client.resume_group("*", of="jobs")
    await client.unschedule(trigger.key)
    assert listener.told == [
        ("trigger_paused", trigger.key),
        ("trigger_resumed", trigger.key),
        ("job_paused", trigger.job),
        ("job_resumed", trigger.job),
        ("triggers_paused", "D*"),
        ("triggers_resumed", "D*"),
        ("jobs_paused", "*"),
        ("jobs_resumed", "*"),
        ("job_unscheduled", trigger.key),
        ("job_deleted", trigger.job),
    ]


async def test_a_misfire_and_the_last_fire(cluster):
    c, node, client, listener = await listening(cluster)
    await client.schedule(job(), every(10, start=SOON, repeat_count=3))
    await client.pause_all()
    await c.pass_time(200)
    listener.told.clear()
    await client.resume_all()
    await c.until(lambda: "trigger_finalized" in listener.words())
    assert listener.words().count("trigger_misfired") == 1
    listener.told.clear()
    await node.stop()
    assert listener.told == [("scheduler_shutting_down", "a"), ("scheduler_shutdown", "a")]


async def test_a_listener_is_told_of_what_its_matchers_mean(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()

    class Jobs(JobListener):
        def __init__(self) -> None:
            self.ran: list[str] = []

        def job_to_be_executed(self, firing) -> None:
            self.ran.append(firing.job)

    some, others, both = Jobs(), Jobs(), Jobs()
    node.listeners.add("some", some, group.starts_with("shop") & ~name.equals("b"))
    node.listeners.add("others", others, key.equals("bank/a"))
    node.listeners.add("both", both, name.equals("b"), group.equals("bank"))
    for each in ("shop-1/a", "shop-2/b", "bank/a"):
        of_group, of_name = each.split("/")
        await client.schedule(job(group=of_group, name=of_name), once(SOON))
    await c.until(lambda: len(c.runs.finished) == 3)
    assert some.ran == ["shop-1/a"]
    assert others.ran == ["bank/a"]
    assert sorted(both.ran) == ["bank/a", "shop-2/b"]


async def test_one_of_the_same_name_is_replaced_and_one_that_is_removed_hears_nothing(cluster):
    c, node, client, first = await listening(cluster)
    second = Everything()
    node.listeners.add("all", second)
    assert node.listeners.names == ("all",)
    await (await client.submit(job())).result(timeout=5)
    assert (first.told, bool(second.told)) == ([], True)
    second.told.clear()
    assert node.listeners.remove("all")
    assert not node.listeners.remove("all")
    await (await client.submit(job())).result(timeout=5)
    assert second.told == []
    assert [str(hook) for hook in node.hooks._hooks] == ["Runs"]
    assert len(c.runs.finished) == 2


async def test_a_listener_that_fails_hurts_neither_the_node_nor_the_others(cluster, caplog):
    c = cluster()
    node = await c.node("a")
    client = await c.client()

    class Failing(TriggerListener, JobListener):
        def veto_job_execution(self, firing) -> bool:
            raise ValueError("it fails")

        def trigger_fired(self, firing) -> None:
            raise ValueError("it fails")

        def job_was_executed(self, firing, value) -> None:
            raise ValueError("it fails")

    node.listeners.add("failing", Failing())
    after = Everything()
    node.listeners.add("after", after)
    assert await (await client.submit(job())).result(timeout=5) == 1
    assert "job_was_executed" in after.words()
    assert node.hooks.failures == 3
    assert "hook of listener failing.on_starting failed" in caplog.text
    assert len(c.runs.finished) == 1


async def test_what_is_no_listener_is_refused(cluster):
    node = await cluster().node("a")
    with pytest.raises(TypeError, match="must be a TriggerListener"):
        node.listeners.add("x", object())
    with pytest.raises(TypeError, match="has no matchers"):
        node.listeners.add("x", SchedulerListener(), group.equals("a"))
    assert node.listeners.names == ()


def test_on_a_node_of_an_application():
    listener = Everything()
    with gridsched.start(allowed_jobs=["jobs_under_test:*"]) as node:
        node.listeners.add("all", listener)
        assert node.scheduler.submit(job("blocking", data={"value": 1})).result(timeout=30) == 2
    assert listener.words()[-1] == "scheduler_shutdown"
    assert "job_was_executed" in listener.words()
