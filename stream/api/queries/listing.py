"""Lists that go on to their end: riders and alerts, filtered, sorted, page by page."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.kernels.layout.values import I64, NONE
from detectors.kernels.reading.columns import A_KNOWN, A_LEFT, A_LIMIT, A_RESUME, A_STATUS, A_ZONE
from detectors.limits import Limit
from detectors.verdicts import STATUSES
from schemas.api import ToldAlert
from stream.api.documents.batch import Batch
from stream.api.documents.cursor import Cursor, read_cursor
from stream.api.documents.views import person
from stream.api.queries.alert_log import AlertLog
from stream.api.queries.read_alert import ReadAlert
from stream.api.queries.riders import Riders

Document = dict[str, Any]
Ids = npt.NDArray[np.bytes_]
#: Where a rider has nothing to be sorted by: behind all others.
_NOTHING = np.iinfo(np.int64).max


class Wanted(NamedTuple):
    """Which lines of a list; None or empty: all."""

    text: str = ""
    status: str | None = None
    kind: str | None = None
    limit: str | None = None
    platform: str | None = None
    zone: str | None = None
    rider: str | None = None


class _Riders(NamedTuple):
    """The riders of a partition that are wanted, as columns."""

    batch: Batch
    rows: I64
    ids: Ids
    values: I64
    zones: Sequence[str]


class RiderList:
    """All riders of this machine."""

    def __init__(self, riders: Riders, limits: Sequence[Limit]) -> None:
        self._riders = riders
        self._limits = limits

    def page(self, wanted: Wanted, sort: str, cursor: str | None, most: int) -> Document:
        """A page, how many are wanted in all, and the cursor of what is behind it.

        Raises
        ------
        InvalidCursor
            When the cursor is none of a list sorted like this.
        """
        after = None if cursor is None else read_cursor(cursor, sort)
        parts, complete = self._parts(wanted, sort)
        lines = self._sorted(parts, sort, after)
        more = None
        if len(lines) > most:
            part, at = lines[most - 1]
            more = Cursor(sort, int(parts[part].values[at]), _text(parts[part].ids[at])).written()
        return {
            "count": sum(len(one.rows) for one in parts),
            "complete": complete,
            "riders": [self._line(parts[part], at) for part, at in lines[:most]],
            "next": more,
        }

    def every(self, wanted: Wanted, sort: str) -> Iterator[Document]:
        """All lines, one after the other."""
        parts, _ = self._parts(wanted, sort)
        return (self._line(parts[part], at) for part, at in self._sorted(parts, sort, None))

    def _parts(self, wanted: Wanted, sort: str) -> tuple[list[_Riders], bool]:
        found, healths = self._riders.survey()
        parts = [self._wanted(number, batch, wanted, sort) for number, batch, _ in found]
        return parts, bool(healths) and all(one.why_not is None for one in healths)

    def _wanted(self, number: int, batch: Batch, wanted: Wanted, sort: str) -> _Riders:
        answers, zones = batch.asked.answers, self._riders.names_of_zones(number)
        chosen = answers[:, A_KNOWN] == 1
        if wanted.status is not None:
            chosen &= answers[:, A_STATUS] == STATUSES.index(wanted.status)
        if wanted.limit is not None:
            names = [i for i, one in enumerate(self._limits) if _is_limit(one, wanted.limit)]
            chosen &= np.isin(answers[:, A_LIMIT], names)
        if wanted.zone is not None:
            chosen &= answers[:, A_ZONE] == (zones.index(wanted.zone) if wanted.zone in zones else -2)
        if wanted.platform is not None:
            own = dict(self._riders.by_platform(number, batch, only=wanted.platform)).get(wanted.platform)
            chosen &= False if own is None else own.asked.answers[:, A_KNOWN] == 1
        ids = _ids(batch)
        if wanted.text:
            chosen &= np.char.find(ids, wanted.text.encode("ascii", "replace")) >= 0
        rows = np.flatnonzero(chosen)
        return _Riders(batch, rows, ids[rows], self._values(answers[rows], sort), zones)

    def _values(self, answers: I64, sort: str) -> I64:
        """What riders are sorted by, ascending; those who have nothing of the kind come last."""
        values = np.zeros(len(answers), dtype=np.int64)
        if sort in ("left", "until"):
            column = A_LEFT if sort == "left" else A_RESUME
            has = (answers[:, A_LIMIT] != NONE) if sort == "left" else (answers[:, A_RESUME] != NONE)
            values = np.where(has, answers[:, column], _NOTHING)
        return values.astype(np.int64)

    def _sorted(self, parts: Sequence[_Riders], sort: str, after: Cursor | None) -> list[tuple[int, int]]:
        """Places of the wanted riders in order, those behind a cursor."""
        if not parts:
            return []
        part = np.concatenate([np.full(len(one.rows), i) for i, one in enumerate(parts)])
        at = np.concatenate([np.arange(len(one.rows)) for one in parts])
        values = np.concatenate([one.values for one in parts])
        ids = np.concatenate([one.ids for one in parts])
        if after is not None:
            last = np.bytes_(after.last.encode("ascii"))
            behind = (values > after.value) | ((values == after.value) & (ids > last))
            if sort == "-rider":
                behind = ids < last
            part, at, values, ids = part[behind], at[behind], values[behind], ids[behind]
        order = np.lexsort((ids, values))
        if sort == "-rider":
            order = order[::-1]
        return list(zip(part[order].tolist(), at[order].tolist(), strict=True))

    def _line(self, one: _Riders, at: int) -> Document:
        answers = one.batch.asked.answers[one.rows[at]].tolist()
        zone = answers[A_ZONE]
        return {
            **person(_text(one.ids[at]), answers, self._limits),
            "zone": one.zones[zone] if 0 <= zone < len(one.zones) else None,
        }


def _is_limit(limit: Limit, name: str) -> bool:
    return name in (limit.name, f"{limit.policy}/{limit.name}")


def _ids(batch: Batch) -> Ids:
    """The riders' ids as one column of bytes."""
    count = len(batch)
    if not count:
        return np.zeros(0, dtype="S1")
    table = batch.asked.buf.reshape(count, -1).copy()
    table[np.arange(table.shape[1]) >= batch.asked.length[:, None]] = 0
    return table.view(f"S{table.shape[1]}").ravel()


def _text(one: bytes) -> str:
    return one.decode("ascii")


class AlertList:
    """The recent alerts, the newest instant first.

    Parameters
    ----------
    log
        Where they are. What is asked for beside the event loop goes through a copy taken on it.
    """

    sort = "-time"

    def __init__(self, log: AlertLog) -> None:
        self._log = log
        self._all = log.standing()

    def page(self, wanted: Wanted, cursor: str | None, most: int) -> Document:
        """A page, how many are wanted in all, and the cursor of what is behind it.

        Raises
        ------
        InvalidCursor
            When the cursor is none of this list.
        """
        after = None if cursor is None else read_cursor(cursor, self.sort)
        chosen = [one for one in self._all if _is_wanted(one, wanted)]
        behind = chosen
        if after is not None:
            place = (after.value, after.last)
            behind = [one for one in chosen if _place(one) < place]
        lines = heapq.nlargest(most + 1, behind, key=_place)
        more = None
        if len(lines) > most:
            more = Cursor(self.sort, *_place(lines[most - 1])).written()
        return {"count": len(chosen), "alerts": [self._line(one) for one in lines[:most]], "next": more}

    def every(self, wanted: Wanted) -> Iterator[Document]:
        """All lines, one after the other."""
        chosen = sorted((one for one in self._all if _is_wanted(one, wanted)), key=_place, reverse=True)
        return map(self._line, chosen)

    def _line(self, one: ReadAlert) -> Document:
        told = told_line(one, retracted=self._log.is_retracted(one.identity))
        return {"rider_id": one.rider, "zone": one.zone, **told}


def told_line(one: ReadAlert, *, retracted: bool) -> Document:
    """An alert as a rider's list has it."""
    alert = one.document()
    told = {name: alert[name] for name in ToldAlert.model_fields if name != "retracted"}
    return {**told, "retracted": retracted}


def _place(one: ReadAlert) -> tuple[int, str]:
    return one.event_s, one.identity


def _is_wanted(one: ReadAlert, wanted: Wanted) -> bool:
    return (
        wanted.kind in (None, one.kind)
        and wanted.rider in (None, one.rider)
        and wanted.zone in (None, one.zone)
        and (wanted.limit is None or wanted.limit in (one.limit, one.limit.partition("/")[2]))
        and (wanted.platform is None or wanted.platform == one.platform or wanted.platform in one.shown)
        and wanted.text in one.rider
    )
