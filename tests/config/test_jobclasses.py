"""Class names of somebody's file, mapped to Python targets by a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_documents import DURABLE, NAMED, of_jobs
from msgspec.structs import replace

from gridsched.config import cache_config, jobclasses
from gridsched.config.schema import Note
from gridsched.errors import ConfigurationError

SAMPLE = Path(__file__).parent / "seed-sample-cache-config.xml"
"""samples/CoherenceSchedulerTest/src/custom-cache-config.xml of CoherenceScheduler, unchanged."""

TABLE = b"""\xef\xbb\xbf# What the sample's classes are here
! (a comment too)

org.prabal.test.jobs.DummyJob = shop.tasks:dummy
  org.prabal.test.jobs.AnotherDummyJob=shop.tasks:Other.run
"""


def allowing(pattern: str) -> cache_config.Amend:
    return lambda settings: replace(settings, allowed_jobs=(pattern,))


def job(written: str) -> bytes:
    jobclass = f"<scheduler:jobclass>{written}</scheduler:jobclass>"
    return of_jobs(f"<scheduler:job>{NAMED}{jobclass}{DURABLE}</scheduler:job>").encode()


def test_the_sample_of_the_seed_loads_unchanged() -> None:
    table = jobclasses.loads(TABLE, "t")
    loaded = cache_config.load(SAMPLE, table, allowing("shop.tasks:*"))
    first, second = loaded.settings.jobs
    assert (first.job.key, first.job.target) == ("DEFAULT/Job-1", "shop.tasks:Other.run")
    assert (second.job.key, second.job.target) == ("DEFAULT/TestJob- TWO", "shop.tasks:dummy")
    assert [len(startup.triggers) for startup in loaded.settings.jobs] == [2, 1]
    assert loaded.settings.allowed_jobs == ("shop.tasks:*",)
    assert loaded.mapped == (
        Note("org.prabal.test.jobs.AnotherDummyJob", 33, "shop.tasks:Other.run"),
        Note("org.prabal.test.jobs.DummyJob", 88, "shop.tasks:dummy"),
    )
    assert [note.name for note in loaded.ignored] == [
        "cache-config/@element:introduce-cache-config",
        "scheduler:triggertype",
        "defaults",
        "cache-mapping TestCache",
        "service-name",
        "backing-map-scheme",
        "autostart",
        "proxy-scheme",
    ]


def test_a_class_without_a_target_is_named_with_its_line_and_the_table() -> None:
    with pytest.raises(ConfigurationError) as told:
        cache_config.load(SAMPLE, jobclasses.JobClasses("conf/jobclasses.properties"))
    assert told.value.line == 33
    assert told.value.message.endswith(
        "add the line org.prabal.test.jobs.AnotherDummyJob = package.module:function "
        "to conf/jobclasses.properties"
    )


def test_the_table_allows_nothing() -> None:
    with pytest.raises(
        ConfigurationError, match=r"matches no scheduler:allowedjobs.*--allow 'shop"
    ):
        cache_config.load(SAMPLE, jobclasses.loads(TABLE, "t"))


def test_a_target_needs_no_table() -> None:
    table = jobclasses.loads(b"shop.tasks = a:b", "t")
    loaded = cache_config.loads(job("shop.tasks:restock"), "f", table, allowing("*"))
    assert loaded.settings.jobs[0].job.target == "shop.tasks:restock"
    assert loaded.mapped == ()


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (b"\n\nnonsense", 3, "'nonsense' is not written class = package.module:function"),
        (b"= a:b", 1, "is not written class ="),
        (b"org.x.A = org.x.B", 1, "'org.x.B' is not written package.module:function"),
        (b"org.x.A =", 1, "'' is not written package.module:function"),
        (b"A = a:b\nA = a:c", 2, "A stands twice, for different targets"),
        (b"#\nA = a:\xe9", 2, "is not text in UTF-8"),
    ],
)
def test_a_line_that_cannot_be_is_named(text: bytes, line: int, reason: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        jobclasses.loads(text, "t")
    assert (told.value.source, told.value.line) == ("t", line)
    assert reason in told.value.message


def test_the_same_line_twice_is_no_fault() -> None:
    assert jobclasses.loads(b"A = a:b\nA=a:b", "t").targets == {"A": "a:b"}
