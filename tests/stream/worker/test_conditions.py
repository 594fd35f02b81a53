"""Conditions of zones through a real Kafka: late, changed, taken back, over a take-over; as a replay says."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from schemas.decode import murmur2
from stream.kafka.condition_producer import announce
from stream.kafka.topics import provisioning
from stream.kafka.topics.existing import TopicsRefused
from stream.offline import feed
from stream.offline.conditions import OfConditions
from stream.offline.replay import replay
from stream.policies.loader import load_all
from stream.settings import Settings
from tests.short_policies import policy_text
from tests.stream.worker.processes import PARTITIONS, Topic, Workers, comparable, settings_for, until, written
from tests.stream.worker.test_end_to_end import happenings
from tests.stream.worker.test_worker import DAY_S

pytestmark = pytest.mark.kafka
HOUR_S = 3_600
WORDS = 'message = { zh = "休息", en = "rest" }\n'
POLICY = policy_text(
    "heat",
    'name = "ban"\nkind = "ban"\nclock = "order"\ncondition = "heat-40"\nwarn_before = ["10min"]\n'
    'effect = "hold"\n' + WORDS,
    'name = "hours"\nkind = "ban"\nclock = "order"\nbetween = ["12:00", "13:00"]\nzones = ["310101"]\n'
    'effect = "remind"\n' + WORDS,
    'name = "day-1h"\nkind = "day"\nclock = "order"\nlimit = "1h"\nwhen = "heat-37"\nremind_every = "30min"\n'
    'effect = "hold"\n' + WORDS,
)


def condition(
    number: int, name: str, zones: list[str], hours: tuple[float, float], announced: float
) -> bytes:
    begin, end, said = (written(DAY_S + int(hour * HOUR_S)) for hour in (*hours, announced))
    tree = {"condition_id": f"c{number}", "condition": name, "zones": zones, "from": begin, "until": end}
    return json.dumps({"schema": "zone-condition/1", **tree, "announced_at": said}).encode()


FIRST = [
    condition(1, "heat-40", ["310101"], (10, 12), 9),
    condition(2, "heat-37", ["3101*"], (9, 18), 8.5),
    b'{"schema": "zone-condition/1", "condition_id": "bad"}',
]
#: Announced before what has been judged by then: another end, and an id that is taken back.
LATE = [
    condition(1, "heat-40", ["310101", "310105"], (10, 15.5), 11.25),
    condition(3, "heat-40", ["*"], (16, 17), 9.75),
]
BETWEEN = [
    condition(3, "heat-40", ["*"], (16, 17), 16.5).replace(
        b'"announced_at"', b'"void": true, "announced_at"'
    ),
    b"nothing",
]


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "heat.toml"
    path.write_text(POLICY, encoding="utf-8")
    return str(path)


def dead_letters(topic: Topic) -> list[tuple[str, str, bytes]]:
    return sorted(
        (headers["topic"].decode(), headers["reason"].decode(), record.value)
        for record in topic.more()
        for headers in [dict(record.headers)]
    )


def test_announcements_end_where_a_replay_ends_over_a_take_over(
    broker: Any, prefix: str, tmp_path: Path, policy: str
) -> None:
    settings = settings_for(broker.bootstrap, prefix, policy=(policy,))
    workers = Workers(settings, tmp_path)
    events = happenings(riders=60, count=4000)
    lines = [json.dumps(event) + "\n" for event in events]
    day, half, heat = (tmp_path / name for name in ("day.ndjson", "half.ndjson", "heat.ndjson"))
    day.write_text("".join(lines), encoding="utf-8")
    half.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    heat.write_bytes(b"\n".join([*FIRST[:2], *LATE, BETWEEN[0]]) + b"\n")
    files = [str(day), OfConditions(heat)]
    expected, bad = replay(files, load_all(settings.policies), settings.store(0), None)
    assert not bad
    wanted = comparable({alert["alert_id"]: alert for alert in expected.alerts})
    kinds = {(alert["limit"], alert["kind"]) for alert in wanted.values()}
    assert {("ban", "approaching"), ("ban", "hold_released"), ("day-1h", "reminder")} <= kinds
    alerts, letters = Topic(settings, settings.alerts_topic), Topic(settings, settings.dead_letter_topic)
    try:
        asyncio.run(announce(settings, FIRST))
        workers.start(policy)
        until(lambda: workers.live() >= PARTITIONS, "every partition is live", workers)
        assert feed.run(settings, [str(half)]) == 0
        until(lambda: len(alerts.more()) > 50, "first alerts", workers)
        asyncio.run(announce(settings, LATE))
        until(lambda: any(b"310105" in one.value for one in alerts.more()), "the other zone's", workers)
        # Announced while the partitions are between owners.
        workers.running[0].send_signal(signal.SIGKILL)
        asyncio.run(announce(settings, [*BETWEEN, *LATE]))
        workers.start(policy)
        until(lambda: workers.log(1).count(" live ") >= PARTITIONS, "its successor is live", workers)
        assert feed.run(settings, [str(day)]) == 0
        until(lambda: alerts.standing() == wanted, "the alerts of a replay stand", workers)
        topic = settings.zone_condition_topic
        refused = [(topic, "invalid", FIRST[2]), (topic, "malformed", BETWEEN[1])]
        until(lambda: dead_letters(letters) == refused, "each bad message once", workers)
    finally:
        workers.stop()
        alerts.close()
        letters.close()


def test_on_the_wall_clock_a_condition_is_announced_when_it_arrives_and_holds_within_two_seconds(
    broker: Any, prefix: str, tmp_path: Path, policy: str
) -> None:
    settings = settings_for(broker.bootstrap, prefix, policy=(policy,)).model_copy(update={"clock": "wall"})
    workers = Workers(settings, tmp_path)
    alerts = Topic(settings, settings.alerts_topic)
    try:
        workers.start(policy)
        until(lambda: workers.live() >= PARTITIONS, "every partition is live", workers)
        began_s = int(time.time())
        sending = KafkaProducer(bootstrap_servers=settings.broker)
        for rider, zone in (("r1", "310101"), ("r2", "310101"), ("r3", "310105")):
            event = {
                "schema": "work-state/1", "event_id": "e", "rider_id": rider, "platform": "A", "zone": zone,
                "event_time": written(began_s), "type": "order_accepted", "order_id": "o",
            }  # fmt: skip
            place = murmur2(rider.encode()) % PARTITIONS
            sending.send(settings.source_topic, json.dumps(event).encode(), partition=place)
        sending.flush()
        sending.close()
        message = {
            "schema": "zone-condition/1", "condition_id": "now", "condition": "heat-40", "zones": ["310101"],
            "from": written(began_s - HOUR_S), "until": written(began_s + HOUR_S),
            "announced_at": written(began_s - HOUR_S),
        }  # fmt: skip
        asyncio.run(announce(settings, [json.dumps(message).encode()]))
        said_s = time.time()

        def held() -> set[bytes]:
            return {one.key for one in alerts.more() if b'"limit":"ban"' in one.value}

        until(lambda: held() == {b"r1", b"r2"}, "those of the zone are held", workers)
        for record in alerts.records:
            alert = json.loads(record.value)
            if alert["limit"] == "ban":
                assert began_s <= alert_second(alert) <= said_s, "it was announced when it arrived"
                assert record.timestamp / 1000 <= said_s + 2
    finally:
        workers.stop()
        alerts.close()


def alert_second(alert: dict[str, Any]) -> float:
    return datetime.fromisoformat(alert["event_time"]).timestamp()


def test_a_worker_whose_policies_look_at_conditions_refuses_to_start_without_their_topic(
    broker: Any, prefix: str, policy: str
) -> None:
    settings = Settings(broker=broker.bootstrap, prefix=prefix, group=prefix, clock="event")
    provisioning.ensure_topics(settings, PARTITIONS)
    other = settings.model_copy(update={"zone_condition": "not.there", "policy": (policy,)})
    # One that looks at none does not need it.
    without = settings.model_copy(update={"zone_condition": "not.there"})
    assert provisioning.checked_partitions(without) == PARTITIONS
    with pytest.raises(TopicsRefused, match=r"(?s)not\.there is missing.*--zone-condition not\.there"):
        provisioning.checked_partitions(other)
