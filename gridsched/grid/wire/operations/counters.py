"""The requests of a PN counter and of a Flake id generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gridsched.grid.embedded.structures import CounterStructure
from gridsched.grid.wire.answers import answers

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

COUNTER_SERVICE: Final = "hz:impl:PNCounterService"

Timestamps = Sequence[tuple[UUID | None, int]]
Counted = tuple[list[tuple[UUID, int]], int, int]
"""The response: the replica's logical time, the value, how many replicas there are."""

_EVERY_MEMBER: Final = 2**31 - 1

EPOCH_MS: Final = 1_514_764_800_000
"""2018-01-01, from which ids count."""
SEQUENCE_BITS: Final = 6
NODE_BITS: Final = 16


def _counter(endpoint: Endpoint, name: str) -> CounterStructure:
    return endpoint.services.cluster.other(COUNTER_SERVICE, name, CounterStructure)


def _counted(endpoint: Endpoint, held: CounterStructure, value: int) -> Counted:
    replica = UUID(endpoint.services.cluster.members[0].uuid)
    return [(replica, held.clock)], value, len(endpoint.services.cluster.members)


@answers("PNCounter.get")
def get(endpoint: Endpoint, name: str, _seen: Timestamps, _target: UUID | None) -> Counted:
    held = _counter(endpoint, name)
    return _counted(endpoint, held, held.value)


@answers("PNCounter.add")
def add(
    endpoint: Endpoint,
    name: str,
    _seen: Timestamps,
    delta: int,
    before: bool,
    _target: UUID | None,
) -> Counted:
    """`before` asks for the value that was, else it is the one that is now."""
    held = _counter(endpoint, name)
    old = held.value
    held.value += delta
    held.clock += 1
    return _counted(endpoint, held, old if before else held.value)


@answers("PNCounter.getConfiguredReplicaCount")
def configured_replica_count(_endpoint: Endpoint, _name: str) -> int:
    return _EVERY_MEMBER


@answers("FlakeIdGenerator.newIdBatch")
def new_id_batch(endpoint: Endpoint, name: str, count: int) -> tuple[int, int, int]:
    """The first id, the difference of two, and how many there are."""
    services = endpoint.services
    members = [member.uuid for member in services.cluster.members]
    node = members.index(endpoint.member) if endpoint.member in members else 0
    elapsed = services.cluster.now_ms() - EPOCH_MS
    place = (name, endpoint.member)
    first = max(elapsed << SEQUENCE_BITS, services.flake_ids.get(place, 0))
    services.flake_ids[place] = first + count
    return first << NODE_BITS | node, 1 << NODE_BITS, count
