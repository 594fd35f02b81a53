"""`respite import --to kafka` on a real broker: the topic has exactly what `--to FILE` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.decode import murmur2
from stream.cli.main import app
from stream.kafka.topics import provisioning
from stream.settings import Settings
from tests.stream.importing.test_maps import SAMPLES
from tests.stream.topic_contents import Record, records_of

pytestmark = pytest.mark.kafka
PARTITIONS = 3
SHANGHAI = ("--map", "trips", "--zone", "Asia/Shanghai")


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    made = Settings(broker=broker.bootstrap, prefix=prefix)
    provisioning.ensure_topics(made, partitions=PARTITIONS)
    return made


def imported(folder: Path, settings: Settings, *more: str) -> tuple[Any, list[bytes], list[Record]]:
    """The result for Kafka, the lines that the same import writes into a file, and the topic's records."""
    out = folder / "events.ndjson"
    line = ["import", *more, "--key", str(folder / "key")]
    to_file = CliRunner().invoke(app, [*line, "--to", str(out)])
    connection = ["--broker", settings.broker, "--prefix", settings.prefix]
    to_kafka = CliRunner().invoke(app, [*line, "--to", "kafka", *connection])
    assert to_kafka.exit_code == to_file.exit_code, to_kafka.output
    records = records_of(settings.broker, settings.source_topic)
    return to_kafka, out.read_bytes().splitlines(), records


def events(records: list[Record]) -> list[Record]:
    """Without the heartbeats by which a feed tells every partition how far it has come."""
    return [one for one in records if one.value and json.loads(one.value)["platform"] != "respite"]


@pytest.mark.parametrize("sample", ["trips.csv", "uber-driver-online.csv"])
def test_the_topic_has_what_the_file_has_each_where_its_rider_belongs(
    tmp_path: Path, settings: Settings, sample: str
) -> None:
    maps = SHANGHAI if sample == "trips.csv" else ("--map", "uber-driver-online", "--rider", "me")
    _, lines, records = imported(tmp_path, settings, str(SAMPLES / sample), *maps)
    told = events(records)
    assert lines
    assert sorted(one.value for one in told if one.value) == sorted(lines)
    for one in told:
        rider = json.loads(one.value or b"")["rider_id"].encode()
        assert one.key == rider
        assert one.partition == murmur2(rider) % PARTITIONS
    # Of one rider the order is that of the file.
    for rider in {json.loads(line)["rider_id"] for line in lines}:
        written = [line for line in lines if json.loads(line)["rider_id"] == rider]
        assert [one.value for one in told if json.loads(one.value or b"")["rider_id"] == rider] == written


def test_a_row_that_is_dropped_is_said_and_the_rest_is_in_the_topic(
    tmp_path: Path, settings: Settings
) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes((SAMPLES / "trips.csv").read_bytes() + b"a,p,o,yesterday,,\n")
    result, lines, records = imported(tmp_path, settings, str(table), *SHANGHAI)
    assert result.exit_code == 3
    assert "yesterday" in result.output
    assert len(events(records)) == len(lines) > 0


def test_what_cannot_be_read_to_its_end_leaves_nothing_in_the_topic(
    tmp_path: Path, settings: Settings
) -> None:
    table = tmp_path / "t.json"
    table.write_text('[{"rider": "a", "platform": "p", "order": "1", "accepted": "2026-11-02 08:00", ')
    line = ["import", str(table), *SHANGHAI, "--key", str(tmp_path / "key"), "--to", "kafka"]
    result = CliRunner().invoke(app, [*line, "--broker", settings.broker, "--prefix", settings.prefix])
    assert result.exit_code == 1
    assert "Nothing has been written" in result.output
    assert records_of(settings.broker, settings.source_topic) == []


def test_a_broker_that_is_not_there_is_named(tmp_path: Path) -> None:
    line = ["import", str(SAMPLES / "trips.csv"), *SHANGHAI, "--key", str(tmp_path / "key"), "--to", "kafka"]
    result = CliRunner().invoke(app, [*line, "--broker", "127.0.0.1:9"])
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.output
