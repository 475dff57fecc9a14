"""The start gate: who waits, and who has the partitions meanwhile."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gridsched.model.member import Member, TimerState
from gridsched.policy.gate import keepers, waiting, waits


def node(name: str, timer: TimerState = "WAITING", needs: int = 3) -> Member:
    return Member(name, name, state="ACTIVE", server_count=needs, timer=timer)


def kept_by(*nodes: Member, live: int) -> list[str]:
    return [member.name for member in keepers(nodes, live)]


@pytest.mark.parametrize(
    ("timer", "live", "shut"),
    [("WAITING", 2, True), ("WAITING", 3, False), ("RUNNING", 1, False), ("DELAYED", 1, False)],
)
def test_the_gate_is_shut_until_so_many_live(timer: TimerState, live: int, shut: bool) -> None:
    assert waits(node("a", timer), live) is shut


def test_while_nobody_fires_all_take_submissions() -> None:
    assert kept_by(node("a"), node("b", "DELAYED"), live=2) == ["a", "b"]


def test_those_that_pass_together_share_from_the_first_on() -> None:
    assert kept_by(node("a", "RUNNING"), node("b"), node("c"), live=3) == ["a", "b", "c"]


def test_who_waits_leaves_the_partitions_to_those_that_fire() -> None:
    running = node("a", "RUNNING")
    assert kept_by(running, node("b"), live=2) == ["a"]
    assert kept_by(running, node("b", "DELAYED"), live=3) == ["a"]
    assert kept_by(running, node("b", needs=2), live=2) == ["a", "b"]


def test_no_node_no_keeper() -> None:
    assert keepers([], 0) == []


def test_what_it_says() -> None:
    assert waiting(3, 2) == "waiting for 3 nodes, 2 are here"
    assert waiting(2, 1) == "waiting for 2 nodes, 1 is here"


def test_a_node_alone_never_waits() -> None:
    assert not waits(replace(node("a"), server_count=1), 1)
