"""Servers and official clients for the tests of the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hazelcast import HazelcastClient
from wire_clients import PATIENCE, Clients

from gridsched.testing import GridServer


@pytest.fixture(scope="module")
def server() -> Iterator[GridServer]:
    """A grid of two members, shared by the tests of a module."""
    with GridServer(members=2) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: GridServer) -> Iterator[Any]:
    """A client of that grid."""
    client = HazelcastClient(cluster_members=server.addresses)
    yield client
    client.shutdown()


@pytest.fixture
def connect() -> Iterator[Clients]:
    """Makes clients of any server, with any options; they end with the test."""
    with ExitStack() as connected:

        def make(server: GridServer, **options: Any) -> Any:
            options.setdefault("cluster_members", server.addresses)
            options.setdefault("cluster_name", server.cluster_name)
            options.setdefault("cluster_connect_timeout", PATIENCE)
            client = HazelcastClient(**options)
            connected.callback(client.shutdown)
            return client

        yield make


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name for a structure that no other test of the module uses."""
    return str(request.node.name)
