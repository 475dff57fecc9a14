"""Whatever a job raises, says, returns or leaves: its run has an end, and its node goes on."""

from __future__ import annotations

import logging
import sys

import pytest

from gridsched.errors import SubmissionRejected
from gridsched.jobs.plain import MAX_WORDS, plain, words_of
from gridsched.model.job import Job


@pytest.fixture(autouse=True)
def _unlogged(caplog):
    """What these jobs raise is no UTF-8: a log of it could not be sent on by a worker of xdist."""
    caplog.set_level(logging.CRITICAL, "gridsched")


@pytest.mark.parametrize(
    ("function", "state", "error"),
    [
        ("miss_a_file", "FAILED", "FileNotFoundError: caf\\udce9"),
        ("progress_at_a_file", "COMPLETE", ""),
        ("leave_the_name_of_a_file", "FAILED", "no text that UTF-8 holds"),
        ("leave_what_holds_itself", "FAILED", "nested too deep, or holds itself"),
        ("return_the_name_of_a_file", "FAILED", "what it returned is not JSON"),
        ("raise_what_says_nothing", "FAILED", "_Mute: it does not say why"),
        ("leave_the_process", "FAILED", "SystemExit: 3"),
        ("progress_by_fractions", "COMPLETE", ""),
    ],
)
async def test_what_a_job_does_hurts_no_other(cluster, function, state, error):
    c = cluster()
    node = await c.node("a")
    client = await c.client()
    handle = await client.submit(
        Job(f"jobs_under_test:{function}", persist_data=function.startswith("leave"))
    )
    await c.pass_time(5)
    firing = await handle.firing()
    assert (firing.state, error in firing.error) == (state, True)
    assert await (await client.submit(Job("jobs_under_test:note"))).result(timeout=5) == 1
    assert node.parts.shell.in_hand == 0
    assert not any(service.failures for service in node.services())


async def test_the_place_of_an_exit_is_the_jobs_own(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    handle = await client.submit(Job("jobs_under_test:leave_the_process"))
    await c.pass_time(2)
    assert "jobs_under_test.py:" in (await handle.firing()).error


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise SystemExit(5)", "SystemExit: 5"),
        ("raise ValueError('caf\\udce9')", r"ValueError: caf.udce9"),
        ("def __getattr__(name): raise RuntimeError('not today')", "RuntimeError: not today"),
    ],
)
async def test_a_module_that_ends_who_imports_it_does_not_end_the_node(
    cluster, tmp_path, monkeypatch, code, error
):
    (tmp_path / "ends_at_import.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "ends_at_import", raising=False)
    c = cluster(allowed_jobs=("jobs_under_test:*", "ends_at_import:*"))
    node = await c.node("a")
    client = await c.client()
    with pytest.raises(SubmissionRejected, match=f"cannot be imported: {error}"):
        await client.submit(Job("ends_at_import:job"))
    assert await (await client.submit(Job("jobs_under_test:note"))).result(timeout=5) == 1
    assert not any(service.failures for service in node.services())


async def test_what_a_hook_says_is_written_plainly(cluster):
    c = cluster()
    node = await c.node("a")
    node.hooks.remove(c.runs)
    c.runs.on_starting = lambda firing: "caf\udce9"
    node.hooks.add(c.runs)
    client = await c.client()
    handle = await client.submit(Job("jobs_under_test:note"))
    await c.pass_time(2)
    firing = await handle.firing()
    assert (firing.state, firing.error) == ("CANCELLED", "caf\\udce9")


def test_what_is_plain_stays_as_it_is():
    assert plain("café \N{SNOWMAN}") == "café \N{SNOWMAN}"
    assert words_of(ValueError("café")) == "café"


def test_of_a_long_error_the_record_keeps_the_beginning():
    assert words_of(ValueError("x" * MAX_WORDS)) == "x" * MAX_WORDS
    assert words_of(ValueError("x" * 1_000_000)) == "x" * MAX_WORDS + " …"
