"""The recent alerts, kept once and found by those whose they are: an index for everyone and one per platform.

What a platform asks is answered from its own index alone. Whose an alert is has been found out when the alert
was read, so no question of a platform's touches an alert of others, and one of others costs it what one that
does not exist does.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import Any

from schemas.instants import parse_instant
from schemas.platform_view import concerns
from stream.api.queries.read_alert import Listener, ReadAlert

Document = dict[str, Any]
#: By rider, since when which platforms claim him, epoch seconds; None: that cannot be said now.
Owners = Callable[[Sequence[str]], Sequence[Mapping[str, int] | None]]
MOST_ALERTS = 200_000
#: Alerts of which it was not known whose they are, and are asked about again at once.
_AGAIN_AT_ONCE = 200


class View:
    """The alerts that one sees, by id and in the order in which they were read."""

    def __init__(self) -> None:
        self.alerts: dict[str, ReadAlert] = {}
        self._logs: dict[int, deque[ReadAlert]] = {}

    def add(self, one: ReadAlert) -> None:
        """Take an alert in, wherever it belongs."""
        log = self._logs.setdefault(one.partition, deque())
        at = _place_in(log, one)
        if at < len(log) and log[at] is one:
            return
        log.insert(at, one)
        before = self.alerts.get(one.identity)
        if not one.retraction and (before is None or before.sequence < one.sequence):
            self.alerts[one.identity] = one

    def drop(self, one: ReadAlert) -> bool:
        """Let go of an alert; whether any are left."""
        log = self._logs.get(one.partition)
        if log:
            at = _place_in(log, one)
            if at < len(log) and log[at] is one:
                del log[at]
            if not log:
                del self._logs[one.partition]
        if self.alerts.get(one.identity) is one:
            del self.alerts[one.identity]
        return bool(self._logs)

    def newest_after(self, position: Sequence[int]) -> Iterator[ReadAlert]:
        """What was told after a position, the newest first."""
        each = [_after(log, _at(position, number)) for number, log in self._logs.items()]
        return heapq.merge(*each, key=lambda one: -one.sequence)


def _place_in(log: deque[ReadAlert], one: ReadAlert) -> int:
    """Where an alert is, or is to be, among those of its partition; mostly at one of the ends."""
    if not log or log[-1].offset < one.offset:
        return len(log)
    if log[0] is one:
        return 0
    return bisect_left(log, one.offset, key=lambda told: told.offset)


def _after(log: deque[ReadAlert], last: int) -> Iterator[ReadAlert]:
    return takewhile(lambda one: one.offset > last, reversed(log))


def _at(position: Sequence[int], partition: int) -> int:
    return position[partition] if partition < len(position) else -1


class AlertLog:
    """Recent alerts, at most ``most``.

    Parameters
    ----------
    owners
        Whose own riders are.
    listener
        Is told of what is read; None: nobody.
    """

    def __init__(self, owners: Owners, most: int = MOST_ALERTS, listener: Listener | None = None) -> None:
        self._owners = owners
        self._listener = listener
        self._most = most
        self._everyone = View()
        self._own: dict[str, View] = {}
        self._all: deque[ReadAlert] = deque()
        self._of_rider: dict[str, dict[str, None]] = {}
        self._retracted: set[str] = set()
        #: By partition, those of which it cannot be said yet whose they are, and all behind them.
        self._unsure: defaultdict[int, deque[ReadAlert]] = defaultdict(deque)
        self._sequence = 0
        #: By partition, the offset of the last alert read, and of the first that is still here.
        self.position: list[int] = []
        self._begins: dict[int, int] = {}

    def read(
        self, alert: Document, packed: bytes, partition: int, offset: int, told_s: float = 0.0
    ) -> ReadAlert:
        """The record of an alert just read."""
        self._sequence += 1
        hold = alert["hold"]
        return ReadAlert(
            self._sequence,
            partition,
            offset,
            alert["supersedes"] or alert["alert_id"],
            alert["rider_id"],
            alert["platform"],
            parse_instant(alert["event_time"]),
            alert["kind"] == "retracted",
            packed,
            told_s,
            alert["kind"],
            f"{alert['policy']}/{alert['limit']}",
            alert["zone"],
            None if hold is None else parse_instant(hold["from"]),
        )

    def take(self, some: Sequence[ReadAlert]) -> list[bool]:
        """Take alerts in; of each, whether it is known whose it is (``shown``)."""
        known = self._owners([one.rider for one in some]) if some else []
        sure = []
        for one, owners in zip(some, known, strict=True):
            self._take_one(one)
            waiting = self._unsure.get(one.partition)
            if owners is None or waiting:
                self._unsure[one.partition].append(one)
                sure.append(False)
            else:
                self._show(one, owners)
                sure.append(True)
        return sure

    def _take_one(self, one: ReadAlert) -> None:
        self.widen(one.partition + 1)
        self.position[one.partition] = max(self.position[one.partition], one.offset)
        self._begins.setdefault(one.partition, one.offset)
        self._all.append(one)
        one.again = not one.retraction and one.identity in self._everyone.alerts
        if self._listener is not None:
            self._listener.read(one)
        if one.retraction:
            if one.identity in self._everyone.alerts:
                self._retracted.add(one.identity)
        else:
            self._retracted.discard(one.identity)
            self._of_rider.setdefault(one.rider, {})[one.identity] = None
        self._everyone.add(one)
        if len(self._all) > self._most:
            self._forget()

    def begin(self, partition: int, offset: int) -> None:
        """Learn that a partition is read from an offset on."""
        self.widen(partition + 1)
        self.position[partition] = offset - 1
        self._begins[partition] = offset

    def widen(self, partitions: int) -> None:
        """Learn that there are so many partitions."""
        self.position.extend([-1] * (partitions - len(self.position)))

    def _show(self, one: ReadAlert, owners: Mapping[str, int]) -> None:
        one.shown = tuple(
            platform
            for platform, since_s in owners.items()
            if since_s <= one.event_s and one.platform in (None, platform)
        )
        for platform in one.shown:
            self._own.setdefault(platform, View()).add(one)
        if self._listener is not None:
            self._listener.owned(one)

    def settle(self) -> None:
        """Ask again whose the alerts are of which it could not be said; a few at a time."""
        left = _AGAIN_AT_ONCE
        for partition, waiting in list(self._unsure.items()):
            some = list(islice(waiting, left))
            # One answers for all while nothing can be said of the partition.
            known = self._owners([one.rider for one in some[:1]])
            if known and known[0] is not None:
                known = self._owners([one.rider for one in some])
            for one, owners in zip(some, known, strict=False):
                if owners is None:
                    break
                waiting.popleft()
                self._show(one, owners)
                left -= 1
            if not waiting:
                del self._unsure[partition]

    def let_go(self, count: int) -> bool:
        """Forget so many; whether any are left."""
        for _ in range(min(count, len(self._all))):
            self._forget()
        return bool(self._all)

    def _forget(self) -> None:
        """Let go of the alert that was read longest ago."""
        one = self._all.popleft()
        self._begins[one.partition] = one.offset + 1
        self._everyone.drop(one)
        for platform in one.shown:
            if not self._own[platform].drop(one):
                del self._own[platform]
        waiting = self._unsure.get(one.partition)
        if waiting and waiting[0] is one:
            waiting.popleft()
        if one.identity not in self._everyone.alerts:
            self._retracted.discard(one.identity)
            others = self._of_rider.get(one.rider, {})
            others.pop(one.identity, None)
            if not others:
                self._of_rider.pop(one.rider, None)

    # -- questions -----------------------------------------------------------------------------

    def alert(self, platform: str | None, identity: str) -> tuple[ReadAlert, bool] | None:
        """An alert that a platform sees (None: everyone's), and whether it has been retracted."""
        view = self._everyone if platform is None else self._own.get(platform)
        found = None if view is None else view.alerts.get(identity)
        return None if found is None else (found, identity in self._retracted)

    def standing(self) -> list[ReadAlert]:
        """The newest record of every alert that is still here, retracted ones too."""
        return list(self._everyone.alerts.values())

    def is_retracted(self, identity: str) -> bool:
        """Whether an alert has been taken back."""
        return identity in self._retracted

    def of_rider(self, rider: str, platform: str | None, since_s: int | None) -> list[tuple[ReadAlert, bool]]:
        """The recent alerts of a rider by their instants, each with whether it has been retracted.

        Precondition: the rider is the platform's own since ``since_s``.
        """
        found = [self._everyone.alerts[identity] for identity in self._of_rider.get(rider, ())]
        if platform is not None and since_s is not None:
            found = [one for one in found if one.event_s >= since_s and one.platform in (None, platform)]
            for one in found:
                if platform not in one.shown:
                    # Late evidence has made it the platform's; now its explanation is found as well.
                    one.shown = (*one.shown, platform)
                    self._own.setdefault(platform, View()).add(one)
        return sorted(
            ((one, one.identity in self._retracted) for one in found), key=lambda pair: pair[0].event_s
        )

    def newest_after(self, platform: str | None, position: Sequence[int]) -> Iterator[ReadAlert]:
        """What a platform has been told after a position, the newest first."""
        view = self._everyone if platform is None else self._own.get(platform)
        return iter(()) if view is None else view.newest_after(position)

    def unsure_after(self, platform: str, position: Sequence[int]) -> Iterator[ReadAlert]:
        """What may be the platform's after a position, the newest first."""
        for number, waiting in self._unsure.items():
            for one in reversed(waiting):
                if one.offset <= _at(position, number):
                    break
                if concerns(platform, {"platform": one.platform}):
                    yield one

    def reaches(self, position: Sequence[int]) -> bool:
        """Whether everything that was told after a position is still here."""
        return all(_at(position, number) >= begins - 1 for number, begins in self._begins.items())
