"""Hand decoded columns of ``schemas`` to the ``detectors``, which do not know each other."""

from __future__ import annotations

from detectors.kernels.evidence.arrivals import Arrivals
from schemas.decode import Decoded


def arrivals_of(decoded: Decoded) -> Arrivals:
    """The columns that judging needs, as they are; nothing is copied."""
    columns = decoded.columns
    return Arrivals(
        buf=decoded.buf,
        status=columns.status,
        offset=columns.offset,
        arrival_ms=columns.arrival_ms,
        hop=columns.hop,
        event_s=columns.event_s,
        type=columns.type,
        flags=columns.flags,
        rider_off=columns.rider_off,
        rider_len=columns.rider_len,
        rider_murmur=columns.rider_murmur,
        rider_hash=columns.rider_hash,
        platform_off=columns.platform_off,
        platform_len=columns.platform_len,
        order_hash=columns.order_hash,
        event_hash=columns.event_hash,
        zone_off=columns.zone_off,
        zone_len=columns.zone_len,
    )
