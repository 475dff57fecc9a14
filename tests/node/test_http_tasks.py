"""HTTP tasks and operations of data services on nodes: refused when submitted, run, tried again."""

from __future__ import annotations

import pytest
from http_service import HttpService, refusing_port

from gridsched import HttpTask, Job, ServiceOperation
from gridsched.client.triggers import once
from gridsched.errors import JobFailed, SubmissionRejected
from gridsched.model.data_service import DataService, Operation
from gridsched.model.http import TOTAL_TIMEOUT
from gridsched.model.retry import Retry
from gridsched.model.submission import ScheduleJob


@pytest.fixture
def service():
    with HttpService() as running:
        yield running


def catalogue(service: HttpService) -> tuple[DataService, ...]:
    quantity = Operation("json")
    return (
        DataService(
            "Products", (service.url(""),), operations=(quantity, Operation("one", ("code",)))
        ),
        DataService("Local", ("local://x",), operations=(quantity,)),
    )


async def test_what_is_answered_is_the_result_of_the_firing(cluster, service) -> None:
    there = cluster(allowed_hosts=("127.0.0.1",), services=catalogue(service))
    await there.node("a")
    client = await there.client()
    for task in (HttpTask(service.url("/json")), ServiceOperation("Products", "json")):
        value = await (await client.submit(Job(task=task))).result(10)
        assert (value["status"], value["json"]) == (200, {"quantity": 7})


async def test_a_failure_is_tried_again_by_the_jobs_policy(cluster, service) -> None:
    there = cluster(allowed_hosts=("127.0.0.1",))
    await there.node("a")
    service.failures = 2
    job = Job(task=HttpTask(service.url("/flaky")), retry=Retry(3))
    handle = await (await there.client()).submit(job)
    assert (await handle.result(30))["text"] == "at last"
    firing = await handle.firing()
    assert firing is not None
    assert firing.attempt == 3


async def test_a_run_that_fails_says_why_in_one_line(cluster, service) -> None:
    there = cluster(allowed_hosts=("127.0.0.1",))
    await there.node("a")
    url = f"http://127.0.0.1:{refusing_port()}/"
    handle = await (await there.client()).submit(Job(task=HttpTask(url)))
    with pytest.raises(JobFailed) as failed:
        await handle.result(10)
    assert failed.value.error == (
        f"RequestFailed: GET {url}: no connection to {url[7:-1]}: Connection refused"
    )


async def test_a_service_that_streams_for_ever_is_cut(cluster, service) -> None:
    there = cluster(allowed_hosts=("127.0.0.1",), max_threads=1)
    node = await there.node("a")
    client = await there.client()
    handle = await client.submit(Job(task=HttpTask(service.url("/drip")), timeout=0.2))
    with pytest.raises(JobFailed, match=r"it ran longer than 0\.2 s"):
        await handle.result(100)
    outside, there.loop.outside = there.loop.outside, lambda: not service.cut
    await there.until(lambda: service.cut == 1)
    there.loop.outside = outside
    assert node.parts.shell.in_threads == 0
    value = await (await client.submit(Job(task=HttpTask(service.url("/json"))))).result(10)
    assert value["status"] == 200


async def test_a_task_without_a_timeout_has_one_all_the_same(cluster) -> None:
    node = await cluster().node("a")
    runnables = node.core.runnables
    assert runnables.of(Job(task=HttpTask("http://shop.example/"))).timeout == TOTAL_TIMEOUT
    assert runnables.of(Job(task=HttpTask("http://shop.example/"), timeout=7)).timeout == 7


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (ServiceOperation("Stock", "json"), "there is no data service 'Stock'"),
        (
            ServiceOperation("Products", "all"),
            "Products has no operation 'all'; there are json, one",
        ),
        (ServiceOperation("Products", "one"), r"takes input \(code\)"),
        (ServiceOperation("Local", "json"), "Local has no HTTP endpoint"),
        (HttpTask("http://10.0.0.1/"), "host 10.0.0.1 is not on this node's list of hosts"),
        (
            HttpTask("http://127.0.0.1/", body="${env:HOME}"),
            "{env:HOME} is not on this node's list",
        ),
        (HttpTask("http://127.0.0.1/", method="FETCH"), "method is 'FETCH'"),
    ],
)
async def test_what_cannot_run_is_refused_when_it_is_submitted(
    cluster, service, task, reason: str
) -> None:
    there = cluster(allowed_hosts=("127.0.0.1",), services=catalogue(service))
    await there.node("a")
    client = await there.client()
    job = Job(task=task, name="j", group="g")
    unchecked = ScheduleJob(job, (once(name="t"),))
    submission = client._submitter.make(job.key, unchecked)
    with pytest.raises(SubmissionRejected, match=reason):
        await client._submitter.submit([submission])
    assert not service.requests
