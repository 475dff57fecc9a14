"""The audit, on ledgers made by the policy itself and then spoilt."""

from __future__ import annotations

from datetime import time

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gridsched.model.calendar import DailyCalendar
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.member import LedgerRules, Member
from gridsched.model.trigger import Cron, DailyTimeInterval, Once, Simple, Trigger
from gridsched.policy import transitions
from gridsched.policy.acquire import Acquisition, Destination, acquire
from gridsched.policy.audit import Audited, Seen, audit, common_rules
from gridsched.policy.calendars import ResolvedCalendar
from gridsched.policy.claim import Window, claim
from gridsched.policy.submissions import as_accepted, cancelled_ahead

START = 1_790_000_000_000
HOUR = 3_600_000
RULES = LedgerRules(retention=10 * HOUR)
JOB = Job("m:f", name="j", group="g")


def accepted(schedule, misfire="SMART", by_calendar=None, **fields) -> Trigger:
    written = Trigger(schedule, name="t", job="g/j", misfire=misfire, created_at=START, **fields)
    return as_accepted(written, by_calendar)


def by(now: int) -> Acquisition:
    return Acquisition("a", now, 10_000, RULES.retention)


def gone_on(trigger: Trigger, looks: list[int], calendar=None) -> tuple[Trigger, list[Firing]]:
    """The trigger and its records after a node looked at these times; all runs ended well."""
    made: list[Firing] = []
    for now in looks:
        window = Window(now, now + RULES.look_ahead, RULES.misfire_threshold)
        while (claimed := claim(trigger, window, calendar=calendar)).instants:
            for instant in claimed.instants:
                firing = acquire(
                    trigger.key,
                    trigger,
                    JOB,
                    instant,
                    destination=Destination("a"),
                    acquisition=by(now),
                )
                if not instant.skipped:
                    started = transitions.start(firing, "a", "i", now, 10)
                    firing = transitions.complete(started, now, returned=False)
                made.append(firing)
            trigger = claimed.trigger
    return trigger, made


def judged(trigger: Trigger, firings: list[Firing], now: int, **fields) -> Audited:
    given = {"rules": RULES, "retention": RULES.retention, **fields}
    return audit(Seen(trigger, tuple(firings), now, **given))


schedules = st.one_of(
    st.builds(Once, st.integers(START, START + HOUR)),
    st.builds(Simple, st.just(START), st.integers(5_000, 600_000), st.integers(-1, 30)),
    st.just(Cron("0 0/2 * * * ?", start=START)),
    st.just(DailyTimeInterval(7, "MINUTE", start=START, repeat_count=5)),
)
looks = st.lists(st.integers(START, START + HOUR), min_size=1, max_size=40).map(sorted)
misfires = st.sampled_from(["SMART", "IGNORE"])


@given(schedules, looks, misfires, st.sampled_from([None, 60.0, 900.0]))
def test_what_the_policy_did_is_accounted_for(schedule, looks, misfire, catch_up) -> None:
    trigger, firings = gone_on(accepted(schedule, misfire, catch_up=catch_up), looks)
    found = judged(trigger, firings, looks[-1])
    assert (found.unaccounted, found.notes, found.whole) == ((), (), True)
    tally = found.tally
    assert tally.ran + tally.coalesced + tally.skipped == sum(firing.count for firing in firings)


@given(schedules, looks, misfires, st.data())
def test_every_record_that_is_taken_out_is_missed(schedule, looks, misfire, data) -> None:
    trigger, firings = gone_on(accepted(schedule, misfire), looks)
    if not firings:
        return
    gone = data.draw(st.sampled_from(firings))
    left = [firing for firing in firings if firing is not gone]
    # A record that shifted the schedule takes what follows from it along.
    found = judged(trigger, left, looks[-1])
    assert gone.scheduled in [each.scheduled for each in found.unaccounted]


@given(schedules, looks, misfires, st.integers(1, 10))
def test_what_retention_may_have_removed_is_not_missed(schedule, looks, misfire, kept) -> None:
    trigger, firings = gone_on(accepted(schedule, misfire), looks)
    rules = replace(RULES, kept=kept)
    assert judged(trigger, firings[-kept:], looks[-1], rules=rules).unaccounted == ()
    ages = judged(trigger, firings[-kept:], looks[-1] + 30 * HOUR)
    assert ages.unaccounted == ()


def test_a_record_that_says_something_else_than_the_policy_is_told() -> None:
    trigger, firings = gone_on(accepted(Simple(START, 60_000)), [START, START + HOUR])
    (skipped,) = [firing for firing in firings if firing.state == "SKIPPED"]
    shorter = replace(skipped, count=skipped.count - 1, until=(skipped.until or 0) - 60_000)
    spoilt = [shorter if firing is skipped else firing for firing in firings]
    (found, *_) = judged(trigger, spoilt, START + HOUR).unaccounted
    assert found.scheduled == skipped.scheduled
    assert found.problem.startswith("is recorded as skipped for 59 instant(s) up to 2026-09-21T")


def test_the_next_instant_may_be_cancelled_before_it_is_claimed() -> None:
    trigger, firings = gone_on(accepted(Simple(START, 60_000)), [START])
    ahead = cancelled_ahead(trigger, JOB, "cancelled by request", by(START + 1000))
    found = judged(trigger, [*firings, ahead], START + 2000)
    assert (found.unaccounted, found.tally.cancelled) == ((), 1)


def test_a_run_that_was_skipped_when_it_was_to_start_leaves_its_shift_in_force() -> None:
    trigger, firings = gone_on(
        accepted(Simple(START, 60_000, 20), "RESCHEDULE_NOW_WITH_EXISTING_REPEAT_COUNT"),
        [START, START + 400_500, *range(START + 460_500, START + 900_000, 500)],
    )
    run = firings[1]
    assert run.count > 1
    overlapped = transitions.skip(replace(run, state="ACQUIRED"), START + 401_000, "overlap: …")
    later = [overlapped if firing is run else firing for firing in firings]
    assert judged(trigger, later, START + 900_000).unaccounted == ()


def resolved(first: time, last: time) -> ResolvedCalendar:
    return ResolvedCalendar((DailyCalendar(first, last),))


def test_a_calendar_that_changed_since_says_nothing_of_what_was_before() -> None:
    old, new = resolved(time(0), time(1)), resolved(time(14, 20), time(14, 30))
    trigger = accepted(Simple(START, 60_000), "FIRE_NOW", old, calendar="c")
    trigger, firings = gone_on(trigger, list(range(START, START + 600_000, 500)), old)
    shifted, more = gone_on(trigger, [START + 2_000_000, START + 2_060_000], new)
    changed = START + 700_000
    found = judged(shifted, [*firings, *more], START + 2_060_000, calendar=new, changed_at=changed)
    assert found.unaccounted == ()
    assert found.since > changed
    assert found.notes[0].startswith("calendar 'c' has changed since it was accepted")


def test_a_trigger_that_a_calendar_ended_which_is_no_more_is_not_missed() -> None:
    trigger = accepted(Cron("0 0 * * * ?", start=START), calendar="c")
    ended = replace(trigger, state="COMPLETE", next_fire=None, due=None, finished_at=START + 5)
    now, new = START + HOUR, resolved(time(0), time(1))
    assert judged(ended, [], now, calendar=new, changed_at=START + 9).unaccounted == ()
    assert judged(ended, [], now, calendar=new).unaccounted != ()


def test_another_edition_of_the_time_zone_data_is_not_judged_by() -> None:
    trigger = accepted(Cron("0 0 * * * ?", "Europe/London", start=START), tzdata=190001)
    found = judged(replace(trigger, next_fire=START + 9 * HOUR, tzdata=190001), [], START + HOUR)
    assert (found.unaccounted, found.whole) == ((), False)
    assert "another edition of the time zone data (190001)" in found.notes[0]


def test_the_rules_of_nodes_that_differ_are_taken_with_care() -> None:
    one = Member("a", "i", rules=LedgerRules(look_ahead=2000, retention=10, kept=None))
    other = Member("b", "i", rules=LedgerRules(look_ahead=1000, retention=20, kept=7))
    rules = common_rules([other, one])
    assert (rules.look_ahead, rules.retention, rules.kept) == (2000, 10, 7)
    assert common_rules([]) == LedgerRules()
