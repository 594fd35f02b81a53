"""A real Kafka with TLS, SCRAM and rights: what each role can do there, and above all what it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from stream.settings import Settings
from tests.certificates import Authority
from tests.stream.kafka.topics.rights import allowed, reading, refused, writing
from tests.stream.secured_broker import DEADLINE_S, GROUP, OUTLETS, PARTITIONS, Guarded, guarded_kafka
from tests.stream.topic_contents import records_of
from tests.stream.webhooks.receiver import Receiver, alert

pytestmark = pytest.mark.kafka
#: A worker may have to compile its kernels first.
WORKER_S = 240.0


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded_kafka(tmp_path_factory.mktemp("guarded")) as made:
        yield made


def test_a_second_run_changes_nothing_and_a_dry_run_only_tells(guarded: Guarded) -> None:
    again = guarded.secure("--dry-run")
    assert again.returncode == 0, again.stderr
    lines = again.stdout.splitlines()
    assert len(lines) == 1, again.stdout
    assert lines[0].endswith("rights stand as they should")
    more = guarded.folder / "more.toml"
    more.write_text('[[user]]\nname = "gamma-feed"\nrole = "feed"\nplatform = "gamma"\n', encoding="utf-8")
    for _ in range(2):
        told = guarded.secure("--dry-run", "--users", str(more)).stdout
        assert told.splitlines() == [
            "+ gamma-feed: WRITE topic courier.work-state", "0 rights stand as they should",
        ]  # fmt: skip


def test_rights_beyond_the_role_are_shown_and_taken_away_only_when_asked(guarded: Guarded) -> None:
    file = guarded.folder / "changing.toml"
    user = '[[user]]\nname = "changing"\nrole = "{}"\n'
    file.write_text(user.format("api"), encoding="utf-8")
    assert guarded.secure("--users", str(file)).returncode == 0
    file.write_text(user.format("regulator"), encoding="utf-8")
    shown = guarded.secure("--users", str(file)).stdout
    assert "? changing: READ topic courier.fatigue-alerts\n" in shown
    assert "? changing: READ topic courier.fatigue-alerts\n" in guarded.secure("--users", str(file)).stdout
    pruned = guarded.secure("--users", str(file), "--prune").stdout
    assert "- changing: READ topic courier.fatigue-alerts\n" in pruned
    assert guarded.secure("--users", str(file)).stdout == "0 rights stand as they should\n"


def test_a_feed_writes_the_source_and_nothing_else_and_reads_nothing(guarded: Guarded) -> None:
    feed = guarded.settings("alpha-feed")
    allowed(writing(feed, feed.source_topic))
    for topic in (
        feed.alerts_topic,
        feed.status_topic,
        feed.watermark_topic,
        feed.dead_letter_topic,
        *OUTLETS,
    ):
        refused(writing(feed, topic))
    for topic in (feed.source_topic, feed.alerts_topic, *OUTLETS):
        refused(reading(feed, topic))


def test_a_consumer_reads_its_own_outlets_in_its_own_groups(guarded: Guarded) -> None:
    own = guarded.settings("alpha-reads")
    allowed(reading(own, "courier.fatigue-alerts.alpha"))
    allowed(reading(own, "courier.dispatch-status.alpha", "platform-alpha-dispatch"))
    allowed(reading(own, own.watermark_topic))
    for topic in ("courier.fatigue-alerts.beta", "courier.dispatch-status.beta"):
        refused(reading(own, topic))
    for topic in (own.alerts_topic, own.status_topic, own.source_topic, own.dead_letter_topic):
        refused(reading(own, topic))
    for group in ("platform-beta-dispatch", GROUP, "dispatch"):
        refused(reading(own, "courier.fatigue-alerts.alpha", group), GroupAuthorizationFailedError)
    refused(writing(own, "courier.fatigue-alerts.alpha"))


def test_transactional_ids_belong_to_the_workers_group(guarded: Guarded) -> None:
    judge = guarded.settings("judge")
    allowed(writing(judge, judge.dead_letter_topic, f"{GROUP}-0"))
    for name in ("other-0", GROUP, f"x{GROUP}-0"):
        refused(writing(judge, judge.dead_letter_topic, name), TransactionalIdAuthorizationFailed)
    feed = guarded.settings("alpha-feed")
    refused(writing(feed, feed.source_topic, f"{GROUP}-0"), TransactionalIdAuthorizationFailed)


def test_the_other_roles_read_what_they_need(guarded: Guarded) -> None:
    api, ops, inspector = (guarded.settings(name) for name in ("api", "ops", "inspector"))
    for topic in (api.alerts_topic, api.status_topic, api.watermark_topic, api.dead_letter_topic):
        allowed(reading(api, topic))
        refused(writing(api, topic))
        if topic != ops.status_topic:  # `respite forget` looks there
            refused(reading(ops, topic))
        refused(reading(inspector, topic))
    refused(reading(api, api.source_topic))


def test_an_operator_makes_and_mends_the_topics(guarded: Guarded) -> None:
    done = guarded.respite("topics", environment=guarded.environment("ops"))
    assert done.returncode == 0, done.stderr
    refusal = guarded.respite("topics", environment=guarded.environment("api"))
    assert refusal.returncode == 1
    assert "AuthorizationFailed" in refusal.stderr
    assert "Traceback" not in refusal.stderr


def events() -> str:
    """A rider who works until a limit is reached."""
    made = []
    for number in range(12):
        for after, kind in ((0, "order_accepted"), (1500, "order_delivered")):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_795_000_000 + number * 1800 + after))
            made.append(
                {
                    "schema": "work-state/1", "event_id": f"e{number}{kind}", "rider_id": "r1",
                    "platform": "alpha", "event_time": at, "type": kind, "order_id": f"o{number}",
                }
            )  # fmt: skip
    return "".join(json.dumps(event) + "\n" for event in made)


def until(claim: Callable[[], Any], what: str, log: Path, within_s: float = DEADLINE_S) -> None:
    deadline = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s} s: {what}\n{log.read_text(encoding='utf-8')[-4000:]}")
        time.sleep(0.1)


@contextlib.contextmanager
def judging(guarded: Guarded, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "stream", "worker", "--clock", "event"], cwd=guarded.folder,
            env=guarded.environment("judge"), stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait(10)


def test_a_worker_with_its_rights_alone_judges_forgets_and_takes_over(guarded: Guarded) -> None:
    file, log = guarded.folder / "day.ndjson", guarded.folder / "worker.log"
    file.write_text(events(), encoding="utf-8")
    with judging(guarded, log) as worker:
        fed = guarded.respite("feed", str(file), environment=guarded.environment("alpha-feed"))
        assert fed.returncode == 0, fed.stderr

        def reached(topic: str) -> bool:
            assert worker.poll() is None, log.read_text(encoding="utf-8")
            found = [json.loads(one.value or b"{}") for one in records_of(guarded.broker.bootstrap, topic)]
            return any(one.get("kind") == "limit_reached" for one in found)

        until(lambda: reached(Settings().alerts_topic), "an alert", log, WORKER_S)
        until(lambda: reached(Settings().alerts_of("alpha")), "an alert in the platform's topic", log)
        assert not reached(Settings().alerts_of("beta"))
        forgotten = guarded.respite("forget", "r1", environment=guarded.environment("ops"))
        assert forgotten.returncode == 0, forgotten.stderr
    again = guarded.folder / "again.log"
    with judging(guarded, again) as worker:
        until(lambda: worker.poll() or again.read_text("utf-8").count(" live ") == PARTITIONS, "live", again)
        assert worker.poll() is None, again.read_text(encoding="utf-8")


def test_webhooks_with_their_rights_alone_deliver(guarded: Guarded) -> None:
    asyncio.run(write_plain(guarded, "courier.fatigue-alerts.alpha", alert(7, "r1")))
    log = guarded.folder / "webhooks.log"
    with Receiver() as receiver:
        config = guarded.folder / "webhooks.toml"
        config.write_text(
            f'metrics_port = 0\n[[endpoint]]\nname = "one"\nplatform = "alpha"\nurl = "{receiver.url}"\n'
            'secret_env = "SECRET"\nallow_private = true\nstatuses = true\n',
            encoding="utf-8",
        )
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "stream", "webhooks", "--config", str(config)], cwd=guarded.folder,
                env=guarded.environment("hooks"), stdout=output, stderr=output,
            )  # fmt: skip
        try:
            until(lambda: receiver.accepted, "a delivery", log)
            assert process.poll() is None
        finally:
            process.kill()
            process.wait(10)
        again = guarded.respite(
            "webhooks", "replay", "--config", str(config), "--endpoint", "one",
            environment=guarded.environment("hooks"),
        )  # fmt: skip
        assert again.returncode == 0, again.stderr


async def write_plain(guarded: Guarded, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=guarded.broker.bootstrap)
    await producer.start()
    await producer.send_and_wait(topic, value, key=b"r1")
    await producer.stop()


def assert_in_words(said: str) -> None:
    """Fail where what is told a person names classes or modules of a library."""
    assert not re.search(r"\w(Error|Exception)\b|Errno|aiokafka|kafka\.", said), said


@pytest.mark.parametrize("command", ["worker", "topics"])
def test_a_wrong_password_ends_with_status_1_and_says_so(guarded: Guarded, command: str) -> None:
    done = guarded.respite(command, environment=guarded.environment("judge", password="wrong-password-1"))
    assert done.returncode == 1
    assert "authentication failed" in done.stderr
    assert_in_words(done.stderr)
    assert "wrong-password-1" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["worker", "topics"])
def test_a_broker_that_a_stranger_vouches_for_is_not_spoken_to(
    guarded: Guarded, tmp_path: Path, command: str
) -> None:
    stranger = Authority(tmp_path / "stranger").certificate
    done = guarded.respite(command, environment=guarded.environment("judge", ca=stranger))
    assert done.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
    assert "Traceback" not in done.stderr


def test_only_a_super_user_gives_rights(guarded: Guarded) -> None:
    done = guarded.respite("secure", "--users", "users.toml", environment=guarded.environment("ops"))
    assert done.returncode == 1
    assert "rights are given by a user in the broker's super.users" in done.stderr


def test_a_broker_without_rights_is_told_apart(broker: Any, guarded: Guarded) -> None:
    environment = guarded.environment("nobody") | {"RESPITE_SECURITY_PROTOCOL": "PLAINTEXT"}
    environment["RESPITE_BROKER"] = broker.bootstrap
    del environment["RESPITE_SSL_CAFILE"]
    done = guarded.respite("secure", "--users", "users.toml", environment=environment)
    assert done.returncode == 1
    assert "the broker has no authorizer" in done.stderr
