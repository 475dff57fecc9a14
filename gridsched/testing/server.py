"""`GridServer`: an embedded grid with its server, on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import msgspec

from gridsched.clock import SystemClock, system_ids
from gridsched.grid.embedded.cluster import EmbeddedCluster, uuids
from gridsched.grid.wire.config import GridConfig
from gridsched.grid.wire.hazelcast_xml import read_hazelcast_xml
from gridsched.grid.wire.server import WireServer
from gridsched.runtime import new_event_loop

LAST_PORT: Final = 65535

T = TypeVar("T")


class GridServer:
    """A cluster of `members` that any Hazelcast client may connect to.

        server = GridServer(members=2)
        server.start()
        server.addresses            # ["127.0.0.1:41233", "127.0.0.1:41234"]
        server.kill_member(server.members[0])
        server.stop()

    It is a context manager too. The first member listens at `port`, the next at those after it; 0
    is any free port for each. `config_xml` is the path of a hazelcast.xml, or its text;
    `cluster_name` stands where it is given, else the name in there, else "dev". After `stop`,
    `start` begins a new and empty cluster at the same ports. All methods may be called from any
    thread; ValueError for ports that there are not, RuntimeError while the server does not run,
    OSError where a port is taken, KeyError for a uuid that is no member's.
    """

    def __init__(
        self,
        cluster_name: str | None = None,
        members: int = 2,
        host: str = "127.0.0.1",
        port: int = 0,
        config_xml: str | Path | None = None,
    ) -> None:
        config = read_hazelcast_xml(config_xml) if config_xml is not None else GridConfig()
        if cluster_name is not None:
            config = msgspec.structs.replace(config, cluster_name=cluster_name)
        self._config = config
        self._host = host
        if port and port + members - 1 > LAST_PORT:
            raise ValueError(f"{members} members from port {port} on: the last port is {LAST_PORT}")
        self._ports = [port + place if port else 0 for place in range(members)]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._cluster: EmbeddedCluster | None = None
        self._server: WireServer | None = None

    @property
    def cluster_name(self) -> str:
        return self._config.cluster_name

    @property
    def members(self) -> list[str]:
        """The uuids of the members, in the order they joined."""
        return [member.uuid for member in self._running()[0].members]

    @property
    def addresses(self) -> list[str]:
        """host:port of each member, in the order they joined."""
        return [member.address for member in self._running()[0].members]

    def start(self) -> Self:
        """Start the members; clients may connect when this returns."""
        if self._loop is not None:
            raise RuntimeError("the server runs already")
        self._loop = new_event_loop()
        self._thread = threading.Thread(target=self._run, name="grid-server", daemon=True)
        self._thread.start()
        try:
            self._call(self._start())
        except BaseException:
            self._end()
            raise
        return self

    def stop(self) -> None:
        """Close every connection and end the members. May be called twice."""
        if self._loop is None:
            return
        _, server = self._running()
        self._call(server.stop())
        self._end()

    def add_member(self, port: int = 0) -> str:
        """A new member joins and takes its share of the partitions; returns its uuid."""
        return self._call(self._running()[1].add_member(port))

    def kill_member(self, uuid: str, *others: str) -> None:
        """A member crashes, or several at once: connections break, what only they held is lost.

        Their clients have noticed when this returns, or had a fifth of a second for it.
        """
        self._call(self._running()[1].kill_member(uuid, *others))

    def shutdown_member(self, uuid: str) -> None:
        """A member leaves after what it holds has migrated."""
        self._call(self._running()[1].shutdown_member(uuid))

    @contextmanager
    def losing_events(self) -> Iterator[None]:
        """Meanwhile no listener of an entry, item or message hears of anything."""
        faults = self._running()[1].faults
        faults.lose_events = True
        try:
            yield
        finally:
            faults.lose_events = False

    @contextmanager
    def delaying_answers(self, seconds: float) -> Iterator[None]:
        """Meanwhile every request is done at once, and answered so many seconds later."""
        faults = self._running()[1].faults
        faults.answer_delay = seconds
        try:
            yield
        finally:
            faults.answer_delay = 0.0

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    async def _start(self) -> None:
        ids = uuids(system_ids())
        self._cluster = EmbeddedCluster(SystemClock().now, ids, members=len(self._ports))
        self._server = WireServer(self._cluster, ids, self._config)
        await self._server.start(self._host, self._ports)
        self._ports = [int(address.rpartition(":")[2]) for address in self._server.addresses]

    def _running(self) -> tuple[EmbeddedCluster, WireServer]:
        if self._cluster is None or self._server is None:
            raise RuntimeError("the server does not run")
        return self._cluster, self._server

    def _run(self) -> None:
        assert self._loop is not None
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _end(self) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = self._cluster = self._server = None

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            coroutine.close()
            raise RuntimeError("the server does not run")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
