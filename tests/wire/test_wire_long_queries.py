"""Queries that take long: they are answered all the same, and others are meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from hazelcast import predicate
from hazelcast.aggregator import count, long_sum
from hazelcast.core import HazelcastJsonValue
from hazelcast.errors import HazelcastError
from hazelcast.projection import single_attribute
from wire_clients import PATIENCE, Clients

from gridsched.grid.wire.operations import map_queries, turns
from gridsched.grid.wire.query.plan import Row, select
from gridsched.testing import GridServer

ENTRIES = 500
EVEN = predicate.sql("even = true")


@pytest.fixture
def numbers(client: Any, name: str) -> Any:
    held = client.get_map(name).blocking()
    held.put_all({n: HazelcastJsonValue({"n": n, "even": n % 2 == 0}) for n in range(ENTRIES)})
    return held


@pytest.fixture
def every_query_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN", -1.0)


@pytest.mark.usefixtures("every_query_is_long")
def test_long_queries_are_answered(numbers: Any) -> None:
    even = range(0, ENTRIES, 2)
    assert sorted(numbers.key_set(EVEN)) == list(even)
    assert len(numbers.values(EVEN)) == len(even)
    assert {key for key, _ in numbers.entry_set(EVEN)} == set(even)
    assert len(numbers.key_set()) == ENTRIES
    assert numbers.aggregate(count("n"), EVEN) == len(even)
    assert numbers.aggregate(long_sum("n")) == sum(range(ENTRIES))
    assert sorted(numbers.project(single_attribute("n"), EVEN)) == list(even)
    assert sorted(numbers.key_set(predicate.paging(EVEN, 3))) == [0, 2, 4]


@pytest.mark.usefixtures("every_query_is_long")
def test_long_queries_fail_as_others_do(numbers: Any) -> None:
    numbers.put("text", HazelcastJsonValue({"n": "text"}))
    with pytest.raises(HazelcastError, match="more than a text"):
        numbers.key_set(predicate.greater("n", "more than a text"))


@pytest.mark.usefixtures("every_query_is_long")
def test_what_matches_is_removed(numbers: Any) -> None:
    numbers.remove_all(EVEN)
    assert sorted(numbers.key_set()) == list(range(1, ENTRIES, 2))


@pytest.mark.usefixtures("every_query_is_long")
def test_many_at_once_are_all_answered(numbers: Any) -> None:
    answers: list[Future[Any]] = [numbers._wrapped.key_set(EVEN) for _ in range(20)]
    assert {len(answer.result()) for answer in answers} == {ENTRIES // 2}


def test_others_are_answered_meanwhile(connect: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = 0
    answered_by_its_end = []

    def unending(*args: Any) -> Iterator[list[Row]]:
        """It lasts until others are answered, however long that takes."""
        yield from select(*args)
        give_up_at = time.perf_counter() + PATIENCE
        while answered <= 5 and time.perf_counter() < give_up_at:
            yield []
        answered_by_its_end.append(answered)

    monkeypatch.setattr(map_queries, "select", unending)
    with GridServer(members=1) as server:
        asking, other = connect(server), connect(server).get_map("other").blocking()
        held = asking.get_map("m").blocking()
        held.put_all({n: HazelcastJsonValue({"even": n % 2 == 0}) for n in range(ENTRIES)})
        answer = held._wrapped.key_set(EVEN)
        while not answer.done():
            other.put("k", answered)
            answered += 1
        assert len(answer.result()) == ENTRIES // 2
        assert answered_by_its_end[-1] > 5
