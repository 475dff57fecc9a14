"""What a client of a real cluster meets beside what every grid does: dead, wrong, hung and
returning members.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conformance import APPLIED, PATIENCE, UNHURRIED, V1, V2, A, B, key, value, wait_until
from hazelcast_member import HazelcastCluster, free_port

from gridsched.errors import GridRefused, GridUnavailable
from gridsched.grid.hazelcast import HazelcastGrid
from gridsched.grid.hazelcast.maps import HazelcastMap
from gridsched.grid.port import (
    Change,
    EntryEvent,
    EntryKind,
    IndexSpec,
    MapSpec,
    Outcome,
    QueueSpec,
)

SOON = PATIENCE / 2
"""Within so many seconds ends what would else take `PATIENCE`, or for ever."""
HURRY = 3.0
"""The call timeout of a client whose member hangs."""
TOO_FEW = """
<split-brain-protection name="two" enabled="true">
  <minimum-cluster-size>2</minimum-cluster-size>
</split-brain-protection>
<map name="protected"><split-brain-protection-ref>two</split-brain-protection-ref></map>
"""


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """The client logs a traceback for each connection that fails, as these are meant to."""
    caplog.set_level(logging.CRITICAL, logger="hazelcast")


@pytest.fixture
def cluster(java: None, tmp_path: Path) -> Iterator[HazelcastCluster]:
    """One member, the test's own to ill-treat."""
    with HazelcastCluster(tmp_path, cluster_name="own", extra=TOO_FEW) as cluster:
        yield cluster


@pytest.fixture
def pair(java: None, tmp_path: Path) -> Iterator[HazelcastCluster]:
    with HazelcastCluster(tmp_path, size=2, cluster_name="own") as cluster:
        yield cluster


@asynccontextmanager
async def connected(
    cluster: HazelcastCluster, call_timeout: float = PATIENCE
) -> AsyncIterator[HazelcastGrid]:
    options = UNHURRIED | {"call_timeout": call_timeout}
    grid = HazelcastGrid(cluster.addresses, cluster.cluster_name, **options)
    await grid.open()
    try:
        yield grid
    finally:
        await grid.close()


async def answers(grid: HazelcastGrid, name: str) -> bool:
    try:
        await (await grid.map(MapSpec(name))).size()
    except GridUnavailable:
        return False
    return True


async def test_nothing_listens() -> None:
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    grid = HazelcastGrid(addresses, "own", **UNHURRIED)
    with pytest.raises(GridUnavailable, match=" ".join(f"{a}[, ]*" for a in addresses)):
        async with asyncio.timeout(SOON):
            await grid.open()
    assert grid.members() == ()
    assert set(grid.partition_owners()) == {None}
    with pytest.raises(GridUnavailable, match="not open"):
        await grid.map(MapSpec("any"))
    await grid.close()


async def test_a_server_that_never_answers() -> None:
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    grid = HazelcastGrid([f"127.0.0.1:{port}"], "own", connect_timeout=0.2)
    with pytest.raises(GridUnavailable, match=str(port)):
        async with asyncio.timeout(SOON):
            await grid.open()
    server.close()


@pytest.mark.java
async def test_wrong_cluster_name(hazelcast_member: HazelcastCluster) -> None:
    grid = HazelcastGrid(hazelcast_member.addresses, "another", **UNHURRIED)
    with pytest.raises(GridRefused, match=r"'another'.*[Cc]luster name"):
        await grid.open()


@pytest.mark.java
async def test_a_later_address_answers(hazelcast_member: HazelcastCluster, name: str) -> None:
    addresses = [f"127.0.0.1:{free_port()}", *hazelcast_member.addresses]
    grid = HazelcastGrid(
        addresses, hazelcast_member.cluster_name, client_name="second", **UNHURRIED
    )
    await grid.open()
    assert await answers(grid, name)
    assert [member.address for member in grid.members()] == hazelcast_member.addresses
    await grid.close()


@pytest.mark.java
async def test_a_queue_without_a_bound_shows_it(
    hazelcast_member: HazelcastCluster, name: str
) -> None:
    async with connected(hazelcast_member) as grid:
        queue = await grid.queue(QueueSpec(name, 10))
        assert await queue.remaining_capacity() > 2**30


@pytest.mark.java
async def test_many_more_changes_than_fit_in_flight(
    hazelcast_member: HazelcastCluster, name: str
) -> None:
    async with connected(hazelcast_member) as grid:
        held = await grid.map(MapSpec(name))
        made = [Change(key(f"k{n}"), None, V1) for n in range(2000)]
        outcomes = await asyncio.gather(*(held.compare_and_set(made[n::5]) for n in range(5)))
        assert [set(some) for some in outcomes] == [{APPLIED}] * 5
        assert await held.size() == 2000


@pytest.mark.java
async def test_a_failing_listener_costs_nothing(
    hazelcast_member: HazelcastCluster, name: str
) -> None:
    def fail(_event: EntryEvent) -> None:
        raise ValueError("a listener's own error")

    async with connected(hazelcast_member) as grid:
        held = await grid.map(MapSpec(name))
        heard: list[EntryEvent] = []
        await held.listen(fail)
        await held.listen(heard.append)
        await held.put(A, V1)
        await held.put(A, V2)
        await wait_until(lambda: len(heard) == 2)


@pytest.mark.java
async def test_split_brain_protection(cluster: HazelcastCluster) -> None:
    async with connected(cluster) as grid:
        held = await grid.map(MapSpec("protected"))
        with pytest.raises(GridUnavailable, match="too few members"):
            await held.put(A, V1)
        with pytest.raises(GridUnavailable, match="too few members"):
            await held.compare_and_set([Change(A, None, V1), Change(B, None, V1)])


@pytest.mark.java
async def test_the_grid_goes_away_and_comes_back(cluster: HazelcastCluster) -> None:
    async with connected(cluster) as grid:
        held = await grid.map(MapSpec("away"))
        heard: list[EntryEvent] = []
        changes: list[int] = []
        await held.listen(heard.append)
        grid.listen_membership(lambda: changes.append(len(grid.members())))
        await held.put(A, V1)

        cluster.members[0].kill()
        await wait_until(lambda: grid.members() == ())
        assert set(grid.partition_owners()) == {None}
        assert changes[-1] == 0
        async with asyncio.timeout(SOON):
            with pytest.raises(GridUnavailable):
                await held.get(A)
            with pytest.raises(GridUnavailable):
                await held.compare_and_set([Change(A, V1, V2)])

        await asyncio.to_thread(cluster.restart, 0)
        await wait_until(lambda: answers(grid, "away"))
        assert await held.get(A) is None
        heard.clear()

        async def heard_again() -> bool:
            await held.put(B, V1)
            return bool(heard)

        await wait_until(heard_again)
        assert heard[0].key == B
        assert await held.replace_if_same(B, V1, V2)
        await wait_until(lambda: None not in grid.partition_owners())
        assert changes[-1] == 1


@pytest.mark.java
async def test_indexes_are_made_again_when_the_grid_is_back(
    cluster: HazelcastCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexes = (IndexSpec("due", "SORTED"), IndexSpec("state", "HASH"))
    made: list[IndexSpec] = []
    ensure = HazelcastMap.ensure_index

    async def ensured(held: HazelcastMap, index: IndexSpec) -> None:
        await ensure(held, index)
        made.append(index)

    monkeypatch.setattr(HazelcastMap, "ensure_index", ensured)
    async with connected(cluster) as grid:
        await grid.map(MapSpec("indexed", indexes))
        assert made == list(indexes)
        cluster.members[0].kill()
        await asyncio.to_thread(cluster.restart, 0)
        await wait_until(lambda: made == [*indexes, *indexes])


@pytest.mark.java
async def test_a_hung_member_fails_calls_in_time(cluster: HazelcastCluster) -> None:
    async with connected(cluster, call_timeout=HURRY) as grid:
        held = await grid.map(MapSpec("hung"))
        await held.put(A, V1)
        cluster.members[0].freeze()
        try:
            async with asyncio.timeout(SOON):
                with pytest.raises(GridUnavailable, match="no answer"):
                    await held.get(A)
                outcomes = await held.compare_and_set([Change(A, V1, V2)] * 200)
        finally:
            cluster.members[0].thaw()
        assert set(outcomes) == {Outcome.UNKNOWN}
        await wait_until(lambda: answers(grid, "hung"))
        assert await held.apply([Change(A, V1, V2)]) in ([True], [False])
        assert await held.get(A) == V2


@pytest.mark.java
async def test_a_killed_member_loses_nothing(pair: HazelcastCluster) -> None:
    async with connected(pair) as grid:
        held = await grid.map(MapSpec("kept"))
        old = {key(f"k{n}"): value(n=n, by="old") for n in range(20_000)}
        await held.put_all(old)
        await wait_until(lambda: len(set(grid.partition_owners()) - {None}) == 2)

        made = [Change(k, was, value(n=n, by="new")) for n, (k, was) in enumerate(old.items())]
        applying = asyncio.ensure_future(held.apply(made))
        await asyncio.sleep(0)
        await asyncio.to_thread(pair.members[1].kill)
        assert all(await applying)
        assert await held.get_all(old) == {change.key: change.new for change in made}
        await wait_until(lambda: len(grid.members()) == 1)
        await wait_until(lambda: set(grid.partition_owners()) == {grid.members()[0].uuid})


@pytest.mark.java
async def test_members_and_owners_are_told_as_they_change(pair: HazelcastCluster) -> None:
    async with connected(pair) as grid:
        await (await grid.map(MapSpec("told"))).put(A, V1)
        told: list[tuple[int, int]] = []

        def tell() -> None:
            owners = set(grid.partition_owners()) - {None}
            told.append((len(grid.members()), len(owners)))

        await wait_until(lambda: len(set(grid.partition_owners()) - {None}) == 2)
        grid.listen_membership(tell)
        pair.members[1].kill()
        await wait_until(lambda: told[-1:] == [(1, 1)])
        await asyncio.to_thread(pair.restart, 1)
        await wait_until(lambda: told[-1:] == [(2, 2)])


@pytest.mark.java
async def test_an_expired_entry_is_a_removed_one(
    hazelcast_member: HazelcastCluster, name: str
) -> None:
    async with connected(hazelcast_member) as grid:
        held = await grid.map(MapSpec(name))
        heard: list[EntryEvent] = []
        await held.listen(heard.append)
        await held.put(A, V1, ttl_ms=1000)

        async def expired() -> bool:
            return await held.get(A) is None and len(heard) == 2

        await wait_until(expired)
        assert heard[1] == EntryEvent(EntryKind.REMOVED, A, None)
