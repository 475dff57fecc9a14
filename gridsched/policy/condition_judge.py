"""What every language makes of a condition: a judge of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Judge = Callable[[Any], bool]
"""Says whether a condition holds on a value; may raise Unsuitable, or what its language raises."""


class Unsuitable(Exception):
    """The value is not what the condition expects. The text says in what way."""
