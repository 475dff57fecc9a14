"""The pages of the documentation, and what stands in them: links, headings, blocks of code.

Three conventions make a block of code testable:

- its language is on the fence: ```python, ```xml, ```sh, ```text;
- a block whose first line is a comment with a file's name alone (`# shop/tasks.py`,
  `<!-- shop.xml -->`) is that file, which the other blocks of its page may use;
- a ```text block right after a ```python or ```sh block is what that prints. `…` in it is any text;
  a line of `…` alone is any number of lines.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path
from typing import Final, NamedTuple

REPOSITORY: Final = Path(__file__).parents[2]
PAGES: Final = sorted(
    [
        *(REPOSITORY / name for name in ("README.md", "CHANGELOG.md", "benchmarks/README.md")),
        *(REPOSITORY / "docs").glob("*.md"),
    ]
)

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"\A(?:# ([\w./-]+\.\w+)|<!-- ([\w./-]+\.\w+) -->)\n")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block. `prints` is the text block right behind it, where there is one."""

    page: Path
    line: int
    language: str
    text: str
    prints: str | None

    @property
    def file(self) -> str | None:
        """The name of the file that this block is."""
        named = _FILE.match(self.text)
        return (named[1] or named[2]) if named else None

    def __str__(self) -> str:
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    text = page.read_text("utf-8")
    found = list(_BLOCK.finditer(text))
    made: list[Block] = []
    for match, following in zip_longest(found, found[1:]):
        prints = None
        if (
            following
            and following[1] == "text"
            and not text[match.end() : following.start()].strip()
        ):
            prints = following[2]
        made.append(Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2], prints))
    return made


def blocks_of(*languages: str) -> list[Block]:
    """The blocks in these languages, of every page."""
    return [block for page in PAGES for block in blocks(page) if block.language in languages]


def prose(page: Path) -> str:
    """A page without its blocks."""
    return _BLOCK.sub("", page.read_text("utf-8"))


def links(page: Path) -> list[str]:
    """The targets of a page's links, as they are written."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(prose(page))
    }


def as_pattern(prints: str) -> re.Pattern[str]:
    """What a text block allows a command to print. Blanks at the end of a line do not count."""
    lines = [
        r"(?:.*\n)*"
        if line.strip() == "…"
        else re.escape(line.rstrip()).replace("…", ".*") + r" *\n"
        for line in prints.splitlines()
    ]
    return re.compile("".join(lines))
