"""A processing session: immediate work, its outcomes and listeners."""

from __future__ import annotations

import pytest
from cluster import job

from gridsched.client.outcome import OutcomeListener
from gridsched.errors import (
    GridUnavailable,
    InvalidJob,
    JobCancelled,
    JobFailed,
    NotFound,
    ResultTimeout,
    SubmissionRejected,
)
from gridsched.model.caches import CacheSettings
from gridsched.model.job import Job, Retry
from gridsched.node.retention import FENCE_MS

GONE = FENCE_MS / 1000 + 15


class Heard(OutcomeListener):
    """What it was told, in order."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def on_started(self, outcome) -> None:
        self.said.append("started")

    def on_progress(self, outcome) -> None:
        self.said.append((outcome.progress, outcome.message))

    def on_suspended(self, outcome) -> None:
        self.said.append(outcome.state)

    def on_done(self, outcome, value) -> None:
        self.said.append(("done", value))

    def on_failed(self, outcome, error) -> None:
        self.said.append((outcome.state, type(error)))


async def test_what_is_submitted_is_done(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    async with client.session() as session:
        outcome = await session.submit(job("echo", data={"value": 7}))
        assert outcome.state == "SUBMITTED"
        assert outcome.start_time is None
        assert await outcome.get(timeout=2) == 7
        assert outcome.state == "DONE"
        assert outcome.submission_time <= outcome.start_time <= outcome.finish_time
        assert await (await session.submit("jobs_under_test:note")).get(timeout=2) == 1


async def test_thousands_at_once_have_their_own_values(cluster):
    c = cluster(members=2)
    for name in "ab":
        await c.node(name)
    client = await c.client()
    async with client.session() as session:
        jobs = [job("echo", data={"value": number}) for number in range(2000)]
        jobs[500] = job("fail")
        outcomes = await session.submit_many(jobs)
        with pytest.raises(JobFailed, match="it fails"):
            await outcomes[500].get(timeout=60)
        del jobs[500], outcomes[500]
        assert [await o.get(timeout=60) for o in outcomes] == [j.data["value"] for j in jobs]


async def test_a_job_that_is_refused_has_failed_and_says_why(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    heard = Heard()
    async with client.session() as session:
        with pytest.raises(InvalidJob, match="is not written package"):
            await session.submit("nonsense")
        with pytest.raises(InvalidJob, match="'for ever'; one of 'remove when final', 'keep until"):
            await session.submit(job("echo"), retention="for ever")
        outcome = await session.submit(Job("os:getpid"), listener=heard)
        with pytest.raises(SubmissionRejected, match="allow-list"):
            await outcome.get(timeout=2)
        assert outcome.state == "FAILED"
        assert heard.said == [("FAILED", SubmissionRejected)]
        again = await session.acquire(outcome.id)
        with pytest.raises(SubmissionRejected, match="allow-list"):
            await again.get(timeout=2)


async def test_a_listener_hears_of_each_step(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    heard, failing = Heard(), Heard()
    async with client.session() as session:
        turns = await session.submit(job("in_turns", data={"turns": 2}), listener=heard)
        fails = await session.submit(job("fail", retry=Retry(2, delay=5)), listener=failing)
        await c.pass_time(1)
        assert (turns.state, turns.progress, fails.state) == ("SUSPENDED", 0.5, "RETRY")
        assert await turns.get(timeout=20) == 2
        with pytest.raises(JobFailed, match="it fails"):
            await fails.get(timeout=20)
    started, progress = heard.said.count("started"), (0.5, "turn 1")
    assert heard.said[-1] == ("done", 2)
    assert started >= 1
    assert heard.said.index(progress) < heard.said.index("SUSPENDED")
    assert failing.said == ["started", ("FAILED", JobFailed)]


async def test_a_listener_that_raises_is_logged_and_hurts_nothing(cluster, caplog):
    class Raises(OutcomeListener):
        def on_done(self, outcome, value) -> None:
            raise RuntimeError("on purpose")

    c = cluster()
    await c.node("a")
    client = await c.client()
    async with client.session() as session:
        first = await session.submit(job("echo"), listener=Raises())
        assert await first.get(timeout=2) is None
        assert await (await session.submit(job("note"))).get(timeout=2) == 1
    assert "listener Raises failed at 'done'" in caplog.text


async def test_another_session_acquires_an_outcome_by_its_id(cluster):
    c = cluster()
    await c.node("a")
    first = (await c.client()).session()
    outcome = await first.submit(job("take", data={"seconds": 9}))
    await c.until(lambda: outcome.state == "EXECUTING")
    await first.close()
    with pytest.raises(NotFound, match="released: acquire it again"):
        await outcome.get()
    with pytest.raises(RuntimeError, match="the session is closed"):
        await first.submit(job("note"))
    heard = Heard()
    async with (await c.client()).session() as second:
        acquired = await second.acquire(outcome.id, listener=heard)
        assert acquired.state == "EXECUTING"
        assert acquired.submission_time == outcome.submission_time
        assert await second.acquire(outcome.id, listener=heard) is acquired
        assert await acquired.get(timeout=20) is None
        assert heard.said == ["started", ("done", None)]
        for nothing in ("DEFAULT/x:DEFAULT/y@5", "DEFAULT/x"):
            with pytest.raises(NotFound, match="there is no submission"):
                await second.acquire(nothing)


async def test_records_go_when_final_or_stay_until_they_are_discarded(cluster):
    c = cluster(caches=CacheSettings(firing_retention_ms=600_000, result_retention_ms=600_000))
    await c.node("a")
    client = await c.client()
    async with client.session() as session:
        brief = await session.submit(job("echo", data={"value": 1}))
        kept = await session.submit(
            job("echo", data={"value": 2}), retention="keep until discarded"
        )
        own = await session.submit(job("echo", data={"value": 3}, retention=400))
        assert [await o.get(timeout=2) for o in (brief, kept, own)] == [1, 2, 3]
        with pytest.raises(NotFound):
            await session.acquire(brief.id)
        await c.pass_time(GONE)
        assert {f.key for f in await client.firings()} == {kept.id, own.id}
        assert await brief.get() == 1, "what its session has seen stays with the outcome"
        await c.pass_time(1200)
        assert await (await session.acquire(kept.id)).get(timeout=2) == 2
        await session.discard(kept)
        await session.discard(kept)  # again
        assert await client.results() == []
        with pytest.raises(NotFound):
            await session.acquire(kept.id)
        await c.pass_time(GONE)
        assert await client.firings() == []
        with pytest.raises(SubmissionRejected, match="there is no firing"):
            await session.discard(kept)


async def test_what_was_just_discarded_is_not_acquired(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    async with client.session() as session:
        for value in (None, 5):
            outcome = await session.submit(
                job("echo", data={"value": value}), retention="keep until discarded"
            )
            assert await outcome.get(timeout=2) == value
            await session.discard(outcome)
            with pytest.raises(NotFound, match="there is no submission"):
                await session.acquire(outcome.id)


async def test_what_is_cancelled_or_discarded_does_not_go_on(cluster):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    heard = Heard()
    async with client.session() as session:
        at_once = await session.submit(job("take", data={"seconds": 99}), listener=heard)
        await session.cancel(at_once)
        with pytest.raises(JobCancelled):
            await at_once.get(timeout=2)
        assert heard.said[-1] == ("CANCELLED", JobCancelled)
        running = await session.submit(job("take", data={"seconds": 99}))
        await c.until(lambda: running.state == "EXECUTING")
        await session.discard(running)
        await c.until(lambda: not node.parts.shell.runs, within=1.5)
        ended = await session.submit(job("note"))
        await ended.get(timeout=2)
        with pytest.raises(SubmissionRejected, match="it is COMPLETE"):
            await session.cancel(ended)


async def test_what_is_cancelled_before_a_timer_runs_never_starts(cluster):
    c = cluster(server_count=2)
    await c.node("a")
    client = await c.client()
    async with client.session() as session:
        outcome = await session.submit(job("note"))
        await c.pass_time(300)
        assert outcome.state == "SUBMITTED"
        acquired = await (await c.client()).session().acquire(outcome.id)
        assert acquired.state == "SUBMITTED"
        await session.cancel(outcome)
        with pytest.raises(JobCancelled):
            await outcome.get(timeout=2)
        await c.node("b")
        await c.pass_time(30)
        assert c.runs.started == []


async def test_an_outcome_that_is_not_there_in_time(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    async with client.session() as session:
        outcome = await session.submit(job("take", data={"seconds": 5}))
        with pytest.raises(ResultTimeout, match="has not ended in 1 s: it is EXECUTING"):
            await outcome.get(timeout=1)
        assert await outcome.get(timeout=9) is None


async def test_a_session_goes_on_when_the_grid_was_away(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    async with client.session() as session:
        outcome = await session.submit(job("take", data={"seconds": 5}))
        await c.until(lambda: outcome.state == "EXECUTING")
        get_all, calls = client.caches.firings.map.get_all, []

        async def fails(keys):
            calls.append(keys)
            raise GridUnavailable("gone")

        client.caches.firings.map.get_all = fails
        await c.pass_time(10)
        assert calls
        client.caches.firings.map.get_all = get_all
        assert await outcome.get(timeout=9) is None


async def test_a_recovered_job_goes_on_from_its_checkpoint(cluster):
    c = cluster(members=2)
    first = await c.node("a")
    client = await c.client()
    heard = Heard()
    async with client.session() as session:
        outcome = await session.submit(job("in_steps", requests_recovery=True), listener=heard)
        await c.until(lambda: outcome.state == "EXECUTING")
        await c.node("b")
        await c.pass_time(3.9)
        await c.crash(first)
        assert await outcome.get(timeout=60) == [4, 5, 6, 7, 8, 9, 10]
    assert heard.said == ["started", "started", ("done", [4, 5, 6, 7, 8, 9, 10])]
