"""What becomes of an answer: hostile, broken or merely odd, it is recorded."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsched.jobs.http.responses import result, tree


def answered(body: bytes, kind: str = "", **headers: str) -> dict[str, Any]:
    given = {"content-type": kind, **{n.replace("_", "-"): v for n, v in headers.items()}}
    return result(200, {}, given, body)


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        ("application/json", b'{"a": [1, null]}', {"a": [1, None]}),
        ("Application/JSON; charset=UTF-8", b'\xef\xbb\xbf"\xc3\xa9"', "é"),
        ("application/problem+json", b"1", 1),
        ("text/json; charset=latin-1", b'"\xe9"', "é"),
        ("application/json; charset=none-such", b"[]", []),
    ],
)
def test_json(kind: str, body: bytes, value: Any) -> None:
    found = answered(body, kind)
    assert (found["media"], found["json"]) == ("json", value)


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/xml", b"<?xml version='1.0'?><!-- c --><a b='1' ><?p x?>2</a>", '<a b="1">2</a>'),
        ("application/soap+xml", b"<a/>", "<a></a>"),
        ("text/xml", b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>", "<a>é</a>"),
        (
            "text/xml; charset=latin-1",
            b"<?xml version='1.0' encoding='utf-8'?><a>\xe9</a>",
            "<a>é</a>",
        ),
        ("text/xml", '<a xmlns:p="urn:x"><p:b>&lt;</p:b></a>'.encode("utf-16"), None),
    ],
)
def test_xml(kind: str, body: bytes, text: str | None) -> None:
    found = answered(body, kind)
    assert found["media"] == "xml"
    assert found["xml"] == (text or '<a xmlns:p="urn:x"><p:b>&lt;</p:b></a>')
    assert tree(found).tag == "a"


@pytest.mark.parametrize(
    ("kind", "body", "problem"),
    [
        ("application/json", b"", None),
        ("application/json", b"<html/>", "not JSON"),
        ("application/json", b"NaN", "not JSON"),
        ("application/json", b"[" * 100_000, "not JSON"),
        ("application/json", b'{"a": 1', "not JSON"),
        ("text/xml", b"<a>", "not XML"),
        ("text/xml", b"<a>" * 1000 + b"</a>" * 1000, "not XML"),
        ("text/xml", b"<a b='1' b='2'/>", "not XML"),
        ("text/xml", b"<p:a/>", "not XML"),
        ("text/xml", b"<?xml version='1.0' encoding='none-such'?><a/>", "not XML"),
        ("text/xml", b"<!DOCTYPE a><a/>", "DTD or entities"),
        (
            "text/xml",
            b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
            "DTD or entities",
        ),
        ("text/xml", b"<!DOCTYPE a SYSTEM 'http://10.0.0.1/a.dtd'><a/>", "DTD or entities"),
    ],
)
def test_what_is_not_what_it_says_is_kept_as_text(
    kind: str, body: bytes, problem: str | None
) -> None:
    found = answered(body, kind)
    assert (found["media"], found["text"]) == ("text", body.decode())
    assert problem is None or problem in found["problem"]


@pytest.mark.parametrize(
    ("kind", "body", "headers", "problem"),
    [
        ("image/png", b"\x89PNG", {}, None),
        ("application/json", b"\x1f\x8b", {"content_encoding": "gzip"}, "encoding gzip was not"),
        ("application/json", b"\xff", {}, "not JSON"),
        ("text/plain", b"\xff", {}, "it is not text in utf-8"),
        ("", b"\xff", {}, "it is not text in utf-8"),
    ],
)
def test_of_what_is_no_text_the_size_is_kept(
    kind: str, body: bytes, headers: dict[str, str], problem: str | None
) -> None:
    found = answered(body, kind, **headers)
    assert (found["media"], found["size"]) == ("binary", len(body))
    assert problem is None or problem in found["problem"]


def test_text_in_its_charset() -> None:
    assert answered(b"\xe9", "text/plain; charset=latin-1")["text"] == "é"
    assert answered(b"plain")["text"] == "plain"


@given(
    st.one_of(
        st.sampled_from(["", "text/plain", "application/json", "text/xml; charset=utf-16", "x/y"]),
        st.text(max_size=30),
    ),
    st.one_of(st.binary(max_size=60), st.text(alphabet="<>/ab&;![]\"'x=?{}:,01", max_size=60)),
)
def test_any_answer_is_a_result(kind: str, body: bytes | str) -> None:
    data = body if isinstance(body, bytes) else body.encode()
    found = answered(data, kind)
    assert msgspec.json.decode(msgspec.json.encode(found)) == found
    if found["media"] == "xml":
        tree(found)
