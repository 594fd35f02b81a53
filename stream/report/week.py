"""What the record of holds says of one week: the alerts that stand in the end."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from schemas.hold_ledger import Line
from stream.api.documents.honour import seconds_between

#: The zone in which a week ends last.
_LAST_ZONE = timezone(timedelta(hours=-12))
_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")
Alert = Mapping[str, Any]


class InvalidWeek(ValueError):
    """A week that there is not; the message says what one looks like."""


class Hold(NamedTuple):
    """What makes a hold one: rider, policy, limit and when it began."""

    rider: str
    policy: str
    limit: str
    begun: str


@dataclass(frozen=True, slots=True)
class Week:
    """A calendar week by ISO 8601, in whatever zone an alert's policy has: ``first`` is its Monday."""

    name: str
    first: date

    @classmethod
    def named(cls, name: str) -> Week:
        """The week of a name like 2026-W48.

        Raises
        ------
        InvalidWeek
            There is none of that name.
        """
        found = _WEEK.fullmatch(name) or (name, "0", "0")
        try:
            return cls(name, date.fromisocalendar(int(found[1]), int(found[2]), 1))
        except ValueError as error:
            raise InvalidWeek(
                f"--week {name}: is none; write it like 2026-W48, for Monday to Sunday"
            ) from error

    @property
    def last(self) -> date:
        """Its Sunday."""
        return self.first + timedelta(days=6)

    @property
    def over(self) -> datetime:
        """When it ends in the zone in which it ends last."""
        return datetime.combine(self.last + timedelta(days=1), time(), _LAST_ZONE)

    def has(self, instant: str) -> bool:
        """Whether an instant, as alerts write it, lies in the week where it was written."""
        return str(self.first) <= instant[:10] <= str(self.last)


def hold_of(alert: Alert) -> Hold | None:
    """The hold that an alert is about."""
    hold = alert["hold"]
    return Hold(alert["rider_id"], alert["policy"], alert["limit"], hold["from"]) if hold else None


@dataclass
class Told:
    """What one chain says of a week: per alert the last message, unless it was taken back after that.

    ``hash`` is that of the chain's last line: what the figures rest on.
    """

    chain: str
    hash: str = ""
    standing: dict[str, Alert] = field(default_factory=dict)
    retracted: dict[str, Alert] = field(default_factory=dict)
    orders: list[Line] = field(default_factory=list)

    def reader(self, week: Week) -> Callable[[Path, int, Line], None]:
        """A function that takes the lines of the chain."""
        over = week.over

        def take(_: Path, __: int, line: Line) -> None:
            if line["line"] == "order" and week.has(line["written_at"]):
                self.orders.append(line)
            if line["line"] != "entry":
                return
            alert = line["alert"]
            hold = alert["hold"]
            if not week.has(alert["event_time"]) and not (hold and week.has(hold["from"])):
                return
            # What becomes of its holds after that would change the figures of a week that is final.
            if datetime.fromisoformat(alert["event_time"]) > over:
                return
            if alert["kind"] == "retracted":
                before = self.standing.pop(alert["supersedes"], None)
                if before is not None:
                    self.retracted[alert["supersedes"]] = before
            else:
                self.standing[alert["alert_id"]] = alert
                self.retracted.pop(alert["alert_id"], None)

        return take

    def of_kind(self, kind: str) -> Iterator[Alert]:
        """Standing alerts of a kind."""
        return (one for one in self.standing.values() if one["kind"] == kind)

    def holds(self, week: Week) -> dict[Hold, Alert]:
        """The holds that began in the week, each with the alert that told of it."""
        found: dict[Hold, Alert] = {}
        for alert in self.of_kind("limit_reached"):
            hold = hold_of(alert)
            if hold is not None and week.has(hold.begun):
                found.setdefault(hold, alert)
        return found

    def reached(self, week: Week) -> list[Alert]:
        """Limits reached in the week."""
        return [one for one in self.of_kind("limit_reached") if week.has(one["event_time"])]

    def breaches(self, platform: str | None = None) -> list[Alert]:
        """Orders accepted inside a hold, of one platform or of all, by their instants."""
        found = [one for one in self.of_kind("hold_breached") if platform in (None, one["platform"])]
        return sorted(found, key=lambda one: (one["event_time"], one["alert_id"]))

    def held_s(self, holds: Mapping[Hold, Alert]) -> dict[Hold, int]:
        """How long each of the holds lasted; of those only that have ended."""
        ends: dict[Hold, str] = {}
        for alert in self.of_kind("hold_released"):
            hold = hold_of(alert)
            if hold is not None and hold in holds and alert["hold"]["until"]:
                ends[hold] = alert["hold"]["until"]
        return {hold: seconds_between(hold.begun, end) for hold, end in ends.items()}


def by(key: Callable[[Any], str], found: Any) -> dict[str, list[Any]]:  # noqa: ANN401 - holds or alerts
    """What was found, grouped."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for one in found:
        groups[key(one)].append(one)
    return dict(sorted(groups.items()))
