"""Claims: every instant once, under names that do not depend on who claims and when."""

from __future__ import annotations

from datetime import time
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from schedule_strategies import DAY, HOUR, MINUTE

from gridsched.model.calendar import DailyCalendar, WeeklyCalendar
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.trigger import (
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Misfire,
    Once,
    Schedule,
    Simple,
    Trigger,
)
from gridsched.policy.acquire import Acquisition, Destination, acquire
from gridsched.policy.calendars import ResolvedCalendar
from gridsched.policy.claim import MAX_COUNTED, Claim, Instant, Window, adopt, claim
from gridsched.policy.fire_times import fire_after, first_fire
from gridsched.policy.misfire import OUTSIDE_CATCH_UP, MisfireAction, action, instructions, oldest
from gridsched.policy.transitions import waits

THRESHOLD = MINUTE
START = 20_000 * DAY
WORKDAYS = ResolvedCalendar((WeeklyCalendar(),))

SCHEDULES: list[Schedule] = [
    Once(START),
    Simple(START, 7 * MINUTE),
    Simple(START, 7 * MINUTE, 50),
    Simple(START, 7 * MINUTE, end=START + 5 * HOUR),
    Cron("0 0/5 * * * ?", start=START),
    CalendarInterval(START, 11, "MINUTE", end=START + DAY),
    DailyTimeInterval(10, "MINUTE", start=START, end=START + DAY),
]


@st.composite
def triggers(draw: st.DrawFn) -> Trigger:
    schedule = draw(st.sampled_from(SCHEDULES))
    misfire = draw(st.sampled_from(instructions(schedule)))
    catch_up = draw(st.none() | st.integers(1, 3 * HOUR // 1000))
    return replace(accepted(schedule, misfire), catch_up=catch_up)


def accepted(schedule: Schedule, misfire: Misfire = "SMART") -> Trigger:
    fire = first_fire(schedule)
    return Trigger(schedule, name="t", job="g/j", misfire=misfire, next_fire=fire, due=fire)


def window(now: int, ahead: int = 1000) -> Window:
    return Window(now, now + ahead, THRESHOLD)


def walked(trigger: Trigger, nows: list[int]) -> tuple[list[Instant], Trigger]:
    """Everything claimed at one instant after another, each until nothing is due."""
    instants: list[Instant] = []
    for now in nows:
        while (claimed := claim(trigger, window(now))).instants:
            instants += claimed.instants
            trigger = claimed.trigger
    return instants, trigger


def covered(schedule: Schedule, instants: list[Instant]) -> list[int]:
    """The instants that these account for, in order: a range stands for all in it."""
    found: list[int] = []
    for instant in instants:
        found.append(instant.scheduled)
        at: int | None = instant.scheduled
        while instant.until is not None and at is not None and at < instant.until:
            at = fire_after(schedule, at)
            assert at is not None
            found.append(at)
    return found


nows = st.lists(st.integers(START, START + 2 * DAY), min_size=1, max_size=6).map(sorted)


@settings(max_examples=200, deadline=None)
@given(triggers(), nows)
def test_every_instant_is_accounted_for_once(trigger: Trigger, nows: list[int]) -> None:
    """Whatever the instants of claiming: what was fired, coalesced and skipped is what there was."""
    instants, after = walked(trigger, nows)
    assert after.fired == sum(instant.count for instant in instants)
    assert after.misfired == sum(i.count - (not i.skipped) for i in instants)
    if action(trigger) is MisfireAction.SHIFT:
        return  # a schedule that starts again has other instants
    found = covered(trigger.schedule, instants)
    assert len(found) == after.fired
    fire, everything = trigger.next_fire, []
    while fire is not None and fire <= nows[-1] + 1000:
        everything.append(fire)
        fire = fire_after(trigger.schedule, fire)
    assert found == everything
    assert after.next_fire == fire or trigger.misfire.startswith("RESCHEDULE_NEXT")


@settings(max_examples=200, deadline=None)
@given(triggers(), nows)
def test_a_trigger_that_has_ended_is_not_looked_at_again(trigger: Trigger, nows: list[int]) -> None:
    _, after = walked(trigger, nows)
    assert after.due == after.next_fire
    assert (
        (after.state == "COMPLETE") == (after.next_fire is None) == (after.finished_at is not None)
    )


@given(triggers(), nows)
def test_the_first_name_depends_on_the_record_alone(trigger: Trigger, nows: list[int]) -> None:
    """Two nodes that claim at different instants meet at the same firing key."""
    names = {claim(trigger, window(now)).instants[0].scheduled for now in nows}
    assert names == {trigger.next_fire}


@given(triggers(), st.integers(START, START + DAY), st.integers(0, DAY))
def test_what_another_node_decided_is_adopted(trigger: Trigger, now: int, later: int) -> None:
    """It made the firing and died; whoever comes later stores the trigger that it would have."""
    first = claim(trigger, window(now), most=1)
    firing = made(trigger, first.instants[0], now)
    assert adopt(trigger, firing, window(now + later)) == first.trigger


def test_a_firing_of_an_older_trigger_of_that_name_advances_it_by_one() -> None:
    trigger = accepted(Simple(START, MINUTE))
    firing = made(trigger, Instant(START, START + 3 * MINUTE, 4), START)
    assert adopt(trigger, firing, window(START + DAY)).next_fire == START + 4 * MINUTE


def made(trigger: Trigger, instant: Instant, now: int) -> Firing:
    acquisition = Acquisition("n1", now, 5000)
    return acquire(
        "k", trigger, Job("m:f"), instant, destination=Destination("n2"), acquisition=acquisition
    )


def test_a_long_outage_of_an_endless_simple_trigger_is_one_range() -> None:
    trigger = accepted(Simple(START, 1000), "RESCHEDULE_NEXT_WITH_REMAINING_COUNT")
    claimed = claim(trigger, window(START + DAY))
    reason = "skipped by RESCHEDULE_NEXT_WITH_REMAINING_COUNT"
    assert claimed.instants == (Instant(START, START + DAY, 86_401, skipped=True, reason=reason),)
    assert claimed.trigger.next_fire == START + DAY + 1000


def test_a_long_outage_of_a_cron_trigger_is_ranges_of_which_the_last_runs() -> None:
    trigger = accepted(Cron("* * * * * ?", start=START))
    instants, after = walked(trigger, [START + HOUR])
    ranges, rest = instants[:4], instants[4:]
    assert [r.skipped for r in ranges] == [True, True, True, False]
    assert [r.count for r in ranges] == [MAX_COUNTED] * 3 + [601]
    assert [r.scheduled for r in rest] == [START + HOUR + 1000]
    assert after.misfired == 3600


def test_ignore_fires_every_missed_instant_in_batches() -> None:
    trigger = accepted(Simple(START, 1000, 99), "IGNORE")
    sizes = []
    while (claimed := claim(trigger, window(START + DAY))).instants:
        sizes.append(len(claimed.instants))
        trigger = claimed.trigger
    assert sizes == [64, 36]
    assert trigger.misfired == 0


def test_a_shifted_schedule_goes_on_from_now() -> None:
    trigger = accepted(Simple(START, HOUR, 9))
    now = START + 5 * HOUR // 2
    claimed = claim(trigger, window(now))
    assert claimed.instants == (Instant(START, START + 2 * HOUR, 3),)
    assert claimed.trigger.schedule == Simple(now, HOUR, 9)
    assert claimed.trigger.next_fire == now + HOUR
    assert claimed.trigger.previous_fire == now


def test_repeats_of_a_daily_time_interval_count_runs_only() -> None:
    trigger = accepted(DailyTimeInterval(1, "HOUR", start=START, repeat_count=2))
    instants, after = walked(trigger, [START, START + 5 * HOUR + 2 * MINUTE, START + 9 * HOUR])
    assert [(i.count, i.skipped) for i in instants] == [(1, False), (5, False), (3 + 1, False)]
    assert after.state == "COMPLETE"
    assert claim(after, window(START + DAY)) == Claim((), after)


def test_in_time_the_repeats_end_in_the_middle_of_a_claim() -> None:
    trigger = accepted(DailyTimeInterval(1, "SECOND", start=START, repeat_count=2))
    claimed = claim(trigger, window(START, ahead=10_000))
    assert [i.scheduled - START for i in claimed.instants] == [0, 1000, 2000]
    assert claimed.trigger.state == "COMPLETE"


@given(st.integers(START, START + 10 * DAY), st.sampled_from(get_args(Misfire)))
def test_no_excluded_instant_is_claimed(now: int, misfire: Any) -> None:
    schedule = CalendarInterval(START, 3, "HOUR") if misfire == "SMART" else Simple(START, 3 * HOUR)
    if misfire not in instructions(schedule):
        return
    trigger = replace(accepted(schedule, misfire), next_fire=first_fire(schedule, WORKDAYS))
    while (claimed := claim(trigger, window(now), calendar=WORKDAYS)).instants:
        for instant in claimed.instants:
            assert (
                fire_after(trigger.schedule, instant.scheduled - 1, WORKDAYS) == instant.scheduled
            )
        trigger = claimed.trigger
    if trigger.next_fire is not None and action(trigger) is not MisfireAction.SHIFT:
        assert fire_after(trigger.schedule, trigger.next_fire - 1, WORKDAYS) == trigger.next_fire


@given(triggers(), st.integers(START, START + DAY))
def test_nothing_older_than_the_catch_up_window_runs(trigger: Trigger, now: int) -> None:
    instants, _ = walked(trigger, [now])
    limit = oldest(trigger, now)
    for instant in instants:
        assert instant.skipped or (instant.until or instant.scheduled) >= limit
        if instant.reason == OUTSIDE_CATCH_UP:
            assert (instant.until or instant.scheduled) < limit


def test_the_catch_up_window_leaves_the_rest_to_the_misfire_instruction() -> None:
    trigger = replace(accepted(Simple(START, MINUTE), "IGNORE"), catch_up=3 * 60)
    instants, after = walked(trigger, [START + HOUR])
    assert instants[0] == Instant(
        START,
        START + 56 * MINUTE,
        57,
        skipped=True,
        reason="older than the trigger's catch-up window",
    )
    assert [i.scheduled for i in instants[1:]] == [START + m * MINUTE for m in (57, 58, 59, 60)]
    assert (after.fired, after.misfired) == (61, 57)


@given(st.integers(START, START + DAY), st.integers(0, DAY))
def test_jitter_is_a_function_of_the_key_alone(now: int, later: int) -> None:
    trigger = replace(accepted(Simple(START, MINUTE)), jitter=600)
    first, second = (made(trigger, Instant(START), at) for at in (now, now + later))
    assert first.fire_at == second.fire_at
    assert START <= (first.fire_at or START) < START + 600_000


def test_jitter_spreads_triggers_of_one_schedule() -> None:
    trigger = replace(accepted(Simple(START, MINUTE)), jitter=60)
    acquisition = Acquisition("n1", START - 1000, 5000)
    moved = sorted(
        (f.fire_at or 0) - START
        for n in range(1000)
        for f in [
            acquire(
                f"k{n}",
                trigger,
                Job("m:f"),
                Instant(START),
                destination=Destination("m"),
                acquisition=acquisition,
            )
        ]
    )
    assert (moved[0], moved[-1]) < (1000, 60_000)
    assert all(abs(moved[n] - 60 * n) < 4000 for n in range(1000))


def test_what_jitter_moves_far_is_sent_when_its_time_comes() -> None:
    trigger = replace(accepted(Simple(START, MINUTE)), jitter=3600)
    firing = made(trigger, Instant(START), START - 1000)
    assert firing.due == firing.fire_at
    assert firing.member == ""
    assert waits(firing)
    near = made(replace(trigger, jitter=1), Instant(START), START - 1000)
    assert (near.member, near.due) == ("n2", (near.fire_at or 0) + 5000)
    assert not waits(near)


def test_a_trigger_that_a_calendar_leaves_no_fires_ends() -> None:
    nights = ResolvedCalendar((DailyCalendar(starting=time(6), ending=time(20)),))
    trigger = accepted(Simple(START + 5 * HOUR, DAY))
    assert claim(trigger, window(START + 5 * HOUR), calendar=nights).trigger.state == "NORMAL"
    noons = Trigger(Simple(START + 12 * HOUR, DAY), next_fire=START + 12 * HOUR)
    assert claim(noons, window(START + 12 * HOUR), calendar=nights).trigger.state == "COMPLETE"
