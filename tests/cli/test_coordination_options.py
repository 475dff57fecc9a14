"""What the command line, the environment and the files beside a config say, and what comes first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from running import Run

from gridsched.cli import start
from gridsched.errors import ConfigurationError

Runner = Callable[..., Result]

SAMPLE = Path(__file__).parents[1] / "config" / "seed-sample-cache-config.xml"
COUNT = "GRIDSCHED_TASK_SERVER_COUNT"
CONFIG = """<cache-config xmlns:scheduler="urn:gridsched:scheduler">
  <scheduler:service-config><scheduler:schedulerservice>
    <scheduler:taskservercount>2</scheduler:taskservercount>
  </scheduler:schedulerservice></scheduler:service-config>
</cache-config>"""
SERVERS = """<CoordinationClientConfiguration enabled="true">
  <Servers><Server host="a" port="1"/><Server host="b" port="2"/></Servers>
  <SessionTimeout>2000</SessionTimeout>
</CoordinationClientConfiguration>"""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a node would be started with; it is not."""
    told: dict[str, Any] = {}

    def instead(settings: Any, **options: Any) -> None:
        told.update(options, settings=settings)
        raise ConfigurationError("not started")

    monkeypatch.setattr(start.aio, "start", instead)
    return told


@pytest.fixture
def runner(cli: Run, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """`cli`, with the server count in the environment for its first argument."""

    def run(count: str, *arguments: str) -> Result:
        monkeypatch.setenv(COUNT, count)
        return cli(*arguments)

    return run


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "node.xml"
    path.write_text(CONFIG)
    return str(path)


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ([""], 2),
        (["4"], 4),
        (["4", "--server-count", "3"], 3),
        (["4", "-Dtask.server.count=3"], 3),
        (["", "-D", "task.server.count=3"], 3),
        (["", "-Dtask.server.count=3", "--server-count", "3"], 3),
    ],
)
def test_the_server_count(
    started: dict[str, Any], runner: Runner, config: str, given: list[str], count: int
) -> None:
    environment, *arguments = given
    assert runner(environment, "start", config, *arguments).exit_code == 5
    assert started["settings"].server_count == count


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (["", "--server-count", "0"], "0 is not in the range x>=1"),
        (["-1"], f"(env var: '{COUNT}'): -1 is not in the range"),
        (["", "-Dtask.server.count=0"], "task.server.count is 0; it must be a whole number of at"),
        (["", "-Dtask.server.count=many"], "task.server.count is many; it must be a whole number"),
        (["", "-Dtask.server.counts=3"], "task.server.counts is not known; there is task.server."),
        (["", "-Dtask.server.count"], "'task.server.count' is not written name=value"),
        (["", "-Dtask.server.count=2", "--server-count", "3"], "two server counts are given"),
    ],
)
def test_a_server_count_that_cannot_be(
    started: dict[str, Any], runner: Runner, given: list[str], reason: str
) -> None:
    environment, *arguments = given
    result = runner(environment, "start", *arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert not started


def test_the_grid(cli: Run, started: dict[str, Any], config: str) -> None:
    cli("start", config)
    assert (started["grid"], started["listen"]) == ("embedded", "127.0.0.1:5701")
    file = Path(config).with_name("coordination-client-config.xml")
    file.write_text(SERVERS)
    cli("start", config)
    assert (started["grid"], started["listen"]) == (("a:1", "b:2"), None)
    assert started["settings"].session_timeout_ms == 2000
    cli("start", config, "--grid", "embedded", "--listen", "none")
    assert (started["grid"], started["listen"]) == ("embedded", None)
    result = cli("start", "--coordination", str(file), "--grid", "c:3")
    assert result.exit_code == 5
    assert "give one of the two" in result.stderr


class TestValidate:
    def test_a_coordination_file(self, cli: Run, tmp_path: Path) -> None:
        file = tmp_path / "servers.xml"
        file.write_text(SERVERS)
        assert cli("validate", str(file)).stdout.splitlines() == [
            f"{file} is valid",
            "",
            "coordination",
            f"file                {file}",
            "enabled             True",
            "grid                a:1, b:2, tried in turn",
            "session_timeout_ms  2000",
        ]
        assert json.loads(cli("validate", str(file), "--json").stdout) == {
            "valid": True,
            "source": str(file),
            "coordination": {
                "source": str(file),
                "enabled": True,
                "servers": ["a:1", "b:2"],
                "session_timeout_ms": 2000,
            },
        }

    def test_one_that_is_spoilt(self, cli: Run, tmp_path: Path) -> None:
        file = tmp_path / "servers.xml"
        file.write_text(SERVERS + "Â")
        result = cli("validate", str(file), "--json")
        assert result.exit_code == 5
        told = json.loads(result.stdout)
        assert (told["valid"], told["source"], told["line"]) == (False, str(file), 4)
        assert "copied from a web page" in told["error"]

    def test_one_beside_a_config(self, cli: Run, config: str) -> None:
        file = Path(config).with_name("coordination-client-config.xml")
        file.write_text(SERVERS)
        printed = cli("validate", config).stdout.splitlines()
        assert f"file                {file}" in printed
        assert "session_timeout_ms    2000" in printed
        report = json.loads(cli("validate", config, "--json").stdout)
        assert report["coordination"]["servers"] == ["a:1", "b:2"]
        assert report["settings"]["session_timeout_ms"] == 2000
        file.write_text(SERVERS.replace("2000", "0"))
        assert f"{file}:3: SessionTimeout: is 0" in cli("validate", config).stderr

    def test_the_sample_of_the_seed(
        self, cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sample = tmp_path / "sample.xml"
        sample.write_bytes(SAMPLE.read_bytes())
        table = tmp_path / "jobclasses.properties"
        assert f"{sample}:33: " in (error := cli("validate", str(sample)).stderr)
        assert str(table) in error
        table.write_text(
            "org.prabal.test.jobs.DummyJob=shop.tasks:dummy\n"
            "org.prabal.test.jobs.AnotherDummyJob=shop.tasks:another\n"
        )
        assert "GRIDSCHED_ALLOW" in cli("validate", str(sample)).stderr
        monkeypatch.setenv("GRIDSCHED_ALLOW", "bank:* shop.tasks:*")
        printed = cli("validate", str(sample)).stdout
        mapped = printed.partition("mapped to a Python target\n")[2].splitlines()[:3]
        assert [line.split() for line in mapped] == [
            ["LINE", "CLASS", "TARGET"],
            ["33", "org.prabal.test.jobs.AnotherDummyJob", "shop.tasks:another"],
            ["88", "org.prabal.test.jobs.DummyJob", "shop.tasks:dummy"],
        ]
        assert "cache-config/@element:introduce-cache-config" in printed
        report = json.loads(cli("validate", str(sample), "--json").stdout)
        assert report["settings"]["allowed_jobs"] == ["bank:*", "shop.tasks:*"]
        assert report["mapped"][1] == {
            "class": "org.prabal.test.jobs.DummyJob",
            "line": 88,
            "target": "shop.tasks:dummy",
        }
        assert [job["target"] for job in report["jobs"]] == [
            "shop.tasks:another",
            "shop.tasks:dummy",
        ]
        assert {note["name"] for note in report["ignored"]} >= {"defaults", "proxy-scheme"}
