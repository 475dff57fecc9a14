"""`caching-scheme-mapping` and `caching-schemes`: the grid's maps, as Coherence configures caches.

A mapping names one of our maps by its role (`scheduler:cache="triggers"`), or by the name that the
map has by default; any other cache of the file is not ours. Its scheme says backups and retention.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from gridsched.config.kinds import EXPIRY, TEXT, whole
from gridsched.config.schema import Branch, Fields, Leaf, Note, Reading
from gridsched.config.xml_reader import Element
from gridsched.model.caches import CacheNames, CacheSettings

ROLE: Final = "scheduler:cache"
"""The attribute of a mapping that says which of our maps it is for."""

RETENTIONS: Final = {
    "submissions": "submission_retention_ms",
    "triggers": "trigger_retention_ms",
    "firings": "firing_retention_ms",
    "results": "result_retention_ms",
}
"""The roles whose finished entries expire, and the setting that says when."""

_LEDGER: Final = "firings"
"""The role whose finished entries may be bounded by number too."""

_QUEUES: Final = "execution"
"""The role of the execution queues: one for each node, so their cache-name ends with `*`."""


def _written_names() -> dict[str, str]:
    """The default cache-name of each role."""
    names: dict[str, str] = msgspec.structs.asdict(CacheNames())
    prefix = names.pop("execution_prefix")
    return {**names, _QUEUES: f"{prefix}*"}


DEFAULT_NAMES: Final = _written_names()


class Mapping(NamedTuple):
    """One of our maps: its role, its name, and the name of its scheme."""

    role: str
    name: str
    scheme: str | None
    element: Element


class Scheme(NamedTuple):
    """A distributed-scheme; what it does not say is None."""

    name: str
    backups: int | None
    expiry: int | None
    kept: int | None
    element: Element


def _mapping(fields: Fields, reading: Reading) -> Mapping | None:
    """None for a cache that is not ours."""
    name: str = fields.values["name"]
    by_name = {default: role for role, default in DEFAULT_NAMES.items()}
    role = fields.element.attributes.get(ROLE) or by_name.get(name)
    if role is None:
        reading.ignored.append(Note(f"cache-mapping {name}", fields.element.line, "not our cache"))
        return None
    if role not in DEFAULT_NAMES:
        known = ", ".join(DEFAULT_NAMES)
        raise reading.error(fields.element, f"{ROLE} {role!r} is not known; one of {known}")
    if (role == _QUEUES) != name.endswith("*"):
        raise reading.error(
            fields.place("name"),
            f"cache-name {name!r} of {role}: the execution queues' name ends with *, and no other",
        )
    return Mapping(role, name, fields.values.get("scheme"), fields.element)


def _mappings(fields: Fields, reading: Reading) -> tuple[Mapping, ...]:
    ours = tuple(mapping for mapping in fields.values.get("mappings", ()) if mapping is not None)
    taken: dict[str, Mapping] = {}
    for mapping in ours:
        for claim in (f"{ROLE} {mapping.role!r}", f"cache-name {mapping.name!r}"):
            if claim in taken:
                line = taken[claim].element.line
                raise reading.error(mapping.element, f"{claim} stands twice; first in line {line}")
            taken[claim] = mapping
    return ours


def _scheme(fields: Fields, _reading: Reading) -> Scheme:
    values = fields.values
    return Scheme(
        values["name"],
        values.get("backups"),
        values.get("expiry"),
        values.get("kept"),
        fields.element,
    )


def _schemes(fields: Fields, reading: Reading) -> dict[str, Scheme]:
    schemes: dict[str, Scheme] = {}
    for scheme in fields.values.get("schemes", ()):
        there = schemes.setdefault(scheme.name, scheme)
        if there is not scheme:
            raise reading.error(
                scheme.element,
                f"scheme {scheme.name!r} stands twice; first in line {there.element.line}",
            )
    return schemes


def cache_settings(
    mappings: Sequence[Mapping], schemes: dict[str, Scheme], reading: Reading
) -> CacheSettings:
    """What the mappings and the schemes that they use say of our maps."""
    used = [
        (mapping, _scheme_of(mapping, schemes, reading)) for mapping in mappings if mapping.scheme
    ]
    values: dict[str, Any] = {
        RETENTIONS[mapping.role]: scheme.expiry
        for mapping, scheme in used
        if _expires(mapping, scheme, reading)
    }
    values.update(_backups([scheme for _, scheme in used], reading))
    values.update(_kept(used, reading))
    return CacheSettings(names=_names(mappings), **values)


def _names(mappings: Sequence[Mapping]) -> CacheNames:
    names = {mapping.role: mapping.name for mapping in mappings}
    if _QUEUES in names:
        names["execution_prefix"] = names.pop(_QUEUES).removesuffix("*")
    return CacheNames(**names)


def _scheme_of(mapping: Mapping, schemes: dict[str, Scheme], reading: Reading) -> Scheme:
    scheme = schemes.get(mapping.scheme or "")
    if scheme is None:
        known = ", ".join(schemes) or "none"
        raise reading.error(
            mapping.element,
            f"scheme-name {mapping.scheme!r} names no distributed-scheme of this file; "
            f"there: {known}",
        )
    return scheme


def _expires(mapping: Mapping, scheme: Scheme, reading: Reading) -> bool:
    if scheme.expiry is None:
        return False
    if mapping.role not in RETENTIONS:
        raise reading.error(
            mapping.element,
            f"{mapping.role} never expire, and scheme {scheme.name!r} has an expiry-delay (line "
            f"{scheme.element.line}); only {', '.join(RETENTIONS)} may have one",
        )
    return True


def _kept(used: Sequence[tuple[Mapping, Scheme]], reading: Reading) -> dict[str, int]:
    """How many final firings of a trigger are kept, where the scheme of the firings says so."""
    found: dict[str, int] = {}
    for mapping, scheme in used:
        if scheme.kept is None:
            continue
        if mapping.role != _LEDGER:
            raise reading.error(
                mapping.element,
                f"scheme {scheme.name!r} has high-units (line {scheme.element.line}), and "
                f"{mapping.role} are not counted; only {_LEDGER} may have them",
            )
        found["firings_kept"] = scheme.kept
    return found


def _backups(used: Sequence[Scheme], reading: Reading) -> dict[str, int | None]:
    """One count for all: a job's entries share one partition, and are lost or kept together."""
    said = [scheme for scheme in used if scheme.backups is not None]
    for scheme in said:
        if scheme.backups != said[0].backups:
            raise reading.error(
                scheme.element,
                f"backup-count is {scheme.backups} and in line {said[0].element.line} it is "
                f"{said[0].backups}; all our caches have the same",
            )
    return {"backup_count": said[0].backups} if said else {}


MAPPING: Final = Branch(
    "cache-mapping",
    "mappings",
    _mapping,
    (
        Leaf("cache-name", "name", TEXT, "The map's name in the grid.", required=True),
        Leaf("scheme-name", "scheme", TEXT, "The scheme that says the rest.", "none"),
    ),
    "One map: which of ours, by the attribute `scheduler:cache`, and how it is named.",
    many=True,
    attributes=(ROLE,),
)
MAPPINGS: Final = Branch(
    "caching-scheme-mapping", "mappings", _mappings, (MAPPING,), "Names of the grid's maps."
)
SCHEME: Final = Branch(
    "distributed-scheme",
    "schemes",
    _scheme,
    (
        Leaf("scheme-name", "name", TEXT, "Its name.", required=True),
        Leaf(
            "backup-count",
            "backups",
            whole("number", 0),
            "Copies of each entry beside the first, in the embedded grid; the same in all schemes.",
            str(CacheSettings().backup_count),
        ),
        Leaf(
            "expiry-delay",
            "expiry",
            EXPIRY,
            "How long finished entries are kept; for submissions, triggers, firings and results.",
            "by cache",
        ),
        Leaf(
            "high-units",
            "kept",
            whole("number", 1),
            "Finished firings of each trigger that are kept, the latest, within the expiry-delay; "
            "for firings.",
            "all",
        ),
    ),
    "Backups and retention of the maps that name it.",
    many=True,
)
SCHEMES: Final = Branch("caching-schemes", "schemes", _schemes, (SCHEME,), "The schemes.")
