"""Real processes and threads: what is cancelled ends, what yields goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import wait_for

import gridsched
from gridsched import Job
from gridsched.client.blocking import Scheduler
from gridsched.errors import JobCancelled

SOON = 40.0

NODE = """
import sys, time
import gridsched
with gridsched.start(allowed_jobs=["e2e_jobs:*"]) as node:
    data = {"file": sys.argv[1]}
    node.scheduler.submit(gridsched.Job("e2e_jobs:sleep_for_ever", executor="process", data=data))
    time.sleep(3600)
"""


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    with gridsched.start(allowed_jobs=["e2e_jobs:*"]) as node:
        yield node.scheduler


def is_there(process: int) -> bool:
    """One that has ended is not, though its parent may not have asked for its end yet."""
    try:
        os.kill(process, 0)
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # it ended just now, or there is no such file on this system
        return sys.platform != "linux"


def test_a_cancelled_process_job_is_gone(scheduler: Scheduler, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    handle = scheduler.submit(
        Job("e2e_jobs:sleep_for_ever", executor="process", data={"file": str(file)})
    )
    wait_for(lambda: file.exists() and file.read_text() != "", handle.firing, SOON)
    process = int(file.read_text())
    assert is_there(process)
    handle.cancel()
    with pytest.raises(JobCancelled):
        handle.result(timeout=SOON)
    wait_for(lambda: not is_there(process), handle.firing, SOON)
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


@pytest.mark.skipif(sys.platform != "linux", reason="no other system ends it")
def test_a_process_ends_with_its_node_however_that_ends(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    paths = os.pathsep.join(path for path in sys.path if path)
    node = subprocess.Popen(
        [sys.executable, "-c", NODE, str(file)], env={**os.environ, "PYTHONPATH": paths}
    )
    try:
        wait_for(lambda: file.exists() and file.read_text() != "", within=SOON)
    finally:
        node.kill()
        node.wait()
    process = int(file.read_text())
    wait_for(lambda: not is_there(process))
