"""What the differential test cannot compare: time, waiting, locks of others, several members."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hazelcast import predicate
from hazelcast.errors import DistributedObjectDestroyedError, StaleSequenceError
from wire_clients import PATIENCE, Clients, eventually

from gridsched.testing import GridServer

RINGS = (
    '<hazelcast><ringbuffer name="small*"><capacity>3</capacity></ringbuffer>'
    '<map name="brief*"><time-to-live-seconds>1</time-to-live-seconds></map>'
    '<queue name="two*"><max-size>2</max-size></queue></hazelcast>'
)


def in_background(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run something on a thread of its own; its result is in the list when the thread ends."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


@pytest.fixture(scope="module")
def configured() -> Any:
    with GridServer(config_xml=RINGS) as server:
        yield server


def test_entries_expire_and_are_told_of(client: Any, name: str) -> None:
    held = client.get_map(name).blocking()
    expired: list[str] = []
    held.add_entry_listener(expired_func=lambda event: expired.append(event.key))
    held.put("ttl", 1, ttl=0.3)
    held.put("idle", 1, max_idle=0.3)
    held.put("stays", 1)
    held.put("given", 1)
    held.set_ttl("given", 0.3)
    eventually(lambda: held.size() == 1)
    eventually(lambda: sorted(expired) == ["given", "idle", "ttl"])


class StandingClock:
    """A grid's clock, which the test moves on."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def now(self) -> int:
        return self.ms


def test_an_idle_entry_lives_while_it_is_used(
    connect: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = StandingClock()
    monkeypatch.setattr("gridsched.testing.server.SystemClock", lambda: clock)
    with GridServer() as server:
        held = connect(server).get_map("idle").blocking()
        held.put("used", 1, max_idle=0.6)
        held.put("not", 1, max_idle=0.6)
        for _ in range(3):
            clock.ms += 400
            assert held.get("used") == 1
        assert held.key_set() == ["used"]
        assert held.get_entry_view("used").max_idle == 600


def test_a_map_has_its_own_time_to_live(configured: GridServer, connect: Clients) -> None:
    held = connect(configured).get_map("brief-lives").blocking()
    held.put("k", 1)
    held.put("longer", 1, ttl=60)
    eventually(lambda: held.size() == 1)
    assert held.contains_key("longer")


def test_entry_views_have_expiry_and_version(client: Any, name: str) -> None:
    held = client.get_map(name).blocking()
    assert held.get_entry_view("k") is None
    held.put("k", 1)
    held.put("k", 2, ttl=60)
    view = held.get_entry_view("k")
    assert (view.key, view.value, view.version, view.ttl) == ("k", 2, 1, 60_000)
    assert view.expiration_time == view.last_update_time + 60_000


def test_others_wait_for_a_lock(server: GridServer, connect: Clients, name: str) -> None:
    ours, theirs = (connect(server).get_map(name).blocking() for _ in range(2))
    ours.lock("k")
    assert theirs.is_locked("k")
    assert not theirs.try_lock("k", timeout=0.05)
    assert not theirs.try_put("k", 1, timeout=0.05)
    thread, results = in_background(lambda: theirs.put("k", "theirs"))
    ours.put("k", "ours")
    ours.unlock("k")
    thread.join()
    assert results == ["ours"]
    assert ours.get("k") == "theirs"


def test_a_lease_ends_a_lock(server: GridServer, connect: Clients, name: str) -> None:
    ours, theirs = (connect(server).get_map(name).blocking() for _ in range(2))
    ours.lock("k", lease_time=0.2)
    theirs.lock("k")
    assert theirs.is_locked("k")
    theirs.unlock("k")


def test_a_destroyed_map_keeps_neither_entries_nor_locks(client: Any, name: str) -> None:
    held = client.get_map(name).blocking()
    held.put("k", 1)
    held.lock("k")
    held.destroy()
    again = client.get_map(name).blocking()
    assert again.size() == 0
    assert not again.is_locked("k")


def test_a_client_that_leaves_leaves_no_lock(server: GridServer, connect: Clients) -> None:
    leaving, staying = connect(server), connect(server).get_map("left").blocking()
    leaving.get_map("left").blocking().lock("k")
    leaving.shutdown()
    assert staying.try_lock("k", timeout=PATIENCE)
    staying.unlock("k")


def test_a_poll_waits_for_an_item(server: GridServer, connect: Clients, name: str) -> None:
    ours, theirs = (connect(server).get_queue(name).blocking() for _ in range(2))
    thread, results = in_background(lambda: ours.poll(PATIENCE))
    taking, taken = in_background(ours.take)
    theirs.add_all(["a", "b"])
    thread.join()
    taking.join()
    assert sorted(results + taken) == ["a", "b"]
    assert ours.poll(0.05) is None


def test_what_a_dead_client_took_stays(server: GridServer, connect: Clients, name: str) -> None:
    leaving, other = connect(server), connect(server)
    staying = other.get_queue(name).blocking()
    leaving.get_map(name).blocking().lock("until it is gone")
    queue = leaving.get_queue(name)
    queue.poll(30)
    assert queue.size().result() == 0
    leaving.shutdown()
    assert other.get_map(name).blocking().try_lock("until it is gone", timeout=PATIENCE)
    staying.offer("item")
    eventually(lambda: staying.poll() == "item")


def test_an_offer_waits_for_room(configured: GridServer, connect: Clients) -> None:
    queue = connect(configured).get_queue("two-items").blocking()
    assert [queue.offer(n) for n in range(3)] == [True, True, False]
    assert not queue.offer(3, timeout=0.05)
    thread, results = in_background(lambda: queue.put(4))
    assert queue.poll() == 0
    thread.join()
    assert results == [None]
    assert queue.remaining_capacity() == 0


def test_waiters_hear_that_a_queue_is_gone(client: Any, name: str) -> None:
    queue = client.get_queue(name)
    waiting = queue.take()
    assert queue.size().result() == 0
    queue.destroy()
    with pytest.raises(DistributedObjectDestroyedError):
        waiting.result()


def test_item_listeners(client: Any, name: str) -> None:
    for held in (client.get_queue(name), client.get_list(name), client.get_set(name)):
        seen: list[Any] = []
        held.add_listener(
            include_value=True,
            item_added_func=lambda event, seen=seen: seen.append(("+", event.item)),
            item_removed_func=lambda event, seen=seen: seen.append(("-", event.item)),
        ).result()
        held.add("x").result()
        held.remove("x").result()
        eventually(lambda seen=seen: seen == [("+", "x"), ("-", "x")])


def test_topics_reach_every_listener_once(server: GridServer, connect: Clients, name: str) -> None:
    heard: list[Any] = []
    for _ in range(2):
        connect(server).get_topic(name).blocking().add_listener(
            lambda message: heard.append(message.message)
        )
    topic = connect(server).get_topic(name).blocking()
    topic.publish("a")
    topic.publish_all(["b", "c"])
    eventually(lambda: len(heard) >= 6)
    assert sorted(heard) == ["a", "a", "b", "b", "c", "c"]


def test_reliable_topics(server: GridServer, connect: Clients, name: str) -> None:
    heard: list[Any] = []
    topic = connect(server).get_reliable_topic(name).blocking()
    topic.add_listener(lambda message: heard.append(message.message))
    topic.publish_all([1, 2, 3])
    eventually(lambda: heard == [1, 2, 3])


def test_a_ringbuffer_forgets_the_oldest(configured: GridServer, connect: Clients) -> None:
    ring = connect(configured).get_ringbuffer("small").blocking()
    for n in range(5):
        ring.add(n)
    assert (ring.head_sequence(), ring.tail_sequence(), ring.size()) == (2, 4, 3)
    with pytest.raises(StaleSequenceError):
        ring.read_one(0)
    assert list(ring.read_many(0, 1, 3)) == [2, 3, 4]
    thread, results = in_background(lambda: list(ring.read_many(5, 2, 3)))
    ring.add(5)
    ring.add(6)
    thread.join()
    assert results == [[5, 6]]


def test_replicated_entries_expire(client: Any, name: str) -> None:
    held = client.get_replicated_map(name).blocking()
    evicted: list[Any] = []
    held.add_entry_listener(evicted_func=lambda event: evicted.append(event.key))
    held.put("k", 1, ttl=0.2)
    eventually(lambda: evicted == ["k"])
    assert held.get("k") is None


def test_flake_ids_differ(server: GridServer, connect: Clients, name: str) -> None:
    makers = [connect(server).get_flake_id_generator(name).blocking() for _ in range(2)]
    ids = [maker.new_id() for maker in makers for _ in range(300)]
    assert len(set(ids)) == 600


def test_a_counter_counts_for_all(server: GridServer, connect: Clients, name: str) -> None:
    one, other = (connect(server).get_pn_counter(name).blocking() for _ in range(2))
    assert one.add_and_get(5) == 5
    assert other.get_and_subtract(2) == 5
    assert one.get() == 3


def test_listeners_of_one_key_and_a_predicate(client: Any, name: str) -> None:
    held = client.get_map(name).blocking()
    heard: list[Any] = []
    held.add_entry_listener(
        key="k",
        predicate=predicate.greater("this", 1),
        include_value=True,
        added_func=lambda event: heard.append(event.value),
        updated_func=lambda event: heard.append(event.value),
        removed_func=lambda event: heard.append(event.old_value),
    )
    for key, value in [("k", 1), ("other", 5), ("k", 2)]:
        held.put(key, value)
    held.remove("k")
    eventually(lambda: heard == [2, 2])
