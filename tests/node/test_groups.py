"""Pausing and resuming by group, among several nodes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gridsched.client.triggers import every, once
from gridsched.errors import InvalidKey
from gridsched.grid.faults import Fault, Rates
from gridsched.model.job import Job
from gridsched.model.submission import PauseGroup
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)


def job(name: str, group: str = "DEFAULT", function: str = "note", **fields) -> Job:
    return Job(f"jobs_under_test:{function}", name=name, group=group, **fields)


async def states(client) -> dict[str, str]:
    return {f"{t.job}:{t.group}": t.state for t in await client.triggers()}


def slow(c) -> None:
    """Calls of the nodes take their time, so that what they do interleaves."""
    for faults in c.faults.values():
        faults._rates = Rates(delayed=0.7, longest_delay=0.05)


async def three_nodes(cluster):
    c = cluster(members=3)
    for name in "abc":
        await c.node(name)
    return c, await c.client()


async def test_nothing_of_a_paused_group_starts_once_that_is_acknowledged(cluster):
    c, client = await three_nodes(cluster)
    pairs = [
        (job(f"j{n}"), every(0.5, group=group, start=NOW + timedelta(seconds=9)))
        for n in range(30)
        for group in ("shop-a", "shop-b", "bank")
    ]
    await client.schedule_many(pairs)
    await c.until(lambda: len(c.runs.started) > 300)
    await client.pause_group("shop*")
    before = {f.key for f in c.runs.started}
    await c.pass_time(20)
    later = [f for f in c.runs.started if f.key not in before]
    assert later
    assert not [f for f in later if ":shop" in f.trigger]
    held = {f.state for f in await client.firings() if ":shop" in f.trigger}
    assert held <= {"COMPLETE", "PAUSED"}
    await client.resume_group("shop-a")
    await c.until(lambda: any(":shop-a" in f.trigger for f in c.runs.started if f not in later))
    assert {g: s for k, s in (await states(client)).items() for g in [k.partition(":")[2]]} == {
        "shop-a": "NORMAL",
        "shop-b": "PAUSED",
        "bank": "NORMAL",
    }


async def test_what_is_added_to_a_paused_group_starts_paused(cluster):
    c, client = await three_nodes(cluster)
    await client.pause_group("shop*")
    await client.pause_group("bank", of="jobs")
    soon = NOW + timedelta(seconds=9)
    made = [
        await client.schedule(job("a"), once(soon, group="shop-new")),
        await client.schedule(job("b", "bank"), once(soon, group="other")),
        await client.schedule(job("c"), once(soon, group="bank")),
    ]
    assert [t.state for t in made] == ["PAUSED", "PAUSED", "NORMAL"]
    fired = await client.fire("bank/b")
    await c.pass_time(20)
    assert [f.job for f in c.runs.finished] == ["DEFAULT/c"]
    await client.resume_group("*", of="jobs")
    assert await fired.result(timeout=5) == 1
    await client.resume_all()
    await c.until(lambda: len(c.runs.finished) == 4)


async def test_everything_is_paused_and_resumed(cluster):
    _c, client = await three_nodes(cluster)
    await client.schedule(job("a"), every(1, start=NOW))
    await client.pause_all()
    await client.schedule(job("b"), every(1, start=NOW))
    assert set((await states(client)).values()) == {"PAUSED"}
    assert [(r.pattern, r.paused) for r in (await client.paused_groups()).rules] == [("*", True)]
    await client.resume_all()
    assert set((await states(client)).values()) == {"NORMAL"}
    assert (await client.paused_groups()).rules == ()


async def test_a_group_of_triggers_stays_paused_while_that_of_its_jobs_is(cluster):
    """As Quartz's RAMJobStore has it."""
    _c, client = await three_nodes(cluster)
    await client.schedule(job("a", "bank"), every(1, group="shop", start=NOW))
    await client.pause_group("bank", of="jobs")
    await client.pause_group("shop")
    await client.resume_group("shop")
    assert set((await states(client)).values()) == {"PAUSED"}
    await client.resume_group("bank", of="jobs")
    assert set((await states(client)).values()) == {"NORMAL"}


async def test_pausing_a_group_and_adding_to_it_at_once_leaves_nothing_that_fires(cluster):
    c, client = await three_nodes(cluster)
    slow(c)
    soon = NOW + timedelta(seconds=60)
    for turn in range(20):
        pair = (job(f"j{turn}"), every(1, group=f"g{turn}", start=soon))
        await asyncio.gather(client.pause_group(f"g{turn}"), client.schedule_many([pair]))
    assert set((await states(client)).values()) == {"PAUSED"}
    await c.pass_time(90)
    assert c.runs.started == []


async def test_resuming_a_group_and_adding_to_it_at_once_leaves_nothing_paused(cluster):
    c, client = await three_nodes(cluster)
    slow(c)
    for turn in range(20):
        await client.pause_group(f"g{turn}")
        pair = (job(f"j{turn}"), every(1, group=f"g{turn}", start=NOW + timedelta(hours=1)))
        await asyncio.gather(client.resume_group(f"g{turn}"), client.schedule_many([pair]))
    assert set((await states(client)).values()) == {"NORMAL"}


@pytest.mark.parametrize("place", ["Paused-Group", "Trigger-Store", "Job-Submission"])
@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.APPLIED, Fault.NOT_APPLIED])
async def test_a_pause_that_is_interrupted_is_carried_through(cluster, place, fault):
    c = cluster()
    await c.node("a")
    client = await c.client()
    for n in range(5):
        await client.schedule(job(f"j{n}"), every(1, group="g", start=NOW + timedelta(hours=1)))
    c.faults["a"].script(place, "compare_and_set", fault)
    await client.pause_group("g")
    assert set((await states(client)).values()) == {"PAUSED"}


async def test_a_node_that_dies_over_a_pause_leaves_it_to_the_next_owner(cluster):
    c = cluster(members=2)
    first = await c.node("a")
    client = await c.client(timeout=60)
    await client.schedule(job("j"), every(1, group="g", start=NOW + timedelta(hours=1)))
    groups = first.parts.submissions._commands._groups
    added = groups._add

    async def dying(rule):
        await added(rule)
        await asyncio.Event().wait()

    groups._add = dying
    asked = asyncio.ensure_future(client.pause_group("g"))
    await c.until(lambda: _is_there(client))
    assert set((await states(client)).values()) == {"NORMAL"}
    await c.node("b")
    await c.crash(first)
    await asked
    assert set((await states(client)).values()) == {"PAUSED"}
    (answer,) = [
        r.value
        for r in await client.caches.submissions.find()
        if r.value.state == "ACCEPTED" and r.value.job == "GROUP/paused"
    ]
    assert answer.decided_by == "b"
    assert not isinstance(answer.command, PauseGroup)


async def _is_there(client) -> bool:
    return bool((await client.paused_groups()).rules)


async def test_what_could_be_no_group_is_refused_at_the_client(cluster):
    client = await cluster().client()
    with pytest.raises(InvalidKey, match="group pattern ''"):
        await client.pause_group("")
    with pytest.raises(InvalidKey, match="not of 'nodes'"):
        await client.resume_group("x", of="nodes")
