"""Riders of the partitions on this machine, and of those that peers have."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from detectors.doubts import Doubt, DoubtQuestion, shared_of_pairs
from detectors.kernels.doubts.shared_orders import PAIR_WORDS
from detectors.kernels.layout.values import I64, NONE, PAST
from detectors.kernels.reading.columns import A_VERDICT, UNSURE, Asked, Asker, Shared
from detectors.limits import LimitTable
from detectors.reading import Busy, Certain
from detectors.rider_view import RiderView, clocks_running
from detectors.settings import StoreSettings
from stream.api.documents.batch import Batch
from stream.api.queries.partitions import Partitions, Unsure
from stream.settings import Settings
from stream.state.shm_reader import Health

BUSY = "busy"
_TRIES = 8
#: Riders of a round whose partitions are asked beside one another.
_SHARED_OUT = 4096


Found = TypeVar("Found")


class Riders(Partitions):
    """Asks the rider stores of this machine's workers.

    Parameters
    ----------
    settings
        Where the workers' state lies.
    limits, store
        What the workers judge by; where they judge by something else, nothing is said.
    wall
        The wall clock, epoch seconds.
    """

    def __init__(
        self,
        settings: Settings,
        limits: LimitTable,
        store: StoreSettings,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(settings, limits, store, wall)
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="round")

    def answer(self, batch: Batch, platform: str | None, *, patient: bool = True) -> dict[int, str]:
        """Write the answers of a round; partitions of which nothing can be said, with the reason.

        Parameters
        ----------
        platform
            Sees its own riders only, others are as if never seen; None sees all.
        patient
            Wait some milliseconds for riders who are being changed; not to be done on an event loop.
        """
        count = self.partitions()
        if count is None:
            return {NONE: "elsewhere"}
        homes = (batch.murmurs % count).astype(np.int32)

        def ask(number: int) -> tuple[int, str]:
            which = np.flatnonzero(homes == number)
            try:
                self._answer_partition(number, batch.asked, which, platform, tries=_TRIES if patient else 1)
            except Unsure as error:
                return number, str(error)
            return number, ""

        numbers = np.flatnonzero(np.bincount(homes)).tolist()
        # Kernels let go of the interpreter; for few riders another thread costs more than it saves.
        each = self._pool.map if len(batch) >= _SHARED_OUT else map
        return {number: why for number, why in each(ask, numbers) if why}

    def _answer_partition(
        self, number: int, asked: Asked, which: I64, platform: str | None, tries: int
    ) -> None:
        partition = self._of_thread(number)
        for health in self._attempts(partition, tries):
            shared = self._arrays(partition)
            if shared is None:
                continue
            asker = self._asker(partition, platform, health)
            self._reader.answer(shared, health.now_s or 0, asked, which, asker)
            if not partition.is_current():
                continue
            which = which[asked.answers[which, A_VERDICT] == UNSURE]
            if not len(which):
                return
        raise Unsure(BUSY)

    def rider(self, rider: str, platform: str | None, *, patient: bool = True) -> RiderView | None:
        """One rider; None when he is not known, or not to the platform.

        Raises
        ------
        Unsure
            When nothing can be said.
        """

        def look(shared: Shared, now_s: int, batch: Batch, asker: Asker) -> RiderView | None:
            return self._reader.rider(shared, now_s, batch.asked, asker)

        return self._of_one(rider, platform, look, tries=_TRIES if patient else 1)

    def claimed_since(self, rider: str, platform: str, *, patient: bool = True) -> int | None:
        """Since when a rider is a platform's own, epoch seconds; None when he is not.

        Raises
        ------
        Unsure
            When nothing can be said.
        """

        def look(shared: Shared, _: int, batch: Batch, asker: Asker) -> int | None:
            return self._reader.claimed_since(shared, batch.asked, asker)

        return self._of_one(rider, platform, look, tries=_TRIES if patient else 1)

    def certain(self, rider: str, limit: int, at_s: int, since_s: int) -> Certain | None:
        """What a limit would say of a rider at an instant without what is uncertain now; None: not known.

        Raises
        ------
        Unsure
            When nothing can be said.
        """

        def look(shared: Shared, now_s: int, batch: Batch, _: Asker) -> Certain | None:
            return self._reader.certain(shared, now_s, batch.asked, limit, at_s, since_s)

        return self._of_one(rider, None, look, tries=_TRIES)

    def doubts(
        self, rider: str, limit: int, at_s: int, since_s: int, platform: str | None
    ) -> list[tuple[Doubt, str, Certain]] | None:
        """What is doubtful of a limit's verdict on a rider, of which platform, and the verdict without it.

        A platform is told of its own evidence alone, and not from where the limit counts. None: the rider is
        not known.

        Raises
        ------
        Unsure
            When nothing can be said.
        """
        # The other rider may lie in any partition; of those on other machines nothing is known here.
        pairs = np.concatenate(
            [self._of_thread(number).two_riders() for number in range(self.partitions() or 0)]
            or [np.zeros((0, PAIR_WORDS), dtype=np.int64)]
        )
        names: list[str] = []

        def look(shared: Shared, now_s: int, batch: Batch, _: Asker) -> list[tuple[Doubt, Certain]] | None:
            names[:] = self._of_thread(self.home(rider)).platforms()
            only = None if platform is None else names.index(platform) if platform in names else NONE
            span = (since_s if platform is None else PAST, at_s)
            question = DoubtQuestion(limit, span, shared_of_pairs(pairs), only)
            return self._reader.doubts(shared, now_s, batch.asked, question)

        found = self._of_one(rider, None, look, tries=_TRIES)
        return None if found is None else [(doubt, names[doubt.platform], one) for doubt, one in found]

    def _of_one(
        self,
        rider: str,
        platform: str | None,
        look: Callable[[Shared, int, Batch, Asker], Found],
        tries: int,
    ) -> Found:
        count = self.partitions()
        if count is None:
            raise Unsure("elsewhere")
        batch = Batch.of([rider], [0])
        partition = self._of_thread(int(batch.murmurs[0]) % count)
        for health in self._attempts(partition, tries):
            shared = self._arrays(partition)
            if shared is None:
                continue
            try:
                found = look(shared, health.now_s or 0, batch, self._asker(partition, platform, health))
            except Busy:
                continue
            if partition.is_current():
                return found
        raise Unsure(BUSY)

    def owners(self, riders: Sequence[str]) -> list[Mapping[str, int] | None]:
        """Of each rider, since when which platforms claim him; None where it cannot be said now.

        Not for questions of a platform's: it looks at riders of others.
        """
        found: list[Mapping[str, int] | None] = [None] * len(riders)
        count = self.partitions()
        if count is None or not riders:
            return found
        batch = Batch.of(riders, [0] * len(riders))
        homes = batch.murmurs % count
        for number in np.unique(homes).tolist():
            which = np.flatnonzero(homes == number)
            for index, claims in zip(which.tolist(), self._owners_in(number, batch, which), strict=True):
                found[index] = claims
        return found

    def _owners_in(self, number: int, batch: Batch, which: I64) -> list[Mapping[str, int] | None]:
        unsaid: list[Mapping[str, int] | None] = [None] * len(which)
        partition = self._of_thread(number)
        health = partition.health(int(self._wall() * 1000))
        shared = self._arrays(partition) if health.why_not is None else None
        if shared is None:
            return unsaid
        claims = self._reader.claims(shared, (health.now_s or 0) - self._keep_s, batch.asked, which)
        names = partition.platforms()
        if not partition.is_current() or any(
            number >= len(names) for one in claims for number, _ in one or ()
        ):
            return unsaid
        return [None if one is None else {names[number]: since for number, since in one} for one in claims]

    def survey(self) -> tuple[list[tuple[int, Batch, I64]], list[Health]]:
        """Every rider of each partition that may be believed, answered, and how far all are.

        Beside the answers stands by rider and clock whether it runs.
        """
        found = []
        healths = self.healths()
        for health in healths:
            partition = self._of_thread(health.partition)
            shared = self._arrays(partition) if health.why_not is None else None
            if shared is None:
                continue
            riders = min(health.riders, len(shared.rows))
            batch = Batch.of_rows(shared, riders)
            self._reader.answer(shared, health.now_s or 0, batch.asked, np.arange(riders))
            running = clocks_running(shared, riders, len(self.limits.limits))
            if partition.is_current():
                found.append((health.partition, batch, running))
        return found, healths

    def used(self, partition: int, batch: Batch, which: I64) -> I64 | None:
        """How much of each limit some of a surveyed round have used, `detectors.reading.Reader.used`."""
        of = self._of_thread(partition)
        shared = self._arrays(of)
        if shared is None:
            return None
        health = of.health(int(self._wall() * 1000))
        found = self._reader.used(shared, health.now_s or 0, batch.asked, which)
        return found if of.is_current() else None

    def by_platform(
        self, partition: int, batch: Batch, only: str | None = None
    ) -> Iterator[tuple[str, Batch]]:
        """A surveyed round answered anew as each platform of the partition would see it, or only one."""
        of = self._of_thread(partition)
        for platform in of.platforms():
            if only is not None and platform != only:
                continue
            health = of.health(int(self._wall() * 1000))
            shared = self._arrays(of)
            if shared is None or health.why_not is not None:
                return
            asked = batch.asked._replace(answers=np.zeros_like(batch.asked.answers))
            asker = self._asker(of, platform, health)
            self._reader.answer(shared, health.now_s or 0, asked, np.arange(len(asked.length)), asker)
            if of.is_current():
                yield platform, Batch(asked, batch.murmurs)
