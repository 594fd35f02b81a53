"""The history as a document: whole, or as a regulator may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.overview import K
from stream.api.documents.rounding import rounded_all
from stream.api.documents.suppression import SUPPRESSED, suppress
from stream.api.history.tables import HOUR_S, Figures, History, Hour, Sample
from stream.output.alert_json import utc

Document = dict[str, Any]
_COLUMNS = ("holds", "breached", "breaches")


def whole(history: History, samples: Sequence[Sample], hours: int) -> Document:
    """Everything of the last so many hours."""
    kept = _last(history, hours)
    return {
        "samples": [_sample(one) for one in samples],
        "hours": [_hour(one.at_s, one.figures) for one in kept],
    }


def for_regulator(history: History, samples: Sequence[Sample], hours: int, k: int = K) -> Document:
    """Only hours that are over and stand still; of riders one sample for each, small cells hidden.

    What is not shown yet is of the hour that goes on, so that two answers differ by whole hours alone.
    """
    kept = [one for one in _last(history, hours) if one.closed is not None]
    closed = {one.at_s for one in kept}
    firsts: dict[int, Sample] = {}
    for sample in samples:
        firsts.setdefault(sample.at_s // HOUR_S * HOUR_S, sample)
    shown = [one for at_s, one in firsts.items() if at_s in closed]
    return {
        "samples": [_hidden_sample(one, k) for one in shown],
        "hours": [_hour(one.at_s, _hidden(one.closed, k)) for one in kept if one.closed is not None],
    }


def _last(history: History, hours: int) -> list[Hour]:
    newest = max(history.hours, default=0)
    return [history.hours[at_s] for at_s in sorted(history.hours) if at_s > newest - hours * HOUR_S]


def _sample(one: Sample) -> Document:
    return {
        "at": utc(one.at_s),
        "clear": one.clear,
        "approaching": one.approaching,
        "hold": one.hold,
        "is_gap": one.is_gap,
    }


def _hidden_sample(one: Sample, k: int) -> Document:
    cells = suppress({"clear": one.clear, "approaching": one.approaching, "hold": one.hold}, k)
    return {"at": utc(one.at_s), **rounded_all(cells, k), "is_gap": one.is_gap}


def _hour(at_s: int, figures: Figures | Document) -> Document:
    if not isinstance(figures, Figures):
        return {"start": utc(at_s), **figures}
    platforms = {
        name: {column: getattr(one, column) for column in _COLUMNS}
        for name, one in sorted(figures.platforms.items())
    }
    return {
        "start": utc(at_s),
        "kinds": dict(sorted(figures.kinds.items())),
        "zones": dict(sorted(figures.zones.items())),
        "platforms": platforms,
    }


def _hidden(figures: Figures, k: int) -> Document:
    """An hour's figures without small cells; a table whose total is hidden is hidden whole."""
    kinds = suppress(figures.kinds, k)
    reached = kinds.get("limit_reached") == SUPPRESSED
    breached = kinds.get("hold_breached") == SUPPRESSED
    columns = {
        name: _cells({one: getattr(of, name) for one, of in figures.platforms.items()}, hide=hide, k=k)
        for name, hide in (("holds", reached), ("breached", reached or breached), ("breaches", breached))
    }
    return {
        "kinds": rounded_all(dict(sorted(kinds.items())), k),
        "zones": _cells(figures.zones, hide=reached, k=k),
        "platforms": {
            name: {column: columns[column][name] for column in _COLUMNS} for name in sorted(figures.platforms)
        },
    }


def _cells(found: Mapping[str, int], *, hide: bool, k: int) -> dict[str, int]:
    shown = dict.fromkeys(found, SUPPRESSED) if hide else suppress(found, k)
    return {name: int(rounded_all(shown[name], k)) for name in sorted(shown)}


def usage_for_regulator(document: Document, k: int = K) -> Document:
    """How much of each limit riders have used, small cells hidden; by limit, in tenths."""
    limits = {}
    for name, tenths in document["limits"].items():
        cells = suppress({str(index): count for index, count in enumerate(tenths)}, k)
        limits[name] = list(cells.values())
    totals = [SUPPRESSED if 0 < document[name] < k else document[name] for name in ("riders", "looked_at")]
    return {"riders": totals[0], "looked_at": totals[1], "limits": limits}
