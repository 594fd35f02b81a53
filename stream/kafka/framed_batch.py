"""Finished record batches through aiokafka's producer, which otherwise packs record by record.

Its accumulator and its sender ask a batch for these methods and no others; what they are is aiokafka's own
business, so ``tests/stream/kafka/test_framed_batch.py`` fails when that changes.
"""

from __future__ import annotations

from typing import Any

from schemas.encode.frames import Frame


class FramedBatch:
    """A batch that is full from the beginning; its header is written when the producer is known."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._producer = (-1, -1, 0)
        self._built: memoryview | None = None

    def append(self, **_: Any) -> None:  # noqa: ANN401 - whatever is added, there is no room
        """Take nothing more."""

    def record_count(self) -> int:
        """Records in the batch."""
        return self._frame.records

    def size(self) -> int:
        """Bytes of the batch."""
        return len(self._frame.data)

    def close(self) -> None:
        """Take nothing more, as ever."""

    def closed(self) -> bool:
        """Whether nothing more goes in: it need not wait for company."""
        return True

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = producer_id, producer_epoch, base_sequence

    def _build(self) -> memoryview:
        # Sent again it must be the same bytes.
        if self._built is None:
            self._built = self._frame.finish(*self._producer)
        return self._built
