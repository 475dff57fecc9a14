"""What the embedded grid promises beyond the port: expiry, indexes, takers, connections."""

from __future__ import annotations

import asyncio
import json

import pytest
from conformance import V1, V2, V3, A, B, C, found, key, wait_until
from embedding import Clock, embedded
from hypothesis import given
from hypothesis import strategies as st

from gridsched.errors import GridUnavailable
from gridsched.grid.data import json_value, string_key
from gridsched.grid.embedded.cluster import EmbeddedCluster
from gridsched.grid.embedded.connection import EmbeddedGrid
from gridsched.grid.embedded.index import HashIndex, Index, SortedIndex
from gridsched.grid.embedded.query import Query, Range
from gridsched.grid.port import (
    Between,
    Change,
    EntryEvent,
    Equal,
    GridMap,
    GridQueue,
    IndexSpec,
    MapSpec,
    QueueSpec,
)

INDEXES: dict[str, type[Index]] = {"due": SortedIndex, "state": HashIndex, "member": SortedIndex}


async def opened(cluster: EmbeddedCluster, member: str | None = None) -> EmbeddedGrid:
    grid = EmbeddedGrid(cluster, member)
    await grid.open()
    return grid


async def new_map(clock: Clock, *indexes: IndexSpec, members: int = 2) -> GridMap:
    return await (await opened(embedded(members, clock))).map(MapSpec("m", indexes))


async def new_queue(cluster: EmbeddedCluster, capacity: int = 10) -> GridQueue:
    return await (await opened(cluster)).queue(QueueSpec("q", capacity))


class TestExpiry:
    async def test_an_entry_lives_until_its_last_millisecond(self) -> None:
        clock = Clock()
        held = await new_map(clock)
        await held.put(A, V1, ttl_ms=10)
        clock.advance(9)
        assert await held.get(A) == V1
        clock.advance(1)
        assert await held.get(A) is None

    async def test_a_query_finds_no_expired_entry(self) -> None:
        clock = Clock()
        held = await new_map(clock, IndexSpec("v", "SORTED"))
        await held.put(A, V1, ttl_ms=10)
        await held.put(B, V2, ttl_ms=20)
        clock.advance(15)
        assert await found(held, []) == [B]
        assert await found(held, [Between("v", 0, 9)]) == [B]
        assert await held.size() == 1

    async def test_an_expired_entry_is_absent_to_writers(self) -> None:
        clock = Clock()
        held = await new_map(clock, IndexSpec("v", "SORTED"))
        await held.put(A, V1, ttl_ms=10)
        clock.advance(10)
        assert not await held.replace_if_same(A, V1, V2)
        assert await held.put_if_absent(A, V3)
        assert await found(held, [Between("v", 0, 9)]) == [A]

    async def test_a_compare_and_set_ends_the_time_to_live(self) -> None:
        clock = Clock()
        held = await new_map(clock)
        await held.put(A, V1, ttl_ms=10)
        assert await held.replace_if_same(A, V1, V2)
        clock.advance(100)
        assert await held.get(A) == V2

    async def test_expiry_outlives_the_member(self) -> None:
        clock = Clock()
        cluster = embedded(2, clock)
        held = await (await opened(cluster)).map(MapSpec("m"))
        await held.put(A, V1, ttl_ms=10)
        await held.put(B, V1)
        cluster.kill_member("m1")
        assert await held.get(A) == V1
        clock.advance(10)
        assert await held.get(A) is None
        assert await held.get(B) == V1

    async def test_a_long_lived_entry_does_not_hide_the_expiry_of_later_ones(self) -> None:
        clock = Clock()
        held = await new_map(clock)
        await held.put(string_key("long", "p"), V1, ttl_ms=1000)
        await held.put(string_key("short", "p"), V1, ttl_ms=10)
        clock.advance(10)
        await held.put(string_key("next", "p"), V1, ttl_ms=10)
        assert await held.size() == 2
        assert len(await held.query([])) == 2


ATTRIBUTES = st.one_of(
    st.integers(-5, 5),
    st.sampled_from(["", "a", "b", "ä"]),
    st.floats(-5, 5),
    st.booleans(),
    st.none(),
    st.just([1]),
    st.just({"due": 1}),
    st.integers(min_value=2**63),
)
VALUES = st.one_of(
    st.dictionaries(st.sampled_from(["due", "state", "member", "x"]), ATTRIBUTES).map(
        lambda held: json_value(json.dumps(held).encode())
    ),
    st.sampled_from([json_value(b"nonsense"), json_value(b"[1]"), string_key('{"due":1}', "x")]),
)
INDEXED: st.SearchStrategy[str] = st.sampled_from([*INDEXES, "x"])
EQUAL: list[str | int] = ["a", "b", 0, 1, 2**63]
RANGES = st.one_of(
    st.builds(Range, INDEXED, st.integers(-5, 5), st.integers(-5, 5)),
    st.builds(lambda name, value: Range(name, value, value), INDEXED, st.sampled_from(EQUAL)),
)
KEYS = st.integers(0, 11).map(lambda n: string_key(f"k{n}", f"p{n % 3}"))


class TestIndexes:
    @given(
        writes=st.lists(st.tuples(KEYS, st.none() | VALUES), max_size=60),
        ranges=st.lists(RANGES, max_size=3),
        crash=st.booleans(),
    )
    def test_they_agree_with_a_scan(
        self, writes: list[tuple[bytes, bytes | None]], ranges: list[Range], crash: bool
    ) -> None:
        cluster = embedded(2)
        held = cluster.map("m", INDEXES)
        model: dict[bytes, bytes | None] = {}
        for written, value in writes:
            assert held.compare_and_set([(written, model.get(written), value)]) == [True]
            model[written] = value
        if crash:
            cluster.kill_member("m1")
        scan = Query(ranges, {})
        expected = {k: v for k, v in model.items() if v is not None and scan.matches(v)}
        assert dict(held.query(ranges)) == expected
        held.remove_all(ranges)
        assert held.query(ranges) == []
        assert len(held) == sum(v is not None for v in model.values()) - len(expected)

    async def test_a_sorted_index_gives_its_order(self) -> None:
        held = embedded().map("m", {"due": SortedIndex})
        for n in (3, 1, 2, 1):
            held.put(
                string_key(f"k{n}{len(held)}", "p"), json_value(json.dumps({"due": n}).encode())
            )
        rows = held.query([Range("due", 1, 3)])
        assert [json.loads(value[12:])["due"] for _, value in rows] == [1, 1, 2, 3]

    async def test_booleans_are_not_numbers(self) -> None:
        held = await new_map(Clock(), IndexSpec("flag", "HASH"))
        await held.put(A, json_value(b'{"flag":true}'))
        await held.put(B, json_value(b'{"flag":1}'))
        assert await found(held, [Equal("flag", 1)]) == [B]

    async def test_values_that_are_not_json_match_only_the_empty_query(self) -> None:
        held = await new_map(Clock())
        await held.put(A, string_key('{"v":1}', "x"))
        assert await found(held, [Equal("v", 1)]) == []
        assert await found(held, []) == [A]


class TestTakers:
    async def test_they_are_served_in_the_order_they_came(self) -> None:
        queue = await new_queue(embedded())
        taking = [asyncio.ensure_future(queue.take(60)) for _ in range(3)]
        await asyncio.sleep(0)
        await queue.offer_all([A, B])
        await queue.offer_all([C])
        assert await asyncio.gather(*taking) == [A, B, C]

    async def test_a_cancelled_taker_loses_nothing(self) -> None:
        queue = await new_queue(embedded())
        taking = asyncio.ensure_future(queue.take(60))
        await asyncio.sleep(0)
        taking.cancel()
        await queue.offer_all([A, B])
        with pytest.raises(asyncio.CancelledError):
            await taking
        assert await queue.drain(10) == [A, B]

    async def test_a_taker_cancelled_with_its_item_in_hand_gives_it_back(self) -> None:
        queue = await new_queue(embedded())
        taking = asyncio.ensure_future(queue.take(60))
        await asyncio.sleep(0)
        await queue.offer_all([A, B])
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        assert await queue.drain(10) == [A, B]

    async def test_an_item_given_back_goes_to_the_next_taker(self) -> None:
        queue = await new_queue(embedded())
        first, second = (asyncio.ensure_future(queue.take(60)) for _ in range(2))
        await asyncio.sleep(0)
        await queue.offer_all([A])
        first.cancel()
        assert await second == A

    async def test_closing_the_connection_ends_them(self) -> None:
        cluster = embedded()
        grid = await opened(cluster)
        taking = asyncio.ensure_future((await grid.queue(QueueSpec("q", 10))).take(60))
        await asyncio.sleep(0)
        await grid.close()
        with pytest.raises(GridUnavailable):
            await taking
        other = await new_queue(cluster)
        await other.offer_all([A])
        assert await other.take(0) == A

    async def test_destroying_the_queue_ends_them(self) -> None:
        queue = await new_queue(embedded())
        taking = asyncio.ensure_future(queue.take(60))
        await asyncio.sleep(0)
        await queue.destroy()
        with pytest.raises(GridUnavailable):
            await taking

    async def test_losing_the_partition_ends_them(self) -> None:
        cluster = embedded()
        queue = await new_queue(cluster)
        taking = asyncio.ensure_future(queue.take(60))
        await asyncio.sleep(0)
        cluster.kill_member("m1")
        with pytest.raises(GridUnavailable):
            await taking

    async def test_they_wait_on_through_a_crash(self) -> None:
        cluster = embedded(2)
        queue = await new_queue(cluster)
        taking = asyncio.ensure_future(queue.take(60))
        await asyncio.sleep(0)
        cluster.kill_member("m1")
        await queue.offer_all([A])
        assert await taking == A


class TestConnections:
    async def test_a_closed_one_is_unavailable(self) -> None:
        grid = await opened(embedded())
        held = await grid.map(MapSpec("m"))
        queue = await grid.queue(QueueSpec("q", 1))
        await grid.close()
        for call in (
            held.get(A),
            held.compare_and_set([Change(A, None, V1)]),
            held.listen(lambda _: None),
            queue.offer_all([A]),
            queue.take(1),
            grid.map(MapSpec("m")),
        ):
            with pytest.raises(GridUnavailable):
                await call

    async def test_a_closed_one_hears_nothing(self) -> None:
        cluster = embedded()
        ours, theirs = await opened(cluster), await opened(cluster)
        heard: list[EntryEvent] = []
        events: list[EntryEvent] = []
        await (await ours.map(MapSpec("m"))).listen(heard.append)
        held = await theirs.map(MapSpec("m"))
        await held.listen(events.append)
        await held.put(A, V1)
        await ours.close()
        await held.put(B, V1)
        await wait_until(lambda: len(events) == 2)
        assert heard == []

    async def test_it_outlives_the_member_beside_it(self) -> None:
        cluster = embedded(2)
        grid = await opened(cluster, "m1")
        held = await grid.map(MapSpec("m"))
        await held.put(A, V1)
        assert grid.local_member() == "m1"
        cluster.kill_member("m1")
        assert await held.get(A) == V1
        assert grid.local_member() is None

    async def test_a_cluster_without_members_is_unavailable(self) -> None:
        cluster = embedded()
        held = await (await opened(cluster)).map(MapSpec("m"))
        await held.put(A, V1)
        cluster.kill_member("m1")
        with pytest.raises(GridUnavailable):
            await held.get(A)
        with pytest.raises(GridUnavailable):
            await EmbeddedGrid(cluster).open()
        cluster.add_member()
        assert await held.get(A) is None
        await held.put(A, V2)
        assert await found(held, []) == [A]

    async def test_membership_changes_are_heard(self) -> None:
        cluster = embedded()
        grid = await opened(cluster)
        heard: list[int] = []
        cancel = grid.listen_membership(lambda: heard.append(len(grid.members())))
        cluster.add_member()
        await wait_until(lambda: heard == [2])
        cancel()
        cluster.kill_member("m1")
        await asyncio.sleep(0)
        assert heard == [2]

    async def test_members_stand_in_the_order_they_joined(self) -> None:
        cluster = embedded(3)
        cluster.kill_member("m2")
        cluster.add_member()
        members = (await opened(cluster)).members()
        assert [member.uuid for member in members] == ["m1", "m3", "m4"]
        assert [member.address for member in members] == [
            "127.0.0.1:5701",
            "127.0.0.1:5703",
            "127.0.0.1:5704",
        ]


def test_keys_of_every_partition_are_found() -> None:
    held = embedded(3).map("m", {})
    for n in range(1000):
        held.put(key(f"{n}"), V1)
    assert len(held) == len(held.query([])) == 1000
