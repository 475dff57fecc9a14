"""Connections to hosts of the allow-list, that another thread can cut off.

The address that a connection is made to is the one that was checked: a name that leads elsewhere the
next moment (DNS rebinding) gains nothing by it.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakValueDictionary

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from gridsched.errors import HostNotAllowed, RequestFailed
from gridsched.policy.allowed_hosts import AllowedHosts

_IDLE: Final = 3.0
"""Seconds after which a connection is not used again: the service may be about to close it, and a
request that is on its way then is lost."""

_HOSTS: Final = 10
"""Hosts to which a thread keeps connections."""

_KNOWN_URLS: Final = 1024


_quiet = threading.local()
logging.getLogger("urllib3.connectionpool").addFilter(lambda _: not getattr(_quiet, "here", False))
"""urllib3 writes the whole URL of each request to its log for debugging, and a task's may hold secrets."""


class Call:
    """The requests of one run, which another thread may cut off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self._is_cut = False

    def goes_over(self, sock: socket.socket | None) -> None:
        """From now on it is `sock` that is cut; None: nothing is under way."""
        with self._lock:
            if self._is_cut:
                raise RequestFailed("nobody waits for it any more")
            self._sock = sock

    def end(self) -> None:
        """The connection may serve another call."""
        with self._lock:
            self._sock = None

    def cut(self) -> None:
        """End what is under way: the thread that waits for it goes on at once, or as soon as it is
        connected."""
        with self._lock:
            self._is_cut = True
            if self._sock is not None:
                with contextlib.suppress(OSError):
                    # Not its own method: one of TLS would end the session under its reader's feet.
                    socket.socket.shutdown(self._sock, socket.SHUT_RDWR)


class Adapter(HTTPAdapter):
    """The connections of one thread. `call` is what it has under way."""

    def __init__(self, hosts: AllowedHosts, monotonic: Callable[[], float]) -> None:
        self.hosts = hosts
        self.monotonic = monotonic
        self.call = Call()
        self._pools: WeakValueDictionary[str, HTTPConnectionPool] = WeakValueDictionary()
        super().__init__(pool_connections=_HOSTS, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self)

    def send(self, *args: Any, **kwargs: Any) -> Response:
        _quiet.here = True
        try:
            return super().send(*args, **kwargs)
        finally:
            _quiet.here = False

    def get_connection_with_tls_context(
        self, request: PreparedRequest, *args: Any, **kwargs: Any
    ) -> HTTPConnectionPool:
        """The pool of a URL, looked up once: that costs a fifth of a request."""
        url = request.url or ""
        pool = self._pools.get(url)
        if pool is None:
            if len(self._pools) >= _KNOWN_URLS:
                self._pools.clear()
            pool = super().get_connection_with_tls_context(request, *args, **kwargs)
            self._pools[url] = pool
        return pool


class _Connection(HTTPConnection):
    """Over an adapter's allow-list, for its call."""

    adapter: Adapter
    _used_at = 0.0

    def request(self, *args: Any, **kwargs: Any) -> None:
        now = self.adapter.monotonic()
        if self.sock is not None and now - self._used_at > _IDLE:
            self.close()
        self._used_at = now
        self.adapter.call.goes_over(self.sock)
        super().request(*args, **kwargs)

    def connect(self) -> None:
        try:
            super().connect()
        except TimeoutError:
            raise self._failed(f"it was not there in {self.timeout:g} s") from None
        self.adapter.call.goes_over(self.sock)

    def _failed(self, reason: object) -> RequestFailed:
        return RequestFailed(f"no connection to {self.host}:{self.port}: {reason}")

    def _new_conn(self) -> socket.socket:
        reason: OSError | None = None
        for address in _addresses(self._dns_host, self.port or 0, self.adapter.hosts):
            try:
                return create_connection(
                    (address, self.port or 0),
                    self.timeout,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                reason = error
        if isinstance(reason, TimeoutError):
            raise reason
        raise self._failed(reason.strerror if reason and reason.strerror else reason)


class _TlsConnection(_Connection, HTTPSConnection):
    pass


def _pools(adapter: Adapter) -> dict[str, type[HTTPConnectionPool]]:
    """The classes by which urllib3 makes pools of connections, for one adapter."""
    plain = type("_Plain", (_Connection,), {"adapter": adapter})
    tls = type("_Tls", (_TlsConnection,), {"adapter": adapter})
    return {
        "http": type("_PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("_TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
    }


def _addresses(host: str, port: int, hosts: AllowedHosts) -> list[str]:
    """The addresses of a host that may be connected to; HostNotAllowed where there are none."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RequestFailed(f"host {host} is not found: {reason}") from None
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    may = [address for address in addresses if hosts.may_connect(host.strip("[]"), address)]
    if not may:
        raise HostNotAllowed(
            f"host {host} is at {', '.join(addresses)}, which this node's allowedhosts do not "
            "allow: private, loopback and link-local addresses are named there one by one"
        )
    return may
