"""Conditions in XPath 1.0, on a result that is XML text, by libxml2.

It finds what an expression means only when it evaluates it, so names are looked up here before: with
their position.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, Final

from lxml import etree

from gridsched.errors import InvalidCondition
from gridsched.policy.condition_judge import Judge, Unsuitable

FUNCTIONS: Final = frozenset(
    [
        "last",
        "position",
        "count",
        "id",
        "local-name",
        "namespace-uri",
        "name",
        "string",
        "concat",
        "starts-with",
        "contains",
        "substring-before",
        "substring-after",
        "substring",
        "string-length",
        "normalize-space",
        "translate",
        "boolean",
        "not",
        "true",
        "false",
        "lang",
        "number",
        "sum",
        "floor",
        "ceiling",
        "round",
    ]
)
"""The core function library (XPath 1.0, section 4)."""

_OTHERS_BEFORE_PARENTHESES: Final = frozenset(
    ["and", "or", "div", "mod", "node", "text", "comment", "processing-instruction"]
)
_TOKEN: Final = re.compile(
    r"""(?P<skip>\s+|"[^"]*"|'[^']*'|[0-9.]+)|(?P<name>[^\W\d][\w.-]*)|(?P<sign>::|.)"""
)


def compile_xpath(text: str, namespaces: Mapping[str, str]) -> Judge:
    """InvalidCondition where it does not compile. `namespaces` gives the URIs of its prefixes."""
    _compile(text, text, namespaces)
    _check_names(text, namespaces)
    evaluate = _compile(f"boolean({text})", text, namespaces)
    try:
        evaluate(etree.Element("any"))
    except etree.XPathError as error:
        raise InvalidCondition(text, str(error)) from None

    def judge(value: Any) -> bool:
        return bool(evaluate(_document(value)))

    return judge


def _compile(written: str, text: str, namespaces: Mapping[str, str]) -> Any:
    try:
        return etree.XPath(
            written, namespaces=dict(namespaces) or None, regexp=False, smart_strings=False
        )
    except etree.XPathError as error:
        entry = error.error_log[0] if error.error_log else None
        before = text.encode()[: entry.column if entry else 0]
        position = min(len(before.decode(errors="ignore")), len(text))
        raise InvalidCondition(text, str(error), position=position) from None
    except ValueError as error:
        raise InvalidCondition(text, str(error)) from None


def _check_names(text: str, namespaces: Mapping[str, str]) -> None:
    """InvalidCondition where a variable, a function or a prefix has no meaning."""
    tokens = [found for found in _TOKEN.finditer(text) if not found["skip"]]
    for token, following in zip_longest(tokens, tokens[1:]):
        name, sign = token["name"], following["sign"] if following else None
        if token["sign"] == "$":
            raise InvalidCondition(text, "there are no variables", position=token.start())
        if name and sign == "(" and name not in FUNCTIONS | _OTHERS_BEFORE_PARENTHESES:
            raise InvalidCondition(
                text, f"there is no function {name}() in XPath 1.0", position=token.start()
            )
        if name and sign == ":" and name not in {"xml", *namespaces}:
            raise InvalidCondition(
                text, f"the prefix {name} has no namespace", position=token.start()
            )


def _document(value: Any) -> Any:
    """The root of XML text, read without DTD, entities or network."""
    if not isinstance(value, str):
        what = "nothing" if value is None else type(value).__name__
        raise Unsuitable(f"XPath needs XML, and the result is {what}")
    if "<!DOCTYPE" in value:
        raise Unsuitable("the XML has a DOCTYPE, which is not read")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(value.encode(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise Unsuitable(f"the result is not well-formed XML: {error}") from None
