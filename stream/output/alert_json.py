"""From verdicts to the messages that others read: alerts and statuses with their words, zones and ids."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from detectors.limits import Limit
from detectors.store import RiderStore
from detectors.verdicts import Status, Verdict
from schemas.policy import Policy
from stream.policies.limits import amount_s

Document = dict[str, Any]
_TELLS_THE_RIDER = frozenset({"approaching", "limit_reached", "reminder"})


def alert_id(rider: str, policy: str, limit: str, kind: str, instant_s: int, platform: str | None) -> str:
    """The id of a verdict: a function of these alone, so the same verdict always carries the same one."""
    parts = (rider, policy, limit, kind, str(instant_s), platform or "")
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def retraction_id(retracted: str) -> str:
    """The id of a retraction: a function of the alert it takes back."""
    return hashlib.blake2b(f"retracted\n{retracted}".encode(), digest_size=16).hexdigest()


class Renderer:
    """Writes the documents of one run.

    Parameters
    ----------
    limits
        In the order of the store's limit table; ``Verdict.limit`` is an index of it.
    policies
        Where messages, sources and time zones are found.
    finality_s
        Allowed lateness plus the hour after which a verdict is final, seconds.
    """

    def __init__(self, limits: Sequence[Limit], policies: Sequence[Policy], finality_s: int) -> None:
        found = {(policy.ref, one.name): (policy, one) for policy in policies for one in policy.limits}
        self._rules = [found[limit.policy, limit.name] for limit in limits]
        self._limits = list(limits)
        self._zones = [ZoneInfo(limit.time_zone) for limit in limits]
        self._finality_s = finality_s

    def alert(
        self,
        verdict: Verdict,
        *,
        rider: str,
        platform: str | None,
        zone: str | None,
        now_s: int,
        detected_at: datetime | None,
    ) -> Document:
        """The Alert of a verdict; ``detected_at`` is None in a replay, where it is left out."""
        limit = self._limits[verdict.limit]
        policy, rule = self._rules[verdict.limit]
        at = _Local(self._zones[verdict.limit])
        identity = alert_id(rider, limit.policy, limit.name, verdict.kind, verdict.event_time_s, platform)
        tells = verdict.kind in _TELLS_THE_RIDER and rule.message is not None
        document: Document = {
            "schema": "fatigue-alert/1",
            "alert_id": retraction_id(identity) if verdict.retracted else identity,
            "kind": "retracted" if verdict.retracted else verdict.kind,
            "rider_id": rider,
            "policy": limit.policy,
            "limit": limit.name,
            "clock": limit.clock,
            "event_time": at(verdict.event_time_s),
            "counted_s": verdict.counted_s,
            "limit_s": self.amount_s(verdict),
            "window": {"start": at(verdict.window_start_s), "end": at(verdict.window_end_s)},
            "hold": _hold(verdict, limit, at),
            "provisional": now_s - verdict.event_time_s <= self._finality_s,
            "estimated": verdict.estimated,
            "platform": platform,
            "zone": zone,
            "source": rule.source or policy.source,
            "evidence": [{"start": at(start), "end": at(end)} for start, end in verdict.spans],
            "message": rule.message.by_language if tells and rule.message else None,
            "supersedes": identity if verdict.retracted else None,
        }
        if detected_at is not None:
            document["detected_at"] = at(int(detected_at.timestamp()))
        return document

    def amount_s(self, verdict: Verdict) -> int:
        """The limit's amount in the verdict's window."""
        return amount_s(self._limits[verdict.limit], verdict.window_start_s)

    def alert_of(
        self, store: RiderStore, verdict: Verdict, now_s: int, detected_at: datetime | None
    ) -> Document:
        """The Alert of a verdict of a store, which knows the names behind its numbers."""
        return self.alert(
            verdict,
            rider=store.rider_id(verdict.row),
            platform=None if verdict.platform is None else store.platform(verdict.platform),
            zone=store.zone(verdict.zone),
            now_s=now_s,
            detected_at=detected_at,
        )

    def status(self, status: Status, rider: str) -> Document:
        """The DispatchStatus of a status."""
        limit = None if status.limit is None else self._limits[status.limit]
        return {
            "schema": "dispatch-status/1",
            "rider_id": rider,
            "status": status.status,
            "hold_until": None if status.hold_until_s is None else utc(status.hold_until_s),
            "limit": limit and limit.name,
            "policy": limit and limit.policy,
            "remaining_s": status.remaining_s,
            "as_of": utc(status.as_of_s),
        }


def utc(instant_s: int) -> str:
    """An instant in UTC with ``Z``, whole seconds."""
    return datetime.fromtimestamp(instant_s, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Local:
    """Writes instants in a time zone with the offset; instants of one alert repeat, so they are kept."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def __call__(self, instant_s: int) -> str:
        return datetime.fromtimestamp(instant_s, tz=self._zone).isoformat()


def _hold(verdict: Verdict, limit: Limit, at: Callable[[int], str]) -> Document | None:
    if verdict.hold_from_s is None:
        return None
    until_s = verdict.event_time_s if verdict.by_review else verdict.hold_until_s
    return {
        "from": at(verdict.hold_from_s),
        "until": None if until_s is None else at(until_s),
        "release": "review" if verdict.by_review else limit.release,
        "told_at": None if verdict.told_at_s is None else at(verdict.told_at_s),
    }
