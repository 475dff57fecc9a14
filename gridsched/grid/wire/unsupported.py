"""What the grid does not do, said so that whoever asked knows why."""

from __future__ import annotations

from typing import Final

_JAVA: Final = "it runs Java code on the member, and there is none here"
_REQUESTS: Final = {
    0x011400: ("Map.addInterceptor", _JAVA),
    0x011500: ("Map.removeInterceptor", _JAVA),
    0x012000: ("Map.loadAll", "there is no map store"),
    0x012100: ("Map.loadGivenKeys", "there is no map store"),
    0x012E00: ("Map.executeOnKey", _JAVA),
    0x012F00: ("Map.submitToKey", _JAVA),
    0x013000: ("Map.executeOnAllKeys", _JAVA),
    0x013100: ("Map.executeWithPredicate", _JAVA),
    0x013200: ("Map.executeOnKeys", _JAVA),
    0x014100: ("Map.eventJournalSubscribe", "there is no event journal"),
    0x014200: ("Map.eventJournalRead", "there is no event journal"),
    0x014800: ("Map.replaceAll", _JAVA),
}
"""By message type: the request, and why not."""

_SERVICES: Final = {
    **dict.fromkeys((0x07, 0x09, 0x0A, 0x0B, 0x0C, 0x1E, 0x1F, 0x22, 0x23), "the CP subsystem"),
    **dict.fromkeys((0x08, 0x18, 0x1A), "executors"),
    **dict.fromkeys((0x0E, 0x0F, 0x10, 0x11, 0x12, 0x14, 0x15), "transactions"),
    0x13: "JCache",
    0x16: "continuous query caches",
    0x19: "cardinality estimators",
    0x1B: "dynamic configuration",
    0x20: "the Management Center",
    0x21: "SQL",
    0x24: "vector collections",
    0xFE: "Jet",
}
"""By the first byte of a message type: what the request belongs to."""

_SERVICE_SHIFT: Final = 16


def explain(type: int) -> str:
    """Why a request of this type is not answered."""
    if type in _REQUESTS:
        name, why = _REQUESTS[type]
        return f"{name} is not supported by the embedded grid: {why}"
    service = _SERVICES.get(type >> _SERVICE_SHIFT)
    if service is not None:
        return f"the embedded grid does not have {service} (message type 0x{type:06x})"
    return f"Unrecognized client message received with type: 0x{type:06x}"
