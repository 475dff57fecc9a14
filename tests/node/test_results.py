"""The results of a job: by time, and drained; on virtual time."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime, timedelta

import pytest
from cluster import SELDOM

from gridsched.client.blocking import Results
from gridsched.client.results import AsyncResults
from gridsched.client.triggers import every, once
from gridsched.errors import GridUnavailable, InvalidKey, InvalidSchedule, NotFound
from gridsched.grid.faults import Fault
from gridsched.model.job import UNTIL_DISCARDED, Job
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)
KEY = "DEFAULT/echo"


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def seconds(results) -> list[float]:
    """When each was scheduled, after the start of virtual time."""
    return [(result.scheduled - START) / 1000 for result in results]


async def ran(c, count: int = 10, **fields):
    """A client, once a job has run every second from second 2 on, `count` times."""
    await c.node("a")
    client = await c.client()
    await client.schedule(
        Job("jobs_under_test:echo", name="echo", durable=True, data={"value": "said"}, **fields),
        every(1, start=at(2), repeat_count=count - 1, name="t"),
    )
    await c.until(lambda: len(c.runs.finished) == count)
    await c.pass_time(1)
    return client


async def test_all_the_latest_and_the_oldest(cluster):
    client = await ran(cluster())
    results = client.results_of(KEY)
    assert seconds(await results.complete()) == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert seconds([await results.latest(), await results.oldest()]) == [11, 2]
    assert {result.value for result in await results.complete()} == {"said"}


async def test_the_latest_is_found_however_old_it_is(cluster):
    c = cluster(**SELDOM)
    client = await ran(c, 3, retention=UNTIL_DISCARDED)
    for wait in (600, 6 * 3600):
        await c.pass_time(wait)
        assert seconds([await client.results_of(KEY).latest()]) == [4]


async def test_by_time_from_the_first_instant_up_to_but_without_the_second(cluster):
    """Those of the scheduled instant, as in the seed."""
    results = (await ran(cluster())).results_of(KEY)
    assert seconds(await results.between(at(4), at(7))) == [4, 5, 6]
    assert seconds(await results.between(at(4), at(4))) == []
    assert seconds(await results.from_(at(9.5))) == [10, 11]
    assert seconds(await results.to(at(4))) == [2, 3]
    assert seconds(await results.to(at(1))) == []


async def test_of_a_trigger_only_its_own(cluster):
    c = cluster()
    client = await ran(c, 2)
    await client.schedule("DEFAULT/echo", once(name="other"))
    await c.until(lambda: len(c.runs.finished) == 3)
    assert len(await client.results_of(KEY).complete()) == 3
    assert seconds(await client.results_of(f"{KEY}:DEFAULT/t").complete()) == [2, 3]
    assert len(await client.results_of(f"{KEY}:DEFAULT/t").drain()) == 2
    assert len(await client.results_of(KEY).complete()) == 1


async def test_without_results_there_are_none(cluster):
    c = cluster()
    await c.node("a")
    results = (await c.client()).results_of("none/such")
    assert await results.complete() == await results.drain() == ()
    assert await results.latest() is None
    assert await results.oldest() is None


async def test_what_was_drained_is_gone_for_everybody(cluster):
    c = cluster()
    client = await ran(c)
    key = (await client.firings(of=KEY))[0].key
    assert seconds(await client.results_of(KEY).drain()) == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    other = (await c.client()).results_of(KEY)
    assert await other.complete() == await other.drain() == ()
    assert await other.latest() is None
    assert await client.results() == []
    with pytest.raises(NotFound):
        await client.result(key)
    with pytest.raises(NotFound, match="it was drained"):
        await client.handle(key).result()
    await c.pass_time(120)
    assert await client.caches.results.find() == []
    assert len(await client.firings(of=KEY)) == 10


async def test_each_result_is_given_to_one_of_many_who_drain(cluster):
    """While more come in."""
    c = cluster(members=2)
    await c.node("a")
    client = await c.client()
    await client.schedule_many(
        [
            (Job("jobs_under_test:echo", name="echo", durable=True, data={"value": n}),
             every(0.05, start=at(2), repeat_count=99, name=f"t{n}"))
            for n in range(4)
        ]
    )  # fmt: skip
    drained: list[str] = []

    async def drain(reader: AsyncResults) -> None:
        while len(drained) < 400:
            drained.extend(result.firing for result in await reader.drain())
            await asyncio.sleep(0.03)

    readers = [(await c.client()).results_of(KEY) for _ in range(5)]
    await asyncio.wait_for(asyncio.gather(*map(drain, readers)), 60)
    assert len(drained) == len(set(drained)) == 400


@pytest.mark.parametrize("fault", [Fault.APPLIED, Fault.NOT_APPLIED])
async def test_each_is_given_once_where_an_outcome_is_unknown(cluster, fault):
    c = cluster()
    client = await ran(c)
    node = c.nodes[0]
    c.faults["a"].script("Job-Result", "compare_and_set", fault)
    first = AsyncResults(KEY, node.core.caches.results, c.clock, "first")
    assert len(await first.drain()) == 10
    assert not c.faults["a"]._scripted["Job-Result", "compare_and_set"]
    assert await client.results_of(KEY).drain() == ()


async def test_what_was_taken_when_the_grid_failed_is_given_by_the_next_call(cluster, monkeypatch):
    c = cluster()
    client = await ran(c)
    results = client.results_of(KEY)
    store = client.caches.results

    async def fail_behind(changes, apply=store.apply):
        await apply(changes[:4])
        raise GridUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(store, "apply", fail_behind)
        with pytest.raises(GridUnavailable):
            await results.drain()
    assert seconds(await client.results_of(KEY).drain()) == [6, 7, 8, 9, 10, 11]
    given = await results.drain()
    assert seconds(given) == [2, 3, 4, 5]
    assert {result.drained_by for result in given} == {""}
    assert await results.drain() == ()


async def test_an_end_that_is_recorded_again_does_not_bring_back_what_was_drained(
    cluster, monkeypatch
):
    """The call that stores a result took effect, but its answer was lost; meanwhile it was drained."""
    c = cluster()
    await c.node("a")
    client = await c.client()
    store = c.nodes[0].core.caches.results
    drained = []

    async def lost(entries, put_all=store.map.put_all):
        await put_all(entries)
        drained.extend(await client.results_of(KEY).drain())
        monkeypatch.undo()
        raise GridUnavailable("the answer was lost")

    monkeypatch.setattr(store.map, "put_all", lost)
    handle = await client.submit(
        Job("jobs_under_test:echo", name="echo", data={"value": 1}, durable=True)
    )
    await c.until(lambda: bool(c.runs.finished))
    await c.pass_time(5)
    assert [result.firing for result in drained] == [handle.key]
    assert await client.results_of(KEY).complete() == ()


async def test_results_go_with_their_retention(cluster):
    c = cluster()
    client = await ran(c, 3, retention=100.0)
    assert len(await client.results_of(KEY).complete()) == 3
    await c.pass_time(200)
    assert await client.results_of(KEY).complete() == ()


async def test_times_and_keys_that_cannot_be_are_refused(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    results = client.results_of(KEY)
    with pytest.raises(InvalidSchedule, match="without a zone"):
        await results.from_(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(InvalidSchedule, match=r"low .* is after high"):
        await results.between(at(2), at(1))
    with pytest.raises(InvalidKey):
        client.results_of("echo")
    with pytest.raises(InvalidKey, match="the key of a firing"):
        client.results_of(f"{KEY}:DEFAULT/t@1")


def test_both_twins_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(kind, callable) if name[0] != "_"}

    assert public(Results) == public(AsyncResults)
