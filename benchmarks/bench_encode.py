"""What an alert costs to be written: by the kernels, and by the renderer that is their twin.

A city's afternoon (13:30 to 15:30, whatever the time is now; its platforms ignore holds) is judged chunk by
chunk, after its morning, by one partition's rider store without a broker. What each chunk leads to is
written in both ways, up to record batches with their checksums. CPU of this process, one thread.

    python benchmarks/bench_encode.py --riders 20000 --chunk 2000
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from aiokafka.producer.message_accumulator import BatchBuilder

from benchmarks import harness
from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout.values import FINALITY_SLACK_S
from detectors.limits import LimitTable
from detectors.store import RiderStore
from detectors.verdicts import read_outcomes
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.kafka.transactional_producer import TransactionalProducer
from stream.output.alert_json import Renderer
from stream.output.encoding import BATCH_BYTES, NOBODY, OutcomeEncoder, warm_up
from stream.output.publisher import Publisher
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load_all
from stream.settings import Settings
from stream.simulation.city import City, profiles, slices
from stream.simulation.events import lines

_PRODUCER = 1, 0, 0


def chunks(city: City, size: int) -> Iterator[tuple[int, list[bytes]]]:
    """The city's messages, so many at a time, and the second of the first."""
    zones = profiles(city).zone
    for found in slices(city):
        values = lines(found, zones)
        for begin in range(0, len(values), size):
            yield int(found.at_s[begin]), values[begin : begin + size]


class Ways:
    """Both ways to write what a store has judged, and what each has taken."""

    def __init__(self, settings: Settings) -> None:
        policies = load_all(settings.policies)
        self.limits = LimitTable(limits_of(policies), window_starts)
        self.seconds: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self._producer = TransactionalProducer(settings, 0)
        renderer = Renderer(self.limits.limits, policies, settings.lateness + FINALITY_SLACK_S)
        self._publisher = Publisher(settings, renderer, self._producer, 0, "bench", time.time)
        self._encoder = OutcomeEncoder(settings, self.limits, policies)

    def render(self, store: RiderStore, words: np.ndarray) -> None:
        """The renderer, and aiokafka's builder record by record."""
        began = time.process_time()
        self._publisher.outcomes(store, read_outcomes(words, len(words)))
        builders: dict[str, BatchBuilder] = {}
        full: list[BatchBuilder] = []
        for one in self._producer._waiting:  # noqa: SLF001 - what `flush` would send
            assert len(one) == 5, "the publisher puts single messages"
            topic, key, value, headers, _ = one
            builder = builders.setdefault(topic, BatchBuilder(BATCH_BYTES, 0, is_transactional=1))
            if builder.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
                full.append(builders.pop(topic))
                builder = builders[topic] = BatchBuilder(BATCH_BYTES, 0, is_transactional=1)
                builder.append(timestamp=None, key=key, value=value, headers=list(headers))
        self._producer._waiting.clear()  # noqa: SLF001
        self.bytes["renderer"] += sum(len(one._build()) for one in (*full, *builders.values()))  # noqa: SLF001
        self.seconds["renderer"] += time.process_time() - began  # type: ignore[assignment]

    def encode(self, store: RiderStore, words: np.ndarray) -> tuple[int, int]:
        """The kernels; alerts and statuses written."""
        began = time.process_time()
        found = self._encoder.encode(store, words, NOBODY, int(time.time()))
        self.bytes["kernels"] += sum(len(frame.finish(*_PRODUCER)) for _, frame in found.frames)
        self.seconds["kernels"] += time.process_time() - began  # type: ignore[assignment]
        return len(found.columns.alerts.row), len(found.columns.statuses.row)


def main() -> None:
    """Judge a morning, then measure the afternoon."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=20_000)
    parser.add_argument("--chunk", type=int, default=2000, help="events judged at once")
    chosen = parser.parse_args()
    ways = Ways(Settings(clock="event", policies=("cn-gbt-2025", "cn-meituan-2024")))
    begin_s, measured_s, end_s = map(harness.city_second, ("07:00", "13:30", "15:30"))
    city = City(seed=1, riders=chosen.riders, start_s=begin_s, duration_s=end_s - begin_s)
    store = RiderStore(ways.limits, Settings().store(512))
    warm_up(Settings(), ways.limits, load_all(Settings().policies))
    place = Place(0, 1, 1, 0)
    events = alerts = statuses = 0
    for at_s, values in chunks(city, chosen.chunk):
        decoded = decode_lines(values)
        began = time.process_time()
        store.ingest(arrivals_of(decoded), place)
        ingested = time.process_time()
        words = store.judge_words(store.read_s, int(time.time()))
        judged = time.process_time()
        if at_s < measured_s:
            continue
        ways.seconds["ingest"] += ingested - began  # type: ignore[assignment]
        ways.seconds["judge"] += judged - ingested  # type: ignore[assignment]
        events += len(values)
        ways.render(store, words)
        told = ways.encode(store, words)
        alerts, statuses = alerts + told[0], statuses + told[1]
    document: dict[str, Any] = {
        "events": events, "alerts": alerts, "statuses": statuses,
        "us_per_event": {one: ways.seconds[one] / events * 1e6 for one in ("ingest", "judge")},
        "us_per_alert": {one: ways.seconds[one] / alerts * 1e6 for one in ("renderer", "kernels")},
        "bytes": dict(ways.bytes), "ratio": ways.seconds["renderer"] / ways.seconds["kernels"],
    }  # fmt: skip
    for name in ("us_per_event", "us_per_alert"):
        harness.table(("", name), [[one, f"{us:.2f}"] for one, us in document[name].items()])
    print(
        f"  {events:,} events, {alerts:,} alerts, {statuses:,} statuses; the kernels take a "
        f"{document['ratio']:.0f}th of the renderer's time"
    )
    harness.keep("encode", document, 1)


if __name__ == "__main__":
    main()
