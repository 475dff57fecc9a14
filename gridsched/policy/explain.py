"""Why a trigger fired, did not, or was late: in sentences, from what is on the grid.

Nothing is guessed: where no record tells the reason, the sentence says so.
"""

from __future__ import annotations

from gridsched.model.firing import Firing
from gridsched.model.trigger import Schedule, Trigger
from gridsched.policy import audit
from gridsched.policy.acquire import retention
from gridsched.policy.calendars import excluded_until
from gridsched.policy.explain_firing import explain_firing
from gridsched.policy.explanation import (
    Moment,
    Part,
    Scene,
    Sentence,
    Sentences,
    Span,
    say,
    why_nobody_claims,
    why_paused,
)
from gridsched.policy.fire_times import fire_after, following
from gridsched.policy.misfire import instruction

_AHEAD = 3
"""How many instants to come are told."""


def explain(scene: Scene) -> tuple[Sentence, ...]:
    """All there is to say of a trigger, or of the instant that is asked about."""
    if scene.firing is not None:
        return (*explain_firing(scene, scene.firing), *_next(scene))
    if scene.instant is not None and scene.trigger is not None:
        return (*_unrecorded(scene, scene.trigger, scene.instant), *_next(scene))
    if scene.trigger is not None:
        return (*_trigger(scene, scene.trigger), *_next(scene), *_last(scene))
    return ()


# A trigger


def _trigger(scene: Scene, trigger: Trigger) -> Sentences:
    return [
        *_state(scene, trigger),
        say(
            "It was accepted, to fire ",
            trigger.accepted or trigger.schedule,
            ".",
            at=trigger.created_at or None,
        ),
        *_shifted(trigger),
        *_due_and_waiting(scene, trigger),
        *_looked_after(scene),
    ]


def _state(scene: Scene, trigger: Trigger) -> Sentences:
    match trigger.state:
        case "PAUSED":
            missed = _is_due(scene, trigger)
            after = f" What it missed meets {instruction(trigger)} then." if missed else ""
            return [say(f"It is paused.{after}"), *why_paused(scene, trigger)]
        case "COMPLETE":
            return [say("It has fired for the last time: its schedule has no instant left.")]
        case "ERROR":
            return [
                say(f"It is in state ERROR and fires no more: {trigger.error}. Schedule it again.")
            ]
        case _ if scene.broken:
            return [say(f"It will not fire: {scene.broken}.")]
        case _:
            return [
                say("It is overdue." if _is_overdue(scene, trigger) else "All is well with it.")
            ]


def _is_due(scene: Scene, trigger: Trigger) -> bool:
    return trigger.next_fire is not None and trigger.next_fire <= scene.now


def _is_overdue(scene: Scene, trigger: Trigger) -> bool:
    return trigger.next_fire is not None and trigger.next_fire < scene.now - scene.rules.look_ahead


def _shifted(trigger: Trigger) -> Sentences:
    if trigger.accepted is None:
        return []
    return [
        say(f"{instruction(trigger)} has started its schedule anew since: ", trigger.schedule, ".")
    ]


def _due_and_waiting(scene: Scene, trigger: Trigger) -> Sentences:
    """Why an instant that is due has not been claimed."""
    at = trigger.next_fire
    if at is None or trigger.state != "NORMAL" or at > scene.now:
        return []
    overdue = say(
        "It has been due for ", Span(scene.now - at), ", and nobody has claimed it.", at=at
    )
    return [overdue, *why_nobody_claims(scene)]


def _looked_after(scene: Scene) -> Sentences:
    if scene.trigger is None or scene.trigger.state != "NORMAL":
        return []
    if scene.owner is None:
        return [say("No node looks after it: none is active.")]
    return [say(f"{scene.owner} looks after it.")]


def _last(scene: Scene) -> Sentences:
    """Its latest record that is due, in full."""
    records = [firing for firing in scene.of_trigger() if firing.scheduled <= scene.now]
    if not records:
        if scene.trigger is not None and scene.trigger.fired:
            return [
                say(f"It has fired {scene.trigger.fired} times; retention has removed the records.")
            ]
        return [say("It has not fired yet.")]
    last = records[-1]
    return [say(f"Its last firing on record, {last.key}:"), *explain_firing(scene, last)]


def _next(scene: Scene) -> Sentences:
    """When it fires next, and what its calendar leaves out before."""
    trigger = scene.trigger
    who = "It" if scene.instant is None else "Its trigger"
    if trigger is None:
        return [say("Its trigger is gone: it was deleted, or went after its last fire.")]
    if trigger.next_fire is None:
        return [say(f"{who} will not fire again.")]
    if trigger.state == "ERROR":
        return []
    found = list(_excluded_before(scene, trigger, trigger.next_fire))
    instants = _to_come(scene, trigger)
    if not instants:
        return [*found, say("Its schedule names no instant after now.")]
    listed: list[Part] = []
    for at in instants:
        listed += [", " if listed else "", Moment(at)]
    fires = "would fire next (it is paused): " if trigger.state == "PAUSED" else "fires next: "
    return [*found, say(f"{who} {fires}", *listed, ".")]


def _to_come(scene: Scene, trigger: Trigger) -> list[int]:
    """The next instants after now that the schedule names."""
    instants: list[int] = []
    at = trigger.next_fire
    runs = trigger.fired - trigger.misfired
    if at is not None and at <= scene.now:
        at = following(trigger, scene.now, runs, scene.calendar)
    while at is not None and len(instants) < _AHEAD:
        instants.append(at)
        at = following(trigger, at, runs + len(instants), scene.calendar)
    return instants


def _excluded_before(scene: Scene, trigger: Trigger, fire: int) -> Sentences:
    if scene.calendar is None:
        return []
    last = trigger.previous_fire if trigger.previous_fire is not None else scene.now
    plain = fire_after(trigger.schedule, max(last, scene.now - 1), None)
    if plain is None or plain >= fire:
        return []
    return [
        say(
            f"Its calendar {trigger.calendar!r} excludes instants before its next, from ",
            Moment(plain),
            " on.",
        )
    ]


# An instant that nothing is recorded of


def _unrecorded(scene: Scene, trigger: Trigger, at: int) -> Sentences:
    covering = _covering(scene, trigger, at)
    if covering is not None:
        return _covered(scene, at, covering)
    if not _is_named(trigger, at, scene):
        return _not_named(scene, trigger, at)
    if trigger.next_fire is None or at < trigger.next_fire:
        return _went_past(scene, trigger, at)
    if at > scene.now:
        return [
            say("It is not due yet, in ", Span(at - scene.now), ".", at=at),
            *([] if trigger.state == "NORMAL" else _state(scene, trigger)),
        ]
    return [
        say("It has been due for ", Span(scene.now - at), ", and nobody has claimed it.", at=at),
        *(why_nobody_claims(scene) if trigger.state == "NORMAL" else _state(scene, trigger)),
    ]


def _covering(scene: Scene, trigger: Trigger, at: int) -> Firing | None:
    """The record of missed instants that has this one in it."""
    return next(
        (
            firing
            for firing in scene.of_trigger()
            if firing.until is not None
            and firing.scheduled < at <= firing.until
            and _is_named(trigger, at, scene)
        ),
        None,
    )


def _covered(scene: Scene, at: int, record: Firing) -> Sentences:
    skipped = record.state == "SKIPPED"
    what = "It was skipped" if skipped else "It had no run of its own"
    return [
        say(f"{what}: it was missed together with others, in one record, {record.key}.", at=at),
        *explain_firing(scene, record),
    ]


def _is_named(trigger: Trigger, at: int, scene: Scene) -> bool:
    if at < trigger.since:
        return False
    return any(fire_after(s, at - 1, scene.calendar) == at for s in _schedules(trigger))


def _schedules(trigger: Trigger) -> tuple[Schedule, ...]:
    return (trigger.schedule,) if trigger.accepted is None else (trigger.schedule, trigger.accepted)


def _not_named(scene: Scene, trigger: Trigger, at: int) -> Sentences:
    """Why the schedule does not name it."""
    schedule = trigger.schedule
    if scene.calendar is not None and fire_after(schedule, at - 1, None) == at:
        until = excluded_until(scene.calendar, at)
        to = [" until ", Moment(until)] if until is not None else [" for ever"]
        return [
            say(f"It did not fire: its calendar {trigger.calendar!r} excludes it", *to, ".", at=at)
        ]
    start, end = getattr(schedule, "start", None), getattr(schedule, "end", None)
    if start is not None and at < start:
        return [
            say("It lies before the schedule's start, ", Moment(start), "."),
            say("The trigger was accepted.", at=trigger.created_at),
        ]
    if end is not None and at >= end:
        return [say("It lies after the schedule's end, ", Moment(end), ".")]
    before, after = _neighbours(scene, trigger, at)
    nearest: list[Part] = []
    if before is not None:
        nearest += [" The one before is ", Moment(before), "."]
    if after is not None:
        nearest += [" The next one is ", Moment(after), "."]
    return [say("Its schedule does not name that instant: ", schedule, ".", *nearest)]


def _neighbours(scene: Scene, trigger: Trigger, at: int) -> tuple[int | None, int | None]:
    """The instants around one that the schedule does not name: before it, the latest on record."""
    before = [f.until or f.scheduled for f in scene.of_trigger() if f.scheduled < at]
    return (before[-1] if before else None), fire_after(trigger.schedule, at, scene.calendar)


def _went_past(scene: Scene, trigger: Trigger, at: int) -> Sentences:
    """The trigger has gone past it: its record is gone, or was never made."""
    judged = audit.audit(
        audit.Seen(
            trigger=trigger,
            firings=tuple(scene.of_trigger()),
            now=scene.now,
            rules=scene.rules,
            retention=_retention(scene),
            calendar=scene.calendar,
            changed_at=scene.changed_at,
        )
    )
    missing = any(u.scheduled <= at <= (u.until or u.scheduled) for u in judged.unaccounted)
    if missing:
        return [
            say(
                "It has no record, though its trigger has gone past it: it is unaccounted for "
                f"(gridsched audit '{trigger.key}').",
                at=at,
            )
        ]
    if at <= scene.changed_at:
        return [
            say(
                "It has no record. Its calendar has changed since, and may have excluded it then.",
                at=at,
            ),
            say(f"Calendar {trigger.calendar!r} was changed.", at=scene.changed_at),
        ]
    if at < judged.since:
        return [
            say(
                "Its record is there no more: retention removes the records of what is over.", at=at
            ),
            say("Every record since then is still there.", at=judged.since),
        ]
    return [say("Its trigger has gone past it.", at=at)]


def _retention(scene: Scene) -> int | None:
    if scene.job is None:
        return scene.rules.retention
    return retention(scene.job, scene.rules.retention)
