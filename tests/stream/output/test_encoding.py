"""A city's day through two stores: written by kernels, and by the publisher that is their twin."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import numpy as np
from aiokafka.record.memory_records import MemoryRecords

from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout.values import FINALITY_SLACK_S
from detectors.limits import LimitTable
from detectors.outcomes import outcome_columns
from detectors.store import RiderStore
from detectors.verdicts import read_outcomes
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.kafka.transactional_producer import TransactionalProducer
from stream.output.alert_json import Renderer
from stream.output.encoding import NOBODY, OutcomeEncoder
from stream.output.publisher import Publisher
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load_all
from stream.settings import Settings
from stream.simulation.city import City, profiles, slices
from stream.simulation.events import lines

WALL_S = 1_767_600_000
BEGIN_S = int(datetime.fromisoformat("2026-11-23T06:00:00+08:00").timestamp())
SETTINGS = Settings(
    clock="event", policies=("cn-gbt-2025", "cn-meituan-2024"), outlets=("meituan", "jd"), keep=40_000
)
POLICIES = load_all(SETTINGS.policies)
LIMITS = LimitTable(limits_of(POLICIES), window_starts)
Message = tuple[bytes, bytes]


class Side:
    """A store, and what has been written of it by topic."""

    def __init__(self) -> None:
        self.store = RiderStore(LIMITS, SETTINGS.store(16))
        self.producer = TransactionalProducer(SETTINGS, 0)
        renderer = Renderer(LIMITS.limits, POLICIES, SETTINGS.lateness + FINALITY_SLACK_S)
        self.publisher = Publisher(SETTINGS, renderer, self.producer, 0, "w", lambda: WALL_S)
        self.publisher.latency.after_silence()

    def judge(self, values: list[bytes]) -> Any:
        decoded = decode_lines(values)
        self.store.ingest(arrivals_of(decoded), Place(0, 1, 1, 0))
        return self.store.judge_words(self.store.read_s, WALL_S)

    def by_topic(self) -> dict[str, list[Message]]:
        found: dict[str, list[Message]] = {}
        for one in self.producer._waiting:
            if len(one) == 2:
                records = MemoryRecords(bytes(one.frame.finish(1, 0, 0)))
                batch = records.next_batch()
                assert batch.validate_crc()
                messages = [(record.key, record.value) for record in batch]
                assert len(messages) == one.frame.records
            else:
                assert one[1] is not None
                assert one[2] is not None
                messages = [(one[1], one[2])]
            found.setdefault(one[0], []).extend(messages)
        self.producer._waiting.clear()
        return found


def day() -> list[list[bytes]]:
    city = City(seed=3, riders=150, start_s=BEGIN_S, duration_s=16 * 3600, long=0.3)
    zones = profiles(city).zone
    chunks = [lines(found, zones) for found in slices(city)]
    # Some come an hour late: what was told is taken back, or told again.
    late = [value for chunk in chunks for value in chunk[::25]]
    kept = [[value for at, value in enumerate(chunk) if at % 25] for chunk in chunks]
    return [chunk + late[12 * at : 12 * at + 12] for at, chunk in enumerate(kept)] + [late]


def test_a_day_is_written_as_the_publisher_tells_it() -> None:
    rendered, encoded = Side(), Side()
    encoder = OutcomeEncoder(SETTINGS, LIMITS, POLICIES)
    topics: Counter[str] = Counter()
    for values in day():
        words = rendered.judge(values)
        rendered.publisher.outcomes(rendered.store, read_outcomes(words, len(words)))
        same = encoded.judge(values)
        assert (words == same).all()
        found = encoder.encode(encoded.store, same, NOBODY, WALL_S)
        encoded.publisher.encoded(encoded.store, found)
        theirs, ours = rendered.by_topic(), encoded.by_topic()
        assert ours == theirs
        topics.update({topic: len(messages) for topic, messages in ours.items()})
    assert encoded.publisher.counts == rendered.publisher.counts
    assert encoded.publisher.latency.taken() == rendered.publisher.latency.taken()
    assert {family for family, _ in encoded.publisher.counts} >= {"alerts", "statuses", "holds", "breaches"}
    assert encoded.publisher.counts["alerts", "retracted"] > 0
    assert min(topics[topic] for topic in (SETTINGS.alerts_of("jd"), SETTINGS.status_of("meituan"))) > 0


def test_special_riders_are_left_as_they_are_in_their_order() -> None:
    side = Side()
    seen = 0
    for values in day():
        words = side.judge(values)
        special = np.zeros(side.store.riders, np.uint8)
        special[::2] = 1
        columns = outcome_columns(side.store, words, 0, special)
        expected = [one for one in read_outcomes(words, len(words)) if one.row % 2 == 0]
        assert read_outcomes(columns.aside, len(columns.aside)) == expected
        others = [*columns.alerts.row.tolist(), *columns.statuses.row.tolist()]
        assert all(row % 2 == 1 for row in others)
        assert len(others) + len(expected) == len(read_outcomes(words, len(words)))
        seen += len(expected)
    assert seen > 100
