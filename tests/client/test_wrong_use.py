"""What users of the facade get wrong is told in words, where they write it."""

from __future__ import annotations

import pytest

import gridsched
from gridsched import Job, every
from gridsched.errors import ConfigurationError, InvalidJob, InvalidSchedule

HELLO = "gridsched.jobs.samples:hello"


@pytest.mark.parametrize("name", ["caf\udce9", "two\nlines", "x" * 201, 7])
def test_a_name_that_no_listing_can_show_is_refused(name) -> None:
    with pytest.raises(ConfigurationError, match="cannot be a node's name"):
        gridsched.start(name=name)


def test_what_is_no_job_no_trigger_or_no_text_is_refused_and_so_is_all_after_the_end() -> None:
    with gridsched.start(allowed_jobs=[HELLO]) as node:
        scheduler = node.scheduler
        with pytest.raises(InvalidJob, match=f"'{HELLO}' is no job: write Job"):
            scheduler.submit(HELLO)
        with pytest.raises(InvalidJob, match="None is no job"):
            scheduler.schedule(None, every(5))
        with pytest.raises(InvalidSchedule, match=r"'every 5' is no trigger: cron\(\)"):
            scheduler.schedule(Job(HELLO), "every 5")
        with pytest.raises(InvalidJob, match="DEFAULT/hello: a value is no text that UTF-8 holds"):
            scheduler.schedule(Job(HELLO, description="caf\udce9"), every(5))
        assert scheduler.jobs() == []
        with scheduler.session() as session, pytest.raises(InvalidJob, match="5 is no job"):
            session.submit(5)
    with pytest.raises(RuntimeError, match="it is closed: connect or start again"):
        scheduler.jobs()
