"""The records of the state, read and taken into a store: marker, names, pages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

import numpy as np
import structlog

from detectors import pages
from detectors.kernels.layout.values import I64, PAGES, PAST
from detectors.store import RiderStore
from schemas.checkpoint import MARKER_KEY, SIDE_KEY, Marker, decode_marker, decode_names, decode_side
from schemas.checkpoint_page import Page, decode_page
from schemas.checkpoint_seal import Damaged
from stream.kafka.log_reader import Bounds, LogReader
from stream.settings import Settings
from stream.state.published_outputs import leave_out
from stream.state.restored import Restored, StateRecords, StateRefused, Takeover

log = structlog.get_logger()
_PAGES_AT_ONCE = 64


_PAGE_KEY = re.compile(rb"page/([0-9]{1,6})/([0-9]{1,6})")


async def read_state(reader: LogReader, settings: Settings, bounds: Bounds) -> StateRecords:
    """The newest record of every key of the state."""
    found: dict[bytes, bytes] = {}
    records = StateRecords()
    async for batch in reader.read(settings.state_topic, bounds.start, bounds.end):
        for record in batch:
            key = record.key or b""
            if record.value is None:
                found.pop(key, None)
            elif key in (MARKER_KEY, SIDE_KEY) or key.startswith(b"names/") or _PAGE_KEY.fullmatch(key):
                found[key] = record.value
            else:
                leave_out(records.foreign, record, "no key of a record of the state")
    for key, value in found.items():
        try:
            _sort_in(records, key, value)
        except Damaged as error:
            log.warning("damaged record of the state", key=key.decode(errors="replace"), why=str(error))
    return records


def _sort_in(records: StateRecords, key: bytes, value: bytes) -> None:
    if key == MARKER_KEY:
        records.marker = decode_marker(value)
    elif key == SIDE_KEY:
        records.side_offset = decode_side(value)
    elif key.startswith(b"names/"):
        records.names[key] = value
    elif place := _PAGE_KEY.fullmatch(key):
        records.parts.setdefault(int(place[1]), {})[int(place[2])] = value


async def restore_pages(work: Takeover, records: StateRecords, source: Bounds, source_id: str) -> Restored:
    """A store with the riders of all good pages."""
    marker = records.marker
    _refuse_other_partitions(work, marker)
    refuse_changed_versions(work, marker)
    since_s = _since(work.limits.policies, marker, work.named_s)
    store = RiderStore(work.limits, work.store_settings, live=False, since_s=since_s)
    anew = _is_anew(work, records, source, source_id)
    side = 0 if anew else records.side_offset or 0
    restored = Restored(
        store,
        source.start,
        source.end,
        side,
        records.side_offset,
        since_s,
        judged={**(marker.judged if marker else {}), **work.judged},
        source_id=source_id,
        anew=anew,
    )
    if marker is None:
        log.warning("no marker: built from the source", partition=work.partition)
        return restored
    restored.sequence = marker.sequence
    if marker.definition != pages.definition(work.limits, work.store_settings):
        # Counts of another set of limits, or of another format, say nothing of these.
        log.warning("other limits or settings than before: built from the source", partition=work.partition)
        return restored
    try:
        expected = marker.page_offsets(PAGES)
        names = [
            decode_names(marker.lineage, "platforms", records.names, marker.platforms),
            decode_names(marker.lineage, "zones", records.names, marker.zones),
        ]
    except Damaged as error:
        log.warning("damaged state: built from the source", partition=work.partition, why=str(error))
        return restored
    restored.marker, restored.lineage = marker, marker.lineage
    restored.new_outlets = tuple(one for one in work.settings.outlets if one not in marker.outlets)
    restored.bad = np.zeros(PAGES, dtype=np.bool_)
    if anew:
        # Of a source that is gone; what has been packed since then begins its offsets anew.
        expected = np.where(expected >= 0, 0, expected)
    pages.restore_names(store, *names)
    restored.names_known = len(names[0]), len(names[1])
    restored.resume = marker.source_offset, await _unpack_all(work, restored, records, expected)
    restored.arrival_s, store.read_s = marker.arrival_s, marker.read_s
    return restored


async def _unpack_all(work: Takeover, restored: Restored, records: StateRecords, expected: I64) -> int:
    """Unpack the pages that the marker expects; the newest instant that one was judged at."""
    assert restored.marker is not None
    newest_s = restored.marker.now_s
    numbers = np.flatnonzero(expected >= 0).tolist()
    for begin in range(0, len(numbers), _PAGES_AT_ONCE):
        some = {number: int(expected[number]) for number in numbers[begin : begin + _PAGES_AT_ONCE]}
        newest_s = max(newest_s, await asyncio.to_thread(_unpack_some, restored, records, some))
        work.progress((begin + len(some)) / len(numbers))
    return newest_s


def _is_anew(work: Takeover, records: StateRecords, source: Bounds, source_id: str) -> bool:
    """Whether the source's offsets mean others than those that the state speaks of."""
    marker = records.marker
    known = max(records.side_offset or 0, 0 if marker is None else marker.source_offset)
    if known > source.end:
        log.warning("the source is shorter than it was: read from its start", partition=work.partition)
        return True
    if marker is not None and marker.source_id and source_id and marker.source_id != source_id:
        log.warning(
            "the source's topic has been made anew: read from its start",
            partition=work.partition,
            id=source_id,
            was=marker.source_id,
        )
        return True
    return False


def _refuse_other_partitions(work: Takeover, marker: Marker | None) -> None:
    if marker is None or marker.partitions == work.partitions:
        return
    message = (
        f"partition {work.partition}: its state was written for {marker.partitions} partitions, the topics "
        f"have {work.partitions} now. A rider's place follows from the count, which is fixed once data is "
        f"there. Make topics under another prefix (respite topics --partitions {work.partitions} --prefix "
        f"NEW.) and feed them, or go back to {marker.partitions} partitions."
    )
    raise StateRefused(message)


def refuse_changed_versions(work: Takeover, marker: Marker | None) -> None:
    """Refuse limits that are others than those the same version of their policy has told alerts by."""
    known = {} if marker is None else marker.judged
    changed = sorted(one for one, digest in work.judged.items() if known.get(one, digest) != digest)
    if not changed:
        return
    told = "; ".join(f"{one} judged by limits with the digest {known[one]}" for one in changed)
    name, _, version = changed[0].rpartition("@")
    message = (
        f"partition {work.partition}: {told}; its file has other limits now. What was told under a version "
        f"must stay true of it: bring the former limits back, or give {name} version = {int(version) + 1}, "
        f"valid_from a day that is to come, and name version {version} beside it, with valid_until the day "
        "before."
    )
    raise StateRefused(message)


def _unpack_some(restored: Restored, records: StateRecords, expected: dict[int, int]) -> int:
    """Take the riders of some pages in, and note those that are bad; the latest *now* of the good ones."""
    newest_s = PAST
    for number, packed_at in expected.items():
        parts = records.parts.get(number, {})
        try:
            page = _whole_page(restored.lineage, number, parts, packed_at)
        except Damaged as error:
            log.warning("bad page: its riders are built from the source", page=number, why=str(error))
            restored.bad[number] = True
            continue
        pages.unpack(restored.store, page.words)
        restored.page_from[number] = page.source_offset
        restored.parts[number] = len(parts)
        restored.sequence = max(restored.sequence, page.sequence)
        newest_s = max(newest_s, page.now_s)
    return newest_s


def _whole_page(lineage: bytes, number: int, parts: dict[int, bytes], packed_at: int) -> Page:
    page = decode_page(lineage, number, parts)
    if page.source_offset < packed_at:
        raise Damaged(f"packed at offset {page.source_offset}, the marker knows one of {packed_at}")
    return page


def _since(policies: Iterable[str], marker: Marker | None, named_s: int) -> dict[str, int]:
    """From which instant on a policy's verdicts are told: those newly named, only from *now* on."""
    if marker is None:
        return dict.fromkeys(policies, named_s)
    return {policy: marker.since_s.get(policy, marker.now_s) for policy in policies}
