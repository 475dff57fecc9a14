"""Who is there, as a node gathers it from its looks at the others' records."""

from __future__ import annotations

from msgspec.structs import replace

from gridsched.model.member import Member
from gridsched.policy.roster import Sighting, roster, sightings

ME = Member("b", "start-b", state="ACTIVE")


def node(name: str, beat: int = 1, **fields: object) -> Member:
    return replace(Member(name, f"start-{name}", state="ACTIVE", beat=beat), **fields)


def after_looks(*looks: list[Member]) -> dict[str, Sighting]:
    """What is seen after looks at 0, 1, 2, … s."""
    seen: dict[str, Sighting] = {}
    for now, members in enumerate(looks):
        seen = sightings(seen, members, float(now))
    return seen


def names(members: tuple[Member, ...]) -> str:
    return "".join(member.name for member in members)


def test_a_beat_that_stands_still_is_as_old_as_when_it_was_first_seen() -> None:
    seen = after_looks([node("a")], [node("a", threads=9)], [node("a", threads=9)])
    assert seen["a"] == Sighting(node("a", threads=9), changed_at=0.0)


def test_it_beats_since_its_first_change() -> None:
    seen = after_looks([node("a")], [node("a", 2)], [node("a", 3)])
    assert seen["a"] == Sighting(node("a", 3), changed_at=2.0, beats_since=1.0)


def test_another_start_of_a_node_is_a_change() -> None:
    seen = after_looks([node("a")], [node("a", incarnation="next")])
    assert seen["a"].changed_at == 1.0


def test_what_is_not_on_record_is_not_seen() -> None:
    assert after_looks([node("a"), node("c")], [node("c")]).keys() == {"c"}


def test_the_active_ones_are_in_order_and_this_one_is_among_them_as_it_is_now() -> None:
    on_record = replace(ME, state="JOINING")
    seen = after_looks([node("c"), on_record, node("d", state="LEAVING"), node("a")])
    assert names(roster(seen, ME).active) == "abc"
    assert names(roster(seen, replace(ME, state="LEAVING")).active) == "ac"


def test_a_record_alone_is_of_nobody_who_lives() -> None:
    assert names(roster(after_looks([node("a")]), ME).live) == "b"
    assert names(roster(after_looks([node("a")], [node("a", 2)]), ME).live) == "ab"


def test_who_has_not_beaten_since_another_came_does_not_live_beside_it() -> None:
    dead = [node("a"), node("c")], [node("a", 2), node("c")], [node("a", 2), node("c", 2)]
    assert names(roster(after_looks(*dead), ME).live) == "bc"
    again = [node("a", 3), node("c", 2)]
    assert names(roster(after_looks(*dead, again), ME).live) == "abc"


def test_who_leaves_does_not_live() -> None:
    seen = after_looks([node("a")], [node("a", 2, state="LEAVING")])
    assert names(roster(seen, ME).live) == "b"
    assert roster({}, replace(ME, state="JOINING")).live == ()
