"""What readers map, what they are asked, what they answer."""

from __future__ import annotations

from typing import NamedTuple

from detectors.kernels.layout.values import I64, U8, U64

#: In place of a platform's number: sees all riders.
EVERYONE = -2

# What is answered: columns of the output.
A_VERDICT, A_LIMIT, A_LEFT, A_RESUME, A_KNOWN, A_AS_OF, A_STATUS, A_ZONE, ANSWER_WORDS = range(9)

PASSES, FAILS, UNSURE = 0, 1, 2

# What a limit says of a rider: columns of `describe`.
D_COUNTED, D_AMOUNT, D_START, D_HOLD_FROM, D_HOLD_UNTIL, D_FIRED, D_RESUME, D_IN_FORCE = range(8)
DESCRIPTION_WORDS = 8


class Shared(NamedTuple):
    """A store's arrays as a reader maps them.

    Arrays that grow are replaced, and then ``turn`` says another number than ``at_turn``: rows that are still
    in use may from then on name blocks of a heap that is not mapped here.
    """

    rows: I64
    ids: U8
    id_lengths: U8
    table: I64
    table_hash: U64
    own: I64
    own_hash: U64
    heap: I64
    seq: I64
    briefs: I64
    misc: I64
    turn: I64  # (1,)
    at_turn: int


class Asked(NamedTuple):
    """Riders asked about, as columns over one buffer, and the answers, (n, ANSWER_WORDS)."""

    buf: U8
    off: I64
    length: I64
    hash: U64
    seconds: I64
    answers: I64


class Asker(NamedTuple):
    """For whom: a platform's number sees only riders whom it has claimed since ``since``."""

    platform: int  # EVERYONE sees all, NONE is a platform that has sent nothing yet
    since: int


class Question(NamedTuple):
    """What is asked, for whom, and of which instant (epoch seconds)."""

    asked: Asked
    asker: Asker
    now: int
