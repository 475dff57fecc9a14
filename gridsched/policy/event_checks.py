"""Checks of a job's event triggers before they are accepted: at the facade, at config load, and by
the owner. Every refusal is an InvalidJob that names the event and what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, get_args

from gridsched.errors import InvalidJob
from gridsched.model.events import Delivery, EventTrigger, When
from gridsched.model.http import HttpTask
from gridsched.model.job import Job
from gridsched.model.keys import encode_name
from gridsched.model.retry import check_retry
from gridsched.policy.conditions import check_condition
from gridsched.policy.subscribers import Web, parse_subscriber

NO_MAIL: Final = "this node sends no mail: its settings have no scheduler:smtp (XML) or smtp"


def check_events(job: Job) -> None:
    """InvalidJob, InvalidCondition or InvalidKey where one of them cannot be.

    Says nothing of whether a node sends mail, or allows a subscriber's host.
    """
    if isinstance(job.task, Delivery):
        parse_subscriber(job.task.subscriber)
    names = [trigger.name for trigger in job.events]
    for trigger in job.events:
        check_event(trigger)
        if names.count(trigger.name) > 1:
            raise InvalidJob(f"job {job.key} has two events of the name {trigger.name!r}")


def check_subscribers(job: Job, *, mails: bool, check: Callable[[HttpTask], None]) -> None:
    """InvalidJob, naming the event, where a node could not tell a subscriber: one that sends no mail
    (`mails`), or whose `check` refuses the request."""
    for trigger in job.events:
        for written in trigger.subscribers:
            subscriber = parse_subscriber(written)
            try:
                if isinstance(subscriber, Web):
                    check(HttpTask(subscriber.url, method="POST"))
                elif not mails:
                    raise InvalidJob(f"{written}: {NO_MAIL}")
            except InvalidJob as error:
                raise type(error)(f"event {trigger.name!r}: {error}") from None


def check_event(trigger: EventTrigger) -> None:
    """As `check_events`, of one event trigger by itself."""
    encode_name(trigger.name)
    owner = f"event {trigger.name!r}"
    if trigger.when not in get_args(When):
        raise InvalidJob(f"{owner}: when is {trigger.when!r}; one of {', '.join(get_args(When))}")
    if not trigger.subscribers:
        raise InvalidJob(f"{owner} has no subscriber: nobody would be told")
    if len(set(trigger.subscribers)) < len(trigger.subscribers):
        raise InvalidJob(f"{owner} has one subscriber twice")
    for subscriber in trigger.subscribers:
        try:
            parse_subscriber(subscriber)
        except InvalidJob as error:
            raise InvalidJob(f"{owner}: {error}") from None
    check_retry(trigger.retry, owner)
    check_condition(trigger.condition)
