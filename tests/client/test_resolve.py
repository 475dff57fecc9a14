"""What comes over what: keyword, coordination file, config; and files found beside the config."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gridsched.client.resolve import Resolved, resolve
from gridsched.config.settings import Settings
from gridsched.errors import ConfigurationError

CONFIG = """<cache-config xmlns:scheduler="urn:gridsched:scheduler">
  <scheduler:service-config><scheduler:schedulerservice>
    <scheduler:sessiontimeoutinmillis>1000</scheduler:sessiontimeoutinmillis>
    <scheduler:taskservercount>2</scheduler:taskservercount>
  </scheduler:schedulerservice></scheduler:service-config>
  <scheduler:jobs><scheduler:job>
    <scheduler:jobname>a</scheduler:jobname>
    <scheduler:jobclass>org.x.A</scheduler:jobclass>
    <scheduler:durable>true</scheduler:durable>
  </scheduler:job></scheduler:jobs>
</cache-config>"""
SERVERS = """<CoordinationClientConfiguration enabled="{enabled}">
  <Servers><Server host="a" port="1"/><Server host="b" port="2"/></Servers>
  <SessionTimeout>2000</SessionTimeout>
</CoordinationClientConfiguration>"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config with a table of job classes beside it."""
    (tmp_path / "jobclasses.properties").write_text("org.x.A = shop.tasks:a")
    path = tmp_path / "node.xml"
    path.write_text(CONFIG)
    return path


def servers(
    folder: Path, enabled: str = "true", name: str = "coordination-client-config.xml"
) -> Path:
    path = folder / name
    path.write_text(SERVERS.format(enabled=enabled))
    return path


def resolved(config: Path | Settings | None, **given: object) -> Resolved:
    return resolve(config, {}, allow=["shop.tasks:*"], **given)  # type: ignore[arg-type]


def test_alone_it_is_embedded(config: Path) -> None:
    found = resolved(config)
    assert (found.grid, found.coordination) == ("embedded", None)
    assert (found.settings.session_timeout_ms, found.settings.server_count) == (1000, 2)
    assert found.settings.jobs[0].job.target == "shop.tasks:a"
    assert found.settings.allowed_jobs == ("shop.tasks:*",)


def test_a_coordination_file_beside_it_names_the_grid(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = servers(config.parent)
    found = resolved(config)
    assert found.grid == ("a:1", "b:2")
    assert (found.settings.session_timeout_ms, found.settings.server_count) == (2000, 2)
    assert f"coordination by {path}: the grid is at a:1, b:2" in caplog.text


def test_one_that_is_off_changes_nothing(config: Path) -> None:
    servers(config.parent, "false")
    found = resolved(config)
    assert (found.grid, found.settings.session_timeout_ms) == ("embedded", 1000)


def test_one_that_is_named_needs_no_config(tmp_path: Path) -> None:
    path = servers(tmp_path, name="other.xml")
    assert resolved(None, coordination=path).grid == ("a:1", "b:2")
    given = resolved(Settings(server_count=3), coordination=path)
    assert given.settings == Settings(
        server_count=3, session_timeout_ms=2000, allowed_jobs=("shop.tasks:*",)
    )


def test_a_grid_that_is_named_sets_the_one_beside_it_aside(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = servers(config.parent)
    found = resolved(config, grid="embedded")
    assert (found.grid, found.settings.session_timeout_ms) == ("embedded", 1000)
    assert f"{path} is set aside: another grid is named" in caplog.text


def test_two_grids_that_are_named_are_one_too_many(tmp_path: Path) -> None:
    path = servers(tmp_path)
    with pytest.raises(ConfigurationError, match="give one of the two"):
        resolved(None, grid="c:3", coordination=path)
    servers(tmp_path, "false")
    assert resolved(None, grid="c:3", coordination=path).grid == "c:3"


def test_one_that_is_named_and_off_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = servers(tmp_path, "false")
    assert resolved(None, coordination=path).grid == "embedded"
    assert f"coordination is off by {path}" in caplog.text


def test_what_is_said_by_keyword_comes_over_all_files(config: Path) -> None:
    servers(config.parent)
    changes = {"session_timeout_ms": 3000, "server_count": 5, "allowed_jobs": ["shop.tasks:a"]}
    settings = resolve(config, changes).settings
    assert (settings.session_timeout_ms, settings.server_count) == (3000, 5)
    assert settings.allowed_jobs == ("shop.tasks:a",)


def test_what_startup_jobs_may_run_is_what_holds_in_the_end(config: Path) -> None:
    with pytest.raises(ConfigurationError, match="matches no scheduler:allowedjobs"):
        resolve(config, {"allowed_jobs": "bank:*"})


def test_hosts_by_keyword_let_startup_jobs_ask_them(config: Path) -> None:
    task = (
        "<scheduler:httptask><scheduler:url>http://10.1.2.3/</scheduler:url></scheduler:httptask>"
    )
    jobclass = "<scheduler:jobclass>org.x.A</scheduler:jobclass>"
    config.write_text(CONFIG.replace(jobclass, task))
    with pytest.raises(ConfigurationError, match=r"10\.1\.2\.3"):
        resolve(config, {})
    assert resolve(config, {"allowed_hosts": "10.0.0.0/8"}).settings.jobs[0].job.task is not None


def test_a_table_that_is_named_is_taken_in_the_place_of_the_one_beside_it(config: Path) -> None:
    (config.parent / "other").write_text("org.x.A = shop.tasks:b")
    found = resolved(config, jobclasses=config.parent / "other")
    assert found.settings.jobs[0].job.target == "shop.tasks:b"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        resolved(config, jobclasses=config.parent / "none")
    with pytest.raises(ConfigurationError, match="for a config file"):
        resolved(None, jobclasses=config.parent / "other")


def test_a_class_without_a_table_says_where_one_is_looked_for(config: Path) -> None:
    table = config.parent / "jobclasses.properties"
    table.unlink()
    with pytest.raises(ConfigurationError, match=f"to {table}$") as told:
        resolved(config)
    assert told.value.line == 8
