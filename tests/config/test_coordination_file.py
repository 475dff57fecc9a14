"""coordination-client-config.xml: what is read, and what is said of what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_documents import REPOSITORY

from gridsched.config import coordination
from gridsched.config.coordination import Coordination
from gridsched.errors import ConfigurationError

SEED = (
    '<CoordinationClientConfiguration enabled="true"> _ <Servers> _ _ _ '
    '<Server host="localhost" port="2181"/> _ _ <Server host="192.168.0.2" port="2181"/> _ '
    "</Servers> _ <SessionTimeout>5000</SessionTimeout> </CoordinationClientConfiguration>"
)
"""As the seed's text has it; `_` is where its blanks were spoilt."""

BOTH = Coordination(
    source="f.xml",
    enabled=True,
    servers=("localhost:2181", "192.168.0.2:2181"),
    session_timeout_ms=5000,
)


def read(text: str) -> Coordination:
    return coordination.loads(text.encode(), "f.xml")


def enabled(servers: str, after: str = "") -> str:
    return (
        '<CoordinationClientConfiguration enabled="true">\n<Servers>\n'
        f"{servers}\n</Servers>{after}</CoordinationClientConfiguration>"
    )


@pytest.mark.parametrize("blank", ["", "\n", "\u00a0"])
def test_the_seeds_own_with_any_blanks(blank: str) -> None:
    assert read(SEED.replace("_", blank) + blank * 3) == BOTH


@pytest.mark.parametrize("end", ["", "Â", "Â Â\n"])
def test_blanks_that_a_copy_has_spoilt_are_named(end: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^f.xml:1: .*'Â' in line 1 .* web page") as told:
        read(SEED.replace("_", "Â") + end)
    assert told.value.line == 1


def test_a_letter_in_a_comment_is_no_fault() -> None:
    assert read("<!-- Â -->" + SEED.replace("_", "")) == BOTH


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<CoordinationClientConfiguration/>", Coordination(source="f.xml")),
        (enabled("", "").replace('"true"', '"FALSE"'), Coordination(source="f.xml")),
        (
            enabled('<Server host=" ::1 " port=" 5701 "/><Server host="[::1]" port="5701"/>'),
            Coordination(source="f.xml", enabled=True, servers=("[::1]:5701",)),
        ),
        (
            '<CoordinationClientConfiguration xmlns:xsi="urn:x" xsi:noSchema="y"/>',
            Coordination(source="f.xml"),
        ),
    ],
)
def test_what_is_read(text: str, said: Coordination) -> None:
    assert read(text) == said


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "is empty"),
        ("<CoordinationClientConfiguration>", 1, "not well-formed"),
        ("<cache-config/>", 1, "it must be CoordinationClientConfiguration"),
        (
            '<CoordinationClientConfiguration enabled="on"/>',
            1,
            "enabled is 'on'; true or false",
        ),
        (
            '<CoordinationClientConfiguration Enabled="true"/>',
            1,
            "did you mean enabled",
        ),
        ('<CoordinationClientConfiguration enabled="true"/>', 1, "no server is given"),
        (enabled(""), 2, "no server is given: add to Servers <Server host="),
        (enabled('<Server port="1"/>'), 3, "host is ''"),
        (enabled('<Server host="a b" port="1"/>'), 3, "host is 'a b'"),
        (enabled('<Server host="http://a" port="1"/>'), 3, "host is 'http://a'"),
        (enabled('<Server host="a"/>'), 3, "port is ''"),
        (enabled('<Server host="a" port="0"/>'), 3, "a number from 1 to 65535"),
        (enabled('<Server host="a" port="65536"/>'), 3, "a number from 1 to 65535"),
        (enabled('<Server host="a" port="1">x</Server>'), 3, "text 'x' is not for it"),
        (enabled('<Server host="a" port="1" weight="2"/>'), 3, "attribute weight is not known"),
        (enabled('<server host="a" port="1"/>'), 3, "did you mean Server"),
        (
            enabled('<Server host="a" port="1"/>', "<SessionTimeout>0</SessionTimeout>"),
            4,
            "SessionTimeout: is 0; it must be at least 100",
        ),
        (
            enabled('<Server host="a" port="1"/>', "<SessionTimeout>5s</SessionTimeout>"),
            4,
            "'5s' is not a whole number",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(text: str, line: int | None, reason: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        read(text)
    assert reason in told.value.message
    assert (told.value.source, told.value.line) == ("f.xml", line)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        coordination.load(tmp_path / "coordination-client-config.xml")


def test_the_sample_is_off() -> None:
    sample = coordination.load(REPOSITORY / "cache_config" / coordination.FILE_NAME)
    assert not sample.enabled
    assert len(sample.servers) == 3
