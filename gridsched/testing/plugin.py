"""pytest fixtures: a grid, and a client connected to it.

`grid_server`       a running GridServer of one member, shared by the whole session
`make_grid`         makes GridServers of a test's own: several members, a configuration, faults
`hazelcast_client`  a client of the shared grid; what the test made in the grid goes with it

They are there once the package is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gridsched.testing.server import GridServer


@pytest.fixture(scope="session")
def grid_server() -> Iterator[GridServer]:
    """A running grid of one member, shared by all tests of the session."""
    from gridsched.testing.server import GridServer

    with GridServer(members=1) as server:
        yield server


@pytest.fixture
def make_grid() -> Iterator[Callable[..., GridServer]]:
    """Makes and starts GridServers, which end with the test; takes what `GridServer` takes."""
    from gridsched.testing.server import GridServer

    with ExitStack() as running:
        yield lambda *args, **options: running.enter_context(GridServer(*args, **options))


@pytest.fixture
def hazelcast_client(grid_server: GridServer) -> Iterator[Any]:
    """A client of the shared grid. All that is in the grid is destroyed after the test."""
    from hazelcast.client import HazelcastClient

    client = HazelcastClient(
        cluster_name=grid_server.cluster_name, cluster_members=grid_server.addresses
    )
    try:
        yield client
        for held in client.get_distributed_objects():
            held.destroy()
    finally:
        client.shutdown()
