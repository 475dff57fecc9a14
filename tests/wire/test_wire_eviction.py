"""Maps of a bounded size, as clients see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hazelcast import HazelcastClient
from hazelcast.predicate import true
from hazelcast_member import HazelcastCluster
from wire_clients import Clients, eventually

from gridsched.clock import SystemClock
from gridsched.testing import GridServer

PARTITIONS = 271
POLICIES = ("LRU", "LFU", "RANDOM", "NONE")


def section(name: str, size: int, bound: str, policy: str) -> str:
    return (
        f'<map name="{name}">'
        f'<eviction size="{size}" max-size-policy="{bound}" eviction-policy="{policy}"/></map>'
    )


MAPS = (
    "".join(section(policy, 3, "PER_PARTITION", policy) for policy in POLICIES)
    + section("node", 2 * PARTITIONS, "PER_NODE", "LRU")
    + section("tiny", 10, "PER_NODE", "LRU")
    + section("zero", 0, "PER_NODE", "LRU")
    + '<map name="size-alone"><eviction size="1"/></map>'
)
CONFIG = f"<hazelcast>{MAPS}</hazelcast>"


@pytest.fixture(scope="module")
def server() -> Iterator[GridServer]:
    with GridServer(members=1, config_xml=CONFIG) as server:
        yield server


class OnePartition:
    """A map of the client, with keys k0, k1 … in one partition, and what its listener heard."""

    def __init__(self, client: Any, name: str) -> None:
        partition_of = client.partition_service.get_partition_id
        numbers = (n for n in range(100_000) if partition_of(n) == partition_of("here"))
        self._keys = [next(numbers) for _ in range(20)]
        self._names = {key: f"k{place}" for place, key in enumerate(self._keys)}
        self.map = client.get_map(name).blocking()
        self.map.clear()
        self.heard: list[tuple[str, str, Any, Any]] = []
        self.map.add_entry_listener(
            include_value=True,
            added_func=lambda event: self._hear("added", event),
            updated_func=lambda event: self._hear("updated", event),
            evicted_func=lambda event: self._hear("evicted", event),
            removed_func=lambda event: self._hear("removed", event),
        )

    def put(self, *places: int) -> None:
        for place in places:
            self.map.put(self._keys[place], place)

    def key(self, place: int) -> int:
        return self._keys[place]

    def held(self) -> set[str]:
        return {self._names[key] for key in self.map.key_set()}

    def evicted(self) -> list[str]:
        return [key for kind, key, *_ in self.heard if kind == "evicted"]

    def _hear(self, kind: str, event: Any) -> None:
        self.heard.append((kind, self._names[event.key], event.value, event.old_value))


def the_clock_moves_on() -> None:
    """A member counts accesses in whole seconds."""
    next_second = SystemClock().now() // 1000 + 1
    eventually(lambda: SystemClock().now() // 1000 >= next_second)


def least_recently_used(client: Any) -> list[Any]:
    one = OnePartition(client, "LRU")
    one.put(0)
    the_clock_moves_on()
    one.put(1, 2)
    the_clock_moves_on()
    one.map.get(one.key(0))
    one.map.get_entry_view(one.key(1))
    one.map.contains_key(one.key(2))
    one.put(3)
    eventually(lambda: len(one.heard) == 5)
    view = one.map.get_entry_view(one.key(0))
    return [one.heard, one.held(), view.hits, view.last_access_time > 0]


def least_often_used(client: Any) -> list[Any]:
    one = OnePartition(client, "LFU")
    one.put(0, 1, 2)
    hits = [hits_of_each_use(one)]
    one.put(1)
    one.put(3, 4)
    eventually(lambda: len(one.evicted()) == 2)
    view = one.map.get_entry_view(one.key(1))
    return [hits, one.evicted(), one.held(), view.last_access_time]


def hits_of_each_use(one: OnePartition) -> list[int]:
    key = one.key(0)
    uses: list[Callable[[], object]] = [
        lambda: one.map.get(key),
        lambda: one.map.get_all([key]),
        lambda: one.map.contains_key(key),
        lambda: one.map.put(key, "a"),
        lambda: one.map.set(key, "b"),
        lambda: one.map.put_if_absent(key, "c"),
        lambda: one.map.replace(key, "d"),
        lambda: one.map.replace_if_same(key, "d", "e"),
        lambda: one.map.get_entry_view(key),
        one.map.values,
        lambda: one.map.key_set(true()),
    ]
    hits = []
    for use in uses:
        use()
        hits.append(one.map.get_entry_view(key).hits)
    return hits


def any_at_all(client: Any) -> list[Any]:
    one = OnePartition(client, "RANDOM")
    one.put(*range(10))
    eventually(lambda: len(one.evicted()) == 7)
    kept = {"k9"} <= one.held()
    view = one.map.get_entry_view(one.key(9))
    return [len(one.held()), kept, view.hits, view.last_access_time]


def entries_put_together(client: Any) -> list[Any]:
    one = OnePartition(client, "LFU")
    one.map.put_all({one.key(place): place for place in range(10)})
    eventually(lambda: len(one.heard) == 17)
    return [one.map.size(), len(one.evicted())]


def locked_ones_stay(client: Any) -> list[Any]:
    one = OnePartition(client, "LFU")
    one.put(0, 1, 2)
    for place in (1, 2):
        one.map.get(one.key(place))
    one.map.lock(one.key(0))
    one.put(3)
    held = [one.held()]
    one.map.unlock(one.key(0))
    one.map.get(one.key(3))
    one.put(4)
    eventually(lambda: bool(one.evicted()))
    return [*held, one.evicted(), one.held()]


def sizes(client: Any) -> list[int]:
    found = []
    for name in ("NONE", "node", "tiny", "zero", "size-alone"):
        held = client.get_map(name).blocking()
        held.put_all(dict.fromkeys(range(5000), 0))
        found.append(held.size())
    return found


SCENARIOS = [
    least_recently_used,
    least_often_used,
    any_at_all,
    entries_put_together,
    locked_ones_stay,
    sizes,
]


def test_the_least_recently_used_goes(client: Any) -> None:
    events, held, hits, is_kept = least_recently_used(client)
    assert events == [
        ("added", "k0", 0, None),
        ("added", "k1", 1, None),
        ("added", "k2", 2, None),
        ("added", "k3", 3, None),
        ("evicted", "k1", None, 1),
    ]
    assert held == {"k0", "k2", "k3"}
    assert (hits, is_kept) == (-1, True)


def test_the_least_often_used_goes(client: Any) -> None:
    hits, evicted, held, accessed_at = least_often_used(client)
    assert hits == [[1, 2, 3, 4, 5, 6, 8, 10, 10, 10, 10]]
    assert evicted == ["k2", "k3"]
    assert held == {"k0", "k1", "k4"}
    assert accessed_at == -1


def test_any_goes_but_the_new_one(client: Any) -> None:
    assert any_at_all(client) == [3, True, -1, -1]


def test_each_entry_put_evicts_one(client: Any) -> None:
    assert entries_put_together(client) == [3, 7]


def test_a_locked_victim_stays(client: Any) -> None:
    held, evicted, left = locked_ones_stay(client)
    assert held == {"k0", "k1", "k2", "k3"}
    assert evicted == ["k0"]
    assert left == {"k1", "k2", "k3", "k4"}


def test_a_partition_holds_its_share_of_the_members(client: Any) -> None:
    unbounded, node, tiny, zero, size_alone = sizes(client)
    assert (unbounded, zero, size_alone) == (5000, 5000, 5000)
    assert node == 2 * PARTITIONS
    assert tiny == PARTITIONS


def test_more_members_hold_more(connect: Clients) -> None:
    with GridServer(members=2, config_xml=CONFIG) as server:
        held = connect(server).get_map("node").blocking()
        held.put_all(dict.fromkeys(range(5000), 0))
        assert held.size() == 4 * PARTITIONS
        server.kill_member(server.members[0])
        assert held.size() == 4 * PARTITIONS
        held.put_all(dict.fromkeys(range(10_000), 0))
        assert held.size() <= 4 * PARTITIONS


def test_backups_are_evicted_with_their_primaries(connect: Clients) -> None:
    with GridServer(members=2, config_xml=CONFIG) as server:
        client = connect(server)
        one = OnePartition(client, "LFU")
        one.put(0, 1, 2)
        one.map.get(one.key(0))
        one.put(3, 4)
        before = one.held()
        for _ in range(2):
            server.add_member()
            server.kill_member(server.members[0])
            assert one.held() == before
        one.put(5)
        assert len(one.held()) == 3


@pytest.mark.java
def test_a_real_member_does_the_same(
    java: None, tmp_path: Path, connect: Clients, client: Any
) -> None:
    with HazelcastCluster(tmp_path, extra=MAPS) as cluster:
        real = HazelcastClient(cluster_name=cluster.cluster_name, cluster_members=cluster.addresses)
        there = [scenario(real) for scenario in SCENARIOS]
        real.shutdown()
    here = [scenario(client) for scenario in SCENARIOS]
    for recently, often, *_ in (here, there):
        # A real member tells the events of one key in their order, those of several in any.
        recently[0].sort(key=by_key)
        often[1].sort()
    assert here == there


def by_key(event: tuple[str, str, Any, Any]) -> str:
    return event[1]
