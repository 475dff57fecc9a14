"""Faults happen as scripted, or as often as their rates say, and leave what they say they leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
from conformance import V1, V2, A, B, C, Connect, GridConformance, Run, connections, wait_until
from embedding import Clock, embedded

from gridsched.errors import GridUnavailable, UnknownOutcome
from gridsched.grid.data import json_value
from gridsched.grid.embedded.connection import EmbeddedGrid
from gridsched.grid.faults import Fault, Faults, FaultyGrid, Rates
from gridsched.grid.port import Change, EntryEvent, GridMap, GridQueue, MapSpec, Outcome, QueueSpec


class TestFaultless(GridConformance):
    """Without faults it is a grid like any other."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def elapse(self, clock: Clock) -> Callable[[int], None]:
        return clock.advance

    @pytest.fixture
    def connect(self, run: Run, clock: Clock) -> Iterator[Connect]:
        cluster = embedded(1, clock)
        with connections(run, lambda: FaultyGrid(EmbeddedGrid(cluster), faults())) as connect:
            yield connect


def faults(rates: Rates | None = None) -> Faults:
    return Faults(Random(7), rates)


async def maps(broken: Faults) -> tuple[GridMap, GridMap]:
    """One map, behind faults and as it is."""
    grid = EmbeddedGrid(embedded())
    faulty = FaultyGrid(grid, broken)
    await faulty.open()
    return await faulty.map(MapSpec("m")), await grid.map(MapSpec("m"))


async def queues(broken: Faults, capacity: int = 1000) -> tuple[GridQueue, GridQueue]:
    """One queue, behind faults and as it is."""
    grid = EmbeddedGrid(embedded())
    faulty = FaultyGrid(grid, broken)
    await faulty.open()
    spec = QueueSpec("q", capacity)
    return await faulty.queue(spec), await grid.queue(spec)


@pytest.mark.parametrize(("fault", "left"), [(Fault.APPLIED, V1), (Fault.NOT_APPLIED, None)])
async def test_a_scripted_unknown_outcome_happens_once(fault: Fault, left: bytes | None) -> None:
    broken = faults()
    held, real = await maps(broken)
    broken.script("m", "compare_and_set", fault)
    assert await held.compare_and_set([Change(A, None, V1)]) == [Outcome.UNKNOWN]
    assert await real.get(A) == left
    assert await held.compare_and_set([Change(B, None, V1)]) == [Outcome.APPLIED]


@pytest.mark.parametrize("fault", [Fault.APPLIED, Fault.NOT_APPLIED])
async def test_apply_settles_an_unknown_outcome(fault: Fault) -> None:
    broken = faults()
    held, real = await maps(broken)
    broken.script("m", "compare_and_set", fault)
    assert await held.put_if_absent(A, V1)
    assert await real.get(A) == V1


@pytest.mark.parametrize(("fault", "left"), [(Fault.APPLIED, V1), (Fault.NOT_APPLIED, None)])
async def test_other_writes_raise(fault: Fault, left: bytes | None) -> None:
    broken = faults()
    held, real = await maps(broken)
    broken.script("m", "put", fault)
    with pytest.raises(UnknownOutcome):
        await held.put(A, V1)
    assert await real.get(A) == left


async def test_faults_are_scripted_for_one_map() -> None:
    broken = faults()
    held, _ = await maps(broken)
    broken.script("other", "put", Fault.UNAVAILABLE)
    await held.put(A, V1)
    assert await held.get(A) == V1


async def test_changes_of_a_batch_fail_each_on_its_own() -> None:
    held, real = await maps(faults(Rates(unknown=0.5)))
    changes = [Change(b"\0\0\0\1key%d" % n, None, V1) for n in range(200)]
    outcomes = await held.compare_and_set(changes)
    unknown = [c.key for c, o in zip(changes, outcomes, strict=True) if o is Outcome.UNKNOWN]
    assert outcomes.count(Outcome.APPLIED) + len(unknown) == 200
    assert 50 < len(unknown) < 150
    assert 0 < len(await real.get_all(unknown)) < len(unknown)


async def test_one_that_is_cut_off_reaches_nothing() -> None:
    broken = faults()
    grid = EmbeddedGrid(embedded())
    faulty = FaultyGrid(grid, broken)
    await faulty.open()
    held = await faulty.map(MapSpec("m"))
    broken.cut_off = True
    assert faulty.members() == ()
    assert set(faulty.partition_owners()) == {None}
    for call in (held.get(A), held.put(A, V1), held.query([]), held.put_if_absent(A, V1)):
        with pytest.raises(GridUnavailable):
            await call
    broken.cut_off = False
    assert await held.get(A) is None


async def test_lost_events_leave_the_entry() -> None:
    broken = faults()
    held, _ = await maps(broken)
    events: list[EntryEvent] = []
    await held.listen(events.append)
    broken.script("m", "event", Fault.LOST)
    await held.put(A, V1)
    await held.put(B, V2)
    await wait_until(lambda: bool(events))
    assert [event.key for event in events] == [B]
    assert await held.get(A) == V1


async def test_items_are_lost_and_doubled() -> None:
    broken = faults()
    queue, real = await queues(broken)
    broken.script("q", "item", Fault.LOST)
    broken.script("q", "item", Fault.DUPLICATED)
    assert await queue.offer_all([A, B, C])
    assert await real.drain(10) == [B, B, C]


async def test_an_item_taken_under_an_unknown_outcome_is_gone() -> None:
    broken = faults()
    queue, real = await queues(broken)
    await queue.offer_all([A, B])
    broken.script("q", "take", Fault.APPLIED)
    with pytest.raises(UnknownOutcome):
        await queue.take(0)
    assert await real.drain(10) == [B]


async def test_delays_change_nothing() -> None:
    held, _ = await maps(faults(Rates(delayed=1.0, longest_delay=0.0001)))
    await held.put(A, V1)
    assert await held.get(A) == V1


async def test_the_same_seed_brings_the_same_faults() -> None:
    changes = [Change(b"\0\0\0\1key%d" % n, None, V1) for n in range(50)]
    runs = []
    for _ in range(2):
        held, _ = await maps(faults(Rates(unknown=0.3)))
        runs.append(await held.compare_and_set(changes))
    assert runs[0] == runs[1]


def test_the_fate_of_an_item_does_not_depend_on_the_folder_that_its_error_names() -> None:
    def fates(folder: str) -> list[int]:
        faults = Faults(Random(1), Rates(lost_items=0.3, duplicated_items=0.3))
        head = '{"firing":{"trigger":"%s","error":"'
        items = [f"{head % str(n).zfill(150)}{folder}/jobs.py".encode() for n in range(50)]
        return [faults.copies("queue", json_value(item)) for item in items]

    assert fates("/here") == fates("/some/other/folder")
    assert set(fates("/here")) == {0, 1, 2}
