"""What becomes of local times that a clock change skips or repeats: a choice of each trigger."""

from __future__ import annotations

from typing import Literal

import msgspec


class DstPolicy(msgspec.Struct, frozen=True, cache_hash=True):
    """What becomes of a local time that a clock change skips (`gap`) or repeats (`overlap`).

    gap      "skip": nothing; "after": the first instant after the gap
    overlap  "first", "second" or "both" of its two instants
    """

    gap: Literal["skip", "after"]
    overlap: Literal["first", "second", "both"]
