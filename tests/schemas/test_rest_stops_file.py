"""Files of rest stops: both forms say the same, and every fault is told at once."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from schemas.faults.meant import listed
from schemas.rest_stops import SERVICES
from schemas.rest_stops_file import InvalidRestStops, RestStopsContents, parse_rest_stops

HEAD = "stop_id,estate_id,name_zh,name_en,zone,address,hours,services,access,source,checked_on\n"
STOP = "s-1,,驿站,Stop,310105,1 Road,Mo-Fr 08:00-22:00,rest;water,,a list,2026-11-28\n"
ESTATE = ",e-1,小区,,310105,,,,closed,a list,2026-11-28\n"
EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "example" / "rest-stops.csv"


def feature(**fields: Any) -> dict[str, Any]:
    stop = {
        "stop_id": "s-1", "name": {"zh": "驿站", "en": "Stop"}, "zone": "310105", "address": "1 Road",
        "hours": "Mo-Fr 08:00-22:00", "services": ["rest", "water"], "source": "a list",
        "checked_on": "2026-11-28",
    }  # fmt: skip
    return {"type": "Feature", "geometry": None, "properties": {**stop, **fields}}


def collection(*features: dict[str, Any]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def faults_of(text: str) -> list[str]:
    with pytest.raises(InvalidRestStops) as refused:
        parse_rest_stops(text, "f")
    return str(refused.value).splitlines()


def test_a_table_and_geojson_say_the_same() -> None:
    estate = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [121.4, 31.2]},
        "properties": {
            "estate_id": "e-1", "name": "小区", "zone": "310105", "access": "closed", "source": "a list",
            "checked_on": "2026-11-28",
        },
    }  # fmt: skip
    table = parse_rest_stops(HEAD + STOP + ESTATE, "f")
    assert parse_rest_stops(collection(feature(), estate), "f") == table
    assert table.doubts == ()
    (stop,), (gate,) = table.stops, table.estates
    assert (stop.name.zh, stop.name.en, stop.services) == ("驿站", "Stop", ("rest", "water"))
    assert (gate.name, gate.access, gate.checked_on) == ("小区", "closed", date(2026, 11, 28))


def test_every_fault_of_a_table_is_told_with_its_line_its_value_and_the_remedy() -> None:
    wrong = "a b,,,Stop,,1 Road,8-22,rest;sauna,,a list,28.11.2026\n"
    told = faults_of(
        HEAD + wrong + STOP + STOP + "s-2,,x\n,,x,y,z,,,,,,\n" + ESTATE.replace("closed", "half")
    )
    assert told == [
        "f: line 5: 3 cells under a head of 11: put quotation marks around a cell with a comma",
        (
            'f: line 2, stop_id a b: stop_id = "a b": a space cannot stand in it: write 1 to 64 '
            "characters of A-Z a-z 0-9 _ . : -"
        ),
        "f: line 2, stop_id a b: name_zh is missing: fill it in",
        "f: line 2, stop_id a b: zone is missing: fill it in",
        (
            'f: line 2, stop_id a b: hours = "8-22": is not understood from character 1 on: write '
            "OpenStreetMap's opening_hours, like Mo-Fr 08:00-22:00; Sa 09:00-18:00, or 24/7; where they are "
            "not known: 24/7 unknown"
        ),
        f'f: line 2, stop_id a b: services = "sauna": must be {listed(SERVICES)}',
        'f: line 2, stop_id a b: checked_on = "28.11.2026": must be a date like 2026-11-28',
        "f: line 6: needs a stop_id (a rest stop) or an estate_id (an estate)",
        'f: line 7, estate_id e-1: access = "half": must be open, cart or closed',
        "f: stop_id s-1: stands twice, give each its own",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "f: line 1: nothing: the head of the table needs a stop_id"),
        ("name,zone\nx,y\n", "f: line 1: name, zone: the head of the table needs a stop_id"),
        (HEAD, "f: has no entry"),
        (HEAD + 's-1,"x\n', "f: line 2: no table:"),
        ('{"type": "Feature"}', 'f: type = "Feature": must be a FeatureCollection'),
        ('{"type": ', "f: not JSON:"),
        (collection(feature(name="驿站")), 'f: feature 1, stop_id s-1: name = "驿站": give name_zh'),
        (collection(feature(zone=5)), "f: feature 1, stop_id s-1: zone = 5: must be a text"),
        (collection(feature(checked_on=20261128)), "f: feature 1, stop_id s-1: checked_on = 20261128: must"),
        (collection(feature(estate_id="e")), "f: feature 1: needs a stop_id (a rest stop)"),
        (collection({"type": "Feature"}), "f: feature 1: has no properties"),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_said(text: str, told: str) -> None:
    assert faults_of(text)[0].startswith(told)


def test_a_misspelt_column_is_named_where_another_is_missing() -> None:
    told = faults_of((HEAD + STOP).replace("address", "adress"))
    assert told[-1] == 'f: line 1: "adress" is not looked at; did you mean address?'


def test_columns_that_are_not_looked_at_and_hours_by_the_sun_are_doubts() -> None:
    found = parse_rest_stops(collection(feature(phone="1", hours="sunrise-sunset", services=["water"])), "f")
    assert [one.partition(":")[0] for one in found.doubts] == [
        '"phone" is not looked at',
        "feature 1, stop_id s-1",
        "feature 1, stop_id s-1",
    ]
    assert "phone" not in found.stops[0].model_dump()


def test_many_faults_are_counted() -> None:
    told = faults_of(HEAD + "x y,,a,b,z,c,24/7,rest,,s,2026-11-28\n" * 60)
    assert len(told) == 51
    assert told[-1] == "f: and 11 more"


def test_the_example_is_good_and_says_that_it_is_made_up() -> None:
    found: RestStopsContents = parse_rest_stops(EXAMPLE.read_text(encoding="utf-8"), "example")
    assert not found.doubts
    assert {one.source for one in found.stops} | {one.source for one in found.estates} == {
        "made up for this example"
    }
