"""The facade without `await`: the async one on a background loop, method by method.

No behaviour stands here: `blocking` makes each method from its async twin, with its signature.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial, wraps
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar

from gridsched.client.handle import AsyncHandle
from gridsched.client.outcome import AsyncOutcome
from gridsched.client.portal import Portal
from gridsched.client.results import AsyncResults
from gridsched.client.scheduler import AsyncScheduler
from gridsched.client.session import AsyncSession
from gridsched.grid.port import GridMember

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)
B = TypeVar("B")


class _Shell(Protocol[A_co]):
    """What has an async twin within, or an heir of it."""

    @property
    def _portal(self) -> Portal: ...

    @property
    def _inner(self) -> A_co: ...


def blocking(
    method: Callable[Concatenate[A, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[_Shell[A], P], R]:
    """A method that runs its async twin on the portal's loop and waits for it."""

    @wraps(method)
    def call(self: _Shell[A], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._portal.run(method(self._inner, *args, **kwargs))

    return call


def giving(
    method: Callable[Concatenate[A, P], Coroutine[Any, Any, B]],
    shell: Callable[[Portal, B], R],
) -> Callable[Concatenate[_Shell[A], P], R]:
    """As `blocking`, for a method that gives what needs a shell of its own."""

    @wraps(method)
    def call(self: _Shell[A], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return shell(self._portal, self._portal.run(method(self._inner, *args, **kwargs)))

    return call


class Seen(Generic[R]):
    """An attribute that is read from an outcome."""

    def __init__(self, read: Callable[[AsyncOutcome], R]) -> None:
        self._read = read

    def __get__(self, outcome: Outcome, _owner: type) -> R:
        return self._read(outcome._inner)


class Handle:
    """A handle on one firing: its state, its result."""

    def __init__(self, portal: Portal, inner: AsyncHandle) -> None:
        self._portal = portal
        self._inner = inner
        self.key = inner.key

    def __repr__(self) -> str:
        return f"<Handle of {self.key}>"

    firing = blocking(AsyncHandle.firing)
    state = blocking(AsyncHandle.state)
    result = blocking(AsyncHandle.result)
    cancel = blocking(AsyncHandle.cancel)


class Results:
    """The results of a job or trigger, in time. See `AsyncResults`."""

    def __init__(self, portal: Portal, inner: AsyncResults) -> None:
        self._portal = portal
        self._inner = inner
        self.key = inner.key

    complete = blocking(AsyncResults.complete)
    latest = blocking(AsyncResults.latest)
    oldest = blocking(AsyncResults.oldest)
    between = blocking(AsyncResults.between)
    from_ = blocking(AsyncResults.from_)
    to = blocking(AsyncResults.to)
    drain = blocking(AsyncResults.drain)


class Outcome:
    """What became of one submission: see `AsyncOutcome`."""

    def __init__(self, portal: Portal, inner: AsyncOutcome) -> None:
        self._portal = portal
        self._inner = inner
        self.id = inner.id

    def __repr__(self) -> str:
        return f"<Outcome {self.id}: {self.state}>"

    get = blocking(AsyncOutcome.get)
    state = Seen(lambda outcome: outcome.state)
    progress = Seen(lambda outcome: outcome.progress)
    message = Seen(lambda outcome: outcome.message)
    submission_time = Seen(lambda outcome: outcome.submission_time)
    start_time = Seen(lambda outcome: outcome.start_time)
    finish_time = Seen(lambda outcome: outcome.finish_time)


def _outcomes(portal: Portal, inner: list[AsyncOutcome]) -> list[Outcome]:
    return [Outcome(portal, each) for each in inner]


class Session:
    """A session for immediate work: see `AsyncSession`."""

    def __init__(self, portal: Portal, inner: AsyncSession) -> None:
        self._portal = portal
        self._inner = inner

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    close = blocking(AsyncSession.close)
    submit = giving(AsyncSession.submit, Outcome)
    submit_many = giving(AsyncSession.submit_many, _outcomes)
    acquire = giving(AsyncSession.acquire, Outcome)
    release = blocking(AsyncSession.release)
    cancel = blocking(AsyncSession.cancel)
    discard = blocking(AsyncSession.discard)


class Scheduler:
    """A client of the cluster, for code without an event loop. See `AsyncScheduler`."""

    def __init__(self, portal: Portal, inner: AsyncScheduler, *, owns_portal: bool = True) -> None:
        self._portal = portal
        self._inner = inner
        self._owns_portal = owns_portal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect. What was accepted goes on without this client."""
        if self._owns_portal:
            self._portal.run(self._inner.close())
            self._portal.close()

    schedule = blocking(AsyncScheduler.schedule)
    schedule_unique = blocking(AsyncScheduler.schedule_unique)
    schedule_many = blocking(AsyncScheduler.schedule_many)
    add_job = blocking(AsyncScheduler.add_job)
    submit = giving(AsyncScheduler.submit, Handle)
    fire = giving(AsyncScheduler.fire, Handle)
    backfill = blocking(AsyncScheduler.backfill)
    pause = blocking(AsyncScheduler.pause)
    resume = blocking(AsyncScheduler.resume)
    pause_group = blocking(AsyncScheduler.pause_group)
    resume_group = blocking(AsyncScheduler.resume_group)
    pause_all = blocking(AsyncScheduler.pause_all)
    resume_all = blocking(AsyncScheduler.resume_all)
    paused_groups = blocking(AsyncScheduler.paused_groups)
    unschedule = blocking(AsyncScheduler.unschedule)
    delete = blocking(AsyncScheduler.delete)
    cancel = blocking(AsyncScheduler.cancel)
    discard = blocking(AsyncScheduler.discard)
    store_calendar = blocking(AsyncScheduler.store_calendar)
    delete_calendar = blocking(AsyncScheduler.delete_calendar)
    calendar = blocking(AsyncScheduler.calendar)
    calendars = blocking(AsyncScheduler.calendars)
    job = blocking(AsyncScheduler.job)
    trigger = blocking(AsyncScheduler.trigger)
    firing = blocking(AsyncScheduler.firing)
    jobs = blocking(AsyncScheduler.jobs)
    triggers = blocking(AsyncScheduler.triggers)
    firings = blocking(AsyncScheduler.firings)
    audit = blocking(AsyncScheduler.audit)
    explain = blocking(AsyncScheduler.explain)
    results = blocking(AsyncScheduler.results)
    result = blocking(AsyncScheduler.result)
    members = blocking(AsyncScheduler.members)
    member = blocking(AsyncScheduler.member)
    owners = blocking(AsyncScheduler.owners)

    def grid_members(self) -> Sequence[GridMember]:
        """The members of the grid."""
        return self._inner.grid_members()

    def results_of(self, key: str) -> Results:
        """The results of the job or trigger of that key, as one list in time; of one that is gone
        too. InvalidKey where it is no such key."""
        return Results(self._portal, self._inner.results_of(key))

    def session(self) -> Session:
        """A session for immediate work, and its outcomes."""
        return Session(self._portal, self._inner.session(partial(Outcome, self._portal)))

    def handle(self, firing: str) -> Handle:
        """A handle on the firing of that key, whether it exists yet or not."""
        return Handle(self._portal, self._inner.handle(firing))
