"""Compile or load every kernel before the first poll: compiling later would stop the heartbeats."""

from __future__ import annotations

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from detectors import pages
from detectors.conditions import Announcement
from detectors.kernels.evidence.arrivals import Place
from detectors.limits import Limit, LimitTable
from detectors.settings import StoreSettings
from detectors.shared_orders import SharedOrders
from detectors.store import RiderStore
from schemas.decode import decode_chunk, decode_lines, rider_hash
from stream.columns import arrivals_of
from stream.output import encoding
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load_all
from stream.settings import Settings

_EVENT = (
    b'{"schema":"work-state/1","event_id":"e","rider_id":"r","platform":"p","event_time":"2026-01-0%dT08:00:00Z",'
    b'"type":"order_accepted","order_id":"o"}'
)


def warm_up() -> None:
    """Run a rider through everything that is compiled."""
    kinds = (("continuous", 0), ("day", 0), ("rolling", 86_400), ("span", 0), ("ban", 0))
    limits = [
        Limit(
            "p@1",
            kind,
            kind,
            "order",
            60,
            "UTC",
            "hold",
            "elapsed",
            reset_s=60,
            window_s=window_s,
            hold_for_s=60,
            condition="heat" if kind == "ban" else "",
        )
        for kind, window_s in kinds
    ]
    store = RiderStore(LimitTable(limits, window_starts), StoreSettings(seal_events=1), live=False)
    values = [_EVENT % day for day in range(1, 6)]
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 16)
    for offset, value in enumerate(values):
        builder.append(offset, 1_767_600_000_000, None, value, [("h", b"1")])
    place = Place(0, 1, 1, 1)
    for decoded in (decode_chunk(bytes(builder.build())), decode_lines(values)):
        events = arrivals_of(decoded)
        became = store.ingest(events, place)
        SharedOrders(store.settings, most=1).note(events, became, store.doubts(events, became))
        store.judge(store.read_s)
    list(store.publish(store.read_s + 600))
    other = RiderStore(store.limits, store.settings, live=False)
    pages.restore_names(other, *pages.names(store))
    for page in pages.dirty_pages(store).tolist():
        pages.unpack(other, pages.pack(store, page))
    other.announce([Announcement("w", "heat", ("z",), 1_767_600_000, 1_767_686_400, 1_767_600_000)])
    other.now_s = store.now_s + 2 * store.settings.keep_s
    pages.erase(other, b"r", rider_hash(b"r"), 1)
    pages.tell_platform_again(other, "p")
    pages.forget_silent_platforms(other)
    pages.forget_silent(other, 1)
    policies = load_all(["cn-gbt-2025"])
    encoding.warm_up(Settings(), LimitTable(limits_of(policies), window_starts), policies)
