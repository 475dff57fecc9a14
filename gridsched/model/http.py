"""HTTP tasks: a request, or an operation of a data service, as what a job does.

`${env:NAME}` in a URL, a header's value or a body stands for an environment variable of the node
that makes the request: a secret is never in the grid.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec.structs import replace

from gridsched.errors import InvalidJob

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
KEPT_HEADERS: Final = ("content-type", "date", "etag", "last-modified", "location", "retry-after")
"""The response's headers that stand in the result where the task names none."""
CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Headers that are secret whatever they hold."""

_SECRET: Final = re.compile(r"\$\{env:([^}]*)\}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_URL: Final = re.compile(r"[\x00-\x20\x7f]")
_AUTHORITY: Final = re.compile(r"://|[/?#]")
_ONLY_SECRETS: Final = re.compile(r"(\$\{env:[^}]*\}:?)+@")
_USER: Final = re.compile(r"(?<=://)[^/?#]*@")


class HttpTask(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="http"):
    """A request. What is answered is the run's result (see `jobs.http.responses`).

    url              http or https; redirects are followed as far as the node allows their hosts
    headers, body    sent as they are, the body in UTF-8
    expect           statuses that are a success; none: 200 to 299
    keep_headers     names of the response's headers that are kept; none: `KEPT_HEADERS`
    connect_timeout  seconds until a connection stands
    read_timeout     seconds without a byte from the service; the whole run has the job's `timeout`,
                     or `TOTAL_TIMEOUT`
    """

    url: str
    method: str = "GET"
    headers: dict[str, str] = {}
    body: str = ""
    expect: tuple[int, ...] = ()
    keep_headers: tuple[str, ...] = ()
    connect_timeout: float = 5.0
    read_timeout: float = 30.0


class ServiceOperation(msgspec.Struct, frozen=True, gc=False, tag="operation"):
    """An operation of a data service, as the node's catalogue of services has it."""

    service: str
    operation: str


TOTAL_TIMEOUT: Final = 60.0
"""Seconds that the run of an HTTP task may take where its job has no timeout."""


def split_url(url: str) -> SplitResult:
    """The parts of an http or https URL, each secret in it replaced by a letter; InvalidJob where
    it is not one."""
    plain = _SECRET.sub("x", url)
    if _NOT_IN_URL.search(plain):
        raise InvalidJob(f"{redacted(url)!r} is no URL: a blank or a control character is in it")
    try:
        parts = urlsplit(plain)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidJob(f"{redacted(url)!r} is no URL: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidJob(f"{redacted(url)!r} is no URL of http:// or https:// with a host")
    if _SECRET.search(_AUTHORITY.split(url)[1].rpartition("@")[2]):
        raise InvalidJob(f"{redacted(url)!r}: the host cannot come from the environment")
    return parts


def redacted(url: str) -> str:
    """A URL without the user and password in it, unless both come from the environment."""
    return _USER.sub(lambda found: found[0] if _ONLY_SECRETS.fullmatch(found[0]) else "***@", url)


def secrets(text: str) -> list[str]:
    """The names of the environment variables that a text stands for."""
    return [found[1] for found in _SECRET.finditer(text)]


def filled(text: str, values: Any) -> str:
    """A text with `values(name)` for each of its secrets."""
    return _SECRET.sub(lambda found: values(found[1]), text)


def secrets_of(task: HttpTask) -> set[str]:
    """The names of the environment variables that a task stands for."""
    return {
        name for text in (task.url, task.body, *task.headers.values()) for name in secrets(text)
    }


def shown(task: HttpTask) -> HttpTask:
    """A task as it is listed: without passwords, where it holds any."""
    headers = {
        name: "***" if name.lower() in CREDENTIALS and not secrets(value) else value
        for name, value in task.headers.items()
    }
    return replace(task, url=redacted(task.url), headers=headers)


def check_http(task: HttpTask) -> None:
    """InvalidJob, saying which field is wrong. Says nothing of whether a node allows the host."""
    split_url(task.url)
    if task.method not in METHODS:
        raise InvalidJob(f"method is {task.method!r}; one of {', '.join(METHODS)}")
    if not isinstance(task.body, str):
        raise InvalidJob(
            f"body is {type(task.body).__name__}; it must be text (json.dumps makes it)"
        )
    for name, value in task.headers.items():
        _check_header(name, value)
    for name in secrets_of(task):
        if not _VARIABLE.fullmatch(name):
            raise InvalidJob(f"${{env:{name}}} names no environment variable")
    for status in task.expect:
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise InvalidJob(f"expect has {status}; a status is from 200 to 599")
    for field in ("connect_timeout", "read_timeout"):
        if not getattr(task, field) > 0:
            raise InvalidJob(f"{field} is {getattr(task, field)}; it must be above 0 seconds")


def _check_header(name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise InvalidJob(f"{name!r} is no name of a header")
    if (
        not isinstance(value, str)
        or not value.isprintable()
        or not value.isascii()
        or value != value.strip()
    ):
        # The value may be a secret that should not have been written here: it is not shown.
        raise InvalidJob(
            f"header {name}: its value is not printable ASCII, or has blanks around it"
        )
    if name.lower() in ("host", "content-length", "transfer-encoding", "connection"):
        raise InvalidJob(f"header {name} is made for each request: leave it out")
