"""Answers rows of an oracle table: JSON lines of inputs on stdin, JSON lines of answers on stdout.

    python tests/oracle/adapter.py TABLE

Each table is one function from a row's inputs to its answers, by calls of gridsched's public policy
functions and nothing else. Quartz answered with its own way of taking clock changes, so every
answer asks for that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from gridsched.errors import InvalidCron
from gridsched.policy import cron
from gridsched.policy.cron_parse import parse
from gridsched.policy.localtime import QUARTZ

Row = dict[str, Any]


def _fires(row: Row) -> list[int]:
    expression = parse(row["expr"])
    fires: list[int] = []
    at: int | None = row["start"]
    while len(fires) < row["n"]:
        at = cron.next_fire(expression, row["zone"], at, QUARTZ)
        if at is None:
            break
        fires.append(at)
    return fires


def answer_cron(row: Row) -> Row:
    return {"fires": _fires(row)}


def answer_cron_invalid(row: Row) -> Row:
    try:
        return {"valid": True, "fires": _fires(row)}
    except InvalidCron:
        return {"valid": False, "fires": None}


ANSWERS: dict[str, Callable[[Row], Row]] = {
    "cron": answer_cron,
    "cron_invalid": answer_cron_invalid,
}


def main() -> None:
    table = sys.argv[1] if len(sys.argv) == 2 else ""
    if table not in ANSWERS:
        sys.exit(f"usage: adapter.py TABLE, where TABLE is one of: {', '.join(sorted(ANSWERS))}")
    for line in sys.stdin:
        try:
            answer = ANSWERS[table](json.loads(line))
        except Exception as error:  # one bad row must not hide the others
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
