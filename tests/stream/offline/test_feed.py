"""Recorded events on their way into Kafka."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from schemas.decode import murmur2
from stream.kafka import batch_producer
from stream.kafka.topics import provisioning
from stream.offline import feed
from stream.settings import Settings
from tests.stream.topic_contents import Record, records_of

PARTITIONS = 3


def event(
    number: int, rider: str = "r_1", event_time: str = "2026-11-23T12:00:00+08:00", **more: object
) -> bytes:
    fields = {
        "schema": "work-state/1",
        "event_id": f"e{number}",
        "rider_id": rider,
        "platform": "meituan",
        "event_time": event_time,
        "type": "online",
        **more,
    }
    return json.dumps(fields).encode()


def beats(records: list[Record]) -> list[Any]:
    values = [
        json.loads(record.value) for record in records if record.value and b'"heartbeat"' in record.value
    ]
    return [value for value in values if value["platform"] == "respite"]


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    made = Settings(broker=broker.bootstrap, prefix=prefix)
    provisioning.ensure_topics(made, partitions=PARTITIONS)
    return made


@pytest.fixture
def read(settings: Settings) -> Callable[[], list[Record]]:
    return lambda: records_of(settings.broker, settings.source_topic)


def test_lines_of_a_slow_pipe_are_given_as_they_come_and_long_ones_whole() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            super().__init__()
            self.pieces = [b"one\ntw", b"o\nthr", b"ee", b""]

        def readable(self) -> bool:
            return True

        def readinto(self, target: Any) -> int:
            piece = self.pieces.pop(0)
            target[: len(piece)] = piece
            return len(piece)

    given = list(feed.blocks(io.BufferedReader(Pipe())))
    assert given == [[b"one\n"], [b"two\n"], [b"three"]]


def test_each_partition_has_a_rider_for_its_heartbeats() -> None:
    riders = [feed.rider_of(partition, 12) for partition in range(12)]
    assert [murmur2(rider.encode()) % 12 for rider in riders] == list(range(12))


def test_a_file_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert feed.run(Settings(broker="127.0.0.1:1"), ["no-such.ndjson"]) == 2
    assert "no such file: no-such.ndjson" in capsys.readouterr().err


@pytest.mark.kafka
class TestOnABroker:
    def test_every_rider_lies_where_the_standard_partitioner_puts_him_in_the_order_of_the_file(
        self, settings: Settings, read: Callable[[], list[Record]], tmp_path: Path
    ) -> None:
        events = [event(number, rider=f"r_{number % 50}") for number in range(2000)]
        (tmp_path / "day.ndjson").write_bytes(b"\n".join(events))
        assert feed.run(settings, [str(tmp_path / "day.ndjson")]) == 0
        records = [record for record in read() if not beats([record])]
        assert {record.value for record in records} == set(events)
        assert all(json.loads(record.value or b"")["rider_id"].encode() == record.key for record in records)
        assert all(murmur2(record.key or b"") % PARTITIONS == record.partition for record in records)
        for partition in range(PARTITIONS):
            lie = [events.index(record.value or b"") for record in records if record.partition == partition]
            assert lie == sorted(lie)

    def test_more_than_fits_into_a_batch_comes_whole_and_in_order(
        self,
        settings: Settings,
        read: Callable[[], list[Record]],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(batch_producer, "BATCH_BYTES", 2000)
        events = [event(number) for number in range(500)]
        (tmp_path / "day.ndjson").write_bytes(b"\n".join(events))
        assert feed.run(settings, [str(tmp_path / "day.ndjson")]) == 0
        assert [record.value for record in read() if not beats([record])] == events

    def test_it_ends_with_a_heartbeat_in_every_partition_at_the_latest_event_time(
        self, settings: Settings, read: Callable[[], list[Record]], tmp_path: Path
    ) -> None:
        late, early = (
            event(1, event_time="2026-11-23T15:00:00+08:00"),
            event(2, event_time="2026-11-23T06:59:59Z"),
        )
        bad = event(3, event_time="2027-01-01T00:00:00Z", type="no such type")
        (tmp_path / "one.ndjson").write_bytes(late + b"\n" + bad + b"\n")
        (tmp_path / "two.ndjson").write_bytes(early + b"\n")
        assert feed.run(settings, [str(tmp_path / name) for name in ("one.ndjson", "two.ndjson")]) == 0
        records = read()
        last = [[one for one in records if one.partition == partition][-1] for partition in range(PARTITIONS)]
        assert [beat["event_time"] for beat in beats(last)] == ["2026-11-23T07:00:00Z"] * PARTITIONS
        assert [murmur2(one.key or b"") % PARTITIONS for one in last] == list(range(PARTITIONS))
        assert len(beats(records)) == PARTITIONS

    def test_bad_lines_go_to_kafka_untouched_for_the_worker_to_refuse(
        self, settings: Settings, read: Callable[[], list[Record]], tmp_path: Path
    ) -> None:
        known, unknown = event(1, type="flying"), b'{"half": \xff'
        (tmp_path / "bad.ndjson").write_bytes(b"\r\n".join([known, b"", b" \t", unknown, b"[1]"]) + b"\r\n")
        assert feed.run(settings, [str(tmp_path / "bad.ndjson")]) == 0
        found = {record.value: record.key for record in read()}
        assert found == {known: b"r_1", unknown: None, b"[1]": None}

    def test_nothing_that_is_an_event_means_no_heartbeat(
        self, settings: Settings, read: Callable[[], list[Record]], tmp_path: Path
    ) -> None:
        (tmp_path / "empty.ndjson").write_bytes(b"\n\n")
        assert feed.run(settings, [str(tmp_path / "empty.ndjson")]) == 0
        assert read() == []

    def test_standard_input_and_compressed_files_are_read_as_they_are(
        self,
        settings: Settings,
        read: Callable[[], list[Record]],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        lines = [event(number) + b"\n" for number in range(3)]
        (tmp_path / "a.gz").write_bytes(gzip.compress(lines[0]))
        (tmp_path / "b.zst").write_bytes(zstandard.compress(lines[1]))
        (tmp_path / "c.ndjson").write_bytes(lines[2])
        with (tmp_path / "c.ndjson").open() as piped:
            monkeypatch.setattr(sys, "stdin", piped)
            assert feed.run(settings, [str(tmp_path / "a.gz"), str(tmp_path / "b.zst"), "-"]) == 0
        values = [(record.value or b"") + b"\n" for record in read() if not beats([record])]
        assert values == lines

    def test_a_value_that_kafka_would_not_take_is_named_and_the_rest_goes_on(
        self,
        settings: Settings,
        read: Callable[[], list[Record]],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(feed, "READ_BYTES", 100_000)
        huge, large = event(1, note="x" * 1_000_000), event(2, note="x" * 900_000)
        (tmp_path / "huge.ndjson").write_bytes(b"\n" * 150_000 + huge + b"\n" + large)
        assert feed.run(settings, [str(tmp_path / "huge.ndjson")]) == 3
        assert f"{tmp_path / 'huge.ndjson'}:150001: too_large" in capsys.readouterr().err
        assert [record.value for record in read() if not beats([record])] == [large]

    def test_a_broken_archive_is_no_success(
        self, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "cut.gz").write_bytes(gzip.compress(event(1) * 100)[:-20])
        assert feed.run(settings, [str(tmp_path / "cut.gz")]) == 1
        assert "cut short: its gzip data break off at byte" in capsys.readouterr().err

    def test_a_missing_topic_is_refused_with_the_command_that_makes_it(
        self, broker: Any, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "one.ndjson").write_bytes(event(1))
        assert feed.run(Settings(broker=broker.bootstrap, prefix=prefix), [str(tmp_path / "one.ndjson")]) == 2
        assert f"respite topics --broker {broker.bootstrap} --prefix {prefix}" in capsys.readouterr().err
