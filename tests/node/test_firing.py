"""The way of one firing, on virtual time: from submission to record."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from cluster import job
from msgspec.structs import replace

from gridsched.client.triggers import cron, every, once
from gridsched.errors import JobFailed, ResultTimeout, SubmissionRejected
from gridsched.grid.faults import Fault, Rates
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.retry import Retry
from gridsched.simulation.virtual_time import START
from gridsched.stores.firings import FiringStore
from gridsched.stores.record import Record

NOW = datetime.fromtimestamp(START / 1000, UTC)


async def test_every_instant_of_a_trigger_runs_once_and_in_time(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    start = NOW + timedelta(seconds=3)
    await client.schedule(job(), every(0.25, start=start, repeat_count=39))
    await c.until(lambda: len(c.runs.finished) == 40)
    first = START + 3000
    assert [f.scheduled for f in c.runs.started] == [first + 250 * n for n in range(40)]
    assert all(f.started_at - f.scheduled <= 1 for f in c.runs.started)
    assert (await client.trigger("DEFAULT/note:DEFAULT/note")).state == "COMPLETE"


async def test_three_nodes_share_the_work_and_no_instant_runs_twice(cluster):
    c = cluster(members=3)
    for name in "abc":
        await c.node(name)
    client = await c.client()
    start = NOW + timedelta(seconds=20)
    await client.schedule_many(
        [(job(name=f"j{n}"), every(1, start=start, repeat_count=9)) for n in range(100)]
    )
    await c.until(lambda: len(c.runs.finished) >= 1000)
    await c.pass_time(5)
    assert len({f.key for f in c.runs.started}) == len(c.runs.started) == 1000
    shares = Counter(f.member for f in c.runs.started)
    assert all(250 < share < 420 for share in shares.values()), shares
    assert len({f.acquired_by for f in c.runs.started}) == 3


async def test_an_immediate_job_returns_its_result(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    handle = await client.submit(job("echo", data={"value": {"n": [1, 2]}}))
    assert await handle.result(timeout=1) == {"n": [1, 2]}
    assert await handle.state() == "COMPLETE"


async def test_a_job_that_returns_nothing_has_the_result_none(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    assert await (await client.submit(job("echo"))).result(timeout=1) is None
    assert await client.results() == []


async def test_trigger_data_wins_over_job_data(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(
        job("echo", data={"value": "job's"}), once(data={"value": "trigger's"})
    )
    handle = client.handle(f"{trigger.key}@{trigger.schedule.at}")
    assert await handle.result(timeout=2) == "trigger's"


async def test_a_failing_job_is_tried_again_by_its_policy(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    handle = await client.submit(
        job("fail", data={"times": 2}, retry=Retry(3, delay=10, backoff=2))
    )
    assert await handle.result(timeout=60) == "at last"
    starts = [f.started_at - START for f in c.runs.started]
    assert [f.attempt for f in c.runs.started] == [1, 2, 3]
    assert [round((b - a) / 1000) for a, b in itertools.pairwise(starts)] == [10, 20]


async def test_a_job_that_fails_for_good_says_why(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    handle = await client.submit(job("fail"))
    with pytest.raises(JobFailed, match="ValueError: it fails") as failed:
        await handle.result(timeout=2)
    assert failed.value.state == "FAILED"


async def test_a_result_that_is_not_json_fails_the_run(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    with pytest.raises(JobFailed, match="not JSON"):
        await (await client.submit(job("not_json"))).result(timeout=2)


async def test_a_run_past_its_timeout_is_not_waited_for(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    handle = await client.submit(job("take", data={"seconds": 100}, timeout=3))
    with pytest.raises(ResultTimeout):
        await handle.result(timeout=2)
    with pytest.raises(JobFailed, match="longer than 3"):
        await handle.result(timeout=2)
    assert c.clock.monotonic() < 10


async def test_what_is_late_within_the_threshold_fires_late(cluster):
    c = cluster(misfire_threshold_ms=60_000)
    await c.node("a")
    client = await c.client()
    await client.schedule(job(), every(10, start=NOW - timedelta(seconds=35), repeat_count=5))
    await c.until(lambda: len(c.runs.finished) == 6)
    assert [f.scheduled - START for f in c.runs.started][:4] == [-35_000, -25_000, -15_000, -5000]


async def test_what_is_later_than_the_threshold_meets_the_misfire_policy(cluster):
    c = cluster(misfire_threshold_ms=5000)
    await c.node("a")
    client = await c.client()
    trigger = await client.schedule(
        job(), every(10, start=NOW - timedelta(seconds=35), name="endless")
    )
    await c.pass_time(6)
    skipped = await client.firings(of=trigger.key, state="SKIPPED")
    assert [(f.scheduled - START, f.until - START, f.count) for f in skipped] == [
        (-35_000, -5000, 4)
    ]
    assert [f.scheduled - START for f in c.runs.started] == [5000]
    assert (await client.trigger(trigger.key)).misfired == 4


async def test_a_misfired_cron_trigger_fires_once_for_all_it_missed(cluster):
    c = cluster(misfire_threshold_ms=5000)
    await c.node("a")
    client = await c.client()
    start = NOW - timedelta(minutes=10)
    await client.schedule(job(), cron("0 * * * * ?", start=start))
    await c.until(lambda: len(c.runs.finished) == 1)
    (run,) = c.runs.finished
    assert run.count == 10
    assert run.until - run.scheduled == 9 * 60_000


async def test_a_job_that_disallows_concurrency_never_overlaps(cluster):
    c = cluster(members=2, misfire_threshold_ms=1_000_000)
    await c.node("a")
    await c.node("b")
    client = await c.client()
    await client.schedule(
        job("take", data={"seconds": 3}, disallow_concurrent=True), every(1, repeat_count=5)
    )
    await c.until(lambda: len(c.runs.finished) == 6)
    spans = sorted((f.started_at, f.finished_at) for f in c.runs.finished)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


async def test_priority_decides_among_those_due_together(cluster):
    c = cluster()
    await c.node("a", max_threads=1)
    client = await c.client()
    at = NOW + timedelta(seconds=5)
    pairs = [
        (job("blocking", name=f"p{priority}", priority=priority), once(at))
        for priority in (3, 9, 5, 7)
    ]
    await client.schedule_many(pairs)
    await c.until(lambda: len(c.runs.finished) == 4)
    assert [f.priority for f in c.runs.started] == [9, 7, 5, 3]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("os:getcwd", "allow-list"),
        ("jobs_under_test:no_such", "has no 'no_such'"),
        ("jobs_under_test:not_callable", "not callable"),
    ],
)
async def test_a_job_that_cannot_run_is_refused_when_it_is_submitted(cluster, target, reason):
    c = cluster()
    await c.node("a")
    client = await c.client()
    with pytest.raises(SubmissionRejected, match=reason):
        await client.submit(Job(target))
    assert await client.jobs() == []


async def test_what_is_scheduled_is_not_starved_by_what_is_submitted_all_the_time(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    await client.schedule(
        job(name="scheduled"), every(1, start=NOW + timedelta(seconds=2), repeat_count=9)
    )
    for _ in range(200):
        await client.submit(job(name="immediate"))
        await c.pass_time(0.05)
    scheduled = [f for f in c.runs.started if f.job == "DEFAULT/scheduled"]
    assert len(scheduled) >= 8
    assert all(f.started_at - f.scheduled <= 1 for f in scheduled)


async def test_what_a_job_says_of_its_progress_stands_in_its_record(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    handle = await client.submit(job("reporting"))
    await c.pass_time(3)
    firing = await handle.firing()
    assert (firing.state, firing.progress, firing.message) == ("EXECUTING", 0.5, "step 2")
    assert await handle.result(timeout=10) == "reported"
    assert c.nodes[0].core.counters.stale == 0
    with pytest.raises(JobFailed, match=r"progress is 1\.5; it goes from 0 to 1"):
        await (await client.submit(job("too_far"))).result(timeout=2)


async def test_what_a_job_says_is_not_lost_where_its_record_cannot_be_written(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    handle = await client.submit(job("reporting"))
    await c.pass_time(0.1)
    c.faults["a"].script("Firing-Store", "compare_and_set", Fault.UNAVAILABLE)
    await c.pass_time(1.8)
    assert (await handle.firing()).message == "step 1"


async def test_what_a_job_says_while_its_record_is_being_written_is_written_too(cluster):
    c = cluster(session_timeout_ms=60_000)
    await c.node("a")
    client = await c.client()
    handle = await client.submit(job("in_pairs", data={"pairs": 10}))
    await c.until(lambda: len(c.runs.started) == 1)
    c.faults["a"].change_rates(Rates(delayed=1.0, longest_delay=2.0))
    for n in range(10):
        await c.pass_time(5.5)
        assert (await handle.firing()).message == f"pair {n}, second"


async def test_what_was_read_before_a_node_slept_is_left_to_its_next_poll(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    trigger = await client.schedule(job(), once(NOW + timedelta(days=1)))
    record = await node.core.caches.triggers.get(trigger.key)
    now = c.clock.now()
    as_read = record._replace(value=replace(record.value, due=now, next_fire=now))
    standing = node.parts.membership.standing()
    node.parts.timer.offer([as_read], standing - 1)
    await c.pass_time(5)
    assert await client.firings() == []
    node.parts.timer.offer([as_read], standing)
    await c.until(lambda: claimed(client))


async def claimed(client) -> bool:
    return len(await client.firings()) == 1


async def test_a_claim_of_what_is_long_claimed_takes_nothing_back_that_another_counted(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    start = NOW + timedelta(seconds=20)
    trigger = await client.schedule(job(), every(10, start=start, misfire="IGNORE"))
    stale = await client.caches.triggers.get(trigger.key)
    await c.until(lambda: len(c.runs.finished) == 2)
    await node.parts.timer.stop()
    await c.until(lambda: c.clock.now() > START + 39_500)
    firings = FiringStore(client.caches.firings.map)
    first, _ = sorted(await firings.find(), key=lambda record: record.key)
    await firings.replace(first, replace(first.value, state="SKIPPED"))
    claimer, standing = node.parts.timer._claimer, node.parts.membership.standing()
    claimer._caches = claimer._caches._replace(firings=firings)
    get_all = firings.get_all

    async def while_another_claims(keys: Iterable[str]) -> dict[str, Record[Firing]]:
        firings.get_all = get_all
        now = await client.caches.triggers.get(trigger.key)
        await claimer.claim([now], standing)
        return await get_all(keys)

    firings.get_all = while_another_claims
    await claimer.claim([stale], standing)
    assert (await client.trigger(trigger.key)).next_fire == START + 50_000
    await c.until(lambda: len(c.runs.finished) == 3)
    assert c.runs.started[-1].scheduled == START + 40_000
