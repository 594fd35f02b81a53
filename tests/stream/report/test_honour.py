"""The honour rate is one: the console's history and the weekly report say the same of the same alerts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.instants import parse_instant
from stream.api.documents.honour import counts, honour_rate
from stream.api.history.file import HistoryFile
from stream.api.history.tables import History
from stream.api.queries.history import HistoryQuery
from stream.api.queries.read_alert import ReadAlert
from stream.settings import Settings
from tests.stream.report.test_report import by_hand, folder, report

__all__ = ["folder"]
GRACE_S = 60


def read_of(number: int, one: dict[str, Any], platforms: tuple[str, ...]) -> ReadAlert:
    hold = one["hold"]
    return ReadAlert(
        sequence=number, partition=0, offset=number, identity=one["alert_id"], rider=one["rider_id"],
        platform=one["platform"], event_s=parse_instant(one["event_time"]), retraction=False,
        packed=json.dumps(one).encode(), told_s=float(number), kind=one["kind"],
        limit=f"{one['policy']}/{one['limit']}", zone=None,
        hold_from_s=parse_instant(hold["from"]) if hold else None, shown=platforms,
    )  # fmt: skip


def counted(alerts: list[dict[str, Any]], grace_s: int | None) -> dict[str, tuple[int, int, int]]:
    """By platform holds, breached holds and breaches, as the console sums them up."""
    query = HistoryQuery(HistoryFile("none", "x"), _nobody, lambda: 0.0, None, grace_s)
    query.history = History("x")
    for number, one in enumerate(alerts):
        # As in the report's ledger: all riders are alpha's, r2 is beta's too.
        query.owned(read_of(number, one, ("alpha", "beta") if one["rider_id"] == "r2" else ("alpha",)))
    found: dict[str, tuple[int, int, int]] = {}
    for hour in query.history.hours.values():
        for name, own in hour.figures.platforms.items():
            before = found.get(name, (0, 0, 0))
            found[name] = before[0] + own.holds, before[1] + own.breached, before[2] + own.breaches
    return found


def _nobody() -> Any:
    raise AssertionError("no rider is asked for")


def standing() -> list[dict[str, Any]]:
    """What stands in the end and begins in the week: the console counts what is taken back as well."""
    gone = {one["supersedes"] for one in by_hand()} - {None}
    kept = [one for one in by_hand() if one["kind"] != "retracted" and one["alert_id"] not in gone]
    # Not the hold of the week before, nor the second telling of one that the record knows by its beginning.
    return [one for one in kept if one["alert_id"] not in ("h0", "b0", "e0", "h3")]


def test_console_and_report_have_the_same_honour_rates(folder: Path) -> None:
    figures, _, _ = report(folder)
    shown = counted(standing(), GRACE_S)
    for platform in ("alpha", "beta"):
        holds, breached, _ = shown[platform]
        assert str(holds) == figures["holds", platform]
        rate = honour_rate(holds, breached)
        assert rate is not None
        assert float(figures["honour_rate", platform]) == pytest.approx(rate, abs=1e-4), platform


def test_what_is_accepted_before_anybody_could_know_is_not_held_against_a_platform() -> None:
    excused = next(one for one in by_hand() if one["alert_id"] == "b2")
    assert not counts(excused, GRACE_S)
    assert counts(excused, 59)
    assert counts({**excused, "hold": {**excused["hold"], "told_at": None}}, GRACE_S)
    assert "beta" not in counted([excused], GRACE_S)
    # By the events' own clock what is told is told in another time.
    assert counted([excused], None)["beta"] == (0, 1, 1)


def test_the_service_excuses_by_its_grace_on_the_wall_clock_alone() -> None:
    for settings, wanted in (
        (Settings(breach_grace=90, history="none"), 90),
        (Settings(breach_grace=90, history="none", clock="event"), None),
    ):
        assert HistoryQuery.of(settings, _nobody, lambda: 0.0)._grace_s == wanted
