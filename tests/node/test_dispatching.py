"""Where firings run: dispatcher policies on several nodes, on virtual time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from cluster import job

from gridsched.client.triggers import every, once
from gridsched.dispatch import (
    AttributeMatch,
    Composite,
    DispatchPolicy,
    FirstOf,
    LeastLoaded,
    LocalFirst,
    Random,
    RoundRobin,
    Rule,
    RuleBased,
)
from gridsched.errors import SubmissionRejected
from gridsched.grid.data import partition_of
from gridsched.model.job import Retry
from gridsched.model.submission import ScheduleJob
from gridsched.node.claimer import BATCH
from gridsched.node.lanes import BACKLOG_QUEUES, Lane
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)
GPU = AttributeMatch({"gpu": "yes"})


def herd(count: int, function: str = "note", *, seconds: float = 3, **fields):
    at = once(NOW + timedelta(seconds=seconds))
    return [(job(function, name=f"j{number}", **fields), at) for number in range(count)]


async def three(c) -> None:
    """Nodes a (with a gpu), b and c."""
    await c.node("a", attributes={"gpu": "yes"})
    for name in "bc":
        await c.node(name)


def lanes_of(c) -> list[Lane]:
    """The lanes of all nodes in which something waits."""
    return [lane for node in c.nodes for lane in node.parts.dispatcher.lanes.waiting()]


def shares(c) -> Counter[str]:
    return Counter(firing.member for firing in c.runs.finished)


async def test_round_robin_is_the_default_and_fair(cluster):
    c = cluster(members=3)
    await three(c)
    client = await c.client()
    await client.schedule_many(herd(90))
    await c.until(lambda: len(c.runs.finished) == 90)
    assert all(20 <= shares(c)[name] <= 40 for name in "abc")


async def test_a_policy_of_the_scheduler_counts_for_jobs_that_have_none(cluster):
    c = cluster(members=3, dispatcher_policy=GPU)
    await three(c)
    client = await c.client()
    await client.schedule_many(herd(30))
    await client.schedule_many(
        [(job(name=f"own{n}", dispatch=RoundRobin()), once()) for n in range(30)]
    )
    await c.until(lambda: len(c.runs.finished) == 60)
    assert {f.member for f in c.runs.finished if "/j" in f.job} == {"a"}
    assert {f.member for f in c.runs.finished if "/own" in f.job} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("policy", "members"),
    [
        (Random(), "abc"),
        (LeastLoaded(), "abc"),
        (LocalFirst(), "abc"),
        (GPU, "a"),
        (RuleBased((Rule("shop", ".*", "a"), Rule(".*", ".*", "b|c"))), "bc"),
        (FirstOf((AttributeMatch({"gpu": "two"}), GPU)), "a"),
        (Composite((RuleBased((Rule(".*", ".*", "b|c"),)), LeastLoaded())), "bc"),
    ],
)
async def test_a_policy_of_a_job_decides_where_it_runs(cluster, policy: DispatchPolicy, members):
    c = cluster(members=3)
    await three(c)
    client = await c.client()
    await client.schedule_many(herd(60, dispatch=policy))
    await c.until(lambda: len(c.runs.finished) == 60)
    assert "".join(sorted(shares(c))) == members
    assert min(shares(c).values()) >= 60 // len(members) // 3
    if policy == LocalFirst():
        assert all(firing.member == firing.acquired_by for firing in c.runs.finished)


async def test_the_least_loaded_node_is_the_one_with_idle_threads(cluster):
    """Each node has one herd in hand, of which the others know by its beats."""
    c = cluster(members=2, dispatcher_policy=LeastLoaded())
    await c.node("busy", max_threads=10)
    client = await c.client()
    await client.schedule_many(herd(100, seconds=60))
    await client.schedule_many(
        [(job("take", name=f"long{n}", data={"seconds": 100}), once()) for n in range(40)]
    )
    await c.until(lambda: len(c.runs.started) == 40)
    await c.node("idle", max_threads=10)
    await c.pass_time(5)
    for number in range(20):
        await client.submit(job(name=f"short{number}"))
    await c.until(lambda: len(c.runs.finished) == 20)
    assert set(shares(c)) == {"idle"}


async def test_what_no_node_may_run_is_rejected_and_runs_once_one_has_come(cluster, caplog):
    c = cluster(members=2)
    await c.node("a")
    client = await c.client()
    handle = await client.submit(job(name="later", dispatch=GPU))
    await c.until(lambda: bool(caplog.records))
    firing = await handle.firing()
    reason = "no node has gpu=yes (looked at a)"
    assert (firing.state, firing.member, firing.error) == ("REJECTED", "", reason)
    (trigger,) = await client.triggers()
    assert trigger.error == reason
    await c.pass_time(300)
    assert [reason in record.getMessage() for record in caplog.records] == [True]
    assert (await handle.firing()).state == "REJECTED"
    before = c.clock.monotonic()
    await c.node("b", attributes={"gpu": "yes"})
    assert await handle.result(timeout=5) == 1
    assert c.clock.monotonic() - before < 3
    assert (await handle.firing()).member == "b"
    assert [trigger.error for trigger in await client.triggers()] == [""]


async def test_one_firing_of_a_trigger_shows_that_no_node_may_run_it_and_the_rest_stays_due(
    cluster,
):
    """So memory stays bounded, and no flood comes with the node that may."""
    c = cluster(members=2)
    await c.node("a")
    client = await c.client()
    await client.schedule(job(name="tick", dispatch=GPU), every(1))
    await c.pass_time(600)
    (firing,) = await client.firings()
    assert firing.state == "REJECTED"
    await c.node("b", attributes={"gpu": "yes"})
    await c.until(lambda: len(c.runs.finished) > 10)
    (trigger,) = await client.triggers()
    assert (trigger.state, trigger.error) == ("NORMAL", "")
    states = Counter(firing.state for firing in await client.firings())
    assert states["SKIPPED"] == 1
    assert trigger.misfired > 500
    assert {firing.member for firing in c.runs.finished} == {"b"}


async def test_what_no_node_may_run_holds_up_nothing_else(cluster):
    c = cluster(members=2, queue_capacity=10)
    await c.node("a")
    client = await c.client()
    await client.schedule_many([(job(name=f"no{n}", dispatch=GPU), once()) for n in range(300)])

    async def claimed() -> bool:
        return len(await client.firings()) == 300

    await c.until(claimed, step=0.5)
    assert await (await client.submit(job())).result(timeout=2) == 1


async def test_nothing_is_claimed_while_no_node_at_all_has_room(cluster):
    """Not even asked for, though other lanes are open."""
    c = cluster(members=1, queue_capacity=10)
    node = await c.node("a")
    client = await c.client()
    await client.submit(job(name="lane", dispatch=Random()))
    await client.schedule_many(herd(300, "take", data={"seconds": 3}))
    await c.until(lambda: node.parts.dispatcher.lanes.full)
    assert sum(len(lane.waiting) for lane in lanes_of(c)) <= BACKLOG_QUEUES * 10 + BATCH
    await c.until(lambda: len(c.runs.finished) == 301, within=200)


async def test_a_node_that_went_takes_its_attributes_with_it(cluster):
    """What waited for it is REJECTED, and goes where its policy says once there is such a node."""
    c = cluster(members=3, session_timeout_ms=2000)
    await c.node("a")
    gone = await c.node("b", attributes={"gpu": "yes"})
    client = await c.client()
    await client.schedule_many(herd(40, seconds=20, dispatch=GPU))
    await c.crash(gone)
    await c.pass_time(30)
    assert {f.state for f in await client.firings()} == {"REJECTED"}
    await c.node("c", attributes={"gpu": "yes"})
    await c.until(lambda: len(c.runs.finished) == 40, within=10)
    assert set(shares(c)) == {"c"}
    assert len(c.runs.started) == 40


async def test_full_queues_of_some_nodes_hold_up_only_what_is_for_these(cluster):
    """While nodes with a gpu have no room, others get what is for them; all of it runs at last."""
    c = cluster(members=2, queue_capacity=10, dispatch_timeout_ms=2000)
    await c.node("a", attributes={"gpu": "yes"})
    await c.node("b")
    client = await c.client()
    await client.schedule_many(
        [
            (job("take", name=f"slow{n}", data={"seconds": 2}, dispatch=GPU), once())
            for n in range(500)
        ]
    )
    await c.until(lambda: len(c.runs.started) >= 10)
    latest, longest = 0.0, 0
    other = AttributeMatch({"gpu": "no"})
    for number in range(30):
        handle = await client.submit(
            job(
                name=f"quick{number}",
                dispatch=FirstOf((other, RuleBased((Rule(".*", ".*", "b"),)))),
            )
        )
        before = c.clock.monotonic()
        await handle.result(timeout=30)
        latest = max(latest, c.clock.monotonic() - before)
        longest = max([longest, *(len(lane.waiting) for lane in lanes_of(c))])
    assert latest < 1
    assert longest <= BACKLOG_QUEUES * 10 + BATCH
    assert len(c.runs.finished) < 530
    await c.until(lambda: len(c.runs.finished) == 530, within=300)
    slow = [firing for firing in c.runs.finished if "/slow" in firing.job]
    assert {firing.member for firing in slow} == {"a"}
    assert len(c.runs.started) == 530


async def test_what_waits_for_full_nodes_goes_to_one_that_comes(cluster):
    c = cluster(members=2, queue_capacity=30)
    await c.node("a", attributes={"gpu": "yes"})
    client = await c.client()
    await client.schedule_many(
        [
            (job("take", name=f"slow{n}", data={"seconds": 2}, dispatch=GPU), once())
            for n in range(400)
        ]
    )
    await c.until(lambda: len(c.runs.started) >= 30)
    await c.node("b", attributes={"gpu": "yes"})
    await c.until(lambda: len(c.runs.finished) == 400, within=40)
    assert min(shares(c).values()) >= 100
    assert len(c.runs.started) == 400


async def test_what_was_sent_since_a_beat_counts_as_load(cluster):
    """Nodes of one thread and of nine get as much for each thread, though no beat has said so yet."""
    c = cluster(members=1, session_timeout_ms=60_000, dispatcher_policy=LeastLoaded())
    await c.node("a", max_threads=1)
    await c.node("b", max_threads=9)
    await c.pass_time(15)
    client = await c.client()
    before = [member.beat for member in await client.members()]
    for number in range(60):
        await client.submit(job("take", name=f"long{number}", data={"seconds": 30}))
    assert [member.beat for member in await client.members()] == before
    await c.until(lambda: len(c.runs.finished) == 60)
    assert 3 <= shares(c)["a"] <= 9


async def test_a_retry_and_what_is_handed_back_go_where_the_policy_says(cluster):
    c = cluster(members=3)
    first = await c.node("a", attributes={"gpu": "yes"})
    await c.node("b")
    await c.node("c", attributes={"gpu": "yes"})
    client = await c.client()
    for number in range(20):
        await client.submit(
            job("fail", name=f"f{number}", data={"times": 2}, retry=Retry(4, delay=2), dispatch=GPU)
        )
    await client.schedule_many(herd(40, seconds=30, dispatch=GPU))
    await c.until(lambda: c.clock.now() > START + 29_500)
    await first.stop()
    c.nodes.remove(first)
    await c.until(lambda: len([f for f in c.runs.finished if f.state == "COMPLETE"]) == 60)
    assert {f.member for f in c.runs.started} <= {"a", "c"}
    assert all(f.attempt == 3 for f in c.runs.finished if f.state == "COMPLETE" and "/f" in f.job)


async def test_a_job_alone_that_no_node_may_run_takes_no_lock(cluster):
    c = cluster(members=2)
    await c.node("a")
    client = await c.client()
    alone = job(name="alone", disallow_concurrent=True, dispatch=GPU)
    await client.schedule(alone, every(1))
    await c.pass_time(20)
    assert await client.caches.locks.find() == []
    await c.node("b", attributes={"gpu": "yes"})
    await c.until(lambda: len(c.runs.finished) > 5)


async def test_a_policy_that_cannot_be_is_refused_by_whoever_gets_it(cluster):
    """Also where a client did not look."""
    c = cluster()
    await c.node("a")
    client = await c.client()
    broken = job(name="x", dispatch=RuleBased((Rule("(", ".*", ".*"),)))
    submission = client._submitter.make(broken.key, ScheduleJob(broken, (once(name="t"),)))
    with pytest.raises(SubmissionRejected, match="job DEFAULT/x: dispatch: rule 1: task_type"):
        await client._submitter.submit([submission])


async def test_while_there_is_more_to_do_than_room_each_partition_has_its_turn(cluster):
    c = cluster(queue_capacity=2, misfire_threshold_ms=10_000)
    await c.node("a")
    client = await c.client()
    pairs = [(job("take", name=f"j{n}", data={"seconds": 0.05}), every(1)) for n in range(120)]
    await client.schedule_many(pairs)
    await c.pass_time(60)
    before = len(c.runs.started)
    await c.pass_time(60)
    keys = [client.caches.jobs.data_key(firing.job) for firing in c.runs.started[before:]]
    assert {partition_of(key) // 64 for key in keys} == {0, 1, 2, 3, 4}


async def test_a_claim_that_is_under_way_when_a_node_goes_is_sent_to_those_that_are_there(cluster):
    c = cluster(dispatcher_policy=LeastLoaded())
    node = await c.node("a")
    other = await c.node("b", attributes={"zone": "2"})
    await c.pass_time(3)
    lanes = node.parts.dispatcher.lanes
    to_both = lanes.of(job())
    to_one = lanes.of(job(dispatch=Composite((AttributeMatch({"zone": "2"}), LeastLoaded()))))
    assert (to_both.members, to_one.members) == (("a", "b"), ("b",))
    await c.crash(other)
    await c.until(lambda: len(node.parts.membership.active()) == 1)
    assert lanes.choose(to_both, 3) == ["a", "a", "a"]
    assert lanes.choose(to_one, 2) == ["b", "b"]  # who is gone is sent nothing: see `Dispatcher`
