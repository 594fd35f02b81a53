"""Each map that comes with Respite, on a sample in its real layout; the hours are counted by hand here.

The headers are those of exports and readers that others have published, whole for Uber Eats, Wolt, LaDe and
Meituan's waybills. Of Uber's files for drivers the columns that readers name are there, not all 73. Values
are made up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from stream.cli.main import app
from stream.importing.map_files import builtin_maps
from tests.stream.importing.hours import events_in, seconds

SAMPLES = Path(__file__).parent / "samples"
ZURICH = ("--zone", "Europe/Zurich")
ME = ("--rider", "me")


def run(folder: Path, *arguments: str) -> tuple[Result, list[dict[str, Any]]]:
    out = folder / "events.ndjson"
    key = ("--key", str(folder / "key"))
    result = CliRunner().invoke(app, ["import", *arguments, *key, "--to", str(out)])
    return result, events_in(out) if out.exists() else []


def imported(folder: Path, name: str, *arguments: str, status: int) -> list[dict[str, Any]]:
    result, events = run(folder, str(SAMPLES / name), "--map", name.partition(".")[0], *arguments)
    assert result.exit_code == status, result.output
    return events


def test_uber_intervals_of_state_give_hours_online_and_in_hand(tmp_path: Path) -> None:
    events = imported(tmp_path, "uber-driver-online.csv", *ME, status=3)
    # 09:40:00 to 10:40:00 online, without a gap; from 10:06:29 on there is a trip; the last row has no end.
    assert seconds(events, "me", "online") == 3600
    assert seconds(events, "me", "order") == 33 * 60 + 31


def test_uber_trips_count_from_the_request_and_a_booked_one_anew_from_its_begin(tmp_path: Path) -> None:
    events = imported(tmp_path, "uber-driver-trips.csv", *ME, status=0)
    booked = [one for one in events if one["event_time"] in ("2026-02-01T07:00:00Z", "2026-02-01T13:00:00Z")]
    assert [one["type"] for one in booked] == ["order_accepted", "order_accepted", "order_picked_up"]
    rest = [one for one in events if one["order_id"] != booked[0]["order_id"]]
    # 10:06:29 to 10:18:20, and a cancelled one from 11:00 to 11:03.
    assert seconds(rest, "me", "order") == (11 * 60 + 51) + 180


def test_uber_eats_orders_at_once_count_once_and_the_fold_is_resolved(tmp_path: Path) -> None:
    events = imported(tmp_path, "uber-eats.csv", *ME, *ZURICH, status=0)
    # 12:10 to 12:32 and 12:30 to 12:52; then 02:50 summer time to 02:10 winter time, which are 20 min; the
    # cancelled one has no end and ends where it began.
    assert seconds(events, "me", "order") == 42 * 60 + 20 * 60
    assert events[0]["event_time"] == "2026-10-15T10:10:00Z"


def test_wolt_tasks_of_one_creation_are_one_order(tmp_path: Path) -> None:
    events = imported(tmp_path, "wolt.csv", *ME, *ZURICH, status=3)
    unfinished = next(one["order_id"] for one in events if one["event_time"] == "2026-04-24T15:17:20Z")
    rest = [one for one in events if one["order_id"] != unfinished]
    # 16:55:03 to 17:17:17, and a delivery without its pick-up from 15:19:55 to 15:26:22.
    assert seconds(rest, "me", "order") == (22 * 60 + 14) + (6 * 60 + 27)


def test_meituan_waybills_that_were_refused_are_left_out(tmp_path: Path) -> None:
    events = imported(tmp_path, "meituan-tsl.csv", status=0)
    first, second = dict.fromkeys(one["rider_id"] for one in events)
    # 1665976313 to ..77513 and ..76913 to ..78113: together 1,800 s.
    # The other has no end: up to its fetching.
    assert seconds(events, first, "order") == 1800
    assert seconds(events, second, "order") == 300
    assert {one["zone"] for one in events} == {"8"}


def test_lade_deliveries_take_the_year_that_is_said_and_go_over_into_the_next(tmp_path: Path) -> None:
    events = imported(tmp_path, "lade-delivery.csv", "--year", "2022", status=3)
    (rider,) = dict.fromkeys(one["rider_id"] for one in events)
    # 10:26 to 17:04, and over New Year 23:50 to 00:20; a 30th of February is none.
    assert seconds(events, rider, "order") == (6 * 60 + 38) * 60 + 1800
    assert events[-1]["event_time"] == "2022-12-31T16:20:00Z"


def test_lade_pick_ups_end_when_the_parcel_is_fetched(tmp_path: Path) -> None:
    events = imported(tmp_path, "lade-pickup.csv", "--year", "2022", status=0)
    # 08:05 to 09:15 and 08:45 to 09:45.
    assert seconds(events, events[0]["rider_id"], "order") == 100 * 60


def test_shifts_of_two_platforms_unite_and_bad_rows_are_named(tmp_path: Path) -> None:
    source = str(SAMPLES / "shifts.csv")
    result, events = run(tmp_path, source, "--map", "shifts", "--zone", "Asia/Shanghai")
    first, second = dict.fromkeys(one["rider_id"] for one in events)
    # 08:00 to 14:30 over two platforms; 22:00 to 02:15.
    assert seconds(events, first, "online") == 6 * 3600 + 1800
    assert seconds(events, second, "online") == 4 * 3600 + 900
    assert result.exit_code == 3
    assert "shifts.csv:5: missing: end: says nothing" in result.output
    assert 'shifts.csv:6: ends_before_it_begins: end: "2026-11-04 08:00" lies before' in result.output
    assert 'shifts.csv:7: bad_time: begin: "Tuesday" is no time' in result.output
    assert "6 rows: 3 used, 0 left out, 3 dropped; 6 events of 2 riders" in result.output


def test_trips_of_one_number_on_two_platforms_are_two(tmp_path: Path) -> None:
    events = imported(tmp_path, "trips.csv", "--zone", "Asia/Shanghai", status=0)
    (rider,) = dict.fromkeys(one["rider_id"] for one in events)
    # 08:00 to 08:50 and 09:00 to 09:20.
    assert seconds(events, rider, "order") == 70 * 60
    assert "13800000000" not in (tmp_path / "events.ndjson").read_text()


def test_cloud_events_give_the_event_inside_as_it_is(tmp_path: Path) -> None:
    events = imported(tmp_path, "cloudevents.json", status=3)
    # 12:00:00 to 12:45:30; one without a rider is dropped.
    assert seconds(events, "r_7f3a09", "order") == 45 * 60 + 30
    assert events[0]["event_time"] == "2026-11-23T12:00:00+08:00"
    assert events[0]["event_id"] == "m-1"


def test_our_own_events_in_a_table_are_events_again(tmp_path: Path) -> None:
    events = imported(tmp_path, "work-state.tsv", status=0)
    assert seconds(events, "r1", "order") == 1200
    assert events[1]["void"] is False
    assert events[1]["order_id"] == "77"


@pytest.mark.parametrize("name", builtin_maps())
def test_every_map_has_a_sample(name: str) -> None:
    assert list(SAMPLES.glob(f"{name}.*"))


def test_a_map_says_what_it_asks_for(tmp_path: Path) -> None:
    result, events = run(tmp_path, str(SAMPLES / "wolt.csv"), "--map", "wolt")
    assert result.exit_code == 2
    assert not events
    assert (
        "the map wolt asks for --zone, the time zone of its times, like Europe/Paris; --rider"
        in result.output
    )
