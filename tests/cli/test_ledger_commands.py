"""The ledger from the command line: `firings` with its filters, `audit`, `explain`."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from running import Run

import gridsched
from gridsched import Job, cron
from gridsched.cli.exits import UNACCOUNTED
from gridsched.model.firing import Firing

HELLO = "gridsched.jobs.samples:hello"


@pytest.fixture
def runs(node: gridsched.LocalNode) -> tuple[str, list[str]]:
    """A durable job that no other test has, with the keys of two runs of it."""
    scheduler = node.scheduler
    key = f"group-{secrets.token_hex(4)}/greet"
    scheduler.add_job(Job(HELLO, name="greet", group=key.partition("/")[0], durable=True))
    handles = [scheduler.fire(key) for _ in range(2)]
    for handle in handles:
        handle.result(timeout=30)
    return key, [handle.key for handle in handles]


class TestFirings:
    def test_by_node_and_time(
        self, cli: Run, node: gridsched.LocalNode, runs: tuple[str, list[str]]
    ) -> None:
        job, keys = runs

        def listed(*options: str) -> list[str]:
            found = json.loads(cli("firings", "--job", job, "--json", *options).stdout)
            return [firing["key"] for firing in found]

        assert listed("--node", "node-1", "--from", "1H", "--state", "complete") == keys
        assert listed("--node", "none") == listed("--to", "1H") == []
        second = datetime.fromtimestamp(int(keys[1].rpartition("@")[2]) / 1000, UTC)
        assert listed("--from", second.isoformat()) == keys[1:]
        before = (second - timedelta(milliseconds=1)).replace(tzinfo=None).isoformat()
        assert listed("--to", before) == keys[:1]
        assert listed("--limit", "1") == keys[1:]
        assert listed("--limit", "1", "--oldest") == keys[:1]

    def test_what_is_no_time(self, cli: Run, node: gridsched.LocalNode) -> None:
        result = cli("firings", "--from", "yesterday")
        assert result.exit_code == 2
        assert "'yesterday' is neither a time in ISO 8601" in result.stderr

    def test_a_skipped_range_is_shown_as_one(self, cli: Run, node: gridsched.LocalNode) -> None:
        job = f"group-{secrets.token_hex(4)}/nightly"
        skipped = Firing(
            f"{job}:DEFAULT/t",
            1_790_000_000_000,
            state="SKIPPED",
            job=job,
            error="skipped by DO_NOTHING",
            until=1_790_000_660_000,
            count=12,
        )
        inner = node.scheduler._inner
        node.scheduler._portal.run(inner.caches.firings.create(skipped))
        text = cli("firings", "--job", job).stdout
        assert "12 instants to 2026-09-21T14:24:20+00:00 skipped by DO_NOTHING" in text


class TestAudit:
    def test_all_is_well(
        self, cli: Run, node: gridsched.LocalNode, runs: tuple[str, list[str]]
    ) -> None:
        job, keys = runs
        result = cli("audit", job)
        assert result.exit_code == 0
        assert result.stdout.count(", since accepted: 1 instant: 1 ran; all accounted for\n") == 2
        assert result.stdout.endswith("\n2 triggers: 2 instants: 2 ran; all accounted for\n")
        group = job.partition("/")[0]
        assert cli("audit", "--job-group", group).stdout == result.stdout
        answer = json.loads(cli("audit", keys[0].partition("@")[0], "--json").stdout)
        assert (answer["total"]["ran"], answer["triggers"][0]["whole"]) == (1, True)

    def test_a_record_that_is_gone_is_an_exit_code_of_its_own(
        self, cli: Run, node: gridsched.LocalNode, runs: tuple[str, list[str]]
    ) -> None:
        job, keys = runs
        store = node.scheduler._inner.caches.firings
        node.scheduler._portal.run(store.map.remove(store.data_key(keys[0])))
        result = cli("audit", job)
        assert result.exit_code == UNACCOUNTED
        assert ": has no record, and its trigger has gone on\n" in result.stdout
        assert "1 unaccounted for" in result.stdout.splitlines()[-1]

    def test_of_what(self, cli: Run, node: gridsched.LocalNode) -> None:
        assert cli("audit").exit_code == 2
        assert cli("audit", "none/such").exit_code == 4
        nothing = cli("audit", "--group", "none-such")
        assert (nothing.exit_code, nothing.stdout) == (
            0,
            "no trigger is chosen: there is nothing to account for\n",
        )


class TestExplain:
    def test_a_run_and_its_trigger(
        self, cli: Run, node: gridsched.LocalNode, runs: tuple[str, list[str]]
    ) -> None:
        _, keys = runs
        result = cli("explain", keys[0])
        assert result.exit_code == 0
        assert result.stdout.splitlines()[0].strip() == "It ran, and ended well."
        assert "  node-1 started attempt 1, " in result.stdout
        trigger = keys[0].partition("@")[0]
        assert "It has fired for the last time" in cli("explain", trigger).stdout
        said = json.loads(cli("explain", keys[0], "--json").stdout)
        assert (said[0]["at"], said[1]["at"]) == (None, int(keys[0].rpartition("@")[2]))

    def test_an_instant_in_local_time(self, cli: Run, node: gridsched.LocalNode) -> None:
        group = f"group-{secrets.token_hex(4)}"
        nightly = cron("0 30 2 * * ?", zone="Europe/London")
        key = node.scheduler.schedule(Job(HELLO, group=group), nightly).key
        zoned = ["--zone", "Europe/London"]
        result = cli("explain", f"{key}@2099-07-01T02:30", *zoned)
        assert result.stdout.startswith("2099-07-01T02:30:00+01:00  It is not due yet, in ")
        result = cli("explain", f"{key}@2099-07-01T02:31", *zoned)
        assert "Its schedule does not name that instant: cron 0 30 2 * * ? (Europe/London)." in (
            result.stdout
        )

    @pytest.mark.parametrize(
        ("key", "code", "reason"),
        [
            (
                "none/such:none/such",
                4,
                "there is no trigger none/such:none/such, nor a record of it",
            ),
            ("none/such", 4, "none/such is a job: explain one of its triggers"),
            ("none/such:none/such@noon", 1, "'noon' is not a time in ISO 8601"),
            ("none", 1, "'none' is not written group/name"),
        ],
    )
    def test_what_is_not_there(
        self, cli: Run, node: gridsched.LocalNode, key: str, code: int, reason: str
    ) -> None:
        result = cli("explain", key)
        assert (result.exit_code, result.stdout) == (code, "")
        assert reason in result.stderr
