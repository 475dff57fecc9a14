"""Answers rows of an oracle table: JSON lines of inputs on stdin, JSON lines of answers on stdout.

    python tests/oracle/adapter.py TABLE

Each table is one function from a row's inputs to its answers, by calls of gridsched's public policy
functions and nothing else. Quartz answered with its own way of taking clock changes, so every
answer asks for that. `oracle_values` says how Quartz's triggers, calendars and questions are put as
ours where the two mean different things: ends of daily triggers, edges of days, next included times.
Zones have the rules that they had for Quartz (`oracle_zones`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from oracle_values import calendar_of, quartz_after, quartz_next, schedule_of, with_quartz_end
from oracle_zones import zone_then

from gridsched.errors import InvalidCron
from gridsched.model.trigger import DailyTimeInterval, Simple, Trigger
from gridsched.policy import cron, localtime
from gridsched.policy.calendars import ResolvedCalendar, included
from gridsched.policy.claim import Window, claim
from gridsched.policy.completion import execution_complete
from gridsched.policy.cron_parse import parse
from gridsched.policy.final_fire import final_fire
from gridsched.policy.fire_times import fire_after, first_fire
from gridsched.policy.localtime import QUARTZ
from gridsched.policy.misfire import AfterMisfire, after_misfire, apply_misfire

Row = dict[str, Any]


def _cron_fires(row: Row) -> list[int]:
    expression = parse(row["expr"])
    fires: list[int] = []
    at: int | None = row["start"]
    while len(fires) < row["n"]:
        at = cron.next_fire(expression, row["zone"], at, QUARTZ)
        if at is None:
            break
        fires.append(at)
    return fires


def answer_cron(row: Row) -> Row:
    return {"fires": _cron_fires(row)}


def answer_cron_invalid(row: Row) -> Row:
    try:
        return {"valid": True, "fires": _cron_fires(row)}
    except InvalidCron:
        return {"valid": False, "fires": None}


def _scheduled(trigger: Row, calendar: ResolvedCalendar | None) -> Trigger:
    """A trigger that has just been accepted."""
    schedule = with_quartz_end(schedule_of(trigger))
    return Trigger(schedule, next_fire=first_fire(schedule, calendar))


def _triggered(trigger: Trigger, calendar: ResolvedCalendar | None) -> Trigger:
    """The trigger after its next instant was claimed, in time."""
    assert trigger.next_fire is not None
    window = Window(trigger.next_fire, trigger.next_fire, 60_000)
    return claim(trigger, window, 1, calendar).trigger


def _fires(trigger: Trigger, calendar: ResolvedCalendar | None) -> Iterator[int]:
    while trigger.next_fire is not None:
        yield trigger.next_fire
        trigger = _triggered(trigger, calendar)


def _first(count: int, fires: Iterator[int]) -> list[int]:
    return [fire for _, fire in zip(range(count), fires, strict=False)]


def answer_schedule(row: Row) -> Row:
    trigger, schedule = _scheduled(row, None), schedule_of(row)
    questions = [quartz_after(schedule, after) for after in row["after"]]
    return {
        "fires": _first(row["n"], _fires(trigger, None)),
        "fire_after": [fire_after(trigger.schedule, after) for after in questions],
        "final": final_fire(schedule),
    }


def answer_misfire(row: Row) -> Row:
    calendar = calendar_of(row["calendar"])
    before = row["before"]
    trigger = Trigger(
        schedule_of(row["trigger"]),
        misfire=row["instruction_name"].removesuffix("_POLICY").removesuffix("_MISFIRE"),
        next_fire=before["nextFireTime"],
        previous_fire=before["previousFireTime"],
        fired=row["fired"],
    )
    after = after_misfire(trigger, row["now"], calendar)
    goes_on = Trigger(after.schedule, next_fire=after.next_fire, fired=after.times_triggered)
    applied = apply_misfire(trigger, row["now"], row["threshold"], calendar)
    next_fire = trigger.next_fire if applied is None else applied.next_fire
    return {
        "after": _state(row, after),
        "then": _following(goes_on, calendar, 5),
        "applied": {
            "misfired": applied is not None and next_fire != trigger.next_fire,
            "state": "COMPLETE" if next_fire is None else "WAITING",
            "nextFireTime": next_fire,
        },
    }


def _state(row: Row, after: AfterMisfire) -> Row:
    schedule = after.schedule
    counts = row["before"]["timesTriggered"] is not None
    repeats = isinstance(schedule, Simple | DailyTimeInterval)
    return {
        "nextFireTime": after.next_fire,
        "previousFireTime": row["before"]["previousFireTime"],
        "startTime": schedule.start,
        "timesTriggered": after.times_triggered if counts else None,
        "repeatCount": schedule.repeat_count if repeats else None,
    }


def _following(trigger: Trigger, calendar: ResolvedCalendar | None, count: int) -> list[Any]:
    """The next fires past the present one, with a last None where there are no more."""
    fires: list[int | None] = []
    while trigger.next_fire is not None and len(fires) < count:
        trigger = _triggered(trigger, calendar)
        fires.append(trigger.next_fire)
    return fires


def answer_calendars(row: Row) -> Row:
    calendar = calendar_of(row["calendar"])
    if row["query"] == "trigger":
        return {"fires": _first(row["n"], _fires(_scheduled(row["trigger"], calendar), calendar))}
    assert calendar is not None
    return {
        "included": [included(calendar, instant) for instant in row["instants"]],
        "next": [quartz_next(row["calendar"], instant) for instant in row["instants"]]
        if row["ask_next"]
        else None,
    }


def answer_after_fire(row: Row) -> Row:
    calendar = calendar_of(row["calendar"])
    result = row["job_result"]
    request = None if result in ("ok", "exception") else result
    trigger = _scheduled(row["trigger"], calendar)
    first, steps = trigger.next_fire, []
    while trigger.next_fire is not None and len(steps) < row["n"]:
        trigger = _triggered(trigger, calendar)
        step = {
            "fired": trigger.previous_fire,
            "next": trigger.next_fire,
            "timesTriggered": None if row["trigger"]["kind"] == "cron" else trigger.fired,
            "mayFireAgain": trigger.next_fire is not None,
            "instruction": execution_complete(trigger, request),
        }
        steps.append(step)
    return {"first": first, "may_fire_at_first": first is not None, "steps": steps}


ANSWERS: dict[str, Callable[[Row], Row]] = {
    "cron": answer_cron,
    "cron_invalid": answer_cron_invalid,
    "simple": answer_schedule,
    "calendar_interval": answer_schedule,
    "daily_time_interval": answer_schedule,
    "misfire": answer_misfire,
    "calendars": answer_calendars,
    "after_fire": answer_after_fire,
}


def main() -> None:
    table = sys.argv[1] if len(sys.argv) == 2 else ""
    if table not in ANSWERS:
        sys.exit(f"usage: adapter.py TABLE, where TABLE is one of: {', '.join(sorted(ANSWERS))}")
    localtime.zone = zone_then
    for line in sys.stdin:
        try:
            answer = ANSWERS[table](json.loads(line))
        except Exception as error:  # one bad row must not hide the others
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
