"""The riders of one partition: evidence in, differences of verdicts out.

All state lies in numpy arrays that this class owns and grows; the kernels say which one is too small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from detectors.arrays import grown, new_memory
from detectors.conditions import Announcement, Conditions, matches
from detectors.kernels.doubts.arrival import note_doubts
from detectors.kernels.evidence import ingest as ingestion
from detectors.kernels.evidence.arrivals import Arrivals, Place
from detectors.kernels.layout import codes, misc as Misc, row as Row
from detectors.kernels.layout.arrays import Memory
from detectors.kernels.layout.values import I64, NONE, PAST, U8
from detectors.kernels.verdicts import sweeps
from detectors.limits import LimitTable
from detectors.settings import StoreSettings
from detectors.verdicts import Outcome, read_outcomes

Placing = Callable[[Memory], Memory]


class RiderStore:
    """Evidence and verdicts of the riders of one partition.

    Parameters
    ----------
    limits
        The limits that judge.
    settings
        What verdicts depend on.
    live
        Whether differences are told at once. A store that is being rebuilt holds them back until
        `publish`.
    since_s
        By policy, the instant before which nothing of it is told: it was named later. None: all is told.
    """

    def __init__(
        self,
        limits: LimitTable,
        settings: StoreSettings,
        *,
        live: bool = True,
        since_s: Mapping[str, int] | None = None,
    ) -> None:
        self.limits = limits
        since = np.array([(since_s or {}).get(one.policy, PAST) for one in limits.limits], dtype=np.int64)
        self.packed_limits = limits.packed._replace(since=since)
        self._gates = limits.gates()
        self._conditions = Conditions()
        #: Goes on with every change of what `gates` says; 0 where no limit is on and off.
        self.gates_turn = int(limits.is_gated)
        self.settings = settings
        self._rules = settings.rules()
        self._place: Placing | None = None
        self._mem = new_memory(len(limits.limits))
        self.now_s: int = PAST
        #: The latest arrival read (wall clock) or event time accepted (event clock).
        self.read_s: int = PAST
        #: Whether what is final is sealed; not while old events are still to come.
        self.sealing = True
        self.live = live

    # -- state ---------------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """Whether differences are told at once."""
        return bool(self._mem.misc[Misc.LIVE])

    @live.setter
    def live(self, value: bool) -> None:
        self._mem.misc[Misc.LIVE] = int(value)

    @property
    def riders(self) -> int:
        """Number of riders known."""
        return int(self._mem.misc[Misc.ROWS])

    @property
    def memory(self) -> Memory:
        """The arrays, for `detectors.pages`; others only read."""
        return self._mem

    def lie_in(self, place: Placing) -> None:
        """Let the arrays lie where ``place`` puts them, now and whenever some have grown."""
        self._place = place
        self._mem = place(self._mem)

    def replace_memory(self, memory: Memory) -> None:
        """Take other arrays; what they hold must fit together."""
        self._mem = memory if self._place is None else self._place(memory)

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self._mem)

    def rider_id(self, row: int) -> str:
        """The rider of a row."""
        return bytes(self._mem.ids[row, : self._mem.id_lengths[row]]).decode("ascii")

    def has_evidence(self, row: int) -> bool:
        """Whether anything is known of the rider of a row beside his id."""
        told = self._mem.rows[row, Row.STATUS] != NONE
        return bool(
            told or self._mem.rows[row, Row.EVENTS_N] or self._mem.rows[row, Row.FLAGS] & Row.FLAG_SEEN
        )

    def platform(self, number: int) -> str:
        """The name of a platform's number."""
        return bytes(self._mem.platforms[number, : self._mem.platform_lengths[number]]).decode("ascii")

    def zone(self, number: int) -> str | None:
        """The name of a zone's number; None for none."""
        if number == NONE:
            return None
        return bytes(self._mem.zones[number, : self._mem.zone_lengths[number]]).decode("ascii")

    # -- conditions ----------------------------------------------------------------------------

    def announce(self, announcements: Sequence[Announcement]) -> int:
        """Take conditions of zones in; riders whom they can concern are judged again by the next `judge`.

        Returns
        -------
        How many riders that are.
        """
        new = [one for one in announcements if self._conditions.add(one)]
        if not new or not self.limits.conditions:
            return 0
        self._enter_zones()
        self._gates.tell(self._conditions)
        self._take_gates()
        # A version that names other zones or another condition ends the one before it where that was on.
        named = {one.condition_id for one in new}
        versions = [one for of in self._conditions.versions() for one in of if one.condition_id in named]
        changed = np.array(self._gates.concerned(versions, self.limits.conditions), dtype=np.uint8)
        since = min(one.announced_s for one in new)
        return int(sweeps.touch_changed(self._mem, self.packed_limits, changed, since))

    @property
    def conditions(self) -> Conditions:
        """What has been announced."""
        return self._conditions

    def zones_under(self) -> dict[str, set[str]]:
        """By condition that limits look at, the zones of riders in which it is on at *now*."""
        if not self.limits.conditions:
            return {}
        on = self._conditions.on_at(self.now_s)
        names = [self.zone(number) or "" for number in range(int(self._mem.misc[Misc.ZONES]))]
        return {
            condition: {
                zone for zone in names if any(matches(one.zones, zone) for one in on.get(condition, ()))
            }
            for condition in self.limits.conditions
        }

    def _enter_zones(self) -> None:
        """Say of zones that have come up since when limits are on there."""
        known, there = self._gates.zones, int(self._mem.misc[Misc.ZONES])
        if self.limits.is_gated and there > known:
            self._gates.enter([self.zone(number) or "" for number in range(known, there)])
            self._take_gates()

    def _take_gates(self) -> None:
        self.packed_limits = self.packed_limits._replace(**self._gates.arrays())
        self.gates_turn += 1

    def gates(self) -> dict[str, I64]:
        """When and where limits are on, for readers beside the stream."""
        return self._gates.arrays()

    # -- work ----------------------------------------------------------------------------------

    def ingest(self, events: Arrivals, place: Place) -> U8:
        """Take decoded events into the evidence; what became of each (`kernels.layout.codes`)."""
        count = len(events.status)
        became = np.zeros(count, dtype=np.uint8)
        start, read_s = 0, self.read_s
        while True:
            result, start, read_s = ingestion.ingest(
                self._mem, events, start, self.packed_limits, self._rules, place, read_s, became
            )
            if result == codes.DONE:
                break
            self.grow(result)
        self.read_s = max(self.read_s, int(read_s))
        return became

    def doubts(self, events: Arrivals, became: U8) -> U8:
        """The doubts that the new events of a chunk just taken in raise, a bit for each of `codes.DOUBTS`."""
        doubts = np.zeros(len(became), dtype=np.uint8)
        note_doubts(self._mem, events, became, self.packed_limits, self._rules, doubts)
        return doubts

    def judge(self, now_s: int, wall_s: int | None = None) -> list[Outcome]:
        """Bring touched riders, and those whom time alone brings to an instant, to ``now_s``.

        Parameters
        ----------
        now_s
            *now*; one below an earlier one is taken as that.
        wall_s
            When what is told is published, for ``hold.told_at``; None in a replay.

        Returns
        -------
        What differs from what had been told, rider by rider in the order of instants.
        """
        words = self.judge_words(now_s, wall_s)
        return read_outcomes(words, len(words))

    def judge_words(self, now_s: int, wall_s: int | None = None) -> I64:
        """As `judge`, but the words of the records as they are (`kernels.layout.record`)."""
        self.now_s = max(self.now_s, now_s)
        self._enter_zones()
        self._mem.misc[Misc.WALL] = NONE if wall_s is None else wall_s
        sweeps.touch_due(self._mem, self.now_s)
        parts: list[I64] = []
        rules = self._rules if self.sealing else self._rules._replace(seal_events=0)
        start = 0
        while True:
            result, start = sweeps.judge_touched(self._mem, self.packed_limits, rules, self.now_s, start)
            parts.append(self._mem.out[: self._mem.misc[Misc.OUT]].copy())
            self._mem.misc[Misc.OUT] = 0
            if result == codes.DONE:
                return parts[0] if len(parts) == 1 else np.concatenate(parts)
            self.grow(result)

    def publish(
        self, now_s: int, wall_s: int | None = None, *, everyone: bool = False
    ) -> Iterator[list[Outcome]]:
        """End a rebuild: go live, and tell what was held back, in parts of the output array's size.

        To be read to its end before anything else is asked of the store.

        Parameters
        ----------
        everyone
            Tell all that stands, and every status, whether it was told before or not.
        """
        yield self.judge(now_s, wall_s)
        self.live = True
        start, result = 0, codes.NEED_OUT
        while result != codes.DONE:
            result, start = sweeps.publish(
                self._mem, self.packed_limits, self._rules, self.now_s, start, everyone
            )
            outcomes: list[Outcome] = []
            self._drain(outcomes)
            # An output array that was full is empty now; one too small for a single rider must grow.
            if result not in (codes.DONE, codes.NEED_OUT) or (result == codes.NEED_OUT and not outcomes):
                self.grow(result)
            yield outcomes

    # -- memory --------------------------------------------------------------------------------

    def _drain(self, outcomes: list[Outcome]) -> None:
        outcomes.extend(read_outcomes(self._mem.out, int(self._mem.misc[Misc.OUT])))
        self._mem.misc[Misc.OUT] = 0

    def grow(self, need: int) -> None:
        """Double the arrays that a kernel said were too small."""
        self.replace_memory(grown(self._mem, need))
