"""``respite import``: files of rows into lines of events."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from schemas.import_map import ASKED, ImportMap, Value
from stream.importing.cells import Columns
from stream.importing.convert import Converter, Dropped, LeftOut
from stream.importing.tables import BadRow, Table, tables_of
from stream.importing.times import TimeReader
from stream.offline.bad_lines import BadLine, BadLines
from stream.offline.compressed import InputFault
from stream.offline.inputs import STANDARD_INPUT, open_raw
from stream.output.alert_json import utc

_SHOWN_EVERY_ROWS = 2_000
_SHOWN_REASONS = 10


class MapRefused(InputFault):
    """A map that these files or options do not fit; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a map leaves to whoever imports, and what they say otherwise than it does.

    Parameters
    ----------
    rider
        The id for all rows, in place of the map's.
    """

    zone: str | None = None
    year: int | None = None
    rider: str | None = None
    platform: str | None = None
    time_format: str | None = None
    encoding: str | None = None


@dataclass(slots=True)
class Imported:
    """What became of the rows."""

    rows: int = 0
    used: int = 0
    events: int = 0
    tables: int = 0
    first_s: int | None = None
    last_s: int | None = None
    riders: set[str] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)
    unlike: list[str] = field(default_factory=list)


def answered(chosen: ImportMap, answers: Answers) -> ImportMap:
    """The map with what was asked for in it.

    Raises
    ------
    MapRefused
        Something that it asks for has not been said, or something said does not fit.
    """
    tree = chosen.model_dump(exclude_none=True)
    if chosen.embedded is None:
        for name in ("rider", "platform"):
            if (said := getattr(answers, name)) is not None:
                tree[name] = {"constant": said}
    for name, said in (("zone", answers.zone), ("year", answers.year), ("format", answers.time_format)):
        if said is not None:
            tree["times"][name] = said
    if answers.time_format is not None and answers.year is None:
        tree["times"].pop("year", None)
    try:
        made = ImportMap.model_validate(tree)
    except ValueError as error:
        raise MapRefused(f"{chosen.name}: {_said(error)}") from error
    asked = [f"--{name}" for name in ("zone", "year") if getattr(made.times, name) == ASKED]
    asked += [f"--{name}" for name in ("rider", "platform") if getattr(made, name) == Value(constant=ASKED)]
    if asked:
        meant = {
            "--zone": "--zone, the time zone of its times, like Europe/Paris",
            "--year": "--year, which its times do not have",
            "--rider": "--rider, an id for whose data it is, like me",
            "--platform": "--platform, whose data it is",
        }
        raise MapRefused(f"the map {chosen.name} asks for " + "; ".join(meant[one] for one in asked))
    return made


def _said(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    return "; ".join(one["msg"].removeprefix("Value error, ") for one in errors()) if errors else str(error)


class Importer:
    """One run over files.

    Parameters
    ----------
    out
        Takes lines of events.
    """

    def __init__(self, chosen: ImportMap, converter: Converter, bad: BadLines, out: BinaryIO) -> None:
        self._map = chosen
        self._converter = converter
        self._bad = bad
        self._out = out
        self.done = Imported()

    def read(self, table: Table, shown: _Shown) -> None:
        """Take the rows of a table in.

        Raises
        ------
        MapRefused
            It lacks columns, and is no file of an archive, where others may have them.
        """
        done, columns = self.done, Columns(table.columns)
        if missing := columns.missing(self._map.needs):
            fault = f"{table.name}: has no column {', '.join(missing)}, which the map {self._map.name} reads"
            if "!" not in table.name:
                has = ", ".join(one for one in (table.columns or [])[:30] if one)
                raise MapRefused(f"{fault}; it has {has}")
            done.unlike.append(table.name)
            return
        done.tables += 1
        for number, row in table.rows:
            done.rows += 1
            if isinstance(row, BadRow):
                self._bad.add(BadLine(table.name, number, row.reason, row.detail))
                continue
            try:
                events = self._converter.events(row, columns)
            except LeftOut as left:
                done.left_out[left.why] += 1
                continue
            except Dropped as dropped:
                self._bad.add(BadLine(table.name, number, dropped.reason, dropped.detail))
                continue
            done.used += 1
            for event in events:
                self._out.write(event.json + b"\n")
                done.events += 1
                done.riders.add(event.rider)
                done.first_s = event.at_s if done.first_s is None else min(done.first_s, event.at_s)
                done.last_s = event.at_s if done.last_s is None else max(done.last_s, event.at_s)
            if not done.rows % _SHOWN_EVERY_ROWS:
                shown.show()


class _Shown:
    """How far a file has been read, on a progress bar."""

    def __init__(self, bar: Progress, task: TaskID, raw: BinaryIO) -> None:
        self._bar, self._task, self._raw = bar, task, raw

    def show(self) -> None:
        if self._raw.seekable():
            self._bar.update(self._task, completed=self._raw.tell())


def import_files(
    files: Sequence[str],
    chosen: ImportMap,
    converter: Converter,
    encoding: str | None,
    out: BinaryIO,
    bad: BadLines,
) -> Imported:
    """Read files into lines of events, with a progress bar on a terminal.

    Raises
    ------
    InputFault
        A file cannot be read, to its end or at all, or no table in it has the map's columns.
    """
    importer = Importer(chosen, converter, bad, out)
    parts = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(
        *parts, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        for name in files:
            before = importer.done.tables
            total = None if name == STANDARD_INPUT else os.path.getsize(name)  # noqa: PTH202 - a name, as it was given
            with open_raw(name) as raw:
                shown = _Shown(bar, bar.add_task(name, total=total), raw)
                for table in tables_of(name, raw, encoding):
                    importer.read(table, shown)
            if importer.done.tables == before:
                needs = ", ".join(chosen.needs)
                raise MapRefused(
                    f"{name}: no file in it has the columns that the map {chosen.name} reads: {needs}"
                )
    return importer.done


def report(done: Imported, bad: BadLines, converter: Converter, times: TimeReader) -> Iterator[str]:
    """What was read, left out and dropped, for a person; the dropped rows themselves are the bad lines."""
    yield from (f"{name}: has not the columns of the map, left out" for name in done.unlike)
    for why, count in done.left_out.most_common(_SHOWN_REASONS):
        yield f"left out {count} rows, where {why}"
    yield from (f"{what}: {count}" for what, count in converter.notes.most_common())
    if sum(times.folds.values()):
        first, second = times.folds["first"], times.folds["second"]
        yield (
            f"{first + second} local times lie in the hour that comes twice when clocks go back: taken as "
            f"the first {first}, as the second {second}, where the first would lie before the row's beginning"
        )
    if times.gaps:
        yield f"{times.gaps} local times lie in the hour that clocks leave out when they go forward"
    span = (
        "" if done.first_s is None or done.last_s is None else f", {utc(done.first_s)} to {utc(done.last_s)}"
    )
    yield (
        f"{done.rows} rows: {done.used} used, {done.left_out.total()} left out, {len(bad)} dropped; "
        f"{done.events} events of {len(done.riders)} riders{span}"
    )


@contextmanager
def spooled() -> Iterator[tuple[BinaryIO, str]]:
    """A file that is gone afterwards: events on their way to Kafka, once all rows have been read."""
    with tempfile.TemporaryDirectory(prefix="respite-import-") as folder:
        name = str(Path(folder) / "events.ndjson")
        with open(name, "wb") as out:  # noqa: PTH123 - the name goes on
            yield out, name
