"""Which rest stops are open, at an instant and through a hold."""

from __future__ import annotations

from datetime import datetime

import pytest

from schemas.instants import parse_instant
from schemas.rest_stops import RestStop
from schemas.rest_stops_file import RestStopsContents
from stream.rest_stops.directory import RestStopsDirectory, country_of


def stop(hours: str, stop_id: str = "s", zone: str = "z") -> RestStop:
    return RestStop.model_validate(
        {
            "stop_id": stop_id, "name": {"zh": "甲", "en": "A"}, "zone": zone, "address": "1 Road",
            "hours": hours, "services": ["rest"], "source": "x", "checked_on": "2026-11-28",
        }
    )  # fmt: skip


def directory(*stops: RestStop, time_zone: str = "Asia/Shanghai") -> RestStopsDirectory:
    return RestStopsDirectory(RestStopsContents(stops), time_zone)


# 30 September 2026 is a Wednesday; the next day is a holiday in China.
@pytest.mark.parametrize(
    ("hours", "at", "is_open", "until"),
    [
        ("08:00-22:00", "2026-09-30T07:59:59+08:00", False, None),
        ("08:00-22:00", "2026-09-30T08:00:00+08:00", True, "2026-09-30T22:00:00+08:00"),
        ("08:00-22:00", "2026-09-30T00:00:00Z", True, "2026-09-30T22:00:00+08:00"),
        ("08:00-22:00", "2026-09-30T22:00:00+08:00", False, None),
        ("22:00-06:00", "2026-09-30T23:00:00+08:00", True, "2026-10-01T06:00:00+08:00"),
        ("24/7", "2026-09-30T23:00:00+08:00", True, None),
        ("08:00-22:00; PH off", "2026-10-01T12:00:00+08:00", False, None),
        ('08:00-12:00 "a", 12:00-22:00 "b"', "2026-09-30T10:00:00+08:00", True, "2026-09-30T22:00:00+08:00"),
        ("24/7 unknown", "2026-09-30T12:00:00+08:00", False, None),
    ],
)
def test_hours_are_read_in_the_time_zone(hours: str, at: str, *, is_open: bool, until: str | None) -> None:
    one = stop(hours)
    asked = directory(one)
    at_s = parse_instant(at)
    assert asked.is_open(one, at_s) is is_open
    closes = asked.open_until(one, at_s)
    assert closes == (None if until is None else datetime.fromisoformat(until))


@pytest.mark.parametrize(
    ("hours", "until", "is_open"),
    [
        ("08:00-22:00", "2026-09-30T22:00:00+08:00", True),
        ("08:00-22:00", "2026-09-30T22:00:01+08:00", False),
        ("08:00-20:00,20:30-23:00", "2026-09-30T22:00:00+08:00", False),
        ("08:00-20:00; Th 08:00-24:00", "2026-09-30T19:30:00+08:00", True),
        ("24/7", "2026-10-14T12:00:00+08:00", True),
        ("12:30-22:00", "2026-09-30T12:00:00+08:00", False),
    ],
)
def test_open_until_the_hold_can_end_is_all_through(hours: str, until: str, *, is_open: bool) -> None:
    one = stop(hours)
    from_s = parse_instant("2026-09-30T12:00:00+08:00")
    assert directory(one).is_open_through(one, from_s, parse_instant(until)) is is_open


def test_only_those_of_the_zone_are_named_in_the_order_of_the_file() -> None:
    asked = directory(
        stop("24/7", "b"), stop("24/7", "other", zone="z2"), stop("24/7", "a"), stop("off", "c")
    )
    at_s = parse_instant("2026-09-30T12:00:00+08:00")
    assert [one.stop_id for one in asked.open_in("z", at_s)] == ["b", "a"]
    assert asked.open_in("z1", at_s) == []


def test_hours_follow_the_clock_over_its_changes() -> None:
    # Clocks go back at 03:00 on 25 October 2026.
    one = stop("00:00-24:00; Oct 25 02:00-04:00 off")
    asked = directory(one, time_zone="Europe/Berlin")
    assert not asked.is_open(one, parse_instant("2026-10-25T02:30:00+02:00"))
    assert not asked.is_open(one, parse_instant("2026-10-25T03:30:00+01:00"))
    assert asked.is_open(one, parse_instant("2026-10-25T04:00:00+01:00"))


def test_holidays_are_those_of_the_time_zones_country() -> None:
    assert [country_of(zone) for zone in ("Asia/Shanghai", "Europe/Madrid", "UTC")] == ["CN", "ES", None]
