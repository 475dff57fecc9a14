"""The start gate (`task.server.count`): a node's timer starts once so many nodes live at the same time.

Nodes started one by one would otherwise each take all tasks there are, until the next one comes.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridsched.model.member import Member


def waits(node: Member, live: int) -> bool:
    """Whether the gate of `node` is shut while `live` nodes are there. Once open it stays open."""
    return node.timer == "WAITING" and live < node.server_count


def keepers(nodes: Sequence[Member], live: int) -> list[Member]:
    """Those of the active nodes among which the partitions are shared out.

    A node that fires nothing yet leaves the partitions of a running cluster to those that do. Where
    none runs, all have their share: submissions must be answered. Nodes about to pass the gate
    together count as running at once, or the first to pass would take all that is due.
    """
    firing = [node for node in nodes if node.timer != "DELAYED" and not waits(node, live)]
    return firing or list(nodes)


def waiting(needed: int, live: int) -> str:
    """What a shut gate says of itself."""
    return f"waiting for {needed} nodes, {live} {'is' if live == 1 else 'are'} here"
