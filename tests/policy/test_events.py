"""Event triggers: what is accepted, what a run makes of them, and the deliveries."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from gridsched.errors import InvalidCondition, InvalidJob, InvalidKey
from gridsched.model.events import Condition, Delivery, Event, EventTrigger
from gridsched.model.firing import Firing
from gridsched.model.job import Job, check_job
from gridsched.model.retry import Retry
from gridsched.model.submission import ScheduleJob
from gridsched.policy.event_checks import check_events
from gridsched.policy.events import MAX_CONTENT, delivery_of, event_of, see
from gridsched.policy.submissions import plan_schedule
from gridsched.policy.subscribers import Mail, Web, parse_subscriber
from gridsched.policy.transitions import fail

LOW = EventTrigger("low", Condition("//quantity < 10"), ("mailto:ops@shop.example",))
JOB = Job("shop.tasks:stock", name="stock", group="shop")


def firing(at: int, trigger: str = "shop/stock:DEFAULT/t") -> Firing:
    return Firing(trigger, at, job=JOB.key)


# --- Subscribers


@pytest.mark.parametrize(
    ("text", "subscriber"),
    [
        ("mailto:ops@shop.example", Mail("ops@shop.example")),
        ("mailto:b.c+d@localhost", Mail("b.c+d@localhost")),
        ("MAILTO:ops%2Blow@shop.example", Mail("ops+low@shop.example")),
        (
            "mailto:ops@shop.example?subject=Stock%20is%20low",
            Mail("ops@shop.example", "Stock is low"),
        ),
        ("mailto:ops@bücher.example", Mail("ops@bücher.example")),
        ("https://shop.example/hook?a=b", Web("https://shop.example/hook?a=b")),
        ("http://127.0.0.1:8080/", Web("http://127.0.0.1:8080/")),
    ],
)
def test_a_subscriber_is_mail_or_web(text: str, subscriber: Mail | Web) -> None:
    assert parse_subscriber(text) == subscriber


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ops@shop.example", "neither mailto:…"),
        ("ftp://shop.example/", "neither mailto:…"),
        ("", "neither mailto:…"),
        ("mailto:", "has no @"),
        ("mailto:ops", "has no @"),
        ("mailto:@shop.example", "before its @"),
        ("mailto:a b@shop.example", "before its @"),
        ("mailto:a..b@shop.example", "before its @"),
        ("mailto:ops%0d%0aBcc: x@shop.example", "before its @"),
        ("mailto:a@shop.example,b@shop.example", "a subscriber for each address"),
        ("mailto:ops@", "behind its @"),
        ("mailto:ops@shop..example", "behind its @"),
        ("mailto:ops@-shop.example", "behind its @"),
        ("mailto:ops@shop.example%0aBcc:x@y.example", "before its @"),
        (f"mailto:{'x' * 65}@shop.example", "before its @"),
        ("mailto:ops@shop.example?bcc=x@y.example", "only subject may be given, not bcc"),
        ("mailto:ops@shop.example?subject=a%0aBcc:%20x@y.example", "not one line"),
        ("http://", "with a host"),
        ("https:shop.example", "with a host"),
        ("http://shop example/", "a blank"),
        ("http://me:hunter2@shop.example/", "'http://***@shop.example/': a password is not"),
        ("http://shop.example:99999/", "Port out of range"),
    ],
)
def test_what_is_neither_an_address_nor_a_url_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        parse_subscriber(text)
    assert reason in str(refused.value)


# --- What is accepted


@pytest.mark.parametrize(
    ("fields", "error", "reason"),
    [
        ({"name": ""}, InvalidKey, "cannot be a name"),
        ({"condition": Condition("//[")}, InvalidCondition, "at character 3"),
        ({"subscribers": ()}, InvalidJob, "event 'low' has no subscriber"),
        ({"subscribers": ("mailto:x",)}, InvalidJob, "event 'low': subscriber 'mailto:x'"),
        ({"subscribers": LOW.subscribers * 2}, InvalidJob, "one subscriber twice"),
        ({"when": "never"}, InvalidJob, "when is 'never'; one of every, change"),
        ({"retry": Retry(0)}, InvalidJob, "event 'low': retry.attempts is 0"),
    ],
)
def test_an_event_trigger_that_cannot_be_is_refused(
    fields: dict[str, Any], error: type[InvalidJob], reason: str
) -> None:
    job = replace(JOB, events=(replace(LOW, **fields),))
    with pytest.raises(error) as refused:
        check_events(job)
    assert reason in str(refused.value)


def test_two_events_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidJob, match="two events of the name 'low'"):
        check_events(replace(JOB, events=(LOW, LOW)))


def test_a_job_with_events_is_the_same_on_the_grid() -> None:
    job = replace(JOB, events=(LOW, replace(LOW, name="x", when="change", retry=Retry(2))))
    check_events(job)
    assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job


# --- On the change to true


def changes(*truths: tuple[int, bool]) -> list[int]:
    """The instants of which an event is published, of runs seen in this order."""
    last, published = None, []
    for at, held in truths:
        publish, seen = see(LOW, firing(at), held, last)
        last = last if seen is None else seen
        if publish:
            published.append(at)
    return published


def test_only_the_change_to_true_publishes() -> None:
    assert changes((1, True)) == [1]
    assert changes((1, False), (2, True), (3, True), (4, False), (5, True)) == [2, 5]


def test_a_run_that_ends_after_a_later_one_changes_nothing() -> None:
    assert changes((1, False), (3, True), (2, True), (4, True)) == [3]
    assert changes((1, True), (3, True), (2, False), (4, True)) == [1]


def test_a_run_that_is_seen_again_publishes_again() -> None:
    """Its node died between the two; the delivery has the same name."""
    assert changes((1, False), (2, True), (2, True), (3, True)) == [2, 2]
    assert changes((1, True), (2, True), (2, True)) == [1]


def test_two_triggers_of_one_instant_are_two_runs() -> None:
    _, last = see(LOW, firing(1, "shop/stock:DEFAULT/a"), True, None)
    assert see(LOW, firing(1, "shop/stock:DEFAULT/b"), True, last).publish is False


def test_another_condition_is_another_question() -> None:
    _, last = see(LOW, firing(1), True, None)
    assert see(replace(LOW, condition=Condition("//q < 5")), firing(2), True, last).publish


# --- Deliveries


def event(content: Any = None) -> Event:
    return event_of(LOW, JOB, firing(5000), content, 6000)


def test_an_event_says_what_happened() -> None:
    made = event("<a/>")
    assert (made.name, made.task, made.operation) == ("low", "shop/stock", "")
    assert (made.time, made.condition, made.content) == (6000, "//quantity < 10", "<a/>")
    assert made.id == event_of(LOW, JOB, firing(5000), "else", 9000).id
    assert made.id != event_of(LOW, JOB, firing(5001), "<a/>", 6000).id


def test_content_that_is_too_long_is_sent_in_part() -> None:
    assert event("x" * MAX_CONTENT).content == "x" * MAX_CONTENT
    assert event("x" * (MAX_CONTENT + 1)).content == "x" * MAX_CONTENT + "…"
    long = event(list(range(MAX_CONTENT))).content
    assert long.startswith("[0,1,2,3")
    assert len(long) == MAX_CONTENT + 1


def test_a_delivery_is_a_job_that_is_accepted_and_named_by_its_cause() -> None:
    made = delivery_of(LOW, LOW.subscribers[0], event(), firing(5000))
    command = made.command
    assert isinstance(command, ScheduleJob)
    assert command.unique
    job = command.job
    assert job is not None
    check_job(job)
    check_events(job)
    assert job.group == "EVENTS"
    assert job.requests_recovery
    assert job.task == Delivery("mailto:ops@shop.example", event())
    stored = plan_schedule(made, command, None, {}, {})
    assert stored.triggers[0].next_fire == 5000
    again = delivery_of(LOW, LOW.subscribers[0], replace(event(), time=9000), firing(5000))
    assert (again.job, again.id) == (made.job, made.id)
    other = delivery_of(LOW, "mailto:else@shop.example", event(), firing(5000))
    assert other.job != made.job


def test_the_longest_name_of_an_event_makes_a_name_of_a_job() -> None:
    long = replace(LOW, name="x" * 200)
    check_events(replace(JOB, events=(long,)))
    made = delivery_of(long, LOW.subscribers[0], event(), firing(5000))
    assert isinstance(made.command, ScheduleJob)
    assert made.command.job is not None
    check_job(made.command.job)


def test_a_delivery_is_tried_for_a_day_before_it_is_given_up() -> None:
    made = delivery_of(LOW, LOW.subscribers[0], event(), firing(0))
    assert isinstance(made.command, ScheduleJob)
    assert made.command.job is not None
    run, now, waits = firing(0), 0, []
    while run.finished_at is None:
        run = fail(run, made.command.job, "no connection", now)
        if run.fire_at is not None and run.finished_at is None:
            waits.append((run.fire_at - now) // 1000)
            now = run.fire_at
    assert waits[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert 86_400_000 < now < 90_000_000
    assert run.state == "FAILED"
