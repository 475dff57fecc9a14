"""Records that a hand or a clock has put out of order: each node finds those of its partitions."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from msgspec.structs import replace

from gridsched import every
from gridsched.model.job import Job
from gridsched.node.self_check import ROUND
from gridsched.stores.caches import Caches
from gridsched.stores.record import Store

ROUND_SECONDS = (ROUND + 2) * 10
"""A lease is twice the session timeout of 5 s."""


def job(function: str = "echo", **fields: Any) -> Job:
    return Job(f"jobs_under_test:{function}", data={"value": 1}, **fields)


async def put_out_of_order(store: Store[Any], key: str, **fields: Any) -> None:
    """Write into a record from outside, as no step does."""
    record = await store.get(key)
    assert record is not None
    assert await store.replace(record, replace(record.value, **fields))


async def test_a_trigger_that_was_not_due_any_more_fires_again(
    cluster: Any, caplog: pytest.LogCaptureFixture
) -> None:
    c = cluster()
    for name in "ab":
        await c.node(name)
    client = await c.client()
    caches: Caches = c.nodes[0].core.caches
    trigger = await client.schedule(job(name="often"), every(2))
    await c.until(lambda: len(c.runs.started) > 2)
    await put_out_of_order(caches.triggers, trigger.key, due=None)
    await c.pass_time(20)
    before = len(c.runs.started)
    await c.until(lambda: len(c.runs.started) > before, within=ROUND_SECONDS)
    assert f"{trigger.key}: it is not due at its next fire: mended" in caplog.text
    await c.pass_time(2)
    assert sum(member.mended for member in await client.members()) == 1
    audited = await client.audit()
    assert [found for each in audited for found in each.unaccounted] == []


async def test_a_firing_that_a_clock_has_put_off_for_a_year_is_looked_at(cluster: Any) -> None:
    c = cluster()
    await c.node("a")
    client = await c.client()
    caches: Caches = c.nodes[0].core.caches
    trigger = await client.schedule(job(name="once"), every(3600))
    await c.until(lambda: len(c.runs.finished) == 1)
    (firing,) = await client.firings(of=trigger.key)
    far = c.clock.now() + 365 * 86_400_000
    lost = {"state": "ACQUIRED", "due": far, "finished_at": None, "member": "nobody"}
    await put_out_of_order(caches.firings, firing.key, **lost)
    await c.until(lambda: len(c.runs.finished) == 2, within=ROUND_SECONDS)


async def test_what_cannot_be_mended_is_shown_until_somebody_does(
    cluster: Any, caplog: pytest.LogCaptureFixture
) -> None:
    c = cluster()
    await c.node("a")
    client = await c.client()
    caches: Caches = c.nodes[0].core.caches
    trigger = await client.schedule(job(name="often"), every(2))
    await put_out_of_order(caches.triggers, trigger.key, due=None, next_fire=None)
    with caplog.at_level(logging.ERROR):
        await c.pass_time(ROUND_SECONDS)
    (member,) = await client.members()
    assert member.unexplained == (trigger.key,)
    said = f"{trigger.key}: it is NORMAL, and has no next fire: no law explains it"
    assert caplog.text.count(said) == 1
    await client.delete("DEFAULT/often")
    await c.pass_time(30)
    (member,) = await client.members()
    assert (member.unexplained, member.mended) == ((), 0)


async def test_a_job_whose_last_trigger_went_without_it_goes(cluster: Any) -> None:
    c = cluster()
    await c.node("a")
    client = await c.client()
    caches: Caches = c.nodes[0].core.caches
    trigger = await client.schedule(job(name="left"), every(3600))
    kept = await client.schedule(job(name="kept"), every(3600))
    record = await caches.triggers.get(trigger.key)
    assert record is not None
    await caches.triggers.map.remove(record.data_key)
    await c.pass_time(ROUND_SECONDS)
    assert [job.key for job in await client.jobs()] == [kept.job]
