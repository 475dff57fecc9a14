"""Queries that take long: they are answered all the same, and others are meanwhile."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest
from hazelcast import predicate
from hazelcast.aggregator import count, long_sum
from hazelcast.core import HazelcastJsonValue
from hazelcast.errors import HazelcastError
from hazelcast.projection import single_attribute
from wire_clients import Clients

from gridsched.grid.wire.operations import turns
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


def test_others_are_answered_meanwhile(connect: Clients) -> None:
    with GridServer(members=1) as server:
        asking, other = connect(server), connect(server).get_map("other").blocking()
        held = asking.get_map("m").blocking()
        held.put_all({n: HazelcastJsonValue({"n": n, "text": "x" * 50}) for n in range(20_000)})
        slow = predicate.and_(*[predicate.like("text", "%y%")] * 3, predicate.equal("n", -1))
        slow = predicate.or_(slow, predicate.regex("text", "x*y"), predicate.less("n", 0))
        answer = held._wrapped.key_set(slow)
        answered = 0
        while not answer.done():
            other.put("k", answered)
            answered += 1
        assert answer.result() == []
        assert answered > 5
