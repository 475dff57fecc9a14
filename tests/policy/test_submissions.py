"""What a submission makes of the stores: plans that can be made again."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from schedule_strategies import DAY, HOUR, MINUTE

from gridsched.errors import InvalidJob, InvalidSchedule, NotFound
from gridsched.model.calendar import HolidayCalendar, WeeklyCalendar
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.submission import ScheduleJob, Submission
from gridsched.model.trigger import (
    WHEN_SUBMITTED,
    Cron,
    DailyTimeInterval,
    Once,
    Schedule,
    Simple,
    Trigger,
    TriggerState,
)
from gridsched.model.weekdays import ALL_DAYS
from gridsched.policy.calendars import resolve
from gridsched.policy.misfire import misfired
from gridsched.policy.submissions import (
    SchedulePlan,
    follow,
    left_over,
    pause_trigger,
    plan_schedule,
    recomputed,
    replaced_firing,
    resume_firing,
    resume_trigger,
)

NOW = 20_000 * DAY
JOB = Job("m:f", name="j", group="g")
CALENDARS = {
    "never": WeeklyCalendar(days=ALL_DAYS),
    "weekend": WeeklyCalendar(base="holidays"),
    "holidays": HolidayCalendar(dates=(date(2024, 10, 4),)),
    "loop": WeeklyCalendar(base="loop"),
}


def plan(
    *schedules: Schedule,
    job: Job | None = JOB,
    stored: SchedulePlan | None = None,
    calendar: str = "",
    unique: bool = False,
) -> SchedulePlan:
    triggers = tuple(
        Trigger(schedule, name=f"t{n}", job=JOB.key, calendar=calendar)
        for n, schedule in enumerate(schedules)
    )
    command = ScheduleJob(job, triggers, unique)
    submission = Submission("s1", JOB.key, command, created_at=NOW)
    there = {} if stored is None else {trigger.key: trigger for trigger in stored.triggers}
    return plan_schedule(submission, command, stored and stored.job, there, CALENDARS)


@pytest.mark.parametrize(
    "schedule",
    [Once(WHEN_SUBMITTED), Simple(WHEN_SUBMITTED, 5), Cron("* * * * * ?"), DailyTimeInterval(5)],
)
def test_a_trigger_without_a_start_begins_when_it_is_submitted(schedule: Schedule) -> None:
    (trigger,) = plan(schedule).triggers
    assert trigger.next_fire == trigger.due == NOW
    assert (trigger.state, trigger.submission, trigger.created_at) == ("NORMAL", "s1", NOW)


def test_a_plan_made_again_stores_no_trigger_again() -> None:
    first = plan(Simple(NOW, MINUTE))
    assert plan(Simple(NOW, MINUTE), stored=first).triggers == ()


def test_unique_leaves_what_is_there() -> None:
    first = plan(Simple(NOW, MINUTE))
    other = SchedulePlan(first.job, tuple(replace(t, submission="s0") for t in first.triggers))
    again = plan(Simple(NOW, HOUR), Once(NOW), stored=other, unique=True)
    assert again.job is None
    assert [trigger.name for trigger in again.triggers] == ["t1"]


def test_what_cannot_be_stored_is_refused() -> None:
    with pytest.raises(InvalidJob, match="only a durable job"):
        plan()
    with pytest.raises(NotFound, match="no job g/j"):
        plan(Once(NOW), job=None)
    with pytest.raises(NotFound, match="no calendar 'x'"):
        plan(Once(NOW), calendar="x")
    with pytest.raises(InvalidSchedule, match="chains to itself"):
        plan(Once(NOW), calendar="loop")
    with pytest.raises(InvalidSchedule, match="calendar 'never' excludes it"):
        plan(Simple(NOW, MINUTE), calendar="never")


def test_the_first_fire_is_one_that_the_calendar_and_its_base_include() -> None:
    """The 4th of October 2024 is a Friday, and a holiday."""
    (trigger,) = plan(Simple(NOW, DAY), calendar="weekend").triggers
    assert trigger.next_fire == NOW + 3 * DAY


def test_a_replaced_calendar_gives_another_next_fire() -> None:
    (trigger,) = plan(Simple(NOW, DAY)).triggers
    calendar = resolve("weekend", CALENDARS)
    changed = recomputed(trigger, calendar, NOW)
    assert changed.next_fire == changed.due == NOW + 3 * DAY


def test_a_replaced_calendar_does_not_bring_back_what_the_one_before_left_out() -> None:
    """Nor what lies before an instant that may be claimed at this moment."""
    (weekly,) = plan(Simple(NOW, DAY), calendar="weekend").triggers
    later = NOW + 2 * DAY
    assert recomputed(weekly, None, later).next_fire == NOW
    assert recomputed(weekly, None, later, claimed_until=later + 5).next_fire == later + DAY
    in_time = recomputed(weekly, None, NOW - DAY, claimed_until=NOW - DAY + 5)
    assert in_time.next_fire == NOW
    late = NOW + 5 * DAY
    assert recomputed(weekly, None, late, claimed_until=late + 5).next_fire == weekly.next_fire


def test_a_calendar_replaced_while_its_trigger_is_paused_counts_once_it_is_resumed() -> None:
    (trigger,) = plan(Simple(NOW, DAY)).triggers
    changed = recomputed(pause_trigger(trigger), resolve("weekend", CALENDARS), NOW)
    assert changed.due is None
    resumed = resume_trigger(changed)
    assert (resumed.state, resumed.next_fire, resumed.due) == ("NORMAL", *(NOW + 3 * DAY,) * 2)


def test_a_trigger_whose_calendar_leaves_it_nothing_is_finished_now() -> None:
    (trigger,) = plan(Simple(NOW, DAY)).triggers
    ended = recomputed(trigger, resolve("never", CALENDARS), NOW + 5)
    assert (ended.state, ended.next_fire, ended.due) == ("COMPLETE", None, None)
    assert ended.finished_at == NOW + 5


def test_a_paused_trigger_whose_calendar_leaves_it_nothing_stays_paused() -> None:
    (trigger,) = plan(Simple(NOW, DAY)).triggers
    ended = recomputed(pause_trigger(trigger), resolve("never", CALENDARS), NOW + 5)
    assert (ended.state, ended.next_fire, ended.finished_at) == ("PAUSED", None, NOW + 5)
    assert resume_trigger(ended).state == "COMPLETE"


def test_a_trigger_scheduled_again_starts_afresh() -> None:
    written = Trigger(Simple(NOW, MINUTE), name="t", job=JOB.key, data={"a": 1}, misfire="IGNORE")
    over = replace(
        written,
        state="COMPLETE",
        previous_fire=NOW - DAY,
        fired=7,
        misfired=2,
        error="it was broken",
        finished_at=NOW - DAY,
    )

    def accepted(trigger: Trigger) -> Trigger:
        command = ScheduleJob(JOB, (trigger,))
        submission = Submission("s2", JOB.key, command, created_at=NOW)
        return plan_schedule(submission, command, JOB, {over.key: over}, {}).triggers[0]

    assert accepted(over) == accepted(written)
    assert (accepted(over).data, accepted(over).misfire) == ({"a": 1}, "IGNORE")


@given(st.integers(0, 10 * DAY))
def test_a_resumed_trigger_is_as_it_was(at: int) -> None:
    (trigger,) = plan(Simple(NOW + at, MINUTE)).triggers
    assert pause_trigger(trigger).due is None
    assert resume_trigger(pause_trigger(trigger)) == trigger


def test_a_parked_firing_that_is_late_meets_the_misfire_instruction() -> None:
    firing = Firing("k", NOW, state="PAUSED")
    endless, finite = Trigger(Simple(NOW, MINUTE)), Trigger(Simple(NOW, MINUTE, 5))
    late = NOW + HOUR
    assert resume_firing(firing, endless, late, MINUTE).state == "SKIPPED"
    assert resume_firing(firing, finite, late, MINUTE).state == "ACQUIRED"
    assert resume_firing(firing, endless, NOW, MINUTE).state == "ACQUIRED"


@pytest.mark.parametrize(("late", "is_skipped"), [(MINUTE - 1, False), (MINUTE, True)])
def test_a_parked_firing_is_late_when_a_trigger_would_be(late: int, is_skipped: bool) -> None:
    firing = Firing("k", NOW, state="PAUSED")
    endless = Trigger(Simple(NOW, MINUTE), next_fire=NOW)
    resumed = resume_firing(firing, endless, NOW + late, MINUTE)
    assert (resumed.state == "SKIPPED") == is_skipped
    assert misfired(endless, NOW + late, MINUTE) == is_skipped


def test_what_is_claimed_follows_what_its_trigger_has_become() -> None:
    (claimed,) = plan(Simple(NOW, MINUTE)).triggers
    firing = Firing("k", NOW + HOUR)
    again = replace(claimed, submission="s2", schedule=Simple(NOW, 2 * MINUTE))
    other = replace(again, schedule=Simple(NOW + 1, MINUTE))
    shifted = replace(other, accepted=claimed.schedule)
    assert follow(firing, claimed, None, NOW).error == "its trigger was removed"
    assert follow(firing, claimed, pause_trigger(again), NOW).state == "PAUSED"
    for by_now in (other, pause_trigger(other)):
        assert follow(firing, claimed, by_now, NOW).error == "its trigger was replaced"
    for named in (claimed, again, shifted, replace(other, submission=claimed.submission)):
        assert follow(firing, claimed, named, NOW) == firing


def test_what_is_replaced_leaves_nothing_to_come_but_what_was_due_or_has_run() -> None:
    (trigger,) = plan(Simple(NOW, MINUTE)).triggers
    ahead = Firing("k", trigger.created_at + 1)
    assert replaced_firing(ahead, trigger, NOW).error == "its trigger was replaced"
    assert replaced_firing(replace(ahead, state="PAUSED"), trigger, NOW).state == "CANCELLED"
    shifted = replace(trigger, accepted=Simple(ahead.scheduled, MINUTE))
    assert replaced_firing(ahead, shifted, NOW) == ahead
    for stays in (
        replace(ahead, scheduled=trigger.created_at + MINUTE),
        replace(ahead, scheduled=trigger.created_at - 1),
        replace(ahead, attempt=2),
        replace(ahead, suspended=True),
        replace(ahead, state="EXECUTING"),
        replace(ahead, state="COMPLETE"),
    ):
        assert replaced_firing(stays, trigger, NOW) == stays


def test_what_may_be_the_triggers_own_is_left_over_only_for_certain() -> None:
    (trigger,) = plan(Simple(NOW, MINUTE)).triggers
    ahead = Firing("k", trigger.created_at + 1)
    assert left_over(ahead, trigger, NOW).error == "its trigger was replaced"
    assert left_over(replace(ahead, scheduled=NOW + HOUR), trigger, NOW).state == "ACQUIRED"
    for unsure in (replace(trigger, accepted=Simple(NOW, HOUR)), replace(trigger, tzdata=1)):
        assert left_over(ahead, unsure, NOW) is ahead


@pytest.mark.parametrize("state", ["NORMAL", "PAUSED"])
def test_what_is_claimed_goes_where_another_calendar_leaves_it_out_and_nobody_counted_it(
    state: TriggerState,
) -> None:
    (claimed,) = plan(Simple(NOW, MINUTE)).triggers
    firing = Firing("k", NOW)
    left_out = replace(claimed, next_fire=NOW + MINUTE, state=state)
    assert follow(firing, claimed, left_out, NOW) is None
    assert follow(firing, claimed, replace(left_out, next_fire=None, state="COMPLETE"), NOW) is None
    assert follow(firing, claimed, replace(left_out, fired=1), NOW) is not None
    assert follow(firing, claimed, replace(left_out, next_fire=NOW), NOW) is not None
    for had in (replace(firing, state="COMPLETE"), replace(firing, state="CANCELLED")):
        assert follow(had, claimed, left_out, NOW) is had
