"""Simulated events on their way: as faulty, as fast and as scattered as asked."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from schemas.decode import decode_lines, murmur2
from schemas.instants import parse_instant
from stream.kafka.topics import provisioning
from stream.settings import Settings
from stream.simulation import city, generator
from stream.simulation.faults import Impairments, impair
from stream.simulation.simulation import InvalidSimulation, Simulation
from tests.stream.topic_contents import records_of

MIDNIGHT_S = parse_instant("2026-11-23T00:00:00+08:00")
DAY_S, HOUR_S = 86_400, 3600


def sent(shares: Impairments, seed: int = 1) -> list[bytes]:
    simulated = Simulation(seed=seed, riders=100, days=1.0, start_s=MIDNIGHT_S, impairments=shares)
    return [
        message.value
        for helping in generator.send_batches(simulated, simulated.city(0))
        for message in helping.messages
    ]


def test_without_faults_every_event_is_sent_once_in_order() -> None:
    assert sent(Impairments()) == list(city.events(1, 100, MIDNIGHT_S, DAY_S))


def test_with_every_fault_the_same_seed_still_sends_the_same() -> None:
    shares = Impairments(0.1, 0.1, 0.1, 0.5, 0.1, 0.1)
    assert sent(shares) == sent(shares)
    assert sent(shares) != sent(shares, seed=2)


def test_lost_events_are_lost_and_nothing_else() -> None:
    everything, left = sent(Impairments()), sent(Impairments(lost=0.25))
    assert set(left) < set(everything)
    assert 0.7 < len(left) / len(everything) < 0.8


def test_what_is_lost_is_neither_repeated_nor_taken_back() -> None:
    assert sent(Impairments(lost=1.0, duplicate=1.0, void=1.0)) == []


def test_duplicates_are_the_same_bytes_again() -> None:
    everything, more = Counter(sent(Impairments())), Counter(sent(Impairments(duplicate=0.25)))
    assert set(more) == set(everything)
    assert set(more.values()) == {1, 2}
    assert 1.2 < more.total() / everything.total() < 1.3


def test_shuffled_and_late_events_all_come_but_in_another_order() -> None:
    everything = sent(Impairments())
    for shares in (Impairments(shuffled=0.5), Impairments(late=0.3)):
        out_of_order = sent(shares)
        assert out_of_order != everything
        assert sorted(out_of_order) == sorted(everything)


def test_shuffled_events_are_half_a_minute_out_of_order_late_ones_hours_and_a_few_too_late() -> None:
    whole = city.City(1, 100, MIDNIGHT_S, DAY_S)
    delays = {}
    for name, shares in (("shuffled", Impairments(shuffled=1.0)), ("late", Impairments(late=1.0))):
        impaired = list(impair(city.slices(whole), 1, shares))
        delays[name] = np.concatenate([one.arrival_s - one.at_s for one in impaired])
    assert 0 <= delays["shuffled"].min() <= delays["shuffled"].max() <= 30
    assert np.median(delays["late"]) > 600
    assert 0.01 < (delays["late"] > DAY_S).mean() < 0.04


def test_malformed_messages_are_refused_for_every_reason_that_bytes_give() -> None:
    decoded = decode_lines(sent(Impairments(malformed=0.2)))
    assert 0.15 < len(decoded.rejects) / decoded.count < 0.25
    assert {reject.reason for reject in decoded.rejects} == {
        "malformed",
        "unsupported_schema",
        "invalid",
        "too_large",
    }
    assert not any(b"\n" in (decoded.value(reject.index) or b"") for reject in decoded.rejects)


def test_corrections_come_after_what_they_take_back() -> None:
    seen: set[str] = set()
    voids = 0
    for line in sent(Impairments(void=0.1)):
        event = json.loads(line)
        if event.pop("void", False):
            voids += 1
            assert json.dumps(event) in seen
        seen.add(json.dumps(event))
    assert voids > 100


@pytest.mark.parametrize("name", ["lost", "late", "duplicate", "shuffled", "malformed", "void"])
@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_a_share(name: str, share: float) -> None:
    with pytest.raises(ValueError, match=rf"a share lies between 0 and 1: {name}={share}"):
        Impairments(**{name: share})


# ---------------------------------------------------------------- the command


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"riders": 0}, "riders=0: must be above zero"),
        ({"days": -1.0}, "days=-1.0: must be above zero"),
        ({"rate": 5.0, "speed": 60.0}, "name one of them"),
        ({"long": 1.5}, "long=1.5: a share lies between 0 and 1"),
        ({"placement": "random"}, "placement=random: must be one of standard, mixed"),
        ({"riders": 20_000_000}, "at most 16777216"),
    ],
)
def test_what_cannot_be_simulated_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSimulation, match=said):
        Simulation(**wrong)


def test_by_default_the_last_event_happens_when_it_is_sent() -> None:
    now_s = MIDNIGHT_S + DAY_S
    at_once = Simulation(days=0.5).city(now_s)
    assert at_once.start_s + at_once.duration_s == now_s
    fast = Simulation(days=1.0, speed=24.0).city(now_s)
    assert fast.start_s + fast.duration_s == now_s + HOUR_S
    live = Simulation(days=1.0, speed=1.0).city(now_s)
    assert live.start_s == now_s
    slow_motion = Simulation(days=1.0, speed=0.5).city(now_s)
    assert slow_motion.start_s == now_s


def test_a_pace_in_events_or_in_event_time_says_when_each_is_due() -> None:
    by_rate = Simulation(riders=50, days=0.6, start_s=MIDNIGHT_S, rate=100.0)
    due_s = np.concatenate([helping.due_s for helping in generator.send_batches(by_rate, by_rate.city(0))])
    assert np.allclose(due_s, np.arange(len(due_s)) / 100)
    by_speed = replace(by_rate, rate=None, speed=3600.0)
    for helping in generator.send_batches(by_speed, by_speed.city(0)):
        at_s = [parse_instant(json.loads(message.value)["event_time"]) for message in helping.messages]
        assert np.allclose(helping.due_s, (np.array(at_s) - MIDNIGHT_S) / 3600)


def test_at_a_rate_on_the_wall_clock_everything_happens_when_it_is_sent() -> None:
    simulated = Simulation(
        riders=50, days=0.6, rate=100.0, impairments=Impairments(late=0.1), happens_now=True
    )
    begun_s = time.time()
    late = count = 0
    for helping in generator.send_batches(simulated, simulated.city(begun_s)):
        for message, due_s in zip(helping.messages, helping.due_s, strict=True):
            happened_s = parse_instant(json.loads(message.value)["event_time"])
            assert happened_s <= time.time() + due_s
            late += happened_s < begun_s + due_s - 2
            count += 1
    assert 0 < late < 0.2 * count


def test_what_is_late_comes_at_once_when_the_citys_day_is_over() -> None:
    simulated = Simulation(riders=50, days=0.6, speed=3600.0, impairments=Impairments(late=0.2))
    due_s = np.concatenate(
        [one.due_s for one in generator.send_batches(simulated, simulated.city(MIDNIGHT_S))]
    )
    assert np.isclose(due_s.max(), 0.6 * 24)
    assert np.all(np.diff(due_s) >= 0)


def test_a_rate_without_a_start_is_now_on_the_wall_clock_only() -> None:
    by_rate = Simulation(riders=5, rate=10.0)
    city_of = by_rate.city(time.time())
    assert generator._for_the_clock(Settings(), by_rate, city_of).happens_now
    assert not generator._for_the_clock(Settings(clock="event"), by_rate, city_of).happens_now
    started = replace(by_rate, start_s=MIDNIGHT_S)
    assert not generator._for_the_clock(Settings(), started, started.city(0)).happens_now


def test_files_plain_and_compressed_hold_the_same_and_are_the_same_each_time(tmp_path: Path) -> None:
    wanted = b"".join(line + b"\n" for line in city.events(1, 40, MIDNIGHT_S, DAY_S // 2))
    for name in ("day.ndjson", "day.ndjson.gz", "day.ndjson.zst"):
        simulated = Simulation(riders=40, days=0.5, start_s=MIDNIGHT_S, to=str(tmp_path / name))
        assert generator.run(Settings(), simulated) == 0
        first = (tmp_path / name).read_bytes()
        assert generator.run(Settings(), simulated) == 0
        assert (tmp_path / name).read_bytes() == first
    assert (tmp_path / "day.ndjson").read_bytes() == wanted
    assert (tmp_path / "day.ndjson.gz").read_bytes()[4:8] == b"\0" * 4, "the archive keeps a time of its own"
    assert gzip.decompress((tmp_path / "day.ndjson.gz").read_bytes()) == wanted
    with zstandard.ZstdDecompressor().stream_reader((tmp_path / "day.ndjson.zst").read_bytes()) as packed:
        assert packed.read() == wanted


def test_standard_output_is_only_events(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert generator.run(Settings(), Simulation(riders=5, days=0.5, start_s=MIDNIGHT_S, to="-")) == 0
    out, err = capfdbinary.readouterr()
    assert out.splitlines() == list(city.events(1, 5, MIDNIGHT_S, DAY_S // 2))
    assert err.startswith(b"sent ")


def test_a_file_that_cannot_be_written_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generator.run(Settings(), Simulation(riders=5, to=str(tmp_path / "no" / "where"))) == 2
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.kafka
class TestOnABroker:
    def test_each_platform_places_by_its_own_partitioner_and_all_partitions_end_at_one_time(
        self, broker: Any, prefix: str
    ) -> None:
        settings = Settings(broker=broker.bootstrap, prefix=prefix, clock="event")
        provisioning.ensure_topics(settings, partitions=5)
        assert generator.run(settings, Simulation(riders=60, days=0.6, start_s=MIDNIGHT_S)) == 0
        records = records_of(settings.broker, settings.source_topic)
        events = [(json.loads(record.value or b""), record) for record in records]
        by_platform = defaultdict(list)
        for event, record in events:
            by_platform[event["platform"]].append((event["rider_id"].encode(), record))
        assert all(
            one.key == rider and one.partition == murmur2(rider) % 5 for rider, one in by_platform["meituan"]
        )
        assert all(
            one.key == rider and one.partition == zlib.crc32(rider) % 5 for rider, one in by_platform["eleme"]
        )
        assert {one.key for _, one in by_platform["jd"]} == {None}
        assert {one.partition for _, one in by_platform["jd"]} == set(range(5))
        beats = {
            one.partition: event["event_time"] for event, one in events if event["platform"] == "respite"
        }
        latest_s = max(parse_instant(event["event_time"]) for event, _ in events)
        assert {parse_instant(beats[partition]) for partition in range(5)} == {latest_s}
        expected = set(city.events(1, 60, MIDNIGHT_S, round(0.6 * DAY_S)))
        assert {one.value for event, one in events if event["platform"] != "respite"} == expected

    def test_producers_that_are_all_alike_forward_nothing(self, broker: Any, prefix: str) -> None:
        settings = Settings(broker=broker.bootstrap, prefix=prefix, clock="event")
        provisioning.ensure_topics(settings, partitions=3)
        simulated = Simulation(riders=30, days=0.6, start_s=MIDNIGHT_S, placement="standard")
        assert generator.run(settings, simulated) == 0
        records = records_of(settings.broker, settings.source_topic)
        assert len(records) > 500
        assert all(record.partition == murmur2(record.key or b"") % 3 for record in records)

    def test_a_missing_topic_is_wrong_usage(
        self, broker: Any, prefix: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings = Settings(broker=broker.bootstrap, prefix=prefix)
        assert generator.run(settings, Simulation(riders=5)) == 2
        assert "respite topics" in capsys.readouterr().err
