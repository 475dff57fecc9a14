"""Events as JSON, by the POST of an HTTP task."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from gridsched.model.events import Event
from gridsched.model.http import HttpTask


def request_of(url: str, event: Event) -> HttpTask:
    """The request that tells of an event:

        {"id": …, "name": …, "task": …, "operation": …, "time": ISO 8601, "condition": …, "content": …}

    The header Idempotency-Key has the event's id: a second copy of it is known for what it is.
    """
    time = datetime.fromtimestamp(event.time / 1000, UTC).isoformat()
    said = {name: getattr(event, name) for name in event.__struct_fields__}
    body = msgspec.json.encode({**said, "time": time}).decode()
    return HttpTask(
        url,
        method="POST",
        headers={"Content-Type": "application/json", "Idempotency-Key": event.id},
        read_timeout=10.0,
        # What a service answered must not name secrets of this node: the same JSON, written so.
        body=body.replace("${", "\\u0024{"),
    )
