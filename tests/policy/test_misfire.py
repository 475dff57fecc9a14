"""Misfire: each instruction of each kind, as Quartz's users know them."""

from __future__ import annotations

from typing import get_args

import pytest

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
from gridsched.policy.misfire import (
    MisfireAction,
    action,
    after_misfire,
    apply_misfire,
    instructions,
    misfired,
)

FINITE = Simple(1000, 100, 20)
FOREVER = Simple(1000, 100)
SINGLE = Simple(1000, 0, 0)


def missed(schedule: Schedule, misfire: Misfire, fired: int = 0) -> Trigger:
    return Trigger(schedule, misfire=misfire, next_fire=1000 + fired * 100, fired=fired)


@pytest.mark.parametrize(
    ("schedule", "smart"),
    [
        (Once(1000), MisfireAction.FIRE_ONCE),
        (SINGLE, MisfireAction.FIRE_ONCE),
        (FINITE, MisfireAction.SHIFT),
        (FOREVER, MisfireAction.SKIP),
        (Cron("0 * * * * ?"), MisfireAction.FIRE_ONCE),
        (CalendarInterval(1000, 1), MisfireAction.FIRE_ONCE),
        (DailyTimeInterval(1), MisfireAction.FIRE_ONCE),
    ],
)
def test_what_smart_means(schedule: Schedule, smart: MisfireAction) -> None:
    assert action(Trigger(schedule)) is smart
    assert action(Trigger(schedule, misfire="IGNORE")) is MisfireAction.FIRE_ALL


def test_every_instruction_is_of_some_kind() -> None:
    known = {*instructions(FINITE), *instructions(Cron("0 * * * * ?"))}
    assert known == set(get_args(Misfire))


@pytest.mark.parametrize("misfire", ["FIRE_NOW", "RESCHEDULE_NOW_WITH_REMAINING_REPEAT_COUNT"])
def test_now_with_remaining_count_gives_up_what_was_missed(misfire: Misfire) -> None:
    """Fired 4 of 21, missed 1400 to 1900: 11 repeats are left, from now on."""
    after = after_misfire(missed(FINITE, misfire, 4), 1950)
    assert after == (Simple(1950, 100, 11), 1950, 0)


@pytest.mark.parametrize("misfire", ["SMART", "RESCHEDULE_NOW_WITH_EXISTING_REPEAT_COUNT"])
def test_now_with_existing_count_makes_up_for_what_was_missed(misfire: Misfire) -> None:
    after = after_misfire(missed(FINITE, misfire, 4), 1950)
    assert after == (Simple(1950, 100, 16), 1950, 0)


@pytest.mark.parametrize(
    ("misfire", "triggered"),
    [
        ("RESCHEDULE_NEXT_WITH_REMAINING_COUNT", 10),
        ("RESCHEDULE_NEXT_WITH_EXISTING_COUNT", 4),
    ],
)
def test_next_goes_on_after_now(misfire: Misfire, triggered: int) -> None:
    assert after_misfire(missed(FINITE, misfire, 4), 1950) == (FINITE, 2000, triggered)


def test_past_its_end_a_rescheduled_trigger_has_ended() -> None:
    ended = Simple(1000, 100, 20, 1900)
    after = after_misfire(missed(ended, "RESCHEDULE_NOW_WITH_EXISTING_REPEAT_COUNT"), 1950)
    assert after.next_fire is None


def test_past_its_end_a_single_run_is_still_made() -> None:
    for schedule in (Cron("0 * * * * ?", end=1900), CalendarInterval(1000, 1, end=1900)):
        assert after_misfire(missed(schedule, "FIRE_ONCE_NOW"), 1950).next_fire == 1950


def test_do_nothing_goes_on_after_now() -> None:
    trigger = missed(Cron("0 * * * * ?"), "DO_NOTHING")
    assert after_misfire(trigger, 61_000).next_fire == 120_000


def test_a_single_instant_takes_every_instruction_of_simple() -> None:
    for misfire in instructions(Once(1000)):
        after = after_misfire(missed(Once(1000), misfire), 1950)
        skips = misfire.startswith("RESCHEDULE_NEXT")
        assert after.next_fire == (None if skips else 1000 if misfire == "IGNORE" else 1950)


def test_within_the_threshold_nothing_is_decided() -> None:
    trigger = missed(FINITE, "SMART")
    assert not misfired(trigger, 1059, 60)
    assert misfired(trigger, 1060, 60)
    assert apply_misfire(trigger, 1059, 60) is None
    assert apply_misfire(missed(FINITE, "IGNORE"), 1060, 60) is None
