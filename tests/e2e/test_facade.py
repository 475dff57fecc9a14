"""What a client asks of a real cluster."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from processes import wait_for
from world import World

from gridsched import Job, every, once
from gridsched.client.blocking import Scheduler
from gridsched.errors import JobCancelled, NotFound, SubmissionRejected

pytestmark = pytest.mark.java

SOON = 40.0


@pytest.fixture
def scheduler(world: World) -> Scheduler:
    """Of a cluster with one node, which is in `world`."""
    world.start("n1")
    return world.connect()


def test_what_a_client_asks(world: World, scheduler: Scheduler) -> None:
    (node,) = world.nodes.values()

    coroutine = scheduler.submit(Job("e2e_jobs:add", data={"a": 1, "b": 2}))
    thread = scheduler.submit(Job("e2e_jobs:whose"))
    process = scheduler.submit(Job("e2e_jobs:whose", executor="process"))
    assert coroutine.result(timeout=SOON) == 3
    assert thread.result(timeout=SOON) == node.pid
    assert process.result(timeout=SOON) not in (node.pid, None)
    with pytest.raises(SubmissionRejected, match="allow-list"):
        scheduler.submit(Job("os:getpid"))

    held = scheduler.submit(Job("e2e_jobs:hold", data=world.data))
    wait_for(lambda: held.state() == "EXECUTING", held.firing)
    held.cancel()
    with pytest.raises(JobCancelled):
        held.result(timeout=SOON)
    world.open_gate(node)

    job = Job("e2e_jobs:note", name="often", data=world.data)
    often = scheduler.schedule(job, every(0.2))
    wait_for(lambda: world.log.count() >= 2, world.log.lines)
    scheduler.pause(often.key)
    wait_for(lambda: not scheduler.firings(of=often.key, state="EXECUTING"))
    paused_at = world.log.count()
    assert scheduler.trigger(often.key).state == "PAUSED"
    assert scheduler.fire("DEFAULT/often").result(timeout=SOON) is None
    assert world.log.count() == paused_at + 1, "it ran when fired by hand, and never else"
    scheduler.resume(often.key)
    wait_for(lambda: world.log.count() >= paused_at + 3, world.log.lines)
    assert world.log.twice() == []
    scheduler.delete("DEFAULT/often")
    with pytest.raises(NotFound):
        scheduler.job("DEFAULT/often")


def test_thousands_at_once_and_some_cancelled(world: World, scheduler: Scheduler) -> None:
    later = datetime(2100, 1, 1, tzinfo=UTC)
    pairs = [
        (Job("e2e_jobs:add", name=f"job-{n}", data={"a": n, "b": 1}), once(later))
        for n in range(2000)
    ]
    accepted = scheduler.schedule_many(pairs)
    assert [trigger.job for trigger in accepted] == [f"DEFAULT/job-{n}" for n in range(2000)]
    assert len(scheduler.triggers(state="NORMAL")) == 2000
    assert scheduler.fire("DEFAULT/job-7").result(timeout=SOON) == 8

    # More than there are threads: the last ones wait.
    held = [scheduler.submit(Job("e2e_jobs:hold", data=world.data)) for _ in range(12)]
    wait_for(lambda: world.log.count("began") == 10, lambda: world.log.lines("began"))
    began = {line.firing for line in world.log.lines("began")}
    waiting = next(handle for handle in held if handle.key not in began)
    waiting.cancel()
    with pytest.raises(JobCancelled):
        waiting.result(timeout=SOON)
    (node,) = world.nodes.values()
    world.open_gate(node)
    for handle in held:
        if handle is not waiting:
            assert handle.result(timeout=SOON) is None
    assert waiting.key not in {line.firing for line in world.log.lines("began")}
