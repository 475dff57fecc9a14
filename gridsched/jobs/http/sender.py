"""Makes the requests of HTTP tasks.

Of `requests` it uses prepared requests, made once for a task, and an adapter for each thread. A
session would read a redirect's whole body, however long, and merge settings into each request.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, ReadTimeoutError

from gridsched.clock import Clock
from gridsched.config.settings import Settings
from gridsched.errors import GridschedError, HostNotAllowed, RequestFailed
from gridsched.jobs.context import JobContext
from gridsched.jobs.http import responses
from gridsched.jobs.http.connections import Adapter, Call
from gridsched.jobs.http.secrets import NOTHING_HIDDEN, Hidden, Secrets
from gridsched.model.http import CREDENTIALS, KEPT_HEADERS, HttpTask, redacted, secrets, split_url
from gridsched.policy.allowed_hosts import allowed_hosts
from gridsched.policy.allowed_requests import check_host, check_request

MAX_REDIRECTS: Final = 5

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OWN_HEADERS: Final = {
    "User-Agent": "gridsched",
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # what is unpacked may be a thousand times what was sent
}
_OF_A_BODY: Final = ("Content-Length", "Content-Type", "Transfer-Encoding")
_KNOWN_TASKS: Final = 4096
_SHOWN_BODY: Final = 200
_LONGEST_HEADER: Final = 4096
_REDIRECT_BODY: Final = 16_384
"""Bytes of a redirect's own body that are read, so that its connection can be used again."""


class HttpSender:
    """Sends requests, each in the thread that asks for it, to hosts that the settings allow."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], clock: Clock) -> None:
        self._hosts = allowed_hosts(settings.allowed_hosts)
        self._max_body = settings.http_max_body
        self._patterns = settings.allowed_secrets
        self._secrets = Secrets(settings.allowed_secrets, environ)
        self._monotonic = clock.monotonic
        self._known: dict[tuple[str, str, str], tuple[HttpTask, _Request]] = {}
        self._threads = threading.local()

    def check(self, task: HttpTask) -> None:
        """HostNotAllowed or InvalidJob where this node will not send it, as far as that is known
        before its host is looked up."""
        check_request(task, self._hosts, self._patterns)

    def send(self, task: HttpTask, context: JobContext) -> dict[str, Any]:
        """Send a request, follow its redirects, and make the run's result of what is answered (see
        `jobs.http.responses`).

        RequestFailed says what went wrong: no connection, no answer in time, a status that is not
        expected, a body above the limit. HostNotAllowed where it would go, or was redirected, to a
        host that is not on the allow-list. Once the run is given up, its connection is closed.
        """
        call = Call()
        context.on_cancel(call.cut)
        hidden = NOTHING_HIDDEN
        try:
            request = self._request(task)
            hidden = request.hidden
            return self._follow(request, call)
        except GridschedError as error:
            text = f"{task.method} {redacted(task.url)}: {error}"
            raise type(error)(hidden.text(text)) from None
        finally:
            call.end()

    def _request(self, task: HttpTask) -> _Request:
        """The request of a task; made once, but for one with secrets."""
        key = (task.method, task.url, task.body)
        known = self._known.get(key)
        if known is not None and known[0] == task:
            return known[1]
        check_host(task.url, self._hosts)
        filled, hidden = self._secrets.fill(task)
        made = _Request(task, _prepared(filled), _with_password(filled.url, hidden))
        if filled is task:
            if len(self._known) >= _KNOWN_TASKS:
                self._known.clear()
            self._known[key] = task, made
        return made

    def _follow(self, request: _Request, call: Call) -> dict[str, Any]:
        prepared, task = request.prepared, request.task
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._exchange(prepared, task, call)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or answer.status in task.expect or not location:
                return self._result(request, answer)
            prepared = self._redirected(prepared, task, answer.status, location)
        raise RequestFailed(f"it was redirected more than {MAX_REDIRECTS} times")

    def _exchange(self, prepared: requests.PreparedRequest, task: HttpTask, call: Call) -> _Answer:
        adapter = self._adapter()
        adapter.call = call
        try:
            response = adapter.send(
                prepared, stream=True, timeout=(task.connect_timeout, task.read_timeout)
            )
            try:
                return self._read(response, task)
            finally:
                response.close()
        except GridschedError:
            raise
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise RequestFailed(_reason(error, task)) from None

    def _adapter(self) -> Adapter:
        adapter: Adapter | None = getattr(self._threads, "adapter", None)
        if adapter is None:
            adapter = self._threads.adapter = Adapter(self._hosts, self._monotonic)
        return adapter

    def _read(self, response: requests.Response, task: HttpTask) -> _Answer:
        """Status, headers and body. A body that is read whole leaves its connection to be used
        again."""
        headers = response.headers
        if response.status_code in _REDIRECTS and "location" in headers:
            body = response.raw.read(_REDIRECT_BODY, decode_content=False)
            return _Answer(response.status_code, headers, body)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._max_body and task.method != "HEAD":
            raise self._too_long()
        body = bytearray()
        while chunk := response.raw.read(self._max_body + 1 - len(body), decode_content=False):
            body += chunk
            if len(body) > self._max_body:
                raise self._too_long()
        return _Answer(response.status_code, headers, bytes(body))

    def _too_long(self) -> RequestFailed:
        return RequestFailed(
            f"the body of the answer is above {self._max_body} bytes; see httpmaxbody (XML) or "
            "http_max_body"
        )

    def _redirected(
        self, before: requests.PreparedRequest, task: HttpTask, status: int, location: str
    ) -> requests.PreparedRequest:
        """The request that a redirect asks for. What is secret goes to no other origin."""
        try:
            url = urljoin(before.url or "", location)
            split_url(url)
            after = before.copy()
            after.prepare_url(url, None)
            check_host(after.url or "", self._hosts)
        except HostNotAllowed as error:
            raise HostNotAllowed(
                f"it is redirected to a host that is not allowed: {error}"
            ) from None
        except (ValueError, requests.RequestException) as error:
            raise RequestFailed(f"it is redirected to what is no URL: {error}") from None
        if (status == 303 and before.method != "HEAD") or (
            status in (301, 302) and before.method == "POST"
        ):
            after.method, after.body = "GET", None
            for name in _OF_A_BODY:
                after.headers.pop(name, None)
        if _origin(before.url) != _origin(after.url):
            _leave_secrets(after, task)
        return after

    def _result(self, request: _Request, answer: _Answer) -> dict[str, Any]:
        task, hidden = request.task, request.hidden
        body = hidden.bytes(answer.body)
        status = answer.status
        if not (status in task.expect if task.expect else 200 <= status <= 299):
            raise RequestFailed(f"it was answered {_in_words(status)}{_start_of(body)}")
        wanted = {name.lower() for name in task.keep_headers or KEPT_HEADERS}
        kept = {
            name.lower(): hidden.text(value[:_LONGEST_HEADER])
            for name, value in answer.headers.items()
            if name.lower() in wanted
        }
        return responses.result(status, kept, answer.headers, body)


class _Request(NamedTuple):
    """A task with its prepared request and what must not be seen of it."""

    task: HttpTask
    prepared: requests.PreparedRequest
    hidden: Hidden


class _Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def _prepared(task: HttpTask) -> requests.PreparedRequest:
    headers = CaseInsensitiveDict(_OWN_HEADERS)
    headers.update(task.headers)
    try:
        return requests.Request(
            task.method, task.url, headers=headers, data=task.body.encode() or None
        ).prepare()
    except (requests.RequestException, ValueError) as error:
        raise RequestFailed(f"it cannot be sent: {error}") from None


def _with_password(url: str, hidden: Hidden) -> Hidden:
    """Hidden too: the password of the URL, and the header that is made of it."""
    parts = urlsplit(url)
    if not parts.password:
        return hidden
    made = str(requests.Request("GET", url).prepare().headers["Authorization"])
    token = made.rpartition(" ")[2]
    return hidden.and_also({token: "***", unquote(parts.password): "***", parts.password: "***"})


def _origin(url: str | None) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url or "")
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]


def _leave_secrets(request: requests.PreparedRequest, task: HttpTask) -> None:
    if request.body is not None and secrets(task.body):
        raise RequestFailed("it is redirected to another host, with a body that holds a secret")
    secret = {name.lower() for name, value in task.headers.items() if secrets(value)}
    for name in list(request.headers):
        if name.lower() in secret | CREDENTIALS:
            del request.headers[name]


def _in_words(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _start_of(body: bytes) -> str:
    """The start of a body in one line, for an error."""
    text = " ".join(body[: 4 * _SHOWN_BODY].decode(errors="replace").split())
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    if len(shown) > _SHOWN_BODY:
        shown = f"{shown[:_SHOWN_BODY]}…"
    return f": {shown}" if shown else ""


def _reason(error: Exception, task: HttpTask) -> str:
    """What went wrong below, in words: without the URL, which the errors of requests hold."""
    if isinstance(error, requests.ReadTimeout | ReadTimeoutError):
        return f"not a byte came in {task.read_timeout:g} s"
    return f"the connection broke: {_innermost(error)}"


def _innermost(error: BaseException) -> BaseException:
    while True:
        candidates = (getattr(error, "reason", None), *reversed(error.args))
        inner = next((each for each in candidates if isinstance(each, BaseException)), None)
        if inner is None:
            return error
        error = inner
