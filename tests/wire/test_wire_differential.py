"""The same random operations on a real member and on the embedded grid: every answer, event and
error must be the same.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hazelcast import HazelcastClient, predicate
from hazelcast.aggregator import (
    count,
    distinct,
    double_avg,
    double_sum,
    fixed_point_sum,
    floating_point_sum,
    int_avg,
    int_sum,
    long_sum,
    max_,
    max_by,
    min_,
    number_avg,
)
from hazelcast.core import HazelcastJsonValue, MapEntry
from hazelcast.errors import HazelcastError, IllegalMonitorStateError
from hazelcast.projection import multi_attribute, single_attribute
from hazelcast_member import BOUNDED_QUEUES, HazelcastCluster
from wire_clients import eventually
from wire_records import ADDRESSES, COMPACT_ONLY, FOUND, KINDS, OF_ADDRESSES, OPTIONS, Worker

from gridsched.testing import GridServer

pytestmark = pytest.mark.java

SEEDS = range(3)
STEPS = 250

Step = Callable[[Any], Any]
Draw = Callable[[random.Random], Step]

CONFIG = (
    "<hazelcast>"
    + "".join(
        f'<queue name="{name}"><max-size>{size}</max-size></queue>'
        for name, size in BOUNDED_QUEUES.items()
    )
    + "</hazelcast>"
)


@pytest.fixture(scope="module")
def both(hazelcast_member: HazelcastCluster) -> Iterator[tuple[Any, Any]]:
    """A client of a real member, and one of the embedded grid."""
    with GridServer(config_xml=CONFIG) as server:
        real = HazelcastClient(
            cluster_name=hazelcast_member.cluster_name,
            cluster_members=hazelcast_member.addresses,
            **OPTIONS,
        )
        ours = HazelcastClient(cluster_members=server.addresses, **OPTIONS)
        yield real, ours
        real.shutdown()
        ours.shutdown()


def outcome(step: Step, held: Any) -> Any:
    """What became of a step, in a form that compares."""
    try:
        return plain(step(held))
    except (HazelcastError, AssertionError) as error:
        return type(error).__name__


def plain(value: Any) -> Any:
    if isinstance(value, MapEntry):
        return "entry", plain(value.key), plain(value.value)
    if isinstance(value, HazelcastJsonValue):
        return "json", value.to_string()
    if isinstance(value, dict):
        return {plain(key): plain(held) for key, held in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return value
    return [plain(item) for item in value]


def unordered(value: Any) -> Any:
    return sorted(map(repr, value))


def compare(pair: Sequence[Any], draws: Sequence[Draw], seed: int) -> None:
    """Run one random sequence on both, step by step."""
    source = random.Random(seed)
    history = []
    for _ in range(STEPS):
        step = source.choice(draws)(source)
        real, ours = (outcome(step, held) for held in pair)
        history.append((step.__doc__, real))
        assert ours == real, history[-12:]


def op(
    name: str, *makers: Callable[[random.Random], Any], by: Callable[[Any], Any] = plain
) -> Draw:
    """Draws calls of a method, each argument from its maker; `by` makes the answer comparable."""

    def draw(source: random.Random) -> Step:
        args = [make(source) for make in makers]

        def step(held: Any) -> Any:
            return by(getattr(held, name)(*args))

        step.__doc__ = f"{name}{tuple(args)}"
        return step

    return draw


def key(source: random.Random) -> str:
    return f"k{source.randrange(6)}"


def number(source: random.Random) -> int:
    return source.randrange(8)


def numbers(source: random.Random) -> list[int]:
    return [number(source) for _ in range(source.randrange(4))]


def entries(source: random.Random) -> dict[str, int]:
    return {key(source): number(source) for _ in range(source.randrange(4))}


def keys(source: random.Random) -> list[str]:
    return list(entries(source))


def predicates(source: random.Random) -> Any:
    low = number(source)
    return source.choice(
        [
            predicate.equal("this", low),
            predicate.not_equal("this", low),
            predicate.between("this", low, low + 3),
            predicate.greater("this", low),
            predicate.less_or_equal("this", low),
            predicate.in_("this", low, low + 2),
            predicate.like("__key", "k%"),
            predicate.ilike("__key", "K1"),
            predicate.regex("__key", "k[0-3]"),
            predicate.sql(f"this > {low} and __key like 'k%'"),
            predicate.sql(f"not this = {low} or this between 2 and 4"),
            predicate.and_(predicate.greater("this", 2), predicate.equal("__key", "k1")),
            predicate.or_(predicate.equal("this", low), predicate.equal("__key", "k2")),
            predicate.not_(predicate.less("this", low)),
            predicate.true(),
            predicate.false(),
            predicate.instance_of("java.lang.Integer"),
            predicate.instance_of("java.lang.String"),
        ]
    )


MAP: list[Draw] = [
    op("put", key, number),
    op("set", key, number),
    op("get", key),
    op("remove", key),
    op("delete", key),
    op("put_if_absent", key, number),
    op("replace", key, number),
    op("replace_if_same", key, number, number),
    op("remove_if_same", key, number),
    op("contains_key", key),
    op("contains_value", number),
    op("put_all", entries),
    op("get_all", keys),
    op("size"),
    op("is_empty"),
    op("evict", key),
    op("try_put", key, number),
    op("try_remove", key),
    op("key_set", by=unordered),
    op("values", by=unordered),
    op("entry_set", by=unordered),
    op("key_set", predicates, by=unordered),
    op("values", predicates, by=unordered),
    op("entry_set", predicates, by=unordered),
    op("lock", key),
    op("is_locked", key),
    op("unlock", key),
    op("try_lock", key),
    op("remove_all", predicates),
    op("clear"),
]

AGGREGATORS = [
    count,
    distinct,
    double_avg,
    fixed_point_sum,
    floating_point_sum,
    int_avg,
    int_sum,
    max_,
    min_,
    number_avg,
]

QUEUE: list[Draw] = [
    op("offer", number),
    op("add", number),
    op("add_all", numbers),
    op("poll"),
    op("peek"),
    op("size"),
    op("is_empty"),
    op("remaining_capacity"),
    op("iterator"),
    op("contains", number),
    op("contains_all", numbers),
    op("remove", number),
    op("remove_all", numbers),
    op("retain_all", numbers),
]

LIST: list[Draw] = [
    op("add", number),
    op("add_at", number, number),
    op("add_all", numbers),
    op("add_all_at", number, numbers),
    op("get", number),
    op("set_at", number, number),
    op("remove", number),
    op("remove_at", number),
    op("remove_all", numbers),
    op("contains", number),
    op("contains_all", numbers),
    op("index_of", number),
    op("last_index_of", number),
    op("get_all"),
    op("iterator"),
    op("size"),
]

SET: list[Draw] = [
    op("add", number),
    op("add_all", numbers),
    op("remove", number),
    op("remove_all", numbers),
    op("retain_all", numbers),
    op("contains", number),
    op("contains_all", numbers),
    op("get_all", by=unordered),
    op("size"),
    op("is_empty"),
]

MULTI_MAP: list[Draw] = [
    op("put", key, number),
    op("get", key, by=unordered),
    op("remove", key, number),
    op("remove_all", key, by=unordered),
    op("contains_key", key),
    op("contains_value", number),
    op("contains_entry", key, number),
    op("value_count", key),
    op("key_set", by=unordered),
    op("values", by=unordered),
    op("entry_set", by=unordered),
    op("size"),
]

REPLICATED_MAP: list[Draw] = [
    op("put", key, number),
    op("get", key),
    op("remove", key),
    op("contains_key", key),
    op("contains_value", number),
    op("size"),
    op("is_empty"),
    op("key_set", by=unordered),
    op("values", by=unordered),
    op("entry_set", by=unordered),
    op("put_all", entries),
]

RINGBUFFER: list[Draw] = [
    op("add", number),
    op("add_all", lambda source: [number(source) for _ in range(3)]),
    op("size"),
    op("capacity"),
    op("remaining_capacity"),
    op("head_sequence"),
    op("tail_sequence"),
    op("read_one", lambda source: 10_000),
    op("read_many", lambda source: 0, lambda source: 0, lambda source: 1 + number(source)),
]


def opened(both: tuple[Any, Any], method: str, name: str) -> list[Any]:
    return [getattr(client, method)(name).blocking() for client in both]


@pytest.mark.parametrize("seed", SEEDS)
def test_maps(both: tuple[Any, Any], seed: int) -> None:
    compare(opened(both, "get_map", f"differential-{seed}"), MAP, seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_queues(both: tuple[Any, Any], seed: int) -> None:
    name = f"conformance-bounded-differential-{seed}"
    compare(opened(both, "get_queue", name), QUEUE, seed)


@pytest.mark.parametrize(
    ("method", "draws"),
    [
        ("get_list", LIST),
        ("get_set", SET),
        ("get_multi_map", MULTI_MAP),
        ("get_replicated_map", REPLICATED_MAP),
        ("get_ringbuffer", RINGBUFFER),
    ],
)
@pytest.mark.parametrize("seed", SEEDS)
def test_other_structures(
    both: tuple[Any, Any], method: str, draws: Sequence[Draw], seed: int
) -> None:
    compare(opened(both, method, f"differential-{seed}"), draws, seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_events_of_a_map(both: tuple[Any, Any], seed: int) -> None:
    heard: list[list[Any]] = [[], []]
    pair = opened(both, "get_map", f"differential-events-{seed}")
    for held, events in zip(pair, heard, strict=True):
        hears = dict.fromkeys(
            ["added_func", "removed_func", "updated_func", "evicted_func", "clear_all_func"],
            lambda event, events=events: events.append(
                (event.event_type, event.key, event.value, event.old_value,
                 event.number_of_affected_entries)
            ),
        )  # fmt: skip
        held.add_entry_listener(include_value=True, **hears)
    locking = {"lock", "unlock", "try_lock"}
    draws = [draw for draw in MAP if draw(random.Random(0)).__doc__.split("(")[0] not in locking]
    compare(pair, draws, seed)
    for held in pair:
        held.clear()
        held.put("last", 1)
    eventually(lambda: all(map(_has_last, heard)) and _by_key(heard[1]) == _by_key(heard[0]))


def _by_key(events: Sequence[Any]) -> list[Any]:
    return sorted(events, key=lambda event: str(event[1]))


def _has_last(events: Sequence[Any]) -> bool:
    return any(event[1] == "last" for event in events)


RECORDS = [
    {"n": 1, "x": 1.5, "s": "one", "b": True, "tags": ["a", "b"], "in": {"deep": [1, 2]}},
    {"n": 2, "x": 2.5, "s": "two", "b": False, "tags": [], "in": {"deep": []}},
    {"n": 3, "x": -1.0, "s": "Three", "b": True, "tags": ["c"], "in": {}},
    {"n": 4, "x": 0.5, "s": None, "b": False, "tags": ["a"]},
]

QUERIES = [
    predicate.equal("n", 2),
    predicate.equal("n", "2"),
    predicate.equal("n", 2.0),
    predicate.equal("n", 2.5),
    predicate.equal("x", 2.5),
    predicate.equal("x", "2.5"),
    predicate.equal("s", "one"),
    predicate.equal("s", None),
    predicate.not_equal("s", None),
    predicate.not_equal("s", "one"),
    predicate.equal("b", True),
    predicate.equal("b", "true"),
    predicate.greater("x", 0),
    predicate.greater_or_equal("n", 3),
    predicate.less("x", 1),
    predicate.between("n", 2, 3),
    predicate.in_("n", 1, 4, 9),
    predicate.in_("s", "one", "two"),
    predicate.like("s", "%o%"),
    predicate.like("s", "_ne"),
    predicate.ilike("s", "t%"),
    predicate.regex("s", "[a-z]+"),
    predicate.equal("tags[any]", "a"),
    predicate.equal("tags[0]", "c"),
    predicate.equal("in.deep[any]", 2),
    predicate.equal("in.deep[0]", 1),
    predicate.equal("nothing", None),
    predicate.equal("nothing", 1),
    predicate.sql("n > 1 and s like 't%'"),
    predicate.sql("n in (1, 3) or x < 0"),
    predicate.sql("s = 'one'"),
    predicate.sql("b"),
    predicate.sql("not b and n between 1 and 2"),
    predicate.sql("s ilike 'THREE'"),
    predicate.sql("__key = 'r1'"),
    predicate.not_(predicate.equal("b", True)),
]


@pytest.mark.parametrize("indexed", [False, True])
def test_queries_on_json(both: tuple[Any, Any], indexed: bool) -> None:
    pair = opened(both, "get_map", f"differential-json-{indexed}")
    for held in pair:
        if indexed:
            held.add_index(["n"])
            held.add_index(["s"], "HASH")
        for place, record in enumerate(RECORDS):
            held.put(f"r{place}", HazelcastJsonValue(record))
    for wanted in QUERIES:

        def step(held: Any, wanted: Any = wanted) -> Any:
            return sorted(held.key_set(wanted))

        real, ours = (outcome(step, held) for held in pair)
        assert ours == real, wanted


@pytest.mark.parametrize("indexed", [[], ["zip"], ["n"], ["zip", "n"]], ids="-".join)
@pytest.mark.parametrize("kind", ["HASH", "SORTED"])
def test_literals_of_another_type(both: tuple[Any, Any], indexed: list[str], kind: str) -> None:
    pair = opened(both, "get_map", "-".join(["differential-literals", kind, *indexed]))
    for held in pair:
        for attribute in indexed:
            held.add_index([attribute], kind)
        held.put_all({key: HazelcastJsonValue(record) for key, record in ADDRESSES.items()})
        for wanted, found in OF_ADDRESSES:
            assert sorted(held.key_set(wanted)) == found, wanted


@pytest.mark.parametrize("kind", KINDS)
def test_queries_on_records(both: tuple[Any, Any], kind: type) -> None:
    pair = opened(both, "get_map", f"differential-{kind.__name__}")
    for held in pair:
        held.put_all({age: kind(age) for age in range(1, 5)})
    for wanted, _ in FOUND + (COMPACT_ONLY if kind is Worker else []):

        def step(held: Any, wanted: Any = wanted) -> Any:
            return sorted(held.key_set(wanted))

        real, ours = (outcome(step, held) for held in pair)
        assert ours == real, wanted


@pytest.mark.parametrize("page_size", [1, 3, 10])
def test_pages(both: tuple[Any, Any], page_size: int) -> None:
    pair = opened(both, "get_map", "differential-pages")
    for held in pair:
        held.put_all({n: n % 4 for n in range(10)})
    for method in ("key_set", "values", "entry_set"):
        pages = [predicate.paging(predicate.greater("this", 0), page_size) for _ in pair]
        for turn in (0, 1, 1, 2, -1, -2):
            for page in pages:
                page.page = max(0, page.page + turn)
            real, ours = (
                outcome(lambda held, page=page, by=method: getattr(held, by)(page), held)
                for held, page in zip(pair, pages, strict=True)
            )
            assert ours == real, (method, pages[0].page)


@pytest.mark.parametrize("aggregator", AGGREGATORS)
def test_aggregators(both: tuple[Any, Any], aggregator: Callable[..., Any]) -> None:
    pair = opened(both, "get_map", "differential-aggregates")
    for held in pair:
        held.put_all({f"k{n}": n for n in range(1, 6)})
    for wanted in (None, predicate.greater("this", 2), predicate.false()):
        real, ours = (
            outcome(lambda held, wanted=wanted: held.aggregate(aggregator(), wanted), held)
            for held in pair
        )
        assert ours == real


def test_aggregators_of_attributes(both: tuple[Any, Any]) -> None:
    pair = opened(both, "get_map", "differential-aggregated-json")
    for held in pair:
        for place, record in enumerate(RECORDS):
            held.put(f"r{place}", HazelcastJsonValue(record))
    for made in (
        double_sum("x"), long_sum("n"), max_("x"), min_("n"), max_by("n"), count("s"),
        distinct("b"), max_("nothing"), long_sum("nothing"),
    ):  # fmt: skip
        real, ours = (outcome(lambda held, made=made: held.aggregate(made), held) for held in pair)
        assert ours == real


def test_projections(both: tuple[Any, Any]) -> None:
    pair = opened(both, "get_map", "differential-projections")
    for held in pair:
        for place, record in enumerate(RECORDS):
            held.put(f"r{place}", HazelcastJsonValue(record))
    for made in (single_attribute("s"), single_attribute("n"), multi_attribute("n", "s", "__key")):
        real, ours = (
            outcome(lambda held, made=made: unordered(held.project(made)), held) for held in pair
        )
        assert ours == real


def test_locks_of_others(both: tuple[Any, Any]) -> None:
    for held in opened(both, "get_map", "differential-locks"):
        held.put("k", 1)
        held.lock("k")
        with pytest.raises(IllegalMonitorStateError):
            held.unlock("other")
        held.force_unlock("k")
        assert not held.is_locked("k")
