"""What the self-check finds odd about a record, and how it would put it right."""

from __future__ import annotations

from msgspec.structs import replace

from gridsched.model.firing import Firing, Leaves
from gridsched.model.job import Job
from gridsched.model.trigger import Simple, Trigger
from gridsched.policy.self_check import is_left_over, odd_firing, odd_trigger
from gridsched.policy.transitions import LONGEST

NOW = 1_790_000_000_000
LEASE = 10_000
TRIGGER = Trigger(Simple(NOW, 60_000), name="t", job="g/j", due=NOW, next_fire=NOW)
FIRING = Firing("g/j:g/t", NOW, due=NOW + LEASE, job="g/j")


def test_records_as_the_scheduler_leaves_them_are_not_odd() -> None:
    for trigger in (
        TRIGGER,
        replace(TRIGGER, previous_fire=NOW - 60_000),
        replace(TRIGGER, state="PAUSED", due=None),
        replace(TRIGGER, state="COMPLETE", due=None, next_fire=None),
    ):
        assert odd_trigger(trigger, job_there=True) is None
    assert odd_trigger(replace(TRIGGER, state="ERROR", due=None), job_there=False) is None
    day = 86_400_000
    for firing in (
        FIRING,
        replace(FIRING, scheduled=NOW + day, due=NOW + day + LEASE),
        replace(FIRING, fire_at=NOW + day, due=NOW + day),
        replace(FIRING, due=NOW + LONGEST * LEASE),
        replace(FIRING, state="COMPLETE", due=None),
        replace(FIRING, state="COMPLETE", leaves=Leaves()),
    ):
        assert odd_firing(firing, NOW, LEASE) is None


def test_a_trigger_that_nobody_would_look_at_again() -> None:
    for wrong in (replace(TRIGGER, due=None), replace(TRIGGER, due=NOW + 1)):
        found = odd_trigger(wrong, job_there=True)
        assert found is not None
        assert found.mended == TRIGGER
    paused = odd_trigger(replace(TRIGGER, state="PAUSED"), job_there=True)
    assert paused is not None
    assert paused.problem == "it is PAUSED, and due all the same"
    assert paused.mended == replace(TRIGGER, state="PAUSED", due=None)
    lost = odd_trigger(TRIGGER, job_there=False)
    assert lost is not None
    assert lost.mended is not None
    assert (lost.mended.state, lost.mended.error) == ("ERROR", "its job g/j is gone")


def test_what_only_a_person_can_put_right() -> None:
    for wrong in (
        replace(TRIGGER, next_fire=None, due=None),
        replace(TRIGGER, previous_fire=NOW),
    ):
        found = odd_trigger(wrong, job_there=True)
        assert found is not None
        assert found.mended is None


def test_a_firing_that_nobody_would_look_at_again() -> None:
    for wrong, problem in (
        (replace(FIRING, due=None), "it is ACQUIRED, and nobody is to look at it"),
        (replace(FIRING, due=NOW + 864_000_000), "nobody is to look at it for 10.0 days"),
    ):
        found = odd_firing(wrong, NOW, LEASE)
        assert found is not None
        assert (found.problem, found.mended) == (problem, replace(FIRING, due=NOW))
    over = odd_firing(replace(FIRING, state="LOST"), NOW, LEASE)
    assert over is not None
    assert over.mended == replace(FIRING, state="LOST", due=None)


def test_a_job_goes_with_its_last_trigger() -> None:
    job = Job("m:f", submitted_at=NOW - 2 * LEASE)
    assert is_left_over(job, NOW, LEASE, used=False)
    assert not is_left_over(job, NOW, LEASE, used=True)
    assert not is_left_over(replace(job, durable=True), NOW, LEASE, used=False)
    assert not is_left_over(replace(job, submitted_at=NOW - 1), NOW, LEASE, used=False)
