"""Immediate work: a job that runs once, now."""

from __future__ import annotations

from msgspec.structs import replace

from gridsched.client.submitter import Submitter
from gridsched.client.triggers import once
from gridsched.clock import Ids
from gridsched.errors import InvalidJob
from gridsched.model.job import Job, check_job, usual_name
from gridsched.model.keys import firing_key, job_of, parse_key, trigger_key
from gridsched.model.submission import ScheduleJob, Submission
from gridsched.policy.event_checks import check_events
from gridsched.policy.submissions import MANUAL_GROUP


def immediate(job: Job, submitter: Submitter, ids: Ids) -> Submission:
    """The submission that runs a job once, now; its trigger has the submission's id for its name. A
    job without a name gets a new one. InvalidJob where it cannot be accepted."""
    check_is_job(job)
    if not job.name:
        job = replace(job, name=f"{usual_name(job)}-{ids()}")
    check_job(job)
    check_events(job)
    made = submitter.make(job.key, None)
    return replace(made, command=ScheduleJob(job, (once(name=made.id, group=MANUAL_GROUP),)))


def check_is_job(given: object) -> None:
    """InvalidJob where somebody gives a target, say, for a job."""
    if not isinstance(given, Job):
        raise InvalidJob(f"{given!r} is no job: write Job('package.module:function')")


def firing_of(submission: Submission) -> str:
    """The key of the firing that immediate work becomes."""
    return firing_key(
        trigger_key(submission.job, MANUAL_GROUP, submission.id), submission.created_at
    )


def submission_of(firing: str) -> Submission:
    """What the submission of that firing was, as far as its key says: nothing of its command."""
    parts = parse_key(firing)
    at = parts.scheduled or 0
    return Submission(parts.trigger_name or "", job_of(firing), None, created_at=at)
