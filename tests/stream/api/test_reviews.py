"""Reviews: who may contest what, what an answer leads to, and that nothing of it is lost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from stream.api.queries.query_service import QueryService
from stream.api.reviews.outbox import send_all
from stream.api.reviews.store import AlreadyAnswered, Outgoing, ReviewsRefused, ReviewStore, StoredReview
from stream.output.alert_json import utc
from tests.stream.api.world import HOUR_S, World

DAY_S = 86_400
EMPTY = {"count": 0, "reviews": [], "next": None}
TEXT = {"text": "The order was cancelled at nine."}


class Desk:
    """An API with reviews, over a rider of platform A who has been put on hold."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        world.settings = world.settings.model_copy(update={"reviews": str(folder / "reviews.sqlite3")})
        world.work("r1", 4.5)
        world.judge()
        self.service: QueryService = world.service()
        world.told(self.service)
        self.client: TestClient = world.client(self.service)
        self.alert = next(one for one in world.alerts if one["kind"] == "limit_reached")
        self.path = f"/v1/alerts/{self.alert['alert_id']}/reviews"
        self.operator = world.key("operator")

    def contest(self, key: dict[str, str]) -> dict[str, Any]:
        answer = self.client.post(self.path, json=TEXT, headers=key)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def answer(self, review: dict[str, Any], key: dict[str, str] | None = None, **body: Any) -> Any:
        path = f"/v1/reviews/{review['review_id']}/answer"
        return self.client.post(path, json={"reason": "looked at it", **body}, headers=key or self.operator)

    def outgoing(self) -> list[tuple[str, dict[str, Any]]]:
        assert self.service.reviews is not None
        return [(one.topic, json.loads(one.value)) for one in self.service.reviews.store.outgoing(100)]


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Desk:
    return Desk(world, tmp_path)


def test_a_platform_contests_its_own_alert_and_a_person_has_two_weeks(desk: Desk) -> None:
    review = desk.contest(desk.world.key("platform", "A"))
    now_s = int(desk.world.wall_s)
    assert (review["asked_at"], review["due_at"]) == (utc(now_s), utc(now_s + 14 * DAY_S))
    assert (review["asked_by"], review["outcome"], review["overdue"]) == ("A", None, False)
    ((topic, note),) = desk.outgoing()
    assert (topic, note["schema"], note["alert_id"]) == ("control", "review/1", desk.alert["alert_id"])
    # Texts may name persons: the record of holds gets their digests.
    assert TEXT["text"] not in json.dumps(note)


def test_an_alert_of_others_cannot_be_told_from_none(desk: Desk) -> None:
    stranger = desk.world.key("platform", "B")
    absent = f"/v1/alerts/{'0' * 32}/reviews"
    for method in ("get", "post"):
        more = {"json": TEXT} if method == "post" else {}
        foreign = getattr(desk.client, method)(desk.path, headers=stranger, **more)
        none = getattr(desk.client, method)(absent, headers=stranger, **more)
        assert (
            (foreign.status_code, foreign.json()) == (none.status_code, none.json()) == (404, foreign.json())
        )
    assert desk.outgoing() == []


def test_a_platform_sees_the_reviews_that_it_has_asked_for(desk: Desk) -> None:
    own, all_seeing = desk.world.key("platform", "A"), desk.world.key("dispatcher")
    desk.contest(own)
    desk.contest(all_seeing)
    assert [one["asked_by"] for one in desk.client.get(desk.path, headers=own).json()["reviews"]] == ["A"]
    assert [one["asked_by"] for one in desk.client.get("/v1/reviews", headers=own).json()["reviews"]] == ["A"]
    assert len(desk.client.get("/v1/reviews", headers=desk.operator).json()["reviews"]) == 2
    assert desk.client.get("/v1/reviews", headers=desk.world.key("platform", "B")).json() == EMPTY


def test_asked_again_while_it_is_open_it_is_the_same(desk: Desk) -> None:
    key = desk.world.key("platform", "A")
    assert desk.contest(key)["review_id"] == desk.contest(key)["review_id"]
    assert len(desk.outgoing()) == 1


def test_only_an_operator_answers_and_only_once(desk: Desk) -> None:
    review = desk.contest(desk.world.key("platform", "A"))
    for role, platform in (("platform", "A"), ("dispatcher", None), ("regulator", None)):
        assert desk.answer(review, desk.world.key(role, platform), outcome="stands").status_code == 403
    assert desk.answer(review, outcome="stands").json()["outcome"] == "stands"
    assert desk.answer(review, outcome="hold_lifted").status_code == 409
    assert [one["outcome"] for _, one in desk.outgoing() if one.get("outcome")] == ["stands"]


def test_a_lifted_hold_is_an_order_that_names_it(desk: Desk) -> None:
    review = desk.contest(desk.world.key("platform", "A"))
    assert desk.answer(review, outcome="hold_lifted").status_code == 200
    _, (topic, order), (_, note) = desk.outgoing()
    assert topic == "control"
    assert {name: order[name] for name in ("schema", "policy", "limit", "hold_from")} == {
        "schema": "lift-hold/1",
        "policy": desk.alert["policy"],
        "limit": desk.alert["limit"],
        "hold_from": desk.alert["hold"]["from"],
    }
    assert (note["schema"], note["outcome"]) == ("review/1", "hold_lifted")


def test_wrong_evidence_is_corrected_at_the_source(desk: Desk) -> None:
    review = desk.contest(desk.world.key("platform", "A"))
    begin_s = int(desk.world.wall_s - 4.5 * HOUR_S)
    void = {
        "schema": "work-state/1", "event_id": "v-1", "rider_id": "r1", "platform": "A",
        "event_time": utc(begin_s), "type": "order_accepted", "order_id": "o0", "void": True,
    }  # fmt: skip
    assert desk.answer(review, outcome="evidence_wrong").status_code == 422
    strange = desk.answer(review, outcome="evidence_wrong", corrections=[{**void, "rider_id": "r2"}])
    assert (strange.status_code, "of rider r2" in strange.json()["detail"]) == (422, True)
    faulty = desk.answer(review, outcome="evidence_wrong", corrections=[{**void, "type": "nap"}])
    assert (faulty.status_code, "corrections[0]: invalid: type" in faulty.json()["detail"]) == (422, True)
    assert desk.answer(review, outcome="evidence_wrong", corrections=[void]).status_code == 200
    assert [one for topic, one in desk.outgoing() if topic == "source"] == [void]


def test_a_warning_holds_nobody_so_nothing_can_be_lifted(desk: Desk) -> None:
    warning = next(one for one in desk.world.alerts if one["kind"] == "approaching")
    desk.path = f"/v1/alerts/{warning['alert_id']}/reviews"
    review = desk.contest(desk.world.key("platform", "A"))
    refused = desk.answer(review, outcome="hold_lifted")
    assert (refused.status_code, "no hold that is on" in refused.json()["detail"]) == (422, True)


def test_open_reviews_and_their_deadlines_are_metrics_and_on_a_page(desk: Desk) -> None:
    desk.contest(desk.world.key("platform", "A"))
    due_s = int(desk.world.wall_s) + 14 * DAY_S
    desk.world.wall_s += 14 * DAY_S + 1
    text = desk.client.get("/metrics").text
    assert "respite_reviews_open 1.0" in text
    assert "respite_reviews_overdue 1.0" in text
    due = next(
        line for line in text.splitlines() if line.startswith("respite_reviews_due_timestamp_seconds ")
    )
    assert float(due.split()[1]) == due_s
    (listed,) = desk.client.get("/v1/reviews", headers=desk.operator).json()["reviews"]
    assert listed["overdue"]


def test_without_a_file_no_reviews_are_taken(world: World) -> None:
    world.work("r1", 4.5)
    world.judge()
    service = world.service()
    world.told(service)
    answer = world.client(service, no_auth=True).get("/v1/reviews")
    assert (answer.status_code, "RESPITE_REVIEWS" in answer.json()["remedy"]) == (404, True)


REVIEW = StoredReview(
    "a" * 32,
    "b" * 32,
    "r1",
    "A",
    "A",
    "limit_reached",
    "p@1",
    "l",
    "2026-11-23T16:00:00+08:00",
    0,
    "text",
    1,
    2,
)
SENDS = [Outgoing("control", b"r1", b"{}"), Outgoing("source", b"r1", b"[]")]


def test_what_waits_is_sent_in_order_and_again_if_kafka_was_not_sure(tmp_path: Path, world: World) -> None:
    store = ReviewStore(tmp_path / "reviews.sqlite3")
    store.open(REVIEW, SENDS)
    got: list[str] = []

    async def fails_once(topic: str, key: bytes, value: bytes) -> None:
        got.append(f"{topic} {key.decode()} {value.decode()}")
        if len(got) == 2:
            raise ConnectionError("no answer in time")

    with pytest.raises(ConnectionError):
        asyncio.run(send_all(store, world.settings, fails_once))
    assert asyncio.run(send_all(store, world.settings, fails_once)) == 1
    control, source = world.settings.control_topic, world.settings.source_topic
    assert got == [f"{control} r1 {{}}", f"{source} r1 []", f"{source} r1 []"]
    assert store.outgoing(9) == []


def test_an_answer_and_what_follows_from_it_survive_a_kill_together(tmp_path: Path) -> None:
    path = tmp_path / "reviews.sqlite3"
    ReviewStore(path).open(REVIEW, [])
    child = os.fork()
    if child == 0:
        store = ReviewStore(path)
        store.answer(REVIEW.review_id, "hold_lifted", "why", 5, SENDS)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    store = ReviewStore(path)
    assert store.one(REVIEW.review_id) == replace(REVIEW, outcome="hold_lifted", reason="why", answered_s=5)
    assert [one.topic for one in store.outgoing(9)] == ["control", "source"]
    with pytest.raises(AlreadyAnswered):
        store.answer(REVIEW.review_id, "stands", "why", 6, SENDS)
    assert len(store.outgoing(9)) == 2


def test_an_answer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = ReviewStore(tmp_path / "reviews.sqlite3")
    store.open(REVIEW, [])
    with pytest.raises(Exception, match="NOT NULL"):
        store.answer(REVIEW.review_id, "stands", "why", 5, [Outgoing("control", b"r1", None)])  # type: ignore[arg-type]
    assert store.one(REVIEW.review_id) == REVIEW
    assert store.outgoing(9) == []


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reviews.sqlite3"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(ReviewsRefused, match="is no file of reviews"):
        ReviewStore(path)
