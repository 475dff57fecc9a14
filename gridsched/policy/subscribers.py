"""Who is told of an event: how a subscriber is written, and what it comes to."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote

from gridsched.errors import InvalidJob
from gridsched.model.http import redacted, split_url

MAILTO: Final = "mailto:"

_MAX_ADDRESS: Final = 254
_LOCAL: Final = re.compile(
    r"[^\s\x00-\x1f\x7f\"(),.:;<>@\[\\\]]+(?:\.[^\s\x00-\x1f\x7f\"(),.:;<>@\[\\\]]+)*"
)
_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class Mail(NamedTuple):
    """An email to an address. `subject` "": one made of the event."""

    address: str
    subject: str = ""


class Web(NamedTuple):
    """A POST to a URL."""

    url: str


def parse_subscriber(text: str) -> Mail | Web:
    """What a subscriber is, of "mailto:ops@shop.example", with or without "?subject=…" (RFC 6068, for
    one address), or of a URL of http:// or https://. InvalidJob says what is wrong with it."""
    scheme = text.partition(":")[0].lower()
    if scheme == "mailto":
        return _mail(text)
    if scheme in ("http", "https"):
        return _web(text)
    raise InvalidJob(f"subscriber {redacted(text)!r} is neither mailto:…, http://… nor https://…")


def _mail(text: str) -> Mail:
    written, _, query = text[len(MAILTO) :].partition("?")
    if "," in written:
        raise InvalidJob(f"subscriber {text!r}: write a subscriber for each address")
    address = unquote(written)
    try:
        check_address(address)
    except ValueError as error:
        raise InvalidJob(f"subscriber {text!r}: {error}") from None
    subject = ""
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name.lower() != "subject":
            raise InvalidJob(
                f"subscriber {text!r}: of headers only subject may be given, not {name}"
            )
        if not value.isprintable():
            raise InvalidJob(f"subscriber {text!r}: its subject is not one line of printable text")
        subject = value
    return Mail(address, subject)


def check_address(address: str) -> None:
    """ValueError where it is no email address (RFC 5322, without comments and quotes, which nobody
    has)."""
    local, at, domain = address.rpartition("@")
    if not at:
        raise ValueError(f"{address!r} is no email address: it has no @")
    if not _LOCAL.fullmatch(local) or len(local) > 64:
        raise ValueError(f"{address!r} is no email address before its @")
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        ascii_domain = ""
    if not _DOMAIN.fullmatch(ascii_domain) or len(address) > _MAX_ADDRESS:
        raise ValueError(f"{address!r} is no email address behind its @")


def _web(text: str) -> Web:
    try:
        split_url(text)
    except InvalidJob as error:
        raise InvalidJob(f"subscriber {error}") from None
    if redacted(text) != text:
        raise InvalidJob(
            f"subscriber {redacted(text)!r}: a password is not written here: name environment "
            "variables, ${env:NAME}"
        )
    return Web(text)
