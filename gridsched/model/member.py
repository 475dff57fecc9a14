"""A node of the scheduler as the others see it (CoherenceScheduler's TaskProcessorInstance)."""

from __future__ import annotations

from typing import Literal

import msgspec

from gridsched.model.caches import RETENTION_MS
from gridsched.model.encoding import always

MemberState = Literal["JOINING", "ACTIVE", "LEAVING"]
TimerState = Literal["DELAYED", "WAITING", "RUNNING"]


class LedgerRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """By what a node claims and forgets (ms; see `Settings`): what a reader of the ledger has to know.

    kept   so many final firings of a trigger are kept, the latest; None: all, until they are too old
    """

    look_ahead: int = 1000
    misfire_threshold: int = 60_000
    session_timeout: int = 5000
    retention: int = RETENTION_MS
    kept: int | None = None


class Member(msgspec.Struct, frozen=True, omit_defaults=True):
    """One node. Its name is its id.

    incarnation  new at every start, so that a restarted node is not taken for the one before
    ip           IP address of its machine, as seen from the grid; "": not known
    beside       uuid of the grid member in the same process; "" for a plain client of the grid
    beat         counted up by the node itself; the others see it change, or not
    beat_at      the node's wall clock at that beat (epoch ms), for measuring skew
    timer        in its delay, waiting at the start gate for `server_count` nodes, or running
    live         active nodes that it sees beating, itself included
    in_hand      firings it holds or runs now
    mended       records that no law explained, and that its self-check has put right
    unexplained  keys of records that no law explains, and that a person must look at
    rules        by what it claims and forgets
    """

    name: str
    incarnation: str
    address: str = ""
    ip: str = ""
    beside: str = ""
    threads: int = 0
    queue_capacity: int = 0
    server_count: int = 1
    attributes: dict[str, str] = {}
    state: MemberState = always("JOINING")
    started_at: int = 0
    beat: int = 0
    beat_at: int = 0
    timer: TimerState = "WAITING"
    live: int = 0
    in_hand: int = 0
    started: int = 0
    completed: int = 0
    failed: int = 0
    stale: int = 0
    mended: int = 0
    unexplained: tuple[str, ...] = ()
    rules: LedgerRules = LedgerRules()
