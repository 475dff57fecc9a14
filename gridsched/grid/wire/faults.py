"""What a test lets go wrong between the grid and its clients."""

from __future__ import annotations


class Faults:
    """`lose_events` loses the events of entries, items and messages; `answer_delay` is the seconds
    by which every answer is late.
    """

    __slots__ = ("answer_delay", "lose_events")

    def __init__(self) -> None:
        self.lose_events = False
        self.answer_delay = 0.0
