"""Who may see what: every route by every role, and that a platform learns of nothing that is not its own."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from stream.api.access.roles import Caller
from stream.api.documents.suppression import SUPPRESSED
from tests.stream.api.scene import CASE, OTHER, OWN, ROUTES, Scene
from tests.stream.api.world import World

_ALL_KEYS = {"policies", "me", "rest stops", "health"}
_PERSON = {"rider", "alerts", "explanation", "reviews of an alert", "contest", "review"}
_COUNTS = {"overview", "history", "gaps", "review counts"}
ALLOWED = {
    "platform": {"eligibility", "round", "claims", "reviews", *_PERSON, *_ALL_KEYS},
    "rider": {"reviews", *_PERSON, *_ALL_KEYS},
    "dispatcher": set(ROUTES) - {"answer"},
    "regulator": {"claims", *_COUNTS, *_ALL_KEYS},
    "regulator with a case number": {"week", "claims", *_PERSON, *_COUNTS, *_ALL_KEYS},
    "operator": {
        "claims",
        "reviews of an alert",
        "contest",
        "reviews",
        "review",
        "answer",
        *_COUNTS,
        *_ALL_KEYS,
    },
    "nobody": {"health"},
}


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


@pytest.mark.parametrize("who", list(ALLOWED))
def test_every_route_is_open_to_exactly_the_roles_whose_business_it_is(scene: Scene, who: str) -> None:
    role = who.split(maxsplit=1)[0]
    headers = {} if who == "nobody" else scene.key(role)
    headers |= CASE if "case" in who else {}
    # Of the asker's own where he can ask for one.
    contested = scene.ask("contest", headers if "contest" in ALLOWED[who] else scene.key("operator")).json()
    for route in ROUTES:
        answer = scene.ask(route, headers, contested["review_id"])
        # No file of rest stops is named here, which is said to whom they may be said.
        allowed = 201 if route == "contest" else 404 if route in ("rest stops", "gaps") else 200
        wanted = allowed if route in ALLOWED[who] else 401 if who == "nobody" else 403
        assert answer.status_code == wanted, (who, route, answer.text)
        if wanted >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["remedy"]


def test_a_regulators_looks_at_persons_are_counted_without_saying_at_whom(scene: Scene) -> None:
    regulator, dispatcher = scene.world.key("regulator"), scene.world.key("dispatcher")
    for route in ("rider", "alerts", "explanation"):
        assert scene.ask(route, {**regulator, **CASE}).status_code == 200
        assert scene.ask(route, regulator).status_code == 403
        assert scene.ask(route, dispatcher).status_code == 200
    found = [line for line in scene.client.get("/metrics").text.splitlines() if "case_lookups" in line]
    assert "respite_api_case_lookups_total 3.0" in found
    assert not any(said in "".join(found) for said in (OWN, CASE["X-Case-Number"]))


def test_a_rider_of_another_platform_is_answered_byte_for_byte_as_one_never_seen(scene: Scene) -> None:
    headers = scene.world.key("platform", "A")
    assert scene.client.get(f"/v1/riders/{OWN}/eligibility", headers=headers).json()["verdict"] == "FAIL"
    for path in ("/v1/riders/{}/eligibility", "/v1/riders/{}"):
        answers = [scene.client.get(path.format(rider), headers=headers) for rider in (OTHER, "r-never")]
        texts = [one.content.replace(rider.encode(), b"") for one, rider in zip(answers, (OTHER, "r-never"))]  # noqa: B905
        assert texts[0] == texts[1]
        assert answers[0].status_code == answers[1].status_code
        assert dict(answers[0].headers, **{"content-length": ""}) == dict(
            answers[1].headers, **{"content-length": ""}
        )
    body = {"candidates": [{"rider_id": rider, "minutes": 25} for rider in (OTHER, "r-never")]}
    one, another = scene.client.post("/v1/eligibility", json=body, headers=headers).json()["answers"]
    assert {**one, "rider_id": ""} == {**another, "rider_id": ""}
    assert one["verdict"] == "PASS"
    # A platform that has never sent anything sees nobody.
    stranger = scene.world.key("platform", "C")
    assert scene.client.get(f"/v1/riders/{OWN}", headers=stranger).status_code == 404


def test_an_alert_of_anothers_rider_is_answered_as_one_that_does_not_exist(scene: Scene) -> None:
    headers = scene.world.key("platform", "A")
    path = "/v1/alerts/{}/explanation"
    answers = [
        scene.client.get(path.format(identity), headers=headers)
        for identity in (scene.alert(OTHER), "0" * 32, scene.alert(OWN, "hold_breached", "B"))
    ]
    assert {one.status_code for one in answers} == {404}
    assert len({one.content for one in answers}) == 1


def test_a_platform_sees_neither_intervals_nor_window_nor_others_in_what_is_its_own(scene: Scene) -> None:
    headers = scene.world.key("platform", "A")
    told = scene.client.get(f"/v1/alerts/{scene.alert(OWN)}/explanation", headers=headers).json()
    assert (told["counted"], told["not_counted"], told["window_start"]) == ([], [], None)
    rider = scene.client.get(f"/v1/riders/{OWN}", headers=headers).json()
    assert set(rider) == {"rider_id", "status", "as_of", "hold_until", "remaining_s"}
    assert rider["status"] == "hold"
    whole = scene.client.get(f"/v1/riders/{OWN}", headers=scene.world.key("dispatcher")).json()
    assert {"limits", "days"} < set(whole)


def test_a_platforms_live_stream_has_its_riders_and_its_own_breaches_only(scene: Scene) -> None:
    subscriber = scene.service.recent.subscribe("A")

    def shown_of(*alerts: dict[str, Any]) -> list[dict[str, Any]]:
        for alert in alerts:
            scene.world.tell(scene.service, alert)
        offered = [subscriber.queue.get_nowait() for _ in range(subscriber.queue.qsize())]
        assert all(one.sure for one in offered)
        return [one.alert for one in offered]

    shown = shown_of(*scene.world.alerts)
    assert shown
    assert {one["rider_id"] for one in shown} == {OWN}
    assert {one["platform"] for one in shown} == {None, "A"}
    assert not any({"evidence", "window", "zone"} & set(one) for one in shown)
    # Late evidence takes the other's breach back: the retraction names a platform too.
    breach = next(one for one in scene.world.alerts if one["platform"] == "B" and one["rider_id"] == OWN)
    assert shown_of({**breach, "kind": "retracted", "supersedes": breach["alert_id"]}) == []


def test_a_rider_is_a_platforms_own_as_long_as_riders_are_remembered(world: World) -> None:
    headers = world.key("platform", "A")
    world.send("r1", "online", int(world.wall_s) - 14 * 86_400, "A")
    world.send("r1", "online", int(world.wall_s) - 10, "B")
    world.judge()
    client = world.client()
    assert client.get("/v1/riders/r1", headers=headers).status_code == 200
    world.wall_s += 2 * 86_400
    world.judge()
    assert client.get("/v1/riders/r1", headers=headers).status_code == 404
    assert client.get("/v1/riders/r1", headers=world.key("platform", "B")).status_code == 200


def test_the_regulators_look_at_a_person_is_logged(scene: Scene) -> None:
    headers = scene.world.key("regulator")
    with capture_logs() as logged:
        assert scene.client.get(f"/v1/riders/{OWN}", headers=headers).status_code == 403
        too_long = headers | {"X-Case-Number": "x" * 65}
        assert scene.client.get(f"/v1/riders/{OWN}", headers=too_long).status_code == 403
        assert not logged
        assert scene.client.get(f"/v1/riders/{OWN}", headers=headers | CASE).status_code == 200
    (line,) = logged
    assert (line["rider"], line["case_number"]) == (OWN, CASE["X-Case-Number"])
    assert headers["Authorization"].removeprefix("Bearer ").startswith(line["key"])


def test_the_operators_overview_has_no_persons_and_the_dispatchers_has(scene: Scene) -> None:
    seen = scene.client.get("/v1/overview", headers=scene.world.key("operator"))
    assert OWN not in seen.text
    assert seen.json()["statuses"]["hold"] == 2
    assert seen.json()["complete"] is True
    whole = scene.client.get("/v1/overview", headers=scene.world.key("dispatcher")).json()
    assert {one["rider_id"] for one in whole["on_hold"]} == {OWN, OTHER}
    regulator = scene.client.get("/v1/overview", headers=scene.world.key("regulator")).json()
    assert regulator["k"] == 10
    assert regulator["statuses"]["hold"] == SUPPRESSED
    assert regulator["riders"] == SUPPRESSED
    assert (regulator["on_hold"], regulator["nearest"]) == ([], [])


def test_the_alerts_of_a_rider_are_all_for_a_dispatcher_and_its_own_breaches_only_for_a_platform(
    scene: Scene,
) -> None:
    def told(headers: dict[str, str], rider: str = OWN) -> list[tuple[str, str | None]]:
        found = scene.client.get(f"/v1/riders/{rider}/alerts", headers=headers).json()["alerts"]
        return [(one["kind"], one["platform"]) for one in found]

    everything = told(scene.world.key("dispatcher"))
    assert ("hold_breached", "A") in everything
    assert ("hold_breached", "B") in everything
    own = scene.world.key("platform", "A")
    assert told(own) == [pair for pair in everything if pair[1] != "B"]
    assert told(own, OTHER) == told(own, "r-never") == []


def test_a_heartbeat_claims_nobody_and_makes_nobody_a_rider(scene: Scene) -> None:
    world = scene.world
    # The attack: any feed names a rider in a heartbeat.
    world.send(OTHER, "heartbeat", int(world.wall_s) - 5, "A")
    world.send("r-heartbeat-only", "heartbeat", int(world.wall_s) - 5, "respite")
    world.judge()
    headers = world.key("platform", "A")
    assert scene.client.get(f"/v1/riders/{OTHER}", headers=headers).status_code == 404
    assert scene.client.get(f"/v1/riders/{OTHER}/alerts", headers=headers).json() == {"alerts": []}
    answer = scene.client.get(f"/v1/riders/{OTHER}/eligibility", headers=headers).json()
    assert (answer["verdict"], answer["known"]) == ("PASS", False)
    overview = scene.client.get("/v1/overview", headers=world.key("dispatcher")).json()
    assert overview["riders"] == 2
    assert set(overview["riders_by_platform"]) == {"A", "B"}
    assert set(overview["riders_by_zone"]) == {"310105"}
    dispatcher = world.key("dispatcher")
    assert scene.client.get("/v1/riders/r-heartbeat-only", headers=dispatcher).status_code == 404


def test_nothing_from_before_a_platforms_first_event_is_shown_to_it(world: World) -> None:
    """C learns of a rider on hold by a session of its own: his status, and no alert of before."""
    world.work("r1", 4.5, "B")
    world.judge()
    service = world.service()
    world.told(service)
    before = {one["alert_id"] for one in world.alerts}
    client, headers = world.client(service), world.key("platform", "C")
    world.send("r1", "online", int(world.wall_s), "C")
    world.wall_s += 60
    # The hold is over when B's order is delivered and twenty minutes have passed; that is told to C too.
    world.send("r1", "order_delivered", int(world.wall_s), "B", "o8")
    world.wall_s += 1800
    world.alerts.clear()
    world.judge()
    world.told(service)
    assert client.get("/v1/riders/r1", headers=headers).status_code == 200
    listed = {one["alert_id"] for one in client.get("/v1/riders/r1/alerts", headers=headers).json()["alerts"]}
    assert listed == {one["alert_id"] for one in world.alerts}
    assert listed
    assert not listed & before
    for identity in before:
        assert client.get(f"/v1/alerts/{identity}/explanation", headers=headers).status_code == 404
    for identity in listed:
        assert client.get(f"/v1/alerts/{identity}/explanation", headers=headers).status_code == 200
    own = [one.identity for one in service.missed(Caller("k", "platform", "C", "closed", 1.0), [-1, -1]).read]
    assert set(own) == listed


def test_nearest_to_a_limit_is_who_works_and_not_who_rests(world: World) -> None:
    world.work("r-works", 3.8)
    world.work("r-rests", 3.9)
    world.send("r-rests", "order_delivered", int(world.wall_s) - 1, order="o7")
    world.judge()
    overview = world.client(no_auth=True).get("/v1/overview").json()
    assert [one["rider_id"] for one in overview["nearest"]] == ["r-works"]
    assert overview["persons_shown"]
