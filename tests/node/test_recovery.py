"""What crashes, lost messages and unknown outcomes leave is found and put right."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from cluster import SELDOM, job

from gridsched.client.triggers import every, once
from gridsched.config.settings import StartupJob
from gridsched.errors import JobFailed
from gridsched.grid.faults import Fault, Rates
from gridsched.model.member import Member
from gridsched.policy import transitions
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)


async def test_the_partitions_of_a_killed_node_go_to_the_others(cluster):
    c = cluster(members=3)
    for name in "abc":
        await c.node(name)
    client = await c.client()
    start = NOW + timedelta(seconds=5)
    await client.schedule_many(
        [(job(name=f"j{n}"), every(1, start=start, repeat_count=29)) for n in range(60)]
    )
    await c.until(lambda: len(c.runs.finished) > 600)
    await c.crash(c.nodes[1])
    await c.until(lambda: len({f.key for f in c.runs.started}) == 1800, within=120)
    await c.pass_time(30)
    assert len(c.runs.started) == 1800
    ends = {f.state for f in await client.firings()}
    assert ends <= {"COMPLETE", "LOST"}


async def test_a_run_on_a_dead_node_is_lost_unless_its_job_requests_recovery(cluster):
    c = cluster(members=2)
    first = await c.node("a")
    client = await c.client()
    lost = await client.submit(job("take", name="l", data={"seconds": 30}))
    recovered = await client.submit(
        job("take", name="r", data={"seconds": 30}, requests_recovery=True)
    )
    await c.until(lambda: len(c.runs.started) == 2)
    await c.node("b")
    await c.crash(first)
    with pytest.raises(JobFailed, match="was gone while it ran") as gone:
        await lost.result(timeout=20)
    assert gone.value.state == "LOST"
    assert await recovered.result(timeout=60) is None
    assert (await client.firing(recovered.key)).attempt == 2


async def test_a_grid_that_comes_back_empty_gets_its_startup_jobs_again(cluster):
    startup = StartupJob(job(name="from the file"), (every(1, name="t"),))
    c = cluster(jobs=[startup])
    for name in "ab":
        await c.node(name)
    client = await c.client()
    await client.schedule(job(name="submitted"), every(1))
    await c.until(lambda: len(c.runs.finished) > 6)
    for name in "ab":
        c.faults[name].cut_off = True
    await c.pass_time(30)
    for held in list(c.grid.maps.values()):
        c.grid.destroy_map(held.name)
    for name in "ab":
        c.faults[name].cut_off = False
    before = len(c.runs.finished)
    await c.until(lambda: len(c.runs.finished) > before + 10)
    assert [job.name for job in await client.jobs()] == ["from the file"]
    (trigger,) = await client.triggers()
    assert trigger.created_at > START + 30_000
    assert [member.state for member in await client.members()] == ["ACTIVE", "ACTIVE"]


async def test_a_node_without_its_grid_says_so_once_and_goes_on(cluster, caplog):
    caplog.set_level("INFO", logger="gridsched")
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.schedule(job(), every(1))
    await c.until(lambda: len(c.runs.finished) == 3)
    c.faults["a"].cut_off = True
    await c.pass_time(30)
    fails = Counter(r.name for r in caplog.records if "the grid fails" in r.getMessage())
    assert set(fails.values()) == {1}
    assert {f"gridsched.{n}" for n in ("membership", "timer", "sweep", "submissions")} < set(fails)
    assert "works again" not in caplog.text
    c.faults["a"].cut_off = False
    await c.until(lambda: len(c.runs.finished) > 3 + 30, within=10)
    await c.pass_time(20)
    again = Counter(r.name for r in caplog.records if "works again" in r.getMessage())
    assert again == fails


async def test_what_a_dead_node_had_claimed_is_sent_to_another(cluster):
    c = cluster(members=2, look_ahead_ms=3000)
    first = await c.node("a")
    client = await c.client()
    at = NOW + timedelta(seconds=6)
    await client.schedule_many([(job(name=f"j{n}"), once(at)) for n in range(50)])
    await c.until(lambda: c.clock.monotonic() > 5)
    await c.node("b")
    await c.crash(first)
    await c.until(lambda: len(c.runs.finished) == 50, within=30)
    assert len(c.runs.started) == 50


async def test_the_queue_of_a_dead_node_is_emptied(cluster):
    c = cluster()
    await c.node("a")
    second = await c.node("b")
    client = await c.client()
    await second.parts.receiver.stop()
    await client.schedule_many([(job(name=f"j{n}"), once()) for n in range(40)])
    await c.pass_time(2)
    queue = c.grid.queue("Execution-b", 1000)
    assert len(queue.items()) > 10
    await c.crash(second)
    await c.until(lambda: len(c.runs.finished) == 40, within=20)
    assert (queue.items(), len(c.runs.started)) == ([], 40)


async def test_a_submission_whose_event_is_lost_is_found_by_the_poll(cluster):
    c = cluster()
    await c.node("a")
    c.faults["a"].script("Job-Submission", "listen", Fault.LOST)
    client = await c.client()
    assert await (await client.submit(job())).result(timeout=5) == 1


@pytest.mark.parametrize("fault", [Fault.APPLIED, Fault.NOT_APPLIED])
@pytest.mark.parametrize("place", ["Trigger-Store", "Firing-Store"])
async def test_an_unknown_outcome_is_read_back(cluster, place, fault):
    c = cluster()
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(
        job(), every(1, start=NOW + timedelta(seconds=3), repeat_count=4)
    )
    c.faults["a"].script(place, "compare_and_set", fault)
    await c.until(lambda: len(c.runs.finished) == 5)
    await c.pass_time(20)
    assert len(c.runs.started) == 5
    assert {f.state for f in await client.firings(of=trigger.key)} == {"COMPLETE"}


async def test_a_lost_payload_is_sent_again(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    c.faults["a"].script("Execution-a", "offer_all", Fault.LOST)
    await client.schedule(job(), once(NOW + timedelta(seconds=3)))
    await c.until(lambda: len(c.runs.finished) == 1, within=30)


async def test_a_payload_delivered_twice_starts_once(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    c.faults["a"].script("Execution-a", "offer_all", Fault.DUPLICATED)
    await client.schedule(job(), once(NOW + timedelta(seconds=3)))
    await c.pass_time(60)
    assert len(c.runs.started) == 1
    assert node.core.counters.dropped == 1


async def test_a_node_cut_off_from_the_grid_goes_on_when_it_is_back(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.schedule(job(), every(1, start=NOW + timedelta(seconds=3), repeat_count=29))
    await c.until(lambda: len(c.runs.finished) == 5)
    c.faults["a"].cut_off = True
    await c.pass_time(10)
    c.faults["a"].cut_off = False
    await c.until(lambda: len(c.runs.finished) == 30, within=60)
    assert len({f.key for f in c.runs.started}) == len(c.runs.started) == 30


async def test_a_node_that_was_frozen_finds_itself_fenced_off(cluster):
    """Cut off for longer than the session timeout: the others take over, and when it is back it
    starts nothing that they have."""
    c = cluster(members=2)
    await c.node("a")
    await c.node("b")
    client = await c.client()
    start = NOW + timedelta(seconds=5)
    await client.schedule_many(
        [(job(name=f"j{n}"), every(1, start=start, repeat_count=59)) for n in range(20)]
    )
    await c.until(lambda: len(c.runs.finished) > 200)
    c.faults["a"].cut_off = True
    await c.pass_time(20)
    c.faults["a"].cut_off = False
    await c.until(lambda: len({f.key for f in c.runs.started}) == 1200, within=120)
    await c.pass_time(30)
    assert len(c.runs.started) == 1200
    assert {m.name for m in await client.members()} == {"a", "b"}


async def test_a_node_that_slept_over_the_answer_to_a_start_runs_nothing_that_the_others_took(
    cluster,
):
    """Even where the first that it does when it wakes is to beat."""
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    caches, firings = node.core.caches, node.core.caches.firings
    apply = firings.apply

    async def sleeping_over_the_answer(changes):
        answers = await apply(changes)
        record = firings.record(changes[0].key, changes[0].new)
        if record.value.state == "EXECUTING":
            firings.apply = apply
            c.loop.advance(30)
            orphan = transitions.orphan(record.value, requests_recovery, c.clock.now())
            assert await firings.replace(record, orphan)
            await node.parts.membership.beat()
        return answers

    requests_recovery = job(requests_recovery=True)
    firings.apply = sleeping_over_the_answer
    handle = await client.submit(requests_recovery)
    await handle.result(timeout=40)
    assert caches.firings.apply is apply
    assert [firing.attempt for firing in c.runs.started] == [2]


async def test_a_grid_member_that_dies_loses_nothing_that_had_a_backup(cluster):
    c = cluster(members=3)
    await c.node("a")
    client = await c.client()
    start = NOW + timedelta(seconds=5)
    await client.schedule_many(
        [(job(name=f"j{n}"), every(1, start=start, repeat_count=9)) for n in range(50)]
    )
    await c.until(lambda: len(c.runs.finished) > 100)
    c.grid.kill_member(c.grid.members[1].uuid)
    await c.until(lambda: len(c.runs.finished) == 500)
    assert len(c.runs.started) == 500


async def test_a_full_queue_makes_a_herd_late_but_loses_none(cluster):
    c = cluster(queue_capacity=10, dispatch_timeout_ms=2000)
    await c.node("a")
    client = await c.client()
    at = NOW + timedelta(seconds=5)
    await client.schedule_many(
        [(job("take", name=f"j{n}", data={"seconds": 1}), once(at)) for n in range(300)]
    )
    rejected = set()

    async def done() -> bool:
        rejected.update(f.key for f in await client.firings(state="REJECTED"))
        return len(c.runs.finished) == 300

    await c.until(done, within=120)
    assert len(c.runs.started) == 300
    assert rejected
    assert {f.state for f in await client.firings()} == {"COMPLETE"}


async def test_old_records_go_when_their_retention_is_over(cluster):
    c = cluster(**SELDOM)
    await c.node("a")
    client = await c.client()
    for _ in range(3):
        await (await client.submit(job())).result(timeout=2)
    await c.pass_time(600)
    assert await client.triggers() == []
    assert await client.jobs() == []
    assert len(await client.firings()) == 3
    await c.pass_time(3600)
    assert await client.firings() == []
    assert await client.results() == []


async def test_a_node_that_was_started_again_meanwhile_stops_and_leaves_its_successor_alone(
    cluster,
):
    c = cluster(members=2)
    frozen = await c.node("a")
    cut = c.faults["a"]
    cut.cut_off = True
    await c.pass_time(1)
    successor = await c.node("a")
    client = await c.client()
    await client.schedule(
        job("take", data={"seconds": 1}),
        every(1, start=NOW + timedelta(seconds=20), repeat_count=9),
    )
    cut.cut_off = False
    await c.until(frozen.stopped.is_set, within=40)
    await c.until(lambda: len(c.runs.finished) == 10, within=40)
    assert {f.incarnation for f in c.runs.finished} == {successor.core.incarnation}
    (member,) = await client.members()
    assert member.incarnation == successor.core.incarnation


async def test_a_node_that_has_just_started_again_is_not_taken_for_the_one_before(cluster):
    """Its runs were taken for orphans by a node that had not looked since."""
    made = cluster()
    first = await made.node("first")
    store = first.core.caches.membership
    await store.create(Member("second", "new incarnation", state="ACTIVE"))
    assert not first.parts.membership.alive("second", "new incarnation")
    assert not await first.parts.membership.gone("second", "new incarnation")
    assert await first.parts.membership.gone("second", "old incarnation")


async def test_a_node_that_stops_while_it_beats_looks_once_at_a_time(cluster):
    """Its last beat, which says that it leaves, waits for the one that is under way."""
    c = cluster()
    membership = (await c.node("a")).parts.membership
    for node in [await c.node(name) for name in "bcdefgh"]:
        await c.crash(node)
    c.faults["a"].change_rates(Rates(delayed=1.0, longest_delay=20.0))
    while len(membership.active()) > 1:
        await asyncio.gather(membership.beat(), membership.beat())
