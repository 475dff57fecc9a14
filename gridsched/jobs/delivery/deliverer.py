"""Tells subscribers of events, each in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridsched.config.smtp import Smtp
from gridsched.errors import DeliveryFailed
from gridsched.jobs.context import JobContext
from gridsched.jobs.delivery.mail import Mailer
from gridsched.jobs.delivery.post import request_of
from gridsched.jobs.http.sender import HttpSender
from gridsched.model.events import Delivery
from gridsched.model.job import Job
from gridsched.policy.event_checks import NO_MAIL, check_subscribers
from gridsched.policy.subscribers import Mail, parse_subscriber


class Deliverer:
    """Delivers by what the node's settings allow: mail where they name a server, requests to hosts of
    the allow-list."""

    def __init__(self, smtp: Smtp | None, sender: HttpSender, environ: Mapping[str, str]) -> None:
        self._mailer = None if smtp is None else Mailer(smtp, environ)
        self._sender = sender

    def check(self, job: Job) -> None:
        """InvalidJob, naming the event, where this node could not tell one of its subscribers."""
        check_subscribers(job, mails=self._mailer is not None, check=self._sender.check)

    def deliver(self, delivery: Delivery, context: JobContext) -> dict[str, Any]:
        """Tell a subscriber, and give what came back. DeliveryFailed or RequestFailed says why it
        could not be told."""
        subscriber = parse_subscriber(delivery.subscriber)
        if not isinstance(subscriber, Mail):
            return self._sender.send(request_of(subscriber.url, delivery.event), context)
        if self._mailer is None:
            raise DeliveryFailed(NO_MAIL)
        return self._mailer.send(subscriber, delivery.event)
