"""What is the same in every alert of a limit: written once, already escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from schemas.encode.columns import Texts

_json = msgspec.json.Encoder()
KINDS = ("approaching", "limit_reached", "reminder", "hold_released", "hold_breached")
STATUSES = ("clear", "approaching", "hold")
APPROACHING, LIMIT_REACHED, REMINDER, HOLD_RELEASED, HOLD_BREACHED, RETRACTED = range(6)

# Numbers of fragments that all alerts share, in the order of `_shared`.
(
    ALERT, ALERT_KIND, COUNTED, WINDOW, TO_END, TO_HOLD, NO_HOLD, HOLD, UNTIL, NULL, PROVISIONAL, FINAL,
    ESTIMATED, CERTAIN, ZONE, EVIDENCE, SPAN, SPAN_END, SPAN_CLOSE, SPANS_CLOSE, NO_MESSAGE, DETECTED, CLOSE,
    HOLD_CLOSE, RETRACTED_ID, STATUS, STATUS_IS, NO_LIMIT, AS_OF, LINE, ID_KIND, AMOUNT, AFTER_AMOUNT, REVIEW,
    FIRST_LIMIT,
) = (0, 1, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
     34, 35, 36, 37, 42, 43, 44, 45)  # fmt: skip
# Fragments of a limit, from FIRST_LIMIT + limit * LIMIT_FRAGMENTS on.
HEAD, RELEASE, SOURCE, MESSAGE, ID_PART, STATUS_LIMIT, LIMIT_FRAGMENTS = range(7)


@dataclass(frozen=True, slots=True)
class LimitText:
    """What alerts say of a limit; ``message`` has the languages in their order, None where it has none."""

    policy: str
    limit: str
    clock: str
    release: str
    source: str
    message: dict[str, str] | None


def _shared() -> list[bytes]:
    kinds = [b'","kind":"%s","rider_id":"' % kind.encode() for kind in (*KINDS, "retracted")]
    statuses = [b'","status":"%s","hold_until":' % status.encode() for status in STATUSES]
    return [
        b'{"schema":"fatigue-alert/1","alert_id":"', *kinds, b'","counted_s":', b'"window":{"start":"',
        b'","end":"', b'"},', b'"hold":null', b'"hold":{"from":"', b'","until":', b"null",
        b',"provisional":true', b',"provisional":false', b',"estimated":true,"platform":',
        b',"estimated":false,"platform":', b',"zone":', b',"evidence":[', b'{"start":"', b'","end":"',
        b'"}', b"]", b',"message":null,"supersedes":', b',"detected_at":"', b'"}', b"}", b"retracted\n",
        b'{"schema":"dispatch-status/1","rider_id":"', *statuses,
        b',"limit":null,"policy":null,"remaining_s":', b',"as_of":"', b"\n",
        *(kind.encode() + b"\n" for kind in KINDS), b',"limit_s":', b",",
        b',"release":"review","told_at":',
    ]  # fmt: skip


def _of(limit: LimitText) -> list[bytes]:
    text = _json.encode
    return [
        b'","policy":%s,"limit":%s,"clock":%s,"event_time":"'
        % (text(limit.policy), text(limit.limit), text(limit.clock)),
        b',"release":%s,"told_at":' % text(limit.release),
        b',"source":%s' % text(limit.source),
        b',"message":%s,"supersedes":' % text(limit.message),
        f"{limit.policy}\n{limit.limit}\n".encode(),
        b',"limit":%s,"policy":%s,"remaining_s":' % (text(limit.limit), text(limit.policy)),
    ]


def texts_of(limits: Sequence[LimitText]) -> Texts:
    """The fragments of a run's limits, in their order."""
    parts = _shared()
    assert len(parts) == FIRST_LIMIT, len(parts)
    for one in limits:
        parts += _of(one)
    lengths = np.array([len(part) for part in parts], dtype=np.int64)
    begins = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64)
    text = np.frombuffer(b"".join(parts), dtype=np.uint8)
    return Texts(text, np.stack((begins, lengths), axis=1))
