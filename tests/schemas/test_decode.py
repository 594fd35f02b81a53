"""The columnar decoder against the pydantic model, which is the source of truth."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import HealthCheck, given, settings, strategies as st

from schemas.decode import CorruptBatch, Decoded, decode_chunk, decode_lines, murmur2, read_headers
from schemas.work_state import DUTIES, EVENT_TYPES, LARGEST_BYTES, Refused, WorkStateEvent, read_event

GOOD: dict[str, Any] = {
    "schema": "work-state/1",
    "event_id": "m-20261123-000001",
    "rider_id": "r_7f3a09",
    "platform": "meituan",
    "event_time": "2026-11-23T12:00:00+08:00",
    "type": "order_accepted",
    "order_id": "o-991",
    "zone": "310105",
}
NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
DAMAGES = (b"", b"\x00", b"\\u0061", b"\\ud800", b'"', b"}", b",", b"\xff", b"1")
odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=70),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from(["", "a" * 64, "a" * 65, "a b", "a\n", "é", "work-state/1", "work-state/2", "r:._-Z9"]),
)
times = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.from_regex(
        r"\A(1999|2000|2024|2026|2099|2100)-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,10})?(Z|[+-]1[0-5]:[0-6]\d)\Z"
    ),
    st.sampled_from([
        "2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z", "2000-01-01T00:00:00Z", "1999-12-31T23:59:59Z",
        "1999-12-31T22:00:00-02:00", "2100-01-01T00:00:00+00:01", "2099-12-31T23:59:59Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T12:00:60Z", "2026-11-23t12:00:00z", "2026-11-23T12:00:00", "2026-11-23T12:00:00.Z",
        "2026-11-23T12:00:00.123456789+14:00", "2026-11-23T12:00:00+14:01", "2026-11-23T12:00:00-00:00",
    ]),
)  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A good event with a few fields changed, left out, added, repeated, or its text damaged."""
    tree = dict(GOOD, type=draw(st.sampled_from(EVENT_TYPES)))
    if draw(st.booleans()):
        tree["duty"] = draw(st.sampled_from(DUTIES))
    tree["event_time"] = draw(st.one_of(st.just(GOOD["event_time"]), times))
    for name in draw(st.lists(st.sampled_from([*GOOD, "confirmed", "void", "extra"]), max_size=2)):
        tree[name] = draw(odd_values)
    for name in draw(st.lists(st.sampled_from(list(GOOD)), max_size=1)):
        tree.pop(name, None)
    fields = draw(st.permutations(list(tree.items())))
    if draw(st.booleans()):
        fields = [*fields, draw(st.sampled_from(fields))]
    ascii_only = draw(st.booleans())
    gap = draw(st.sampled_from(["", " ", "\t", "\r\n ", "\x0b"]))
    inner = f",{gap}".join(
        f"{json.dumps(name)}{gap}:{json.dumps(value, ensure_ascii=ascii_only)}" for name, value in fields
    )
    raw = f"{gap}{{{inner}{gap}}}{gap}".encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(raw)))
        raw = (
            raw[:at]
            + draw(st.sampled_from([b"", b"\x00", b"\\u0061", b'"', b"}", b",", b"\xff", b"1"]))
            + raw[at + 1 :]
        )
    return raw


def duty_of(code: int, *, void: bool) -> str | None:
    """The duty that the code of a `duty_status` goes on with."""
    place = code - (len(EVENT_TYPES) - 1)
    return DUTIES[place] if place >= 0 and not void else None


def reading(decoded: Decoded, index: int) -> tuple[Any, ...] | None:
    """What the columns say of a record; None when it was refused."""
    columns = decoded.columns
    if columns.status[index] != 0:
        return None
    names = [
        decoded.buf[off[index] : off[index] + int(length[index])].tobytes().decode()
        for off, length in (
            (columns.rider_off, columns.rider_len),
            (columns.platform_off, columns.platform_len),
            (columns.zone_off, columns.zone_len),
        )
    ]
    flags = int(columns.flags[index])
    return (
        *names,
        EVENT_TYPES[min(columns.type[index], len(EVENT_TYPES) - 1)],
        duty_of(int(columns.type[index]), void=bool(flags & 2)),
        int(columns.event_s[index]),
        bool(flags & 1),
        bool(flags & 2),
    )


def model_reading(event: WorkStateEvent) -> tuple[Any, ...]:
    """The same of the model."""
    names = (event.rider_id, event.platform, event.zone or "")
    duty = event.duty if event.type == "duty_status" and not event.void else None
    return (*names, event.type, duty, event.event_s, bool(event.confirmed), bool(event.void))


def expect_the_model(values: list[bytes]) -> None:
    decoded = decode_lines(values)
    reasons = {reject.index: (reject.reason, reject.detail) for reject in decoded.rejects}
    for index, value in enumerate(values):
        try:
            wanted: tuple[Any, ...] | None = model_reading(read_event(value))
            refusal = None
        except Refused as refused:
            wanted, refusal = None, (refused.reason, refused.detail)
        assert reading(decoded, index) == wanted, value
        assert reasons.get(index) == refusal, value


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.lists(messages(), min_size=1, max_size=4))
def test_kernel_and_slow_path_together_accept_and_refuse_what_the_model_does(values: list[bytes]) -> None:
    expect_the_model(values)


def changed(**fields: Any) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "malformed"),
        (b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "malformed"),
        (b"\xff", "malformed"),
        (b"null", "malformed"),
        (b'"work-state/1"', "malformed"),
        (json.dumps(GOOD).encode() + b"x", "malformed"),
        (b'{"a":NaN}', "malformed"),
        (b"[" * 10_000, "malformed"),
        (changed(event_id="lone")[:-1] + b',"x":"\\ud800"}', "malformed"),
        (changed()[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}", "malformed"),
        (changed(schema="work-state/2"), "unsupported_schema"),
        (changed(schema="work-state/2", rider_id=7), "unsupported_schema"),
        (changed(schema=1), "invalid"),
        (changed(order_id=None), "invalid"),
        (changed(type="online", order_id=None, zone=""), "invalid"),
        (changed(void="true"), "invalid"),
        (changed(confirmed=1), "invalid"),
        (changed(event_time="2026-02-29T12:00:00Z"), "invalid"),
        (changed(pad="x" * LARGEST_BYTES), "too_large"),
    ],
)
def test_what_is_refused_has_the_first_reason_that_applies(value: bytes, reason: str) -> None:
    assert [reject.reason for reject in decode_lines([value]).rejects] == [reason]
    expect_the_model([value])


def test_exactly_sixteen_kibibytes_are_read_and_one_more_is_not() -> None:
    empty = len(changed(pad=""))
    fits, over = (changed(pad="x" * (LARGEST_BYTES - empty + more)) for more in (0, 1))
    assert len(fits) == LARGEST_BYTES
    assert list(decode_lines([fits, over]).columns.status) == [0, 2]


def test_the_order_of_another_type_is_not_looked_at() -> None:
    orders: tuple[Any, ...] = (None, 7, [1], {"a": {}}, "a b", "fine")
    for order in orders:
        decoded = decode_lines([changed(type="online", order_id=order)])
        assert decoded.columns.status[0] == 0
        assert decoded.columns.order_hash[0] == 0


def test_one_order_id_on_two_platforms_is_two_orders() -> None:
    decoded = decode_lines(
        [
            changed(),
            changed(platform="eleme"),
            changed(event_id="x"),
            changed(order_id="o-\\u0039".replace("\\\\", "\\")),
        ]
    )
    hashes = decoded.columns.order_hash
    assert hashes[0] != hashes[1]
    assert hashes[0] == hashes[2]


def test_an_id_with_an_escape_is_the_same_id() -> None:
    plain = json.dumps(GOOD).encode()
    decoded = decode_lines([plain, plain.replace(b'"r_7f3a09"', b'"r\\u005f7f3a09"')])
    columns = decoded.columns
    assert decoded.rider(0) == decoded.rider(1) == b"r_7f3a09"
    for column in (columns.rider_hash, columns.rider_murmur, columns.order_hash, columns.event_hash):
        assert column[0] == column[1]


@pytest.mark.parametrize(
    ("key", "expected"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)],
)
def test_murmur2_is_kafka_s(key: bytes, expected: int) -> None:
    # Vectors of Kafka's own UtilsTest.
    assert murmur2(key) == expected & 0x7FFFFFFF


def batch(codec: int, values: list[bytes | None], base_ms: int = 1_767_600_000_000) -> bytearray:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 20)
    for offset, value in enumerate(values):
        key = None if offset % 2 else b"key"
        builder.append(
            offset, base_ms + offset, key, value, [("trace", b"1"), ("empty", None)] if offset % 3 else []
        )
    return bytearray(builder.build())


@pytest.mark.parametrize("codec", [NONE, GZIP, SNAPPY, LZ4, ZSTD])
def test_record_batches_of_every_codec_give_the_same_columns(codec: int) -> None:
    values: list[bytes | None] = [changed(event_id=f"e-{n}") for n in range(50)]
    values[7] = None
    values[8] = b"{bad"
    chunk = bytes(batch(codec, values)) + bytes(batch(codec, values))[: 61 + 5]
    decoded = decode_chunk(chunk, first_offset=2)
    columns = decoded.columns
    assert list(columns.offset) == list(range(50))
    assert list(columns.arrival_ms - 1_767_600_000_000) == list(range(50))
    assert list(np.flatnonzero(columns.status == 3)) == [0, 1]
    assert [(reject.index, reject.reason) for reject in decoded.rejects] == [
        (7, "malformed"),
        (8, "malformed"),
    ]
    assert [decoded.value(n) for n in range(50)] == values
    assert [decoded.key(n) for n in range(4)] == [b"key", None, b"key", None]
    headers = read_headers(decoded.buf, int(columns.headers_off[4]), int(columns.headers_len[4]))
    assert headers == [("trace", b"1"), ("empty", None)]


def test_with_log_append_time_every_record_arrived_when_its_batch_did() -> None:
    raw = batch(NONE, [changed(), changed()])
    raw[22] |= 0x08
    raw[35:43] = (1_800_000_000_123).to_bytes(8, "big")
    assert list(decode_chunk(bytes(raw)).columns.arrival_ms) == [1_800_000_000_123] * 2


def test_control_batches_are_no_events() -> None:
    raw = batch(NONE, [changed()])
    raw[22] |= 0x20
    assert list(decode_chunk(bytes(raw)).columns.status) == [3]


def test_a_batch_of_an_old_format_or_cut_off_inside_is_refused_by_name() -> None:
    raw = batch(NONE, [changed()])
    old = bytearray(raw)
    old[16] = 1
    with pytest.raises(CorruptBatch, match="format 1"):
        decode_chunk(bytes(old))
    raw[60] = 9
    with pytest.raises(CorruptBatch, match="cut off"):
        decode_chunk(bytes(raw))


def test_a_forwarded_event_brings_its_own_arrival() -> None:
    builder = DefaultRecordBatchBuilder(2, NONE, 0, -1, -1, -1, 1 << 16)
    builder.append(0, 5_000, None, changed(), [("respite-arrival", b"1234"), ("respite-hop", b"1")])
    builder.append(1, 5_000, None, changed(), [("respite-arrival", b"no number"), ("respite-hop", b"1")])
    columns = decode_chunk(bytes(builder.build())).columns
    assert list(columns.hop) == [1, 0]
    assert list(columns.arrival_ms) == [1_234, 5_000]


def test_ten_thousand_bad_messages_do_not_hold_up_the_good_ones() -> None:
    good = [changed(event_id=f"e-{n}") for n in range(20_000)]
    mixed = [b"{bad" if n % 20 == 0 else value for n, value in enumerate(good)]
    began = time.perf_counter()
    decoded = decode_lines(mixed)
    assert len(decoded.rejects) == 1_000
    # No figure, only that nothing is quadratic: it takes some tens of milliseconds.
    assert time.perf_counter() - began < 10
