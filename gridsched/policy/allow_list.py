"""Which targets a node may run."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase


def allowed(target: str, patterns: Sequence[str]) -> bool:
    """Whether `target` ("shop.tasks:restock") matches one of `patterns` ("shop.tasks:*").

    Patterns are the shell's: `*` any text, `?` one character, `[ab]` one of these; upper and lower
    case differ. Without patterns nothing is allowed: a target is code that somebody else names.
    """
    return any(fnmatchcase(target, pattern) for pattern in patterns)
