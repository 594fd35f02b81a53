"""The partitions of this machine's workers, as far as they may be believed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from detectors.kernels.layout.values import NONE
from detectors.kernels.reading.columns import Asker, Shared
from detectors.limits import LimitTable
from detectors.reading import EVERYONE, Reader
from detectors.rider_view import RiderView
from detectors.settings import StoreSettings
from stream.api.documents.batch import Batch
from stream.settings import Settings
from stream.state.shm_reader import Health, SharedPartition
from stream.state.shm_writer import digest_of, read_about, shared_folder

_PAUSE_S = 0.002
_SCAN_S = 1.0


class Unsure(RuntimeError):
    """Nothing can be said of a partition's riders; the message is the reason's name."""


class Partitions:
    """Maps what the workers of this machine share.

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
        self.limits = limits
        self._store = store
        self._wall = wall
        self._keep_s = settings.keep
        self._folder = shared_folder(settings.shared_dir, settings.group, settings.prefix)
        self._digest = digest_of(limits, store)
        self._local = threading.local()
        self._count: int | None = None
        self._scanned_s = 0.0

    @property
    def _reader(self) -> Reader:
        reader: Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = Reader(self.limits, self._store)
        return reader

    def _of_thread(self, number: int) -> SharedPartition:
        """Each thread maps for itself: what one maps anew another may still be reading."""
        mapped: dict[int, SharedPartition] | None = getattr(self._local, "partitions", None)
        if mapped is None:
            mapped = self._local.partitions = {}
        if number not in mapped:
            mapped[number] = SharedPartition(self._place(number), number, self._digest)
        return mapped[number]

    def _place(self, number: int) -> Path:
        return (self._folder or Path("/nonexistent")) / f"p{number}"

    def warm_up(self) -> None:
        """Load the kernels, so that the first question does not wait for them."""
        self._reader.warm_up()

    def partitions(self) -> int | None:
        """How many partitions there are; None when no worker on this machine says so."""
        wall_s = self._wall()
        if self._count is None and abs(wall_s - self._scanned_s) > _SCAN_S and self._folder is not None:
            self._scanned_s = wall_s
            for folder in self._folder.glob("p*"):
                about = read_about(folder)
                if about is not None:
                    self._count = about.partitions
        return self._count

    def learn_partitions(self, count: int) -> None:
        """Take the count from elsewhere."""
        self._count = count

    def healths(self) -> list[Health]:
        """How far each partition is, as far as it is on this machine."""
        now_ms = int(self._wall() * 1000)
        return [self._of_thread(number).health(now_ms) for number in range(self.partitions() or 0)]

    def _arrays(self, partition: SharedPartition) -> Shared | None:
        """A partition's arrays, its reader looking at zones and conditions as the worker does."""
        shared = partition.arrays()
        if shared is None or not self.limits.is_gated:
            return shared
        gates = partition.gates()
        if gates is None:
            return None
        self._reader.follow(self.limits.packed._replace(**gates), *partition.zone_names())
        return shared

    def _attempts(self, partition: SharedPartition, tries: int) -> Iterator[Health]:
        """Some tries with pauses, each with how far the partition is.

        Raises
        ------
        Unsure
            When it may not be believed.
        """
        for attempt in range(tries):
            if attempt:
                time.sleep(_PAUSE_S)
            health = partition.health(int(self._wall() * 1000))
            if health.why_not is not None:
                raise Unsure(health.why_not)
            yield health

    def _asker(self, partition: SharedPartition, platform: str | None, health: Health) -> Asker:
        if platform is None:
            return EVERYONE
        names = partition.platforms()
        number = names.index(platform) if platform in names else NONE
        return Asker(number, (health.now_s or 0) - self._keep_s)

    def home(self, rider: str) -> int:
        """The number of the rider's partition; `NONE` while it is not known how many there are."""
        count = self.partitions()
        return NONE if count is None else int(Batch.of([rider], [0]).murmurs[0]) % count

    def is_elsewhere(self, rider: str) -> bool:
        """Whether no worker on this machine has the rider's partition."""
        number = self.home(rider)
        if number == NONE:
            return True
        return self._of_thread(number).health(int(self._wall() * 1000)).why_not == "elsewhere"

    def zone_of(self, rider: str, view: RiderView) -> str | None:
        """The name of a rider's zone; None where he has none, or it cannot be said now."""
        number = self.home(rider)
        if number == NONE or self._of_thread(number).arrays() is None:
            return None
        names = self.names_of_zones(number)
        return names[view.zone] if 0 <= view.zone < len(names) else None

    def names_of_zones(self, partition: int) -> Sequence[str]:
        """The names behind zones' numbers."""
        return self._of_thread(partition).zones()
