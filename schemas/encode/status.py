"""Dispatch statuses as canonical JSON."""

from __future__ import annotations

from schemas.encode import fragments as Part
from schemas.encode.columns import I64, NONE, U8, Messages, Names, Statuses, Texts
from schemas.encode.jit import kernel
from schemas.encode.text import QUOTE, put, put_int, put_name, put_utc

#: Bytes of a status besides the fragment of its limit.
STATUS_BYTES = 400


@kernel
def put_status(out: U8, at: int, statuses: Statuses, index: int, names: Names, texts: Texts) -> int:
    at = put(out, at, texts, Part.STATUS)
    at = put_name(out, at, names.ids, names.id_lengths, statuses.row[index])
    at = put(out, at, texts, Part.STATUS_IS + statuses.code[index])
    if statuses.until[index] == NONE:
        at = put(out, at, texts, Part.NULL)
    else:
        out[at] = QUOTE
        at = put_utc(out, at + 1, statuses.until[index])
        out[at] = QUOTE
        at += 1
    if statuses.limit[index] == NONE:
        at = put(out, at, texts, Part.NO_LIMIT)
    else:
        own = Part.FIRST_LIMIT + statuses.limit[index] * Part.LIMIT_FRAGMENTS
        at = put(out, at, texts, own + Part.STATUS_LIMIT)
    if statuses.remaining[index] == NONE:
        at = put(out, at, texts, Part.NULL)
    else:
        at = put_int(out, at, statuses.remaining[index])
    at = put(out, at, texts, Part.AS_OF)
    at = put_utc(out, at, statuses.as_of[index])
    return put(out, at, texts, Part.CLOSE)


@kernel
def write_statuses(
    statuses: Statuses,
    members: I64,
    topic: int,
    topic_of: I64,
    names: Names,
    texts: Texts,
    out: U8,
    at: int,
    messages: Messages,
    count: int,
) -> tuple[int, int]:
    """Write all statuses behind what is there, to ``topic`` and members' topics; bytes and messages."""
    for index in range(statuses.row.shape[0]):
        begin = at
        at = put_status(out, at, statuses, index, names, texts)
        if statuses.only_joined[index] == 0:
            messages.topic[count], messages.row[count] = topic, statuses.row[index]
            messages.off[count], messages.length[count] = begin, at - begin
            count += 1
        for member in range(statuses.members_n[index]):
            platform = members[statuses.members_off[index] + member]
            if topic_of[platform] == NONE:
                continue
            messages.topic[count], messages.row[count] = topic_of[platform], statuses.row[index]
            messages.off[count], messages.length[count] = begin, at - begin
            count += 1
    return at, count
