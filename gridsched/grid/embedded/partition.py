"""One partition: its replicas, and the stores of maps and queues in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol, Self


class Store(Protocol):
    """A map's or queue's data in one replica."""

    def copy(self) -> Self:
        """A backup of it."""


class Container(Protocol):
    """A map or queue, seen from a partition that holds a part of it."""

    @property
    def backup_count(self) -> int: ...

    def new_store(self) -> Any:
        """An empty store."""

    def attach(self, partition: int, primary: Any, backups: tuple[Any, ...]) -> None:
        """Use these stores from now on."""

    def lose(self, partition: int) -> None:
        """The data in this partition is lost."""


class Replica:
    """What one member holds of one partition."""

    __slots__ = ("member", "stores")

    def __init__(self, member: str) -> None:
        self.member = member
        self.stores: dict[Container, Store] = {}


class Partition:
    """The replicas of one partition, the primary first; none while the cluster has no member."""

    __slots__ = ("_containers", "_laid_out", "_replicas", "id")

    def __init__(self, id: int) -> None:
        self.id = id
        self._containers: list[Container] = []
        self._replicas: list[Replica] = []
        self._laid_out: tuple[str, ...] = ()

    @property
    def row(self) -> tuple[str, ...]:
        """The members that hold the replicas."""
        return tuple(replica.member for replica in self._replicas)

    def add(self, container: Container) -> None:
        """Hold a part of this map or queue."""
        self._containers.append(container)
        self._lay_out(container, None)

    def discard(self, container: Container) -> None:
        """Hold no part of it any more."""
        self._containers.remove(container)
        for replica in self._replicas:
            replica.stores.pop(container, None)

    def crash(self, members: Collection[str]) -> int | None:
        """Members are gone, with their replicas. The first backup that is left is the primary now.

        Returns how many backups are lost with the primary; None where that lives. Lost with them is
        what has no replica left.
        """
        row = self.row
        living = [place for place, member in enumerate(row) if member not in members]
        self._replicas = [self._replicas[place] for place in living]
        if not row or living[:1] == [0]:
            return None
        lost_backups = (living[0] if living else len(row)) - 1
        for container in self._containers:
            if not living or container.backup_count <= lost_backups:
                container.lose(self.id)
        return lost_backups

    def migrate(self, row: Sequence[str]) -> None:
        """Move the replicas to these members, copying the primary where one is new."""
        if self._laid_out == tuple(row):
            return
        self._laid_out = tuple(row)
        source = self._replicas[0] if self._replicas else None
        held = {replica.member: replica for replica in self._replicas}
        self._replicas = [held.get(member) or Replica(member) for member in row]
        for container in self._containers:
            self._lay_out(container, source.stores.get(container) if source else None)

    def _lay_out(self, container: Container, source: Store | None) -> None:
        """A store in each replica that the backup count reaches, and in no other."""
        if not self._replicas:
            return
        reached = self._replicas[: container.backup_count + 1]
        for replica in reached:
            if container not in replica.stores:
                replica.stores[container] = source.copy() if source else container.new_store()
        for replica in self._replicas[len(reached) :]:
            replica.stores.pop(container, None)
        primary, *backups = (replica.stores[container] for replica in reached)
        container.attach(self.id, primary, tuple(backups))
