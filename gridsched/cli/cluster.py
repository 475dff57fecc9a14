"""Who is there: `cluster` and `members`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click

from gridsched.cli.output import Output, output_options, print_details, print_json
from gridsched.cli.remote import remote
from gridsched.client.blocking import Scheduler
from gridsched.clock import SystemClock
from gridsched.model.member import Member
from gridsched.policy.gate import waiting, waits

_BEAT_AGE: Final = 5000
"""A beat (ms) older than this is of a node that is gone, or whose clock is behind ours. A node
beats five times in a session timeout, whose default this is."""

_CLOCK_NOISE: Final = 100
"""A clock (ms) that is ahead of ours by less than this may be right."""


_RUNS: Final = "runs"
_STARTS: Final = "starts"


@click.command()
@click.argument("name", required=False)
@output_options
@remote
def members(scheduler: Scheduler, *, name: str | None, output: Output) -> None:
    """List the nodes, or show the one of NAME.

    CLOCK compares each node's last beat, by its own clock, with the clock here: roughly, as a beat
    may be seconds old.
    """
    if name is not None:
        output.one(scheduler.member(name))
        return
    now = SystemClock().now()
    output.many(
        scheduler.members(),
        {
            "member": lambda member: member.name,
            "state": lambda member: member.state,
            "timer": timer,
            "address": lambda member: member.address,
            "attributes": lambda member: ", ".join(
                f"{name}={value}" for name, value in member.attributes.items()
            ),
            "threads": lambda member: str(member.threads),
            "in hand": lambda member: str(member.in_hand),
            "started": lambda member: str(member.started),
            "completed": lambda member: str(member.completed),
            "failed": lambda member: str(member.failed),
            "beat": lambda member: str(member.beat),
            "clock": lambda member: clock(now - member.beat_at),
        },
    )


def timer(member: Member) -> str:
    """What the node's timer does, in words."""
    if member.state != "ACTIVE":
        return ""
    if waits(member, member.live):
        return waiting(member.server_count, member.live)
    return {"DELAYED": "in its delay", "WAITING": _STARTS, "RUNNING": _RUNS}[member.timer]


def clock(age: int) -> str:
    """What the age of a beat says of its node's clock."""
    if age < -_CLOCK_NOISE:
        return f"about {-age / 1000:.1f} s ahead"
    if age > _BEAT_AGE:
        return f"{age / 1000:.0f} s behind, or gone"
    return "good"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@remote
def cluster(scheduler: Scheduler, *, as_json: bool) -> None:
    """Sum up the cluster: its grid, its nodes, what they look after and how that goes."""
    summary = _summary(scheduler)
    if as_json:
        print_json(summary)
    else:
        print_details(_in_words(summary))


def _summary(scheduler: Scheduler) -> dict[str, Any]:
    nodes = scheduler.members()
    owners = scheduler.owners()
    return {
        "grid_members": [
            {"uuid": member.uuid, "address": member.address} for member in scheduler.grid_members()
        ],
        "nodes": [{"name": node.name, "state": node.state} for node in nodes],
        "start_gate": _start_gate(nodes),
        "partition_count": len(owners),
        "partitions": dict(sorted(Counter(owner for owner in owners if owner).items())),
        "jobs": len(scheduler.jobs()),
        "triggers": _by_state(trigger.state for trigger in scheduler.triggers()),
        "firings": _by_state(firing.state for firing in scheduler.firings()),
        "self_check": {
            "mended": sum(node.mended for node in nodes),
            "unexplained": [key for node in nodes for key in node.unexplained],
        },
    }


def _start_gate(nodes: Sequence[Member]) -> dict[str, Any]:
    """Open once a node fires; `waiting` has those that do not yet, each with the reason."""
    said = {node.name: timer(node) for node in nodes if node.state == "ACTIVE"}
    idle = {name: why for name, why in said.items() if why not in (_RUNS, _STARTS)}
    return {
        "active": len(said),
        "needed": max((node.server_count for node in nodes), default=1),
        "open": len(idle) < len(said),
        "waiting": idle,
    }


def _by_state(states: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(states).items()))


def _in_words(summary: dict[str, Any]) -> dict[str, str]:
    grid = [member["address"] for member in summary["grid_members"]]
    return {
        "grid": f"{_count(len(grid), 'member')}: {', '.join(grid)}",
        "nodes": _nodes_in_words(summary["nodes"]),
        "start gate": _gate_in_words(summary["start_gate"]),
        "partitions": _partitions_in_words(summary),
        "jobs": str(summary["jobs"]),
        "triggers": _states_in_words(summary["triggers"]),
        "firings": _states_in_words(summary["firings"]),
        "self-check": _check_in_words(summary["self_check"]),
    }


def _nodes_in_words(nodes: Sequence[dict[str, str]]) -> str:
    active = [node["name"] for node in nodes if node["state"] == "ACTIVE"]
    others = [f"{node['name']} {node['state']}" for node in nodes if node["state"] != "ACTIVE"]
    said = f"{len(active)} active: {', '.join(active)}" if active else "none is active"
    return "; ".join([said, *others])


def _gate_in_words(gate: dict[str, Any]) -> str:
    if not gate["active"]:
        return "nothing fires until a node is started (gridsched start)"
    reasons: dict[str, list[str]] = {}
    for node, why in gate["waiting"].items():
        reasons.setdefault(why, []).append(node)
    said = [f"{why}: {', '.join(names)}" for why, names in reasons.items()]
    if gate["open"]:
        said.insert(0, f"open: {gate['active']} active, {gate['needed']} needed")
    return "; ".join(said)


def _partitions_in_words(summary: dict[str, Any]) -> str:
    if not summary["partitions"]:
        return f"{summary['partition_count']}: nobody looks after them"
    shares = ", ".join(f"{name} {count}" for name, count in summary["partitions"].items())
    return f"{summary['partition_count']}: {shares}"


def _states_in_words(states: dict[str, int]) -> str:
    total = sum(states.values())
    return f"{total}: {', '.join(f'{n} {s}' for s, n in states.items())}" if total else "0"


def _check_in_words(check: dict[str, Any]) -> str:
    said = [f"{_count(check['mended'], 'record')} mended"] if check["mended"] else []
    said += [f"no law explains {key}" for key in check["unexplained"]]
    return "; ".join(said) or "nothing odd"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
