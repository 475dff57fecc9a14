"""The state machine of a firing: what every step leaves behind."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gridsched.model.firing import FINAL, STARTABLE, Firing, FiringState, Leaves
from gridsched.model.job import Job
from gridsched.model.retry import Retry
from gridsched.policy import transitions
from gridsched.policy.jitter import retry_delay
from gridsched.policy.submissions import cancel_firing, cancel_unfinished, pause_firing

JOB = Job("m:f")
NOW = 1_790_000_000_000


@st.composite
def firings(draw: st.DrawFn) -> Firing:
    scheduled = NOW - draw(st.integers(-10_000, 100_000))
    return Firing(
        "g/j:g/t",
        scheduled,
        due=draw(st.integers(NOW - 10_000, NOW + 10_000)),
        attempt=draw(st.integers(1, 5)),
        round=draw(st.integers(0, 5)),
        member="n1",
        incarnation="i1",
    )


def is_sound(firing: Firing) -> bool:
    """What is final has an end and is looked at no more; anything else is looked at some day."""
    if firing.state in FINAL:
        return firing.finished_at is not None and firing.due is None
    return firing.finished_at is None and firing.due is not None


@given(firings())
def test_every_step_is_sound(firing: Firing) -> None:
    started = transitions.start(firing, "n2", "i2", NOW, 5000)
    steps = [
        started,
        transitions.complete(started, NOW, returned=True),
        transitions.suspend(started, 2.5, NOW),
        transitions.skip(transitions.pause(firing), NOW, "late"),
        transitions.fail(started, JOB, "boom", NOW),
        transitions.cancel(firing, "no", NOW),
        transitions.orphan(started, JOB, NOW),
        transitions.orphan(started, None, NOW),
        transitions.renew(firing, NOW, 5000),
        transitions.send_again(firing, "n2", NOW, 5000),
        transitions.hand_back(firing, NOW),
        transitions.pause(firing),
        transitions.resume(transitions.pause(firing), NOW),
    ]
    assert [step.state for step in steps if not is_sound(step)] == []


@given(firings())
def test_what_is_sent_out_anew_is_a_new_round_of_nobody(firing: Firing) -> None:
    """A payload of an earlier round may not start it, and no member has it."""
    retried = transitions.fail(firing, Job("m:f", retry=Retry(10)), "boom", NOW)
    recovered = transitions.orphan(firing, Job("m:f", requests_recovery=True), NOW)
    resumed = transitions.resume(transitions.pause(firing), NOW)
    yielded = transitions.suspend(firing, 2.5, NOW)
    for again in (retried, recovered, resumed, yielded):
        assert again.round == firing.round + 1
        assert (again.state, again.member, again.incarnation) == ("ACQUIRED", "", "")
        assert again.fire_at is not None
        assert again.due == again.fire_at
    attempts = [f.attempt - firing.attempt for f in (retried, recovered, resumed, yielded)]
    assert attempts == [1, 1, 0, 0]
    assert (yielded.due, yielded.suspended, resumed.suspended) == (NOW + 2500, True, False)


@given(firings(), st.sampled_from([None, 0, 90_000]))
def test_what_is_final_goes_when_its_retention_is_over(
    firing: Firing, retention: int | None
) -> None:
    firing = replace(firing, retention=retention)
    ends = (
        transitions.complete(firing, NOW, returned=False),
        transitions.fail(firing, JOB, "boom", NOW),
        transitions.cancel(firing, "no", NOW),
        transitions.orphan(firing, JOB, NOW),
        transitions.skip(firing, NOW, "late"),
    )
    expected = None if retention is None else NOW + retention
    assert {end.forget_at for end in ends} == {expected}


def test_what_has_run_is_cancelled_where_another_would_be_skipped() -> None:
    fresh = Firing("k", NOW)
    assert transitions.leave_out(fresh, NOW, "superseded").state == "SKIPPED"
    for ran in (replace(fresh, attempt=2), replace(fresh, suspended=True)):
        left = transitions.leave_out(ran, NOW, "superseded")
        assert (left.state, left.error) == ("CANCELLED", "superseded")


def test_a_checkpoint_lasts_until_its_firing_is_complete() -> None:
    ran = transitions.checkpointed(transitions.start(Firing("k", NOW), "a", "i", NOW, 9), {"at": 7})
    eager = Job("m:f", requests_recovery=True, retry=Retry(3))
    for again in (
        transitions.fail(ran, eager, "boom", NOW),
        transitions.orphan(ran, eager, NOW),
        transitions.suspend(ran, 1, NOW),
        transitions.fail(ran, JOB, "boom", NOW),
    ):
        assert again.checkpoint == {"at": 7}
    assert transitions.complete(ran, NOW, returned=False).checkpoint is None


def test_retries_wait_longer_up_to_the_most() -> None:
    job = Job("m:f", retry=Retry(5, delay=10, backoff=3, max_delay=60))
    firing, waits = Firing("k", NOW), []
    while firing.state == "ACQUIRED":
        firing = transitions.fail(firing, job, "boom", NOW)
        waits.append(firing.fire_at - NOW if firing.due is not None else None)
    assert waits == [10_000, 30_000, 60_000, 60_000, None]
    assert (firing.state, firing.attempt, firing.error) == ("FAILED", 5, "boom")


@given(firings(), st.integers(1, 10_000))
def test_the_longer_a_firing_is_under_way_the_longer_it_waits_for_the_next_look(
    firing: Firing, lease: int
) -> None:
    renewed = transitions.renew(firing, NOW, lease)
    assert renewed.due is not None
    under_way = NOW - max(firing.scheduled, firing.acquired_at)
    assert renewed.due - NOW == min(max(lease, under_way), transitions.LONGEST * lease)


def test_what_was_claimed_late_is_looked_at_soon() -> None:
    """Its trigger was paused for a day; its payload may be lost as any other's may."""
    claimed = Firing("k", NOW - 86_400_000, acquired_at=NOW - 10)
    assert transitions.renew(claimed, NOW, 5000).due == NOW + 5000


@pytest.mark.parametrize("state", get_args(FiringState))
def test_only_what_has_not_started_is_paused_or_follows_its_trigger(state: FiringState) -> None:
    finished = NOW if state in FINAL else None
    firing = Firing("k", NOW, state=state, finished_at=finished)
    assert (pause_firing(firing) is firing) == (state not in STARTABLE)
    can_cancel = state in STARTABLE or state == "PAUSED"
    assert (cancel_firing(firing, "no", NOW) is firing) == (not can_cancel)
    assert (cancel_unfinished(firing, "no", NOW) is firing) == (state in FINAL)


@given(firings(), st.integers(1, 6), st.floats(0, 1), st.floats(1, 4))
def test_a_jittered_delay_keeps_within_its_part_and_its_bound(
    firing: Firing, attempt: int, jitter: float, backoff: float
) -> None:
    retry = Retry(9, delay=3, backoff=backoff, max_delay=100, jitter=jitter)
    plain = retry_delay(replace(retry, jitter=0.0), attempt, firing.key)
    delay = retry_delay(retry, attempt, firing.key)
    assert abs(delay - plain) <= jitter * plain + 1
    assert delay <= 100_000
    assert delay == retry_delay(retry, attempt, firing.key)


def test_jitter_spreads_retries() -> None:
    retry = Retry(2, delay=10, jitter=0.5)
    delays = sorted(retry_delay(retry, 1, f"k{n}") for n in range(1000))
    assert 5000 <= delays[0] < 5100
    assert 9500 < delays[500] < 10_500
    assert 14_900 < delays[-1] < 15_000


def test_what_is_put_off_waits_longer_the_later_it_is_and_is_not_started_before() -> None:
    for late, wait in ((0, 1000), (20_000, 20_000), (900_000, 60_000)):
        firing = Firing("g/j:g/t", NOW - late, member="n", attempt=2, error="refused")
        waits = transitions.put_off(firing, NOW)
        assert (waits.state, waits.round, waits.member) == ("ACQUIRED", 1, "")
        assert (waits.fire_at, waits.due) == (NOW + wait, NOW + wait)
        assert (waits.attempt, waits.error) == (2, "refused")


def test_what_waited_for_its_turn_is_late_from_then_on_only() -> None:
    waiting = transitions.wait_for_turn(Firing("g/j:g/t", NOW - 900_000), NOW - 800_000)
    sent = transitions.send_again(waiting, "n2", NOW, 5000)
    assert (sent.in_turn, sent.fire_at, sent.due, sent.member) == (False, NOW, NOW + 5000, "n2")


def test_what_a_run_leaves_keeps_its_record_due_until_it_is_stored() -> None:
    running = transitions.start(Firing("g/j:g/t", NOW), "n", "i", NOW, 5000)
    done = transitions.complete(running, NOW, returned=False, leaves=Leaves({"a": 1}))
    assert (done.due, done.finished_at) == (NOW, NOW)
    assert transitions.left(done) == transitions.complete(running, NOW, returned=False)
