"""From the raw moments of a case to its figures."""

from __future__ import annotations

from typing import Any

from benchmarks.cases import EMBEDDED, ONE_NODE, Case

Raw = dict[str, Any]
"""What a child hands over: `samples`, `seconds`, `cpu_seconds`, `rss_mb` … as its scenario has it."""

UNITS = {
    "rate": "firings/s",
    "submitted": "triggers/s",
    "p50": "ms late, p50",
    "p99": "ms late, p99",
    "max": "ms late, max",
    "early": "fired early",
    "missed": "missed",
    "duplicates": "duplicates",
    "wrong": "wrong outcomes",
    "done": "outcomes/s",
    "started_p50": "ms from submission to start, p50",
    "started_p99": "ms from submission to start, p99",
    "cpu": "CPU us a firing",
    "get": "get/s",
    "set": "set/s",
    "replace": "replace_if_same/s",
    "queue": "items/s, add_all and drain_to",
    "rss": "MB",
    "peak": "MB, peak",
}

AT_LEAST = frozenset({"rate", "submitted", "done", "get", "set", "replace", "queue"})
"""Figures of which more is better; of all others less is."""

_TARGETS = {
    ("herd", 10_000, "async", "rate"): {EMBEDDED: 25_000, ONE_NODE: 5_000},
    ("herd", 10_000, "thread", "rate"): {EMBEDDED: 10_000, ONE_NODE: 4_000},
    ("steady", 1000, "async", "missed"): {EMBEDDED: 0, ONE_NODE: 0},
    ("steady", 1000, "async", "duplicates"): {EMBEDDED: 0, ONE_NODE: 0},
    ("steady", 1000, "async", "p99"): {EMBEDDED: 5, ONE_NODE: 15},
    ("http", 1000, "http", "missed"): {EMBEDDED: 0},
    ("http", 1000, "http", "duplicates"): {EMBEDDED: 0},
    ("http", 1000, "http", "p99"): {EMBEDDED: 50},
    ("submit", 10_000, "async", "submitted"): {EMBEDDED: 15_000, ONE_NODE: 4_000},
    ("session", 10_000, "async", "wrong"): {EMBEDDED: 0, ONE_NODE: 0},
    ("session", 10_000, "async", "started_p50"): {EMBEDDED: 10, ONE_NODE: 10},
    ("burst", 10_000, "async", "wrong"): {EMBEDDED: 0, ONE_NODE: 0},
    ("memory", 100_000, "async", "rss"): {EMBEDDED: 300, ONE_NODE: 150},
}


def target(case: Case, figure: str) -> float | None:
    """What is to be reached, None where nothing is, as with the smaller loads of a quick run."""
    scenario = "burst" if case.scenario == "session" and not case.seconds else case.scenario
    name = (scenario, case.count, case.kind, figure)
    return _TARGETS.get(name, {}).get(case.subject)


def reached(figure: str, value: float, wanted: float) -> bool:
    return value >= wanted if figure in AT_LEAST else value <= wanted


def figures(case: Case, raw: Raw) -> dict[str, float]:
    """The figures of a case, in the order they are shown."""
    match case.scenario:
        case "herd":
            return _herd(case, raw) | _lateness(raw) | _counts(case, raw) | _cpu(raw)
        case "steady" | "http":
            return _lateness(raw) | _counts(case, raw) | _cpu(raw)
        case "submit":
            return {"submitted": case.count / raw["seconds"]}
        case "calls":
            rates: dict[str, float] = raw["rates"]
            return rates
        case "session":
            return _session(case, raw)
        case _:
            return {"rss": raw["rss_mb"], "peak": raw["peak_mb"]}


def _herd(case: Case, raw: Raw) -> dict[str, float]:
    samples = raw["samples"]
    if not samples:
        return {"rate": 0.0}
    instant = samples[0][1]
    return {"rate": len(samples) / max(1e-9, max(started for _, _, started in samples) - instant)}


def _session(case: Case, raw: Raw) -> dict[str, float]:
    """A job's instant is when it was submitted, in whole milliseconds rounded down."""
    late = _lateness(raw)
    counts = _counts(case, raw)
    return {
        "done": case.count / raw["seconds"],
        "started_p50": late.get("p50", 0.0),
        "started_p99": late.get("p99", 0.0),
        "wrong": raw["wrong"],
        "missed": counts["missed"],
        "duplicates": counts["duplicates"],
    } | _cpu(raw)


def _lateness(raw: Raw) -> dict[str, float]:
    late = sorted((started - scheduled) * 1000 for _, scheduled, started in raw["samples"])
    if not late:
        return {}
    return {"p50": _quantile(late, 0.5), "p99": _quantile(late, 0.99), "max": late[-1]}


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def _counts(case: Case, raw: Raw) -> dict[str, float]:
    """An instant of a trigger is seen once, missed, or a duplicate; it never counts as both."""
    samples = raw["samples"]
    instants = {(key, round(scheduled * 1000)) for key, scheduled, _ in samples}
    early = sum(started < scheduled for _, scheduled, started in samples)
    return {
        "missed": case.expected - len(instants),
        "duplicates": len(samples) - len(instants),
        "early": early,
    }


def _cpu(raw: Raw) -> dict[str, float]:
    """CPU time is what a busy machine distorts least."""
    if not raw["samples"]:
        return {}
    return {"cpu": raw["cpu_seconds"] * 1e6 / len(raw["samples"])}
