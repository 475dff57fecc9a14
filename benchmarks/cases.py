"""What is measured: each case is one scenario on one subject, run in a fresh child process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

EMBEDDED = "embedded"
ONE_NODE = "Hazelcast, 1 node"
TWO_NODES = "Hazelcast, 2 nodes"
WIRE_1 = "wire, 1 node"
WIRE_2 = "wire, 2 nodes"
APSCHEDULER_3 = "APScheduler 3"
APSCHEDULER_4 = "APScheduler 4"

SUBJECTS = (EMBEDDED, WIRE_1, WIRE_2, ONE_NODE, TWO_NODES, APSCHEDULER_3, APSCHEDULER_4)
GRIDS = {
    "embedded": (EMBEDDED,),
    "wire": (WIRE_1, WIRE_2),
    "hazelcast": (ONE_NODE, TWO_NODES),
    "peers": (APSCHEDULER_3, APSCHEDULER_4),
}
HAZELCAST = GRIDS["hazelcast"]
NODES = {WIRE_1: 1, WIRE_2: 2, ONE_NODE: 1, TWO_NODES: 2}
SCENARIOS = ("herd", "steady", "http", "submit", "session", "memory", "calls")
SUBJECTS_OF = {
    "memory": (EMBEDDED, ONE_NODE),
    "http": (EMBEDDED,),
    "calls": (WIRE_1, ONE_NODE),
    "session": (EMBEDDED, *NODES),
}
"""The scenarios that do not run on every subject."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario on one subject.

    count     triggers, or calls of each kind
    kind      of the jobs: "async" functions on the loop, plain ones in threads, or HTTP tasks
    seconds   how long a steady load lasts; each trigger fires once a second. In a session: how long
              the submissions take that are made one by one; 0: all are made at once
    pace      triggers a second that scheduling is sure to reach; decides how far ahead the first
              instant is, for all of it is to be scheduled well before
    warm_up   firings made before anything is measured: a real member's first are its slowest,
              for its machine code is not compiled yet
    settings  of the node, where the defaults are not meant
    """

    scenario: str
    subject: str
    count: int
    kind: Literal["async", "thread", "http"] = "async"
    seconds: int = 0
    pace: int = 1000
    warm_up: int = 0
    settings: dict[str, int] = {}

    @property
    def name(self) -> str:
        """What the case is called in the table, without its subject."""
        match self.scenario:
            case "herd":
                return f"herd of {self.count:,}, {self.kind} jobs"
            case "steady" | "http":
                what = "HTTP tasks" if self.kind == "http" else "steady"
                return f"{what}, {self.count:,}/s for {self.seconds} s"
            case "submit":
                return f"submit {self.count:,} in bulk"
            case "calls":
                return f"{self.count:,} calls of the grid"
            case "session":
                pace = f"{self.count // self.seconds}/s" if self.seconds else "at once"
                return f"session, {self.count:,} jobs, {pace}"
            case _:
                return f"memory, {self.count:,} triggers"

    @property
    def expected(self) -> int:
        """Firings that there should be."""
        if self.scenario == "session":
            return self.count
        return self.count * max(1, self.seconds)

    @property
    def lead(self) -> float:
        """Seconds from now to the first instant."""
        return 3.0 + self.count / self.pace


def cases(scenarios: list[str], subjects: list[str], *, quick: bool) -> Iterator[Case]:
    """The cases of one run: side by side, so that what the machine does else meets all alike."""
    share = 10 if quick else 1
    for scenario in scenarios:
        for base in _of(scenario, share):
            for subject in subjects:
                if subject in SUBJECTS_OF.get(scenario, SUBJECTS):
                    yield _on(base, subject, share)


def _of(scenario: str, share: int) -> list[Case]:
    many = 10_000 // share
    match scenario:
        case "herd":
            return [
                Case(scenario="herd", subject="", count=many, kind=kind)
                for kind in ("async", "thread")
            ]
        case "steady" | "http":
            return list(_steady(scenario, quick=share > 1))
        case "submit":
            return [Case(scenario="submit", subject="", count=many)]
        case "calls":
            return [Case(scenario="calls", subject="", count=2 * many)]
        case "session":
            return [
                Case(scenario="session", subject="", count=many, seconds=seconds)
                for seconds in (50 // share, 0)
            ]
        case _:
            return [Case(scenario="memory", subject="", count=10 * many)]


def _steady(scenario: str, *, quick: bool) -> Iterator[Case]:
    """Triggers that fire every second. A thread waits for each answer of a service."""
    if scenario == "http":
        settings = {"max_threads": 32}
        seconds = 5 if quick else 60
        yield Case(
            scenario=scenario,
            subject="",
            count=1000,
            kind="http",
            seconds=seconds,
            settings=settings,
        )
        return
    for rate in (200, 1000):
        yield Case(scenario=scenario, subject="", count=rate, seconds=5 if quick else 20)


def _on(base: Case, subject: str, share: int) -> Case:
    real = subject in HAZELCAST and base.scenario != "memory"
    return msgspec.structs.replace(
        base,
        subject=subject,
        warm_up=10_000 // share if real else 0,
        pace=2500 if subject == EMBEDDED else 1000,
    )
