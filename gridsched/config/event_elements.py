"""`scheduler:events` of a job, and `scheduler:smtp`, the server that takes their mail."""

from __future__ import annotations

from typing import Final, get_args

from msgspec.structs import replace

from gridsched.config.kinds import SECONDS, TEXT, one_of, whole
from gridsched.config.retry_elements import RETRY
from gridsched.config.schema import Branch, Fields, Kind, Leaf, Reading
from gridsched.config.smtp import Smtp
from gridsched.config.xml_reader import Element
from gridsched.errors import ConfigurationError
from gridsched.model.events import Condition, ConditionLanguage, EventTrigger, When
from gridsched.policy.conditions import check_condition
from gridsched.policy.event_checks import check_event
from gridsched.policy.subscribers import parse_subscriber


def _condition(element: Element) -> Condition:
    language = element.attributes.get("language", "xpath")
    if language not in get_args(ConditionLanguage):
        known = ", ".join(get_args(ConditionLanguage))
        raise ValueError(f"language {language!r} is not known; one of {known}")
    return Condition(element.text, language)  # type: ignore[arg-type]


def _subscriber(element: Element) -> str:
    parse_subscriber(element.text)
    return element.text


def _namespace(element: Element) -> tuple[str, str]:
    prefix = element.attributes.get("prefix")
    if not prefix:
        raise ValueError("the attribute prefix is missing")
    return prefix, element.text


def _event(fields: Fields, reading: Reading) -> EventTrigger:
    values = fields.values
    condition = replace(values["condition"], namespaces=dict(values.pop("namespaces", ())))
    with reading.at(fields.place("condition")):
        check_condition(condition)
    event = EventTrigger(**{**values, "condition": condition})
    check_event(event)
    return event


def _events(fields: Fields, _reading: Reading) -> tuple[EventTrigger, ...]:
    events: tuple[EventTrigger, ...] = fields.values.get("events", ())
    return events


def _smtp(fields: Fields, reading: Reading) -> Smtp:
    try:
        return Smtp(**fields.values)
    except ConfigurationError as error:
        raise reading.error(fields.element, error.message) from None


EVENT: Final = Branch(
    "scheduler:event",
    "events",
    _event,
    (
        Leaf(
            "scheduler:eventname",
            "name",
            TEXT,
            "Its name, unlike that of any other event of the job.",
            required=True,
        ),
        Leaf(
            "scheduler:condition",
            "condition",
            Kind("condition", _condition, attributes=("language",)),
            "What must hold of a result; the attribute `language` is `xpath` (without it), "
            "`jmespath` or `expression`.",
            required=True,
        ),
        Leaf(
            "scheduler:namespace",
            "namespaces",
            Kind("URI", _namespace, attributes=("prefix",)),
            "What the attribute `prefix` stands for in an XPath; may stand several times.",
            "none",
            many=True,
        ),
        Leaf(
            "scheduler:subscriber",
            "subscribers",
            Kind("mailto: or URL", _subscriber),
            "Who is told: `mailto:name@host`, or a URL that gets a POST; may stand several times.",
            required=True,
            many=True,
        ),
        Leaf(
            "scheduler:when",
            "when",
            one_of(get_args(When)),
            "On every run on which the condition holds, or on the change to that alone.",
            "every",
        ),
        RETRY,
    ),
    "One event; may stand several times.",
    many=True,
)
EVENTS: Final = Branch(
    "scheduler:events", "events", _events, (EVENT,), "What is published of the job's results."
)
SMTP: Final = Branch(
    "scheduler:smtp",
    "smtp",
    _smtp,
    (
        Leaf("scheduler:host", "host", TEXT, "The server.", required=True),
        Leaf(
            "scheduler:port",
            "port",
            whole("number", 1),
            "Its port.",
            "25; with starttls 587, with tls 465",
        ),
        Leaf(
            "scheduler:security",
            "security",
            one_of(("none", "starttls", "tls")),
            "How the connection is made private; its certificate is checked.",
            "none",
        ),
        Leaf("scheduler:username", "username", TEXT, "To log in with; not without TLS.", "none"),
        Leaf(
            "scheduler:password",
            "password",
            TEXT,
            "`${env:NAME}`: an environment variable of the node has it, and nothing else may.",
            "none",
        ),
        Leaf("scheduler:sender", "sender", TEXT, "Address that mail comes from.", required=True),
        Leaf("scheduler:timeout", "timeout", SECONDS, "Time that one answer may take.", "10S"),
    ),
    "The server that takes the mail of events.",
)
