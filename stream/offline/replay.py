"""``respite replay``: the same engine over files of events, without a broker."""

from __future__ import annotations

import gzip
import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec
import zstandard
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout.values import FINALITY_SLACK_S
from detectors.limits import LimitTable
from detectors.store import RiderStore, StoreSettings
from detectors.verdicts import Status
from schemas.decode import EVENT, NOT_AN_EVENT, Decoded, decode_lines
from schemas.policy import Policy
from stream.columns import arrivals_of
from stream.output.alert_json import Document, Renderer, utc
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of

LINES_AT_ONCE = 50_000
#: Of longer histories only the totals are shown; --alerts writes all.
EXPLAINED_ALERTS = 50
_REPLAY = Place(partition=0, partitions=1, event_clock=1, bounded=0)
_JSON_SPACE = b" \t\r\n\x0b\x0c"


@dataclass(slots=True)
class Replayed:
    """What a replay found."""

    alerts: list[Document] = field(default_factory=list)
    statuses: list[Document] = field(default_factory=list)
    riders: int = 0
    events: int = 0
    rejected: int = 0
    now_s: int | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no event."""

    file: str
    line: int
    reason: str
    detail: str


@contextmanager
def open_lines(name: str) -> Iterator[BinaryIO]:
    """A file of lines; ``-`` is standard input, ``.gz`` and ``.zst`` are read as they are."""
    if name == "-":
        yield sys.stdin.buffer
        return
    path = Path(name)
    if path.suffix == ".gz":
        with gzip.open(path, "rb") as unzipped:
            yield io.BufferedReader(unzipped)
    elif path.suffix == ".zst":
        with (
            path.open("rb") as raw,
            zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as reader,
        ):
            yield io.BufferedReader(reader)
    else:
        with path.open("rb") as plain:
            yield plain


def numbered_values(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers from 1, without their ends (LF or CRLF); those of white space are skipped."""
    for number, line in enumerate(lines, start=1):
        value = line
        if value.endswith(b"\n"):
            value = value[:-1]
            if value.endswith(b"\r"):
                value = value[:-1]
        if value.strip(_JSON_SPACE):
            yield number, value


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
    """

    def __init__(self, policies: Sequence[Policy], settings: StoreSettings, as_of_s: int | None) -> None:
        table = LimitTable(limits_of(policies), window_starts)
        self._store = RiderStore(table, settings)
        self._renderer = Renderer(table.limits, policies, settings.lateness_s + FINALITY_SLACK_S)
        self._as_of_s = as_of_s
        self._latest_s: int | None = None
        self.events = 0
        self.bad: list[BadLine] = []

    def read(self, name: str, lines: Iterable[bytes]) -> None:
        """Take the lines of one file in."""
        batch: list[bytes] = []
        numbers: list[int] = []
        for number, value in numbered_values(lines):
            batch.append(value)
            numbers.append(number)
            if len(batch) == LINES_AT_ONCE:
                self._take(name, numbers, batch)
                batch, numbers = [], []
        if batch:
            self._take(name, numbers, batch)

    def _take(self, name: str, numbers: list[int], batch: list[bytes]) -> None:
        decoded = decode_lines(batch)
        for reject in decoded.rejects:
            self.bad.append(BadLine(name, numbers[reject.index], reject.reason, reject.detail))
        self._leave_out_later(decoded)
        accepted = decoded.columns.status == EVENT
        if not accepted.any():
            return
        self.events += int(accepted.sum())
        latest = int(decoded.columns.event_s[accepted].max())
        self._latest_s = latest if self._latest_s is None else max(self._latest_s, latest)
        self._store.ingest(arrivals_of(decoded), _REPLAY)

    def _leave_out_later(self, decoded: Decoded) -> None:
        if self._as_of_s is not None:
            status = decoded.columns.status
            status[(status == EVENT) & (decoded.columns.event_s > self._as_of_s)] = NOT_AN_EVENT

    def conclude(self) -> Replayed:
        """Judge everyone at *now*."""
        now_s = self._latest_s if self._as_of_s is None else self._as_of_s
        result = Replayed(riders=self._store.riders, events=self.events, rejected=len(self.bad), now_s=now_s)
        if now_s is None:
            return result
        by_instant: list[tuple[int, Document]] = []
        for outcome in self._store.judge(now_s):
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


def replay(
    files: Sequence[str], policies: Sequence[Policy], settings: StoreSettings, as_of_s: int | None
) -> tuple[Replayed, list[BadLine]]:
    """Replay files as one; a spinner on a terminal when it takes longer than two seconds."""
    run = Replay(policies, settings, as_of_s)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("reading")
        for name in files:
            bar.update(task, description=f"reading {name}")
            with open_lines(name) as lines:
                run.read(name, lines)
        bar.update(task, description="judging")
        return run.conclude(), run.bad


def write_lines(target: str, documents: Iterable[Document]) -> None:
    """Write documents as lines of JSON; ``-`` is standard output."""
    encoder = msgspec.json.Encoder()
    if target == "-":
        for document in documents:
            sys.stdout.buffer.write(encoder.encode(document) + b"\n")
        sys.stdout.buffer.flush()
        return
    with Path(target).open("wb") as out:
        for document in documents:
            out.write(encoder.encode(document) + b"\n")


def summary(result: Replayed, policies: Sequence[Policy]) -> str:
    """What a person reads when no output is asked for: the totals, and of a short history every alert."""
    kinds = Counter(document["kind"] for document in result.alerts)
    held = sum(1 for document in result.statuses if document["status"] == "hold")
    now = "-" if result.now_s is None else utc(result.now_s)
    lines = [
        f"{result.events} events of {result.riders} riders, {result.rejected} lines rejected; now {now}",
        "policies: " + ", ".join(policy.ref for policy in policies),
        f"riders on hold now: {held}",
        "alerts: " + (", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "none"),
    ]
    if len(result.alerts) <= EXPLAINED_ALERTS:
        lines += ["", *(explain(document) for document in result.alerts)]
    return "\n".join(lines)


def explain(alert: Document) -> str:
    """One alert as a line: when, who, what, how it was counted, until when.

    Examples
    --------
    >>> explain(
    ...     {
    ...         "event_time": "2026-11-23T14:10:00+08:00",
    ...         "rider_id": "r",
    ...         "kind": "limit_reached",
    ...         "policy": "p@1",
    ...         "limit": "c",
    ...         "counted_s": 14400,
    ...         "limit_s": 14400,
    ...         "clock": "order",
    ...         "hold": {"until": "2026-11-23T14:30:00+08:00"},
    ...         "platform": None,
    ...         "estimated": False,
    ...     }
    ... )
    '2026-11-23 14:10:00  r  limit_reached  p@1/c  4:00:00 of 4:00:00 order time, hold not before 14:30:00'
    """
    counted, limit = (str(timedelta(seconds=alert[name])) for name in ("counted_s", "limit_s"))
    text = (
        f"{alert['event_time'][:19].replace('T', ' ')}  {alert['rider_id']}  {alert['kind']}  "
        f"{alert['policy']}/{alert['limit']}  {counted} of {limit} {alert['clock']} time"
    )
    if alert["platform"]:
        text += f", by {alert['platform']}"
    if alert["hold"] and alert["hold"]["until"]:
        word = "ended" if alert["kind"] == "hold_released" else "not before"
        text += f", hold {word} {alert['hold']['until'][11:19]}"
    return text + (" (estimated: an end is missing)" if alert["estimated"] else "")
