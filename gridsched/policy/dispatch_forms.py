"""Dispatcher policies as users write them in a file or on a command line.

RoundRobin, Random, LeastLoaded, LocalFirst
AttributeMatch(gpu=yes, zone=eu)
RuleBased(shop,.*,10\\.0\\.1\\..*; .*,.*,.*)     type, name and address of each rule
AttributeMatch(gpu=yes) then LeastLoaded        each among what the one before left
AttributeMatch(gpu=yes) else RoundRobin         the first that leaves any

`then` binds closer than `else`; parentheses group.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final

from gridsched.errors import InvalidPolicy
from gridsched.model.dispatch import (
    AttributeMatch,
    Composite,
    DispatchPolicy,
    FirstOf,
    LeastLoaded,
    LocalFirst,
    Random,
    RoundRobin,
    Rule,
    RuleBased,
    Spread,
    check_policy,
)

_SPREADS: Final[dict[str, Spread]] = {
    "RoundRobin": RoundRobin(),
    "Random": Random(),
    "LeastLoaded": LeastLoaded(),
    "LocalFirst": LocalFirst(),
}
_WITH_ARGUMENTS: Final = ("AttributeMatch", "RuleBased")
_WORD: Final = re.compile(r"\s*(\w*)\s*")


def parse_policy(text: str) -> DispatchPolicy:
    """The policy in a text; InvalidPolicy says what is wrong with it, and where."""
    reading = _Reading(text)
    policy = reading.alternatives()
    if reading.at < len(text):
        raise reading.error("then, else or its end")
    check_policy(policy)
    return policy


class _Reading:
    """A text, and how far it is read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def error(self, expected: str) -> InvalidPolicy:
        found = repr(self.text[self.at : self.at + 20]) if self.text[self.at :] else "its end"
        return InvalidPolicy(
            f"dispatcher policy {self.text!r}, character {self.at + 1}: {found} stands where "
            f"{expected} is expected"
        )

    def alternatives(self) -> DispatchPolicy:
        policies = [self.chain()]
        while self._took("else"):
            policies.append(self.chain())
        return policies[0] if len(policies) == 1 else FirstOf(tuple(policies))

    def chain(self) -> DispatchPolicy:
        policies = [self.step()]
        while self._took("then"):
            policies.append(self.step())
        return policies[0] if len(policies) == 1 else Composite(tuple(policies))

    def step(self) -> DispatchPolicy:
        name = self._peek()
        if not name and self.text[self.at :].lstrip().startswith("("):
            return _inside(self._arguments())
        if name in _SPREADS:
            self._took(name)
            return _SPREADS[name]
        if name not in _WITH_ARGUMENTS:
            known = (*_SPREADS, *_WITH_ARGUMENTS)
            close = get_close_matches(name, known, n=1)
            raise self.error(f"{close[0]}" if close else f"one of {', '.join(known)}")
        self._took(name)
        arguments = self._arguments()
        return _attribute_match(arguments) if name == "AttributeMatch" else _rule_based(arguments)

    def _peek(self) -> str:
        found = _WORD.match(self.text, self.at)
        return found[1] if found else ""

    def _took(self, word: str) -> bool:
        if self._peek() != word:
            return False
        found = _WORD.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return True

    def _arguments(self) -> str:
        """What stands between two parentheses; a backslash takes the next character as it is."""
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        if self.text[self.at : self.at + 1] != "(":
            raise self.error("(")
        start, depth = self.at + 1, 0
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 2 if char == "\\" else 1
            depth += (char == "(") - (char == ")")
            if not depth:
                arguments = self.text[start : self.at - 1]
                self._took("")
                return arguments
        self.at = len(self.text)
        raise self.error(")")


def _inside(text: str) -> DispatchPolicy:
    """The policy between parentheses."""
    reading = _Reading(text)
    policy = reading.alternatives()
    if reading.at < len(text):
        raise reading.error("then, else or )")
    return policy


def _attribute_match(arguments: str) -> AttributeMatch:
    attributes: dict[str, str] = {}
    for part in arguments.split(","):
        name, equals, value = part.partition("=")
        if not (equals and name.strip()):
            raise InvalidPolicy(f"AttributeMatch({arguments}): {part.strip()!r} is not name=value")
        attributes[name.strip()] = value.strip()
    return AttributeMatch(attributes)


def _rule_based(arguments: str) -> RuleBased:
    rules: list[Rule] = []
    for part in arguments.split(";"):
        patterns = [each.strip() for each in part.split(",")]
        if len(patterns) != 3 or not all(patterns):
            raise InvalidPolicy(
                f"RuleBased: {part.strip()!r} is no rule: write three regular expressions, "
                "type,name,address"
            )
        rules.append(Rule(*patterns))
    return RuleBased(tuple(rules))


def written(policy: DispatchPolicy) -> str:
    """A policy as `parse_policy` takes it."""
    match policy:
        case AttributeMatch(attributes):
            return f"AttributeMatch({', '.join(f'{n}={v}' for n, v in attributes.items())})"
        case RuleBased(rules):
            said = (f"{rule.task_type},{rule.task_name},{rule.address}" for rule in rules)
            return f"RuleBased({'; '.join(said)})"
        case Composite(policies):
            return " then ".join(_grouped(each, (Composite, FirstOf)) for each in policies)
        case FirstOf(policies):
            return " else ".join(_grouped(each, (FirstOf,)) for each in policies)
        case _:
            return type(policy).__name__


def _grouped(policy: DispatchPolicy, kinds: tuple[type, ...]) -> str:
    text = written(policy)
    return f"({text})" if isinstance(policy, kinds) else text
