"""Overlap policies: whose turn it is, who is skipped, who is cancelled."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gridsched.model.firing import FINAL, Firing
from gridsched.model.job import Job, Overlap
from gridsched.model.trigger import Simple, Trigger
from gridsched.policy.overlap import (
    MAX_BUFFERED,
    Turn,
    order,
    overlap_of,
    runs_alone,
    takes_turns,
    turn,
)

WAITING: list[Overlap] = ["buffer_one", "buffer_all", "cancel_other"]


def waits(at: int, overlap: Overlap, trigger: str = "g/j:g/t") -> Firing:
    return Firing(trigger, at, job="g/j", overlap=overlap, in_turn=True)


@st.composite
def firings(draw: st.DrawFn) -> list[Firing]:
    instants = draw(st.lists(st.integers(1, 50), unique=True, max_size=12))
    return [waits(at, draw(st.sampled_from(WAITING))) for at in instants]


holders = st.none() | st.builds(
    Firing,
    st.just("g/j:g/other"),
    st.integers(1, 50),
    st.sampled_from(["ACQUIRED", "EXECUTING", "CANCELLED"]),
)


@given(firings(), holders)
def test_each_is_started_skipped_or_left_and_nothing_else(
    waiting: list[Firing], holder: Firing | None
) -> None:
    decided = turn(waiting, holder)
    skipped = [firing for firing, reason in decided.skipped if reason]
    assert len({f.key for f in skipped}) == len(decided.skipped)
    assert {f.key for f in skipped} <= {f.key for f in waiting}
    assert decided.next is None or decided.next not in skipped
    if holder is not None:
        assert decided.next is None
    elif waiting:
        assert decided.next is not None, "a job that nothing holds goes on"


@given(firings(), holders)
def test_nothing_overtakes_what_waits_before_it(
    waiting: list[Firing], holder: Firing | None
) -> None:
    decided = turn(waiting, holder)
    if decided.next is not None:
        skipped = {firing.key for firing, _ in decided.skipped}
        before = [f for f in waiting if order(f) < order(decided.next)]
        assert {f.key for f in before} <= skipped


@given(firings(), holders)
def test_of_those_that_cancel_the_latest_is_left(
    waiting: list[Firing], holder: Firing | None
) -> None:
    decided = turn(waiting, holder)
    cancelling = [f for f in waiting if f.overlap == "cancel_other"]
    left = [f for f in cancelling if f not in [s for s, _ in decided.skipped]]
    latest = max(cancelling, key=order, default=None)
    overtaken = latest is not None and holder is not None and order(holder) > order(latest)
    assert left == ([] if latest is None or overtaken else [latest])
    assert decided.cancels == bool(left and holder is not None and holder.state not in FINAL)


@given(firings(), holders)
def test_looked_at_again_it_is_decided_alike(waiting: list[Firing], holder: Firing | None) -> None:
    """A node that died half way leaves the rest to the next look."""
    first = turn(waiting, holder)
    skipped = [firing for firing, _ in first.skipped]
    again = turn([f for f in waiting if f not in skipped], holder)
    assert again == Turn(first.next, (), first.cancels)


def test_one_is_buffered_and_the_first_of_them() -> None:
    waiting = [waits(at, "buffer_one") for at in (3, 1, 2)]
    busy = turn(waiting, Firing("g/j:g/o", 0, "EXECUTING"))
    assert [f.scheduled for f, _ in busy.skipped] == [2, 3]
    free = turn(waiting, None)
    assert free.next == waits(1, "buffer_one")
    assert [f.scheduled for f, _ in free.skipped] == [3]


def test_what_has_run_is_no_surplus_of_a_buffer() -> None:
    """It was not missed: it is recovered, retries or goes on, and waits its turn."""
    ran = replace(waits(2, "buffer_one"), attempt=2)
    yielded = replace(waits(3, "buffer_one"), suspended=True)
    waiting = [waits(1, "buffer_one"), ran, yielded, waits(4, "buffer_one")]
    decided = turn(waiting, Firing("g/j:g/o", 0, "EXECUTING"))
    assert [f.scheduled for f, _ in decided.skipped] == [4]


def test_all_are_buffered_up_to_a_bound() -> None:
    waiting = [waits(at, "buffer_all") for at in range(1, MAX_BUFFERED + 3)]
    decided = turn(waiting, Firing("g/j:g/o", 0, "EXECUTING"))
    assert [f.scheduled for f, _ in decided.skipped] == [MAX_BUFFERED + 1, MAX_BUFFERED + 2]


def test_the_policy_of_a_run() -> None:
    job = Job("m:f", overlap="skip")
    trigger = Trigger(Simple(0, 1))
    backfill = Trigger(Simple(0, 1), overlap="buffer_all", misfire="IGNORE")
    assert overlap_of(trigger, job) == "skip"
    assert overlap_of(backfill, job) == "buffer_all"
    assert overlap_of(backfill, Job("m:f", disallow_concurrent=True)) == "allow_all"
    assert not takes_turns(trigger, job)
    assert takes_turns(backfill, job)
    assert takes_turns(trigger, Job("m:f", disallow_concurrent=True))
    assert not takes_turns(trigger, Job("m:f", overlap="buffer_all"))
    for overlap in get_args(Overlap):
        assert runs_alone(Firing("k", 0, overlap=overlap), Job("m:f")) == (overlap != "allow_all")
