"""A grid and nodes of each test's own; whatever it starts is stopped at its end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hazelcast_member import HazelcastCluster
from world import World


@pytest.fixture
def world_on(
    tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[HazelcastCluster], World]]:
    """Makes the world of this test on a cluster."""
    worlds: list[World] = []

    def make(cluster: HazelcastCluster) -> World:
        worlds.append(World(cluster, tmp_path, re.sub(r"\W", "_", request.node.name)))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(
    hazelcast_member: HazelcastCluster, world_on: Callable[[HazelcastCluster], World]
) -> World:
    """On the one member that the tests share."""
    return world_on(hazelcast_member)
