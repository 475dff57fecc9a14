"""The child process that judges conditions: a question in, an answer out, each a line of JSON.

An XPath cannot be interrupted, and what a condition costs on a hostile result nobody can say: so a
process judges them, and the system ends it when it takes too long.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import Any, Final

import msgspec

from gridsched.model.events import Condition
from gridsched.policy.condition_judge import Unsuitable
from gridsched.policy.conditions import holds

SECONDS: Final = 2.0
"""Processor time that judging one condition may take."""

MEMORY: Final = 2**30
"""Bytes that the process may have."""


class Question(msgspec.Struct, frozen=True):
    """Does the condition hold on this?"""

    condition: Condition
    value: Any


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """It does or not; or why it could not be judged."""

    holds: bool = False
    error: str = ""


def answer(question: Question) -> Answer:
    """Judge one condition."""
    try:
        return Answer(holds(question.condition, question.value))
    except Unsuitable as error:
        return Answer(error=str(error))


def main() -> None:
    import resource  # there is none on Windows, where nothing is judged but a node may run

    with contextlib.suppress(ValueError, OSError):  # it has less already
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    decode = msgspec.json.Decoder(Question).decode
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        said = answer(decode(line))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
        sys.stdout.buffer.flush()
