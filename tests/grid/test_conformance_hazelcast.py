"""A real Hazelcast member does what every grid must do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from conformance import UNHURRIED, Connect, GridConformance, connections
from hazelcast_member import HazelcastCluster

from gridsched.grid.hazelcast import HazelcastGrid


@pytest.mark.java
class TestHazelcast(GridConformance):
    @pytest.fixture
    def connect(
        self,
        run: Callable[[Coroutine[Any, Any, Any]], Any],
        hazelcast_member: HazelcastCluster,
    ) -> Iterator[Connect]:
        def make() -> HazelcastGrid:
            return HazelcastGrid(
                hazelcast_member.addresses, hazelcast_member.cluster_name, **UNHURRIED
            )

        with connections(run, make) as connect:
            yield connect
