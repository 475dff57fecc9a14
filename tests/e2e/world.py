"""The nodes of one test on a cluster, the load they are given, and what came of it."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hazelcast_member import HazelcastCluster
from processes import Log, NodeProcess, caches, config, lateness, wait_for

import gridsched
from gridsched import Job, every
from gridsched.client.blocking import Scheduler
from gridsched.clock import SystemClock
from gridsched.model.caches import CacheSettings
from gridsched.model.firing import FINAL, Firing
from gridsched.model.member import Member

LEAD_MS: Final = 1500
"""How long before the first instant a load is submitted."""


_STARTUP_JOB = """
<scheduler:job>
  <scheduler:jobname>{name}</scheduler:jobname>
  <scheduler:jobgroup>startup</scheduler:jobgroup>
  <scheduler:jobclass>e2e_jobs:note</scheduler:jobclass>
  <scheduler:jobdatamap><scheduler:data key="file">{file}</scheduler:data></scheduler:jobdatamap>
  <scheduler:triggers>
    <scheduler:trigger>
      <scheduler:triggername>{name}</scheduler:triggername>{schedule}
    </scheduler:trigger>
  </scheduler:triggers>
</scheduler:job>
"""
_ONCE = "<scheduler:oncetrigger/>"
_TWICE = """
<scheduler:simpletrigger>
  <scheduler:repeatcount>1</scheduler:repeatcount>
  <scheduler:repeatinterval>500MS</scheduler:repeatinterval>
</scheduler:simpletrigger>
"""

STARTUP_RUNS: Final = {"startup/once:DEFAULT/once": 1, "startup/twice:DEFAULT/twice": 2}
"""How often the triggers of the startup jobs fire."""


class World:
    """The nodes of one test on a cluster, and its view of them."""

    def __init__(self, cluster: HazelcastCluster, folder: Path, name: str) -> None:
        self.cluster = cluster
        self.caches: CacheSettings = caches(name)
        self.log = Log(folder / "runs.log")
        self.gates = folder / "gates"
        self.gates.mkdir()
        self.nodes: dict[str, NodeProcess] = {}
        self._folder = folder
        self._numbers = itertools.count()
        self._schedulers: list[Scheduler] = []

    @property
    def data(self) -> dict[str, str]:
        """What the jobs under test must know."""
        return {"file": str(self.log.path), "gates": str(self.gates)}

    @property
    def grid(self) -> str:
        return ",".join(self.cluster.addresses)

    def spawn(self, name: str, jobs: str = "", **service: object) -> NodeProcess:
        """Start a node; do not wait for it."""
        path = self._folder / f"node-{next(self._numbers)}.xml"
        path.write_text(config(self.caches.names, jobs, **service))
        node = NodeProcess(
            *(str(path), "--name", name, "--grid", self.grid),
            *("--cluster-name", self.cluster.cluster_name),
        )
        self.nodes[f"{name}#{node.pid}"] = node
        return node

    def startup_jobs(self) -> str:
        """The XML of two startup jobs."""
        return "".join(
            _STARTUP_JOB.format(name=name, file=self.log.path, schedule=schedule)
            for name, schedule in {"once": _ONCE, "twice": _TWICE}.items()
        )

    def start(self, *names: str, jobs: str = "", **service: object) -> list[NodeProcess]:
        """Start nodes, at the same time, and wait until each sees all of them."""
        nodes = [self.spawn(name, jobs, **service) for name in names]
        for node in nodes:
            node.wait_ready()
        return nodes

    def connect(self) -> Scheduler:
        scheduler = gridsched.connect(
            self.grid, cluster_name=self.cluster.cluster_name, caches=self.caches, timeout=40
        )
        self._schedulers.append(scheduler)
        return scheduler

    def open_gate(self, node: NodeProcess) -> None:
        """Let the jobs end that are held in this node, now and later."""
        (self.gates / str(node.pid)).touch()

    def assert_no_traceback(self) -> None:
        for name, node in self.nodes.items():
            assert "Traceback" not in str(node.output), name

    def close(self) -> None:
        for scheduler in self._schedulers:
            scheduler.close()
        for node in self.nodes.values():
            node.kill()
        for name, node in self.nodes.items():
            _, output = node.end()
            print(f"---- {name}\n{output}")  # pytest shows it where the test fails


def wait_active(scheduler: Scheduler, *names: str) -> list[Member]:
    """Until exactly these nodes are active."""

    def active() -> list[str]:
        return [m.name for m in scheduler.members() if m.state == "ACTIVE"]

    wait_for(lambda: active() == sorted(names), scheduler.members)
    return scheduler.members()


class Load:
    """Triggers that fire `instants` times each, all spread over the same seconds."""

    def __init__(
        self,
        world: World,
        scheduler: Scheduler,
        *,
        triggers: int,
        instants: int,
        interval_ms: int,
        job: str = "note",
    ) -> None:
        self._world = world
        self._scheduler = scheduler
        start = SystemClock().now() + LEAD_MS
        starts = [start + interval_ms * n // triggers for n in range(triggers)]
        pairs = [
            (
                Job(f"e2e_jobs:{job}", name=f"job-{n}", group="load", data=world.data),
                every(
                    interval_ms / 1000,
                    start=datetime.fromtimestamp(first / 1000, UTC),
                    repeat_count=instants - 1,
                ),
            )
            for n, first in enumerate(starts)
        ]
        accepted = scheduler.schedule_many(pairs)
        self.expected = {
            f"{trigger.key}@{first + interval_ms * n}"
            for trigger, first in zip(accepted, starts, strict=True)
            for n in range(instants)
        }

    def wait_under_way(self, share: float) -> None:
        """Until that share of the runs has been."""
        wanted = share * len(self.expected)
        wait_for(lambda: self._world.log.count() >= wanted, self._world.log.count)

    def wait_over(self) -> list[Firing]:
        """Until every instant has its outcome; the records, of which there is one an instant."""

        def over() -> bool:
            found = self._firings()
            return len(found) >= len(self.expected) and all(f.state in FINAL for f in found)

        wait_for(over, lambda: Counter(firing.state for firing in self._firings()))
        firings = self._firings()
        assert {firing.key for firing in firings} == self.expected
        return firings

    def assert_each_ran_once(self) -> None:
        """Every instant is COMPLETE, and its job has run exactly once."""
        firings = self.wait_over()
        log = self._world.log
        assert Counter(firing.state for firing in firings) == {"COMPLETE": len(self.expected)}
        assert log.twice() == []
        assert {line.firing for line in log.lines()} == self.expected, lateness(log.lines())

    def _firings(self) -> list[Firing]:
        return [f for f in self._scheduler.firings() if f.job.startswith("load/")]
