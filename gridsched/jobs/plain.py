"""What jobs say, as text that every record can hold: a job may raise and report anything."""

from __future__ import annotations

from typing import Final

MAX_WORDS: Final = 2000
"""Characters of an error that a firing's record keeps: it lies in memory, and the log has them all."""


def plain(text: str) -> str:
    """Text without what UTF-8 cannot hold: a lone surrogate, as in the name of a file that is no
    UTF-8, is written `\\udce9`."""
    return text.encode(errors="backslashreplace").decode()


def words_of(error: BaseException) -> str:
    """What an error says of itself, though it may fail at that too; of a long text the beginning."""
    try:
        text = str(error)
    except Exception:
        return "it does not say why"
    return plain(text if len(text) <= MAX_WORDS else f"{text[:MAX_WORDS]} …")
