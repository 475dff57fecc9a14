"""Matchers of listeners."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsched.matchers import Matcher, anything, group, key, name

texts = st.text("ab/", max_size=3)


@pytest.mark.parametrize(
    ("matcher", "meant"),
    [
        (group.equals("shop"), {"shop/a", "shop/b"}),
        (group.starts_with("sho"), {"shop/a", "shop/b", "shoe/a"}),
        (group.ends_with("p"), {"shop/a", "shop/b"}),
        (group.contains("oe"), {"shoe/a"}),
        (name.equals("a"), {"shop/a", "shoe/a"}),
        (key.equals("shop/b"), {"shop/b"}),
        (anything, {"shop/a", "shop/b", "shoe/a"}),
        (group.equals("SHOP"), set()),
        (group.equals("shop") & ~name.equals("a"), {"shop/b"}),
        (key.equals("shop/b") | group.equals("shoe"), {"shop/b", "shoe/a"}),
    ],
)
def test_what_a_matcher_means(matcher: Matcher, meant: set[str]) -> None:
    keys = {"shop/a", "shop/b", "shoe/a"}
    assert {k for k in keys if matcher(*k.split("/"))} == meant


@given(texts, texts, texts)
def test_they_join_as_logic_does(text: str, of_group: str, of_name: str) -> None:
    one, other = group.contains(text), name.starts_with(text)
    values = of_group, of_name
    assert (one & other)(*values) == (one(*values) and other(*values))
    assert (~(one & other))(*values) == (~one | ~other)(*values)


def test_a_matcher_says_what_it_is() -> None:
    said = repr(group.starts_with("shop") & ~name.equals("x"))
    assert said == "(group.starts_with('shop') & ~name.equals('x'))"
