"""Ownership: which node looks after which partition of the grid.

A pure function that every node computes alike from what it sees. Two nodes that disagree for a
moment race on the fence, and one loses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import mmh3


@lru_cache(maxsize=65536)
def _heaviest(partition: int, candidates: tuple[str, ...]) -> str | None:
    """Rendezvous hashing; remembered, for every node asks again whenever one comes or goes."""
    return max(candidates, key=lambda name: (_weight(partition, name), name), default=None)


@lru_cache(maxsize=65536)
def _weight(partition: int, node: str) -> int:
    return mmh3.hash(f"{partition}|{node}", signed=False)


def assign(partition: int, grid_member: str | None, nodes: Mapping[str, str]) -> str | None:
    """The node that owns a partition; None where there are no nodes.

    `nodes` are the active nodes by name, each with the uuid of the grid member it lives beside ("":
    none). Nodes beside `grid_member`, the holder of the partition's primary, come first, so that
    polling stays local; among equals rendezvous hashing chooses, so that a node that comes or goes
    moves only its own share.
    """
    return _heaviest(partition, _candidates(grid_member, nodes))


def owned(
    node: str, grid_members: Sequence[str | None], nodes: Mapping[str, str]
) -> tuple[int, ...]:
    """The partitions that `node` owns; `grid_members` holds each partition's primary."""
    candidates = {uuid: _candidates(uuid, nodes) for uuid in set(grid_members)}
    return tuple(
        partition
        for partition, grid_member in enumerate(grid_members)
        if _heaviest(partition, candidates[grid_member]) == node
    )


def _candidates(grid_member: str | None, nodes: Mapping[str, str]) -> tuple[str, ...]:
    beside = tuple(name for name, uuid in nodes.items() if uuid and uuid == grid_member)
    return beside or tuple(nodes)


def slices(partitions: Sequence[int], size: int) -> tuple[tuple[int, ...], ...]:
    """The partitions cut into slices of at most `size`, so that a herd arrives in chunks."""
    return tuple(
        tuple(partitions[start : start + size]) for start in range(0, len(partitions), size)
    )
