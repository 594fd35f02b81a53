"""Lists of the API that go on page by page, and a rider's week."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.api import ToldAlert
from schemas.names import Id
from schemas.overview import Near
from schemas.policy_limit import Clock

_CLOSED = ConfigDict(extra="forbid", frozen=True)
Next = Annotated[
    str | None, Field(description="Send it as `cursor` for the lines that follow; null: there are none.")
]


class ListedRider(Near):
    """A rider as lists show him."""

    zone: Id | None


class RiderPage(BaseModel):
    """Some of the riders asked for."""

    model_config = _CLOSED

    count: Annotated[int, Field(description="How many there are in all.")]
    complete: Annotated[bool, Field(description="False when riders of some partition are not among them.")]
    riders: tuple[ListedRider, ...]
    next: Next


class ListedAlert(ToldAlert):
    """An alert as lists of all riders show it."""

    rider_id: Id
    zone: Id | None


class AlertPage(BaseModel):
    """Some of the recent alerts asked for, the newest instant first."""

    model_config = _CLOSED

    count: Annotated[int, Field(description="How many there are in all.")]
    alerts: tuple[ListedAlert, ...]
    next: Next


class WeekDay(BaseModel):
    """A local day and how long each clock ran in it."""

    model_config = _CLOSED

    day: date
    start: AwareDatetime
    end: AwareDatetime
    seconds: Annotated[
        dict[Clock, int | None], Field(description="Null: not all of that day is kept any more.")
    ]


class ZoneWeek(BaseModel):
    """Seven days of a time zone, the last is that of *now*."""

    model_config = _CLOSED

    time_zone: str
    days: tuple[WeekDay, ...]


class RiderWeek(BaseModel):
    """A rider's last seven days, one list per time zone of the policies."""

    model_config = _CLOSED

    rider_id: Id
    as_of: AwareDatetime
    weeks: tuple[ZoneWeek, ...]
