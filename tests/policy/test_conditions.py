"""Conditions: what they find, what they refuse, and that nothing in them or in a result hurts."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsched.errors import InvalidCondition
from gridsched.model.events import Condition, ConditionLanguage
from gridsched.policy.condition_judge import Unsuitable
from gridsched.policy.conditions import MAX_CONDITION, check_condition, holds

STOCK = "<Products><Product><quantity>{}</quantity></Product></Products>"


def judged(text: str, language: ConditionLanguage, value: Any, **namespaces: str) -> bool:
    condition = Condition(text, language, namespaces)
    check_condition(condition)
    return holds(condition, value)


@pytest.mark.parametrize(
    ("text", "value", "held"),
    [
        ("//quantity < 10", STOCK.format(9), True),
        ("//quantity < 10", STOCK.format(10), False),
        ("/Products/Product/quantity < 10", STOCK.format(9), True),
        ("Product/quantity < 10", STOCK.format(9), True),
        ("number(//quantity) < 10", STOCK.format(9), True),
        ("//Product[quantity < 10]", STOCK.format(9), True),
        ("//Product[quantity < 10]", STOCK.format(10), False),
        ("count(//Product) > 1 or //quantity = 3", STOCK.format(3), True),
        ("//quantity < 10", "<Products/>", False),
        ("//quantity < 10", STOCK.format("many"), False),
        ("//quantity = 3", STOCK.format(3), True),
        ("number(//quantity)", STOCK.format("many"), False),
        ("number(//quantity)", STOCK.format(0), False),
        ("not(//quantity[text() = 3]) and (1 < 2)", STOCK.format(4), True),
        ("div/mod = 'x' and //*[self::div or (@a)]", "<r a='1'><div><mod>x</mod></div></r>", True),
        ("//@level = 'low'", "<?xml version='1.0' encoding='latin-1'?><a level='low'/>", True),
        ("contains(//name, 'é')", "<name>café</name>", True),
        ("0", "<r/>", False),
        ("1", "<r/>", True),
    ],
)
def test_xpath_on_xml(text: str, value: str, held: bool) -> None:
    assert judged(text, "xpath", value) is held


def test_an_xpath_knows_the_prefixes_that_it_is_given() -> None:
    xml = '<p:Products xmlns:p="urn:shop"><p:quantity>3</p:quantity></p:Products>'
    assert judged("//s:quantity < 10", "xpath", xml, s="urn:shop")
    assert not judged("//s:quantity < 10", "xpath", xml, s="urn:other")


@pytest.mark.parametrize(
    ("text", "value", "held"),
    [
        ("quantity < `10`", {"quantity": 3}, True),
        ("quantity < `10`", {"quantity": 10}, False),
        ("items[?quantity < `10`]", {"items": [{"quantity": 30}, {"quantity": 3}]}, True),
        ("items[?quantity < `10`]", {"items": []}, False),
        ("items[?quantity < `10`]", {}, False),
        ("error", {"error": ""}, False),
        ("error", {"quantity": 3}, False),
        (
            "min(items[].quantity) < `10` && state == 'open'",
            {"items": [{"quantity": 3}], "state": "open"},
            True,
        ),
        ('contains(`["low", "out"]`, state)', {"state": "out"}, True),
        ("@", 0, True),
    ],
)
def test_jmespath_on_json(text: str, value: Any, held: bool) -> None:
    assert judged(text, "jmespath", value) is held


@pytest.mark.parametrize(
    ("text", "value", "held"),
    [
        ("result < 10", 3, True),
        (
            "result['quantity'] < 10 and 'held' not in result['flags']",
            {"quantity": 3, "flags": []},
            True,
        ),
        ("0 < result <= 9", 9, True),
        ("0 < result <= 9", 10, False),
        ("not result", [], True),
        ("len(result) * 2 - 1 == 5 or result[-1] is None", ["a", "b", None], True),
        ("result in (1, 2, 'x')", "x", True),
        ("max(result) / 4 > 1.5", [1, 7], True),
        ("  result == 'é' ", "é", True),
    ],
)
def test_an_expression_on_a_python_result(text: str, value: Any, held: bool) -> None:
    assert judged(text, "expression", value) is held


@pytest.mark.parametrize(
    ("language", "text", "position", "message"),
    [
        ("xpath", "//a[", 4, "Invalid expression"),
        ("xpath", "", 0, "Invalid expression"),
        ("xpath", "//a and b c", 10, "Invalid expression"),
        ("xpath", "'é' = //a[", 10, "Invalid expression"),
        ("xpath", "1 < wrong(//a)", 4, "no function wrong()"),
        ("xpath", "//s:quantity", 2, "the prefix s has no namespace"),
        ("xpath", "count(//a, //b) > 1", 0, "Invalid number of arguments"),
        ("xpath", "count('a') > 1", 0, "Invalid type"),
        ("xpath", "//a = $b", 6, "no variables"),
        ("xpath", "document('file:///etc/passwd')", 0, "no function document()"),
        ("xpath", "re:test(//a, 'b')", 0, "the prefix re has no namespace"),
        ("jmespath", "a[?b > `1`", 10, "Incomplete expression"),
        ("jmespath", "a..b", 2, "Expecting"),
        ("jmespath", "a # b", 2, "Unknown token #"),
        ("jmespath", "a && wrong(b)", 5, "no function wrong()"),
        ("jmespath", "length(a, b)", 0, "takes 1 arguments, not 2"),
        ("jmespath", "not_null()", 0, "takes 1 arguments, not 0"),
        ("expression", "result[", 6, "never closed"),
        ("expression", " result and\n(x y)", 13, "invalid syntax"),
        ("expression", "result == 'é' and result.x", 18, "'result.x' is not part"),
        ("expression", "().__class__", 0, "not part of a condition"),
        ("expression", "__import__('os')", 0, "not part of a condition"),
        ("expression", "1 < other", 4, "'other' is not part"),
        ("expression", "result ** 9", 0, "not part of a condition"),
        ("expression", "[x for x in result]", 0, "not part of a condition"),
        ("expression", "(lambda: 1)", 1, "not part of a condition"),
        ("expression", "f'{result}'", 0, "not part of a condition"),
        ("expression", "len(result, key=1)", 0, "not part of a condition"),
        ("expression", "(n := result)", 1, "not part of a condition"),
        ("expression", "b'x' == result", 0, "not part of a condition"),
        ("expression", "~result", 0, "not part of a condition"),
    ],
)
def test_what_does_not_compile_is_refused_with_its_position(
    language: ConditionLanguage, text: str, position: int, message: str
) -> None:
    with pytest.raises(InvalidCondition) as refused:
        check_condition(Condition(text, language))
    assert refused.value.position == position
    assert message in str(refused.value)
    assert f"at character {position + 1}" in str(refused.value)


@pytest.mark.parametrize("language", ["xpath", "jmespath", "expression"])
@pytest.mark.parametrize(
    "text", ["(" * 900, "-" * 900 + "1", "!" * 900 + "a", "a[" * 300, "not " * 240]
)
def test_what_is_nested_without_end_is_refused_or_harmless(
    language: ConditionLanguage, text: str
) -> None:
    try:
        check_condition(Condition(text, language))
    except InvalidCondition:
        return
    try:
        holds(Condition(text, language), 1)
    except Unsuitable:
        return


def test_a_condition_is_bounded_in_length_and_has_a_language() -> None:
    check_condition(Condition("1 = 1" + " " * (MAX_CONDITION - 5)))
    with pytest.raises(InvalidCondition, match="at most 1000"):
        check_condition(Condition("1 = 1" + " " * MAX_CONDITION))
    with pytest.raises(InvalidCondition, match="one of xpath, jmespath, expression"):
        check_condition(Condition("1", "sql"))  # type: ignore[arg-type]
    with pytest.raises(InvalidCondition, match="namespaces are for xpath"):
        check_condition(Condition("a", "jmespath", {"s": "urn:shop"}))


@pytest.mark.parametrize(
    ("language", "text", "value", "reason"),
    [
        ("xpath", "//a", {"a": 1}, "XPath needs XML, and the result is dict"),
        ("xpath", "//a", None, "XPath needs XML, and the result is nothing"),
        ("xpath", "//a", "not XML", "not well-formed XML"),
        ("xpath", "//a", "<a>", "not well-formed XML"),
        ("xpath", "//a", "", "not well-formed XML"),
        ("xpath", "//a", "<a>\x00</a>", "not well-formed XML"),
        ("xpath", "//a", "<a>" * 2000 + "</a>" * 2000, "not well-formed XML"),
        ("jmespath", "quantity < `10`", {"stock": 3}, "compares what is not a number"),
        ("jmespath", "quantity < `10`", "text", "compares what is not a number"),
        ("jmespath", "length(items) > `1`", {"items": 3}, "invalid type"),
        ("expression", "result['quantity'] < 10", {"stock": 3}, "no 'quantity'"),
        ("expression", "result['quantity'] < 10", None, "not subscriptable"),
        ("expression", "result < 10", "3", "'<' not supported"),
        ("expression", "result[3]", [1], "out of range"),
        ("expression", "1 / result > 1", 0, "division by zero"),
        ("expression", "result + result == 'aa'", "a", "str is not a number"),
        ("expression", "result * 9", [1], "list is not a number"),
    ],
)
def test_a_result_that_is_not_what_it_expects_is_said(
    language: ConditionLanguage, text: str, value: Any, reason: str
) -> None:
    with pytest.raises(Unsuitable) as unsuitable:
        judged(text, language, value)
    assert reason in str(unsuitable.value)


def test_an_entity_bomb_is_not_read() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>'
    with pytest.raises(Unsuitable, match="DOCTYPE"):
        judged("//a", "xpath", bomb)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.sampled_from(("xpath", "jmespath", "expression")), st.text(max_size=40), JSON)
def test_whatever_is_written_and_returned_nothing_else_is_raised(
    language: ConditionLanguage, text: str, value: Any
) -> None:
    with contextlib.suppress(InvalidCondition, Unsuitable):
        assert judged(text, language, value) in (True, False)


@given(
    st.lists(
        st.sampled_from(
            [
                "result",
                "[",
                "]",
                "(",
                ")",
                "'a'",
                "1",
                " in ",
                " < ",
                " and ",
                "not ",
                "+",
                "len",
                ",",
            ]
        ),
        max_size=9,
    ),
    JSON,
)
def test_expressions_of_the_right_words(words: list[str], value: Any) -> None:
    with contextlib.suppress(InvalidCondition, Unsuitable):
        assert judged("".join(words), "expression", value) in (True, False)
