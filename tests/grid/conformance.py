"""What every grid must do: one suite, run against each of them.

A grid's test module subclasses `GridConformance` and supplies the fixture `connect`, an async
callable that gives a new opened connection to one and the same grid, and closes them all at the
end of the test; `connections` makes one. A grid whose clock is in the test's hands overrides the
fixture `elapse` too.

    class TestMyGrid(GridConformance):
        @pytest.fixture
        def connect(self, run):
            with connections(run, lambda: MyGrid(...)) as connect:
                yield connect

The grid must bound the queues named `QUEUE_PREFIX*` at `QUEUE_CAPACITY` items: a real cluster by
its configuration, before it starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from gridsched.errors import GridUnavailable
from gridsched.grid.data import PARTITION_COUNT, json_value, partition_of, string_key
from gridsched.grid.port import (
    Between,
    Change,
    Condition,
    EntryEvent,
    EntryKind,
    Equal,
    Grid,
    GridMap,
    GridQueue,
    IndexSpec,
    MapSpec,
    Outcome,
    QueueSpec,
)

QUEUE_PREFIX = "conformance-bounded-"
QUEUE_CAPACITY = 8
PATIENCE = 60.0
"""Seconds until a condition that never comes fails its test, and that a `take` waits at most."""
UNHURRIED = {"connect_timeout": PATIENCE, "call_timeout": PATIENCE}
"""What a HazelcastGrid is told whose cluster may have much else to do."""

Run = Callable[[Coroutine[Any, Any, Any]], Any]
Connect = Callable[[], Awaitable[Grid]]

ADDED, UPDATED, REMOVED = EntryKind.ADDED, EntryKind.UPDATED, EntryKind.REMOVED
APPLIED, REFUSED = Outcome.APPLIED, Outcome.REFUSED

INDEXES = (IndexSpec("due", "SORTED"), IndexSpec("state", "HASH"))


@contextmanager
def connections(run: Run, make: Callable[[], Grid]) -> Iterator[Connect]:
    """A `connect` that opens the grids that `make` gives; the end closes them."""
    opened: list[Grid] = []

    async def connect() -> Grid:
        grid = make()
        await grid.open()
        opened.append(grid)
        return grid

    try:
        yield connect
    finally:
        for grid in opened:
            run(grid.close())


async def wait_until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Poll a condition, plain or async, until it holds."""
    give_up_at = asyncio.get_running_loop().time() + PATIENCE
    while True:
        holds = condition()
        if holds if isinstance(holds, bool) else await holds:
            return
        assert asyncio.get_running_loop().time() < give_up_at, "the condition never came"
        await asyncio.sleep(0.005)


def key(text: str, partition_key: str | None = None) -> bytes:
    return string_key(text, partition_key or text)


def value(**attributes: object) -> bytes:
    pairs = ",".join(
        f'"{name}":"{held}"' if isinstance(held, str) else f'"{name}":{held}'
        for name, held in attributes.items()
    )
    return json_value(f"{{{pairs}}}".encode())


A, B, C, D = (key(text) for text in "abcd")
V1, V2, V3 = (value(v=n) for n in (1, 2, 3))


async def records(grid: Grid, name: str, indexes: tuple[IndexSpec, ...] = INDEXES) -> GridMap:
    """A map of twenty records, NEW and DONE in turn; every fifth has no `due`, the others 10 n."""
    held = await grid.map(MapSpec(name, indexes))
    await held.put_all({key(f"r{n}"): record(n) for n in range(20)})
    return held


def record(n: int) -> bytes:
    state = "DONE" if n % 2 else "NEW"
    return value(n=n, state=state) if n % 5 == 0 else value(n=n, state=state, due=n * 10)


async def assign_partitions(grid: Grid, name: str) -> None:
    """A new cluster assigns no partition before somebody writes."""
    await (await grid.map(MapSpec(name))).put(A, V1)


async def found(
    held: GridMap, where: Sequence[Condition], partitions: Sequence[int] | None = None
) -> list[bytes]:
    """The keys that a query finds, sorted; its values are checked against the map's."""
    rows = await held.query(where, partitions)
    assert dict(rows) == await held.get_all([row[0] for row in rows])
    return sorted(row[0] for row in rows)


def keys(*numbers: int) -> list[bytes]:
    return sorted(key(f"r{n}") for n in numbers)


class _Maps:
    async def test_get_of_an_absent_key(self, connect: Connect, name: str) -> None:
        held = await (await connect()).map(MapSpec(name))
        assert await held.get(A) is None
        assert held.name == name

    async def test_put_is_seen_by_another_connection(self, connect: Connect, name: str) -> None:
        ours = await (await connect()).map(MapSpec(name))
        theirs = await (await connect()).map(MapSpec(name))
        await ours.put(A, V1)
        assert await theirs.get(A) == V1
        await theirs.put(A, V2)
        assert await ours.get(A) == V2

    async def test_put_all_and_get_all(self, connect: Connect, name: str) -> None:
        held = await (await connect()).map(MapSpec(name))
        entries = {key(f"k{n}"): value(v=n) for n in range(100)}
        await held.put_all(entries)
        assert await held.get_all([*entries, A]) == entries
        assert await held.get_all([B, A]) == {}
        assert await held.get_all([]) == {}
        assert await held.size() == 100

    async def test_maps_do_not_share_entries(self, connect: Connect, name: str) -> None:
        grid = await connect()
        one, other = await grid.map(MapSpec(name)), await grid.map(MapSpec(f"{name}-other"))
        await one.put(A, V1)
        assert await other.get(A) is None

    async def test_remove(self, connect: Connect, name: str) -> None:
        held = await (await connect()).map(MapSpec(name))
        await held.put(A, V1)
        assert await held.remove(A) == V1
        assert await held.remove(A) is None
        assert await held.get(A) is None
        assert await held.size() == 0

    async def test_put_if_absent(self, connect: Connect, name: str) -> None:
        held = await (await connect()).map(MapSpec(name))
        assert await held.put_if_absent(A, V1)
        assert not await held.put_if_absent(A, V2)
        assert await held.get(A) == V1

    async def test_replace_if_same(self, connect: Connect, name: str) -> None:
        held = await (await connect()).map(MapSpec(name))
        assert not await held.replace_if_same(A, V1, V2)
        await held.put(A, V1)
        assert not await held.replace_if_same(A, V2, V3)
        assert await held.replace_if_same(A, V1, V2)
        assert await held.get(A) == V2

    async def test_remove_if_same(self, connect: Connect, name: str) -> None:
        held = await (await connect()).map(MapSpec(name))
        await held.put(A, V1)
        assert not await held.remove_if_same(A, V2)
        assert await held.remove_if_same(A, V1)
        assert not await held.remove_if_same(A, V1)
        assert await held.get(A) is None

    async def test_compare_and_set_answers_in_order(self, connect: Connect, name: str) -> None:
        held = await (await connect()).map(MapSpec(name))
        await held.put_all({A: V1, B: V1, C: V1})
        outcomes = await held.compare_and_set(
            [
                Change(A, V2, V3),
                Change(B, V1, V2),
                Change(C, V1, None),
                Change(D, None, V1),
                Change(key("e"), V1, V2),
                Change(key("f"), V1, None),
            ]
        )
        assert outcomes == [REFUSED, APPLIED, APPLIED, APPLIED, REFUSED, REFUSED]
        assert await held.get_all([A, B, C, D]) == {A: V1, B: V2, D: V1}
        assert await held.compare_and_set([]) == []

    async def test_one_of_many_rivals_wins(self, connect: Connect, name: str) -> None:
        maps = [await (await connect()).map(MapSpec(name)) for _ in range(2)]
        won = await asyncio.gather(
            *(maps[n % 2].put_if_absent(A, value(winner=n)) for n in range(20))
        )
        assert won.count(True) == 1
        assert await maps[0].get(A) == value(winner=won.index(True))

    async def test_apply_answers_whether_each_change_is_applied(
        self, connect: Connect, name: str
    ) -> None:
        held = await (await connect()).map(MapSpec(name))
        assert await held.apply([Change(A, None, V1), Change(B, V1, V2)]) == [True, False]
        assert await held.apply([]) == []

    async def test_an_entry_expires_after_its_ttl(
        self, connect: Connect, name: str, elapse: Callable[[int], None]
    ) -> None:
        held = await (await connect()).map(MapSpec(name, INDEXES))
        seconds = asyncio.get_running_loop().time
        began = seconds()
        await held.put(A, value(due=1), ttl_ms=1000)
        await held.put(B, value(due=1))
        assert await held.get(A) == value(due=1) or seconds() - began >= 1

        async def gone() -> bool:
            elapse(1000)
            return await held.get(A) is None

        await wait_until(gone)
        assert await found(held, [Between("due", 0, 2)]) == [B]
        assert await found(held, []) == [B]
        assert await held.put_if_absent(A, V1)

    async def test_a_later_put_without_ttl_keeps_the_entry(
        self, connect: Connect, name: str, elapse: Callable[[int], None]
    ) -> None:
        held = await (await connect()).map(MapSpec(name))
        await held.put(A, V1, ttl_ms=1000)
        await held.put(A, V2)
        await held.put(B, V1, ttl_ms=1000)

        async def gone() -> bool:
            elapse(1000)
            return await held.get(B) is None

        await wait_until(gone)
        assert await held.get(A) == V2


class _Queries:
    async def test_equality(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name)
        assert await found(held, [Equal("state", "NEW")]) == keys(*range(0, 20, 2))
        assert await found(held, [Equal("state", "LOST")]) == []

    async def test_equality_on_a_sorted_index(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name)
        assert await found(held, [Equal("due", 70)]) == keys(7)
        assert await found(held, [Equal("due", 75)]) == []

    async def test_range_holds_both_its_ends(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name)
        assert await found(held, [Between("due", 60, 80)]) == keys(6, 7, 8)
        assert await found(held, [Between("due", 71, 79)]) == []
        assert await found(held, [Between("due", 80, 60)]) == []

    async def test_records_without_the_attribute_match_no_condition(
        self, connect: Connect, name: str
    ) -> None:
        held = await records(await connect(), name)
        everything = [n for n in range(20) if n % 5]
        assert await found(held, [Between("due", -(2**62), 2**62)]) == keys(*everything)
        assert await found(held, [Equal("nothing", 1)]) == []

    async def test_conjunction(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name)
        where: list[Condition] = [Equal("state", "DONE"), Between("due", 0, 90)]
        assert await found(held, where) == keys(1, 3, 7, 9)
        assert await found(held, [*where, Equal("n", 7)]) == keys(7)
        assert await found(held, [Equal("state", "DONE"), Equal("state", "NEW")]) == []

    async def test_attributes_without_an_index(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name, indexes=())
        assert await found(held, [Between("due", 60, 80)]) == keys(6, 7, 8)
        assert await found(held, [Equal("n", 10)]) == keys(10)
        assert await found(held, [Equal("state", "NEW"), Between("n", 3, 7)]) == keys(4, 6)

    async def test_no_condition_finds_every_record(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name)
        assert await found(held, []) == keys(*range(20))

    async def test_only_the_given_partitions_are_asked(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name)
        queries: list[list[Condition]] = [
            [],
            [Between("due", 0, 1000)],
            [Equal("state", "NEW")],
            [Equal("n", 4)],
        ]
        for where in queries:
            everything = await found(held, where)
            for partitions in (range(0, PARTITION_COUNT, 2), range(1, PARTITION_COUNT, 2)):
                here = [k for k in everything if partition_of(k) in partitions]
                assert await found(held, where, partitions) == here
            assert await found(held, where, range(PARTITION_COUNT)) == everything
            assert await found(held, where, []) == []

    async def test_one_partition(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name)
        assert key("r7") in await found(held, [], [partition_of(key("r7"))])
        assert key("r7") not in await found(held, [], [(partition_of(key("r7")) + 1) % 271])

    async def test_records_with_one_partition_key_live_together(
        self, connect: Connect, name: str
    ) -> None:
        held = await (await connect()).map(MapSpec(name))
        family = [key(f"child-{n}", "parent") for n in range(10)]
        await held.put_all(dict.fromkeys([key("parent"), *family], V1))
        assert await found(held, [], [partition_of(key("parent"))]) == sorted(
            [key("parent"), *family]
        )

    async def test_queries_follow_changes(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name)
        early = [Between("due", 0, 30)]
        assert await found(held, early) == keys(1, 2, 3)
        assert await held.replace_if_same(key("r1"), record(1), value(due=500, state="NEW"))
        assert await held.replace_if_same(key("r2"), record(2), value(state="NEW"))
        await held.put(key("r9"), value(due=30))
        assert await found(held, early) == keys(3, 9)
        await held.remove(key("r3"))
        assert await held.put_if_absent(key("r21"), value(due=0, state="NEW"))
        assert await found(held, early) == keys(9, 21)
        assert key("r9") not in await found(held, [Equal("state", "DONE")])

    async def test_an_index_made_after_the_records(self, connect: Connect, name: str) -> None:
        grid = await connect()
        await records(grid, name, indexes=())
        held = await grid.map(MapSpec(name, INDEXES))
        assert await found(held, [Between("due", 60, 80)]) == keys(6, 7, 8)
        assert await found(held, [Equal("state", "DONE"), Equal("n", 3)]) == keys(3)

    async def test_remove_all(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name)
        await held.remove_all([Between("due", 0, 90), Equal("state", "NEW")])
        assert await found(held, []) == keys(0, 1, 3, 5, 7, *range(9, 20))
        assert await found(held, [Between("due", 0, 90)]) == keys(1, 3, 7, 9)

    async def test_remove_all_of_some_partitions(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name)
        everything = await found(held, [])
        lower = range(PARTITION_COUNT // 2)
        await held.remove_all([], [])
        assert await found(held, []) == everything
        await held.remove_all([Equal("state", "NEW")], lower)
        assert await found(held, [Equal("state", "NEW")], lower) == []
        await held.remove_all([], lower)
        assert await found(held, []) == [k for k in everything if partition_of(k) not in lower]
        await held.remove_all([])
        assert await held.size() == 0


class _Listeners:
    async def test_events_carry_the_new_value(self, connect: Connect, name: str) -> None:
        ours, theirs = await connect(), await connect()
        events: list[EntryEvent] = []
        await (await ours.map(MapSpec(name))).listen(events.append)
        held = await theirs.map(MapSpec(name))
        await held.put(A, V1)
        await held.put(A, V2)
        assert await held.replace_if_same(A, V2, V3)
        assert await held.remove_if_same(A, V3)
        assert await held.put_if_absent(A, V1)
        await held.remove(A)
        await held.put_all({A: V2})
        expected = [
            EntryEvent(ADDED, A, V1),
            EntryEvent(UPDATED, A, V2),
            EntryEvent(UPDATED, A, V3),
            EntryEvent(REMOVED, A, None),
            EntryEvent(ADDED, A, V1),
            EntryEvent(REMOVED, A, None),
            EntryEvent(ADDED, A, V2),
        ]
        await wait_until(lambda: len(events) >= len(expected))
        assert events == expected

    async def test_no_event_where_nothing_changed(self, connect: Connect, name: str) -> None:
        held = await (await connect()).map(MapSpec(name))
        await held.put(A, V1)
        events: list[EntryEvent] = []
        await held.listen(events.append)
        await held.compare_and_set([Change(A, V2, V3)])
        await held.compare_and_set([Change(A, None, V3)])
        await held.compare_and_set([Change(A, V2, None)])
        await held.put(A, V2)
        await wait_until(lambda: bool(events))
        assert events == [EntryEvent(UPDATED, A, V2)]

    async def test_remove_all_sends_an_event_an_entry(self, connect: Connect, name: str) -> None:
        held = await records(await connect(), name)
        events: list[EntryEvent] = []
        await held.listen(events.append)
        await held.remove_all([Between("due", 60, 80)])
        await wait_until(lambda: len(events) >= 3)
        assert sorted(events, key=lambda event: event.key) == [
            EntryEvent(REMOVED, k, None) for k in keys(6, 7, 8)
        ]

    async def test_a_cancelled_listener_hears_nothing(self, connect: Connect, name: str) -> None:
        held = await (await connect()).map(MapSpec(name))
        cancelled: list[EntryEvent] = []
        kept: list[EntryEvent] = []
        cancel = await held.listen(cancelled.append)
        await held.listen(kept.append)
        cancel()
        cancel()
        await held.put(A, V1)
        await wait_until(lambda: bool(kept))
        assert cancelled == []


class _Queues:
    async def queue(self, grid: Grid, name: str) -> GridQueue:
        return await grid.queue(QueueSpec(QUEUE_PREFIX + name, QUEUE_CAPACITY))

    async def test_items_leave_in_the_order_they_came(self, connect: Connect, name: str) -> None:
        queue = await self.queue(await connect(), name)
        assert await queue.offer_all([V1, V2])
        assert await queue.offer_all([V3])
        assert await queue.size() == 3
        assert await queue.take(0) == V1
        assert await queue.drain(10) == [V2, V3]
        assert await queue.size() == 0
        assert queue.name == QUEUE_PREFIX + name

    async def test_drain_takes_at_most_its_limit(self, connect: Connect, name: str) -> None:
        queue = await self.queue(await connect(), name)
        await queue.offer_all([V1, V2, V3])
        assert await queue.drain(2) == [V1, V2]
        assert await queue.drain(2) == [V3]
        assert await queue.drain(2) == []

    async def test_a_bounded_queue_takes_all_or_nothing(self, connect: Connect, name: str) -> None:
        queue = await self.queue(await connect(), name)
        assert await queue.remaining_capacity() == QUEUE_CAPACITY
        assert await queue.offer_all([V1] * (QUEUE_CAPACITY - 1))
        assert not await queue.offer_all([V2, V2])
        assert await queue.size() == QUEUE_CAPACITY - 1
        assert await queue.remaining_capacity() == 1
        assert await queue.offer_all([V3])
        assert not await queue.offer_all([V2])
        assert await queue.remaining_capacity() == 0
        assert await queue.drain(QUEUE_CAPACITY) == [*[V1] * (QUEUE_CAPACITY - 1), V3]
        assert await queue.offer_all([V2])

    async def test_offering_nothing_succeeds(self, connect: Connect, name: str) -> None:
        queue = await self.queue(await connect(), name)
        assert await queue.offer_all([])
        assert await queue.size() == 0

    async def test_take_gives_up_after_its_timeout(self, connect: Connect, name: str) -> None:
        queue = await self.queue(await connect(), name)
        assert await queue.take(0) is None
        assert await queue.take(0.01) is None

    async def test_a_parked_take_wakes_on_an_offer(self, connect: Connect, name: str) -> None:
        ours, theirs = await connect(), await connect()
        taking = asyncio.ensure_future((await self.queue(ours, name)).take(PATIENCE))
        await asyncio.sleep(0)
        offering = await self.queue(theirs, name)
        assert await offering.offer_all([V1, V2])
        assert await taking == V1
        assert await offering.drain(10) == [V2]

    async def test_parked_takers_share_what_comes(self, connect: Connect, name: str) -> None:
        grids = [await connect() for _ in range(2)]
        queues = [await self.queue(grid, name) for grid in grids]
        taking = [asyncio.ensure_future(queues[n % 2].take(PATIENCE)) for n in range(4)]
        await asyncio.sleep(0)
        items = [value(v=n) for n in range(4)]
        assert await queues[0].offer_all(items)
        assert {await take for take in taking} == set(items)
        assert await queues[0].size() == 0

    async def test_destroy_drops_the_items(self, connect: Connect, name: str) -> None:
        grid = await connect()
        queue = await self.queue(grid, name)
        await queue.offer_all([V1, V2])
        await queue.destroy()
        again = await self.queue(grid, name)
        assert await again.size() == 0
        assert await again.remaining_capacity() == QUEUE_CAPACITY


class _Members:
    async def test_every_partition_belongs_to_a_member(self, connect: Connect, name: str) -> None:
        grid = await connect()
        await assign_partitions(grid, name)
        assert grid.partition_count == PARTITION_COUNT
        await wait_until(lambda: None not in grid.partition_owners())
        members = grid.members()
        uuids = [member.uuid for member in members]
        assert uuids
        assert len(set(uuids)) == len(uuids)
        assert len(grid.partition_owners()) == PARTITION_COUNT
        assert set(grid.partition_owners()) <= set(uuids)
        assert all(member.address.rpartition(":")[2].isdigit() for member in members)

    async def test_connections_agree_on_the_members(self, connect: Connect, name: str) -> None:
        one, other = await connect(), await connect()
        await assign_partitions(one, name)
        await wait_until(lambda: None not in one.partition_owners() + other.partition_owners())
        assert one.members() == other.members()
        assert one.partition_owners() == other.partition_owners()

    async def test_the_local_member_is_one_of_the_members(self, connect: Connect) -> None:
        grid = await connect()
        assert grid.local_member() in {None, *(member.uuid for member in grid.members())}

    async def test_a_membership_listener_may_be_cancelled_twice(self, connect: Connect) -> None:
        cancel = (await connect()).listen_membership(lambda: None)
        cancel()
        cancel()

    async def test_a_closed_connection_is_unavailable(self, connect: Connect, name: str) -> None:
        grid = await connect()
        held = await grid.map(MapSpec(name))
        await grid.close()
        await grid.close()
        assert grid.members() == ()
        with pytest.raises(GridUnavailable):
            await held.get(A)


class GridConformance(_Maps, _Queries, _Listeners, _Queues, _Members):
    """Everything that a grid must do."""
