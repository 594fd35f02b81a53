"""Alerts as canonical JSON, whole and as platforms see them (without ``window``, ``zone``, ``evidence``)."""

from __future__ import annotations

from schemas.encode import fragments as Part
from schemas.encode.blake2b import digest
from schemas.encode.columns import I64, NONE, U8, U64, Alerts, Messages, Names, Offsets, Texts
from schemas.encode.jit import inlined, kernel
from schemas.encode.text import (
    MEMO_PLACE,
    MEMO_STRETCH,
    QUOTE,
    copy,
    put,
    put_hex,
    put_int,
    put_local,
    put_name,
    stretch_of,
)

#: Bytes of an alert besides fragments of its limit and its evidence, and of one span of evidence.
ALERT_BYTES, SPAN_BYTES = 1400, 84
#: Bytes that an id is made of: three ids, a policy's version, kind and instant.
ID_TEXT_BYTES = 512
#: The topic's number of whole alerts; platforms' follow.
WHOLE = 0


@inlined
def put_platform(out: U8, at: int, names: Names, number: int, texts: Texts) -> int:
    if number == NONE:
        return put(out, at, texts, Part.NULL)
    out[at] = QUOTE
    at = put_name(out, at + 1, names.platforms, names.platform_lengths, number)
    out[at] = QUOTE
    return at + 1


@inlined
def put_zone(out: U8, at: int, names: Names, number: int, texts: Texts) -> int:
    if number == NONE:
        return put(out, at, texts, Part.NULL)
    out[at] = QUOTE
    at = put_name(out, at + 1, names.zones, names.zone_lengths, number)
    out[at] = QUOTE
    return at + 1


@kernel
def put_instant(out: U8, at: int, instant: int, offsets: Offsets, zone: int, memo: I64, texts: Texts) -> int:
    """An instant in quotes, or null."""
    if instant == NONE:
        return put(out, at, texts, Part.NULL)
    out[at] = QUOTE
    at = put_local(out, at + 1, instant, offsets, zone, memo)
    out[at] = QUOTE
    return at + 1


@kernel
def make_id(alerts: Alerts, index: int, names: Names, texts: Texts, text: U8, h: U64, m: U64) -> None:
    """The id of the verdict, a function of what it is about, in the first words of ``h``."""
    own = Part.FIRST_LIMIT + alerts.limit[index] * Part.LIMIT_FRAGMENTS
    at = put_name(text, 0, names.ids, names.id_lengths, alerts.row[index])
    at = put(text, at, texts, Part.LINE)
    at = put(text, at, texts, own + Part.ID_PART)
    at = put(text, at, texts, Part.ID_KIND + alerts.kind[index])
    at = put_int(text, at, alerts.instant[index])
    at = put(text, at, texts, Part.LINE)
    if alerts.platform[index] != NONE:
        at = put_name(text, at, names.platforms, names.platform_lengths, alerts.platform[index])
    digest(text, at, h, m)


@kernel
def make_retraction_id(text: U8, texts: Texts, h: U64, m: U64) -> None:
    """The id of the retraction of the verdict whose id is in ``h``."""
    at = put(text, 0, texts, Part.RETRACTED_ID)
    digest(text, put_hex(text, at, h), h, m)


@kernel
def put_hold(
    out: U8, at: int, alerts: Alerts, index: int, texts: Texts, offsets: Offsets, zone: int, memo: I64
) -> int:
    if alerts.hold_from[index] == NONE:
        return put(out, at, texts, Part.NO_HOLD)
    own = Part.FIRST_LIMIT + alerts.limit[index] * Part.LIMIT_FRAGMENTS
    until = alerts.hold_until[index]
    # A hold that has ended without an end of its own was ended by a review.
    reviewed = alerts.kind[index] == Part.HOLD_RELEASED and until == NONE
    at = put(out, at, texts, Part.HOLD)
    at = put_local(out, at, alerts.hold_from[index], offsets, zone, memo)
    at = put(out, at, texts, Part.UNTIL)
    at = put_instant(out, at, alerts.instant[index] if reviewed else until, offsets, zone, memo, texts)
    at = put(out, at, texts, Part.REVIEW if reviewed else own + Part.RELEASE)
    at = put_instant(out, at, alerts.told_at[index], offsets, zone, memo, texts)
    return put(out, at, texts, Part.HOLD_CLOSE)


@kernel
def put_evidence(
    out: U8, at: int, words: I64, begin: int, count: int, texts: Texts, offsets: Offsets, zone: int, memo: I64
) -> int:
    at = put(out, at, texts, Part.EVIDENCE)
    for index in range(count):
        if index > 0:
            out[at] = 44
            at += 1
        at = put(out, at, texts, Part.SPAN)
        at = put_local(out, at, words[begin + 2 * index], offsets, zone, memo)
        at = put(out, at, texts, Part.SPAN_END)
        at = put_local(out, at, words[begin + 2 * index + 1], offsets, zone, memo)
        at = put(out, at, texts, Part.SPAN_CLOSE)
    return put(out, at, texts, Part.SPANS_CLOSE)


@kernel
def put_alert(
    out: U8,
    at: int,
    alerts: Alerts,
    index: int,
    words: I64,
    names: Names,
    texts: Texts,
    offsets: Offsets,
    zone: int,
    final: bool,
    detected: int,
    scratch: U8,
    h: U64,
    m: U64,
    memo: I64,
    cuts: I64,
) -> int:
    """One whole alert; ``cuts`` takes where the parts begin and end that platforms do not see."""
    limit, retracted, kind = alerts.limit[index], alerts.retracted[index] != 0, alerts.kind[index]
    own = Part.FIRST_LIMIT + limit * Part.LIMIT_FRAGMENTS
    memo[MEMO_STRETCH], memo[MEMO_PLACE] = NONE, NONE
    make_id(alerts, index, names, texts, scratch, h, m)
    if retracted:
        make_retraction_id(scratch, texts, h, m)
    at = put(out, at, texts, Part.ALERT)
    at = put_hex(out, at, h)
    at = put(out, at, texts, Part.ALERT_KIND + (Part.RETRACTED if retracted else kind))
    at = put_name(out, at, names.ids, names.id_lengths, alerts.row[index])
    at = put(out, at, texts, own + Part.HEAD)
    at = put_local(out, at, alerts.instant[index], offsets, zone, memo)
    at = put(out, at, texts, Part.COUNTED)
    at = put_int(out, at, alerts.counted[index])
    at = put(out, at, texts, Part.AMOUNT)
    at = put_int(out, at, alerts.amount[index])
    at = put(out, at, texts, Part.AFTER_AMOUNT)
    cuts[0] = at
    at = put(out, at, texts, Part.WINDOW)
    at = put_local(out, at, alerts.start[index], offsets, zone, memo)
    at = put(out, at, texts, Part.TO_END)
    at = put_local(out, at, alerts.end[index], offsets, zone, memo)
    at = put(out, at, texts, Part.TO_HOLD)
    cuts[1] = at
    at = put_hold(out, at, alerts, index, texts, offsets, zone, memo)
    at = put(out, at, texts, Part.FINAL if final else Part.PROVISIONAL)
    at = put(out, at, texts, Part.ESTIMATED if alerts.estimated[index] != 0 else Part.CERTAIN)
    at = put_platform(out, at, names, alerts.platform[index], texts)
    cuts[2] = at
    at = put(out, at, texts, Part.ZONE)
    at = put_zone(out, at, names, alerts.zone[index], texts)
    cuts[3] = at
    at = put(out, at, texts, own + Part.SOURCE)
    cuts[4] = at
    at = put_evidence(
        out, at, words, alerts.spans_off[index], alerts.spans_n[index], texts, offsets, zone, memo
    )
    cuts[5] = at
    tells = kind == Part.APPROACHING or kind == Part.LIMIT_REACHED or kind == Part.REMINDER
    at = put(out, at, texts, own + Part.MESSAGE if tells else Part.NO_MESSAGE)
    if retracted:
        make_id(alerts, index, names, texts, scratch, h, m)
        out[at] = QUOTE
        at = put_hex(out, at + 1, h)
        out[at] = QUOTE
        at += 1
    else:
        at = put(out, at, texts, Part.NULL)
    at = put(out, at, texts, Part.DETECTED)
    at = put_local(out, at, detected, offsets, zone, memo)
    return put(out, at, texts, Part.CLOSE)


@kernel
def within(alerts: Alerts, words: I64, offsets: Offsets, zone_of: I64, detected: int) -> bool:
    """Whether the tables of UTC offsets reach every instant that is to be written."""
    for index in range(alerts.row.shape[0]):
        low = min(detected, alerts.instant[index], alerts.start[index], alerts.end[index])
        high = max(detected, alerts.instant[index], alerts.start[index], alerts.end[index])
        for instant in (alerts.hold_from[index], alerts.hold_until[index], alerts.told_at[index]):
            if instant != NONE:
                low, high = min(low, instant), max(high, instant)
        begin = alerts.spans_off[index]
        for word in range(2 * alerts.spans_n[index]):
            low, high = min(low, words[begin + word]), max(high, words[begin + word])
        zone = zone_of[alerts.limit[index]]
        if stretch_of(offsets, zone, low) == NONE or stretch_of(offsets, zone, high) == NONE:
            return False
    return True


@kernel
def write_alerts(
    alerts: Alerts,
    words: I64,
    members: I64,
    topic_of: I64,
    names: Names,
    texts: Texts,
    offsets: Offsets,
    zone_of: I64,
    final_before: int,
    detected: int,
    scratch: U8,
    hashing: U64,
    memo: I64,
    out: U8,
    messages: Messages,
    ids: U64,
) -> tuple[int, int]:
    """Write all alerts, and for each platform with a topic what is its business; bytes and messages.

    ``topic_of`` gives a platform's topic or `NONE`; what happened before ``final_before`` is final; ``ids``
    takes the first word of each verdict's id. Room for all of it was made.
    """
    at, count = 0, 0
    h, m, cuts = hashing[:8], hashing[8:24], memo[8:14]
    for index in range(alerts.row.shape[0]):
        begin = at
        zone = zone_of[alerts.limit[index]]
        final = alerts.instant[index] < final_before
        at = put_alert(
            out,
            at,
            alerts,
            index,
            words,
            names,
            texts,
            offsets,
            zone,
            final,
            detected,
            scratch,
            h,
            m,
            memo,
            cuts,
        )
        ids[index] = h[0]
        row, cut_at = alerts.row[index], at
        messages.topic[count], messages.row[count] = WHOLE, row
        messages.off[count], messages.length[count] = begin, at - begin
        count += 1
        for member in range(alerts.members_n[index]):
            platform = members[alerts.members_off[index] + member]
            if topic_of[platform] == NONE or (
                alerts.platform[index] != NONE and alerts.platform[index] != platform
            ):
                continue
            if at == cut_at:
                at = copy(out, at, out, begin, cuts[0] - begin)
                at = copy(out, at, out, cuts[1], cuts[2] - cuts[1])
                at = copy(out, at, out, cuts[3], cuts[4] - cuts[3])
                at = copy(out, at, out, cuts[5], cut_at - cuts[5])
            messages.topic[count], messages.row[count] = topic_of[platform], row
            messages.off[count], messages.length[count] = cut_at, at - cut_at
            count += 1
    return at, count
