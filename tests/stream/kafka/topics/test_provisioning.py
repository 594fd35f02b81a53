"""The topics a worker stands on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from schemas.policy import load_policy
from stream.kafka import admin as kafka_admin
from stream.kafka.topics import existing, provisioning, wanted
from stream.settings import Settings
from tests.short_policies import policy_text

DAY_S = 86_400
WEEKLY = policy_text(
    "weekly",
    """
name = "w"
kind = "week"
clock = "order"
limit = "44h"
effect = "remind"
""",
    """
name = "r"
kind = "rolling"
clock = "order"
limit = "90h"
window = "14d"
effect = "remind"
""",
)


def without_limit(text: str, name: str) -> str:
    head, *limits = text.split("[[limit]]")
    return "[[limit]]".join([head, *(limit for limit in limits if f'name = "{name}"' not in limit)])


class Admin:
    """What the tests ask of Kafka beside the code under test."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def make(self, name: str, partitions: int, **configs: str) -> None:
        options = {
            "num_partitions": partitions,
            "configs": {key.replace("_", "."): value for key, value in configs.items()},
        }
        self._client.create_topics({name: options}, wait_for_metadata=True)

    def configs(self, name: str) -> dict[str, str]:
        asked = [ConfigResource(ConfigResourceType.TOPIC, name)]
        found = self._client.describe_configs(asked, config_filter="all")["topic"][name]
        return {key: entry["value"] for key, entry in found.items()}

    def set(self, name: str, key: str, value: str) -> None:
        self._client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {key: value})])
        deadline_s = time.monotonic() + 20
        while self.configs(name)[key] != value:
            assert time.monotonic() < deadline_s, f"the broker does not show {key}={value}"
            time.sleep(0.02)

    def partitions(self, name: str) -> int:
        return len(self._client.describe_topics([name])[0]["partitions"])


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    return Settings(broker=broker.bootstrap, prefix=prefix)


@pytest.fixture
def admin(broker: Any) -> Iterator[Admin]:
    client = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    yield Admin(client)
    client.close()


def test_events_are_kept_for_the_longest_window_the_lateness_and_a_day() -> None:
    policy = load_policy(WEEKLY, "weekly")
    assert wanted.retention_s([policy], 72 * 3600) == 14 * DAY_S + 3 * DAY_S + DAY_S


def test_a_calendar_week_is_kept_with_the_hours_that_daylight_saving_adds() -> None:
    policy = load_policy(without_limit(WEEKLY, "r"), "weekly")
    assert wanted.retention_s([policy], DAY_S) == 7 * DAY_S + 2 * 3600 + 2 * DAY_S


def test_short_limits_still_keep_eight_days() -> None:
    assert wanted.retention_s([], DAY_S) == 8 * DAY_S


def test_the_mending_command_repeats_only_what_is_not_default() -> None:
    settings = Settings(broker="kafka:9092", prefix="city.", dead_letter="refused")
    assert provisioning.mending_command(settings) == (
        "respite topics --broker kafka:9092 --prefix city. --dead-letter refused"
    )


def test_a_broker_that_is_not_there_is_told_and_not_waited_for_forever(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_admin, "_BOOTSTRAP_TIMEOUT_MS", 100)
    assert provisioning.run(Settings(broker="127.0.0.1:1")) == 1
    assert "Kafka at 127.0.0.1:1" in capsys.readouterr().err


def test_an_unknown_policy_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert provisioning.run(Settings(broker="127.0.0.1:1", policy=("none-such",))) == 2
    assert "none-such: no such policy" in capsys.readouterr().err


class Late:
    """An admin client of a broker that shows a change only after some looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def describe_configs(self, *_: Any, **__: Any) -> dict[str, Any]:
        self.left -= 1
        shown = "CreateTime" if self.left > 0 else "LogAppendTime"
        return {"topic": {"source": {"message.timestamp.type": {"value": shown}}}}


def test_what_has_been_mended_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    mended = [wanted.Wanted("source", "source", {"message.timestamp.type": "LogAppendTime"}, {})]
    late = Late(3)
    existing._await_mended(cast("KafkaAdminClient", late), mended)
    assert late.left == 0
    monkeypatch.setattr(existing, "_SHOWN_S", 0.0)
    with pytest.raises(kafka_admin.KafkaUnavailable, match="source have been changed"):
        existing._await_mended(cast("KafkaAdminClient", Late(10_000)), mended)


@pytest.mark.kafka
class TestOnABroker:
    def test_new_topics_are_as_the_contract_says(self, settings: Settings, admin: Admin) -> None:
        assert provisioning.ensure_topics(settings, partitions=3) == 3
        names = ("work-state", "fatigue-alerts", "dispatch-status", "watermark", "dead-letter")
        found = {name: admin.configs(f"{settings.prefix}courier.{name}") for name in names}
        assert {name: config["cleanup.policy"] for name, config in found.items()} == {
            "work-state": "delete",
            "fatigue-alerts": "delete",
            "dispatch-status": "compact",
            "watermark": "compact",
            "dead-letter": "delete",
        }
        assert found["work-state"]["message.timestamp.type"] == "LogAppendTime"
        assert int(found["work-state"]["retention.ms"]) == 8 * DAY_S * 1000
        assert int(found["fatigue-alerts"]["retention.ms"]) >= 8 * DAY_S * 1000
        assert {admin.partitions(f"{settings.prefix}courier.{name}") for name in names} == {3}
        assert provisioning.checked_partitions(settings) == 3

    def test_where_somebody_else_made_the_contract_s_topics_ours_are_made(
        self, settings: Settings, admin: Admin
    ) -> None:
        theirs = [
            topic for topic in wanted.wanted(settings, 8 * DAY_S) if topic.role not in ("state", "control")
        ]
        for topic in theirs:
            existing.create(admin._client, topic, 3, None)
        assert provisioning.checked_partitions(settings) == 3
        assert admin.partitions(settings.state_topic) == admin.partitions(settings.control_topic) == 3
        assert admin.configs(settings.state_topic)["cleanup.policy"] == "compact"

    def test_a_second_time_changes_nothing(self, settings: Settings) -> None:
        provisioning.ensure_topics(settings, partitions=2)
        told: list[str] = []
        assert provisioning.ensure_topics(settings, say=told.append) == 2
        assert told == []

    def test_a_source_that_platforms_have_made_decides_the_count_and_is_mended(
        self, settings: Settings, admin: Admin
    ) -> None:
        admin.make(settings.source_topic, 5, retention_ms="60000")
        told: list[str] = []
        assert provisioning.ensure_topics(settings, say=told.append) == 5
        assert any("message.timestamp.type=LogAppendTime" in line for line in told)
        found = admin.configs(settings.source_topic)
        assert (found["message.timestamp.type"], found["retention.ms"]) == ("LogAppendTime", "691200000")

    def test_a_longer_retention_is_left_alone(self, settings: Settings, admin: Admin) -> None:
        admin.make(settings.source_topic, 1, retention_ms="-1")
        provisioning.ensure_topics(settings)
        assert admin.configs(settings.source_topic)["retention.ms"] == "-1"

    def test_missing_topics_are_refused_with_the_command_that_makes_them(self, settings: Settings) -> None:
        with pytest.raises(existing.TopicsRefused) as refusal:
            provisioning.checked_partitions(settings)
        assert f"topic {settings.source_topic} is missing" in str(refusal.value)
        assert f"respite topics --broker {settings.broker} --prefix {settings.prefix}" in str(refusal.value)

    def test_a_source_that_lets_producers_say_when_is_refused_by_the_wall_clock_only(
        self, settings: Settings, admin: Admin
    ) -> None:
        provisioning.ensure_topics(settings, partitions=1)
        admin.set(settings.source_topic, "message.timestamp.type", "CreateTime")
        with pytest.raises(
            existing.TopicsRefused, match=r"message.timestamp.type=CreateTime(.|\n)*respite topics"
        ):
            provisioning.checked_partitions(settings)
        assert provisioning.checked_partitions(settings.model_copy(update={"clock": "event"})) == 1

    def test_counts_that_differ_are_refused_by_worker_and_command(
        self, settings: Settings, admin: Admin
    ) -> None:
        admin.make(settings.alerts_topic, 2)
        admin.make(settings.source_topic, 4)
        with pytest.raises(
            existing.TopicsRefused, match=r"must have 4 partitions, but .*fatigue-alerts has 2"
        ):
            provisioning.ensure_topics(settings)
        for name in ("status", "watermark", "dead_letter"):
            admin.make(getattr(settings, f"{name}_topic"), 4)
        with pytest.raises(
            existing.TopicsRefused, match=r"must have 4 partitions, but .*fatigue-alerts has 2"
        ):
            provisioning.checked_partitions(settings)

    def test_the_count_is_never_changed_on_request(
        self, settings: Settings, admin: Admin, capsys: pytest.CaptureFixture[str]
    ) -> None:
        provisioning.ensure_topics(settings, partitions=2)
        assert provisioning.run(settings, partitions=3) == 2
        assert "must have 3 partitions" in capsys.readouterr().err
        assert admin.partitions(settings.source_topic) == 2

    def test_the_command_says_what_it_made(
        self, settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert provisioning.run(settings, partitions=1) == 0
        assert f"made {settings.source_topic} with 1 partition\n" in capsys.readouterr().err
