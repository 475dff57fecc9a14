"""A picture of lateness over time: one SVG, without a library, for it is a hundred rectangles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from gridsched.simulation.summary import Late

_WIDTH: Final = 960
_HEIGHT: Final = 320
_LEFT: Final = 70
_TOP: Final = 40
_BUCKETS: Final = 160
_MARKS: Final = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
"""Lateness in ms at which the picture has a line; the scale is logarithmic."""


def lateness_picture(title: str, lateness: Sequence[Late]) -> str:
    """An SVG with the median and the worst lateness in each part of the time."""
    body = "\n".join([*_scale(), *_bars(lateness), *_times(lateness)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>\n{body}\n</svg>\n'
    )


def _height(late: int) -> float:
    """Where a lateness lies: 0 is the bottom of the picture, 1 its top."""
    return min(1.0, math.log10(max(late, 1)) / math.log10(_MARKS[-1]))


def _y(late: int) -> float:
    return _HEIGHT - 40 - _height(late) * (_HEIGHT - 40 - _TOP)


def _scale() -> Iterator[str]:
    for mark in _MARKS:
        label = f"{mark} ms" if mark < 1000 else f"{mark // 1000} s"
        y = _y(mark)
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _bars(lateness: Sequence[Late]) -> Iterator[str]:
    if not lateness:
        return
    first, span = lateness[0].scheduled, max(1, lateness[-1].scheduled - lateness[0].scheduled)
    buckets: list[list[int]] = [[] for _ in range(_BUCKETS)]
    for each in lateness:
        at = min(_BUCKETS - 1, (each.scheduled - first) * _BUCKETS // span)
        buckets[at].append(max(0, each.late))
    width = (_WIDTH - 10 - _LEFT) / _BUCKETS
    for number, bucket in enumerate(buckets):
        if bucket:
            x, worst, middle = _LEFT + number * width, max(bucket), sorted(bucket)[len(bucket) // 2]
            yield _bar(x, width, worst, "#e8a33d", "worst")
            yield _bar(x, width, middle, "#2f6f9f", "median")


def _bar(x: float, width: float, late: int, colour: str, what: str) -> str:
    y = _y(late)
    height = _HEIGHT - 40 - y
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(1.0, width - 1):.1f}" height="{height:.1f}" '
        f'fill="{colour}"><title>{what} {late} ms</title></rect>'
    )


def _times(lateness: Sequence[Late]) -> Iterator[str]:
    if lateness:
        ends = ((_LEFT, "start", lateness[0]), (_WIDTH - 10, "end", lateness[-1]))
        for x, anchor, late in ends:
            moment = datetime.fromtimestamp(late.scheduled / 1000, UTC)
            text = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
            yield f'<text x="{x}" y="{_HEIGHT - 14}" text-anchor="{anchor}">{text}</text>'
