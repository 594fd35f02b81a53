"""What `stream.kafka.raw_fetch` assumes of aiokafka and Faust beyond their documented interface.

A digest that differs means: read what changed upstream, judge whether the lane still keeps what the original
does, and only then write the new digest here.
"""

from __future__ import annotations

import hashlib
import inspect
import struct
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import crc32c
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.consumer import AIOKafkaConsumer
from aiokafka.consumer.subscription_state import TopicPartitionState
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust.app.base import App
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver
from hypothesis import given, settings, strategies as st

from stream.kafka import raw_batches

TP = TopicPartition("source", 0)
PAYLOAD = b'{"some": "value", "long enough": "to be worth compressing, compressing, compressing"}'
NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
READ_UNCOMMITTED, READ_COMMITTED = 0, 1
CONTROL_BIT = 0x20
CHECK_CRCS = True

# What the lane replaces, copies the meaning of, or calls behind the scenes.
DIGESTS: dict[str, tuple[Callable[..., Any], str]] = {
    "aiokafka PartitionRecords.__init__": (
        raw_batches._OriginalPartitionRecords.__init__,
        "8ec1c2ae6ea1af87",
    ),
    "aiokafka PartitionRecords._unpack_records": (
        raw_batches._OriginalPartitionRecords._unpack_records,
        "b803e6d46480732c",
    ),
    "aiokafka PartitionRecords._consume_aborted_up_to": (
        raw_batches._OriginalPartitionRecords._consume_aborted_up_to,
        "56876530cd6412f3",
    ),
    "aiokafka FetchResult.getall": (fetcher.FetchResult.getall, "3e717e30de5068d5"),
    "aiokafka FetchResult.check_assignment": (fetcher.FetchResult.check_assignment, "b5340df67e3f330f"),
    "aiokafka Fetcher._proc_fetch_request": (fetcher.Fetcher._proc_fetch_request, "59bf948fff47eed5"),
    "aiokafka Fetcher.fetched_records": (fetcher.Fetcher.fetched_records, "be4348896b9b66af"),
    "aiokafka AIOKafkaConsumer.start": (AIOKafkaConsumer.start, "2f1ba70443327538"),
    "faust Consumer._drain_messages": (faust_consumer.Consumer._drain_messages, "44a2500309e83c63"),
    "faust Consumer.getmany": (faust_consumer.Consumer.getmany, "4b168d84882a70d6"),
    "faust Consumer.perform_seek": (faust_consumer.Consumer.perform_seek, "0e8c130ff4b0afd8"),
    "faust Consumer._commit_offsets": (faust_consumer.Consumer._commit_offsets, "1a69799041188441"),
    "faust Consumer._add_gap": (faust_consumer.Consumer._add_gap, "4df2573ded7c1c2c"),
    "faust AIOKafkaConsumerThread._create_worker_consumer": (
        driver.AIOKafkaConsumerThread._create_worker_consumer,
        "c2701bfc3e6f6cad",
    ),
    "faust AIOKafkaConsumerThread.seek_to_committed": (
        driver.AIOKafkaConsumerThread.seek_to_committed,
        "775ab0adc4b052ab",
    ),
    "faust AIOKafkaConsumerThread._fetch_records": (
        driver.AIOKafkaConsumerThread._fetch_records,
        "39a2c6c79fc1455a",
    ),
    "faust Consumer._new_consumer_thread": (driver.Consumer._new_consumer_thread, "0870ec53dea75083"),
    "faust Consumer._to_message": (driver.Consumer._to_message, "7c24f6511b2fcef7"),
    "faust App._on_partitions_revoked": (App._on_partitions_revoked, "d5c895bbe57dc73a"),
    "faust App._on_partitions_assigned": (App._on_partitions_assigned, "de932b7927db85b3"),
    "faust App._new_transport": (App._new_transport, "42db531312dd776f"),
}


def digest(function: Callable[..., Any]) -> str:
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", DIGESTS)
def test_what_the_lane_reaches_into_has_not_changed(name: str) -> None:
    function, known = DIGESTS[name]
    assert digest(function) == known, f"{name} has changed: judge stream/kafka/raw_fetch.py against it"


def test_the_pinned_versions_are_installed() -> None:
    assert version("aiokafka").startswith("0.14.")
    assert version("faust-streaming") == "0.15.3"
    assert version("mode-streaming").startswith("0.7.")


def test_the_fetcher_finds_the_replaced_classes_by_their_global_names() -> None:
    names = fetcher.Fetcher._proc_fetch_request.__code__.co_names
    assert {"PartitionRecords", "MemoryRecords"} <= set(names)
    raw_batches.read_raw("source")
    assert fetcher.PartitionRecords is raw_batches._partition_records
    assert fetcher.MemoryRecords is raw_batches._KeptRecords


def test_other_topics_keep_the_original() -> None:
    raw_batches.read_raw("source")
    arguments: Any = (raw_batches._KeptRecords(b""), [], 0, None, None, CHECK_CRCS, READ_COMMITTED)
    assert type(fetcher.PartitionRecords(TP, *arguments)) is raw_batches.RawPartitionRecords
    other = fetcher.PartitionRecords(TopicPartition("other", 0), *arguments)
    assert type(other) is raw_batches._OriginalPartitionRecords


def test_the_state_of_a_partition_has_what_the_end_of_the_log_is_read_from() -> None:
    names = set(TopicPartitionState.__init__.__code__.co_names)
    assert {"highwater", "lso", "timestamp", "_position"} <= names
    assert isinstance(TopicPartitionState.has_valid_position, property)


def test_the_consumer_keeps_the_settings_the_lane_overrides_under_these_names() -> None:
    used = set(AIOKafkaConsumer.start.__code__.co_names)
    assert {"_fetch_max_wait_ms", "_isolation_level", "_fetcher"} <= used


# -- the same bytes through the original and through the lane ---------------------------------


class Batch(NamedTuple):
    """One record batch to be built: ``producer`` -1 is outside of transactions; ``marker`` ends one."""

    records: int
    codec: int = NONE
    producer: int = -1
    marker: int | None = None
    compacted_away: int = 0


class Seen(NamedTuple):
    """A record as a consumer is given it."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Any, ...]


ABORT, COMMIT = 0, 1


def built(base: int, batch: Batch) -> tuple[bytes, int]:
    """The bytes of a batch that begins at ``base``, and the offset after it."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=batch.codec, is_transactional=int(batch.producer >= 0),
        producer_id=batch.producer, producer_epoch=0, base_sequence=0, batch_size=1 << 20,
    )  # fmt: skip
    if batch.marker is not None:
        builder.append(0, 1_000, struct.pack(">hh", 0, batch.marker), struct.pack(">hi", 0, 0), [])
    else:
        for number in range(batch.records):
            builder.append(number, 1_000 + base + number, b"k%d" % number, PAYLOAD, [("h", b"%d" % number)])
    data = bytearray(builder.build())
    (attributes, last_delta) = struct.unpack_from(">hi", data, 21)
    if batch.marker is not None:
        attributes |= CONTROL_BIT
    struct.pack_into(">hi", data, 21, attributes, last_delta + batch.compacted_away)
    struct.pack_into(">q", data, 0, base)
    struct.pack_into(">I", data, 17, crc32c.crc32c(bytes(data[21:])))
    return bytes(data), base + last_delta + batch.compacted_away + 1


def response(batches: Sequence[Batch], base: int = 100) -> tuple[bytes, list[int]]:
    """The bytes of a fetch response, and where each batch begins."""
    data, bases = b"", []
    for batch in batches:
        bases.append(base)
        more, base = built(base, batch)
        data += more
    return data, bases


def lane_records(data: bytes, first: int, aborted: Any = (), level: int = READ_COMMITTED) -> Any:
    """The lane's records right after an assignment that begins at ``first``."""
    raw_batches.started_at[TP] = first
    raw_batches.handed_on.pop(TP, None)
    raw_batches._moved_to.pop(TP, None)
    kept = raw_batches._KeptRecords(data)
    return raw_batches.RawPartitionRecords(TP, kept, list(aborted), first, None, None, CHECK_CRCS, level)


def by_original(data: bytes, aborted: Any, first: int, level: int) -> tuple[list[Seen], int]:
    plain = MemoryRecords(data)
    records = raw_batches._OriginalPartitionRecords(
        TP, plain, list(aborted), first, None, None, CHECK_CRCS, level
    )
    seen = [Seen(r.offset, r.timestamp, r.key, r.value, r.headers) for r in records]
    return seen, records.next_fetch_offset


def by_lane(data: bytes, aborted: Any, first: int, level: int) -> tuple[list[Seen], int]:
    records = lane_records(data, first, aborted, level)
    seen: list[Seen] = []
    for number, chunk in enumerate(records):
        assert number == 0, "one record per response"
        headers = dict(chunk.headers)
        assert headers[raw_batches.FIRST_OFFSET] == first
        assert headers[raw_batches.NEXT_OFFSET] == records.next_fetch_offset == chunk.offset + 1
        reader = MemoryRecords(chunk.value)
        while reader.has_next():
            seen += [
                Seen(r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
                for r in reader.next_batch()
                if r.offset >= first
            ]
    return seen, records.next_fetch_offset


data_batches = st.builds(
    Batch,
    records=st.integers(1, 4),
    codec=st.sampled_from((NONE, GZIP, SNAPPY, LZ4, ZSTD)),
    producer=st.integers(-1, 2),
    marker=st.none(),
    compacted_away=st.sampled_from((0, 0, 3)),
)
markers = st.builds(
    Batch,
    records=st.just(1),
    codec=st.just(NONE),
    producer=st.integers(0, 2),
    marker=st.sampled_from((ABORT, COMMIT)),
    compacted_away=st.just(0),
)
responses = st.lists(st.one_of(data_batches, markers), min_size=1, max_size=8)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(responses, st.data())
def test_the_lane_hands_on_exactly_the_records_that_the_original_does(
    batches: list[Batch], data: st.DataObject
) -> None:
    raw, bases = response(batches)
    after_first = bases[1] if len(bases) > 1 else bases[0] + 1
    first = data.draw(st.integers(bases[0], after_first - 1), label="fetch position")
    starts = st.tuples(st.integers(0, 2), st.sampled_from(bases))
    aborted = data.draw(st.lists(starts, max_size=4), label="aborted (producer, first offset)")
    level = data.draw(st.sampled_from((READ_COMMITTED, READ_UNCOMMITTED)), label="isolation")
    cut = data.draw(st.integers(0, 200), label="bytes of a batch that did not fit")
    raw += built(10_000, Batch(records=4))[0][:cut]
    assert by_lane(raw, aborted, first, level) == by_original(raw, aborted, first, level)


def test_an_aborted_transaction_is_cut_out_of_the_middle_of_a_chunk() -> None:
    batches = [
        Batch(2),
        Batch(2, producer=1),
        Batch(2),
        Batch(1, producer=1, marker=ABORT),
        Batch(2, producer=1),
    ]
    raw, bases = response(batches)
    seen, following = by_lane(raw, [(1, bases[1])], bases[0], READ_COMMITTED)
    assert [one.offset for one in seen] == [100, 101, 104, 105, 107, 108]
    assert following == 109


def test_a_response_with_nothing_but_markers_moves_the_position_and_hands_nothing_on() -> None:
    raw, bases = response([Batch(1, producer=1, marker=COMMIT), Batch(1, producer=2, marker=ABORT)])
    assert by_lane(raw, [], bases[0], READ_COMMITTED) == ([], 102)


def test_chunks_are_contiguous_across_a_response_with_nothing_to_hand_on() -> None:
    bounds, first = [], 100
    for batches in ([Batch(2)], [Batch(1, producer=1, marker=COMMIT)], [Batch(3, producer=1)], [Batch(1)]):
        raw, (base, *_) = response(batches, first)
        aborted = [(1, base)]
        if first == 100:
            records = lane_records(raw, first, aborted)
        else:
            kept = raw_batches._KeptRecords(raw)
            arguments: Any = (kept, aborted, first, None, None, CHECK_CRCS, READ_COMMITTED)
            records = raw_batches.RawPartitionRecords(TP, *arguments)
        for chunk in records:
            headers = dict(chunk.headers)
            bounds.append((headers[raw_batches.FIRST_OFFSET], headers[raw_batches.NEXT_OFFSET]))
        first = records.next_fetch_offset
    assert bounds == [(100, 102), (102, 107)]


@pytest.mark.parametrize("damaged", [0, 1])
def test_a_damaged_batch_is_refused_and_nothing_before_it_is_skipped(damaged: int) -> None:
    raw, bases = response([Batch(3), Batch(3)])
    broken = bytearray(raw)
    broken[len(raw) // 2 * damaged + 80] ^= 0xFF
    records = lane_records(bytes(broken), bases[0])
    with pytest.raises(CorruptRecordException, match="CRC"):
        list(records)
    # aiokafka asks the iterator again after an error: what was not handed on must not count as read.
    assert list(records) == []
    assert records.next_fetch_offset == bases[0]


def test_a_batch_of_an_old_format_is_refused() -> None:
    raw, bases = response([Batch(3)])
    old = bytearray(raw)
    old[16] = 1
    records = lane_records(bytes(old), bases[0])
    with pytest.raises(CorruptRecordException, match="format 1"):
        list(records)
