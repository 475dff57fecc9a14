"""What is done to whom, and when: drawn from the seed, before anything starts."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final, Literal, NamedTuple

Kind = Literal["kill", "freeze", "restart"]

NODE_PAUSE: Final = (4.0, 16.0)
MEMBER_PAUSE: Final = (2.0, 10.0)
"""Seconds in peace between two strokes on the same node, and on members once the grid is safe."""

MEMBER_FREEZE: Final = (1.0, 8.0)
LONGEST_FREEZE: Final = 10.0
"""Session timeouts that a node stands still for at most."""


class Stroke(NamedTuple):
    """Something done to a node or a member. `pause` are the seconds in peace before it, `lasting`
    those until it is undone: a killed process is started again, a frozen one goes on."""

    kind: Kind
    number: int
    pause: float
    lasting: float


class Plan(NamedTuple):
    """A stroke after the other for each node; and one for the members, of which never two are down
    at once. Each goes on for ever: the time that it takes is not the plan's."""

    nodes: tuple[Iterator[Stroke], ...]
    members: Iterator[Stroke]


def plan(seed: int, nodes: int, members: int, seconds: float, session_timeout: float) -> Plan:
    """The plan of a seed. A node stands still for more than the session timeout (seconds), and for no
    more than a fifth of the time."""
    longest = max(2.0, min(LONGEST_FREEZE, seconds / 5 / session_timeout))
    return Plan(
        tuple(
            _on_node(Random(f"{seed} node {number}"), number, longest, session_timeout)
            for number in range(nodes)
        ),
        _on_members(Random(f"{seed} members"), members),
    )


def _on_node(random: Random, number: int, longest: float, timeout: float) -> Iterator[Stroke]:
    while True:
        kind = _kind(random)
        frozen = random.uniform(1.2, longest) * timeout
        down = random.uniform(0.0, 2.0) * timeout
        pause = random.uniform(*NODE_PAUSE)
        yield Stroke(kind, number, pause, frozen if kind == "freeze" else down)


def _on_members(random: Random, members: int) -> Iterator[Stroke]:
    while True:
        kind = _kind(random)
        lasting = random.uniform(*MEMBER_FREEZE) if kind == "freeze" else random.uniform(0, 5)
        yield Stroke(kind, random.randrange(members), random.uniform(*MEMBER_PAUSE), lasting)


def _kind(random: Random) -> Kind:
    kinds: tuple[Kind, ...] = ("kill", "freeze", "restart")
    return random.choices(kinds, (5, 4, 1))[0]
