"""What a restore is asked for, and what it finds."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from detectors.kernels.layout.values import PAGES, PAST
from detectors.limits import LimitTable
from detectors.settings import StoreSettings
from detectors.store import RiderStore
from schemas.checkpoint import (
    Marker,
)
from stream.settings import Settings
from stream.state.published_outputs import PublishedOutputs


class StateRefused(ValueError):
    """The state belongs to topics of another shape; the message says what to do."""


@dataclass(slots=True)
class StateRecords:
    """The newest records of a partition of the state topic, by what they are."""

    marker: Marker | None = None
    #: None when nothing says it.
    side_offset: int | None = None
    parts: dict[int, dict[int, bytes]] = field(default_factory=dict)
    names: dict[bytes, bytes] = field(default_factory=dict)
    #: By topic, records that are none of ours and were left out.
    foreign: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Takeover:
    """What a restore needs of its worker."""

    settings: Settings
    limits: LimitTable
    store_settings: StoreSettings
    partition: int
    partitions: int
    wall_s: float
    #: Told how much of the pages has been read, 0 to 1.
    progress: Callable[[float], None]
    #: By policy, a digest of what it judges by.
    judged: Mapping[str, str] = field(default_factory=dict)
    #: Without a marker: nothing of any policy before this instant is told.
    named_s: int = PAST


@dataclass(slots=True)
class Restored:
    """A partition as its records say, before the source is read from ``position`` up to ``source_end``."""

    store: RiderStore
    position: int
    source_end: int
    #: Side outputs of the source before this offset have been written.
    side_offset: int
    #: What the state says of that; another when the source has begun anew since. None: nothing.
    side_recorded: int | None
    since_s: dict[str, int]
    #: By policy that ever judged here, a digest of what it judged by.
    judged: dict[str, str] = field(default_factory=dict)
    #: Of the source's topic, as Kafka has it now.
    source_id: str = ""
    #: The source is not the one that the state speaks of: its offsets have begun anew.
    anew: bool = False
    #: The marker that the pages belong to; None when nothing of the state could be used.
    marker: Marker | None = None
    #: That of the state which is written from now on.
    lineage: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    #: Platforms with an outlet that is newer than the state.
    new_outlets: tuple[str, ...] = ()
    told: PublishedOutputs = field(default_factory=PublishedOutputs)
    #: Ends of the alerts and of the statuses at the take-over.
    ends: tuple[int, int] = (0, 0)
    arrival_s: int = 0
    sequence: int = 0
    #: Everything that stands must be told again: the outputs have lost some of it.
    everyone: bool = False
    #: By page, the source offset it was packed at, -1 for none; the parts it has; which are of no use.
    page_from: npt.NDArray[np.int64] = field(default_factory=lambda: np.full(PAGES, -1, dtype=np.int64))
    parts: dict[int, int] = field(default_factory=dict)
    bad: npt.NDArray[np.bool_] = field(default_factory=lambda: np.ones(PAGES, dtype=np.bool_))
    #: How many platforms and zones the state knows.
    names_known: tuple[int, int] = (0, 0)
    #: Riders whom an order to forget has erased just now, and their platforms; None: these are not known.
    erased: dict[str, list[str] | None] = field(default_factory=dict)
    #: By topic, records that are none of ours and were left out.
    foreign: Counter[str] = field(default_factory=Counter)
    #: From this source offset on *now* is not below this instant: pages have been judged there.
    resume: tuple[int, int] | None = None
