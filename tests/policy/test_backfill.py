"""Backfill: the instants of a range, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from schedule_strategies import DAY, HOUR, MINUTE

from gridsched.errors import InvalidSchedule
from gridsched.model.calendar import WeeklyCalendar
from gridsched.model.job import Job
from gridsched.model.submission import Backfill, Submission
from gridsched.model.trigger import CalendarInterval, Cron, DailyTimeInterval, Once, Simple, Trigger
from gridsched.policy.backfill import MAX_INSTANTS, check_backfill, plan_backfill
from gridsched.policy.calendars import ResolvedCalendar
from gridsched.policy.claim import Window, claim
from gridsched.policy.fire_times import fire_after
from gridsched.policy.submissions import as_accepted, recomputed

NOW = 20_000 * DAY
JOB = Job("m:f", name="j", group="g")

SCHEDULES = [
    Simple(NOW - 30 * DAY, 7 * HOUR),
    Simple(NOW - 30 * DAY, 7 * HOUR, repeat_count=20),
    Simple(NOW - 30 * DAY, 7 * HOUR, end=NOW - 3 * DAY),
    Cron("0 0 0/6 * * ?", start=NOW - 30 * DAY),
    Cron("0 0 0/6 * * ?", start=NOW - 30 * DAY, end=NOW - 3 * DAY),
    CalendarInterval(NOW - 30 * DAY, 1),
    DailyTimeInterval(5, "HOUR", start=NOW - 30 * DAY),
    Once(NOW - 5 * DAY),
]
WORKDAYS = ResolvedCalendar((WeeklyCalendar(),))


def planned(
    schedule,
    start: int,
    end: int,
    overlap=None,
    *,
    job: Job = JOB,
    created_at: int = 0,
    calendar=None,
) -> Trigger:
    base = Trigger(schedule, name="t", job=job.key, data={"a": 1}, created_at=created_at)
    command = Backfill(base.key, start, end, overlap)
    submission = Submission("s1", job.key, command, created_at=NOW)
    return plan_backfill(submission, command, base, job, calendar)


def fired(trigger: Trigger, calendar=None) -> list[int]:
    """All that it fires, claimed now."""
    found: list[int] = []
    while (claimed := claim(trigger, Window(NOW, NOW + 1000, MINUTE), calendar=calendar)).instants:
        assert not any(instant.skipped or instant.until for instant in claimed.instants)
        found += [instant.scheduled for instant in claimed.instants]
        trigger = claimed.trigger
    assert trigger.state == "COMPLETE"
    return found


@given(
    st.sampled_from(SCHEDULES),
    st.integers(NOW - 40 * DAY, NOW - 1),
    st.integers(1, 20 * DAY),
    st.sampled_from([None, WORKDAYS]),
)
def test_it_fires_every_instant_of_the_range_and_no_other(
    schedule, start, length, calendar
) -> None:
    end = min(start + length, NOW)
    expected = []
    fire = fire_after(schedule, start - 1, calendar)
    while fire is not None and fire < end:
        expected.append(fire)
        fire = fire_after(schedule, fire, calendar)
    if expected:
        assert fired(planned(schedule, start, end, calendar=calendar), calendar) == expected
    else:
        with pytest.raises(InvalidSchedule, match="has no instant"):
            planned(schedule, start, end, calendar=calendar)


@given(st.integers(1, 19), st.sampled_from(SCHEDULES[:3]))
def test_ranges_that_meet_share_no_instant(days: int, schedule) -> None:
    first, middle, last = NOW - 29 * DAY, NOW - (29 - days) * DAY, NOW - 4 * DAY
    whole = fired(planned(schedule, first, last))
    parts = [at for at in whole if at < middle], [at for at in whole if at >= middle]
    for part, bounds in zip(parts, ((first, middle), (middle, last)), strict=True):
        if part:
            assert fired(planned(schedule, *bounds)) == part


def test_a_start_that_nobody_wrote_bounds_nothing() -> None:
    """What a trigger says of the clock on the wall was so before it was submitted."""
    daily = Cron("0 0 12 * * ?", start=NOW - HOUR)
    assert len(fired(planned(daily, NOW - 10 * DAY, NOW, created_at=NOW - HOUR))) == 10
    with pytest.raises(InvalidSchedule, match="has no instant"):
        planned(daily, NOW - 10 * DAY, NOW - HOUR, created_at=NOW - 2 * HOUR)


@pytest.mark.parametrize("schedule", SCHEDULES[:7])
def test_computed_anew_before_its_first_run_it_keeps_to_its_range(schedule) -> None:
    """A calendar was replaced, or there is new time zone data."""
    backfill = planned(schedule, NOW - 25 * DAY, NOW)
    assert recomputed(backfill, None, NOW) == as_accepted(backfill, None) == backfill
    moved = recomputed(backfill, WORKDAYS, NOW)
    assert moved.next_fire == fire_after(schedule, NOW - 25 * DAY - 1, WORKDAYS)


def test_the_same_submission_makes_the_same_trigger() -> None:
    first = planned(SCHEDULES[0], NOW - DAY, NOW)
    assert first == planned(SCHEDULES[0], NOW - DAY, NOW)
    assert (first.group, first.name, first.misfire) == ("BACKFILL", "s1", "IGNORE")
    assert (first.overlap, first.data) == ("buffer_all", {"a": 1})


def test_the_policy_is_that_of_the_backfill() -> None:
    assert planned(SCHEDULES[0], NOW - DAY, NOW, "skip").overlap == "skip"
    alone = replace(JOB, disallow_concurrent=True)
    assert planned(SCHEDULES[0], NOW - DAY, NOW, job=alone).overlap is None
    with pytest.raises(InvalidSchedule, match="disallows concurrent execution"):
        planned(SCHEDULES[0], NOW - DAY, NOW, "skip", job=alone)


def test_it_is_bounded() -> None:
    every_second = Simple(NOW - DAY, 1000)
    bound = MAX_INSTANTS * 1000
    assert len(fired(planned(every_second, NOW - bound, NOW))) == MAX_INSTANTS
    with pytest.raises(InvalidSchedule, match=f"more than {MAX_INSTANTS} instants"):
        planned(every_second, NOW - bound - 1000, NOW)


@pytest.mark.parametrize(
    ("start", "end", "overlap", "reason"),
    [
        (NOW - 5, NOW - 5, None, "ends .* before it has begun"),
        (NOW - 5, NOW + 5, None, "must be of the past"),
        (-5, NOW, None, "must be of the past"),
        (10**18, 10**19, None, "must be of the past"),
        (0, NOW, "wait", "overlap is 'wait'; one of allow_all"),
    ],
)
def test_what_is_no_range_is_refused(start, end, overlap, reason) -> None:
    with pytest.raises(InvalidSchedule, match=reason):
        check_backfill(Backfill("k", start, end, overlap), NOW)
