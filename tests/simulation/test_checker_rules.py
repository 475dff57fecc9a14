"""Every rule of the checker, on histories of a few lines: what breaks it, and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gridsched.model.calendar import CronCalendar
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.retry import Retry
from gridsched.model.trigger import Simple, Trigger
from gridsched.policy.submissions import MANUAL_GROUP
from gridsched.simulation.checker import check
from gridsched.simulation.history import Bounds, Command, History, Record, Run, Trouble

T = 1_790_000_000_000
SECOND = 1000
MINUTE = 60 * SECOND
BOUNDS = Bounds(
    1000, 20 * SECOND, 10 * SECOND, 0, settle=40 * SECOND, lateness=2 * SECOND, threads=2
)
JOB = Job("m:f", name="j", group="g")
KEY = "g/j:n/t"
ACCEPTED = Trigger(
    Simple(T, MINUTE, 2), name="t", group="n", job="g/j", due=T, next_fire=T, created_at=T
)
OVER = replace(
    ACCEPTED,
    state="COMPLETE",
    due=None,
    next_fire=None,
    previous_fire=T + 2 * MINUTE,
    fired=3,
    finished_at=T + 2 * MINUTE,
)


def fired(instant: int, **fields: Any) -> Firing:
    """The record of an instant that ran."""
    ran = Firing(
        KEY,
        instant,
        "COMPLETE",
        job="g/j",
        member="a",
        acquired_at=instant,
        started_at=instant,
        finished_at=instant + SECOND,
    )
    return replace(ran, **fields)


def a_run(instant: int, attempt: int = 1, host: str = "a#1", **fields: Any) -> Run:
    at = fields.pop("started", instant)
    ends = {"ended": at + SECOND, "outcome": "ok", **fields}
    return Run(f"{KEY}@{instant}", "g/j", attempt, host, at, **ends)


def command(
    kind: Any, sent: int, key: str = KEY, answer: Any = "accepted", **fields: Any
) -> Command:
    return Command(kind, key, sent, sent + 100, answer, **fields)


INSTANTS = (T, T + MINUTE, T + 2 * MINUTE)


class Told:
    """A history in which three instants ran as they should; tests put something else into it."""

    def __init__(self) -> None:
        self.job = JOB
        self.firings = {instant: fired(instant) for instant in INSTANTS}
        self.runs = [a_run(instant) for instant in INSTANTS]
        self.commands = [command("schedule", T - 200, job=JOB, trigger=ACCEPTED)]
        self.troubles: list[Trouble] = []
        self.trigger: Trigger | None = OVER
        self.locks: dict[str, str] = {}
        self.unanswered: dict[str, int] = {}
        self.failures: tuple[str, ...] = ()
        self.calm_since = T + 5 * MINUTE
        self.bounds = BOUNDS

    def broken(self) -> list[tuple[str, str, str]]:
        record = Record(lambda: 0, self.runs, self.commands, self.troubles)
        triggers = {KEY: self.trigger} if self.trigger else {}
        history = History(
            record,
            list(self.firings.values()),
            triggers,
            {"g/j": self.job},
            self.locks,
            self.unanswered,
            self.calm_since,
            T + 10 * MINUTE,
            self.bounds,
            self.failures,
        )
        return [tuple(violation) for violation in check(history)]

    def rules(self) -> list[str]:
        return [rule for rule, _, _ in self.broken()]


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_history_in_which_all_is_well_breaks_no_rule(told: Told) -> None:
    assert told.broken() == []


# accounted


def test_an_instant_without_a_record(told: Told) -> None:
    del told.firings[T + MINUTE]
    del told.runs[1]
    found = told.broken()
    assert ("accounted", f"{KEY}@{T + MINUTE}") in [(rule, key) for rule, key, _ in found]
    assert any("has no record, and its trigger has gone on" in problem for *_, problem in found)


def test_a_record_that_the_schedule_does_not_name(told: Told) -> None:
    told.firings[T + 7] = fired(T + 7)
    told.runs.append(a_run(T + 7))
    assert [problem for *_, problem in told.broken()] == [
        "is recorded, but the schedule does not name it"
    ]


def test_a_decision_that_is_not_the_policys(told: Told) -> None:
    told.firings[T + MINUTE] = fired(T + MINUTE, state="SKIPPED", acquired_at=T + 9 * MINUTE)
    del told.runs[1]
    assert told.rules() == ["accounted"]
    assert "where the policy answers" in told.broken()[0][2]


def test_a_trigger_that_is_gone_though_nobody_deleted_it(told: Told) -> None:
    told.trigger = None
    assert ("accounted", KEY, "was accepted, and is gone") in told.broken()
    told.commands.append(command("delete", T + 3 * MINUTE, answer="unknown"))
    assert told.broken() == []


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ("COMPLETE", "is COMPLETE, but no run of it ended well"),
        ("FAILED", "is FAILED, but no run of it failed"),
        ("LOST", "is LOST, but its host was well"),
    ],
)
def test_a_record_that_says_it_ran_has_its_run(told: Told, state: Any, problem: str) -> None:
    told.firings[T] = fired(T, state=state)
    del told.runs[0]
    assert told.broken() == [("accounted", f"{KEY}@{T}", problem)]


def test_what_ran_is_not_skipped_and_has_a_record(told: Told) -> None:
    told.runs.append(a_run(T + 5))
    assert told.broken() == [("accounted", f"{KEY}@{T + 5}", "ran, and has no record")]


def test_what_is_cancelled_was_to_be(told: Told) -> None:
    told.firings[T] = fired(T, state="CANCELLED")
    del told.runs[0]
    problem = "is CANCELLED, but nobody asked for that"
    assert told.broken() == [("accounted", f"{KEY}@{T}", problem)]
    told.commands.append(command("cancel", T - 50, f"{KEY}@{T}", answer="unknown"))
    assert told.broken() == []
    told.commands[-1] = command("cancel", T - 50, f"{KEY}@{T + MINUTE}")
    assert told.rules() == ["accounted"]
    told.job = replace(JOB, overlap="cancel_other")
    assert told.broken() == []


def test_a_run_on_a_host_that_died_is_lost(told: Told) -> None:
    told.firings[T] = fired(T, state="LOST")
    told.runs[0] = a_run(T, ended=None, outcome=None)
    told.troubles.append(Trouble("crash", "a", T + 1, T + SECOND))
    assert told.broken() == []


def test_data_that_runs_leave_is_counted_once_each(told: Told) -> None:
    told.job = replace(JOB, persist_data=True, disallow_concurrent=True, data={"count": 3})
    assert told.broken() == []
    told.job = replace(told.job, data={"count": 2})
    assert told.rules() == ["accounted"]


def test_while_a_calendar_is_changed_either_of_the_two_may_decide(told: Told) -> None:
    leaves_out = CronCalendar("0 1 0 ? * *")
    told.trigger = replace(OVER, calendar="c")
    told.commands = [
        command("schedule", T - 200, job=JOB, trigger=replace(ACCEPTED, calendar="c")),
        command("calendar", T - 300, "c", calendar=leaves_out),
    ]
    assert told.broken() == []
    skipping = CronCalendar(f"{(T // 1000) % 60} * * * * ?")  # excludes every instant of it
    told.commands[1] = command("calendar", T - 300, "c", calendar=skipping)
    assert "accounted" in told.rules()
    told.commands.append(command("calendar", T - 250, "c", calendar=leaves_out))
    assert told.broken() == []


# twice


def test_a_second_run(told: Told) -> None:
    told.runs.insert(1, a_run(T, started=T + 2 * SECOND, host="b#1"))
    assert told.rules() == ["twice"]
    told.runs[1].attempt = 2
    assert told.rules() == ["twice"]


def test_a_second_run_by_retry(told: Told) -> None:
    told.job = replace(JOB, retry=Retry(3, 1.0))
    told.runs[0] = a_run(T, outcome="failed")
    told.runs.insert(1, a_run(T, 2, started=T + 5 * SECOND))
    told.firings[T] = fired(T, attempt=2)
    assert told.broken() == []
    told.runs[0] = a_run(T, outcome="ok")
    assert told.rules() == ["twice"]


def test_a_second_run_by_recovery_from_a_host_that_was_in_trouble(told: Told) -> None:
    told.job = replace(JOB, requests_recovery=True)
    told.runs[0] = a_run(T, ended=None, outcome=None)
    told.runs.insert(1, a_run(T, 2, "b#1", started=T + 30 * SECOND))
    told.firings[T] = fired(T, attempt=2, member="b")
    assert told.rules() == ["twice"]
    told.troubles.append(Trouble("stall", "a", T + 1, T + 25 * SECOND))
    assert told.broken() == []
    told.job = JOB
    assert told.rules() == ["twice"]


def test_a_run_that_goes_on_after_it_yielded(told: Told) -> None:
    told.runs[0] = a_run(T, outcome="yielded")
    told.runs.insert(1, a_run(T, started=T + 3 * SECOND))
    assert told.broken() == []


# overlap


def test_runs_of_a_job_that_disallows_concurrency(told: Told) -> None:
    told.runs[0] = a_run(T, ended=T + MINUTE + 1)
    assert told.broken() == []
    told.job = replace(JOB, disallow_concurrent=True)
    assert told.rules() == ["overlap"]
    told.troubles.append(Trouble("cut", "a", T + 1, T + MINUTE))
    assert told.broken() == []


# started


def test_nothing_starts_after_an_acknowledged_pause(told: Told) -> None:
    told.commands.append(command("pause", T + MINUTE - 10 * SECOND))
    assert told.rules() == ["started", "started"]
    told.commands.append(command("resume", T + MINUTE - 5 * SECOND))
    assert told.broken() == []


@pytest.mark.parametrize("key", ["g/j", "n"])
def test_a_pause_of_its_job_or_group_counts(told: Told, key: str) -> None:
    kind = "pause_group" if key == "n" else "pause"
    told.commands.append(command(kind, T + MINUTE + 1, key))
    assert told.rules() == ["started"]
    told.commands[-1] = told.commands[-1]._replace(answer="unknown")
    assert told.broken() == []


def test_an_attempt_before_the_last_may_have_begun_as_long_before_as_a_call_takes(
    told: Told,
) -> None:
    told.job = replace(JOB, retry=Retry(3, 1.0))
    paused = T + MINUTE - SECOND
    told.runs[1] = a_run(T + MINUTE, outcome="failed")
    told.runs.insert(2, a_run(T + MINUTE, 2, started=T + MINUTE + 5 * SECOND))
    told.firings[T + MINUTE] = fired(T + MINUTE, attempt=2, started_at=T + MINUTE + 5 * SECOND)
    told.commands.append(command("pause", paused - 100))
    told.commands.append(command("resume", T + MINUTE + 1))
    assert told.rules() == ["started"]
    told.bounds = BOUNDS._replace(call=3 * SECOND)
    assert told.broken() == []


def test_so_may_a_run_that_yielded(told: Told) -> None:
    again = T + MINUTE + 5 * SECOND
    told.runs[1] = a_run(T + MINUTE, outcome="yielded")
    told.runs.insert(2, a_run(T + MINUTE, started=again))
    told.firings[T + MINUTE] = fired(T + MINUTE, started_at=again)
    told.commands.append(command("pause", T + MINUTE - SECOND - 100))
    told.commands.append(command("resume", T + MINUTE + 1))
    assert told.rules() == ["started"]
    told.bounds = BOUNDS._replace(call=3 * SECOND)
    assert told.broken() == []


def test_a_frozen_host_may_start_what_it_held(told: Told) -> None:
    told.commands.append(command("pause", T + MINUTE + 1))
    told.troubles.append(Trouble("stall", "a", T + MINUTE, T + 3 * MINUTE))
    assert told.broken() == []


def test_what_is_recorded_as_started_may_enter_its_function_after_a_pause(told: Told) -> None:
    told.runs[1].started += 2 * SECOND
    told.commands.append(command("pause", T + MINUTE + SECOND))
    told.runs[2:], told.firings = [], {at: told.firings[at] for at in INSTANTS[:2]}
    told.trigger = replace(OVER, state="PAUSED", fired=2, next_fire=INSTANTS[2], finished_at=None)
    assert told.broken() == []
    told.firings[INSTANTS[1]] = fired(INSTANTS[1], started_at=T + MINUTE + 2 * SECOND)
    assert told.rules() == ["started"]


def test_a_paused_job_is_fired_by_hand_but_not_a_deleted_one(told: Told) -> None:
    at = T + 3 * MINUTE
    manual = f"g/j:{MANUAL_GROUP}/x"
    told.firings[at] = replace(fired(at), trigger=manual)
    told.runs.append(Run(f"{manual}@{at}", "g/j", 1, "a#1", at, at + 1, "ok"))
    told.commands.append(command("pause", at - 10 * SECOND, "g/j"))
    assert told.broken() == []
    told.commands[-1] = command("delete", at - 10 * SECOND, "g/j")
    assert told.rules() == ["started"]
    told.commands[-1] = command("pause", at + 1, "g/j")
    told.runs[-1].started += SECOND
    told.firings[at] = replace(told.firings[at], started_at=at + SECOND)
    assert told.rules() == ["started"], "fired before the pause, and started after it"


# a trigger that was replaced

REPLACED_AT = T + MINUTE + 30 * SECOND
FIRST_NEW = T + 5 * MINUTE


@pytest.fixture
def replaced(told: Told) -> Told:
    """After two of its instants the trigger was given another schedule, of which two have run."""
    schedule = Simple(FIRST_NEW, MINUTE, 1)
    new = replace(
        ACCEPTED,
        schedule=schedule,
        misfire="IGNORE",
        next_fire=FIRST_NEW,
        due=FIRST_NEW,
        created_at=REPLACED_AT,
    )
    old = replace(ACCEPTED, created_at=T - 200)
    told.commands = [
        command("schedule", T - 200, job=JOB, trigger=old),
        command("replace", REPLACED_AT, trigger=new),
    ]
    last = FIRST_NEW + MINUTE
    told.trigger = replace(
        new, state="COMPLETE", due=None, next_fire=None, previous_fire=last, fired=2
    )
    instants = (T, T + MINUTE, FIRST_NEW, last)
    told.firings = {instant: fired(instant) for instant in instants}
    told.runs = [a_run(instant) for instant in instants]
    return told


def test_each_schedule_has_its_records(replaced: Told) -> None:
    assert replaced.broken() == []
    gone = replaced.firings.pop(FIRST_NEW)
    del replaced.runs[2]
    assert set(replaced.rules()) == {"accounted"}
    replaced.firings[FIRST_NEW] = gone
    replaced.runs.insert(2, a_run(FIRST_NEW))
    del replaced.firings[T], replaced.runs[0]
    assert replaced.broken() == [
        ("accounted", f"{KEY}@{T + MINUTE}", "is recorded, but the schedule does not name it")
    ]


def test_a_record_is_held_against_the_schedule_it_was_claimed_by(replaced: Told) -> None:
    at = FIRST_NEW + 7
    replaced.firings[at] = fired(at, state="CANCELLED")
    assert replaced.rules() == ["accounted"]
    replaced.firings[at] = fired(at, state="CANCELLED", acquired_at=REPLACED_AT + SECOND)
    assert replaced.broken() == [], "it may have been claimed by either, as far as the time tells"
    replaced.firings[T] = fired(T, until=T + SECOND, count=2)
    assert [key for _, key, _ in replaced.broken()] == [f"{KEY}@{T}"]


def test_a_replacement_that_was_not_answered_may_have_been_applied_late(replaced: Told) -> None:
    replaced.commands[-1] = replaced.commands[-1]._replace(answer="unknown", trigger=None)
    assert replaced.broken() == []
    del replaced.firings[FIRST_NEW + MINUTE], replaced.runs[3]
    assert replaced.rules() == ["accounted"], "it is the one that is stored"


def test_what_only_the_old_schedule_names_does_not_start(replaced: Told) -> None:
    at = T + 2 * MINUTE
    replaced.firings[at] = fired(at, acquired_at=REPLACED_AT - SECOND)
    replaced.runs.insert(2, a_run(at))
    assert replaced.rules() == ["started"]
    replaced.commands.append(command("replace", at - 10 * SECOND, answer="unknown"))
    assert "started" not in replaced.rules(), "which may have named it"
    del replaced.commands[-1]
    replaced.runs[2].attempt = 2
    replaced.firings[at] = fired(at, acquired_at=REPLACED_AT - SECOND, attempt=2)
    assert replaced.broken() == [], "it had run before"


def test_a_schedule_that_has_misfired_may_name_what_it_did_not(replaced: Told) -> None:
    new = replaced.commands[-1].trigger
    assert new is not None
    early = Simple(REPLACED_AT, 2 * SECOND, 1)
    shifting = replace(new, schedule=early, misfire="FIRE_NOW")
    replaced.commands[-1] = replaced.commands[-1]._replace(trigger=shifting)
    for seconds, rules in ((19, ["started"]), (21, [])):
        at = REPLACED_AT + seconds * SECOND
        replaced.runs[2] = a_run(at)
        replaced.firings[at] = fired(at, acquired_at=REPLACED_AT)
        assert [rule for rule in replaced.rules() if rule == "started"] == rules


def test_what_was_due_before_starts_late(replaced: Told) -> None:
    replaced.runs[1].started = REPLACED_AT + 10 * SECOND
    replaced.runs[1].ended = REPLACED_AT + 11 * SECOND
    replaced.firings[T + MINUTE] = fired(T + MINUTE, started_at=REPLACED_AT + 10 * SECOND)
    assert replaced.broken() == []


def test_what_is_left_of_the_old_schedule_is_cancelled(replaced: Told) -> None:
    at = T + 2 * MINUTE
    left = fired(at, acquired_at=REPLACED_AT - SECOND, state="PAUSED", finished_at=None)
    replaced.firings[at] = left
    replaced.trigger = replace(
        replaced.commands[-1].trigger or ACCEPTED, state="PAUSED", due=None, next_fire=FIRST_NEW
    )
    for instant in (FIRST_NEW, FIRST_NEW + MINUTE):
        del replaced.firings[instant]
    del replaced.runs[2:]
    problem = "is still PAUSED, though its trigger was replaced"
    assert replaced.broken() == [("stuck", f"{KEY}@{at}", problem)]
    replaced.firings[at] = replace(left, attempt=2)
    assert replaced.broken() == []
    replaced.firings[at] = replace(left, state="CANCELLED", finished_at=REPLACED_AT)
    assert replaced.broken() == []


def test_what_the_new_schedule_names_or_was_due_before_is_not_cancelled(replaced: Told) -> None:
    for run, at in enumerate((T + MINUTE, FIRST_NEW)):
        run_of_it = replaced.runs.pop(1 + run)
        replaced.firings[at] = fired(at, state="CANCELLED")
        problem = "is CANCELLED, but nobody asked for that"
        assert replaced.broken() == [("accounted", f"{KEY}@{at}", problem)]
        replaced.firings[at] = fired(at)
        replaced.runs.insert(1 + run, run_of_it)


def test_a_trigger_is_resumed_when_it_is_replaced_but_not_in_a_paused_group(replaced: Told) -> None:
    replaced.commands.insert(1, command("pause", REPLACED_AT - 10 * SECOND))
    assert replaced.broken() == []
    replaced.commands[1] = command("pause_group", REPLACED_AT - 10 * SECOND, "n")
    assert replaced.rules() == ["started", "started"]


# late, stuck, defect


def test_what_starts_late_once_the_faults_are_over(told: Told) -> None:
    told.runs[2] = a_run(T + 2 * MINUTE, started=T + 2 * MINUTE + 3 * SECOND)
    assert told.broken() == [], "not all was calm"
    told.calm_since = T
    assert told.rules() == ["late"]


@pytest.mark.parametrize("state", ["ACQUIRED", "REJECTED", "EXECUTING", "PAUSED"])
def test_what_is_still_unfinished_at_the_end(told: Told, state: Any) -> None:
    told.firings[T] = fired(T, state=state, finished_at=None)
    del told.runs[0]
    assert told.rules() == ["stuck"]


def test_what_still_runs_or_waits_for_a_busy_job_is_not_stuck(told: Told) -> None:
    told.firings[T] = fired(T, state="EXECUTING", finished_at=None)
    told.runs[0] = a_run(T, ended=None, outcome=None)
    assert told.broken() == []
    told.job = replace(JOB, disallow_concurrent=True)
    told.firings[T + MINUTE] = fired(T + MINUTE, state="ACQUIRED", finished_at=None)
    told.firings[T + 2 * MINUTE] = fired(T + 2 * MINUTE, state="ACQUIRED", finished_at=None)
    del told.runs[1:]
    told.locks = {"g/j": f"{KEY}@{T}"}
    assert told.broken() == []
    told.locks = {}
    assert told.rules() == ["stuck", "stuck"]


def test_locks_submissions_and_triggers_that_nobody_looks_after(told: Told) -> None:
    told.locks = {"g/j": f"{KEY}@{T}"}
    told.unanswered = {"g/j:submission/x": T}
    assert [problem for *_, problem in told.broken()] == [
        f"is locked by {KEY}@{T}, which is over",
        "was submitted, and no node has answered it",
    ]
    told.commands.append(command("cancel", T + 1, f"{KEY}@{T}"))
    told.unanswered = {}
    for ended, problems in ((T + 9 * MINUTE, 1), (T + 10 * MINUTE - SECOND, 0)):
        told.firings[T] = fired(T, state="CANCELLED", finished_at=ended)
        assert len(told.broken()) == problems, "its host has a moment to end its run"
    told.locks, told.unanswered = {}, {"g/j:submission/x": T + 10 * MINUTE - 1}
    assert told.broken() == [], "it has just been submitted"
    del told.firings[T + 2 * MINUTE], told.runs[2]
    due = T + 2 * MINUTE
    told.trigger = replace(OVER, state="NORMAL", due=due, next_fire=due, previous_fire=T + MINUTE)
    told.trigger = replace(told.trigger, fired=2, finished_at=None)
    assert told.broken() == [("stuck", KEY, f"was due at {due}, and nobody claimed it")]


def test_what_was_discarded_counts_as_it_was_and_goes(told: Told) -> None:
    at = T + MINUTE
    gone = told.firings.pop(at)
    key = f"{KEY}@{at}"
    assert told.rules() != []
    told.commands.append(command("discard", at + 2 * SECOND, key, firing=gone))
    assert told.broken() == []
    told.runs.insert(2, a_run(at, started=at + 5 * SECOND))
    assert told.rules() == ["twice"]
    del told.runs[2]
    told.firings[at] = gone
    assert told.broken() == [("stuck", key, "was discarded, and is still there")]
    told.commands[-1] = command("discard", T + 8 * MINUTE, key, firing=gone)
    assert told.broken() == []
    del told.firings[at]
    told.commands[-1] = told.commands[-1]._replace(answer="rejected")
    assert told.rules() != []


def test_a_defect_of_a_node_breaks_a_rule(told: Told) -> None:
    told.failures = ("a step failed",)
    assert told.broken() == [("defect", "", "a step failed")]
