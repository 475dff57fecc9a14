"""The grids under test, each with nodes on it and a client of the cluster."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import msgspec

from benchmarks import jobs
from benchmarks.cases import HAZELCAST, NODES, Case
from benchmarks.member import start_grid, start_member
from gridsched import aio
from gridsched.runtime import settle_garbage_collector

CLUSTER_NAME = "benchmarks"


class Embedded:
    """A node on the embedded grid, in this process: the client shares its loop."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._marked_at = 0.0

    async def __aenter__(self) -> Self:
        self._node = await aio.start(
            allowed_jobs=[jobs.ALLOWED],
            allowed_hosts=["127.0.0.1"],
            name="bench",
            hooks=[jobs.Arrivals()] if self._case.kind == "http" else [],
            **self._case.settings,
        )
        self.scheduler = self._node.scheduler
        settle_garbage_collector()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._node.stop()

    async def mark(self) -> None:
        """From now on it counts."""
        jobs.SEEN.clear()
        self._marked_at = time.process_time()

    def seen(self) -> int:
        return len(jobs.SEEN)

    async def results(self) -> dict[str, Any]:
        cpu = time.process_time() - self._marked_at
        return {"samples": jobs.samples(jobs.SEEN), "cpu_seconds": cpu}

    def pid(self) -> str:
        return "self"


class NodeProcess:
    """A node in a process of its own, as in production. See `benchmarks.node`."""

    def __init__(self, process: asyncio.subprocess.Process, dump: Path) -> None:
        self.process = process
        self.seen = -1
        self._dump = dump
        self._reader = asyncio.ensure_future(self._read())

    @classmethod
    async def start(cls, order: dict[str, Any], folder: Path) -> NodeProcess:
        dump = folder / f"{order['name']}.json"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "benchmarks.node", json.dumps({**order, "dump": str(dump)})),
            stdout=asyncio.subprocess.PIPE,
        )
        node = cls(process, dump)
        await node.until_zero()
        return node

    async def mark(self) -> None:
        self.seen = -1
        self.process.send_signal(signal.SIGUSR1)
        await self.until_zero()

    async def until_zero(self) -> None:
        """Until it says that it has seen nothing, as it does when it is active and when marked."""
        while self.seen != 0:
            if self.process.returncode is not None:
                raise RuntimeError(f"a node ended with {self.process.returncode}")
            await asyncio.sleep(0.02)

    async def stop(self) -> dict[str, Any]:
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()
        await self._reader
        return json.loads(self._dump.read_text()) if self._dump.exists() else {}

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.seen = int(line)


class Cluster:
    """A grid, Hazelcast's or our own behind its protocol, and nodes beside it; this process is a
    client only."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._folder = tempfile.TemporaryDirectory(prefix="benchmarks-")
        self._nodes: list[NodeProcess] = []

    async def __aenter__(self) -> Self:
        folder = Path(self._folder.name)
        start = start_member if self._case.subject in HAZELCAST else start_grid
        self._member = start(folder, CLUSTER_NAME)
        try:
            for number in range(NODES[self._case.subject]):
                self._nodes.append(await NodeProcess.start(self._order(number), folder))
            self.scheduler = await aio.connect(
                self._member.addresses, cluster_name=CLUSTER_NAME, timeout=60
            )
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        for node in self._nodes:
            await node.stop()
        self._member.stop()
        self._folder.cleanup()

    def _order(self, number: int) -> dict[str, Any]:
        return {
            "name": f"bench-{number}",
            "grid": self._member.addresses,
            "cluster_name": CLUSTER_NAME,
            "settings": self._case.settings,
        }

    async def mark(self) -> None:
        for node in self._nodes:
            await node.mark()

    def seen(self) -> int:
        return sum(max(0, node.seen) for node in self._nodes)

    async def results(self) -> dict[str, Any]:
        await self.scheduler.close()
        dumps = [await node.stop() for node in self._nodes]
        return {
            "samples": [sample for dump in dumps for sample in dump["samples"]],
            "cpu_seconds": sum(dump["cpu_seconds"] for dump in dumps),
        }

    def pid(self) -> str:
        return str(self._nodes[0].process.pid)


Subject = Embedded | Cluster


def subject_of(case: Case) -> Subject:
    return Cluster(case) if case.subject in NODES else Embedded(case)


def decode_case(text: str) -> Case:
    return msgspec.json.decode(text, type=Case)
