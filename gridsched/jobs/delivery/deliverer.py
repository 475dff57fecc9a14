"""Tells subscribers of events, each in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridsched.config.smtp import Smtp
from gridsched.errors import DeliveryFailed, InvalidJob
from gridsched.jobs.context import JobContext
from gridsched.jobs.delivery.mail import Mailer
from gridsched.jobs.delivery.post import request_of
from gridsched.jobs.http.sender import HttpSender
from gridsched.model.events import Delivery
from gridsched.model.http import HttpTask
from gridsched.model.job import Job
from gridsched.policy.subscribers import Mail, parse_subscriber

_NO_SMTP = "this node sends no mail: its settings have no scheduler:smtp (XML) or smtp"


class Deliverer:
    """Delivers by what the node's settings allow: mail where they name a server, requests to hosts of
    the allow-list."""

    def __init__(self, smtp: Smtp | None, sender: HttpSender, environ: Mapping[str, str]) -> None:
        self._mailer = None if smtp is None else Mailer(smtp, environ)
        self._sender = sender

    def check(self, job: Job) -> None:
        """InvalidJob, naming the event, where this node could not tell one of its subscribers."""
        for trigger in job.events:
            for written in trigger.subscribers:
                try:
                    self._check(written)
                except InvalidJob as error:
                    raise type(error)(f"event {trigger.name!r}: {error}") from None

    def _check(self, written: str) -> None:
        subscriber = parse_subscriber(written)
        if not isinstance(subscriber, Mail):
            self._sender.check(HttpTask(subscriber.url, method="POST"))
        elif self._mailer is None:
            raise InvalidJob(f"subscriber {written!r}: {_NO_SMTP}")

    def deliver(self, delivery: Delivery, context: JobContext) -> dict[str, Any]:
        """Tell a subscriber, and give what came back. DeliveryFailed or RequestFailed says why it
        could not be told."""
        subscriber = parse_subscriber(delivery.subscriber)
        if not isinstance(subscriber, Mail):
            return self._sender.send(request_of(subscriber.url, delivery.event), context)
        if self._mailer is None:
            raise DeliveryFailed(f"subscriber {delivery.subscriber!r}: {_NO_SMTP}")
        return self._mailer.send(subscriber, delivery.event)
