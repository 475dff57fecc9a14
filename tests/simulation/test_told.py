"""The rule `events` on histories made by hand: what it finds, and what it lets pass."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from gridsched import event, expression
from gridsched.model.events import EventTrigger
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.keys import firing_key, trigger_key
from gridsched.model.retry import Retry
from gridsched.policy.events import deliveries
from gridsched.simulation.facts import Facts
from gridsched.simulation.history import Bounds, Command, History, Record, Run
from gridsched.simulation.told import told

LOW = event("low", expression("result < 3"), "mailto:ops@shop.example", retry=Retry(2))
CHANGE = replace(LOW, when="change")
TRIGGER = trigger_key("DEFAULT/stock", "DEFAULT", "t")
BOUNDS = Bounds(5000, 20_000, 10_000, skew=0, settle=40_000, lateness=5000, threads=2)
CALM, END = 100_000, 500_000


def ran(at: int, value: Any, *published: str, **fields: Any) -> tuple[Firing, Run]:
    """A run for an instant, which ends a second later."""
    firing = Firing(
        TRIGGER,
        at,
        **{"state": "COMPLETE", "job": "DEFAULT/stock", "finished_at": at + 1000, **fields},
        events=published,
    )
    return firing, Run(firing.key, firing.job, firing.attempt, "a#1", at, at + 1000, "ok", value)


def delivery(cause: Firing, state: str = "COMPLETE", attempt: int = 1) -> Firing:
    (made,) = deliveries((LOW,), stock(LOW), cause, 0, 0)
    key = trigger_key(made.job, "EVENTS", "delivery")
    return Firing(key, cause.scheduled, state=state, job=made.job, attempt=attempt)  # type: ignore[arg-type]


def stock(trigger: EventTrigger) -> Job:
    return Job("shop:stock", name="stock", events=(trigger,))


def problems(
    trigger: EventTrigger,
    *of_runs: tuple[Firing, Run],
    also: tuple[Firing, ...] = (),
    late: int = 0,
    commands: tuple[Command, ...] = (),
) -> list[str]:
    record = Record(lambda: END, commands=list(commands))
    record.runs += [run for _, run in of_runs]
    for firing in also:
        started = firing.scheduled + 1500 + late
        record.runs.append(
            Run(firing_key(firing.trigger, firing.scheduled), firing.job, 1, "b#1", started)
        )
    job = stock(trigger)
    history = History(
        record,
        [*(firing for firing, _ in of_runs), *also],
        {},
        {job.key: job},
        {},
        {},
        CALM,
        END,
        BOUNDS,
    )
    return [violation.problem for violation in told(Facts(history))]


def test_what_is_published_and_delivered_is_well() -> None:
    low, high = ran(200_000, 2, "low"), ran(210_000, 7)
    assert problems(LOW, low, high, also=(delivery(low[0]),)) == []


def test_what_met_its_condition_and_is_not_published_is_found() -> None:
    assert problems(LOW, ran(200_000, 2)) == ["low is not published on 2"]


def test_what_met_no_condition_and_is_published_or_told_of_is_found() -> None:
    high = ran(200_000, 7, "low")
    assert problems(LOW, high, also=(delivery(high[0]),)) == [
        "low is published on 7",
        "tells of what met no condition",
    ]


def test_a_delivery_is_there_before_long() -> None:
    low, last = ran(200_000, 2, "low"), ran(END - 20_000, 2, "low")
    (problem,) = problems(LOW, low, last)
    assert problem.endswith("which tells of low, is not there")
    assert "is 9500 ms late" in problems(LOW, low, also=(delivery(low[0]),), late=9000)[0]


def test_a_delivery_may_wait_for_a_host_that_tells_as_many_as_it_can() -> None:
    low = ran(200_000, 2, "low")
    hung = [
        Run(f"EVENTS/hung:EVENTS/delivery@{n}", "EVENTS/hung", 1, "b#1", 195_000, 210_000)
        for n in range(2)
    ]
    of_runs = [low, *((low[0], run) for run in hung)]
    assert problems(LOW, *of_runs, also=(delivery(low[0]),), late=9000) == []
    assert problems(LOW, *of_runs[:2], also=(delivery(low[0]),), late=9000) != []


def test_a_delivery_is_given_up_after_its_last_attempt_and_never_lost() -> None:
    low = ran(200_000, 2, "low")
    assert problems(LOW, low, also=(delivery(low[0], "FAILED", 2),)) == []
    for state, problem in (("FAILED", "is given up after attempt 1"), ("LOST", "is LOST")):
        assert problem in problems(LOW, low, also=(delivery(low[0], state),))[0]


def test_a_user_may_cancel_a_delivery() -> None:
    low = ran(10_000, 2, "low")
    stopped = delivery(low[0], "CANCELLED")
    assert len(problems(LOW, low, also=(stopped,))) == 1
    cancel = Command("cancel", stopped.key, 11_000, 11_001, "unknown")
    assert problems(LOW, low, also=(stopped,), commands=(cancel,)) == []
    refused = cancel._replace(answer="rejected")
    assert len(problems(LOW, low, also=(stopped,), commands=(refused,))) == 1


def test_a_run_whose_end_is_not_recorded_may_have_been_told_of() -> None:
    lost = ran(200_000, 2, state="LOST")
    assert problems(LOW, lost) == []
    assert problems(LOW, lost, also=(delivery(lost[0]),)) == []


def test_what_no_condition_can_be_judged_on_is_told_to_nobody() -> None:
    odd = ran(200_000, "many")
    assert problems(LOW, odd) == []
    assert problems(LOW, odd, also=(delivery(odd[0]),)) == ["tells of what met no condition"]


def test_on_a_change_the_run_before_counts() -> None:
    high, low, lower = ran(200_000, 7), ran(210_000, 2, "low"), ran(220_000, 1)
    assert problems(CHANGE, high, low, lower, also=(delivery(low[0]),)) == []
    assert problems(CHANGE, high, ran(210_000, 2)) == ["low is not published on 2"]
    again = ran(220_000, 1, "low")
    known = (delivery(low[0]), delivery(again[0]))
    assert "low is published on 1" in problems(CHANGE, high, low, again, also=known)


def test_on_a_change_of_runs_that_overlap_either_may_be_told_of() -> None:
    high, low = ran(200_000, 7), ran(200_500, 2)
    assert problems(CHANGE, high, low) == []
    told_of = ran(200_500, 2, "low")
    assert problems(CHANGE, high, told_of, also=(delivery(told_of[0]),)) == []
