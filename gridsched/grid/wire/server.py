"""The server: a listener a member of an embedded cluster, on the loop that starts it."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from typing import Final

from gridsched.grid.embedded import EmbeddedCluster
from gridsched.grid.wire.config import GridConfig
from gridsched.grid.wire.endpoint import Endpoint
from gridsched.grid.wire.faults import Faults
from gridsched.grid.wire.operations import load
from gridsched.grid.wire.services import Services

BACKLOG: Final = 1024
"""Connections that may wait to be accepted."""
MAX_CONNECTIONS: Final = 10_000
"""Clients at most, where the process may open so many files."""
RESERVED_FILES: Final = 64
"""Files that are left to the rest of the process."""
AUTHENTICATION_TIMEOUT: Final = 30.0
"""Seconds after which a connection is dropped that has not authenticated."""
HEARTBEAT_TIMEOUT: Final = 300.0
"""Seconds after which a silent client is dropped: hazelcast.client.max.no.heartbeat.seconds."""
WATCH_INTERVAL: Final = 1.0
"""Seconds between two looks at silent clients and expired entries."""

_log = logging.getLogger(__name__)


class WireServer:
    """Serves an embedded cluster to clients of Hazelcast's protocol.

        server = WireServer(cluster, uuids)
        await server.start("127.0.0.1", [5701])
        ...
        await server.stop()

    Each member of the cluster has an address of its own, and clients reach all of them. Members
    that join or leave by `add_member`, `kill_member` and `shutdown_member` open and close theirs.
    The cluster's members need ids that are UUIDs (`gridsched.grid.embedded.cluster.uuids`);
    `uuids` gives those of registrations and of the cluster. OSError where an address is taken.
    """

    def __init__(
        self, cluster: EmbeddedCluster, uuids: Callable[[], str], config: GridConfig | None = None
    ) -> None:
        load()
        self._cluster = cluster
        self._uuids = uuids
        self._config = config or GridConfig()
        self._host = self._known_as = ""
        self._services: Services | None = None
        self._endpoints: set[Endpoint] = set()
        self._listeners: dict[str, asyncio.Server] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._most = _most_connections()
        self._is_full = False

    @property
    def addresses(self) -> list[str]:
        """host:port of each member, in the order they joined."""
        return [member.address for member in self._cluster.members]

    @property
    def faults(self) -> Faults:
        """What is to go wrong. RuntimeError before the start."""
        if self._services is None:
            raise RuntimeError("the server has not started")
        return self._services.faults

    async def start(self, host: str = "127.0.0.1", ports: Sequence[int] = ()) -> None:
        """Listen for clients of every member: at these ports, in the order they joined.

        Port 0 is any free one, and so is one that is not given. Where `host` is a wildcard, members
        are known by the address of this machine's name.
        """
        _warn_beyond_loopback(host)
        self._host = host
        self._known_as = _reachable(host)
        self._services = Services(self._cluster, self._config, self._uuids)
        try:
            for member, port in zip(self._cluster.members, chain(ports, repeat(0)), strict=False):
                await self._open(member.uuid, port)
        except BaseException:
            await self.stop()
            raise
        self._cluster.membership_listeners.append(self._close_departed)
        self._keep_watch()

    async def stop(self) -> None:
        """Close every connection, and listen no more."""
        if self._watch is not None:
            self._watch.cancel()
        if self._close_departed in self._cluster.membership_listeners:
            self._cluster.membership_listeners.remove(self._close_departed)
        closing = [found for member in self._listeners for found in self._endpoints_of(member)]
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()
        for endpoint in closing:
            endpoint.abort()
        if self._services is not None:
            self._services.close()
        await _all_closed(closing)

    async def add_member(self, port: int = 0) -> str:
        """A new member joins, and listens at `port`; returns its uuid."""
        listener = await self._listen(port, lambda: uuid)
        uuid = self._cluster.add_member(self._address_of(listener))
        self._listeners[uuid] = listener
        return uuid

    async def kill_member(self, uuid: str, *others: str) -> None:
        """A member crashes, or several at once.

        Their clients have noticed when this returns, or had a moment for it. KeyError for a uuid
        that is no member's.
        """
        closing = [found for member in (uuid, *others) for found in self._endpoints_of(member)]
        self._cluster.kill_member(uuid, *others)
        await _all_closed(closing)

    async def shutdown_member(self, uuid: str) -> None:
        """A member leaves after its data has migrated; else as `kill_member`."""
        closing = self._endpoints_of(uuid)
        self._cluster.shutdown_member(uuid)
        await _all_closed(closing)

    async def _open(self, member: str, port: int) -> None:
        self._listeners[member] = listener = await self._listen(port, lambda: member)
        self._cluster.locate(member, self._address_of(listener))

    async def _listen(self, port: int, member: Callable[[], str]) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: self._accept(member()), self._host, port, backlog=BACKLOG
        )

    def _accept(self, member: str) -> asyncio.BaseProtocol:
        services = self._services
        assert services is not None
        if len(self._endpoints) >= self._most:
            if not self._is_full:
                _log.warning("connections are refused: there are %d already", self._most)
            self._is_full = True
            return _Refused()
        self._is_full = False
        return Endpoint(services, member, self._endpoints)

    def _address_of(self, listener: asyncio.Server) -> str:
        return f"{self._known_as}:{listener.sockets[0].getsockname()[1]}"

    def _close_departed(self) -> None:
        staying = {member.uuid for member in self._cluster.members}
        for member in [uuid for uuid in self._listeners if uuid not in staying]:
            self._close(member)

    def _close(self, member: str) -> None:
        self._listeners.pop(member).close()
        for endpoint in self._endpoints_of(member):
            endpoint.hang_up()

    def _endpoints_of(self, member: str) -> list[Endpoint]:
        return [found for found in self._endpoints if found.member == member]

    def _keep_watch(self) -> None:
        loop = asyncio.get_running_loop()
        self._watch = loop.call_later(WATCH_INTERVAL, self._keep_watch)
        self._cluster.sweep()
        for endpoint in tuple(self._endpoints):
            limit = HEARTBEAT_TIMEOUT if endpoint.authenticated else AUTHENTICATION_TIMEOUT
            if loop.time() - endpoint.last_read > limit:
                endpoint.drop(f"nothing came from it for {limit:.0f} s")


async def _all_closed(endpoints: Iterable[Endpoint]) -> None:
    """Wait until their sockets are closed."""
    for endpoint in endpoints:
        await endpoint.closed.wait()


class _Refused(asyncio.Protocol):
    """A connection for which there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _most_connections() -> int:
    """As many as this process may open files, and no more than MAX_CONNECTIONS."""
    try:
        import resource
    except ImportError:  # only Unix has such a limit
        return MAX_CONNECTIONS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(1, min(MAX_CONNECTIONS, files - RESERVED_FILES))


def _reachable(host: str) -> str:
    """The address by which members are known: a wildcard's is that of this machine's name."""
    if host not in ("0.0.0.0", "::", ""):
        return host
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "127.0.0.1"


def _warn_beyond_loopback(host: str) -> None:
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback:
        _log.warning(
            "the grid listens at %s: whoever reaches that address may read and change all of it",
            host,
        )
