"""docs/cli.md is what the commands say of themselves."""

from __future__ import annotations

from cli_reference import PAGE, reference


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == reference(), "run python tests/cli/cli_reference.py"
