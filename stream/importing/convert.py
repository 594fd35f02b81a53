"""A row to its events."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from schemas.durations import parse_duration
from schemas.import_map import ImportMap, MappedEvent, Value
from schemas.names import is_id
from schemas.work_state import SCHEMA, TYPES_OF_ORDERS, Refused, read_event
from stream.importing.cells import Columns, Row, is_blank, word
from stream.importing.pseudonyms import Pseudonyms
from stream.importing.times import BadTime, TimeReader
from stream.output.alert_json import utc

_ENDS = frozenset({"offline", "break_ended", "order_delivered", "order_cancelled"})
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Dropped(ValueError):
    """A row that gives no events.

    Attributes
    ----------
    reason
        One word for the tally.
    detail
        The column, what it says and what is wrong with it.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class LeftOut(Exception):
    """A row that the map leaves out."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Event(NamedTuple):
    """An event of a row.

    Parameters
    ----------
    at_s
        Event time, epoch seconds.
    json
        As a line says it, without its end.
    """

    rider: str
    at_s: int
    type: str
    json: bytes


class _Who(NamedTuple):
    rider: str
    platform: str
    order: str | None
    zone: str | None


class _Timed(NamedTuple):
    of: MappedEvent
    type: str
    at_s: int | None


class Converter:
    """Turns rows into events, as a map says.

    Attributes
    ----------
    notes
        What was made of cells that say nothing, counted.
    """

    def __init__(self, chosen: ImportMap, pseudonyms: Pseudonyms | None, times: TimeReader) -> None:
        self._map = chosen
        self._pseudonyms = pseudonyms
        self._times = times
        self._only = _folded(chosen.only)
        self._when = [(_folded(one.when), _folded(one.unless)) for one in chosen.event]
        self.notes: Counter[str] = Counter()

    def events(self, row: Row, columns: Columns) -> list[Event]:
        """The events of a row, in the map's order.

        Raises
        ------
        Dropped
            It gives none; why.
        LeftOut
            The map does not want it.
        """
        for column, values in self._only.items():
            said = word(columns.cell(row, column))
            if said.casefold() not in values:
                raise LeftOut(f'{column} is "{said[:40]}"')
        if self._map.embedded is not None:
            return [self._embedded(row, columns)]
        who = self._who(row, columns)
        return [_event(who, type_, at_s) for type_, at_s in self._timed(row, columns)]

    def _embedded(self, row: Row, columns: Columns) -> Event:
        place = self._map.embedded
        assert place is not None
        inner: object = row if place == "." else columns.cell(row, place)
        if not isinstance(inner, Mapping):
            raise Dropped("no_event", f"{place}: holds no event, but {type(inner).__name__}")
        if columns.are_fixed:
            inner = {key: _field(key, cell) for key, cell in inner.items() if not is_blank(cell)}
        value = msgspec.json.encode(inner, enc_hook=str)
        try:
            event = read_event(value)
        except Refused as refused:
            raise Dropped(refused.reason, refused.detail) from refused
        return Event(event.rider_id, event.event_s, event.type, value)

    # ------------------------------------------------------------ who

    def _who(self, row: Row, columns: Columns) -> _Who:
        found = self._map
        assert found.rider is not None
        assert found.platform is not None
        rider = self._named("rider", "r", found.rider, row, columns)
        platform = _cell_of(found.platform, row, columns)
        if not is_id(platform):
            raise Dropped("platform", _no_id(found.platform, platform))
        order = None
        if found.order is not None:
            order = self._named("order", "o", found.order, row, columns)
        zone = None if found.zone is None else _cell_of(found.zone, row, columns)
        if zone and not is_id(zone):
            self.notes["zone: no code, left out"] += 1
            zone = None
        return _Who(rider, platform, order, zone or None)

    def _named(self, what: str, kind: str, value: Value, row: Row, columns: Columns) -> str:
        said = _cell_of(value, row, columns)
        if not said:
            raise Dropped(what, f"{', '.join(value.reads)}: says nothing")
        if value.constant is not None:
            return said
        if self._map.ids == "pseudonyms" and self._pseudonyms is not None:
            return self._pseudonyms.of(kind, said)
        if not is_id(said):
            raise Dropped(what, _no_id(value, said) + '; ids = "pseudonyms" in the map makes ids of anything')
        return said

    # ------------------------------------------------------------ when

    def _timed(self, row: Row, columns: Columns) -> list[tuple[str, int]]:
        found = self._read_times(row, columns)
        known = [one.at_s for one in found if one.at_s is not None]
        if not known:
            raise Dropped("no_time", "no column of a time says anything")
        first_s, last_s = known[0], max(known)
        events: list[tuple[str, int]] = []
        for of, type_, at_s in found:
            if at_s is None:
                at_s = self._for_missing(of, type_, last_s)
                if at_s is None:
                    continue
            if at_s < first_s:
                if of.if_missing == "skip":
                    self.notes[f"{of.time}: before the row's beginning, left out"] += 1
                    continue
                text = word(columns.cell(row, of.time))
                begin = f"the row's beginning, {utc(first_s)}"
                raise Dropped("ends_before_it_begins", f'{of.time}: "{text}" lies before {begin}')
            events.append((type_, at_s))
        return events

    def _read_times(self, row: Row, columns: Columns) -> list[_Timed]:
        found: list[_Timed] = []
        first_s: int | None = None
        for of, (when, unless) in zip(self._map.event, self._when, strict=True):
            if not _holds(row, columns, when, unless):
                continue
            try:
                at_s = self._times.read(columns.cell(row, of.time), first_s)
            except BadTime as bad:
                raise Dropped("bad_time", f"{of.time}: {bad}") from bad
            first_s = at_s if first_s is None else first_s
            found.append(_Timed(of, self._type_of(of, row, columns), at_s))
        if not found:
            raise Dropped("no_state", "its state gives no event by the map")
        return found

    def _type_of(self, of: MappedEvent, row: Row, columns: Columns) -> str:
        if of.type is not None:
            return of.type
        said = word(columns.cell(row, of.type_column or ""))
        found = self._map.types.get(said)
        if found is None:
            raise Dropped("type", f'{of.type_column}: "{said[:60]}" is no word of the map\'s types')
        return found

    def _for_missing(self, of: MappedEvent, type_: str, last_s: int) -> int | None:
        if of.if_missing == "drop" or (type_ not in _ENDS and of.if_missing != "skip"):
            raise Dropped("missing", f"{of.time}: says nothing")
        if of.if_missing == "skip":
            return None
        if of.if_missing == "open":
            self.notes[f"{of.time}: says nothing, left open"] += 1
            return None
        if of.if_missing == "last":
            self.notes[f"{of.time}: says nothing, ended at the row's last time"] += 1
            return last_s
        self.notes[f"{of.time}: says nothing, ended {of.if_missing} after the row's last time"] += 1
        return last_s + parse_duration(of.if_missing)


def _folded(wanted: Mapping[str, list[str]]) -> dict[str, frozenset[str]]:
    return {column: frozenset(one.casefold() for one in values) for column, values in wanted.items()}


def _holds(
    row: Row, columns: Columns, when: Mapping[str, frozenset[str]], unless: Mapping[str, frozenset[str]]
) -> bool:
    return all(word(columns.cell(row, one)).casefold() in values for one, values in when.items()) and not any(
        word(columns.cell(row, one)).casefold() in values for one, values in unless.items()
    )


def _cells_of(value: Value, row: Row, columns: Columns) -> list[str]:
    return [word(columns.cell(row, one)) for one in value.reads]


def _cell_of(value: Value, row: Row, columns: Columns) -> str:
    if value.constant is not None:
        return value.constant
    cells = _cells_of(value, row, columns)
    return "\0".join(cells) if any(cells) else ""


def _no_id(value: Value, said: str) -> str:
    return f'{", ".join(value.reads)}: "{said[:60]}" is not 1 to 64 of A-Z a-z 0-9 _ . : -'


def _field(key: str, cell: object) -> Any:  # noqa: ANN401 - whatever JSON takes
    """A field of our own event as a table writes it: booleans as words, ids as numbers."""
    if isinstance(cell, str) and key in ("void", "confirmed"):
        return _BOOLEANS.get(cell.strip().casefold(), cell)
    if key.endswith("_id") or key == "zone":
        return cell if isinstance(cell, bool) else word(cell)
    return cell.strip() if isinstance(cell, str) else cell


def _event(who: _Who, type_: str, at_s: int) -> Event:
    """The event; its id is a function of all that it says, so the same row always gives the same events."""
    when = utc(at_s)
    order = who.order if type_ in TYPES_OF_ORDERS else None
    parts = (who.rider, who.platform, order or "", type_, when, who.zone or "")
    said = {
        "schema": SCHEMA,
        "event_id": f"i-{hashlib.blake2b(chr(10).join(parts).encode(), digest_size=16).hexdigest()}",
        "rider_id": who.rider,
        "platform": who.platform,
        "event_time": when,
        "type": type_,
    }
    if order is not None:
        said["order_id"] = order
    if who.zone is not None:
        said["zone"] = who.zone
    return Event(who.rider, at_s, type_, msgspec.json.encode(said))
