"""Overlap policies among nodes: no run beside another, and every instant with an outcome."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace

from gridsched.client.triggers import every, once
from gridsched.errors import JobCancelled
from gridsched.grid.faults import Fault, Rates
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.retry import Retry
from gridsched.node.locks import JobLocks
from gridsched.simulation.virtual_time import START
from gridsched.stores.locks import JobLock

NOW = datetime.fromtimestamp(START / 1000, UTC)
SOON = NOW + timedelta(seconds=3)


def taking(seconds: float, overlap: str, function: str = "take", **fields) -> Job:
    data = {"seconds": seconds} if function == "take" else {}
    return Job(f"jobs_under_test:{function}", name="j", overlap=overlap, data=data, **fields)


async def three_nodes(cluster, **settings):
    c = cluster(members=3, **settings)
    for name in "abc":
        await c.node(name)
    return c, await c.client()


async def ended(c, client, count: int, within: float = 120) -> dict[int, object]:
    """The firings by their instant (ms after SOON), once so many are final."""

    async def all_final() -> bool:
        found = await client.firings()
        return len(found) == count and all(f.finished_at is not None for f in found)

    await c.until(all_final, within)
    assert [audited.unaccounted for audited in await client.audit() if audited.unaccounted] == []
    return {f.scheduled - START - 3000: f for f in await client.firings()}


def overlapping(found) -> list[tuple[int, int]]:
    runs = sorted((f.started_at, f.finished_at) for f in found.values() if f.started_at)
    return [(first[1], second[0]) for first, second in pairwise(runs) if second[0] < first[1]]


def states(found) -> dict[str, int]:
    return dict(Counter(f.state for f in found.values()))


async def test_skip_leaves_out_what_would_overlap_and_nothing_else(cluster):
    c, client = await three_nodes(cluster)
    await client.schedule(taking(2.5, "skip"), every(1, start=SOON, repeat_count=8))
    found = await ended(c, client, 9)
    assert [at for at, f in found.items() if f.state == "COMPLETE"] == [0, 3000, 6000]
    for at, firing in found.items():
        if firing.state == "SKIPPED":
            held = firing.error.removeprefix("overlap: ").removesuffix(" had not ended")
            assert held == found[at // 3000 * 3000].key


async def test_a_run_that_ends_right_before_the_next_instant_is_no_overlap(cluster):
    """Decided at the instant, not when it is claimed ahead of it."""
    c, client = await three_nodes(cluster)
    await client.schedule(taking(0.9, "skip"), every(1, start=SOON, repeat_count=9))
    assert states(await ended(c, client, 10)) == {"COMPLETE": 10}


async def test_buffer_one_runs_one_later_and_skips_the_rest(cluster):
    c, client = await three_nodes(cluster)
    await client.schedule(taking(4.9, "buffer_one"), every(1, start=SOON, repeat_count=4))
    found = await ended(c, client, 5)
    assert {at: f.state for at, f in found.items()} == {
        0: "COMPLETE",
        1000: "COMPLETE",
        2000: "SKIPPED",
        3000: "SKIPPED",
        4000: "SKIPPED",
    }
    assert found[2000].error == "overlap: 1 of its job waited already"
    waited = found[1000].started_at - found[0].finished_at
    assert 0 <= waited <= 600, "within a poll interval"


async def test_buffer_all_runs_all_in_turn(cluster):
    c, client = await three_nodes(cluster)
    await client.schedule(taking(1.5, "buffer_all"), every(0.5, start=SOON, repeat_count=9))
    found = await ended(c, client, 10)
    assert states(found) == {"COMPLETE": 10}
    assert overlapping(found) == []
    started = sorted(found.values(), key=lambda f: f.started_at)
    assert [f.scheduled for f in started] == sorted(f.scheduled for f in started)


async def test_cancel_other_leaves_the_latest(cluster):
    c, client = await three_nodes(cluster)
    await client.schedule(taking(60, "cancel_other"), every(5, start=SOON, repeat_count=3))
    found = await ended(c, client, 4)
    assert {at: f.state for at, f in found.items()} == {
        0: "CANCELLED",
        5000: "CANCELLED",
        10000: "CANCELLED",
        15000: "COMPLETE",
    }
    assert found[0].error == "overlap: superseded"
    assert overlapping(found) == []
    for at in (5000, 10000, 15000):
        assert found[at].started_at - found[at].scheduled <= 2500


async def test_of_several_that_cancel_at_once_the_latest_runs(cluster):
    c, client = await three_nodes(cluster)
    job = taking(60, "cancel_other")
    await client.schedule(job, once(SOON, name="first"))
    for n in range(1, 4):
        await client.schedule(job, once(SOON + timedelta(seconds=5, milliseconds=n), name=f"t{n}"))
    found = await ended(c, client, 4)
    assert {at: f.state for at, f in found.items()} == {
        0: "CANCELLED",
        5001: "SKIPPED",
        5002: "SKIPPED",
        5003: "COMPLETE",
    }


async def test_the_triggers_of_a_job_overlap_each_other_too(cluster):
    c, client = await three_nodes(cluster)
    job = taking(3, "skip")
    for n in range(5):
        await client.schedule(job, once(SOON + timedelta(milliseconds=n), name=f"t{n}"))
    assert states(await ended(c, client, 5)) == {"COMPLETE": 1, "SKIPPED": 4}


async def test_a_run_holds_its_job_until_its_last_attempt_is_over(cluster):
    c, client = await three_nodes(cluster)
    job = taking(0, "buffer_one", "fail", retry=Retry(3, delay=2, backoff=1))
    await client.schedule(job, every(1, start=SOON, repeat_count=1))
    found = await ended(c, client, 2)
    assert states(found) == {"FAILED": 2}
    assert found[1000].started_at > found[0].finished_at


async def test_the_next_run_sees_what_the_one_before_it_left(cluster):
    c, client = await three_nodes(cluster)
    job = Job(
        "jobs_under_test:count",
        name="j",
        durable=True,
        overlap="buffer_all",
        persist_data=True,
        data={"seconds": 0.8},
    )
    await client.schedule(job, every(0.5, start=SOON, repeat_count=9))
    await ended(c, client, 10)
    assert (await client.job("DEFAULT/j")).data["runs"] == 10


async def test_what_waits_is_parked_and_removed_with_its_trigger(cluster):
    c, client = await three_nodes(cluster)
    job = taking(20, "buffer_all")
    trigger = await client.schedule(job, every(1, start=SOON, repeat_count=3))
    await c.pass_time(8)
    await client.pause(trigger.key)
    assert Counter(f.state for f in await client.firings()) == {"EXECUTING": 1, "PAUSED": 3}
    await c.pass_time(30)
    assert len(c.runs.started) == 1
    await client.resume(trigger.key)
    await c.until(lambda: len(c.runs.started) == 2)
    await client.delete(trigger.key)
    found = await ended(c, client, 4)
    assert states(found) == {"COMPLETE": 2, "CANCELLED": 2}


async def test_one_that_waits_is_cancelled(cluster):
    c, client = await three_nodes(cluster)
    await client.schedule(taking(10, "buffer_one"), every(1, start=SOON, repeat_count=1))
    await c.pass_time(6)
    waiting = client.handle(next(f for f in await client.firings() if f.in_turn).key)
    await waiting.cancel()
    with pytest.raises(JobCancelled):
        await waiting.result(timeout=1)


@pytest.mark.parametrize("overlap", ["skip", "buffer_one", "buffer_all", "cancel_other"])
async def test_a_node_that_dies_leaves_an_outcome_for_every_instant(cluster, overlap):
    c, client = await three_nodes(cluster)
    await client.schedule(taking(2.2, overlap), every(1, start=SOON, repeat_count=19))
    await c.pass_time(9)
    running: list[Firing] = []

    async def one_runs() -> bool:
        running[:] = await client.firings(state="EXECUTING")
        return bool(running)

    await c.until(one_runs)
    await c.crash(next(node for node in c.nodes if node.name == running[0].member))
    found = await ended(c, client, 20, within=200)
    assert set(states(found)) <= {"COMPLETE", "SKIPPED", "CANCELLED", "LOST"}
    assert found[19000].state in ("COMPLETE", "SKIPPED")
    assert overlapping({k: f for k, f in found.items() if f.state != "LOST"}) == []


@pytest.mark.parametrize("overlap", ["skip", "buffer_one", "buffer_all", "cancel_other"])
async def test_on_a_grid_that_fails_now_and_then_too(cluster, overlap):
    c, client = await three_nodes(cluster)
    for faults in c.faults.values():
        faults._rates = Rates(unavailable=0.02, unknown=0.02, lost_items=0.1, duplicated_items=0.1)
    await client.schedule(taking(1.7, overlap), every(1, start=SOON, repeat_count=14))
    found = await ended(c, client, 15, within=300)
    assert set(states(found)) <= {"COMPLETE", "SKIPPED", "CANCELLED"}
    assert overlapping(found) == []


@pytest.mark.parametrize("fault", [Fault.APPLIED, Fault.NOT_APPLIED, Fault.UNAVAILABLE])
async def test_a_lock_whose_outcome_is_unknown_starts_nothing_twice(cluster, fault):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.schedule(taking(2, "skip"), every(1, start=SOON, repeat_count=5))
    for _ in range(3):
        await c.pass_time(1.5)
        c.faults["a"].script("Job-Lock", "compare_and_set", fault)
    found = await ended(c, client, 6)
    assert overlapping(found) == []
    assert len(c.runs.started) == len({f.key for f in c.runs.started})


async def test_a_lock_that_is_held_on_to_after_a_pause_is_another(cluster):
    node = await cluster().assembled("a")
    locks, store = JobLocks(node.core), node.core.caches.locks
    firing = Firing("DEFAULT/j:DEFAULT/t", START, job="DEFAULT/j")
    await node.core.caches.firings.create(firing)
    assert await locks.take(firing.job, firing)
    seen_while_parked = await store.get(firing.job)
    resumed = replace(firing, round=1)
    assert await locks.take(firing.job, resumed)
    assert await store.apply([store.removed(seen_while_parked)]) == [False]
    await locks.give_back(firing)  # by whoever parked it, and was slow
    assert (await store.get(firing.job)).value == JobLock(firing.job, firing.key, 1)
    assert await locks.take(firing.job, firing)  # a payload of an earlier round
    assert (await store.get(firing.job)).value.round == 1
    await locks.give_back(resumed)
    assert await store.get(firing.job) is None
