"""The processes of a trial: real members of one grid, and nodes, each to be killed and stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from benchmarks.chaos.node import Order, settings
from benchmarks.chaos.record import ReadRecord
from benchmarks.chaos.subscribers import Subscribers
from benchmarks.member import helper
from gridsched import aio
from gridsched.errors import GridError
from gridsched.grid.port import Equal

CLUSTER: Final = "chaos"
HEAP: Final = "256m"
PATIENCE: Final = 90.0
"""Seconds to wait for whatever must come."""

_LOOK_INTERVAL: Final = 0.1
_TRACE: Final = 40
"""Lines of a log that are shown of an error."""

_ROOT: Final = Path(__file__).parents[2]
_SHIPPED: Final = _ROOT / "cache_config" / "hazelcast.xml"
_HEALTH: Final = (
    '<rest-api enabled="true"><endpoint-group name="HEALTH_CHECK" enabled="true"/></rest-api>'
)


class Members:
    """Real members with the configuration that users copy, split-brain protection on."""

    def __init__(self, folder: Path, size: int) -> None:
        self.ports: list[int] = [helper().free_port() for _ in range(size)]
        self._folder = folder
        self._running: dict[int, Any] = {}

    @property
    def addresses(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def start(self, numbers: Iterable[int]) -> None:
        """Start these, at once, and wait until they serve clients."""
        for number in numbers:
            config = self._folder / f"hazelcast-{number}.xml"
            config.write_text(self._config(self.ports[number]))
            log = self._folder / f"member-{number}.log"
            port = self.ports[number]
            self._running[number] = helper().HazelcastMember(config, port, log, HEAP)
        for number in numbers:
            self._running[number].wait_started()

    def kill(self, number: int) -> None:
        """As a power cut would."""
        self._running.pop(number).kill()

    def stop(self, number: int) -> None:
        """In order: it hands over what it holds."""
        self._running.pop(number).stop()

    def freeze(self, number: int) -> None:
        self._running[number].freeze()

    def thaw(self, number: int) -> None:
        self._running[number].thaw()

    def safe(self) -> bool:
        """Do all members there should be see each other, and has every partition its backup?"""
        return len(self._running) == len(self.ports) and all(
            _health(port, "cluster-size") == str(len(self.ports))
            and _health(port, "cluster-safe") is not None
            for port in self.ports
        )

    def close(self) -> None:
        for number in list(self._running):
            self.kill(number)

    def _config(self, port: int) -> str:
        members = "".join(f"<member>127.0.0.1:{each}</member>" for each in self.ports)
        text = _SHIPPED.read_text()
        for was, to in {
            "<cluster-name>dev<": f"<cluster-name>{CLUSTER}<",
            '<port auto-increment="true" port-count="20">5701</port>': (
                f'<port auto-increment="false">{port}</port>{_HEALTH}'
            ),
            "<member>127.0.0.1</member>": members,
            'name="majority" enabled="false"': 'name="majority" enabled="true"',
        }.items():
            assert text.count(was) == 1, was
            text = text.replace(was, to)
        return text


def _health(port: int, what: str) -> str | None:
    """What a member says of its health; None where it says that it is not well, or nothing."""
    try:
        url = f"http://127.0.0.1:{port}/hazelcast/health/{what}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return None


class NodeProcess:
    """A node's machine: its process, which may die and be started again."""

    def __init__(self, order: Order, log: Path) -> None:
        self.name = order.name
        self.log = log
        self._order = order
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; do not wait for it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "benchmarks.chaos.node"),
                    msgspec.json.encode(self._order).decode(),
                ],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> None:
        """Until it has ended; one that does not in time is killed."""
        assert self._process is not None
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)


class Stage:
    """Members, nodes, the subscribers of events and a client, from `async with` to its end."""

    def __init__(
        self,
        folder: Path,
        *,
        members: int = 3,
        nodes: int = 3,
        session_timeout_ms: int = 3000,
        planted: str = "",
    ) -> None:
        self.folder = folder
        self.settings = settings(session_timeout_ms)
        self._runs = folder / "runs.jsonl"
        self.record = ReadRecord(self._runs)
        self.subscribers = Subscribers(self._runs)
        self.members = Members(folder, members)
        self._planted = planted
        self.nodes = [self._node(f"node-{number}") for number in range(nodes)]

    def _node(self, name: str) -> NodeProcess:
        order = Order(
            name,
            self.members.addresses,
            CLUSTER,
            str(self._runs),
            self.settings.session_timeout_ms,
            self._planted,
        )
        return NodeProcess(order, self.folder / f"{name}.log")

    async def __aenter__(self) -> Self:
        self.subscribers.start()
        try:
            await asyncio.to_thread(self.members.start, range(len(self.members.ports)))
            await self.until(self.members.safe)
            for node in self.nodes:
                node.start()
            self.client = await aio.connect(
                self.members.addresses, cluster_name=CLUSTER, caches=self.settings.caches
            )
            await self.wait_active(self.nodes)
        except BaseException:
            self._end()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        try:
            await self.client.close()
        finally:
            self._end()

    def _end(self) -> None:
        for node in self.nodes:
            node.kill()
        self.members.close()
        self.subscribers.close()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until it holds; TimeoutError where it never does."""
        await _until(lambda: asyncio.to_thread(condition))

    async def wait_active(self, nodes: Iterable[NodeProcess]) -> None:
        """Until these nodes, as they run now, are active."""
        wanted = {(node.name, str(node.pid)) for node in nodes}

        async def active() -> bool:
            return wanted <= await self._active()

        await _until(active)

    async def _active(self) -> set[tuple[str, str]]:
        try:
            found = await self.client.caches.membership.find([Equal("state", "ACTIVE")])
        except GridError:
            return set()
        return {(r.value.name, r.value.address.rpartition(":")[2]) for r in found}

    def failures(self) -> list[str]:
        """The errors that the nodes have logged with a trace: there should be none. A job that fails is
        a warning."""
        found: list[str] = []
        for node in self.nodes:
            lines = node.log.read_text(errors="replace").splitlines()
            for number, (line, following) in enumerate(pairwise(lines)):
                if " ERROR " in line and following.startswith("Traceback"):
                    found.append(f"{node.name}:\n" + "\n".join(lines[number : number + _TRACE]))
        return found


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if await condition():
                return
            await asyncio.sleep(_LOOK_INTERVAL)


def set_up_signals() -> None:
    """SIGTERM ends this process as Ctrl-C does: whatever it has started is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
