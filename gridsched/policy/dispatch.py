"""Dispatch: on which node a firing runs (the seed's DispatcherPolicy, WSO2's location resolver).

In two steps, as in Coherence: `narrow` says which nodes may run the firings of a job and how they are
spread over those, and a function of each way to spread chooses them. All are functions of what they
are given: whose turn it is, loads and draws come from the caller.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from gridsched.model.dispatch import (
    AttributeMatch,
    Composite,
    DispatchPolicy,
    FirstOf,
    RuleBased,
    Spread,
    pattern,
)
from gridsched.model.job import Job
from gridsched.model.member import Member

_NAMED: Final = 10
"""Nodes that a reason names."""


class Eligible(NamedTuple):
    """The nodes that may run a job's firings; `reason` says why there are none. `spread` says how
    they are chosen, where its policy does."""

    members: tuple[Member, ...]
    spread: Spread | None = None
    reason: str = ""


def narrow(policy: DispatchPolicy, job: Job, members: Sequence[Member]) -> Eligible:
    """What a policy leaves of the active nodes for a job."""
    if not members:
        return Eligible((), reason="no node is active")
    match policy:
        case AttributeMatch(attributes):
            return _with_attributes(attributes, members)
        case RuleBased():
            return _by_rules(policy, job, members)
        case Composite(policies):
            return _all_of(policies, job, members)
        case FirstOf(policies):
            return _first_of(policies, job, members)
        case _:
            return Eligible(tuple(members), policy)


def _with_attributes(attributes: dict[str, str], members: Sequence[Member]) -> Eligible:
    wanted = attributes.items()
    found = tuple(member for member in members if wanted <= member.attributes.items())
    if found:
        return Eligible(found)
    said = ", ".join(f"{name}={value}" for name, value in wanted)
    return Eligible((), reason=f"no node has {said} (looked at {_names(members)})")


def _by_rules(policy: RuleBased, job: Job, members: Sequence[Member]) -> Eligible:
    tried: list[str] = []
    for number, rule in enumerate(policy.rules, 1):
        if pattern(rule.task_type).fullmatch(job.group) and pattern(rule.task_name).fullmatch(
            job.name
        ):
            address = pattern(rule.address)
            found = tuple(m for m in members if any(map(address.fullmatch, addresses(m))))
            if found:
                return Eligible(found)
            tried.append(f"rule {number} has no node at {rule.address}")
    if not tried:
        return Eligible((), reason=f"none of {len(policy.rules)} rules is for {job.key}")
    return Eligible((), reason=f"{', '.join(tried)} (looked at {_names(members)})")


def addresses(member: Member) -> Iterable[str]:
    """What the address of a rule is compared with."""
    return (member.name, member.address, member.address.rpartition(":")[0], member.ip)


def _all_of(policies: Sequence[DispatchPolicy], job: Job, members: Sequence[Member]) -> Eligible:
    left = Eligible(tuple(members))
    for policy in policies:
        narrowed = narrow(policy, job, left.members)
        if not narrowed.members:
            return narrowed
        left = Eligible(narrowed.members, narrowed.spread or left.spread)
    return left


def _first_of(policies: Sequence[DispatchPolicy], job: Job, members: Sequence[Member]) -> Eligible:
    reasons: list[str] = []
    for policy in policies:
        narrowed = narrow(policy, job, members)
        if narrowed.members:
            return narrowed
        reasons.append(narrowed.reason)
    return Eligible((), reason="; ".join(reasons))


def _names(members: Sequence[Member]) -> str:
    names = [member.name for member in members]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def in_turn(members: Sequence[str], count: int, turn: int) -> tuple[list[str], int]:
    """The nodes for the next `count` firings, and whose turn it is then.

    Each chosen node gets a run of neighbours, not every n-th firing, so that a batch makes one call
    a node; shares differ by at most one.
    """
    size = len(members)
    share, rest = divmod(count, size)
    chosen: list[str] = []
    for offset in range(size):
        member = members[(turn + offset) % size]
        chosen.extend([member] * (share + (offset < rest)))
    return chosen, (turn + rest) % size


def at_random(members: Sequence[str], count: int, draw: Callable[[int], int]) -> list[str]:
    """`draw(n)` gives any number from 0 to n - 1."""
    size = len(members)
    return [members[draw(size)] for _ in range(count)]


class Load(NamedTuple):
    """What a node has in hand, with what was sent to it since it said so."""

    member: str
    in_hand: int
    threads: int


def by_load(loads: Sequence[Load], count: int, turn: int) -> list[str]:
    """For each firing the node with the least for each of its threads once it has that too; of
    equals the one whose turn it is. In runs of neighbours, as `in_turn`."""
    size = len(loads)
    shares = [0] * size
    heap = [
        ((load.in_hand + 1) / max(1, load.threads), (index - turn) % size, index)
        for index, load in enumerate(loads)
    ]
    heapq.heapify(heap)
    for _ in range(count):
        _, rank, index = heap[0]
        shares[index] += 1
        next_load = (loads[index].in_hand + shares[index] + 1) / max(1, loads[index].threads)
        heapq.heapreplace(heap, (next_load, rank, index))
    return [load.member for load, share in zip(loads, shares, strict=True) for _ in range(share)]


def others_first(member: str, members: Sequence[str]) -> list[str]:
    """The order in which members are tried when `member`'s queue is full: those after it, in turn."""
    if member not in members:
        return list(members)
    at = members.index(member) + 1
    return [*members[at:], *members[: at - 1]]
