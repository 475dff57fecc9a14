"""Dispatcher policies: on which nodes a firing may run, and which of those it goes to.

A policy narrows the active nodes, says how one of those that are left is chosen, or both. None of them
knows a node by more than its record in Membership, so every owner decides alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from gridsched.errors import InvalidPolicy

MOST_RULES: Final = 100
LONGEST_PATTERN: Final = 200
DEEPEST: Final = 8
"""Bounds of a policy: it is evaluated for every firing, on the loop of whoever owns its job."""


class RoundRobin(msgspec.Struct, frozen=True, tag="round_robin"):
    """Nodes take turns, in the order of their names (the seed's default)."""


class Random(msgspec.Struct, frozen=True, tag="random"):
    """Any node, each as likely as another."""


class LeastLoaded(msgspec.Struct, frozen=True, tag="least_loaded"):
    """The node that has the least in hand for each of its threads."""


class LocalFirst(msgspec.Struct, frozen=True, tag="local_first"):
    """The node that owns the job's partition; others, in turn, when it has no room."""


class AttributeMatch(msgspec.Struct, frozen=True, tag="attribute_match"):
    """Only nodes that have all of these attributes, with these values (Coherence's)."""

    attributes: dict[str, str]


class Rule(msgspec.Struct, frozen=True):
    """One rule of `RuleBased`: regular expressions that must match all of a text.

    task_type  the job's group: as in WSO2, where a task's type is the group of its Quartz job
    task_name  the job's name
    address    one of the node's name, host, IP address, and address as `gridsched members` shows it
    """

    task_type: str
    task_name: str
    address: str


class RuleBased(msgspec.Struct, frozen=True, tag="rule_based"):
    """Only nodes of the first rule that matches the job and has any (WSO2's
    RuleBasedLocationResolver)."""

    rules: tuple[Rule, ...]


class Composite(msgspec.Struct, frozen=True, tag="composite"):
    """Each policy chooses among the nodes that the one before it left (Coherence's
    CompositeTaskDispatchPolicy)."""

    policies: tuple[DispatchPolicy, ...]


class FirstOf(msgspec.Struct, frozen=True, tag="first_of"):
    """The first of the policies that leaves any node."""

    policies: tuple[DispatchPolicy, ...]


Spread = RoundRobin | Random | LeastLoaded | LocalFirst
"""The policies that choose among all nodes."""

DispatchPolicy = (
    RoundRobin
    | Random
    | LeastLoaded
    | LocalFirst
    | AttributeMatch
    | RuleBased
    | Composite
    | FirstOf
)


def check_policy(policy: DispatchPolicy, depth: int = 1) -> None:
    """InvalidPolicy, saying what is wrong, where it cannot be."""
    match policy:
        case AttributeMatch(attributes):
            check_attributes(attributes)
            if not attributes:
                raise InvalidPolicy("AttributeMatch names no attribute; RoundRobin takes any node")
        case RuleBased(rules):
            _check_rules(rules)
        case Composite(policies) | FirstOf(policies):
            if depth > DEEPEST or not 1 <= len(policies) <= MOST_RULES:
                raise InvalidPolicy(
                    f"{type(policy).__name__} has {len(policies)} policies, in level {depth}; 1 to "
                    f"{MOST_RULES} policies, {DEEPEST} levels"
                )
            for each in policies:
                check_policy(each, depth + 1)
        case RoundRobin() | Random() | LeastLoaded() | LocalFirst():
            pass
        case _:
            raise InvalidPolicy(f"{policy!r} is no dispatcher policy")


def check_attributes(attributes: object) -> None:
    """InvalidPolicy where these cannot be attributes of a node: text by name."""
    if not isinstance(attributes, dict):
        raise InvalidPolicy(f"attributes are {attributes!r}; a dict of text by name")
    for name, value in attributes.items():
        if not (isinstance(name, str) and name and isinstance(value, str)):
            raise InvalidPolicy(f"attribute {name!r} is {value!r}; names and values are text")


def _check_rules(rules: Sequence[Rule]) -> None:
    if not 1 <= len(rules) <= MOST_RULES:
        raise InvalidPolicy(f"RuleBased has {len(rules)} rules; 1 to {MOST_RULES}")
    for number, rule in enumerate(rules, 1):
        _check_rule(rule, number)


def _check_rule(rule: Rule, number: int) -> None:
    for field in rule.__struct_fields__:
        text = getattr(rule, field)
        try:
            pattern(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise InvalidPolicy(
                f"rule {number}: {field} {text!r} is not a regular expression: {error}"
            ) from None


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """A compiled expression; re.error where it cannot be."""
    if len(text) > LONGEST_PATTERN:
        raise re.error(f"longer than {LONGEST_PATTERN} characters")
    return re.compile(text)
