"""What becomes of a trigger when a run of its job has ended: Quartz's CompletedExecutionInstruction."""

from __future__ import annotations

from typing import Literal

from gridsched.model.trigger import Trigger

Request = Literal["refire", "unschedule_trigger", "unschedule_all"]
"""What a job may ask for as it ends (the flags of Quartz's JobExecutionException)."""

Instruction = Literal[
    "NOOP",
    "RE_EXECUTE_JOB",
    "SET_TRIGGER_COMPLETE",
    "SET_ALL_JOB_TRIGGERS_COMPLETE",
    "DELETE_TRIGGER",
]

_OF_REQUEST: dict[Request, Instruction] = {
    "refire": "RE_EXECUTE_JOB",
    "unschedule_trigger": "SET_TRIGGER_COMPLETE",
    "unschedule_all": "SET_ALL_JOB_TRIGGERS_COMPLETE",
}


def execution_complete(trigger: Trigger, request: Request | None = None) -> Instruction:
    """The instruction for a trigger whose job asked for `request` (None: it ended well, or failed).

    The rule is that of Quartz's AbstractTrigger.executionComplete: a request comes first, and a
    trigger that may not fire again is deleted.
    """
    if request is not None:
        return _OF_REQUEST[request]
    return "NOOP" if trigger.next_fire is not None else "DELETE_TRIGGER"
