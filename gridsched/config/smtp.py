"""The server that takes the mail of a node."""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from gridsched.errors import ConfigurationError
from gridsched.policy.subscribers import check_address

_FROM_ENVIRONMENT: Final = re.compile(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}")


class Smtp(msgspec.Struct, frozen=True, kw_only=True):
    """The server that takes the mail of events.

    port      0: 25, or 587 with starttls, or 465 with tls
    security  "starttls" and "tls" check the server's certificate; without them nobody logs in
    username  to log in with; "": nobody does
    password  "${env:NAME}": it stands in the node's environment alone
    sender    the address that mail comes from
    timeout   seconds that the server may take for one answer
    """

    host: str
    sender: str
    port: int = 0
    security: Literal["none", "starttls", "tls"] = "none"
    username: str = ""
    password: str = ""
    timeout: float = 10.0

    def __post_init__(self) -> None:
        """ConfigurationError naming the first field that cannot be."""
        if not self.host or not 0 <= self.port <= 65535:
            raise ConfigurationError(f"smtp: no server has host {self.host!r} and port {self.port}")
        try:
            check_address(self.sender)
        except ValueError as error:
            raise ConfigurationError(f"smtp: sender {error}") from None
        if bool(self.username) != bool(self.password):
            raise ConfigurationError("smtp: username and password go together")
        if self.password and not _FROM_ENVIRONMENT.fullmatch(self.password):
            raise ConfigurationError(
                "smtp: a password is not written here: name an environment variable, ${env:NAME}"
            )
        if self.username and self.security == "none":
            raise ConfigurationError(
                "smtp: a password is not sent in the clear: security is starttls or tls"
            )
        if not self.timeout > 0:
            raise ConfigurationError(f"smtp: timeout is {self.timeout}; it must be above 0 seconds")
