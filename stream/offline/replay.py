"""``respite replay``: the same engine over files of events, without a broker."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout.values import FINALITY_SLACK_S
from detectors.limits import LimitTable
from detectors.settings import StoreSettings
from detectors.store import RiderStore
from detectors.verdicts import Outcome, Status
from schemas.decode import EVENT, NOT_AN_EVENT, Decoded, decode_lines
from schemas.policy import Policy
from stream.columns import arrivals_of
from stream.lifting import knows, lift_hold
from stream.offline.bad_lines import BadLine, BadLines
from stream.offline.compressed import DamagedInput
from stream.offline.conditions import OfConditions, announced_in
from stream.offline.far_ahead import Doubt, LatestEvents
from stream.offline.inputs import numbered_values, open_lines
from stream.offline.models import CLOCK, Models
from stream.offline.orders import Ordered
from stream.offline.outputs import written
from stream.offline.recognition import ForeignInput
from stream.output.alert_json import Document, Renderer, utc
from stream.policies.calendars import window_starts
from stream.policies.limits import in_force, limits_of
from stream.policies.loader import dates_of

LINES_AT_ONCE = 50_000
BYTES_AT_ONCE = 64 << 20
_REPLAY = Place(partition=0, partitions=1, event_clock=1, bounded=0)


@dataclass(slots=True)
class Replayed:
    """What a replay found."""

    alerts: list[Document] = field(default_factory=list)
    statuses: list[Document] = field(default_factory=list)
    riders: int = 0
    events: int = 0
    conditions: int = 0
    rejected: int = 0
    now_s: int | None = None
    #: The riders, for who reads what they have come to.
    store: RiderStore | None = None


class Replay:
    """One run over files.

    Parameters
    ----------
    policies
        What judges.
    settings
        What verdicts depend on; nothing is sealed, so every verdict stays open until the end.
    as_of_s
        *now*, epoch seconds; None for the latest event time of the input. Later events are left out.
    bad
        Takes the lines that are no events.
    regardless_of_dates
        Judge by every policy throughout; otherwise by what was in force at each instant.
    orders
        An operator's, to lift holds; those that arrived after *now* are left out, and so are those about
        riders without events.
    models
        Models of which something will be asked.
    """

    def __init__(  # noqa: PLR0913 - each is a wish of the command
        self,
        policies: Sequence[Policy],
        settings: StoreSettings,
        as_of_s: int | None,
        bad: BadLines | None = None,
        *,
        regardless_of_dates: bool = False,
        orders: Sequence[Ordered] = (),
        models: Models | None = None,
    ) -> None:
        limits = limits_of(policies, enforced=not regardless_of_dates)
        table = LimitTable(limits, window_starts, () if models is None else (CLOCK,))
        self._models = models
        self._store = RiderStore(table, settings)
        self._in_force = {} if regardless_of_dates else {one.ref: (one, in_force(one)) for one in policies}
        self._first_s: int | None = None
        self._renderer = Renderer(table.limits, policies, settings.lateness_s + FINALITY_SLACK_S)
        self._as_of_s = as_of_s
        self._orders = orders
        self._latest_s: int | None = None
        self.events = 0
        self.conditions = 0
        self.latest = LatestEvents()
        self.bad = bad if bad is not None else BadLines()

    def read(self, name: str, lines: Iterable[bytes]) -> None:
        """Take the lines of one file in.

        Raises
        ------
        DamagedInput
            With the number of events that came before the damage.
        """
        batch: list[bytes] = []
        numbers: list[int] = []
        before, size = self.events, 0
        try:
            for number, value in numbered_values(lines):
                batch.append(value)
                numbers.append(number)
                size += len(value)
                if len(batch) == LINES_AT_ONCE or size > BYTES_AT_ONCE:
                    self._take(name, numbers, batch)
                    batch, numbers, size = [], [], 0
        except DamagedInput as damage:
            if batch:
                self._take(name, numbers, batch)
            damage.events = self.events - before
            raise
        if batch:
            self._take(name, numbers, batch)

    def _take(self, name: str, numbers: list[int], batch: list[bytes]) -> None:
        decoded = decode_lines(batch)
        for reject in decoded.rejects:
            self.bad.add(BadLine(name, numbers[reject.index], reject.reason, reject.detail))
        self._leave_out_later(decoded)
        accepted = np.flatnonzero(decoded.columns.status == EVENT)
        if not len(accepted):
            return
        self.events += len(accepted)
        event_s = decoded.columns.event_s[accepted]
        latest, first = int(event_s.max()), int(event_s.min())
        self._first_s = first if self._first_s is None else min(self._first_s, first)
        self._latest_s = latest if self._latest_s is None else max(self._latest_s, latest)
        self.latest.take(name, [numbers[index] for index in accepted.tolist()], event_s)
        self._store.ingest(arrivals_of(decoded), _REPLAY)
        if self._models is not None and self._models.events is not None:
            self._models.events.take(decoded, accepted)

    def read_conditions(self, name: str, lines: Iterable[bytes]) -> None:
        """Take the lines of a file of conditions of zones in; bad ones go to the bad lines."""
        found = announced_in(name, lines, self.bad)
        self.conditions += len(found)
        self._store.announce(found)

    def _leave_out_later(self, decoded: Decoded) -> None:
        if self._as_of_s is not None:
            status = decoded.columns.status
            status[(status == EVENT) & (decoded.columns.event_s > self._as_of_s)] = NOT_AN_EVENT

    @property
    def store(self) -> RiderStore:
        """The riders, for who reads what they have come to."""
        return self._store

    @property
    def now_s(self) -> int | None:
        """*now*; None while there is no event."""
        return self._latest_s if self._as_of_s is None else self._as_of_s

    def outcomes(self) -> list[Outcome]:
        """Judge everyone at *now*: verdicts and statuses, rider by rider, in no document yet."""
        if self.now_s is None:
            return []
        for one in self._orders:
            if one.arrival_s <= self.now_s and knows(self._store, one.rider):
                lift_hold(self._store, one.rider, one.order, one.arrival_s)
        return self._store.judge(self.now_s)

    def left_out(self) -> list[str]:
        """In words, which policies are in force at no instant from the first event to *now*."""
        now_s = self.now_s
        if self._first_s is None or now_s is None:
            return []
        return [
            f"{ref} is left out: it is {dates_of(policy)}, and this history goes from {utc(self._first_s)} "
            f"to {utc(now_s)}; --regardless-of-dates judges by it all the same"
            for ref, (policy, (begins_s, ends_s)) in sorted(self._in_force.items())
            if begins_s > now_s or ends_s <= self._first_s
        ]

    def unannounced(self) -> list[str]:
        """In words, which conditions limits look at and nothing was announced of."""
        named = self._store.limits.conditions
        found = sorted(name for name in named if not self._store.conditions.patterns(name))
        if not found:
            return []
        text = f"nothing is announced of {', '.join(found)}: limits that look at it are never on"
        return [f"{text}; --conditions FILE names what was announced"]

    def conclude(self) -> Replayed:
        """Judge everyone at *now*."""
        now_s = self.now_s
        result = Replayed(
            riders=self._store.riders,
            events=self.events,
            conditions=self.conditions,
            rejected=len(self.bad),
            now_s=now_s,
            store=self._store,
        )
        if now_s is None:
            return result
        by_instant: list[tuple[int, Document]] = []
        for outcome in self.outcomes():
            if isinstance(outcome, Status):
                result.statuses.append(self._renderer.status(outcome, self._store.rider_id(outcome.row)))
            else:
                by_instant.append(
                    (outcome.event_time_s, self._renderer.alert_of(self._store, outcome, now_s, None))
                )
        by_instant.sort(key=lambda one: (one[0], one[1]["alert_id"]))
        result.alerts = [document for _, document in by_instant]
        result.statuses.sort(key=lambda one: one["rider_id"])
        return result


def replay(  # noqa: PLR0913 - each is a wish of the command
    files: Sequence[str],
    policies: Sequence[Policy],
    settings: StoreSettings,
    as_of_s: int | None,
    bad: BadLines | None = None,
    *,
    regardless_of_dates: bool = False,
    orders: Sequence[Ordered] = (),
    models: Models | None = None,
) -> tuple[Replayed, BadLines]:
    """Replay files as one; a spinner on a terminal when it takes longer than two seconds.

    A file of another form is said to be one and left out, as a bad line is.

    Raises
    ------
    DamagedInput
        A file is cut short or damaged: a verdict on half the evidence would be none.
    """
    run = Replay(
        policies,
        settings,
        as_of_s,
        bad,
        regardless_of_dates=regardless_of_dates,
        orders=orders,
        models=models,
    )
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("reading")
        for name in files:
            bar.update(task, description=f"reading {name}")
            read_file(run, name)
        bar.update(task, description="judging")
        if as_of_s is None and (doubt := run.latest.doubt()) is not None:
            sys.stderr.write(doubted(doubt) + "\n")
        for text in [*run.left_out(), *run.unannounced()]:
            sys.stderr.write(f"respite replay: {text}\n")
        return run.conclude(), run.bad


def read_file(run: Replay, name: str) -> bool:
    """Take a file of events in, or one of conditions; False for one of another form, which is said to be one.

    Raises
    ------
    DamagedInput
        It is cut short or damaged.
    """
    try:
        with open_lines(name) as lines:
            if isinstance(name, OfConditions):
                run.read_conditions(name, lines)
            else:
                run.read(name, lines)
    except ForeignInput as fault:
        run.bad.files += 1
        sys.stderr.write(fault.said_by("respite replay") + "\n")
        return False
    except DamagedInput as damage:
        damage.events = damage.events or 0
        raise
    return True


def doubted(doubt: Doubt) -> str:
    """What is said of events far after all others."""
    first = doubt.first
    events = "an event" if doubt.events == 1 else f"the first of {doubt.events} events"
    return (
        f"{first.file}:{first.line}: {events} of {utc(first.at_s)}, {doubt.gap} after all others: it makes "
        f"this replay's now what it is, and all that is open counts up to then; if it is wrong, --as-of "
        f"{utc(doubt.before_s)} leaves it out"
    )


def write_lines(target: str, documents: Iterable[Document]) -> None:
    """Write documents as lines of JSON; ``-`` is standard output."""
    with written(target) as out:
        put_lines(out, documents)


def put_lines(out: BinaryIO, documents: Iterable[Document]) -> None:
    """Write documents as lines of JSON."""
    encoder = msgspec.json.Encoder()
    out.writelines(encoder.encode(document) + b"\n" for document in documents)
