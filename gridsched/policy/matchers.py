"""Matchers: which triggers or jobs a listener is told of (Quartz's KeyMatcher, GroupMatcher,
NameMatcher, EverythingMatcher, and, or, not)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gridsched.model.keys import job_key


class Matcher:
    """Says of a group and a name whether it is meant. Joined by `&`, `|` and `~`."""

    def __init__(self, text: str, matches: Callable[[str, str], bool]) -> None:
        self._text = text
        self._matches = matches

    def __call__(self, group: str, name: str) -> bool:
        return self._matches(group, name)

    def __and__(self, other: Matcher) -> Matcher:
        return Matcher(f"({self} & {other})", lambda g, n: self(g, n) and other(g, n))

    def __or__(self, other: Matcher) -> Matcher:
        return Matcher(f"({self} | {other})", lambda g, n: self(g, n) or other(g, n))

    def __invert__(self) -> Matcher:
        return Matcher(f"~{self}", lambda g, n: not self(g, n))

    def __repr__(self) -> str:
        return self._text


class By:
    """The matchers of one part of a key. Case counts."""

    def __init__(self, part: str, pick: Callable[[str, str], str]) -> None:
        self._part = part
        self._pick = pick

    def equals(self, text: str) -> Matcher:
        return self._matcher("equals", text, text.__eq__)

    def starts_with(self, text: str) -> Matcher:
        return self._matcher("starts_with", text, lambda part: part.startswith(text))

    def ends_with(self, text: str) -> Matcher:
        return self._matcher("ends_with", text, lambda part: part.endswith(text))

    def contains(self, text: str) -> Matcher:
        return self._matcher("contains", text, lambda part: text in part)

    def _matcher(self, operator: str, text: str, matches: Callable[[str], bool]) -> Matcher:
        written = f"{self._part}.{operator}({text!r})"
        return Matcher(written, lambda group, name: matches(self._pick(group, name)))


key: Final = By("key", job_key)
"""By the written key, `group/name`: of a trigger without that of its job."""

group: Final = By("group", lambda group, _name: group)

name: Final = By("name", lambda _group, name: name)

anything: Final = Matcher("anything", lambda _group, _name: True)
"""Everything is meant."""
