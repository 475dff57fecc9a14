"""How long what is final stays: as the cluster says, as its job says, or until it is discarded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from gridsched import every, once
from gridsched.errors import SubmissionRejected
from gridsched.grid.data import partition_of
from gridsched.grid.port import Change
from gridsched.model.caches import CacheSettings
from gridsched.model.job import UNTIL_DISCARDED, Job
from gridsched.model.trigger import Trigger
from gridsched.node.locks import JobLocks
from gridsched.node.retention import FENCE_MS
from gridsched.stores.firings import FiringStore
from gridsched.stores.jobs import JobStore
from gridsched.stores.locks import JobLock
from gridsched.stores.record import Record
from gridsched.stores.triggers import TriggerStore


def job(function: str = "echo", **fields) -> Job:
    return Job(f"jobs_under_test:{function}", data={"value": 1}, **fields)


async def test_a_job_says_how_long_its_firings_and_results_stay(cluster):
    c = cluster(caches=CacheSettings(firing_retention_ms=600_000, result_retention_ms=600_000))
    await c.node("a")
    client = await c.client()
    for name, retention in (("brief", 300), ("kept", UNTIL_DISCARDED), ("plain", None)):
        handle = await client.submit(job(name=name, retention=retention))
        assert await handle.result(timeout=2) == 1
    await c.pass_time(300 + FENCE_MS / 1000 - 20)
    assert {f.job for f in await client.firings()} == {
        "DEFAULT/brief",
        "DEFAULT/kept",
        "DEFAULT/plain",
    }
    await c.pass_time(60)
    assert {f.job for f in await client.firings()} == {"DEFAULT/kept", "DEFAULT/plain"}
    assert {r.job for r in await client.results()} == {"DEFAULT/kept", "DEFAULT/plain"}
    await c.pass_time(1200)
    assert [f.job for f in await client.firings()] == ["DEFAULT/kept"]
    assert [r.value for r in await client.results()] == [1]
    assert await client.jobs() == [], "the job itself is not kept: its trigger is complete"


async def test_what_ends_without_a_run_follows_its_jobs_retention_too(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    later = await client.submit(job("fail", name="f", retention=UNTIL_DISCARDED))
    await c.until(lambda: len(c.runs.finished) == 1)
    firing = await later.firing()
    assert (firing.state, firing.forget_at) == ("FAILED", None)


async def test_of_a_trigger_the_latest_firings_are_kept_by_number(cluster):
    c = cluster(caches=CacheSettings(firings_kept=5))
    await c.node("a")
    client = await c.client()
    often = await client.schedule(job(name="often"), every(2))
    await client.schedule(job(name="kept", retention=UNTIL_DISCARDED), every(10))
    seldom = await client.schedule(job(name="seldom"), every(100))
    await c.pass_time(120)
    found = await client.firings(of=often.key)
    assert 30 <= len(found) <= 40, "five, and those within the fence"
    newest = found[-1].scheduled
    assert [f.scheduled for f in found] == list(range(found[0].scheduled, newest + 1, 2000))
    await client.pause(often.key)
    await c.pass_time(FENCE_MS / 1000 + 20)
    assert len(await client.firings(of=often.key, state="COMPLETE")) == 5
    assert len(await client.firings(of="DEFAULT/kept")) >= 12
    assert len(await client.firings(of=seldom.key)) == 3


async def test_what_was_cancelled_ahead_is_kept_until_its_instant_is_over(cluster):
    c = cluster(caches=CacheSettings(firings_kept=0))
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(), every(600, repeat_count=2))).key
    await c.pass_time(10)
    await client.cancel(f"{key}@{(await client.trigger(key)).next_fire}")
    await c.pass_time(1000)
    assert len(c.runs.started) == 1


async def test_a_job_does_not_go_while_it_is_given_a_trigger(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    await client.schedule(job(), once())
    await c.pass_time(100)
    retention = node.parts.retention
    triggers = TriggerStore(retention._caches.triggers.map)
    retention._caches = retention._caches._replace(triggers=triggers)
    looked = asyncio.Event()
    of_job = triggers.of_job

    async def slowly(key: str, partition: int) -> list[Record[Trigger]]:
        found = await of_job(key, partition)
        looked.set()
        await asyncio.sleep(1)
        return found

    triggers.of_job = slowly
    await asyncio.wait_for(looked.wait(), 600)
    with pytest.raises(SubmissionRejected, match="there is no job DEFAULT/echo to schedule"):
        await client.schedule("DEFAULT/echo", every(1, name="second"))
    await client.schedule(job(durable=True), every(1, name="second"))
    await c.pass_time(10)
    assert [trigger.state for trigger in await client.triggers()] == ["NORMAL"]


async def test_a_node_that_sleeps_over_a_claim_does_not_make_anew_what_is_forgotten(cluster):
    c = cluster()
    nodes = [await c.node(name) for name in "ab"]
    client = await c.client()
    start = datetime.fromtimestamp(c.clock.now() / 1000 + 10, UTC)
    await client.schedule(
        job(durable=True, retention=0.0), every(600, start=start, misfire="IGNORE")
    )
    partition = partition_of(client.caches.jobs.data_key("DEFAULT/echo"))
    (owner,) = (node for node in nodes if partition in node.parts.membership.owned())
    claimer = owner.parts.timer._claimer
    jobs = JobStore(claimer._caches.jobs.map)
    claimer._caches = claimer._caches._replace(jobs=jobs)
    get_all, asleep = jobs.get_all, asyncio.Event()

    async def after_a_sleep(keys: Iterable[str]) -> dict[str, Record[Job]]:
        found = await get_all(keys)
        asleep.set()
        await asyncio.sleep(FENCE_MS / 1000 + 60)
        return found

    jobs.get_all = after_a_sleep
    await asyncio.wait_for(asleep.wait(), 60)
    await owner.parts.membership.stop()
    await c.pass_time(FENCE_MS / 1000 + 59)
    assert await client.firings() == []
    owner.parts.membership.start()
    await c.pass_time(60)
    assert len(c.runs.started) == 1


async def test_a_node_that_sleeps_between_two_instants_of_a_claim_makes_no_more(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    claimer, membership = node.parts.timer._claimer, node.parts.membership
    firings = FiringStore(claimer._caches.firings.map)
    claimer._caches = claimer._caches._replace(firings=firings)
    apply = firings.apply

    async def then_sleep(changes: list[Change]) -> list[bool]:
        done = await apply(changes)
        membership._lapses += 1
        firings.apply = apply
        return done

    firings.apply = then_sleep
    start = datetime.fromtimestamp(c.clock.now() / 1000 - 2, UTC)
    await client.schedule(job(), every(0.2, start=start, repeat_count=9, misfire="IGNORE"))
    await c.until(lambda: firings.apply is apply, step=0.001)
    assert len(await client.firings()) == 1
    await c.until(lambda: len(c.runs.finished) == 10)


async def test_the_locks_of_what_is_over_are_released_and_passed_on(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    alone = job("take", name="alone", disallow_concurrent=True)
    running = await client.submit(replace(alone, data={"seconds": 3600}))
    ended = await client.submit(job(name="ended"))
    await ended.result(timeout=2)
    held, locks = running.key, client.caches.locks
    await locks.create(JobLock("DEFAULT/ended", ended.key, 0))
    await locks.create(JobLock("DEFAULT/forgotten", "DEFAULT/forgotten:DEFAULT/t@0", 0))
    await locks.create(JobLock("DEFAULT/waited", ended.key, 0, waiting=(held, 0)))
    asked = spied(node.core.caches.locks.map, "get")
    await JobLocks(node.core).release_stale(range(node.grid.partition_count))
    assert {lock.key: lock.value.firing for lock in await locks.find()} == {
        "DEFAULT/alone": held,
        "DEFAULT/waited": held,
    }
    assert locks.data_key("DEFAULT/alone") not in asked, "what is held costs no call of its own"


def spied(owner: Any, method: str) -> list[Any]:
    """What a method of one argument is called with from now on."""
    real, calls = getattr(owner, method), []

    def call(argument: Any) -> Any:
        calls.append(argument)
        return real(argument)

    setattr(owner, method, call)
    return calls
