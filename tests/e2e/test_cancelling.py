"""Real processes and threads: what is cancelled ends, what yields goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import wait_for

import gridsched
from gridsched import Job
from gridsched.client.blocking import Scheduler
from gridsched.errors import JobCancelled

SOON = 20.0


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    with gridsched.start(allowed_jobs=["e2e_jobs:*"]) as node:
        yield node.scheduler


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_cancelled_process_job_is_gone_within_a_second(
    scheduler: Scheduler, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    handle = scheduler.submit(
        Job("e2e_jobs:sleep_for_ever", executor="process", data={"file": str(file)})
    )
    wait_for(lambda: file.exists() and file.read_text() != "", handle.firing, SOON)
    process = int(file.read_text())
    assert is_there(process)
    cancelled_at = time.perf_counter()
    handle.cancel()
    with pytest.raises(JobCancelled):
        handle.result(timeout=1)
    wait_for(lambda: not is_there(process), handle.firing, SOON)
    assert time.perf_counter() - cancelled_at < 1.0
    again = scheduler.submit(Job("e2e_jobs:whose", executor="process"))
    assert again.result(timeout=SOON) not in (process, os.getpid()), "the node goes on"


def test_a_cancelled_thread_is_told_and_no_longer_waited_for(
    scheduler: Scheduler, tmp_path: Path
) -> None:
    file = tmp_path / "seen"
    handle = scheduler.submit(Job("e2e_jobs:until_cancelled", data={"file": str(file)}))
    wait_for(lambda: handle.state() == "EXECUTING", handle.firing, SOON)
    handle.cancel()
    wait_for(file.exists, handle.firing, SOON)
    (member,) = scheduler.members()
    wait_for(lambda: scheduler.members()[0].in_hand == 0, lambda: member, SOON)


@pytest.mark.parametrize("executor", ["thread", "process"])
def test_a_job_yields_and_goes_on_from_its_checkpoint(scheduler: Scheduler, executor: str) -> None:
    handle = scheduler.submit(Job("e2e_jobs:in_turns", executor=executor))
    pids = handle.result(timeout=SOON)
    assert len(pids) == 3
    assert (set(pids) == {os.getpid()}) == (executor == "thread")
    assert handle.firing().message == "turn 3"
