"""Event triggers on nodes: judged, published, delivered, tried again, recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any

import pytest
from http_service import HttpService, refusing_port
from mail_server import MailServer

from gridsched import HttpTask, event, expression, jmespath, xpath
from gridsched.client.triggers import every, once
from gridsched.config.smtp import Smtp
from gridsched.errors import InvalidJob, SubmissionRejected
from gridsched.grid.faults import Rates
from gridsched.model.events import EVENTS_GROUP, Condition, EventTrigger
from gridsched.model.job import Job
from gridsched.model.retry import Retry
from gridsched.model.submission import ScheduleJob, Submission
from gridsched.policy.events import deliveries as deliveries_of
from gridsched.simulation.virtual_time import START

NOW = datetime.fromtimestamp(START / 1000, UTC)
OPS = "mailto:ops@shop.example"
LOW = expression("result['quantity'] < 10")


def smtp(port: int) -> Smtp:
    return Smtp(host="127.0.0.1", port=port, sender="gridsched@shop.example", timeout=5)


def stock(*quantities: Any, **fields: Any) -> Job:
    """Returns one quantity after the other, by the instant."""
    values = [{"quantity": quantity} for quantity in quantities]
    return Job("jobs_under_test:in_turn", name="stock", data={"values": values}, **fields)


def sent(mail: EmailMessage) -> Any:
    """The content of the event that a mail tells of."""
    return json.loads(mail.get_content().replace("\r\n", "\n").partition("\n\n")[2])


async def deliveries(client) -> list:
    return [f for f in await client.firings() if f.job.startswith(f"{EVENTS_GROUP}/")]


async def all_delivered(client, count: int) -> bool:
    found = await deliveries(client)
    return len(found) == count and all(f.state == "COMPLETE" for f in found)


async def is_over(client, job: str) -> bool:
    return all(firing.finished_at for firing in await client.firings(of=job))


async def run_stock(c, job: Job, runs: int) -> Any:
    client = await c.client()
    start = NOW + timedelta(seconds=5)
    await client.schedule(job, every(10, start=start, repeat_count=runs - 1, name="t"))
    await c.until(lambda: sum(f.job == job.key for f in c.runs.finished) == runs, within=600)
    return client


async def test_an_event_is_mailed_each_time_its_condition_holds(cluster):
    with MailServer() as server:
        c = cluster(smtp=smtp(server.port))
        await c.node("a")
        job = stock(12, 9, 8, 30, events=(event("low", LOW, OPS),))
        client = await run_stock(c, job, 4)
        await c.until(lambda: all_delivered(client, 2))
    first = server.mails[0]
    assert first["To"] == "ops@shop.example"
    assert first["From"] == "gridsched@shop.example"
    assert first["Subject"] == "low: DEFAULT/stock"
    assert [sent(m) for m in server.mails] == [
        {"quantity": 9},
        {"quantity": 8},
    ]
    runs = await client.firings(of=job.key)
    assert [f.events for f in runs] == [(), ("low",), ("low",), ()]
    assert [f.state for f in runs] == ["COMPLETE"] * 4


async def test_on_the_change_alone_where_that_is_asked_for(cluster):
    with HttpService() as service:
        c = cluster(members=2, allowed_hosts=("127.0.0.1",))
        for name in "ab":
            await c.node(name)
        job = stock(
            12, 9, 8, 30, 5, events=(event("low", LOW, service.url("/json"), when="change"),)
        )
        client = await run_stock(c, job, 5)
        await c.until(lambda: all_delivered(client, 2))
    told = [json.loads(body) for _, _, _, body in service.requests]
    assert [each["content"]["quantity"] for each in told] == [9, 5]
    assert told[0]["name"] == "low"
    assert told[0]["task"] == "DEFAULT/stock"
    assert told[0]["condition"] == "result['quantity'] < 10"
    assert datetime.fromisoformat(told[0]["time"]) - NOW < timedelta(seconds=16)
    headers = service.requests[0][2]
    assert headers["Idempotency-Key"] == told[0]["id"]
    await client.delete(job.key)
    assert await client.caches.events.find() == []


async def test_a_subscriber_that_is_down_for_a_minute_loses_no_event(cluster):
    port = refusing_port()
    c = cluster(smtp=smtp(port))
    await c.node("a")
    job = stock(*range(9, 3, -1), events=(event("low", LOW, OPS),))
    client = await run_stock(c, job, 6)
    runs = [f for f in c.runs.finished if f.job == job.key]
    assert all(f.finished_at - f.scheduled < 1000 for f in runs), "the schedule is not held up"
    await c.pass_time(10)
    waiting = await deliveries(client)
    assert len(waiting) == 6
    assert all(f.state == "ACQUIRED" and "DeliveryFailed" in f.error for f in waiting)
    with MailServer(port) as server:
        await c.until(lambda: all_delivered(client, 6), within=120)
    said = sorted(sent(m)["quantity"] for m in server.mails)
    assert said == [4, 5, 6, 7, 8, 9]


async def test_a_subscriber_that_stays_away_is_given_up_and_recorded(cluster, caplog):
    c = cluster(smtp=smtp(refusing_port()))
    await c.node("a")
    job = stock(3, events=(event("low", LOW, OPS, retry=Retry(3, delay=2)),))
    client = await run_stock(c, job, 1)
    await c.until(lambda: any(f.state == "FAILED" for f in c.runs.finished))
    failed = (await deliveries(client))[0]
    assert failed.attempt == 3
    assert "Connection refused" in failed.error
    assert (
        "tells mailto:ops@shop.example of low of DEFAULT/stock: given up; the event: {"
        in caplog.text
    )
    assert (await client.firings(of=job.key))[0].state == "COMPLETE"


async def test_a_subscriber_that_hangs_holds_up_no_job(cluster):
    with HttpService() as service:
        c = cluster(max_threads=2, allowed_hosts=("127.0.0.1",))
        await c.node("a")
        client = await c.client()
        low = event("low", LOW, [service.url(f"/hang?{n}") for n in range(3)])
        await client.schedule(stock(3, events=(low,)), once())
        await c.until(lambda: len(service.requests) == 2)
        handle = await client.submit(Job("jobs_under_test:blocking", data={"value": 1}))
        assert await handle.result(timeout=5) == 2
        service.released.set()


async def test_a_mail_that_is_refused_is_tried_again_and_says_why(cluster):
    with MailServer() as server:
        server.refuse = "451 try later"
        c = cluster(smtp=smtp(server.port))
        await c.node("a")
        client = await run_stock(c, stock(3, events=(event("low", LOW, OPS),)), 1)
        await c.until(lambda: any(f.job.startswith(EVENTS_GROUP) for f in c.runs.finished))
        assert "451 try later" in (await deliveries(client))[0].error
        server.refuse = ""
        await c.until(lambda: all_delivered(client, 1))
        assert len(server.mails) == 1


async def test_each_subscriber_is_told_by_a_job_of_its_own(cluster):
    with MailServer() as server, HttpService() as service:
        c = cluster(smtp=smtp(server.port), allowed_hosts=("127.0.0.1",))
        await c.node("a")
        to = [OPS, "mailto:else@shop.example?subject=Low!", service.url("/status?of=500")]
        client = await run_stock(c, stock(3, events=(event("low", LOW, to),)), 1)
        await c.until(lambda: len(server.mails) == 2)

        async def all_tried() -> bool:
            found = await deliveries(client)
            return len(found) == 3 and all(f.state == "COMPLETE" or f.attempt > 1 for f in found)

        await c.until(all_tried)
        found = await deliveries(client)
        assert sorted(f.state == "COMPLETE" for f in found) == [False, True, True]
        assert {m["Subject"] for m in server.mails} == {"low: DEFAULT/stock", "Low!"}
        assert {m["Message-ID"] for m in server.mails} == {server.mails[0]["Message-ID"]}
        assert len({f.job for f in found}) == 3


async def test_a_result_that_is_not_what_a_condition_expects_is_recorded_and_hurts_nothing(cluster):
    with HttpService() as service:
        c = cluster(allowed_hosts=("127.0.0.1",))
        await c.node("a")
        hook = service.url("/json")
        job = stock(
            "many",
            events=(
                event("low", LOW, hook),
                event("odd", xpath("//quantity < 10"), hook),
                event("there", jmespath("quantity"), hook),
            ),
        )
        client = await run_stock(c, job, 1)
        await c.until(lambda: all_delivered(client, 1))
        run = (await client.firings(of=job.key))[0]
        assert run.state == "COMPLETE"
        assert run.events == ("there",)
        assert "event low: TypeError: '<' not supported" in run.event_error
        assert "event odd: XPath needs XML, and the result is dict" in run.event_error
        assert (await client.results(job=job.key))[0].value == {"quantity": "many"}


async def test_a_condition_that_takes_too_long_is_given_up(cluster):
    c = cluster(smtp=smtp(25))
    await c.node("a")
    xml = "<r>" + "<a/>" * 20_000 + "</r>"
    job = Job(
        "jobs_under_test:echo",
        name="stock",
        data={"value": xml},
        events=(
            event("slow", xpath("//a[count(//a[count(//a) > 5]) > 100000]"), OPS),
            event("large", jmespath("[@, @] | " * 60 + "to_string(@)"), OPS),
            event("none", xpath("//b"), OPS),
        ),
    )
    client = await c.client()
    await client.schedule(job, once())
    await c.until(lambda: len(c.runs.finished) == 1)
    run = c.runs.finished[0]
    assert run.state == "COMPLETE"
    assert "event slow: judging it takes more than 2 s" in run.event_error
    assert "event large: " in run.event_error
    assert "none" not in run.event_error


async def test_the_content_of_a_response_is_what_is_judged_and_sent(cluster):
    with HttpService() as service:
        c = cluster(allowed_hosts=("127.0.0.1",))
        await c.node("a")
        client = await c.client()
        hook = service.url("/status?of=200")
        namespaces = {"s": "urn:shop"}
        low = event("low", xpath("//s:quantity < 10", namespaces), hook)
        await client.submit(Job(task=HttpTask(service.url("/xml")), events=(low,)))
        low = event("low", jmespath("quantity < `10`"), hook)
        await client.submit(Job(task=HttpTask(service.url("/json")), events=(low,)))
        low = event("low", xpath("//quantity < 10"), hook)
        await client.submit(Job(task=HttpTask(service.url("/bomb")), name="bomb", events=(low,)))
        await c.until(lambda: all_delivered(client, 2))
        told = [
            json.loads(body)["content"] for _, path, _, body in service.requests if "of=" in path
        ]
        assert {"quantity": 7} in told
        assert any(str(each).endswith("<p:quantity>7</p:quantity></p:stock>") for each in told)
        await c.until(lambda: is_over(client, "DEFAULT/bomb"))
        (bomb,) = await client.firings(of="DEFAULT/bomb")
        assert bomb.state == "COMPLETE"
        assert "DOCTYPE" in bomb.event_error


async def test_a_run_that_failed_is_not_judged(cluster):
    c = cluster(smtp=smtp(25))
    await c.node("a")
    client = await c.client()
    job = Job("jobs_under_test:fail", name="fail", events=(event("any", jmespath("@"), OPS),))
    await client.schedule(job, once())
    await c.until(lambda: len(c.runs.finished) == 1)
    await c.pass_time(5)
    assert await deliveries(client) == []


async def test_an_event_goes_to_its_subscriber_though_its_job_is_deleted(cluster):
    port = refusing_port()
    c = cluster(smtp=smtp(port))
    await c.node("a")
    job = stock(3, events=(event("low", LOW, OPS),))
    client = await run_stock(c, job, 1)
    await client.delete(job.key)
    with MailServer(port) as server:
        await c.until(lambda: len(server.mails) == 1)


async def test_a_node_that_dies_before_the_end_is_recorded_loses_no_event_and_doubles_none(cluster):
    with HttpService() as service:
        c = cluster(members=3, allowed_hosts=("127.0.0.1",))
        nodes = [await c.node(name) for name in "abc"]
        client = await c.client()
        hook = service.url("/json")
        job = stock(
            3,
            requests_recovery=True,
            events=(event("each", LOW, hook), event("change", LOW, hook, when="change")),
        )
        for node in nodes:  # it dies just here
            node.parts.publisher._finisher = SimpleNamespace(finish=lambda ended: None)
        await client.schedule(job, once(NOW + timedelta(seconds=2), name="t"))
        await c.until(lambda: all_delivered(client, 2))
        ran = (await client.firings(of=job.key))[0]
        assert ran.state == "EXECUTING"
        dead = next(n for n in nodes if n.name == ran.member)
        await c.crash(dead)
        for node in nodes:
            if node is not dead:
                node.parts.publisher._finisher = node.parts.finisher
        await c.until(lambda: any(f.job == job.key for f in c.runs.finished), within=120)
        await c.until(lambda: all_delivered(client, 2), within=120)
        await c.pass_time(400)
        told = sorted(json.loads(body)["name"] for _, _, _, body in service.requests)
        assert told == ["change", "each"]
        assert (await client.firings(of=job.key))[0].attempt == 2


async def test_on_a_grid_that_fails_each_event_is_delivered_once(cluster):
    with HttpService() as service:
        # However late, no instant is left out: a run that is lost again and again holds up the next.
        c = cluster(members=3, allowed_hosts=("127.0.0.1",), misfire_threshold_ms=3_600_000)
        for name in "abc":
            await c.node(name)
        hook = service.url("/json")
        job = stock(
            *[30, 9, 8, 30, 7, 6] * 2,
            disallow_concurrent=True,
            retry=Retry(5),
            events=(event("each", LOW, hook), event("change", LOW, hook, when="change")),
        )
        for faults in c.faults.values():
            faults._rates = Rates(
                unavailable=0.02, unknown=0.1, lost_events=0.3, lost_items=0.1, duplicated_items=0.1
            )
        client = await run_stock(c, job, 12)
        await c.until(lambda: all_delivered(client, 12), within=600)
        await c.pass_time(30)
        told = [json.loads(body) for _, _, _, body in service.requests]
        assert len({each["id"] for each in told}) == len(told) == 12
        by_name = [(e["name"], e["content"]["quantity"]) for e in told]
        assert sorted(by_name) == [("change", 7)] * 2 + [("change", 9)] * 2 + [
            ("each", n) for n in (6, 6, 7, 7, 8, 8, 9, 9)
        ]


async def test_a_delivery_that_is_submitted_again_long_after_is_known_by_the_ledger(cluster):
    with HttpService() as service:
        c = cluster(allowed_hosts=("127.0.0.1",))
        await c.node("a")
        low = event("low", LOW, service.url("/json"))
        job = stock(3, events=(low,))
        client = await run_stock(c, job, 1)
        await c.until(lambda: all_delivered(client, 1))
        run = (await client.firings(of=job.key))[0]
        await c.pass_time(400)
        assert await client.jobs(group=EVENTS_GROUP) == []
        (again,) = deliveries_of((low,), job, run, {"quantity": 3}, c.clock.now())
        assert await client.caches.submissions.create(again), "it is forgotten there"
        await c.pass_time(60)
        assert len(service.requests) == len(await deliveries(client)) == 1


async def test_what_is_wrong_with_an_event_is_said_when_it_is_written_or_submitted(cluster):
    c = cluster(allowed_hosts=("shop.example",))
    await c.node("a")
    client = await c.client()
    with pytest.raises(InvalidJob, match="at character 5"):
        xpath("//a[")
    wrong = EventTrigger("low", Condition("//a["), ("http://shop.example/",))
    with pytest.raises(InvalidJob, match="at character 5"):
        await client.schedule(stock(1, events=(wrong,)), once())
    for to, reason in (
        (OPS, "event 'low': .*this node sends no mail"),
        ("http://127.0.0.1/", "event 'low': .*not on this node's list of hosts"),
    ):
        with pytest.raises(SubmissionRejected, match=reason):
            await client.schedule(stock(1, events=(event("low", LOW, to),)), once())
    job = stock(1, events=(wrong,))
    submission = Submission("s", job.key, ScheduleJob(job, (once(name="t"),)), created_at=START)
    await client.caches.submissions.create(submission)

    async def answered() -> bool:
        record = await client.caches.submissions.get(client.caches.submissions.key_of(submission))
        return record is not None and "at character 5" in record.value.error

    await c.until(answered)
