from __future__ import annotations

import pytest
from config_documents import document, loaded, refused, settings

from gridsched.config.cache_elements import DEFAULT_NAMES, RETENTIONS
from gridsched.model.caches import CacheNames, CacheSettings

SCHEME = "<distributed-scheme><scheme-name>{}</scheme-name>{}</distributed-scheme>\n"


def caches(mappings: str, schemes: str = "") -> str:
    """Mappings begin in line 3; so do schemes, counted from the last mapping's line."""
    return document(
        f"<caching-scheme-mapping>\n{mappings}\n</caching-scheme-mapping>"
        f"<caching-schemes>\n{schemes}</caching-schemes>"
    )


def mapping(role: str, name: str, scheme: str = "") -> str:
    attribute = f" scheduler:cache='{role}'" if role else ""
    named = f"<scheme-name>{scheme}</scheme-name>" if scheme else ""
    return f"<cache-mapping{attribute}><cache-name>{name}</cache-name>{named}</cache-mapping>"


def test_the_roles_are_our_maps_and_the_queues() -> None:
    maps = {name for name in CacheNames.__struct_fields__ if name != "execution_prefix"}
    assert set(DEFAULT_NAMES) == {*maps, "execution"}
    assert set(RETENTIONS.values()) == {
        name for name in CacheSettings.__struct_fields__ if name.endswith("_retention_ms")
    }


@pytest.mark.parametrize("role", [role for role in DEFAULT_NAMES if role != "execution"])
def test_each_map_is_named_by_its_role(role: str) -> None:
    names = settings(caches(mapping(role, "The Shop's"))).caches.names
    assert names == CacheNames(**{role: "The Shop's"})


def test_the_queues_are_named_with_a_wildcard() -> None:
    names = settings(caches(mapping("execution", "Shop-*"))).caches.names
    assert names == CacheNames(execution_prefix="Shop-")


@pytest.mark.parametrize(("role", "setting"), RETENTIONS.items())
def test_retention_is_the_scheme_s_expiry_delay(role: str, setting: str) -> None:
    for named in (mapping(role, "A", "kept"), mapping("", DEFAULT_NAMES[role], "kept")):
        for text, milliseconds in (("90", 90_000), ("2h", 7_200_000), ("500ms", 500)):
            scheme = SCHEME.format("kept", f"<expiry-delay>{text}</expiry-delay>")
            assert getattr(settings(caches(named, scheme)).caches, setting) == milliseconds


def test_the_latest_firings_are_kept_by_number() -> None:
    scheme = SCHEME.format("kept", "<high-units>100</high-units>")
    assert settings(caches(mapping("firings", "F", "kept"), scheme)).caches.firings_kept == 100


def test_backups() -> None:
    schemes = SCHEME.format("a", "<backup-count>2</backup-count>") + SCHEME.format("b", "")
    both = mapping("jobs", "J", "a") + mapping("triggers", "T", "b")
    assert settings(caches(both, schemes)).caches.backup_count == 2
    assert settings(caches(mapping("triggers", "T", "b"), schemes)).caches.backup_count == 1


def test_other_caches_of_the_file_are_not_ours() -> None:
    written = loaded(
        caches(
            mapping("", "org.example.OrderCache", "orders"),
            SCHEME.format("orders", "<service-name>s</service-name><backup-count>3</backup-count>"),
        )
    )
    assert written.settings.caches == CacheSettings()
    assert [(note.name, note.line) for note in written.ignored] == [
        ("cache-mapping org.example.OrderCache", 3),
        ("service-name", 5),
    ]


@pytest.mark.parametrize(
    ("mappings", "schemes", "line", "parts"),
    [
        (mapping("trigers", "T"), "", 3, ["scheduler:cache 'trigers' is not known; one of subm"]),
        (
            mapping("jobs", "J").replace("scheduler:cache", "scheduler:role"),
            "",
            3,
            ["attribute scheduler:role is not known on cache-mapping"],
        ),
        (mapping("jobs", " "), "", 3, ["cache-mapping has no cache-name"]),
        (mapping("jobs", "J*"), "", 3, ["execution queues' name ends with *, and no other"]),
        (mapping("execution", "E"), "", 3, ["execution queues' name ends with *"]),
        (
            mapping("jobs", "A") + "\n" + mapping("jobs", "B"),
            "",
            4,
            ["scheduler:cache 'jobs' stands twice; first in line 3"],
        ),
        (
            mapping("jobs", "A") + "\n" + mapping("triggers", "A"),
            "",
            4,
            ["cache-name 'A' stands twice; first in line 3"],
        ),
        (
            mapping("jobs", "A", "gone"),
            SCHEME.format("kept", ""),
            3,
            ["scheme-name 'gone' names no distributed-scheme of this file; there: kept"],
        ),
        (
            mapping("jobs", "A", "kept"),
            SCHEME.format("kept", "<expiry-delay>1H</expiry-delay>"),
            3,
            ["jobs never expire, and scheme 'kept' has an expiry-delay (line 5); only submissions"],
        ),
        (
            mapping("results", "R", "kept"),
            SCHEME.format("kept", "<high-units>9</high-units>"),
            3,
            ["scheme 'kept' has high-units (line 5), and results are not counted; only firings"],
        ),
        ("", SCHEME.format("a", "<high-units>0</high-units>"), 5, ["at least 1"]),
        (
            mapping("jobs", "J", "a") + mapping("triggers", "T", "b"),
            SCHEME.format("a", "<backup-count>2</backup-count>")
            + SCHEME.format("b", "<backup-count>1</backup-count>"),
            6,
            ["backup-count is 1 and in line 5 it is 2; all our caches have the same"],
        ),
        ("", SCHEME.format("a", "") * 2, 6, ["scheme 'a' stands twice; first in line 5"]),
        ("", SCHEME.format("a", "<backup-count>-1</backup-count>"), 5, ["at least 0"]),
        ("", SCHEME.format("a", "<expiry-delay>0</expiry-delay>"), 5, ["for ever in Coherence"]),
        ("", SCHEME.format("a", "<expiry-delay>1w</expiry-delay>"), 5, ["not a duration"]),
        ("", SCHEME.format("", ""), 5, ["distributed-scheme has no scheme-name"]),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    mappings: str, schemes: str, line: int, parts: list[str]
) -> None:
    refused(caches(mappings, schemes), line, *parts)
