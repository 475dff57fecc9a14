from __future__ import annotations

from pathlib import Path

import pytest
from config_documents import document, refused
from hypothesis import given
from hypothesis import strategies as st

from gridsched.config import cache_config, xml_reader
from gridsched.config.settings import Settings
from gridsched.errors import ConfigurationError

LAUGHS = (
    "<!DOCTYPE lol [<!ENTITY a0 'lol'>"
    + "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 12))
    + "]>"
)


def test_elements_have_their_text_attributes_and_line() -> None:
    root = xml_reader.parse(
        b"<?xml version='1.0'?>\n<a:x xmlns:a='class://one' a:k='1' k='2' xml:lang='en'>\n"
        b" one<!-- no --><?no no?> two <y\n>3</y> three <![CDATA[<four>]]></a:x>",
        "x.xml",
        {},
    )
    assert root.name == "a:x"
    assert root.line == 2
    assert root.text == "one two  three <four>"
    assert root.attributes == {"a:k": "1", "k": "2", "xml:lang": "en"}
    assert [(child.name, child.text, child.line) for child in root.children] == [("y", "3", 4)]


def test_a_known_namespace_gives_its_prefix() -> None:
    root = xml_reader.parse(
        b"<x xmlns='urn:ours' xmlns:o='urn:ours' o:k='1'><o:y/></x>", "x.xml", {"urn:ours": "our"}
    )
    assert (root.name, root.children[0].name, *root.attributes) == ("our:x", "our:y", "our:k")


def test_lines_above_65535_are_right() -> None:
    refused(document("\n" * 70_000 + "<scheduler:nothing/>"), 70_002, "scheduler:nothing")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "utf-8-sig"])
def test_any_encoding_that_is_declared(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    text = f"<?xml version='1.0' encoding='{declared}'?>{document('<größe/>')}"
    assert cache_config.loads(text.encode(encoding)).ignored[0].name == "größe"


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("", None, "is empty"),
        (" \n ", None, "is empty"),
        ("name: shop", 1, "not well-formed XML: Start tag expected"),
        ("<cache-config>\n<a>\n</cache-config>", 3, "tag mismatch: a line 2 and cache-config"),
        ("<cache-config>\n<a>", 2, "not well-formed XML: Premature end"),
        ("<cache-config>\n&nbsp;</cache-config>", 2, "Entity 'nbsp' not defined"),
        ("<cache-config>\n<scheduler:jobs/></cache-config>", 2, "prefix scheduler"),
        ("<cache-config/>\n<cache-config/>", 2, "Extra content"),
        ("<cache-config a='1' a='2'/>", 1, "Attribute a redefined"),
        ("\n<cache config/>", 2, "not well-formed XML"),
        ("\n<server/>", 2, "the root element is server; it must be cache-config"),
        ("\n\n<!DOCTYPE cache-config>\n<cache-config/>", 3, "DOCTYPE is not allowed"),
        ("<!DOCTYPE c SYSTEM 'file:///etc/passwd'><c/>", 1, "DOCTYPE is not allowed"),
        ("<!DOCTYPE c [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><c>&x;</c>", 1, "DOCTYPE"),
        (LAUGHS + "<cache-config>&a11;</cache-config>", 1, "DOCTYPE is not allowed"),
        (LAUGHS + "<cache-config a='&a11;'/>", 1, "not well-formed XML: Maximum entity"),
        ("<a>" * 200, 1, "nested deeper than 64"),
        ("<a>" * 5000 + "</a>" * 5000, 1, "nested deeper than 64"),
        ("<a>" + "<b/>" * 250_000 + "</a>", 1, "more than 250000 elements"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_no_configuration_is_refused(text: str, line: int | None, part: str) -> None:
    refused(text, line, part)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"<cache-config>\n\xff\xfe</cache-config>", 2),
        (b"<?xml version='1.0' encoding='klingon'?><cache-config/>", 1),
        (b"%PDF-1.4\x00\x01", 1),
        (b"\x00" * 100, 1),
        (b"\xff\xfe<", 1),
    ],
    ids=str,
)
def test_what_is_no_text_is_refused(data: bytes, line: int) -> None:
    refused(data, line, "not well-formed XML")


def test_a_doctype_in_another_encoding_is_found() -> None:
    refused("<!DOCTYPE cache-config><cache-config/>".encode("utf-16"), 1, "DOCTYPE")


@given(st.binary(max_size=200) | st.text("<>/&;!ab '=\"[]").map(str.encode))
def test_any_bytes_are_a_config_or_a_configuration_error(data: bytes) -> None:
    with pytest.raises(ConfigurationError):
        cache_config.loads(data)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "node.xml"
    path.write_text(document(""), "utf-8")
    for given_as in (path, str(path)):
        assert cache_config.load(given_as) == cache_config.Loaded(Settings(), str(path))


def test_what_cannot_be_read(tmp_path: Path) -> None:
    big = tmp_path / "big.xml"
    with big.open("wb") as file:
        file.truncate(50_000_000)
    for path, part in (
        (tmp_path / "none.xml", "cannot be read: No such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (big, "is above 10 MB"),
        ("a\0b", "cannot be read: embedded null byte"),
    ):
        with pytest.raises(ConfigurationError, match=part) as caught:
            cache_config.load(path)
        assert caught.value.source == str(path)
        assert caught.value.line is None
