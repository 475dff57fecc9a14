"""What becomes of local times that a clock change skips or repeats: a choice of each trigger."""

from __future__ import annotations

from typing import Literal, Self, get_args

import msgspec

from gridsched.errors import InvalidSchedule

Gap = Literal["skip", "after"]
Overlap = Literal["first", "second", "both"]


class DstPolicy(msgspec.Struct, frozen=True, cache_hash=True):
    """What becomes of a local time that a clock change skips (`gap`) or repeats (`overlap`).

    gap      "skip": nothing; "after": the first instant after the gap
    overlap  "first", "second" or "both" of its two instants
    """

    gap: Gap
    overlap: Overlap

    def __str__(self) -> str:
        """As `parse` reads it: "skip,second"."""
        return f"{self.gap},{self.overlap}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The policy written gap,overlap; InvalidSchedule says what is allowed."""
        gap, _, overlap = (part.strip() for part in text.partition(","))
        if gap not in get_args(Gap) or overlap not in get_args(Overlap):
            raise InvalidSchedule(
                f"{text!r} is no policy for clock changes: write {' or '.join(get_args(Gap))}, a "
                f"comma, and {' or '.join(get_args(Overlap))}, such as skip,second"
            )
        return msgspec.convert({"gap": gap, "overlap": overlap}, cls)
