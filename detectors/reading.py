"""Riders read beside the stream: who may take an order of so many minutes, and what a rider's limits say.

Arrays come in, values go out; where the arrays lie and how old they may be is the caller's business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from detectors.arrays import grown, new_memory
from detectors.certainty import leave_out_uncertain
from detectors.doubts import Doubt, DoubtQuestion, find_doubts, leave_out
from detectors.kernels.layout import codes, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, MOST_MEMBERS, NONE, U8
from detectors.kernels.reading import batch, claims, columns
from detectors.kernels.reading.catch_up import bring
from detectors.kernels.reading.columns import (
    ANSWER_WORDS,
    D_AMOUNT,
    D_COUNTED,
    D_FIRED,
    D_IN_FORCE,
    DESCRIPTION_WORDS,
    Asked,
    Asker,
    Question,
    Shared,
)
from detectors.kernels.reading.description import describe
from detectors.limits import LimitTable
from detectors.rider_view import RiderView, view_of
from detectors.settings import StoreSettings

EVERYONE = Asker(columns.EVERYONE, 0)
#: The arrays of a store that a reader needs.
ARRAYS = tuple(name for name in Shared._fields if name in Memory._fields)


@dataclass(frozen=True, slots=True)
class Certain:
    """What a limit says of a rider at an instant by what is certain alone.

    ``any_uncertain`` is False where everything is. The others are None where that cannot be told apart.
    """

    any_uncertain: bool
    counted_s: int | None
    reached: bool | None


#: It cannot be told apart.
UNTOLD = Certain(any_uncertain=True, counted_s=None, reached=None)


class Busy(RuntimeError):
    """The rider was being changed all the while; ask again."""


class Reader:
    """Asks one rider store after another; not to be shared between threads.

    Parameters
    ----------
    limits, settings
        The same as those of the stores that are read.
    """

    def __init__(self, limits: LimitTable, settings: StoreSettings) -> None:
        self.limits = limits
        self._packed = limits.packed
        self._rules = settings.rules()
        self._mem = new_memory(len(limits.limits), capacity=batch.BLOCK)

    def follow(self, packed: Limits, zones: U8, zone_lengths: U8) -> None:
        """From now on look at conditions as a store does: at its packed limits and names of zones."""
        self._packed = packed
        self._mem = self._mem._replace(zones=zones, zone_lengths=zone_lengths)

    def warm_up(self) -> None:
        """Compile or load everything that is asked for here."""
        shared = shared_of(new_memory(len(self.limits.limits)))
        asked = blank_asked(np.frombuffer(b"nobody", dtype=np.uint8), 1)
        self.answer(shared, 1, asked, np.zeros(1, dtype=np.int64))
        self.rider(shared, 1, asked)
        view_of(self._mem, self._packed, 1)
        bring(self._mem, self._packed, self._rules, 1, INF)
        self.claims(shared, 0, asked, np.zeros(1, dtype=np.int64))
        self.claimed_since(shared, asked, Asker(NONE, 0))

    def answer(self, shared: Shared, now_s: int, asked: Asked, which: I64, asker: Asker = EVERYONE) -> None:
        """Write the answers for the candidates ``which``; see the columns ``A_`` of the kernel.

        Where the arrays may be replaced by others the answers hold only when they have not been.
        """
        question = Question(asked, asker, now_s)
        left = np.empty(len(which), dtype=np.int64)
        count = batch.answer_by_briefs(shared, self._mem, question, which, left)
        if not count:
            return
        which, start = left[:count], 0
        while True:
            result, start = batch.answer_candidates(
                shared, self._mem, self._packed, self._rules, question, which, start
            )
            if result == codes.DONE:
                return
            self._grow(result)

    def rider(self, shared: Shared, now_s: int, asked: Asked, asker: Asker = EVERYONE) -> RiderView | None:
        """The one rider of ``asked``; None for one who is not known, or not to the asker.

        Raises
        ------
        Busy
            When the rider could not be seen whole.
        """
        at = self._copied(shared, now_s, asked, asker)
        return None if at is None else view_of(self._mem, self._packed, int(at))

    def used(self, shared: Shared, now_s: int, asked: Asked, which: I64) -> I64:
        """How much of each limit the riders ``which`` have used, in tenths: (n, limits).

        10 stands for a limit that is reached, `NONE` for one that is not in force, and for all limits of a
        rider who is not known or was being changed all the while.
        """
        found = np.full((len(which), len(self.limits.limits)), NONE, dtype=np.int64)
        out = np.zeros((len(self.limits.limits), DESCRIPTION_WORDS), dtype=np.int64)
        for line, index in enumerate(which.tolist()):
            one = slice(index, index + 1)
            single = asked._replace(
                off=asked.off[one],
                length=asked.length[one],
                hash=asked.hash[one],
                seconds=asked.seconds[one],
                answers=asked.answers[one],
            )
            try:
                at = self._copied(shared, now_s, single, EVERYONE)
            except Busy:
                continue
            if at is None:
                continue
            describe(self._mem, self.limits.packed, at, out)
            amounts = np.maximum(out[:, D_AMOUNT], 1)
            tenths = np.clip(out[:, D_COUNTED] * 10 // amounts, 0, 9)
            found[line] = np.where(out[:, D_FIRED] != 0, 10, tenths)
            found[line, out[:, D_IN_FORCE] == 0] = NONE
        return found

    def _copied(self, shared: Shared, now_s: int, asked: Asked, asker: Asker) -> int | None:
        """Copy the one rider of ``asked`` and bring him to *now*, which is returned; None: not known."""
        question = Question(asked, asker, now_s)
        while True:
            result, at = batch.bring_rider(shared, self._mem, self._packed, self._rules, question)
            if result == codes.DONE:
                return int(at)
            if result == codes.ABSENT:
                return None
            if result == codes.BUSY:
                raise Busy("the rider is being judged")
            self._grow(result)

    def claims(
        self, shared: Shared, since_s: int, asked: Asked, which: I64
    ) -> list[list[tuple[int, int]] | None]:
        """Whose own the riders ``which`` are: by rider, numbers of platforms and since when each claims him.

        Parameters
        ----------
        since_s
            A platform that has claimed him by no event since then does so no longer.

        None stands for a rider who was being changed all the while.
        """
        out = np.zeros((len(which), MOST_MEMBERS, claims.CLAIM_WORDS), dtype=np.int64)
        counts = np.zeros(len(which), dtype=np.int64)
        claims.read_claims(shared, asked, which, since_s, out, counts)
        return [
            None if count == NONE else [(platform, first) for platform, first in lines[:count].tolist()]
            for lines, count in zip(out, counts.tolist(), strict=True)
        ]

    def claimed_since(self, shared: Shared, asked: Asked, asker: Asker) -> int | None:
        """Since when the one rider of ``asked`` is the asker's own; None when he is not.

        Raises
        ------
        Busy
            When that could not be seen whole.
        """
        out = np.zeros((MOST_MEMBERS, claims.CLAIM_WORDS), dtype=np.int64)
        found = int(claims.claimed_since(shared, asked, asker, out))
        if found == NONE:
            raise Busy("the rider is being judged")
        return None if found == INF else found

    def certain(
        self, shared: Shared, now_s: int, asked: Asked, limit: int, at_s: int, since_s: int
    ) -> Certain | None:
        """What a limit would say of the one rider of ``asked`` at ``at_s`` without what is uncertain now.

        Parameters
        ----------
        since_s
            What lies before it does not count for the limit at ``at_s``.

        None when he is not known.

        Raises
        ------
        Busy
            When he could not be seen whole.
        """
        if self._copied(shared, now_s, asked, EVERYONE) is None:
            return None
        mem, packed = self._mem, self._packed
        found = leave_out_uncertain(mem, packed, self._rules, limit, (since_s, at_s))
        if found is None or at_s <= int(mem.rows[0, Row.base_at(packed) + State.AT]):
            return UNTOLD
        return replace(self._verdict_at(limit, at_s), any_uncertain=found)

    def doubts(
        self, shared: Shared, now_s: int, asked: Asked, question: DoubtQuestion
    ) -> list[tuple[Doubt, Certain]] | None:
        """What is doubtful of a verdict on the one rider of ``asked``, each with the verdict without it.

        A platform is not told what the verdict were. None when he is not known.

        Raises
        ------
        Busy
            When he could not be seen whole.
        """
        packed = self._packed
        if self._copied(shared, now_s, asked, EVERYONE) is None:
            return None
        found = find_doubts(self._mem, packed, self._rules, now_s, question)
        if question.only is not None:
            return [(doubt, UNTOLD) for doubt in found]
        verdicts = []
        for doubt in found:
            # What was left out for the former one is to be there again.
            if self._copied(shared, now_s, asked, EVERYONE) is None:
                return None
            mem = self._mem
            sealed = question.span[1] <= int(mem.rows[0, Row.base_at(packed) + State.AT])
            told = not sealed and leave_out(mem, packed, doubt)
            verdicts.append((doubt, self._verdict_at(question.limit, question.span[1]) if told else UNTOLD))
        return verdicts

    def _verdict_at(self, limit: int, at_s: int) -> Certain:
        """What the copied rider's limit says at an instant that is not sealed."""
        mem, packed = self._mem, self._packed
        bring(mem, packed, self._rules, at_s, INF)
        out = np.zeros((len(self.limits.limits), DESCRIPTION_WORDS), dtype=np.int64)
        describe(mem, packed, at_s, out)
        return Certain(
            any_uncertain=True, counted_s=int(out[limit, D_COUNTED]), reached=bool(out[limit, D_FIRED])
        )

    def _grow(self, need: int) -> None:
        self._mem = grown(self._mem, need)


def blank_asked(buf: U8, count: int) -> Asked:
    """Columns for ``count`` riders over a buffer of their ids."""
    return Asked(
        buf=buf,
        off=np.zeros(count, dtype=np.int64),
        length=np.zeros(count, dtype=np.int64),
        hash=np.zeros(count, dtype=np.uint64),
        seconds=np.zeros(count, dtype=np.int64),
        answers=np.zeros((count, ANSWER_WORDS), dtype=np.int64),
    )


def shared_of(mem: Memory) -> Shared:
    """Those arrays of a store that a reader needs, read-only, as mapped ones are."""
    views = {name: getattr(mem, name).view() for name in ARRAYS}
    views["turn"] = np.zeros(1, dtype=np.int64)
    for view in views.values():
        view.flags.writeable = False
    return Shared(**views, at_turn=0)
