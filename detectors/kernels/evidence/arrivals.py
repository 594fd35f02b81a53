"""Decoded events as columns, and where they were read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.kernels.layout.values import I64, U8, U64


class Arrivals(NamedTuple):
    """Decoded events as columns over one buffer; one entry per record, in order of arrival."""

    buf: U8
    status: np.ndarray  # int8, 0 = an event
    offset: I64
    arrival_ms: I64
    hop: np.ndarray  # int8
    event_s: I64
    type: np.ndarray  # int8
    flags: U8
    rider_off: I64
    rider_len: U8
    rider_murmur: I64
    rider_hash: U64
    platform_off: I64
    platform_len: U8
    order_hash: U64
    event_hash: U64
    zone_off: I64
    zone_len: U8


class Place(NamedTuple):
    """Which partition of how many is read, and how lateness is measured."""

    partition: int
    partitions: int
    event_clock: int
    bounded: int  # 0: nothing is future, too late or a flood (replay)
