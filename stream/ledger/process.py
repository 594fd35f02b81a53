"""The process `respite ledger`: from the topics of alerts to the record of holds, until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import structlog

from stream.kafka.offset_reader import OffsetReader, reading
from stream.ledger.keys import SigningKey
from stream.ledger.ledger import Ledger, alone_in
from stream.metrics.ledger import LedgerMetrics
from stream.settings import Settings

log = structlog.get_logger()
_WAIT_MS = 500


async def run(settings: Settings, folder: Path, keys: Sequence[SigningKey]) -> None:
    """Write until SIGTERM or SIGINT.

    Raises
    ------
    ChainDamaged, LedgerInUse
        The folder cannot be written to.
    ConnectionError, NotServed
        Kafka cannot be reached, or the port of the metrics is taken.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with alone_in(folder):
        ledger = await asyncio.to_thread(Ledger, folder, settings, keys)
        async with reading(settings, ledger.topics, ledger.positions) as reader:
            metrics = LedgerMetrics(lambda: _by_topic(reader))
            address = metrics.start(settings.metrics_host, settings.metrics_port)
            log.info("metrics", address=address)
            try:
                await _write(ledger, reader, metrics, stopping)
            finally:
                metrics.stop()


async def _write(
    ledger: Ledger, reader: OffsetReader, metrics: LedgerMetrics, stopping: asyncio.Event
) -> None:
    await asyncio.to_thread(ledger.begin, reader.positions, reader.gone, _now_ms())
    for gone in reader.gone:
        log.warning("records are gone, and the record of holds says so", gone=str(gone))
        metrics.gaps.inc()
    for chain in ledger.chains:
        metrics.lines.labels(chain)
    log.info("writes", chains=sorted(ledger.chains))
    while not stopping.is_set():
        read = await reader.read(_WAIT_MS)
        # The disk is waited for elsewhere, while Kafka's heartbeats go on here.
        written = await asyncio.to_thread(ledger.take, read, _now_ms())
        for chain, lines in written.items():
            metrics.lines.labels(chain).inc(lines)
            metrics.sealed.labels(chain).set(time.time())


def _by_topic(reader: OffsetReader) -> Counter[str]:
    lag: Counter[str] = Counter()
    for (topic, _), records in reader.lag_records.items():
        lag[topic] += records
    return lag


def _now_ms() -> int:
    return int(time.time() * 1000)
