"""Commands that need no cluster, and how any command ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from running import Run

from gridsched.cli import exits, remote
from gridsched.cli.exits import EXIT_CODES, exit_code
from gridsched.errors import (
    ConfigurationError,
    GridMisconfigured,
    GridRefused,
    GridUnavailable,
    InvalidCron,
    JobFailed,
    NotFound,
    SubmissionRejected,
    SubmissionTimeout,
)

REPOSITORY = Path(__file__).parents[2]
DEMO = str(REPOSITORY / "cache_config" / "demo.xml")
SEED = str(REPOSITORY / "tests" / "config" / "seed-cache-config.xml")


class TestNext:
    def test_fires_in_the_zone_and_in_utc(self, cli: Run) -> None:
        result = cli(
            "next", "0 0 9 ? * MON-FRI", "--zone", "Europe/London", "--from", "2026-06-05T09:00"
        )
        assert result.exit_code == 0
        assert result.stdout.splitlines()[:4] == [
            "At 09:00, Monday through Friday",
            "Europe/London              UTC                   CLOCK CHANGE",
            "2026-06-05T09:00:00+01:00  2026-06-05T08:00:00Z",
            "2026-06-08T09:00:00+01:00  2026-06-08T08:00:00Z",
        ]

    def test_clock_changes_are_marked(self, cli: Run) -> None:
        hourly = ("next", "0 30 * * * ?", "--zone", "Europe/London", "--count", "3")
        back = cli(*hourly, "--from", "2026-10-25T00:00").stdout.splitlines()
        assert back[3].endswith("2026-10-25T00:30:00Z  back: first 01:00–02:00")
        assert back[4].endswith("2026-10-25T01:30:00Z  back: second 01:00–02:00")
        daily = ("next", "0 30 1 * * ?", "--zone", "Europe/London", "--count", "1")
        forward = cli(*daily, "--from", "2026-03-29T00:00").stdout.splitlines()
        assert forward[2] == (
            "2026-03-29T02:00:00+01:00  2026-03-29T01:00:00Z  forward: no 01:00–02:00"
        )

    def test_a_policy_for_clock_changes(self, cli: Run) -> None:
        daily = ("next", "0 30 1 * * ?", "--zone", "Europe/London", "--count", "1")
        skipped = cli(*daily, "--from", "2026-03-29T00:00", "--dst", "skip,second").stdout
        assert "2026-03-30T01:30:00+01:00" in skipped
        second = cli(*daily, "--from", "2026-10-25T00:00", "--dst", "skip,second").stdout
        assert second.splitlines()[2].endswith("back: second 01:00–02:00")

    def test_without_a_locale_nothing_is_warned_of(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "gridsched", "next", "0 0 12 * * ?", "--count", "1"],
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "1"},
            timeout=60,
            check=True,
        )
        assert (done.stdout.splitlines()[0], done.stderr) == ("At 12:00", "")

    def test_what_has_no_words_has_no_line_of_them(self, cli: Run) -> None:
        result = cli("next", "@daily", "--dialect", "unix", "--count", "1")
        assert result.stdout.startswith("UTC ")

    def test_unix_dialect_as_json(self, cli: Run) -> None:
        result = cli(
            "next", "@daily", "--dialect", "unix", "--from", "2026-01-01T00:00Z", "--json",
            "--count", "1",
        )  # fmt: skip
        assert json.loads(result.stdout) == [
            {
                "instant": 1767225600000,
                "local": "2026-01-01T00:00:00+00:00",
                "utc": "2026-01-01T00:00:00Z",
                "clock_change": "",
            }
        ]

    def test_the_last_fire_is_said_to_be_it(self, cli: Run) -> None:
        result = cli("next", "0 0 0 1 1 ? 2030", "--from", "2026-01-01T00:00Z")
        assert len(result.stdout.splitlines()) == 3
        assert result.stderr == "no more until the end of 2299\n"

    def test_a_wrong_field_is_named_and_marked(self, cli: Run) -> None:
        result = cli("next", "0 0 25 * * ?")
        assert result.exit_code == 1
        assert result.stderr.splitlines() == [
            "error: cron expression '0 0 25 * * ?', hours: 25 is not 0-23",
            "  0 0 25 * * ?",
            "      ^",
        ]

    def test_an_unknown_zone_is_a_usage_error(self, cli: Run) -> None:
        result = cli("next", "0 0 9 * * ?", "--zone", "Europe/Londn")
        assert result.exit_code == 2
        assert "did you mean Europe/London" in result.stderr

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            (["--from", "2026-01-01T09:00"], "add an offset"),
            (["--from", "tomorrow"], "not a time in ISO 8601"),
            (["--from", "2026-03-29T01:30", "--zone", "Europe/London"], "its clocks skip it"),
        ],
    )
    def test_a_start_that_is_no_instant(self, cli: Run, options: list[str], reason: str) -> None:
        result = cli("next", "0 0 9 * * ?", *options)
        assert result.exit_code == 2
        assert reason in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["start", "--dispatch", "Lottery"], "'Lottery' stands where one of RoundRobin, Random,"),
        (["start", "--attribute", "gpu"], "'gpu' is not written name=value"),
        (
            ["submit", "m:f", "--dispatch", "RuleBased(a,b,()"],
            r"its end stands where ) is expected",
        ),
    ],
)
def test_policies_and_attributes_that_cannot_be(
    cli: Run, arguments: list[str], reason: str
) -> None:
    done = cli(*arguments)
    assert done.exit_code == 2
    assert reason in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


class TestValidate:
    def test_says_what_it_takes(self, cli: Run) -> None:
        result = cli("validate", DEMO)
        assert result.exit_code == 0
        lines = result.stdout.splitlines()
        assert lines[0] == f"{DEMO} is valid"
        assert "allowed_jobs          gridsched.jobs.samples:*" in lines
        assert "dispatcher_policy     RoundRobin" in lines
        assert "5 startup jobs" in lines
        tick = next(line for line in lines if line.startswith("demo/tick"))
        assert "cron 0/2 * * * * ? (UTC)" in tick
        assert tick.count("+00:00") == 3

    def test_says_which_data_services_it_knows(self, cli: Run, tmp_path: Path) -> None:
        config = tmp_path / "shop.xml"
        config.write_text(
            "<cache-config xmlns:scheduler='urn:gridsched:scheduler'><scheduler:services>"
            "<scheduler:service><scheduler:servicename>Stock</scheduler:servicename>"
            "<scheduler:endpoint>https://me:hunter2@shop.example/Stock</scheduler:endpoint>"
            "<scheduler:serviceoperation><scheduler:operationname>one</scheduler:operationname>"
            "<scheduler:parameter>code</scheduler:parameter></scheduler:serviceoperation>"
            "</scheduler:service></scheduler:services></cache-config>"
        )
        printed = cli("validate", str(config)).stdout.splitlines()
        assert printed[printed.index("data services") + 1] == "Stock  one(code)"
        report = cli("validate", str(config), "--json").stdout
        (service,) = json.loads(report)["settings"]["services"]
        assert service["endpoints"] == ["https://***@shop.example/Stock"]
        assert [each["name"] for each in service["operations"]] == ["one"]
        assert "hunter2" not in report

    def test_says_which_calendars_it_stores(self, cli: Run, tmp_path: Path) -> None:
        config = tmp_path / "shop.xml"
        config.write_text(
            "<cache-config xmlns:scheduler='urn:gridsched:scheduler'><scheduler:calendars>"
            "<scheduler:calendar><scheduler:calendarname>new year</scheduler:calendarname>"
            "<scheduler:holidays>2030-01-01,2031-01-01</scheduler:holidays></scheduler:calendar>"
            "</scheduler:calendars></cache-config>"
        )
        printed = cli("validate", str(config)).stdout.splitlines()
        assert printed[printed.index("startup calendars") + 1] == (
            "new year  2 dates, 2030-01-01 to 2031-01-01 (UTC)"
        )
        report = json.loads(cli("validate", str(config), "--json").stdout)
        assert report["calendars"]["new year"]["dates"] == ["2030-01-01", "2031-01-01"]

    def test_says_what_is_published_and_by_which_mail_server(self, cli: Run) -> None:
        result = cli("validate", str(REPOSITORY / "examples" / "stock_alert" / "stock.xml"))
        lines = result.stdout.splitlines()
        assert lines[lines.index("mail server") + 1] == "host      127.0.0.1"
        assert lines[lines.index("events") + 2].startswith(
            "shop/watch stock  low stock  change  /ds:"
        )

    def test_says_what_it_read_by_another_name_and_what_it_ignored(self, cli: Run) -> None:
        report = json.loads(cli("validate", SEED, "--json").stdout)
        printed = cli("validate", SEED).stdout
        assert report["aliases"]
        assert report["ignored"]
        for note in report["aliases"] + report["ignored"]:
            assert f"{note['line']}" in printed
            assert note["name"] in printed

    def test_json_has_settings_jobs_and_fires(self, cli: Run) -> None:
        report = json.loads(cli("validate", DEMO, "--json").stdout)
        assert report["valid"] is True
        assert report["settings"]["name"] == "demo"
        jobs = {job["key"]: job for job in report["jobs"]}
        (tick,) = jobs["demo/tick"]["triggers"]
        assert tick["key"] == "demo/tick:DEFAULT/even seconds"
        assert len(tick["next_fires"]) == 3
        assert jobs["demo/warm up"]["triggers"][0]["when_submitted"] is True

    def test_a_missing_file(self, cli: Run) -> None:
        result = cli("validate", "nowhere.xml")
        assert (result.exit_code, result.stdout) == (5, "")
        assert result.stderr == "error: nowhere.xml: cannot be read: No such file or directory\n"

    def test_bad_xml_is_named_by_file_and_line(self, cli: Run, tmp_path: Path) -> None:
        config = tmp_path / "bad.xml"
        config.write_text("<cache-config>\n  <caching-schemes>\n</cache-config>")
        result = cli("validate", str(config))
        assert result.exit_code == 5
        assert result.stderr.startswith(f"error: {config}:3: is not well-formed XML")
        error = json.loads(cli("validate", str(config), "--json").stdout)
        assert (error["valid"], error["line"]) == (False, 3)


class TestEnds:
    def test_help_names_every_command_and_exit_code(self, cli: Run) -> None:
        result = cli("--help")
        assert result.exit_code == 0
        words = (
            "start validate cluster members jobs triggers firings results "
            "submit pause resume groups delete fire next"
        )
        for command in words.split():
            assert f"\n  {command} " in result.stdout
        for code, meaning in EXIT_CODES.items():
            assert f"{code:>3}  {meaning}" in result.stdout

    @pytest.mark.parametrize(
        "arguments",
        [
            ["strat"],
            ["jobs", "--grid", "localhost"],
            ["submit"],
            ["submit", "a:b", "--http", "http://shop.example/"],
            ["submit", "a:b", "--body", "x"],
            ["submit", "--http", "http://shop.example/", "--header", "x"],
            ["submit", "--http", "http://shop.example/", "--expect", "ok"],
            ["submit", "--service", "Stock"],
            ["submit", "--service", "S", "--operation", "o", "--http", "http://shop.example/"],
            ["submit", "a:b", "--every", "2"],
            ["submit", "a:b", "--every", "0S"],
            ["submit", "a:b", "--data", "limit"],
            ["firings", "--state", "DONE"],
            ["start", "--for", "soon"],
        ],
    )
    def test_a_wrong_command_line(self, cli: Run, arguments: list[str]) -> None:
        result = cli(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["strat"], "No such command 'strat'. Did you mean start?"),
            (["zzz"], "No such command 'zzz'.\n"),
            (["start", "--grid", "embeded"], "or embedded, for a grid in this process"),
            (["next", "0 0 12 * * ?", "--from", "9999-12-31"], "in the years 1970 to 2299"),
            (["submit", "a:b", "--at", "9999-12-31T23:59-05:00"], "in the years 1970 to 2299"),
            (["firings", "--from", "0001-01-01"], "in the years 1970 to 2299"),
        ],
    )
    def test_a_wrong_command_line_is_told_what_is_right(
        self, cli: Run, arguments: list[str], said: str
    ) -> None:
        result = cli(*arguments)
        assert result.exit_code == 2
        assert said in result.stderr

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (SubmissionRejected("no"), 1),
            (SubmissionTimeout("late"), 1),
            (JobFailed("failed", state="FAILED"), 1),
            (InvalidCron("x", "wrong"), 1),
            (GridUnavailable("gone"), 3),
            (GridRefused("no"), 3),
            (NotFound("none"), 4),
            (GridMisconfigured("no queue"), 5),
            (ConfigurationError("wrong"), 5),
        ],
    )
    def test_every_error_has_its_code(self, error: Exception, code: int) -> None:
        assert exit_code(error) == code

    def test_no_grid(self, cli: Run) -> None:
        result = cli("members", "--grid", "127.0.0.1:1")
        assert result.exit_code == 3
        assert result.stderr.startswith("error: no grid answers at 127.0.0.1:1")
        assert "gridsched start" in result.stderr

    @pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
    def test_a_standard_stream_may_be_closed(self, closed: str) -> None:
        command = f"exec {sys.executable} -m gridsched members --grid 127.0.0.1:1 {closed}"
        assert subprocess.run(["/bin/sh", "-c", command], timeout=60, check=False).returncode == 3

    def test_what_a_terminal_has_no_character_for_is_shown_all_the_same(self) -> None:
        back = ["0 30 1 ? * SUN", "--zone", "Europe/London", "--from", "2026-10-25", "--count", "1"]
        done = subprocess.run(
            [sys.executable, "-m", "gridsched", "next", *back],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": "latin-1"},
            timeout=60,
            check=True,
        )
        assert done.stdout.rstrip().endswith(rb"back: first 01:00\u201302:00")

    def test_what_nobody_expected_is_no_trace_either(
        self, cli: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise KeyError("what")

        monkeypatch.setattr(remote, "connect", fail)
        result = cli("members")
        assert (result.exit_code, result.stderr) == (1, "error: KeyError: 'what'\n")
        with pytest.raises(KeyError):
            cli("--debug", "members")

    def test_an_interrupt(self, cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(remote, "connect", interrupt)
        assert cli("members").exit_code == 130

    def test_an_error_without_a_text_has_its_name(self) -> None:
        assert exits.describe(ValueError()) == "ValueError"

    def test_an_error_is_one_line_that_no_terminal_obeys(self) -> None:
        error = JobFailed("it failed: \x1b[31m\nin red", state="FAILED")
        assert exits.describe(error) == r"it failed: \x1b[31m\nin red"

    def test_as_a_module(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "gridsched", "--version"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith("gridsched, version ")
