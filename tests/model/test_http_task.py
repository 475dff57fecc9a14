"""What a job may have as its task."""

from __future__ import annotations

import msgspec
import pytest

from gridsched import HttpTask, Job, ServiceOperation
from gridsched.errors import InvalidJob
from gridsched.model.http import redacted, secrets
from gridsched.model.job import check_job, usual_name

URL = "https://shop.example/stock"


def of(task: HttpTask) -> Job:
    return Job(task=task, name="ask")


@pytest.mark.parametrize(
    "task",
    [
        HttpTask(
            "https://${env:USER}:${env:PASSWORD}@shop.example/stock?of=${env:ITEM}",
            method="POST",
            headers={"Authorization": "Bearer ${env:TOKEN}"},
            body="é ${env:SECRET}",
            expect=(200, 404),
        ),
        ServiceOperation("ProductService", "getProductQuantity"),
    ],
)
def test_a_job_with_a_task_is_the_same_on_the_grid(task) -> None:
    job = Job(task=task, name="ask")
    check_job(job)
    assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://shop.example/", "no URL of http:// or https://"),
        ("http:///stock", "with a host"),
        ("shop.example/stock", "with a host"),
        ("http://shop example/", "a blank"),
        ("http://shop.example/\r\nX: y", "control character"),
        ("http://shop.example:99999/", "Port out of range"),
        ("http://[::1/", "Invalid IPv6 URL"),
        ("http://${env:HOST}/", "the host cannot come from the environment"),
        ("http://${env:HOST}?q", "the host cannot come from the environment"),
        ("http://shop.example/${env:A B}", "names no environment variable"),
    ],
)
def test_what_is_no_url_is_refused(url: str, reason: str) -> None:
    with pytest.raises(InvalidJob, match="job DEFAULT/ask") as refused:
        check_job(of(HttpTask(url)))
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"method": "FETCH"}, "method is 'FETCH'; one of GET"),
        ({"method": "get"}, "method is 'get'"),
        ({"headers": {"A:B": "x"}}, "'A:B' is no name of a header"),
        ({"headers": {"A": "x\r\nB: y"}}, "header A: its value is not printable"),
        ({"headers": {"Host": "elsewhere"}}, "header Host is made for each request"),
        ({"headers": {"A": 1}}, "header A: its value is not printable"),
        ({"body": {"a": 1}}, "body is dict; it must be text"),
        ({"expect": ("200",)}, "expect has 200"),
        ({"expect": (99,)}, "expect has 99"),
        ({"connect_timeout": 0}, "connect_timeout is 0; it must be above 0"),
        ({"read_timeout": float("nan")}, "read_timeout is nan"),
    ],
)
def test_what_cannot_be_sent_is_refused(fields, reason: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        check_job(of(HttpTask(URL, **fields)))
    assert reason in str(refused.value)


def test_a_job_does_one_thing() -> None:
    with pytest.raises(InvalidJob, match="has a target and a task"):
        check_job(Job("shop.tasks:ask", task=HttpTask(URL), name="ask"))
    with pytest.raises(InvalidJob, match="is not written package"):
        check_job(Job(name="ask"))
    with pytest.raises(InvalidJob, match="a task runs in a thread"):
        check_job(Job(task=HttpTask(URL), name="ask", executor="process"))


def test_a_password_that_is_refused_is_not_said() -> None:
    with pytest.raises(InvalidJob) as refused:
        check_job(of(HttpTask("http://me:hunter2@shop.example:99999/")))
    assert "hunter2" not in str(refused.value)
    assert redacted("http://me:hunter2@shop.example/a@b") == "http://***@shop.example/a@b"


def test_names_of_secrets() -> None:
    assert secrets("a ${env:ONE}${env:TWO} $env:THREE ${FOUR}") == ["ONE", "TWO"]


@pytest.mark.parametrize(
    ("job", "name"),
    [
        (Job("shop.tasks:Stock.ask"), "ask"),
        (Job(task=HttpTask("https://me@shop.example:81/stock")), "shop.example"),
        (Job(task=ServiceOperation("ProductService", "getProductQuantity")), "getProductQuantity"),
    ],
)
def test_a_job_without_a_name_takes_one_of_what_it_does(job: Job, name: str) -> None:
    assert usual_name(job) == name
