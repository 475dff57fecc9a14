"""The sample files, and a file in the seed's spelling."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
from config_documents import REPOSITORY

from gridsched.config import cache_config
from gridsched.config.schema import Leaf
from gridsched.config.service_elements import SERVICE
from gridsched.config.settings import Settings
from gridsched.model.calendar import Calendar
from gridsched.model.trigger import WHEN_SUBMITTED, Cron, Schedule, Simple

SAMPLES = [REPOSITORY / "cache_config" / f"{name}.xml" for name in ("demo", "node", "cluster")]
TEMPLATE = (REPOSITORY / "cache_config" / "node.xml").read_text("utf-8")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_loads_with_nothing_to_note(path: Path) -> None:
    loaded = cache_config.load(path)
    assert (loaded.source, loaded.ignored, loaded.aliases) == (str(path), (), ())


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_targets_of_a_sample_exist(path: Path) -> None:
    for startup in cache_config.load(path).settings.jobs:
        module, _, function = startup.job.target.partition(":")
        assert callable(getattr(import_module(module), function))


def test_the_template_is_the_defaults() -> None:
    assert cache_config.loads(TEMPLATE.encode()).settings == Settings()


def test_the_template_has_every_element_of_the_service_at_its_default() -> None:
    for part in SERVICE.parts:
        if isinstance(part, Leaf) and not part.many:
            assert f"<{part.name}>{part.default}</{part.name}>" in TEMPLATE


def test_what_the_template_has_in_comments_loads_too() -> None:
    opened = TEMPLATE.replace("    <!--\n", "").replace("    -->\n", "")
    pattern = "<scheduler:allowedjobs>shop.tasks:*</scheduler:allowedjobs>"
    opened = opened.replace(f"<!-- {pattern} -->", pattern)
    settings = cache_config.loads(opened.encode()).settings
    assert settings.allowed_jobs == ("shop.tasks:*",)
    (startup,) = settings.jobs
    assert startup.job.data == {"limit": 20, "code": "0020"}
    assert {type(trigger.schedule) for trigger in startup.triggers} == set(get_args(Schedule))
    calendars = {type(startup.calendar) for startup in settings.calendars}
    assert calendars == set(get_args(Calendar))


def test_the_demo_shows_each_kind_of_schedule() -> None:
    settings = cache_config.load(SAMPLES[0]).settings
    kinds = {type(trigger.schedule) for job in settings.jobs for trigger in job.triggers}
    assert len(kinds) == 3


def test_a_file_of_the_seed_loads() -> None:
    loaded = cache_config.load(Path(__file__).parent / "seed-cache-config.xml")
    settings = loaded.settings
    assert (settings.name, settings.max_threads) == ("DistributedScheduler", 5)
    assert (settings.poll_interval_ms, settings.look_ahead_ms) == (30_000, 60_000)
    assert settings.single_server_mode
    first, second = settings.jobs
    assert first.job.key == "DEFAULT/Job-1"
    assert first.job.description == "Simple Job Detail"
    assert first.job.data == {"JobTestKey": "JobValue1", "JobTestKey -2": "JobValue2"}
    assert first.job.durable
    assert first.job.requests_recovery
    assert [(trigger.name, trigger.schedule) for trigger in first.triggers] == [
        ("{Job-1 - Trigger 1}", Simple(WHEN_SUBMITTED, 40_000, 3)),
        ("{Job-1 - Trigger 2}", Cron("0 0/2 2 * * ?")),
    ]
    assert first.triggers[0].data == {"TestKey": "Trigger-1-value 1"}
    assert second.job.name == "TestJob- TWO"
    assert second.triggers[0].schedule == Simple(1_896_076_800_000, 60_000)
    assert [note.name for note in loaded.aliases] == [
        "scheduler:maxthreacount",
        "scheduler:tiggerdatamap",
    ]
    assert [note.name for note in loaded.ignored] == [
        "cache-config/@element:introduce-cache-config",
        "scheduler:minthreadcount",
        "scheduler:keepAliveTime",
        "scheduler:triggertype",
        "defaults",
        "interceptors",
        "cache-mapping TestCache",
        "service-name",
        "backing-map-scheme",
        "autostart",
        "proxy-scheme",
    ]
