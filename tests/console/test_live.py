"""The console beside a real Kafka, worker and API: a hold is seen at once, a dead worker soon."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaConsumer
from playwright.sync_api import Browser, expect

from stream.settings import Settings
from tests.console.browser import Visit
from tests.stream.api.test_with_worker import Api, send_online
from tests.stream.worker.processes import Workers, until

pytestmark = pytest.mark.kafka
#: From the alert's place in Kafka to the page.
SHOWN_WITHIN_S = 2.0
UNKNOWN_WITHIN_S = 15.0


def told_at(settings: Settings, kind: str) -> float:
    """When Kafka got the first alert of a kind, epoch seconds."""
    consumer = KafkaConsumer(
        settings.alerts_topic, bootstrap_servers=settings.broker, auto_offset_reset="earliest"
    )
    deadline_s = time.monotonic() + 30
    try:
        while time.monotonic() < deadline_s:
            for records in consumer.poll(500).values():
                for record in records:
                    alert: dict[str, Any] = msgspec.json.decode(record.value)
                    if alert["kind"] == kind:
                        return float(record.timestamp) / 1000
    finally:
        consumer.close()
    pytest.fail(f"no alert of kind {kind}")


def test_the_page_is_live_shows_a_hold_within_two_seconds_and_a_dead_worker_within_fifteen(
    browser: Browser, settings: Settings, workers: Workers, api: Api, policy: Path
) -> None:
    until(lambda: api.get("/healthz"), "the API answers", workers)
    visit = Visit(browser, f"http://127.0.0.1:{api.port()}")
    visit.open("/")
    page, banner = visit.page, visit.page.locator("#banner")
    expect(banner).to_contain_text("do not read silence as clear", timeout=30_000)
    worker = workers.start(policy=str(policy))
    until(lambda: api.get("/v1/overview").get("complete"), "all partitions are live", workers)
    expect(banner).to_be_empty(timeout=10_000)
    expect(page.locator("#count-riders .value")).to_have_text("0")

    page.click("#pause")
    send_online(settings, "r1")
    page.wait_for_selector("#latest:not([hidden])", timeout=60_000)
    page.wait_for_selector("#who_held a")
    seen_s = time.time()
    assert seen_s - told_at(settings, "limit_reached") < SHOWN_WITHIN_S
    expect(page.locator("#count-on_hold .value")).to_have_text("1")
    expect(page.locator("#count-riders .value")).to_have_text("1")
    expect(page.locator("#latest")).to_contain_text("r1 may get no new order now.")
    expect(page.locator("#latest")).to_contain_text("5 s online without a rest of 1 h")
    assert page.locator("#feed").inner_text() == "", "the feed stands still while it is paused"
    page.click("#pause")
    expect(page.locator("#feed")).to_contain_text("Limit reached")
    before = page.locator("#city-time").inner_text()
    expect(page.locator("#city-time")).not_to_have_text(before, timeout=5_000)
    assert visit.said == []

    worker.kill()
    killed_s = time.monotonic()
    expect(banner).to_contain_text("UNKNOWN", timeout=UNKNOWN_WITHIN_S * 1000)
    assert time.monotonic() - killed_s < UNKNOWN_WITHIN_S
    # A nought would read as clear.
    expect(page.locator("#count-on_hold .value")).to_have_text("?")
    assert visit.violations() == []
    api.stop()
    expect(banner).to_contain_text("The API cannot be reached", timeout=10_000)
    visit.close()
