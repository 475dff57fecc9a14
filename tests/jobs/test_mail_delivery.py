"""Events by mail: over a real server, with and without TLS and login; what stands in the mail."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest
from http_service import refusing_port
from mail_server import MailServer

from gridsched.config.smtp import Smtp
from gridsched.errors import ConfigurationError, DeliveryFailed
from gridsched.jobs.delivery.mail import Mailer, message_of
from gridsched.jobs.delivery.post import request_of
from gridsched.model.events import Event
from gridsched.policy.subscribers import Mail

CERTIFICATE = Path(__file__).parents[1] / "mail_certificate.pem"
OPS = Mail("ops@shop.example")
EVENT = Event(
    "0123",
    "low",
    "shop/stock",
    "getProductQuantity",
    1_790_000_000_000,
    "//quantity < 10",
    "<quantity>3</quantity>",
)
ENVIRON = {"SMTP_PASSWORD": "correct horse"}


def smtp(port: int, **fields: Any) -> Smtp:
    return Smtp(host="127.0.0.1", port=port, sender="gridsched@shop.example", **fields)


def certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


def test_a_mail_says_what_happened() -> None:
    with MailServer() as server:
        assert Mailer(smtp(server.port), {}).send(OPS, EVENT) == {"mailed": "ops@shop.example"}
    (mail,) = server.mails
    assert mail["Subject"] == "low: shop/stock"
    assert mail["Message-ID"] == "<0123@shop.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.timestamp() == EVENT.time / 1000
    assert mail.get_content().replace("\r\n", "\n") == (
        "event      low\n"
        "task       shop/stock\n"
        "operation  getProductQuantity\n"
        "time       2026-09-21T14:13:20+00:00\n"
        "condition  //quantity < 10\n"
        "\n"
        "<quantity>3</quantity>\n"
    )


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_goes_over_tls_after_a_login(security: Any, trusted: None) -> None:
    users = {"gridsched": "correct horse"}
    with MailServer(
        users=users, certificate=certificate(), tls_at_once=security == "tls"
    ) as server:
        login = {"username": "gridsched", "password": "${env:SMTP_PASSWORD}"}
        mailer = Mailer(smtp(server.port, security=security, **login), ENVIRON)
        mailer.send(OPS, EVENT)
        assert len(server.mails) == 1
        wrong = Mailer(smtp(server.port, security=security, **login), {"SMTP_PASSWORD": "guess"})
        with pytest.raises(DeliveryFailed, match="535") as refused:
            wrong.send(OPS, EVENT)
        assert "guess" not in str(refused.value)
        unset = Mailer(smtp(server.port, security=security, **login), {})
        with pytest.raises(DeliveryFailed, match="SMTP_PASSWORD is not set"):
            unset.send(OPS, EVENT)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(security: Any) -> None:
    with MailServer(certificate=certificate(), tls_at_once=security == "tls") as server:
        with pytest.raises(DeliveryFailed, match="CERTIFICATE_VERIFY_FAILED"):
            Mailer(smtp(server.port, security=security), {}).send(OPS, EVENT)
        assert server.mails == []


def test_a_server_without_tls_gets_nothing_where_tls_is_asked_for(trusted: None) -> None:
    with MailServer() as server:
        with pytest.raises(DeliveryFailed, match="STARTTLS"):
            Mailer(smtp(server.port, security="starttls"), {}).send(OPS, EVENT)
        assert server.mails == []


def test_what_the_server_says_is_the_reason() -> None:
    with MailServer() as server:
        server.refuse = "550 no such mailbox"
        place = f"mail to ops@shop.example by 127.0.0.1:{server.port}"
        with pytest.raises(DeliveryFailed, match=f"{place}: 550 no such mailbox"):
            Mailer(smtp(server.port), {}).send(OPS, EVENT)
    with pytest.raises(DeliveryFailed, match="Connection refused"):
        Mailer(smtp(refusing_port()), {}).send(OPS, EVENT)
    with pytest.raises(DeliveryFailed, match="timed out"):
        Mailer(smtp(hanging_port(), timeout=0.2), {}).send(OPS, EVENT)


def hanging_port() -> int:
    """A port where somebody listens and says nothing."""
    listening = socket.create_server(("127.0.0.1", 0))
    _KEPT.append(listening)
    return int(listening.getsockname()[1])


_KEPT: list[Any] = []


def test_nothing_of_an_event_makes_a_header() -> None:
    content = "x\r\nBcc: thief@example.com\r\n.\r\nMAIL FROM:<a@b>"
    event = Event("1", "a b", "g/j", "", 0, "x\nBcc: y@z.example", content)
    message = message_of(Mail("ops@shop.example", "Low!"), event, "gridsched@shop.example")
    assert message["Bcc"] is None
    with MailServer() as server:
        Mailer(smtp(server.port), {}).send(OPS, event)
        assert len(server.mails) == 1
        assert server.mails[0]["Bcc"] is None


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("é – ✓", "é – ✓"),
        ({"quantity": 3}, '{\n  "quantity": 3\n}'),
        (None, "null"),
        ("y" * 3000, "y" * 3000),
    ],
)
def test_any_content_comes_as_it_is(content: Any, shown: str) -> None:
    event = Event("1", "low", "g/j", "", 0, "@", content)
    with MailServer() as server:
        Mailer(smtp(server.port), {}).send(Mail("ops@bücher.example"), event)
    (mail,) = server.mails
    assert mail["To"] == "ops@xn--bcher-kva.example"
    assert mail.get_content().replace("\r\n", "\n").partition("\n\n")[2].strip() == shown


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"host": ""}, "smtp: no server has host ''"),
        ({"port": 70_000}, "port 70000"),
        ({"sender": "gridsched"}, "smtp: sender 'gridsched' is no email address"),
        ({"username": "me"}, "go together"),
        ({"username": "me", "password": "hunter2", "security": "tls"}, "not written here"),
        ({"username": "me", "password": "${env:P}"}, "not sent in the clear"),
        ({"timeout": 0}, "timeout is 0"),
    ],
)
def test_a_server_that_cannot_be_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Smtp(**{"host": "smtp.example", "sender": "a@b.example", **fields})
    assert reason in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_an_event_is_posted_as_json_that_names_no_secret_of_the_node() -> None:
    event = Event("1", "low", "g/j", "", 1_790_000_000_000, "@", "${env:HOME} and $ {")
    task = request_of("https://shop.example/hook", event)
    assert "${" not in task.body
    assert msgspec.json.decode(task.body) == {
        "id": "1",
        "name": "low",
        "task": "g/j",
        "operation": "",
        "time": "2026-09-21T14:13:20+00:00",
        "condition": "@",
        "content": "${env:HOME} and $ {",
    }
