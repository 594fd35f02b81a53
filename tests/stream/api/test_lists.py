"""Lists: everything is found, filtered, sorted and reached page by page, and exported as it is shown."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.stream.api.scene import OTHER, OWN, Scene
from tests.stream.api.world import World

STATUS_SORTS = ("rider", "-rider", "left", "until")


@pytest.fixture
def city(world: World) -> Scene:
    """Two on hold, one near, forty at work in two zones."""
    for number in range(40):
        at_s = int(world.wall_s) - 600 * (number + 1)
        zone, platform = ("310104", "A") if number % 4 else ("310107", "C")
        world.send(f"r-{number:02}", "order_accepted", at_s, platform, "o", zone)
    world.work("r-near", 3.7, "B")
    return Scene(world)


def pages(city: Scene, path: str, **query: Any) -> list[dict[str, Any]]:
    """All lines of a list, page after page, as a client goes through them."""
    lines: list[dict[str, Any]] = []
    cursor, headers = None, city.world.key("dispatcher")
    for _ in range(500):
        asked = {name: value for name, value in {**query, "cursor": cursor}.items() if value is not None}
        answer = city.client.get(path, params=asked, headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found = page["riders" if path.endswith("riders") else "alerts"]
        lines += found
        cursor = page["next"]
        if cursor is None:
            assert len(lines) == page["count"]
            return lines
        assert len(found) == query.get("most", 50), "only the last page is shorter"
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("sort", STATUS_SORTS)
@pytest.mark.parametrize("most", [1, 7, 1000])
def test_every_rider_is_on_exactly_one_page_whatever_the_order(city: Scene, sort: str, most: int) -> None:
    found = [one["rider_id"] for one in pages(city, "/v1/riders", sort=sort, most=most)]
    assert sorted(found) == sorted([*(f"r-{number:02}" for number in range(40)), OWN, OTHER, "r-near"])
    if sort.endswith("rider"):
        assert found == sorted(found, reverse=sort.startswith("-"))


def test_riders_are_sorted_by_what_they_have_left_and_by_when_they_may_ride_again(city: Scene) -> None:
    lines = pages(city, "/v1/riders", sort="left", most=5)
    left = [one["remaining_s"] for one in lines]
    assert left == sorted(left)
    lines = pages(city, "/v1/riders", sort="until", most=5)
    until = [one["hold_until"] for one in lines]
    held = [one for one in until if one is not None]
    assert until == sorted(held) + [None] * (len(until) - len(held))
    assert len(held) == 2


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"status": "hold"}, {OWN, OTHER}),
        ({"status": "approaching"}, {"r-near"}),
        ({"status": "hold", "platform": "A"}, {OWN}),
        ({"status": "hold", "limit": "continuous-4h"}, {OWN, OTHER}),
        ({"status": "hold", "limit": "cn-gbt-2025@1/continuous-4h"}, {OWN, OTHER}),
        ({"status": "hold", "limit": "cn-gbt-2025@2/continuous-4h"}, set()),
        ({"platform": "C"}, {f"r-{number:02}" for number in range(0, 40, 4)}),
        ({"zone": "310107"}, {f"r-{number:02}" for number in range(0, 40, 4)}),
        ({"zone": "310107", "text": "r-3"}, {"r-32", "r-36"}),
        ({"text": "own"}, {OWN}),
        ({"platform": "Z"}, set()),
        ({"zone": "nowhere"}, set()),
    ],
)
def test_filters_find_exactly_those(city: Scene, query: dict[str, str], wanted: set[str]) -> None:
    found = pages(city, "/v1/riders", **query)
    assert {one["rider_id"] for one in found} == wanted
    assert len(found) == len(wanted)


@pytest.mark.parametrize("most", [1, 2, 1000])
def test_every_alert_is_on_one_page_the_newest_first(city: Scene, most: int) -> None:
    found = pages(city, "/v1/alerts", most=most)
    assert sorted(one["alert_id"] for one in found) == sorted(one["alert_id"] for one in city.world.alerts)
    times = [one["event_time"] for one in found]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "hold_breached"},
        {"rider": OWN},
        {"limit": "continuous-4h"},
        {"zone": "310105"},
        {"text": "own"},
    ],
)
def test_alerts_are_filtered_as_one_would_by_hand(city: Scene, query: dict[str, str]) -> None:
    ((name, value),) = query.items()
    field = {"rider": "rider_id", "text": "rider_id"}.get(name, name)
    wanted = {
        one["alert_id"]
        for one in city.world.alerts
        if (value in one[field] if name == "text" else one[field] == value)
    }
    assert wanted
    assert {one["alert_id"] for one in pages(city, "/v1/alerts", **query)} == wanted


def test_the_alerts_of_a_platform_are_its_riders_and_its_own_breaches(city: Scene) -> None:
    found = pages(city, "/v1/alerts", platform="A")
    assert {(one["rider_id"], one["platform"]) for one in found} == {(OWN, None), (OWN, "A")}


@pytest.mark.parametrize(("path", "key"), [("/v1/riders", "riders"), ("/v1/alerts", "alerts")])
def test_the_csv_has_every_line_of_every_page(city: Scene, path: str, key: str) -> None:
    headers = city.world.key("dispatcher")
    answer = city.client.get(path, params={"format": "csv", "most": 1}, headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    shown = pages(city, path, most=1000)
    names = list(lines[0])
    wanted = [{name: "" if one[name] is None else str(one[name]) for name in names} for one in shown]
    assert lines == wanted
    assert len(lines) > 2, key


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "%00", "WyJyaWRlciIsMSwiciJd" * 40, "WyJsZWZ0IiwxLCJyIl0", "WyJyaWRlciIsMSwi6aqRIl0", "bnVsbA"],
)
def test_a_cursor_that_no_page_ended_with_is_refused_with_a_remedy(city: Scene, cursor: str) -> None:
    for path in ("/v1/riders", "/v1/alerts"):
        answer = city.client.get(path, params={"cursor": cursor}, headers=city.world.key("dispatcher"))
        assert answer.status_code == 422
        assert answer.json()["remedy"]


@pytest.mark.parametrize("role", ["platform", "regulator", "operator"])
def test_lists_of_persons_are_for_dispatchers_alone(city: Scene, role: str) -> None:
    headers = city.world.key(role, "A" if role == "platform" else None)
    for path in ("/v1/riders", "/v1/alerts"):
        for form in ("json", "csv"):
            answer = city.client.get(path, params={"format": form}, headers=headers)
            assert answer.status_code == 403
            assert OWN not in answer.text


def test_riders_who_come_and_go_meanwhile_leave_the_others_on_one_page_each(city: Scene) -> None:
    headers = city.world.key("dispatcher")
    first = city.client.get("/v1/riders", params={"most": 20}, headers=headers).json()
    city.world.send("r-00a", "online", int(city.world.wall_s) - 5)
    city.world.send("r-zz", "online", int(city.world.wall_s) - 5)
    city.world.judge()
    query = {"most": 1000, "cursor": first["next"]}
    rest = city.client.get("/v1/riders", params=query, headers=headers).json()
    seen = [one["rider_id"] for one in (*first["riders"], *rest["riders"])]
    assert len(seen) == len(set(seen))
    assert set(seen) == {*(f"r-{number:02}" for number in range(40)), OWN, OTHER, "r-near", "r-zz"}


@given(hours=st.lists(st.integers(1, 5), min_size=1, max_size=12))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_week_adds_up_what_the_rider_worked_day_by_day(
    tmp_path_factory: pytest.TempPathFactory, hours: list[int]
) -> None:
    world = World(tmp_path_factory.mktemp("week"))
    midnight_s, worked = int(world.wall_s) - 12 * 3600, [0] * 7
    for number, long in enumerate(hours):
        day = number % 7
        at_s = midnight_s - (6 - day) * 86_400 + (1 + 5 * (number // 7)) * 3600
        world.send("r1", "order_accepted", at_s, "A", f"o{number}")
        world.send("r1", "order_delivered", at_s + min(long, 3) * 3600, "A", f"o{number}")
        worked[day] += min(long, 3) * 3600 if day < 6 or number < 7 else 0
    world.judge()
    answer = world.client(no_auth=True).get("/v1/riders/r1/week").json()
    (week,) = answer["weeks"]
    assert [day["seconds"]["order"] for day in week["days"]] == worked
    assert week["days"][-1]["day"] == "2026-11-24"


def test_a_week_is_no_platforms_business_and_a_regulators_with_a_case_number(city: Scene) -> None:
    path = f"/v1/riders/{OWN}/week"
    regulator = city.world.key("regulator")
    assert city.client.get(path, headers=city.world.key("platform", "A")).status_code == 403
    assert city.client.get(path, headers=regulator).status_code == 403
    assert city.client.get(path, headers={**regulator, "X-Case-Number": "1"}).status_code == 200
    assert city.client.get("/v1/riders/r-never/week", headers=city.world.key("dispatcher")).status_code == 404
