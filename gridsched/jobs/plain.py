"""What jobs say, as text that every record can hold: a job may raise and report anything."""

from __future__ import annotations


def plain(text: str) -> str:
    """Text without what UTF-8 cannot hold: a lone surrogate, as in the name of a file that is no
    UTF-8, is written `\\udce9`."""
    return text.encode(errors="backslashreplace").decode()


def words_of(error: BaseException) -> str:
    """What an error says of itself, though it may fail at that too."""
    try:
        return plain(str(error))
    except Exception:
        return "it does not say why"
