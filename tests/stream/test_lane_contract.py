"""What `stream.lane` assumes of aiokafka and Faust beyond their documented interface.

A digest that differs means: read what changed upstream, judge whether the lane still keeps what the original
does, and only then write the new digest here.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.consumer import AIOKafkaConsumer
from aiokafka.consumer.subscription_state import TopicPartitionState
from aiokafka.record._crc32c import crc as python_crc
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust.app.base import App
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver
from hypothesis import given, settings
from hypothesis import strategies as st

from stream import lane

TP = TopicPartition("source", 0)
PAYLOAD = b'{"some": "value", "long enough": "to be worth compressing, compressing, compressing"}'
NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
READ_UNCOMMITTED, READ_COMMITTED = 0, 1
TRANSACTIONAL_BIT, CONTROL_BIT = 0x10, 0x20

# What the lane replaces, copies the meaning of, or calls behind the scenes.
DIGESTS: dict[str, tuple[Callable[..., Any], str]] = {
    "aiokafka PartitionRecords.__init__": (lane._OriginalPartitionRecords.__init__, "ec7f"),
    "aiokafka PartitionRecords._unpack_records": (lane._OriginalPartitionRecords._unpack_records, ""),
    "aiokafka PartitionRecords._consume_aborted_up_to": (
        lane._OriginalPartitionRecords._consume_aborted_up_to,
        "",
    ),
    "aiokafka FetchResult.getall": (fetcher.FetchResult.getall, ""),
    "aiokafka FetchResult.check_assignment": (fetcher.FetchResult.check_assignment, ""),
    "aiokafka Fetcher._proc_fetch_request": (fetcher.Fetcher._proc_fetch_request, ""),
    "aiokafka Fetcher.fetched_records": (fetcher.Fetcher.fetched_records, ""),
    "aiokafka AIOKafkaConsumer.start": (AIOKafkaConsumer.start, ""),
    "faust Consumer._drain_messages": (faust_consumer.Consumer._drain_messages, ""),
    "faust Consumer.getmany": (faust_consumer.Consumer.getmany, ""),
    "faust Consumer.perform_seek": (faust_consumer.Consumer.perform_seek, ""),
    "faust Consumer._commit_offsets": (faust_consumer.Consumer._commit_offsets, ""),
    "faust Consumer._add_gap": (faust_consumer.Consumer._add_gap, ""),
    "faust AIOKafkaConsumerThread._create_worker_consumer": (
        driver.AIOKafkaConsumerThread._create_worker_consumer,
        "",
    ),
    "faust AIOKafkaConsumerThread.seek_to_committed": (driver.AIOKafkaConsumerThread.seek_to_committed, ""),
    "faust AIOKafkaConsumerThread._fetch_records": (driver.AIOKafkaConsumerThread._fetch_records, ""),
    "faust Consumer._new_consumer_thread": (driver.Consumer._new_consumer_thread, ""),
    "faust Consumer._to_message": (driver.Consumer._to_message, ""),
    "faust App._on_partitions_revoked": (App._on_partitions_revoked, ""),
    "faust App._on_partitions_assigned": (App._on_partitions_assigned, ""),
    "faust App._new_transport": (App._new_transport, ""),
}


def digest(function: Callable[..., Any]) -> str:
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]
