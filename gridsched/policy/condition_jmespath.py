"""Conditions in JMESPath, on a result that is JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError, LexerError, ParseError
from jmespath.functions import Functions

from gridsched.errors import InvalidCondition
from gridsched.policy.condition_judge import Judge, Unsuitable

_ORDERINGS: Final = ("lt", "lte", "gt", "gte")


def compile_jmespath(text: str) -> Judge:
    """InvalidCondition where it does not compile, or calls a function that JMESPath has not, or not
    so: it would find that out only when it evaluates it."""
    try:
        compiled = jmespath.compile(text)
    except JMESPathError as error:
        raise InvalidCondition(text, _said(error), position=_position(error)) from None
    for node in _nodes(compiled.parsed):
        if node["type"] == "function_expression":
            _check_call(node["value"], len(node["children"]), text)
    orders = compiled.parsed["type"] == "comparator" and compiled.parsed["value"] in _ORDERINGS

    def judge(value: Any) -> bool:
        """True as JMESPath has it: all but null, false, and what is empty."""
        try:
            found = compiled.search(value)
        except JMESPathError as error:
            raise Unsuitable(_said(error)) from None
        if found is None and orders:
            raise Unsuitable("it compares what is not a number there")
        return not (found is None or found is False or found in ("", [], {}))

    return judge


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _nodes(child)


def _check_call(name: str, given: int, text: str) -> None:
    position = max(0, text.find(name))
    function = Functions.FUNCTION_TABLE.get(name)
    if function is None:
        known = ", ".join(sorted(Functions.FUNCTION_TABLE))
        raise InvalidCondition(
            text, f"there is no function {name}(); there are {known}", position=position
        )
    signature = function["signature"]
    variadic = bool(signature) and signature[-1].get("variadic", False)
    if given != len(signature) and not (variadic and given > len(signature)):
        raise InvalidCondition(
            text, f"{name}() takes {len(signature)} arguments, not {given}", position=position
        )


def _position(error: JMESPathError) -> int:
    return int(error.lex_position) if isinstance(error, ParseError | LexerError) else 0


def _said(error: Exception) -> str:
    """The first line, without what it says of itself: the others draw an arrow below the text."""
    said = str(error).partition("\n")[0].removesuffix(", for expression:").removesuffix(":")
    return said.removeprefix("Invalid jmespath expression: ").removeprefix(
        "Bad jmespath expression: "
    )
