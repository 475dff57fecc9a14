"""HTTP tasks on a real cluster: a node process, a service, a client."""

from __future__ import annotations

import pytest
from http_service import HttpService
from world import World

from gridsched import HttpTask, Job, Retry, ServiceOperation
from gridsched.errors import JobFailed, SubmissionRejected

pytestmark = pytest.mark.java

SOON = 40.0


def test_requests_and_operations(world: World) -> None:
    with HttpService() as service:
        world.start("n1", allowedhosts="127.0.0.1", httpmaxbody=1000)
        scheduler = world.connect()

        xml = scheduler.submit(Job(task=HttpTask(service.url("/xml")))).result(SOON)
        assert (xml["media"], xml["headers"]["content-type"]) == ("xml", "application/xml")

        service.failures = 1
        flaky = Job(task=HttpTask(service.url("/flaky")), retry=Retry(2, delay=0.1))
        assert scheduler.submit(flaky).result(SOON)["text"] == "at last"

        endless = Job(task=HttpTask(service.url("/drip")), timeout=0.3)
        with pytest.raises(JobFailed, match=r"longer than 0\.3 s"):
            scheduler.submit(endless).result(SOON)
        with pytest.raises(JobFailed, match="above 1000 bytes"):
            scheduler.submit(Job(task=HttpTask(service.url("/flood")))).result(SOON)

        for task, reason in (
            (ServiceOperation("Stock", "all"), "there is no data service 'Stock'"),
            (HttpTask("http://10.0.0.1/"), "host 10.0.0.1 is not on this node's list of hosts"),
        ):
            with pytest.raises(SubmissionRejected, match=reason):
                scheduler.submit(Job(task=task))
