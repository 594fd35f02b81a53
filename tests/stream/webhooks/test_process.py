"""The process ``respite webhooks`` on a real Kafka, with receivers of every kind on this machine."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.kafka.broker import Broker
from stream.settings import Settings
from tests.stream.topic_contents import records_of
from tests.stream.webhooks.outlet import FAST, Outlet, alerts_for, first_of_each, numbers_by_rider
from tests.stream.webhooks.receiver import SECRET, Receiver, Reply, alert, status

pytestmark = pytest.mark.kafka


@pytest.fixture
def outlet(broker: Any, prefix: str, tmp_path: Path) -> Iterator[Outlet]:
    made = Outlet(Settings(broker=broker.bootstrap, prefix=prefix), tmp_path)
    yield made
    made.stop()


def test_every_alert_arrives_once_signed_and_in_order_per_rider(outlet: Outlet) -> None:
    outlet.write(alerts_for(outlet.alerts, riders=20, each=10))
    with Receiver() as receiver:
        process = outlet.start(outlet.config(receiver.url))
        outlet.until(lambda: len(receiver.accepted) >= 200, "all alerts")
        outlet.until(lambda: outlet.committed() >= 200, "all are committed")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, outlet.log()
    assert receiver.forged == []
    assert {rider: len(found) for rider, found in numbers_by_rider(receiver.got).items()} == {
        f"r{number}": 10 for number in range(20)
    }
    assert all(found == sorted(found) for found in numbers_by_rider(receiver.got).values())
    assert len({one.webhook_id for one in receiver.got}) == 200
    assert all(one.webhook_id.startswith(one.body["alert_id"] + "-") for one in receiver.got)


def test_killed_in_the_middle_nothing_is_lost_and_repeats_carry_their_ids(outlet: Outlet) -> None:
    outlet.write(alerts_for(outlet.alerts, riders=25, each=20))
    # Half of all ids fail the first time, so that work is open all over the place when the process dies.
    seen: set[str] = set()

    def fails_at_first(webhook_id: str, body: dict[str, Any], number: int) -> Reply:
        del number
        first = webhook_id not in seen
        seen.add(webhook_id)
        return Reply(500 if first and body["number"] % 2 else 204, delay_s=0.01)

    with Receiver(fails_at_first) as receiver:
        config = outlet.config(receiver.url)
        for so_many in (50, 200, 350):
            process = outlet.start(config)
            outlet.until(lambda: len(receiver.accepted) >= so_many, f"{so_many} alerts")  # noqa: B023
            process.kill()
            process.wait(10)
        outlet.start(config)
        outlet.until(lambda: len({one.webhook_id for one in receiver.accepted}) == 500, "all alerts")
        outlet.until(lambda: outlet.committed() >= 500, "all are committed")
    assert receiver.forged == []
    ids = {(one.body["number"], one.webhook_id) for one in receiver.got}
    assert len(ids) == len({number for number, _ in ids}) == 500
    for found in numbers_by_rider(receiver.accepted).values():
        assert first_of_each(found) == sorted(set(found))
    assert records_of(outlet.settings.broker, outlet.letters) == []


def test_a_rider_whose_message_is_refused_for_long_holds_up_nobody_else(outlet: Outlet) -> None:
    outlet.write(alerts_for(outlet.alerts, riders=8, each=5))
    patience = (
        'retry = {attempts = 1000, first = "50ms", longest = "50ms"}\ntimeout = "2s"\nconcurrency = 2\n'
    )
    with Receiver(lambda _, body, __: Reply(500 if body["rider_id"] == "r0" else 204)) as receiver:
        outlet.start(outlet.config(receiver.url, patience))
        outlet.until(lambda: len(receiver.accepted) == 35, "all alerts of the other seven")
        assert set(numbers_by_rider(receiver.got)["r0"]) == {0}
        assert receiver.most_at_once <= 2
        assert outlet.committed() < 40
        receiver.behaviour = lambda *_: Reply()
        outlet.until(lambda: outlet.committed() >= 40, "all are committed")
    assert numbers_by_rider(receiver.accepted)["r0"] == [0, 8, 16, 24, 32]


def test_a_refusal_is_a_dead_letter_at_once_and_exhaustion_after_the_last_attempt(outlet: Outlet) -> None:
    outlet.write([(outlet.alerts, f"r{number}", alert(number, f"r{number}")) for number in range(3)])
    statuses = {"r0": 400, "r1": 503, "r2": 200}
    with Receiver(lambda _, body, __: Reply(statuses[body["rider_id"]], body=b"no \x07")) as receiver:
        outlet.start(outlet.config(receiver.url))
        outlet.until(lambda: outlet.committed() >= 3, "all are committed")
        tries = {rider: len(found) for rider, found in numbers_by_rider(receiver.got).items()}
        assert tries == {"r0": 1, "r1": 4, "r2": 1}
        letters = {one.key: one for one in records_of(outlet.settings.broker, outlet.letters)}
        assert letters.keys() == {b"r0", b"r1"}
        assert letters[b"r0"].value == alert(0, "r0")
        headers = letters[b"r0"].headers
        (original,) = (one for one in records_of(outlet.settings.broker, outlet.alerts) if one.key == b"r0")
        assert headers == {
            "reason": b"refused", "detail": b"400 Bad Request: no  ", "endpoint": b"one",
            "topic": outlet.alerts.encode(), "partition": str(original.partition).encode(),
            "offset": str(original.offset).encode(),
        }  # fmt: skip
        assert letters[b"r1"].headers["reason"] == b"exhausted"
        assert b"4 attempts" in letters[b"r1"].headers["detail"]
        metrics = outlet.metrics()
    assert 'respite_webhook_deliveries_total{endpoint="one",outcome="delivered"} 1.0' in metrics
    assert 'respite_webhook_deliveries_total{endpoint="one",outcome="dead_letter"} 2.0' in metrics
    assert 'respite_webhook_dead_letters_total{endpoint="one",reason="exhausted"} 1.0' in metrics
    assert 'respite_webhook_attempts_total{answer="5xx",endpoint="one"} 4.0' in metrics
    assert 'respite_webhook_pending_messages{endpoint="one"} 0.0' in metrics


def test_dead_letters_are_sent_again_under_their_ids_and_only_once(outlet: Outlet) -> None:
    outlet.write(alerts_for(outlet.alerts, riders=3, each=4))
    with Receiver(lambda _, body, __: Reply(404 if body["number"] % 2 else 204)) as receiver:
        config = outlet.config(receiver.url)
        process = outlet.start(config)
        outlet.until(lambda: outlet.committed() >= 12, "all are committed")
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        refused = {one.webhook_id for one in receiver.got} - {one.webhook_id for one in receiver.accepted}
        assert len(refused) == 6
        receiver.got.clear()
        again = outlet.replay(config)
        assert (again.returncode, again.stdout) == (3, "delivered 0, dead_letter 6, skipped 0\n"), (
            again.stderr
        )
        receiver.behaviour = lambda *_: Reply()
        again = outlet.replay(config)
        assert (again.returncode, again.stdout) == (0, "delivered 6, dead_letter 0, skipped 0\n"), (
            again.stderr
        )
        assert {one.webhook_id for one in receiver.accepted} == refused
        assert all(found == sorted(found) for found in numbers_by_rider(receiver.accepted).values())
        again = outlet.replay(config)
        assert (again.returncode, again.stdout) == (0, "delivered 0, dead_letter 0, skipped 0\n"), (
            again.stderr
        )


def test_everything_since_a_time_is_sent_again_under_the_same_ids(outlet: Outlet) -> None:
    outlet.write(alerts_for(outlet.alerts, riders=2, each=3))
    outlet.write([(outlet.statuses, "r0", status(100, "r0")), (outlet.statuses, "r1", None)])
    with Receiver() as receiver:
        config = outlet.config(receiver.url, FAST + "statuses = true\n")
        process = outlet.start(config)
        outlet.until(lambda: len(receiver.accepted) == 7, "all")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        ids = sorted(one.webhook_id for one in receiver.accepted)
        receiver.got.clear()
        again = outlet.replay(config, "--since", "2026-01-01T00:00:00Z")
        assert (again.returncode, again.stdout) == (0, "delivered 7, dead_letter 0, skipped 1\n"), (
            again.stderr
        )
        assert sorted(one.webhook_id for one in receiver.accepted) == ids
        receiver.got.clear()
        again = outlet.replay(config, "--since", "2099-01-01T00:00:00Z")
        assert again.stdout == "delivered 0, dead_letter 0, skipped 0\n"
        assert receiver.got == []


def test_410_disables_the_endpoint_and_what_is_not_sent_stays(outlet: Outlet) -> None:
    outlet.write(alerts_for(outlet.alerts, riders=10, each=3))
    with Receiver(lambda _, __, number: Reply(204 if number < 5 else 410)) as receiver:
        process = outlet.start(outlet.config(receiver.url, FAST + "concurrency = 1\n"))
        outlet.until(lambda: 'disabled{endpoint="one"} 1.0' in outlet.metrics(), "the endpoint is disabled")
        assert process.poll() is None
        assert len(receiver.got) == 6
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert "410 Gone" in outlet.log()
        receiver.behaviour = lambda *_: Reply()
        outlet.start(outlet.config(receiver.url))
        outlet.until(lambda: len({one.webhook_id for one in receiver.accepted}) == 30, "all in the end")
    assert records_of(outlet.settings.broker, outlet.letters) == []


def test_processes_share_the_partitions_and_take_over_from_each_other(outlet: Outlet) -> None:
    outlet.write(alerts_for(outlet.alerts, riders=40, each=5))
    with Receiver(lambda *_: Reply(delay_s=0.02)) as receiver:
        config = outlet.config(receiver.url, FAST + "concurrency = 2\n")
        first = outlet.start(config)
        outlet.until(lambda: len(receiver.accepted) > 20, "the first works")
        outlet.start(config)
        outlet.until(lambda: "reads" in outlet.log(1) and "partitions=2" in outlet.log(1), "the second too")
        outlet.write(
            [(outlet.alerts, f"n{number}", alert(number, f"n{number}")) for number in range(1000, 1100)]
        )
        outlet.until(lambda: len(receiver.accepted) > 120, "both work")
        first.send_signal(signal.SIGTERM)
        assert first.wait(20) == 0
        outlet.until(lambda: len({one.webhook_id for one in receiver.accepted}) == 300, "all in the end")
        outlet.until(lambda: outlet.committed() >= 300, "all are committed")
    for found in numbers_by_rider(receiver.accepted).values():
        assert first_of_each(found) == sorted(set(found))
    # Left in order, nothing was under way: only what was settled behind an open message comes again.
    assert len(receiver.accepted) < 400


def test_a_broker_that_goes_and_comes_back_costs_nothing(tmp_path: Path, prefix: str) -> None:
    with Broker.running(tmp_path / "kafka") as broker, Receiver() as receiver:
        outlet = Outlet(Settings(broker=broker.bootstrap, prefix=prefix), tmp_path)
        try:
            outlet.write(alerts_for(outlet.alerts, riders=10, each=10))
            receiver.behaviour = lambda _, body, __: Reply(400 if body["number"] == 7 else 204, delay_s=0.02)
            process = outlet.start(outlet.config(receiver.url, FAST + "concurrency = 2\n"))
            outlet.until(lambda: len(receiver.accepted) > 20, "the first")
            broker.kill()
            broker.start()
            outlet.until(
                lambda: len({one.webhook_id for one in receiver.accepted}) == 99, "all but the refused"
            )
            outlet.until(lambda: outlet.committed() >= 100, "all are committed")
            # A dead letter may be written twice, but not lost.
            assert {one.key for one in records_of(broker.bootstrap, outlet.letters)} == {b"r7"}
            assert process.poll() is None
            broker.kill()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) is not None
        finally:
            outlet.stop()


def test_a_missing_outlet_ends_with_status_2_and_says_what_makes_it(outlet: Outlet) -> None:
    config = outlet.config("http://127.0.0.1:1/").read_text(encoding="utf-8")
    other = outlet.config("http://127.0.0.1:1/", name="other")
    other.write_text(config.replace('"alpha"', '"omega"'), encoding="utf-8")
    done = outlet.replay(other)
    assert done.returncode == 2
    assert f"missing: {outlet.settings.alerts_topic}.omega" in done.stderr
    assert "respite topics" in done.stderr


def test_secrets_are_in_no_log(outlet: Outlet) -> None:
    outlet.write(alerts_for(outlet.alerts, riders=2, each=2))
    with Receiver(lambda _, body, __: Reply(400 if body["number"] else 500)) as receiver:
        outlet.start(outlet.config(receiver.url + "?token=hunter2"))
        outlet.until(lambda: outlet.committed() >= 4, "all are committed")
    assert SECRET.removeprefix("whsec_") not in outlet.log()
    assert "hunter2" not in outlet.log()
    for letter in records_of(outlet.settings.broker, outlet.letters):
        assert "hunter2" not in str(letter.headers)


def test_memory_is_bounded_while_a_receiver_does_not_answer(outlet: Outlet) -> None:
    outlet.write(alerts_for(outlet.alerts, riders=300, each=4))
    bounded = (
        'max_pending = 50\ntimeout = "1s"\nretry = {attempts = 1000, first = "100ms", longest = "100ms"}\n'
    )
    with Receiver(lambda *_: Reply(delay_s=1.5)) as receiver:
        outlet.start(outlet.config(receiver.url, bounded))
        outlet.until(lambda: len(receiver.got) > 20, "requests have timed out")
        pending = re.search(r'pending_messages{endpoint="one"} (\d+)', outlet.metrics())
        assert pending
        assert int(pending[1]) == 50
        assert receiver.accepted == receiver.got  # it says 204, but too late: nothing counts as delivered
        assert outlet.committed() == 0
        receiver.behaviour = lambda *_: Reply()
        outlet.until(lambda: outlet.committed() >= 1200, "all are committed")
    assert len({one.webhook_id for one in receiver.got}) == 1200
