"""What was judged, from records to columns, with the platforms that it concerns."""

from __future__ import annotations

from typing import NamedTuple

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import record as Record, row as Row
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, U8
from detectors.kernels.limits.dispatch import shift


class AlertColumns(NamedTuple):
    """Verdicts told and taken back, one entry each; `layout.record` says what the words are.

    ``spans_off`` is a word of the records; members are the rider's platforms, places of a list of numbers.
    """

    row: I64
    kind: I64
    retracted: I64
    limit: I64
    platform: I64
    instant: I64
    counted: I64
    amount: I64
    start: I64
    end: I64
    hold_from: I64
    hold_until: I64
    told_at: I64
    zone: I64
    estimated: I64
    spans_off: I64
    spans_n: I64
    members_off: I64
    members_n: I64


class StatusColumns(NamedTuple):
    """Statuses, one entry each; members are those who are to be told."""

    row: I64
    code: I64
    until: I64
    limit: I64
    remaining: I64
    as_of: I64
    only_joined: I64
    members_off: I64
    members_n: I64


@kernel
def count_records(mem: Memory, words: I64, special: U8) -> tuple[int, int, int, int]:
    """How many alerts, statuses, members at most, and words of special riders these records hold."""
    at, alerts, statuses, members, aside = 0, 0, 0, 0, 0
    while at < words.shape[0]:
        row, size = words[at + Record.OUT_ROW], words[at + Record.OUT_SIZE]
        if is_special(special, row):
            aside += Record.OUT_WORDS + size
        else:
            members += mem.rows[row, Row.MEMBERS_N]
            if words[at + Record.OUT_ACTION] == Record.STATUS:
                statuses += 1
            else:
                alerts += 1
        at += Record.OUT_WORDS + size
    return alerts, statuses, members, aside


@inlined
def is_special(special: U8, row: int) -> bool:
    return row < special.shape[0] and special[row] != 0


@kernel
def to_columns(
    mem: Memory,
    limits: Limits,
    words: I64,
    since: int,
    special: U8,
    alerts: AlertColumns,
    statuses: StatusColumns,
    members: I64,
    aside: I64,
) -> int:
    """Fill the columns in the order of the records; those of special riders go ``aside`` as they are.

    Members are platforms that claim the rider at ``since`` or later, and of an alert, first at its instant at
    the latest: nothing from before is for them (CONTRACT 2). The platforms of a rider with a status count
    as told of it. Returns the number of members.
    """
    at, alert, status, member, left = 0, 0, 0, 0, 0
    while at < words.shape[0]:
        row, size = words[at + Record.OUT_ROW], words[at + Record.OUT_SIZE]
        body = at + Record.OUT_WORDS
        if is_special(special, row):
            for word in range(Record.OUT_WORDS + size):
                aside[left + word] = words[at + word]
            left += Record.OUT_WORDS + size
        elif words[at + Record.OUT_ACTION] == Record.STATUS:
            only_joined = words[body + Record.STATUS_ONLY_JOINED] == 1
            begin = member
            member = add_members(mem, row, since, INF, only_joined, members, member)
            tell_members(mem, row)
            fill_status(words, row, body, statuses, status)
            statuses.members_off[status], statuses.members_n[status] = begin, member - begin
            status += 1
        else:
            begin = member
            member = add_members(mem, row, since, words[body + Record.INSTANT], False, members, member)
            fill_alert(limits, words, row, at, alerts, alert)
            alerts.members_off[alert], alerts.members_n[alert] = begin, member - begin
            alert += 1
        at = body + size
    return member


@inlined
def add_members(mem: Memory, row: int, since: int, at: int, new_ones: bool, members: I64, count: int) -> int:
    for index in range(mem.rows[row, Row.MEMBERS_N]):
        word = mem.rows[row, Row.MEMBERS] + index * Row.MEMBER_WORDS
        own = mem.heap[word + Row.MEMBER_LAST] >= since and mem.heap[word + Row.MEMBER_FIRST] <= at
        if not own or (new_ones and mem.heap[word + Row.MEMBER_TOLD] != 0):
            continue
        members[count] = mem.heap[word + Row.MEMBER_PLATFORM]
        count += 1
    return count


@inlined
def tell_members(mem: Memory, row: int) -> None:
    for index in range(mem.rows[row, Row.MEMBERS_N]):
        mem.heap[mem.rows[row, Row.MEMBERS] + index * Row.MEMBER_WORDS + Row.MEMBER_TOLD] = 1


@inlined
def fill_alert(limits: Limits, words: I64, row: int, at: int, alerts: AlertColumns, index: int) -> None:
    body = at + Record.OUT_WORDS
    key = words[body + Record.KEY]
    alerts.row[index] = row
    alerts.kind[index] = Record.kind_of(key)
    alerts.retracted[index] = 1 if words[at + Record.OUT_ACTION] == Record.RETRACT else 0
    alerts.limit[index] = Record.limit_of(key)
    alerts.platform[index] = (key & Record.KEY_PLATFORM_MASK) - 1
    alerts.instant[index] = words[body + Record.INSTANT]
    alerts.counted[index] = words[body + Record.COUNTED]
    limit = alerts.limit[index]
    alerts.amount[index] = limits.amount[limit] + shift(limits, limit, words[body + Record.START])
    alerts.start[index] = words[body + Record.START]
    alerts.end[index] = words[body + Record.END]
    alerts.hold_from[index] = words[body + Record.HOLD_FROM]
    alerts.hold_until[index] = words[body + Record.HOLD_UNTIL]
    alerts.told_at[index] = words[body + Record.TOLD_AT]
    alerts.zone[index] = words[body + Record.ZONE]
    alerts.estimated[index] = 1 if words[body + Record.META] & Record.META_ESTIMATED != 0 else 0
    alerts.spans_off[index] = body + Record.WORDS
    alerts.spans_n[index] = words[body + Record.SPANS]


@inlined
def fill_status(words: I64, row: int, body: int, statuses: StatusColumns, index: int) -> None:
    statuses.row[index] = row
    statuses.code[index] = words[body + Record.STATUS_CODE]
    statuses.until[index] = words[body + Record.STATUS_UNTIL]
    statuses.limit[index] = words[body + Record.STATUS_LIMIT]
    statuses.remaining[index] = words[body + Record.STATUS_LEFT]
    statuses.as_of[index] = words[body + Record.STATUS_AS_OF]
    statuses.only_joined[index] = words[body + Record.STATUS_ONLY_JOINED]
