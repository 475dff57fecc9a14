"""What a run's result makes of its job's event triggers: events, and the jobs that deliver them.

Everything here is named by the run that caused it, so that a run that is judged again, by the node
that takes over from one that died, makes the same events and the same deliveries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from gridsched.model.events import (
    EVENTS_GROUP,
    Delivery,
    Event,
    EventTrigger,
    LastSeen,
)
from gridsched.model.firing import Firing
from gridsched.model.http import HttpTask, ServiceOperation
from gridsched.model.job import Job
from gridsched.model.submission import ScheduleJob, Submission
from gridsched.model.trigger import Once, Trigger

MAX_CONTENT: Final = 100_000
"""Characters of a result that an event carries."""

_NAME_PART: Final = 100


class Decision(NamedTuple):
    """The event triggers that publish, and what is remembered of those that publish on a change."""

    publish: tuple[EventTrigger, ...]
    seen: dict[str, LastSeen]


def decide(
    firing: Firing, held: Sequence[tuple[EventTrigger, bool]], seen: Mapping[str, LastSeen]
) -> Decision:
    """What a run publishes on which the conditions of these event triggers held or not. `seen` is
    what is remembered of its job's."""
    publish: list[EventTrigger] = []
    after = dict(seen)
    for trigger, holds in held:
        if trigger.when == "every":
            if holds:
                publish.append(trigger)
            continue
        made = see(trigger, firing, holds, seen.get(trigger.name))
        if made.publish:
            publish.append(trigger)
        if made.last is not None:
            after[trigger.name] = made.last
    return Decision(tuple(publish), after)


def content_of(job: Job, value: Any) -> Any:
    """What conditions are judged on and events carry: what the run returned; of a response the XML,
    the JSON or the text in it."""
    if isinstance(job.task, HttpTask | ServiceOperation) and isinstance(value, dict):
        return value.get(value.get("media", ""))
    return value


class Seen(NamedTuple):
    """Whether an event is published, and what is remembered; None: what stands there stays."""

    publish: bool
    last: LastSeen | None


def see(trigger: EventTrigger, firing: Firing, holds: bool, last: LastSeen | None) -> Seen:
    """What a run makes of an event trigger that publishes on the change to true.

    Runs are ordered by their scheduled instants, whenever they end: one that ends after a later one
    was seen changes nothing any more. A run that is seen again is compared with the one before it.
    """
    if last is not None and last.condition != trigger.condition:
        last = None
    before = False if last is None else last.holds
    if last is not None:
        if last.firing == firing.key:
            before = last.before
        elif (firing.scheduled, firing.key) < (last.scheduled, last.firing):
            return Seen(False, None)
    seen = LastSeen(firing.key, firing.scheduled, trigger.condition, holds, before)
    return Seen(holds and not before, None if seen == last else seen)


def event_of(trigger: EventTrigger, job: Job, firing: Firing, content: Any, now: int) -> Event:
    """The event of a condition that held on what a run returned."""
    return Event(
        _digest(firing.key, trigger.name),
        trigger.name,
        job.key,
        job.task.operation if isinstance(job.task, ServiceOperation) else "",
        now,
        trigger.condition.text,
        _sendable(content),
    )


def _sendable(content: Any) -> Any:
    """The content, or its first part as text."""
    text = content if isinstance(content, str) else msgspec.json.encode(content).decode()
    return content if len(text) <= MAX_CONTENT else text[:MAX_CONTENT] + "…"


def deliveries(
    publish: Sequence[EventTrigger], job: Job, firing: Firing, content: Any, now: int
) -> list[Submission]:
    """The submissions that tell every subscriber of what is published."""
    return [
        delivery_of(trigger, subscriber, event, firing)
        for trigger in publish
        for event in [event_of(trigger, job, firing, content, now)]
        for subscriber in trigger.subscribers
    ]


def delivery_of(trigger: EventTrigger, subscriber: str, event: Event, firing: Firing) -> Submission:
    """The submission of the job that delivers an event to one subscriber.

    Its trigger is of the instant of the run that caused it: so the delivery has the same firing key
    however often it is submitted, and the ledger remembers it when the submission is forgotten.
    """
    job = Job(
        name=f"{trigger.name[:_NAME_PART]}-{_digest(event.id, subscriber)}",
        group=EVENTS_GROUP,
        task=Delivery(subscriber, event),
        description=f"tells {subscriber} of {event.name} of {event.task}",
        requests_recovery=True,
        retry=trigger.retry,
    )
    once = Trigger(Once(firing.scheduled), name="delivery", group=EVENTS_GROUP, job=job.key)
    return Submission(
        "delivery", job.key, ScheduleJob(job, (once,), unique=True), created_at=event.time
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
