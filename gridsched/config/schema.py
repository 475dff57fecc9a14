"""What elements are known where, and the walk that reads a document by it.

The tables of `service_elements`, `job_elements` and their neighbours are made of three things: a
`Leaf` holds one value, a `Branch` holds leaves and branches and builds one value of theirs, and an
`Unused` element is one that the seed's files have and that means nothing here. Reading, the lists of
what is allowed in error messages, and the documentation all come from these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Final, NamedTuple

from gridsched.config.jobclasses import NO_JOBCLASSES, JobClasses
from gridsched.config.xml_reader import Element
from gridsched.errors import ConfigurationError, GridschedError

PREFIX: Final = "scheduler:"
"""The prefix of our own elements, whatever URI a file declares for it."""

_XMLS_OWN: Final = ("xml:", "xsi:")
"""Attributes that speak to XML's own tools."""


class Note(NamedTuple):
    """Something in a file that was taken or skipped without an error: which, where and why."""

    name: str
    line: int
    remark: str


class Kind(NamedTuple):
    """How text becomes a value. `read` raises ValueError or a GridschedError where it cannot.

    keeps_empty  an empty element is a value of this kind; otherwise it is as if it were not there,
                 as in the seed's files, where `<scheduler:endtime></scheduler:endtime>` is common
    attributes   that the element may carry
    """

    unit: str
    read: Callable[[Element], Any]
    keeps_empty: bool = False
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leaf:
    """An element that holds one value.

    name      with its prefix
    into      the field of the built value that it sets
    doc       one line for the documentation
    default   as it would be written in XML, or in words
    aliases   other names of it, with their prefix
    required  its branch cannot be built without it
    many      it may stand several times
    """

    name: str
    into: str
    kind: Kind
    doc: str
    default: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    many: bool = False

    @property
    def attributes(self) -> tuple[str, ...]:
        return self.kind.attributes


@dataclass(frozen=True)
class Unused:
    """An element of the seed's that has no meaning here. `doc` says why."""

    name: str
    doc: str
    aliases: tuple[str, ...] = ()
    many: bool = False


@dataclass(frozen=True)
class Branch:
    """An element that holds others; `build` makes one value of what they hold."""

    name: str
    into: str
    build: Callable[[Fields, Reading], Any]
    parts: tuple[Part, ...]
    doc: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    many: bool = False
    attributes: tuple[str, ...] = ()

    @cached_property
    def known(self) -> dict[str, Part]:
        """Its parts by every name they may be written with."""
        return {name: part for part in self.parts for name in (part.name, *part.aliases)}


Part = Leaf | Branch | Unused


@dataclass(frozen=True)
class Fields:
    """What a branch's element holds: values and elements by `into`; tuples of values if many."""

    element: Element
    values: dict[str, Any] = field(default_factory=dict)
    elements: dict[str, list[Element]] = field(default_factory=dict)

    def each(self, into: str) -> Iterable[tuple[Any, Element]]:
        """The values of a repeatable part with their elements."""
        return zip(self.values.get(into, ()), self.elements.get(into, ()), strict=True)

    def place(self, into: str) -> Element:
        """The element that set the field, or the branch's own."""
        return self.elements.get(into, [self.element])[0]


class Reading:
    """One walk over one document. Elements with `prefix` are ours; "": those without a prefix."""

    def __init__(
        self, source: str, jobclasses: JobClasses = NO_JOBCLASSES, *, prefix: str = PREFIX
    ) -> None:
        self.source = source
        self.jobclasses = jobclasses
        self._prefix = prefix
        self.ignored: list[Note] = []
        self.aliases: list[Note] = []
        self.mapped: list[Note] = []

    def error(self, element: Element, message: str) -> ConfigurationError:
        return ConfigurationError(message, source=self.source, line=element.line)

    @contextmanager
    def at(self, element: Element) -> Iterator[None]:
        """What is refused inside becomes a ConfigurationError at the element's line."""
        try:
            yield
        except ConfigurationError:
            raise
        except (GridschedError, ValueError) as error:
            raise self.error(element, f"{element.name}: {error}") from error
        except RecursionError as error:
            raise self.error(element, f"{element.name}: nested too deeply") from error
        except OverflowError as error:
            raise self.error(element, f"{element.name}: outside the calendar") from error

    def branch(self, element: Element, branch: Branch) -> Any:
        """The value that `branch` makes of the element."""
        if element.text:
            text = element.text[:40]
            raise self.error(element, f"{element.name} holds elements; text {text!r} is not for it")
        self._check_attributes(element, branch.attributes)
        fields = Fields(element)
        for child in element.children:
            self._take(fields, child, branch)
        for part in branch.parts:
            self._require(fields, part)
        with self.at(element):
            return branch.build(fields, self)

    def _take(self, fields: Fields, child: Element, branch: Branch) -> None:
        part = branch.known.get(child.name)
        if part is None:
            self._skip(child, branch)
        elif isinstance(part, Unused):
            self.ignored.append(Note(child.name, child.line, part.doc))
        else:
            if child.name != part.name:
                self.aliases.append(Note(child.name, child.line, f"alias of {part.name}"))
            self._store(fields, child, part)

    def _store(self, fields: Fields, child: Element, part: Leaf | Branch) -> None:
        if isinstance(part, Leaf) and not (child.text or child.children or part.kind.keeps_empty):
            return
        places = fields.elements.setdefault(part.into, [])
        if places and not part.many:
            raise self.error(
                child, f"{child.name} stands twice; {places[0].name} is in line {places[0].line}"
            )
        places.append(child)
        value = self.branch(child, part) if isinstance(part, Branch) else self._leaf(child, part)
        fields.values[part.into] = (
            (*fields.values.get(part.into, ()), value) if part.many else value
        )

    def _leaf(self, element: Element, leaf: Leaf) -> Any:
        if element.children:
            inner = element.children[0]
            raise self.error(inner, f"{element.name} holds text only; {inner.name} is not for it")
        self._check_attributes(element, leaf.attributes)
        with self.at(element):
            return leaf.kind.read(element)

    def _require(self, fields: Fields, part: Part) -> None:
        if not isinstance(part, Unused) and part.required and part.into not in fields.values:
            name = fields.element.name
            raise self.error(fields.element, f"{name} has no {part.name}; it must have one")

    def _skip(self, child: Element, branch: Branch) -> None:
        """A foreign element is noted; one of ours that is not known here is an error."""
        ours = next((part for part in _walk(child) if self._is_ours(part.name)), None)
        if ours is child:
            raise self.error(child, _unknown(child.name, f"in {branch.name}", branch.known))
        if ours is not None:
            raise self.error(ours, f"{ours.name} stands inside {child.name}, which is not read")
        if self._prefix + child.name in branch.known:
            named = self._prefix + child.name
            raise self.error(child, f"{child.name} has no prefix: write {named}")
        self.ignored.append(Note(child.name, child.line, "not an element of gridsched"))

    def _check_attributes(self, element: Element, allowed: tuple[str, ...]) -> None:
        for name in element.attributes:
            if name in allowed:
                continue
            if self._is_ours(name) or (self._is_ours(element.name) and ":" not in name):
                raise self.error(
                    element, _unknown(f"attribute {name}", f"on {element.name}", allowed)
                )
            if not name.startswith(_XMLS_OWN):
                self.ignored.append(
                    Note(f"{element.name}/@{name}", element.line, "not an attribute of gridsched")
                )

    def _is_ours(self, name: str) -> bool:
        return name.startswith(self._prefix) if self._prefix else ":" not in name


def _walk(element: Element) -> Iterator[Element]:
    yield element
    for child in element.children:
        yield from _walk(child)


def _unknown(name: str, where: str, allowed: Iterable[str]) -> str:
    """Says what is allowed there, and what is nearest in writing."""
    names = sorted(allowed)
    by_case = {known.lower(): known for known in names}
    close = get_close_matches(name.lower().removeprefix("attribute "), by_case, n=1)
    hint = f"did you mean {by_case[close[0]]}? " if close else ""
    return f"{name} is not known {where}; {hint}Allowed there: {', '.join(names) or 'none'}"
