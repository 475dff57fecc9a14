"""Queries on every serialized form, through the official client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hazelcast import predicate
from hazelcast.aggregator import count, distinct, double_avg, int_sum, max_, max_by
from hazelcast.core import HazelcastJsonValue
from hazelcast.errors import (
    ClassCastError,
    HazelcastSerializationError,
    IllegalArgumentError,
    QueryError,
    UnsupportedOperationError,
)
from hazelcast.projection import identity, multi_attribute, single_attribute
from wire_clients import Clients
from wire_records import (
    ADDRESSES,
    COMPACT_ONLY,
    FOUND,
    KINDS,
    OF_ADDRESSES,
    OPTIONS,
    Person,
    Worker,
)

from gridsched.testing import GridServer


@pytest.fixture
def people(connect: Clients, server: GridServer, name: str) -> Iterator[Callable[[type], Any]]:
    """A map of four records of a kind, with the keys 1 to 4."""
    client = connect(server, **OPTIONS)

    def make(kind: type) -> Any:
        held = client.get_map(f"{name}-{kind.__name__}").blocking()
        held.put_all({age: kind(age) for age in range(1, 5)})
        return held

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_records(people: Callable[[type], Any], kind: type) -> None:
    held = people(kind)
    for wanted, ages in FOUND + (COMPACT_ONLY if kind is Worker else []):
        assert sorted(held.key_set(wanted)) == ages, wanted


@pytest.mark.parametrize("kind", KINDS)
def test_aggregates_and_projections_of_records(people: Callable[[type], Any], kind: type) -> None:
    held = people(kind)
    assert held.aggregate(int_sum("age")) == 10
    assert held.aggregate(double_avg("pay"), predicate.greater("age", 2)) == 5.25
    assert held.aggregate(max_("name")) == "n4"
    assert held.aggregate(distinct("active")) == {True, False}
    assert held.aggregate(max_by("age")).key == 4
    assert sorted(held.project(single_attribute("city.name"))) == [f"city{n}" for n in range(1, 5)]
    assert sorted(held.project(multi_attribute("name", "age")))[0] == ["n1", 1]


def test_compact_schemas_reach_clients_that_never_saw_them(
    connect: Clients, server: GridServer, name: str
) -> None:
    connect(server, **OPTIONS).get_map(name).blocking().put(1, Worker(7))
    assert connect(server, **OPTIONS).get_map(name).blocking().get(1).age == 7


def test_portables_come_back(people: Callable[[type], Any]) -> None:
    assert people(Person).get(3).age == 3


def test_json_attributes_may_be_absent(client: Any, name: str) -> None:
    held = client.get_map(name).blocking()
    held.put("full", HazelcastJsonValue({"a": {"b": [{"c": 1}, 5]}}))
    held.put("bare", HazelcastJsonValue({}))
    held.put("broken", HazelcastJsonValue("{"))
    assert held.key_set(predicate.equal("a.b[any].c", 1)) == ["full"]
    assert sorted(held.key_set(predicate.equal("a.b[0].c", None))) == ["bare", "broken"]


def test_keys_are_asked_too(client: Any, name: str) -> None:
    held = client.get_map(name).blocking()
    held.put_all({HazelcastJsonValue({"n": n}): n for n in range(3)})
    assert held.values(predicate.greater("__key.n", 1)) == [2]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("abcabc", ["abcabc"]),
        ("abc%", ["abc%", "abcabc"]),
        ("%abc", ["abcabc"]),
        ("%bc%bc", ["abcabc"]),
        ("%bca%bca%", []),
        ("a__a__", ["abcabc"]),
        (r"abc\%", ["abc%"]),
        (r"%\%", ["abc%"]),
        ("%b_%", ["abc%", "abcabc"]),
        ("", []),
        ("%", ["abc%", "abcabc", "long"]),
        ("%a" * 30 + "%b", []),
        ("%a" * 30 + "%", ["long"]),
    ],
)
def test_like_takes_no_longer_than_the_text(
    client: Any, name: str, expression: str, found: list[str]
) -> None:
    held = client.get_map(name).blocking()
    held.put_all({"abc%": "abc%", "abcabc": "abcabc", "long": "a" * 5000})
    assert sorted(held.key_set(predicate.like("this", expression))) == found


def test_wrong_queries_say_so(client: Any, name: str) -> None:
    held = client.get_map(name).blocking()
    held.put("k", 5)
    for wanted, error in [
        (predicate.equal("length", 1), QueryError),
        (predicate.like("this", "5"), ClassCastError),
        (predicate.equal("this", True), IllegalArgumentError),
        (predicate.sql("this = "), HazelcastSerializationError),
        (predicate.sql("this = 5 )"), HazelcastSerializationError),
        (predicate.equal("this[x]", 1), IllegalArgumentError),
    ]:
        with pytest.raises(error):
            held.key_set(wanted)


def test_values_of_several_types_do_not_hide_each_other(client: Any, name: str) -> None:
    held = client.get_map(name).blocking()
    held.add_index(["n"])
    held.put("json", HazelcastJsonValue({"n": 2}))
    assert held.key_set(predicate.equal("n", 2)) == ["json"]
    assert held.key_set(predicate.equal("n", "2")) == ["json"]


@pytest.mark.parametrize("indexed", [[], ["zip"], ["n"], ["zip", "n"]], ids="-".join)
@pytest.mark.parametrize("kind", ["HASH", "SORTED"])
def test_a_literal_is_converted_to_what_is_indexed(
    client: Any, name: str, indexed: list[str], kind: str
) -> None:
    held = client.get_map(name).blocking()
    for attribute in indexed:
        held.add_index([attribute], kind)
    held.put_all({key: HazelcastJsonValue(record) for key, record in ADDRESSES.items()})
    for wanted, found in OF_ADDRESSES:
        assert sorted(held.key_set(wanted)) == found, wanted


def test_pages_go_both_ways(client: Any, name: str) -> None:
    held = client.get_map(name).blocking()
    held.put_all({n: 20 - n for n in range(20)})
    page = predicate.paging(predicate.less("this", 15), 4)
    assert held.key_set(page) == [6, 7, 8, 9]
    page.next_page()
    page.next_page()
    assert held.key_set(page) == [14, 15, 16, 17]
    page.previous_page()
    assert held.key_set(page) == [10, 11, 12, 13]
    page.page = 9
    assert held.key_set(page) == []
    page = predicate.paging(predicate.true(), 3)
    assert held.values(page) == [1, 2, 3]


def test_comparators_are_not_known(client: Any, name: str) -> None:
    with pytest.raises(UnsupportedOperationError):
        client.get_map(name).blocking().key_set(predicate.paging(predicate.true(), 3, Person(1)))


def test_the_whole_entry_projected(client: Any, name: str) -> None:
    held = client.get_map(name).blocking()
    held.put("k", 1)
    (entry,) = held.project(identity())
    assert (entry.key, entry.value) == ("k", 1)
    assert held.aggregate(count()) == 1
