"""The predicate written as the condition of an SQL query: `active AND (age > 20 OR name LIKE 'J%')`.

Source: SqlPredicate. Its literals are text, converted to the type of what an entry holds; a name
alone asks whether it is true; NULL equals an absent value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from gridsched.grid.wire.errors import SerializationFailed
from gridsched.grid.wire.query.predicates import (
    All,
    Between,
    Compare,
    Either,
    Equal,
    In,
    Not,
    Predicate,
    like,
    regex,
)

_TOKEN: Final = re.compile(r"\s*('(?:[^']|'')*'|<=|>=|<>|!=|==|[=<>(),]|[^\s=<>!(),']+)")
_COMPARISONS: Final[dict[str, Callable[[str, Any], Predicate]]] = {
    "=": Equal,
    "==": Equal,
    "!=": lambda name, value: Not(Equal(name, value)),
    "<>": lambda name, value: Not(Equal(name, value)),
    "<": lambda name, value: Compare(name, value, equal=False, less=True),
    "<=": lambda name, value: Compare(name, value, equal=True, less=True),
    ">": lambda name, value: Compare(name, value, equal=False, less=False),
    ">=": lambda name, value: Compare(name, value, equal=True, less=False),
}
_TEXT: Final[dict[str, Callable[[str, str], Predicate]]] = {
    "LIKE": like,
    "ILIKE": lambda name, pattern: like(name, pattern, ignore_case=True),
    "REGEX": regex,
}


def parse(text: str) -> Predicate:
    """The predicate that `text` writes. SerializationFailed where it writes none."""
    return _Parser(text).whole()


class _Parser:
    """One method a level of precedence: OR, AND, NOT, conditions."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._cut()
        self._at = 0

    def whole(self) -> Predicate:
        found = self._or()
        if self._at < len(self._tokens):
            raise self._wrong(f"{self._tokens[self._at]!r} is not expected")
        return found

    def _cut(self) -> list[str]:
        tokens, at = [], 0
        text = self._text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._wrong(f"nothing is known to begin at position {at}")
            tokens.append(found[1])
            at = found.end()
        return tokens

    def _or(self) -> Predicate:
        found = [self._and()]
        while self._take("OR"):
            found.append(self._and())
        return found[0] if len(found) == 1 else Either(tuple(found))

    def _and(self) -> Predicate:
        found = [self._not()]
        while self._take("AND"):
            found.append(self._not())
        return found[0] if len(found) == 1 else All(tuple(found))

    def _not(self) -> Predicate:
        if self._take("NOT"):
            return Not(self._not())
        if self._take("("):
            found = self._or()
            self._expect(")")
            return found
        return self._condition()

    def _condition(self) -> Predicate:
        name = self._literal()
        if name is None:
            raise self._wrong("NULL is no attribute")
        for operator, make in _COMPARISONS.items():
            if self._take(operator):
                return make(name, self._literal())
        if self._take("NOT"):
            return Not(self._worded(name) or self._unexpected())
        return self._worded(name) or Equal(name, "true")

    def _worded(self, name: str) -> Predicate | None:
        if self._take("BETWEEN"):
            low = self._literal()
            self._expect("AND")
            return Between(name, low, self._literal())
        if self._take("IN"):
            return In(name, self._literals())
        for word, make in _TEXT.items():
            if self._take(word):
                return make(name, self._literal() or "")
        return None

    def _literals(self) -> tuple[str | None, ...]:
        self._expect("(")
        found = [self._literal()]
        while self._take(","):
            found.append(self._literal())
        self._expect(")")
        return tuple(found)

    def _literal(self) -> str | None:
        """The next token as a name or literal; None for NULL."""
        if self._at == len(self._tokens) or self._tokens[self._at] in "(),":
            self._unexpected()
        token = self._tokens[self._at]
        self._at += 1
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        return None if token.upper() == "NULL" else token

    def _take(self, token: str) -> bool:
        """Whether this comes next; then it is read."""
        found = self._at < len(self._tokens) and self._tokens[self._at].upper() == token
        self._at += found
        return found

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise self._wrong(f"{token!r} is missing")

    def _unexpected(self) -> Predicate:
        if self._at == len(self._tokens):
            raise self._wrong("it ends too early")
        raise self._wrong(f"{self._tokens[self._at]!r} is not expected")

    def _wrong(self, why: str) -> SerializationFailed:
        return SerializationFailed(f"Invalid SQL: [{self._text}]: {why}")
