"""The members of the cluster and the partitions they own, as the client sees them now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from hazelcast.core import MemberInfo

from gridsched.grid.hazelcast.link import Link
from gridsched.grid.port import Cancel, GridMember

WATCH_INTERVAL: Final = 0.5
"""Seconds between two looks at the partition table, of whose changes the client tells nobody."""

_log = logging.getLogger(__name__)


class Membership:
    """Watches while somebody listens."""

    def __init__(self, link: Link, partition_count: int) -> None:
        self._link = link
        self._partition_count = partition_count
        self._cluster = link.client.hazelcast.cluster_service
        self._partitions = link.client.hazelcast.partition_service
        self._handlers: dict[object, Callable[[], None]] = {}
        self._seen = self.partition_owners()
        self._timer: asyncio.TimerHandle | None = None
        self._cluster.add_listener(self._joined, self._left)
        link.client.hazelcast.lifecycle_service.add_listener(lambda _: self._changed())

    def members(self) -> tuple[GridMember, ...]:
        if not self._link.connected:
            return ()
        return tuple(
            GridMember(str(member.uuid), f"{member.address.host}:{member.address.port}")
            for member in self._cluster.get_members()
        )

    def partition_owners(self) -> tuple[str | None, ...]:
        if not self._link.connected:
            return (None,) * self._partition_count
        written: dict[object, str | None] = {None: None}
        owners: list[str | None] = []
        for partition in range(self._partition_count):
            owner = self._partitions.get_partition_owner(partition)
            if owner not in written:
                written[owner] = str(owner)
            owners.append(written[owner])
        return tuple(owners)

    def listen(self, handler: Callable[[], None]) -> Cancel:
        token = object()
        self._handlers[token] = handler
        if self._timer is None:
            self._seen = self.partition_owners()
            self._watch()
        return lambda: self._forget(token)

    def close(self) -> None:
        self._handlers.clear()
        self._stop_watching()

    def _forget(self, token: object) -> None:
        self._handlers.pop(token, None)
        if not self._handlers:
            self._stop_watching()

    def _watch(self) -> None:
        owners = self.partition_owners()
        if owners != self._seen:
            self._seen = owners
            self._changed()
        self._timer = asyncio.get_running_loop().call_later(WATCH_INTERVAL, self._watch)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _joined(self, member: MemberInfo) -> None:
        _log.info("member %s:%s is in the grid", member.address.host, member.address.port)
        self._changed()

    def _left(self, member: MemberInfo) -> None:
        _log.info("member %s:%s has left the grid", member.address.host, member.address.port)
        self._changed()

    def _changed(self) -> None:
        for handler in tuple(self._handlers.values()):
            try:
                handler()
            except Exception:
                _log.exception("a membership listener failed")
