"""Real Hazelcast members for tests.

The jar is found in HZ_HOME (by default a cache folder in the home directory), or fetched there
once by its Maven coordinates. Members of one `HazelcastCluster` find each other on 127.0.0.1.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

VERSION: Final = "5.7.0"
START_TIMEOUT: Final = 60.0
STOP_TIMEOUT: Final = 20.0
POLL_INTERVAL: Final = 0.05

_PORTS: Final = range(20_000, 32_000)
"""Below those that a system gives to connections: one of the many that tests make at once might be
given a server's port before the server has it, or while it is down."""
MOST_IN_A_ROW: Final = 8
_given: Final[set[int]] = set()

QUICK_START: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Java's options for a member that lives for seconds: half of its work would be compiling itself."""

_MODULE_ACCESS: Final = [
    "--add-modules",
    "java.se",
    "--add-exports",
    "java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-opens",
    "java.base/java.lang=ALL-UNNAMED",
    "--add-opens",
    "java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens",
    "java.management/sun.management=ALL-UNNAMED",
    "--add-opens",
    "jdk.management/com.sun.management.internal=ALL-UNNAMED",
]

_CONFIG: Final = """<?xml version="1.0" encoding="UTF-8"?>
<hazelcast xmlns="http://www.hazelcast.com/schema/config">
  <cluster-name>{cluster_name}</cluster-name>
  <network>
    <port auto-increment="false">{port}</port>
    <interfaces enabled="true"><interface>127.0.0.1</interface></interfaces>
    <join>
      <auto-detection enabled="false"/>
      <multicast enabled="false"/>
      <tcp-ip enabled="true">{members}</tcp-ip>
    </join>
  </network>
  <properties>
    <property name="hazelcast.phone.home.enabled">false</property>
    <property name="hazelcast.wait.seconds.before.join">0</property>
  </properties>
  <map name="*"><backup-count>1</backup-count></map>
  {queues}
  <jet enabled="false"/>
  {extra}
</hazelcast>
"""

BOUNDED_QUEUES: Final = {"Execution-*": 1000, "conformance-bounded-*": 8}
"""The queue name patterns of every test cluster, and their capacities."""


class JavaMissing(Exception):
    """What keeps this machine from running a member."""


def free_port(count: int = 1) -> int:
    """A port of 127.0.0.1 that nobody listens at now: the first of so many, one after the other.

    None is given twice, nor by two workers that share the tests: a port is used later than given.
    """
    while True:
        first = secrets.choice(_own_ports())
        ports = range(first, first + count)
        if not _given.intersection(ports) and all(map(_is_free, ports)):
            _given.update(ports)
            return first


def _own_ports() -> range:
    """This worker's share, but for the last few, after which come those of the next."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = len(_PORTS) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return _PORTS[worker * share : (worker + 1) * share - MOST_IN_A_ROW]


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


def find_jar() -> Path:
    """Hazelcast's jar, fetched where it is not there yet. JavaMissing where that cannot be."""
    if shutil.which("java") is None:
        raise JavaMissing("there is no java on the path")
    home = Path(os.environ.get("HZ_HOME", Path.home() / ".cache" / "hazelcast"))
    jar = home / f"hazelcast-{VERSION}.jar"
    if not jar.exists():
        _fetch(home)
    if not jar.exists():
        raise JavaMissing(f"there is no {jar}")
    return jar


def _fetch(home: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise JavaMissing(f"there is no hazelcast-{VERSION}.jar in {home}, and no mvn to fetch it")
    coordinates = f"-Dartifact=com.hazelcast:hazelcast:{VERSION}"
    copy = [maven, "-q", "dependency:copy", coordinates, f"-DoutputDirectory={home}"]
    if subprocess.run(copy, check=False, timeout=300).returncode:
        raise JavaMissing(f"mvn could not fetch com.hazelcast:hazelcast:{VERSION}")


class HazelcastMember:
    """One member, a process of its own. `heap` is Java's -Xmx, `java` are its other options."""

    def __init__(
        self, config: Path, port: int, log: Path, heap: str = "512m", java: Sequence[str] = ()
    ) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                _command(config, heap, java),
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
            )

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def wait_started(self) -> None:
        """Until it serves clients. RuntimeError, with the end of its log, where it does not."""
        _wait(
            START_TIMEOUT, self._has_started, lambda: f"no member at {self.address}:\n{self._end()}"
        )

    def kill(self) -> None:
        """As a power cut would."""
        self._process.kill()
        self._process.wait(STOP_TIMEOUT)

    def freeze(self) -> None:
        """As a member that hangs: its connections stay open and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to shut down; kill it where it does not. May be called twice."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()

    def _has_started(self) -> bool:
        if not self.runs:
            raise RuntimeError(f"the member at {self.address} ended:\n{self._end()}")
        return "is STARTED" in self.log.read_text(errors="replace") and _accepts(self.port)

    def _end(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])


class HazelcastCluster:
    """Members in one cluster: a context manager that starts `size` of them and stops them all."""

    def __init__(
        self,
        folder: Path,
        size: int = 1,
        *,
        cluster_name: str = "conformance",
        extra: str = "",
        java: Sequence[str] = QUICK_START,
    ) -> None:
        self.cluster_name = cluster_name
        self.members: list[HazelcastMember] = []
        self._folder = folder
        self._ports = [free_port() for _ in range(size)]
        self._extra = extra
        self._java = java

    @property
    def addresses(self) -> list[str]:
        return [f"127.0.0.1:{port}" for port in self._ports]

    def start(self) -> None:
        """Start all members; return when they serve clients.

        One after the other: those that start at once take five seconds to settle who is first.
        """
        find_jar()
        for port in self._ports:
            self.members.append(self._spawn(port))
            self.members[-1].wait_started()

    def restart(self, index: int) -> None:
        """Start a new member where one has ended, and return when it serves clients."""
        self.members[index] = self._spawn(self._ports[index])
        self.members[index].wait_started()

    def stop(self) -> None:
        for member in self.members:
            member.stop()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _spawn(self, port: int) -> HazelcastMember:
        config = self._folder / f"hazelcast-{port}.xml"
        there = [member.address for member in self.members if member.runs]
        config.write_text(
            _CONFIG.format(
                cluster_name=self.cluster_name,
                port=port,
                members="".join(f"<member>{address}</member>" for address in there),
                queues="".join(
                    f'<queue name="{name}"><max-size>{size}</max-size></queue>'
                    for name, size in BOUNDED_QUEUES.items()
                ),
                extra=self._extra,
            )
        )
        log = self._folder / f"hazelcast-{port}.log"
        return HazelcastMember(config, port, log, java=self._java)


def _command(config: Path, heap: str, java: Sequence[str]) -> Sequence[str]:
    return [
        "java",
        *java,
        "-Xms128m",
        f"-Xmx{heap}",
        f"-Dhazelcast.config={config}",
        *_MODULE_ACCESS,
        "-cp",
        str(find_jar()),
        "com.hazelcast.core.server.HazelcastMemberStarter",
    ]


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(timeout: float, condition: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    give_up_at = time.perf_counter() + timeout
    while not condition():
        if time.perf_counter() > give_up_at:
            raise RuntimeError(otherwise())
        time.sleep(POLL_INTERVAL)
