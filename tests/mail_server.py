"""A real mail server for tests: it takes what is sent, or says why not."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session

HOST = "127.0.0.1"
PATIENCE = 40.0
"""Seconds that its start may take."""


class MailServer:
    """Serves on 127.0.0.1 until its end.

    mails   what was taken, in order
    refuse  what it answers instead of taking a mail; "": it takes it
    users   who may log in, with their passwords; none: nobody has to
    """

    def __init__(
        self,
        port: int = 0,
        *,
        users: Mapping[str, str] | None = None,
        certificate: ssl.SSLContext | None = None,
        tls_at_once: bool = False,
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = ""
        self._users = dict(users or {})
        options: dict[str, Any] = {}
        if certificate is not None:
            key = "ssl_context" if tls_at_once else "tls_context"
            options[key] = certificate
        if self._users:
            options |= {"authenticator": self._login, "auth_required": True}
            options["auth_require_tls"] = not tls_at_once
        self._controller = _Controller(
            self, hostname=HOST, port=port, ready_timeout=PATIENCE, **options
        )

    @property
    def port(self) -> int:
        return int(self._controller.server.sockets[0].getsockname()[1])

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuse:
            return self.refuse
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    def _login(
        self, _server: Any, _session: Any, _envelope: Any, _how: str, data: Any
    ) -> AuthResult:
        known = self._users.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=known, handled=False)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._controller.stop()


class _Controller(Controller):
    """One whose port may be any that is free: aiosmtpd's own would look for it at port 0."""

    def _trigger_server(self) -> None:
        self.port = int(self.server.sockets[0].getsockname()[1])
        super()._trigger_server()
