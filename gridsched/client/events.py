"""How a user writes an event of a job: `event`, on a condition made by `xpath`, `jmespath` or
`expression`. What is wrong with it is said here, where it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gridsched.model.events import DELIVERY_RETRY, Condition, EventTrigger, When
from gridsched.model.retry import Retry
from gridsched.policy.conditions import check_condition
from gridsched.policy.event_checks import check_event


def event(
    name: str,
    condition: Condition,
    to: str | Iterable[str],
    *,
    when: When = "every",
    retry: Retry = DELIVERY_RETRY,
) -> EventTrigger:
    """Published when the condition holds on what a run of the job returned.

    `to` is one subscriber or several: "mailto:ops@shop.example" (a subject may follow,
    "?subject=Stock%20is%20low"), or a URL, which gets the event as JSON by POST. `when`: on "every"
    run on which it holds, or on the "change" from one where it did not. `retry` is how each
    subscriber is tried again: by default for a day. InvalidJob says what is wrong.
    """
    subscribers = (to,) if isinstance(to, str) else tuple(to)
    made = EventTrigger(name, condition, subscribers, when, retry)
    check_event(made)
    return made


def xpath(text: str, namespaces: Mapping[str, str] | None = None) -> Condition:
    """Holds where an XPath 1.0 expression is true of a result that is XML; `namespaces` gives the
    URIs of its prefixes. InvalidCondition names the position of what is wrong."""
    return _checked(Condition(text, "xpath", dict(namespaces or {})))


def jmespath(text: str) -> Condition:
    """Holds where a JMESPath expression is true of a result that is JSON: all but null, false, and
    what is empty. InvalidCondition names the position of what is wrong."""
    return _checked(Condition(text, "jmespath"))


def expression(text: str) -> Condition:
    """Holds where a Python expression is true of `result`, what a Python job returned.

    It has literals, subscripts, comparisons, `in`, `and`, `or`, `not`, arithmetic on numbers, and
    abs, all, any, len, max, min, sum. InvalidCondition names the position of anything else.
    """
    return _checked(Condition(text, "expression"))


def _checked(condition: Condition) -> Condition:
    check_condition(condition)
    return condition
