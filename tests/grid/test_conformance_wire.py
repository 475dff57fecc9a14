"""The embedded grid over the wire: what every grid must do, through the Hazelcast client."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from conformance import (
    QUEUE_CAPACITY,
    QUEUE_PREFIX,
    UNHURRIED,
    Connect,
    GridConformance,
    Run,
    connections,
)

from gridsched.clock import SystemClock, random_ids
from gridsched.grid.embedded.cluster import EmbeddedCluster, uuids
from gridsched.grid.hazelcast import HazelcastGrid
from gridsched.grid.wire.config import GridConfig, QueueConfig
from gridsched.grid.wire.server import WireServer

CONFIG = GridConfig("conformance", queues={f"{QUEUE_PREFIX}*": QueueConfig(QUEUE_CAPACITY)})


@pytest.mark.parametrize("members", [1, 3])
class TestWire(GridConformance):
    @pytest.fixture
    def connect(self, run: Run, members: int) -> Iterator[Connect]:
        ids = uuids(random_ids(random.Random(1)))
        cluster = EmbeddedCluster(SystemClock().now, ids, members=members)
        server = WireServer(cluster, ids, CONFIG)
        run(server.start())

        def make() -> HazelcastGrid:
            return HazelcastGrid(server.addresses, CONFIG.cluster_name, **UNHURRIED)

        with connections(run, make) as connect:
            yield connect
        run(server.stop())
