"""A processing session on a real cluster."""

from __future__ import annotations

import pytest
from processes import wait_for
from world import World

from gridsched import Job, OutcomeListener
from gridsched.errors import JobCancelled, NotFound, SubmissionRejected

pytestmark = pytest.mark.java

SOON = 40.0


class Heard(OutcomeListener):
    def __init__(self) -> None:
        self.said: list[object] = []

    def on_suspended(self, outcome) -> None:
        self.said.append(outcome.state)

    def on_done(self, outcome, value) -> None:
        self.said.append(len(value))

    def on_failed(self, outcome, error) -> None:
        self.said.append(type(error))


def test_immediate_work_on_two_nodes(world: World) -> None:
    world.start("n1", "n2")
    heard = Heard()
    scheduler = world.connect()
    with scheduler.session() as session:
        jobs = [Job("e2e_jobs:add", data={"a": n, "b": 1}) for n in range(1000)]
        outcomes = session.submit_many(jobs)
        assert [outcome.get(SOON) for outcome in outcomes] == list(range(1, 1001))
        assert {firing.member for firing in scheduler.firings()} == {"n1", "n2"}

        turns = session.submit(Job("e2e_jobs:in_turns", executor="process"), listener=heard)
        assert len(turns.get(SOON)) == 3
        assert (turns.state, turns.message) == ("DONE", "turn 3")
        refused = session.submit(Job("os:getpid"), listener=heard)
        with pytest.raises(SubmissionRejected, match="allow-list"):
            refused.get(SOON)
        held = session.submit(Job("e2e_jobs:hold", data=world.data), listener=heard)
        wait_for(lambda: held.state == "EXECUTING", lambda: held.state, SOON)
        session.cancel(held)
        with pytest.raises(JobCancelled):
            held.get(SOON)
        wait_for(
            lambda: heard.said[-3:] == [3, SubmissionRejected, JobCancelled], lambda: heard.said
        )

        kept = session.submit(jobs[7], retention="keep until discarded").id
    with world.connect().session() as session:
        assert session.acquire(kept).get(SOON) == 8
        session.discard(kept)
        with pytest.raises(NotFound):
            session.acquire(kept)
