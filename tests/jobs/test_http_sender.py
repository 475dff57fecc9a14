"""HTTP tasks against a real service: what it does wrong, and what must not be seen or reached."""

from __future__ import annotations

import logging
import socket
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from http_service import HttpService, refusing_port

from gridsched import HttpTask, JobContext
from gridsched.clock import SystemClock
from gridsched.config.settings import Settings
from gridsched.errors import GridschedError, HostNotAllowed, InvalidJob, RequestFailed
from gridsched.jobs.http import responses
from gridsched.jobs.http.sender import HttpSender
from gridsched.model.firing import Firing

SECRETS = {"SHOP_TOKEN": "s3cr3t/token", "SHOP_PASSWORD": "pa ss&word", "OTHER": "0ther"}


@pytest.fixture
def service() -> Iterator[HttpService]:
    with HttpService() as running:
        yield running


def a_sender(**settings: Any) -> HttpSender:
    chosen = {"allowed_hosts": ("127.0.0.1",), "allowed_secrets": ("SHOP_*",), **settings}
    return HttpSender(Settings(**chosen), SECRETS, SystemClock())


def a_context() -> JobContext:
    return JobContext(Firing("g/j:g/t", 1000, job="g/j"), {}, lambda progress: None)


def send(task: HttpTask, sender: HttpSender | None = None) -> dict[str, Any]:
    return (sender or a_sender()).send(task, a_context())


def failure(task: HttpTask, sender: HttpSender | None = None) -> str:
    """What is said of a request that fails; its whole trace names no secret."""
    with pytest.raises(GridschedError) as failed:
        send(task, sender)
    trace = "".join(traceback.format_exception(failed.value))
    for value in SECRETS.values():
        assert value not in trace
    return f"{type(failed.value).__name__}: {failed.value}"


# --- What is answered


def test_json_is_parsed(service: HttpService) -> None:
    found = send(HttpTask(service.url("/json")))
    assert found["status"] == 200
    assert (found["media"], found["json"]) == ("json", {"quantity": 7})
    assert found["headers"]["content-type"] == "application/json"
    assert "x-other" not in found["headers"]


def test_the_headers_that_a_task_names_are_kept(service: HttpService) -> None:
    found = send(HttpTask(service.url("/json"), keep_headers=("X-Other", "Absent")))
    assert found["headers"] == {"x-other": "2"}


def test_xml_is_parsed_and_can_be_asked(service: HttpService) -> None:
    found = send(HttpTask(service.url("/xml")))
    assert found["xml"] == '<p:stock xmlns:p="urn:shop"><p:quantity>7</p:quantity></p:stock>'
    asked = responses.tree(found).xpath("number(//p:quantity)", namespaces={"p": "urn:shop"})
    assert asked == 7.0


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/bomb", "it has a DTD or entities of its own"),
        ("/lie", "the content type is application/json, but the body is not JSON"),
    ],
)
def test_a_body_that_is_not_what_it_says_is_recorded(
    service: HttpService, path: str, problem: str
) -> None:
    found = send(HttpTask(service.url(path)))
    assert (found["status"], found["media"]) == (200, "text")
    assert problem in found["problem"]
    with pytest.raises(ValueError, match="the response is text, not xml"):
        responses.tree(found)


def test_what_is_sent(service: HttpService) -> None:
    task = HttpTask(
        service.url("/json?a=b%20c"), method="POST", headers={"X-Mine": "1"}, body='{"é": 1}'
    )
    send(task)
    [(method, path, headers, body)] = service.requests
    assert (method, path, body) == ("POST", "/json?a=b%20c", '{"é": 1}'.encode())
    assert headers["X-Mine"] == "1"
    assert headers["Accept-Encoding"] == "identity"


def test_environment_proxies_are_not_used(
    service: HttpService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{refusing_port()}")
    assert send(HttpTask(service.url("/json")))["status"] == 200


# --- Statuses


def test_an_unexpected_status_fails_the_run_in_one_line(service: HttpService) -> None:
    text = failure(HttpTask(service.url("/status?of=500")))
    assert text == (
        f"RequestFailed: GET {service.url('/status?of=500')}: it was answered 500 Internal Server "
        "Error: no: nobody /status?of=500 \N{REPLACEMENT CHARACTER}"
    )


def test_expected_statuses_are_a_success_and_only_those(service: HttpService) -> None:
    found = send(HttpTask(service.url("/status?of=404"), expect=(404, 410)))
    assert found["status"] == 404
    assert "answered 200 OK" in failure(HttpTask(service.url("/json"), expect=(204,)))


# --- Connections


def test_connections_are_used_again(service: HttpService) -> None:
    sender = a_sender()
    for path in ("/json", "/xml", "/status?of=500", "/redirect?to=/json", "/json"):
        send(HttpTask(service.url(path), expect=(200, 500)), sender)
    assert len(service.requests) == 6
    assert service.connections == 1


def test_a_connection_that_was_idle_for_long_is_not_used_again(service: HttpService) -> None:
    class Later(SystemClock):
        seconds = 0.0

        def monotonic(self) -> float:
            return self.seconds

    clock = Later()
    sender = HttpSender(Settings(allowed_hosts=("127.0.0.1",)), {}, clock)
    for clock.seconds in (0.0, 2.0, 6.0):
        send(HttpTask(service.url("/json")), sender)
    assert service.connections == 2


def test_a_pool_that_was_closed_for_others_is_made_again(service: HttpService) -> None:
    sender = a_sender()
    for _ in range(2):
        assert send(HttpTask(service.url("/json")), sender)["status"] == 200
        sender._threads.adapter.poolmanager.clear()
    assert service.connections == 2


def test_a_head_has_no_body(service: HttpService) -> None:
    found = send(HttpTask(service.url("/huge"), method="HEAD"))
    assert (found["status"], found["text"]) == (200, "")


def test_nobody_is_there() -> None:
    url = f"http://127.0.0.1:{refusing_port()}/"
    assert failure(HttpTask(url)).endswith(": Connection refused")


def test_a_service_that_never_begins_tls() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert failure(HttpTask(url, connect_timeout=0.05)).endswith(": it was not there in 0.05 s")


def test_a_service_that_breaks_off(service: HttpService) -> None:
    assert "the connection broke" in failure(HttpTask(service.url("/broken")))
    assert "the connection broke" in failure(HttpTask(service.url("/nothing")))


def test_a_service_that_hangs_is_left_after_the_read_timeout(service: HttpService) -> None:
    task = HttpTask(service.url("/hang"), read_timeout=0.05)
    assert failure(task).endswith("not a byte came in 0.05 s")


@pytest.mark.parametrize("path", ["/huge", "/flood"])
def test_a_body_above_the_limit_is_not_read_to_its_end(service: HttpService, path: str) -> None:
    text = failure(HttpTask(service.url(path)))
    assert "the body of the answer is above 1000000 bytes" in text


def test_a_body_of_just_the_limit_is_taken(service: HttpService) -> None:
    limit = len(send(HttpTask(service.url("/xml")))["xml"]) + len('<?xml version="1.0"?>')
    assert send(HttpTask(service.url("/xml")), a_sender(http_max_body=limit))["status"] == 200
    text = failure(HttpTask(service.url("/xml")), a_sender(http_max_body=limit - 1))
    assert "is above" in text


@pytest.mark.parametrize("path", ["/hang", "/drip", "/drip?header=1"])
def test_a_run_that_is_given_up_frees_its_thread(service: HttpService, path: str) -> None:
    context, ended = a_context(), threading.Event()

    def run() -> None:
        with pytest.raises(RequestFailed):
            a_sender().send(HttpTask(service.url(path), expect=(299,)), context)
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    while not service.requests:
        assert not ended.wait(0.01)
    assert not ended.wait(0.1)
    context.cancel()
    assert ended.wait(20)


# --- Hosts


def test_private_addresses_are_not_allowed_by_default(service: HttpService) -> None:
    sender = a_sender(allowed_hosts=("*",))
    for host in ("127.0.0.1", "localhost", "127.1", "0x7f000001"):
        text = failure(HttpTask(service.url("/json", host)), sender)
        assert text.startswith("HostNotAllowed")
    assert service.connections == 0


@pytest.mark.parametrize("entry", ["localhost", "127.0.0.0/8"])
def test_they_are_where_they_are_named(service: HttpService, entry: str) -> None:
    sender = a_sender(allowed_hosts=(entry, "127.0.0.1"))
    assert send(HttpTask(service.url("/json", "localhost")), sender)["status"] == 200


def test_it_is_the_address_connected_to_that_is_checked(
    service: HttpService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name whose first lookup is harmless (DNS rebinding)."""
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        looked_up.append(host)
        if host == "shop.example":
            return real("127.0.0.1", port, *args, **kwargs)
        return real(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    sender = a_sender(allowed_hosts=("*.example",))
    text = failure(HttpTask(service.url("/json", "shop.example")), sender)
    assert "HostNotAllowed" in text
    assert "host shop.example is at 127.0.0.1" in text
    assert looked_up == ["shop.example"]
    assert service.connections == 0


def test_a_host_of_no_entry_is_refused_before_it_is_looked_up() -> None:
    with pytest.raises(HostNotAllowed, match=r"host other\.example is not on this node's list"):
        a_sender(allowed_hosts=("*.shop.example",)).check(HttpTask("http://other.example/"))


# --- Redirects


def test_a_redirect_to_a_forbidden_host_fails_the_run(service: HttpService) -> None:
    named = a_sender(allowed_hosts=("localhost",))
    for host in ("http://other.example/", "http://169.254.169.254/latest", "//10.0.0.1/"):
        text = failure(HttpTask(service.url(f"/redirect?to={host}", "localhost")), named)
        assert text.startswith("HostNotAllowed")
        assert "it is redirected to a host that is not allowed" in text
    for there in ("ftp://127.0.0.1/", "http://[", "file:///etc/passwd"):
        text = failure(HttpTask(service.url(f"/redirect?to={there}")))
        assert "it is redirected to what is no URL" in text


def test_redirects_end(service: HttpService) -> None:
    assert "it was redirected more than 5 times" in failure(HttpTask(service.url("/ring")))
    assert len(service.requests) == 6
    assert send(HttpTask(service.url("/ring"), expect=(302,)))["headers"]["location"] == "/ring"


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [
        (301, "GET", b""),
        (302, "GET", b""),
        (303, "GET", b""),
        (307, "POST", b"b"),
        (308, "POST", b"b"),
    ],
)
def test_what_a_redirect_makes_of_a_post(
    service: HttpService, status: int, method: str, body: bytes
) -> None:
    url = service.url(f"/redirect?status={status}&to=/json")
    send(HttpTask(url, method="POST", body="b", headers={"Content-Type": "text/plain"}))
    after = service.requests[1]
    assert (after[0], after[3]) == (method, body)
    assert ("Content-Type" in after[2]) == bool(body)


def test_secrets_do_not_go_with_a_redirect_to_another_origin(service: HttpService) -> None:
    headers = {"Authorization": "Bearer x", "X-Key": "${env:SHOP_TOKEN}", "X-Other": "1"}
    sender = a_sender()
    with HttpService() as other:
        send(HttpTask(service.url("/redirect?to=/json"), headers=headers), sender)
        assert {"Authorization", "X-Key", "X-Other"} <= set(service.requests[1][2])
        send(HttpTask(service.url(f"/redirect?to={other.url('/json')}"), headers=headers), sender)
        assert not {"Authorization", "X-Key"} & set(other.requests[0][2])
        assert "X-Other" in other.requests[0][2]
        task = HttpTask(
            service.url(f"/redirect?status=307&to={other.url('/json')}"),
            method="POST",
            body="${env:SHOP_TOKEN}",
        )
        assert "with a body that holds a secret" in failure(task, sender)


# --- Secrets


def secret_task(service: HttpService, path: str) -> HttpTask:
    url = service.url(path).replace("http://", "http://me:${env:SHOP_PASSWORD}@")
    return HttpTask(f"{url}&token=${{env:SHOP_TOKEN}}", headers={"X-Token": "${env:SHOP_TOKEN}"})


def test_secrets_are_sent_and_not_told(service: HttpService) -> None:
    found = send(secret_task(service, "/echo?a=b"))
    [(_, path, headers, _)] = service.requests
    assert path.endswith("token=s3cr3t%2Ftoken")
    assert headers["X-Token"] == "s3cr3t/token"
    assert headers["Authorization"] == "Basic bWU6cGEgc3Mmd29yZA=="
    said = str(found)
    for hidden in ("s3cr3t", "bWU6cGEgc3Mmd29yZA==", "pa ss"):
        assert hidden not in said
    assert found["json"]["headers"]["x-token"] == "${env:SHOP_TOKEN}"


def test_secrets_are_not_logged(service: HttpService, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    send(secret_task(service, "/echo?a=b"))
    assert "s3cr3t" not in caplog.text
    assert "pa ss" not in caplog.text


@pytest.mark.parametrize(
    "path", ["/status?of=401", "/broken?a=b", "/nothing?a=b", "/redirect?to=http://[", "/huge?a=b"]
)
def test_errors_name_no_secret(service: HttpService, path: str) -> None:
    text = failure(secret_task(service, path))
    for hidden in ("s3cr3t", "bWU6cGEgc3Mmd29yZA==", "pa%20ss"):
        assert hidden not in text
    assert "http://***@127.0.0.1" in text


def test_a_password_that_stands_in_the_task_is_not_told_either(service: HttpService) -> None:
    url = service.url("/status?of=401").replace("http://", "http://me:hunter2@")
    text = failure(HttpTask(url))
    assert "hunter2" not in text
    assert "bWU6aHVudGVyMg==" not in text


def test_only_variables_of_the_list_are_given(service: HttpService) -> None:
    task = HttpTask(service.url("/json"), headers={"X": "${env:OTHER}"})
    for refuse in (a_sender().check, send):
        with pytest.raises(InvalidJob, match=r"\$\{env:OTHER\} is not on this node's list"):
            refuse(task)
    assert not service.requests


def test_a_variable_that_is_not_set_fails_the_run(service: HttpService) -> None:
    task = HttpTask(service.url("/json"), body="${env:SHOP_NONE}", method="POST")
    assert "the environment variable SHOP_NONE is not set on this node" in failure(task)
