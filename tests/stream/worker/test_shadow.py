"""A policy tried in the shadow: what it would say is what it says for real, and nobody else learns of it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.instants import parse_instant
from stream.kafka.topics import provisioning
from stream.offline import feed
from stream.offline.bad_lines import BadLines
from stream.offline.compare import compare
from stream.offline.compare_report import document
from stream.offline.intervals import union
from stream.offline.replay import replay
from stream.policies.loader import load_all
from stream.settings import Settings
from tests.stream.worker.test_worker import PARTITIONS, Topic, Workers, comparable, events, until as within

pytestmark = pytest.mark.kafka
IN_FORCE, TRIED = "cn-meituan-2024", "cn-gbt-2025"
Doc = dict[str, Any]
#: Two stores judge the whole day, and a worker is restored from its start.
DEADLINE_S = 300.0


def until(claim: Callable[[], object], what: str, workers: Workers) -> None:
    within(claim, what, workers, DEADLINE_S)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("events") / "day.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def said(day: Path) -> Doc:
    """What `respite compare` says of the policy that is tried."""
    policies = load_all((IN_FORCE, TRIED))
    found = compare([str(day)], policies, Settings().store(0), None, BadLines())
    assert found is not None
    result: Doc = document(found)["policies"][1]
    assert result["orders_accepted_in_holds"] > 50
    assert result["holds"] > 100
    return result


@pytest.fixture
def shadowed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    # As `compare` counts: an order in a hold's first seconds would not have been pushed either.
    monkeypatch.setenv("RESPITE_BREACH_GRACE", "0")
    monkeypatch.setenv("RESPITE_SHADOW_POLICY", TRIED)
    made = settings.model_copy(update={"policy": (IN_FORCE,), "shadow_policy": (TRIED,), "breach_grace": 0})
    provisioning.ensure_topics(made, PARTITIONS)
    return made


@pytest.fixture
def topics(shadowed: Settings) -> Iterator[tuple[Topic, Topic, Topic]]:
    names = shadowed.shadow_alerts_topic, shadowed.alerts_topic, shadowed.status_topic
    made = Topic(shadowed, names[0]), Topic(shadowed, names[1]), Topic(shadowed, names[2])
    yield made
    for one in made:
        one.close()


def summed(alerts: dict[str, Doc], now_s: int) -> Doc:
    """What standing alerts come to, as `compare` counts."""
    reached: Counter[str] = Counter()
    breaches = 0
    holds: dict[tuple[str, str, str], int] = {}
    for one in alerts.values():
        hold = one["hold"]
        key = one["rider_id"], one["limit"], hold["from"] if hold else ""
        if one["kind"] == "limit_reached":
            reached[one["limit"]] += 1
            if hold:
                holds.setdefault(key, now_s)
        elif one["kind"] == "hold_released":
            holds[key] = parse_instant(one["event_time"])
        breaches += one["kind"] == "hold_breached"
    riders = {rider for rider, _, _ in holds}
    on_hold = 0
    for rider in riders:
        spans = [(parse_instant(begin), end) for (name, _, begin), end in holds.items() if name == rider]
        on_hold += sum(end - begin for begin, end in union(spans))
    return {
        "reached": dict(reached),
        "riders_held": len(riders),
        "holds": len(holds),
        "minutes_on_hold": round(on_hold / 60, 1),
        "orders_accepted_in_holds": breaches,
    }


def wanted(said: Doc) -> Doc:
    names = ("riders_held", "holds", "minutes_on_hold", "orders_accepted_in_holds")
    reached = {one["limit"]: one["reached"] for one in said["limits"]}
    return {"reached": reached, **{name: said[name] for name in names}}


def latest(day: Path) -> int:
    lines = day.read_text(encoding="utf-8").splitlines()
    return max(parse_instant(json.loads(line)["event_time"]) for line in lines)


def alerts_of(day: Path, policy: str) -> dict[str, Doc]:
    store = Settings(breach_grace=0).store(0)
    found, _ = replay([str(day)], load_all((policy,)), store, None)
    return comparable({one["alert_id"]: one for one in found.alerts})


def test_a_day_in_the_shadow_over_a_killed_owner_is_what_compare_said_and_is_told_nowhere_else(
    shadowed: Settings, topics: tuple[Topic, Topic, Topic], workers: Workers, day: Path, said: Doc
) -> None:
    shadow, alerts, statuses = topics
    lines = day.read_text(encoding="utf-8").splitlines(keepends=True)
    half = day.with_name(f"half-{shadowed.group}ndjson")
    half.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    workers.start(policy=IN_FORCE)
    second = workers.start(policy=IN_FORCE)
    until(lambda: workers.live() >= 2 * PARTITIONS, "all partitions and their shadows are live", workers)
    asyncio.run(feed.feed(shadowed, [str(half)]))
    until(lambda: len(shadow.more()) > 50, "first alerts in the shadow", workers)
    second.send_signal(signal.SIGKILL)
    asyncio.run(feed.feed(shadowed, [str(day)]))
    expected = alerts_of(day, TRIED)
    until(lambda: shadow.standing() == expected, "the alerts of a replay stand in the shadow", workers)
    assert summed(shadow.standing(), latest(day)) == wanted(said)
    # What is in force is as if there were no shadow.
    until(lambda: alerts.standing() == alerts_of(day, IN_FORCE), "what is in force", workers)
    for record in [*alerts.more(), *statuses.more()]:
        assert TRIED.encode() not in (record.value or b"")


def test_the_same_day_for_real_is_what_compare_said(
    settings: Settings, workers: Workers, day: Path, said: Doc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESPITE_BREACH_GRACE", "0")
    workers.start(policy=TRIED)
    until(lambda: workers.live() >= PARTITIONS, "all partitions are live", workers)
    asyncio.run(feed.feed(settings, [str(day)]))
    alerts = Topic(settings, settings.alerts_topic)
    until(lambda: alerts.standing() == alerts_of(day, TRIED), "the alerts of a replay stand", workers)
    assert summed(alerts.standing(), latest(day)) == wanted(said)
    alerts.close()


def shown(workers: Workers, number: int) -> dict[str, float]:
    """The shadow's samples of a worker."""
    address = re.search(r"http://\S+/metrics", workers.log(number))
    assert address is not None
    with urllib.request.urlopen(address[0], timeout=10) as answer:  # noqa: S310 - our own
        text = answer.read().decode()
    samples = (line.rpartition(" ") for line in text.splitlines() if line.startswith("respite_shadow_"))
    return {name: float(value) for name, _, value in samples}


def test_metrics_say_what_would_be_held_and_named_for_real_it_is_told_from_then_on(
    shadowed: Settings, topics: tuple[Topic, Topic, Topic], workers: Workers, day: Path
) -> None:
    shadow, alerts, _ = topics
    lines = day.read_text(encoding="utf-8").splitlines(keepends=True)
    half = day.with_name(f"first-{shadowed.group}ndjson")
    half.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    first = workers.start(policy=IN_FORCE)
    until(lambda: workers.live() >= 2 * PARTITIONS, "all partitions and their shadows are live", workers)
    asyncio.run(feed.feed(shadowed, [str(half)]))
    expected = alerts_of(half, TRIED)
    until(lambda: shadow.standing() == expected, "the alerts of half a day stand in the shadow", workers)
    found = summed(expected, latest(half))
    holds = [
        value for name, value in shown(workers, 0).items() if name.startswith("respite_shadow_holds_total")
    ]
    assert sum(holds) == found["holds"]
    accepted = 'respite_shadow_orders_accepted_total{platform="A"}'
    assert shown(workers, 0)[accepted] == found["orders_accepted_in_holds"]
    on_hold = 'respite_shadow_riders_on_hold{limit="continuous-4h",policy="cn-gbt-2025@1"}'
    released = {one["rider_id"] for one in expected.values() if one["kind"] == "hold_released"}
    held = {
        (one["rider_id"], one["hold"]["from"])
        for one in expected.values()
        if one["kind"] == "limit_reached" and one["limit"] == "continuous-4h"
    }
    gone = {
        (one["rider_id"], one["hold"]["from"])
        for one in expected.values()
        if one["kind"] == "hold_released" and one["limit"] == "continuous-4h"
    }
    assert released or held
    assert shown(workers, 0)[on_hold] == len(held - gone)
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 0
    named_s = latest(half)
    # Named for real, the shadow's setting left as it was: it is in force, and no longer in the shadow.
    workers.start(policy=TRIED)
    until(lambda: workers.log(1).count(" live ") >= PARTITIONS, "all partitions are live", workers)
    told_in_the_shadow = len(shadow.more())
    asyncio.run(feed.feed(shadowed, [str(day)]))
    later = {
        identity: one
        for identity, one in alerts_of(day, TRIED).items()
        if parse_instant(one["event_time"]) >= named_s
    }
    assert len(later) > 100
    ours = f"{TRIED}@1"
    until(
        lambda: {i: one for i, one in alerts.standing().items() if one["policy"] == ours} == later,
        "from then on it is told for real",
        workers,
    )
    assert len(shadow.more()) == told_in_the_shadow
