"""Opening the grid that a user names: "embedded", or the addresses of a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gridsched.clock import Clock, Ids
from gridsched.errors import ConfigurationError, GridRefused
from gridsched.grid.embedded import EmbeddedCluster, EmbeddedGrid
from gridsched.grid.hazelcast.connection import HazelcastGrid
from gridsched.grid.port import Grid

EMBEDDED: Final = "embedded"
DEFAULT_ADDRESS: Final = "127.0.0.1:5701"
CLUSTER_NAMES: Final = ("gridsched", "dev")
"""Tried in turn where the user names no cluster: ours, then Hazelcast's own default."""

Addresses = str | Sequence[str]


def parse_addresses(text: Addresses) -> list[str]:
    """HOST:PORT, separated by commas; ConfigurationError for what is not one."""
    parts = text.split(",") if isinstance(text, str) else list(text)
    addresses = [part.strip() for part in parts if part.strip()]
    for address in addresses:
        host, colon, port = address.rpartition(":")
        if not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
            raise ConfigurationError(
                f"{address!r} is not the address of a grid: write HOST:PORT, such as {DEFAULT_ADDRESS}"
            )
    if not addresses:
        raise ConfigurationError("no address of a grid is given")
    return addresses


async def open_cluster(addresses: Addresses, cluster_name: str | None, client_name: str) -> Grid:
    """A connection to a running cluster. GridUnavailable where nothing answers, GridRefused where
    the cluster has another name."""
    parsed = parse_addresses(addresses)
    names = CLUSTER_NAMES if cluster_name is None else (cluster_name,)
    refusals: list[GridRefused] = []
    for name in names:
        grid = HazelcastGrid(parsed, name, client_name=client_name)
        try:
            await grid.open()
        except GridRefused as refused:
            refusals.append(refused)
        else:
            return grid
    tried = " or ".join(repr(name) for name in names)
    raise GridRefused(
        f"the grid at {', '.join(parsed)} is not of cluster {tried}; give its name "
        "(--cluster-name, or cluster_name=)"
    ) from refusals[-1]


async def open_embedded(clock: Clock, ids: Ids, members: int = 1) -> EmbeddedGrid:
    """A new embedded grid in this process, and a connection beside its first member."""
    cluster = EmbeddedCluster(clock.now, ids, members=members)
    grid = EmbeddedGrid(cluster, cluster.members[0].uuid)
    await grid.open()
    return grid
