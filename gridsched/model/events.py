"""Event triggers: a condition on what a job's run returned, and who is told when it holds."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from gridsched.model.retry import Retry

EVENTS_GROUP: Final = "EVENTS"
"""The group of the one-off jobs that deliver events."""

DELIVERY_RETRY: Final = Retry(300, delay=1.0, backoff=2.0, max_delay=300.0)
"""How long a subscriber may be down: after 1 s, 2 s, 4 s … and then every 5 minutes, for a day."""

ConditionLanguage = Literal["xpath", "jmespath", "expression"]
When = Literal["every", "change"]


class Condition(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What must hold of a result: XPath 1.0 on XML, JMESPath on JSON, or a restricted Python
    expression on `result`.

    namespaces  the URIs of the prefixes that an XPath uses
    """

    text: str
    language: ConditionLanguage = "xpath"
    namespaces: dict[str, str] = {}


class EventTrigger(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An event that a job publishes when its condition holds on what a run returned.

    subscribers  who is told: "mailto:…", "http://…" or "https://…"
    when         "every" run on which it holds, or on the "change" from one where it did not
    retry        of each delivery
    """

    name: str
    condition: Condition
    subscribers: tuple[str, ...]
    when: When = "every"
    retry: Retry = DELIVERY_RETRY


class Event(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What happened, as its subscribers are told.

    id         of this event, the same at every delivery of it
    name       of its event trigger
    task       key of the job
    operation  of the data service that the job calls; "" for any other job
    time       when the condition was found to hold (epoch ms)
    condition  its text
    content    what the run returned (JSON); its first part as text where it is too long to send
    """

    id: str
    name: str
    task: str
    operation: str
    time: int
    condition: str
    content: Any = None


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="delivery"):
    """The task of a job that tells one subscriber of one event."""

    subscriber: str
    event: Event


class LastSeen(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the latest run of a job made of one event trigger's condition.

    firing, scheduled  that run; runs are ordered by their scheduled instants
    holds              on that run
    before             on the run before it, as that one is asked again where its node died
    condition          which one: another is another question
    """

    firing: str
    scheduled: int
    condition: Condition
    holds: bool = False
    before: bool = False


class JobEvents(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What is remembered of a job's event triggers, by their names."""

    job: str
    seen: dict[str, LastSeen] = {}
