"""What the partitions of a worker share, and what they need of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from detectors.limits import LimitTable
from detectors.settings import StoreSettings
from detectors.shared_orders import SharedOrders
from schemas.policy import Policy
from stream.output.alert_json import Renderer
from stream.policies.plan import put_plan
from stream.settings import Settings
from stream.state.shm_writer import (
    About,
    NoRoom,
    SharedArrays,
    digest_of,
    layout_digest_once,
    shared_folder,
)
from stream.worker.conditions_topic import ConditionsTopic

#: Final events that are sealed together. With the event clock a partition that is read ahead of another may
#: still be forwarded far older events, so it keeps longer what it could seal.
SEAL_EVENTS = {"wall": 16, "event": 512}


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What all partitions of a worker share."""

    settings: Settings
    policies: Sequence[Policy]
    limits: LimitTable
    renderer: Renderer
    partitions: int
    worker: str
    #: How long what arrived can be read again, seconds.
    source_kept_s: int = 0
    wall: Callable[[], float] = time.time
    #: Recent orders of all partitions, by whom; None: nobody looks for orders of two riders.
    shared_orders: SharedOrders | None = None
    #: What is announced of zones; None: no policy looks at it.
    conditions: ConditionsTopic | None = None
    #: The same for policies in the shadow; None where there are none.
    shadow: WorkerContext | None = None

    @property
    def store_settings(self) -> StoreSettings:
        """What the verdicts of a partition depend on."""
        return self.settings.store(SEAL_EVENTS[self.settings.clock])


class NotOwner(RuntimeError):
    """The group has given the partition to another worker; it must not be claimed."""


class Source(Protocol):
    """The worker's place in the group, and its reading of the source."""

    async def still_ours(self, partition: int) -> bool:
        """Ask the group by committing once more what is committed."""

    async def read_from(self, partition: int, offset: int) -> None:
        """Begin to read, or go back."""

    async def commit(self, partition: int, offset: int) -> None:
        """Let the group's offset follow the marker, for those who measure lag."""


def shared_partition(run: WorkerContext, number: int) -> SharedArrays | None:
    """Where a partition's riders lie for readers beside the stream; None when they are not shared."""
    settings = run.settings
    folder = shared_folder(settings.shared_dir, settings.group, settings.prefix)
    if folder is None:
        return None
    try:
        plan = put_plan(folder, run.policies)
    except OSError as error:
        message = (
            f"{folder}: cannot be written: {error}; set RESPITE_SHARED_DIR to a folder of your own, or none"
        )
        raise NoRoom(message) from error
    about = About(
        folder="",
        layout=layout_digest_once(),
        digest=digest_of(run.limits, settings.store(0)),
        policies=run.limits.policies,
        partitions=run.partitions,
        worker=run.worker,
        clock=settings.clock,
        plan=plan,
    )
    return SharedArrays(folder / f"p{number}", about)
