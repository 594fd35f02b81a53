"""A rider's own key: his own and nothing else, and of others no more than of who is not there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stream.api.scene import OTHER, OWN, Scene
from tests.stream.api.world import World

TEXT = {"text": "I had no order then."}


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


@pytest.fixture
def own(scene: Scene) -> dict[str, str]:
    return scene.key("rider")


def test_a_rider_sees_himself_on_every_platform_as_whoever_sees_all_does(
    scene: Scene, own: dict[str, str]
) -> None:
    dispatcher = scene.key("dispatcher")
    for route in ("rider", "alerts", "explanation"):
        assert scene.ask(route, own).content == scene.ask(route, dispatcher).content
    seen = scene.ask("rider", own).json()
    assert (seen["rider_id"], seen["status"]) == (OWN, "hold")
    assert OTHER not in scene.ask("alerts", own).text


def answers(scene: Scene, key: dict[str, str], path: str, foreign: str, absent: str) -> None:
    """What is foreign and what is absent are answered alike: status, headers and body."""
    told = []
    for one in (foreign, absent):
        found = scene.client.get(path.format(one), headers=key)
        headers = {**found.headers, "content-length": ""}
        told.append((found.status_code, headers, found.content.replace(one.encode(), b"")))
    assert told[0] == told[1], path


def test_another_rider_is_answered_byte_for_byte_as_one_never_seen(scene: Scene, own: dict[str, str]) -> None:
    for path in (
        "/v1/riders/{}", "/v1/riders/{}/alerts", "/v1/riders/{}/week", "/v1/riders/{}/eligibility",
        "/v1/alerts?rider={}", "/v1/riders?text={}", "/v1/reviews?text={}",
    ):  # fmt: skip
        answers(scene, own, path, OTHER, "r-never")
    assert scene.client.get(f"/v1/riders/{OTHER}", headers=own).status_code == 404


def test_anothers_alert_is_answered_as_one_that_does_not_exist_and_cannot_be_contested(
    scene: Scene, own: dict[str, str]
) -> None:
    foreign, absent = scene.alert(OTHER), "0" * 32
    for path in ("/v1/alerts/{}/explanation", "/v1/alerts/{}/reviews"):
        answers(scene, own, path, foreign, absent)
        assert scene.client.get(path.format(foreign), headers=own).status_code == 404
    told = [
        scene.client.post(f"/v1/alerts/{one}/reviews", json=TEXT, headers=own) for one in (foreign, absent)
    ]
    assert told[0].status_code == told[1].status_code == 404
    assert told[0].content == told[1].content
    assert scene.client.get("/v1/reviews", headers=scene.key("operator")).json()["count"] == 0


def contest(scene: Scene, key: dict[str, str], alert: str) -> dict[str, Any]:
    found = scene.client.post(f"/v1/alerts/{alert}/reviews", json=TEXT, headers=key)
    assert found.status_code == 201, found.text
    review: dict[str, Any] = found.json()
    return review


def test_a_rider_contests_and_sees_the_answer_and_nobody_elses_reviews(
    scene: Scene, own: dict[str, str]
) -> None:
    mine = contest(scene, own, scene.alert(OWN))
    assert (mine["asked_by"], mine["rider_id"], mine["outcome"]) == ("rider", OWN, None)
    others = [
        contest(scene, scene.key("platform"), scene.alert(OWN)),
        contest(scene, scene.key("operator"), scene.alert(OWN)),
        contest(scene, scene.world.key("rider", rider=OTHER), scene.alert(OTHER)),
    ]
    assert contest(scene, own, scene.alert(OWN))["review_id"] == mine["review_id"]
    for path in ("/v1/reviews", f"/v1/alerts/{scene.alert(OWN)}/reviews"):
        listed = scene.client.get(path, headers=own).json()["reviews"]
        assert [one["review_id"] for one in listed] == [mine["review_id"]]
    for one in others:
        answers(scene, own, "/v1/reviews/{}", one["review_id"], "0" * 32)
        assert scene.client.get(f"/v1/reviews/{one['review_id']}", headers=own).status_code == 404
    answer = {"outcome": "stands", "reason": "It was in hand until nine."}
    told = scene.client.post(
        f"/v1/reviews/{mine['review_id']}/answer", json=answer, headers=scene.key("operator")
    )
    assert told.status_code == 200
    seen = scene.client.get(f"/v1/reviews/{mine['review_id']}", headers=own).json()
    assert (seen["outcome"], seen["reason"]) == ("stands", answer["reason"])


def test_a_platform_called_like_a_role_gets_no_review_of_that_roles(world: World) -> None:
    world.work(OWN, 4.2, "rider")
    world.judge()
    scene = Scene(world)
    alert = scene.alert(OWN)
    mine = contest(scene, scene.key("rider"), alert)
    namesake = scene.world.key("platform", "rider")
    assert scene.client.get("/v1/reviews", headers=namesake).json()["count"] == 0
    theirs = contest(scene, namesake, alert)
    assert theirs["review_id"] != mine["review_id"]
    assert [
        one["review_id"]
        for one in scene.client.get("/v1/reviews", headers=scene.key("rider")).json()["reviews"]
    ] == [mine["review_id"]]


def test_a_rider_of_whom_nothing_is_known_is_told_so(scene: Scene) -> None:
    nobody = scene.world.key("rider", rider="r-never")
    assert scene.client.get("/v1/riders/r-never", headers=nobody).status_code == 404
    assert scene.client.get("/v1/riders/r-never/alerts", headers=nobody).json() == {"alerts": []}
    assert scene.client.get("/v1/reviews", headers=nobody).json()["count"] == 0
    me = scene.client.get("/v1/me", headers=nobody).json()
    assert me == {
        "role": "rider", "platform": None, "rider": "r-never", "reviews": True, "answers_reviews": False,
    }  # fmt: skip
