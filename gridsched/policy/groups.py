"""Pausing by group: which triggers the rules pause, and how a new rule changes them.

As in Quartz, a group is remembered as paused until it is resumed, so that what is added to it
meanwhile is paused too. A pattern is a glob, which covers Quartz's GroupMatcher: `shop` (equals),
`shop*` (starts with), `*shop` (ends with), `*shop*` (contains), `*` (anything).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final, get_args

from gridsched.errors import InvalidKey
from gridsched.model.groups import GroupKind, GroupRule, PausedGroups
from gridsched.model.keys import encode_name, parse_key
from gridsched.model.trigger import Trigger
from gridsched.policy.submissions import pause_trigger

EVERY: Final = "*"
"""The pattern that every group matches."""

_WILD: Final = frozenset("*?[")


def check_group(pattern: str, of: str) -> None:
    """InvalidKey where no group could ever match."""
    if of not in get_args(GroupKind):
        raise InvalidKey(f"groups are of {' or '.join(get_args(GroupKind))}, not of {of!r}")
    try:
        encode_name(pattern)
    except InvalidKey as error:
        raise InvalidKey(f"group pattern {error}") from None


def matches(group: str, pattern: str) -> bool:
    """Does the glob match the group? Case counts."""
    return group == pattern or fnmatchcase(group, pattern)


def is_literal(pattern: str) -> bool:
    """Is it the name of one group?"""
    return _WILD.isdisjoint(pattern)


def is_paused(groups: PausedGroups, trigger: Trigger) -> bool:
    """Is the trigger's group paused, or that of its job?"""
    if not groups.rules:
        return False
    by_job = _paused(groups, "jobs", parse_key(trigger.job).group)
    return by_job or _paused(groups, "triggers", trigger.group)


def starting_paused(triggers: tuple[Trigger, ...], groups: PausedGroups) -> tuple[Trigger, ...]:
    """New triggers as they are stored: those of paused groups start PAUSED."""
    if not groups.rules:
        return triggers
    return tuple(pause_trigger(t) if is_paused(groups, t) else t for t in triggers)


def is_of(rule: GroupRule, trigger: Trigger) -> bool:
    """Is the rule about the trigger?"""
    group = trigger.group if rule.of == "triggers" else parse_key(trigger.job).group
    return matches(group, rule.pattern)


def with_rule(groups: PausedGroups, rule: GroupRule) -> PausedGroups:
    """The rules once `rule` is given. What it makes meaningless goes: pausing and resuming again and
    again leaves no more than the patterns in use."""
    kept = [
        there
        for there in groups.rules
        if there.of != rule.of or rule.pattern not in (EVERY, there.pattern)
    ]
    return PausedGroups(tuple(_without_idle([*kept, rule])))


def _without_idle(rules: list[GroupRule]) -> list[GroupRule]:
    """A resumption counts only over an earlier pause that may be of the same groups."""
    kept: list[GroupRule] = []
    for rule in rules:
        earlier = (there for there in kept if there.paused and there.of == rule.of)
        if rule.paused or any(_may_meet(there.pattern, rule.pattern) for there in earlier):
            kept.append(rule)
    return kept


def _may_meet(one: str, other: str) -> bool:
    """Might a group match both patterns?"""
    if is_literal(one):
        return matches(one, other)
    return not is_literal(other) or matches(other, one)


def _paused(groups: PausedGroups, of: GroupKind, group: str) -> bool:
    for rule in reversed(groups.rules):
        if rule.of == of and matches(group, rule.pattern):
            return rule.paused
    return False
