"""Commands on a running cluster: one embedded node in this process."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from running import Run, until

import gridsched
from gridsched import DstPolicy, HttpTask, Job, cron
from gridsched.calendars import WeeklyCalendar
from gridsched.cli import cluster, words
from gridsched.client.blocking import Handle
from gridsched.model.member import Member

ADD = "gridsched.jobs.samples:add"
HELLO = "gridsched.jobs.samples:hello"
FLAKY = "gridsched.jobs.samples:flaky"
YEARLY = "0 0 0 1 1 ?"


@pytest.fixture
def group() -> str:
    """A job group that no other test has."""
    return f"group-{secrets.token_hex(4)}"


@pytest.fixture
def trigger(node: gridsched.LocalNode, group: str) -> str:
    """The key of a trigger that fires on New Year's Day in London."""
    job = Job(HELLO, name="greet", group=group, data={"name": "[bold]you[/bold]\x1b[2J"})
    return node.scheduler.schedule(job, cron(YEARLY, zone="Europe/London")).key


class TestSubmit:
    def test_without_a_schedule_prints_the_firing(
        self, cli: Run, node: gridsched.LocalNode
    ) -> None:
        result = cli("submit", HELLO)
        assert result.exit_code == 0
        assert node.scheduler.handle(result.stdout.strip()).result(30) == "hello, world"

    def test_waits_for_the_result(self, cli: Run, node: gridsched.LocalNode) -> None:
        result = cli("submit", ADD, "--data", "a=1", "--data", "b=2.5", "--wait", "30")
        assert (result.exit_code, result.stdout) == (0, "3.5\n")

    def test_a_request_and_how_it_is_listed(
        self, cli: Run, node: gridsched.LocalNode, group: str
    ) -> None:
        url = "https://me:hunter2@shop.example/stock"
        request = ["--http", url, "--method", "post", "--header", "Cookie=hunter2", "--body", "{}"]
        at = ["--expect", "200", "--cron", YEARLY, "--group", group, "--name", "ask"]
        assert cli("submit", *request, *at).exit_code == 0
        headers = {"Cookie": "hunter2"}
        job = node.scheduler.job(f"{group}/ask")
        assert job.task == HttpTask(url, "POST", headers, "{}", (200,))
        listed = cli("jobs", "--group", group).stdout
        assert "POST https://***@shop.example/stock" in listed
        for show in (["--group", group], [f"{group}/ask"], [f"{group}/ask", "--json"]):
            assert "hunter2" not in cli("jobs", *show).stdout

    def test_an_operation_that_is_not_there_is_refused(
        self, cli: Run, node: gridsched.LocalNode
    ) -> None:
        result = cli("submit", "--service", "Stock", "--operation", "all")
        assert result.exit_code == 1
        assert "there is no data service 'Stock' in this node's catalogue" in result.stderr

    def test_data_is_json_or_text(self, cli: Run, node: gridsched.LocalNode) -> None:
        result = cli("submit", HELLO, "--data", "name={x=1", "--wait", "30")
        assert json.loads(result.stdout) == "hello, {x=1"

    @pytest.mark.parametrize(
        ("options", "schedule"),
        [
            (
                ["--cron", YEARLY, "--zone", "Europe/London"],
                f"cron {YEARLY} (Europe/London)",
            ),
            (
                ["--cron", YEARLY, "--zone", "Europe/London", "--dst", "skip,second"],
                f"cron {YEARLY} (Europe/London; skip,second)",
            ),
            (["--every", "1H"], "every 1 h"),
            (["--at", "2100-06-01T12:00+02:00"], "once 2100-06-01T10:00:00+00:00"),
            (
                ["--at", "2100-06-01T12:00", "--zone", "Europe/London"],
                "once 2100-06-01T11:00:00+00:00",
            ),
        ],
    )
    def test_a_schedule(
        self, cli: Run, node: gridsched.LocalNode, group: str, options: list[str], schedule: str
    ) -> None:
        key = cli("submit", HELLO, "--group", group, *options).stdout.strip()
        assert key == f"{group}/hello:DEFAULT/hello"
        shown = dict(line.split(maxsplit=1) for line in cli("triggers", key).stdout.splitlines())
        assert shown["schedule"] == schedule

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            (["--at", "2100-06-01T12:00"], "add an offset"),
            (["--every", "1H", "--cron", YEARLY], "exclude each other"),
            (["--every", "1H", "--wait", "1"], "--wait is for a job that runs now"),
            (["--every", "1H", "--zone", "UTC"], "--zone is for --cron or --at"),
            (["--every", "1H", "--dst", "skip,second"], "--dst is for --cron"),
            (["--cron", YEARLY, "--dst", "second"], "such as skip,second"),
            (["--calendar", "x"], "--calendar is for --cron, --every or --at"),
        ],
    )
    def test_options_that_contradict_each_other(
        self, cli: Run, node: gridsched.LocalNode, options: list[str], reason: str
    ) -> None:
        result = cli("submit", HELLO, *options)
        assert result.exit_code == 2
        assert reason in result.stderr

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["os:system"], "not on this node's allow-list"),
            (["hello"], "not written package.module:function"),
            ([HELLO, "--cron", "0 0 25 * * ?"], "hours: 25 is not 0-23"),
            ([HELLO, "--cron", YEARLY, "--calendar", "none"], "there is no calendar 'none'"),
            ([FLAKY, "--wait", "30"], "attempt 1 fails on purpose"),
            (["gridsched.jobs.samples:wait", "--data", "seconds=3", "--wait", "0.05"], "not ended"),
        ],
    )
    def test_what_is_refused_or_fails(
        self, cli: Run, node: gridsched.LocalNode, arguments: list[str], reason: str
    ) -> None:
        result = cli("submit", *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("error: ")
        assert reason in result.stderr


class TestChanges:
    def test_pause_resume_delete(self, cli: Run, trigger: str) -> None:
        for command, said, state in (
            ("pause", "paused", "PAUSED"),
            ("resume", "resumed", "NORMAL"),
        ):
            assert cli(command, trigger).stdout == f"{said} {trigger}\n"
            assert json.loads(cli("triggers", trigger, "--json").stdout)["state"] == state
        assert cli("delete", trigger).stdout == f"deleted {trigger}\n"
        assert cli("triggers", trigger).exit_code == 4

    def test_pause_and_resume_by_group(self, cli: Run, trigger: str, group: str) -> None:
        def state() -> str:
            return str(json.loads(cli("triggers", trigger, "--json").stdout)["state"])

        pattern = group[:-1] + "*"
        assert cli("pause", "--job-group", pattern).stdout == f"paused {pattern}\n"
        listed = json.loads(cli("groups", "--json").stdout)
        assert {"pattern": pattern, "of": "jobs"}.items() <= listed[-1].items()
        assert state() == "PAUSED"
        cli("resume", "--job-group", pattern)
        assert state() == "NORMAL"
        assert cli("pause", "--all").stdout == "paused everything\n"
        assert state() == "PAUSED"
        cli("resume", "--all")
        assert (state(), cli("groups").exit_code) == ("NORMAL", 0)

    def test_backfill_of_years(self, cli: Run, node: gridsched.LocalNode, group: str) -> None:
        job = Job(HELLO, name="greet", group=group)
        key = node.scheduler.schedule(job, cron(YEARLY, zone="Europe/London")).key
        bounds = ["--from", "2020-06-01", "--to", "2023-06-01", "--zone", "UTC"]
        result = cli("backfill", key, *bounds, "--overlap", "allow_all")
        assert result.exit_code == 0, result.stderr
        backfill = result.stdout.strip()
        assert node.scheduler.trigger(backfill).group == "BACKFILL"
        refused = cli("backfill", key, "--from", "2020-06-01Z", "--to", "2020-06-02Z")
        assert refused.exit_code != 0
        future = cli("backfill", key, "--from", "2020-06-01T00:00Z", "--to", "2299-06-01T00:00Z")
        assert (future.exit_code, future.stdout) == (1, "")
        assert "must be of the past" in future.stderr

    def test_submit_with_what_a_run_is_told(
        self, cli: Run, node: gridsched.LocalNode, group: str
    ) -> None:
        options = "--cron", YEARLY, "--jitter", "30s", "--catch-up", "1h", "--overlap", "skip"
        result = cli("submit", HELLO, "--group", group, *options, "--persist-data")
        trigger = node.scheduler.trigger(result.stdout.strip())
        assert (trigger.jitter, trigger.catch_up) == (30.0, 3600.0)
        job = node.scheduler.job(trigger.job)
        assert (job.overlap, job.persist_data) == ("skip", True)
        listed = cli("jobs", "--group", group).stdout
        assert "overlap skip, persists data" in " ".join(listed.split())
        alone = cli("submit", HELLO, "--jitter", "3s")
        assert (alone.exit_code, alone.stdout) == (2, "")
        assert "--jitter is for --cron, --every or --at" in alone.stderr

    def test_one_thing_is_paused(self, cli: Run, trigger: str) -> None:
        for arguments in ([], [trigger, "--all"], ["--group", "a", "--job-group", "b"]):
            result = cli("pause", *arguments)
            assert (result.exit_code, result.stdout) == (2, "")
            assert "one of KEY, --group, --job-group and --all" in result.stderr

    def test_cancel(self, cli: Run, trigger: str) -> None:
        due = json.loads(cli("triggers", trigger, "--json").stdout)["next_fire"]
        firing = f"{trigger}@{due}"
        assert cli("cancel", firing).stdout == f"cancelled {firing}\n"
        assert json.loads(cli("firings", firing, "--json").stdout)["state"] == "CANCELLED"
        for command in ("cancel", "discard"):
            for wrong in (trigger, f"{trigger}@1"):
                refused = cli(command, wrong)
                assert refused.exit_code != 0
                assert refused.stderr.startswith("error: there is no firing ")

    def test_discard(self, cli: Run, trigger: str) -> None:
        job = trigger.partition(":")[0]
        firing = cli("fire", job, "--data", "name=me").stdout.strip()
        assert cli("discard", firing).stdout == f"discarded {firing}\n"
        assert cli("results", firing).exit_code == 4

    def test_fire_with_data(self, cli: Run, trigger: str) -> None:
        job = trigger.partition(":")[0]
        assert cli("fire", job, "--data", "name=me", "--wait", "30").stdout == '"hello, me"\n'
        assert "@" in cli("fire", trigger).stdout

    @pytest.mark.parametrize(
        "command",
        ["pause", "resume", "delete", "fire", "jobs", "triggers", "firings", "results", "members"],
    )
    def test_what_is_not_there(self, cli: Run, node: gridsched.LocalNode, command: str) -> None:
        key = "none/such:none/such@1" if command in ("firings", "results") else "none/such"
        result = cli(command, key)
        assert (result.exit_code, result.stdout) == (4, "")
        assert result.stderr.startswith("error: there is no ")

    def test_what_is_no_key(self, cli: Run, node: gridsched.LocalNode) -> None:
        assert cli("pause", "such").exit_code == 1

    @pytest.mark.parametrize(
        ("command", "code", "said"),
        [
            ("firings --job such", 1, "'such' is not written group/name"),
            ("firings --job g/n:g/n@1", 1, "is the key of a firing, not of a job or a trigger"),
            ("triggers --job g/n:g/n", 1, "g/n:g/n is the key of a trigger, not of a job"),
            ("jobs g/n:g/n", 4, "there is no job g/n:g/n: its key is written group/name"),
            ("triggers g/n", 4, "no trigger g/n: its key is its job's with : and group/name"),
            ("firings g/n:g/n", 4, "no firing g/n:g/n: its key is a trigger's with @"),
            ("results g/n", 4, "there is no firing g/n: its key is a trigger's with @"),
            ("explain g/n:g/n@soon", 1, "its instant is epoch ms, or ISO 8601: 'soon' is not a"),
            ("explain g/n:g/n@9999-01-01", 1, "is not in the years 1970 to 2299"),
        ],
    )
    def test_a_key_of_another_kind_is_told_how_it_is_written(
        self, cli: Run, node: gridsched.LocalNode, command: str, code: int, said: str
    ) -> None:
        result = cli(*command.split())
        assert (result.exit_code, result.stdout) == (code, "")
        assert said in result.stderr

    @pytest.mark.parametrize(
        "command",
        ["firings g/n:g/n@1 --job g/n", "triggers g/n:g/n --state ERROR", "jobs g/n --group g"],
    )
    def test_a_key_goes_without_what_narrows_a_list(
        self, cli: Run, node: gridsched.LocalNode, command: str
    ) -> None:
        result = cli(*command.split())
        assert (result.exit_code, result.stdout) == (2, "")
        assert "KEY names one" in result.stderr

    def test_why_it_has_not_ended_yet(
        self, cli: Run, node: gridsched.LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The time is over once a node has looked for where it may run."""
        result_of = Handle.result

        def result_once_rejected(handle: Handle, timeout: float | None = None) -> Any:
            until(lambda: handle.state() == "REJECTED")
            return result_of(handle, timeout)

        monkeypatch.setattr(Handle, "result", result_once_rejected)
        nowhere = ("--dispatch", "AttributeMatch(gpu=yes)", "--wait", "0.01")
        result = cli("submit", "gridsched.jobs.samples:hello", *nowhere)
        assert result.exit_code == 1
        assert "it is REJECTED: no node has gpu=yes" in result.stderr


class TestCalendars:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--weekly", "SAT,SUN"], "SAT,SUN (UTC)"),
            (["--monthly", "1,15", "--zone", "Asia/Tokyo"], "day 1,15 of the month (Asia/Tokyo)"),
            (["--annual", "12-25,2-29"], "12-25,02-29 of every year (UTC)"),
            (["--holidays", "2026-12-25"], "2026-12-25 (UTC)"),
            (
                ["--country", "GB", "--subdivision", "ENG", "--years", "2026-2028"],
                "dates, 2026-01-01 to 2028-12-26 (UTC)  public holidays of GB-ENG",
            ),
            (["--daily", "00:00-08:00", "--invert"], "all but 00:00:00–08:00:00 (UTC)"),
            (["--cron", "* * 12 * * ?", "--description", "noon"], "* * 12 * * ? (UTC)  noon"),
        ],
    )
    def test_stored_listed_and_deleted(
        self, cli: Run, node: gridsched.LocalNode, group: str, options: list[str], said: str
    ) -> None:
        assert cli("calendars", "store", group, *options).stdout == f"stored {group}\n"
        (listed,) = [x for x in cli("calendars", "list").stdout.splitlines() if group in x]
        assert said in listed
        assert cli("calendars", "delete", group).stdout == f"deleted {group}\n"
        assert cli("calendars", "show", group).exit_code == 4

    def test_shown_as_words_and_as_json(
        self, cli: Run, node: gridsched.LocalNode, group: str
    ) -> None:
        base = f"{group}-base"
        cli("calendars", "store", base, "--monthly", "1")
        cli("calendars", "store", group, "--weekly", "SAT,1", "--base", base)
        fields = {"type": "weekly", "zone": "UTC", "base": base, "description": "", "days": [7, 1]}
        assert json.loads(cli("calendars", "show", group, "--json").stdout) == fields
        assert json.loads(cli("calendars", "list", "--json").stdout)[group] == fields
        assert cli("calendars", "--json").stdout == cli("calendars", "list", "--json").stdout
        assert cli("calendars", group).stdout == cli("calendars", "show", group).stdout
        shown = dict(
            x.split(maxsplit=1) for x in cli("calendars", "show", group).stdout.splitlines()
        )
        assert shown == {"type": "weekly", "zone": "UTC", "base": base, "days": "[7,1]"}
        listed = cli("calendars", "list").stdout
        assert f"SAT,SUN (UTC), and what '{base}' excludes" in listed

    def test_replaced_only_with_override(
        self, cli: Run, node: gridsched.LocalNode, group: str
    ) -> None:
        cli("calendars", "store", group, "--weekly", "SAT")
        refused = cli("calendars", "store", group, "--weekly", "SUN")
        assert (refused.exit_code, "say override" in refused.stderr) == (1, True)
        assert cli("calendars", "store", group, "--weekly", "SUN", "--override").exit_code == 0
        assert node.scheduler.calendar(group) == WeeklyCalendar(days=(1,))

    @pytest.mark.parametrize(
        ("options", "code", "reason"),
        [
            ([], 1, "exactly one of weekly, monthly"),
            (["--weekly", "SAT", "--daily", "00:00-01:00"], 1, "exactly one of"),
            (["--weekly", "SAT", "--invert"], 1, "invert goes with daily"),
            (["--weekly", "SATURDAY"], 2, "'SATURDAY' is no day of the week"),
            (["--country", "GB"], 1, "country needs years"),
            (["--years", "1-999999999999999999999999"], 2, "is not a year or years"),
            (["--monthly", "40"], 1, "40 is not a day"),
            (["--weekly", "SAT", "--base", "none"], 1, "base 'none' does not exist"),
            (["--cron", "* * * *"], 1, "cron expression"),
        ],
    )
    def test_what_is_refused(
        self, cli: Run, node: gridsched.LocalNode, options: list[str], code: int, reason: str
    ) -> None:
        result = cli("calendars", "store", "refused", *options)
        assert result.exit_code == code
        assert reason in result.stderr
        assert "refused" not in node.scheduler.calendars()


class TestListing:
    def test_jobs(self, cli: Run, trigger: str, group: str) -> None:
        listed = cli("jobs", "--group", group).stdout.splitlines()
        assert listed[0].split() == ["JOB", "TARGET", "OPTIONS", "DATA"]
        assert listed[1].split()[:2] == [f"{group}/greet", HELLO]
        assert "[bold]you[/bold]" in listed[1]
        assert "\x1b" not in "".join(listed)

    def test_on_a_terminal_states_have_colours_and_data_has_none(
        self, terminal: Run, trigger: str, group: str
    ) -> None:
        listed = terminal("triggers", "--job", f"{group}/greet").stdout
        assert "\x1b[1mTRIGGER" in listed
        assert "\x1b[32mNORMAL" in listed
        assert max(len(re.sub("\x1b[^m]*m", "", line)) for line in listed.splitlines()) <= 100
        shown = terminal("jobs", f"{group}/greet").stdout
        assert '{"name":"[bold]you[/bold]\\u001b[2J"}' in shown

    def test_json_has_every_field_and_the_key(self, cli: Run, trigger: str, group: str) -> None:
        (job,) = json.loads(cli("jobs", "--group", group, "--json").stdout)
        assert set(job) == {"key", *Job.__struct_fields__}
        assert job["data"] == {"name": "[bold]you[/bold]\x1b[2J"}
        shown = json.loads(cli("triggers", trigger, "--json").stdout)
        assert shown["key"] == trigger
        assert shown["schedule"]["type"] == "cron"
        assert shown["schedule"]["zone"] == "Europe/London"
        assert shown["error"] == ""

    def test_times_are_shown_in_a_zone(self, cli: Run, trigger: str, group: str) -> None:
        listed = cli("triggers", "--job", f"{group}/greet", "--zone", "Asia/Tokyo").stdout
        assert "-01-01T09:00:00+09:00" in listed

    def test_triggers_with_calendar_misfire_instruction_and_dst_policy(
        self, cli: Run, node: gridsched.LocalNode, group: str
    ) -> None:
        node.scheduler.store_calendar(group, WeeklyCalendar())
        trigger = cron(
            YEARLY,
            zone="Europe/London",
            dst=DstPolicy("after", "both"),
            misfire="DO_NOTHING",
            calendar=group,
        )
        key = node.scheduler.schedule(Job(HELLO, group=group), trigger).key
        _, listed = cli("triggers", "--job", f"{group}/hello").stdout.splitlines()
        assert f"  {group}  DO_NOTHING  " in listed
        assert listed.endswith(f"cron {YEARLY} (Europe/London; after,both)")
        shown = dict(line.split(maxsplit=1) for line in cli("triggers", key).stdout.splitlines())
        assert (shown["calendar"], shown["misfire"]) == (group, "DO_NOTHING")

    def test_triggers_by_state(self, cli: Run, trigger: str) -> None:
        assert trigger in cli("triggers", "--state", "normal").stdout
        assert trigger not in cli("triggers", "--state", "PAUSED").stdout

    def test_firings_and_results(self, cli: Run, node: gridsched.LocalNode, trigger: str) -> None:
        job = trigger.partition(":")[0]
        keys = []
        for name in ("a", "b"):
            handle = node.scheduler.fire(job, {"name": name})
            handle.result(30)
            keys.append(handle.key)
        firings = cli("firings", "--job", job).stdout
        assert all(key in firings for key in keys)
        assert firings.count("COMPLETE") == 2
        latest = cli("results", "--job", job, "--limit", "1")
        assert '"hello, b"' in latest.stdout
        assert '"hello, a"' not in latest.stdout
        assert latest.stderr == "the latest 1 of 2 (--limit)\n"
        shown = json.loads(cli("firings", keys[0], "--json").stdout)
        assert (shown["key"], shown["state"], shown["member"]) == (keys[0], "COMPLETE", "node-1")
        assert json.loads(cli("results", keys[0], "--json").stdout)["value"] == "hello, a"

    def test_results_of_a_job_by_time_and_drained(
        self, cli: Run, node: gridsched.LocalNode, trigger: str
    ) -> None:
        job = trigger.partition(":")[0]
        for name in ("a", "b", "c"):
            node.scheduler.fire(job, {"name": name}).result(30)
        ours = node.scheduler.results_of(job)
        second = words.moment(ours.complete()[1].scheduled, ZoneInfo("Europe/London"))

        def values(*options: str) -> list[str]:
            shown = json.loads(cli("results", "--job", job, "--json", *options).stdout)
            return [result["value"][-1] for result in shown]

        assert values("--latest") == ["c"]
        assert values("--oldest") == ["a"]
        assert values("--from", second) == values("--from", second[:-6], "--zone", "Europe/London")
        assert values("--from", second) == ["b", "c"]
        assert values("--to", second) == ["a"]
        assert values("--from", second, "--to", second) == []
        assert "SCHEDULED" in cli("results", "--job", job).stdout
        assert values("--drain") == ["a", "b", "c"]
        assert values("--drain") == values() == values("--latest") == []

    @pytest.mark.parametrize(
        ("options", "code", "reason"),
        [
            (["--latest"], 2, "need --job"),
            (["--from", "2026-01-01T00:00Z"], 2, "need --job"),
            (["--job", "a/b", "--drain", "--to", "2026-01-01T00:00Z"], 2, "--drain goes without"),
            (["a/b:c/d@1", "--job", "a/b"], 2, "leave --job out"),
            (["--job", "a/b:c/d@1"], 1, "the key of a firing"),
            (["--job", "a/b", "--from", "2026-01-02", "--to", "2026-01-01"], 1, "is after"),
        ],
    )
    def test_results_asked_for_wrongly(
        self, cli: Run, node: gridsched.LocalNode, options: list[str], code: int, reason: str
    ) -> None:
        done = cli("results", *options)
        assert done.exit_code == code
        assert reason in done.stderr
        assert "Traceback" not in done.stderr

    def test_jobs_of_the_default_group(self, cli: Run, node: gridsched.LocalNode) -> None:
        node.scheduler.schedule(Job(HELLO, name="ungrouped"), cron(YEARLY))
        assert "DEFAULT/ungrouped" in cli("jobs", "--group", "DEFAULT").stdout

    def test_an_empty_list_has_its_headings(self, cli: Run, node: gridsched.LocalNode) -> None:
        assert cli("jobs", "--group", "nobody").stdout.split() == [
            "JOB",
            "TARGET",
            "OPTIONS",
            "DATA",
        ]
        assert json.loads(cli("jobs", "--group", "nobody", "--json").stdout) == []


class TestCluster:
    def test_members(self, cli: Run, node: gridsched.LocalNode) -> None:
        (line,) = cli("members").stdout.splitlines()[1:]
        assert line.split()[:2] == ["node-1", "ACTIVE"]
        assert line.endswith("good")
        assert json.loads(cli("members", "node-1", "--json").stdout)["threads"] == 10

    @pytest.mark.parametrize(
        ("age", "said"),
        [(900, "good"), (-90, "good"), (-2340, "about 2.3 s ahead"), (9000, "9 s behind, or gone")],
    )
    def test_what_a_beat_says_of_the_clock(self, age: int, said: str) -> None:
        assert cluster.clock(age) == said

    def test_summary(self, cli: Run, node: gridsched.LocalNode, trigger: str) -> None:
        summary = json.loads(cli("cluster", "--json").stdout)
        assert summary["nodes"] == [{"name": "node-1", "state": "ACTIVE"}]
        assert summary["partitions"] == {"node-1": summary["partition_count"]}
        assert summary["start_gate"] == {"active": 1, "needed": 1, "open": True, "waiting": {}}
        assert summary["triggers"]["NORMAL"] >= 1
        lines = cli("cluster").stdout.splitlines()
        assert "nodes       1 active: node-1" in lines
        assert "start gate  open: 1 active, 1 needed" in lines

    def test_a_cluster_without_nodes_says_so(
        self, cli: Run, node: gridsched.LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gridsched.Scheduler, "members", lambda _: [])
        monkeypatch.setattr(gridsched.Scheduler, "owners", lambda _: [None] * 271)
        result = cli("cluster")
        assert result.exit_code == 0
        assert "nodes       none is active" in result.stdout
        assert "start gate  nothing fires until a node is started" in result.stdout
        assert "partitions  271: nobody looks after them" in result.stdout

    def test_a_cluster_that_waits_for_nodes_says_so(
        self, cli: Run, node: gridsched.LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waiting = Member("a", "1", state="ACTIVE", server_count=3, live=2)
        nodes = [waiting, replace(waiting, name="b"), replace(waiting, name="c", state="JOINING")]
        monkeypatch.setattr(gridsched.Scheduler, "members", lambda _: nodes)
        says = "waiting for 3 nodes, 2 are here"
        shown = cli("cluster").stdout
        assert "nodes       2 active: a, b; c JOINING" in shown
        assert f"start gate  {says}: a, b" in shown
        gate = json.loads(cli("cluster", "--json").stdout)["start_gate"]
        assert gate == {"active": 2, "needed": 3, "open": False, "waiting": {"a": says, "b": says}}
        rows = cli("members").stdout.splitlines()
        assert [says in row for row in rows] == [False, True, True, False]
        told = json.loads(cli("members", "--json").stdout)
        assert [(m["timer"], m["live"], m["server_count"]) for m in told] == [("WAITING", 2, 3)] * 3

    def test_a_node_that_waits_beside_one_that_fires(
        self, cli: Run, node: gridsched.LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nodes = [
            Member("a", "1", state="ACTIVE", server_count=3, live=2, timer="RUNNING"),
            Member("b", "2", state="ACTIVE", server_count=3, live=2),
            Member("c", "3", state="ACTIVE", timer="DELAYED"),
        ]
        monkeypatch.setattr(gridsched.Scheduler, "members", lambda _: nodes)
        assert (
            "open: 3 active, 3 needed; waiting for 3 nodes, 2 are here: b; in its delay: c"
        ) in cli("cluster").stdout
