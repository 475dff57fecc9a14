"""Events of startup jobs, and the server that takes their mail."""

from __future__ import annotations

import pytest
from config_documents import (
    ALLOWED,
    DURABLE,
    NAMED,
    TARGET,
    document,
    loaded,
    of_service,
    refused,
    settings,
)

from gridsched.config.smtp import Smtp
from gridsched.model.events import DELIVERY_RETRY, Condition, EventTrigger
from gridsched.model.retry import Retry

SMTP = (
    "<scheduler:smtp><scheduler:host>smtp.example</scheduler:host>"
    "<scheduler:sender>gridsched@shop.example</scheduler:sender></scheduler:smtp>"
)
NAME = "<scheduler:eventname>low</scheduler:eventname>"
CONDITION = "<scheduler:condition>//quantity &lt; 10</scheduler:condition>"
TO = "<scheduler:subscriber>mailto:ops@shop.example</scheduler:subscriber>"


def of_event(inner: str, service: str = SMTP) -> str:
    """The event begins in line 3, and `inner` in line 4."""
    allowed = ALLOWED.replace(
        "</scheduler:schedulerservice>", f"{service}</scheduler:schedulerservice>"
    )
    return document(
        f"{allowed}<scheduler:jobs><scheduler:job>{NAMED}{TARGET}{DURABLE}<scheduler:events>\n"
        f"<scheduler:event>\n{inner}\n</scheduler:event></scheduler:events></scheduler:job></scheduler:jobs>"
    )


def the_event(inner: str) -> EventTrigger:
    return settings(of_event(inner)).jobs[0].job.events[0]


def test_an_event_as_it_is_by_default() -> None:
    condition = Condition("//quantity < 10", "xpath")
    expected = EventTrigger("low", condition, ("mailto:ops@shop.example",), "every", DELIVERY_RETRY)
    assert the_event(NAME + CONDITION + TO) == expected


def test_everything_that_an_event_may_have() -> None:
    event = the_event(
        NAME
        + "<scheduler:condition language='xpath'>//s:quantity &lt; 10</scheduler:condition>"
        + "<scheduler:namespace prefix='s'>urn:shop</scheduler:namespace>"
        + TO
        + "<scheduler:subscriber>https://shop.example/hook</scheduler:subscriber>"
        + "<scheduler:when>change</scheduler:when>"
        + "<scheduler:retry><scheduler:attempts>3</scheduler:attempts></scheduler:retry>"
    )
    assert event.condition == Condition("//s:quantity < 10", "xpath", {"s": "urn:shop"})
    assert event.subscribers == ("mailto:ops@shop.example", "https://shop.example/hook")
    assert (event.when, event.retry) == ("change", Retry(3))


@pytest.mark.parametrize(
    ("inner", "line", "parts"),
    [
        (CONDITION + TO, 3, ("scheduler:event has no scheduler:eventname",)),
        (NAME + TO, 3, ("has no scheduler:condition",)),
        (NAME + CONDITION, 3, ("has no scheduler:subscriber",)),
        (
            NAME + TO + "\n<scheduler:condition>//a[</scheduler:condition>",
            5,
            ("scheduler:condition: condition '//a['", "at character 5"),
        ),
        (
            NAME + TO + "\n<scheduler:condition language='sql'>1</scheduler:condition>",
            5,
            ("language 'sql' is not known; one of xpath, jmespath, expression",),
        ),
        (
            NAME + CONDITION + "\n<scheduler:subscriber>mailto:ops</scheduler:subscriber>",
            5,
            ("'ops' is no email address: it has no @",),
        ),
        (
            NAME + CONDITION + "\n<scheduler:subscriber>shop.example</scheduler:subscriber>",
            5,
            ("neither mailto:…, http://… nor https://…",),
        ),
        (NAME + CONDITION + TO + "\n<scheduler:when>now</scheduler:when>", 5, ("every, change",)),
        (
            NAME + CONDITION + TO + "\n<scheduler:namespace>urn:x</scheduler:namespace>",
            5,
            ("the attribute prefix is missing",),
        ),
    ],
)
def test_what_is_wrong_with_an_event_is_said_with_its_line(
    inner: str, line: int, parts: tuple[str, ...]
) -> None:
    refused(of_event(inner), line, *parts)


def test_an_event_that_this_node_cannot_deliver_is_refused() -> None:
    refused(of_event(NAME + CONDITION + TO, ""), 2, "event 'low'", "this node sends no mail")
    to = "<scheduler:subscriber>http://10.0.0.1/hook</scheduler:subscriber>"
    refused(of_event(NAME + CONDITION + to), 2, "event 'low'", "10.0.0.1")


def test_the_mail_server() -> None:
    assert settings(of_service(SMTP)).smtp == Smtp(
        host="smtp.example", sender="gridsched@shop.example"
    )
    assert loaded(of_service("")).settings.smtp is None
    more = (
        "<scheduler:port>2525</scheduler:port><scheduler:security>tls</scheduler:security>"
        "<scheduler:username>me</scheduler:username>"
        "<scheduler:password>${env:SMTP_PASSWORD}</scheduler:password>"
        "<scheduler:timeout>3S</scheduler:timeout></scheduler:smtp>"
    )
    smtp = settings(of_service(SMTP.replace("</scheduler:smtp>", more))).smtp
    assert smtp is not None
    assert (smtp.port, smtp.security, smtp.timeout) == (2525, "tls", 3.0)
    assert (smtp.username, smtp.password) == ("me", "${env:SMTP_PASSWORD}")


def test_a_password_in_the_file_is_refused_with_its_line() -> None:
    wrong = SMTP.replace(
        "</scheduler:smtp>",
        "<scheduler:username>me</scheduler:username><scheduler:password>hunter2</scheduler:password>"
        "</scheduler:smtp>",
    )
    refused(of_service(wrong), 3, "a password is not written here")
