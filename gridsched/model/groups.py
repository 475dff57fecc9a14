"""Paused groups: what was paused and resumed by group, in the order in which it was asked for."""

from __future__ import annotations

from typing import Literal

import msgspec

GroupKind = Literal["triggers", "jobs"]


class GroupRule(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The groups of triggers, or of jobs, that `pattern` (a glob) matches are paused, or not."""

    pattern: str
    of: GroupKind = "triggers"
    paused: bool = True


class PausedGroups(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """All such rules; of those that match a group the last one counts."""

    rules: tuple[GroupRule, ...] = ()
