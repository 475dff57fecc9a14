"""Opening the grid that a user names: "embedded", or the addresses of a cluster."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from typing import Final

from gridsched.clock import Clock, Ids
from gridsched.config.settings import Settings
from gridsched.errors import ConfigurationError, GridRefused
from gridsched.grid.embedded import EmbeddedCluster, EmbeddedGrid
from gridsched.grid.embedded.cluster import uuids
from gridsched.grid.port import Grid
from gridsched.grid.wire.config import GridConfig, MapConfig, QueueConfig
from gridsched.grid.wire.server import WireServer

EMBEDDED: Final = "embedded"
DEFAULT_ADDRESS: Final = "127.0.0.1:5701"
CLUSTER_NAMES: Final = ("dev", "gridsched")
"""Tried in turn where the user names no cluster: Hazelcast's own default, then ours."""

Addresses = str | Sequence[str]


def parse_addresses(text: Addresses) -> list[str]:
    """HOST:PORT, separated by commas; ConfigurationError for what is not one."""
    parts = text.split(",") if isinstance(text, str) else list(text)
    addresses = [part.strip() for part in parts if part.strip()]
    for address in addresses:
        host, colon, port = address.rpartition(":")
        if not (colon and host and port.isdecimal() and int(port) < 65536):
            raise ConfigurationError(
                f"{address!r} is not the address of a grid: write HOST:PORT, such as {DEFAULT_ADDRESS}"
            )
    if not addresses:
        raise ConfigurationError("no address of a grid is given")
    return addresses


async def open_cluster(addresses: Addresses, cluster_name: str | None, client_name: str) -> Grid:
    """A connection to a running cluster. GridUnavailable where nothing answers, GridRefused where
    the cluster has another name."""
    # Here, as it brings the client: a node on the embedded grid starts in a third less without it.
    from gridsched.grid.hazelcast import HazelcastGrid

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


def ip_towards(address: Addresses) -> str:
    """The IP address of this machine as the first of some addresses sees it; "" where no way leads
    there. Nothing is sent."""
    host, _, port = parse_addresses(address)[0].rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, int(port)))
            return str(probe.getsockname()[0])
        except OSError:
            return ""


class ServedGrid(EmbeddedGrid):
    """A new embedded grid in this process, served to others where it has an address to listen at.

    Its node says of no member that it lives beside it: the only member holds every partition, and
    the nodes that join are to have their share of them.
    """

    def __init__(self, clock: Clock, ids: Ids, listen: str | None, config: GridConfig) -> None:
        self._uuids = uuids(ids)
        cluster = EmbeddedCluster(clock.now, self._uuids)
        super().__init__(cluster)
        self._server = None if listen is None else WireServer(cluster, self._uuids, config)
        self._listen = listen

    @property
    def address(self) -> str | None:
        """HOST:PORT at which clients connect; None where it does not listen."""
        return None if self._server is None else self._server.addresses[0]

    async def open(self) -> None:
        """ConfigurationError where the address is taken."""
        await super().open()
        if self._server is None or self._listen is None:
            return
        (address,) = parse_addresses(self._listen)
        host, _, port = address.rpartition(":")
        try:
            await self._server.start(host, [int(port)])
        except OSError as error:
            await super().close()
            raise cannot_listen(address, error) from error

    async def close(self) -> None:
        if self._server is not None:
            await self._server.stop()
        await super().close()


def cannot_listen(address: str, error: OSError) -> ConfigurationError:
    """The error of an address that a grid cannot be served at."""
    taken = error.errno == errno.EADDRINUSE
    why = "another node or grid runs there" if taken else error.strerror or error
    return ConfigurationError(
        f"cannot listen at {address}: {why}; give another address (--listen, or listen=)"
    )


def grid_config(settings: Settings, cluster_name: str | None) -> GridConfig:
    """What the embedded grid promises other nodes: bounded execution queues, backups."""
    names = settings.caches.names
    return GridConfig(
        cluster_name=cluster_name or CLUSTER_NAMES[0],
        maps={"default": MapConfig(backup_count=settings.caches.backup_count)},
        queues={f"{names.execution_prefix}*": QueueConfig(settings.queue_capacity)},
    )
