"""Secrets of HTTP tasks: from the node's environment into a request, and into nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from msgspec.structs import replace

from gridsched.errors import RequestFailed
from gridsched.model.http import HttpTask, filled, secrets_of
from gridsched.policy.allowed_requests import check_secrets


class Secrets:
    """The environment variables that tasks may name: those of `patterns`."""

    def __init__(self, patterns: Sequence[str], environ: Mapping[str, str]) -> None:
        self._patterns = tuple(patterns)
        self._environ = environ

    def fill(self, task: HttpTask) -> tuple[HttpTask, Hidden]:
        """The task as it is sent, and what must not be seen of it; InvalidJob where it names a
        variable that is not given, RequestFailed where one is not set on this node."""
        names = secrets_of(task)
        if not names:
            return task, NOTHING_HIDDEN
        check_secrets(task, self._patterns)
        values = {name: self._value(name) for name in names}
        made = replace(
            task,
            url=filled(task.url, lambda name: quote(values[name], safe="")),
            headers={
                field: filled(text, values.__getitem__) for field, text in task.headers.items()
            },
            body=filled(task.body, values.__getitem__),
        )
        forms = {
            form: f"${{env:{name}}}"
            for name, value in values.items()
            for form in (value, quote(value, safe=""), json.dumps(value)[1:-1], escape(value))
        }
        return made, Hidden(forms)

    def _value(self, name: str) -> str:
        value = self._environ.get(name, "")
        if not value:
            raise RequestFailed(f"the environment variable {name} is not set on this node")
        if not (value.isascii() and value.isprintable()):
            raise RequestFailed(f"the environment variable {name} holds more than printable ASCII")
        return value


class Hidden:
    """The values that a request was made with: each is replaced by its name wherever it would be
    seen."""

    def __init__(self, shown: Mapping[str, str]) -> None:
        """`shown` gives for each value what is shown in its place."""
        self._shown = dict(shown)
        self._forms = sorted(shown.items(), key=lambda each: -len(each[0]))

    def and_also(self, shown: Mapping[str, str]) -> Hidden:
        """These values, and some more."""
        return Hidden({**shown, **self._shown})

    def text(self, text: str) -> str:
        """A text without them."""
        for value, shown in self._forms:
            text = text.replace(value, shown)
        return text

    def bytes(self, content: bytes) -> bytes:
        """A content without them."""
        for value, shown in self._forms:
            content = content.replace(value.encode(), shown.encode())
        return content


NOTHING_HIDDEN: Final = Hidden({})
