"""Explanations, policies, a rider's day and the live stream."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from schemas.api import Explained, Policies, RiderState
from schemas.decode import decode_lines
from schemas.overview import Overview
from stream.api.access.roles import NOBODY
from stream.api.event_stream import EventStream
from stream.api.queries.recent_alerts import QUEUE
from tests.stream.api.world import HOUR_S, World


def hold_of(world: World) -> dict[str, Any]:
    return next(one for one in world.alerts if one["kind"] == "limit_reached")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_explanation_says_all_that_is_needed_to_contest_it(world: World, lang: str) -> None:
    # An hour, a pause of ten minutes that is no rest of twenty, and three hours more.
    begin = int(world.wall_s) - 4 * HOUR_S - 600
    world.send("r1", "order_accepted", begin, order="a")
    world.send("r1", "order_delivered", begin + HOUR_S, order="a")
    world.send("r1", "order_accepted", begin + HOUR_S + 600, order="b")
    world.send("r1", "order_delivered", begin + 2 * HOUR_S, order="b")
    world.send("r1", "order_accepted", begin + 2 * HOUR_S, order="c")
    world.judge()
    service = world.service()
    world.told(service)
    client = world.client(service, no_auth=True)
    alert = hold_of(world)
    answer = client.get(f"/v1/alerts/{alert['alert_id']}/explanation", params={"lang": lang})
    told = Explained.model_validate(answer.json())
    assert (told.counted_s, told.limit_s, told.over_s) == (4 * HOUR_S, 4 * HOUR_S, 0)
    assert [(b - a).seconds for a, b in told.not_counted] == [600]
    assert sum((b - a).seconds for a, b in told.counted) == 4 * HOUR_S
    assert (told.modality, told.time_zone) == ("standard", "Asia/Shanghai")
    assert told.first_instant == datetime.fromisoformat(alert["event_time"])
    assert told.earliest_resume == datetime.fromisoformat(alert["hold"]["until"])
    assert "20min" in told.resets_by
    assert ("休息" in told.resets_by) == (lang == "zh")
    # The last order is open still, so its time is uncertain.
    assert told.estimated
    assert told.worst_reading.reached is True
    assert told.best_reading.reached is False
    assert (told.contest_until - told.first_instant).days == 14
    assert ("无人" in told.can_be_overridden_by) == (lang == "zh")


def test_a_retracted_alert_says_so(world: World) -> None:
    world.work("r1", 4.5)
    world.judge()
    service = world.service()
    world.told(service)
    alert = hold_of(world)
    taken_back = {**alert, "kind": "retracted", "alert_id": "x", "supersedes": alert["alert_id"]}
    world.tell(service, taken_back)
    client = world.client(service, no_auth=True)
    told = client.get(f"/v1/alerts/{alert['alert_id']}/explanation", params={"lang": "en"}).json()
    assert told["retracted"] is True
    assert told["text"].startswith("This alert has been taken back.")


def test_a_riders_day_shows_what_each_clock_did_and_what_each_limit_counts(world: World) -> None:
    noon = int(world.wall_s)
    # From the evening before over midnight, and again this morning.
    world.send("r1", "order_accepted", noon - 13 * HOUR_S, order="a")
    world.send("r1", "order_delivered", noon - 11 * HOUR_S, order="a")
    world.send("r1", "order_accepted", noon - HOUR_S, order="b")
    world.send("r1", "order_picked_up", noon - 600, order="b")
    world.judge()
    answer = world.client(no_auth=True).get("/v1/riders/r1").json()
    told = RiderState.model_validate(answer)
    counts = {one.limit: (one.counted_s, one.left_s) for one in told.limits}
    assert counts == {"continuous-4h": (HOUR_S, 3 * HOUR_S), "day-8h": (2 * HOUR_S, 6 * HOUR_S)}
    (day,) = told.days
    spans = {
        clock: [((b.start - day.start).seconds, (b.end - day.start).seconds, b.open) for b in found]
        for clock, found in day.clocks.items()
    }
    assert spans == {
        "order": [(0, HOUR_S, False), (11 * HOUR_S, 12 * HOUR_S, True)],
        "online": [(0, HOUR_S, False), (11 * HOUR_S, 12 * HOUR_S, True)],
        "loaded": [(12 * HOUR_S - 600, 12 * HOUR_S, True)],
    }
    assert told.orders_in_hand == 1


def test_policies_and_overview_are_what_the_document_says(world: World) -> None:
    world.work("r1", 4.5)
    world.work("r2", 3.9)
    world.judge()
    client = world.client(no_auth=True)
    policies = Policies.model_validate(client.get("/v1/policies").json())
    assert [one.name for one in policies.policies[0].limits] == ["continuous-4h", "day-8h"]
    overview = Overview.model_validate(client.get("/v1/overview").json())
    assert (overview.riders, overview.statuses["hold"], overview.statuses["approaching"]) == (2, 1, 1)
    assert [one.rider_id for one in overview.on_hold] == ["r1"]
    assert [one.rider_id for one in overview.nearest] == ["r2"]
    assert overview.nearest[0].remaining_s == 360
    assert overview.riders_by_zone["310105"]["hold"] == 1
    assert overview.complete
    world.wall_s += 11
    assert client.get("/v1/overview").json()["complete"] is False
    assert client.get("/readyz").status_code == 503


def test_the_live_stream_resumes_where_a_client_was(world: World) -> None:
    world.work("r1", 4.5)
    world.judge()
    service = world.service()

    async def first_events(last: str | None, count: int) -> list[bytes]:
        stream = EventStream(service, NOBODY, {}).events(last)
        assert await anext(stream) == b": connected\n\n"
        if last is None:
            world.told(service)
        found: list[bytes] = []
        while len(found) < count:
            found += [one for one in (await anext(stream)).split(b"\n\n") if one]
        await stream.aclose()  # type: ignore[attr-defined]
        return found

    told = asyncio.run(first_events(None, len(world.alerts)))
    assert len(told) >= 2
    identity = told[0].split(b"\n")[0].removeprefix(b"id: ").decode()
    assert asyncio.run(first_events(identity, len(told) - 1)) == told[1:]
    assert asyncio.run(first_events("0-0", len(told))) == told
    unknown, *rest = asyncio.run(first_events("of-another-installation", len(told) + 1))
    assert b"resync" in unknown
    assert rest == told
    assert not service.recent.subscribers


def test_a_slow_client_is_dropped_and_the_memory_stays_bounded(world: World) -> None:
    world.work("r1", 4.5)
    world.judge()
    alert = hold_of(world)

    async def overfill() -> None:
        service = world.service()
        subscriber = service.recent.subscribe(None)
        for _ in range(QUEUE):
            world.tell(service, alert)
        dropped = [subscriber.dropped]
        world.tell(service, alert)
        assert [*dropped, subscriber.dropped] == [False, True]
        assert subscriber.queue.qsize() == QUEUE

    asyncio.run(overfill())


def doubtful_of(
    world: World, lang: str = "en", headers: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    service = world.service()
    world.told(service)
    client = world.client(service, no_auth=headers is None)
    path = f"/v1/alerts/{hold_of(world)['alert_id']}/explanation"
    answer = client.get(path, params={"lang": lang}, headers=headers)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    Explained.model_validate(told)
    return list(told["doubtful"])


@pytest.mark.parametrize(("lang", "word"), [("zh", "订单号"), ("en", "order id")])
def test_an_explanation_names_an_order_id_used_again_and_the_verdict_without_it(
    world: World, lang: str, word: str
) -> None:
    begin = int(world.wall_s) - 4 * HOUR_S
    world.send("r1", "order_accepted", begin, order="a")
    world.send("r1", "order_delivered", begin + HOUR_S, order="a")
    world.send("r1", "order_accepted", begin + HOUR_S, order="b")
    world.send("r1", "order_delivered", begin + 2 * HOUR_S, order="b")
    world.send("r1", "order_accepted", begin + 2 * HOUR_S, order="a")
    world.send("r1", "order_delivered", begin + 3 * HOUR_S, order="a")
    world.send("r1", "order_accepted", begin + 3 * HOUR_S, order="c")
    world.judge()
    (told,) = doubtful_of(world, lang)
    assert (told["kind"], told["platform"]) == ("reused_order", "A")
    assert datetime.fromisoformat(told["start"]).timestamp() == begin + 2 * HOUR_S
    assert datetime.fromisoformat(told["end"]).timestamp() == begin + 3 * HOUR_S
    # Without it there is an hour's rest.
    assert (told["counted_s"], told["reached"]) == (HOUR_S, False)
    assert word in told["text"]


def test_an_explanation_names_an_order_that_another_rider_has_had_too(world: World) -> None:
    world.work("r1", 4.0)
    world.judge()
    assert doubtful_of(world) == []
    order, begin = order_number("A", "o2"), int(world.wall_s) - 3 * HOUR_S
    # Found by the worker of the other rider's partition.
    other = world.shared[1 - world.home("r1")]
    other.put_two_riders(np.array([[order, begin + 600, begin + 1200]], dtype=np.int64))
    (told,) = doubtful_of(world)
    assert (told["kind"], told["platform"]) == ("shared_order", "A")
    assert datetime.fromisoformat(told["start"]).timestamp() == begin
    assert (told["counted_s"], told["reached"]) == (2 * HOUR_S + 1800, False)


def test_a_platform_is_told_of_its_own_doubts_alone_and_not_what_they_come_to(world: World) -> None:
    begin = int(world.wall_s) - 4 * HOUR_S - 1800
    for platform in ("A", "B"):
        world.send("r1", "online", begin - 8 * HOUR_S, platform)
        world.send("r1", "offline", begin - 8 * HOUR_S + 5, platform)
    world.send("r1", "order_accepted", begin, "A", order="a")
    world.send("r1", "order_delivered", begin + HOUR_S, "A", order="a")
    world.send("r1", "order_accepted", begin + HOUR_S, "A", order="a")
    world.send("r1", "order_delivered", begin + 2 * HOUR_S, "A", order="a")
    world.send("r1", "order_accepted", begin + 2 * HOUR_S, "B", order="a")
    world.judge()
    for platform, kinds in (("A", ["reused_order"]), ("B", [])):
        told = doubtful_of(world, headers=world.key("platform", platform))
        assert [one["kind"] for one in told] == kinds
        assert all((one["counted_s"], one["reached"]) == (None, None) for one in told)


def test_what_a_platform_is_told_does_not_depend_on_where_the_window_begins(world: World) -> None:
    """That is where the rider began to work for whomever; and what is sealed depends on others too."""
    for hours in (22, 10):
        begin = int(world.wall_s) - hours * HOUR_S
        for after_s, kind in ((0, "order_accepted"), (60, "order_delivered"), (120, "order_accepted")):
            world.send("r1", kind, begin + after_s, order=f"o-{hours}")
        world.send("r1", "order_delivered", begin + 600, order=f"o-{hours}")
    world.work("r1", 4.0)
    world.judge()
    assert doubtful_of(world) == [], "the dispatcher is told what the verdict rests on"
    (told,) = doubtful_of(world, headers=world.key("platform", "A"))
    assert datetime.fromisoformat(told["start"]).timestamp() == int(world.wall_s) - 10 * HOUR_S + 120


def order_number(platform: str, order: str) -> int:
    """The number of an order, as the decoder gives it."""
    event = {
        "schema": "work-state/1", "event_id": "e", "rider_id": "r", "platform": platform, "order_id": order,
        "event_time": "2026-11-23T12:00:00Z", "type": "order_accepted",
    }  # fmt: skip
    return int(decode_lines([json.dumps(event).encode()]).columns.order_hash.astype(np.int64)[0])
