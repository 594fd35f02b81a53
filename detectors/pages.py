"""A store's riders as pages for the checkpoint, and riders who are forgotten or told again.

Between these calls and the store's own work nothing may be in the middle: every rider that was touched has
been judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.arrays import NAMES, SLOTS
from detectors.kernels.layout import codes, misc as Misc, record as Record, row as Row, state as State
from detectors.kernels.layout.values import I64, ID_BYTES, INF, NONE, PAGE_SHIFT, PAST, U8
from detectors.kernels.memory import forgetting, members as member_words, names as interning, pages as packing
from detectors.kernels.memory.lookup import find_rider
from detectors.kernels.memory.rows import new_rider
from detectors.limits import LimitTable
from detectors.settings import StoreSettings
from detectors.store import RiderStore
from detectors.verdicts import Verdict, read_verdict

#: Changes whenever packed riders of an earlier version cannot be read as they are.
FORMAT = 3
_FORGOTTEN_AT_ONCE = 4096


def definition(limits: LimitTable, settings: StoreSettings) -> str:
    """A digest of all that packed riders depend on: layout, limits, settings that verdicts depend on."""
    layout = (FORMAT, Row.WORDS, State.LIMIT_WORDS, State.LIMITS, Row.MEMBER_WORDS, Record.WORDS)
    parts = repr((layout, limits.limits, replace(settings, seal_events=0)))
    return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()


def dirty_pages(store: RiderStore) -> I64:
    """Numbers of the pages that have changed since they were last packed."""
    return np.flatnonzero(store.memory.page_dirty)


def pack(store: RiderStore, page: int) -> I64:
    """The riders of a page as words; the page counts as unchanged from here on."""
    mem = store.memory
    words = np.empty(packing.packed_words(mem, store.packed_limits, page), dtype=np.int64)
    packing.pack_page(mem, store.packed_limits, page, words)
    mem.page_dirty[page] = 0
    return words


def unpack(store: RiderStore, words: I64) -> None:
    """Take the riders of a packed page in; none of them may be known."""
    at = 0
    while True:
        result, at = packing.unpack(store.memory, store.packed_limits, words, at)
        if result == codes.DONE:
            return
        store.grow(result)


def names(store: RiderStore) -> tuple[list[str], list[str]]:
    """The platforms and zones behind the store's numbers, in the order of these."""
    misc = store.memory.misc
    platforms = [store.platform(number) for number in range(misc[Misc.PLATFORMS])]
    return platforms, [store.zone(number) or "" for number in range(misc[Misc.ZONES])]


def restore_names(store: RiderStore, platforms: Sequence[str], zones: Sequence[str]) -> None:
    """Give a store without riders the names behind packed numbers."""
    assert store.riders == 0, "numbers of riders that are known would change their meaning"
    mem = store.memory
    platform_names, platform_lengths, platform_table = _table_of(platforms)
    zone_names, zone_lengths, zone_table = _table_of(zones)
    store.replace_memory(
        mem._replace(
            platforms=platform_names,
            platform_lengths=platform_lengths,
            platform_table=platform_table,
            zones=zone_names,
            zone_lengths=zone_lengths,
            zone_table=zone_table,
        )
    )
    mem.misc[Misc.PLATFORMS] = len(platforms)
    mem.misc[Misc.ZONES] = len(zones)


def _table_of(texts: Sequence[str]) -> tuple[U8, U8, I64]:
    room = NAMES
    while room <= len(texts):
        room *= 2
    found, lengths = np.zeros((room, ID_BYTES), dtype=np.uint8), np.zeros(room, dtype=np.uint8)
    for number, text in enumerate(texts):
        raw = text.encode()
        found[number, : len(raw)] = np.frombuffer(raw, dtype=np.uint8)
        lengths[number] = len(raw)
    table = np.zeros(SLOTS * room, dtype=np.int64)
    interning.reenter_names(found[: len(texts)], lengths[: len(texts)], table)
    return found, lengths, table


# -- riders by name --------------------------------------------------------------------------------


def find(store: RiderStore, rider: bytes, mixed: int) -> int | None:
    """The row of a rider; ``mixed`` is the hash of his id that he is looked up by."""
    row, _ = _look_up(store, rider, mixed)
    return None if row == NONE else row


def _look_up(store: RiderStore, rider: bytes, mixed: int) -> tuple[int, int]:
    buf = np.frombuffer(rider, dtype=np.uint8)
    row, slot = find_rider(store.memory, buf, 0, len(rider), np.uint64(mixed))
    return int(row), int(slot)


def may_lack(store: RiderStore, rider: bytes, mixed: int, instant_s: int) -> bool:
    """Whether what is known of a rider may lack something that a verdict at an instant rests on."""
    row = find(store, rider, mixed)
    mem = store.memory
    until_s = mem.page_estimated[mixed >> PAGE_SHIFT] if row is None else mem.rows[row, Row.ESTIMATED_UNTIL]
    return bool(instant_s < until_s)


def tell_again(store: RiderStore, row: int) -> None:
    """Let the next `RiderStore.publish` tell all that stands of a rider, and his status."""
    store.memory.rows[row, Row.FLAGS] |= Row.FLAG_AGAIN


def hold_was_told(store: RiderStore, row: int, limit: int, from_s: int, told_at_s: int) -> None:
    """Note when a hold's first alert was published, if it is the newest that was told of the limit."""
    mem = store.memory
    word = Row.WORDS + Row.HOLD_WORDS * limit
    if mem.rows[row, word + Row.HOLD_FROM] == from_s:
        mem.rows[row, word + Row.HOLD_TOLD_AT] = told_at_s
        mem.page_dirty[mem.rows[row, Row.PAGE]] = 1


def told_of(store: RiderStore, row: int) -> list[Verdict]:
    """What stands of a rider, is not sealed yet, and has been told as it is."""
    mem = store.memory
    block, count = int(mem.rows[row, Row.TOLD]), int(mem.rows[row, Row.TOLD_WORDS])
    words = mem.heap[block : block + count].tolist()
    found: list[Verdict] = []
    at = 0
    while at < count:
        size = Record.WORDS + Record.SPAN_WORDS * words[at + Record.SPANS]
        if words[at + Record.META] & Record.META_PENDING == 0:
            found.append(read_verdict(row, Record.TELL, words[at : at + size]))
        at += size
    return found


def members(store: RiderStore, row: int, since_s: int, at_s: int = INF) -> list[str]:
    """Platforms that have claimed the rider at ``since_s`` or later, and first at ``at_s`` at the latest.

    Times are those of the events other than heartbeats that they have sent for the rider.
    """
    words = _members(store, row)
    own = (words[:, Row.MEMBER_LAST] >= since_s) & (words[:, Row.MEMBER_FIRST] <= at_s)
    return [store.platform(number) for number in words[own, Row.MEMBER_PLATFORM]]


def newcomers(store: RiderStore, row: int) -> list[str]:
    """Platforms of the rider that have not been told his status yet."""
    words = _members(store, row)
    return [store.platform(number) for number in words[words[:, Row.MEMBER_TOLD] == 0, Row.MEMBER_PLATFORM]]


def all_told(store: RiderStore, row: int) -> None:
    """Note that every platform of the rider has been told his status."""
    _members(store, row)[:, Row.MEMBER_TOLD] = 1


def tell_platform_again(store: RiderStore, platform: str) -> None:
    """Let the next `RiderStore.publish` tell a platform the statuses of all its riders."""
    for number in range(store.memory.misc[Misc.PLATFORMS]):
        if store.platform(number) == platform:
            member_words.join_again(store.memory, number)


def _members(store: RiderStore, row: int) -> I64:
    """A view, shape (n, `MEMBER_WORDS`)."""
    mem = store.memory
    block, count = int(mem.rows[row, Row.MEMBERS]), int(mem.rows[row, Row.MEMBERS_N])
    return mem.heap[block : block + count * Row.MEMBER_WORDS].reshape(count, Row.MEMBER_WORDS)


# -- forgetting ------------------------------------------------------------------------------------


def erase(store: RiderStore, rider: bytes, mixed: int, before_ms: int) -> bool:
    """Erase what is known of a rider, for good: events that arrived before ``before_ms`` do not come back.

    False when that had been done already.
    """
    row = enter(store, rider, mixed)
    mem = store.memory
    if mem.rows[row, Row.FORGOTTEN_MS] >= before_ms:
        return False
    forgetting.erase_row(mem, row, store.packed_limits, before_ms)
    return True


def enter(store: RiderStore, rider: bytes, mixed: int) -> int:
    """The row of a rider, who is entered if he is not known."""
    row, slot = _look_up(store, rider, mixed)
    if row != NONE:
        return row
    if store.memory.misc[Misc.ROWS] >= len(store.memory.rows):
        store.grow(codes.NEED_ROWS)
        _, slot = _look_up(store, rider, mixed)
    buf = np.frombuffer(rider, dtype=np.uint8)
    return int(new_rider(store.memory, buf, 0, len(rider), np.uint64(mixed), slot, store.packed_limits))


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A rider who has been dropped, and the platforms that had sent events for him."""

    rider: str
    platforms: list[str]


def forget_silent(store: RiderStore, erased_ms: int) -> list[Forgotten]:
    """Drop the riders without events for ``keep`` and without a hold; those of them that had a status.

    Parameters
    ----------
    erased_ms
        Riders erased later than this are kept: what they were erased of can still be read again.
    """
    mem = store.memory
    found = np.empty(_FORGOTTEN_AT_ONCE, dtype=np.int64)
    count = forgetting.silent_since(mem, _silent_s(store), erased_ms, found)
    told: list[Forgotten] = []
    for row in found[:count].tolist():
        if mem.rows[row, Row.STATUS] != NONE:
            told.append(Forgotten(store.rider_id(row), members(store, row, PAST)))
        forgetting.forget_row(mem, row)
    return told


def forget_silent_platforms(store: RiderStore) -> list[Forgotten]:
    """Drop the platforms that have sent nothing for a rider for ``keep``; the riders, and these of each."""
    found = np.empty((_FORGOTTEN_AT_ONCE, 2), dtype=np.int64)
    count = member_words.drop_silent_members(store.memory, _silent_s(store), found)
    dropped: dict[int, list[str]] = {}
    for row, platform in found[:count].tolist():
        dropped.setdefault(row, []).append(store.platform(platform))
    return [Forgotten(store.rider_id(row), platforms) for row, platforms in dropped.items()]


def _silent_s(store: RiderStore) -> int:
    """Who has sent nothing after this instant has been silent for ``keep``."""
    return store.now_s - store.settings.keep_s
