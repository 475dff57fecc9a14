"""Events by mail, over the SMTP server that the node's settings name."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Final

import msgspec

from gridsched.config.smtp import Smtp
from gridsched.errors import DeliveryFailed
from gridsched.model.events import Event
from gridsched.model.http import filled
from gridsched.policy.subscribers import Mail

_AS_WRITTEN: Final = SMTP.clone(max_line_length=990, cte_type="7bit")
"""Lines as they are, up to what SMTP takes; what is not ASCII encoded, as every server takes it."""

_PORTS: Final = {"none": 25, "starttls": 587, "tls": 465}


class Mailer:
    """Sends mail, each in the thread that asks for it, on a connection of its own."""

    def __init__(self, smtp: Smtp, environ: Mapping[str, str]) -> None:
        self._smtp = smtp
        self._environ = environ

    def send(self, mail: Mail, event: Event) -> dict[str, Any]:
        """Tell one address of an event. DeliveryFailed where the server does not take the mail."""
        message = message_of(mail, event, self._smtp.sender)
        try:
            with self._connected() as server:
                server.send_message(message)
        except (smtplib.SMTPException, OSError) as error:
            place = f"{self._smtp.host}:{self._port}"
            raise DeliveryFailed(f"mail to {mail.address} by {place}: {_reason(error)}") from None
        return {"mailed": mail.address}

    @property
    def _port(self) -> int:
        return self._smtp.port or _PORTS[self._smtp.security]

    def _connected(self) -> smtplib.SMTP:
        """A connection that is private and logged in, as far as the settings say."""
        smtp = self._smtp
        private = ssl.create_default_context()
        # Its own way to the name of this machine asks the name service, which may take seconds.
        name = socket.gethostname()
        if smtp.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                smtp.host, self._port, name, timeout=smtp.timeout, context=private
            )
        else:
            server = smtplib.SMTP(smtp.host, self._port, name, timeout=smtp.timeout)
        try:
            if smtp.security == "starttls":
                server.starttls(context=private)
            if smtp.username:
                server.login(smtp.username, filled(smtp.password, self._secret))
        except BaseException:
            server.close()
            raise
        return server

    def _secret(self, name: str) -> str:
        value = self._environ.get(name, "")
        if not value:
            raise DeliveryFailed(f"the environment variable {name} is not set on this node")
        return value


def message_of(mail: Mail, event: Event, sender: str) -> EmailMessage:
    """The mail. Its id is the event's, so that a second copy of it is known for what it is."""
    message = EmailMessage(policy=_AS_WRITTEN)
    message["Subject"] = mail.subject or f"{event.name}: {event.task}"
    message["From"] = _address(sender)
    message["To"] = _address(mail.address)
    message["Date"] = _moment(event)
    message["Message-ID"] = f"<{event.id}@{_address(sender).domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_body(event))
    return message


def _address(written: str) -> Address:
    local, _, domain = written.rpartition("@")
    return Address(username=local, domain=domain.encode("idna").decode())


def _body(event: Event) -> str:
    said = {
        "event": event.name,
        "task": event.task,
        "operation": event.operation,
        "time": _moment(event).isoformat(),
        "condition": event.condition,
    }
    lines = [f"{name:<10} {value}" for name, value in said.items() if value]
    return "\n".join([*lines, "", _content(event.content), ""])


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()


def _moment(event: Event) -> datetime:
    return datetime.fromtimestamp(event.time / 1000, UTC)


def _reason(error: Exception) -> str:
    """What the server said, or the connection."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code, text = next(iter(refused.values()))
            return f"{code} {_text(text)}"
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=text):
            return f"{code} {_text(text)}"
        case TimeoutError():
            return "no answer in time"
        case OSError(strerror=str(reason)) if not isinstance(error, smtplib.SMTPException):
            return reason
        case _:
            return str(error) or type(error).__name__


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
