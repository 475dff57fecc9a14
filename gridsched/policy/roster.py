"""Who is there, by what one node has seen of the others' beats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gridsched.model.member import Member


class Sighting(NamedTuple):
    """What was last seen of a member, and when (monotonic seconds) its beat last changed.

    beats_since  when it was first seen to change; None: not yet, and a record alone may be of a node
                 that died before this one came
    """

    member: Member
    changed_at: float
    beats_since: float | None = None


def sightings(
    before: Mapping[str, Sighting], members: Iterable[Member], now: float
) -> dict[str, Sighting]:
    """What is seen of the members at a look at their records, after what was seen before."""
    return {member.name: _sighting(before.get(member.name), member, now) for member in members}


def _sighting(last: Sighting | None, member: Member, now: float) -> Sighting:
    if last is None:
        return Sighting(member, now)
    if (last.member.incarnation, last.member.beat) == (member.incarnation, member.beat):
        return last._replace(member=member)
    return Sighting(member, now, now if last.beats_since is None else last.beats_since)


class Roster(NamedTuple):
    """The active nodes, by name; `live` are those that are seen to live at the same time.

    Each of them has beaten since the last of them was first seen to: one that died just before another
    came is not counted, though its session has not timed out.
    """

    active: tuple[Member, ...]
    live: tuple[Member, ...]


def roster(seen: Mapping[str, Sighting], me: Member) -> Roster:
    """As `me` sees it, who counts as seen."""
    others = [each for each in seen.values() if each.member.name != me.name]
    members = sorted((me, *(each.member for each in others)), key=lambda member: member.name)
    active = tuple(member for member in members if member.state == "ACTIVE")
    beating = [
        each for each in others if each.member.state == "ACTIVE" and each.beats_since is not None
    ]
    latest = max((each.beats_since or 0.0 for each in beating), default=0.0)
    together = {each.member.name for each in beating if each.changed_at >= latest}
    return Roster(active, tuple(m for m in active if m is me or m.name in together))
