"""What aiokafka asks of a batch: fails when it asks for more than a finished one answers."""

from __future__ import annotations

import inspect
import re

import numpy as np
from aiokafka.producer import message_accumulator, sender

from schemas.encode.frames import HEADER_BYTES, Frame
from stream.kafka.framed_batch import FramedBatch


def test_a_finished_batch_answers_all_that_aiokafka_asks_of_a_batch() -> None:
    asked: set[str] = set()
    for source in (message_accumulator.MessageBatch, message_accumulator.MessageAccumulator, sender.Sender):
        asked |= set(re.findall(r"_builder\.(\w+)", inspect.getsource(source)))
    assert asked == {"append", "close", "closed", "record_count", "_set_producer_state", "_build"}
    assert all(callable(getattr(FramedBatch, name)) for name in asked)


def test_the_signatures_are_those_of_the_builder_that_it_stands_for() -> None:
    for name in ("record_count", "size", "close", "closed", "_set_producer_state", "_build"):
        theirs = inspect.signature(getattr(message_accumulator.BatchBuilder, name))
        ours = inspect.signature(getattr(FramedBatch, name))
        assert list(ours.parameters) == list(theirs.parameters), name


def test_a_batch_that_is_sent_again_is_the_same_bytes() -> None:
    batch = FramedBatch(Frame(np.zeros(HEADER_BYTES + 10, np.uint8), 1, 5))
    batch._set_producer_state(7, 1, 0)
    first = bytes(batch._build())
    assert bytes(batch._build()) == first
    assert batch.closed()
    # None is what a full builder answers.
    appended: object = getattr(batch, "append")(timestamp=None, key=b"k", value=b"v", headers=[])  # noqa: B009
    assert appended is None
    assert (batch.record_count(), batch.size()) == (1, HEADER_BYTES + 10)
