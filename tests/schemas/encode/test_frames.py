"""Frames beside aiokafka's own builder.

The builder is aiokafka's in Python; its other one, in C, takes a batch that is exactly full for one too many.
"""

from __future__ import annotations

import numpy as np
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as DefaultRecordBatchBuilder
from hypothesis import given, settings, strategies as st

from schemas.encode.columns import Messages, Names
from schemas.encode.frames import frames_of

TIME_MS = 1_767_600_000_000
_messages = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.binary(max_size=300)), min_size=1, max_size=200
)


def names() -> Names:
    ids = np.zeros((4, 64), np.uint8)
    lengths = np.array([1, 2, 63, 64], np.uint8)
    for row, length in enumerate(lengths):
        ids[row, :length] = 97 + row
    none = np.zeros((0, 64), np.uint8), np.zeros(0, np.uint8)
    return Names(ids, lengths, *none, *none)


@settings(deadline=None)
@given(_messages, st.sampled_from((100, 700, 1 << 20)))
def test_frames_are_the_bytes_that_aiokafkas_builder_makes(
    found: list[tuple[int, int, bytes]], most: int
) -> None:
    table = names()
    values = [value for _, _, value in found]
    lengths = np.array([len(value) for value in values], np.int64)
    messages = Messages(
        np.array([topic for topic, _, _ in found], np.int64),
        np.array([row for _, row, _ in found], np.int64),
        np.cumsum(lengths) - lengths,
        lengths,
    )
    arena = np.frombuffer(b"".join(values) + b".", np.uint8)
    for topic in range(4):
        ours = [
            bytes(one.finish(77, 3, 5))
            for one in frames_of(messages, len(found), topic, table, arena, most, TIME_MS)
        ]
        theirs: list[bytes] = []
        builder: DefaultRecordBatchBuilder | None = None
        at = 0
        for here, row, value in found:
            if here != topic:
                continue
            key = bytes(table.ids[row, : table.id_lengths[row]])
            if builder is None or builder.append(at, TIME_MS, key, value, []) is None:
                if builder is not None:
                    theirs.append(bytes(builder.build()))
                builder = DefaultRecordBatchBuilder(2, 0, 1, 77, 3, 5, most)
                at = 0
                builder.append(at, TIME_MS, key, value, [])
            at += 1
        if builder is not None:
            theirs.append(bytes(builder.build()))
        assert ours == theirs
