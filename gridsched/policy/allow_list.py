"""Allow-lists of patterns: which targets a node may run, which secrets a request may name."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase


def allowed(name: str, patterns: Sequence[str]) -> bool:
    """Whether `name` ("shop.tasks:restock") matches one of `patterns` ("shop.tasks:*").

    Patterns are the shell's: `*` any text, `?` one character, `[ab]` one of these; upper and lower
    case differ. Without patterns nothing is allowed: somebody else gives the name.
    """
    return any(fnmatchcase(name, pattern) for pattern in patterns)
