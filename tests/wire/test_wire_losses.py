"""Partitions that are lost with their members, as clients are told of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hazelcast import HazelcastClient
from hazelcast_member import HazelcastCluster
from wire_clients import Clients, eventually
from wire_losses import Loss, listen

from gridsched.testing import GridServer

MAPS = "".join(
    f'<map name="backups-{count}"><backup-count>{count}</backup-count></map>' for count in range(3)
)
CONFIG = f"<hazelcast>{MAPS}</hazelcast>"


def owned(client: Any) -> Counter[str]:
    service = client.partition_service
    return Counter(str(service.get_partition_owner(n)) for n in range(271))


def is_connected_to(client: Any, members: int) -> bool:
    return len(client._connection_manager.active_connections) == members


class Watch:
    """What two clients hear of lost partitions: one of all members, one of the last alone."""

    def __init__(self, smart: Any, single: Any) -> None:
        for count in range(3):
            smart.get_map(f"backups-{count}").blocking().put("key", "value")
        self.local = listen(smart, local_only=True)
        self.all = listen(single, local_only=False)
        self.of_maps = [
            listen(smart, local_only=True, map_name=f"backups-{count}") for count in range(3)
        ]

    def seen(self) -> list[Counter[int | None]]:
        """How many partitions are lost, by backups lost, as each listener has it."""
        return [Counter(loss.lost_backups for loss in heard) for heard in self._lists()]

    def sources(self) -> set[str]:
        return {loss.source for heard in self._lists() for loss in heard}

    def each_comes_once(self) -> bool:
        return all(len({loss.partition for loss in heard}) == len(heard) for heard in self._lists())

    def _lists(self) -> list[list[Loss]]:
        return [self.local, self.all, *self.of_maps]


def test_the_loss_of_an_owner_is_told(connect: Clients) -> None:
    with GridServer(members=2, config_xml=CONFIG) as server:
        smart = connect(server)
        eventually(lambda: is_connected_to(smart, 2))
        single = connect(server, cluster_members=server.addresses[1:], smart_routing=False)
        watch = Watch(smart, single)
        killed, staying = server.members
        lost = owned(smart)[killed]
        server.kill_member(killed)
        eventually(lambda: watch.seen() == [{0: lost}, {0: lost}, {None: lost}, {}, {}])
        assert watch.sources() == {staying}
        assert watch.each_comes_once()


def test_members_killed_at_once_take_backups_along(connect: Clients) -> None:
    with GridServer(members=3, config_xml=CONFIG) as server:
        smart = connect(server)
        eventually(lambda: is_connected_to(smart, 3))
        single = connect(server, cluster_members=server.addresses[2:], smart_routing=False)
        watch = Watch(smart, single)
        staying = server.members[2]
        lost = 271 - owned(smart)[staying]
        server.kill_member(*server.members[:2])
        eventually(lambda: len(watch.all) == len(watch.of_maps[0]) == lost)
        together = sum(loss.lost_backups == 1 for loss in watch.all)
        by_backups = {0: lost - together, 1: together}
        eventually(lambda: watch.seen()[:2] == [by_backups, by_backups])
        eventually(lambda: len(watch.of_maps[1]) == together)
        assert 0 < together < lost
        assert not watch.of_maps[2]
        assert watch.sources() == {staying}


def test_what_lost_all_its_backups_is_gone_and_its_locks_are(connect: Clients) -> None:
    with GridServer(members=3, config_xml=CONFIG) as server:
        client, holder = connect(server), connect(server)
        eventually(lambda: is_connected_to(client, 3))
        unowned = 271 - owned(client)[server.members[2]]
        keys = range(300)
        maps = [client.get_map(f"backups-{count}").blocking() for count in range(3)]
        for held in maps:
            held.put_all(dict.fromkeys(keys, "value"))
            holder.get_map(held.name).blocking().lock(keys[0])
        lost = [listen(client, local_only=False, map_name=held.name) for held in maps]
        partition_of = client.partition_service.get_partition_id

        def left(losses: list[Loss]) -> set[int]:
            gone = {loss.partition for loss in losses}
            return {key for key in keys if partition_of(key) not in gone}

        server.kill_member(*server.members[:2])
        eventually(lambda: is_connected_to(client, 1))
        eventually(lambda: len(lost[0]) == unowned)
        for held, losses in zip(maps, lost, strict=True):
            eventually(lambda held=held, losses=losses: set(held.key_set()) == left(losses))
            assert held.is_locked(keys[0]) == (keys[0] in left(losses))


def test_a_member_that_leaves_loses_nothing(connect: Clients) -> None:
    with GridServer(members=3, config_xml=CONFIG) as server:
        client = connect(server)
        heard = listen(client, local_only=False)
        server.shutdown_member(server.members[0])
        server.kill_member(server.members[0])
        eventually(lambda: len(heard) > 0)
        assert {loss.source for loss in heard} == set(server.members)


@pytest.mark.java
def test_a_real_member_tells_the_same(java: None, tmp_path: Path, connect: Clients) -> None:
    with HazelcastCluster(tmp_path, 2, extra=MAPS) as cluster:
        real = connected(cluster)
        real_single = connected(cluster, cluster.addresses[1:], smart_routing=False)
        there = losses_of_a_kill(real, real_single, cluster.members[0].kill)
        real.shutdown()
        real_single.shutdown()
    with GridServer(members=2, config_xml=CONFIG) as server:
        ours = connect(server)
        single = connect(server, cluster_members=server.addresses[1:], smart_routing=False)
        here = losses_of_a_kill(ours, single, lambda: server.kill_member(server.members[0]))
    assert here == there


def connected(cluster: HazelcastCluster, addresses: list[str] | None = None, **options: Any) -> Any:
    return HazelcastClient(
        cluster_name=cluster.cluster_name,
        cluster_members=addresses or cluster.addresses,
        **options,
    )


def losses_of_a_kill(smart: Any, single: Any, kill: Callable[[], object]) -> list[Any]:
    """What the listeners hear, without what differs by chance: which partitions, how many."""
    eventually(lambda: is_connected_to(smart, 2))
    watch = Watch(smart, single)
    first, last = (str(member.uuid) for member in smart.cluster_service.get_members())
    eventually(lambda: owned(smart).keys() == {first, last})
    by_member = owned(smart)
    killed, staying = (first, last) if single_is_at(single, last) else (last, first)
    kill()
    complete = by_member[killed]
    eventually(lambda: [sum(seen.values()) for seen in watch.seen()[:3]] == [complete] * 3)
    assert watch.sources() == {staying}
    assert watch.each_comes_once()
    return [{key: count == complete for key, count in seen.items()} for seen in watch.seen()]


def single_is_at(client: Any, uuid: str) -> bool:
    return [str(member) for member in client._connection_manager.active_connections] == [uuid]
