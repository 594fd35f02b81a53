"""Rest stops in the API: who is told of them, in what, and where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from schemas.overview import K
from schemas.rest_stops import RestStopGaps, RestStops
from stream.api.app import ApiRefused, run_api
from stream.rest_stops.file import RestStopsFile
from tests.stream.api.world import HOUR_S, World

HEAD = "stop_id,estate_id,name_zh,name_en,zone,address,hours,services,access,source,checked_on\n"
STOPS = HEAD + "".join(
    f"{name},,驿站 {name},Stop {name},{zone},1 Road,{hours},rest,,a list,2026-11-28\n"
    for name, zone, hours in (
        ("always", "310105", "24/7"),
        ("short", "310105", "08:00-12:10"),
        ("closed", "310106", "18:00-22:00"),
    )
)
ESTATES = ",e1,甲,,310105,,,,open,x,2026-11-28\n,e2,乙,,310106,,,,closed,x,2026-11-28\n"


class Told:
    """A world whose riders at work are on hold, and an API that knows its rest stops."""

    def __init__(self, world: World, folder: Path, text: str = STOPS + ESTATES) -> None:
        self.world = world
        self.path = folder / "stops.csv"
        self.path.write_text(text, encoding="utf-8")
        world.settings = world.settings.model_copy(update={"rest_stops": str(self.path)})
        self.service = world.service()

    def client(self, *, no_auth: bool = True) -> TestClient:
        self.world.judge()
        self.world.told(self.service)
        return self.world.client(self.service, no_auth=no_auth)

    def alert(self, rider: str = "r1", kind: str = "limit_reached") -> str:
        found = [one for one in self.world.alerts if (one["rider_id"], one["kind"]) == (rider, kind)]
        return str(found[-1]["alert_id"])


@pytest.fixture
def told(world: World, tmp_path: Path) -> Told:
    world.work("r1", 4.0)
    return Told(world, tmp_path)


def ids(found: Any) -> list[str]:
    return [one["stop_id"] for one in found]


def test_a_zones_rest_stops_are_told_and_those_open_at_an_instant(told: Told) -> None:
    client = told.client()
    whole = client.get("/v1/rest-stops").json()
    assert ids(RestStops.model_validate(whole).model_dump()["stops"]) == ["always", "short", "closed"]
    assert [(one["open"], one["open_until"]) for one in whole["stops"]] == [
        (True, None),
        (True, "2026-11-24T12:10:00+08:00"),
        (False, None),
    ]
    assert whole["estates_by_access"] == {"open": 1, "cart": 0, "closed": 1}
    here = client.get("/v1/rest-stops", params={"zone": "310105"}).json()
    assert (ids(here["stops"]), here["estates_by_access"]["closed"]) == (["always", "short"], 0)
    asked = {"zone": "310105", "open_at": "2026-11-24T05:00:00Z"}
    later = client.get("/v1/rest-stops", params=asked).json()
    assert (ids(later["stops"]), later["as_of"]) == (["always"], "2026-11-24T13:00:00+08:00")
    assert client.get("/v1/rest-stops", params={"zone": "nowhere"}).json()["stops"] == []


def test_what_is_no_instant_or_zone_is_refused(told: Told) -> None:
    client = told.client()
    refused = client.get("/v1/rest-stops", params={"open_at": "noon"})
    assert (refused.status_code, refused.json()["detail"][:19]) == (422, 'query.open_at: "noo')
    assert client.get("/v1/rest-stops", params={"zone": "a b"}).status_code == 422


def test_a_holds_explanation_names_those_open_until_it_can_end(told: Told) -> None:
    client = told.client()
    found = client.get(f"/v1/alerts/{told.alert()}/explanation").json()
    # The hold can end at 12:20, and the other one closes at 12:10.
    assert ids(found["rest_stops"]) == ["always"]
    near = client.get(f"/v1/alerts/{told.alert(kind='approaching')}/explanation").json()
    assert near["rest_stops"] is None


def test_a_riders_page_names_them_from_now_on(told: Told) -> None:
    told.world.work("r2", 1.0)
    told.world.work("r3", 4.0)
    told.world.send("r3", "online", int(told.world.wall_s), platform="B", zone="310106")
    client = told.client()
    seen = {rider: client.get(f"/v1/riders/{rider}").json()["rest_stops"] for rider in ("r1", "r2", "r3")}
    assert (ids(seen["r1"]), seen["r2"], seen["r3"]) == (["always"], None, [])


def test_a_platform_does_not_learn_the_zone_from_them(told: Told) -> None:
    client = told.client(no_auth=False)
    platform = told.world.key("platform", "A")
    found = client.get(f"/v1/alerts/{told.alert()}/explanation", headers=platform).json()
    assert found["rest_stops"] is None
    assert "rest_stops" not in client.get("/v1/riders/r1", headers=platform).json()
    assert client.get("/v1/rest-stops", headers=platform).status_code == 200
    assert client.get("/v1/rest-stops").status_code == 401
    assert client.get("/v1/rest-stops/gaps", headers=platform).status_code == 403


def test_zones_without_an_open_one_are_listed_for_the_district(told: Told) -> None:
    for number in range(K + 2):
        told.world.work(f"x{number}", 4.0)
        told.world.send(f"x{number}", "online", int(told.world.wall_s), platform="B", zone="310106")
    told.world.work("y", 4.0)
    told.world.send("y", "online", int(told.world.wall_s), platform="B", zone="310107")
    client = told.client(no_auth=False)
    seen = {
        role: RestStopGaps.model_validate(
            client.get("/v1/rest-stops/gaps", headers=told.world.key(role)).json()
        )
        for role in ("regulator", "operator")
    }
    lines = {
        role: [(one.zone, one.riders_on_hold, one.stops) for one in found.zones]
        for role, found in seen.items()
    }
    # Of 310105 and 310107 one rider each is hidden, and with them 310106, or they could be computed.
    assert lines == {
        "regulator": [("310106", -1, 1), ("310107", -1, 0)],
        "operator": [("310106", K + 2, 1), ("310107", 1, 0)],
    }
    assert (seen["regulator"].k, seen["operator"].k) == (K, None)
    text = client.get("/metrics").text
    assert "respite_zones_without_open_rest_stop 2.0" in text
    assert 'respite_estates{access="closed"} 1.0' in text
    assert "respite_rest_stops 3.0" in text


def test_the_list_says_no_more_than_the_overview(told: Told) -> None:
    # One rider on hold in all: of no zone is told whether it has him.
    told.world.send("idle", "online", int(told.world.wall_s) - HOUR_S, zone="310106")
    client = told.client(no_auth=False)
    found = client.get("/v1/rest-stops/gaps", headers=told.world.key("regulator")).json()
    assert [(one["zone"], one["riders_on_hold"]) for one in found["zones"]] == [("310106", -1)]
    text = client.get("/metrics").text
    assert "\nrespite_zones_without_open_rest_stop " not in text
    assert "respite_rest_stops 3.0" in text


def test_a_changed_file_is_told_of_and_a_refused_one_is_a_metric(told: Told) -> None:
    clock = [0.0]
    told.service.rest_stops._file = RestStopsFile(str(told.path), "Asia/Shanghai", lambda: clock[0])
    client = told.client()
    assert "respite_rest_stops_refused 0.0" in client.get("/metrics").text
    told.path.write_text(STOPS.replace("always", "new"), encoding="utf-8")
    clock[0] += 1
    assert ids(client.get("/v1/rest-stops").json()["stops"])[0] == "new"
    told.path.write_text("x", encoding="utf-8")
    clock[0] += 1
    assert ids(client.get("/v1/rest-stops").json()["stops"])[0] == "new"
    assert "respite_rest_stops_refused 1.0" in client.get("/metrics").text


def test_without_a_file_nothing_is_told(world: World) -> None:
    world.work("r1", 4.0)
    world.judge()
    client = world.client(no_auth=True)
    refused = client.get("/v1/rest-stops")
    assert (refused.status_code, "--rest-stops" in refused.json()["remedy"]) == (404, True)
    assert client.get("/v1/riders/r1").json()["rest_stops"] is None


def test_the_api_does_not_start_with_a_bad_file(told: Told) -> None:
    told.path.write_text("x", encoding="utf-8")
    with pytest.raises(ApiRefused, match=r"--rest-stops: .*line 1: x: the head of the table"):
        run_api(told.world.settings, no_auth=True)
