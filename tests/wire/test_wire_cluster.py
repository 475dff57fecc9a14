"""Members that come and go under clients."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hazelcast.errors import HazelcastError
from hazelcast_member import free_port
from wire_clients import PATIENCE, Clients, eventually

from gridsched.testing import GridServer


def members_of(client: Any) -> list[str]:
    return [str(member.uuid) for member in client.cluster_service.get_members()]


def owners(client: Any) -> set[str]:
    service = client.partition_service
    return {str(service.get_partition_owner(n)) for n in range(service.get_partition_count())}


def test_clients_see_the_members_and_their_partitions(connect: Clients) -> None:
    with GridServer(members=3) as server:
        client = connect(server)
        eventually(lambda: members_of(client) == server.members)
        eventually(lambda: owners(client) == set(server.members))


def test_members_that_join_and_leave_are_announced(connect: Clients) -> None:
    with GridServer(members=1) as server:
        client = connect(server)
        seen: list[tuple[str, str]] = []
        client.cluster_service.add_listener(
            lambda member: seen.append(("+", str(member.uuid))),
            lambda member: seen.append(("-", str(member.uuid))),
        )
        joined = server.add_member()
        eventually(lambda: seen == [("+", joined)])
        eventually(lambda: owners(client) == set(server.members))
        server.shutdown_member(joined)
        eventually(lambda: seen == [("+", joined), ("-", joined)])
        assert len(server.addresses) == 1


def test_nothing_that_had_a_backup_is_lost(connect: Clients) -> None:
    with GridServer(members=3) as server:
        client = connect(server)
        held, items = client.get_map("m").blocking(), client.get_list("l").blocking()
        queue = client.get_queue("q").blocking()
        held.put_all({n: f"v{n}" for n in range(500)})
        items.add_all([1, 2, 3])
        queue.add_all([4, 5])
        server.kill_member(server.members[0])
        server.kill_member(server.members[0])
        eventually(lambda: held.size() == 500)
        assert held.get_all(list(range(500))) == {n: f"v{n}" for n in range(500)}
        assert items.get_all() == [1, 2, 3]
        assert queue.poll() == 4


@pytest.mark.parametrize("smart", [True, False])
def test_listeners_are_kept_through_a_failover(connect: Clients, smart: bool) -> None:
    with GridServer(members=2) as server:
        listening, writing = connect(server, smart_routing=smart), connect(server)
        heard: list[int] = []
        listening.get_map("m").blocking().add_entry_listener(
            include_value=True, added_func=lambda event: heard.append(event.key)
        )
        held = writing.get_map("m").blocking()
        server.kill_member(server.members[0])
        keys = iter(range(10**6))

        def hears_again() -> bool:
            with suppress(HazelcastError):  # the client repeats no put whose member is gone
                held.put(next(keys), "x")
            return bool(heard)

        eventually(hears_again)


def test_an_item_for_a_killed_member_stays_in_the_queue(connect: Clients) -> None:
    with GridServer(members=2) as server:
        client = connect(server, smart_routing=False, cluster_members=server.addresses[:1])
        waiting = client.get_queue("q").poll(30)
        eventually(lambda: client.get_map("m").blocking().size() == 0)
        server.kill_member(server.members[0])
        other = connect(server).get_queue("q").blocking()
        other.offer("item")
        assert other.poll(PATIENCE) == "item"
        with pytest.raises(HazelcastError):
            waiting.result()


def test_each_event_comes_once(connect: Clients) -> None:
    with GridServer(members=3) as server:
        client = connect(server)
        held = client.get_map("m").blocking()
        heard: list[int] = []
        held.add_entry_listener(added_func=lambda event: heard.append(event.key))
        eventually(lambda: len(client._connection_manager.active_connections) == 3)
        for key in range(100):
            held.put(key, key)
        eventually(lambda: len(heard) >= 100)
        assert sorted(heard) == list(range(100))


def test_a_grid_starts_again_at_the_same_port(connect: Clients) -> None:
    server = GridServer(members=2, port=free_port(2))
    server.start()
    addresses = server.addresses
    client = connect(server)
    client.get_map("m").blocking().put(1, 1)
    server.stop()
    server.stop()
    with pytest.raises(RuntimeError):
        _ = server.members
    server.start()
    assert server.addresses == addresses
    eventually(lambda: members_of(client) == server.members)
    assert client.get_map("m").blocking().size() == 0
    server.stop()


def test_a_member_may_come_back_at_its_port(connect: Clients) -> None:
    port = free_port(2)
    with GridServer(members=2, port=port) as server:
        client = connect(server)
        server.kill_member(server.members[1])
        uuid = server.add_member(port + 1)
        eventually(lambda: uuid in members_of(client))
        assert server.addresses[1].endswith(f":{port + 1}")


def test_another_cluster_name_is_refused(server: GridServer, connect: Clients) -> None:
    with pytest.raises(HazelcastError):
        connect(server, cluster_name="another", cluster_connect_timeout=0.1)


def test_backups_are_acknowledged(connect: Clients) -> None:
    with GridServer(members=3) as server:
        client = connect(server, backup_ack_to_client_enabled=True)
        eventually(lambda: len(client._connection_manager.active_connections) == 3)
        held = client.get_map("m").blocking()
        for key in range(200):
            held.put(key, key)
        assert held.size() == 200
        eventually(lambda: not client._invocation_service._pending)


def test_with_the_last_member_goes_all(connect: Clients) -> None:
    port = free_port()
    with GridServer(members=1, port=port) as server:
        first = connect(server)
        first.get_map("m").blocking().put(1, 1)
        first.shutdown()
        server.kill_member(server.members[0])
        server.add_member(port)
        second = connect(server)
        assert second.get_distributed_objects() == []
        assert second.get_map("m").blocking().size() == 0


def test_distributed_objects_come_and_go(server: GridServer, client: Any, name: str) -> None:
    seen: list[tuple[str, str]] = []
    client.add_distributed_object_listener(
        lambda event: seen.append((event.name, event.event_type))
    ).result()
    held = client.get_map(name)
    held.put(1, 1).result()
    assert name in [found.name for found in client.get_distributed_objects()]
    held.destroy()
    eventually(lambda: seen == [(name, "CREATED"), (name, "DESTROYED")])
    assert name not in [found.name for found in client.get_distributed_objects()]
    assert client.get_map(name).blocking().size() == 0
