"""A Hazelcast cluster as a grid."""

# mypy: allow-untyped-calls
from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from hazelcast.config import Config, IntType, ReconnectMode
from hazelcast.lifecycle import LifecycleState

from gridsched.errors import GridError, GridRefused, GridUnavailable
from gridsched.grid.data import PARTITION_COUNT
from gridsched.grid.hazelcast.client import Client
from gridsched.grid.hazelcast.link import FAILURES, Link
from gridsched.grid.hazelcast.maps import HazelcastMap
from gridsched.grid.hazelcast.membership import Membership
from gridsched.grid.hazelcast.pipeline import Pipeline
from gridsched.grid.hazelcast.queues import HazelcastQueue
from gridsched.grid.port import (
    Cancel,
    Grid,
    GridMap,
    GridMember,
    GridQueue,
    IndexSpec,
    MapSpec,
    QueueSpec,
)

HEARTBEAT_INTERVAL: Final = 1.0
HEARTBEAT_TIMEOUT: Final = 10.0
"""A member silent for so many seconds has its connection closed; its calls failed before."""
RETRY_PAUSE: Final = 0.1
RECONNECT_BACKOFF: Final = (0.1, 1.0)
"""Seconds between two rounds over the addresses of a lost cluster: the first, the longest."""

_log = logging.getLogger(__name__)


class _Session(NamedTuple):
    link: Link
    pipeline: Pipeline
    membership: Membership


class HazelcastGrid(Grid):
    """A connection to a Hazelcast cluster.

    `addresses` ("host:port") are tried in turn, each for `connect_timeout` seconds; all members
    are found from the first that answers. A call that is not answered within `call_timeout`
    seconds fails. After the cluster is lost, calls raise GridUnavailable at once, while the
    client looks for it for ever; when it is back, listeners are heard again, and indexes made again.
    """

    partition_count = PARTITION_COUNT

    def __init__(
        self,
        addresses: Sequence[str],
        cluster_name: str,
        *,
        client_name: str | None = None,
        connect_timeout: float = 3.0,
        call_timeout: float = 5.0,
    ) -> None:
        self._addresses = list(addresses)
        self._cluster_name = cluster_name
        self._client_name = client_name
        self._connect_timeout = connect_timeout
        self._call_timeout = call_timeout
        self._session: _Session | None = None
        self._indexes: dict[tuple[str, IndexSpec], HazelcastMap] = {}

    async def open(self) -> None:
        client = Client(self._config(), self._connect_timeout)
        try:
            async with asyncio.timeout(self._connect_timeout * (len(self._addresses) + 1)):
                await client.start()
        except FAILURES as error:
            raise self._open_error(client.refusal) from error
        self.partition_count = client.hazelcast.partition_service.get_partition_count()
        link = Link(client, self._call_timeout)
        self._session = _Session(
            link, Pipeline(link, self.partition_count), Membership(link, self.partition_count)
        )
        client.hazelcast.lifecycle_service.add_listener(self._state_changed)

    async def close(self) -> None:
        if self._session is None:
            return
        self._session.membership.close()
        try:
            await self._session.link.client.hazelcast.shutdown()
        except Exception:
            _log.exception("the client did not shut down cleanly")

    async def map(self, spec: MapSpec) -> GridMap:
        link, pipeline, _ = self._require()
        proxy = await link.read(link.client.hazelcast.get_map, spec.name)
        made = HazelcastMap(spec.name, proxy, link, pipeline, self.partition_count)
        for index in spec.indexes:
            await made.ensure_index(index)
            self._indexes[spec.name, index] = made
        return made

    async def queue(self, spec: QueueSpec) -> GridQueue:
        link = self._require().link
        proxy = await link.read(link.client.hazelcast.get_queue, spec.name)
        return HazelcastQueue(spec.name, proxy, link)

    def members(self) -> tuple[GridMember, ...]:
        return self._session.membership.members() if self._session else ()

    def local_member(self) -> str | None:
        return None

    def partition_owners(self) -> tuple[str | None, ...]:
        if self._session is None:
            return (None,) * self.partition_count
        return self._session.membership.partition_owners()

    def listen_membership(self, handler: Callable[[], None]) -> Cancel:
        return self._require().membership.listen(handler)

    def _state_changed(self, state: str) -> None:
        client = self._require().link.client.hazelcast
        if state == LifecycleState.DISCONNECTED and client.lifecycle_service.is_running():
            _log.warning(
                "the connection to the grid is gone; trying %s in turn, with pauses of up to %g s",
                ", ".join(self._addresses),
                RECONNECT_BACKOFF[1],
            )
        elif state == LifecycleState.CONNECTED:
            _log.info("connected to the grid again")
            self._require().link.in_background(self._index_again())

    async def _index_again(self) -> None:
        """A cluster that came back empty has no index but those of its own XML."""
        try:
            for (_, index), held in list(self._indexes.items()):
                await held.ensure_index(index)
        except GridError as error:
            _log.warning("indexes may be missing, which makes queries slow: %s", error)

    def _require(self) -> _Session:
        if self._session is None:
            raise GridUnavailable("the connection to the grid is not open")
        return self._session

    def _config(self) -> Config:
        config = Config()
        config.cluster_name = self._cluster_name
        config.cluster_members = self._addresses
        if self._client_name is not None:
            config.client_name = self._client_name
        config.shuffle_member_list = False
        config.connection_timeout = self._connect_timeout
        config.cluster_connect_timeout = 0
        # In this mode a call fails at once while disconnected; the client reconnects in both.
        config.reconnect_mode = ReconnectMode.ASYNC
        config.retry_initial_backoff, config.retry_max_backoff = RECONNECT_BACKOFF
        config.retry_multiplier = 2
        config.invocation_timeout = self._call_timeout
        config.invocation_retry_pause = RETRY_PAUSE
        config.heartbeat_interval = HEARTBEAT_INTERVAL
        config.heartbeat_timeout = HEARTBEAT_TIMEOUT
        # The client would wait 5 s for the backups of a member that died.
        config.backup_ack_to_client_enabled = False
        # Epoch milliseconds do not fit the default.
        config.default_int_type = IntType.LONG
        return config

    def _open_error(self, refusal: Exception | None) -> GridError:
        tried = ", ".join(self._addresses)
        in_turn = ", tried in turn" if len(self._addresses) > 1 else ""
        if refusal is not None:
            return GridRefused(
                f"the grid at {tried} refuses a client of cluster {self._cluster_name!r}: {refusal}"
            )
        return GridUnavailable(
            f"no grid answers at {tried}{in_turn} (cluster {self._cluster_name!r}): start one there "
            "(gridsched start, gridsched grid, or a Hazelcast member), or say where it is "
            "(--grid, GRIDSCHED_GRID)"
        )
